/* A lease that reads must write the same bytes again: nothing is guessed, nothing lost. */
#include "control/policy.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct reader r = reader_of(bytes, n);
	struct lease lease;
	if (!lease_read(&r, &lease))
		return 0;
	uint8_t again[LEASE_WIRE_MAX];
	struct writer w = writer_of(again, sizeof again);
	lease_write(&lease, &w);
	if (w.bad || writer_used(&w) != n - reader_left(&r) || memcmp(again, bytes, writer_used(&w)))
		abort();
	return 0;
}
