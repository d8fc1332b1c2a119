#include "share/intake/unpack_inner.h"
#include <bzlib.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE_MAX (256u << 10)
#define MAGIC_BYTES 4
#define ZSTD_WINDOW_LOG_MAX 27
#define GZIP_OR_ZLIB 47 /* inflateInit2: 15 bits of window, the header tells which of both */

struct unpack {
	enum { UNDECIDED, PLAIN, GZIP, ZSTD, BZIP2 } kind;
	uint8_t first[MAGIC_BYTES]; /* until the kind is decided */
	size_t first_count;
	bool ended;                 /* a member or frame is whole; another may follow */
	uint64_t in, out;
	z_stream zlib;
	ZSTD_DStream *zstd;
	bz_stream bzip2;
	bool bzip2_open;
	uint8_t piece[PIECE_MAX];
};

int unpack_open(struct unpack **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : ERR_MEMORY;
}

static int hand_out(struct unpack *u, struct bytes b, unpack_out_f *out, void *arg, struct fault *fault)
{
	u->out += b.len;
	if (u->kind != PLAIN && u->out > UNPACK_FREE && u->out / UNPACK_RATIO_MAX > u->in)
		return fault_set(fault, ERR_FULL, "%llu bytes unpack to more than %llu: a bomb, it was not read on",
				 (unsigned long long)u->in, (unsigned long long)u->out);
	if (u->out > UNPACKED_MAX)
		return fault_set(fault, ERR_FULL, "more than %llu bytes, it was not read on",
				 (unsigned long long)UNPACKED_MAX);
	return b.len ? out(arg, b, fault) : 0;
}

static int feed_gzip(struct unpack *u, struct bytes in, unpack_out_f *out, void *arg, struct fault *fault)
{
	u->zlib.next_in = (uint8_t *)(uintptr_t)in.at;
	u->zlib.avail_in = (unsigned)in.len;
	while (u->zlib.avail_in) {
		if (u->ended && inflateReset(&u->zlib) == Z_OK) /* RFC 1952 2.2: members follow each other */
			u->ended = false;
		u->zlib.next_out = u->piece;
		u->zlib.avail_out = PIECE_MAX;
		int status = inflate(&u->zlib, Z_NO_FLUSH);
		if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
			return fault_set(fault, ERR_BAD, "it is packed by gzip, and damaged after %llu bytes of content",
					 (unsigned long long)u->out);
		u->ended = status == Z_STREAM_END;
		int bad = hand_out(u, (struct bytes){u->piece, PIECE_MAX - u->zlib.avail_out}, out, arg, fault);
		if (bad)
			return bad;
	}
	return 0;
}

static int feed_zstd(struct unpack *u, struct bytes in, unpack_out_f *out, void *arg, struct fault *fault)
{
	ZSTD_inBuffer from = {in.at, in.len, 0};
	bool more = true;
	while (from.pos < from.size || more) {
		ZSTD_outBuffer to = {u->piece, PIECE_MAX, 0};
		size_t status = ZSTD_decompressStream(u->zstd, &to, &from);
		if (ZSTD_isError(status))
			return fault_set(fault, ERR_BAD, "it is packed by zstd, and damaged after %llu bytes of content",
					 (unsigned long long)u->out);
		u->ended = status == 0;
		more = to.pos == PIECE_MAX;
		int bad = hand_out(u, (struct bytes){u->piece, to.pos}, out, arg, fault);
		if (bad)
			return bad;
	}
	return 0;
}

/* A file may hold several streams: pbzip2 and NICTER's makers pack blocks apart. */
static bool bzip2_begin(struct unpack *u)
{
	if (u->bzip2_open)
		BZ2_bzDecompressEnd(&u->bzip2);
	u->bzip2 = (bz_stream){0};
	u->bzip2_open = BZ2_bzDecompressInit(&u->bzip2, 0, 0) == BZ_OK;
	u->ended = false;
	return u->bzip2_open;
}

