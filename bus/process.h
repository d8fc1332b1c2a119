/*
 * What a process of kansoku is.
 *
 * One binary, one process per role; `struct role` says what it may do and with whom it
 * talks.  `kansoku run` (the parent) reads the configuration, calls each role's prepare()
 * to open what needs rights, starts the process, hands down descriptors by name, links it
 * to its peers, and starts it again when it dies.
 *
 * In the process, run() sets up its room, calls process_enter() (which takes the rights
 * away and links the bus) and then uv_run()s until the stop hook.
 */
#pragma once
#include "base/options.h"
#include "base/sandbox.h"
#include "bus/bus.h"

#define PROCESS_FDS_MAX 1024
#define PROCESS_NAME_MAX 64

struct process {
	const struct role *role;
	unsigned worker, workers; /* this one's number, and how many run this role */
	const struct config *config;
	uv_loop_t *loop;
	struct bus *bus;
	size_t fds_count;
	struct process_fd {
		char name[PROCESS_NAME_MAX]; /* "tcp:[::]:23" */
		int fd;
	} *fds;
	bool sandboxed; /* false: --no-sandbox, said loudly */
};

struct preparation; /* the parent's side */
const struct config *preparation_config(const struct preparation *);
unsigned preparation_worker(const struct preparation *);
unsigned preparation_workers(const struct preparation *);
const char *preparation_state(const struct preparation *); /* absolute path of the state directory */
/* Hands a descriptor down under that name to this and every later process of the role and worker. */
int preparation_give(struct preparation *, const char *name, int fd);
/*
 * Lets the process reach a path; a relative one lies in the state directory.  A missing directory
 * is created 0700 and owned by the role's uid.
 */
int preparation_path(struct preparation *, const char *path, bool writable);

struct role {
	const char *name, *summary;
	unsigned rights;             /* of enum sandbox_right */
	kind_mask sends;             /* kinds it may send */
	/*
	 * Roles that it needs, NULL-terminated: it begins when they stand and stops before them, so
	 * no two roles may need each other; a link goes both ways and is made once per pair.
	 */
	const char *const *talks_to;
	bool relays;                 /* passes on events of others, whose stamps stay (journal) */
	bool unsanitized;            /* runs from the second build (it loads chDB) */
	bool optional;               /* the others begin without it when it cannot start */
	bool door;                   /* command lines may ask it, at STATE/run/NAME.sock */
	unsigned stop_s;             /* it may take so long to end, then it is killed; 0: 10 */
	/* How many processes; NULL: one.  0: the configuration does not want it. */
	unsigned (*workers)(const struct config *);
	int (*check)(const struct config *, struct fault *); /* its own reading of its options; may be NULL */
	/* What is correct and yet must not go unseen, a line each, for check-config; may be NULL. */
	void (*warn)(const struct config *, struct writer *);
	int (*prepare)(struct preparation *, struct fault *); /* as root where there is root; may be NULL */
	int (*run)(struct process *, struct fault *);         /* until stopped: 0 */
};

#define ROLE(r) REGISTER(roles, struct role, r)
REGISTRY(roles, struct role);
#define ROLES_EACH(it) REGISTRY_EACH(roles, struct role, it)
const struct role *role_find(const char *name);

int process_fd(const struct process *, const char *name); /* -1 when it was not handed down */
const char *process_state(const struct process *);  /* absolute path of the state directory */
const char *process_sensor(const struct process *); /* this machine's name in events */
/*
 * Takes the rights away, tells the parent that we are ready, and runs the loop until every
 * link stands.  Subscribe and name topics (p->bus) before.
 */
int process_enter(struct process *, const struct bus_hooks *, struct fault *);
/* For the stop hook: flushes the bus, then stops the loop. */
void process_leave(struct process *);

/* What main() calls for `kansoku process ROLE`, with the parent's channel as descriptor 3. */
int process_main(const char *role);
