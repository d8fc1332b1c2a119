/* The room without a bus: events in, decisions out, looks to the prober and back. */
#include "control/operator_topics_inner.h"
#include "control/room_inner.h"
#include "tests/unit/control/case.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND 1000000u
#define DAY (86400ull * SECOND)
#define PUBLISHED_MAX 4096

static struct config config;
static struct control *control;
static struct event in;
static char directory[64];
static struct published {
	enum event_kind kind;
	char decision[16], reason[24], rule[48], close_reason[16];
	struct address src;
	struct event_id id, cause, root, lease;
	uint64_t count, depth, delay;
} published[PUBLISHED_MAX];
static size_t published_count;
static bool journal_full;
static unsigned revoked;

static void copy_text(const struct event *e, uint16_t field, char *to, size_t n)
{
	bytes_copy_text(event_bytes(e, field), to, n);
}

static int publish(void *arg, struct event *e)
{
	(void)arg;
	if (journal_full)
		return ERR_FULL;
	CHECK(published_count < PUBLISHED_MAX);
	struct published *p = &published[published_count++];
	memset(p, 0, sizeof *p);
	p->kind = e->kind;
	p->id = e->id;
	copy_text(e, FIELD_DECISION, p->decision, sizeof p->decision);
	copy_text(e, FIELD_REASON, p->reason, sizeof p->reason);
	copy_text(e, FIELD_RULE, p->rule, sizeof p->rule);
	copy_text(e, FIELD_CLOSE_REASON, p->close_reason, sizeof p->close_reason);
	event_address(e, FIELD_SRC, &p->src);
	event_id_of(e, FIELD_CAUSE, &p->cause);
	event_id_of(e, FIELD_ROOT, &p->root);
	event_id_of(e, FIELD_LEASE, &p->lease);
	p->count = event_number(e, FIELD_COUNT, 1);
	p->depth = event_number(e, FIELD_DEPTH, 0);
	p->delay = event_number(e, FIELD_DELAY, 0);
	return 0;
}

static void revoke_lease(void *arg, const struct address *a)
{
	(void)arg;
	(void)a;
	revoked++;
}

