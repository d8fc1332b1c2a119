/* Any bytes as an IP packet from the wire: refused, or read within its bounds. */
#include "active/prober/synack_inner.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	struct synack s;
	if (n && synack_read((struct bytes){at, n}, &s) && strlen(s.options) >= sizeof s.options)
		abort();
	return 0;
}
