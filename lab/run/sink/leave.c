/* The sink's side of an egress: which connections may leave, and what became of them. */
#include "lab/run/sink/egress.h"
#include "lab/run/sink/serve.h"
#include <unistd.h>

/* By the name that the sample used, or by the address where it used none. */
static bool is_target(const struct server *s, const struct egress_target *t, const struct address *a, uint16_t port)
{
	if (t->port != port)
		return false;
	if (!*t->name)
		return address_equal(&t->address, a);
	struct bytes name = world_name_of(&s->world, a);
	return name.len && bytes_equal_nocase(name, t->name);
}

static bool place_find(const struct server *s, const struct address *a, uint16_t port, struct egress_offer *o)
{
	const struct egress_plan *p = s->leaves;
	for (size_t i = 0; i < p->target_count; i++)
		if (is_target(s, &p->targets[i], a, port)) {
			o->number = (uint32_t)i;
			return true;
		}
	/* What the sample knows by name it was told of: a scan draws its addresses. */
	for (size_t i = 0; i < p->decoy_count && !world_name_of(&s->world, a).len; i++)
		if (p->decoys[i].scanned == port) {
			*o = (struct egress_offer){.number = (uint32_t)i, .decoy = true};
			return true;
		}
	return false;
}

bool leave_offer(struct server *s, int fd, const struct address *a, uint16_t port, struct sink_flow *flow)
{
	struct egress_offer o = {0};
	if (s->egress < 0 || !flow || !place_find(s, a, port, &o))
		return false;
	o.flow = (uint32_t)(flow - s->world.flows);
	flow->protocol = o.decoy ? "egress-decoy" : "egress";
	/* When the egress is gone nobody answers: better than that the sink pretends to be a real server. */
	message_send(s->egress, 'X', &o, sizeof o, &fd, 1);
	close(fd);
	return true;
}

static const char *limit_word(uint32_t limit)
{
	switch (limit) {
	case EGRESS_SENT:
		return "egress.sent";
	case EGRESS_RECEIVED:
		return "egress.received";
	case EGRESS_CONNECTIONS:
		return "egress.connections";
	case EGRESS_RATE:
		return "egress.rate";
	case EGRESS_TIME:
		return "egress.time";
	case EGRESS_REFUSED:
		return "egress.refused";
	}
	return NULL;
}

void leave_event(struct server *s)
{
	struct egress_done d;
	char letter = 0;
	ssize_t n = message_receive(s->egress, &letter, &d, sizeof d, NULL, 0);
	if (n < 0) {
		world_limit(&s->world, "egress.gone");
		close(s->egress); /* epoll forgets it */
		s->egress = -1;
		return;
	}
	if (letter != 'Z' || n != sizeof d || d.flow >= s->world.flow_count || d.said_len > sizeof d.said)
		return;
	struct sink_flow *f = &s->world.flows[d.flow];
	f->said += d.sent;
	f->heard += d.received;
	f->left += d.limit == EGRESS_NO_LIMIT || d.sent || d.received;
	if (limit_word(d.limit))
		world_limit(&s->world, limit_word(d.limit));
	const struct sink_hello h = {.endpoint = world_endpoint(&s->world, &f->address, f->port), .said = {d.said, d.said_len},
				     .registers = true, .protocol = f->protocol};
	if (d.said_len)
		world_hello(&s->world, &h);
}