static void room_open(uint64_t now)
{
	struct fault fault = {0};
	published_count = 0;
	revoked = 0;
	control = calloc(1, sizeof *control);
	CHECK(control != NULL);
	control->publish = publish;
	control->revoke = revoke_lease;
	CHECK(settings_read(&config, &control->settings, &fault) == 0);
	int bad = control_open(control, directory, now, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
}

static void room_close(void)
{
	control_close(control);
	settings_done(&control->settings);
	free(control);
}

static void begin_with(const char *passive, const char *yaml)
{
	snprintf(directory, sizeof directory, "/tmp/kansoku-control-XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	config_of(passive, yaml, &config);
	journal_full = false;
	room_open(NOW);
}

static void begin(const char *yaml) { begin_with("", yaml); }

static void end(void)
{
	char file[96];
	room_close();
	config_done(&config);
	static const char *const files[] = {"looks", "opted-out", "opt-out-key"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(file, sizeof file, "%s/%s", directory, files[i]);
		unlink(file);
	}
	CHECK(rmdir(directory) == 0); /* nothing else was left there */
}

#define OPEN_SCOPE                                                             \
	"operator: {contact: abuse@example.org}\n"                             \
	"control: {targets_max: 5000, steering_max: 100}\n"
#define AT_ONCE OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, delay: 0s, queue_max: 5000}\n"

static void login_from(uint32_t source, uint64_t session, uint64_t now)
{
	struct address a = address_v4(source), decoy = address_v4(0x09000001);
	struct event_id id = {{0}};
	struct writer w = writer_of(id.b, sizeof id.b);
	write_u64(&w, now);
	write_u64(&w, session);
	event_begin(&in, EVENT_LOGIN_TRIED);
	in.time_us = now;
	in.id = id_make(&control->ids, now);
	event_set_id(&in, FIELD_SESSION, &id);
	event_set_id(&in, FIELD_CAUSE, &id);
	event_set_id(&in, FIELD_ROOT, &id);
	event_set_number(&in, FIELD_DEPTH, 1);
	event_set_address(&in, FIELD_SRC, &a);
	event_set_address(&in, FIELD_DST, &decoy);
	event_set_text(&in, FIELD_PROTO, "tcp");
	event_set_bool(&in, FIELD_LOGIN_ACCEPTED, true);
	event_set_text(&in, FIELD_PROCESS, "passive");
	event_set_number(&in, FIELD_RECEIVED, now);
}

static const struct published *login(uint32_t source, uint64_t session, uint64_t now)
{
	size_t before = published_count;
	login_from(source, session, now);
	control_event(control, &in, 0, now);
	CHECK(published_count <= before + 1); /* one trigger makes at most one decision */
	return published_count > before ? &published[before] : NULL;
}

#define DECIDED(p, what, why)                                                  \
	do {                                                                   \
		const struct published *is = (p);                              \
		CHECK_SAY(is && !strcmp(is->decision, what) && !strcmp(is->reason, why), "%s %s", \
			  is ? is->decision : "no decision", is ? is->reason : "");        \
	} while (0)

#define SOURCE 0x08080808u

TEST(control_gives_one_lease_for_one_attack_with_its_chain)
{
	begin(AT_ONCE);
	const struct published *p = login(SOURCE, 1, NOW);
	DECIDED(p, "allowed", "ok");
	CHECK(id_equal(&p->lease, &p->id) && id_equal(&p->cause, &in.id) && p->depth == 2);
	struct look *l = control_next(control, NOW);
	CHECK(l && id_equal(&l->lease.id, &p->id) && id_equal(&l->lease.cause, &in.id));
	CHECK(id_equal(&l->lease.root, &p->root) && l->lease.depth == 2);
	CHECK(l->lease.port_count == 2 && l->lease.tier == 1 && l->lease.basis == BASIS_HANDSHAKE);
	CHECK(l->lease.trigger_us == NOW && l->lease.packets_max == 80);
	control_given(control, l, NOW);
	CHECK(!control_next(control, NOW));
	struct event_id id = p->id;
	control_done(control, &id, 12, NOW + SECOND);
	CHECK(!looks_find(control->looks, &id) && control->totals.packets_sent == 12);
	end();
}

TEST(control_looks_at_an_address_once_a_day)
{
	begin(AT_ONCE);
	DECIDED(login(SOURCE, 1, NOW), "allowed", "ok");
	CHECK(!login(SOURCE, 1, NOW + SECOND)); /* the same session: the same attack */
	CHECK(control->totals.merged == 1);
	for (uint64_t i = 0; i < 5; i++)
		CHECK(!login(SOURCE, 2 + i, NOW + (60 + i) * SECOND)); /* counted */
	control_tick(control, NOW + 120 * SECOND);
	CHECK(published_count == 1);
	control_tick(control, NOW + 700 * SECOND);
	CHECK(published_count == 2 && published[1].count == 5);
	DECIDED(&published[1], "refused", "target-budget");
	CHECK(id_equal(&published[1].cause, &published[0].id) && !strcmp(published[1].rule, "intruder"));
	struct look *l = control_next(control, NOW);
	control_given(control, l, NOW + 700 * SECOND);
	struct event_id id = l->lease.id;
	control_done(control, &id, 9, NOW + 700 * SECOND);
	CHECK(!login(SOURCE, 20, NOW + DAY)); /* a day since the look, not since the decision */
	control_tick(control, NOW + DAY + 601 * SECOND);
	CHECK(published_count == 3 && published[2].count == 1);
	DECIDED(login(SOURCE, 21, NOW + DAY + 701 * SECOND), "allowed", "ok");
	end();
}

TEST(control_tells_a_refusal_once_and_counts_the_rest)
{
	begin("operator: {contact: a@b.c}\nactive: {scope: [9.0.0.0/8]}\n");
	DECIDED(login(SOURCE, 1, NOW), "refused", "scope");
	for (uint64_t i = 0; i < 100; i++)
		CHECK(!login(SOURCE, 2 + i, NOW + i));
	control_tick(control, NOW + 601 * SECOND);
	CHECK(published_count == 2 && published[1].count == 100);
	DECIDED(&published[1], "refused", "scope");
	DECIDED(login(SOURCE, 200, NOW + 602 * SECOND), "refused", "scope");
	CHECK(!login(SOURCE, 201, NOW + 603 * SECOND));
	control_tell_all(control, NOW + 604 * SECOND);
	CHECK(published_count == 4 && published[3].count == 1);
	end();
}

TEST(control_tells_refusals_in_bulk_as_numbers)
{
	begin("control: {refusals_per_second: 10, targets_max: 1000}\n");
	for (uint32_t i = 0; i < 500; i++)
		login(SOURCE + i, 1, NOW);
	CHECK(published_count == 10);
	control_tick(control, NOW + 1);
	CHECK(published_count == 11 && published[10].count == 490);
	DECIDED(&published[10], "refused", "inactive");
	CHECK(address_is_zero(&published[10].src));
	end();
}

TEST(control_draws_the_delay_within_the_rules_bounds)
{
	begin(OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, delay: {min: 30s, max: 90s}, rate: 0}\n");
	uint64_t least = UINT64_MAX, most = 0, sum = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		const struct published *p = login(SOURCE + i * 256, 1, NOW);
		DECIDED(p, "allowed", "ok");
		least = p->delay < least ? p->delay : least;
		most = p->delay > most ? p->delay : most;
		sum += p->delay;
	}
	CHECK(least >= 30 * SECOND && most <= 90 * SECOND);
	/* Uniform: the mean of a thousand is within 5 standard errors of 60 s. */
	CHECK(fabs((double)sum / 1000 - 60e6) < 5 * 60e6 / sqrt(12.0 * 1000));
	CHECK(!control_next(control, NOW + 29 * (uint64_t)SECOND));
	unsigned seen = 0;
	uint64_t now = NOW;
	for (struct look *l; control_wake_us(control, now) != UINT64_MAX;) {
		now = control_wake_us(control, now);
		while ((l = control_next(control, now))) {
			CHECK(l->lease.not_before_us <= now);
			control_given(control, l, now);
			seen++;
		}
	}
	CHECK(seen == 1000);
	end();
}

TEST(control_waits_for_the_network_and_for_packets)
{
	begin(OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, delay: 0s, rate: 160}\n");
	DECIDED(login(0x08080801, 1, NOW), "allowed", "ok");
	struct look *first = control_next(control, NOW);
	control_given(control, first, NOW);
	DECIDED(login(0x08080802, 1, NOW), "allowed", "network-busy");
	CHECK(!control_next(control, NOW));
	DECIDED(login(0x08080901, 1, NOW), "allowed", "ok");
	struct look *second = control_next(control, NOW);
	control_given(control, second, NOW);
	DECIDED(login(0x08080a01, 1, NOW), "allowed", "rate");
	CHECK(!control_next(control, NOW));
	uint64_t wake = control_wake_us(control, NOW);
	CHECK(wake > NOW && wake <= NOW + SECOND);
	struct look *third = control_next(control, wake);
	CHECK(third && address_to_v4(&third->lease.target) == 0x08080a01);
	control_given(control, third, wake);
	struct event_id id = first->lease.id;
	control_done(control, &id, 10, wake); /* gives back 70 packets and the network's place */
	CHECK(!control_next(control, wake));
	struct look *fourth = control_next(control, wake + SECOND / 10);
	CHECK(fourth && address_to_v4(&fourth->lease.target) == 0x08080802);
	end();
}

TEST(control_never_acts_on_what_proves_nothing)
{
	begin(AT_ONCE "rules:\n"
		      "  - {on: scan.seen, do: probe}\n"
		      "  - {on: alert.raised, do: probe}\n"
		      "  - {on: login.tried, do: probe, basis: cookie, name: other}\n");
	const enum event_kind kinds[] = {EVENT_SCAN_SEEN, EVENT_ALERT_RAISED};
	for (size_t i = 0; i < 2; i++) {
		login_from(SOURCE + (uint32_t)i, 1, NOW);
		in.kind = kinds[i];
		control_event(control, &in, 0, NOW);
		DECIDED(&published[i], "refused", "no-basis");
	}
	DECIDED(login(SOURCE + 5, 1, NOW), "refused", "no-basis"); /* not the basis the rule wants */
	CHECK(!control_next(control, NOW + DAY));
	end();
}

TEST(control_never_acts_on_our_own_probers_or_endless_chains)
{
	begin(OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, delay: 0s, addresses: [8.8.8.8]}\n");
	CHECK(!login(SOURCE, 1, NOW) && control->totals.from_probers == 1);
	login_from(SOURCE + 1, 1, NOW);
	event_set_number(&in, FIELD_DEPTH, EVENT_DEPTH_MAX);
	control_event(control, &in, 0, NOW);
	CHECK(published_count == 0 && control->totals.too_deep == 1);
	end();
}

TEST(control_keeps_to_the_looks_one_sensor_may_cause)
{
	begin(OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, delay: 0s, looks_per_sensor: 3}\n");
	for (uint32_t i = 0; i < 3; i++)
		DECIDED(login(SOURCE + 256 * i, 1, NOW), "allowed", "ok");
	DECIDED(login(SOURCE + 256 * 3, 1, NOW), "refused", "sensor-budget");
	login_from(SOURCE + 256 * 4, 1, NOW);
	control_event(control, &in, 1, NOW); /* another worker has its own */
	DECIDED(&published[4], "allowed", "ok");
	DECIDED(login(SOURCE + 256 * 3, 1, NOW + 3600ull * SECOND), "allowed", "ok");
	end();
}

TEST(control_refuses_when_its_queue_is_full)
{
	begin(OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, queue_max: 2}\n");
	DECIDED(login(SOURCE, 1, NOW), "allowed", "ok");
	DECIDED(login(SOURCE + 1, 1, NOW), "allowed", "ok");
	DECIDED(login(SOURCE + 2, 1, NOW), "refused", "queue-full");
	end();
}

TEST(control_holds_out_stably_and_says_so)
{
	begin(OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0.5}\n");
	bool held[200];
	for (uint32_t i = 0; i < 200; i++) {
		const struct published *p = login(SOURCE + i, 1, NOW);
		held[i] = p && !strcmp(p->decision, "held-out");
		DECIDED(p, held[i] ? "held-out" : "allowed", held[i] ? "held-out" : "ok");
	}
	room_close();
	room_open(NOW + 2 * DAY); /* the key is remembered */
	CHECK(!control_next(control, NOW + 2 * DAY)); /* what still waited is stale by now */
	for (uint32_t i = 0; i < 200; i++)
		DECIDED(login(SOURCE + i, 2, NOW + 2 * DAY), held[i] ? "held-out" : "allowed",
			held[i] ? "held-out" : "ok");
	end();
}

static void opt_out(const char *text)
{
	struct fault fault = {0};
	CHECK(optout_read(&control->optout, bytes_of_text(text), &fault) == 0);
	control_opt_outs_changed(control, NOW);
}

TEST(control_withdraws_what_was_opted_out_and_revokes_what_was_given)
{
	begin(AT_ONCE);
	login(0x08080101, 1, NOW);
	login(0x08080201, 1, NOW);
	login(0x08080301, 1, NOW);
	struct look *l = control_next(control, NOW);
	CHECK(address_to_v4(&l->lease.target) == 0x08080101);
	control_given(control, l, NOW);
	struct event_id given = l->lease.id;
	opt_out("8.8.1.0/24\n8.8.2.0/24\n");
	CHECK(published_count == 5 && revoked == 1);
	DECIDED(&published[3], "withdrawn", "opted-out");
	DECIDED(&published[4], "withdrawn", "opted-out");
	CHECK(id_equal(&published[3].cause, &published[0].id));
	control_done(control, &given, 0, NOW); /* told already: no second event, no second try */
	CHECK(published_count == 5 && !looks_find(control->looks, &given));
	l = control_next(control, NOW);
	CHECK(address_to_v4(&l->lease.target) == 0x08080301);
	DECIDED(login(0x08080102, 1, NOW), "refused", "opted-out");
	end();
}

TEST(control_withdraws_what_went_stale_while_it_waited)
{
	begin(OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, delay: 0s, handshake_age: 1m}\n");
	login(SOURCE, 1, NOW);
	CHECK(!control_next(control, NOW + 61 * SECOND));
	CHECK(published_count == 2);
	DECIDED(&published[1], "withdrawn", "stale-basis");
	DECIDED(login(SOURCE, 2, NOW + 62 * SECOND), "allowed", "ok"); /* it was never looked at */
	end();
}

TEST(control_gives_nothing_again_whose_fate_is_unknown)
{
	begin(AT_ONCE);
	login(SOURCE, 1, NOW);
	login(SOURCE + 256, 1, NOW);
	struct look *l = control_next(control, NOW);
	control_given(control, l, NOW);
	control_prober_gone(control, NOW + 1);
	CHECK(published_count == 3);
	DECIDED(&published[2], "withdrawn", "prober-gone");
	CHECK(address_to_v4(&published[2].src) == SOURCE);
	CHECK(!login(SOURCE, 2, NOW + SECOND)); /* counts as looked at */
	l = control_next(control, NOW + SECOND);
	CHECK(address_to_v4(&l->lease.target) == SOURCE + 256); /* this one was never given */
	control_given(control, l, NOW + SECOND);
	control_tick(control, NOW + 400 * SECOND);
	CHECK(published_count == 4);
	DECIDED(&published[3], "withdrawn", "overdue");
	end();
}

TEST(control_gives_again_what_came_back_unsent_but_not_for_ever)
{
	begin(AT_ONCE);
	login(SOURCE, 1, NOW);
	uint64_t now = NOW;
	for (int i = 0; i < LOOK_TRIES_MAX; i++) {
		struct look *l = control_next(control, now += 2 * SECOND);
		CHECK(l != NULL);
		control_given(control, l, now);
		struct event_id id = l->lease.id;
		control_done(control, &id, 0, now);
	}
	CHECK(!control_next(control, now + 10 * SECOND) && published_count == 2);
	DECIDED(&published[1], "withdrawn", "unsent");
	DECIDED(login(SOURCE, 2, now + SECOND), "allowed", "ok");
	end();
}

TEST(control_does_nothing_that_the_journal_cannot_take)
{
	begin(AT_ONCE);
	journal_full = true;
	login(SOURCE, 1, NOW);
	CHECK(!control_next(control, NOW) && control->totals.unpublished == 1);
	journal_full = false;
	control_tick(control, NOW + SECOND);
	CHECK(published_count == 1 && published[0].kind == EVENT_SENSOR_CHANGED && published[0].count == 1);
	DECIDED(login(SOURCE, 2, NOW + 2 * SECOND), "allowed", "ok");
	end();
}

TEST(control_remembers_over_its_death)
{
	begin(OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, delay: {min: 10s, max: 10s}}\n");
	struct event_id waiting = login(0x08080101, 7, NOW)->id;
	login(0x08080201, 1, NOW);
	struct event_id given = login(0x08080301, 1, NOW)->id;
	login(0x08080401, 1, NOW);
	struct look *l;
	for (int i = 0; i < 3 && (l = looks_find(control->looks, &given)); i++)
		looks_advance(control->looks, NOW + 10 * SECOND);
	while ((l = control_next(control, NOW + 10 * SECOND)) &&
	       !id_equal(&l->lease.id, &given))
		control_given(control, l, NOW + 10 * SECOND);
	CHECK(l != NULL);
	control_given(control, l, NOW + 10 * SECOND);
	struct fault fault = {0};
	CHECK(state_flush(control->state, &fault) == 0);
	struct control *killed = control; /* as after kill -9: nothing is closed or flushed */
	struct settings *old = &killed->settings;
	room_open(NOW + 20 * SECOND);
	CHECK(looks_find(control->looks, &given)->state == LOOK_GIVEN);
	CHECK(looks_count(control->looks, LOOK_GIVEN) + looks_count(control->looks, LOOK_WAITING) == 4);
	control_retell(control, NOW + 20 * SECOND); /* the journal may have lacked these */
	CHECK(published_count == 4);
	for (size_t i = 0; i < 4; i++)
		DECIDED(&published[i], "allowed", "ok");
	CHECK(id_equal(&published[0].id, &waiting) && published[0].depth == 2);
	CHECK(published[0].delay == 10 * SECOND && !strcmp(published[0].rule, "intruder"));
	CHECK(!login(0x08080101, 7, NOW + 20 * SECOND) && control->totals.merged == 1); /* redelivered */
	CHECK(looks_find(control->looks, &waiting) != NULL);
	control_done(control, &given, 5, NOW + 21 * SECOND); /* the prober lived on */
	CHECK(!looks_find(control->looks, &given));
	room_close();
	room_open(NOW + 30 * SECOND);
	CHECK(looks_count(control->looks, LOOK_GIVEN) + looks_count(control->looks, LOOK_WAITING) == 3);
	CHECK(!login(0x08080301, 9, NOW + 40 * SECOND)); /* still within its day */
	settings_done(old);
	control_close(killed);
	free(killed);
	end();
}

TEST(control_steers_who_was_identified)
{
	begin(AT_ONCE);
	struct address a = address_v4(SOURCE);
	event_begin(&in, EVENT_HOST_IDENTIFIED);
	in.id = id_make(&control->ids, NOW);
	event_set_address(&in, FIELD_SRC, &a);
	event_set_text(&in, FIELD_DEVICE_CLASS, "DVR");
	event_set_number(&in, FIELD_CONFIDENCE, 80);
	event_set_number(&in, FIELD_DEPTH, 5);
	event_set_text(&in, FIELD_PROCESS, "active");
	control_event(control, &in, 0, NOW);
	CHECK(published_count == 1);
	DECIDED(&published[0], "steered", "ok");
	struct steer steer;
	CHECK(steers_find(control->steers, &a, &steer) && !strcmp(steer.persona, "dvr"));
	CHECK(id_equal(&steer.cause, &in.id));
	control_event(control, &in, 0, NOW + SECOND);
	CHECK(published_count == 1); /* nothing new */
	room_close();
	room_open(NOW + SECOND);
	CHECK(steers_find(control->steers, &a, &steer) && !strcmp(steer.persona, "dvr"));
	control_tick(control, NOW + 31 * DAY);
	CHECK(!steers_find(control->steers, &a, &steer));
	end();
}

static void scan_from(uint32_t source, const char *state, uint64_t now)
{
	struct address a = address_v4(source), dark = address_v4(0xc6336407);
	event_begin(&in, EVENT_SCAN_SEEN);
	in.time_us = now;
	in.id = id_make(&control->ids, now);
	event_set_address(&in, FIELD_SRC, &a);
	event_set_address(&in, FIELD_DST, &dark);
	event_set_text(&in, FIELD_PROTO, "tcp");
	if (state)
		event_set_text(&in, FIELD_STATE, state);
	event_set_text(&in, FIELD_PROCESS, "telescope");
	control_event(control, &in, 0, now);
}

TEST(control_probes_and_steers_who_answered_a_cookie)
{
	begin(AT_ONCE "rules:\n"
		      "  - {on: scan.seen, when: {state: answered}, do: probe, basis: cookie, ports: [23], delay: 0s}\n"
		      "  - {on: scan.seen, when: {state: answered}, do: steer, persona: camera}\n");
	struct address a = address_v4(SOURCE);
	struct steer steer;
	scan_from(SOURCE, NULL, NOW); /* a scan that nobody answered: its source may be forged */
	CHECK(published_count == 0 && !steers_find(control->steers, &a, &steer));
	scan_from(SOURCE, "answered", NOW);
	CHECK(published_count == 2);
	DECIDED(&published[0], "allowed", "ok");
	DECIDED(&published[1], "steered", "ok");
	CHECK(steers_find(control->steers, &a, &steer) && !strcmp(steer.persona, "camera"));
	struct look *l = control_next(control, NOW);
	CHECK(l && l->lease.basis == BASIS_COOKIE && id_equal(&l->lease.cause, &in.id));
	end();
}

TEST(control_answers_who_asks_by_hand)
{
	begin("operator: {contact: a@b.c}\n"
	      "active: {scope: [8.0.0.0/8], hold_out: 0, surveys: [{name: s, prefixes: [8.9.0.0/16], until: 2015-05-01}]}\n"
	      "control: {targets_max: 1000}\n");
	struct look_ask ask;
	struct look_answer answer;
	struct fault fault = {0};
	CHECK(look_ask_read(BYTES("{\"target\":\"8.8.8.8\",\"ports\":[23]}"), &ask, &fault) == 0);
	control_ask(control, &ask, NOW, &answer);
	CHECK(!strcmp(answer.decision, "allowed") && answer.not_before_us == NOW);
	CHECK(control_next(control, NOW)->lease.basis == BASIS_OPERATOR);
	control_ask(control, &ask, NOW, &answer);
	CHECK(!strcmp(answer.decision, "refused") && answer.reason == REASON_TARGET_BUDGET);
	CHECK(published_count == 2); /* each asking has its answer */
	CHECK(look_ask_read(BYTES("{\"target\":\"9.8.8.8\"}"), &ask, &fault) == 0 && ask.port_count == 2);
	control_ask(control, &ask, NOW, &answer);
	CHECK(answer.reason == REASON_SCOPE);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.8.8.9\",\"basis\":\"survey\"}"), &ask, &fault) == 0);
	control_ask(control, &ask, NOW, &answer);
	CHECK(answer.reason == REASON_NO_BASIS);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.9.8.9\",\"basis\":\"survey\"}"), &ask, &fault) == 0);
	control_ask(control, &ask, NOW, &answer);
	CHECK(answer.reason == REASON_OK);
	char json[512];
	struct writer w = writer_of(json, sizeof json - 1);
	look_answer_write(&answer, &w);
	*w.at = 0;
	CHECK_SAY(strstr(json, "\"decision\":\"allowed\"") && strstr(json, "\"lease\":\""), "%s", json);
	CHECK(look_ask_read(BYTES("{\"target\":\"here\"}"), &ask, &fault) == ERR_BAD);
	CHECK(look_ask_read(BYTES("[1"), &ask, &fault) == ERR_BAD);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.8.8.8\",\"ports\":[0]}"), &ask, &fault) == ERR_BAD);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.8.8.8\",\"ports\":[\"161/udp\", 22]}"), &ask, &fault) == 0 &&
	      ask.ports[0] == (161 | PORT_UDP) && ask.ports[1] == 22);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.8.8.8\",\"ports\":[\"161/sctp\"]}"), &ask, &fault) == ERR_BAD);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.8.8.8\",\"basis\":\"handshake\"}"), &ask, &fault) == ERR_BAD);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.8.8.8\",\"tier\":3}"), &ask, &fault) == ERR_BAD);
	end();
}

