/* The prober against real sockets on loopback, with a thread that plays the host. */
#include "active/prober/asking_inner.h"
#include "active/prober/prober.h"
#include "base/clock.h"
#include "tests/test.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define STORY_MAX 64
#define HEARD_MAX 4096

struct host { /* accepts, says its lines one connection after the other, keeps what it heard */
	int fd;
	uint16_t port;
	pthread_t thread;
	const char *const *says;
	bool stays;          /* keeps the connection open */
	size_t flood;        /* bytes sent on top, one block after the other */
	char heard[HEARD_MAX];
	size_t heard_len;
	int connections;
};

static void host_serve(struct host *h, int fd, const char *line)
{
	if (line && send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		return;
	char block[1024];
	memset(block, 'x', sizeof block);
	for (size_t sent = 0; sent < h->flood; sent += sizeof block)
		if (send(fd, block, sizeof block, MSG_NOSIGNAL) < 0)
			return;
	if (!h->stays)
		shutdown(fd, SHUT_WR);
	ssize_t n;
	while ((n = recv(fd, h->heard + h->heard_len, HEARD_MAX - h->heard_len, 0)) > 0)
		h->heard_len += (size_t)n;
}

static void *host_run(void *arg)
{
	struct host *h = arg;
	int fd;
	while ((fd = accept(h->fd, NULL, NULL)) >= 0) {
		host_serve(h, fd, h->says ? h->says[h->connections] : NULL);
		h->connections++;
		close(fd);
	}
	return NULL;
}

static void host_listen(struct host *h, int backlog)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(h->fd >= 0 && bind(h->fd, (struct sockaddr *)&at, len) == 0);
	CHECK(getsockname(h->fd, (struct sockaddr *)&at, &len) == 0);
	h->port = ntohs(at.sin_port);
	CHECK(listen(h->fd, backlog) == 0);
}

static void host_start(struct host *h)
{
	host_listen(h, 16);
	CHECK(pthread_create(&h->thread, NULL, host_run, h) == 0);
}

static void host_stop(struct host *h)
{
	shutdown(h->fd, SHUT_RDWR);
	pthread_join(h->thread, NULL);
	close(h->fd);
}

struct stage {
	uv_loop_t loop;
	struct prober *prober;
	struct event story[STORY_MAX];
	size_t count;
	size_t done, told, congested;
	uint16_t packets;
	char signals[512];
	struct id_maker ids;
	uv_timer_t tick; /* so that a single turn of the loop never waits for long */
};

static int stage_publish(void *arg, struct event *e)
{
	struct stage *s = arg;
	CHECK(s->count < STORY_MAX);
	e->id = id_make(&s->ids, clock_utc_us());
	struct event *kept = &s->story[s->count++];
	*kept = *e;
	for (uint16_t i = 0; i < kept->count; i++)
		if (kept->values[i].bytes.at)
			kept->values[i].bytes.at = kept->store + (e->values[i].bytes.at - e->store);
	return 0;
}

static bool stage_congested(void *arg) { return ((struct stage *)arg)->congested > 0; }

static void stage_told(void *arg, const struct prober_story *story)
{
	struct stage *s = arg;
	s->told++;
	struct bytes key = signal_key(story->signals, 0), value = signal_value(story->signals, 0);
	snprintf(s->signals, sizeof s->signals, "%.*s: %.*s", (int)key.len, (const char *)key.at,
		 (int)value.len, (const char *)value.at);
	CHECK(id_equal(&story->answered, &s->story[s->count - 1].id) && story->depth == 3);
}

static void stage_done(void *arg, const struct lease *lease, uint16_t packets)
{
	struct stage *s = arg;
	CHECK(lease->port_count);
	s->done++;
	s->packets = packets;
}

static void stage_end_walk(uv_handle_t *handle, void *arg)
{
	(void)arg;
	CHECK(uv_is_closing(handle));
}

static void stage_on_tick(uv_timer_t *tick) { (void)tick; }

static struct stage *stage_new(const struct prober_port *ports, size_t port_count)
{
	struct stage *s = calloc(1, sizeof *s);
	struct fault fault = {0};
	CHECK(s && event_start(&fault) == 0 && uv_loop_init(&s->loop) == 0);
	s->ids = id_maker_new();
	CHECK(uv_timer_init(&s->loop, &s->tick) == 0);
	CHECK(uv_timer_start(&s->tick, stage_on_tick, 10, 10) == 0);
	const struct prober_options options = {
		.settings = {.agent = "kansoku", .favicon = true, .idle_ms_max = 150},
		.connect_timeout_us = 300000,
		.concurrency = 100,
		.ports = ports,
		.port_count = port_count,
	};
	const struct prober_hooks hooks = {s, stage_publish, stage_congested, stage_told, stage_done};
	CHECK_SAY(prober_open(&s->prober, &s->loop, &options, &hooks, (int[]){-1, -1}, &fault) == 0,
		  "%s", fault.text);
	return s;
}

