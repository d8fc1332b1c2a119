/*
 * Checks of command servers: which may be asked, what may be said to them, and when again.
 *
 * Only an address that a sample of our own named as its command server is checked, under the same policy and
 * budgets as any look.  The first connection says nothing.  What the sample said is repeated, without what
 * names a machine, only where that cannot enlist us, or after a person has read and approved it: then
 * the rest of the check follows within the same round, four connections in all.
 */
#include "base/error.h"
#include "event/hello.h"
#include "control/operator_topics_inner.h"
#include "control/room_inner.h"

#define CONTROL_PORT_FIRST 61000 /* no service is known there, and no controller listens there */
#define CONTROL_PORTS 4000
#define RETRY_US 3600000000u     /* after a refusal that may pass */
#define CHECKS_PER_TICK 16
#define TITLE "first words of a sample to its command server; whoever says them may be taken for one more bot"

static uint32_t control_port(const struct address *a, uint16_t port)
{
	const uint32_t picked = CONTROL_PORT_FIRST + (uint32_t)(address_hash(a, 0) % CONTROL_PORTS);
	return picked == port ? picked + 1 : picked;
}

static void keep(struct control *c, const struct server *s) { state_put_server(c->state, s); }

/* What it said first, made fit to be said again; the longest that was recorded is kept. */
static void learn_hello(struct server *s, const struct event *e)
{
	const struct bytes recorded = event_bytes(e, FIELD_HELLO);
	const struct event_value *registers = event_get(e, FIELD_HELLO_REGISTERS);
	struct writer w = writer_of(s->hello, sizeof s->hello);
	if (recorded.len == 0 || s->hello_len)
		return;
	const struct bytes said = {recorded.at, recorded.len < CHECK_HELLO_MAX ? recorded.len : CHECK_HELLO_MAX};
	const struct hello_said told = hello_neutralise(said, &w);
	s->hello_len = (uint16_t)writer_used(&w);
	s->withheld = told.credential;
	s->enlists = told.enlists || !registers || registers->number;
}

/* A question for the operator, unless it stands already. */
static void ask_approval(struct control *c, struct server *s)
{
	struct approval_ask ask = {.kind = "hello", .title = TITLE, .target = s->address, .port = s->port,
				   .cause = s->cause.id, .root = s->cause.root, .depth = s->cause.depth,
				   .text = {s->hello, s->hello_len}};
	struct approval_standing standing;
	snprintf(ask.sample, sizeof ask.sample, "%s", s->sample);
	if (control_approval_ask(c, "control", &ask, c->now_us, &standing, NULL) == 0)
		s->approval = standing.id;
}

static bool needs_reading(const struct control *c, const struct server *s)
{
	return s->enlists || c->settings.active->hellos == HELLOS_APPROVE;
}

static bool wants_approval(const struct control *c, const struct server *s)
{
	return s->hello_len && !s->withheld && needs_reading(c, s);
}

static bool is_approved(const struct control *c, const struct server *s)
{
	const struct approval *a = approvals_find(&c->approvals, &s->approval);
	return a && a->standing.state == APPROVAL_APPROVED && a->standing.until_us > c->now_us;
}

/* Only its banner was heard in this round, so that the rest is still owed. */
static bool may_go_on(const struct control *c, const struct server *s)
{
	return s->steps == CHECK_BANNER && s->banner_known && is_approved(c, s) &&
	       s->checked_us + c->settings.active->round_ms * 1000 > c->now_us;
}

static struct question question_of(const struct control *c, const struct server *s)
{
	return (struct question){.target = s->address, .ports = 2, .tier = 1, .hold_out = -1, .goes_on = may_go_on(c, s),
				 .evidence = {.basis = BASIS_SAMPLE, .time_us = s->proof_us}};
}

static void asked(struct control *c, struct server *s, const struct look_answer *answer)
{
	const bool allowed = !strcmp(answer->decision, "allowed");
	const uint64_t round_us = c->settings.active->round_ms * 1000;
	s->lease = allowed ? answer->id : (struct event_id){{0}};
	s->next_us = allowed ? UINT64_MAX
		     : answer->reason == REASON_TARGET_BUDGET ? c->now_us + round_us
		     : answer->reason == REASON_QUEUE_FULL || answer->reason == REASON_SENSOR_BUDGET ? c->now_us + RETRY_US
											       : UINT64_MAX;
	keep(c, s);
}

static void remember_event(struct server *s, const struct event *e, const struct rule *rule)
{
	s->cause = (struct followed_cause){.id = e->id, .root = e->id, .depth = (uint8_t)event_number(e, FIELD_DEPTH, 0)};
	event_id_of(e, FIELD_ROOT, &s->cause.root);
	bytes_copy_text(event_bytes(e, FIELD_FILE_SHA256), s->sample, sizeof s->sample);
	bytes_copy_text(event_bytes(e, FIELD_SAMPLE_FAMILY), s->family, sizeof s->family);
	bytes_copy_text(bytes_of_text(rule->name), s->rule, sizeof s->rule);
	learn_hello(s, e);
}

