/*
 * How many grabs a core-second buys: the prober against a trivial server, over loopback.
 *
 *   build/plain/program/bench/probe [telnet|http] [GRABS] [CONCURRENCY]
 *
 * Bench policy: no pause, no limit per network, Telnet ends at the prompt, HTTP without its
 * icon.  The server is a process of its own (child), and only the prober's CPU time counts.
 * Each target is an address of its own in 127.0.0.0/8.  The last line is JSON.
 */
#include "active/prober/prober.h"
#include "base/clock.h"
#include "event/frame.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDRESS_BASE 0x7f100000u /* 127.16.0.0 */
#define LEASES_AHEAD 8192

static const char telnet_says[] = "\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03"
				  "\r\nNetwork camera\r\ncamera login: ";
static const char http_says[] =
	"HTTP/1.0 401 Unauthorized\r\nServer: DVRDVS-Webs\r\nWWW-Authenticate: Basic realm=\"DVR\"\r\n"
	"Content-Type: text/html\r\nContent-Length: 66\r\n\r\n"
	"<html><head><title>DVR login</title></head><body>401</body></html>";

static int server_listen(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) || listen(fd, 65535) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		abort();
	*port = ntohs(at.sin_port);
	return fd;
}

static void server_accept(int epoll, int listening, const char *greeting)
{
	int fd;
	while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct epoll_event wish = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
		if (greeting && send(fd, greeting, strlen(greeting), MSG_NOSIGNAL) < 0)
			abort();
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wish))
			abort();
	}
}

static void server_run(int listening, bool http)
{
	char heard[4096];
	struct epoll_event ready[256], wish = {.events = EPOLLIN, .data.fd = listening};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &wish))
		abort();
	for (;;) {
		int n = epoll_wait(epoll, ready, 256, -1);
		for (int i = 0; i < n; i++) {
			int fd = ready[i].data.fd;
			if (fd == listening) {
				server_accept(epoll, listening, http ? NULL : telnet_says);
				continue;
			}
			ssize_t got = recv(fd, heard, sizeof heard, 0);
			if (got > 0 && !http)
				continue;
			if (got > 0 && send(fd, http_says, sizeof http_says - 1, MSG_NOSIGNAL) < 0 &&
			    errno != EPIPE && errno != ECONNRESET)
				abort();
			close(fd);
		}
	}
}

struct bench {
	struct prober *prober;
	uv_loop_t loop;
	uv_timer_t feed;
	struct id_maker ids;
	uint64_t wanted, given, done, answered, told;
	uint16_t port;
	uint8_t frame[FRAME_MAX];
};

/* What the bus does with an event: an id and a frame. */
static int on_publish(void *arg, struct event *e)
{
	struct bench *b = arg;
	struct writer w = writer_of(b->frame, sizeof b->frame);
	e->time_us = clock_utc_us();
	e->id = id_make(&b->ids, e->time_us);
	frame_encode(e, &w);
	b->answered += e->kind == EVENT_HOST_ANSWERED &&
		       bytes_equal_text(event_bytes(e, FIELD_STATE), "open") &&
		       bytes_equal_text(event_bytes(e, FIELD_CLOSE_REASON), "done");
	return 0;
}

static void on_told(void *arg, const struct prober_story *story)
{
	(void)story;
	((struct bench *)arg)->told++;
}

static void on_done(void *arg, const struct lease *lease, uint16_t packets)
{
	struct bench *b = arg;
	(void)lease;
	(void)packets;
	if (++b->done == b->wanted)
		uv_stop(&b->loop);
}

static void feed(uv_timer_t *timer)
{
	struct bench *b = timer->data;
	uint64_t now_us = clock_utc_us();
	while (b->given < b->wanted && prober_held(b->prober) < LEASES_AHEAD) {
		const struct lease lease = {
			.id = {{1}},
			.target = address_v4(ADDRESS_BASE + (uint32_t)b->given),
			.ports = {b->port},
			.port_count = 1,
			.tier = 1,
			.packets_max = 40,
			.not_before_us = now_us,
			.expires_us = now_us + 60000000,
		};
		if (prober_give(b->prober, &lease))
			abort();
		b->given++;
	}
}

static double cpu_seconds(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void run(struct bench *b, const char *probe, size_t concurrency)
{
	struct fault fault = {0};
	const struct prober_port port = {b->port, b->port, probe_find(bytes_of_text(probe))};
	const struct prober_options options = {
		.settings = {.agent = "Mozilla/5.0 (compatible; kansoku; +https://example.org/probing)"},
		.connect_timeout_us = 1800000,
		.concurrency = concurrency,
		.ports = &port,
		.port_count = 1,
	};
	const struct prober_hooks hooks = {b, on_publish, NULL, on_told, on_done};
	if (event_start(&fault) || uv_loop_init(&b->loop) ||
	    prober_open(&b->prober, &b->loop, &options, &hooks, NULL, &fault))
		abort();
	b->ids = id_maker_new();
	uv_timer_init(&b->loop, &b->feed);
	b->feed.data = b;
	uv_timer_start(&b->feed, feed, 0, 20);
	double cpu = cpu_seconds();
	uint64_t began_us = clock_mono_us();
	uv_run(&b->loop, UV_RUN_DEFAULT);
	double wall = (double)(clock_mono_us() - began_us) / 1e6;
	cpu = cpu_seconds() - cpu;
	const struct prober_counts *c = prober_counts(b->prober);
	printf("{\"probe\":\"%s\",\"grabs\":%llu,\"answered\":%llu,\"lost\":%llu,\"wall_s\":%.3f,"
	       "\"cpu_s\":%.3f,\"per_core_second\":%.0f,\"packets_per_grab\":%.2f}\n",
	       probe, (unsigned long long)b->wanted, (unsigned long long)b->answered,
	       (unsigned long long)(b->wanted - b->answered), wall, cpu, (double)b->answered / cpu,
	       (double)c->packets / (double)b->wanted);
	prober_close(b->prober, NULL, NULL);
}

int main(int argc, char **argv)
{
	static struct bench b;
	const char *probe = argc > 1 ? argv[1] : "telnet";
	b.wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
	size_t concurrency = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000;
	bool http = !strcmp(probe, "http");
	if ((!http && strcmp(probe, "telnet")) || !b.wanted || !concurrency) {
		fprintf(stderr, "usage: probe [telnet|http] [GRABS] [CONCURRENCY]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	int listening = server_listen(&b.port);
	pid_t server = fork();
	if (server == 0)
		server_run(listening, http);
	close(listening);
	run(&b, probe, concurrency);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return b.answered == b.wanted ? 0 : 1;
}
