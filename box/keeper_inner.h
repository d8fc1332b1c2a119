/*
 * The keeper's side: its boxes, how one is started, watched and ended.
 */
#pragma once
#include "box/box_inner.h"
#include "box/cgroup_inner.h"

enum life { LIFE_NONE, LIFE_RUNS, LIFE_ENDING, LIFE_ENDED };

struct met { /* a limit that is run into, but does not end a program by itself */
	uint64_t first_ns, last_ns;
};

struct living {
	enum life life;
	uint64_t number;
	struct box_limits limits;
	bool written, frozen, program_gone;
	pid_t stage, program, first_pid;
	int stage_fd, program_fd, first; /* pidfds; `first` is the first process of the box */
	int gate, channel, tree, dev, sink, formats, mounts; /* `mounts`: its mount namespace, to be read after its end */
	struct cgroup cgroup;
	uint64_t started_ns, forks_refused, tallied_ns;
	struct met crowded, full;
	struct box_result result;
};

struct keeper {
	int requests, notices, janitor; /* the janitor's pipe, held open */
	pid_t self, janitor_pid;
	uint64_t numbers;
	struct cgroups cgroups;
	struct living boxes[BOXES_MAX];
};

_Noreturn void keeper_run(int requests, int notices);

uint64_t keeper_now_ns(void);
/* Fills in `b` and the reply; on failure nothing of the box is left. */
int living_start(struct keeper *, struct living *b, struct plan *, struct reply *, int *listener, int *root);
/* Looks after limits and ends; called every few milliseconds. */
void living_watch(struct keeper *, struct living *);
void living_end(struct keeper *, struct living *, const char *limit);
/* Without control groups: what /proc says of its processes, and signals to all of them. */
void tally_use(const struct living *, struct cgroup_use *);
int tally_stop(const struct living *, bool stopped);
/* Closes what it holds; with `written`, removes what it wrote. */
void living_clear(struct keeper *, struct living *);
