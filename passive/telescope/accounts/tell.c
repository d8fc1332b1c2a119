/* Accounts become records, sources their sums. */
#include "passive/telescope/accounts/accounts_inner.h"

/* Initial TTLs in use are 32, 64, 128 and 255; what is missing are the routers on the way. */
static void ttl_guess(uint8_t ttl, uint8_t *initial, uint8_t *hops)
{
	*initial = ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
	*hops = (uint8_t)(*initial - ttl);
}

/*
 * Systems behind one address differ in initial TTL, distance or shape (port forwarding, NAT).
 * Only what an operating system sent counts: tools write what they like.
 */
static void hosts_add(const struct telescope *t, struct source *s, const struct account *a)
{
	uint8_t initial, hops;
	ttl_guess(a->ttl_max, &initial, &hops);
	if (!a->shape || a->ttl_max - a->ttl_min > 1 || hops > 35) /* p0f holds no host to be farther */
		return;
	uint16_t class = initial == 32 ? 0 : initial == 64 ? 1 : initial == 128 ? 2 : 3;
	uint8_t shape = (uint8_t)(sample_of(&t->shapes, a->shape)->hash >> 8) | 1; /* so that none is 0 */
	uint16_t code = (uint16_t)(class << 14 | hops << 8 | shape);
	for (unsigned i = 0; i < SOURCE_HOSTS; i++) {
		uint16_t other = s->hosts[i];
		if (!other) {
			s->hosts[i] = code;
			return;
		}
		/* One hop more or less with the same shape is a route that changed. */
		int distance = (other >> 8 & 63) - hops;
		if (other >> 14 == class && (uint8_t)other == shape && distance >= -1 && distance <= 1)
			return;
	}
}

static unsigned hosts_count(const struct source *s)
{
	unsigned n = 0;
	while (n < SOURCE_HOSTS && s->hosts[n])
		n++;
	return n ? n : 1;
}

static void record_of(const struct telescope *t, const struct account *a, struct record *r)
{
	const struct source *s = pool_item(&t->sources, a->source);
	*r = (struct record){
		.source = source_address(t, s),
		.first_us = a->first_us,
		.last_us = a->first_us + a->duration_us,
		.packets = a->packets,
		.bytes = a->bytes,
		.destination_known = a->destinations == 1 && !(a->bits & ACCOUNT_V6),
		.proto = a->proto,
		.flags = a->proto == 6 ? a->flags : 0,
		.answer = account_answers(a),
		.port = a->port,
		.ttl_min = a->ttl_min,
		.ttl_max = a->ttl_max,
		.shapes = a->bits & ACCOUNT_SHAPES,
	};
	if (r->destination_known)
		r->destination = address_v4(a->destinations_at);
	ttl_guess(a->ttl_max, &r->ttl_initial, &r->hops);
	if (a->shape)
		r->shape = (const struct tcp_shape *)(const void *)sample_of(&t->shapes, a->shape)->bytes;
	if (!a->payload)
		return;
	const struct sample *payload = sample_of(&t->payloads, a->payload);
	r->payload = (struct bytes){payload->bytes, payload->len};
	if (payload->note && t->options.signatures) {
		r->payload_name = signatures_payload_name(t->options.signatures, payload->note);
		r->amplifies = signatures_payload_amplifies(t->options.signatures, payload->note);
	}
}

void account_tell(struct telescope *t, struct account *a, enum record_end why)
{
	struct source *s = pool_item(&t->sources, a->source);
	unsigned tool = account_tool(t, a, s);
	enum traffic_class class = account_class(t, a, tool);
	uint32_t destinations = account_destinations(t, a);
	s->classes |= (uint8_t)(1u << class);
	if (class == CLASS_SPOOFED)
		s->bits |= SOURCE_SPOOFED;
	if (destinations > s->destinations)
		s->destinations = destinations > UINT16_MAX ? UINT16_MAX : (uint16_t)destinations;
	if (destinations >= t->options.scan_destinations)
		find_scan(t, a, s);
	if (!tool && class == CLASS_SCAN)
		hosts_add(t, s, a);
	t->sums.records++;
	t->sums.ends[why]++;
	t->sums.classes[class].packets += a->packets;
	t->sums.tools[tool].packets += a->packets;
	if (t->hooks.record) {
		struct record r;
		record_of(t, a, &r);
		r.destinations = destinations;
		r.class = class;
		r.end = why;
		r.tool_number = tool;
		r.tool = tool ? signatures_tool(t->options.signatures, tool) : NULL;
		t->hooks.record(t->hooks.arg, &r);
	}
}

void account_empty(struct telescope *t, struct account *a)
{
	struct destinations set = {a->destinations_at, a->destinations};
	destinations_free(&t->destinations, &set);
	samples_leave(&t->payloads, a->payload);
	samples_leave(&t->shapes, a->shape);
	a->destinations_at = 0;
	a->destinations = 0;
	a->payload = a->shape = 0;
	a->bits &= ACCOUNT_V6 | ACCOUNT_ANSWERS;
}

void account_end(struct telescope *t, uint32_t item, enum record_end why)
{
	struct account *a = pool_item(&t->accounts, item);
	struct account_key k = {a->source, a->port, a->proto, a->flags, account_answers(a)};
	struct source *s = pool_item(&t->sources, a->source);
	account_tell(t, a, why);
	account_empty(t, a);
	s->accounts--;
	index_drop(&t->account_index, account_hash(t, &k), item);
	pool_give(&t->accounts, item);
}

void source_tell(struct telescope *t, const struct source *s)
{
	uint64_t tools = source_tools(t, s);
	t->sums.sources++;
	t->sums.tools[0].sources += !tools;
	for (uint64_t left = tools; left; left &= left - 1)
		t->sums.tools[__builtin_ctzll(left) + 1].sources++;
	for (unsigned c = 0; c < TRAFFIC_CLASSES; c++)
		t->sums.classes[c].sources += s->classes >> c & 1;
	if (t->hooks.source) {
		struct source_sum sum = {
			.address = source_address(t, s),
			.first_us = s->first_s * UINT64_C(1000000),
			.last_us = s->last_s * UINT64_C(1000000),
			.packets = s->packets,
			.records = s->records,
			.destinations = s->destinations,
			.tools = tools,
			.classes = s->classes,
			.hosts = hosts_count(s),
			.spoofed = s->bits & SOURCE_SPOOFED,
			.victim = s->bits & SOURCE_VICTIM,
		};
		t->hooks.source(t->hooks.arg, &sum);
	}
}

void source_end(struct telescope *t, uint32_t item)
{
	struct source *s = pool_item(&t->sources, item);
	struct address a = source_address(t, s);
	source_tell(t, s);
	if (s->victim)
		pool_give(&t->victims, s->victim);
	if (s->bits & SOURCE_V6)
		pool_give(&t->addresses6, s->address);
	index_drop(&t->source_index, source_hash(t, &a), item);
	pool_give(&t->sources, item);
}
