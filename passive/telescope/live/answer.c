/*
 * Where the reactive mode meets the live telescope.
 *
 * Without a reactive prefix the parent hands no descriptor down that could send, and there are no
 * `answers`.  With one nobody is answered until control has said who opted out.
 */
#include "base/log.h"
#include "base/prefix_pieces.h"
#include "passive/telescope/live/live_inner.h"
#include "passive/telescope/live/reactive_part.h"
#include "passive/telescope/reactive.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PROTO_TCP 6

struct answers {
	struct live *live;
	struct reactive *reactive;
	struct watched *prefixes;
	struct prefix_set opted_out;
	struct prefix_pieces opting; /* the table that control is telling */
};

int live_send(struct live_port *p, struct bytes frame)
{
	if (p->send_fd < 0)
		return ERR_DENIED;
	ssize_t n = send(p->send_fd, frame.at, frame.len, MSG_DONTWAIT);
	return n == (ssize_t)frame.len ? 0 : errno == EAGAIN || errno == ENOBUFS ? ERR_FULL : ERR_SYSTEM;
}

static int on_send(void *arg, unsigned interface, struct bytes frame)
{
	struct live *l = ((struct answers *)arg)->live;
	return interface < l->port_count ? live_send(&l->ports[interface], frame) : ERR_BAD;
}

static void on_proof(void *arg, const struct reactive_proof *p)
{
	struct live *l = ((struct answers *)arg)->live;
	unsigned asks = signatures_payload(l->signatures, PROTO_TCP, p->port, p->payload);
	reactive_event(p, p->tool ? signatures_tool(l->signatures, p->tool) : NULL,
		       asks ? signatures_payload_name(l->signatures, asks) : NULL, &l->event);
	live_publish(l, &l->event);
}

static bool on_spoofed(void *arg, const struct address *source)
{
	return telescope_source_spoofed(((struct answers *)arg)->live->telescope, source);
}

static void on_tools(void *arg, const struct packet_batch *b, uint8_t tool[PACKET_BATCH])
{
	const struct signatures *s = ((struct answers *)arg)->live->signatures;
	uint8_t rule[PACKET_BATCH];
	signatures_match(s, b, rule);
	for (unsigned i = 0; i < b->count; i++)
		tool[i] = rule[i] ? (uint8_t)signatures_rule_tool(s, rule[i]) : 0;
}

/* A table takes the place of the one before when it is whole. */
static void on_opt_outs(void *arg, struct bus_request *request, struct bytes payload)
{
	struct answers *a = arg;
	if (strcmp(bus_peer_role(bus_request_peer(request)), "control")) {
		bus_answer(request, ERR_DENIED, (struct bytes){0}, false);
		return;
	}
	int got = prefix_pieces_read(&a->opting, payload, &a->opted_out);
	if (got < 0)
		log_error("telescope: control's table of who opted out cannot be taken in, the one before stays");
	bus_answer(request, got < 0 ? got : 0, (struct bytes){0}, false);
}

static int opt_outs_open(struct answers *a)
{
	const struct prefix everybody = {.bits = 0};
	int bad = prefix_set_add(&a->opted_out, &everybody);
	prefix_set_seal(&a->opted_out);
	reactive_opt_outs(a->reactive, &a->opted_out);
	bus_on_request(a->live->bus, "optout.table", on_opt_outs, a);
	return bad;
}

static int prefixes_open(struct answers *a, struct fault *fault)
{
	const struct live_options *o = a->live->options;
	struct prefix_set part = {0};
	struct live_prefix *all = malloc(o->prefixes.count * sizeof *all);
	int bad = ERR_MEMORY;
	if (all) {
		memcpy(all, o->prefixes.items, o->prefixes.count * sizeof *all);
		bad = reactive_part(all, o->prefixes.count, &part);
	}
	/* A set of none would be taken for all there is. */
	if (!bad && part.count)
		bad = watched_open(&a->prefixes, part.items, part.count);
	free(all);
	prefix_set_done(&part);
	return bad ? fault_set(fault, bad, "telescope: no memory for the reactive prefixes") : 0;
}

