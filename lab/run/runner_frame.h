/*
 * What a runner and its owner say to each other: a kind, a length, and plans and findings as bytes.
 *
 * The runner has handled a sample, so the owner reads what it says as hostile.
 */
#pragma once
#include "base/arena.h"
#include "lab/run.h"

#define RUNNER_BYTES_MAX (288u << 20)
#define RUNNER_COUNT_MAX 65536 /* of anything that is a list */
#define RUNNER_HEADER 12

enum runner_kind { RUNNER_PLAN = 1, RUNNER_SERVED, RUNNER_ASKS, RUNNER_RUN, RUNNER_FAULT };

/* Writes them into a buffer whose limit is RUNNER_BYTES_MAX; ERR_FULL or ERR_MEMORY. */
int runner_plan_write(struct buffer *, const struct run_plan *);
int runner_findings_write(struct buffer *, const struct run_findings *);
/* Texts and lists are copied into the arena; ERR_BAD when the bytes break their form. */
int runner_plan_read(struct bytes, struct arena *, struct run_plan *);
int runner_findings_read(struct bytes, struct arena *, struct run_findings *);
