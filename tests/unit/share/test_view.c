/* What a recipient sees of an event, by policy and key. */
#include "share/view.h"
#include "tests/test.h"

static struct event in, out, again;

static const char config_text[] =
	"passive: {decoys: [{prefix: 198.51.100.0/24}]}\n"
	"telescope: {prefixes: [{prefix: 192.0.2.0/24}, {prefix: '2001:db8:5::/48'}]}\n"
	"exchange:\n"
	"  own: {names: [decoy.example.net]}\n"
	"  policies:\n"
	"    - {name: research, fields: {src: crypto-pan, time: {bucket: 1h}, login.user: {k: 3}, dport: generalise}}\n"
	"    - {name: open, fields: {dst: pass, sensor: pass}, default: pass}\n"
	"    - {name: coarse, fields: {src: truncate, dst: crypto-pan, depth: drop}}\n"
	"    - {name: mute, fields: {src: token}, default: drop}\n";

static void read_config(struct config *c, const char *text)
{
	struct fault fault = {0};
	CHECK(event_start(&fault) == 0);
	CHECK_SAY(config_read(bytes_of_text(text), "t.yaml", c, &fault) == 0, "%s", fault.text);
	CHECK_SAY(view_check(c, &fault) == 0, "%s", fault.text);
}

static struct view *view_of(const struct config *c, const char *policy, uint8_t first)
{
	struct view *v;
	struct fault fault = {0};
	struct view_about about = {.config = c, .policy = policy};
	for (unsigned i = 0; i < sizeof about.key; i++)
		about.key[i] = (uint8_t)(first + i);
	CHECK_SAY(view_open(&v, &about, &fault) == 0, "%s", fault.text);
	return v;
}

static struct address address_of(const char *text)
{
	struct address a;
	CHECK(address_parse(bytes_of_text(text), &a));
	return a;
}

#define HOUR UINT64_C(3600000000)
#define WHEN (UINT64_C(1434000000000000) + 1234567)

static void command(const char *src, const char *line)
{
	struct id_maker maker = {7, 1};
	const struct address a = address_of(src), d = address_of("198.51.100.9");
	event_begin(&in, EVENT_COMMAND_SENT);
	in.time_us = WHEN;
	in.id = id_make(&maker, WHEN);
	const struct event_id session = id_make(&maker, WHEN - 5);
	event_set_text(&in, FIELD_SENSOR, "north");
	event_set_number(&in, FIELD_RECEIVED, WHEN + 9);
	event_set_id(&in, FIELD_SESSION, &session);
	event_set_address(&in, FIELD_SRC, &a);
	event_set_number(&in, FIELD_SPORT, 50000);
	event_set_address(&in, FIELD_DST, &d);
	event_set_number(&in, FIELD_DPORT, 2323);
	event_set_bytes(&in, FIELD_LOGIN_SECRET, BYTES("hunter2"));
	event_set_bytes(&in, FIELD_COMMAND_LINE, bytes_of_text(line));
}

static bool says(const struct event *e, uint16_t field, const char *text)
{
	return event_get(e, field) && bytes_equal_text(event_bytes(e, field), text);
}

TEST(views_hide_what_is_ours_and_what_is_private)
{
	struct config c;
	read_config(&c, config_text);
	struct view *v = view_of(&c, "default", 0);
	struct address a;
	command("203.0.113.5", "wget http://198.51.100.9/x; ping 192.0.2.77 2001:db8:5::1 8.8.8.8; nc decoy.example.net 203.0.113.5");
	view_event(v, &in, &out);
	CHECK(out.kind == EVENT_COMMAND_SENT && out.time_us == WHEN);
	CHECK(!event_get(&out, FIELD_DST) && !event_get(&out, FIELD_SENSOR) && !event_get(&out, FIELD_RECEIVED));
	CHECK(!event_get(&out, FIELD_LOGIN_SECRET));
	CHECK(event_address(&out, FIELD_SRC, &a) && address_to_v4(&a) == 0xcb007105);
	CHECK_SAY(says(&out, FIELD_COMMAND_LINE, "wget http://0.0.0.0/x; ping 0.0.0.0 :: 8.8.8.8; nc own.invalid 203.0.113.5"),
		  "%.*s", (int)event_bytes(&out, FIELD_COMMAND_LINE).len, event_bytes(&out, FIELD_COMMAND_LINE).at);
	view_close(v);
	config_done(&c);
}

TEST(views_keep_addresses_joined_for_one_recipient_and_for_no_other)
{
	struct config c;
	read_config(&c, config_text);
	struct view *v = view_of(&c, "research", 1), *w = view_of(&c, "research", 2);
	struct address a, b;
	command("203.0.113.5", "from 203.0.113.5 to 198.51.100.9");
	view_event(v, &in, &out);
	view_event(w, &in, &again);
	CHECK(event_address(&out, FIELD_SRC, &a) && event_address(&again, FIELD_SRC, &b) && !address_equal(&a, &b));
	CHECK(!id_equal(&out.id, &again.id) && !id_equal(&out.id, &in.id));
	char text[ADDRESS_TEXT_MAX], line[128];
	snprintf(line, sizeof line, "from %s to 0.0.0.0", address_format(&a, text));
	CHECK(says(&out, FIELD_COMMAND_LINE, line));
	CHECK(out.time_us == WHEN / HOUR * HOUR && id_time_us(&out.id) == out.time_us);
	CHECK(event_number(&out, FIELD_DPORT, 0) == 1024);
	view_event(v, &in, &again);
	CHECK(id_equal(&out.id, &again.id) && event_address(&again, FIELD_SRC, &b) && address_equal(&a, &b));
	/* In the next period another. */
	in.time_us += 100 * 24 * HOUR;
	view_event(v, &in, &again);
	CHECK(event_address(&again, FIELD_SRC, &b) && !address_equal(&a, &b) && id_equal(&out.id, &again.id));
	view_close(v);
	view_close(w);
	config_done(&c);
}

