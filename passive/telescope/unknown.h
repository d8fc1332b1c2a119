/*
 * The table of payloads that no signature knows: those with most sources, readable.
 */
#pragma once
#include "passive/telescope/page.h"
#include "passive/telescope/similar.h"

struct unknown_payloads {
	struct similar_group *rows; /* most sources first, as they come */
	unsigned count, max;
};

int unknown_open(struct unknown_payloads *, unsigned max); /* 0 or ERR_MEMORY */
void unknown_take(struct unknown_payloads *, const struct similar_group *);
void unknown_show(const struct unknown_payloads *, const struct similar_counts *, struct page *);
void unknown_close(struct unknown_payloads *);