static void stage_free(struct stage *s)
{
	prober_close(s->prober, NULL, NULL);
	uv_close((uv_handle_t *)&s->tick, NULL);
	while (uv_run(&s->loop, UV_RUN_NOWAIT))
		;
	uv_walk(&s->loop, stage_end_walk, NULL);
	CHECK(uv_loop_close(&s->loop) == 0);
	free(s);
}

static struct lease lease_of(uint32_t port)
{
	uint64_t now_us = clock_utc_us();
	return (struct lease){
		.id = {{1}},
		.root = {{2}},
		.depth = 1,
		.target = address_v4(INADDR_LOOPBACK),
		.ports = {port},
		.port_count = 1,
		.tier = 1,
		.packets_max = 200,
		.not_before_us = now_us,
		.expires_us = now_us + 20000000,
		.trigger_us = now_us - 1000,
	};
}

static void stage_run_until(struct stage *s, size_t done)
{
	for (size_t i = 0; s->done < done && i < 100000; i++)
		uv_run(&s->loop, UV_RUN_ONCE);
	CHECK(s->done == done);
}

static bool is_text(const struct event *e, uint16_t field, const char *text)
{
	return bytes_equal_text(event_bytes(e, field), text);
}

static bool is_caused_by(const struct event *e, const struct event_id *cause, uint64_t depth)
{
	struct event_id is, root;
	return event_id_of(e, FIELD_CAUSE, &is) && id_equal(&is, cause) &&
	       event_id_of(e, FIELD_ROOT, &root) && root.b[0] == 2 &&
	       event_number(e, FIELD_DEPTH, 0) == depth;
}

TEST(prober_tells_what_it_asked_and_what_came_back)
{
	const char *const says[] = {"\xff\xfd\x18Welcome\r\nlogin: "};
	struct host h = {.says = says, .stays = true};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){23, h.port, NULL}, 1);
	struct lease lease = lease_of(23);
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	const struct event *sent = &s->story[0], *answer = &s->story[1];
	CHECK(s->count == 2 && sent->kind == EVENT_PROBE_SENT && answer->kind == EVENT_HOST_ANSWERED);
	CHECK(is_caused_by(sent, &lease.id, 2) && is_caused_by(answer, &sent->id, 3));
	CHECK(is_text(sent, FIELD_PROBE, "telnet") && event_number(sent, FIELD_LATENCY, 0) >= 1000);
	CHECK(is_text(answer, FIELD_STATE, "open") && is_text(answer, FIELD_CLOSE_REASON, "done"));
	CHECK(is_text(answer, FIELD_BANNER, "Welcome\r\nlogin:"));
	CHECK(event_number(answer, FIELD_SPORT, 0) == h.port);
	CHECK(event_number(answer, FIELD_BYTES_OUT, 0) == 3 && s->told == 1);
	CHECK(!strcmp(s->signals, "telnet.banner: Welcome\r\nlogin:"));
	CHECK(s->packets >= 3 && s->packets <= lease.packets_max);
	host_stop(&h);
	CHECK(h.connections == 1 && h.heard_len == 3 && !memcmp(h.heard, "\xff\xfc\x18", 3));
	stage_free(s);
}

