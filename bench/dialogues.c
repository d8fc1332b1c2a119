/*
 * What the dialogues of a service cost the decoy, over loopback.
 *
 *   dialogues list                                  each service and its transports, one a line
 *   dialogues rate   SERVICE tcp|udp PORT PID       CPU of a dialogue
 *   dialogues memory SERVICE PORT PID COUNT         of a session that has had one and stays
 *
 * The dialogues are the service's own exchanges: what the peer sends goes out in one piece, and
 * the peer ends its side when as much was said as to a patient peer before (it waits for as long
 * as a log-in is held up).  Every dialogue comes from another source.  CPU time is that of process
 * PID, kernel included; it may be any server that speaks the service's protocol.  Over UDP a dialogue is one datagram from a new
 * source, from its arrival to the end of its session; the guard against reflection lets nothing
 * amplified out, so a source sends something as long as any answer beforehand, unmeasured.
 * The last line is one JSON object; exit status 1: some dialogue failed.
 */
#include "passive/service.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define GOAL 5000
#define EXCHANGES_MAX 256
#define PARALLEL 64
#define TIMES 400         /* each exchange, */
#define RUN_S 2.5         /* or so long */
#define PATIENCE_S 3.6    /* without a word until a dialogue is taken to have ended */
#define QUIET_S 1.0       /* the same once it is known how much is said */
#define UDP_TIMES 1000
#define UDP_IDLE_S 0.8    /* after the last datagram, until the sessions are over */
#define CREDIT 1400
#define WARM 3000       /* sessions held before, so that what the process has once is not counted */
#define EVENTS_MAX 256

struct call {
	int fd; /* -1: none */
	unsigned exchange;
	size_t sent, got;
	double heard_s;
	bool ended; /* our side */
};

struct bench {
	const struct service *service;
	const struct exchange *exchanges;
	unsigned exchange_count;
	uint16_t port;
	const char *pid;
	int epoll;
	struct call *calls;
	size_t count, alive, finished, failed;
	uint64_t source;
	bool stay;
	double patience_s;
	size_t said[EXCHANGES_MAX]; /* to a patient peer; SIZE_MAX: not known yet */
};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench/dialogues: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Of all its threads. */
static double cpu_s(const struct bench *b)
{
	char path[512];
	unsigned long long ns, total = 0;
	snprintf(path, sizeof path, "/proc/%s/task", b->pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		die(path);
	for (struct dirent *t; (t = readdir(tasks));) {
		snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", b->pid, t->d_name);
		FILE *f = t->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (f && fscanf(f, "%llu", &ns) == 1)
			total += ns;
		if (f)
			fclose(f);
	}
	closedir(tasks);
	return (double)total / 1e9;
}

/* What the process alone holds of memory, in bytes. */
static double memory_bytes(const struct bench *b)
{
	char path[64], line[256];
	unsigned long total = 0, kib;
	snprintf(path, sizeof path, "/proc/%s/smaps_rollup", b->pid);
	FILE *f = fopen(path, "r");
	if (!f)
		die(path);
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "Private_Dirty: %lu kB", &kib) == 1 || sscanf(line, "Private_Clean: %lu kB", &kib) == 1)
			total += kib;
	fclose(f);
	return (double)total * 1024;
}

/* A socket of one more source, 127.x.y.1, each in a network of its own. */
static int source_socket(uint32_t number, int type)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), on = 1;
	struct sockaddr_in from = {.sin_family = AF_INET};
	from.sin_addr.s_addr = htonl(0x7f010001 + (number % 0xfe0000 << 8 & 0xffff00));
	if (fd < 0)
		die("socket");
	if (type == SOCK_STREAM) {
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	if (bind(fd, (struct sockaddr *)&from, sizeof from))
		die("bind");
	return fd;
}

static struct sockaddr_in decoy(const struct bench *b)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	                            .sin_port = htons(b->port),
	                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void call_begin(struct bench *b, struct call *c, unsigned exchange)
{
	struct sockaddr_in to = decoy(b);
	*c = (struct call){.fd = source_socket((uint32_t)b->source++, SOCK_STREAM), .exchange = exchange, .heard_s = now_s()};
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
		die("connect");
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, c->fd, &e))
		die("epoll_ctl");
	b->alive++;
}

static void call_end(struct bench *b, struct call *c, bool well)
{
	if (b->said[c->exchange] == SIZE_MAX)
		b->said[c->exchange] = c->got;
	close(c->fd);
	c->fd = -1;
	b->alive--;
	b->finished += well;
	b->failed += !well;
}

/* Ends our side once all is said. */
static void call_settle(struct bench *b, struct call *c, double now)
{
	if (c->fd < 0 || c->ended || c->sent < b->exchanges[c->exchange].peer_sends.len)
		return;
	bool all = b->said[c->exchange] != SIZE_MAX && c->got >= b->said[c->exchange];
	if (!all && now - c->heard_s < b->patience_s)
		return;
	c->ended = true;
	if (b->said[c->exchange] == SIZE_MAX)
		b->said[c->exchange] = c->got;
	if (!b->stay)
		shutdown(c->fd, SHUT_WR);
}

