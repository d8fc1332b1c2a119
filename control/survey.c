/*
 * Surveys while they run: who has the permission, what it has used, when it ends.
 *
 * One scanner at a time has a survey's lease.  It keeps it by asking twice a second; when it was
 * not heard for SURVEY_SILENCE_MS, it has stopped by itself, and another may ask.  What a round
 * has sent counts against its budget over all leases of that round, also after a restart.
 */
#include "control/room_inner.h"
#include "control/survey_sets_inner.h"
#include <stdlib.h>

FIELD(field_survey, "survey", TEXT, 0, "approved survey that a decision or an answer belongs to");

#define SILENCE_US (SURVEY_SILENCE_MS * UINT64_C(1000))
#define WRITE_US 5000000u /* what is sent is written down so often: a crash forgets no more */

static struct survey_run *run_of(struct control *c, struct bytes name, const struct survey **survey)
{
	for (size_t i = 0; i < c->settings.survey_count; i++)
		if (bytes_equal_text(name, c->settings.surveys[i].option->name)) {
			*survey = &c->settings.surveys[i];
			return &c->surveys[i];
		}
	return NULL;
}

static struct survey_run *run_with(struct control *c, const struct event_id *lease, const struct survey **survey)
{
	for (size_t i = 0; i < c->settings.survey_count && !id_is_zero(lease); i++)
		if (id_equal(&c->surveys[i].lease, lease)) {
			*survey = &c->settings.surveys[i];
			return &c->surveys[i];
		}
	return NULL;
}

static void write_down(struct control *c, struct survey_run *run, const struct survey *survey)
{
	snprintf(run->kept.name, sizeof run->kept.name, "%s", survey->option->name);
	run->written_us = c->now_us;
	state_put_survey(c->state, &run->kept);
}

static void lease_end(struct control *c, struct survey_run *run, const struct survey *survey)
{
	run->lease = (struct event_id){0};
	run->lease_packets = 0;
	write_down(c, run, survey);
}

static bool is_held(const struct control *c, const struct survey_run *run)
{
	return !id_is_zero(&run->lease) && run->heard_us + SILENCE_US > c->now_us && run->expires_us > c->now_us;
}

/* Which opt-outs there are: another number when the set is another one. */
static uint64_t excluded_mark(const struct control *c)
{
	uint64_t mark = (uintptr_t)c->optout.set.items ^ random_mix((uintptr_t)c->asked_out.set.items);
	mark = random_mix(mark ^ c->optout.set.count) ^ random_mix(c->asked_out.set.count + 1);
	return random_mix(mark ^ c->optout.stamp[2]) | 1;
}

static bool round_is_over(const struct survey_run *run, const struct survey *survey)
{
	return run->kept.over || run->kept.packets >= survey->option->packets;
}

static enum reason check(const struct control *c, const struct survey_run *run, const struct survey *survey,
			 struct fault *fault)
{
	const struct settings *s = &c->settings;
	const char *contact = s->operator->contact;
	char missing[128];
	struct writer w = writer_of(missing, sizeof missing - 1);
	if (!s->active->enabled || s->scope.count == 0 || c->policy.opt_outs_unknown)
		return REASON_INACTIVE;
	if (!contact || !*contact)
		return REASON_NO_CONTACT;
	if (!survey_is_complete(survey, &w)) {
		*w.at = '\0';
		fault_set(fault, ERR_DENIED, "the survey %s lacks %s: what is scanned must be approved in writing",
			  survey->option->name, missing);
		return REASON_SURVEY_INCOMPLETE;
	}
	const enum reason hours = survey_hours_check(s, survey, c->now_us, fault);
	if (hours != REASON_OK)
		return hours;
	if (survey->option->tier < 1)
		return REASON_TIER;
	if (run->kept.stopped)
		return REASON_SURVEY_STOPPED;
	if (is_held(c, run))
		return REASON_SURVEY_RUNNING;
	const uint64_t repeat_us = survey->option->repeat_ms * 1000;
	if (run->kept.round && round_is_over(run, survey) && (!repeat_us || run->kept.round_us + repeat_us > c->now_us))
		return REASON_SURVEY_OVER;
	return REASON_OK;
}

static void decision_begin(struct control *c, const char *name, uint64_t tier, const char *decision, enum reason reason)
{
	struct event *e = &c->event;
	event_begin(e, EVENT_DECISION_MADE);
	e->time_us = c->now_us;
	e->id = id_make(&c->ids, c->now_us);
	event_set_text(e, FIELD_DECISION, decision);
	event_set_text(e, FIELD_REASON, reason_word(reason));
	event_set_text(e, FIELD_BASIS, basis_name(BASIS_SURVEY));
	event_set_number(e, FIELD_TIER, tier);
	event_set_text(e, field_survey, name);
}

