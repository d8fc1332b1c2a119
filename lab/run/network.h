/*
 * What the sink saw, told as behaviour: connections, names, requests, scans, floods, and which of the
 * servers that it spoke to it takes orders from.
 */
#pragma once
#include "lab/run/found.h"
#include "lab/run/sink.h"
#include "lab/run/trace.h"

#define RUN_HELLOS_MAX 64

struct network {
	struct observed *seen;
	struct found *found;
	const struct trace *trace; /* who connected; NULL: not traced */
	struct hello *hellos;      /* RUN_HELLOS_MAX */
	size_t hello_count;
};

void network_tell(struct network *, const struct run_sink_findings *);
