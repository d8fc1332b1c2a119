#include "passive/sensors/follow.h"
#include "passive/sensors/sensor_format.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define WINDOW (2 * SENSOR_LINE_MAX)
#define DIGESTED_MAX 512
#define LOOK_US 200000u /* how often the folder is asked about a rotation */
#define MAGIC 0x6b666f6c706c6331u

struct follow {
	char path[FOLLOW_PATH_MAX];
	int fd; /* -1: no file */
	uint64_t generation, device, inode, header;
	uint64_t offset;       /* of window[at] in the file */
	uint8_t *window;
	size_t at, held;       /* what is in the window: [at, held) */
	size_t scanned;        /* of it, known to have no line's end */
	bool begins, skipping, missing;
	uint64_t grown_us, looked_us, lost;
	bool resting;               /* the last call found nothing; `rest` is where */
	struct follow_place rest;
};

static uint64_t digest_before(int fd, uint64_t offset, uint64_t n)
{
	uint8_t room[DIGESTED_MAX];
	if (n > sizeof room || n > offset || pread(fd, room, n, (off_t)(offset - n)) != (ssize_t)n)
		return 0;
	return XXH3_64bits(room, n) | 1;
}

static void take_file(struct follow *f, int fd, const struct stat *st, uint64_t offset)
{
	if (f->fd >= 0 && f->fd != fd)
		close(f->fd);
	f->fd = fd;
	f->device = st->st_dev;
	f->inode = st->st_ino;
	f->offset = offset;
	f->at = f->held = f->scanned = 0;
	f->begins = offset == 0;
	f->skipping = f->resting = false;
	if (offset == 0)
		f->header = NO_HEADER;
}

static bool is_packed(const char *name)
{
	static const char *const ends[] = {".gz", ".zst", ".xz", ".bz2", ".lz4", ".new", ".tmp"};
	size_t n = strlen(name);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (n > strlen(ends[i]) && !strcmp(name + n - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Of eve.json: eve.json.1, eve.json-20260101, eve-20260101.json, eve.1.json; not eve-alerts.json. */
static bool is_of(const char *base, const char *name)
{
	size_t n = strlen(base);
	const char *dot = strrchr(base, '.');
	size_t stem = dot && dot > base ? (size_t)(dot - base) : n;
	if (!strncmp(name, base, n) && (!name[n] || (strchr(".-_", name[n]) && is_digit(name[n + 1]))))
		return true;
	return !strncmp(name, base, stem) && name[stem] && strchr(".-_", name[stem]) && is_digit(name[stem + 1]);
}

static DIR *open_folder(const struct follow *f, const char **base)
{
	char folder[FOLLOW_PATH_MAX];
	const char *slash = strrchr(f->path, '/');
	*base = slash ? slash + 1 : f->path;
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - f->path) + 1 : 1, slash ? f->path : ".");
	return opendir(folder);
}

struct candidate {
	int fd;
	struct stat st;
};

/* Calls `better` with each plain file that may be a rotated one; keeps the best, opened. */
static bool search(const struct follow *f, struct candidate *best,
		   bool (*better)(const struct follow *, int fd, const struct stat *, const struct candidate *,
				  const void *arg), const void *arg)
{
	const char *base;
	DIR *d = open_folder(f, &base);
	best->fd = -1;
	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;
		if (!is_of(base, e->d_name) || is_packed(e->d_name))
			continue;
		int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && better(f, fd, &st, best, arg)) {
			if (best->fd >= 0)
				close(best->fd);
			*best = (struct candidate){fd, st};
		} else if (fd >= 0) {
			close(fd);
		}
	}
	if (d)
		closedir(d);
	return best->fd >= 0;
}

static bool is_place(int fd, const struct stat *st, const struct follow_place *p)
{
	if (!p->offset)
		return st->st_ino == p->inode && st->st_dev == p->device;
	return (uint64_t)st->st_size >= p->offset && p->digested &&
	       digest_before(fd, p->offset, p->digested) == p->digest;
}