/* The same refusal again and again is told once, then counted. */
static void tell_refused(struct control *c, struct survey_run *run, const struct survey *survey, enum reason reason)
{
	c->totals.refused++;
	c->totals.by_reason[reason]++;
	if (run->refused_us && run->refused_for == reason) {
		run->refused++;
		return;
	}
	run->refused_us = c->now_us;
	run->refused_for = reason;
	decision_begin(c, survey->option->name, survey->option->tier, "refused", reason);
	event_set_text(&c->event, FIELD_DETAIL, reason_what(reason));
	control_publish(c);
}

static void refusals_tell(struct control *c, struct survey_run *run, const struct survey *survey)
{
	if (run->refused) {
		decision_begin(c, survey->option->name, survey->option->tier, "refused", (enum reason)run->refused_for);
		event_set_number(&c->event, FIELD_COUNT, run->refused);
		control_publish(c);
	}
	run->refused = 0;
	run->refused_us = 0;
}

static void round_begin(struct control *c, struct survey_run *run, const struct survey *survey)
{
	if (run->kept.round && !round_is_over(run, survey))
		return; /* it goes on where another scanner left off */
	run->kept.round++;
	run->kept.round_us = c->now_us;
	run->kept.packets = 0;
	run->kept.over = false;
	run->hits = run->looks = 0;
}

static uint64_t seed_of(const struct control *c, const struct survey_run *run, const struct survey *survey)
{
	uint64_t seed = survey->option->seed ? survey->option->seed : c->policy.hold_out_key;
	for (const char *n = survey->option->name; *n; n++)
		seed = random_mix(seed ^ (uint8_t)*n);
	return random_mix(seed + run->kept.round);
}

static void lease_make(struct control *c, const struct survey_run *run, const struct survey *survey,
		       struct survey_lease *l)
{
	const struct active_options *o = c->settings.active;
	const struct address *from = o->addresses.items;
	const uint64_t rate = survey->option->rate;
	*l = (struct survey_lease){
		.id = c->event.id,
		.seed = seed_of(c, run, survey),
		.round = run->kept.round,
		.rate = o->rate && o->rate < rate ? o->rate : rate,
		.packets_max = survey->option->packets - run->kept.packets,
		.begins_us = c->now_us,
		.expires_us = survey_hours_until(&c->settings, survey, c->now_us),
		.tier = (uint8_t)survey->option->tier,
		.looks = survey->option->look,
		.port_count = survey->port_count,
	};
	snprintf(l->name, sizeof l->name, "%s", survey->option->name);
	memcpy(l->ports, survey->ports, sizeof l->ports);
	for (size_t i = o->addresses.count; i-- > 0;)
		l->from[!address_is_v4(&from[i])] = from[i];
}

static int tell_allowed(struct control *c, const struct survey *survey)
{
	char detail[512];
	struct writer w = writer_of(detail, sizeof detail - 1);
	const struct survey_option *o = survey->option;
	decision_begin(c, o->name, o->tier, "allowed", REASON_OK);
	event_set_id(&c->event, FIELD_LEASE, &c->event.id);
	write_fmt(&w, "%.200s; approved by %.80s, %.80s; ports", o->purpose, o->approved_by, o->reference);
	for (uint8_t i = 0; i < survey->port_count && writer_left(&w) > 32; i++)
		write_fmt(&w, "%s %u%s", i ? "," : "", (unsigned)survey->ports[i].port,
			  survey->ports[i].protocol == 17 ? "/udp" : "");
	*w.at = '\0';
	event_set_text(&c->event, FIELD_DETAIL, detail);
	return control_publish(c);
}

enum reason control_survey_ask(struct control *c, struct bytes name, uint64_t now_us, struct survey_grant_made *made,
			       struct fault *fault)
{
	const struct survey *survey = NULL;
	struct survey_run *run = run_of(c, name, &survey);
	c->now_us = now_us;
	*made = (struct survey_grant_made){0};
	if (!run) {
		fault_set(fault, ERR_MISSING, "active.surveys has none of that name");
		return REASON_NO_BASIS;
	}
	enum reason reason = check(c, run, survey, fault);
	bool bad = survey_targets(&c->settings, survey, &made->targets) || survey_excluded(&c->policy, &made->excluded);
	if (reason == REASON_OK && (bad || !made->targets.count))
		reason = bad ? REASON_QUEUE_FULL : REASON_SCOPE;
	if (reason != REASON_OK) {
		if (!fault->text[0])
			fault_set(fault, ERR_DENIED, "%s: %s", reason_word(reason), reason_what(reason));
		tell_refused(c, run, survey, reason);
		return reason;
	}
	refusals_tell(c, run, survey);
	if (tell_allowed(c, survey)) {
		fault_set(fault, ERR_DENIED, "the journal is behind; a lease that is not written down is not given");
		return REASON_QUEUE_FULL;
	}
	round_begin(c, run, survey);
	lease_make(c, run, survey, &made->lease);
	c->totals.allowed++;
	run->lease = made->lease.id;
	run->lease_packets = 0;
	run->heard_us = now_us;
	run->expires_us = made->lease.expires_us;
	run->excluded_mark = excluded_mark(c);
	write_down(c, run, survey);
	return REASON_OK;
}

