/*
 * Load for a telnet decoy, and what it costs the process that plays it.
 *
 *   telnet sessions PORT PID[,PID...] SECONDS [PARALLEL]
 *   telnet idle     PORT PID[,PID...] COUNT [DO]   DO: a command after the login
 *   telnet burst    PORT PID[,PID...] COUNT
 *
 * `sessions` logs in, gives three commands, waits for each prompt and leaves, over and over
 * from PARALLEL sources; `idle` holds COUNT logged-in sessions and reads the memory of the
 * processes before and after; `burst` connects COUNT times at once and counts who is heard.
 * HOLD_S in the environment holds them that long (generators side by side must overlap).
 * The last line is one JSON object.  CPU time is that of the named processes (/proc/PID/stat),
 * so the generator's own share of the machine does not count.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 512
#define TAIL_MAX 16
#define PROCESSES_MAX 64
#define GIVE_UP_S 60
#define SOURCES 240 /* per third byte: 127.1.x.y */

enum goal { GOAL_LEAVE, GOAL_STAY, GOAL_HEAR };

struct step {
	const char *wait; /* the end of what must come */
	const char *say;
};

struct call {
	int fd;
	unsigned step;
	unsigned tail_len;
	char tail[TAIL_MAX]; /* end of what came, to see prompts over several reads */
	bool done;
};

struct bench {
	int epoll;
	uint16_t port;
	enum goal goal;
	const struct step *steps;
	struct call *calls;
	size_t count, begun, alive, finished, failed;
	uint64_t source;
	int pids[PROCESSES_MAX];
	size_t pid_count;
};

static const struct step visit[] = {
        {"ogin: ", "root\r\n"},
        {"assword: ", "xc3511\r\n"},
        {"# ", "uname -a\r\n"},
        {"# ", "cat /proc/cpuinfo\r\n"},
        {"# ", "/bin/busybox ECCHI\r\n"},
        {"# ", "exit\r\n"},
        {NULL, NULL},
};

static struct step stay[] = {
        {"ogin: ", "root\r\n"}, {"assword: ", "xc3511\r\n"}, {"# ", NULL}, {"# ", NULL},
        {NULL, NULL},
};

static const struct step hear[] = {{"ogin: ", NULL}, {NULL, NULL}};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench/telnet: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* User and system time of the processes, in seconds. */
static double cpu_s(const struct bench *b)
{
	double total = 0;
	for (size_t i = 0; i < b->pid_count; i++) {
		char path[64], line[1024];
		snprintf(path, sizeof path, "/proc/%d/stat", b->pids[i]);
		FILE *f = fopen(path, "r");
		if (!f || !fgets(line, sizeof line, f))
			die(path);
		fclose(f);
		unsigned long user = 0, system = 0;
		const char *rest = strrchr(line, ')');
		if (!rest || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		                    &user, &system) != 2)
			die(path);
		total += (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	}
	return total;
}

/* What the processes alone hold of memory, in KiB (their shared pages are the program's text). */
static unsigned long memory_kib(const struct bench *b)
{
	unsigned long total = 0;
	for (size_t i = 0; i < b->pid_count; i++) {
		char path[64], line[256];
		snprintf(path, sizeof path, "/proc/%d/smaps_rollup", b->pids[i]);
		FILE *f = fopen(path, "r");
		if (!f)
			die(path);
		while (fgets(line, sizeof line, f)) {
			unsigned long kib;
			if (sscanf(line, "Private_Dirty: %lu kB", &kib) == 1 ||
			    sscanf(line, "Private_Clean: %lu kB", &kib) == 1)
				total += kib;
		}
		fclose(f);
	}
	return total;
}

