/* A scan's state, shared by what opens it (open.c) and what runs it (scan.c). */
#pragma once
#include "active/scan/limits_inner.h"
#include "active/scan/plan_inner.h"
#include "active/scan/receive_inner.h"
#include "active/scan/seen_inner.h"
#include "active/scan/send_inner.h"

#define TEMPLATES_MAX 32
#define NO_PORT 0xffff

struct scan {
	struct scan_options options;
	struct plan plan;
	struct sender *sender;
	struct receiver *receiver;
	struct seen *seen;
	struct limit *network, *target;
	struct waiting waiting;
	uint64_t batch_networks[SEND_BATCH], batch_targets[SEND_BATCH]; /* whom the batch goes to */
	size_t batched;
	const struct prefix_set *refused;
	struct validation validation;
	struct scan_counts counts;
	enum scan_phase phase;
	unsigned interface;
	uint64_t position;       /* the next that was not taken from the plan */
	uint64_t pass_end;       /* the position at which this pass ends */
	uint64_t phase_until_us; /* monotonic: of the pause between passes, of the cooldown */
	uint64_t paced_from_ns, paced; /* packets since then */
	uint64_t began_us, began_at;   /* for the time left */
	uint16_t ports[SCAN_PORTS_MAX];
	uint16_t port_index[65536]; /* NO_PORT: not asked */
	struct template templates[2][TEMPLATES_MAX]; /* by family: IPv6, IPv4 */
	const struct scan_question *asked[TEMPLATES_MAX];
	uint8_t template_of[SCAN_PORTS_MAX];
	size_t template_count;
	char page[SCAN_PAGE_MAX + 1];
	uint8_t payload[SCAN_PAYLOAD_MAX];
};

static inline struct source_ports scan_ports(const struct scan_options *o)
{
	return (struct source_ports){o->source_low, (uint16_t)(o->source_high - o->source_low + 1)};
}
