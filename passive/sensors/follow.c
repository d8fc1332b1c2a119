#include "passive/sensors/follow.h"
#include "passive/sensors/sensor_format.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define DIGESTED_MAX 512 /* of what was handed out so many bytes stay, to know the file by */
#define WINDOW (DIGESTED_MAX + 2 * SENSOR_LINE_MAX)
#define HEADER_MAX 65536
#define LOOK_US 200000u /* how often the folder is asked about a rotation */
#define MAGIC 0x6b666f6c706c6331u

struct follow {
	char path[FOLLOW_PATH_MAX];
	int fd; /* -1: no file */
	uint64_t generation, device, inode, header;
	uint64_t offset;       /* of window[at] in the file */
	uint8_t *window;
	size_t at, held;       /* what is next is in [at, held), some of what was before it in [0, at) */
	size_t scanned;        /* of what is next, known to have no line's end */
	bool begins, resumes, skipping;
	bool waiting;          /* for a file that has `place` in it */
	struct follow_place place; /* skipping: of the line that is too long */
	const char *trouble;
	uint64_t grown_us, looked_us, lost;
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
	size_t n = offset < DIGESTED_MAX ? (size_t)offset : DIGESTED_MAX;
	f->at = n && pread(fd, f->window, n, (off_t)(offset - n)) == (ssize_t)n ? n : 0;
	f->held = f->at;
	f->scanned = 0;
	f->begins = offset == 0;
	f->resumes = offset != 0;
	f->skipping = f->waiting = false;
	f->trouble = NULL;
	if (offset == 0)
		f->header = NO_HEADER;
}

static const char *trouble_of(int error)
{
	if (error == ENOENT || error == ENOTDIR)
		return "the log is not there";
	return error == EACCES || error == EPERM ? "the log may not be read by this process" : strerror(error);
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
		int follows = strcmp(base, e->d_name) ? O_NOFOLLOW : 0; /* the log itself may be a link */
		int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | follows);
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

static bool open_named(struct follow *f, struct candidate *c)
{
	c->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	f->trouble = c->fd < 0 ? trouble_of(errno) : NULL;
	if (c->fd >= 0 && (fstat(c->fd, &c->st) || !S_ISREG(c->st.st_mode))) {
		close(c->fd);
		c->fd = -1;
		f->trouble = "the log is no plain file";
	}
	return c->fd >= 0;
}

static bool open_first(struct follow *f)
{
	struct candidate c;
	if (!open_named(f, &c))
		return false;
	take_file(f, c.fd, &c.st, 0);
	return true;
}

/* A log that cannot be opened now may be the one with the place when it can be. */
static bool resume(struct follow *f, struct follow_place p)
{
	struct candidate c;
	f->generation = p.generation;
	f->header = p.header;
	if (search(f, &c, better_match, &p)) {
		take_file(f, c.fd, &c.st, p.offset);
		return true;
	}
	if (!open_first(f)) {
		f->waiting = true;
		f->place = p;
		return false;
	}
	f->generation += p.offset != 0;
	f->lost += p.offset != 0;
	return true;
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
		resume(f, *from);
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
	if (f->waiting || f->skipping) {
		*p = f->place;
		return;
	}
	*p = (struct follow_place){.generation = f->generation, .offset = f->offset, .device = f->device,
				   .inode = f->inode, .header = f->header};
	/* Of what was read, not of what the file has by now. */
	p->digested = f->at < DIGESTED_MAX ? f->at : DIGESTED_MAX;
	if (p->digested)
		p->digest = XXH3_64bits(f->window + f->at - p->digested, p->digested) | 1;
}

/* A line that is whole, or the rest of a file that ended. */
static bool take_line(struct follow *f, bool ended, struct follow_line *out)
{
	size_t n = f->held - f->at;
	const uint8_t *start = f->window + f->at;
	const uint8_t *end = n > f->scanned ? memchr(start + f->scanned, '\n', n - f->scanned) : NULL;
	f->scanned = n;
	if (!end && n > SENSOR_LINE_MAX) {
		if (!f->skipping)
			follow_where(f, &f->place);
		f->skipping = true;
		f->offset += n;
		f->at = f->held;
		f->scanned = 0;
		return false;
	}
	if (!end && !(ended && (n || f->skipping)))
		return false;
	size_t len = end ? (size_t)(end - start) : n;
	*out = (struct follow_line){.line = {start, len}, .generation = f->generation,
				    .offset = f->skipping ? f->place.offset : f->offset, .begins = f->begins,
				    .resumes = f->resumes, .too_long = f->skipping || len > SENSOR_LINE_MAX};
	if (out->too_long)
		out->line.len = 0;
	else if (len && start[len - 1] == '\r')
		out->line.len--;
	len += end != NULL;
	f->at += len;
	f->offset += len;
	f->scanned = 0;
	f->begins = f->resumes = f->skipping = false;
	return true;
}

