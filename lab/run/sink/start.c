/* The side of whoever starts a sink, and the keeper that forks it for who has no right to. */
#include "base/fork.h"
#include "lab/run/sink/egress.h"
#include "lab/run/sink/pack.h"
#include "lab/run/sink/serve.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS_MAX 10000
#define STOP_MS_MAX 5000
#define FDS_KEPT_MAX 3
#define FINDINGS_MEMORY_MAX (64u << 20)

struct run_sink {
	int fd;
	pid_t pid;           /* 0: the keeper's child */
	const struct run_sink_plan plan;
	uint8_t *shared;
	struct sink_ended ended;
	bool has_ended, gone;
	struct arena arena;
	struct run_sink_findings findings;
};

struct run_sink_keeper {
	int fd;
	pid_t pid;
};

/* Nothing but what it needs, from 3 on: a box's or a bus's descriptors are not the sink's. */
static void keep_only(const int *fds, int count)
{
	int kept[FDS_KEPT_MAX];
	for (int i = 0; i < count; i++)
		kept[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 16);
	for (int i = 0; i < count; i++)
		if (kept[i] >= 0)
			dup2(kept[i], 3 + i);
		else
			close(3 + i);
	close_range(3 + (unsigned)count, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN); /* of a terminal: whoever started it tells it to stop */
	signal(SIGCHLD, SIG_DFL);
}

/* `outside` is where an egress connects from, or -1. */
_Noreturn static void child(int control, int netns, int outside, const struct sink_order *order,
			    const struct veil_key *key)
{
	int pair[2] = {-1, -1};
	if (order->leaves && !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		pid_t pid = fork_plain();
		if (pid == 0) {
			struct egress_plan plan = order->egress;
			keep_only((const int[]){pair[1], outside}, 2);
			plan.netns = outside >= 0 ? 4 : -1;
			egress_process(3, &plan);
		}
	}
	if (pair[1] >= 0)
		close(pair[1]);
	keep_only((const int[]){control, netns, pair[0]}, 3);
	sink_process(3, 4, pair[0] >= 0 ? 5 : -1, order, key);
}

_Noreturn static void keeper(int fd, bool egress, pid_t parent)
{
	prctl(PR_SET_NAME, "kansoku-sinks");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN); /* children need no burial */
	signal(SIGINT, SIG_IGN);
	if (getppid() != parent)
		_exit(0);
	static const char refusal[] = "sink: this keeper lets nothing leave";
	const struct veil_key *key = veil_key_make();
	for (;;) {
		struct sink_order order;
		char letter = 0;
		int fds[3];
		ssize_t n = message_receive(fd, &letter, &order, sizeof order, fds, 3);
		if (n < 0)
			_exit(0);
		bool whole = n == sizeof order && fds[0] >= 0 && fds[1] >= 0;
		if (whole && order.leaves && !egress)
			message_send(fds[0], 'F', refusal, sizeof refusal - 1, NULL, 0);
		else if (whole && fork_plain() == 0)
			child(fds[0], fds[1], fds[2], &order, key);
		for (size_t i = 0; i < 3; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
}

int run_sink_keeper_open(struct run_sink_keeper **out, bool egress, struct fault *fault)
{
	int pair[2];
	struct run_sink_keeper *k = calloc(1, sizeof *k);
	if (!k || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		free(k);
		return fault_set(fault, ERR_SYSTEM, "sink: no keeper: %s", strerror(errno));
	}
	const pid_t parent = getpid();
	k->pid = fork_plain();
	if (k->pid == 0) {
		int fd = fcntl(pair[1], F_DUPFD_CLOEXEC, 16);
		dup2(fd, 3);
		close_range(4, ~0u, 0);
		keeper(3, egress, parent);
	}
	close(pair[1]);
	k->fd = pair[0];
	if (k->pid < 0) {
		close(k->fd);
		free(k);
		return fault_set(fault, ERR_SYSTEM, "sink: no keeper: %s", strerror(errno));
	}
	*out = k;
	return 0;
}

void run_sink_keeper_close(struct run_sink_keeper *k)
{
	if (!k)
		return;
	close(k->fd);
	waitpid(k->pid, NULL, 0);
	free(k);
}

static int order_make(const struct run_sink_plan *plan, struct sink_order *out, struct fault *fault)
{
	*out = (struct sink_order){.time_ms = plan->time_ms, .served = plan->served != NULL, .leaves = plan->egress != NULL};
	if (!plan->egress)
		return 0;
	out->egress = *plan->egress;
	return egress_check(plan->egress, fault);
}

static int order_sink(struct run_sink *s, struct run_sink_keeper *k, int netns, struct fault *fault)
{
	int pair[2];
	struct sink_order order;
	int bad = order_make(&s->plan, &order, fault);
	if (bad)
		return bad;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fault_set(fault, ERR_SYSTEM, "sink: socketpair: %s", strerror(errno));
	s->fd = pair[0];
	const int outside = order.leaves ? order.egress.netns : -1;
	if (k) {
		const int fds[] = {pair[1], netns, outside};
		bad = message_send(k->fd, 'O', &order, sizeof order, fds, outside >= 0 ? 3 : 2);
	} else {
		s->pid = fork_plain();
		if (s->pid == 0)
			child(pair[1], netns, outside, &order, veil_key_make());
		bad = s->pid < 0 ? ERR_SYSTEM : 0;
	}
	close(pair[1]);
	return bad ? fault_set(fault, bad, "sink: it could not be started: %s", strerror(errno)) : 0;
}

static bool wait_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n;
	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static int take_ready(struct run_sink *s, struct fault *fault)
{
	char letter = 0;
	char why[sizeof fault->text] = "";
	int fd = -1;
	if (!wait_readable(s->fd, START_MS_MAX))
		return fault_set(fault, ERR_TIMEOUT, "sink: it did not begin within %d s", START_MS_MAX / 1000);
	ssize_t n = message_receive(s->fd, &letter, why, sizeof why - 1, &fd, 1);
	struct stat st;
	if (n < 0 || letter != 'R' || fd < 0) {
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "%s", n > 0 ? why : "sink: it ended before it began");
	}
	int seals = fcntl(fd, F_GET_SEALS);
	void *at = MAP_FAILED;
	if (seals >= 0 && seals & F_SEAL_SHRINK && !fstat(fd, &st) && st.st_size == (off_t)SHARED_SIZE)
		at = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return fault_set(fault, ERR_SYSTEM, "sink: its memory cannot be shared: %s", strerror(errno));
	s->shared = at;
	return 0;
}

