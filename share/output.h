/*
 * What an output is: one way to write events for others.
 *
 * One file in share/outputs/ defines a `struct output` and ends with OUTPUT(it); `kansoku export`, the partners'
 * server, snapshots, tests and documentation follow from it.  An output does no I/O: it is given events as their
 * recipient may see them (share/view.h), in order of time, and writes bytes.  Equal events give equal bytes, since a
 * snapshot must be reproducible: the time, where a format wants one, is output_time_us().
 */
#pragma once
#include "base/arena.h"
#include "base/registry.h"
#include "event/event.h"
#include "bus/bus.h"

struct output_run;

struct output {
	const char *name;       /* "csv" */
	const char *summary;
	const char *reference;
	const char *media_type; /* "text/csv; charset=utf-8" */
	const char *extension;  /* "csv" */
	kind_mask kinds;        /* that it can say; others are passed over and counted */
	bool whole;             /* it is no stream: nothing is right before end() */
	/* 0 or ERR_… with output_fail().  begin() and end() may be NULL. */
	int (*begin)(struct output_run *);
	int (*event)(struct output_run *, const struct event *);
	int (*end)(struct output_run *);
};

#define OUTPUT(o) REGISTER(outputs, struct output, o)
REGISTRY(outputs, struct output);
#define OUTPUTS_EACH(it) REGISTRY_EACH(outputs, struct output, it)
const struct output *output_find(const char *name); /* NULL: there is none */

struct output_about {
	const char *collection, *title, *producer; /* who observes, as operator.name; a word for its own identity */
	uint64_t from_us, to_us, time_us;          /* of the selection; of the export */
	const char *marking;                       /* TLP of the whole: the strictest that may be in it */
};

int output_open(struct output_run **, const struct output *, const struct output_about *,
		int (*sink)(void *arg, struct bytes), void *arg, struct fault *);
int output_event(struct output_run *, const struct event *); /* also counts what it passes over */
int output_close(struct output_run *, bool whole, struct fault *); /* false: it is given up */
uint64_t output_passed_over(const struct output_run *);

/* For outputs. */
int output_write(struct output_run *, struct bytes);
int output_text(struct output_run *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int output_fail(struct output_run *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void **output_state(struct output_run *);         /* the output's own, NULL at first; it frees it in end() */
struct arena *output_arena(struct output_run *);  /* emptied after each event */
const struct output_about *output_about(const struct output_run *);
