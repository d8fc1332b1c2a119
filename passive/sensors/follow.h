/*
 * Follows a log as it grows, line by line, over its rotations and our own ends.
 *
 * A line is handed out when its end is there.  A file that was renamed is read to its end, and
 * left when it has been quiet for FOLLOW_GRACE_US and its successor is there; one that was copied
 * and cut (copytruncate) begins anew, after what was left of it was read from the copy.  Packed
 * files are never opened.  `struct follow_place` says which line is next, well enough to find it
 * again after a restart: by a digest of the bytes before the place, so neither a file that was moved
 * or copied meanwhile nor another one that got its inode misleads.  While the log cannot be opened
 * the place is kept; only a log that can be, and has no such place in it, begins anew.
 *
 * `generation` counts the files, so (generation, offset) names a line for ever, and again so when
 * it is read twice.  The caller owns the clock; a library without threads.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define FOLLOW_GRACE_US 1000000u
#define FOLLOW_PATH_MAX 1024
#define FOLLOW_PLACE_BYTES 72

struct follow_place {
	uint64_t generation, offset; /* of the line that is next */
	uint64_t device, inode;
	uint64_t header;             /* where its latest header begins; NO_HEADER: there is none */
	uint64_t digest, digested;   /* of so many bytes before the offset */
};
#define NO_HEADER UINT64_MAX

struct follow;
struct follow_line {
	struct bytes line;     /* without its end; valid until the next call */
	uint64_t generation, offset; /* of its first byte */
	bool begins;           /* the first line of a file */
	bool resumes;          /* the first line after a place in the middle of one: its header is wanted again */
	bool too_long;         /* it was skipped, `line` is empty */
};

/* `from` NULL or zeroed: from the file's beginning.  The file need not be there yet. */
int follow_open(struct follow **, const char *path, const struct follow_place *from);
void follow_close(struct follow *);
/* True: there is a line.  False: nothing now. */
bool follow_next(struct follow *, uint64_t now_us, struct follow_line *);
/* The line handed out last was (the first of) a header. */
void follow_header(struct follow *, uint64_t offset);
/* Hands the lines of that header out once more, for whoever goes on in the middle of a file. */
void follow_replay(struct follow *, void (*line)(void *arg, struct bytes), void *arg);
void follow_where(const struct follow *, struct follow_place *);
const char *follow_trouble(const struct follow *); /* why the log cannot be read now; NULL: it can */
uint64_t follow_lost(const struct follow *); /* times a file was cut or gone and no copy of it was found */

/* A place as it is kept in a file; false when it is not whole. */
void place_write(const struct follow_place *, uint8_t out[FOLLOW_PLACE_BYTES]);
bool place_read(struct bytes, struct follow_place *);