static int feed_bzip2(struct unpack *u, struct bytes in, unpack_out_f *out, void *arg, struct fault *fault)
{
	const char *next = (const char *)in.at;
	unsigned left = (unsigned)in.len;
	bool full = true;
	while (left || full) {
		if (u->ended && (!left || !bzip2_begin(u)))
			return left ? fault_set(fault, ERR_MEMORY, "no memory to unpack it") : 0;
		u->bzip2.next_in = (char *)(uintptr_t)next;
		u->bzip2.avail_in = left;
		u->bzip2.next_out = (char *)u->piece;
		u->bzip2.avail_out = PIECE_MAX;
		int status = BZ2_bzDecompress(&u->bzip2);
		if (status != BZ_OK && status != BZ_STREAM_END)
			return fault_set(fault, ERR_BAD, "it is packed by bzip2, and damaged after %llu bytes of content",
					 (unsigned long long)u->out);
		u->ended = status == BZ_STREAM_END;
		next = u->bzip2.next_in;
		left = u->bzip2.avail_in;
		full = u->bzip2.avail_out == 0;
		int bad = hand_out(u, (struct bytes){u->piece, PIECE_MAX - u->bzip2.avail_out}, out, arg, fault);
		if (bad)
			return bad;
	}
	return 0;
}

static int decide(struct unpack *u)
{
	const uint8_t *m = u->first;
	u->kind = PLAIN;
	if (u->first_count >= 2 && m[0] == 0x1f && m[1] == 0x8b) {
		u->kind = GZIP;
		return inflateInit2(&u->zlib, GZIP_OR_ZLIB) == Z_OK ? 0 : ERR_MEMORY;
	}
	if (u->first_count == MAGIC_BYTES && !memcmp(m, "BZh", 3) && m[3] >= '1' && m[3] <= '9') {
		u->kind = BZIP2;
		return bzip2_begin(u) ? 0 : ERR_MEMORY;
	}
	if (u->first_count == MAGIC_BYTES && m[0] == 0x28 && m[1] == 0xb5 && m[2] == 0x2f && m[3] == 0xfd) {
		u->kind = ZSTD;
		u->zstd = ZSTD_createDStream();
		return u->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX))
			       ? 0 : ERR_MEMORY;
	}
	return 0;
}

static int feed_decided(struct unpack *u, struct bytes in, unpack_out_f *out, void *arg, struct fault *fault)
{
	u->in += in.len;
	return u->kind == GZIP   ? feed_gzip(u, in, out, arg, fault)
	       : u->kind == ZSTD  ? feed_zstd(u, in, out, arg, fault)
	       : u->kind == BZIP2 ? feed_bzip2(u, in, out, arg, fault)
				  : hand_out(u, in, out, arg, fault);
}

static int feed_first(struct unpack *u, unpack_out_f *out, void *arg, struct fault *fault)
{
	int bad = decide(u);
	return bad ? bad : feed_decided(u, (struct bytes){u->first, u->first_count}, out, arg, fault);
}

int unpack_feed(struct unpack *u, struct bytes in, unpack_out_f *out, void *arg, struct fault *fault)
{
	if (u->kind == UNDECIDED) {
		size_t n = MAGIC_BYTES - u->first_count;
		n = n < in.len ? n : in.len;
		memcpy(u->first + u->first_count, in.at, n);
		u->first_count += n;
		in = (struct bytes){in.at + n, in.len - n};
		if (u->first_count < MAGIC_BYTES)
			return 0;
		int bad = feed_first(u, out, arg, fault);
		if (bad)
			return bad;
	}
	return in.len ? feed_decided(u, in, out, arg, fault) : 0;
}

int unpack_end(struct unpack *u, unpack_out_f *out, void *arg, struct fault *fault)
{
	int bad = u->kind == UNDECIDED && u->first_count ? feed_first(u, out, arg, fault) : 0;
	if (!bad && u->kind != UNDECIDED && u->kind != PLAIN && !u->ended)
		bad = fault_set(fault, ERR_BAD, "it is packed, and cut after %llu bytes of content",
				(unsigned long long)u->out);
	return bad;
}

void unpack_close(struct unpack *u)
{
	if (!u)
		return;
	if (u->kind == GZIP)
		inflateEnd(&u->zlib);
	if (u->bzip2_open)
		BZ2_bzDecompressEnd(&u->bzip2);
	ZSTD_freeDStream(u->zstd);
	free(u);
}
