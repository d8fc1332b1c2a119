/*
 * Options as tables, bound to YAML.
 *
 * Who needs configuration declares a struct and a table that says, for each member,
 * its name, type, bounds, default and meaning.  The reader, the errors, `kansoku
 * describe` and docs/configuration.md all come from the table.  Errors read
 * `file:line: passive.decoys[0].prefix: what is wrong, what would be right`.
 *
 * A room's section registers itself with SECTION(it); the root of the document is the
 * set of all sections.  Everything has a default: an absent key takes `fallback`, which
 * is parsed as if it stood in the file (NULL: zero, empty).
 */
#pragma once
#include "base/address.h"
#include "base/registry.h"
#include "base/yaml.h"

enum option_type {
	OPTION_BOOL,     /* bool: true/false/yes/no/on/off */
	OPTION_NUMBER,   /* uint64_t, within min..max */
	OPTION_FRACTION, /* double, 0 to 1 */
	OPTION_TEXT,     /* const char *, NULL when absent without fallback */
	OPTION_DURATION, /* uint64_t milliseconds: 250ms 5s 10m 2h 30d; min..max in ms */
	OPTION_SIZE,     /* uint64_t bytes: 512 64K 16M 2G; min..max in bytes */
	OPTION_ADDRESS,  /* struct address */
	OPTION_PREFIX,   /* struct prefix */
	OPTION_CHOICE,   /* int: index into `choices`; min is ignored */
	OPTION_MAP,      /* a struct in place, described by `fields` */
	OPTION_LIST,     /* struct option_list of `element` (a MAP's struct is `fields`/`size`) */
	OPTION_PAIRS,    /* struct option_list of struct option_pair: any names */
	OPTION_NODE,     /* const struct yaml_node *, for whoever binds it later; NULL when absent */
};

struct option {
	const char *name; /* NULL ends a table */
	enum option_type type;
	size_t offset;
	const char *fallback;
	uint64_t min, max; /* max 0: no bound */
	const char *summary; /* what it does, with its unit */
	const char *const *choices; /* NULL-terminated */
	enum option_type element;   /* of a LIST */
	const struct option *fields; /* of a MAP, or of a LIST's maps */
	size_t size;                 /* of one element: LIST of MAP */
	bool required;
};

struct option_list {
	void *items; /* in the config's arena */
	size_t count;
};

struct option_pair {
	const char *name;
	struct bytes value;
	unsigned line;
};

#define OPTION_LIST_MAX 65536

struct section {
	struct option option; /* name of the key at the root; offset 0 */
	size_t size;          /* of the struct that it fills */
};

#define SECTION(s) REGISTER(sections, struct section, s)
REGISTRY(sections, struct section);
#define SECTIONS_EACH(it) REGISTRY_EACH(sections, struct section, it)

/* Fills `out` from a map node (NULL: all defaults).  `path` and `file` are for errors. */
int options_bind(const struct option *, const struct yaml_node *, const char *file,
		 const char *path, struct arena *, void *out, struct fault *);

/* A whole configuration. */
struct config {
	const char *file;  /* as named in errors */
	char version[17];  /* digest of the text: which configuration was in force */
	struct arena arena;
	struct yaml_node *root;
	size_t count;
	struct config_entry {
		const struct section *section;
		void *filled;
	} entries[32];
};

#define CONFIG_BYTES_MAX (4u << 20)

int config_read(struct bytes text, const char *file, struct config *out, struct fault *);
const void *config_section(const struct config *, const char *name); /* asserts that it exists */
void config_done(struct config *);

/* The text of one option as a person reads it: type, bounds, default.  For describe. */
void option_describe(const struct option *, struct writer *);

/* Levenshtein's distance, for "did you mean": a name so few edits away is offered as the right one. */
size_t option_edits(const char *a, const char *b);
#define OPTION_EDITS_MAX 3
