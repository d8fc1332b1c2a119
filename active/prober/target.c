/*
 * The way of one target: its ports one after the other, each with its probe, each probe
 * with as many connections as it asks for and the lease has packets for.
 *
 * Whatever comes next is put on the agenda and never called from within, so that a row of
 * refusals cannot nest.
 */
#include "active/prober/prober_inner.h"
#include "base/clock.h"
#include <stdlib.h>

static struct target **bucket_of(struct prober *p, const struct target *t)
{
	return &p->buckets[address_hash(&t->lease.target, p->key) & (ACTIVE_BUCKETS - 1)];
}

bool target_is_looked_at(struct prober *p, const struct target *t)
{
	for (const struct target *it = *bucket_of(p, t); it; it = it->next_same)
		if (address_equal(&it->lease.target, &t->lease.target))
			return true;
	return false;
}

static struct line *line_take(struct prober *p)
{
	struct line *l = p->free_lines;
	if (l)
		p->free_lines = l->next_free;
	else
		l = malloc(sizeof *l);
	if (l)
		*l = (struct line){.fd = -1};
	return l;
}

int target_begin(struct prober *p, struct target *t)
{
	t->line = line_take(p);
	if (!t->line)
		return ERR_MEMORY;
	t->place = TARGET_ACTIVE;
	struct target **bucket = bucket_of(p, t);
	t->next_same = *bucket;
	*bucket = t;
	p->active++;
	p->counts.targets++;
	target_go_on(p, t);
	return 0;
}

static void target_release(struct prober *p, struct target *t)
{
	struct target **at = bucket_of(p, t);
	while (*at != t)
		at = &(*at)->next_same;
	*at = t->next_same;
	p->active--;
	if (t->line->begun) {
		p->secure -= t->line->secure;
		asking_done(&t->line->asking);
	}
	signals_done(&t->line->signals);
	t->line->next_free = p->free_lines;
	p->free_lines = t->line;
	t->line = NULL;
}

void target_drop(struct prober *p, struct target *t)
{
	agenda_drop(&p->agenda, &t->when);
	if (t->line)
		target_release(p, t);
	if (t->before)
		t->before->next = t->next;
	else
		p->all = t->next;
	if (t->next)
		t->next->before = t->before;
	p->held--;
	free(t);
}

/* The lease is done with: tells control, and identification what was heard. */
static void target_over(struct prober *p, struct target *t)
{
	const struct line *l = t->line;
	if (l && l->signals.count && l->told && p->hooks.told)
		p->hooks.told(p->hooks.arg, &(struct prober_story){
			.lease = &t->lease,
			.signals = &l->signals,
			.answered = l->answered,
			.root = t->root,
			.depth = t->lease.depth + 2,
		});
	p->hooks.done(p->hooks.arg, &t->lease, t->packets);
	target_drop(p, t);
}

static const struct prober_port *port_mapped(const struct prober *p, uint32_t port)
{
	for (size_t i = 0; i < p->options.port_count; i++)
		if (p->options.ports[i].port == port)
			return &p->options.ports[i];
	return NULL;
}

/* Where no probe knows the port the fallback asks, but never a machine that this could stop. */
static const struct probe *probe_of_port(const struct prober_port *map, uint32_t port)
{
	const struct probe *probe = map && map->probe ? map->probe : probe_for_port(port);
	if (probe || port_is_udp(port) || port_is_industrial(port))
		return probe;
	return probe_fallback();
}

/* The next port that a probe is allowed to ask; NULL: there is none left. */
static const struct probe *target_probe(const struct prober *p, struct target *t)
{
	for (; t->port < t->lease.port_count; t->port++) {
		uint32_t port = t->lease.ports[t->port];
		const struct prober_port *map = port_mapped(p, port);
		const struct probe *probe = probe_of_port(map, port);
		unsigned needed = port_is_udp(port) ? TIER_UDP : 0;
		if (!probe || probe->tier > t->lease.tier || needed > t->lease.tier)
			continue;
		if (probe->guesses && !p->options.settings.snmp_public)
			continue;
		t->line->port = map && map->to ? map->to : port_number(port);
		return probe;
	}
	return NULL;
}