/* Pages of all TCP buffers of this machine, both ends, in KiB. */
static unsigned long kernel_kib(void)
{
	unsigned long pages = 0;
	char line[256];
	FILE *f = fopen("/proc/net/sockstat", "r");
	while (f && fgets(line, sizeof line, f)) {
		const char *mem = strncmp(line, "TCP:", 4) ? NULL : strstr(line, "mem ");
		if (mem)
			pages = strtoul(mem + 4, NULL, 10);
	}
	if (f)
		fclose(f);
	return pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

static void call_begin(struct bench *b, struct call *c)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	uint64_t n = b->source++;
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons(b->port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	from.sin_addr.s_addr = htonl(0x7f010001 + (uint32_t)(n / SOURCES % SOURCES << 8) +
	                             (uint32_t)(n % SOURCES));
	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&from, sizeof from))
		die("bind");
	if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
		die("connect");
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
	*c = (struct call){.fd = fd};
	b->begun++;
	b->alive++;
}

static void call_end(struct bench *b, struct call *c, bool well)
{
	close(c->fd);
	c->fd = -1;
	b->alive--;
	b->finished += well;
	b->failed += !well;
}

static void tail_add(struct call *c, const char *p, size_t n)
{
	if (n >= TAIL_MAX) {
		memcpy(c->tail, p + n - TAIL_MAX, TAIL_MAX);
		c->tail_len = TAIL_MAX;
		return;
	}
	size_t keep = c->tail_len < TAIL_MAX - n ? c->tail_len : TAIL_MAX - n;
	memmove(c->tail, c->tail + c->tail_len - keep, keep);
	memcpy(c->tail + keep, p, n);
	c->tail_len = (unsigned)(keep + n);
}

static bool tail_is(const struct call *c, const char *want)
{
	size_t n = strlen(want);
	return c->tail_len >= n && !memcmp(c->tail + c->tail_len - n, want, n);
}

static void call_ready(struct bench *b, struct call *c)
{
	char got[16384];
	ssize_t n = recv(c->fd, got, sizeof got, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		if (c->done && b->goal == GOAL_STAY)
			b->finished--; /* it was to be held */
		call_end(b, c, n == 0 && b->goal == GOAL_LEAVE && !b->steps[c->step].wait);
		return;
	}
	tail_add(c, got, (size_t)n);
	const struct step *s = &b->steps[c->step];
	if (!s->wait || !tail_is(c, s->wait))
		return;
	c->tail_len = 0;
	c->step++;
	if (s->say && send(c->fd, s->say, strlen(s->say), MSG_NOSIGNAL) < 0) {
		call_end(b, c, false);
	} else if (b->goal != GOAL_LEAVE && (!b->steps[c->step].wait || !s->say)) {
		c->done = true;
		b->finished++;
	}
}

static size_t turn(struct bench *b, int wait_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(b->epoll, events, EVENTS_MAX, wait_ms);
	for (int i = 0; i < n; i++)
		call_ready(b, events[i].data.ptr);
	return n > 0 ? (size_t)n : 0;
}

static int run_sessions(struct bench *b, double seconds)
{
	double start = now_s(), cpu_before = 0, measured_from = 0;
	size_t before = 0;
	b->goal = GOAL_LEAVE;
	b->steps = visit;
	while (now_s() - start < seconds + 1) {
		for (size_t i = 0; i < b->count; i++)
			if (b->calls[i].fd < 0)
				call_begin(b, &b->calls[i]);
		turn(b, 100);
		if (before == 0 && now_s() - start > 1) { /* after a second of warming up */
			before = b->finished;
			cpu_before = cpu_s(b);
			measured_from = now_s();
		}
	}
	double cpu = cpu_s(b) - cpu_before, wall = now_s() - measured_from;
	size_t done = b->finished - before;
	printf("%zu sessions in %.1f s, %.2f CPU-seconds of the decoy: %.0f sessions per "
	       "core-second, "
	       "%zu failed\n",
	       done, wall, cpu, cpu > 0 ? (double)done / cpu : 0, b->failed);
	printf("{\"bench\":\"telnet-sessions\",\"sessions\":%zu,\"wall_s\":%.2f,\"cpu_s\":%.2f,"
	       "\"per_core_s\":%.0f,\"failed\":%zu}\n",
	       done, wall, cpu, cpu > 0 ? (double)done / cpu : 0, b->failed);
	return b->failed ? 1 : 0;
}

