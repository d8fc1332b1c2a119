#include "active/reading/unpack_inner.h"
#include <zlib.h>

#define ANY_HEADER (MAX_WBITS + 32) /* gzip or zlib */
#define NO_HEADER (-MAX_WBITS)      /* what some take "deflate" to mean */

static int inflate_all(struct bytes packed, int header, struct writer *room)
{
	z_stream z = {
		.next_in = (Bytef *)(uintptr_t)packed.at, /* zlib does not write there */
		.avail_in = (uInt)packed.len,
		.next_out = room->at,
		.avail_out = (uInt)writer_left(room),
	};
	if (inflateInit2(&z, header) != Z_OK)
		return Z_MEM_ERROR;
	int result = inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)
		room->at = z.next_out;
	return result;
}

bool unpack(struct bytes packed, struct writer *room)
{
	int result = inflate_all(packed, ANY_HEADER, room);
	if (result == Z_DATA_ERROR)
		result = inflate_all(packed, NO_HEADER, room);
	return result == Z_STREAM_END;
}
