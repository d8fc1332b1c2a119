/*
 * Sources by schedule: each is looked at when its time has come, one after the other.  A file that is as it
 * was (inode, size, time of change) is not read again, and a URL is asked only for what is newer.
 */
#pragma once
#include "share/intake/asked_inner.h"

#define FILES_REMEMBERED 4096

struct schedule {
	struct exchange *exchange;
	uv_timer_t timer;
	uv_work_t work;
	bool working, stopped;
	struct calls *calls;       /* sources with a client */
	size_t current;            /* the source that is fetched */
	struct question_asked question; /* what it is asked, when it is such a source */
	struct fetched fetched;    /* its conditions, while the thread has them */
	struct fetch_result result;
	struct source_state {
		uint64_t due_us;
		struct fetched fetched;
		bool failing;
	} states[SOURCES_MAX];
	struct file_mark { /* of files that were read, newest last */
		uint64_t inode, size, changed_ns;
	} files[FILES_REMEMBERED];
	size_t files_count;
};

int schedule_open(struct schedule *, struct exchange *, struct fault *);
void schedule_start(struct schedule *);
void schedule_wake(struct schedule *); /* the bus has room again */
void schedule_stop(struct schedule *);
void schedule_close(struct schedule *); /* waits for what still runs */
/* What became of a source's turn: a failure is told once, and once that it is over (why: NULL). */
void schedule_note(struct schedule *, size_t source, const char *why);
