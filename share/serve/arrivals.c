#include "share/serve/arrivals_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES 64
#define PENDING_MAX (64u << 20)
static const char magic[8] = "KSarriv1";

struct arrivals {
	int fd;
	uint64_t since_us, mark, count; /* kept */
	uint64_t last_us;               /* date of the last, kept or not */
	struct buffer pending;
};

static int write_header(const struct arrivals *a, uint64_t count, uint64_t mark)
{
	uint8_t room[HEADER_BYTES] = {0};
	struct writer w = writer_of(room, sizeof room);
	write_bytes(&w, magic, sizeof magic);
	write_u64(&w, a->since_us);
	write_u64(&w, count);
	write_u64(&w, mark);
	return pwrite(a->fd, room, sizeof room, 0) == (ssize_t)sizeof room && !fdatasync(a->fd) ? 0 : ERR_SYSTEM;
}

static struct arrival entry_of(const uint8_t *at)
{
	struct arrival out;
	struct reader r = reader_of(at, ARRIVAL_BYTES);
	out.date_us = read_u64(&r);
	out.time_us = read_u64(&r);
	memcpy(out.id.b, r.at, sizeof out.id.b);
	return out;
}

size_t arrivals_read(const struct arrivals *a, uint64_t from, struct arrival *out, size_t max)
{
	uint8_t room[128 * ARRIVAL_BYTES];
	size_t count = 0;
	while (count < max && from + count < a->count) {
		size_t want = max - count < 128 ? max - count : 128;
		if (want > a->count - from - count)
			want = (size_t)(a->count - from - count);
		ssize_t n = pread(a->fd, room, want * ARRIVAL_BYTES, (off_t)(HEADER_BYTES + (from + count) * ARRIVAL_BYTES));
		if (n != (ssize_t)(want * ARRIVAL_BYTES))
			break;
		for (size_t i = 0; i < want; i++)
			out[count++] = entry_of(room + i * ARRIVAL_BYTES);
	}
	return count;
}

static int read_header(struct arrivals *a, struct fault *fault, const char *name)
{
	uint8_t room[HEADER_BYTES];
	ssize_t n = pread(a->fd, room, sizeof room, 0);
	struct reader r = reader_of(room, n < 0 ? 0 : (size_t)n);
	struct bytes word = read_bytes(&r, sizeof magic);
	uint64_t since_us = read_u64(&r), count = read_u64(&r), mark = read_u64(&r);
	struct arrival last;
	if (!reader_ok(&r) || memcmp(word.at, magic, sizeof magic))
		return fault_set(fault, ERR_BAD, "the list of arrivals %s is none of ours; without it, it is made anew", name);
	off_t end = (off_t)(HEADER_BYTES + count * ARRIVAL_BYTES);
	/* What was written behind the count was not kept. */
	if (lseek(a->fd, 0, SEEK_END) < end || ftruncate(a->fd, end))
		return fault_set(fault, ERR_BAD, "the list of arrivals %s is cut; without it, it is made anew", name);
	a->since_us = a->last_us = since_us;
	a->count = count;
	a->mark = mark;
	if (count && arrivals_read(a, count - 1, &last, 1))
		a->last_us = last.date_us;
	return 0;
}

int arrivals_open(struct arrivals **out, int directory, const char *name, uint64_t now_us, struct fault *fault)
{
	struct arrivals *a = calloc(1, sizeof *a);
	if (!a)
		return fault_set(fault, ERR_MEMORY, "no memory for a list of arrivals");
	a->pending = BUFFER(PENDING_MAX);
	a->fd = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	off_t size = a->fd < 0 ? -1 : lseek(a->fd, 0, SEEK_END);
	a->since_us = a->last_us = now_us;
	int bad = size < 0 || (!size && write_header(a, 0, 0))
			  ? fault_set(fault, ERR_SYSTEM, "the list of arrivals %s cannot be made: %s", name, strerror(errno))
			  : read_header(a, fault, name);
	if (bad)
		arrivals_close(a);
	else
		*out = a;
	return bad;
}

void arrivals_close(struct arrivals *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	buffer_done(&a->pending);
	free(a);
}

uint64_t arrivals_since(const struct arrivals *a) { return a->since_us; }
uint64_t arrivals_count(const struct arrivals *a) { return a->count; }
uint64_t arrivals_mark(const struct arrivals *a) { return a->mark; }

int arrivals_add(struct arrivals *a, const struct event_id *id, uint64_t time_us, uint64_t now_us)
{
	uint8_t room[ARRIVAL_BYTES];
	struct writer w = writer_of(room, sizeof room);
	uint64_t date_us = now_us > a->last_us + ARRIVAL_STEP_US ? now_us : a->last_us + ARRIVAL_STEP_US;
	write_u64(&w, date_us);
	write_u64(&w, time_us);
	write_bytes(&w, id->b, sizeof id->b);
	if (buffer_append(&a->pending, room, sizeof room))
		return ERR_FULL;
	a->last_us = date_us;
	return 0;
}

static int append(struct arrivals *a, struct bytes b, off_t at)
{
	while (b.len) {
		ssize_t n = pwrite(a->fd, b.at, b.len, at);
		if (n <= 0)
			return ERR_SYSTEM;
		b = (struct bytes){b.at + n, b.len - (size_t)n};
		at += n;
	}
	return 0;
}

int arrivals_keep(struct arrivals *a, uint64_t mark)
{
	struct bytes fresh = buffer_bytes(&a->pending);
	uint64_t count = a->count + fresh.len / ARRIVAL_BYTES;
	if (!fresh.len && mark == a->mark)
		return 0;
	int bad = append(a, fresh, (off_t)(HEADER_BYTES + a->count * ARRIVAL_BYTES));
	/* The entries first: a count that the disk has must not count what it has not. */
	if (!bad && fresh.len)
		bad = fdatasync(a->fd) ? ERR_SYSTEM : 0;
	if (!bad)
		bad = write_header(a, count, mark);
	if (bad) {
		arrivals_drop(a);
		return bad;
	}
	buffer_consume(&a->pending, fresh.len);
	a->count = count;
	a->mark = mark;
	return 0;
}

void arrivals_drop(struct arrivals *a)
{
	struct arrival last;
	buffer_consume(&a->pending, buffer_len(&a->pending));
	a->last_us = a->count && arrivals_read(a, a->count - 1, &last, 1) ? last.date_us : a->since_us;
}

uint64_t arrivals_after(const struct arrivals *a, uint64_t date_us)
{
	uint64_t low = 0, high = a->count;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct arrival entry;
		if (arrivals_read(a, middle, &entry, 1) && entry.date_us + ARRIVAL_STEP_US <= date_us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
