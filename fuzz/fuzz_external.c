/* A report of an external sandbox: whatever stands there, what is taken from it is valid UTF-8 and within its limits. */
#include "lab/external.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static uint8_t room[1 << 20];
	struct arena arena = ARENA(8u << 20);
	struct external_report r;
	struct fault fault = {0};
	if (external_read((struct bytes){bytes, size}, &arena, &r, &fault) == 0) {
		struct writer w = writer_of(room, sizeof room);
		external_write(&w, &r);
		if (!w.bad && !bytes_is_utf8(writer_bytes(&w)))
			abort();
		if (r.score > 100 || r.indicator_count > EXTERNAL_INDICATORS_MAX)
			abort();
	}
	arena_done(&arena);
	return 0;
}