static int options_of(struct answers *a, struct reactive_options *out, struct fault *fault)
{
	const struct live_reactive *o = &a->live->options->reactive;
	const uint64_t workers = a->live->process->workers;
	*out = (struct reactive_options){.prefixes = a->prefixes,
					 .own = a->live->watched,
					 .special = o->special,
					 .hold_out = o->hold_out,
					 .cookie_key = siphash_draw(),
					 .network_rate = o->network_rate / workers,
					 .network_burst = o->network_burst / workers,
					 .rate = o->rate / workers,
					 .burst = o->burst / workers,
					 .patience_us = o->patience_ms * 1000};
	int fd = process_fd(a->live->process, LIVE_FD_HOLD_OUT);
	struct siphash_key *key = &out->hold_out_key;
	if (fd < 0 || pread(fd, key, sizeof *key, 0) != sizeof *key)
		return fault_set(fault, ERR_SYSTEM, "telescope: the key of what is held out cannot be read");
	return 0;
}

int live_answer_open(struct live *l, struct fault *fault)
{
	bool may_send = false;
	for (size_t i = 0; i < l->port_count; i++)
		may_send |= l->ports[i].send_fd >= 0;
	if (!may_send || !live_options_react(l->options))
		return 0;
	struct answers *a = l->answers = calloc(1, sizeof *a);
	if (!a)
		return fault_set(fault, ERR_MEMORY, "telescope: no memory for the reactive mode");
	a->live = l;
	struct reactive_options options;
	const struct reactive_hooks hooks = {.arg = a, .send = on_send, .proof = on_proof,
					     .spoofed = on_spoofed, .tools = on_tools};
	int bad = prefixes_open(a, fault);
	if (!bad)
		bad = options_of(a, &options, fault);
	if (!bad)
		bad = reactive_open(&a->reactive, &options, &hooks, fault);
	if (!bad && opt_outs_open(a))
		bad = fault_set(fault, ERR_MEMORY, "telescope: no memory for the reactive mode");
	return bad;
}

void live_answer_batch(struct live *l, struct live_port *p, const struct packet_batch *b)
{
	if (l->answers)
		reactive_take(l->answers->reactive, b, p->number);
}

void live_answer_clock(struct live *l, uint64_t now_us)
{
	if (l->answers)
		reactive_clock(l->answers->reactive, now_us);
}

static void say_sums(const struct reactive_counts *c)
{
	char refused[256];
	struct writer w = writer_of(refused, sizeof refused - 1);
	for (size_t i = 0; i < REACTIVE_REFUSALS; i++)
		if (c->refused[i])
			write_fmt(&w, " %s %llu", reactive_refusal_names[i], (unsigned long long)c->refused[i]);
	refused[writer_used(&w)] = '\0';
	log_info("telescope: reactive: %llu SYNs, %llu answered, not answered:%s; %llu handshakes, %llu of them with a "
		 "payload, %llu in two phases; %llu packets with %llu bytes were sent for %llu bytes",
		 (unsigned long long)c->syns, (unsigned long long)c->answered, *refused ? refused : " none",
		 (unsigned long long)c->proofs, (unsigned long long)c->payloads, (unsigned long long)c->two_phase,
		 (unsigned long long)c->sent_packets, (unsigned long long)c->sent_bytes,
		 (unsigned long long)c->caused_bytes);
}

void live_answer_finish(struct live *l)
{
	if (!l->answers)
		return;
	reactive_finish(l->answers->reactive);
	say_sums(reactive_counts(l->answers->reactive));
}

void live_answer_close(struct live *l)
{
	struct answers *a = l->answers;
	if (!a)
		return;
	reactive_close(a->reactive);
	watched_close(a->prefixes);
	prefix_set_done(&a->opted_out);
	prefix_pieces_done(&a->opting);
	free(a);
	l->answers = NULL;
}
