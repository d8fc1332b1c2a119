/*
 * Where tunnels through decoys end: proxies take what a peer sends through them, tell its begin,
 * and pass nothing on.  The session's recording has the rest, as far as recordings go.
 */
#pragma once
#include "passive/service.h"

#define SINK_TOLD_MAX 4096
#define SINK_BYTES_MAX (1u << 20) /* then the tunnel breaks, as if the far end had hung up */

struct sink {
	uint8_t *target; /* "host:port", on the session's arena */
	uint32_t target_len, taken;
};

void sink_open(struct session *, struct sink *, struct bytes target);
enum service_next sink_take(struct session *, struct sink *, struct reader *);