#define RECORD "00112233445566778899aabbccddeeff"
#define STUDIED(more) "{\"target\":\"8.9.8.7\",\"basis\":\"survey\",\"record\":\"" RECORD "\"" more "}"

TEST(control_looks_for_a_study_of_records_under_a_survey_and_names_the_record)
{
	begin("operator: {contact: a@b.c}\n"
	      "active: {scope: [8.0.0.0/8], hold_out: 0, surveys: [{name: s, prefixes: [8.9.0.0/16], until: 2015-05-01}]}\n"
	      "control: {targets_max: 1000}\n");
	struct look_ask ask;
	struct look_answer answer;
	struct fault fault = {0};
	struct event_id record;
	CHECK(id_parse(BYTES(RECORD), &record));
	CHECK(look_ask_read(BYTES(STUDIED(",\"why\":\"a claim\",\"pap\":\"PAP:RED\"")), &ask, &fault) == 0);
	control_ask(control, &ask, NOW, &answer);
	CHECK(!strcmp(answer.decision, "refused") && answer.reason == REASON_MARKING);
	CHECK(look_ask_read(BYTES(STUDIED(",\"why\":\"a claim\",\"pap\":\"green\"")), &ask, &fault) == 0);
	control_ask(control, &ask, NOW, &answer);
	CHECK(!strcmp(answer.decision, "allowed"));
	const struct published *decision = &published[published_count - 1];
	CHECK(id_equal(&decision->cause, &record) && id_equal(&decision->root, &record) && decision->depth == 1);
	/* Only under a survey, with a record that is one, and with a reason. */
	CHECK(look_ask_read(BYTES(STUDIED("")), &ask, &fault) == ERR_BAD);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.9.8.7\",\"record\":\"" RECORD "\",\"why\":\"x\"}"), &ask, &fault) == ERR_BAD);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.9.8.7\",\"basis\":\"survey\",\"record\":\"here\",\"why\":\"x\"}"), &ask, &fault) == ERR_BAD);
	CHECK(look_ask_read(BYTES("{\"target\":\"8.9.8.7\",\"basis\":\"survey\",\"why\":\"x\"}"), &ask, &fault) == ERR_BAD);
	end();
}

