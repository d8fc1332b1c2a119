/*
 * A view from within: the policy, what is ours, and the keys of a period.
 */
#pragma once
#include "share/anonymise/count_inner.h"
#include "share/anonymise/cryptopan_inner.h"
#include "share/anonymise/derive_inner.h"
#include "share/anonymise/hidden_inner.h"
#include "share/anonymise/policy_inner.h"
#include "share/view.h"
#include <stddef.h>

#define VIEW_PERIODS 4         /* whose keys are kept ready */
#define VIEW_ARENA_MAX (4u << 20)
#define TOKEN_BYTES 16

struct period {
	bool made;
	uint64_t number, used;     /* of uses of the view, when it was last */
	uint8_t token_key[DERIVED_BYTES];
	struct cryptopan *pan;
};

struct view {
	struct policy policy;
	struct own own;
	struct counts *counts;     /* NULL: no rule has k */
	uint8_t key[VIEW_KEY_BYTES];
	bool lasting, bare;        /* bare: nothing of ours is known, so its place in a packet tells */
	bool dst_passes;
	bool failed;               /* of the text at hand: see struct hidden */
	struct view_rule src, dst; /* of packets */
	uint64_t uses;
	struct period periods[VIEW_PERIODS], *period;
	/* What the event or packet at hand hides beside what is ours, and by which rule. */
	struct hidden hidden;
	struct view_rule exact_rule[HIDDEN_EXACT_MAX];
	struct view_rule every;    /* of a text in which every address changes */
	_Alignas(max_align_t) uint8_t room[16384]; /* of the arena, so that most events need no memory */
};

int view_period_set(struct view *, uint64_t time_us); /* 0 or ERR_MEMORY */
void view_token(const struct view *, const char *what, struct bytes value, uint8_t out[TOKEN_BYTES]);
/* By that rule; of what cannot be an address any more: zero. */
struct address view_address_by(struct view *, const struct address *, const struct view_rule *);
struct address view_becomes(void *view, const struct address *);
/* Begins a new set of what is hidden: ours, and what is added. */
void view_hide(struct view *);
void view_hide_also(struct view *, const struct address *, const struct view_rule *);
const struct view_rule *view_hidden_rule(const struct view *, const struct address *); /* NULL: it was not added */
bool view_is_own(const struct view *, const struct address *);
