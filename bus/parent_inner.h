/* What the parent's files share: children, and what each was given. */
#pragma once
#include "bus/channel_inner.h"
#include "bus/parent.h"
#include "bus/process.h"

#define CHILDREN_MAX 64
#define GIVEN_MAX PROCESS_FDS_MAX
#define STATE_PATH_MAX 200

struct given {
	char name[PROCESS_NAME_MAX];
	int fd;
};

struct preparation { /* a role's prepare() sees it as opaque */
	const struct config *config;
	const char *state;
	unsigned worker, workers;
	uint32_t uid;
	struct given *given;
	size_t given_count;
	struct {
		char path[STATE_PATH_MAX + 64];
		bool writable;
	} paths[24];
	size_t path_count;
};

struct child {
	struct parent *parent;
	const struct role *role;
	struct preparation prepared;
	pid_t pid; /* 0: not running */
	int channel;
	uv_poll_t poll;
	uv_timer_t restart;
	bool polling, ready, told_linked, told_stop, failed_start;
	unsigned deaths;
	uint64_t started_us, died_us; /* monotonic */
};

struct parent {
	const struct parent_options *options;
	const struct run_options *run;
	char state[STATE_PATH_MAX];
	int config_fd, lock_fd;
	uv_loop_t *loop;
	struct bus *bus;
	bool bus_linked, announced, stopping, failed, own_uids;
	uint64_t stop_deadline_us;
	struct fault *fault;
	struct child children[CHILDREN_MAX];
	size_t count;
	uv_signal_t term, interrupt, dead;
	uv_timer_t watch;
	unsigned greeting_waits;
};

/* parent_prepare.c: before anything is started. */
int parent_prepare(struct parent *, struct fault *);
/* Sends the process all that it was given. */
void child_hand_down(struct child *);

/* parent_links.c: who talks with whom. */
void parent_link_child(struct parent *, struct child *);
void parent_tell_linked(struct parent *);
bool role_talks_to(const struct role *, const char *name);
void parent_report(struct parent *, const struct child *, const char *state, const char *detail);
