/* A survey's permission over its life: given, kept, used up, taken back, remembered. */
#include "control/room_inner.h"
#include "tests/unit/control/case.h"
#include <stdlib.h>
#include <unistd.h>

#define SECOND 1000000u
#define SURVEY                                                                                    \
	"name: spring, prefixes: [8.0.0.0/8, 9.0.0.0/8], ports: ['23', '80'], from: 2015-03-01, until: 2015-05-01, " \
	"purpose: infected recorders, approved_by: the board, reference: note 7, rate: 100, packets: 1000, look: true"
#define CONFIG(more)                                                                              \
	"operator: {contact: abuse@example.org}\n"                                                \
	"active: {scope: [8.0.0.0/8, 10.0.0.0/8], known_scanners: [8.7.0.0/16], hold_out: 0, surveys: [{" SURVEY more "}]}\n"

static struct config config;
static struct control *control;
static char directory[64];
static struct {
	char decision[16], reason[24], state[8];
	enum event_kind kind;
	uint64_t count, depth;
	struct event_id id, cause;
} told[64];
static size_t told_count;

static int publish(void *arg, struct event *e)
{
	(void)arg;
	CHECK(told_count < 64);
	told[told_count].kind = e->kind;
	told[told_count].id = e->id;
	bytes_copy_text(event_bytes(e, FIELD_DECISION), told[told_count].decision, 16);
	bytes_copy_text(event_bytes(e, FIELD_REASON), told[told_count].reason, 24);
	bytes_copy_text(event_bytes(e, FIELD_STATE), told[told_count].state, 8);
	event_id_of(e, FIELD_CAUSE, &told[told_count].cause);
	told[told_count].depth = event_number(e, FIELD_DEPTH, 0);
	told[told_count++].count = event_number(e, FIELD_COUNT, 1);
	return 0;
}

static void revoke_lease(void *arg, const struct address *a)
{
	(void)arg;
	(void)a;
}

