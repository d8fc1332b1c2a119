/*
 * What an output of `kansoku telescope read` is.  One file in passive/telescope/outputs/, one
 * `struct output`, OUTPUT(it).
 *
 * An output is asked for by the first of its flags; the others refine it.  Those that write on
 * standard output exclude each other, and the one `by_default` is taken when none is asked for.
 * The command's flags, help and man page come from these tables.
 *
 * Hooks may be NULL.  They return 0 or a negative error with a sentence, which ends the reading;
 * ERR_GONE without a sentence says that nobody reads standard output any more.  ERR_BAD from
 * begin() means that the flags are used wrongly.  What no output takes is not worked out: sources
 * are judged and payloads compared only for those who show it.
 */
#pragma once
#include "base/registry.h"
#include "passive/telescope/similar.h"
#include "passive/telescope/telescope.h"

struct output_flag {
	const char *name;  /* long form without dashes; NULL ends the table */
	const char *value; /* what it takes ("FILE"), NULL when it takes nothing */
	const char *what;
};
#define OUTPUT_FLAGS_MAX 6
#define OUTPUTS_MAX 16

/* What is thought of a source: made by whoever reads (struct reading_options), shown by outputs. */
struct judgement {
	const char *verdict; /* "survey", "attack", "unclear"; lives as long as the program */
	unsigned confidence; /* 0 to 100 */
	const char *reasons; /* separated by "; "; valid during the call */
};

/* What was read; `sums` lives as long as the call. */
struct reading_end {
	const struct sums *sums;
	unsigned files;
	unsigned torn;    /* ended within a frame */
	unsigned broken;  /* could not be read to their end */
	uint64_t dropped; /* that the capturing systems say they missed */
	/* First payloads, to a port of TCP or UDP here, of accounts that no signature knows. */
	struct similar_counts payloads;
};

/* What begin() may ask for. */
struct output_context {
	const char *(*flag)(void *arg, const char *name); /* value, "" or NULL when it is not given */
	/* Something that the person should know and that is no error, one sentence. */
	void (*note)(void *arg, const char *sentence);
	void *arg;
	const struct signatures *signatures; /* names of tools; may be NULL */
};

struct output {
	const char *name, *summary;
	struct output_flag flags[OUTPUT_FLAGS_MAX];
	bool standard;     /* writes on standard output */
	bool by_default;
	size_t state_size; /* zeroed memory for begin() */
	int (*begin)(void *state, const struct output_context *, struct fault *);
	int (*packets)(void *state, const struct packet_batch *, struct fault *); /* those that are watched */
	int (*record)(void *state, const struct record *, struct fault *);
	int (*finding)(void *state, const struct finding *, struct fault *);
	int (*source)(void *state, const struct source_sum *, const struct judgement *, struct fault *);
	/* Groups of payloads that no signature knows, most sources first, before end(). */
	int (*payloads)(void *state, const struct similar_group *, struct fault *);
	/* Asked after begin(): true when only packets and end() matter.  NULL: all hooks that are there do. */
	bool (*only_sums)(const void *state);
	int (*end)(void *state, const struct reading_end *, struct fault *);
	void (*close)(void *state); /* also without end(), also when begin() failed */
};

#define OUTPUT(o) REGISTER(outputs, struct output, o)
REGISTRY(outputs, struct output);
#define OUTPUTS_EACH(it) REGISTRY_EACH(outputs, struct output, it)
/* In the order of their names, which the linker does not keep; how many. */
unsigned outputs_sorted(const struct output *all[OUTPUTS_MAX]);

/*
 * Reading captures into the outputs that the flags ask for: open, one file after the other,
 * finish, close.
 */
struct reading_progress {
	const char *path;
	uint64_t frames;     /* of all files */
	uint64_t read, size; /* of this file; size 0: not known */
};

struct reading_options {
	struct telescope_options telescope; /* watched and keep_sources are set here */
	const struct prefix *prefixes;      /* watched; none: all */
	size_t prefix_count;
	bool quiet;                         /* nothing on standard output unless it is asked for */
	const char *(*flag)(void *arg, const char *name);
	void (*note)(void *arg, const char *sentence);
	/* False: nothing is said of that source.  May be NULL. */
	bool (*judge)(void *arg, const struct source_sum *, struct judgement *);
	/* Called some times a second; may be NULL. */
	void (*progress)(void *arg, const struct reading_progress *);
	void *arg;
};

struct reading;
/* ERR_BAD: the flags do not go together. */
int reading_open(struct reading **, const struct reading_options *, struct fault *);
/*
 * What was read before an error stays good, and another file may follow, unless
 * reading_stopped().  *torn: it ended within a frame, which is no error.
 */
int reading_file(struct reading *, const char *path, bool *torn, struct fault *);
bool reading_stopped(const struct reading *); /* an output failed */
/* Everything becomes records, outputs are completed. */
int reading_finish(struct reading *, struct fault *);
void reading_close(struct reading *);