static const char *reason_to_stop(const struct control *c, const struct survey_run *run, const struct survey *survey)
{
	if (!c->settings.active->enabled || c->policy.opt_outs_unknown)
		return "active observation is off";
	if (run->kept.stopped)
		return "stopped by hand";
	if (run->expires_us <= c->now_us)
		return "its time is over, or the hours in which it may be scanned";
	if (run->kept.over)
		return "the round is over";
	return run->kept.packets >= survey->option->packets ? "its packets are spent" : NULL;
}

const char *control_survey_keep(struct control *c, const struct survey_progress *p, uint64_t now_us,
				struct prefix_set *excluded)
{
	const struct survey *survey = NULL;
	struct survey_run *run = run_with(c, &p->id, &survey);
	c->now_us = now_us;
	if (!run)
		return "control does not know this lease; ask for another";
	if (p->packets > run->lease_packets) {
		run->kept.packets += p->packets - run->lease_packets;
		c->totals.packets_sent += p->packets - run->lease_packets;
		run->lease_packets = p->packets;
	}
	run->hits = p->hits > run->hits ? p->hits : run->hits;
	run->heard_us = now_us;
	run->kept.over |= p->done;
	const char *why = reason_to_stop(c, run, survey);
	if (why) {
		lease_end(c, run, survey);
		return why;
	}
	if (run->written_us + WRITE_US < now_us)
		write_down(c, run, survey);
	/* With no memory for the set nobody may be asked any more: the scanner stops for want of an answer. */
	if (run->excluded_mark == excluded_mark(c))
		return NULL;
	if (survey_excluded(&c->policy, excluded))
		return "no memory for those who opted out";
	run->excluded_mark = excluded_mark(c);
	return NULL;
}

struct hit {
	struct address target;
	uint32_t port;
};

static int hit_order(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	int order = memcmp(&x->target, &y->target, sizeof x->target);
	return order ? order : (x->port > y->port) - (x->port < y->port);
}

static size_t hits_read(struct reader *r, const struct survey *survey, struct hit *out)
{
	size_t count = 0;
	while (reader_left(r) >= SURVEY_HIT_WIRE) {
		struct bytes address = read_bytes(r, sizeof(struct address));
		const uint16_t port = read_u16(r);
		const uint8_t protocol = read_u8(r);
		bool approved = false;
		for (uint8_t i = 0; i < survey->port_count; i++)
			approved |= survey->ports[i].port == port && survey->ports[i].protocol == protocol;
		if (!approved)
			continue; /* not what was permitted: whoever says so is not believed */
		out[count].port = port | (protocol == 17 ? PORT_UDP : 0);
		memcpy(out[count++].target.b, address.at, sizeof out->target.b);
	}
	return count;
}

static bool hit_tell(struct control *c, const struct survey_run *run, const struct survey *survey, const struct hit *hit)
{
	struct event *e = &c->found;
	event_begin(e, EVENT_HOST_ANSWERED);
	e->time_us = c->now_us;
	e->id = id_make(&c->ids, c->now_us);
	event_set_address(e, FIELD_SRC, &hit->target);
	event_set_number(e, FIELD_SPORT, port_number(hit->port));
	event_set_text(e, FIELD_PROTO, port_is_udp(hit->port) ? "udp" : "tcp");
	event_set_text(e, FIELD_STATE, "open");
	event_set_text(e, FIELD_PROBE, "survey");
	event_set_text(e, field_survey, survey->option->name);
	event_set_id(e, FIELD_LEASE, &run->lease);
	event_set_chain(e, &run->lease, &run->lease, 0);
	return c->publish(c->arg, e) == 0;
}