static int target_ask_with(struct prober *p, struct target *t, const struct probe *probe)
{
	struct line *l = t->line;
	bool secure = probe->secure || probe->glances;
	if (secure && p->secure >= SECURE_MAX)
		return ERR_FULL;
	if (asking_begin(&l->asking, probe, &p->options.settings, p->tls, &l->signals,
			 writer_of(p->scratch, sizeof p->scratch)) < 0)
		return ERR_FULL;
	l->begun = true;
	l->secure = secure;
	p->secure += secure;
	l->asking.target = t->lease.target;
	l->asking.port = l->port;
	l->asking.tier_max = t->lease.tier;
	return 0;
}

static int target_ask(struct prober *p, struct target *t)
{
	const struct probe *probe = target_probe(p, t);
	if (!probe)
		return ERR_MISSING;
	int bad = target_ask_with(p, t, probe);
	/* Of a port that neither a probe nor the operator knows the host itself should say what it is. */
	uint32_t port = t->lease.ports[t->port];
	const struct prober_port *map = port_mapped(p, port);
	if (!bad)
		t->line->asking.waits = !(map && map->probe) && !probe_for_port(port);
	return bad;
}

static void target_end_asking(struct prober *p, struct target *t)
{
	p->secure -= t->line->secure;
	asking_done(&t->line->asking);
	t->line->begun = false;
}

static void target_ask_no_more(struct prober *p, struct target *t)
{
	target_end_asking(p, t);
	t->port++;
}

/* The host spoke another protocol than the one it was asked in: its own probe asks, once. */
static bool target_ask_instead(struct prober *p, struct target *t)
{
	const struct probe *expected = t->line->asking.probe, *instead = t->line->asking.instead;
	if (!instead || t->line->asking.expected)
		return false;
	target_end_asking(p, t);
	if (target_ask_with(p, t, instead) == 0)
		t->line->asking.expected = expected;
	return true;
}

/* How many connections the lease still has packets for. */
static size_t connections_left(const struct target *t)
{
	unsigned left = t->lease.packets_max > t->packets ? t->lease.packets_max - t->packets : 0;
	return left / PROBER_CONNECTION_PACKETS;
}

static void target_postpone(struct prober *p, struct target *t, uint64_t wait_us)
{
	p->counts.postponed++;
	agenda_set(&p->agenda, &t->when, p->now_us + wait_us);
}

static void target_connect(struct prober *p, struct target *t)
{
	int why = 0, result = line_open(p, t, &why);
	t->line->sent = (struct event_id){0};
	if (result == ERR_FULL) {
		target_postpone(p, t, POSTPONE_US);
		return;
	}
	if (result == 0) {
		story_sent(p, t);
		agenda_set(&p->agenda, &t->when, line_deadline(p, t));
		return;
	}
	story_answered(p, t, LINE_UNREACHABLE, why);
	target_ask_no_more(p, t);
	agenda_set(&p->agenda, &t->when, p->now_us);
}

void target_go_on(struct prober *p, struct target *t)
{
	bool may = connections_left(t) > 0 && lease_left_us(&t->lease) > 0;
	int result = !may ? ERR_MISSING : t->line->begun ? 0 : target_ask(p, t);
	if (result == ERR_FULL)
		target_postpone(p, t, POSTPONE_US);
	else if (result < 0)
		target_over(p, t);
	else
		target_connect(p, t);
}

void target_line_over(struct prober *p, struct target *t, enum line_end end)
{
	line_close(p, t, end);
	bool again = story_answered(p, t, end, 0);
	/* One more connection must not take the packets of the ports that are still to come. */
	size_t later = t->lease.port_count - t->port - 1u;
	bool more = connections_left(t) > later;
	if (more && end != LINE_REVOKED && target_ask_instead(p, t))
		again = t->line->begun;
	if (!t->line->begun)
		t->port++;
	else if (!again || !more)
		target_ask_no_more(p, t);
	if (end == LINE_REVOKED) {
		t->line->signals.count = 0;
		target_over(p, t);
		return;
	}
	agenda_set(&p->agenda, &t->when, p->now_us + p->options.pause_us);
}

void target_due(struct prober *p, struct target *t)
{
	enum line_end end;
	if (t->line->stage == LINE_NONE)
		target_go_on(p, t);
	else if (line_due(p, t, &end))
		target_line_over(p, t, end);
	else
		agenda_set(&p->agenda, &t->when, line_deadline(p, t));
}

void target_revoke(struct prober *p, struct target *t)
{
	if (t->place == TARGET_ACTIVE && t->line->stage != LINE_NONE) {
		target_line_over(p, t, LINE_REVOKED);
		return;
	}
	if (t->line)
		t->line->signals.count = 0;
	target_over(p, t);
}
