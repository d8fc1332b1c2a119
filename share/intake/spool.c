#include "share/intake/spool_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SPOOL_PREFIX "spool."
#define HEADER_BYTES 12
#define PIECE_BYTES (4u << 20)
#define NAME_BYTES 32

struct spool_file {
	unsigned number;
	int fd; /* -1: not open */
	struct dictionary dictionary;
	uint64_t begin, at, end; /* of its frames; of what was published; of the file */
};

struct spool {
	int directory;
	struct bus *bus;
	uint64_t size_max;
	struct spool_file from, to; /* the same file when the numbers are equal */
	bool marked;
	uint64_t mark_sequence, mark_at;
	unsigned mark_number;
	uint8_t *piece;
	struct event event;
};

static void file_name(unsigned number, char name[NAME_BYTES]) { snprintf(name, NAME_BYTES, SPOOL_PREFIX "%u", number); }

static void file_close(struct spool_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static int file_create(struct spool *s, struct spool_file *f, unsigned number)
{
	uint8_t room[HEADER_BYTES + DICTIONARY_MAX];
	char name[NAME_BYTES];
	struct writer names = writer_of(room + HEADER_BYTES, DICTIONARY_MAX), head = writer_of(room, HEADER_BYTES);
	file_name(number, name);
	dictionary_write(&names);
	size_t n = HEADER_BYTES + writer_used(&names);
	write_u64(&head, n);
	write_u32(&head, (uint32_t)writer_used(&names));
	*f = (struct spool_file){.number = number, .begin = n, .at = n, .end = n, .fd = -1};
	if (names.bad || dictionary_read(writer_bytes(&names), &f->dictionary))
		return ERR_BAD;
	f->fd = openat(s->directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return f->fd >= 0 && pwrite(f->fd, room, n, 0) == (ssize_t)n ? 0 : ERR_SYSTEM;
}

/* ERR_BAD: it is damaged; it is left as it is. */
static int file_read(struct spool *s, struct spool_file *f, unsigned number)
{
	uint8_t room[HEADER_BYTES + DICTIONARY_MAX];
	char name[NAME_BYTES];
	file_name(number, name);
	*f = (struct spool_file){.number = number, .fd = openat(s->directory, name, O_RDWR | O_CLOEXEC)};
	ssize_t n = f->fd < 0 ? -1 : pread(f->fd, room, sizeof room, 0);
	off_t end = n < 0 ? -1 : lseek(f->fd, 0, SEEK_END);
	struct reader r = reader_of(room, n < 0 ? 0 : (size_t)n);
	f->at = read_u64(&r);
	struct bytes names = read_bytes(&r, read_u32(&r));
	f->begin = HEADER_BYTES + names.len;
	f->end = end < 0 ? 0 : (uint64_t)end;
	if (!reader_ok(&r) || f->at < f->begin || f->at > f->end || dictionary_read(names, &f->dictionary)) {
		file_close(f);
		return ERR_BAD;
	}
	return 0;
}

static void file_remove(struct spool *s, struct spool_file *f)
{
	char name[NAME_BYTES];
	file_name(f->number, name);
	file_close(f);
	unlinkat(s->directory, name, 0);
}

/* The lowest number above `above` that there is; 0: none. */
static unsigned next_number(int directory, unsigned above)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	unsigned found = 0;
	for (struct dirent *it; d && (it = readdir(d));) {
		unsigned number;
		if (sscanf(it->d_name, SPOOL_PREFIX "%u", &number) == 1 && number > above && (!found || number < found))
			found = number;
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return found;
}

static bool is_same(const struct spool *s) { return s->from.number == s->to.number; }

/* Those that cannot be read are said, and stay for a person to look at. */
static void open_next(struct spool *s, unsigned above)
{
	file_close(&s->from);
	for (unsigned n = next_number(s->directory, above); n; n = next_number(s->directory, n)) {
		if (!file_read(s, &s->from, n))
			return;
		log_error("exchange: " SPOOL_PREFIX "%u is damaged and is left aside", n);
	}
}

static unsigned last_number(int directory)
{
	unsigned last = 0;
	for (unsigned n; (n = next_number(directory, last));)
		last = n;
	return last;
}

int spool_open(struct spool **out, int directory, struct bus *bus, uint64_t size_max, struct fault *fault)
{
	struct spool *s = calloc(1, sizeof *s);
	if (!s || !(s->piece = malloc(PIECE_BYTES))) {
		free(s);
		return fault_set(fault, ERR_MEMORY, "no memory for what waits");
	}
	s->directory = directory;
	s->bus = bus;
	s->size_max = size_max;
	s->from.fd = s->to.fd = -1;
	int bad = file_create(s, &s->to, last_number(directory) + 1);
	if (bad) {
		spool_close(s);
		return fault_set(fault, bad, "a file for what waits cannot be made: %s", strerror(errno));
	}
	open_next(s, 0);
	*out = s;
	return 0;
}

uint64_t spool_waiting(const struct spool *s)
{
	uint64_t old = s->from.fd >= 0 && !is_same(s) ? s->from.end - s->from.at : 0;
	return old + s->to.end - (is_same(s) ? s->from.at : s->to.at);
}

static int append(struct spool *s, struct event *e)
{
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (id_is_zero(&e->id)) {
		e->time_us = e->time_us ? e->time_us : clock_utc_us();
		e->id = bus_id(s->bus, e->time_us);
	}
	frame_encode(e, &w);
	size_t n = writer_used(&w);
	if (w.bad || s->to.end + n > s->size_max)
		return w.bad ? ERR_BAD : ERR_FULL;
	if (pwrite(s->to.fd, room, n, (off_t)s->to.end) != (ssize_t)n)
		return ERR_SYSTEM;
	s->to.end += n;
	if (is_same(s))
		s->from.end = s->to.end;
	return 0;
}

int spool_publish(struct spool *s, struct event *e)
{
	if (!spool_waiting(s) && !bus_congested(s->bus) && bus_publish(s->bus, e) == 0)
		return 0;
	int bad = append(s, e);
	if (!bad && !bus_congested(s->bus))
		spool_go_on(s);
	return bad;
}

/* Frames of one piece; false: the bus is full, or there is nothing whole. */
static bool publish_piece(struct spool *s)
{
	struct spool_file *f = &s->from;
	size_t want = f->end - f->at < PIECE_BYTES ? (size_t)(f->end - f->at) : PIECE_BYTES;
	ssize_t n = want ? pread(f->fd, s->piece, want, (off_t)f->at) : 0;
	struct reader r = reader_of(s->piece, n < 0 ? 0 : (size_t)n);
	struct bytes frame;
	bool any = false;
	int bad;
	while (!bus_congested(s->bus) && (bad = frame_take(&r, &frame)) == 0) {
		if (frame_decode(frame, &f->dictionary, &s->event) == 0 && bus_publish(s->bus, &s->event) == ERR_FULL)
			break;
		f->at += frame.len;
		any = true;
	}
	/* A crash cut the last frame, and nothing follows it in a file that is not written any more. */
	if (!any && n > 0 && !bus_congested(s->bus) && !is_same(s))
		f->at = f->end;
	return any;
}

static void mark(struct spool *s)
{
	if (s->marked || s->from.fd < 0)
		return;
	s->marked = true;
	s->mark_sequence = bus_published(s->bus, "journal");
	s->mark_number = s->from.number;
	s->mark_at = s->from.at;
}

void spool_go_on(struct spool *s)
{
	if (s->from.fd < 0 && s->to.end > s->to.at)
		open_next(s, s->to.number - 1);
	while (s->from.fd >= 0 && s->from.at < s->from.end && publish_piece(s))
		;
	mark(s);
	if (bus_unacknowledged(s->bus) == 0)
		spool_acknowledged(s, UINT64_MAX);
}

/* The journal has all of that file: it goes, or begins anew where it is still written. */
static void file_done(struct spool *s)
{
	unsigned number = s->from.number;
	if (!is_same(s)) {
		file_remove(s, &s->from);
		open_next(s, number);
		spool_go_on(s);
		return;
	}
	file_close(&s->from);
	s->from.number = 0;
	uint8_t head[8];
	struct writer w = writer_of(head, sizeof head);
	write_u64(&w, s->to.begin);
	s->to.at = s->to.end = s->to.begin;
	if (ftruncate(s->to.fd, (off_t)s->to.begin) || pwrite(s->to.fd, head, sizeof head, 0) != sizeof head)
		log_error("exchange: " SPOOL_PREFIX "%u cannot be emptied: %s", number, strerror(errno));
}

/* Everything up to the mark is safe; false: nothing is marked behind it. */
static bool keep_mark(struct spool *s)
{
	uint8_t head[8];
	struct writer w = writer_of(head, sizeof head);
	s->marked = false;
	if (s->from.fd < 0 || s->mark_number != s->from.number)
		return false;
	write_u64(&w, s->mark_at);
	if (pwrite(s->from.fd, head, sizeof head, 0) != sizeof head)
		log_error("exchange: " SPOOL_PREFIX "%u cannot be written: %s", s->mark_number, strerror(errno));
	if (s->mark_at == s->from.end) {
		file_done(s);
		return false;
	}
	if (s->mark_at < s->from.at)
		mark(s);
	return s->marked;
}

/* One acknowledgement may cover what was published after the mark, too. */
void spool_acknowledged(struct spool *s, uint64_t sequence)
{
	while (s->marked && sequence >= s->mark_sequence && keep_mark(s))
		;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	bool empty = s->to.fd >= 0 && s->to.end == s->to.begin;
	file_close(&s->from);
	if (empty)
		file_remove(s, &s->to);
	file_close(&s->to);
	free(s->piece);
	free(s);
}