TEST(prober_knows_closed_silent_and_filtered)
{
	struct host closed = {0}, full = {0}, mute = {.stays = true};
	host_listen(&closed, 1);
	close(closed.fd);
	host_listen(&full, 0);
	/* Two connections fill a queue of length zero on Linux; further SYNs are dropped. */
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(full.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fillers[4];
	for (size_t i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fillers[i], (struct sockaddr *)&at, sizeof at);
	}
	host_start(&mute);
	const struct prober_port ports[] = {
		{23, closed.port, NULL}, {2323, full.port, NULL}, {24, mute.port, probe_find(BYTES("telnet"))}};
	struct stage *s = stage_new(ports, 3);
	struct lease lease = lease_of(23);
	lease.ports[1] = 2323;
	lease.ports[2] = 24;
	lease.port_count = 3;
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	CHECK(s->count == 6 && s->told == 0);
	CHECK(is_text(&s->story[1], FIELD_STATE, "closed") &&
	      is_text(&s->story[1], FIELD_CLOSE_REASON, "refused"));
	CHECK(is_text(&s->story[3], FIELD_STATE, "filtered") &&
	      is_text(&s->story[3], FIELD_CLOSE_REASON, "silent"));
	CHECK(is_text(&s->story[5], FIELD_STATE, "open") &&
	      is_text(&s->story[5], FIELD_CLOSE_REASON, "idle"));
	CHECK(event_number(&s->story[5], FIELD_BYTES_IN, 9) == 0);
	const struct prober_counts *c = prober_counts(s->prober);
	CHECK(c->closed == 1 && c->filtered == 1 && c->open == 1 && c->connections == 3);
	for (size_t i = 0; i < 4; i++)
		close(fillers[i]);
	close(full.fd);
	host_stop(&mute);
	stage_free(s);
}

TEST(prober_fetches_page_and_icon_and_no_more)
{
	const char *const says[] = {
		"HTTP/1.0 200 OK\r\nServer: mini_httpd\r\n\r\n<title>NVR</title><link rel=icon href=/i>",
		"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"};
	struct host h = {.says = says};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){80, h.port, NULL}, 1);
	struct lease lease = lease_of(80);
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	host_stop(&h);
	CHECK(h.connections == 2 && s->count == 4 && s->told == 1);
	h.heard[h.heard_len] = '\0';
	CHECK(strstr(h.heard, "GET / HTTP/1.1\r\n") && strstr(h.heard, "GET /i HTTP/1.1\r\n"));
	int md5 = field_find(BYTES("http.favicon_md5"));
	CHECK(md5 > 0 && is_text(&s->story[3], (uint16_t)md5, "900150983cd24fb0d6963f7d28e17f72"));
	stage_free(s);
}

TEST(prober_stays_within_its_lease)
{
	struct host h = {.stays = true};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){23, h.port, NULL}, 1);
	struct lease lease = lease_of(23);
	lease.expires_us = lease.not_before_us - 1;
	CHECK(prober_give(s->prober, &lease) == ERR_BAD);
	lease = lease_of(23);
	lease.packets_max = PROBER_CONNECTION_PACKETS - 1;
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	CHECK(s->packets == 0 && s->count == 0);
	lease = lease_of(4840); /* of controllers: no other protocol may be spoken there */
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 2);
	lease = lease_of(23);
	lease.tier = 0;
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 3);
	CHECK(s->count == 0 && prober_held(s->prober) == 0);
	/* Not before its time, and cut at its end. */
	lease = lease_of(23);
	lease.not_before_us += 60000;
	lease.expires_us = lease.not_before_us + 40000;
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 4);
	CHECK(s->count == 2 && s->story[0].time_us >= lease.not_before_us);
	CHECK(is_text(&s->story[1], FIELD_STATE, "aborted") && s->told == 0);
	host_stop(&h);
	CHECK(h.connections == 1);
	stage_free(s);
}

TEST(prober_ends_at_once_what_is_revoked)
{
	const char *const says[] = {"hello"};
	struct host h = {.says = says, .stays = true};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){23, h.port, NULL}, 1);
	struct lease lease = lease_of(23), later = lease_of(23), other = lease_of(23);
	later.target = address_v4(0x7f000005);
	later.not_before_us += 5000000;
	other.target = address_v4(0x7f010001);
	other.not_before_us += 5000000;
	CHECK(prober_give(s->prober, &lease) == 0 && prober_give(s->prober, &later) == 0 &&
	      prober_give(s->prober, &other) == 0);
	while (prober_counts(s->prober)->bytes_in == 0)
		uv_run(&s->loop, UV_RUN_ONCE);
	struct prefix gone;
	CHECK(prefix_parse(BYTES("127.0.0.0/24"), &gone));
	CHECK(prober_revoke(s->prober, &gone) == 2 && s->done == 2 && prober_held(s->prober) == 1);
	CHECK(s->count == 2 && is_text(&s->story[1], FIELD_STATE, "aborted"));
	CHECK(!event_get(&s->story[1], FIELD_BANNER) && s->told == 0);
	host_stop(&h);
	stage_free(s);
}

