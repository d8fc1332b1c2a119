#include "passive/telescope/reactive.h"
#include "base/special.h"
#include "passive/telescope/reactive/bounds.h"
#include "passive/telescope/reactive/handshakes.h"
#include <stdlib.h>

#define FIN 1u
#define SYN 2u
#define RST 4u
#define ACK 16u
#define ECN 192u
#define PROTO_TCP 6
#define WINDOW 64240 /* of a Linux server behind Ethernet */
#define IPID_ZMAP 54321
#define TTL_RAISED 200
#define PATIENCE_US 10000000u
#define LOOK_US 250000u /* between two looks for silent peers */

const char *const reactive_refusal_names[REACTIVE_REFUSALS] = {
	[REACTIVE_HELD_OUT] = "held_out", [REACTIVE_FRAME] = "frame",
	[REACTIVE_NO_HOST] = "no_host",   [REACTIVE_OURS] = "ours",
	[REACTIVE_SPECIAL] = "special",   [REACTIVE_OPTED_OUT] = "opted_out",
	[REACTIVE_SPOOFED] = "spoofed",   [REACTIVE_NETWORK] = "network_rate",
	[REACTIVE_RATE] = "rate",         [REACTIVE_UNSENT] = "unsent",
};

const char *const reactive_end_names[REACTIVE_ENDS] = {
	[REACTIVE_PAYLOAD] = "payload",
	[REACTIVE_CLOSED] = "closed",
	[REACTIVE_SILENT] = "silent",
	[REACTIVE_NO_ROOM] = "no_room",
};

struct reactive {
	struct reactive_options options;
	struct reactive_hooks hooks;
	struct bounds bounds;
	struct handshakes handshakes;
	const struct prefix_set *opt_outs;
	struct reactive_counts counts;
	uint64_t silent_below; /* hashes of addresses below this are held out */
};

struct lane { /* one packet of a batch, and what follows from it */
	const struct packet_batch *batch;
	unsigned number;
	const struct address *source, *destination;
	uint16_t source_port, port;
	uint64_t now_us;
	struct turned turned;
	size_t ip_length;
};

static uint32_t column(const struct lane *l, enum column c) { return l->batch->column[c][l->number]; }

int reactive_open(struct reactive **out, const struct reactive_options *options,
		  const struct reactive_hooks *hooks, struct fault *fault)
{
	struct reactive *r = calloc(1, sizeof *r);
	if (!r || bounds_open(&r->bounds, options) || handshakes_open(&r->handshakes)) {
		reactive_close(r);
		return fault_set(fault, ERR_MEMORY, "telescope: no memory for the reactive mode");
	}
	r->options = *options;
	r->hooks = *hooks;
	if (!r->options.patience_us)
		r->options.patience_us = PATIENCE_US;
	/* A double cannot hold 2^64 - 1, and beyond it the conversion is not defined. */
	r->silent_below = options->hold_out >= 1 ? UINT64_MAX : (uint64_t)(options->hold_out * 0x1p64);
	*out = r;
	return 0;
}

void reactive_close(struct reactive *r)
{
	if (!r)
		return;
	bounds_close(&r->bounds);
	handshakes_close(&r->handshakes);
	free(r);
}

const struct reactive_counts *reactive_counts(const struct reactive *r) { return &r->counts; }

void reactive_opt_outs(struct reactive *r, const struct prefix_set *set) { r->opt_outs = set; }

bool reactive_held_out(const struct reactive *r, const struct address *a)
{
	return siphash(&r->options.hold_out_key, (struct bytes){a->b, sizeof a->b}) < r->silent_below;
}

/* Both kinds of SYN have a cookie of their own: so the ACK tells which of them it answers. */
struct cookies {
	uint32_t regular, irregular;
};

static struct cookies cookies_of(const struct reactive *r, const struct lane *l, uint64_t slot)
{
	uint8_t text[16 + 16 + 2 + 2 + 8];
	struct writer w = writer_of(text, sizeof text);
	write_bytes(&w, l->source->b, sizeof l->source->b);
	write_bytes(&w, l->destination->b, sizeof l->destination->b);
	write_u16(&w, l->source_port);
	write_u16(&w, l->port);
	write_u64(&w, slot);
	uint64_t hash = siphash(&r->options.cookie_key, writer_bytes(&w));
	return (struct cookies){(uint32_t)hash, (uint32_t)(hash >> 32)};
}

static bool cookie_holds(const struct reactive *r, const struct lane *l, uint32_t cookie, bool *irregular)
{
	uint64_t slot = l->now_us / REACTIVE_SLOT_US;
	for (uint64_t age = 0; age < 2 && age <= slot; age++) {
		const struct cookies c = cookies_of(r, l, slot - age);
		if (cookie == c.regular || cookie == c.irregular) {
			*irregular = cookie != c.regular;
			return true;
		}
	}
	return false;
}

