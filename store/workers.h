/*
 * A few threads that do what blocks, in the order it was given.
 *
 * chDB wants one connection a thread, so each thread has a context of its own, made in it.
 * A job runs in a thread and is done on the loop.  In between it may call the loop and wait
 * (for sending parts of an answer).  A pool of one thread keeps order.
 */
#pragma once
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct job {
	void (*run)(struct job *, void *context);
	void (*done)(struct job *); /* on the loop; frees it */
	struct job *next;
};

struct workers;

/* `begin` makes a thread's context; an error of it is told to each of its jobs as NULL. */
int workers_open(struct workers **, uv_loop_t *, unsigned threads, size_t queue_max,
		 void *(*begin)(void *arg), void *arg);
int workers_give(struct workers *, struct job *); /* 0, or ERR_FULL: it is not taken */
/* From a job's run(): has the loop call it, and waits until it has. */
void workers_call(struct workers *, void (*call)(void *), void *arg);
size_t workers_busy(const struct workers *); /* jobs given and not done */
bool workers_ending(struct workers *);       /* for jobs that wait for better times */
/* Ends after the jobs that run; those that wait are done() without having run: say so in them. */
void workers_close(struct workers *);
