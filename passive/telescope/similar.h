/*
 * Payloads that no signature knows, grouped by similarity: what is new, and how a signature for it
 * would begin.
 *
 * The first payload of its kind leads a group; others join whose bytes agree with it, place by
 * place or by the triples of bytes that they hold in whatever order.  Each member narrows what the
 * group has in common, and that is a pattern.  Memory is fixed; when all groups are taken, the one
 * with the fewest payloads (of these, the one quiet longest) makes room and is counted.  One
 * instance belongs to one thread.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define SIMILAR_GROUPS_MAX 1024
#define SIMILAR_SAMPLE 128  /* bytes of a payload that are compared and kept */
#define SIMILAR_PORTS_MAX 8 /* told of a group */
#define SIMILAR_SHORTEST 4  /* a shorter payload joins only its equals */

struct similar_payload {
	struct bytes payload;
	struct address source;
	uint8_t proto;
	uint16_t port;        /* the destination's */
	uint64_t first_us, last_us;
	uint64_t count;       /* payloads that this one stands for */
};

struct similar_group {
	uint8_t example[SIMILAR_SAMPLE]; /* the leader's; length_example of it */
	bool constant[SIMILAR_SAMPLE];   /* all members have the example's byte there */
	uint16_t length_example;
	uint16_t length_min, length_max; /* of the members' samples */
	uint8_t proto;
	uint8_t port_count;
	bool ports_more;                 /* than are told */
	uint16_t ports[SIMILAR_PORTS_MAX];
	uint64_t count;
	uint32_t distinct;               /* payloads that differed from the ones before, roughly */
	uint32_t sources;                /* within 6.5 of 100 */
	uint64_t first_us, last_us;
};

struct similar_counts {
	uint64_t taken, repeated; /* repeated: known to the byte */
	uint64_t left_out;        /* by similar_take_some() */
	uint64_t groups;          /* now */
	uint64_t forgotten;       /* groups that made room, and … */
	uint64_t forgotten_count; /* … the payloads that were in them */
};

struct similar;
/* `key` spreads the sketches: 0 for files, so that two runs agree; a random one for what is live. */
int similar_open(struct similar **, uint64_t key);
void similar_take(struct similar *, const struct similar_payload *);
/*
 * The same within a share of the work: noise is compared with every group, 24 us each, so of it
 * SIMILAR_COMPARED are, and one more for SIMILAR_SHARE packets (or lines) `seen` so far; what is
 * beyond is left out and counted.
 */
#define SIMILAR_COMPARED 20000
#define SIMILAR_SHARE 256
void similar_take_some(struct similar *, const struct similar_payload *, uint64_t seen);
/* The first `max` groups, most sources first.  What `each` is given is valid during the call. */
void similar_each(struct similar *, size_t max, void (*each)(void *arg, const struct similar_group *),
		  void *arg);
struct similar_counts similar_counts(const struct similar *);
void similar_close(struct similar *);

/*
 * What is constant, up to the last constant byte, as signature files spell patterns:
 * "MAGC|01 01 ?? ?? 2a|"; empty when nothing is.
 */
#define SIMILAR_PATTERN_MAX (4 * SIMILAR_SAMPLE + 1)
char *similar_pattern(const struct similar_group *, char text[SIMILAR_PATTERN_MAX]);
/* Bytes at the beginning that all members share. */
size_t similar_prefix(const struct similar_group *);
/*
 * An entry for the `payloads:` of a signature file, on one line, to be named and trimmed by hand.
 * It has every payload of the group.  Empty when the group has neither bytes nor ports in common
 * that could tell it from others.
 */
#define SIMILAR_SUGGESTION_MAX 1024
char *similar_suggestion(const struct similar_group *, char text[SIMILAR_SUGGESTION_MAX]);

/* A group as an object of JSON, {"type":"new_payload", ...}; SIMILAR_JSON_MAX bytes are enough. */
#define SIMILAR_JSON_MAX 8192
void similar_write_json(const struct similar_group *, struct writer *);
void similar_write_counts(const struct similar_counts *, struct writer *);
