/* The budgets of visits: active.visits. */
#include "control/settings_inner.h"
#include <stddef.h>

#define VISITS(member) offsetof(struct visits_option, member)

const struct option visits_fields[] = {
	{"ports", OPTION_LIST, VISITS(ports), .element = OPTION_NUMBER, .min = 1, .max = 65535,
	 .summary = "ports that pages are asked for at; empty: all but those that browsers refuse, of databases and of controllers"},
	{"per_day", OPTION_NUMBER, VISITS(per_day), "2000", .summary = "visits a day (UTC) in all"},
	{"per_host", OPTION_NUMBER, VISITS(per_host), "10", .min = 1, .summary = "visits a day to pages of one host name"},
	{"per_address", OPTION_NUMBER, VISITS(per_address), "100", .min = 1,
	 .summary = "visits a day that may connect to one address; by many names it may be one victim"},
	{"again", OPTION_BOOL, VISITS(again), "false", .summary = "true: the same page also more than once a day"},
	{"connections", OPTION_NUMBER, VISITS(connections), "200", .min = 1, .max = 10000,
	 .summary = "connections of one visit"},
	{"lease", OPTION_DURATION, VISITS(lease_ms), "10m", .min = 1000,
	 .summary = "how long a visit may take from when it was handed over, the wait for a place included"},
	{0},
};
