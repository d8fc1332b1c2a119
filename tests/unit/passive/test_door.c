/* Who comes in, as whom, and what happens when something has run out. */
#include "tests/unit/passive/stage.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

TEST(room_refuses_beyond_limits_and_counts)
{
	struct stage_set *set = stage_set_open("  limits: {source_sessions: 5}\n");
	int fds[12];
	for (int i = 0; i < 12; i++)
		fds[i] = caller(set);
	UNTIL(set, event_of(set->journal, "sensor.changed", 0));
	CHECK(set->room->connection_count == 5);
	json_t *e = event_of(set->journal, "sensor.changed", 0);
	CHECK(!strcmp(text_of(e, "state"), "refusing") && number_of(e, "count") == 7);
	CHECK(!strcmp(text_of(e, "reason"), "source-sessions"));
	for (int i = 0; i < 12; i++)
		close(fds[i]);
	stage_set_close(set);
}

TEST(room_only_answers_for_decoys)
{
	struct stage_set *set =
	        stage_set_open("  decoys: [{prefix: 127.9.0.0/24, personas: [camera]},\n"
	                       "           {prefix: 127.9.0.7, personas: [closed]}]\n");
	int stranger = dial(set, 0x7f000001, 0x7f000001, SOCK_STREAM);
	int guest = dial(set, 0x7f000001, 0x7f090005, SOCK_STREAM);
	int closed = dial(set, 0x7f000001, 0x7f090007, SOCK_STREAM);
	talk(set, stranger, "", "");
	talk(set, closed, "", "");
	close(closed);
	talk(set, guest, "", "hello\n");
	UNTIL(set, event_of(set->journal, "session.opened", 0));
	json_t *e = event_of(set->journal, "session.opened", 0);
	CHECK(!strcmp(text_of(e, "dst"), "127.9.0.5") && !strcmp(text_of(e, "persona"), "camera"));
	close(stranger);
	close(guest);
	stage_set_close(set);
	/* An address keeps its device. */
	for (int round = 0; round < 2; round++) {
		set = stage_set_open("");
		static char first[64];
		int fd = caller(set);
		talk(set, fd, "", "hello\n");
		UNTIL(set, event_of(set->journal, "session.opened", 0));
		const char *persona =
		        text_of(event_of(set->journal, "session.opened", 0), "persona");
		CHECK(round == 0 || !strcmp(first, persona));
		snprintf(first, sizeof first, "%s", persona);
		close(fd);
		stage_set_close(set);
	}
}

struct told {
	size_t tried, closed;
};

/* Counts all events but the first, and forgets them. */
static void drain(struct journal *j, struct told *told)
{
	while (j->count > 1) {
		json_t *e = j->events[--j->count];
		told->tried += !strcmp(text_of(e, "kind"), "login.tried");
		told->closed += !strcmp(text_of(e, "kind"), "session.closed");
		json_decref(e);
	}
}

/* The journal acknowledges nothing: newcomers are refused, then everything waits, nothing is lost.
 */
TEST(room_waits_for_a_full_bus_and_loses_nothing)
{
	struct stage_set *set = stage_set_open(
	        "  limits: {source_rate: 0, network_rate: 0, source_bytes: 0, network_bytes: 0}\n"
	        "  recording: {enabled: false}\n");
	struct journal *j = set->journal;
	struct told told = {0};
	j->deaf = true;
	int fd = caller(set);
	talk(set, fd, "", "hello\n");
	static char line[81];
	memcpy(line, "user ", 5);
	memset(line + 5, 'x', 70);
	line[75] = '\n';
	uint64_t sent = 0, start = clock_mono_us();
	while (!set->room->frozen || j->count == 0) {
		ssize_t n = send(fd, line + sent % 76, 76 - sent % 76, MSG_NOSIGNAL);
		sent += n > 0 ? (uint64_t)n : 0;
		uv_run(&set->loop, UV_RUN_NOWAIT);
		drain(j, &told);
		CHECK_SAY(clock_mono_us() - start < 6 * PATIENCE_MS * 1000u,
		          "the bus was never full");
	}
	int late = caller(set);
	for (int i = 0; i < 100; i++)
		turn(set);
	CHECK(set->room->connection_count == 1 && bus_congested(set->process.bus));
	j->deaf = false;
	bus_acknowledge(j->bus, j->peer, j->sequence);
	UNTIL(set, !set->room->frozen && set->room->connection_count == 2);
	close(late);
	close(fd);
	while (!set->left || told.closed < 2) {
		if (set->room->connection_count == 0 && !set->room->stopping)
			room_stop(set->room, on_left, set);
		turn(set);
		drain(j, &told);
		CHECK(clock_mono_us() - start < 12 * PATIENCE_MS * 1000u);
	}
	CHECK_SAY(told.tried == sent / 76, "%zu of %llu logins were told", told.tried,
	          (unsigned long long)(sent / 76));
	stage_set_close(set);
}

