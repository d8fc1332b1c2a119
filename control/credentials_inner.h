/*
 * Named lists of credentials: which of them does somebody try?
 *
 * The list "mirai" is built in: the pairs of the bot whose source was published in 2016, which many
 * families have copied since.  The configuration adds others, or another of that name.
 */
#pragma once
#include "base/arena.h"
#include "base/options.h"

#define CREDENTIAL_LISTS_MAX 8
#define CREDENTIALS_MAX 65536 /* of all lists together */

struct credential_option {
	const char *name;
	uint64_t least;           /* so many different pairs of it make the list likely */
	struct option_list pairs; /* of const char *: "user:secret" */
};
extern const struct option credential_fields[];

struct credentials {
	struct credential_list {
		const char *name;
		uint64_t least;
	} lists[CREDENTIAL_LISTS_MAX];
	size_t count;
	struct credential_slot {
		uint64_t hash; /* of the pair; 0: free */
		uint8_t lists; /* bits */
	} *slots;
	size_t slot_mask;
};

/* 0, ERR_MEMORY or ERR_FULL. */
int credentials_open(struct credentials *, const struct option_list *options);
void credentials_close(struct credentials *);
uint64_t credential_hash(struct bytes user, struct bytes secret); /* never 0 */
uint8_t credentials_lists(const struct credentials *, uint64_t hash); /* bits of the lists that hold it */