TEST(control_state_is_one_json_object)
{
	begin(AT_ONCE);
	login(SOURCE, 1, NOW);
	char json[8192];
	struct writer w = writer_of(json, sizeof json - 1);
	control_write_state(control, &w);
	CHECK(!w.bad);
	*w.at = 0;
	CHECK_SAY(strstr(json, "\"waiting\":1") && strstr(json, "\"allowed\":1") && !strstr(json, ",}"),
		  "%s", json);
	end();
}

/* Asks one of the topics about opt-outs; the answer, or the error's sentence, stands in `said`. */
static char said[4096];
static int wish(const char *topic, const char *json)
{
	struct fault fault = {0};
	struct writer w = writer_of(said, sizeof said - 1);
	int bad = operator_topic_ask(control, topic, bytes_of_text(json), &w, &fault);
	*w.at = '\0';
	if (bad)
		snprintf(said, sizeof said, "%s", fault.text);
	return bad;
}

#define SAYS(words) CHECK_SAY(strstr(said, words), "%s", said)

TEST(control_heeds_a_visitor_at_once_and_asks_back_about_his_network)
{
	begin(AT_ONCE);
	control->now_us = NOW;
	login(0x08080101, 1, NOW);
	login(0x08080102, 2, NOW);
	struct look *given = control_next(control, NOW);
	control_given(control, given, NOW);
	CHECK(wish("optout.here", "{\"visitor\":\"8.8.1.1\",\"reason\":\"no\",\"network\":\"8.8.0.0/16\"}") == 0);
	SAYS("\"waiting\"");
	CHECK(revoked == 1 && control->opt_outs_grew);
	DECIDED(login(0x08080101, 3, NOW), "refused", "opted-out");
	CHECK(wish("optout.known", "{\"visitor\":\"8.8.1.2\"}") == 0);
	SAYS("false");
	CHECK(wish("optout.list", "{}") == 0);
	SAYS("\"prefix\":\"8.8.0.0/16\",\"state\":\"waiting\"");
	SAYS("\"prefix\":\"8.8.1.1/32\",\"state\":\"opted-out\",\"how\":\"page\"");
	CHECK(wish("optout.add", "{\"prefix\":\"8.8.0.0/16\"}") == 0);
	CHECK(looks_count(control->looks, LOOK_WAITING) + looks_count(control->looks, LOOK_READY) +
	      looks_count(control->looks, LOOK_PARKED) == 0);
	CHECK(wish("optout.known", "{\"visitor\":\"2002:808:0102::1\"}") == 0);
	SAYS("true");
	end();
}

