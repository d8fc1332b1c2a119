/*
 * What a run did, as it is seen: the same deed again counts, the number of different ones is bounded.
 */
#pragma once
#include "base/arena.h"
#include "lab/run.h"

#define RUN_BEHAVIOURS_MAX 4096
#define RUN_SUBJECT_MAX 1024
#define RUN_LIMITS_MAX 32

struct observed {
	struct arena *arena;
	struct behaviour *all; /* RUN_BEHAVIOURS_MAX of them, in the order they were first seen */
	size_t count;
	uint16_t *slots;       /* hash of kind, subject and what → index + 1 */
	const char *limits[RUN_LIMITS_MAX];
	size_t limit_count;
	uint64_t start_us;     /* by the monotonic clock */
};

int observed_open(struct observed *, struct arena *);
/* `subject` is cut and made UTF-8: what is none of it becomes \xNN.  NULL when there is no more room. */
struct behaviour *observe(struct observed *, enum behaviour_kind, struct bytes subject, const char *what,
			  uint32_t process);
/* The same with times and a count of the caller's. */
struct behaviour *observe_times(struct observed *, enum behaviour_kind, struct bytes subject, const char *what,
				uint64_t count, uint64_t first_ms, uint64_t last_ms);
/* A limit that was met, a word as "trace.files"; told once. */
void observe_limit(struct observed *, const char *word);
bool observed_has(const struct observed *, enum behaviour_kind, const char *what);
/* Milliseconds since the run began. */
uint64_t observed_now_ms(const struct observed *);
/* Text of anything: UTF-8 stays, other bytes and control characters become \xNN. */
void write_visible(struct writer *, struct bytes);