TEST(views_refer_to_events_by_the_ids_that_these_have)
{
	struct config c;
	read_config(&c, config_text);
	struct view *v = view_of(&c, "research", 3);
	struct event_id session, seen;
	command("203.0.113.5", "x");
	CHECK(event_id_of(&in, FIELD_SESSION, &session));
	view_event(v, &in, &out);
	CHECK(event_id_of(&out, FIELD_SESSION, &seen) && !id_equal(&seen, &session));
	in.id = session;
	view_event(v, &in, &out);
	CHECK(id_equal(&out.id, &seen));
	view_close(v);
	config_done(&c);
}

TEST(views_show_what_enough_sources_had)
{
	struct config c;
	char src[32];
	read_config(&c, config_text);
	struct view *v = view_of(&c, "research", 4);
	CHECK(view_counts(v));
	for (unsigned i = 0; i < 6; i++) {
		snprintf(src, sizeof src, "203.0.113.%u", i < 3 ? i : 9);
		command(src, "x");
		event_set_bytes(&in, FIELD_LOGIN_USER, i < 3 ? BYTES("root") : BYTES("jsmith"));
		view_count(v, &in);
	}
	view_event(v, &in, &out);
	CHECK(event_get(&out, FIELD_LOGIN_USER) && event_bytes(&out, FIELD_LOGIN_USER).len == 32);
	event_set_bytes(&in, FIELD_LOGIN_USER, BYTES("root"));
	view_event(v, &in, &out);
	CHECK(says(&out, FIELD_LOGIN_USER, "root"));
	view_close(v);
	config_done(&c);
}

TEST(views_pass_what_is_ours_only_by_name)
{
	struct config c;
	struct address a;
	read_config(&c, config_text);
	struct view *v = view_of(&c, "open", 5);
	command("203.0.113.5", "telnet 198.51.100.9");
	view_event(v, &in, &out);
	CHECK(event_address(&out, FIELD_DST, &a) && address_to_v4(&a) == 0xc6336409 && says(&out, FIELD_SENSOR, "north"));
	CHECK(says(&out, FIELD_COMMAND_LINE, "telnet 198.51.100.9") && !event_get(&out, FIELD_LOGIN_SECRET));
	view_close(v);
	v = view_of(&c, "coarse", 5);
	view_event(v, &in, &out);
	CHECK(event_address(&out, FIELD_SRC, &a) && address_to_v4(&a) == 0xcb007100);
	CHECK(event_address(&out, FIELD_DST, &a) && address_to_v4(&a) != 0xc6336409);
	char text[ADDRESS_TEXT_MAX], line[128];
	snprintf(line, sizeof line, "telnet %s", address_format(&a, text));
	CHECK(says(&out, FIELD_COMMAND_LINE, line));
	view_close(v);
	v = view_of(&c, "mute", 5);
	view_event(v, &in, &out);
	CHECK(out.count == 1 && event_address(&out, FIELD_SRC, &a) && a.b[0] == 0xfd);
	view_close(v);
	config_done(&c);
}

TEST(views_treat_one_address_alike_in_every_field)
{
	struct config c;
	struct address a, b;
	read_config(&c, "exchange: {policies: [{name: p, fields: {src: crypto-pan, 'record.*': token, indicator.value: truncate}}]}\n");
	struct view *v = view_of(&c, "p", 6);
	const int other = field_learn(BYTES("test.other"), FIELD_ADDRESS);
	CHECK(other > 0);
	command("203.0.113.5", "x");
	a = address_of("203.0.113.5");
	event_set_address(&in, (uint16_t)other, &a);
	event_set_text(&in, FIELD_PAP, "GREEN");
	event_set_bytes(&in, FIELD_INDICATOR_VALUE, BYTES("8.8.8.8:53 and 2001:db8:1:2:3:4:5:6"));
	view_event(v, &in, &out);
	CHECK(event_address(&out, FIELD_SRC, &a) && event_address(&out, (uint16_t)other, &b) && address_equal(&a, &b));
	CHECK(address_to_v4(&a) != 0xcb007105 && event_bytes(&out, FIELD_PAP).len == 32);
	CHECK(says(&out, FIELD_INDICATOR_VALUE, "8.8.8.0:53 and 2001:db8:1::"));
	view_close(v);
	config_done(&c);
}

TEST(views_refuse_policies_that_cannot_hold)
{
	static const struct {
		const char *rule, *why;
	} wrong[] = {
		{"login.secret: pass", "private"},
		{"src: {bucket: 1h}", "cannot happen"},
		{"srcc: drop", "no field"},
		{"src: hide", "nothing that can happen"},
		{"login.user: {k: 1}", "from 2"},
		{"time: {bucket: soon}", "{bucket: 1h}"},
		{"src: {truncate: 40}", "{truncate: 24}"},
		{"src: [drop]", "a map of one"},
	};
	CHECK(event_start(NULL) == 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct config c;
		struct fault fault = {0};
		char text[256];
		snprintf(text, sizeof text, "exchange:\n  policies:\n    - {name: p, fields: {%s}}\n", wrong[i].rule);
		CHECK(config_read(bytes_of_text(text), "t.yaml", &c, &fault) == 0);
		CHECK_SAY(view_check(&c, &fault) == ERR_BAD && strstr(fault.text, wrong[i].why) && strstr(fault.text, "t.yaml:3"),
			  "%s: %s", wrong[i].rule, fault.text);
		config_done(&c);
	}
}