int64_t control_survey_hits(struct control *c, struct bytes payload, uint64_t now_us)
{
	const struct survey *survey = NULL;
	struct reader r = reader_of_bytes(payload);
	struct bytes id = read_bytes(&r, sizeof(struct event_id));
	struct event_id lease;
	int64_t allowed = 0;
	c->now_us = now_us;
	if (!reader_ok(&r) || reader_left(&r) % SURVEY_HIT_WIRE || reader_left(&r) / SURVEY_HIT_WIRE > SURVEY_HITS_MAX)
		return ERR_BAD;
	memcpy(lease.b, id.at, sizeof lease.b);
	struct survey_run *run = run_with(c, &lease, &survey);
	if (!run)
		return ERR_GONE;
	struct hit *hits = calloc(SURVEY_HITS_MAX, sizeof *hits);
	if (!hits)
		return ERR_MEMORY;
	const size_t count = hits_read(&r, survey, hits);
	qsort(hits, count, sizeof *hits, hit_order);
	for (size_t i = 0, next; i < count; i = next) {
		uint32_t ports[LEASE_PORTS_MAX];
		size_t n = 0;
		bool told = false;
		for (next = i; next < count && address_equal(&hits[next].target, &hits[i].target); next++) {
			if (n < LEASE_PORTS_MAX && (!n || ports[n - 1] != hits[next].port))
				ports[n++] = hits[next].port;
			told = hit_tell(c, run, survey, &hits[next]);
		}
		struct look_answer answer = {.decision = ""};
		if (told && survey->option->look)
			control_look_at_hit(c, &c->found, ports, n, survey->option->tier, &answer);
		allowed += !strcmp(answer.decision, "allowed");
	}
	run->looks += (uint64_t)allowed;
	free(hits);
	return allowed;
}

int control_survey_stop(struct control *c, struct bytes name, bool stop, uint64_t now_us)
{
	const struct survey *survey = NULL;
	struct survey_run *run = run_of(c, name, &survey);
	c->now_us = now_us;
	if (!run)
		return ERR_MISSING;
	run->kept.stopped = stop;
	write_down(c, run, survey);
	return 0;
}

static void write_one(struct control *c, const struct survey_run *run, const struct survey *survey, struct writer *w)
{
	char time[TIME_TEXT_MAX];
	struct fault fault = {{0}};
	const struct survey_option *o = survey->option;
	const enum reason reason = check(c, run, survey, &fault);
	write_text(w, "{\"name\":");
	write_json_string(w, bytes_of_text(o->name));
	write_fmt(w, ",\"state\":\"%s\",\"purpose\":",
		  reason == REASON_SURVEY_RUNNING ? "running" : reason == REASON_OK ? "ready" : reason_word(reason));
	write_json_string(w, bytes_of_text(o->purpose ? o->purpose : ""));
	write_text(w, ",\"approved_by\":");
	write_json_string(w, bytes_of_text(o->approved_by ? o->approved_by : ""));
	write_text(w, ",\"reference\":");
	write_json_string(w, bytes_of_text(o->reference ? o->reference : ""));
	write_fmt(w, ",\"until\":\"%s\",\"tier\":%u,\"rate\":%llu,\"packets\":%llu,\"sent\":%llu,\"round\":%llu,"
		     "\"hits\":%llu,\"looks\":%llu,\"detail\":", time_format(survey->until_us, time), (unsigned)o->tier,
		  (unsigned long long)o->rate, (unsigned long long)o->packets, (unsigned long long)run->kept.packets,
		  (unsigned long long)run->kept.round, (unsigned long long)run->hits, (unsigned long long)run->looks);
	write_json_string(w, bytes_of_text(fault.text[0] ? fault.text : reason == REASON_OK ? "" : reason_what(reason)));
	write_text(w, "}");
}

void control_survey_write(struct control *c, uint64_t now_us, struct writer *w)
{
	c->now_us = now_us;
	write_text(w, "[");
	for (size_t i = 0; i < c->settings.survey_count; i++) {
		write_text(w, i ? "," : "");
		write_one(c, &c->surveys[i], &c->settings.surveys[i], w);
	}
	write_text(w, "]");
}

void control_survey_retain(struct control *c)
{
	for (size_t i = 0; i < c->settings.survey_count; i++)
		if (c->surveys[i].kept.round || c->surveys[i].kept.stopped)
			state_put_survey(c->state, &c->surveys[i].kept);
}

void control_survey_restore(struct control *c, const struct state_survey *s)
{
	const struct survey *survey = NULL;
	struct survey_run *run = run_of(c, bytes_of_text(s->name), &survey);
	if (run)
		run->kept = *s;
}

void control_survey_tick(struct control *c, uint64_t now_us)
{
	const uint64_t window_us = c->settings.control->repeat_window_ms * 1000;
	c->now_us = now_us;
	for (size_t i = 0; i < c->settings.survey_count; i++) {
		struct survey_run *run = &c->surveys[i];
		if (!id_is_zero(&run->lease) && !is_held(c, run))
			lease_end(c, run, &c->settings.surveys[i]);
		if (run->refused_us && run->refused_us + window_us < now_us)
			refusals_tell(c, run, &c->settings.surveys[i]);
	}
}
