/*
 * Handing the journal's contents to the store, and forgetting them.
 *
 * The file `cuts` remembers which ranges were handed out and which were inserted: fixed
 * records, appended; a torn last one is ignored.  A cut is synced before its batch leaves,
 * because its name must mean the same rows for ever.  That a batch is done need not be: it
 * would only be inserted again under its old name, which the store knows.
 */
#include "store/journal_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define CUT_RECORD 40
#define CUT_MAGIC 0x63757431 /* cut1 */
#define DONE_MAGIC 0x646f6e31 /* don1 */
#define CUTS_BYTES_MAX (1u << 20)

char *batch_name(const struct batch *b, char text[BATCH_NAME_MAX])
{
	snprintf(text, BATCH_NAME_MAX, "%016llx-%llx-%llx", (unsigned long long)b->segment,
		 (unsigned long long)b->from, (unsigned long long)b->to);
	return text;
}

static void record_write(struct writer *w, const struct batch *b, bool done)
{
	uint8_t *start = w->at;
	write_u32(w, done ? DONE_MAGIC : CUT_MAGIC);
	write_u32(w, b->frames);
	write_u64(w, b->segment);
	write_u64(w, b->from);
	write_u64(w, b->to);
	write_u64(w, XXH3_64bits(start, CUT_RECORD - 8));
}

static bool record_read(struct reader *r, struct batch *b, bool *done)
{
	const uint8_t *start = r->at;
	uint32_t magic = read_u32(r);
	*b = (struct batch){.frames = read_u32(r)};
	b->segment = read_u64(r);
	b->from = read_u64(r);
	b->to = read_u64(r);
	uint64_t sum = read_u64(r);
	*done = magic == DONE_MAGIC;
	return reader_ok(r) && (*done || magic == CUT_MAGIC) && sum == XXH3_64bits(start, CUT_RECORD - 8);
}

static void record_apply(struct journal *j, const struct batch *b, bool done)
{
	if (!done && j->out_count < BATCHES_OUT_MAX) {
		j->out[j->out_count++] = *b;
		return;
	}
	if (!done)
		return;
	j->done = (struct position){b->segment, b->to};
	size_t over = 0;
	while (over < j->out_count && (j->out[over].segment < b->segment ||
				       (j->out[over].segment == b->segment && j->out[over].to <= b->to)))
		over++;
	memmove(j->out, j->out + over, (j->out_count - over) * sizeof *j->out);
	j->out_count -= over;
	j->out_handed -= j->out_handed < over ? j->out_handed : over;
}

