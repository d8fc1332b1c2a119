/* What a decoy says to the demo's bots: it is ours, but the bots must not trust even that. */
#include "cli/demo/visit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct visit v;
	visit_begin(&v);
	for (size_t at = 0; at < n; at += 7) {
		size_t piece = n - at < 7 ? n - at : 7;
		if (visit_hear(&v, (struct bytes){bytes + at, piece}) != VISIT_GOES_ON)
			break;
		v.said_count = 0;
	}
	return 0;
}
