/*
 * What is ours: the addresses of decoys, telescope and sensors, those that looks leave from, and our names.
 *
 * Read from the sections of the configuration that say so, and from exchange.own for what stands nowhere else:
 *
 *   exchange:
 *     own: {prefixes: [198.51.100.0/24], names: [decoy.example.net]}
 */
#pragma once
#include "base/options.h"

#define OWN_NAMES_MAX 1024
#define OWN_NAME_MIN 3 /* shorter ones would be found in every text */

struct own_options {
	struct option_list prefixes; /* of struct prefix */
	struct option_list names;    /* of const char * */
};

struct own {
	struct prefix_set all;
	/*
	 * Those that are at least a /16 or /32: few enough that four bytes, or a number, that happen to lie in
	 * one are one.  Of a wider prefix such finds would be chance, and cleaning would be damage.
	 */
	struct prefix_set narrow;
	uint64_t firsts[65536 / 64];   /* the two bytes with which an IPv4 address of `narrow` begins */
	uint64_t firsts_v6[65536 / 64];
	const char **names;          /* lower case, of this struct */
	size_t name_count;
	bool letters[256];           /* with which names begin, in both cases */
};

int own_add_prefix(struct own *, const struct prefix *); /* 0 or ERR_MEMORY */
int own_add_name(struct own *, const char *);            /* 0, ERR_BAD (too short), ERR_FULL or ERR_MEMORY */
int own_read(struct own *, const struct config *, struct fault *);
void own_seal(struct own *); /* after the last was added */
void own_done(struct own *);