void control_check_event(struct control *c, const struct event *e, const struct rule *rule, const struct address *source,
			 const char *role, unsigned worker)
{
	struct look_answer answer;
	const uint64_t port = event_number(e, FIELD_DPORT, 0);
	struct question q = {.target = *source, .ports = 2, .tier = rule->tier, .hold_out = rule->hold_out,
			     .evidence = evidence_of(e, role)};
	if (!strcmp(role, "active") || port == 0 || port > UINT16_MAX)
		return; /* what a check itself found; or nothing to connect to */
	if (!bytes_equal_text(event_bytes(e, FIELD_INDICATOR_ROLE), "command"))
		q.evidence.basis = BASIS_NONE;
	const uint32_t ports[2] = {(uint32_t)port, control_port(source, (uint16_t)port)};
	if (q.evidence.basis != BASIS_SAMPLE) {
		control_look_of_check(c, e, rule, &q, ports, NULL, NULL, worker, &answer);
		return;
	}
	struct server *s = servers_take(&c->servers, source, (uint16_t)port, c->now_us);
	if (!s)
		return;
	const bool waits = looks_find(c->looks, &s->lease) != NULL;
	s->proof_us = q.evidence.time_us > s->proof_us ? q.evidence.time_us : s->proof_us;
	remember_event(s, e, rule);
	if (wants_approval(c, s) && id_is_zero(&s->approval))
		ask_approval(c, s);
	if (waits) {
		keep(c, s);
		return;
	}
	control_look_of_check(c, e, rule, &q, ports, NULL, NULL, worker, &answer);
	asked(c, s, &answer);
}

/* Whether the hello may be said now; an approval is used up by it. */
static bool may_say(struct control *c, const struct server *s)
{
	if (!s->hello_len || s->withheld)
		return false;
	return !needs_reading(c, s) || (is_approved(c, s) &&
			       control_approval_take(c, "control", &s->approval, c->now_us, NULL) == 0);
}

bool control_check_order(struct control *c, const struct look *l, uint64_t now_us, struct check_order *out)
{
	c->now_us = now_us;
	struct server *s = servers_by_lease(&c->servers, &l->lease.id);
	if (!s)
		return false;
	const bool rest = may_go_on(c, s);
	struct check_order order = {.steps = CHECK_BANNER, .banner_known = rest,
				    .banner = {s->banner, rest ? s->banner_len : 0}};
	if (may_say(c, s)) {
		order.steps = rest ? CHECK_ALL & ~CHECK_BANNER : CHECK_ALL;
		order.hello = (struct bytes){s->hello, s->hello_len};
	}
	snprintf(order.sample, sizeof order.sample, "%s", s->sample);
	snprintf(order.family, sizeof order.family, "%s", s->family);
	*out = order;
	return true;
}

static uint64_t next_check_us(const struct control *c, const struct server *s)
{
	const struct active_options *o = c->settings.active;
	const uint64_t next = c->now_us + o->recheck_ms * 1000;
	return o->recheck_ms && next < s->found_us + o->recheck_for_ms * 1000 ? next : UINT64_MAX;
}

void control_check_result(struct control *c, const struct check_result *r, uint64_t now_us)
{
	c->now_us = now_us;
	struct server *s = servers_by_lease(&c->servers, &r->lease);
	if (!s)
		return;
	s->steps = r->steps;
	s->state = r->state;
	s->certainty = r->certainty;
	s->checked_us = now_us;
	s->checks++;
	s->lease = (struct event_id){{0}};
	snprintf(s->fingerprint, sizeof s->fingerprint, "%s", r->fingerprint);
	if (r->steps & CHECK_BANNER) {
		s->banner_known = r->state != SERVER_CLOSED && r->state != SERVER_FILTERED;
		s->banner_len = (uint16_t)r->banner.len;
		memcpy(s->banner, r->banner.at, r->banner.len);
	}
	if (r->state == SERVER_LIVE) {
		/* It was seen to be what the sample said: the address has not changed hands. */
		s->live_us = s->proof_us = now_us;
	}
	s->next_us = may_go_on(c, s) ? now_us : next_check_us(c, s);
	keep(c, s);
}

void control_check_approval(struct control *c, const struct approval *a)
{
	struct server *s = servers_by_approval(&c->servers, &a->standing.id);
	if (!s || a->standing.state != APPROVAL_APPROVED || looks_find(c->looks, &s->lease))
		return; /* a look that waits takes the approval with it */
	s->next_us = c->now_us;
	keep(c, s);
}

static const struct rule *rule_of(const struct control *c, const struct server *s)
{
	for (size_t i = 0; i < c->rules.count; i++)
		if (c->rules.items[i].action == ACTION_CHECK && !strcmp(c->rules.items[i].name, s->rule))
			return &c->rules.items[i];
	return NULL;
}

static void check_again(struct control *c, struct server *s, const char *why, struct look_answer *answer)
{
	const uint32_t ports[2] = {s->port, control_port(&s->address, s->port)};
	if (wants_approval(c, s) && id_is_zero(&s->approval))
		ask_approval(c, s); /* too many waited when it was found */
	const struct question q = question_of(c, s);
	control_look_of_check(c, NULL, rule_of(c, s), &q, ports, &s->cause, why, 0, answer);
	asked(c, s, answer);
}