TEST(prober_is_not_drowned)
{
	struct host h = {.stays = true, .flood = 8u << 20};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){80, h.port, NULL}, 1);
	struct lease lease = lease_of(80);
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	CHECK(is_text(&s->story[1], FIELD_CLOSE_REASON, "limit"));
	CHECK(event_number(&s->story[1], FIELD_BYTES_IN, 0) <= PROBE_ANSWER_MAX);
	CHECK(s->packets <= lease.packets_max);
	host_stop(&h);
	stage_free(s);
}

TEST(prober_asks_one_address_one_thing_at_a_time_and_waits_when_congested)
{
	const char *const says[] = {"login: ", "login: "};
	struct host h = {.says = says, .stays = true};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){23, h.port, NULL}, 1);
	struct lease lease = lease_of(23);
	s->congested = 1;
	CHECK(prober_give(s->prober, &lease) == 0 && prober_give(s->prober, &lease) == 0);
	for (size_t i = 0; i < 20; i++)
		uv_run(&s->loop, UV_RUN_NOWAIT);
	CHECK(s->count == 0 && prober_active(s->prober) == 0);
	s->congested = 0;
	prober_relief(s->prober);
	CHECK(prober_active(s->prober) == 1 && prober_counts(s->prober)->postponed == 1);
	stage_run_until(s, 2);
	CHECK(s->count == 4 && s->story[1].kind == EVENT_HOST_ANSWERED);
	host_stop(&h);
	stage_free(s);
}

static const struct event *answer_at(const struct stage *s, size_t i)
{
	CHECK(s->count > i && s->story[i].kind == EVENT_HOST_ANSWERED);
	return &s->story[i];
}

static bool field_is(const struct event *e, const char *name, const char *text)
{
	int field = field_find(bytes_of_text(name));
	CHECK(field > 0);
	return is_text(e, (uint16_t)field, text);
}

TEST(prober_hands_a_connection_to_the_protocol_that_the_host_speaks)
{
	const char *const says[] = {"\xff\xfd\x18Welcome\r\nlogin: "};
	struct host h = {.says = says, .stays = true};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){80, h.port, NULL}, 1);
	struct lease lease = lease_of(80);
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	host_stop(&h);
	CHECK(h.connections == 1 && s->count == 2 && is_text(&s->story[0], FIELD_PROBE, "http"));
	CHECK(is_text(answer_at(s, 1), FIELD_PROBE, "telnet"));
	CHECK(field_is(answer_at(s, 1), "probe.expected", "http"));
	CHECK(!strcmp(s->signals, "telnet.banner: Welcome\r\nlogin:"));
	stage_free(s);
}

TEST(prober_asks_again_in_the_protocol_that_the_host_answered_in)
{
	const char *const says[] = {"HTTP/1.0 400 Bad Request\r\n\r\n",
				    "HTTP/1.0 200 OK\r\nServer: mini_httpd\r\n\r\nhello", NULL};
	struct host h = {.says = says};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){23, h.port, NULL}, 1);
	struct lease lease = lease_of(23);
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	host_stop(&h);
	CHECK(h.connections == 3 && s->count == 6); /* the icon is the third */
	CHECK(is_text(answer_at(s, 1), FIELD_PROBE, "telnet") && field_is(answer_at(s, 1), "probe.spoken", "http"));
	CHECK(is_text(answer_at(s, 3), FIELD_PROBE, "http") && field_is(answer_at(s, 3), "probe.expected", "telnet"));
	h.heard[h.heard_len] = '\0';
	CHECK(!strncmp(h.heard, "GET / HTTP/1.1\r\n", 16));
	stage_free(s);
}

TEST(prober_lets_a_host_speak_first_where_nobody_knows_the_port)
{
	const char *const says[] = {"READY v7\r\n", NULL, NULL};
	struct host h = {.says = says, .stays = true};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){60001, h.port, NULL}, 1);
	struct lease lease = lease_of(60001);
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	CHECK(field_is(answer_at(s, 1), "probe.spoken", "unknown"));
	CHECK(is_text(answer_at(s, 1), FIELD_BANNER, "READY v7\r\n"));
	CHECK(event_number(answer_at(s, 1), FIELD_BYTES_OUT, 9) == 0);
	/* The second connection finds a host that says nothing: now it is asked. */
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 2);
	host_stop(&h);
	h.heard[h.heard_len] = '\0';
	CHECK(h.connections == 2 && !strncmp(h.heard, "GET / HTTP/1.1\r\n", 16));
	stage_free(s);
}

