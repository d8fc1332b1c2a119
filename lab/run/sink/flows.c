/*
 * Packets to flows, scans and floods.
 *
 * Flows are told one by one up to a number.  What counts for scans and floods is kept beside them in
 * tables that a flow more does not cost: per port the addresses, per address the packets.
 */
#include "lab/run/sink/world.h"

struct flow_key {
	struct address address;
	uint16_t port;
	uint8_t transport, what; /* so that flows, ports and places do not meet */
};

enum { KEY_FLOW = 1, KEY_PORT, KEY_PLACE, KEY_SCANNED, KEY_SOURCE };

static struct bytes key_bytes(const struct flow_key *k)
{
	_Static_assert(sizeof(struct flow_key) == 20, "no byte of a key is padding");
	return (struct bytes){(const uint8_t *)k, sizeof *k};
}

struct sink_flow *world_flow(struct world *w, const struct address *a, uint16_t port, uint8_t transport)
{
	const struct flow_key key = {*a, port, transport, KEY_FLOW};
	uint64_t hash = known_hash(&w->flows_known, key_bytes(&key));
	uint32_t number = known_find(&w->flows_known, hash);
	if (number != KNOWN_NONE)
		return &w->flows[number];
	if (!known_add(&w->flows_known, hash, (uint32_t)w->flow_count, NULL)) {
		world_limit(w, "sink.flows");
		return NULL;
	}
	struct sink_flow *f = &w->flows[w->flow_count++];
	*f = (struct sink_flow){.address = *a, .port = port, .transport = transport, .first_ms = w->now_ms,
				.last_ms = w->now_ms, .protocol = ""};
	return f;
}

struct sink_flow *world_connected(struct world *w, const struct address *a, uint16_t port)
{
	struct sink_flow *f = world_flow(w, a, port, SINK_TCP);
	if (f)
		f->connections++;
	return f;
}

bool world_may_echo(struct world *w, const struct sink_flow *f)
{
	uint8_t *echoes = &w->echoes[f - w->flows];
	*echoes += *echoes < ECHOES_MAX + 1;
	return *echoes <= ECHOES_MAX;
}

/* Whether this is the first of its kind; past the table's end it is not, and `full` says so. */
static bool distinct_new(struct world *w, const struct flow_key *key, bool *full)
{
	bool fresh = false;
	uint64_t hash = known_hash(&w->distinct, key_bytes(key));
	if (!known_add(&w->distinct, hash, 0, &fresh)) {
		world_limit(w, "sink.addresses");
		*full = true;
		return false;
	}
	return fresh;
}

/*
 * Addresses that stand for names are meant one by one; scans draw theirs.  Returns how many
 * addresses that port was tried at.
 */
static uint64_t port_count(struct world *w, const struct packet_seen *p)
{
	bool opens = p->transport == SINK_TCP ? p->syn && !p->ack : true;
	if (!opens || p->fragment || world_name_of(w, &p->destination).len)
		return 0;
	const struct flow_key key = {.port = p->port, .transport = p->transport, .what = KEY_PORT};
	uint64_t hash = known_hash(&w->ports_known, key_bytes(&key));
	uint32_t number = known_find(&w->ports_known, hash);
	if (number == KNOWN_NONE) {
		if (!known_add(&w->ports_known, hash, (uint32_t)w->port_count, NULL)) {
			world_limit(w, "sink.ports");
			return 0;
		}
		number = (uint32_t)w->port_count++;
		w->ports[number].scan = (struct sink_scan){.port = p->port, .transport = p->transport, .first_ms = w->now_ms};
	}
	struct sink_scan *s = &w->ports[number].scan;
	const struct flow_key scanned = {p->destination, p->port, p->transport, KEY_SCANNED};
	s->addresses += distinct_new(w, &scanned, &s->at_least);
	s->packets++;
	s->last_ms = w->now_ms;
	return s->addresses;
}

