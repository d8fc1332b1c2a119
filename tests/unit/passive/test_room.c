/* Sessions in the room over real sockets: bytes, deadlines, files, recordings. */
#include "event/recording.h"
#include "tests/unit/passive/stage.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

TEST(room_plays_a_session_and_tells_it)
{
	struct stage_set *set = stage_set_open("");
	int fd = caller(set);
	talk(set, fd, "user root\na\n", "hello\na\n");
	talk(set, fd, "bye\n", "");
	const struct journal *j = set->journal;
	UNTIL(set, event_of(j, "session.closed", 0));
	json_t *opened = event_of(j, "session.opened", 0), *login = event_of(j, "login.tried", 0);
	json_t *closed = event_of(j, "session.closed", 0);
	CHECK(opened && login && j->count == 3);
	const char *id = text_of(opened, "id");
	CHECK(!strcmp(text_of(opened, "session"), id) && !strcmp(text_of(login, "session"), id));
	CHECK(!strcmp(text_of(login, "cause"), id) && !strcmp(text_of(login, "root"), id));
	CHECK(!strcmp(text_of(closed, "cause"), id) && number_of(closed, "depth") == 1);
	CHECK(!json_object_get(opened, "cause"));
	CHECK(!strcmp(text_of(opened, "src"), "127.0.0.1") &&
	      number_of(opened, "dport") == set->port);
	CHECK(!strcmp(text_of(opened, "service"), "parrot") &&
	      !strcmp(text_of(opened, "proto"), "tcp"));
	CHECK(text_of(opened, "persona")[0]);
	CHECK(!strcmp(text_of(closed, "close.reason"), "server"));
	CHECK(number_of(closed, "bytes.in") == 16 && number_of(closed, "bytes.out") == 8);
	CHECK(number_of(closed, "logins") == 1 && number_of(closed, "duration") > 0);
	CHECK(json_object_get(closed, "recording"));
	close(fd);
	stage_set_close(set);
}

TEST(room_lets_delays_pass_and_reads_what_came_meanwhile)
{
	struct stage_set *set = stage_set_open("");
	int fd = caller(set);
	uint64_t before = clock_mono_us();
	talk(set, fd, "wait 60\nx\n", "hello\nwaited\nx\n");
	CHECK(clock_mono_us() - before >= 60000);
	close(fd);
	UNTIL(set, event_of(set->journal, "session.closed", 0));
	CHECK(!strcmp(text_of(event_of(set->journal, "session.closed", 0), "close.reason"),
	              "peer"));
	stage_set_close(set);
}

/* The connection whose peer has this port. */
static struct connection *connection_from(const struct stage_set *set, int fd)
{
	struct sockaddr_in at;
	socklen_t len = sizeof at;
	struct connection *c;
	CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	LIST_FOREACH(c, &set->room->connections, all)
	if (c->session.peer_port == ntohs(at.sin_port))
		return c;
	return NULL;
}

/* Asks, one flood at a time, for more than the kernel's buffers hold; how many it took. */
static size_t fill(struct stage_set *set, int fd)
{
	size_t sent = 0;
	UNTIL(set, connection_from(set, fd));
	while (connection_from(set, fd)->session.unsent_len == 0) {
		CHECK(sent < 1000 && send(fd, "flood 60000\n", 12, MSG_NOSIGNAL) == 12);
		sent++;
		UNTIL(set, connection_from(set, fd)->session.bytes_in == 12 * sent);
	}
	return sent;
}

