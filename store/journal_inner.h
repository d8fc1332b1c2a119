/* What the journal's own files share. */
#pragma once
#include "store/journal.h"
#include "store/recent.h"

#define SEGMENT_NAME_MAX 32

struct position {
	uint64_t segment, offset;
};

struct segment_file {
	uint64_t number, size;
	uint64_t first_us; /* when it was begun */
};

struct journal {
	int directory, lock, cuts_fd;
	struct journal_limits limits;
	struct recent recent;

	struct segment_file *segments; /* by number; the last one is open for appending */
	size_t segments_count;
	int fd;                        /* of the last one, -1 before the first group */
	uint8_t head_bytes[SEGMENT_HEAD_MAX];
	struct segment_head head;
	uint16_t fields_written;       /* field_count() when its dictionary was written */

	struct buffer pending;         /* frames back to back */
	uint32_t pending_frames;

	struct position done;          /* all before it is in the store */
	struct batch out[BATCHES_OUT_MAX];
	size_t out_count, out_handed;
	uint64_t cuts_bytes;
};

char *segment_name(uint64_t number, char text[SEGMENT_NAME_MAX]);
/* Maps a segment read-only; `at` is NULL when it is empty.  Give back with segment_unmap(). */
int segment_map(const struct journal *, uint64_t number, struct bytes *out, struct fault *);
void segment_unmap(struct bytes);

int cuts_open(struct journal *, struct fault *);
int cuts_write(struct journal *, const struct batch *, bool done, bool sync, struct fault *);
int journal_rotate(struct journal *, uint64_t now_us, struct fault *);
int write_fully(int fd, struct bytes, uint64_t at); /* 0 or ERR_SYSTEM */