/* The same inode before a copy of it. */
static bool better_match(const struct follow *f, int fd, const struct stat *st, const struct candidate *best,
			 const void *arg)
{
	const struct follow_place *p = arg;
	(void)f;
	bool same = st->st_ino == p->inode && st->st_dev == p->device;
	return is_place(fd, st, p) && (best->fd < 0 || same);
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* The oldest file that was written after the one that ended. */
static bool better_next(const struct follow *f, int fd, const struct stat *st, const struct candidate *best,
			const void *arg)
{
	const struct stat *ended = arg;
	(void)fd;
	if (((uint64_t)st->st_ino == f->inode && st->st_dev == f->device) || !st->st_size ||
	    is_later(&ended->st_mtim, &st->st_mtim))
		return false;
	return best->fd < 0 || is_later(&best->st.st_mtim, &st->st_mtim);
}

static bool open_first(struct follow *f)
{
	struct stat st;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	f->missing = fd < 0;
	if (fd < 0)
		return false;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return false;
	}
	take_file(f, fd, &st, 0);
	return true;
}

static void resume(struct follow *f, const struct follow_place *p)
{
	struct candidate c;
	f->generation = p->generation;
	f->header = p->header;
	if (search(f, &c, better_match, p)) {
		take_file(f, c.fd, &c.st, p->offset);
		return;
	}
	f->generation += p->offset != 0;
	f->lost += p->offset != 0;
	open_first(f);
}

int follow_open(struct follow **out, const char *path, const struct follow_place *from)
{
	struct follow *f = calloc(1, sizeof *f);
	uint8_t *window = malloc(WINDOW);
	if (!f || !window || strlen(path) >= sizeof f->path) {
		free(f);
		free(window);
		return ERR_MEMORY;
	}
	*f = (struct follow){.fd = -1, .window = window, .header = NO_HEADER};
	snprintf(f->path, sizeof f->path, "%s", path);
	if (from && from->inode)
		resume(f, from);
	else
		open_first(f);
	*out = f;
	return 0;
}

void follow_close(struct follow *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f->window);
	free(f);
}

void follow_where(const struct follow *f, struct follow_place *p)
{
	*p = (struct follow_place){.generation = f->generation, .offset = f->offset, .device = f->device,
				   .inode = f->inode, .header = f->header};
	p->digested = f->offset < DIGESTED_MAX ? f->offset : DIGESTED_MAX;
	if (p->digested && f->fd >= 0)
		p->digest = digest_before(f->fd, f->offset, p->digested);
}

/* A line that is whole, or the rest of a file that ended. */
static bool take_line(struct follow *f, bool ended, struct follow_line *out)
{
	size_t n = f->held - f->at;
	const uint8_t *start = f->window + f->at;
	const uint8_t *end = n > f->scanned ? memchr(start + f->scanned, '\n', n - f->scanned) : NULL;
	f->scanned = n;
	if (!end && n > SENSOR_LINE_MAX) {
		f->skipping = true;
		f->offset += n;
		f->at = f->held = f->scanned = 0;
		return false;
	}
	if (!end && !(ended && (n || f->skipping)))
		return false;
	size_t len = end ? (size_t)(end - start) : n;
	*out = (struct follow_line){{start, len}, f->generation, f->offset, f->begins,
				    f->skipping || len > SENSOR_LINE_MAX};
	if (out->too_long)
		out->line.len = 0;
	else if (len && start[len - 1] == '\r')
		out->line.len--;
	len += end != NULL;
	f->at += len;
	f->offset += len;
	f->scanned = 0;
	f->begins = f->skipping = false;
	return true;
}

static bool read_more(struct follow *f, uint64_t now_us)
{
	if (f->at) {
		memmove(f->window, f->window + f->at, f->held - f->at);
		f->held -= f->at;
		f->at = 0;
	}
	ssize_t n = f->fd < 0 || f->held == WINDOW ? 0
		    : pread(f->fd, f->window + f->held, WINDOW - f->held, (off_t)(f->offset + f->held));
	if (n <= 0)
		return false;
	f->held += (size_t)n;
	f->grown_us = now_us;
	return true;
}

/* Cut while we had it open: what we had not read may stand in a copy. */
static void was_cut(struct follow *f, const struct follow_place *here)
{
	struct candidate c;
	struct stat st;
	if (here->digested && here->offset == f->offset && search(f, &c, better_match, here)) {
		take_file(f, c.fd, &c.st, here->offset);
		return;
	}
	f->lost++;
	f->generation++;
	if (fstat(f->fd, &st) == 0)
		take_file(f, f->fd, &st, 0);
}

