/*
 * What is to be erased: an address, a text (a token), or a range of time.
 *
 * An address matches wherever it stands: in a field of type address, or written out in a
 * text, in either case the whole event goes.  A tombstone is what remains of an erasure:
 * salted digests, so that the file does not say what was erased; events older than it that
 * come in late (a sender had kept them) are dropped.
 */
#pragma once
#include "store/schema.h"

enum erasure_type { ERASE_ADDRESS = 1, ERASE_TEXT = 2, ERASE_RANGE = 3 };

#define ERASURE_TEXT_MAX 256

struct erasure {
	enum erasure_type type;
	bool dry_run;
	struct address address;
	char text[ERASURE_TEXT_MAX]; /* of an ADDRESS too: as it is written out */
	uint64_t from_us, to_us;     /* from <= time < to */
};

/* From a command line: an address, else a text. */
int erasure_from_words(const char *word, struct erasure *, struct fault *);
void erasure_write(struct writer *, const struct erasure *);
int erasure_read(struct bytes, struct erasure *); /* 0 or ERR_BAD */

bool erasure_matches(const struct erasure *, const struct event *);
/* The condition on a table's rows, or on those of `private`; nothing of it can be taken for SQL. */
void erasure_condition(struct writer *, const struct erasure *, enum table);
void erasure_condition_private(struct writer *, const struct erasure *);

#define TOMBSTONE_SIZE 72
#define TOMBSTONES_MAX 4096

struct tombstones {
	size_t count;
	uint64_t newest_us;
	uint8_t *records; /* TOMBSTONE_SIZE each */
};

int tombstones_open(struct tombstones *, int directory, struct fault *);
int tombstones_add(struct tombstones *, int directory, const struct erasure *, uint64_t now_us,
		   struct fault *);
/* Whether an event that came in late had been erased. */
bool tombstones_match(const struct tombstones *, const struct event *);
void tombstones_close(struct tombstones *);
