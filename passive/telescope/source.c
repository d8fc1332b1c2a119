#include "passive/telescope/capture_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PACKED_SIZE (128u << 10)
#define WINDOW_MAX (2 * CAPTURE_BLOCK_MAX)

struct unpacker {
	z_stream gzip;
	ZSTD_DStream *zstd; /* NULL: gzip */
	bool within;        /* a member or frame has begun and not ended */
	bool drained;       /* the file has no more */
	const char *broken; /* what is wrong with what follows */
	size_t at, end;
	uint8_t packed[PACKED_SIZE];
};

int source_fault(const struct source *s, struct fault *fault, const char *fmt, ...)
{
	char what[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return fault_set(fault, ERR_BAD, "%s: at byte %" PRIu64 "%s: %s", s->name, source_place(s),
			 s->unpacker ? " of what it holds" : "", what);
}

/* Up to n bytes of the file itself; 0 at its end. */
static ssize_t read_file(struct source *s, uint8_t *to, size_t n, struct fault *fault)
{
	ssize_t got;
	do
		got = read(s->fd, to, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fault_set(fault, ERR_SYSTEM, "%s: cannot be read: %s", s->name, strerror(errno));
	s->read += (uint64_t)got;
	return got;
}

static int refill(struct source *s, struct fault *fault)
{
	struct unpacker *u = s->unpacker;
	if (u->at < u->end || u->drained)
		return 0;
	ssize_t got = read_file(s, u->packed, sizeof u->packed, fault);
	if (got < 0)
		return (int)got;
	u->at = 0;
	u->end = (size_t)got;
	u->drained = got == 0;
	return 0;
}

static int fault_packed(const struct source *s, struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_BAD, "%s: at about byte %" PRIu64 " of the compressed file: %s", s->name,
			 s->read - (s->unpacker->end - s->unpacker->at), what);
}

/* Members follow one another (RFC 1952 2.2); zeros behind the last are a tape's padding. */
static size_t gzip_unpack(struct source *s, uint8_t *to, size_t n)
{
	struct unpacker *u = s->unpacker;
	z_stream *z = &u->gzip;
	while (!u->within && u->at < u->end && u->packed[u->at] == 0 && s->base + s->end > 0)
		u->at++;
	if (u->at == u->end && !u->within)
		return 0;
	z->next_in = u->packed + u->at;
	z->avail_in = (unsigned)(u->end - u->at);
	z->next_out = to;
	z->avail_out = (unsigned)n;
	int result = inflate(z, Z_NO_FLUSH);
	u->at = u->end - z->avail_in;
	u->within = result != Z_STREAM_END;
	if (result == Z_STREAM_END)
		result = inflateReset(z);
	if (result != Z_OK && result != Z_BUF_ERROR)
		u->broken = z->msg ? z->msg : "no gzip data";
	return n - z->avail_out;
}

static size_t zstd_unpack(struct unpacker *u, uint8_t *to, size_t n)
{
	if (u->at == u->end && !u->within)
		return 0;
	ZSTD_inBuffer in = {u->packed + u->at, u->end - u->at, 0};
	ZSTD_outBuffer out = {to, n, 0};
	size_t result = ZSTD_decompressStream(u->zstd, &out, &in);
	u->at += in.pos;
	if (ZSTD_isError(result))
		u->broken = ZSTD_getErrorName(result);
	u->within = result != 0;
	return out.pos;
}

/* Up to n bytes of what the file holds, at least one until it ends. */
static ssize_t unpack(struct source *s, uint8_t *to, size_t n, struct fault *fault)
{
	struct unpacker *u = s->unpacker;
	for (;;) {
		int bad = refill(s, fault);
		if (bad)
			return bad;
		size_t got = u->broken ? 0 : u->zstd ? zstd_unpack(u, to, n) : gzip_unpack(s, to, n);
		if (got)
			return (ssize_t)got;
		if (u->broken)
			return fault_packed(s, fault, u->broken);
		if (u->drained) {
			s->torn = u->within;
			return 0;
		}
	}
}

static int grow(struct source *s, size_t n)
{
	if (s->at) {
		memmove(s->window, s->window + s->at, source_left(s));
		s->base += s->at;
		s->end -= s->at;
		s->at = 0;
	}
	if (n <= s->capacity)
		return 0;
	size_t capacity = s->capacity;
	while (capacity < n)
		capacity *= 2;
	uint8_t *window = capacity <= WINDOW_MAX ? realloc(s->window, capacity) : NULL;
	if (!window)
		return ERR_MEMORY;
	s->window = window;
	s->capacity = capacity;
	return 0;
}

int source_need(struct source *s, size_t n, struct fault *fault)
{
	if (source_left(s) >= n)
		return 1;
	if (!s->ended && grow(s, n) < 0)
		return fault_set(fault, ERR_MEMORY, "%s: no memory for a window of %zu bytes", s->name, n);
	while (source_left(s) < n && !s->ended) {
		uint8_t *to = s->window + s->end;
		size_t room = s->capacity - s->end;
		ssize_t got = s->unpacker ? unpack(s, to, room, fault) : read_file(s, to, room, fault);
		if (got < 0)
			return (int)got;
		s->ended = got == 0;
		s->end += (size_t)got;
	}
	return source_left(s) >= n;
}

static int unpacker_open(struct source *s, bool zstd)
{
	struct unpacker *u = calloc(1, sizeof *u);
	if (!u)
		return ERR_MEMORY;
	s->unpacker = u;
	s->packing = zstd ? "zstd" : "gzip";
	if (zstd && (!(u->zstd = ZSTD_createDStream()) ||
		     ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, SOURCE_ZSTD_WINDOW_LOG_MAX))))
		return ERR_MEMORY;
	if (!zstd && inflateInit2(&u->gzip, 15 + 16) != Z_OK)
		return ERR_MEMORY;
	/* What told the packing is the beginning of what is to be unpacked. */
	u->end = s->end;
	memcpy(u->packed, s->window, s->end);
	s->end = 0;
	s->ended = false;
	return 0;
}

