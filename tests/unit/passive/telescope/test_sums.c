/* Random traffic against a model of what the records must add up to. */
#include "tests/unit/passive/telescope/dark.h"
#include "tests/test.h"
#include <stdlib.h>

#define OURS 0xc0000200u
#define KEYS 4096

/* One account as the contract words it, in a table that is searched from its beginning. */
struct model_account {
	uint32_t from;
	uint8_t proto, flags;
	uint16_t port;
	uint64_t packets, bytes, first_us, last_us;
	uint8_t ttl_min, ttl_max;
	bool destinations[256];
};

struct model {
	struct model_account *accounts;
	size_t count;
	bool asked[256]; /* by the source's last byte: it sent a SYN, so its resets answer nobody */
};

static struct model_account *model_find(struct model *m, uint32_t from, uint8_t proto, uint8_t flags, uint16_t port)
{
	for (size_t i = 0; i < m->count; i++) {
		struct model_account *a = &m->accounts[i];
		if (a->from == from && a->proto == proto && a->flags == flags && a->port == port)
			return a;
	}
	CHECK(m->count < KEYS);
	struct model_account *a = &m->accounts[m->count++];
	*a = (struct model_account){.from = from, .proto = proto, .flags = flags, .port = port,
				    .first_us = UINT64_MAX, .ttl_min = 255};
	return a;
}

static void model_take(struct model *m, const struct sent *s, size_t length)
{
	bool *asked = &m->asked[s->from & 255];
	*asked |= s->proto == 6 && s->flags == TCP_SYN;
	bool tcp_answer = s->proto == 6 && ((s->flags & TCP_RST && !*asked) || s->flags == (TCP_SYN | TCP_ACK));
	uint16_t port = s->proto == 1 ? (uint16_t)(s->sport << 8 | s->dport) : tcp_answer ? s->sport : s->dport;
	struct model_account *a = model_find(m, s->from, s->proto, s->proto == 6 ? s->flags : 0, port);
	a->packets++;
	a->bytes += length;
	if (s->at_us < a->first_us)
		a->first_us = s->at_us;
	if (s->at_us > a->last_us)
		a->last_us = s->at_us;
	if (s->ttl < a->ttl_min)
		a->ttl_min = s->ttl;
	if (s->ttl > a->ttl_max)
		a->ttl_max = s->ttl;
	a->destinations[s->to & 255] = true;
}

static struct sent random_packet(struct random *r, uint64_t at_us)
{
	static const uint8_t flags[] = {TCP_SYN, TCP_SYN, TCP_ACK, TCP_RST, TCP_SYN | TCP_ACK, TCP_FIN, TCP_PSH | TCP_ACK};
	static const uint8_t protos[] = {6, 6, 6, 17, 1};
	struct sent s = {.at_us = at_us, .from = 0x0a000000u + (uint32_t)random_below(r, 40)};
	s.to = OURS + (uint32_t)(random_below(r, 2) ? random_below(r, 12) : random_below(r, 256));
	s.proto = protos[random_below(r, sizeof protos)];
	s.flags = flags[random_below(r, sizeof flags)];
	s.sport = (uint16_t)(s.proto == 1 ? random_below(r, 2) * 8 : 1 + random_below(r, 6));
	s.dport = (uint16_t)(s.proto == 1 ? 0 : 20 + random_below(r, 5));
	s.ttl = (uint8_t)(30 + random_below(r, 100));
	s.seq = (uint32_t)random_next(r);
	s.payload = (struct bytes){(const uint8_t *)"0123456789", random_below(r, 11)};
	return s;
}

static bool close_to(uint32_t told, unsigned exact)
{
	if (exact <= DESTINATIONS_EXACT)
		return told == exact;
	/* Five standard errors; what is told of one account in millions may be off by more. */
	double off = (double)told - exact;
	return off < 0.33 * exact && off > -0.33 * exact;
}

static void compare(const struct dark *d, struct model *m)
{
	CHECK(d->record_count == m->count);
	for (size_t i = 0; i < d->record_count; i++) {
		const struct record *r = &d->records[i].r;
		size_t before = m->count;
		const struct model_account *a = model_find(m, address_to_v4(&r->source), r->proto, r->flags, r->port);
		CHECK(m->count == before);
		unsigned destinations = 0;
		for (unsigned k = 0; k < 256; k++)
			destinations += a->destinations[k];
		CHECK(r->packets == a->packets && r->bytes == a->bytes);
		CHECK(r->first_us == a->first_us && r->last_us == a->last_us);
		CHECK(r->ttl_min == a->ttl_min && r->ttl_max == a->ttl_max);
		CHECK_SAY(close_to(r->destinations, destinations), "%u destinations told for %u", r->destinations,
			  destinations);
	}
}

TEST(sums_of_random_traffic_are_those_of_a_simple_model)
{
	struct model m = {.accounts = calloc(KEYS, sizeof *m.accounts)};
	CHECK(m.accounts != NULL);
	struct random r = random_seeded(20260711);
	for (int trial = 0; trial < (DARK_SHRINK > 1 ? 2 : 10); trial++) {
		struct dark *d = dark_open(NULL, NULL);
		m.count = 0;
		memset(m.asked, 0, sizeof m.asked);
		for (unsigned i = 0; i < 40000; i++) {
			/* Ten minutes, a little out of order. */
			struct sent s = random_packet(&r, DARK_START + i * UINT64_C(15000) + random_below(&r, 2 * SECOND));
			uint64_t before = d->sent_bytes;
			dark_send(d, &s);
			model_take(&m, &s, d->sent_bytes - before);
		}
		dark_finish(d);
		compare(d, &m);
		dark_close(d);
	}
	free(m.accounts);
}

TEST(sums_hold_when_hours_pass_and_time_jumps)
{
	struct random r = random_seeded(7);
	for (int trial = 0; trial < 4; trial++) {
		const struct telescope_options options = {.timeout_us = (1 + random_below(&r, 60)) * SECOND,
							  .interval_us = (1 + random_below(&r, 300)) * SECOND,
							  .keep_sources = trial & 1};
		struct dark *d = dark_open(&options, NULL);
		uint64_t at = DARK_START;
		for (unsigned i = 0; i < 60000; i++) {
			uint64_t what = random_below(&r, 1000);
			at += what == 0 ? random_below(&r, 3 * options.timeout_us) : random_below(&r, SECOND / 50);
			at -= what == 1 ? random_below(&r, 3 * options.timeout_us) : 0;
			struct sent s = random_packet(&r, at);
			dark_send(d, &s);
			if (what == 2)
				dark_clock(d, at);
		}
		dark_finish(d);
		for (size_t i = 0; i < d->record_count; i++) {
			const struct record *it = &d->records[i].r;
			CHECK(it->packets && it->destinations && it->first_us <= it->last_us);
			CHECK(it->last_us - it->first_us <= options.interval_us);
		}
		CHECK(d->sums.ends[RECORD_QUIET] && d->sums.ends[RECORD_EARLY] == 0);
		CHECK(d->sums.time_backwards > 0);
		dark_close(d);
	}
}
