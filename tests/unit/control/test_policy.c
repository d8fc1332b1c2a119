#include "base/random.h"
#include "tests/unit/control/case.h"
#include <math.h>

#define IS(expected, question)                                                  \
	do {                                                                   \
		enum reason got = ask(&c, &(question));                        \
		CHECK_SAY(got == REASON_##expected, "%s", reason_word(got));     \
	} while (0)

static struct policy_case c;

TEST(policy_is_inactive_until_a_scope_is_named)
{
	policy_case_open(&c, "");
	struct question q = question_of("8.8.8.8");
	IS(INACTIVE, q);
	policy_case_close(&c);
	policy_case_open(&c, "active: {enabled: false, scope: [8.0.0.0/8]}\noperator: {contact: a@b.c}\n");
	IS(INACTIVE, q);
	policy_case_close(&c);
	policy_case_open(&c, SCOPE_ALL);
	c.policy.opt_outs_unknown = true;
	IS(INACTIVE, q);
	policy_case_close(&c);
}

TEST(policy_wants_a_contact)
{
	policy_case_open(&c, "active: {scope: [8.0.0.0/8], hold_out: 0}\n");
	struct question q = question_of("8.8.8.8");
	IS(NO_CONTACT, q);
	policy_case_close(&c);
}

TEST(policy_allows_what_passes_all_checks)
{
	policy_case_open(&c, SCOPE_ALL);
	struct question q = question_of("8.8.8.8");
	IS(OK, q);
	q = question_of("2606:4700::1111");
	IS(OK, q);
	policy_case_close(&c);
}

TEST(policy_wants_a_basis_and_a_fresh_one)
{
	policy_case_open(&c, SCOPE_ALL);
	struct question q = question_of("8.8.8.8");
	q.evidence.basis = BASIS_NONE;
	IS(NO_BASIS, q);
	q.evidence.basis = BASIS_SURVEY; /* none was approved */
	IS(NO_BASIS, q);
	const enum basis aging[] = {BASIS_HANDSHAKE, BASIS_COOKIE, BASIS_SAMPLE, BASIS_RECORD};
	for (size_t i = 0; i < 4; i++) {
		q.evidence = (struct evidence){.basis = aging[i], .time_us = NOW};
		uint64_t until = policy_basis_until(&c.policy, &q.evidence);
		CHECK(until > NOW);
		q.evidence.time_us = NOW - (until - NOW);
		IS(OK, q);
		q.evidence.time_us--;
		IS(STALE_BASIS, q);
		q.evidence.time_us = NOW + MINUTE; /* from a clock that cannot be right */
		IS(STALE_BASIS, q);
	}
	q.evidence = (struct evidence){.basis = BASIS_OPERATOR};
	IS(OK, q);
	policy_case_close(&c);
}

TEST(policy_keeps_a_survey_to_its_prefixes_tier_and_time)
{
	policy_case_open(&c, "operator: {contact: a@b.c}\n"
			     "active:\n"
			     "  scope: [0.0.0.0/0]\n"
			     "  hold_out: 0\n"
			     "  tier: 2\n"
			     "  surveys:\n"
			     "    - {name: past, prefixes: [9.9.9.0/24], until: 2015-03-31}\n"
			     "    - {name: now, prefixes: [8.8.8.0/24], until: 2015-04-30}\n");
	struct question q = question_of("8.8.8.8");
	q.evidence.basis = BASIS_SURVEY;
	IS(OK, q);
	q.tier = 2;
	IS(NO_BASIS, q);
	q.tier = 1;
	q.target = address_of("8.8.9.8");
	IS(NO_BASIS, q);
	q.target = address_of("9.9.9.9");
	IS(STALE_BASIS, q);
	policy_case_close(&c);
}

TEST(policy_refuses_special_ranges_unless_allowed_by_name)
{
	policy_case_open(&c, "operator: {contact: a@b.c}\n"
			     "active:\n"
			     "  hold_out: 0\n"
			     "  scope: [0.0.0.0/0, '::/0', {prefix: 127.20.0.0/16, special: allow}]\n");
	struct question q = question_of("127.20.0.1");
	IS(OK, q);
	q.target = address_of("127.21.0.1");
	IS(SPECIAL, q);
	q.target = address_of("10.0.0.1");
	IS(SPECIAL, q);
	q.target = address_of("fe80::1");
	IS(SPECIAL, q);
	policy_case_close(&c);
}

TEST(policy_refuses_our_own_addresses)
{
	policy_case_open_with(&c, "passive: {decoys: [{prefix: 9.1.0.0/16}]}\n"
			      "telescope: {prefixes: [{prefix: 9.4.0.0/16}, {prefix: 9.5.0.0/16, reactive: true}]}\n",
			      "operator: {contact: a@b.c}\n"
			      "active: {scope: [0.0.0.0/0], hold_out: 0, addresses: [9.3.0.1]}\n");
	struct question q = question_of("9.1.2.3");
	IS(OWN, q);
	q.target = address_of("9.3.0.1");
	IS(OWN, q);
	q.target = address_of("9.4.0.1");
	IS(OWN, q);
	q.target = address_of("9.5.0.1");
	IS(OWN, q);
	q.target = address_of("9.3.0.2");
	IS(OK, q);
	CHECK(policy_source(&c.policy, &q.target).b[15] == 1);
	policy_case_close(&c);
}

TEST(policy_keeps_to_scope_opt_outs_and_known_scanners)
{
	policy_case_open(&c, "operator: {contact: a@b.c}\n"
			     "active: {scope: [8.0.0.0/8], hold_out: 0, known_scanners: [8.9.0.0/16]}\n");
	struct prefix out;
	CHECK(prefix_parse(BYTES("8.1.0.0/16"), &out) && prefix_set_add(&c.opted_out, &out) == 0);
	prefix_set_seal(&c.opted_out);
	struct question q = question_of("9.0.0.1");
	IS(SCOPE, q);
	q.target = address_of("8.1.2.3");
	IS(OPTED_OUT, q);
	q.target = address_of("8.9.2.3");
	IS(KNOWN_SCANNER, q);
	q.target = address_of("8.10.2.3");
	IS(OK, q);
	CHECK(policy_check_again(&c.policy, &q, NOW) == REASON_OK);
	q.target = address_of("8.1.2.3");
	CHECK(policy_check_again(&c.policy, &q, NOW) == REASON_OPTED_OUT);
	q = question_of("8.10.2.3");
	CHECK(policy_check_again(&c.policy, &q, NOW + 60 * (uint64_t)MINUTE) == REASON_STALE_BASIS);
	policy_case_close(&c);
}

TEST(policy_keeps_tier_and_target_budget)
{
	policy_case_open(&c, SCOPE_ALL);
	struct question q = question_of("8.8.8.8");
	q.tier = 2;
	IS(TIER, q);
	q.tier = 1;
	q.ports = 12;
	IS(OK, q);
	q.ports = 13;
	IS(TARGET_BUDGET, q);
	q.ports = 2;
	struct target *known = targets_take(c.targets, &q.target, NOW);
	targets_looked(c.targets, known, NOW - 1439 * (uint64_t)MINUTE);
	IS(TARGET_BUDGET, q);
	targets_looked(c.targets, known, NOW - 1440 * (uint64_t)MINUTE);
	IS(OK, q);
	policy_case_close(&c);
}

TEST(policy_counts_packets_of_a_look)
{
	policy_case_open(&c, "operator: {contact: a@b.c}\n"
			     "active: {scope: [8.0.0.0/8], hold_out: 0, packets_max: 100}\n");
	struct question q = question_of("8.8.8.8");
	IS(OK, q);
	q.ports = 3;
	IS(TARGET_BUDGET, q);
	policy_case_close(&c);
}

TEST(policy_asks_over_udp_only_where_it_was_opted_in)
{
	policy_case_open(&c, "operator: {contact: a@b.c}\n"
			     "active: {scope: [8.0.0.0/8], hold_out: 0, tier: 2}\n");
	struct question q = question_of("8.8.8.8");
	q.udp = true;
	IS(TIER, q);
	q.tier = 2;
	IS(OK, q);
	policy_case_close(&c);
}

#define SOURCES 20000

TEST(policy_holds_out_the_share_it_is_told_and_always_the_same)
{
	policy_case_open(&c, "operator: {contact: a@b.c}\nactive: {scope: [0.0.0.0/0], hold_out: 0.1}\n");
	static bool held[SOURCES];
	unsigned count = 0;
	struct question q = question_of("8.8.8.8");
	for (uint32_t i = 0; i < SOURCES; i++) {
		q.target = address_v4(0x08000000 + i);
		enum reason r = ask(&c, &q);
		CHECK(r == REASON_OK || r == REASON_HELD_OUT);
		held[i] = r == REASON_HELD_OUT;
		count += held[i];
	}
	/* Five standard deviations of a binomial: this fails for a right share once in two million. */
	double deviation = sqrt(SOURCES * 0.1 * 0.9);
	CHECK_SAY(fabs(count - SOURCES * 0.1) < 5 * deviation, "%u", count);
	/* Again, later, and with a larger share: who was held out stays so. */
	unsigned larger = 0;
	q.hold_out = 0.2;
	for (uint32_t i = 0; i < SOURCES; i++) {
		q.target = address_v4(0x08000000 + i);
		CHECK(policy_is_held_out(&c.policy, &q.target, 0.1) == held[i]);
		bool now = ask(&c, &q) == REASON_HELD_OUT;
		CHECK(now || !held[i]);
		larger += now;
	}
	CHECK_SAY(fabs(larger - SOURCES * 0.2) < 5 * sqrt(SOURCES * 0.2 * 0.8), "%u", larger);
	q.hold_out = 0;
	IS(OK, q);
	policy_case_close(&c);
}

TEST(policy_lets_a_share_of_decoys_never_react)
{
	policy_case_open_with(&c,
			      "passive:\n"
			      "  decoys: [{prefix: 9.1.0.0/20}, {prefix: 9.2.0.0/24, react: false}]\n",
			      "operator: {contact: a@b.c}\n"
			      "active: {scope: [0.0.0.0/0], hold_out: 0}\n"
			      "control: {silent_decoys: 0.25}\n");
	struct question q = question_of("8.8.8.8");
	unsigned silent = 0;
	for (uint32_t i = 0; i < 4096; i++) {
		q.evidence.decoy = address_v4(0x09010000 + i);
		enum reason r = ask(&c, &q);
		CHECK(r == REASON_OK || r == REASON_SILENT_DECOY);
		silent += r == REASON_SILENT_DECOY;
	}
	CHECK_SAY(fabs(silent - 1024.0) < 5 * sqrt(4096 * 0.25 * 0.75), "%u", silent);
	q.evidence.decoy = address_of("9.2.0.77");
	IS(SILENT_DECOY, q);
	policy_case_close(&c);
	policy_case_open_with(&c, "passive: {decoys: [{prefix: 9.1.0.0/29}]}\n",
			      "control: {silent_decoys: 1}\n");
	CHECK(c.settings.silent_share == 0); /* a handful of decoys is not thinned out */
	policy_case_close(&c);
}

TEST(policy_has_a_word_and_a_sentence_for_every_reason)
{
	for (int r = 0; r < REASON_COUNT; r++)
		CHECK(*reason_word((enum reason)r) && *reason_what((enum reason)r) &&
		      !strchr(reason_word((enum reason)r), ' '));
}

static void refused(const char *passive, const char *yaml, const char *sentence)
{
	struct config config;
	struct settings settings;
	struct fault fault = {0};
	config_of(passive, yaml, &config);
	CHECK(settings_read(&config, &settings, &fault) < 0);
	CHECK_SAY(strstr(fault.text, sentence), "%s", fault.text);
	config_done(&config);
}

TEST(settings_refuse_a_prober_among_the_decoys_and_an_endless_survey)
{
	refused("passive: {decoys: 9.1.0.0/16}\n", "active: {addresses: [9.1.0.5]}\n",
		"active.addresses[0]: 9.1.0.5 lies within");
	refused("", "active: {surveys: [{name: x, prefixes: [8.0.0.0/8], until: soon}]}\n",
		"active.surveys[0].until: \"soon\" is not a time");
}

static struct event e;

static enum basis basis_of(enum event_kind kind, const char *role, const char *proto)
{
	event_begin(&e, kind);
	e.time_us = NOW;
	struct event_id session = {{1}};
	event_set_id(&e, FIELD_SESSION, &session);
	event_set_text(&e, FIELD_PROTO, proto);
	return evidence_of(&e, role).basis;
}

TEST(evidence_is_never_a_bare_packet_an_alert_or_a_datagram)
{
	CHECK(event_start(NULL) == 0);
	CHECK(basis_of(EVENT_LOGIN_TRIED, "passive", "tcp") == BASIS_HANDSHAKE);
	CHECK(basis_of(EVENT_LOGIN_TRIED, "passive", "udp") == BASIS_NONE);
	CHECK(basis_of(EVENT_LOGIN_TRIED, "telescope", "tcp") == BASIS_NONE);
	CHECK(basis_of(EVENT_SCAN_SEEN, "telescope", "tcp") == BASIS_NONE);
	CHECK(basis_of(EVENT_SCAN_SEEN, "passive", "tcp") == BASIS_NONE);
	CHECK(basis_of(EVENT_BACKSCATTER_SEEN, "telescope", "tcp") == BASIS_NONE);
	CHECK(basis_of(EVENT_ALERT_RAISED, "passive", "tcp") == BASIS_NONE);
	CHECK(basis_of(EVENT_HOST_IDENTIFIED, "active", "tcp") == BASIS_NONE);
	event_begin(&e, EVENT_LOGIN_TRIED); /* without a session */
	event_set_text(&e, FIELD_PROTO, "tcp");
	CHECK(evidence_of(&e, "passive").basis == BASIS_NONE);
}

TEST(evidence_of_cookies_samples_and_records)
{
	CHECK(event_start(NULL) == 0);
	event_begin(&e, EVENT_SCAN_SEEN);
	event_set_text(&e, FIELD_STATE, "answered");
	CHECK(evidence_of(&e, "telescope").basis == BASIS_COOKIE);
	event_begin(&e, EVENT_INDICATOR_FOUND);
	event_set_text(&e, FIELD_INDICATOR_ROLE, "command");
	CHECK(evidence_of(&e, "lab").basis == BASIS_NONE);
	event_set_text(&e, FIELD_FILE_SHA256, "00");
	CHECK(evidence_of(&e, "lab").basis == BASIS_SAMPLE);
	CHECK(evidence_of(&e, "passive").basis == BASIS_NONE);
}

struct marking_case {
	const char *pap;
	enum basis record, sample;
	const char *told;
};

TEST(evidence_heeds_the_marking_and_tells_which_one_forbade_it)
{
	static const struct marking_case cases[] = {
		{"", BASIS_NONE, BASIS_SAMPLE, "unmarked"}, {"RED", BASIS_NONE, BASIS_NONE, "RED"},
		{"PAP:AMBER", BASIS_NONE, BASIS_NONE, "AMBER"}, {"pap:green", BASIS_RECORD, BASIS_SAMPLE, ""},
		{"CLEAR", BASIS_RECORD, BASIS_SAMPLE, ""}, {"White", BASIS_RECORD, BASIS_SAMPLE, ""},
		{"PURPLE", BASIS_NONE, BASIS_NONE, "PURPLE"}, {"\"\x01'AVERYLONGMARKING", BASIS_NONE, BASIS_NONE, "\"?'AVERYLONGMAR"},
	};
	CHECK(event_start(NULL) == 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		event_begin(&e, EVENT_RECORD_IMPORTED);
		event_set_text(&e, FIELD_PAP, cases[i].pap);
		struct evidence record = evidence_of(&e, "exchange");
		CHECK_SAY(record.basis == cases[i].record, "%s", cases[i].pap);
		CHECK_SAY(!strcmp(record.marking, cases[i].told), "%s: %s", cases[i].pap, record.marking);
		event_begin(&e, EVENT_INDICATOR_FOUND);
		event_set_text(&e, FIELD_INDICATOR_ROLE, "command");
		event_set_text(&e, FIELD_FILE_SHA256, "00");
		event_set_text(&e, FIELD_PAP, cases[i].pap);
		CHECK_SAY(evidence_of(&e, "lab").basis == cases[i].sample, "%s", cases[i].pap);
	}
}

TEST(policy_refuses_what_is_marked_for_passive_use_and_says_so)
{
	char text[200];
	struct writer w = writer_of(text, sizeof text - 1);
	policy_case_open(&c, SCOPE_ALL);
	event_begin(&e, EVENT_RECORD_IMPORTED);
	e.time_us = NOW - MINUTE;
	event_set_text(&e, FIELD_PAP, "AMBER");
	struct question q = question_of("8.8.8.8");
	q.evidence = evidence_of(&e, "exchange");
	IS(MARKING, q);
	policy_explain(&c.policy, &q, REASON_MARKING, NOW, &w);
	*w.at = '\0';
	CHECK_SAY(!strcmp(text, "marked PAP:AMBER"), "%s", text);
	event_set_text(&e, FIELD_PAP, "GREEN");
	q.evidence = evidence_of(&e, "exchange");
	IS(OK, q);
	policy_case_close(&c);
}

TEST(policy_judges_an_address_by_the_one_it_carries)
{
	policy_case_open_with(&c, "passive: {decoys: [{prefix: 9.1.0.0/16}]}\n",
			      "operator: {contact: a@b.c}\n"
			      "active:\n"
			      "  hold_out: 0\n"
			      "  scope: ['2000::/3', {prefix: '2002::/16', special: allow}, 0.0.0.0/0]\n"
			      "  known_scanners: [8.9.0.0/16]\n");
	struct prefix out;
	CHECK(prefix_parse(BYTES("8.1.0.0/16"), &out) && prefix_set_add(&c.opted_out, &out) == 0);
	prefix_set_seal(&c.opted_out);
	struct question q = question_of("2002:802:0304::1");
	IS(OK, q);
	q.target = address_of("2002:0a00:0001::1");
	IS(SPECIAL, q);
	q.target = address_of("2002:901:0203::1");
	IS(OWN, q);
	q.target = address_of("2002:801:0203::1");
	IS(OPTED_OUT, q);
	q.target = address_of("2002:809:0203::1");
	IS(KNOWN_SCANNER, q);
	q.target = address_of("2606:4700::5efe:8.1.2.3");
	IS(OPTED_OUT, q);
	q.target = address_of("2606:4700::5efe:192.168.1.1");
	IS(SPECIAL, q);
	q.target = address_of("2606:4700::5efe:8.2.2.3");
	IS(OK, q);
	policy_case_close(&c);
}

TEST(policy_lets_a_part_of_the_scope_have_its_own_tier)
{
	policy_case_open(&c, "operator: {contact: a@b.c}\n"
			     "active:\n"
			     "  hold_out: 0\n"
			     "  scope: [0.0.0.0/0, {prefix: 8.8.0.0/16, tier: 2}, {prefix: 8.8.8.0/24, tier: 0}]\n");
	struct question q = question_of("8.7.0.1");
	q.tier = 2;
	IS(TIER, q);
	q.target = address_of("8.8.0.1");
	IS(OK, q);
	q.target = address_of("8.8.8.1");
	q.tier = 1;
	IS(TIER, q);
	policy_case_close(&c);
}
