/*
 * Running a sample: what it does, seen from outside, in a box with a world of its own around it.
 *
 * lab_run() starts the sample as its architecture wants it (natively, or under qemu-user by a
 * binfmt_misc of the box's own user namespace), as root or as a plain user of the box; its system
 * calls are told by seccomp user notification (lab/run/trace), its packets end in the sink
 * (lab/run/sink), which answers and keeps a capture; at the end its memory is searched and what it
 * wrote is taken.  Both runs together are what a report says.
 *
 * Nothing leaves: the box's network ends in the sink's namespace, which has no other link.
 */
#pragma once
#include "box/box.h"
#include "lab/lab.h"

#define RUN_FILES_MAX 32

struct egress_plan;
struct config;

struct run_file {
	const char *path;      /* in the box, absolute; folders are made */
	struct bytes content;
	uint32_t mode, uid;    /* 0600, 0 or 1000 */
};

struct run_plan {
	struct bytes sample;
	const char *sha256, *type, *architecture; /* of its findings */
	const char *name;              /* under which it lies in the box, as captured; NULL: a plain one */
	const char *const *arguments;  /* NULL-terminated; NULL: none */
	uint32_t uid;                  /* 0 or 1000 */
	struct box_limits limits;
	const struct run_file *files;  /* that lie there from the start, such as bait (lab/planting.h) */
	size_t file_count;             /* RUN_FILES_MAX at most */
	/* A way out that the operator approved (lab/run/egress.h); NULL: nothing leaves.  Its netns is -1. */
	const struct egress_plan *egress;
	/* Content that a download in the box may be served with: NULL, or by URL as asked for. */
	bool (*served)(void *arg, struct bytes url, struct bytes *content);
	void *arg;
};

enum behaviour_kind {
	DID_PROCESS,  /* subject: command line */
	DID_FILE,     /* subject: path; what: created, changed, deleted, read */
	DID_CONNECT,  /* subject: endpoint; what: tcp, udp, …; count */
	DID_RESOLVE,  /* subject: name */
	DID_REQUEST,  /* subject: URL or first line; what: protocol */
	DID_SCAN,     /* subject: port; count: distinct addresses; what: how */
	DID_FLOOD,    /* subject: endpoint; count: packets; what: udp, syn, http, … */
	DID_COMMAND,  /* subject: endpoint taken for a command server; what: why */
	DID_PERSIST,  /* subject: path; what: cron, rc, systemd, … */
	DID_HIDE,     /* subject: what; e.g. renamed itself, deleted its file, cleared logs */
	DID_LISTEN,   /* subject: endpoint */
	DID_KILL,     /* subject: process it ended */
	DID_OTHER,
	BEHAVIOURS
};
const char *behaviour_name(enum behaviour_kind);

struct behaviour {
	enum behaviour_kind kind;
	const char *subject, *what; /* valid UTF-8 */
	uint64_t count, first_ms, last_ms; /* since the start */
	uint32_t process;                  /* in the box */
};

struct run_findings { /* of one run; everything lives in its arena */
	const char *how;               /* "qemu-mips", "native", "sh", "wine" */
	uint32_t uid;
	struct box_result box;
	const struct behaviour *behaviours;
	size_t behaviour_count;
	const struct indicator *indicators; /* by "run: …" and "memory" */
	size_t indicator_count;
	const struct dropped { const char *path; char sha256[65]; struct bytes content; } *dropped;
	size_t dropped_count;
	/* First bytes that it said to a server that speaks after it: what a check of that server may say. */
	const struct hello { const char *endpoint; struct bytes said; bool registers; } *hellos;
	size_t hello_count;
	struct bytes capture;          /* pcap of all that it sent and got */
	struct bytes output;           /* standard output and error, cut */
	const char *const *limits;
	size_t limit_count;
};

struct run;
/* Runs to its end (limits.time_ms at most); ERR_MISSING: nothing here runs that architecture, the fault says what would. */
int lab_run(struct run **, struct box_keeper *, const struct run_plan *, struct fault *);
const struct run_findings *run_findings(const struct run *);
void run_free(struct run *);
/* Architectures that can be run here, a word each, separated by spaces. */
void lab_runs(struct writer *);

/* Whether lab.egress.on of the configuration lets a run have a way out at all. */
bool lab_egress_is_on(const struct config *);
/*
 * A way out to one endpoint that a person approved, with the caps and decoys of lab.egress.  `name` is
 * what the sample calls it; NULL: it goes by its address.  Lives in the arena.  ERR_DENIED: lab.egress is off.
 */
int lab_egress_plan(const struct config *, const char *name, const struct address *, uint16_t port, struct arena *,
		    const struct egress_plan **, struct fault *);

/*
 * A process that runs samples for one that gives its rights away: tracing and the sink need what a
 * sandboxed role has not (and Landlock lets nobody read the memory of who is outside its domain).
 * Forked before sandbox_enter() and before threads, with a keeper of its own; it runs one sample at
 * a time, so who wants several at once opens several.  It ends with its owner.
 */
struct lab_runner;
/*
 * `scratch` is a folder of this runner's own.  One that was opened without egress refuses every plan
 * that has one, whatever becomes of its owner.
 */
int lab_runner_open(struct lab_runner **, const char *scratch, bool egress, struct fault *);
void lab_runner_close(struct lab_runner *);
/* Readable when lab_runner_take() has something to do. */
int lab_runner_fd(const struct lab_runner *);
/* The plan is copied; its served() is called in the owner's process by lab_runner_take().  ERR_FULL: busy. */
int lab_runner_give(struct lab_runner *, const struct run_plan *, struct fault *);
/* 1: the run ended, and it is in *run, or *run is NULL and the fault says why; 0: not yet; ERR_GONE: it died. */
int lab_runner_take(struct lab_runner *, struct run **, struct fault *);
