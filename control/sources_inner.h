/*
 * What control knows of each source: what it is, what it did, and when it came.
 *
 * A hash table of a fixed number of entries (about 240 bytes each, touched only when used); the
 * source that was quiet for longest makes room.  Names (classes, tools, services) are kept once
 * and numbered; when all numbers are taken, a further name is not known.
 */
#pragma once
#include "base/address.h"
#include "control/credentials_inner.h"

#define SOURCE_NAMES_MAX 1024
#define SOURCE_NAME_MAX 47
#define SOURCE_SERVICES_MAX 63
#define SOURCE_TRIED_BYTES 64 /* a Bloom filter: counts are low by some 5 of 100 at 60 credentials */
#define SOURCE_ORDER 4        /* so many different credentials, in order, are a list's beginning */

enum source_count {
	COUNT_CREDENTIALS, /* different ones */
	COUNT_SESSIONS,    /* that ended */
	COUNT_HUMANS,      /* of these, typed by a human … */
	COUNT_BOTS,        /* … and by a program */
	COUNT_COMMANDS,
	COUNT_FILES,
	COUNT_SCANS,
	SOURCE_COUNTS
};

struct source {
	struct address address;
	uint64_t seen_us;
	uint64_t campaign;           /* 0: none */
	uint64_t services;           /* bits: source_service() */
	uint64_t client;             /* digest of its client software's signature; 0: not known */
	uint64_t order;              /* digest of the first credentials, in order */
	uint64_t lines;              /* digest of the commands of the session under way */
	uint32_t session, line_count; /* its mark, and how many */
	uint32_t counts[SOURCE_COUNTS];
	uint32_t next, older, newer, changed_next;
	uint16_t device_class, tool; /* numbers of names; 0: not known */
	uint16_t signs;              /* bits of enum seeker_sign */
	uint8_t matched[CREDENTIAL_LISTS_MAX]; /* different pairs of each list */
	uint8_t tried[SOURCE_TRIED_BYTES];
	bool used, changed;
};

struct sources;

int sources_open(struct sources **, size_t max, uint64_t key);
void sources_close(struct sources *);
size_t sources_count(const struct sources *);
struct source *sources_find(const struct sources *, const struct address *); /* NULL: unknown */
struct source *sources_take(struct sources *, const struct address *, uint64_t now_us);
void sources_forget(struct sources *, struct source *);
/* It is to be written to the state; sources_next_changed() gives it back once. */
void sources_changed(struct sources *, struct source *);
struct source *sources_next_changed(struct sources *); /* NULL: none */
void sources_each(const struct sources *, void (*each)(void *arg, const struct source *), void *arg);

uint16_t source_name_number(struct sources *, struct bytes name); /* 0: empty, or no number is left */
const char *source_name(const struct sources *, uint16_t number); /* "" for 0 */
uint64_t source_service_bit(struct sources *, struct bytes name);
const char *source_service(const struct sources *, unsigned bit); /* "" when there is none */
bool source_tries(struct source *, uint64_t credential); /* true: for the first time */

/* A record of the state: everything but the session under way. */
void source_write(const struct sources *, const struct source *, struct writer *);
bool source_read(struct sources *, struct reader *, uint64_t now_us);
