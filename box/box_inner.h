/*
 * What the parts of the room share: the plan on its way to the keeper, and the steps of a start.
 *
 * Who is who: the user calls box_start(); the keeper, forked from it, forks a stage, which mounts
 * what the box is to see and becomes bubblewrap; bubblewrap makes the namespaces and stops as their
 * first process; an entrant enters them and forks the program, whose parent is the keeper.
 */
#pragma once
#include "box/box.h"

#define PLAN_MAX (1u << 20)        /* bytes of a plan as it goes to the keeper */
#define BOXES_MAX 64               /* of one keeper at once */
#define START_MS_MAX 10000         /* for each step of a start */
#define FILES_MAX 4096             /* descriptors of one process in a box */
#define UID_SPAN 65536             /* users of a box, where there is root to give them */
#define WHY_MAX 400

enum request_op { REQUEST_START = 1, REQUEST_RELEASE, REQUEST_FREEZE, REQUEST_STOP, REQUEST_CLEAR };

struct request { /* its plan and its descriptors travel beside it */
	uint32_t op, flag;
	uint64_t number;
};

enum reply_fd { REPLY_PROCESS, REPLY_LISTENER, REPLY_SINK, REPLY_ROOT, REPLY_FDS };

struct reply {
	int32_t code; /* 0 or an error */
	int32_t pid;
	uint64_t number;
	bool has[REPLY_FDS]; /* which descriptors came along, in this order */
	struct fault fault;
};

struct notice { /* a box ended */
	uint64_t number;
	struct box_result result;
};

/* A plan as the keeper has it: its texts are in `store`; descriptors are its own. */
struct plan {
	struct box_plan box;
	uint8_t *store;
	const char **lists[5]; /* argv, env, deny, told, formats */
};

void plan_write(struct writer *, const struct box_plan *);
/* Takes over `store` (also when it fails); descriptors are set by the caller. */
int plan_read(struct plan *, uint8_t *store, size_t len);
void plan_done(struct plan *);

/* Messages with descriptors over a socket pair that keeps their bounds. */
int pass_send(int fd, const void *message, size_t len, const int *fds, size_t count);
/* Bytes received, 0 when the other end is closed; fds that did not come are -1. */
ssize_t pass_receive(int fd, void *message, size_t len, int *fds, size_t count);

/* How a box's users are told from those of the host. */
struct users {
	bool ranged;    /* the keeper is root: 0..65535 in the box are `base` and up outside */
	uint32_t base;  /* else the one user of the box is the keeper's own */
};

/* The stage's life; returns only exit codes.  It reports over `channel`, see stage.c. */
_Noreturn void stage_run(const struct plan *, const struct users *, int channel, int errors);
/* What the stage says and is told, a byte each. */
#define STAGE_GO 'g'      /* told: you are in your cgroup */
#define STAGE_READY 'r'   /* said, with the listener of the gate, the tree, and the sink's namespace */

/* Opens the namespaces behind `first` (pidfd of bubblewrap's child) and forks the program there. */
struct entrance {
	const struct plan *plan;
	const struct users *users;
	int first;          /* pidfd */
	int channel;        /* to the keeper */
	pid_t keeper;
	const int *cgroups; /* cgroup.procs to enter, count */
	size_t cgroup_count;
	bool pids;          /* one of them limits the number of processes */
};
_Noreturn void entrant_run(const struct entrance *);
#define ENTRANT_PID 'p'      /* said, with the pid */
#define ENTRANT_LISTENER 'l' /* said, with the descriptor */
#define ENTRANT_FAULT 'f'    /* said, with a sentence; then it ends */
#define ENTRANT_FORMATS 'b'  /* said, with the mount of binfmt_misc to hold */
#define ENTRANT_HOLD 'h'     /* said: all is ready; told: begin */
struct entrant_said {
	char what;
	int32_t pid;
	char why[WHY_MAX];
};

/* Loads the filter of a box; -1, or the listener when it is traced. */
int filter_load(const struct box_plan *, int channel, struct fault *);
/* Stops whoever reads from `gate_fd` until someone answers the listener that is returned. */
int filter_gate(int gate_fd);
/* Names of system calls that this kernel's libseccomp does not know are refused. */
int filter_check(const struct box_plan *, struct fault *);

/* The box's side of the link, or its loopback: interfaces up, addresses, route. */
int link_raise(enum box_network);
/* From the sink's side: makes the pair, its other end in the namespace `box`; then raises this side. */
int link_make(int box_network_namespace);

int path_bwrap(char *path, size_t n); /* ERR_MISSING: bubblewrap is not installed */
