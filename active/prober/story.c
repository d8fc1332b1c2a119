/* What the prober publishes of a connection: that it asked, and what came back. */
#include "active/prober/prober_inner.h"
#include "base/clock.h"

FIELD(SIGNALS, "signals", TEXT, 0, "what the host can be identified by, lines of KEY: VALUE with C's escapes");

FIELD(UDP_TTL, "udp.ttl", NUMBER, 0, "time to live of the first answer over UDP, as received");

static bool publish(struct prober *p)
{
	if (p->hooks.publish(p->hooks.arg, &p->event) == 0)
		return true;
	p->counts.unpublished++;
	return false;
}

static void story_begin(struct prober *p, const struct target *t, enum event_kind kind)
{
	struct event *e = &p->event;
	event_begin(e, kind);
	event_set_address(e, FIELD_SRC, &t->lease.target);
	event_set_number(e, FIELD_SPORT, t->line->port);
	if (!address_is_zero(&t->lease.from))
		event_set_address(e, FIELD_DST, &t->lease.from);
	event_set_text(e, FIELD_PROTO, line_is_udp(t->line) ? "udp" : "tcp");
	event_set_text(e, FIELD_PROBE, t->line->asking.probe->name);
	event_set_id(e, FIELD_LEASE, &t->lease.id);
}

void story_sent(struct prober *p, struct target *t)
{
	struct event *e = &p->event;
	story_begin(p, t, EVENT_PROBE_SENT);
	event_set_chain(e, &t->lease.id, &t->lease.root, t->lease.depth);
	event_set_number(e, FIELD_TIER, t->line->asking.probe->tier);
	e->time_us = clock_utc_us();
	/* From the attack's last byte to our first packet: only the first one is asked about. */
	bool first = t->port == 0 && t->line->asking.round == 0;
	if (first && t->lease.trigger_us && e->time_us > t->lease.trigger_us)
		event_set_number(e, FIELD_LATENCY, e->time_us - t->lease.trigger_us);
	t->line->sent = publish(p) ? e->id : (struct event_id){0};
}

/* Over UDP silence does not tell a filter from a port that has nothing to say. */
static const char *state_of(enum line_end end, bool udp)
{
	switch (end) {
	case LINE_REFUSED:
		return "closed";
	case LINE_SILENT:
		return udp ? "silent" : "filtered";
	case LINE_UNREACHABLE:
		return "unreachable";
	case LINE_REVOKED:
		return "aborted";
	default:
		return "open";
	}
}

static void story_count(struct prober *p, enum line_end end)
{
	struct prober_counts *c = &p->counts;
	uint64_t *which = end == LINE_REFUSED	   ? &c->closed
			  : end == LINE_SILENT	    ? &c->filtered
			  : end == LINE_UNREACHABLE ? &c->unreachable
			  : end == LINE_REVOKED	    ? &c->aborted
						    : &c->open;
	++*which;
}

/* What decoys of others are told by (active/identify/giveaway.h) is seen over all ports together. */
static void story_port(const struct target *t, enum line_end end, const struct synack *seen)
{
	struct signals_port *port = signals_port(&t->line->signals, t->line->port);
	if (!port || end == LINE_REVOKED)
		return;
	port->open |= t->line->connected_us != 0;
	if (seen) {
		port->window = seen->window;
		port->ttl = seen->ttl;
		port->linux_options = !strncmp(seen->options, "mss:", 4) && strstr(seen->options, ",sok,ts,nop,ws:");
	}
}

static const struct synack *story_handshake(struct prober *p, const struct target *t)
{
	const struct synack *seen = NULL;
	if (p->synacks && t->line->connected_us && !line_is_udp(t->line)) {
		synacks_drain(p->synacks, p->now_us);
		seen = synacks_find(p->synacks, &t->lease.target, t->line->port, t->line->began_us);
	}
	if (!seen)
		return NULL;
	event_set_number(&p->event, FIELD_TCP_TTL, seen->ttl);
	event_set_number(&p->event, FIELD_TCP_WINDOW, seen->window);
	event_set_text(&p->event, FIELD_TCP_OPTIONS, seen->options);
	return seen;
}

static void story_signals(struct signals *s, struct event *e)
{
	uint8_t room[SIGNALS_REPORT_MAX];
	struct writer w = writer_of(room, sizeof room);
	signals_report(s, &w);
	if (writer_used(&w))
		event_set_bytes(e, SIGNALS, writer_bytes(&w));
}

bool story_answered(struct prober *p, struct target *t, enum line_end end, int why)
{
	struct line *l = t->line;
	struct event *e = &p->event;
	const struct synack *seen = NULL;
	bool sent = !id_is_zero(&l->sent), again = false;
	story_begin(p, t, EVENT_HOST_ANSWERED);
	event_set_chain(e, sent ? &l->sent : &t->lease.id, &t->root, t->lease.depth + sent);
	event_set_text(e, FIELD_STATE, state_of(end, line_is_udp(l)));
	event_set_text(e, FIELD_CLOSE_REASON, line_end_name(end));
	if (why)
		event_set_text(e, FIELD_DETAIL, strerror(why));
	if (end != LINE_UNREACHABLE)
		event_set_number(e, FIELD_PACKETS_OUT, l->packets);
	if (l->connected_us || end == LINE_REFUSED)
		event_set_number(e, FIELD_LATENCY,
				 (l->connected_us ? l->connected_us : p->now_us) - l->began_us);
	if (l->connected_us) {
		event_set_number(e, FIELD_DURATION, p->now_us - l->began_us);
		event_set_number(e, FIELD_BYTES_IN, l->asking.heard);
		event_set_number(e, FIELD_BYTES_OUT, l->asking.asked);
		seen = story_handshake(p, t);
		if (l->ttl)
			event_set_number(e, UDP_TTL, l->ttl);
	}
	story_port(t, end, seen);
	/* Of an address that wants no more looks nothing is kept. */
	if (end != LINE_REVOKED)
		again = asking_finish(&l->asking, e) && l->connected_us;
	if (end != LINE_REVOKED)
		story_signals(&l->signals, e);
	p->counts.overstated += l->asking.overstated;
	story_count(p, end);
	if (publish(p) && (l->connected_us || !l->told)) {
		l->answered = e->id;
		l->told = true;
	}
	return again;
}
