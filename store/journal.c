#include "store/journal_inner.h"
#include "base/random.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECENT_BYTES ((uint64_t)64 << 20) /* how much of the tail fills the window of ids */

char *segment_name(uint64_t number, char text[SEGMENT_NAME_MAX])
{
	snprintf(text, SEGMENT_NAME_MAX, "%016llx.journal", (unsigned long long)number);
	return text;
}

int write_fully(int fd, struct bytes b, uint64_t at)
{
	while (b.len) {
		ssize_t n = pwrite(fd, b.at, b.len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_SYSTEM;
		b.at += n;
		b.len -= (size_t)n;
		at += (uint64_t)n;
	}
	return 0;
}

int segment_map(const struct journal *j, uint64_t number, struct bytes *out, struct fault *fault)
{
	char name[SEGMENT_NAME_MAX];
	struct stat st;
	int fd = openat(j->directory, segment_name(number, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > (off_t)SEGMENT_BYTES_MAX) {
		int bad = fault_set(fault, ERR_SYSTEM, "journal/%s: %s", name,
				    fd < 0 ? strerror(errno) : "larger than a segment can be");
		if (fd >= 0)
			close(fd);
		return bad;
	}
	void *at = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : NULL;
	close(fd);
	if (at == MAP_FAILED)
		return fault_set(fault, ERR_SYSTEM, "journal/%s: %s", name, strerror(errno));
	*out = (struct bytes){at, (size_t)st.st_size};
	return 0;
}

void segment_unmap(struct bytes b)
{
	if (b.at)
		munmap((void *)(uintptr_t)b.at, b.len);
}

static int segment_order(const void *a, const void *b)
{
	const struct segment_file *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int segment_remember(struct journal *j, uint64_t number, uint64_t size, uint64_t first_us)
{
	if (j->segments_count == JOURNAL_SEGMENTS_MAX)
		return ERR_FULL;
	j->segments[j->segments_count++] = (struct segment_file){number, size, first_us};
	return 0;
}

/* Finds the segments; a copy that an erasure had not finished is removed. */
static int segments_list(struct journal *j, struct fault *fault)
{
	int fd = openat(j->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return fault_set(fault, ERR_SYSTEM, "journal: %s", strerror(errno));
	int bad = 0;
	for (struct dirent *e; !bad && (e = readdir(d));) {
		unsigned long long number;
		int end = 0;
		struct stat st;
		if (sscanf(e->d_name, "%16llx.journal%n", &number, &end) != 1 || end != 24)
			continue;
		if (e->d_name[end] || fstatat(j->directory, e->d_name, &st, 0) < 0)
			unlinkat(j->directory, e->d_name, 0);
		else
			bad = segment_remember(j, number, (uint64_t)st.st_size,
					       (uint64_t)st.st_mtime * 1000000);
	}
	closedir(d);
	qsort(j->segments, j->segments_count, sizeof *j->segments, segment_order);
	return bad ? fault_set(fault, bad, "journal: more than %d segments wait; does the store run?",
			       JOURNAL_SEGMENTS_MAX) : 0;
}

static void group_learn(struct journal *j, const struct group *g, bool ids, const struct dictionary *d)
{
	struct reader r = reader_of_bytes(g->payload);
	struct bytes frame;
	for (bool erased; group_frame(&r, &frame, &erased);) {
		struct event_id id;
		frame_id(frame, &id);
		if (ids)
			recent_add(&j->recent, &id);
		if (j->limits.seen && !erased)
			j->limits.seen(j->limits.seen_arg, frame, d);
	}
}

/* Reads a segment through: its ids, its frames that wait, its damage; cuts the last one's torn tail. */
static int segment_check(struct journal *j, struct segment_file *s, bool last, bool ids,
			 struct journal_report *report, struct fault *fault)
{
	struct bytes file;
	int bad = segment_map(j, s->number, &file, fault);
	if (bad)
		return bad;
	struct segment_head head;
	if (segment_head_read(file, &head) < 0 || head.number != s->number) {
		/* A crash while the head was written left no group behind it. */
		report->segments_unreadable += !last;
		report->torn_bytes += last ? file.len : 0;
		segment_unmap(file);
		s->size = 0;
		return 0;
	}
	struct dictionary names;
	if (dictionary_read(head.dictionary, &names))
		names = (struct dictionary){.same = true};
	struct segment_walk w = segment_walk(
		&head, (struct bytes){file.at + head.length, file.len - head.length}, head.length);
	for (struct group g; segment_next(&w, &g);) {
		group_learn(j, &g, ids, &names);
		if (s->number > j->done.segment ||
		    (s->number == j->done.segment && g.at >= j->done.offset))
			report->frames_waiting += g.frames;
	}
	report->damaged_bytes += w.damaged;
	if (w.at < file.len) {
		*(last ? &report->torn_bytes : &report->damaged_bytes) += file.len - w.at;
		s->size = w.at;
	}
	segment_unmap(file);
	return 0;
}

/* Every start begins a segment of its own, so the last one is only cut, never appended to. */
static int segments_check(struct journal *j, struct journal_report *report, struct fault *fault)
{
	uint64_t behind = 0;
	for (size_t i = j->segments_count; i-- > 0;)
		behind += i ? j->segments[i].size : 0;
	for (size_t i = 0; i < j->segments_count; i++) {
		struct segment_file *s = &j->segments[i];
		uint64_t size = s->size;
		bool last = i + 1 == j->segments_count;
		int bad = segment_check(j, s, last, behind <= RECENT_BYTES, report, fault);
		if (bad)
			return bad;
		char name[SEGMENT_NAME_MAX];
		segment_name(s->number, name);
		int fd = last && s->size < size ? openat(j->directory, name, O_WRONLY | O_CLOEXEC) : -1;
		if (fd >= 0 && (ftruncate(fd, (off_t)s->size) < 0 || fsync(fd) < 0))
			bad = fault_set(fault, ERR_SYSTEM, "journal/%s: %s", name, strerror(errno));
		if (fd >= 0)
			close(fd);
		if (bad)
			return bad;
		behind -= behind < j->segments[i].size ? behind : j->segments[i].size;
	}
	report->segments = (uint32_t)j->segments_count;
	return 0;
}

static int journal_lock(struct journal *j, struct fault *fault)
{
	j->lock = openat(j->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->lock < 0)
		return fault_set(fault, ERR_SYSTEM, "journal/lock: %s", strerror(errno));
	if (flock(j->lock, LOCK_EX | LOCK_NB) < 0)
		return fault_set(fault, ERR_DENIED, "journal/lock: another process uses this journal; "
						    "stop it first, or ask it");
	return 0;
}

int journal_open(struct journal **out, int directory, const struct journal_limits *limits,
		 uint64_t now_us, struct journal_report *report, struct fault *fault)
{
	struct journal *j = calloc(1, sizeof *j);
	if (!j)
		return fault_set(fault, ERR_MEMORY, "journal: out of memory");
	*report = (struct journal_report){0};
	*j = (struct journal){.directory = directory, .lock = -1, .cuts_fd = -1, .fd = -1,
			      .limits = *limits, .pending = BUFFER(JOURNAL_PENDING_MAX)};
	j->segments = calloc(JOURNAL_SEGMENTS_MAX, sizeof *j->segments);
	int bad = j->segments ? recent_open(&j->recent, random_secret()) : ERR_MEMORY;
	if (bad)
		fault_set(fault, bad, "journal: out of memory");
	bad = bad ? bad : journal_lock(j, fault);
	bad = bad ? bad : cuts_open(j, fault);
	bad = bad ? bad : segments_list(j, fault);
	bad = bad ? bad : segments_check(j, report, fault);
	(void)now_us;
	if (bad) {
		journal_close(j);
		return bad;
	}
	*out = j;
	return 0;
}

void journal_close(struct journal *j)
{
	const int fds[] = {j->fd, j->cuts_fd, j->lock};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	recent_close(&j->recent);
	buffer_done(&j->pending);
	free(j->segments);
	free(j);
}

int journal_add(struct journal *j, struct bytes frame)
{
	if (frame.len < FRAME_HEADER || frame.len > FRAME_MAX)
		return ERR_BAD;
	struct event_id id;
	frame_id(frame, &id);
	if (recent_holds(&j->recent, &id))
		return 1;
	int bad = buffer_append(&j->pending, frame.at, frame.len);
	if (bad)
		return bad;
	recent_add(&j->recent, &id);
	if (j->limits.seen)
		j->limits.seen(j->limits.seen_arg, frame, NULL);
	j->pending_frames++;
	return 0;
}

size_t journal_pending(const struct journal *j) { return buffer_len(&j->pending); }

/* Seals the open segment and begins the next, with the names that are known by now. */
int journal_rotate(struct journal *j, uint64_t now_us, struct fault *fault)
{
	uint64_t last = j->segments_count ? j->segments[j->segments_count - 1].number : 0;
	last = last < j->done.segment ? j->done.segment : last;
	char name[SEGMENT_NAME_MAX];
	uint8_t dictionary[DICTIONARY_MAX];
	struct writer names = writer_of(dictionary, sizeof dictionary);
	dictionary_write(&names);
	struct writer w = writer_of(j->head_bytes, sizeof j->head_bytes);
	segment_head_write(&w, last + 1, random_secret(), writer_bytes(&names));
	if (names.bad || w.bad)
		return fault_set(fault, ERR_BAD, "journal: the names of all fields exceed %d bytes",
				 DICTIONARY_MAX);
	if (j->segments_count == JOURNAL_SEGMENTS_MAX)
		return fault_set(fault, ERR_FULL, "journal: %d segments wait; does the store run?",
				 JOURNAL_SEGMENTS_MAX);
	int fd = openat(j->directory, segment_name(last + 1, name),
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_fully(fd, writer_bytes(&w), 0) || fdatasync(fd) || fsync(j->directory)) {
		int why = errno;
		if (fd >= 0)
			close(fd);
		unlinkat(j->directory, name, 0);
		return fault_set(fault, ERR_SYSTEM, "journal/%s: %s", name, strerror(why));
	}
	if (j->fd >= 0)
		close(j->fd);
	j->fd = fd;
	segment_head_read(writer_bytes(&w), &j->head);
	j->fields_written = field_count();
	return segment_remember(j, last + 1, j->head.length, now_us);
}

static bool segment_is_over(const struct journal *j, uint64_t now_us)
{
	const struct segment_file *s = j->fd < 0 ? NULL : &j->segments[j->segments_count - 1];
	return !s || s->size >= j->limits.segment_bytes || j->fields_written != field_count() ||
	       (s->size > j->head.length && now_us > s->first_us + j->limits.segment_age_us);
}

/* Takes whole frames, up to a group's size, off the front of the reader into the group. */
static uint32_t group_fill(struct reader *r, uint8_t *group, size_t *length)
{
	uint32_t frames = 0;
	size_t used = 0;
	for (struct bytes frame;; frames++) {
		struct reader ahead = *r;
		if (frame_take(&ahead, &frame) || used + frame.len > GROUP_PAYLOAD_MAX)
			break;
		memcpy(group + GROUP_HEADER + used, frame.at, frame.len);
		used += frame.len;
		*r = ahead;
	}
	*length = used;
	return frames;
}

int journal_commit(struct journal *j, uint64_t now_us, struct fault *fault)
{
	if (!journal_pending(j))
		return 0;
	int bad = segment_is_over(j, now_us) ? journal_rotate(j, now_us, fault) : 0;
	uint8_t *group = bad ? NULL : malloc(GROUP_HEADER + GROUP_PAYLOAD_MAX);
	if (!group)
		return bad ? bad : fault_set(fault, ERR_MEMORY, "journal: out of memory");
	struct segment_file *s = &j->segments[j->segments_count - 1];
	struct reader r = reader_of_bytes(buffer_bytes(&j->pending));
	uint64_t at = s->size;
	while (!bad && reader_left(&r)) {
		size_t length;
		uint32_t frames = group_fill(&r, group, &length);
		group_seal(&j->head, at, group, length, frames);
		bad = write_fully(j->fd, (struct bytes){group, GROUP_HEADER + length}, at);
		at += GROUP_HEADER + length;
	}
	free(group);
	if (bad || fdatasync(j->fd) < 0) {
		/* Nothing of it was acknowledged: cut it off and keep it for the next try. */
		int why = errno;
		if (ftruncate(j->fd, (off_t)s->size) < 0)
			return fault_set(fault, ERR_BAD, "journal: cannot write and cannot cut off what "
							 "was half written (%s)", strerror(errno));
		return fault_set(fault, ERR_SYSTEM,
				 "journal: cannot write (%s); nothing more is acknowledged until it can",
				 strerror(why));
	}
	s->size = at;
	buffer_consume(&j->pending, buffer_len(&j->pending));
	j->pending_frames = 0;
	return 0;
}
