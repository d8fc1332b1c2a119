/*
 * What hosts said by which they can be identified: of the store, or of a file of lines KEY: BANNER.
 *
 * Each banner once, with how many hosts said it and how many of those had attacked a decoy; those of
 * the most attackers come first.
 */
#pragma once
#include "base/arena.h"
#include "cli/command.h"

#define STORED_BANNERS_MAX 200000

struct stored_banner {
	const char *key;
	struct bytes text;
	uint64_t hosts, attackers;
};

struct stored_banners {
	struct arena arena;
	struct stored_banner *items;
	size_t count;
};

/* The command declares the flags of STORED_BANNERS_FLAGS. */
int stored_banners_read(const struct arguments *, struct stored_banners *, struct fault *);
void stored_banners_done(struct stored_banners *);

#define STORED_BANNERS_FLAGS                                                                              \
	{"from", "TIME", "only what was heard since then (2026-04-01 or 2026-04-01T12:00:00Z)"},           \
	{"to", "TIME", "only what was heard before then"},                                                \
	{"read", "FILE", "lines of KEY: BANNER instead of the store, a host each; - is standard input"}
