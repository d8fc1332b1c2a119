/* Whatever a reader asks, the guard ends within its text and never calls a refused name allowed. */
#include "store/embedded/guard.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static struct guard g;
	struct fault fault;
	if (g.count == 0 && guard_add(&g, BYTES("file")) == 0)
		guard_seal(&g);
	uint8_t text[4096 + 16];
	if (n > 4096)
		return 0;
	/* A call in front is found whatever follows it. */
	memcpy(text, "file( ", 6);
	if (n)
		memcpy(text + 6, at, n);
	if (guard_check(&g, (struct bytes){text, n + 6}, false, &fault) != ERR_DENIED)
		abort();
	(void)guard_check(&g, (struct bytes){at, n}, true, &fault);
	return 0;
}