TEST(control_confirms_only_what_it_signed_and_in_time)
{
	char json[256], until[24], sign[40];
	begin(AT_ONCE);
	control->now_us = NOW;
	snprintf(json, sizeof json, "{\"prefix\":\"8.8.0.0/16\",\"until\":%llu}", (unsigned long long)(NOW / SECOND + 60));
	CHECK(wish("optout.link", json) == 0);
	CHECK(sscanf(said, "{\"prefix\":\"8.8.0.0/16\",\"until\":%23[0-9],\"sign\":\"%32[0-9a-f]\"}", until, sign) == 2);
	snprintf(json, sizeof json, "{\"prefix\":\"8.0.0.0/8\",\"until\":\"%s\",\"sign\":\"%s\"}", until, sign);
	CHECK(wish("optout.confirm", json) == ERR_DENIED);
	snprintf(json, sizeof json, "{\"prefix\":\"8.8.0.0/16\",\"until\":\"%s\",\"sign\":\"%s\",\"visitor\":\"1.1.1.1\"}", until,
		 sign);
	control->now_us = NOW + 61ull * SECOND;
	CHECK(wish("optout.confirm", json) == ERR_DENIED);
	SAYS("too old");
	control->now_us = NOW;
	CHECK(wish("optout.confirm", json) == 0);
	DECIDED(login(0x08080101, 1, NOW), "refused", "opted-out");
	CHECK(wish("optout.link", "{\"prefix\":\"8.8.0.0/16\",\"until\":99999999999}") == ERR_BAD);
	end();
}

