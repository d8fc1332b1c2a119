/* Checks of command servers in the room: who may be asked, what may be said, when again, and after a restart. */
#include "control/operator_topics_inner.h"
#include "control/room_inner.h"
#include "tests/unit/control/case.h"
#include <stdlib.h>
#include <unistd.h>

#define HOUR (3600ull * 1000000)
#define C2 "9.1.2.7"

static struct config config;
static struct control *control;
static struct event in;
static char directory[64], decision[16], reason[24];
static size_t decisions;

static int publish(void *arg, struct event *e)
{
	(void)arg;
	if (!bytes_equal_text(event_bytes(e, FIELD_REASON), "approval")) {
		bytes_copy_text(event_bytes(e, FIELD_DECISION), decision, sizeof decision);
		bytes_copy_text(event_bytes(e, FIELD_REASON), reason, sizeof reason);
		decisions++;
	}
	return 0;
}

static void revoke_nobody(void *arg, const struct address *a)
{
	(void)arg;
	(void)a;
}

static void room_open(uint64_t now_us)
{
	struct fault fault = {0};
	control = calloc(1, sizeof *control);
	CHECK(control != NULL);
	control->publish = publish;
	control->revoke = revoke_nobody;
	CHECK(settings_read(&config, &control->settings, &fault) == 0);
	int bad = control_open(control, directory, now_us, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
}

static void room_close(void)
{
	control_close(control);
	settings_done(&control->settings);
	free(control);
}

static void begin_with(const char *hellos)
{
	static char yaml[400];
	decisions = 0;
	snprintf(yaml, sizeof yaml, "operator: {contact: abuse@example.org}\n"
		      "active: {scope: [0.0.0.0/0], hold_out: 0, delay: 0s, hellos: %s}\n"
		      "rules:\n  - {name: servers, on: indicator.found, when: {indicator.type: endpoint}, do: check}\n", hellos);
	config_of("", yaml, &config);
	snprintf(directory, sizeof directory, "/tmp/kansoku-checks-XXXXXX");
	CHECK(mkdtemp(directory) != NULL);
	room_open(NOW);
}

static void begin(void) { begin_with("harmless"); }

static void end(void)
{
	static const char *const files[] = {"looks", "opted-out", "opt-out-key"};
	char file[96];
	room_close();
	config_done(&config);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(file, sizeof file, "%s/%s", directory, files[i]);
		unlink(file);
	}
	CHECK(rmdir(directory) == 0);
}

static void indicator(const char *from, const char *role, const char *hello, int registers, uint64_t now_us)
{
	struct address a = address_of(C2);
	event_begin(&in, EVENT_INDICATOR_FOUND);
	in.time_us = now_us;
	in.id = id_make(&control->ids, now_us);
	event_set_address(&in, FIELD_SRC, &a);
	event_set_number(&in, FIELD_DPORT, 6667);
	event_set_text(&in, FIELD_INDICATOR_TYPE, "endpoint");
	event_set_text(&in, FIELD_INDICATOR_ROLE, role);
	event_set_text(&in, FIELD_FILE_SHA256, "aa");
	event_set_text(&in, FIELD_PROCESS, from);
	event_set_number(&in, FIELD_RECEIVED, now_us);
	if (hello)
		event_set_bytes(&in, FIELD_HELLO, bytes_of_text(hello));
	if (registers >= 0)
		event_set_bool(&in, FIELD_HELLO_REGISTERS, registers);
	control_event(control, &in, 0, now_us);
}

static struct server *server(void)
{
	const struct address a = address_of(C2);
	return servers_find(&control->servers, &a, 6667);
}

/* Gives the look that waits, and lets the prober say that it heard this. */
static uint8_t give(uint64_t now_us, enum server_state heard)
{
	struct check_order order;
	struct look *l = control_next(control, now_us);
	CHECK(l && l->check && l->lease.port_count == 2 && l->lease.ports[0] == 6667 && l->lease.ports[1] >= 61000);
	control_given(control, l, now_us);
	CHECK(control_check_order(control, l, now_us, &order));
	const struct check_result result = {.lease = l->lease.id, .steps = order.steps, .state = heard,
					    .banner = BYTES("hi")};
	control_check_result(control, &result, now_us);
	control_done(control, &result.lease, 9, now_us);
	return order.steps;
}

