/* The room over real sockets, with a bus whose far end is a journal in the same loop. */
#include "base/clock.h"
#include "event/recording.h"
#include "passive/room_inner.h"
#include "tests/test.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define EVENTS_MAX 20000

struct journal {
	struct bus *bus;
	json_t *events[EVENTS_MAX];
	size_t count;
	struct event event;
	uint8_t blobs[1u << 20]; /* all pieces, as they came */
	size_t blobs_len;
	unsigned pieces, refuse_pieces;
	bool deaf; /* acknowledges nothing */
	struct bus_peer *peer;
	uint64_t sequence;
};

struct stage_set { /* a room and all around it */
	uv_loop_t loop;
	struct room *room;
	struct process process;
	struct process_fd fds[8];
	struct config config;
	struct journal *journal;
	uint16_t port;
	bool left;
};

static void journal_event(void *arg, const struct bus_delivery *d)
{
	struct journal *j = arg;
	static char text[4 * FRAME_MAX];
	struct writer w = writer_of(text, sizeof text);
	CHECK(frame_decode(d->frame, NULL, &j->event) == 0);
	event_write_json(&j->event, &w);
	CHECK(!w.bad && j->count < EVENTS_MAX);
	j->events[j->count] = json_loadb(text, writer_used(&w), JSON_ALLOW_NUL, NULL);
	CHECK(j->events[j->count++]);
	j->peer = d->peer;
	j->sequence = d->sequence;
	if (!j->deaf)
		bus_acknowledge(j->bus, d->peer, d->sequence);
}

static void journal_blob(void *arg, struct bus_request *request, struct bytes payload)
{
	struct journal *j = arg;
	if (j->refuse_pieces) {
		j->refuse_pieces--;
		bus_answer(request, ERR_FULL, (struct bytes){0}, false);
		return;
	}
	CHECK(payload.len >= 48 && payload.len <= 48 + CAPTURE_PIECE_MAX);
	CHECK(j->blobs_len + payload.len - 48 <= sizeof j->blobs);
	memcpy(j->blobs + j->blobs_len, payload.at + 48, payload.len - 48);
	j->blobs_len += payload.len - 48;
	j->pieces++;
	struct reader r = reader_of(payload.at + 32, 8);
	uint8_t there[8];
	struct writer w = writer_of(there, sizeof there);
	write_u64(&w, read_u64(&r) + payload.len - 48);
	bus_answer(request, 0, writer_bytes(&w), false);
}

static uint16_t free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(fd, (struct sockaddr *)&at, len) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void give(struct stage_set *set, const char *name, int fd)
{
	CHECK(fd >= 0);
	struct process_fd *slot = &set->fds[set->process.fds_count++];
	snprintf(slot->name, sizeof slot->name, "%s", name);
	slot->fd = fd;
}

static void open_journal(struct stage_set *set)
{
	static const struct bus_rights all = {.sends = KIND_MASK_ALL};
	struct journal *j = set->journal = calloc(1, sizeof *j);
	int fds[2];
	CHECK(j && bus_open(&set->process.bus, &set->loop, "passive", 0, "here") == 0);
	CHECK(bus_open(&j->bus, &set->loop, "journal", 0, "here") == 0);
	const struct bus_hooks hooks = {.arg = j, .event = journal_event};
	bus_set_hooks(j->bus, &hooks);
	bus_subscribe(j->bus, KIND_MASK_ALL);
	bus_on_request(j->bus, "blob.put", journal_blob, j);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	CHECK(bus_link(set->process.bus, fds[0], "journal", 0, &all) == 0);
	CHECK(bus_link(j->bus, fds[1], "passive", 0, &all) == 0);
	while (!bus_linked(set->process.bus) || !bus_linked(j->bus))
		uv_run(&set->loop, UV_RUN_ONCE);
}

/* A device that has no parrot: the camera, with a word more. */
static int closed_persona(void)
{
	static char text[1u << 20];
	int from = open("etc/personas/camera.yaml", O_RDONLY), to = memfd_create("closed", 0);
	ssize_t n = read(from, text, sizeof text);
	const char *name = n > 0 ? memmem(text, (size_t)n, "name: camera\n", 13) : NULL;
	CHECK(to >= 0 && name);
	size_t head = (size_t)(name - text), rest = (size_t)n - head - 13;
	const char with[] = "name: closed\nservices: [telnet]\n";
	CHECK(write(to, text, head) == (ssize_t)head && write(to, with, strlen(with)) > 0);
	CHECK(write(to, name + 13, rest) == (ssize_t)rest);
	close(from);
	return to;
}

/* `extra` goes into the section `passive`, each line indented by two spaces. */
static struct stage_set *stage_set_open(const char *extra)
{
	struct stage_set *set = calloc(1, sizeof *set);
	struct fault fault = {0};
	char text[2048], name[PROCESS_NAME_MAX];
	CHECK(set && event_start(NULL) == 0 && uv_loop_init(&set->loop) == 0);
	set->port = free_port();
	snprintf(text, sizeof text, "passive:\n  services: {parrot: {ports: [%u]}}\n%s", set->port,
	         extra);
	CHECK_SAY(config_read(bytes_of_text(text), "test.yaml", &set->config, &fault) == 0, "%s",
	          fault.text);
	set->process = (struct process){
	        .config = &set->config, .loop = &set->loop, .fds = set->fds, .workers = 1};
	open_journal(set);
	struct settings s;
	CHECK_SAY(passive_settings_read(&set->config, &s, &fault) == 0, "%s", fault.text);
	CHECK(s.port_count == 2);
	for (size_t i = 0; i < s.port_count; i++) {
		socket_name(&s.ports[i], name);
		give(set, name, socket_open(&s.ports[i], 1, s.loopback_only, &fault));
	}
	passive_settings_done(&s);
	give(set, "persona:camera.yaml", open("etc/personas/camera.yaml", O_RDONLY));
	give(set, "persona:router.yaml", open("etc/personas/router.yaml", O_RDONLY));
	if (strstr(extra, "closed")) /* else any address might play it */
		give(set, "persona:closed.yaml", closed_persona());
	set->room = calloc(1, sizeof *set->room);
	CHECK(set->room);
	CHECK_SAY(room_open(set->room, &set->process, &fault) == 0, "%s", fault.text);
	const struct bus_hooks hooks = room_hooks(set->room);
	bus_set_hooks(set->process.bus, &hooks);
	room_start(set->room);
	return set;
}

