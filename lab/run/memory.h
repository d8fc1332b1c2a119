/*
 * What lies in the memory of a sample's processes: names and addresses that it has decoded by now.
 *
 * Only what is a process' own is searched (its heap, stacks, what it wrote over its file's data), and
 * only pages that are there; the code that qemu made of it, and our own tools, say nothing of it.
 * A process is searched where it stops: when it asks to exit, or when its box is frozen at the end.
 */
#pragma once
#include "lab/run/found.h"
#include <sys/types.h>

#define MEMORY_BYTES_MAX (128u << 20) /* over all processes */
#define MEMORY_PROCESSES_MAX 32

struct memory {
	struct found *found;
	struct bytes sample; /* what lies there plainly was found without running it */
	uint64_t bytes;      /* searched so far */
	unsigned processes;
};

void memory_search(struct memory *, pid_t process);
