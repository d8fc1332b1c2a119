/*
 * Banners that no rule takes, grouped by similarity, so that one rule can be written for a group.
 *
 * A banner is cut into words, numbers and what stands between; two are alike when most of their pieces
 * stand in the same order in both, where any number is as good as another.  Of a group the
 * pieces that all members share become a pattern, which is what a rule's author begins with.
 *
 * Give banners in the order of their weight: the first of a group is its example.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define BANNER_GROUPS_MAX 2048
#define BANNER_PIECES_MAX 96   /* of a banner; what comes after them is not compared */
#define BANNER_EXAMPLES_MAX 4
#define BANNER_PATTERN_MAX 1024

struct banner_groups;

struct banner_seen {
	const char *key;     /* of Recog, or ours */
	struct bytes text;   /* these stay the caller's and must outlive the groups */
	uint64_t hosts, attackers;
};

struct banner_group {
	const char *key;
	struct bytes examples[BANNER_EXAMPLES_MAX];
	size_t example_count, members;
	uint64_t hosts, attackers; /* sums: a host that said two of the banners counts twice */
};

int banner_groups_open(struct banner_groups **);
void banner_groups_close(struct banner_groups *);
/* 0, or ERR_FULL: it is like none and there is no room for a group of its own. */
int banner_groups_add(struct banner_groups *, const struct banner_seen *);

size_t banner_groups_count(const struct banner_groups *);
/* By attackers, then hosts, most first; after the last one was added. */
const struct banner_group *banner_group_at(struct banner_groups *, size_t i);
/* A regular expression in Ruby's and PCRE2's common dialect that takes every member. */
void banner_group_pattern(const struct banner_group *, struct writer *);
/* A rule in Recog's XML, to be filled in. */
void banner_group_rule(const struct banner_group *, struct writer *);