int run_sink_start(struct run_sink **out, struct run_sink_keeper *k, int netns, const struct run_sink_plan *plan,
		   struct fault *fault)
{
	struct run_sink fresh = {.fd = -1, .plan = *plan, .arena = ARENA(FINDINGS_MEMORY_MAX)};
	struct run_sink *s = malloc(sizeof *s);
	if (!s)
		return fault_set(fault, ERR_MEMORY, "sink: no memory");
	memcpy(s, &fresh, sizeof *s);
	int bad = order_sink(s, k, netns, fault);
	if (!bad)
		bad = take_ready(s, fault);
	if (bad) {
		run_sink_free(s);
		return bad;
	}
	*out = s;
	return 0;
}

int run_sink_fd(const struct run_sink *s) { return s->fd; }

static void answer_download(struct run_sink *s, struct bytes url)
{
	struct bytes content = {0};
	struct sink_content answer = {0};
	if (s->plan.served && s->plan.served(s->plan.arg, url, &content) && content.len <= SHARED_DOWNLOAD) {
		answer = (struct sink_content){true, content.len};
		if (content.len)
			memcpy(s->shared + SHARED_FINDINGS + SHARED_CAPTURE + SHARED_SECRETS, content.at, content.len);
	}
	if (message_send(s->fd, 'C', &answer, sizeof answer, NULL, 0))
		s->gone = true;
}

static void take_message(struct run_sink *s)
{
	char letter = 0, body[SINK_MESSAGE_MAX];
	ssize_t n = message_receive(s->fd, &letter, body, sizeof body, NULL, 0);
	if (n < 0) {
		s->gone = true;
	} else if (letter == 'D') {
		answer_download(s, (struct bytes){(const uint8_t *)body, (size_t)n});
	} else if (letter == 'E' && n == sizeof s->ended) {
		memcpy(&s->ended, body, sizeof s->ended);
		s->has_ended = true;
	}
}

int run_sink_turn(struct run_sink *s)
{
	while (!s->gone && !s->has_ended && wait_readable(s->fd, 0))
		take_message(s);
	return s->gone || s->has_ended ? ERR_GONE : 0;
}

static int read_findings(struct run_sink *s, struct fault *fault)
{
	const struct sink_ended e = s->ended;
	if (e.findings > SHARED_FINDINGS || e.capture > SHARED_CAPTURE || e.secrets > SHARED_SECRETS)
		return fault_set(fault, ERR_BAD, "sink: what it says it found does not fit");
	const struct bytes told = {s->shared, e.findings};
	int bad = pack_read(told, &s->arena, &s->findings);
	s->findings.capture = (struct bytes){s->shared + SHARED_FINDINGS, e.capture};
	s->findings.secrets = (struct bytes){s->shared + SHARED_FINDINGS + SHARED_CAPTURE, e.secrets};
	return bad ? fault_set(fault, bad, "sink: what it found cannot be read") : 0;
}

int run_sink_stop(struct run_sink *s, struct fault *fault)
{
	if (!s->has_ended && !s->gone)
		s->gone = message_send(s->fd, 'S', NULL, 0, NULL, 0) != 0;
	/* It may have ended by itself: what it said before lies in the socket. */
	while (!s->has_ended && wait_readable(s->fd, STOP_MS_MAX)) {
		s->gone = false;
		take_message(s);
		if (s->gone)
			break;
	}
	if (!s->has_ended)
		return fault_set(fault, s->gone ? ERR_GONE : ERR_TIMEOUT, "sink: it ended without a word of what it saw");
	return read_findings(s, fault);
}

const struct run_sink_findings *run_sink_findings(const struct run_sink *s) { return &s->findings; }

void run_sink_free(struct run_sink *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	if (s->shared)
		munmap(s->shared, SHARED_SIZE);
	arena_done(&s->arena);
	free(s);
}
