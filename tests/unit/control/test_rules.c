#include "control/rules_inner.h"
#include "tests/unit/control/case.h"

static struct policy_case c;
static struct rules rules;
static struct event e;

static void open_rules(const char *yaml)
{
	struct fault fault = {0};
	policy_case_open(&c, yaml);
	int bad = rules_read(&c.settings, &rules, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
}

static void close_rules(void)
{
	rules_done(&rules);
	policy_case_close(&c);
}

static void wrong(const char *yaml, const char *sentence)
{
	struct fault fault = {0};
	policy_case_open(&c, yaml);
	CHECK(rules_read(&c.settings, &rules, &fault) == ERR_BAD);
	CHECK_SAY(strstr(fault.text, sentence), "%s", fault.text);
	policy_case_close(&c);
}

static void login(bool accepted, uint64_t port, const char *source)
{
	struct address a = address_of(source);
	event_begin(&e, EVENT_LOGIN_TRIED);
	event_set_bool(&e, FIELD_LOGIN_ACCEPTED, accepted);
	event_set_number(&e, FIELD_DPORT, port);
	event_set_address(&e, FIELD_SRC, &a);
	event_set_bytes(&e, FIELD_LOGIN_USER, BYTES("root"));
	event_set_text(&e, FIELD_SERVICE, "telnet");
}

TEST(rules_by_default_probe_intruders_and_steer_the_identified)
{
	open_rules("");
	login(true, 23, "8.8.8.8");
	const struct rule *r = rules_pick(&rules, ACTION_PROBE, &e, NULL);
	CHECK(r && r->port_count == 2 && r->ports[0] == 23 && r->ports[1] == 80 && r->tier == 1);
	CHECK(r->delay_min_us == 30 * 1000000u && r->delay_max_us == 600 * 1000000u && r->hold_out < 0);
	CHECK(!strcmp(r->name, "intruder"));
	CHECK(!rules_pick(&rules, ACTION_STEER, &e, NULL));
	login(false, 23, "8.8.8.8");
	CHECK(!rules_pick(&rules, ACTION_PROBE, &e, NULL));
	event_begin(&e, EVENT_HOST_IDENTIFIED);
	CHECK(!rules_pick(&rules, ACTION_STEER, &e, NULL)); /* without any confidence */
	event_set_number(&e, FIELD_CONFIDENCE, 49);
	CHECK(!rules_pick(&rules, ACTION_STEER, &e, NULL));
	event_set_number(&e, FIELD_CONFIDENCE, 50);
	CHECK(rules_pick(&rules, ACTION_STEER, &e, NULL));
	event_begin(&e, EVENT_SESSION_CLOSED);
	event_set_number(&e, FIELD_COMMANDS, 0);
	CHECK(!rules_pick(&rules, ACTION_PROBE, &e, NULL));
	event_set_number(&e, FIELD_COMMANDS, 1);
	CHECK(rules_pick(&rules, ACTION_PROBE, &e, NULL));
	CHECK(rules.kinds & KIND_MASK(EVENT_FILE_CAPTURED));
	CHECK(!(rules.kinds & KIND_MASK(EVENT_COMMAND_SENT)));
	close_rules();
}

TEST(rules_compare_every_type_of_field)
{
	open_rules("rules:\n"
		   "  - on: login.tried\n"
		   "    do: probe\n"
		   "    name: all\n"
		   "    when:\n"
		   "      login.accepted: true\n"
		   "      dport: [23, 2323]\n"
		   "      src: [8.8.0.0/16, '2606:4700::/32']\n"
		   "      login.user: [admin, root]\n"
		   "      service: telnet\n"
		   "  - {on: login.tried, do: probe, name: ports, when: {dport: {min: 1000, max: 2000}}}\n"
		   "  - {on: login.tried, do: probe, name: high, when: {dport: {min: 60000}}}\n");
	login(true, 2323, "8.8.1.2");
	CHECK(rules_pick(&rules, ACTION_PROBE, &e, NULL) == &rules.items[0]);
	login(true, 23, "2606:4700::9");
	CHECK(rules_pick(&rules, ACTION_PROBE, &e, NULL) == &rules.items[0]);
	login(true, 24, "8.8.1.2");
	CHECK(!rules_pick(&rules, ACTION_PROBE, &e, NULL));
	login(false, 23, "8.8.1.2");
	CHECK(!rules_pick(&rules, ACTION_PROBE, &e, NULL));
	login(true, 23, "8.9.1.2");
	CHECK(!rules_pick(&rules, ACTION_PROBE, &e, NULL));
	event_set_bytes(&e, FIELD_LOGIN_USER, BYTES("guest"));
	CHECK(!rules_pick(&rules, ACTION_PROBE, &e, NULL));
	login(false, 2000, "9.9.9.9");
	CHECK(rules_pick(&rules, ACTION_PROBE, &e, NULL) == &rules.items[1]);
	login(false, 2001, "9.9.9.9");
	CHECK(!rules_pick(&rules, ACTION_PROBE, &e, NULL));
	login(false, 65535, "9.9.9.9");
	CHECK(rules_pick(&rules, ACTION_PROBE, &e, NULL) == &rules.items[2]);
	close_rules();
}

TEST(rules_take_delays_ports_basis_and_hold_out)
{
	open_rules("active: {delay: 0s}\n"
		   "rules:\n"
		   "  - {on: login.tried, do: probe, delay: {min: 1s, max: 2s}, ports: [8080], tier: 0,\n"
		   "     basis: handshake, hold_out: 0}\n"
		   "  - {on: login.tried, do: probe, delay: 5s}\n"
		   "  - {on: login.tried, do: steer, persona: dvr}\n");
	const struct rule *r = rules.items;
	CHECK(r[0].delay_min_us == 1000000 && r[0].delay_max_us == 2000000 && r[0].hold_out == 0);
	CHECK(r[0].ports[0] == 8080 && r[0].port_count == 1 && r[0].tier == 0);
	CHECK(r[0].basis == BASIS_HANDSHAKE && !strcmp(r[0].name, "login.tried/probe"));
	CHECK(r[1].delay_min_us == 5000000 && r[1].delay_max_us == 5000000 && r[1].hold_out < 0);
	CHECK(!strcmp(r[2].persona, "dvr"));
	CHECK(c.settings.delay.min_ms == 0 && c.settings.delay.max_ms == 0);
	close_rules();
	open_rules("rules: []\n");
	CHECK(rules.count == 0 && rules.kinds == 0);
	close_rules();
}

TEST(rules_errors_say_where_what_and_what_would_be_right)
{
	wrong("rules: probe\n", "test.yaml:1: rules: is not a list");
	wrong("rules:\n  - probe\n", "test.yaml:2: rules[0]: is not a map");
	wrong("rules:\n  - {on: login.tryed, do: probe}\n",
	      "test.yaml:2: rules[0].on: there is no kind of event \"login.tryed\", did you mean \"login.tried\"?");
	wrong("rules:\n  - {on: lunch, do: probe}\n", "`kansoku describe kinds` lists them");
	wrong("rules:\n\n  - {on: login.tried, do: probe, when: {login.acepted: true}}\n",
	      "test.yaml:3: rules[0].when.login.acepted: there is no such field, did you mean \"login.accepted\"?");
	wrong("rules: [{on: login.tried, do: prod}]\n", "is not one of probe, steer");
	wrong("rules: [{on: login.tried, do: notify}]\n",
	      "rules[0].do: nobody would be told, notify.ways is empty; notify: {ways: [{name: duty, way: webhook");
	wrong("rules: [{on: login.tried, do: steer}]\n", "another kind needs a persona");
	wrong("rules: [{on: login.tried, do: probe, persona: dvr}]\n", "a persona is for steer alone");
	wrong("rules: [{on: login.tried, do: probe, ports: [0]}]\n", "rules[0].ports");
	wrong("rules: [{on: login.tried, do: probe, ports: [1,2,3,4,5,6,7,8,9,10,11,12,13]}]\n", "13 ports");
	wrong("rules: [{on: login.tried, do: probe, basis: hunch}]\n", "\"hunch\" is not a basis");
	wrong("rules: [{on: login.tried, do: probe, delay: {min: 5s, max: 1s}}]\n", "min is above max");
	wrong("rules: [{on: login.tried, do: probe, delay: {max: 1h}}]\n", "longer than the basis");
	wrong("rules: [{on: login.tried, do: probe, dely: 5s}]\n", "did you mean \"delay\"?");
	wrong("rules: [{on: login.tried, do: probe, when: {dport: telnet}}]\n", "a number is expected");
	wrong("rules: [{on: login.tried, do: probe, when: {dport: {mni: 5}}}]\n", "\"mni\" is not min or max");
	wrong("rules: [{on: login.tried, do: probe, when: {dport: {min: 5, max: 4}}}]\n", "no number lies");
	wrong("rules: [{on: login.tried, do: probe, when: {dport: {}}}]\n", "no number lies");
	wrong("rules: [{on: login.tried, do: probe, when: {service: {min: 5}}}]\n", "compare numbers");
	wrong("rules: [{on: login.tried, do: probe, when: {src: somewhere}}]\n", "an address or a prefix");
	wrong("rules: [{on: login.tried, do: probe, when: {login.accepted: 7}}]\n", "true or false");
	wrong("rules: [{on: login.tried, do: probe, when: {session: 7}}]\n", "cannot be compared");
	wrong("rules: [{on: login.tried, do: probe, when: {dport: []}}]\n", "a list of 1 to");
	wrong("rules: [{on: login.tried, do: probe, when: {dport: [[1]]}}]\n", "a single value");
	wrong("rules: [{on: login.tried, do: probe, when: 7}]\n", "is not a map of fields");
}