/* By the first bytes, as file(1) does. */
static int packing_find(struct source *s, struct fault *fault)
{
	static const struct { const char *magic; size_t n; const char *unpack; } others[] = {
		{"\xfd" "7zXZ", 5, "xz"}, {"BZh", 3, "bzip2"}, {"\x04\x22\x4d\x18", 4, "lz4"}, {"PK\3\4", 4, "unzip"},
	};
	const uint8_t *p = source_bytes(s);
	size_t n = source_left(s);
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
		if (n >= others[i].n && !memcmp(p, others[i].magic, others[i].n))
			return fault_set(fault, ERR_BAD, "%s: is packed in a way that is not read here; %s unpacks it",
					 s->name, others[i].unpack);
	bool gzip = n >= 2 && !memcmp(p, "\x1f\x8b", 2), zstd = n >= 4 && !memcmp(p, "\x28\xb5\x2f\xfd", 4);
	if ((gzip || zstd) && unpacker_open(s, zstd) < 0)
		return fault_set(fault, ERR_MEMORY, "%s: no memory to unpack it", s->name);
	return 0;
}

int source_open(struct source *s, int fd, const char *name, struct fault *fault)
{
	struct stat st;
	*s = (struct source){.fd = fd, .packing = ""};
	snprintf(s->name, sizeof s->name, "%s", name);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		s->size = (uint64_t)st.st_size;
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	s->window = malloc(SOURCE_WINDOW);
	s->capacity = PACKED_SIZE; /* until it is known whether this is the packed or the plain */
	if (!s->window)
		return fault_set(fault, ERR_MEMORY, "%s: no memory for a window", s->name);
	int got = source_need(s, 5, fault);
	if (got >= 0)
		got = packing_find(s, fault);
	s->capacity = SOURCE_WINDOW;
	return got;
}

void source_close(struct source *s)
{
	if (s->unpacker) {
		ZSTD_freeDStream(s->unpacker->zstd);
		if (!s->unpacker->zstd)
			inflateEnd(&s->unpacker->gzip);
		free(s->unpacker);
	}
	free(s->window);
	if (s->fd > STDIN_FILENO)
		close(s->fd);
}
