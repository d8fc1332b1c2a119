/* A time zone's file: read within its bounds, and an offset for every moment after. */
#include "base/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct zone z;
	if (zone_read((struct bytes){bytes, size}, &z))
		return 0;
	for (int64_t at = -1; at < (int64_t)1 << 34; at = at * 2 + 1000003) {
		int32_t offset = zone_offset_s(&z, at);
		if (offset < -27 * 3600 || offset > 27 * 3600)
			__builtin_trap();
	}
	return 0;
}
