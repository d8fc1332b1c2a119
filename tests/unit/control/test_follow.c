/* The follow-up study: who is looked at again and looked back at, when, how often, and who never. */
#include "control/room_inner.h"
#include "tests/unit/control/case.h"
#include <stdlib.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define SOURCE 0x08080808u
#define STUDY "name: spring, purpose: what changes, approved_by: the board, reference: note 7, until: 2016-01-01, ports: ['23', '80']"
#define CONFIG(active, follow)                                                                                          \
	"operator: {contact: abuse@example.org}\n"                                                                       \
	"active: {scope: [8.0.0.0/8], delay: 0s, " active ", follow: {" STUDY ", " follow "}}\n"
#define RELOOK "relook: {after: 7d, times: 2}"
#define BACK "back: {quiet: 6h}"

static struct config config;
static struct control *control;
static struct event in;
static char directory[64];
static struct decision {
	char decision[16], reason[24], basis[16], detail[400];
	struct event_id id, cause, root;
	uint64_t depth;
} last;
static unsigned decided;

static int publish(void *arg, struct event *e)
{
	(void)arg;
	if (e->kind != EVENT_DECISION_MADE || event_number(e, FIELD_COUNT, 0))
		return 0;
	memset(&last, 0, sizeof last);
	bytes_copy_text(event_bytes(e, FIELD_DECISION), last.decision, sizeof last.decision);
	bytes_copy_text(event_bytes(e, FIELD_REASON), last.reason, sizeof last.reason);
	bytes_copy_text(event_bytes(e, FIELD_BASIS), last.basis, sizeof last.basis);
	bytes_copy_text(event_bytes(e, FIELD_DETAIL), last.detail, sizeof last.detail);
	event_id_of(e, FIELD_CAUSE, &last.cause);
	event_id_of(e, FIELD_ROOT, &last.root);
	last.id = e->id;
	last.depth = event_number(e, FIELD_DEPTH, 0);
	decided++;
	return 0;
}

static void revoke_lease(void *arg, const struct address *a) { (void)arg, (void)a; }