TEST(room_ends_idle_long_and_stalled_sessions)
{
	struct stage_set *set =
	        stage_set_open("  limits: {idle: 200ms, session: 1500ms, stalled: 300ms}\n");
	int idle = caller(set), lasting = caller(set), stalled = caller(set), small = 4096;
	CHECK(setsockopt(stalled, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
	UNTIL(set, set->room->connection_count == 3);
	fill(set, stalled);
	uint64_t start = clock_mono_us();
	while (!event_of(set->journal, "session.closed", 2)) {
		send(lasting, "x\n", 2, MSG_NOSIGNAL);
		turn(set);
		CHECK(clock_mono_us() - start < PATIENCE_MS * 1000u);
	}
	CHECK(!strcmp(text_of(event_of(set->journal, "session.closed", 0), "close.reason"),
	              "idle"));
	json_t *last = event_of(set->journal, "session.closed", 2);
	CHECK(!strcmp(text_of(last, "close.reason"), "limit"));
	CHECK(number_of(last, "duration") >= 1500000);
	CHECK(!strcmp(text_of(event_of(set->journal, "session.closed", 1), "close.reason"),
	              "idle"));
	close(idle);
	close(lasting);
	close(stalled);
	stage_set_close(set);
}

#define GREEDY 40

TEST(room_hangs_up_on_who_keeps_too_much)
{
	struct stage_set *set = stage_set_open("  limits: {memory: 1M, source_bytes: 0, network_bytes: 0}\n"
						 "  recording: {enabled: false}\n");
	int fds[GREEDY], small = 4096;
	for (int i = 0; i < GREEDY; i++) {
		fds[i] = caller(set);
		CHECK(setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
	}
	UNTIL(set, set->room->connection_count == GREEDY);
	for (int i = 0; i < GREEDY; i++) {
		const struct connection *c;
		for (size_t sent = 1; (c = connection_from(set, fds[i])) && c->session.unsent_len == 0; sent++) {
			send(fds[i], "flood 60000\n", 12, MSG_NOSIGNAL);
			UNTIL(set, !(c = connection_from(set, fds[i])) || c->session.bytes_in == 12 * sent);
		}
		CHECK(set->room->held_bytes <= 1u << 20);
	}
	json_t *closed = event_of(set->journal, "session.closed", 0);
	CHECK(closed && !strcmp(text_of(closed, "close.reason"), "limit"));
	CHECK(set->room->refused[REFUSED_MEMORY] + set->room->told[REFUSED_MEMORY]);
	for (int i = 0; i < GREEDY; i++)
		close(fds[i]);
	UNTIL(set, set->room->connection_count == 0);
	CHECK(set->room->held_bytes == 0);
	stage_set_close(set);
}

TEST(room_sends_large_answers_to_slow_readers_whole)
{
	struct stage_set *set = stage_set_open("");
	int fd = caller(set);
	static char got[65536];
	size_t total = 0;
	talk(set, fd, "", "hello\n");
	size_t rounds = fill(set, fd);
	UNTIL(set, (total += (size_t)({
		            ssize_t k = recv(fd, got, sizeof got, 0);
		            k > 0 ? k : 0;
	            })) == rounds * 60000);
	close(fd);
	stage_set_close(set);
}

TEST(room_sends_the_last_words_before_it_hangs_up)
{
	struct stage_set *set = stage_set_open("");
	int fd = caller(set), small = 4096;
	static char got[65536];
	size_t total = 0;
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
	UNTIL(set, send(fd, "flood 65000\nbye\n", 16, MSG_NOSIGNAL) == 16);
	for (ssize_t k = 1; k; total += k > 0 ? (size_t)k : 0)
		UNTIL(set, (k = recv(fd, got, sizeof got, 0)) >= 0);
	CHECK(total == 65000 + 6);
	close(fd);
	stage_set_close(set);
}

TEST(room_keeps_files_and_tells_them_when_they_are_safe)
{
	struct stage_set *set = stage_set_open("");
	struct journal *j = set->journal;
	j->refuse_pieces = 1;
	int fd = caller(set);
	talk(set, fd, "keep abc\nkeep abc\nz\n", "hello\nz\n");
	CHECK(!event_of(j, "file.captured", 0));
	UNTIL(set, event_of(j, "file.captured", 1));
	CHECK(j->pieces == 1 && j->blobs_len == 3 && !memcmp(j->blobs, "abc", 3));
	json_t *e = event_of(j, "file.captured", 0);
	CHECK(!strcmp(text_of(e, "file.sha256"),
	              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	CHECK(!json_object_get(e, "state"));
	talk(set, fd, "keep abc\nq\n", "q\n"); /* known by now */
	UNTIL(set, event_of(j, "file.captured", 2));
	CHECK(j->pieces == 1);
	close(fd);
	stage_set_close(set);
}

TEST(room_sends_a_long_recording_as_a_blob)
{
	struct stage_set *set = stage_set_open("  recording: {session_bytes: 200K, answer_bytes: 64K}\n");
	struct journal *j = set->journal;
	int fd = caller(set);
	static char got[65536];
	size_t total = 0;
	talk(set, fd, "", "hello\n");
	for (int round = 1; round <= 3; round++) {
		UNTIL(set, send(fd, "flood 40000\n", 12, MSG_NOSIGNAL) == 12);
		UNTIL(set, (total += (size_t)({
			            ssize_t k = recv(fd, got, sizeof got, 0);
			            k > 0 ? k : 0;
		            })) == (size_t)round * 40000);
	}
	close(fd);
	UNTIL(set, event_of(j, "session.closed", 0));
	json_t *closed = event_of(j, "session.closed", 0);
	CHECK(!json_object_get(closed, "recording"));
	CHECK(strlen(text_of(closed, "recording.sha256")) == 64 && j->pieces == 2);
	struct reader r;
	struct recording_record record = {0};
	size_t ours = 0;
	CHECK(recording_open((struct bytes){j->blobs, j->blobs_len}, &r));
	while (recording_next(&r, &record))
		ours += record.side == RECORDING_OURS ? record.said.len : 0;
	CHECK(reader_ok(&r) && ours == 120006);
	stage_set_close(set);
}
