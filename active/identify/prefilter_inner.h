/*
 * Which rules of a key may match a banner at all, found in one pass by Hyperscan.
 *
 * Each rule gives Hyperscan something that every match of it contains: fixed strings where there
 * are any, else the core of its pattern.  PCRE2 then confirms, in the order of the rules.  A key
 * without a database, or a rule that Hyperscan cannot take, is tried on every banner: slower,
 * and right.
 *
 * Databases are compiled per key.  A compiled one can be kept in a file of the cache's directory,
 * named after the key; what it was made of (the rules' expressions, Hyperscan's version, the
 * processor) stands in it as a digest, so that it is never used for anything else.
 */
#pragma once
#include "active/identify/rules_inner.h"
#include <hs/hs.h>

#define PREFILTER_FILE_MAX ((size_t)256 << 20)
#define PREFILTER_DIGEST 32

/*
 * Rules that are known by a model's number only, and cost the most to seek, need a digit.  A rule
 * that needs a word or else a digit is in both parts: by its words, and whole.
 */
enum prefilter_part { PREFILTER_EVER, PREFILTER_WITH_DIGIT, PREFILTER_PARTS };

struct expression {
	const char *text; /* NULL: the rule is not in this part */
	unsigned flags;
};

struct prefilter {
	bool ready; /* false: not compiled, every rule is tried */
	hs_database_t *parts[PREFILTER_PARTS]; /* NULL: there is no rule in it */
	uint8_t digest[PREFILTER_DIGEST];
	bool failed;             /* Hyperscan refused; asking again is of no use */
	uint32_t asked;          /* banners that were tried without a database */
	size_t words;            /* of 64 rules, in each of these: */
	uint64_t *always;        /* rules that Hyperscan does not know */
	uint64_t *found;         /* rules that may match the banner sought last */
	struct expression *expressions[PREFILTER_PARTS]; /* what Hyperscan is given of each rule */
};

/* What the keys of an identify share. */
struct prefilters {
	hs_scratch_t *scratch; /* large enough for every key's database */
	const char *cache;     /* directory of compiled databases; NULL: they are kept nowhere */
	enum identify_build build;
};

/* When all rules are in: their order, and what Hyperscan would be given.  0 or ERR_MEMORY. */
int prefilter_prepare(struct identify *, struct rule_key *);
/* 0, or ERR_BAD when Hyperscan refuses; the key then goes without. */
int prefilter_compile(const struct identify *, struct rule_key *);
/* A compiled key as bytes, and back.  ERR_BAD: they are none, or another processor's. */
int prefilter_write(const struct rule_key *, struct buffer *);
int prefilter_take(const struct identify *, struct rule_key *, struct bytes);
void prefilter_close(struct prefilter *);

/* Finds the rules that may match; then prefilter_next() gives them from `at` on, or rule_count. */
void prefilter_seek(const struct identify *, struct rule_key *, struct bytes banner);
size_t prefilter_next(const struct rule_key *, size_t at);

/*
 * The key's file.  Reading: ERR_MISSING when there is none, ERR_BAD when it is damaged, of other
 * rules, or could have been written by somebody else.  Writing is atomic.
 */
int prefilter_load(const struct identify *, struct rule_key *, const char *directory);
int prefilter_save(const struct rule_key *, const char *directory);
/* The bytes of such a file: what is inside when it is whole and of that digest; else empty. */
struct bytes prefilter_unpack(struct bytes file, const uint8_t digest[PREFILTER_DIGEST]);
