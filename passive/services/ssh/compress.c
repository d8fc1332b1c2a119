/* Streams of zlib over an arena. */
#include "passive/services/ssh/compress.h"
#include <zlib.h>

#define LEVEL 6 /* as OpenSSH */

struct ssh_zlib {
	z_stream stream;
	bool deflates;
};

static voidpf take(voidpf arena, uInt items, uInt size)
{
	return arena_alloc(arena, (size_t)items * size);
}

/* The arena goes as a whole. */
static void leave(voidpf arena, voidpf at)
{
	(void)arena;
	(void)at;
}

struct ssh_zlib *zlib_begin(struct ssh_zlib *z, struct arena *a, bool deflates)
{
	if (z)
		return (deflates ? deflateReset(&z->stream) : inflateReset(&z->stream)) == Z_OK ? z : NULL;
	z = arena_alloc(a, sizeof *z);
	if (!z)
		return NULL;
	z->stream.zalloc = take;
	z->stream.zfree = leave;
	z->stream.opaque = a;
	z->deflates = deflates;
	return (deflates ? deflateInit(&z->stream, LEVEL) : inflateInit(&z->stream)) == Z_OK ? z : NULL;
}

static void stream_set(z_stream *s, struct bytes in, struct writer *out)
{
	s->next_in = (Bytef *)(uintptr_t)in.at;
	s->avail_in = (uInt)in.len;
	s->next_out = out->at;
	s->avail_out = (uInt)writer_left(out);
}

bool zlib_deflate(struct ssh_zlib *z, struct bytes in, struct writer *out)
{
	stream_set(&z->stream, in, out);
	int error = deflate(&z->stream, Z_PARTIAL_FLUSH);
	out->at = z->stream.next_out;
	return error == Z_OK && z->stream.avail_in == 0 && z->stream.avail_out > 0;
}

bool zlib_inflate(struct ssh_zlib *z, struct bytes in, struct writer *out)
{
	stream_set(&z->stream, in, out);
	for (;;) {
		int error = inflate(&z->stream, Z_SYNC_FLUSH);
		out->at = z->stream.next_out;
		if (error == Z_BUF_ERROR) /* nothing more comes of what there is */
			return z->stream.avail_in == 0;
		if (error != Z_OK || z->stream.avail_out == 0)
			return false;
	}
}