TEST(prober_does_not_wait_where_the_operator_named_the_probe)
{
	const char *const says[] = {"READY v7\r\n"};
	struct host h = {.says = says, .stays = true};
	host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){60001, h.port, probe_find(BYTES("http"))}, 1);
	struct lease lease = lease_of(60001);
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	host_stop(&h);
	CHECK(event_number(answer_at(s, 1), FIELD_BYTES_OUT, 0) > 0);
	stage_free(s);
}

static enum probe_next echo_open(struct asking *a, void *state)
{
	(void)state;
	asking_say(a, "one");
	return PROBE_CONTINUE;
}

static enum probe_next echo_input(struct asking *a, void *state, struct reader *r)
{
	unsigned *heard = state;
	if (++*heard == 2)
		asking_signal(a, "telnet.banner", read_rest(r));
	else
		asking_say(a, "two");
	return *heard == 2 ? PROBE_DONE : PROBE_CONTINUE;
}

/* No device speaks this: the exchange itself is what is tried. */
static const struct probe echo = {
	.name = "echo",
	.transport = PROBE_UDP,
	.ports = {7},
	.tier = PROBE_OPT_IN,
	.question_max = 64,
	.answer_max = 64,
	.time_ms_max = 2000,
	.idle_ms = 150,
	.connections_max = 1,
	.state_size = sizeof(unsigned),
	.open = echo_open,
	.input = echo_input,
};

struct datagram_host { /* answers each question but the first, which it leaves to be repeated */
	int fd;
	uint16_t port;
	pthread_t thread;
	unsigned heard;
	char said[8][8];
};

static void *datagram_host_run(void *arg)
{
	struct datagram_host *h = arg;
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	ssize_t n;
	while ((n = recvfrom(h->fd, h->said[h->heard], 7, 0, (struct sockaddr *)&from, &len)) > 0 &&
	       strcmp(h->said[h->heard], "end"))
		if (++h->heard > 1)
			sendto(h->fd, h->said[h->heard - 1], (size_t)n, 0, (struct sockaddr *)&from, len);
	return NULL;
}

static void datagram_host_start(struct datagram_host *h)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	h->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(h->fd >= 0 && bind(h->fd, (struct sockaddr *)&at, len) == 0);
	CHECK(getsockname(h->fd, (struct sockaddr *)&at, &len) == 0);
	h->port = ntohs(at.sin_port);
	CHECK(pthread_create(&h->thread, NULL, datagram_host_run, h) == 0);
}

static void datagram_host_stop(struct datagram_host *h)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(h->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK(sendto(h->fd, "end", 4, 0, (struct sockaddr *)&at, sizeof at) == 4);
	pthread_join(h->thread, NULL);
	close(h->fd);
}

TEST(prober_exchanges_datagrams_and_repeats_a_question_once)
{
	struct datagram_host h = {0};
	datagram_host_start(&h);
	struct stage *s = stage_new(&(struct prober_port){PORT_UDP | 7, h.port, &echo}, 1);
	struct lease lease = lease_of(PORT_UDP | 7);
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	CHECK(s->count == 0 && h.heard == 0); /* tier 1 */
	lease.tier = 2;
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 2);
	CHECK(h.heard == 3 && !strcmp(h.said[0], "one") && !strcmp(h.said[1], "one") && !strcmp(h.said[2], "two"));
	CHECK(s->count == 2 && is_text(&s->story[0], FIELD_PROTO, "udp") && s->packets == 3);
	CHECK(is_text(answer_at(s, 1), FIELD_STATE, "open") && !strcmp(s->signals, "telnet.banner: two"));
	datagram_host_stop(&h);
	/* Nobody listens there any more, which ICMP tells. */
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 3);
	CHECK(is_text(answer_at(s, 3), FIELD_STATE, "closed"));
	stage_free(s);
}

TEST(prober_tells_silence_over_udp_from_a_filter)
{
	struct host mute = {0};
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	mute.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(mute.fd >= 0 && bind(mute.fd, (struct sockaddr *)&at, len) == 0);
	CHECK(getsockname(mute.fd, (struct sockaddr *)&at, &len) == 0);
	struct stage *s = stage_new(&(struct prober_port){PORT_UDP | 7, ntohs(at.sin_port), &echo}, 1);
	struct lease lease = lease_of(PORT_UDP | 7);
	lease.tier = 2;
	CHECK(prober_give(s->prober, &lease) == 0);
	stage_run_until(s, 1);
	CHECK(is_text(answer_at(s, 1), FIELD_STATE, "silent") && s->packets == 2 && s->told == 0);
	close(mute.fd);
	stage_free(s);
}
