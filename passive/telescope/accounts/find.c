/* Findings: what is worth an event before its record ends. */
#include "passive/telescope/accounts/accounts_inner.h"

#define IPV4_SPACE 4294967296.0

static void tell(struct telescope *t, const struct finding *f)
{
	t->sums.findings[f->kind]++;
	if (t->hooks.finding)
		t->hooks.finding(t->hooks.arg, f);
}

static double rate(uint64_t packets, uint64_t first_us, uint64_t last_us)
{
	return last_us > first_us ? (double)packets * 1e6 / (double)(last_us - first_us) : 0;
}

static void describe(const struct telescope *t, const struct account *a, const struct source *s,
		     struct finding *f)
{
	unsigned tool = account_tool(t, a, s);
	f->address = source_address(t, s);
	f->proto = a->proto;
	f->flags = a->proto == 6 ? a->flags : 0;
	f->port = a->port;
	f->ttl = a->ttl_max;
	f->tool = tool ? signatures_tool(t->options.signatures, tool) : NULL;
}

void find_scan(struct telescope *t, struct account *a, struct source *s)
{
	if (a->bits & (ACCOUNT_TOLD | ACCOUNT_ANSWERS))
		return;
	uint32_t n = account_destinations(t, a);
	if (n < t->options.scan_destinations)
		return;
	a->bits |= ACCOUNT_TOLD;
	struct finding f = {.kind = FINDING_SCAN,
			    .first_us = a->first_us,
			    .last_us = a->first_us + a->duration_us,
			    .packets = a->packets,
			    .count = n};
	describe(t, a, s, &f);
	f.rate = rate(f.packets, f.first_us, f.last_us);
	f.internet_rate = f.rate * IPV4_SPACE / t->options.watched;
	tell(t, &f);
}

void find_ports(struct telescope *t, const struct account *a, struct source *s)
{
	if (account_answers(a))
		return;
	s->bits |= SOURCE_PORTS_TOLD;
	struct finding f = {.kind = FINDING_SCAN,
			    .first_us = s->first_s * UINT64_C(1000000),
			    .last_us = a->first_us,
			    .packets = s->packets,
			    .count = s->destinations ? s->destinations : 1,
			    .ports = s->accounts};
	describe(t, a, s, &f);
	f.rate = rate(f.packets, f.first_us, f.last_us);
	f.internet_rate = f.rate * IPV4_SPACE / t->options.watched;
	tell(t, &f);
}

void find_target(struct telescope *t, struct target *e)
{
	bool flood = target_is_flood(e);
	if (!flood && !target_is_reflection(e))
		return;
	e->told = true;
	struct finding f = {.kind = flood ? FINDING_FLOOD : FINDING_REFLECTION,
			    .address = e->address,
			    .first_us = e->first_us,
			    .last_us = e->last_us,
			    .packets = e->sources, /* of each at least one */
			    .count = e->sources,
			    .rate = rate(e->sources, e->first_us, e->last_us),
			    .proto = e->key.proto,
			    .port = e->key.port};
	f.ttls = target_ttls(e, &f.ttl);
	tell(t, &f);
}

void find_victim(struct telescope *t, const struct account *a, struct source *s, const struct victim *v)
{
	if (account_class(t, a, 0) == CLASS_REFLECTION)
		return; /* somebody asked it in the name of one of ours, which makes ours the victim */
	s->bits |= SOURCE_VICTIM;
	struct finding f = {.kind = FINDING_VICTIM,
			    .first_us = v->first_us,
			    .last_us = v->last_us,
			    .packets = v->packets,
			    .count = account_destinations(t, a)};
	describe(t, a, s, &f);
	f.rate = v->highest / 60.0;
	tell(t, &f);
}