/* A new file with only what still counts takes the old one's place. */
static int cuts_compact(struct journal *j, struct fault *fault)
{
	uint8_t text[CUT_RECORD * (BATCHES_OUT_MAX + 1)];
	struct writer w = writer_of(text, sizeof text);
	struct batch done = {.segment = j->done.segment, .from = j->done.offset, .to = j->done.offset};
	record_write(&w, &done, true);
	for (size_t i = 0; i < j->out_count; i++)
		record_write(&w, &j->out[i], false);
	int fd = openat(j->directory, "cuts.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write_fully(fd, writer_bytes(&w), 0) || fsync(fd) ||
	    renameat(j->directory, "cuts.new", j->directory, "cuts") || fsync(j->directory)) {
		int bad = fault_set(fault, ERR_SYSTEM, "journal/cuts.new: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return bad;
	}
	if (j->cuts_fd >= 0)
		close(j->cuts_fd);
	j->cuts_fd = fd;
	j->cuts_bytes = writer_used(&w);
	return 0;
}

int cuts_open(struct journal *j, struct fault *fault)
{
	int fd = openat(j->directory, "cuts", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno != ENOENT)
		return fault_set(fault, ERR_SYSTEM, "journal/cuts: %s", strerror(errno));
	uint8_t record[CUT_RECORD];
	for (uint64_t at = 0; fd >= 0 && pread(fd, record, sizeof record, (off_t)at) == CUT_RECORD;
	     at += CUT_RECORD) {
		struct reader r = reader_of(record, sizeof record);
		struct batch b;
		bool done;
		if (!record_read(&r, &b, &done))
			break;
		record_apply(j, &b, done);
	}
	if (fd >= 0)
		close(fd);
	return cuts_compact(j, fault);
}

int cuts_write(struct journal *j, const struct batch *b, bool done, bool sync, struct fault *fault)
{
	uint8_t record[CUT_RECORD];
	struct writer w = writer_of(record, sizeof record);
	record_write(&w, b, done);
	if (write_fully(j->cuts_fd, writer_bytes(&w), j->cuts_bytes) ||
	    (sync && fdatasync(j->cuts_fd) < 0))
		return fault_set(fault, ERR_SYSTEM, "journal/cuts: %s", strerror(errno));
	j->cuts_bytes += CUT_RECORD;
	return 0;
}

static const struct segment_file *segment_from(const struct journal *j, uint64_t number)
{
	for (size_t i = 0; i < j->segments_count; i++)
		if (j->segments[i].number >= number)
			return &j->segments[i];
	return NULL;
}

/* Where the next cut begins. */
static struct position next_position(const struct journal *j)
{
	if (!j->out_count)
		return j->done;
	const struct batch *b = &j->out[j->out_count - 1];
	return (struct position){b->segment, b->to};
}

uint64_t journal_waiting(const struct journal *j)
{
	struct position p = next_position(j);
	uint64_t sum = 0;
	for (size_t i = 0; i < j->segments_count; i++) {
		const struct segment_file *s = &j->segments[i];
		if (s->number > p.segment)
			sum += s->size;
		else if (s->number == p.segment && s->size > p.offset)
			sum += s->size - p.offset;
	}
	return sum;
}

/* Walks the segment's groups from `from` until the batch is large enough. */
static int cut_in(struct journal *j, const struct segment_file *s, uint64_t from, struct batch *out,
		  struct fault *fault)
{
	struct bytes file;
	int bad = segment_map(j, s->number, &file, fault);
	if (bad)
		return bad;
	struct segment_head head;
	*out = (struct batch){.segment = s->number};
	bad = ERR_MISSING;
	if (segment_head_read(file, &head) == 0) {
		from = from < head.length ? head.length : from;
		uint64_t end = s->size < file.len ? s->size : file.len;
		struct bytes rest = {file.at + from, from < end ? (size_t)(end - from) : 0};
		struct segment_walk w = segment_walk(&head, rest, from);
		out->from = from;
		for (struct group g; out->frames < j->limits.batch_frames && segment_next(&w, &g);) {
			if (bad == 0 && w.at - from > BATCH_BYTES_MAX)
				break;
			out->to = w.at;
			out->frames += g.frames;
			bad = 0;
		}
	}
	segment_unmap(file);
	return bad;
}

int journal_batch(struct journal *j, struct batch *out, struct fault *fault)
{
	if (j->out_handed < j->out_count) {
		*out = j->out[j->out_handed++];
		return 0;
	}
	if (j->out_count == BATCHES_OUT_MAX)
		return ERR_FULL;
	struct position p = next_position(j);
	struct batch b;
	int bad = ERR_MISSING;
	for (const struct segment_file *s; bad == ERR_MISSING && (s = segment_from(j, p.segment));) {
		bad = cut_in(j, s, s->number == p.segment ? p.offset : 0, &b, fault);
		p = (struct position){s->number + 1, 0};
	}
	if (!bad && j->cuts_bytes > CUTS_BYTES_MAX)
		bad = cuts_compact(j, fault);
	bad = bad ? bad : cuts_write(j, &b, false, true, fault);
	if (bad)
		return bad;
	record_apply(j, &b, false);
	j->out_handed++;
	*out = b;
	return 0;
}

int journal_batch_read(struct journal *j, const struct batch *b, struct buffer *head_out,
		       struct buffer *groups, struct fault *fault)
{
	struct bytes file;
	int bad = segment_map(j, b->segment, &file, fault);
	if (bad)
		return bad;
	struct segment_head head;
	if (segment_head_read(file, &head) < 0 || b->from < head.length || b->to > file.len ||
	    b->from > b->to)
		bad = fault_set(fault, ERR_BAD, "journal: segment %016llx does not hold its batch",
				(unsigned long long)b->segment);
	bad = bad ? bad : buffer_append(head_out, file.at, head.length);
	bad = bad ? bad : buffer_append(groups, file.at + b->from, (size_t)(b->to - b->from));
	segment_unmap(file);
	return bad;
}

int journal_batch_done(struct journal *j, const struct batch *b, struct fault *fault)
{
	if (!j->out_count || j->out[0].segment != b->segment || j->out[0].from != b->from ||
	    j->out[0].to != b->to)
		return fault_set(fault, ERR_BAD, "journal: that batch is not the next to be done");
	int bad = cuts_write(j, b, true, false, fault);
	if (!bad)
		record_apply(j, b, true);
	return bad;
}

void journal_rewind(struct journal *j) { j->out_handed = 0; }

unsigned journal_forget(struct journal *j, uint64_t now_us)
{
	/* The position must be on disk before what lies behind it goes. */
	if (!j->segments_count || j->segments[0].number > j->done.segment || fdatasync(j->cuts_fd) < 0)
		return 0;
	size_t gone = 0;
	while (gone + 1 < j->segments_count || (gone < j->segments_count && j->fd < 0)) {
		const struct segment_file *s = &j->segments[gone];
		bool inserted = s->number < j->done.segment ||
				(s->number == j->done.segment && s->size <= j->done.offset);
		char name[SEGMENT_NAME_MAX];
		if (!inserted || now_us < s->first_us + j->limits.segment_age_us + j->limits.keep_us ||
		    unlinkat(j->directory, segment_name(s->number, name), 0) < 0)
			break;
		gone++;
	}
	memmove(j->segments, j->segments + gone, (j->segments_count - gone) * sizeof *j->segments);
	j->segments_count -= gone;
	return (unsigned)gone;
}