static void on_left(void *arg)
{
	((struct stage_set *)arg)->left = true;
}

static void turn(struct stage_set *set)
{
	uv_run(&set->loop, UV_RUN_NOWAIT);
	usleep(200);
}

#define UNTIL(set, condition)                                                                      \
	do {                                                                                       \
		uint64_t start_us = clock_mono_us();                                               \
		while (!(condition)) {                                                             \
			turn(set);                                                                 \
			CHECK_SAY(clock_mono_us() - start_us < PATIENCE_MS * 1000u,                \
			          "waited for %s", #condition);                                    \
		}                                                                                  \
	} while (0)

static void stage_set_close(struct stage_set *set)
{
	room_stop(set->room, on_left, set);
	UNTIL(set, set->left);
	CHECK(set->room->connection_count == 0 && set->room->limits.sessions == 0);
	CHECK(set->room->datagram_count == 0);
	CHECK(set->room->recordings_left == set->room->settings.options->recordings_bytes);
	room_close(set->room);
	for (int i = 0; i < 3; i++)
		turn(set);
	bus_free(set->process.bus);
	bus_free(set->journal->bus);
	for (int i = 0; i < 3; i++)
		turn(set);
	for (size_t i = 0; i < set->process.fds_count; i++)
		close(set->fds[i].fd);
	for (size_t i = 0; i < set->journal->count; i++)
		json_decref(set->journal->events[i]);
	CHECK(uv_loop_close(&set->loop) == 0);
	config_done(&set->config);
	free(set->journal);
	free(set->room);
	free(set);
}

static int dial(const struct stage_set *set, uint32_t from, uint32_t to, int type)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0);
	at = (struct sockaddr_in){
	        .sin_family = AF_INET, .sin_addr.s_addr = htonl(to), .sin_port = htons(set->port)};
	CHECK(connect(fd, (struct sockaddr *)&at, sizeof at) == 0 || errno == EINPROGRESS);
	return fd;
}

static int caller(const struct stage_set *set)
{
	return dial(set, 0x7f000001, 0x7f000001, SOCK_STREAM);
}

/* Sends, and reads until the answer has come; "" waits for the end of the stream. */
static void talk(struct stage_set *set, int fd, const char *say, const char *answer)
{
	char got[4096];
	size_t n = 0, want = strlen(answer);
	UNTIL(set, !*say || send(fd, say, strlen(say), MSG_NOSIGNAL) == (ssize_t)strlen(say));
	for (bool ended = false; !ended && (want == 0 || n < want);) {
		ssize_t k = 0;
		UNTIL(set, (k = recv(fd, got + n, sizeof got - n, 0)) >= 0 || errno == ECONNRESET);
		ended = k <= 0;
		n += k > 0 ? (size_t)k : 0;
	}
	CHECK_SAY(n == want && !memcmp(got, answer, n), "said \"%.*s\" for \"%s\"", (int)n, got,
	          answer);
}

static const char *text_of(json_t *e, const char *field)
{
	const char *s = json_string_value(json_object_get(e, field));
	return s ? s : "";
}

static json_t *event_of(const struct journal *j, const char *kind, size_t nth)
{
	for (size_t i = 0; i < j->count; i++)
		if (!strcmp(text_of(j->events[i], "kind"), kind) && nth-- == 0)
			return j->events[i];
	return NULL;
}

static long long number_of(json_t *e, const char *field)
{
	return json_integer_value(json_object_get(e, field));
}

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

/* The journal acknowledges nothing: newcomers are refused, then everything waits, nothing is lost.
 */
TEST(room_waits_for_a_full_bus_and_loses_nothing)
{
	struct stage_set *set = stage_set_open(
	        "  limits: {source_rate: 0, network_rate: 0, source_bytes: 0, network_bytes: 0}\n"
	        "  recording: {enabled: false}\n");
	struct journal *j = set->journal;
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
		while (j->count > 1) /* the test needs only numbers */
			json_decref(j->events[--j->count]);
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
	uint64_t told = 0;
	while (!set->left) {
		if (set->room->connection_count == 0 && !set->room->stopping)
			room_stop(set->room, on_left, set);
		turn(set);
		while (j->count > 0) {
			json_t *e = j->events[--j->count];
			told = number_of(e, "logins") > (long long)told
			               ? (uint64_t)number_of(e, "logins")
			               : told;
			json_decref(e);
		}
		CHECK(clock_mono_us() - start < 12 * PATIENCE_MS * 1000u);
	}
	CHECK_SAY(told == sent / 76, "%llu of %llu logins were told", (unsigned long long)told,
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
				   r->connection_count == 8);
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