static void begin_again(uint64_t now)
{
	struct fault fault = {{0}};
	control = calloc(1, sizeof *control);
	CHECK(control != NULL);
	control->publish = publish;
	control->revoke = revoke_lease;
	int bad = settings_read(&config, &control->settings, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	bad = control_open(control, directory, now, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	decided = 0;
}

static void begin(const char *yaml)
{
	snprintf(directory, sizeof directory, "/tmp/kansoku-follow.XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	config_of("", yaml, &config);
	begin_again(NOW);
}

static void leave(void)
{
	control_close(control);
	settings_done(&control->settings);
	free(control);
}

static void end(void)
{
	char command[128];
	leave();
	config_done(&config);
	snprintf(command, sizeof command, "rm -r %s", directory);
	CHECK(system(command) == 0);
}

static void tell(enum event_kind kind, uint32_t source, const char *process, const char *protocol, uint64_t now)
{
	const struct address a = address_v4(source), decoy = address_v4(0x09000001);
	event_begin(&in, kind);
	in.time_us = now;
	in.id = id_make(&control->ids, now);
	event_set_id(&in, FIELD_SESSION, &in.id);
	event_set_address(&in, FIELD_SRC, &a);
	event_set_address(&in, FIELD_DST, &decoy);
	event_set_text(&in, FIELD_PROTO, protocol);
	event_set_bool(&in, FIELD_LOGIN_ACCEPTED, true);
	event_set_text(&in, FIELD_PROCESS, process);
	event_set_number(&in, FIELD_RECEIVED, now);
	control_event(control, &in, 0, now);
}

static struct event_id attack(uint32_t source, uint64_t now)
{
	tell(EVENT_LOGIN_TRIED, source, "passive", "tcp", now);
	return in.id;
}

/* All that may leave leaves, and sends something. */
static unsigned look(uint64_t now)
{
	unsigned looks = 0;
	for (struct look *l; (l = control_next(control, now)); looks++) {
		const struct event_id id = l->lease.id;
		control_given(control, l, now);
		control_done(control, &id, 5, now);
	}
	return looks;
}

/* A tick an hour, from one time to another: the looks that were taken in between. */
static unsigned pass(uint64_t from, uint64_t until)
{
	unsigned looks = 0;
	for (uint64_t now = from; now <= until; now += HOUR) {
		control_tick(control, now);
		looks += look(now);
	}
	return looks;
}

TEST(study_looks_again_after_its_time_and_at_most_so_often)
{
	begin(CONFIG("hold_out: 0", RELOOK));
	attack(SOURCE, NOW);
	const struct decision own = last;
	CHECK(!strcmp(own.basis, "handshake") && look(NOW) == 1);
	CHECK(pass(NOW + HOUR, NOW + 7 * DAY - HOUR) == 0);
	CHECK(pass(NOW + 7 * DAY, NOW + 7 * DAY) == 1);
	CHECK(!strcmp(last.basis, "survey") && !strcmp(last.decision, "allowed"));
	CHECK_SAY(strstr(last.detail, "study spring: looked at again, 1 of 2; what changes; approved by the board, note 7"), "%s",
		  last.detail);
	CHECK(id_equal(&last.cause, &own.id) && id_equal(&last.root, &own.root) && last.depth == own.depth + 1);
	CHECK(pass(NOW + 7 * DAY + HOUR, NOW + 14 * DAY - HOUR) == 0);
	CHECK(pass(NOW + 14 * DAY, NOW + 60 * DAY) == 1);
	CHECK(followeds_count(control->followeds) == 0);
	end();
}

TEST(study_begins_anew_with_a_look_at_another_attack_of_its_own)
{
	begin(CONFIG("hold_out: 0", "relook: {after: 7d, times: 1}"));
	attack(SOURCE, NOW);
	CHECK(look(NOW) == 1);
	attack(SOURCE, NOW + 3 * DAY);
	CHECK(look(NOW + 3 * DAY) == 1);
	CHECK(pass(NOW + 4 * DAY, NOW + 10 * DAY - HOUR) == 0);
	CHECK(pass(NOW + 10 * DAY, NOW + 40 * DAY) == 1);
	end();
}

TEST(study_looks_back_after_silence_and_once)
{
	begin(CONFIG("hold_out: 0, round: 1h", BACK));
	const struct event_id first = attack(SOURCE, NOW);
	CHECK(look(NOW) == 1);
	tell(EVENT_SESSION_CLOSED, SOURCE, "passive", "tcp", NOW + 2 * HOUR);
	CHECK(pass(NOW + 3 * HOUR, NOW + 7 * HOUR) == 0); /* it was heard at 2 */
	CHECK(pass(NOW + 8 * HOUR, NOW + 8 * HOUR) == 1);
	CHECK(id_equal(&last.cause, &first) && last.depth == 1 && !strcmp(last.basis, "survey"));
	CHECK_SAY(strstr(last.detail, "study spring: looked back at after it fell silent"), "%s", last.detail);
	CHECK(pass(NOW + 9 * HOUR, NOW + 5 * DAY) == 0);
	end();
}

TEST(study_puts_off_a_look_back_when_it_attacks_or_is_heard_again)
{
	begin(CONFIG("hold_out: 0, round: 1d", BACK));
	attack(SOURCE, NOW);
	CHECK(look(NOW) == 1);
	CHECK(pass(NOW + HOUR, NOW + 23 * HOUR) == 0); /* silent, but it had its look of the day */
	const struct event_id again = attack(SOURCE, NOW + 23 * HOUR);
	tell(EVENT_SCAN_SEEN, SOURCE, "telescope", "tcp", NOW + 25 * HOUR); /* perhaps forged: it only puts off */
	CHECK(pass(NOW + 26 * HOUR, NOW + 30 * HOUR) == 0);
	CHECK(pass(NOW + 31 * HOUR, NOW + 31 * HOUR) == 1);
	CHECK(id_equal(&last.cause, &again));
	end();
}

TEST(study_gives_up_looking_back_when_it_stopped_too_long_ago)
{
	begin(CONFIG("hold_out: 0, round: 1h", "back: {quiet: 6h, within: 8h}"));
	attack(SOURCE, NOW);
	CHECK(look(NOW) == 1);
	tell(EVENT_SESSION_CLOSED, SOURCE, "passive", "tcp", NOW + 3 * HOUR);
	CHECK(pass(NOW + 4 * HOUR, NOW + 3 * DAY) == 0 && followeds_count(control->followeds) == 0);
	end();
}

TEST(study_never_looks_at_who_proved_nothing)
{
	begin(CONFIG("hold_out: 0", RELOOK ", " BACK));
	tell(EVENT_LOGIN_TRIED, SOURCE, "passive", "udp", NOW);
	tell(EVENT_SCAN_SEEN, SOURCE + 1, "telescope", "tcp", NOW);
	tell(EVENT_SESSION_OPENED, SOURCE + 2, "passive", "tcp", NOW); /* no rule found that worth a look */
	CHECK(followeds_count(control->followeds) == 0 && pass(NOW, NOW + 30 * DAY) == 0);
	end();
}

TEST(study_never_looks_at_who_opted_out_in_between)
{
	struct fault fault = {{0}};
	begin(CONFIG("hold_out: 0", RELOOK ", " BACK));
	attack(SOURCE, NOW);
	CHECK(look(NOW) == 1 && followeds_count(control->followeds) == 1);
	CHECK(optout_read(&control->optout, BYTES("8.8.8.0/24\n"), &fault) == 0);
	CHECK(pass(NOW + HOUR, NOW + 8 * DAY) == 0); /* refused, though nobody told it of the change */
	CHECK(!strcmp(last.decision, "refused") && !strcmp(last.reason, "opted-out") && decided == 2);
	CHECK(followeds_count(control->followeds) == 0);
	attack(SOURCE, NOW + 9 * DAY);
	CHECK(!strcmp(last.reason, "opted-out") && followeds_count(control->followeds) == 0);
	end();
	begin(CONFIG("hold_out: 0", RELOOK));
	attack(SOURCE, NOW);
	CHECK(look(NOW) == 1);
	CHECK(optout_read(&control->optout, BYTES("8.8.8.0/24\n"), &fault) == 0);
	control_opt_outs_changed(control, NOW + HOUR);
	CHECK(followeds_count(control->followeds) == 0);
	end();
}

TEST(study_withdraws_a_look_that_waits_when_its_target_opts_out)
{
	struct fault fault = {{0}};
	begin(CONFIG("hold_out: 0", RELOOK));
	attack(SOURCE, NOW);
	CHECK(look(NOW) == 1);
	control_tick(control, NOW + 7 * DAY);
	CHECK(!strcmp(last.decision, "allowed") && looks_find(control->looks, &last.id));
	CHECK(optout_read(&control->optout, BYTES("8.8.8.0/24\n"), &fault) == 0);
	control_opt_outs_changed(control, NOW + 7 * DAY);
	CHECK(!strcmp(last.decision, "withdrawn") && look(NOW + 7 * DAY) == 0);
	end();
}

TEST(study_keeps_to_scope_hold_out_and_the_end_of_its_approval)
{
	begin(CONFIG("hold_out: 0", RELOOK));
	attack(0x0a0b0c0du, NOW); /* outside the scope */
	attack(SOURCE, NOW);
	CHECK(look(NOW) == 1 && followeds_count(control->followeds) == 1);
	prefix_set_done(&control->settings.scope);
	const struct prefix other = {.base = address_of("8.9.0.0"), .bits = 112};
	CHECK(prefix_set_add(&control->settings.scope, &other) == 0);
	prefix_set_seal(&control->settings.scope);
	CHECK(pass(NOW + 7 * DAY, NOW + 9 * DAY) == 0 && !strcmp(last.reason, "scope"));
	end();
	begin(CONFIG("hold_out: 1", RELOOK ", " BACK));
	attack(SOURCE, NOW);
	CHECK(!strcmp(last.decision, "held-out") && followeds_count(control->followeds) == 0);
	CHECK(pass(NOW, NOW + 20 * DAY) == 0);
	end();
	begin(CONFIG("hold_out: 0", RELOOK));
	attack(SOURCE, NOW + 270 * DAY); /* 2015-12-27: the approval ends within the week */
	CHECK(look(NOW + 270 * DAY) == 1);
	CHECK(pass(NOW + 271 * DAY, NOW + 290 * DAY) == 0 && followeds_count(control->followeds) == 0);
	end();
}

TEST(study_takes_no_more_than_it_may)
{
	begin(CONFIG("hold_out: 0", RELOOK ", hosts_max: 3"));
	for (uint32_t i = 0; i < 10; i++) {
		attack(SOURCE + 256 * i, NOW + i);
		CHECK(look(NOW + i) == 1);
	}
	CHECK(followeds_count(control->followeds) == 3 && control->totals.not_followed == 7);
	CHECK(pass(NOW + 7 * DAY, NOW + 8 * DAY) == 3);
	CHECK(pass(NOW + 8 * DAY, NOW + 30 * DAY) == 3 && followeds_count(control->followeds) == 0);
	attack(SOURCE + 256 * 9, NOW + 31 * DAY); /* there is room again */
	CHECK(look(NOW + 31 * DAY) == 1 && followeds_count(control->followeds) == 1);
	end();
}

TEST(study_survives_a_restart_but_no_other_study)
{
	begin(CONFIG("hold_out: 0, round: 1h", RELOOK ", " BACK));
	const struct event_id first = attack(SOURCE, NOW);
	CHECK(look(NOW) == 1);
	leave();
	begin_again(NOW + 3 * HOUR);
	CHECK(followeds_count(control->followeds) == 1);
	CHECK(pass(NOW + 3 * HOUR, NOW + 6 * HOUR) == 1 && id_equal(&last.cause, &first)); /* back */
	leave();
	begin_again(NOW + 7 * HOUR);
	CHECK(pass(NOW + 7 * HOUR, NOW + 7 * DAY + 5 * HOUR) == 0);
	CHECK(pass(NOW + 7 * DAY + 6 * HOUR, NOW + 7 * DAY + 6 * HOUR) == 1);
	leave();
	begin_again(NOW + 8 * DAY);
	CHECK(pass(NOW + 8 * DAY, NOW + 60 * DAY) == 1 && followeds_count(control->followeds) == 0); /* the second, no third */
	attack(SOURCE, NOW + 61 * DAY);
	CHECK(look(NOW + 61 * DAY) == 1);
	leave();
	config_done(&config);
	config_of("", "operator: {contact: abuse@example.org}\nactive: {scope: [8.0.0.0/8], delay: 0s, hold_out: 0, follow: "
		      "{name: autumn, purpose: x, approved_by: y, reference: z, until: 2016-01-01, ports: ['23'], " RELOOK "}}\n",
		  &config);
	begin_again(NOW + 62 * DAY);
	CHECK(followeds_count(control->followeds) == 0);
	end();
}

TEST(study_is_off_unless_it_is_wholly_approved)
{
	static const struct {
		const char *follow, *says;
	} wrong[] = {
		{"name: x", "lacks purpose, approved_by, reference, until, ports, relook.times or back.quiet"},
		{STUDY, "lacks relook.times or back.quiet"},
		{STUDY ", relook: {after: 2h, times: 1}", "shorter than active.round"},
		{STUDY ", back: {quiet: 3d}", "within is not longer than quiet"},
		{"name: x, purpose: x, approved_by: x, reference: x, until: soon, ports: ['23'], " RELOOK, "is not a time"},
		{"name: x, purpose: x, approved_by: x, reference: x, until: 2016-01-01, ports: [161/udp], " RELOOK,
		 "not a port of TCP"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char yaml[512];
		struct settings s;
		struct fault fault = {{0}};
		snprintf(yaml, sizeof yaml, "active: {follow: {%s}}\n", wrong[i].follow);
		config_of("", yaml, &config);
		CHECK_SAY(settings_read(&config, &s, &fault) == ERR_BAD && strstr(fault.text, wrong[i].says), "%zu: %s", i,
			  fault.text);
		config_done(&config);
	}
	begin("operator: {contact: abuse@example.org}\nactive: {scope: [8.0.0.0/8], delay: 0s, hold_out: 0}\n");
	attack(SOURCE, NOW);
	CHECK(look(NOW) == 1 && !control->followeds && pass(NOW, NOW + 10 * DAY) == 0);
	end();
}
