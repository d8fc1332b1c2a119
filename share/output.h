/*
 * What an output is: one way to write events for others.
 *
 * One file in share/outputs/ defines a `struct output` and ends with OUTPUT(it); `kansoku export`, the partners'
 * server, snapshots, tests and documentation follow from it.  An output does no I/O: it is given events as their
 * recipient may see them (share/view.h), in order of time, and writes bytes.  Equal events give equal bytes, since a
 * snapshot must be reproducible: the time, where a format wants one, is that of output_about().
 *
 * Values are attackers' words: an output escapes them as its format wants it and never trusts one to be text.
 */
#pragma once
#include "base/arena.h"
#include "base/registry.h"
#include "event/event.h"
#include "bus/bus.h"

#define OUTPUT_ROOM_MAX (512u << 10)    /* the longest piece that output_room() gives */
#define OUTPUT_ARENA_MAX (1u << 20)     /* of one event */

struct output_run;

/* Events, and what must come out of them: unit test and manual in one. */
struct output_specimen {
	const char *title;
	const char *events;    /* JSON, a line each, as output "jsonl" writes them */
	const char *content;   /* all of it; NULL where bytes are checked by a reader of their own */
	const char *collection; /* of the about; NULL: "test" */
};

struct output {
	const char *name;       /* "csv" */
	const char *summary;
	const char *reference;
	const char *media_type; /* "text/csv; charset=utf-8" */
	const char *extension;  /* "csv" */
	kind_mask kinds;        /* that it can say; others are passed over and counted */
	bool whole;             /* it is no stream: nothing is right before end() */
	/*
	 * Its reader blocks or reports the addresses in it, so they must be true: whoever exports refuses a
	 * view that changes them, since anything else hits bystanders.
	 */
	bool true_addresses;
	/* 0 or ERR_… with output_fail().  begin() and end() may be NULL. */
	int (*begin)(struct output_run *);
	int (*event)(struct output_run *, const struct event *);
	int (*end)(struct output_run *);
	void (*done)(void *state); /* frees output_state(), also of a run that is given up; NULL: free() */
	const struct output_specimen *specimens; /* ended by one without a title */
};

#define OUTPUT(o) REGISTER(exports, struct output, o)
REGISTRY(exports, struct output);
#define OUTPUTS_EACH(it) REGISTRY_EACH(exports, struct output, it)
const struct output *output_find(const char *name); /* NULL: there is none */

struct output_about { /* texts live until output_close() */
	const char *collection, *title, *producer; /* who observes, as operator.name; a word for its own identity */
	uint64_t from_us, to_us, time_us;          /* of the selection; of the export */
	const char *marking;                       /* TLP of the whole: the strictest that may be in it */
	const uint8_t *key;                        /* 32 bytes of the recipient's own, for formats that hash; NULL: none */
};

int output_open(struct output_run **, const struct output *, const struct output_about *,
		int (*sink)(void *arg, struct bytes), void *arg, struct fault *);
/* Also counts what it passes over; private fields are left out.  What failed once stays failed. */
int output_event(struct output_run *, const struct event *);
int output_close(struct output_run *, bool whole, struct fault *); /* false: it is given up; NULL is fine */
uint64_t output_written(const struct output_run *);     /* events */
uint64_t output_passed_over(const struct output_run *);

/*
 * An event as output "jsonl" writes it, byte for byte; `room` is as long as the line and is written over.
 * ERR_BAD with a sentence.
 */
int output_read_event(struct bytes line, uint8_t *room, struct event *, struct fault *);

/* For outputs. */
int output_write(struct output_run *, struct bytes);
int output_text(struct output_run *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for up to n bytes (OUTPUT_ROOM_MAX at most), which output_wrote() takes in: the fast way. */
struct writer output_room(struct output_run *, size_t n);
int output_wrote(struct output_run *, const struct writer *);
int output_fail(struct output_run *, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The event cannot be said in this format: counted as passed over. */
int output_skip(struct output_run *);
void **output_state(struct output_run *);         /* the output's own, NULL at first */
struct arena *output_arena(struct output_run *);  /* emptied after each event */
const struct output_about *output_about(const struct output_run *);
