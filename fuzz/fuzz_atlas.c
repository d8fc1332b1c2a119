/* A text of autonomous systems: whatever stands there, every address has an answer. */
#include "control/atlas_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct atlas *a;
	size_t bad_lines;
	if (atlas_new(&a))
		return 0;
	if (atlas_read_text(a, (struct bytes){bytes, size}, &bad_lines) == 0) {
		struct address some = {{0}};
		memcpy(some.b, bytes, size < sizeof some.b ? size : sizeof some.b);
		atlas_as(a, &some);
		some = address_v4(0x08080808);
		atlas_as(a, &some);
	}
	atlas_close(a);
	return 0;
}