TEST(check_is_only_of_what_an_own_sample_calls_its_command_server)
{
	begin();
	static const struct {
		const char *from, *role;
	} nobody[] = {{"lab", "victim"}, {"lab", "check"}, {"lab", "unknown"}, {"lab", "peer"}, {"lab", "download"},
		      {"passive", "command"}, {"exchange", "command"}, {"visit", "command"}};
	for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
		indicator(nobody[i].from, nobody[i].role, NULL, -1, NOW);
		CHECK_SAY(!server() && looks_count(control->looks, LOOK_WAITING) == 0 && looks_count(control->looks, LOOK_READY) == 0,
			  "%s %s", nobody[i].from, nobody[i].role);
	}
	CHECK(decisions > 0 && !strcmp(reason, "no-basis"));
	indicator("active", "command", NULL, -1, NOW);
	CHECK(!server());
	indicator("lab", "command", NULL, -1, NOW);
	CHECK(server() && !strcmp(decision, "allowed"));
	CHECK(give(NOW, SERVER_OPEN) == CHECK_BANNER);
	end();
}

TEST(check_says_a_hello_that_enlists_only_once_after_approval_and_in_the_same_round)
{
	begin();
	indicator("lab", "command", "NICK bot4711\r\n", 0, NOW); /* our own eyes see more than the lab did */
	CHECK(control->approvals.count == 1 && server()->enlists);
	CHECK(give(NOW, SERVER_OPEN) == CHECK_BANNER);
	control_check_tick(control, NOW + 1);
	CHECK(control_next(control, NOW + 1) == NULL);
	struct approval *a = control->approvals.items[0];
	CHECK(bytes_equal(a->ask.text, BYTES("NICK xxx0000\r\n")));
	char json[300], id[EVENT_ID_TEXT], out[300];
	struct fault fault = {{0}};
	struct writer w = writer_of(out, sizeof out);
	snprintf(json, sizeof json, "{\"id\":\"%s\",\"sha256\":\"%s\",\"decision\":\"approve\"}", id_format(&a->standing.id, id), a->sha256);
	control->now_us = NOW + HOUR;
	CHECK(operator_topic_ask(control, "approval.decide", bytes_of_text(json), &w, &fault) == 0);
	room_close();
	room_open(NOW + HOUR);
	control_check_tick(control, NOW + HOUR);
	CHECK(give(NOW + HOUR, SERVER_LIVE) == (CHECK_ALL & ~CHECK_BANNER));
	CHECK(control->approvals.items[0]->standing.state == APPROVAL_SPENT && server()->state == SERVER_LIVE);
	/* Nothing more in this round, and only its banner in the next. */
	control_check_tick(control, NOW + 2 * HOUR);
	CHECK(control_next(control, NOW + 2 * HOUR) == NULL);
	control_check_tick(control, NOW + 26 * HOUR);
	CHECK(give(NOW + 26 * HOUR, SERVER_OPEN) == CHECK_BANNER && server()->checks == 3);
	end();
}

TEST(check_says_a_harmless_hello_at_once_and_a_credential_never)
{
	begin();
	indicator("lab", "command", "HELO 1\n", 0, NOW);
	CHECK(give(NOW, SERVER_LIKELY) == CHECK_ALL && control->approvals.count == 0);
	end();
	begin();
	indicator("lab", "command", "HELO 1\n", -1, NOW); /* not known: as if it enlisted */
	CHECK(control->approvals.count == 1 && give(NOW, SERVER_OPEN) == CHECK_BANNER);
	end();
	begin_with("approve");
	indicator("lab", "command", "HELO 1\n", 0, NOW);
	CHECK(control->approvals.count == 1 && give(NOW, SERVER_OPEN) == CHECK_BANNER);
	end();
	begin();
	indicator("lab", "command", "PASS x\r\n", 0, NOW);
	CHECK(control->approvals.count == 0 && server()->withheld && give(NOW, SERVER_OPEN) == CHECK_BANNER);
	end();
}

TEST(check_ends_with_the_proof_an_opt_out_or_an_erasure)
{
	begin();
	indicator("lab", "command", NULL, -1, NOW);
	CHECK(give(NOW, SERVER_OPEN) == CHECK_BANNER);
	control_check_tick(control, NOW + 8 * 24 * HOUR); /* the sample's word is a week old */
	CHECK(control_next(control, NOW + 8 * 24 * HOUR) == NULL && !strcmp(reason, "stale-basis"));
	uint8_t wire[64] = {1, 0};
	struct writer w = writer_of(wire + 2, sizeof wire - 2);
	const struct address a = address_of(C2);
	write_bytes(&w, a.b, sizeof a.b);
	write_zero(&w, 16);
	CHECK(control_forget(control, (struct bytes){wire, 34}, NOW) > 0 && !server());
	end();
}
