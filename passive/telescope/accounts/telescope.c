/* Opening, finishing and summing up. */
#include "base/random.h"
#include "passive/telescope/accounts/accounts_inner.h"
#include <stdlib.h>

#define TIMEOUT_US (UINT64_C(624) * 1000000)    /* as in Merit's darknet events */
#define INTERVAL_US (UINT64_C(3600) * 1000000)  /* durations have 32 bits of microseconds */
#define MEMORY (UINT64_C(2) << 30)
#define SCAN_PORTS 25

/* UDP services that answer more than they are asked, or whose answers reach dark space at all. */
static const uint16_t answering_ports[] = {
	17,   19,   53,   69,   111,  123,   137,   161,   389,   427,   500,  520,  623,  1194, 1434,
	1604, 1701, 1900, 3283, 3478, 3702,  5060,  5093,  5351,  5353,  5683, 10001, 11211, 17185,
	27015, 27960, 32414, 37810,
};

static int tables_open(struct telescope *t)
{
	uint64_t accounts = t->options.memory / sizeof(struct account);
	uint64_t sources = t->options.memory / sizeof(struct source);
	uint32_t accounts_most = accounts < INDEX_ITEM_MAX ? (uint32_t)accounts : INDEX_ITEM_MAX;
	uint32_t sources_most = sources < INDEX_ITEM_MAX ? (uint32_t)sources : INDEX_ITEM_MAX;
	bool bad = pool_open(&t->accounts, sizeof(struct account), accounts_most) < 0 ||
		   pool_open(&t->sources, sizeof(struct source), sources_most) < 0 ||
		   index_open(&t->account_index, 1 << 16) < 0 || index_open(&t->source_index, 1 << 14) < 0 ||
		   destination_pools_open(&t->destinations, accounts_most) < 0 ||
		   pool_open(&t->addresses6, sizeof(struct address), sources_most) < 0 ||
		   pool_open(&t->victims, sizeof(struct victim), sources_most) < 0 ||
		   samples_open(&t->shapes, sizeof(struct tcp_shape), t->key[0] >> 32) < 0 ||
		   samples_open(&t->payloads, PAYLOAD_SAMPLE, t->key[1] >> 32) < 0 ||
		   fanin_open(&t->fanin, t->key) < 0;
	t->fanin.quiet_us = t->options.timeout_us;
	t->fanin.quiet_told_us = t->options.timeout_us + t->options.interval_us; /* its last accounts end then */
	t->sources_sketch = calloc(1, SOURCES_SKETCH_BYTES);
	return bad || !t->sources_sketch ? ERR_MEMORY : 0;
}

static void options_complete(struct telescope_options *o)
{
	if (!o->timeout_us)
		o->timeout_us = TIMEOUT_US;
	if (!o->interval_us || o->interval_us > INTERVAL_US)
		o->interval_us = INTERVAL_US;
	if (!o->memory)
		o->memory = MEMORY;
	if (o->memory < TELESCOPE_MEMORY_LEAST)
		o->memory = TELESCOPE_MEMORY_LEAST;
	if (o->watched < 1)
		o->watched = 1;
	if (!o->scan_destinations) /* a tenth of the dark space, as ORION does, but never less than five */
		o->scan_destinations = o->watched > 1000 ? 100 : o->watched < 50 ? 5 : (uint32_t)(o->watched / 10);
	if (!o->scan_ports)
		o->scan_ports = SCAN_PORTS;
}

int telescope_open(struct telescope **out, const struct telescope_options *options,
		   const struct telescope_hooks *hooks, struct fault *fault)
{
	struct telescope *t = calloc(1, sizeof *t);
	if (!t)
		return fault_set(fault, ERR_MEMORY, "telescope: no memory to start with");
	t->options = *options;
	options_complete(&t->options);
	if (hooks)
		t->hooks = *hooks;
	t->key[0] = random_secret() | 1;
	t->key[1] = random_secret() | 1;
	for (size_t i = 0; i < sizeof answering_ports / sizeof *answering_ports; i++)
		t->udp_answer_port[answering_ports[i] / 8] |= (uint8_t)(1 << answering_ports[i] % 8);
	if (tables_open(t) < 0) {
		telescope_close(t);
		return fault_set(fault, ERR_MEMORY,
				 "telescope: address space for tables of %llu MB cannot be reserved; lower `memory`",
				 (unsigned long long)(t->options.memory >> 20));
	}
	*out = t;
	return 0;
}

void telescope_close(struct telescope *t)
{
	if (!t)
		return;
	pool_close(&t->accounts);
	pool_close(&t->sources);
	index_close(&t->account_index);
	index_close(&t->source_index);
	destination_pools_close(&t->destinations);
	samples_close(&t->shapes);
	samples_close(&t->payloads);
	fanin_close(&t->fanin);
	pool_close(&t->victims);
	pool_close(&t->addresses6);
	free(t->sources_sketch);
	free(t);
}

#define AHEAD 16 /* items fetched before their turn */

/* What the telling of an account reads. */
static void account_fetch(const struct telescope *t, const struct account *a)
{
	struct destinations set = {a->destinations_at, a->destinations};
	struct target_key k;
	__builtin_prefetch(pool_item(&t->sources, a->source), 1);
	if (account_target_key(a, &k))
		fanin_prefetch(&t->fanin, &k);
	else if (set.count == DESTINATIONS_SKETCH)
		__builtin_prefetch(destinations_place(&t->destinations, &set, 0));
}

void telescope_finish(struct telescope *t)
{
	accounts_relieve(t);
	for (uint32_t i = 1; i <= t->accounts.high; i++) {
		struct account *a = pool_item(&t->accounts, i);
		if (i + AHEAD <= t->accounts.high)
			account_fetch(t, pool_item(&t->accounts, i + AHEAD));
		if (!a->packets)
			continue;
		account_tell(t, a, RECORD_END);
	}
	for (uint32_t i = 1; i <= t->sources.high; i++) {
		const struct source *s = pool_item(&t->sources, i);
		if (s->packets)
			source_tell(t, s);
	}
}

struct packet_counts *telescope_counts(struct telescope *t)
{
	return &t->sums.packets;
}

void telescope_sums(const struct telescope *t, struct sums *out)
{
	*out = t->sums;
	out->accounts_now = t->accounts.live;
	out->sources_now = t->sources.live;
	out->memory = accounts_memory(t);
	if (out->memory > out->memory_peak)
		out->memory_peak = out->memory;
	out->shapes_unkept = t->shapes.unkept;
	out->payloads_unkept = t->payloads.unkept;
	out->targets_unkept = t->fanin.unkept;
	if (out->sources_estimated)
		out->sources = (uint64_t)sketch_estimate(t->sources_sketch, SOURCES_SKETCH_BITS);
}

bool telescope_source_spoofed(struct telescope *t, const struct address *a)
{
	uint32_t item = source_find(t, a, source_hash(t, a));
	return item && ((const struct source *)pool_item(&t->sources, item))->bits & SOURCE_SPOOFED;
}