TEST(control_takes_few_wishes_at_once_and_keeps_them)
{
	char json[128];
	unsigned taken = 0;
	begin(AT_ONCE);
	control->now_us = NOW;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(json, sizeof json, "{\"visitor\":\"8.8.1.%u\"}", i);
		taken += wish("optout.here", json) == 0;
	}
	CHECK_SAY(taken >= 10 && taken < 200, "%u", taken);
	CHECK(wish("optout.here", "{\"visitor\":\"nobody\"}") == ERR_BAD);
	CHECK(wish("optout.add", "[]") == ERR_BAD && wish("optout.add", "{\"prefix\":\"8.8.8.8/33\"}") == ERR_BAD);
	room_close();
	room_open(NOW + DAY);
	DECIDED(login(0x08080101, 1, NOW + DAY), "refused", "opted-out");
	end();
}

TEST(control_spares_a_network_of_many_targets_by_its_autonomous_system)
{
	char path[] = "/tmp/kansoku-as-XXXXXX", yaml[512];
	int fd = mkstemp(path);
	CHECK(fd >= 0 && dprintf(fd, "8.8.0.0\t16\t64500\n8.9.0.0\t16\t64501\n") > 0);
	close(fd);
	snprintf(yaml, sizeof yaml, OPEN_SCOPE "active: {scope: [0.0.0.0/0], hold_out: 0, delay: 0s, rate: 0, as_rate: 80, as_file: %s}\n",
		 path);
	begin(yaml);
	unlink(path);
	for (uint32_t i = 0; i < 3; i++)
		login(0x08080001 + (i << 8), i + 1, NOW); /* of one system, two ports and 80 packets each */
	login(0x08090001, 9, NOW);
	unsigned left = 0;
	uint32_t last = 0;
	for (struct look *l; (l = control_next(control, NOW)); left++) {
		last = address_to_v4(&l->lease.target);
		control_given(control, l, NOW);
	}
	CHECK_SAY(left == 2 && last == 0x08090001, "%u looks left, the last to %08x", left, last);
	uint64_t wake = control_wake_us(control, NOW);
	CHECK(wake > NOW && wake <= NOW + 2 * SECOND);
	struct look *next = control_next(control, wake);
	CHECK(next && address_to_v4(&next->lease.target) >> 16 == 0x0808);
	control_given(control, next, wake);
	CHECK(!control_next(control, wake));
	end();
}
