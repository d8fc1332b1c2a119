#include "lab/run/sink_rehearse.h"
#include "lab/run/sink/talk.h"

#define DISCARD_PORT 9

static void take_said(struct talk *t, struct sink_rehearsal *r)
{
	for (;;) {
		struct bytes b = buffer_bytes(&t->out);
		write_span(&r->heard, b);
		buffer_consume(&t->out, b.len);
		if (!talk_wants(t))
			return;
		talk_fetched(t, false, (struct bytes){0});
	}
}

static void write_told(const struct world *w, struct sink_rehearsal *r)
{
	for (size_t i = 0; i < w->request_count; i++)
		write_fmt(&r->told, "%s %.900s\n", w->requests[i].kind, w->requests[i].subject);
}

void sink_rehearse(const struct sink_protocol *p, struct bytes said, size_t chunk, struct sink_rehearsal *r)
{
	struct world world;
	struct talk t;
	const struct address a = address_v4(0xcb007107);
	r->protocol = "";
	if (world_open(&world, 64))
		return;
	talk_begin(&t, &world, p->datagrams ? SINK_UDP : SINK_TCP, &a, p->ports[0] ? p->ports[0] : DISCARD_PORT);
	if (p->greets)
		talk_quiet(&t);
	take_said(&t, r);
	if (p->datagrams)
		chunk = said.len;
	for (size_t at = 0; at < said.len && !t.ended; at += chunk) {
		size_t n = said.len - at < chunk ? said.len - at : chunk;
		talk_take(&t, (struct bytes){said.at + at, n});
		take_said(&t, r);
	}
	r->protocol = t.protocol ? t.protocol->name : "";
	talk_done(&t);
	write_told(&world, r);
	world_done(&world);
}
