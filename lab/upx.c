#include "lab/upx_inner.h"
#include "base/little.h"
#include "lab/nrv.h"
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#define LZMA_METHOD 14
#define LZMA_HEADER 13
#define DICTIONARY_MIN 4096

static const struct method {
	enum nrv kind;
	unsigned bits;
} methods[] = {
	[2] = {NRV2B, 32}, [3] = {NRV2B, 8}, [4] = {NRV2B, 16}, [5] = {NRV2D, 32}, [6] = {NRV2D, 8},
	[7] = {NRV2D, 16}, [8] = {NRV2E, 32}, [9] = {NRV2E, 8}, [10] = {NRV2E, 16},
};

bool upx_method_known(unsigned method)
{
	return (method >= 2 && method <= 10) || method == LZMA_METHOD;
}

/* UPX keeps LZMA's parameters in two bytes; with the header of a .lzma file any decoder reads it. */
static bool lzma_unpack(struct bytes packed, uint8_t *out, size_t room)
{
	unsigned lp = packed.at[1] >> 4, lc = packed.at[1] & 15, pb = packed.at[0] & 7;
	uint64_t dictionary = DICTIONARY_MIN;
	if (lc > 8 || lp > 4 || pb > 4)
		return false;
	while (dictionary < room)
		dictionary *= 2;
	size_t size = packed.len - 2 + LZMA_HEADER;
	uint8_t *file = malloc(size);
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	bool good = false;
	if (file && archive) {
		struct writer w = writer_of(file, size);
		write_u8(&w, (uint8_t)((pb * 5 + lp) * 9 + lc));
		write_little(&w, dictionary, 4);
		write_little(&w, room, 8);
		write_bytes(&w, packed.at + 2, packed.len - 2);
		archive_read_support_filter_lzma(archive);
		archive_read_support_format_raw(archive);
		if (archive_read_open_memory(archive, file, size) == ARCHIVE_OK &&
		    archive_read_next_header(archive, &entry) == ARCHIVE_OK)
			good = archive_read_data(archive, out, room) == (la_ssize_t)room;
	}
	if (archive)
		archive_read_free(archive);
	free(file);
	return good;
}

bool upx_block_unpack(unsigned method, struct bytes packed, uint8_t *out, size_t room)
{
	if (packed.len == room) {
		memcpy(out, packed.at, room);
		return true;
	}
	if (method == LZMA_METHOD)
		return packed.len > 2 && lzma_unpack(packed, out, room);
	return upx_method_known(method) && nrv_unpack(methods[method].kind, methods[method].bits, packed, out, room) == (long)room;
}