/* The frame leaves unless it is longer than what caused it. */
static bool send_answer(struct reactive *r, const struct answer *a, size_t caused_by)
{
	uint8_t frame[REACTIVE_ANSWER_MAX];
	struct writer w = writer_of(frame, sizeof frame);
	size_t length = answer_ip_length(a);
	answer_write(a, &w);
	if (w.bad || length > caused_by ||
	    r->hooks.send(r->hooks.arg, a->turned->interface, writer_bytes(&w)) < 0)
		return false;
	r->counts.sent_packets++;
	r->counts.sent_bytes += length;
	r->counts.caused_bytes += caused_by;
	return true;
}

static unsigned signs_of(const struct lane *l, unsigned tool)
{
	return (column(l, COLUMN_IPID) == IPID_ZMAP ? SIGN_IPID : 0) |
	       (column(l, COLUMN_TTL) > TTL_RAISED ? SIGN_TTL : 0) |
	       (column(l, COLUMN_OPTIONS) == 0 ? SIGN_NO_OPTIONS : 0) | (tool ? SIGN_TOOL : 0);
}

static enum reactive_refusal refusal_of(struct reactive *r, struct lane *l)
{
	const struct reactive_options *o = &r->options;
	const struct address *source = l->source;
	if (reactive_held_out(r, l->destination))
		return REACTIVE_HELD_OUT;
	if (!answer_turn(l->batch, l->number, &l->turned, &l->ip_length))
		return REACTIVE_FRAME;
	if (special_no_host(source) || !l->source_port || !l->port)
		return REACTIVE_NO_HOST;
	if (watched_holds(o->own ? o->own : o->prefixes, source))
		return REACTIVE_OURS;
	if (!o->special && special_range(source))
		return REACTIVE_SPECIAL;
	if (r->opt_outs && prefix_set_holds(r->opt_outs, source))
		return REACTIVE_OPTED_OUT;
	if (r->hooks.spoofed && r->hooks.spoofed(r->hooks.arg, source) &&
	    bounds_was_answered(&r->bounds, source, l->now_us))
		return REACTIVE_SPOOFED;
	return bounds_answer(&r->bounds, source, l->now_us);
}

static void take_syn(struct reactive *r, struct lane *l, unsigned tool)
{
	enum reactive_refusal why = refusal_of(r, l);
	r->counts.syns++;
	if (why != BOUNDS_FREE) {
		r->counts.refused[why]++;
		return;
	}
	unsigned signs = signs_of(l, tool);
	const struct cookies c = cookies_of(r, l, l->now_us / REACTIVE_SLOT_US);
	struct answer a = {
		.turned = &l->turned,
		.from = *l->destination,
		.to = *l->source,
		.from_port = l->port,
		.to_port = l->source_port,
		.sequence = signs ? c.irregular : c.regular,
		.acknowledged = column(l, COLUMN_SEQ) + 1,
		.flags = SYN | ACK,
		.window = WINDOW,
		.mss = true,
	};
	/* Who sent no options gets none: then there is room for none. */
	a.mss = answer_ip_length(&a) <= l->ip_length;
	if (!send_answer(r, &a, l->ip_length)) {
		r->counts.refused[REACTIVE_UNSENT]++;
		return;
	}
	r->counts.answered++;
	bounds_answered(&r->bounds, l->source, l->now_us);
	if (signs)
		bounds_irregular(&r->bounds, l->source, l->port, signs, tool, l->now_us);
}

static void tell(struct reactive *r, struct handshake *h, enum reactive_end end, uint64_t now_us,
		 struct bytes payload)
{
	struct reactive_proof *p = &h->proof;
	if (h->state == HANDSHAKE_WAITS)
		r->handshakes.waiting--;
	h->state = HANDSHAKE_TOLD;
	p->end = end;
	p->time_us = now_us;
	p->payload = payload.len > REACTIVE_PAYLOAD_MAX ? (struct bytes){payload.at, REACTIVE_PAYLOAD_MAX}
							: payload;
	r->counts.proofs++;
	r->counts.payloads += payload.len != 0;
	r->counts.two_phase += p->two_phase;
	if (r->hooks.proof)
		r->hooks.proof(r->hooks.arg, p);
	p->payload = (struct bytes){0}; /* it stands in a frame that ends with the batch */
}

/* The one packet that ends a conversation, so that the peer sends nothing again (RFC 9293 3.5.2). */
static void reset(struct reactive *r, const struct handshake *h, size_t caused_by)
{
	const struct answer a = {
		.turned = &h->turned,
		.from = h->proof.destination,
		.to = h->proof.source,
		.from_port = h->proof.port,
		.to_port = h->proof.source_port,
		.sequence = h->sequence,
		.acknowledged = h->theirs,
		.flags = RST | ACK,
	};
	r->counts.resets += send_answer(r, &a, caused_by);
}

