/* The lab's process: what waits, what is at work, and what is known. */
#pragma once
#include "base/siphash.h"
#include "bus/process.h"
#include "lab/exploits/exploits.h"
#include "lab/role/job_inner.h"

#define JOBS_AT_ONCE_MAX 16
#define TOLD_SLOTS 8192
#define EGRESS_WAITS_MAX 64

struct egress_wait { /* one endpoint that a sample may talk with when the operator says so */
	struct lab_room *room;
	bool used;
	struct event_id id;    /* the approval's, zero until control said */
	struct event_id root;
	uint64_t depth;        /* of the approval */
	struct address source, target;
	bool has_source, begun;
	uint16_t port;
	char sha256[FILE_HEX + 1], name[128];
};

struct lab_room {
	struct process *process;
	const struct lab_options *options;
	struct lab_rules *rules;         /* YARA; NULL: none */
	struct exploit_rules *exploits;  /* NULL: not wanted */
	struct known_samples *known;
	struct bait_ledger bait;         /* fd -1: no bait is planted */
	struct runner_slot {
		struct lab_runner *runner;   /* NULL: none, or it died */
		uv_poll_t poll;
		struct job *job;
	} runners[JOBS_AT_ONCE_MAX];
	size_t runner_count;
	struct job *waiting, **last_waiting, *active[JOBS_AT_ONCE_MAX];
	size_t waiting_count, active_count;
	struct egress_wait egress[EGRESS_WAITS_MAX];
	struct siphash_key secret;
	struct { uint64_t key, time_us; } told[TOLD_SLOTS]; /* exploits that were told lately */
	struct { char *url; char sha256[FILE_HEX + 1]; } urls[URLS_MAX]; /* captured by which name, a ring */
	size_t url_next;
	struct buffer line;              /* of the store's answer, while it is remembered */
	unsigned remembering, tries;     /* which question, 0: done; how often the store was away */
	uv_timer_t again;
	bool stopped;
	uint64_t exploits_lost;
	struct event event, other;
};

/* 0 taken or known already; ERR_FULL; ERR_BAD: it names no file. */
int room_take(struct lab_room *, const struct event *captured);
/* Behind those that wait; the queue's limit is for who offers. */
void room_queue(struct lab_room *, struct job *);
void room_begin_jobs(struct lab_room *);
/* What was analysed before this process began, and what it missed; then jobs begin. */
void room_remember(struct lab_room *);
void room_exploit(struct lab_room *, struct event *);
void room_url(struct lab_room *, struct bytes url, const char *sha256);
/* NULL: no captured file came from there. */
const char *room_url_find(const struct lab_room *, struct bytes url);
/* "approval.told": the operator decided. */
void room_approval(void *room, struct bus_request *, struct bytes payload);
int room_bait_prepare(struct preparation *, struct fault *);
int room_bait_open(struct lab_room *, struct fault *);
int runners_open(struct lab_room *, struct fault *);
void runners_watch(struct lab_room *);
void runners_close(struct lab_room *);
void runs_free(struct job *);
/* A thread ended while the process is to stop. */
void room_stopped(struct lab_room *);
/* A runner that is free, for this job; NULL: there is none. */
struct runner_slot *runner_of(struct lab_room *, struct job *);
void job_ran(struct job *, struct run *, const struct fault *);
