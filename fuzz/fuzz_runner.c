/* What a runner says to its owner, and what an owner says to it: both are read as hostile. */
#include "lab/run/runner_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena arena = ARENA(16u << 20);
	struct run_findings f;
	struct run_plan plan;
	if (runner_findings_read((struct bytes){p, n}, &arena, &f) == 0) {
		struct buffer b = BUFFER(16u << 20);
		/* What was read can be written, and is read as the same. */
		if (runner_findings_write(&b, &f) == 0 && buffer_len(&b) != n)
			__builtin_trap();
		buffer_done(&b);
	}
	(void)runner_plan_read((struct bytes){p, n}, &arena, &plan);
	arena_done(&arena);
	return 0;
}
