/*
 * Bait that tells where it was planted, without a list of what was planted.
 *
 * A token is 95 bits: what it stands for (56 bits), under a mask, and a keyed check over it
 * (39 bits, of which the mask is made).  Who does not hold the ledger's secret can neither read
 * nor make one, and of other words of its shape one in 5·10^11 is taken for one.  So ten thousand
 * decoys need no table, and a word that a peer says is looked at by two short hashes.
 *
 * It has three shapes, for the places where such words are usual:
 *
 *   password   16 letters and digits, as password generators make them
 *   key        32 hexadecimal digits, as applications make their keys; of no cloud's form, so that
 *              nobody who scans for those reports it to a third party
 *   name       19 of a-z and 2-7: a part of a path, a host name's label, a mailbox; letter case
 *              may be lost on its way
 */
#pragma once
#include "base/address.h"
#include "base/siphash.h"

#define BAIT_SECRET_BYTES 32
#define BAIT_PASSWORD_CHARS 16
#define BAIT_KEY_CHARS 32
#define BAIT_NAME_CHARS 19
#define BAIT_MARK_MAX 0xfffffu

struct bait_secret {
	struct siphash_key check, mask;
};

enum bait_shape { BAIT_PASSWORD, BAIT_KEY, BAIT_NAME, BAIT_SHAPES };

enum bait_source {
	BAIT_V4 = 1,  /* a decoy; `where` is its address */
	BAIT_V6 = 2,  /* a decoy; `where` is a hash of its address */
	BAIT_ENTRY = 3, /* the ledger; `where` is the entry's number */
};

struct bait_token {
	uint8_t source; /* of enum bait_source */
	uint32_t where;
	uint32_t mark; /* of the name that it was planted under; 0 in the ledger */
};

struct bait_secret bait_secret_of(const uint8_t bytes[BAIT_SECRET_BYTES]);
const char *bait_shape_name(enum bait_shape);
int bait_shape_find(struct bytes name); /* or ERR_MISSING */

/* The token of a decoy for a name, the same for ever. */
struct bait_token bait_of_device(const struct bait_secret *, const struct address *, struct bytes name);
uint32_t bait_mark(const struct bait_secret *, struct bytes name);
/* A number that stands for the token where it must not be given away. */
uint64_t bait_id(const struct bait_secret *, const struct bait_token *);

void bait_write(const struct bait_secret *, const struct bait_token *, enum bait_shape, struct writer *);
/* Whether the whole word is a token. */
bool bait_read(const struct bait_secret *, struct bytes word, struct bait_token *, enum bait_shape *);
/* Finds the next one in a text, as a word between anything but letters and digits; takes it off. */
bool bait_next(const struct bait_secret *, struct bytes *rest, struct bait_token *, enum bait_shape *);
