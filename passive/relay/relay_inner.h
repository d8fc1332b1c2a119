/* The relay's own side: role.c is its life, far.c its connections. */
#pragma once
#include "bus/process.h"
#include "passive/relay/relay.h"
#include "passive/room/room_inner.h"

#define RELAY_FARS_MAX 4096
#define RELAY_BACKENDS_MAX 256

struct relay_backend {
	const char *persona, *service;
	const struct backend *is;
	uint64_t connections;
	bool down; /* the last try failed, and that was told */
};

struct relay {
	struct process *process;
	const struct relay_options *options;
	struct persona_set personas;
	struct relay_backend backends[RELAY_BACKENDS_MAX];
	size_t backend_count;
	LIST_HEAD(, far) fars;
	uv_timer_t sweep;
	uint64_t far_count;
};

void relay_topics(struct relay *);
/* Closes what a backend does not let end; stopped before the process leaves. */
void relay_sweep_start(struct relay *);
/* Ends the connections of that worker, or all. */
void relay_end_all(struct relay *, const struct bus_peer *);
