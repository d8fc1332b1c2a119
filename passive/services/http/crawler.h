/*
 * Search engines' crawlers: they come to decoys too, and are neither attackers nor visitors.
 *
 * Whose name says so claims it; it is verified where the configuration knows the addresses of that
 * crawler (their makers publish them) and the peer has one of them.  Nothing is looked up.
 */
#pragma once
#include "base/options.h"
#include "event/field.h"

struct crawler { /* of the configuration */
	const char *agent;
	struct option_list prefixes; /* of struct prefix */
};

extern const struct option crawler_options[];

enum crawler_kind { CRAWLER_NONE, CRAWLER_CLAIMED, CRAWLER_VERIFIED };

/* `known` (of struct crawler) may be NULL. */
enum crawler_kind crawler_of(const struct option_list *known, struct bytes agent, const struct address *peer);
