/*
 * What is this banner, and what is this host?
 *
 * Rules are files in Recog's XML format: ours under fingerprints/ and any
 * directory that the user names.  A rule belongs to a match key ("html_title",
 * "telnet.banner"), and the first rule of a file that matches wins, in the order
 * of the file.  A verdict weighs the hits of all signals of one host.
 *
 * Hyperscan finds in one pass which rules may match, PCRE2 confirms them in their order.  The
 * first takes seconds to compile, so it is kept on disk and made apart: identify_prefilter().
 * Without it every rule of a key is tried, which is slower and gives the same.
 *
 * All reading of files and all compiling happens in identify_open*() and identify_prefilter(),
 * before a process gives up its rights; matching does no I/O and is bounded in time.
 * An identify is used by one thread at a time.  Texts that a hit or a verdict
 * points to (rule, description, field names) live as long as the identify.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

struct identify;

#define IDENTIFY_BANNER_MAX 65536 /* bytes of a banner that are looked at */
#define IDENTIFY_FIELDS_MAX 32
#define IDENTIFY_VALUES_MAX 2048 /* bytes of all field values of a hit together */

/* A file that the caller has already opened and read; `name` stands in messages and rule ids. */
struct identify_file {
	const char *name;
	struct bytes text;
};

/*
 * Reads every *.xml of the directories.  A rule or a file that is wrong is left
 * out and counted in `skipped`; `first` holds the first complaint.  Fails only
 * when nothing could be loaded: ERR_MISSING, ERR_BAD or ERR_MEMORY.
 */
int identify_open(struct identify **out, const char *const *directories, size_t n,
		  struct fault *first, size_t *skipped);
int identify_open_files(struct identify **out, const struct identify_file *files, size_t n,
			struct fault *first, size_t *skipped);
void identify_close(struct identify *);

/* When a key's prefilter that is not in the cache is compiled. */
enum identify_build {
	IDENTIFY_BUILD_NEVER,
	IDENTIFY_BUILD_WHEN_BUSY, /* after some thousand banners of that key, and then kept */
	IDENTIFY_BUILD_NOW,       /* here, and kept */
};

/*
 * Takes the compiled prefilters from the directory `cache` (NULL: there is none), which a file a
 * key is kept in.  A file that is damaged, of other rules, of another Hyperscan or processor, or
 * that somebody else could have written is not taken, and replaced when the key is compiled
 * again.  Returns how many keys are without one.
 */
size_t identify_prefilter(struct identify *, const char *cache, enum identify_build);

/* Matches that were given up since the beginning, since a pattern backtracked without end, and
 * the last rule of those. */
uint64_t identify_given_up(const struct identify *, const char **rule);

size_t identify_rule_count(const struct identify *);
bool identify_has_key(const struct identify *, const char *key);
/* The complaints of loading, at most IDENTIFY_COMPLAINTS_MAX of them; NULL beyond the last. */
#define IDENTIFY_COMPLAINTS_MAX 32
const char *identify_complaint(const struct identify *, size_t i);

/* A value within a hit; the bytes are those of the banner, so they may be anything. */
struct identify_field {
	const char *name; /* "hw.product" */
	uint16_t at, len; /* within struct identify_hit's text */
};

struct identify_hit {
	const char *rule; /* file stem and number: "html_title:12" */
	const char *description;
	unsigned certainty; /* percent, from the rule; 85 when it says nothing */
	size_t count;
	struct identify_field fields[IDENTIFY_FIELDS_MAX];
	char text[IDENTIFY_VALUES_MAX];
};

/*
 * The best rule for one banner; white space at its ends does not count.  Files of
 * higher preference are asked first.  `key` is one of Recog's match keys; the
 * value of http_header.wwwauth may also be the bare realm, a title may hold
 * character references, and a prompt the control sequences of a terminal.
 */
bool identify_match(const struct identify *, const char *key, struct bytes banner,
		    struct identify_hit *hit);
/* The banner as patterns see it: what is said above, done.  Valid until the next call. */
struct bytes identify_banner(const struct identify *, const char *key, struct bytes banner);
/* The value of a field, or empty bytes. */
struct bytes identify_value(const struct identify_hit *, const char *name);

/* Every <example> of the loaded rules, tried. */
struct identify_check {
	size_t rules, without_example, examples;
	size_t failed;   /* its rule does not match or gives other values */
	size_t shadowed; /* an earlier rule of the same file takes it */
};
void identify_verify(const struct identify *, struct identify_check *out,
		     void (*say)(void *context, const char *sentence), void *context);

/* Calls back for every value that a rule gives to the field without capturing it. */
void identify_constants(const struct identify *, const char *field,
			void (*each)(void *context, const char *rule, const char *value),
			void *context);
