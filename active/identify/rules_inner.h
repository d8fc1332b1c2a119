/*
 * Rules in memory: what the reader of Recog files makes and the matcher walks.
 *
 * Everything but the compiled patterns lies in the identify's arena.
 */
#pragma once
#define PCRE2_CODE_UNIT_WIDTH 8
#include "active/identify/identify.h"
#include "base/arena.h"
#include <pcre2.h>

enum {
	RULE_FILES_MAX = 1024,
	RULES_MAX = 32768,
	RULE_FILE_BYTES_MAX = 8 << 20,
	RULE_PATTERN_MAX = 8192,
	RULE_PARAMS_MAX = IDENTIFY_FIELDS_MAX,
	RULE_EXAMPLES_MAX = 256,
	RULE_LITERALS_MAX = 64,
	RULE_LITERAL_MIN = 3, /* shorter ones are found everywhere and only cost time */
	RULE_GROUPS_MAX = 64,
	RULE_CERTAINTY_DEFAULT = 85, /* Recog's own default, 0.85 */
	RULE_KEY_BUCKETS = 64,
};
#define RULES_ARENA_MAX ((size_t)256 << 20)

struct rule_param {
	const char *name, *value; /* value may hold {other.name}; NULL when a group gives it */
	size_t plain_len;         /* of a value that holds none; else 0 */
	uint16_t group;
	bool hidden;   /* _tmp.: there to be interpolated only */
	bool protocol; /* service.protocol */
};

struct rule_example {
	struct bytes text;
	const char **expected; /* name, value, name, value ... */
	size_t expected_count; /* of pairs */
	unsigned line;
};

struct rule_file;

/* What a hit needs stands first: rules are met in no order, and each costs cold lines of memory. */
struct rule {
	pcre2_code *code;
	struct rule_param *params;
	const char *id, *description;
	const struct rule_file *file;
	unsigned certainty;
	bool jit; /* the code is the machine's */
	size_t param_count;
	struct rule *next;
	const char *path; /* as named in messages */
	unsigned line;
	const char *pattern; /* as PCRE2 takes it, with these options */
	uint32_t options;
	const char **literals; /* in lower case; every matching banner holds one; none: unknown */
	bool digit_instead;    /* or, where this is set, a digit */
	size_t literal_count;
	bool needs_digit; /* as models do; most banners hold none */
	struct rule_example *examples;
	size_t example_count;
};

struct rule_file {
	struct rule_file *next; /* of the same key, by falling preference */
	const char *path, *stem;
	struct bytes protocol; /* in lower case; empty when the file does not say */
	struct rule_key *key;
	struct rule *first, **last;
	double preference;
};

/* How the banners of a key are made what its rules expect. */
enum banner_kind { BANNER_AS_IT_IS, BANNER_PROMPT, BANNER_TITLE, BANNER_CHALLENGE };

struct rule_key {
	struct rule_key *next, *next_in_bucket;
	const char *name;
	enum banner_kind kind;
	struct rule_file *files;
	/* Made when all files are in: the rules in the order they are asked. */
	struct rule **rules;
	size_t rule_count;
	struct prefilter *prefilter;
};

/* What matching counts. */
struct tally {
	uint64_t limited;        /* matches that were given up at a limit */
	const struct rule *rule; /* the last of them */
};

struct identify {
	struct arena arena;
	struct rule_key *keys, *buckets[RULE_KEY_BUCKETS];
	size_t rule_count, file_count, skipped;
	struct fault complaints[IDENTIFY_COMPLAINTS_MAX];
	pcre2_compile_context *compile;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack;
	pcre2_match_data *groups;
	struct prefilters *prefilters;
	uint8_t *plain; /* the banner as rules expect it, IDENTIFY_BANNER_MAX bytes */
	struct tally *tally;
};

/* Counts a rule or file that is left out and keeps the sentence while there is room. */
void rules_complain(struct identify *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads one file's rules into the identify; its complaints are counted there. */
void recog_read(struct identify *, const char *path, struct bytes text);

/*
 * Compiles a pattern with Ruby's meaning (`^` and `$` at lines, `\h` a hexadecimal
 * digit, (?m) a dot that takes newlines) and finds its literal.  `why` must hold a
 * sentence's second half when it fails.
 */
int rule_compile(struct identify *, struct rule *, const char *pattern, uint32_t options,
		 struct fault *why);

enum banner_kind banner_kind(const char *key);
/* The banner as the key's rules expect it; it may lie in the identify's own room until the next. */
struct bytes banner_plain(const struct identify *, enum banner_kind, struct bytes banner);

/* The limits of every match; called once by opening and closing. */
int pattern_limits_open(struct identify *);
void pattern_limits_close(struct identify *);

/* The banner trimmed and cut to the maximum: what all of these take. */
struct bytes banner_cut(struct bytes banner);
bool fingerprint_matches(const struct identify *, const struct rule *, struct bytes banner);
/* The length of the longest of the literals that the rule cannot do without and that stands in the banner. */
size_t rule_literal_found(const struct rule *, struct bytes banner);
/* Fills the hit from the groups that the last fingerprint_matches() left. */
void rule_fill(const struct identify *, const struct rule *, struct bytes banner, struct identify_hit *);
struct rule_key *rules_key(const struct identify *, const char *name);

/* Printable ASCII and valid UTF-8 as it is, white space as a space, all else as `?`; as far as there is room. */
void plain_text_put(struct writer *, struct bytes);
/*
 * Appends what the hit says of software, as a line each: "PORT CERTAINTY RULE CPE BANNER".  A
 * maker and a product without a CPE get one made of their names; who matches them knows other names.
 */
void software_add(char *lines, size_t size, uint16_t port, const struct identify_hit *, struct bytes banner);
