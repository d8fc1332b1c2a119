/*
 * Files of a box that a report keeps: what the sample wrote, changed, deleted or ran.
 *
 * They are read from outside, through the box's root (never by a path of ours), when they are about to
 * go and at the end.  The same content under the same path is kept once.
 */
#pragma once
#include "lab/run/observed.h"

#define TAKEN_FILES_MAX 128
#define TAKEN_FILE_BYTES_MAX (16u << 20)
#define TAKEN_BYTES_MAX (64u << 20)
#define TAKEN_NAMES_MAX 1024

struct taken {
	struct arena *arena;   /* has room for TAKEN_BYTES_MAX */
	struct observed *seen; /* for limits that are met */
	int root;              /* O_PATH of the box's root, the caller's; -1: none */
	char sample[65];       /* digest of the sample itself, which is no news */
	struct dropped *files;
	size_t count;
	uint64_t bytes;
	const char **names;    /* paths that were opened to be written: to be looked at at the end */
	size_t name_count;
};

int taken_open(struct taken *, struct arena *, struct observed *, int root, struct bytes sample);
/* Reads the file now; nothing happens when it is no plain file. */
void taken_take(struct taken *, const char *path);
/* The same for an open descriptor of ours, which is closed. */
void taken_take_descriptor(struct taken *, int descriptor, const char *path);
/* Will be taken by taken_finish(). */
void taken_remember(struct taken *, const char *path);
void taken_finish(struct taken *);
/* What was remembered and lies in folders that end with the box, such as /dev/shm. */
void taken_take_passing(struct taken *);
/* Is there such a file in the box? */
bool taken_exists(const struct taken *, const char *path);
/* SHA-256 in hexadecimal. */
void digest_text(struct bytes, char out[65]);
