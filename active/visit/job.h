/*
 * A visit on a thread, for who has a loop: the browsers' sockets are served by a proxy_visit of that
 * loop, the looks are driven by a thread of libuv's pool (so SANDBOX_THREADS is needed).
 *
 * All functions are called on the loop's thread, and `done` is called there, once.
 */
#pragma once
#include "active/visit/proxy.h"
#include "active/visit/visit.h"

struct visit_job;
/*
 * `plan` is copied, what it points to stays until `done`; its callbacks are the job's own.  The proxy_visit and
 * the keeper stay the caller's and are used until `done`.
 */
int visit_job_start(struct visit_job **, uv_loop_t *, struct proxy_visit *, struct box_keeper *, const struct visit_plan *,
		    void (*done)(void *arg, struct visit_job *), void *arg, struct fault *);
void visit_job_stop(struct visit_job *); /* it ends soon */
/* After `done`: what was found; NULL with the fault where there is nothing. */
const struct visit_findings *visit_job_findings(const struct visit_job *, const char **fault);
void visit_job_free(struct visit_job *); /* after `done` */