static struct handshake *handshake_begin(struct reactive *r, const struct lane *l, bool irregular)
{
	struct handshake *h = handshakes_place(&r->handshakes, l->source, l->source_port, l->destination,
					       l->port, l->now_us);
	uint64_t ago_us;
	if (h->state == HANDSHAKE_WAITS)
		tell(r, h, REACTIVE_NO_ROOM, l->now_us, (struct bytes){0});
	*h = (struct handshake){
		.state = HANDSHAKE_WAITS,
		.proof = {.source = *l->source, .destination = *l->destination,
			  .source_port = l->source_port, .port = l->port, .proved_us = l->now_us,
			  .ttl = (uint8_t)column(l, COLUMN_TTL), .irregular = irregular},
		.turned = l->turned,
		.sequence = column(l, COLUMN_ACK),
	};
	r->handshakes.waiting++;
	bounds_proved(&r->bounds, l->source);
	const struct phase *p = bounds_phase(&r->bounds, l->source, l->port, l->now_us, &ago_us);
	if (p) {
		h->proof.signs = p->signs;
		h->proof.tool = p->tool;
		h->proof.two_phase = !irregular;
		h->proof.phase_gap_us = irregular ? 0 : ago_us;
	}
	return h;
}

/* What a known handshake brings next: the payload, an end, or nothing but the handshake itself. */
static void go_on(struct reactive *r, struct handshake *h, const struct lane *l)
{
	uint32_t flags = column(l, COLUMN_FLAGS);
	struct bytes payload = l->batch->payload[l->number];
	h->theirs = column(l, COLUMN_SEQ) + column(l, COLUMN_PAYLOAD) + (flags & FIN ? 1 : 0);
	if (!payload.len && !(flags & (FIN | RST)))
		return;
	tell(r, h, payload.len ? REACTIVE_PAYLOAD : REACTIVE_CLOSED, l->now_us, payload);
	if (!(flags & RST))
		reset(r, h, l->ip_length);
}

static void take_ack(struct reactive *r, struct lane *l)
{
	bool irregular;
	r->counts.acks++;
	if (!bounds_may_guess(&r->bounds, l->source, l->now_us)) {
		r->counts.unheard++;
		return;
	}
	if (!cookie_holds(r, l, column(l, COLUMN_ACK) - 1, &irregular)) {
		bounds_guessed(&r->bounds, l->source, l->now_us);
		r->counts.wrong++;
		return;
	}
	struct handshake *h = handshakes_find(&r->handshakes, l->source, l->source_port, l->destination,
					      l->port, l->now_us);
	bool turned = answer_turn(l->batch, l->number, &l->turned, &l->ip_length);
	if ((h && h->state == HANDSHAKE_TOLD) || !turned) {
		r->counts.repeated++;
		return;
	}
	r->counts.repeated += h != NULL;
	go_on(r, h ? h : handshake_begin(r, l, irregular), l);
}

static bool asks(uint32_t flags) { return (flags & ~ECN) == SYN; }
static bool acknowledges(uint32_t flags) { return (flags & (SYN | ACK)) == ACK; }

void reactive_take(struct reactive *r, const struct packet_batch *b, unsigned interface)
{
	uint8_t tools[PACKET_BATCH] = {0};
	bool known = !r->hooks.tools;
	if (!r->options.prefixes)
		return;
	for (unsigned i = 0; i < b->count; i++) {
		uint32_t flags = b->column[COLUMN_FLAGS][i];
		if (b->column[COLUMN_PROTO][i] != PROTO_TCP || !(asks(flags) || acknowledges(flags)) ||
		    !watched_holds(r->options.prefixes, &b->dst[i]))
			continue;
		struct lane l = {
			.batch = b, .number = i, .source = &b->src[i], .destination = &b->dst[i],
			.source_port = (uint16_t)b->column[COLUMN_SPORT][i],
			.port = (uint16_t)b->column[COLUMN_DPORT][i], .now_us = b->time_us[i],
			.turned = {.interface = (uint8_t)interface},
		};
		if (!asks(flags)) {
			take_ack(r, &l);
			continue;
		}
		if (!known)
			r->hooks.tools(r->hooks.arg, b, tools);
		known = true;
		take_syn(r, &l, tools[i]);
	}
}

void reactive_clock(struct reactive *r, uint64_t now_us)
{
	struct handshakes *all = &r->handshakes;
	if (!all->waiting || now_us < all->looked_us + LOOK_US)
		return;
	all->looked_us = now_us;
	for (size_t i = 0; i < REACTIVE_HANDSHAKES_MAX; i++) {
		struct handshake *h = &all->items[i];
		if (h->state != HANDSHAKE_WAITS || now_us < h->proof.proved_us + r->options.patience_us)
			continue;
		const struct answer size = {.turned = &h->turned, .to = h->proof.source};
		tell(r, h, REACTIVE_SILENT, now_us, (struct bytes){0});
		/* An acknowledgement without payload is as long as a RST. */
		reset(r, h, answer_ip_length(&size));
	}
}

void reactive_finish(struct reactive *r)
{
	for (size_t i = 0; i < REACTIVE_HANDSHAKES_MAX; i++) {
		struct handshake *h = &r->handshakes.items[i];
		if (h->state == HANDSHAKE_WAITS)
			tell(r, h, REACTIVE_SILENT, h->proof.proved_us, (struct bytes){0});
	}
}