/* NULL: the table is full; a scan fills it, and who is flooded was mostly there before. */
static struct world_place *place_find(struct world *w, const struct packet_seen *p, uint32_t *number)
{
	const struct flow_key key = {.address = p->destination, .transport = p->transport, .what = KEY_PLACE};
	uint64_t hash = known_hash(&w->places_known, key_bytes(&key));
	*number = known_find(&w->places_known, hash);
	if (*number == KNOWN_NONE) {
		if (!known_add(&w->places_known, hash, (uint32_t)w->place_count, NULL))
			return NULL;
		*number = (uint32_t)w->place_count++;
		w->places[*number] = (struct world_place){.address = p->destination, .transport = p->transport,
			.first_ms = w->now_ms, .port = p->port};
	}
	return &w->places[*number];
}

static void place_count(struct world *w, const struct packet_seen *p, const struct sink_flow *f,
			struct world_place *place, uint32_t number)
{
	place->packets++;
	place->bytes += p->bytes;
	place->last_ms = w->now_ms;
	place->ports |= p->port != place->port;
	if (p->transport == SINK_TCP) {
		place->syns += p->syn && !p->ack;
		place->naked += !p->syn && (!f || !f->connections);
	}
	/* Of IPv6 a host has several addresses by right. */
	if (address_is_v4(&p->source) && !address_equal(&p->source, &w->box)) {
		const struct flow_key source = {.address = p->source, .port = (uint16_t)number, .what = KEY_SOURCE};
		bool full = false;
		place->sources += distinct_new(w, &source, &full);
	}
}

static struct sink_flow *flow_find(struct world *w, const struct address *a, uint16_t port, uint8_t transport)
{
	const struct flow_key key = {*a, port, transport, KEY_FLOW};
	uint32_t number = known_find(&w->flows_known, known_hash(&w->flows_known, key_bytes(&key)));
	return number == KNOWN_NONE ? NULL : &w->flows[number];
}

static bool is_telling(struct world *w, const struct sink_flow *f)
{
	if (!f)
		return w->other_packets++ < OTHER_PACKETS_KEPT;
	return f->connections || f->packets + f->answered_packets <= FLOW_PACKETS_KEPT;
}

static bool packet_to_box(struct world *w, const struct packet_seen *p)
{
	struct sink_flow *f = flow_find(w, &p->source, p->fragment ? 0 : p->source_port, p->transport);
	if (f) {
		f->answered_packets++;
		f->answered_bytes += p->bytes;
	}
	return is_telling(w, f);
}

/*
 * A scan or a flood over many ports would fill the table of flows before the one that matters is
 * seen, so what belongs to one is no flow of its own beyond the first few.
 */
bool world_packet(struct world *w, const struct packet_seen *p)
{
	w->packets++;
	if (!p->from_box)
		return packet_to_box(w, p);
	uint16_t port = p->fragment ? 0 : p->port;
	uint64_t scanned = port_count(w, p);
	struct sink_flow *f = flow_find(w, &p->destination, port, p->transport);
	uint32_t number = KNOWN_NONE;
	struct world_place *place = scanned > SCAN_FLOWS_MAX && !f ? NULL : place_find(w, p, &number);
	if (!f && place && place->flows < PLACE_FLOWS_MAX) {
		f = world_flow(w, &p->destination, port, p->transport);
		place->flows += f != NULL;
	}
	if (f) {
		f->packets++;
		f->bytes += p->bytes;
		f->last_ms = w->now_ms;
	}
	if (place)
		place_count(w, p, f, place, number);
	return is_telling(w, f);
}

static uint64_t per_second(uint64_t packets, uint64_t first_ms, uint64_t last_ms)
{
	return packets * 1000 / (last_ms - first_ms + 1000);
}

static bool is_many(uint64_t packets, const struct world_place *p)
{
	return packets >= FLOOD_PACKETS_MIN && per_second(packets, p->first_ms, p->last_ms) >= FLOOD_PER_SECOND_MIN;
}

