/* The tracer's parts: who calls (trace_process.c), and what a call means (trace_files.c, trace_calls.c). */
#pragma once
#include "lab/run/trace.h"
#include <linux/seccomp.h>
#include <sys/types.h>

struct trace_process {
	pid_t thread;          /* as the host counts */
	pid_t process;         /* the same of its process */
	uint32_t boxed;        /* as the box counts */
	int handle;            /* pidfd of the process; -1: not opened yet */
	bool emulated;         /* it is qemu */
	bool tool;             /* it is our busybox */
	unsigned slept;        /* sleeps that we cut short */
};

struct trace {
	struct trace_plan plan;
	struct trace_process *processes; /* TRACE_PROCESSES_MAX, by thread */
	size_t process_count;
	struct trace_endpoint { struct address address; uint16_t port; uint32_t process; } *endpoints;
	size_t endpoint_count;
	uint64_t count;
	struct seccomp_notif *request;
	struct seccomp_notif_resp *answer;
	size_t request_size, answer_size;
};

struct call {
	struct trace *trace;
	struct trace_process *by;
	const uint64_t *a;   /* its arguments */
	bool answered;       /* by us: the kernel is not to do it */
	int64_t result;
};

/* Who that thread is; found by /proc where it is new to us.  NULL: it is gone. */
struct trace_process *trace_process_of(struct trace *, pid_t thread);
/* What follows a call that makes it another program. */
void trace_process_changed(struct trace *, pid_t process);
void trace_processes_close(struct trace *);

/* Reads its memory: what could be read of it, up to n bytes. */
size_t trace_read(const struct call *, uint64_t address, void *out, size_t n);
bool trace_write(const struct call *, uint64_t address, const void *from, size_t n);
/* Text at an address, NUL-terminated and cut; false when there is none. */
bool trace_text(const struct call *, uint64_t address, char *out, size_t size);
/* The path of an argument, made absolute by the directory descriptor or the working directory. */
bool trace_path(const struct call *, int64_t directory, uint64_t address, char out[TRACE_PATH_MAX]);
/* What a descriptor of it is, as /proc says: "/tmp/x", "socket:[7]"; false: nothing. */
bool trace_descriptor(const struct call *, int descriptor, char out[TRACE_PATH_MAX]);
/* Our copy of a descriptor of it; -1: none.  The caller's to close. */
int trace_borrow(const struct call *, int descriptor);

/* How a path is told: numbers of processes are no part of what is done. */
void trace_file(const struct call *, const char *path, const char *what);
/* The file behind a path, before it is changed, deleted or run; 0 when there is nothing. */
void trace_take(const struct call *, const char *path);

/* One handler per call; NULL: nothing is known of it. */
void (*trace_file_handler(int number))(struct call *);
void (*trace_call_handler(int number))(struct call *);
