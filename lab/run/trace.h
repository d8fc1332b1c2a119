/*
 * The tracer: what the processes of a box ask of the kernel, told by seccomp user notification.
 *
 * One tracer serves all architectures, since what runs here is always x86-64: the sample itself, or
 * the qemu that runs it.  A call is looked at and let go on, so this is a log and no policy: its
 * arguments can change between our look and the kernel's.  Namespaces contain.
 *
 * Two calls are answered by us: uname(2), so that the sample sees an old kernel of a small device, and
 * the long sleep in which samples wait for sandboxes to give up.
 */
#pragma once
#include "lab/run/observed.h"
#include "lab/run/taken.h"
#include "base/address.h"

#define TRACE_PROCESSES_MAX 1024
#define TRACE_ENDPOINTS_MAX 4096
#define TRACE_PATH_MAX 1024

struct trace;

struct trace_plan {
	int listener;              /* box_started.listener; stays the caller's */
	struct observed *seen;
	struct taken *taken;
	const char *sample;        /* its path in the box */
	const char *kernel;        /* what uname(2) says, "3.10.14" */
	const char *machine;       /* "mips"; NULL: as it is */
	const char *host_name;
	/* Called while a process waits to be let go: it is about to exit. */
	void (*exiting)(void *arg, pid_t process);
	void *arg;
};

/* Names of the calls it wants to hear of, for box_plan.told. */
const char *const *trace_calls(void);

int trace_open(struct trace **, const struct trace_plan *, struct arena *);
/* Takes the calls that wait, at most `max`; ERR_GONE when nobody is left to trace. */
int trace_turn(struct trace *, unsigned max);
void trace_close(struct trace *);
/* Which process of the box asked to connect there first; 0: none that we saw. */
uint32_t trace_who_connected(const struct trace *, const struct address *, uint16_t port);
/* How many calls were told. */
uint64_t trace_count(const struct trace *);
