/* How the lists lie in memory; surveys.c asks them, surveys_reading.c makes them of text. */
#pragma once
#include "analysis/surveys.h"
#include "base/arena.h"

#define NO_PARENT UINT32_MAX

struct survey_list {
	const char *name;
	uint64_t dated_us;
};

struct survey_prefix {
	struct prefix prefix;
	const char *who;   /* NULL: the list's name */
	uint32_t list;
	uint32_t order;    /* in which it was added */
	uint32_t parent;   /* the next wider prefix that holds it; set by sealing */
};

struct survey_domain {
	const char *name;  /* lower case, no dot at either end */
	const char *who;
	uint32_t list, order;
};

struct survey_host {
	struct address address;
	const char *name;
	uint32_t order;
};

struct surveys {
	struct arena texts;
	struct survey_list lists[SURVEY_FILES_MAX];
	size_t list_count;
	struct survey_prefix *prefixes;
	size_t prefix_count, prefix_room;
	struct survey_domain *domains;
	size_t domain_count, domain_room;
	struct survey_host *hosts;
	size_t host_count, host_room;
	uint64_t skipped, wide;
};