static void move_on(struct follow *f, const struct stat *ended)
{
	struct candidate next;
	if (!search(f, &next, better_next, ended))
		return;
	f->generation++;
	take_file(f, next.fd, &next.st, 0);
}

/* At the end of what there is: has the file been replaced or cut?  True: look again for lines. */
static bool rotated(struct follow *f, uint64_t now_us, struct follow_line *out, bool *line)
{
	struct stat ours, named;
	if (now_us < f->looked_us + LOOK_US && f->looked_us)
		return false;
	f->looked_us = now_us;
	if (f->fd < 0)
		return open_first(f);
	f->missing = stat(f->path, &named) != 0;
	if (fstat(f->fd, &ours))
		return false;
	uint64_t inode = f->inode, generation = f->generation;
	if ((uint64_t)ours.st_size < f->offset + (f->held - f->at)) {
		was_cut(f, &f->rest);
		return true;
	}
	bool replaced = !f->missing && (named.st_ino != ours.st_ino || named.st_dev != ours.st_dev);
	if (!replaced || now_us < f->grown_us + FOLLOW_GRACE_US)
		return false;
	if (take_line(f, true, out)) {
		*line = true;
		return true;
	}
	move_on(f, &ours);
	return f->inode != inode || f->generation != generation;
}

/* While we rested the file may have been cut and written anew, even beyond where we are. */
static void rest_end(struct follow *f)
{
	const struct follow_place *p = &f->rest;
	f->resting = false;
	if (f->fd >= 0 && p->digested && p->digest != digest_before(f->fd, p->offset, p->digested))
		was_cut(f, p);
}

bool follow_next(struct follow *f, uint64_t now_us, struct follow_line *out)
{
	bool line = false;
	if (f->resting)
		rest_end(f);
	for (;;) {
		if (take_line(f, false, out))
			return true;
		if (read_more(f, now_us))
			continue;
		if (!rotated(f, now_us, out, &line)) {
			follow_where(f, &f->rest);
			f->resting = true;
			return false;
		}
		if (line)
			return true;
	}
}

void follow_header(struct follow *f, uint64_t offset) { f->header = offset; }
bool follow_missing(const struct follow *f) { return f->missing; }
uint64_t follow_lost(const struct follow *f) { return f->lost; }

void follow_replay(struct follow *f, void (*line)(void *arg, struct bytes), void *arg)
{
	static uint8_t room[65536];
	ssize_t n = f->fd < 0 || f->header == NO_HEADER || !f->offset ? 0
		    : pread(f->fd, room, sizeof room, (off_t)f->header);
	struct reader r = reader_of(room, n > 0 ? (size_t)n : 0);
	for (struct bytes b; read_line(&r, &b) && b.len && b.at[0] == '#';)
		line(arg, b);
}

void place_write(const struct follow_place *p, uint8_t out[FOLLOW_PLACE_BYTES])
{
	struct writer w = writer_of(out, FOLLOW_PLACE_BYTES);
	write_u64(&w, MAGIC);
	write_u64(&w, p->generation);
	write_u64(&w, p->offset);
	write_u64(&w, p->device);
	write_u64(&w, p->inode);
	write_u64(&w, p->header);
	write_u64(&w, p->digest);
	write_u64(&w, p->digested);
	write_u64(&w, XXH3_64bits(out, FOLLOW_PLACE_BYTES - 8));
}

bool place_read(struct bytes b, struct follow_place *p)
{
	struct reader r = reader_of_bytes(b);
	if (b.len != FOLLOW_PLACE_BYTES || read_u64(&r) != MAGIC)
		return false;
	*p = (struct follow_place){.generation = read_u64(&r)};
	p->offset = read_u64(&r);
	p->device = read_u64(&r);
	p->inode = read_u64(&r);
	p->header = read_u64(&r);
	p->digest = read_u64(&r);
	p->digested = read_u64(&r);
	return read_u64(&r) == XXH3_64bits(b.at, FOLLOW_PLACE_BYTES - 8);
}