TEST(room_hangs_up_when_descriptors_run_out_and_goes_on_later)
{
	struct rlimit before, low;
	struct stage_set *set = stage_set_open("");
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	int fds[8], filler[64], fillers = 0;
	for (int i = 0; i < 8; i++)
		fds[i] = caller(set); /* in the backlog, not yet accepted */
	int highest = dup(0);
	low = (struct rlimit){(rlim_t)highest + 3, before.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
	for (int fd; fillers < 64 && (fd = dup(0)) >= 0;)
		filler[fillers++] = fd;
	close(highest); /* room for one, which the room takes as its spare or for a peer */
	const struct room *r = set->room;
	UNTIL(set, r->refused[REFUSED_DESCRIPTORS] + r->told[REFUSED_DESCRIPTORS] +
	                           r->connection_count ==
	                   8);
	CHECK(r->connection_count <= 1);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	while (fillers)
		close(filler[--fillers]);
	int fd = caller(set);
	talk(set, fd, "x\n", "hello\nx\n");
	close(fd);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
	stage_set_close(set);
}

static void tell_table(struct stage_set *set, uint64_t version, const char *persona)
{
	uint8_t table[128];
	struct writer w = writer_of(table, sizeof table);
	struct address source = address_v4(0x7f000002);
	struct event_id cause = {{9, 9, 9}};
	write_u64(&w, version);
	write_u8(&w, 0);
	write_u32(&w, 1);
	write_bytes(&w, source.b, sizeof source.b);
	write_bytes(&w, cause.b, sizeof cause.b);
	write_u8(&w, (uint8_t)strlen(persona));
	write_text(&w, persona);
	for (const char *const *text = (const char *const[]){"steered", "wary", "sessions 3", NULL}; *text; text++) {
		write_u8(&w, (uint8_t)strlen(*text));
		write_text(&w, *text);
	}
	CHECK(bus_tell_each(set->journal->bus, "passive", "steer.table", writer_bytes(&w)) == 0);
	UNTIL(set, set->room->steering.version == version);
}

static void visit_once(struct stage_set *set, size_t nth, const char *persona)
{
	int fd = dial(set, 0x7f000002, 0x7f000001, SOCK_STREAM);
	talk(set, fd, "", "hello\n");
	close(fd);
	UNTIL(set, event_of(set->journal, "session.closed", nth));
	json_t *opened = event_of(set->journal, "session.opened", nth);
	CHECK_SAY(!strcmp(text_of(opened, "persona"), persona), "%s", text_of(opened, "persona"));
}

TEST(room_steers_the_next_visit_and_says_why)
{
	struct stage_set *set = stage_set_open("  steering: {visit: 50ms}\n");
	tell_table(set, 1, "router");
	visit_once(set, 0, "router");
	tell_table(set, 2, "camera");
	visit_once(set, 1, "router"); /* the same visit */
	usleep(120000);
	visit_once(set, 2, "camera");
	const struct journal *j = set->journal;
	CHECK(event_of(j, "host.steered", 1) && !event_of(j, "host.steered", 2));
	json_t *steered = event_of(j, "host.steered", 1),
	       *opened = event_of(j, "session.opened", 2);
	const char *cause = "09090900000000000000000000000000";
	CHECK(!strcmp(text_of(steered, "steer.arm"), "steered") && !strcmp(text_of(steered, "rule"), "wary") &&
	      !strcmp(text_of(steered, "evidence"), "sessions 3"));
	CHECK(number_of(steered, "table.version") == 2 &&
	      !strcmp(text_of(steered, "cause"), cause));
	CHECK(!strcmp(text_of(opened, "cause"), text_of(steered, "id")));
	CHECK(!strcmp(text_of(opened, "root"), cause) && number_of(opened, "depth") == 2);
	CHECK(!strcmp(text_of(steered, "session"), text_of(opened, "id")));
	stage_set_close(set);
}

TEST(room_answers_datagrams_from_the_address_that_was_asked)
{
	struct stage_set *set =
	        stage_set_open("  decoys: [{prefix: 127.0.0.0/8}]\n  limits: {idle: 200ms}\n");
	int fd = dial(set, 0x7f000003, 0x7f0a0b0c,
	              SOCK_DGRAM); /* connected: hears only that address */
	char got[2048];
	ssize_t n = 0;
	CHECK(send(fd, "ping pong\n", 10, 0) == 10);
	UNTIL(set, (n = recv(fd, got, sizeof got, 0)) > 0);
	CHECK(n == 6 && !memcmp(got, "hello\n", 6));
	UNTIL(set, (n = recv(fd, got, sizeof got, 0)) > 0); /* the one answer that may be longer */
	CHECK(n == 10 && !memcmp(got, "ping pong\n", 10));
	CHECK(send(fd, "ping, and enough bytes to have earned this\n", 43, 0) == 43);
	UNTIL(set, (n = recv(fd, got, sizeof got, 0)) > 0);
	CHECK(n == 43);
	CHECK(send(fd, "flood 9000\n", 11, 0) == 11); /* more than it sent: silence */
	for (int i = 0; i < 100; i++)
		turn(set);
	CHECK(recv(fd, got, sizeof got, 0) < 0);
	UNTIL(set, event_of(set->journal, "session.closed", 0));
	json_t *closed = event_of(set->journal, "session.closed", 0);
	CHECK(!strcmp(text_of(closed, "dst"), "127.10.11.12") &&
	      !strcmp(text_of(closed, "proto"), "udp"));
	CHECK(!strcmp(text_of(closed, "close.reason"), "idle") &&
	      number_of(closed, "bytes.in") == 64);
	close(fd);
	stage_set_close(set);
}

TEST(room_reflects_nothing_and_names_the_victim)
{
	struct stage_set *set = stage_set_open("");
	const struct journal *j = set->journal;
	char got[2048];
	size_t in = 0, out = 0;
	for (unsigned i = 0; i < 120; i++) { /* each from a port of its own, as forgers do */
		int fd = dial(set, 0x7f000005, 0x7f000001, SOCK_DGRAM);
		CHECK(send(fd, "flood 1000\n", 11, 0) == 11);
		in += 11;
		for (int k = 0; k < 4; k++)
			turn(set);
		for (ssize_t n; (n = recv(fd, got, sizeof got, 0)) > 0;)
			out += (size_t)n;
		close(fd);
	}
	UNTIL(set, event_of(j, "reflection.seen", 0));
	CHECK_SAY(out <= in + 1400 && out > 0, "%zu bytes for %zu", out, in);
	json_t *seen = event_of(j, "reflection.seen", 0);
	CHECK(!strcmp(text_of(seen, "reflection.victim"), "127.0.0.5"));
	CHECK(!json_object_get(seen, "src") && !strcmp(text_of(seen, "state"), "begun"));
	CHECK(number_of(seen, "flow.packets") == 100);
	CHECK(number_of(seen, "reflection.amplification") > 5000);
	stage_set_close(set);
}

TEST(room_takes_ipv6)
{
	struct stage_set *set = stage_set_open("");
	struct sockaddr_in6 at = {.sin6_family = AF_INET6,
	                          .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	                          .sin6_port = htons(set->port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || (connect(fd, (struct sockaddr *)&at, sizeof at) && errno != EINPROGRESS)) {
		stage_set_close(set);
		SKIP("no IPv6 here");
	}
	talk(set, fd, "x\n", "hello\nx\n");
	UNTIL(set, event_of(set->journal, "session.opened", 0));
	CHECK(!strcmp(text_of(event_of(set->journal, "session.opened", 0), "src"), "::1"));
	close(fd);
	stage_set_close(set);
}
