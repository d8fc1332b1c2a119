/*
 * Any frames to the reactive telescope: what it sends is never longer than what came, and right.
 * The input is a sequence of frames, each behind its length (two bytes), a link type and a pause.
 */
#include "passive/telescope/reactive.h"
#include <stdlib.h>

#define FRAMES_MAX 64
#define INTERFACE 7

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct seen {
	size_t came, sent;
};

static int take_frame(void *arg, unsigned interface, struct bytes frame)
{
	struct seen *s = arg;
	if (interface != INTERFACE || frame.len > REACTIVE_ANSWER_MAX || frame.len > s->came)
		abort();
	s->sent++;
	return 0;
}

static void take_proof(void *arg, const struct reactive_proof *p)
{
	static struct event e;
	(void)arg;
	reactive_event(p, NULL, NULL, &e);
	if (p->payload.len > REACTIVE_PAYLOAD_MAX || e.kind != EVENT_SCAN_SEEN)
		abort();
}

static struct watched *everything(void)
{
	struct watched *all;
	struct fault fault;
	if (event_start(&fault) || watched_open(&all, NULL, 0))
		abort();
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static const uint16_t links[] = {LINK_ETHERNET, LINK_ETHERNET, LINK_RAW, LINK_LINUX_COOKED};
	static struct watched *all, *none;
	static struct packet_counts counts;
	struct reader in = reader_of(at, n);
	struct fault fault;
	struct seen seen = {0};
	struct reactive *r;
	uint64_t now_us = 1500000000000000u;
	if (!all) {
		const struct prefix nowhere = {.bits = 128};
		all = everything();
		if (watched_open(&none, &nowhere, 1))
			abort();
	}
	/* A key that is known: so an input can hold the right cookie. */
	const struct reactive_options o = {.prefixes = all, .own = none, .special = true, .cookie_key = {1, 2}};
	const struct reactive_hooks hooks = {.arg = &seen, .send = take_frame, .proof = take_proof};
	if (reactive_open(&r, &o, &hooks, &fault))
		abort();
	for (int i = 0; i < FRAMES_MAX && reader_left(&in); i++) {
		struct packet_batch b = {.count = 0};
		size_t length = read_u16(&in) & 2047;
		uint8_t how = read_u8(&in);
		struct bytes frame = read_bytes(&in, length < reader_left(&in) ? length : reader_left(&in));
		now_us += (uint64_t)(how >> 2) * 400000u;
		seen = (struct seen){.came = frame.len};
		packet_take(&b, &counts, all, links[how & 3], frame, (uint32_t)frame.len, now_us);
		reactive_take(r, &b, INTERFACE);
		if (seen.sent > 1)
			abort();
		seen.came = REACTIVE_ANSWER_MAX;
		reactive_clock(r, now_us);
	}
	reactive_finish(r);
	const struct reactive_counts *c = reactive_counts(r);
	if (c->sent_bytes > c->caused_bytes || c->sent_packets != c->answered + c->resets)
		abort();
	reactive_close(r);
	return 0;
}
