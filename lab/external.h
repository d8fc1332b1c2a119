/*
 * An external sandbox: a sample is handed over to it and its report is taken back.
 *
 * What is spoken is the REST API of CAPE (github.com/kevoreilly/CAPEv2, apiv2): it runs Windows
 * programs in a whole Windows, which no box here can.  Handing a sample over tells somebody else of
 * it, so nothing is handed over unless the configuration names a sandbox, and then only what an
 * operator or a rule of theirs hands over.  A sample that the sandbox knows is not sent again: its
 * report is asked for.
 *
 * The report is somebody else's text about hostile bytes: read with limits, believed as far as its
 * indicators say how sure they are.  Functions that speak block; they are for a process of their own.
 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "event/indicator.h"

#define EXTERNAL_REPORT_MAX (64u << 20)
#define EXTERNAL_ANSWER_MAX (1u << 20) /* all but reports */
#define EXTERNAL_INDICATORS_MAX 4096
#define EXTERNAL_LIST_MAX 256          /* families, signatures, files */
#define EXTERNAL_TEXT_MAX 512          /* of one name or sentence */
#define EXTERNAL_HOW "external: cape"

struct external_options { /* the section `sandbox` of the configuration */
	const char *url;         /* "https://cape.example"; NULL: there is none */
	const char *token_file;  /* its first line is the API's token; NULL: none is needed */
	const char *ca_file;     /* NULL: the system's */
	const char *package, *machine, *tags; /* as the sandbox names them; NULL: it chooses */
	uint64_t run_ms;         /* how long it runs the sample; 0: it chooses */
	uint64_t wait_ms, every_ms; /* for its report, asked for so often */
};

enum external_state { EXTERNAL_WAITS, EXTERNAL_RUNS, EXTERNAL_REPORTED, EXTERNAL_FAILED };

struct external; /* a conversation with one sandbox */
int external_open(struct external **, const struct external_options *, struct fault *);
void external_close(struct external *);
/* The last task with this file; ERR_MISSING: it does not know it. */
int external_known(struct external *, const char *sha256, uint64_t *task, struct fault *);
int external_submit(struct external *, struct bytes sample, const char *name, uint64_t *task, struct fault *);
int external_state(struct external *, uint64_t task, enum external_state *, struct fault *);
/* ERR_FULL: it is larger than the buffer's limit. */
int external_fetch(struct external *, uint64_t task, struct buffer *report, struct fault *);
/* All of these: ERR_TIMEOUT when no report is there after wait_ms, ERR_GONE when the analysis failed there. */
int external_analyse(struct external *, struct bytes sample, const char *sha256, const char *name, uint64_t *task,
		     struct buffer *report, struct fault *);

struct external_report { /* everything lives in the arena; texts are valid UTF-8 */
	char sha256[65];         /* of the file that it is about; empty: it does not say */
	const char *version;     /* of the sandbox; "" when it does not say */
	unsigned score;          /* 0 to 100, the sandbox's own of 0 to 10 times ten */
	const char **families;
	size_t family_count;
	struct external_signature { const char *name, *what; unsigned severity; } *signatures;
	size_t signature_count;
	struct external_file { char sha256[65]; const char *name, *what; } *files; /* "dropped", "payload" */
	size_t file_count;
	struct indicator *indicators;
	size_t indicator_count;
	bool cut;                /* a limit above left something out */
};

/* ERR_BAD: not JSON, or no report; ERR_MEMORY. */
int external_read(struct bytes report, struct arena *, struct external_report *, struct fault *);
/* The members of a JSON object, without its braces. */
void external_write(struct writer *, const struct external_report *);
