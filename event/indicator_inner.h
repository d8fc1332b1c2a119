/* What the looks at one text share: where it is from, and how far it was read. */
#pragma once
#include "event/indicator.h"

struct text_look {
	indicator_found_f *found;
	void *arg;
	struct bytes text;
	uint64_t offset; /* of the text within its part, or UINT64_MAX */
	const char *how;
	unsigned confidence;
	size_t done; /* what lies before was taken */
	size_t url_end; /* of the last URL: what stands before it says nothing of the next */
};

/* User agents, keys and wallets (event/indicator_words.c). */
void indicator_words_look(const struct text_look *);