static bool read_more(struct follow *f, uint64_t now_us)
{
	size_t gone = f->at > DIGESTED_MAX ? f->at - DIGESTED_MAX : 0;
	if (gone) {
		memmove(f->window, f->window + gone, f->held - gone);
		f->held -= gone;
		f->at -= gone;
	}
	ssize_t n = f->fd < 0 || f->held == WINDOW ? 0
		    : pread(f->fd, f->window + f->held, WINDOW - f->held, (off_t)(f->offset + f->held - f->at));
	if (n <= 0)
		return false;
	f->held += (size_t)n;
	f->grown_us = now_us;
	return true;
}

/* What was read last is not there any more: the file was cut, perhaps written anew beyond where we are. */
static bool is_cut(const struct follow *f)
{
	uint8_t now[DIGESTED_MAX];
	size_t n = f->held < sizeof now ? f->held : sizeof now;
	if (f->fd < 0 || !n)
		return false;
	ssize_t got = pread(f->fd, now, n, (off_t)(f->offset + f->held - f->at - n));
	return got >= 0 && ((size_t)got != n || memcmp(now, f->window + f->held - n, n));
}

/* What we had not read may stand in a copy. */
static void was_cut(struct follow *f)
{
	struct candidate c;
	struct follow_place here;
	struct stat st;
	follow_where(f, &here);
	if (here.digested && search(f, &c, better_match, &here)) {
		take_file(f, c.fd, &c.st, here.offset);
		return;
	}
	f->lost++;
	f->generation++;
	if (fstat(f->fd, &st) == 0)
		take_file(f, f->fd, &st, 0);
}

/* A log with an earlier time is its successor, too: clocks are set back, files are restored. */
static void move_on(struct follow *f, const struct stat *ended)
{
	struct candidate next;
	if (!search(f, &next, better_next, ended) && !open_named(f, &next))
		return;
	if (!next.st.st_size || ((uint64_t)next.st.st_ino == f->inode && next.st.st_dev == f->device)) {
		close(next.fd);
		return;
	}
	f->generation++;
	take_file(f, next.fd, &next.st, 0);
}

/* At the end of what there is: has the file been replaced?  True: look again for lines. */
static bool rotated(struct follow *f, uint64_t now_us, struct follow_line *out, bool *line)
{
	struct stat ours, named;
	if (now_us < f->looked_us + LOOK_US && f->looked_us)
		return false;
	f->looked_us = now_us;
	if (f->fd < 0)
		return f->waiting ? resume(f, f->place) : open_first(f);
	f->trouble = stat(f->path, &named) ? trouble_of(errno) : NULL;
	if (f->trouble || fstat(f->fd, &ours) || (named.st_ino == ours.st_ino && named.st_dev == ours.st_dev) ||
	    now_us < f->grown_us + FOLLOW_GRACE_US)
		return false;
	if (take_line(f, true, out)) {
		*line = true;
		return true;
	}
	uint64_t generation = f->generation;
	move_on(f, &ours);
	return f->generation != generation;
}

bool follow_next(struct follow *f, uint64_t now_us, struct follow_line *out)
{
	bool line = false;
	if (!f->grown_us) /* whoever writes to a file that was renamed has not ended because we begin */
		f->grown_us = now_us;
	for (;;) {
		if (take_line(f, false, out))
			return true;
		if (is_cut(f)) {
			was_cut(f);
			continue;
		}
		if (read_more(f, now_us))
			continue;
		if (!rotated(f, now_us, out, &line))
			return false;
		if (line)
			return true;
	}
}

void follow_header(struct follow *f, uint64_t offset) { f->header = offset; }
const char *follow_trouble(const struct follow *f) { return f->trouble; }
uint64_t follow_lost(const struct follow *f) { return f->lost; }

void follow_replay(struct follow *f, void (*line)(void *arg, struct bytes), void *arg)
{
	uint8_t *room = f->fd < 0 || f->header == NO_HEADER ? NULL : malloc(HEADER_MAX);
	ssize_t n = room ? pread(f->fd, room, HEADER_MAX, (off_t)f->header) : 0;
	struct reader r = reader_of(room, n > 0 ? (size_t)n : 0);
	for (struct bytes b; n > 0 && read_line(&r, &b) && b.len && b.at[0] == '#';)
		line(arg, b);
	free(room);
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
