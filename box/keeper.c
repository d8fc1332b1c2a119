/* The keeper: takes requests, watches its boxes, and ends with its user. */
#include "base/fork.h"
#include "box/keeper_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WATCH_MS 20
#define END_MS_MAX 5000

static volatile sig_atomic_t told_to_end;

static void end_soon(int signal_number)
{
	(void)signal_number;
	told_to_end = 1;
}

uint64_t keeper_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct living *find(struct keeper *k, uint64_t number)
{
	for (size_t i = 0; i < BOXES_MAX; i++)
		if (k->boxes[i].life && k->boxes[i].number == number)
			return &k->boxes[i];
	return NULL;
}

static struct living *find_free(struct keeper *k)
{
	for (size_t i = 0; i < BOXES_MAX; i++)
		if (!k->boxes[i].life)
			return &k->boxes[i];
	return NULL;
}

static int take_plan(struct plan *p, const int *fds)
{
	struct stat st;
	if (fds[0] < 0 || fstat(fds[0], &st) || st.st_size <= 0 || st.st_size > PLAN_MAX)
		return ERR_BAD;
	uint8_t *store = malloc((size_t)st.st_size);
	if (!store || pread(fds[0], store, (size_t)st.st_size, 0) != st.st_size) {
		free(store);
		return ERR_MEMORY;
	}
	int bad = plan_read(p, store, (size_t)st.st_size);
	if (bad)
		return bad;
	p->box.output = fds[1];
	for (size_t i = 0; i < p->box.fd_count; i++)
		p->box.fds[i] = fds[2 + i];
	return 0;
}

/* Nothing of a box that did not start is left: it is ended here, and waited for. */
static void undo(struct keeper *k, struct living *b)
{
	living_end(k, b, NULL);
	const uint64_t until = keeper_now_ns() + END_MS_MAX * 1000000ull;
	while (b->life != LIFE_ENDED && keeper_now_ns() < until) {
		living_watch(k, b);
		if (b->life != LIFE_ENDED)
			usleep(1000);
	}
	living_clear(k, b);
}

static void start(struct keeper *k, const int *fds)
{
	struct reply r = {0};
	struct plan plan = {0};
	int listener = -1, root = -1, given[REPLY_FDS];
	size_t count = 0;
	struct living *b = find_free(k);
	r.code = b ? take_plan(&plan, fds) : fault_set(&r.fault, ERR_FULL, "box: %d run already", BOXES_MAX);
	if (b && !r.code) {
		r.code = living_start(k, b, &plan, &r, &listener, &root);
		if (r.code)
			undo(k, b);
	}
	const int all[REPLY_FDS] = {b ? b->program_fd : -1, listener, b ? b->sink : -1, root};
	for (size_t i = 0; i < REPLY_FDS && !r.code; i++) {
		r.has[i] = all[i] >= 0;
		if (r.has[i])
			given[count++] = all[i];
	}
	pass_send(k->requests, &r, sizeof r, given, count);
	if (listener >= 0)
		close(listener);
	if (root >= 0)
		close(root);
	plan_done(&plan);
}

static void answer(struct keeper *k, int code)
{
	const struct reply r = {.code = code};
	pass_send(k->requests, &r, sizeof r, NULL, 0);
}

static int release(struct living *b)
{
	char go = 1;
	return b->channel >= 0 ? pass_send(b->channel, &go, 1, NULL, 0) : ERR_GONE;
}

static int freeze(struct keeper *k, struct living *b, bool frozen)
{
	if (b->life != LIFE_RUNS)
		return ERR_GONE;
	int bad = k->cgroups.freezer ? cgroup_freeze(&k->cgroups, &b->cgroup, frozen) : tally_stop(b, frozen);
	if (!bad)
		b->frozen = frozen;
	return bad;
}