/* Begins all calls, at most `ahead` unfinished at a time, and waits for them. */
static void begin_all(struct bench *b, size_t ahead)
{
	double last = now_s();
	while (b->finished + b->failed < b->count && now_s() - last < GIVE_UP_S) {
		while (b->begun < b->count && b->begun - b->finished - b->failed < ahead)
			call_begin(b, &b->calls[b->begun]);
		if (turn(b, 100))
			last = now_s();
	}
}

static int run_idle(struct bench *b, const char *command)
{
	char line[1024];
	if (command) {
		snprintf(line, sizeof line, "%s\r\n", command);
		stay[2].say = line;
	} else {
		stay[3].wait = NULL;
	}
	b->goal = GOAL_STAY;
	b->steps = stay;
	unsigned long before = memory_kib(b), kernel_before = kernel_kib();
	begin_all(b, 256);
	const char *hold = getenv("HOLD_S");
	for (double until = now_s() + (hold ? strtod(hold, NULL) : 2); now_s() < until;)
		turn(b, 100);
	unsigned long after = memory_kib(b);
	double each = ((double)after - (double)before) * 1024 / (double)b->count;
	printf("%zu of %zu sessions held, %.0f bytes of process memory each (%lu KiB before, %lu "
	       "after); "
	       "kernel buffers of all sockets %lu KiB before, %lu after\n",
	       b->finished, b->count, each, before, after, kernel_before, kernel_kib());
	printf("{\"bench\":\"telnet-idle\",\"held\":%zu,\"asked\":%zu,\"bytes_each\":%.0f}\n",
	       b->finished, b->count, each);
	return b->finished == b->count ? 0 : 1;
}

static int run_burst(struct bench *b)
{
	b->goal = GOAL_HEAR;
	b->steps = hear;
	double start = now_s();
	begin_all(b, b->count);
	double took = now_s() - start;
	printf("%zu of %zu simultaneous connects were answered within %.2f s, %zu lost\n",
	       b->finished, b->count, took, b->count - b->finished);
	printf("{\"bench\":\"telnet-burst\",\"asked\":%zu,\"answered\":%zu,\"wall_s\":%.2f}\n",
	       b->count, b->finished, took);
	return b->finished == b->count ? 0 : 1;
}

static void take_pids(struct bench *b, const char *text)
{
	while (*text && b->pid_count < PROCESSES_MAX) {
		char *end;
		b->pids[b->pid_count++] = (int)strtol(text, &end, 10);
		text = *end == ',' ? end + 1 : end;
		if (end == text && *end)
			die("PID is not a list of numbers");
	}
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr,
		        "usage: telnet sessions|idle|burst PORT PID[,PID] SECONDS|COUNT [...]\n");
		return 2;
	}
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	bool sessions = !strcmp(argv[1], "sessions");
	struct bench b = {.epoll = epoll_create1(0), .port = (uint16_t)strtoul(argv[2], NULL, 10)};
	take_pids(&b, argv[3]);
	double amount = strtod(argv[4], NULL);
	b.count = sessions ? argc > 5 ? strtoul(argv[5], NULL, 10) : 128 : (size_t)amount;
	/* Generators side by side begin at other sources. */
	b.source = (uint64_t)getpid() % SOURCES * SOURCES;
	b.calls = calloc(b.count + 1, sizeof *b.calls);
	if (!b.calls)
		die("memory");
	for (size_t i = 0; i < b.count; i++)
		b.calls[i].fd = -1;
	if (sessions)
		return run_sessions(&b, amount);
	if (!strcmp(argv[1], "idle"))
		return run_idle(&b, argc > 5 ? argv[5] : NULL);
	return run_burst(&b);
}
