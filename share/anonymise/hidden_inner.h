/*
 * What must not be found in a text: our own addresses and names, and those of an event or packet that its
 * recipient is to see otherwise.
 */
#pragma once
#include "share/anonymise/own_inner.h"

#define HIDDEN_EXACT_MAX 40 /* as many as an event has fields */

struct hidden {
	const struct own *own;                  /* NULL: nothing but what is named here */
	struct address exact[HIDDEN_EXACT_MAX];
	size_t exact_count;
	uint64_t exact_firsts[4];               /* bytes with which one of them begins or, of IPv4, ends */
	bool every;                             /* whatever is an address */
	/* What an address becomes; of one that has no other, the unspecified one of its family. */
	struct address (*becomes)(void *arg, const struct address *);
	void *arg;
	bool *failed;                           /* set where there was no memory to look beneath a layer; not NULL */
};

enum hidden_surely {
	HIDDEN_ADDRESS, /* it is spelled as an address */
	HIDDEN_LIKELY,  /* it is as likely something else: `every` does not mean it */
	HIDDEN_NUMBER,  /* it is a number, or bytes, that may be one by chance */
	HIDDEN_TURNED,  /* such a number from its last byte to its first */
};

void hidden_add(struct hidden *, const struct address *); /* no more than HIDDEN_EXACT_MAX, each once */
bool hidden_nothing(const struct hidden *);               /* there is nothing to look for */
/* Also those that hold one of IPv4: mapped, compatible, NAT64, 6to4, Teredo, ISATAP. */
bool hidden_is(const struct hidden *, const struct address *, enum hidden_surely);
/* The length of a name of ours that stands there as a word, or 0. */
size_t hidden_name(const struct hidden *, struct bytes text, size_t at);