static void begin(void)
{
	struct fault fault = {{0}};
	control = calloc(1, sizeof *control);
	control->publish = publish;
	control->revoke = revoke_lease;
	int bad = settings_read(&config, &control->settings, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	bad = control_open(control, directory, NOW, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	told_count = 0;
}

static void end(void)
{
	control_close(control);
	settings_done(&control->settings);
	free(control);
}

static void open_with(const char *yaml)
{
	snprintf(directory, sizeof directory, "/tmp/kansoku-survey.XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	config_of("", yaml, &config);
	begin();
}

static void close_all(void)
{
	char command[128];
	end();
	config_done(&config);
	snprintf(command, sizeof command, "rm -r %s", directory);
	CHECK(system(command) == 0);
}

static enum reason ask_at(uint64_t now_us, struct survey_lease *lease)
{
	struct survey_grant_made made;
	struct fault fault = {{0}};
	enum reason reason = control_survey_ask(control, BYTES("spring"), now_us, &made, &fault);
	CHECK((reason == REASON_OK) == !fault.text[0]);
	if (lease)
		*lease = made.lease;
	prefix_set_done(&made.targets);
	prefix_set_done(&made.excluded);
	return reason;
}

static const char *keep_at(uint64_t now_us, const struct survey_lease *l, uint64_t packets, bool done)
{
	struct prefix_set excluded = {0};
	const struct survey_progress p = {.id = l->id, .packets = packets, .done = done};
	const char *why = control_survey_keep(control, &p, now_us, &excluded);
	prefix_set_done(&excluded);
	return why;
}

TEST(survey_permission_says_what_was_approved_and_is_a_decision)
{
	struct survey_grant_made made;
	struct fault fault = {{0}};
	open_with(CONFIG(""));
	CHECK(control_survey_ask(control, BYTES("spring"), NOW, &made, &fault) == REASON_OK);
	const struct address in = address_of("8.1.2.3"), out = address_of("9.1.2.3"), known = address_of("8.7.1.1"),
			     special = address_of("127.0.0.1");
	CHECK(prefix_set_holds(&made.targets, &in) && !prefix_set_holds(&made.targets, &out));
	CHECK(prefix_set_holds(&made.excluded, &known) && prefix_set_holds(&made.excluded, &special));
	CHECK(!prefix_set_holds(&made.excluded, &in));
	CHECK(made.lease.rate == 100 && made.lease.packets_max == 1000 && made.lease.port_count == 2 && made.lease.looks);
	CHECK(made.lease.round == 1 && made.lease.expires_us == 1430438400000000u /* 2015-05-01 */);
	CHECK(told_count == 1 && !strcmp(told[0].decision, "allowed") && id_equal(&told[0].id, &made.lease.id));
	prefix_set_done(&made.targets);
	prefix_set_done(&made.excluded);
	CHECK(control_survey_ask(control, BYTES("autumn"), NOW, &made, &fault) == REASON_NO_BASIS);
	close_all();
}

TEST(survey_that_is_not_wholly_approved_is_refused_and_says_what_lacks)
{
	struct survey_grant_made made;
	struct fault fault = {{0}};
	open_with("operator: {contact: abuse@example.org}\nactive: {scope: [8.0.0.0/8], surveys: [{name: spring, "
		  "prefixes: [8.0.0.0/8], until: 2015-05-01, purpose: x, ports: ['23'], rate: 5}]}\n");
	CHECK(control_survey_ask(control, BYTES("spring"), NOW, &made, &fault) == REASON_SURVEY_INCOMPLETE);
	CHECK_SAY(strstr(fault.text, "lacks approved_by, reference, packets"), "%s", fault.text);
	prefix_set_done(&made.targets);
	prefix_set_done(&made.excluded);
	for (int i = 0; i < 5; i++)
		CHECK(ask_at(NOW + 1 + (uint64_t)i, NULL) == REASON_SURVEY_INCOMPLETE);
	CHECK(told_count == 1 && !strcmp(told[0].reason, "survey-incomplete"));
	control_survey_tick(control, NOW + 20 * MINUTE);
	CHECK(told_count == 2 && told[1].count == 5 && !strcmp(told[1].decision, "refused"));
	close_all();
}

TEST(survey_has_one_scanner_which_is_forgotten_when_it_falls_silent)
{
	struct survey_lease first, second;
	open_with(CONFIG(""));
	CHECK(ask_at(NOW, &first) == REASON_OK && !keep_at(NOW + SECOND, &first, 10, false));
	CHECK(ask_at(NOW + SECOND, NULL) == REASON_SURVEY_RUNNING);
	CHECK(ask_at(NOW + 4 * SECOND, &second) == REASON_OK);
	CHECK(second.round == 1 && second.seed == first.seed && second.packets_max == 990);
	CHECK(keep_at(NOW + 4 * SECOND, &first, 11, false) != NULL);
	CHECK(!keep_at(NOW + 4 * SECOND, &second, 5, false));
	close_all();
}

TEST(survey_budget_holds_over_leases_and_restarts_until_the_next_round)
{
	struct survey_lease l;
	open_with(CONFIG(", repeat: 7d"));
	CHECK(ask_at(NOW, &l) == REASON_OK);
	const uint64_t seed = l.seed;
	CHECK(!keep_at(NOW + SECOND, &l, 600, false));
	control_survey_tick(control, NOW + 10 * SECOND); /* its holder has gone: written down */
	end();
	begin();
	CHECK(ask_at(NOW + 20 * SECOND, &l) == REASON_OK && l.packets_max == 400 && l.round == 1 && l.seed == seed);
	CHECK(keep_at(NOW + 21 * SECOND, &l, 400, false) != NULL);
	CHECK(ask_at(NOW + 22 * SECOND, NULL) == REASON_SURVEY_OVER);
	CHECK(ask_at(NOW + 7 * 86400ull * SECOND, &l) == REASON_OK);
	CHECK(l.round == 2 && l.packets_max == 1000 && l.seed != seed);
	CHECK(keep_at(NOW + 7 * 86400ull * SECOND + SECOND, &l, 3, true) != NULL);
	CHECK(ask_at(NOW + 7 * 86400ull * SECOND + 2 * SECOND, NULL) == REASON_SURVEY_OVER);
	close_all();
}

TEST(survey_that_is_stopped_stops_and_stays_so_over_a_restart)
{
	struct survey_lease l;
	open_with(CONFIG(""));
	CHECK(ask_at(NOW, &l) == REASON_OK);
	CHECK(control_survey_stop(control, BYTES("none"), true, NOW) == ERR_MISSING);
	CHECK(control_survey_stop(control, BYTES("spring"), true, NOW) == 0);
	const char *why = keep_at(NOW + SECOND, &l, 1, false);
	CHECK(why && !strcmp(why, "stopped by hand"));
	end();
	begin();
	CHECK(ask_at(NOW + 2 * SECOND, NULL) == REASON_SURVEY_STOPPED);
	CHECK(control_survey_stop(control, BYTES("spring"), false, NOW) == 0);
	CHECK(ask_at(NOW + 3 * SECOND, &l) == REASON_OK);
	close_all();
}

TEST(survey_is_told_who_opted_out_since)
{
	struct survey_lease l;
	struct prefix_set excluded = {0};
	struct fault fault = {{0}};
	open_with(CONFIG(""));
	const struct address late = address_of("8.5.5.5");
	CHECK(ask_at(NOW, &l) == REASON_OK);
	const struct survey_progress p = {.id = l.id, .packets = 1};
	CHECK(!control_survey_keep(control, &p, NOW + 1, &excluded) && excluded.count == 0);
	CHECK(optout_read(&control->optout, BYTES("8.5.5.0/24\n"), &fault) == 0);
	CHECK(!control_survey_keep(control, &p, NOW + 2, &excluded));
	CHECK(prefix_set_holds(&excluded, &late));
	prefix_set_done(&excluded);
	excluded = (struct prefix_set){0};
	CHECK(!control_survey_keep(control, &p, NOW + 3, &excluded) && excluded.count == 0);
	close_all();
}

TEST(survey_keeps_to_its_hours_and_its_days)
{
	struct survey_lease l;
	open_with(CONFIG(", window: '22:00-06:00'"));
	const uint64_t hour = 60 * MINUTE; /* NOW is midnight */
	CHECK(ask_at(NOW + 12 * hour, NULL) == REASON_WINDOW);
	CHECK(ask_at(NOW + 23 * hour, &l) == REASON_OK && l.expires_us == NOW + 30 * hour);
	CHECK(!keep_at(NOW + 23 * hour + SECOND, &l, 1, false));
	CHECK(ask_at(NOW + 24 * hour, &l) == REASON_OK && l.expires_us == NOW + 30 * hour);
	CHECK(keep_at(NOW + 30 * hour, &l, 1, false) != NULL);
	CHECK(ask_at(NOW - 32 * 24 * hour, NULL) == REASON_STALE_BASIS);
	CHECK(ask_at(NOW + 31 * 24 * hour, NULL) == REASON_STALE_BASIS);
	close_all();
}

TEST(survey_keeps_to_the_windows_in_which_looks_may_leave)
{
	struct survey_lease l;
	const uint64_t hour = 60 * MINUTE;
	open_with(CONFIG("}], windows: [{from: '01:00', to: '09:00'}], quiet: [{from: '03:00', to: '04:00'"));
	CHECK(ask_at(NOW, NULL) == REASON_WINDOW);
	CHECK(ask_at(NOW + hour, &l) == REASON_OK && l.expires_us == NOW + 3 * hour);
	CHECK(!keep_at(NOW + 3 * hour - SECOND, &l, 5, false));
	CHECK(strstr(keep_at(NOW + 3 * hour, &l, 9, false), "hours"));
	struct survey_grant_made made;
	struct fault fault = {{0}};
	CHECK(control_survey_ask(control, BYTES("spring"), NOW + 3 * hour, &made, &fault) == REASON_WINDOW);
	CHECK_SAY(strstr(fault.text, "nothing leave before 2015-") && strstr(fault.text, "T04:00:00"), "%s", fault.text);
	prefix_set_done(&made.targets);
	prefix_set_done(&made.excluded);
	/* The same round goes on when it opens. */
	CHECK(ask_at(NOW + 4 * hour, &l) == REASON_OK && l.expires_us == NOW + 9 * hour && l.round == 1 && l.packets_max == 991);
	close_all();
}

static void hit(struct writer *w, const char *address, uint16_t port, uint8_t protocol)
{
	struct address a = address_of(address);
	write_bytes(w, a.b, sizeof a.b);
	write_u16(w, port);
	write_u8(w, protocol);
}

TEST(survey_hits_are_answers_and_are_looked_at_as_the_policy_allows)
{
	struct survey_lease l;
	uint8_t wire[256];
	struct writer w = writer_of(wire, sizeof wire);
	open_with(CONFIG(""));
	CHECK(ask_at(NOW, &l) == REASON_OK);
	write_bytes(&w, l.id.b, sizeof l.id.b);
	hit(&w, "8.1.1.1", 80, 6);
	hit(&w, "8.7.1.1", 23, 6); /* a known scanner: told, not looked at */
	hit(&w, "8.1.1.1", 23, 6);
	hit(&w, "8.1.1.2", 443, 6); /* nobody was permitted to ask that */
	hit(&w, "8.1.1.3", 23, 17);
	told_count = 0;
	CHECK(control_survey_hits(control, writer_bytes(&w), NOW + SECOND) == 1);
	size_t answers = 0, allowed = 0, refused = 0;
	for (size_t i = 0; i < told_count; i++) {
		answers += told[i].kind == EVENT_HOST_ANSWERED && id_equal(&told[i].cause, &l.id);
		allowed += !strcmp(told[i].decision, "allowed");
		refused += !strcmp(told[i].decision, "refused") && !strcmp(told[i].reason, "known-scanner");
	}
	CHECK_SAY(answers == 3 && allowed == 1 && refused == 1, "%zu %zu %zu", answers, allowed, refused);
	control_next(control, NOW + SECOND);
	CHECK(looks_count(control->looks, LOOK_READY) + looks_count(control->looks, LOOK_GIVEN) == 1);
	CHECK(control_survey_hits(control, writer_bytes(&w), NOW + 2 * SECOND) == 0); /* once a round */
	CHECK(control_survey_hits(control, BYTES("short"), NOW) == ERR_BAD);
	wire[0] ^= 1;
	CHECK(control_survey_hits(control, writer_bytes(&w), NOW) == ERR_GONE);
	close_all();
}

TEST(survey_options_that_make_no_sense_are_refused)
{
	static const struct {
		const char *more, *says;
	} wrong[] = {
		{"window: 22-06", "window"},	       {"window: '22:00-22:00'", "window"},
		{"ports: ['161/udp']", "tier 2"},      {"ports: [nine]", "a port"},
		{"from: 2015-06-01", "ends before"},   {"from: never", "from"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char yaml[512];
		struct settings s;
		struct fault fault = {{0}};
		snprintf(yaml, sizeof yaml, "active: {surveys: [{name: x, prefixes: [8.0.0.0/8], until: 2015-05-01, %s}]}\n",
			 wrong[i].more);
		config_of("", yaml, &config);
		CHECK_SAY(settings_read(&config, &s, &fault) && strstr(fault.text, wrong[i].says), "%s: %s", wrong[i].more,
			  fault.text);
		config_done(&config);
	}
}
