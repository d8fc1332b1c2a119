#include "share/reading/flows_inner.h"
#include "base/error.h"
#include "base/random.h"
#include <math.h>
#include <stdlib.h>

#define SLOTS (2u * FLOWS_MAX)

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };
enum { TCP_SYN = 2, TCP_ACK = 16 };
enum { ICMP_ECHO_ANSWER = 0, ICMP_ECHO = 8, ICMP6_ECHO = 128, ICMP6_ECHO_ANSWER = 129 };

struct flows {
	size_t count, room;
	struct flow *list;
	uint64_t key;
	uint32_t slots[SLOTS]; /* number and 1; 0: free */
};

struct flow_key {
	struct address src;
	uint8_t proto;
	bool answer;
	uint16_t port;
};

int flows_open(struct flows **out)
{
	struct flows *f = calloc(1, sizeof *f);
	if (!f)
		return ERR_MEMORY;
	f->key = random_secret();
	*out = f;
	return 0;
}

static bool is_key(const struct flow *f, const struct flow_key *k)
{
	return f->port == k->port && f->proto == k->proto && f->answer == k->answer && address_equal(&f->src, &k->src);
}

static uint32_t slot_of(const struct flows *f, const struct flow_key *k)
{
	const uint64_t rest = (uint64_t)k->port << 16 | (uint64_t)k->proto << 8 | k->answer;
	uint32_t at = (uint32_t)(address_hash(&k->src, f->key ^ rest * UINT64_C(0x9e3779b97f4a7c15)) % SLOTS);
	while (f->slots[at] && !is_key(&f->list[f->slots[at] - 1], k))
		at = (at + 1) % SLOTS;
	return at;
}

static struct flow *find(const struct flows *f, const struct flow_key *k)
{
	const uint32_t number = f->slots[slot_of(f, k)];
	return number ? &f->list[number - 1] : NULL;
}

static struct flow *add(struct flows *f, const struct flow_key *k)
{
	if (f->count == FLOWS_MAX)
		return NULL;
	if (f->count == f->room) {
		const size_t room = f->room ? 2 * f->room : 1024;
		struct flow *grown = realloc(f->list, room * sizeof *grown);
		if (!grown)
			return NULL;
		f->list = grown;
		f->room = room;
	}
	struct flow *flow = &f->list[f->count];
	*flow = (struct flow){.src = k->src, .proto = k->proto, .port = k->port, .answer = k->answer, .ttl_least = UINT8_MAX};
	f->slots[slot_of(f, k)] = (uint32_t)++f->count;
	return flow;
}

static void count_packet(const struct flows *all, struct flow *f, const struct packet_batch *b, unsigned i)
{
	const uint8_t ttl = (uint8_t)b->column[COLUMN_TTL][i];
	const uint64_t bit = address_hash(&b->dst[i], all->key) % FLOWS_SKETCH_BITS;
	if (!f->packets++) {
		f->first_us = f->last_us = b->time_us[i];
		f->dst = b->dst[i];
	}
	f->first_us = b->time_us[i] < f->first_us ? b->time_us[i] : f->first_us; /* captures are not always in order */
	f->last_us = b->time_us[i] > f->last_us ? b->time_us[i] : f->last_us;
	f->bytes += b->column[COLUMN_LENGTH][i];
	f->flags |= (uint8_t)b->column[COLUMN_FLAGS][i];
	f->ttl_least = ttl < f->ttl_least ? ttl : f->ttl_least;
	f->ttl_most = ttl > f->ttl_most ? ttl : f->ttl_most;
	f->met[bit / 64] |= UINT64_C(1) << bit % 64;
	if (!f->shape.version && b->column[COLUMN_SHAPE][i]) {
		f->shape = b->shape[i];
		f->shape_ttl = ttl;
	}
	const struct bytes payload = b->payload[i];
	if (!f->payload_len && payload.len && f->proto != PROTO_ICMP && f->proto != PROTO_ICMP6) {
		f->payload_len = (uint16_t)(payload.len < FLOWS_PAYLOAD_MAX ? payload.len : FLOWS_PAYLOAD_MAX);
		memcpy(f->payload, payload.at, f->payload_len);
	}
}

static void count_back(struct flow *f, const struct packet_batch *b, unsigned i)
{
	f->packets_back++;
	f->bytes_back += b->column[COLUMN_LENGTH][i];
}

struct sides { /* what the packet would be: of who asks, and of who is asked */
	struct flow_key asks, back, answers;
	bool begins, is_answer; /* it can be nothing but the first; nothing but the last */
};

static struct sides sides_of(const struct packet_batch *b, unsigned i)
{
	const uint8_t proto = (uint8_t)b->column[COLUMN_PROTO][i], flags = (uint8_t)b->column[COLUMN_FLAGS][i];
	const uint16_t sport = (uint16_t)b->column[COLUMN_SPORT][i], dport = (uint16_t)b->column[COLUMN_DPORT][i];
	struct sides s = {.asks = {b->src[i], proto, false, dport}, .back = {b->dst[i], proto, false, sport},
			  .answers = {b->src[i], proto, true, sport}};
	if (proto == PROTO_TCP) {
		s.begins = (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	} else if (proto == PROTO_ICMP || proto == PROTO_ICMP6) { /* its type stands where the port does */
		s.asks.port = sport;
		s.back.port = sport == ICMP_ECHO_ANSWER ? ICMP_ECHO : sport == ICMP6_ECHO_ANSWER ? ICMP6_ECHO : sport;
		s.begins = sport == ICMP_ECHO || sport == ICMP6_ECHO;
		s.is_answer = !s.begins;
	}
	return s;
}

bool flows_take(struct flows *f, const struct packet_batch *b, unsigned i)
{
	const struct sides s = sides_of(b, i);
	const bool tcp = s.asks.proto == PROTO_TCP;
	struct flow *flow = s.is_answer ? NULL : find(f, &s.asks);
	if (!flow && !s.begins) {
		struct flow *asked = find(f, &s.back);
		if (asked) {
			count_back(asked, b, i);
			return true;
		}
	}
	/* Without its SYN a packet of TCP is somebody's answer, or the middle of what began before the capture. */
	if (!flow) {
		const struct flow_key *key = s.is_answer || (tcp && !s.begins) ? &s.answers : &s.asks;
		flow = find(f, key);
		flow = flow ? flow : add(f, key);
	}
	if (!flow)
		return false;
	count_packet(f, flow, b, i);
	return true;
}

size_t flows_count(const struct flows *f) { return f->count; }
const struct flow *flows_at(const struct flows *f, size_t i) { return &f->list[i]; }

void flows_clear(struct flows *f)
{
	f->count = 0;
	memset(f->slots, 0, sizeof f->slots);
}

void flows_close(struct flows *f)
{
	if (f)
		free(f->list);
	free(f);
}

/* Linear counting (Whang and others, 1990): from how many bits of the sketch are still zero. */
uint64_t flow_destinations(const struct flow *f)
{
	unsigned zero = 0;
	for (size_t i = 0; i < sizeof f->met / sizeof *f->met; i++)
		zero += (unsigned)__builtin_popcountll(~f->met[i]);
	const double bits = FLOWS_SKETCH_BITS;
	return (uint64_t)llround(bits * log(bits / (zero ? zero : 1)));
}