static void call_send(struct bench *b, struct call *c)
{
	struct bytes all = b->exchanges[c->exchange].peer_sends;
	ssize_t n = all.len > c->sent ? send(c->fd, all.at + c->sent, all.len - c->sent, MSG_NOSIGNAL) : 0;
	if (n > 0)
		c->sent += (size_t)n;
	if (n < 0 && errno != EAGAIN)
		c->sent = all.len; /* it hung up before it had heard all: what it said is still to be read */
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (c->sent >= all.len)
		epoll_ctl(b->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

static void call_ready(struct bench *b, struct call *c, uint32_t events)
{
	static char got[65536];
	if (c->fd >= 0 && events & EPOLLOUT)
		call_send(b, c);
	if (c->fd < 0 || !(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	ssize_t n = recv(c->fd, got, sizeof got, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		call_end(b, c, n == 0 || errno == ECONNRESET);
		return;
	}
	c->got += (size_t)n;
	c->heard_s = now_s();
}

static void turn(struct bench *b, int wait_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(b->epoll, events, EVENTS_MAX, wait_ms);
	for (int i = 0; i < n; i++)
		call_ready(b, events[i].data.ptr, events[i].events);
	double now = now_s();
	for (size_t i = 0; i < b->count; i++)
		call_settle(b, &b->calls[i], now);
}

/* Every exchange once, with patience, so that it is known how much is said in each. */
static void learn(struct bench *b)
{
	b->patience_s = PATIENCE_S;
	b->count = b->exchange_count;
	for (unsigned i = 0; i < b->exchange_count; i++) {
		b->said[i] = SIZE_MAX;
		call_begin(b, &b->calls[i], i);
	}
	while (b->alive)
		turn(b, 50);
	b->patience_s = QUIET_S;
	b->finished = b->failed = 0;
}

/* CPU seconds of one dialogue. */
static double measure_tcp(struct bench *b, unsigned exchange)
{
	size_t begun = 0;
	double start = now_s(), cpu = cpu_s(b);
	b->count = PARALLEL;
	b->finished = 0;
	while (b->alive || (begun < TIMES && now_s() - start < RUN_S)) {
		for (size_t i = 0; i < b->count && begun < TIMES && now_s() - start < RUN_S; i++)
			if (b->calls[i].fd < 0) {
				call_begin(b, &b->calls[i], exchange);
				begun++;
			}
		turn(b, 10);
	}
	return b->finished ? (cpu_s(b) - cpu) / (double)b->finished : 0;
}

static void send_from(struct bench *b, uint32_t source, struct bytes what)
{
	struct sockaddr_in to = decoy(b);
	int fd = source_socket(source, SOCK_DGRAM);
	if (sendto(fd, what.at, what.len, 0, (struct sockaddr *)&to, sizeof to) < 0)
		die("sendto");
	close(fd);
}

static void rest(double seconds)
{
	usleep((useconds_t)(seconds * 1e6));
}

/* The same over UDP, and how many were answered. */
static double measure_udp(struct bench *b, unsigned exchange, size_t *answered)
{
	static uint8_t credit[CREDIT];
	struct bytes what = b->exchanges[exchange].peer_sends;
	struct sockaddr_in to = decoy(b);
	uint32_t first = (uint32_t)b->source;
	int fds[UDP_TIMES];
	char got[CREDIT];
	for (uint32_t i = 0; i < UDP_TIMES; i++) {
		send_from(b, first + i, (struct bytes){credit, sizeof credit});
		if (i % PARALLEL == 0)
			rest(0.002);
	}
	rest(UDP_IDLE_S);
	double cpu = cpu_s(b);
	for (uint32_t i = 0; i < UDP_TIMES; i++) {
		fds[i] = source_socket(first + i, SOCK_DGRAM);
		sendto(fds[i], what.at, what.len, 0, (struct sockaddr *)&to, sizeof to);
		if (i % PARALLEL == 0)
			rest(0.002);
	}
	rest(UDP_IDLE_S);
	cpu = cpu_s(b) - cpu;
	for (uint32_t i = 0; i < UDP_TIMES; i++) {
		*answered += recv(fds[i], got, sizeof got, 0) >= 0;
		close(fds[i]);
	}
	b->source += UDP_TIMES;
	return cpu / UDP_TIMES;
}

static int run_rate(struct bench *b, bool udp)
{
	double sum = 0, worst = 0;
	const char *dearest = "";
	size_t answered = 0;
	if (!udp)
		learn(b);
	for (unsigned i = 0; i < b->exchange_count; i++) {
		double each = udp ? measure_udp(b, i, &answered) : measure_tcp(b, i);
		sum += each;
		if (each > worst) {
			worst = each;
			dearest = b->exchanges[i].title;
		}
		if (getenv("VERBOSE"))
			printf("\t%.0f us, %zu bytes said: %s\n", each * 1e6, b->said[i], b->exchanges[i].title);
	}
	double each = sum / b->exchange_count, rate = each > 0 ? 1 / each : 0;
	char heard[64] = "";
	if (udp)
		snprintf(heard, sizeof heard, ", %zu of %u answered", answered, b->exchange_count * UDP_TIMES);
	printf("%-14s %s %6.0f dialogues per core-second%s; dearest %4.0f us: %s; %zu failed%s\n", b->service->name,
	       udp ? "udp" : "tcp", rate, rate < GOAL ? " (MISSED)" : "", worst * 1e6, dearest, b->failed, heard);
	printf("{\"bench\":\"dialogues\",\"service\":\"%s\",\"transport\":\"%s\",\"per_core_s\":%.0f,\"dearest_us\":%.1f,"
	       "\"failed\":%zu}\n",
	       b->service->name, udp ? "udp" : "tcp", rate, worst * 1e6, b->failed);
	return b->failed > 0;
}

static void settle(struct bench *b)
{
	for (double until = now_s() + 1.5; now_s() < until;)
		turn(b, 50);
}

/* What a session holds after the exchange that says most and does not end. */
static int run_memory(struct bench *b, size_t count)
{
	b->stay = true;
	b->count = b->exchange_count;
	b->patience_s = PATIENCE_S;
	for (unsigned i = 0; i < b->exchange_count; i++) {
		b->said[i] = SIZE_MAX;
		call_begin(b, &b->calls[i], i);
	}
	for (double until = now_s() + PATIENCE_S + 1; now_s() < until;)
		turn(b, 50);
	unsigned best = 0;
	for (unsigned i = 0; i < b->exchange_count; i++)
		if (b->calls[i].fd >= 0 && (b->calls[best].fd < 0 || b->said[i] > b->said[best]))
			best = i;
	bool any = b->calls[best].fd >= 0;
	for (unsigned i = 0; i < b->exchange_count; i++)
		if (b->calls[i].fd >= 0)
			call_end(b, &b->calls[i], true);
	double before = 0;
	b->count = count + WARM;
	for (size_t i = 0; i < b->count; i++) {
		call_begin(b, &b->calls[i], best);
		if (i % 32 == 0)
			turn(b, 5);
		if (i + 1 != WARM)
			continue;
		settle(b);
		before = memory_bytes(b);
	}
	settle(b);
	double each = (memory_bytes(b) - before) / (double)count;
	size_t held = b->alive > WARM ? b->alive - WARM : 0;
	printf("%-14s tcp %6.0f bytes of a session (%zu of %zu stay): %s\n", b->service->name, each, held, count,
	       any ? b->exchanges[best].title : "none of its dialogues leaves a session open");
	printf("{\"bench\":\"dialogues-memory\",\"service\":\"%s\",\"bytes\":%.0f,\"held\":%zu,\"asked\":%zu}\n",
	       b->service->name, each, held, count);
	return any && held < count;
}

static int list(void)
{
	SERVICES_EACH(it)
	{
		const struct service *s = *it;
		if (s->hands_over)
			continue;
		printf("%s%s%s\n", s->name, s->transports & TRANSPORT_TCP ? " tcp" : "",
		       s->transports & TRANSPORT_UDP ? " udp" : "");
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool memory = argc == 6 && !strcmp(argv[1], "memory"), rate = argc == 6 && !strcmp(argv[1], "rate");
	struct bench b = {.epoll = epoll_create1(0)};
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	SERVICES_EACH(it)
		if (argc > 2 && !strcmp((*it)->name, argv[2]))
			b.service = *it;
	if (!b.service || !(memory || rate)) {
		fprintf(stderr, "usage: dialogues list | rate SERVICE tcp|udp PORT PID | memory SERVICE PORT PID COUNT\n");
		return 2;
	}
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	bool udp = rate && !strcmp(argv[3], "udp");
	b.port = (uint16_t)strtoul(argv[memory ? 3 : 4], NULL, 10);
	b.pid = argv[memory ? 4 : 5];
	b.exchanges = udp && b.service->exchanges_udp ? b.service->exchanges_udp : b.service->exchanges;
	while (b.exchange_count < EXCHANGES_MAX && b.exchanges[b.exchange_count].title)
		b.exchange_count++;
	size_t count = memory ? strtoul(argv[5], NULL, 10) : PARALLEL;
	b.calls = calloc(count + WARM + EXCHANGES_MAX + PARALLEL, sizeof *b.calls);
	if (!b.calls)
		die("memory");
	for (size_t i = 0; i < count + WARM + EXCHANGES_MAX + PARALLEL; i++)
		b.calls[i].fd = -1;
	return memory ? run_memory(&b, count) : run_rate(&b, udp);
}
