#include "share/access/audit_inner.h"
#include "base/clock.h"
#include "event/event.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD_MAX 128 /* names may come from outside, of any length */

struct audit {
	int fd;
	off_t size;  /* bytes of whole lines */
	bool broken; /* half a line could not be taken back: nothing can follow it */
	struct audit_head last;
};

static void write_word(struct writer *w, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	write_fmt(w, ",\"%s\":", name);
	write_json_string(w, (struct bytes){(const uint8_t *)value, strnlen(value, WORD_MAX)});
}

static void write_number(struct writer *w, const char *name, uint64_t value)
{
	if (value)
		write_fmt(w, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void write_moment(struct writer *w, const char *name, uint64_t time_us)
{
	char text[TIME_TEXT_MAX];
	if (time_us)
		write_fmt(w, ",\"%s\":\"%s\"", name, time_format(time_us, text));
}

static void write_hex(struct writer *w, const char *name, const uint8_t *digest)
{
	write_fmt(w, ",\"%s\":\"", name);
	for (size_t i = 0; i < AUDIT_DIGEST; i++)
		write_fmt(w, "%02x", digest[i]);
	write_text(w, "\"");
}

static void write_filter(struct writer *w, struct bytes filter)
{
	const struct bytes shown = {filter.at, filter.len < AUDIT_FILTER_MAX ? filter.len : AUDIT_FILTER_MAX};
	if (!filter.len)
		return;
	write_text(w, ",\"filter\":");
	write_json_string(w, shown);
	if (shown.len < filter.len)
		write_number(w, "filter_bytes", filter.len);
}

static void write_entry(struct writer *w, const struct audit *a, const struct audit_entry *e)
{
	char text[ADDRESS_TEXT_MAX];
	write_fmt(w, "{\"n\":%llu", (unsigned long long)a->last.number + 1);
	write_hex(w, "before", a->last.digest);
	write_moment(w, "time", clock_utc_us());
	write_word(w, "action", e->action);
	write_word(w, "organisation", e->organisation);
	write_word(w, "user", e->user);
	write_word(w, "token", e->token);
	write_word(w, "from", e->from && !address_is_zero(e->from) ? address_format(e->from, text) : NULL);
	write_word(w, "collection", e->collection);
	write_word(w, "reason", e->reason);
	write_word(w, "format", e->format);
	write_word(w, "marking", e->marking);
	write_word(w, "policy", e->policy);
	write_word(w, "policy_version", e->policy_version);
	write_moment(w, "events_from", e->from_us);
	write_moment(w, "events_to", e->to_us);
	write_number(w, "period", e->period);
	write_moment(w, "made", e->made_us);
	write_number(w, "objects", e->objects);
	write_filter(w, e->filter);
	if (e->digest)
		write_hex(w, "sha256", e->digest);
	write_text(w, "}\n");
}

/* A line that is not whole on the disk never was: what it told of was not done. */
static int take_back(struct audit *a)
{
	return ftruncate(a->fd, a->size) ? ERR_SYSTEM : 0;
}

int audit_add(struct audit *a, const struct audit_entry *e)
{
	char room[AUDIT_LINE_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_entry(&w, a, e);
	const struct bytes line = writer_bytes(&w);
	if (w.bad || a->broken)
		return ERR_SYSTEM;
	if (write(a->fd, line.at, line.len) != (ssize_t)line.len || fdatasync(a->fd)) {
		a->broken = take_back(a) != 0;
		return ERR_SYSTEM;
	}
	a->size += (off_t)line.len;
	a->last.number++;
	audit_digest((struct bytes){line.at, line.len - 1}, a->last.digest);
	return 0;
}

struct audit_head audit_last(const struct audit *a) { return a->last; }

/* The line that ends before `end` (the place behind its LF), in `room`; false: there is none, or it is too long. */
static bool line_before(const struct audit *a, off_t end, char room[AUDIT_LINE_MAX], struct bytes *line)
{
	const size_t len = end < AUDIT_LINE_MAX ? (size_t)end : AUDIT_LINE_MAX;
	if (!len || pread(a->fd, room, len, end - (off_t)len) != (ssize_t)len || room[len - 1] != '\n')
		return false;
	const char *before = memrchr(room, '\n', len - 1);
	if (!before && (off_t)len < end)
		return false;
	const char *at = before ? before + 1 : room;
	*line = (struct bytes){(const uint8_t *)at, (size_t)(room + len - 1 - at)};
	return true;
}

int audit_each_back(struct audit *a, uint64_t before, bool (*each)(void *arg, struct bytes), void *arg)
{
	char room[AUDIT_LINE_MAX];
	struct bytes line;
	struct audit_head head;
	for (off_t end = a->size; end > 0; end -= (off_t)line.len + 1) {
		if (!line_before(a, end, room, &line) || !audit_line_read(line, &head))
			return ERR_BAD;
		if ((!before || head.number < before) && !each(arg, line))
			return 0;
	}
	return 0;
}

/* A torn line at the end, of a machine that lost its power, is taken away. */
static int load(struct audit *a, struct fault *fault)
{
	char room[AUDIT_LINE_MAX];
	struct bytes line;
	struct audit_head head;
	struct stat s;
	if (fstat(a->fd, &s))
		return fault_set(fault, ERR_SYSTEM, AUDIT_FILE ": %s", strerror(errno));
	const size_t len = s.st_size < AUDIT_LINE_MAX ? (size_t)s.st_size : AUDIT_LINE_MAX;
	if (pread(a->fd, room, len, s.st_size - (off_t)len) != (ssize_t)len)
		return fault_set(fault, ERR_SYSTEM, AUDIT_FILE ": it cannot be read");
	const char *end = memrchr(room, '\n', len);
	if (!end && s.st_size >= AUDIT_LINE_MAX)
		return fault_set(fault, ERR_BAD, AUDIT_FILE ": it is no audit");
	a->size = s.st_size - (off_t)len + (end ? end + 1 - room : 0);
	if (a->size < s.st_size && take_back(a))
		return fault_set(fault, ERR_SYSTEM, AUDIT_FILE ": %s", strerror(errno));
	if (!a->size)
		return 0;
	if (!line_before(a, a->size, room, &line) || !audit_line_read(line, &head))
		return fault_set(fault, ERR_BAD, AUDIT_FILE ": its last line is none of ours; `kansoku audit exchange` tells more");
	a->last.number = head.number;
	audit_digest(line, a->last.digest);
	return 0;
}

int audit_open(struct audit **out, int directory, struct fault *fault)
{
	struct audit *a = calloc(1, sizeof *a);
	if (!a)
		return fault_set(fault, ERR_MEMORY, "no memory for the audit");
	a->fd = openat(directory, AUDIT_FILE, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int bad = a->fd < 0 ? fault_set(fault, ERR_SYSTEM, AUDIT_FILE ": %s", strerror(errno)) : load(a, fault);
	if (bad)
		audit_close(a);
	else
		*out = a;
	return bad;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}
