/*
 * What an analyser is: one way to read a sample without running it.
 *
 * One file in lab/analysers/ defines a `struct analyser` and ends with ANALYSER(it).  Nothing else
 * in the tree names it: the order, tests, fuzz target and documentation follow from the struct.
 *
 * An analyser does no I/O, keeps no clock and calls no malloc: what it needs comes from the
 * analysis' arena, and a full arena is a limit that the report names.  All bytes are hostile: the
 * checked reader (base/bytes.h) reads them, damaged headers are told (analysis_fact) and gone on with.
 *
 * The way of one sample: its type is told by its first bytes (lab/type.h); then every analyser that
 * takes that type runs, in the order of `phase` and name.  What one finds inside (a member of an
 * archive, an unpacked program) is given with analysis_contains() and goes the same way, as a part
 * of the same sample, within limits of depth, number and bytes.
 */
#pragma once
#include "base/arena.h"
#include "base/bytes.h"
#include "base/registry.h"
#include "event/indicator.h"

#define SAMPLE_BYTES_MAX (64u << 20)
#define ANALYSIS_MEMORY_MAX (256u << 20)
#define ANALYSIS_DEPTH_MAX 4       /* of parts within parts */
#define ANALYSIS_PARTS_MAX 256
#define ANALYSIS_PART_BYTES_MAX (128u << 20) /* over all parts */
#define ANALYSIS_INDICATORS_MAX 4096
#define ANALYSIS_FACTS_MAX 4096

struct analysis; /* of one sample, owned by the lab */

struct part { /* the sample itself, or what was found within it */
	struct bytes content;
	const char *name;         /* "", or the member's, as found, made UTF-8 */
	const char *type;         /* word of lab/type.h: "elf", "pe", "zip", "script", … */
	const char *architecture; /* "mips", …; "" when it has none */
	unsigned number, depth, inside; /* number 0 is the sample; `inside` is its parent's */
	char sha256[65];
};

struct analyser {
	const char *name, *summary;
	const char *reference;   /* the specification, or whose format it is */
	unsigned phase;          /* 0 structure, 1 text, 2 configuration, 3 comparison */
	const char *const *types; /* words of lab/type.h, NULL-terminated; NULL: every part */
	void (*analyse)(struct analysis *, const struct part *);
	const struct lab_specimen *specimens; /* ended by one without a title; NULL: its tests build files */
};

/* A small part and what must come out of it: unit test, fuzz seed and manual in one. */
struct lab_specimen {
	const char *title;
	struct bytes content;
	const char *found; /* a line each: "indicator TYPE VALUE HOW", "fact NAME VALUE", "part TYPE NAME", "limit WORD" */
};

#define ANALYSER(a) REGISTER(analysers, struct analyser, a)
REGISTRY(analysers, struct analyser);
#define ANALYSERS_EACH(it) REGISTRY_EACH(analysers, struct analyser, it)

struct arena *analysis_arena(struct analysis *);
/* The processor or system that it is for, when its header says so. */
void analysis_architecture(struct analysis *, const char *architecture);
/* What is so of this part: "elf.linking" "static".  Both are copied. */
void analysis_fact(struct analysis *, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Copied; the same type and value are told once, with the best confidence and all ways it was found. */
void analysis_indicator(struct analysis *, const struct indicator *);
/*
 * Finds addresses, endpoints, domains, URLs, mail addresses, user agents and wallets in text; `how`
 * and `confidence` are those of a plain hit, lowered for what is often false.
 */
void analysis_text(struct analysis *, struct bytes text, uint64_t offset, const char *how, unsigned confidence);
/* Something inside: kept when `copied`, else it must live as long as the analysis. */
void analysis_contains(struct analysis *, const char *name, struct bytes content, bool copied);
/* Bytes that parts may still have: who unpacks stops there. */
size_t analysis_room(const struct analysis *);
/* A limit of ours that cut something short: "archive.bytes". */
void analysis_limit(struct analysis *, const char *word);
/* The sample looks like that family, for that reason; points add up over reasons. */
void analysis_family(struct analysis *, const char *family, unsigned points, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