/* A look that was withdrawn, or never left, tells nothing: the server is asked again in its next round. */
static void heed_lost(struct control *c, struct server *s)
{
	if (id_is_zero(&s->lease) || looks_find(c->looks, &s->lease))
		return;
	s->lease = (struct event_id){{0}};
	s->next_us = next_check_us(c, s);
	keep(c, s);
}

static bool is_budget_spent(struct control *c, struct server *s)
{
	const struct question q = question_of(c, s);
	const struct target *target = targets_find(c->targets, &s->address);
	if (q.goes_on || !target || !target_is_in_round(c->targets, target, c->now_us))
		return false;
	s->next_us = target->looked_us + c->settings.active->round_ms * 1000;
	return true;
}

void control_check_tick(struct control *c, uint64_t now_us)
{
	struct look_answer answer;
	unsigned left = CHECKS_PER_TICK;
	c->now_us = now_us;
	for (size_t i = 0; i < c->servers.count && left; i++) {
		struct server *s = c->servers.items[i];
		heed_lost(c, s);
		if (s->next_us > now_us || looks_find(c->looks, &s->lease) || is_budget_spent(c, s))
			continue;
		left--;
		check_again(c, s, "a command server is checked again", &answer);
	}
}

void control_check_retain(struct control *c)
{
	for (size_t i = 0; i < c->servers.count; i++)
		keep(c, c->servers.items[i]);
}

static void write_time(struct writer *w, const char *name, uint64_t time_us)
{
	char text[TIME_TEXT_MAX];
	if (time_us && time_us != UINT64_MAX)
		write_fmt(w, ",\"%s\":\"%s\"", name, time_format(time_us, text));
}

static void write_named(struct writer *w, const char *name, const char *text)
{
	write_fmt(w, ",\"%s\":", name);
	write_json_string(w, bytes_of_text(text));
}

static const char *hello_word(const struct server *s)
{
	return !s->hello_len ? "none" : s->withheld ? "credential" : s->enlists ? "enlists" : "harmless";
}

static void write_server(const struct control *c, const struct server *s, struct writer *w)
{
	char address[ADDRESS_TEXT_MAX], id[EVENT_ID_TEXT];
	const struct approval *a = approvals_find(&c->approvals, &s->approval);
	write_fmt(w, "{\"address\":\"%s\",\"port\":%u,\"state\":\"%s\",\"certainty\":%u", address_format(&s->address, address),
		  s->port, server_state_name(s->state), s->certainty);
	write_named(w, "sample", s->sample);
	write_named(w, "family", s->family);
	write_named(w, "fingerprint", s->fingerprint);
	write_time(w, "found", s->found_us);
	write_time(w, "checked", s->checked_us);
	write_time(w, "live", s->live_us);
	write_time(w, "next", s->next_us);
	write_fmt(w, ",\"checks\":%u", s->checks);
	write_named(w, "hello", hello_word(s));
	write_named(w, "approval", a ? id_format(&s->approval, id) : "");
	write_named(w, "approval_state", a ? approval_state_name(a->standing.state) : "");
	write_text(w, "}");
}

static int serve_list(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	(void)in;
	(void)fault;
	write_text(w, "{\"rows\":[");
	for (size_t i = 0; i < c->servers.count; i++) {
		write_text(w, i ? "," : "");
		write_server(c, c->servers.items[i], w);
	}
	write_text(w, "]}");
	return 0;
}

static int serve_check(struct control *c, const json_t *in, struct writer *w, struct fault *fault)
{
	const char *text = json_string_value(json_object_get(in, "address"));
	const json_int_t port = json_integer_value(json_object_get(in, "port"));
	struct address address;
	struct look_answer answer;
	const bool named = text && address_parse(bytes_of_text(text), &address) && port > 0 && port <= UINT16_MAX;
	if (!named)
		return fault_set(fault, ERR_BAD, "{\"address\": \"192.0.2.7\", \"port\": 6667} would be right");
	struct server *s = servers_find(&c->servers, &address, (uint16_t)port);
	if (!s)
		return fault_set(fault, ERR_MISSING, "no sample of our own named that as its command server; "
						     "`kansoku servers` lists those that are");
	const struct approval *a = approvals_find(&c->approvals, &s->approval);
	if (wants_approval(c, s) && (!a || a->standing.state == APPROVAL_SPENT || a->standing.state == APPROVAL_EXPIRED))
		ask_approval(c, s);
	if (looks_find(c->looks, &s->lease))
		return fault_set(fault, ERR_DENIED, "a check of it is under way");
	check_again(c, s, "the operator asks for a check", &answer);
	look_answer_write(&answer, w);
	return 0;
}

static const struct operator_topic server_list_topic = {"server.list", false, serve_list};
OPERATOR_TOPIC(server_list_topic);
static const struct operator_topic server_check_topic = {"server.check", false, serve_check};
OPERATOR_TOPIC(server_check_topic);
