/*
 * A box: an untrusted program in namespaces of its own, with limits, from which nothing comes out
 * but what the caller asked for.
 *
 * Whoever uses boxes starts a keeper before it gives its rights away: a small process that parses
 * nothing from outside, has no network, and starts and clears boxes on request.  Each box is
 * bubblewrap (or, for who lacks it, nothing: boxes are refused) within a user namespace, with
 * private mounts, processes, IPC, host name and network, a cgroup (v1 or v2, whatever there is)
 * and an overlay that holds what the program writes.
 *
 * Who dies takes its boxes along: everything in a box ends with its keeper, and the keeper with its
 * user, so nothing is left mounted or running after a kill -9 of either.
 *
 * Limits are in the plan.  What a limit ended is named in the result, in one word.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"
#include <stdbool.h>
#include <sys/types.h>

#define BOX_FDS_MAX 8
#define BOX_MOUNTS_MAX 64
#define BOX_ARGUMENTS_MAX 256
#define BOX_NAME_MAX 63

enum box_network {
	BOX_NOTHING, /* a network namespace with nothing in it, its loopback down */
	BOX_LOOPBACK, /* the same with its loopback up */
	BOX_SINK,    /* one link, to a second namespace in which the caller answers (box_started.sink) */
};

struct box_mount {
	const char *from;  /* on the host; NULL: an empty tmpfs */
	const char *to;    /* in the box */
	bool writable, optional; /* optional: no fault when `from` is missing */
};

struct box_limits { /* 0: the default beside it */
	uint64_t memory;       /* bytes of all processes together, 256 MiB */
	uint64_t processes;    /* 256 */
	uint64_t time_ms;      /* by the clock, 60 s */
	uint64_t cpu_ms;       /* of all processes together, as time_ms */
	uint64_t disk;         /* bytes that may be written, 64 MiB */
	uint64_t file;         /* size of one file, as disk */
	uint64_t cpus_percent; /* of one processor, 100 */
};

struct box_plan {
	char name[BOX_NAME_MAX + 1];     /* for cgroups and logs: letters, digits, dashes */
	const char *const *argv, *const *env; /* NULL-terminated; argv[0] is a path in the box */
	const char *host_name, *cwd;     /* in the box; NULL: "localhost", "/" */
	uint32_t uid;                    /* in the box: 0 looks like root and is none outside */
	struct box_mount mounts[BOX_MOUNTS_MAX]; /* besides /proc, /dev, /tmp */
	size_t mount_count;
	const char *written;             /* folder on the host for the upper layer; NULL: memory, within `disk` */
	enum box_network network;
	bool traced;                     /* its system calls are told: box_started.listener */
	const char *const *told;         /* which, NULL-terminated; NULL: what box_calls_told() names */
	bool held;                       /* it begins at box_release(), when what answers it stands */
	/*
	 * Lines for the `register` of a binfmt_misc in the box's user namespace (Linux 6.7),
	 * NULL-terminated; with the flag F the interpreter is the host's and need not be seen in the box.
	 */
	const char *const *formats;
	const char *const *deny;         /* system calls that answer EPERM, NULL-terminated, besides those always denied */
	int fds[BOX_FDS_MAX];            /* what it inherits, as 3, 4, … in this order */
	size_t fd_count;
	int output;                      /* its standard output and error; -1: nowhere */
	struct box_limits limits;
};

struct box_started {
	uint64_t number; /* names the box from now on */
	pid_t pid;       /* of the first process of the box, as the host sees it */
	int process;     /* pidfd of it: readable when it ended */
	int listener;    /* seccomp user notification of all its processes; -1: not traced */
	int sink;        /* the network namespace on the other end of its link; -1: none */
	int root;        /* O_PATH of its root directory, to read what it sees; -1: none */
};

struct box_result {
	int status;          /* as of waitpid() */
	char limit[32];      /* "memory", "processes", "time", "cpu", "disk", "file"; empty: none was met */
	bool killed;         /* by us, not by itself */
	uint64_t time_ms, cpu_ms, memory_peak, processes_peak;
	uint64_t disk_used;
	uint64_t start_us;   /* what starting it cost, by the clock */
};

struct box_keeper;

/* Forks the keeper; before sandbox_enter() and before threads.  `scratch` is a folder of the caller's own. */
int box_keeper_open(struct box_keeper **, const char *scratch, struct fault *);
/* Ends all its boxes, waits for it. */
void box_keeper_close(struct box_keeper *);
/* A descriptor that is readable when a box ended: then box_ended() gives its number and result; 0: none is. */
int box_keeper_fd(const struct box_keeper *);
uint64_t box_ended(struct box_keeper *, struct box_result *);

/* The descriptors of `out` are the caller's to close. */
int box_start(struct box_keeper *, const struct box_plan *, struct box_started *out, struct fault *);
/* Lets a box that was held begin. */
int box_release(struct box_keeper *, uint64_t number);
/* Stops all of its processes (to look at their memory), or lets them go on. */
int box_freeze(struct box_keeper *, uint64_t number, bool frozen);
/* Ends it: all processes are killed; the result comes by box_ended(). */
int box_stop(struct box_keeper *, uint64_t number);
/* After box_ended(): forgets it, unmounts and removes what it wrote. */
void box_clear(struct box_keeper *, uint64_t number);

/*
 * The calling process enters the namespace that box_started.sink names, with the rights to set it
 * up (addresses, nftables, transparent sockets); for a process that was forked for this, with one
 * thread.  The link is "box0" there, eth0 in the box.
 */
int box_join(int sink, struct fault *);
#define BOX_SINK_ADDRESS "192.168.1.1"   /* of box0: the box's router */
#define BOX_ADDRESS "192.168.1.104"      /* of the box, /24 */
#define BOX_SINK_ADDRESS6 "fd3c:6b61:6e73::1"
#define BOX_ADDRESS6 "fd3c:6b61:6e73::104" /* /64 */

/* Names of the system calls that a traced box tells unless its plan says others, NULL-terminated. */
const char *const *box_calls_told(void);

/* What this machine can do, for `kansoku doctor`: a sentence for each lack; true when boxes can be made. */
bool box_possible(struct writer *lacks);