static const char *place_flood(const struct world_place *p)
{
	switch (p->transport) {
	case SINK_TCP:
		return is_many(p->naked, p) && p->naked > p->syns ? "ack" : is_many(p->syns, p) ? "syn" : NULL;
	case SINK_UDP:
		return is_many(p->packets, p) ? "udp" : NULL;
	case SINK_ICMP:
	case SINK_ICMP6:
		return is_many(p->packets, p) ? "icmp" : NULL;
	case SINK_GRE:
		return is_many(p->packets, p) ? "gre" : NULL;
	}
	return is_many(p->packets, p) ? "ip" : NULL;
}

/* Of one endpoint, by whole connections: what is asked over them tells more than their packets. */
static const char *flow_flood(const struct sink_flow *f)
{
	if (f->transport != SINK_TCP || f->connections < FLOOD_CONNECTIONS_MIN)
		return NULL;
	return !strncmp(f->protocol, "http", 4) ? "http" : *f->protocol ? f->protocol : "connect";
}

static size_t floods_of_flows(struct world *w, struct sink_flood *out)
{
	size_t n = 0;
	for (size_t i = 0; i < w->flow_count; i++) {
		const struct sink_flow *f = &w->flows[i];
		const char *what = flow_flood(f);
		if (!what)
			continue;
		out[n++] = (struct sink_flood){.endpoint = f->endpoint, .what = what, .packets = f->packets,
			.bytes = f->bytes, .first_ms = f->first_ms, .last_ms = f->last_ms};
	}
	return n;
}

static size_t floods_of_places(struct world *w, struct sink_flood *out)
{
	size_t n = 0;
	for (size_t i = 0; i < w->place_count; i++) {
		const struct world_place *p = &w->places[i];
		const char *what = place_flood(p);
		if (!what)
			continue;
		/* Real connections open with SYN, too: that flood has been told by what they asked. */
		const struct sink_flow *f = p->transport == SINK_TCP ? world_flow(w, &p->address, p->port, SINK_TCP) : NULL;
		if (!strcmp(what, "syn") && f && f->connections * 2 > p->syns)
			continue;
		out[n++] = (struct sink_flood){
			.endpoint = world_endpoint(w, &p->address, p->ports ? 0 : p->port), .what = what,
			.packets = p->packets, .bytes = p->bytes, .first_ms = p->first_ms, .last_ms = p->last_ms,
			.sources = p->sources};
	}
	return n;
}

static size_t scans_of_ports(const struct world *w, struct sink_scan *out)
{
	size_t n = 0;
	for (size_t i = 0; i < w->port_count; i++)
		if (w->ports[i].scan.addresses >= SCAN_ADDRESSES_MIN)
			out[n++] = w->ports[i].scan;
	return n;
}

void world_conclude(struct world *w, struct run_sink_findings *out)
{
	for (size_t i = 0; i < w->flow_count; i++) {
		struct sink_flow *f = &w->flows[i];
		f->named = world_name_of(w, &f->address).len > 0;
		f->endpoint = world_endpoint(w, &f->address, f->port);
	}
	struct sink_flood *floods = arena_alloc(&w->arena, (w->flow_count + w->place_count + 1) * sizeof *floods);
	struct sink_scan *scans = arena_alloc(&w->arena, (w->port_count + 1) * sizeof *scans);
	if (!floods || !scans)
		world_limit(w, "sink.text");
	*out = (struct run_sink_findings){
		.flows = w->flows, .flow_count = w->flow_count, .names = w->names, .name_count = w->name_count,
		.requests = w->requests, .request_count = w->request_count, .hellos = w->hellos,
		.hello_count = w->hello_count, .floods = floods, .scans = scans, .packets = w->packets,
		.packets_missed = w->packets_missed};
	if (floods)
		out->flood_count = floods_of_flows(w, floods);
	if (floods)
		out->flood_count += floods_of_places(w, floods + out->flood_count);
	if (scans)
		out->scan_count = scans_of_ports(w, scans);
	out->limits = w->limits;
	out->limit_count = w->limit_count;
}