static void take_request(struct keeper *k)
{
	struct request q = {0};
	int fds[2 + BOX_FDS_MAX];
	ssize_t n = pass_receive(k->requests, &q, sizeof q, fds, sizeof fds / sizeof *fds);
	if (n != (ssize_t)sizeof q) {
		told_to_end = 1; /* the user is gone */
		return;
	}
	struct living *b = find(k, q.number);
	if (q.op == REQUEST_START)
		start(k, fds);
	else if (!b)
		answer(k, ERR_MISSING);
	else if (q.op == REQUEST_RELEASE)
		answer(k, release(b));
	else if (q.op == REQUEST_FREEZE)
		answer(k, freeze(k, b, q.flag));
	else if (q.op == REQUEST_STOP) {
		living_end(k, b, NULL);
		answer(k, 0);
	} else if (q.op == REQUEST_CLEAR) {
		if (b->life != LIFE_ENDED)
			undo(k, b);
		else
			living_clear(k, b);
		answer(k, 0);
	}
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void watch_all(struct keeper *k)
{
	for (size_t i = 0; i < BOXES_MAX; i++) {
		struct living *b = &k->boxes[i];
		if (b->life != LIFE_RUNS && b->life != LIFE_ENDING)
			continue;
		living_watch(k, b);
		if (b->life != LIFE_ENDED)
			continue;
		const struct notice n = {.number = b->number, .result = b->result};
		pass_send(k->notices, &n, sizeof n, NULL, 0);
	}
}

static size_t gather(const struct keeper *k, struct pollfd *p, bool *busy)
{
	size_t n = 0;
	*busy = false;
	p[n++] = (struct pollfd){.fd = k->requests, .events = POLLIN};
	for (size_t i = 0; i < BOXES_MAX; i++) {
		const struct living *b = &k->boxes[i];
		*busy = *busy || b->life == LIFE_RUNS || b->life == LIFE_ENDING;
		if (b->life == LIFE_RUNS && !b->program_gone)
			p[n++] = (struct pollfd){.fd = b->program_fd, .events = POLLIN};
		else if (b->life == LIFE_ENDING)
			p[n++] = (struct pollfd){.fd = b->first, .events = POLLIN};
	}
	return n;
}

/* What a keeper that was killed leaves are empty control groups; this process outlives it to remove them. */
static _Noreturn void be_the_janitor(const struct keeper *k, int pipe_end)
{
	char none;
	prctl(PR_SET_NAME, "box-janitor");
	setsid();
	while (read(pipe_end, &none, 1) < 0 && errno == EINTR)
		;
	for (int i = 0; i < END_MS_MAX / 100; i++) {
		if (cgroups_sweep(&k->cgroups, k->self) == 0)
			break;
		usleep(100000);
	}
	_exit(0);
}

static void start_janitor(struct keeper *k)
{
	int ends[2];
	k->janitor = -1;
	if (k->cgroups.count == 0 || pipe2(ends, O_CLOEXEC))
		return;
	k->janitor_pid = fork_plain();
	if (k->janitor_pid == 0) {
		signal(SIGTERM, SIG_IGN);
		prctl(PR_SET_PDEATHSIG, 0);
		close_range(0, (unsigned)ends[0] - 1, 0);
		close_range((unsigned)ends[0] + 1, ~0u, 0);
		be_the_janitor(k, ends[0]);
	}
	close(ends[0]);
	k->janitor = ends[1];
}

_Noreturn void keeper_run(int requests, int notices)
{
	static struct keeper k;
	struct pollfd p[1 + BOXES_MAX];
	bool busy;
	const struct sigaction end = {.sa_handler = end_soon};
	k = (struct keeper){.requests = requests, .notices = notices, .self = getpid()};
	prctl(PR_SET_NAME, "box-keeper");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGTERM, &end, NULL);
	if (chdir("/"))
		_exit(1);
	cgroups_find(&k.cgroups);
	cgroups_sweep(&k.cgroups, 0);
	start_janitor(&k);
	while (!told_to_end) {
		size_t n = gather(&k, p, &busy);
		if (poll(p, n, busy ? WATCH_MS : -1) > 0 && p[0].revents)
			take_request(&k);
		watch_all(&k);
	}
	for (size_t i = 0; i < BOXES_MAX; i++)
		if (k.boxes[i].life == LIFE_RUNS || k.boxes[i].life == LIFE_ENDING)
			living_end(&k, &k.boxes[i], NULL); /* all at once, then one by one */
	for (size_t i = 0; i < BOXES_MAX; i++)
		if (k.boxes[i].life)
			undo(&k, &k.boxes[i]);
	close(k.janitor);
	waitpid(k.janitor_pid, NULL, 0);
	_exit(0);
}
