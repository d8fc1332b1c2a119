/*
 * One sample on its way through the lab: fetched from the journal, where it came from asked of the
 * store, analysed in a thread, run as root and as a user, its reports stored, its events published.
 *
 * A job belongs to the loop's thread; only lab_analyse() and the reports happen elsewhere, while nothing
 * else touches it.  It says that it is done exactly once, by job_done().
 */
#pragma once
#include "base/arena.h"
#include "bus/bus.h"
#include "lab/planting.h"
#include "lab/report.h"
#include "lab/role/files_inner.h"
#include "lab/role/known_inner.h"
#include "lab/role/settings_inner.h"

#define PLACES_MAX 64
#define JOB_TEXTS_MAX (1u << 20)
#define JOB_REPORTS_MAX 8
#define SERVED_MAX 8
#define SERVED_BYTES_MAX (8u << 20)
#define URLS_MAX 8192

struct job_report {
	const struct lab_report *report; /* NULL: the capture of that run */
	struct buffer bytes;
	struct bytes content;
	char sha256[FILE_HEX + 1];
	bool stored;
};

struct lab_room;

struct job {
	struct lab_room *room;
	struct job *next;
	struct event_id cause, root; /* of file.captured */
	uint64_t depth;
	struct address source;
	bool has_source;
	char sha256[FILE_HEX + 1], name[128];
	struct file_transfer files;
	struct buffer sample, rows;
	struct analysis *analysis;
	struct arena arena;
	struct sample_place places[PLACES_MAX];
	size_t place_count;
	struct run *runs[STORY_RUNS];
	unsigned running;
	struct planting *plantings[STORY_RUNS]; /* NULL: no bait lay in that run's box */
	struct event_id planted[STORY_RUNS];    /* their token.planted */
	struct served { const char *url; uint8_t *at; size_t len; } served[SERVED_MAX];
	size_t served_count, serving;
	struct sample_story story;
	struct job_report reports[JOB_REPORTS_MAX];
	size_t report_count, putting, told, joined;
	bool news, telling;
	struct egress_wait *egress; /* approved: with whom its last run may talk; NULL: nothing leaves */
	uv_work_t work;
	bool working; /* a thread has it */
	int status;
	struct fault fault;
	struct event analysed;
};

struct job *job_new(struct lab_room *, const struct event *captured);
void job_start(struct job *);
void job_free(struct job *);

/* Steps, each in a file of its own. */
void job_places(struct job *);  /* asks the store; then job_analyse() */
void job_analyse(struct job *);
void job_run(struct job *);     /* serves, runs; then job_report() */
void job_report(struct job *);  /* completes the story, stores reports; then job_tell() */
void job_tell(struct job *);    /* publishes as far as the bus takes it; again on relief */
/* Which part of the story is published with what number; false beyond the last. */
bool job_event(struct job *, size_t number, struct event *out);
void job_done(struct job *);
/* When all is told: asks the operator whether it may talk with its server (lab/role/egress.c). */
void job_ask_egress(struct job *);
/* Takes the approval right before that run; job_egress_taken() hears whether it may. */
void job_take_egress(struct job *);
void job_egress_taken(struct job *, bool may);
/* Bait for the run that begins, where there is a ledger (lab/role/bait.c). */
void job_plant(struct job *, struct run_plan *);
/* What was planted and what of it a sample tried to send; false beyond the last. */
bool job_bait_event(const struct job *, size_t number, struct event *out);
