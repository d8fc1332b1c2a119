/*
 * Erasing from the journal.
 *
 * A segment that holds a frame to be erased is copied, with that frame turned to zeros of
 * the same length, and the copy takes its place: positions, cuts and the names of batches
 * stay valid, and a crash in between leaves the old file or the new one.
 */
#include "store/journal_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct erasure {
	journal_match_f *match;
	void *arg;
	bool dry_run;
	struct event *event;
	uint64_t frames;
};

/* Zeros in the copy what matches; how many frames did. */
static uint32_t group_erase(struct erasure *e, const struct dictionary *d, const struct group *g,
			    uint8_t *copy)
{
	uint32_t hits = 0;
	struct reader r = reader_of_bytes(g->payload);
	struct bytes frame;
	for (bool erased; group_frame(&r, &frame, &erased);) {
		if (erased || frame_decode(frame, d, e->event) || !e->match(e->arg, e->event))
			continue;
		uint8_t *at = copy + g->at + GROUP_HEADER + (frame.at - g->payload.at);
		memset(at + 4, 0, frame.len - 4);
		memset(at + 4, 0xff, 2); /* the kind: FRAME_ERASED */
		hits++;
	}
	return hits;
}

static int copy_replace(struct journal *j, uint64_t number, struct bytes copy, struct fault *fault)
{
	char name[SEGMENT_NAME_MAX], beside[SEGMENT_NAME_MAX + 4];
	snprintf(beside, sizeof beside, "%s.new", segment_name(number, name));
	int fd = openat(j->directory, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int bad = 0;
	if (fd < 0 || write_fully(fd, copy, 0) || fsync(fd) ||
	    renameat(j->directory, beside, j->directory, name) || fsync(j->directory))
		bad = fault_set(fault, ERR_SYSTEM, "journal/%s: %s", beside, strerror(errno));
	if (fd >= 0)
		close(fd);
	return bad;
}

static int segment_erase(struct journal *j, uint64_t number, struct erasure *e, struct fault *fault)
{
	struct bytes file;
	int bad = segment_map(j, number, &file, fault);
	struct segment_head head;
	struct dictionary dictionary;
	if (bad || segment_head_read(file, &head) || dictionary_read(head.dictionary, &dictionary)) {
		if (!bad)
			segment_unmap(file);
		return bad;
	}
	uint8_t *copy = malloc(file.len);
	if (!copy) {
		segment_unmap(file);
		return fault_set(fault, ERR_MEMORY, "journal: out of memory while erasing");
	}
	memcpy(copy, file.at, file.len);
	struct bytes rest = {file.at + head.length, file.len - head.length};
	struct segment_walk w = segment_walk(&head, rest, head.length);
	uint64_t hits = 0;
	for (struct group g; segment_next(&w, &g);) {
		uint32_t here = group_erase(e, &dictionary, &g, copy);
		if (here)
			group_seal(&head, g.at, copy + g.at, g.payload.len, g.frames);
		hits += here;
	}
	if (hits && !e->dry_run)
		bad = copy_replace(j, number, (struct bytes){copy, file.len}, fault);
	e->frames += hits;
	free(copy);
	segment_unmap(file);
	return bad;
}

int journal_erase(struct journal *j, journal_match_f *match, void *arg, bool dry_run,
		  uint64_t now_us, uint64_t *frames, struct fault *fault)
{
	struct erasure e = {match, arg, dry_run, malloc(sizeof(struct event)), 0};
	if (!e.event)
		return fault_set(fault, ERR_MEMORY, "journal: out of memory while erasing");
	int bad = journal_commit(j, now_us, fault);
	/* The open segment's descriptor would go on writing to the file that was replaced. */
	if (!bad && j->fd >= 0 && !dry_run)
		bad = journal_rotate(j, now_us, fault);
	size_t sealed = j->segments_count - (j->fd >= 0 && !dry_run);
	for (size_t i = 0; i < sealed && !bad; i++)
		bad = segment_erase(j, j->segments[i].number, &e, fault);
	free(e.event);
	if (!bad)
		*frames = e.frames;
	return bad;
}
