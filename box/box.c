/* The user's side: a keeper, and requests to it. */
#include "box/box_inner.h"
#include "base/fork.h"
#include "box/keeper_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct box_keeper {
	pid_t pid;
	int requests, notices;
};

int path_bwrap(char *path, size_t n)
{
	static const char *const folders[] = {"/usr/bin", "/usr/local/bin", "/bin"};
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(path, n, "%s/bwrap", folders[i]);
		if (access(path, X_OK) == 0)
			return 0;
	}
	return ERR_MISSING;
}

/* It keeps nothing of its user's but the two sockets, and ends with it. */
static _Noreturn void become_keeper(int requests, int notices, pid_t user)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != user)
		_exit(1);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	int low = fcntl(requests, F_DUPFD_CLOEXEC, 100), high = fcntl(notices, F_DUPFD_CLOEXEC, 100);
	if (low < 0 || high < 0)
		_exit(1);
	if (low > high) {
		const int swap = low;
		low = high, high = swap;
		close_range(3, (unsigned)low - 1, 0);
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
		close_range((unsigned)high + 1, ~0u, 0);
		keeper_run(high, low);
	}
	close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0u, 0);
	keeper_run(low, high);
}

int box_keeper_open(struct box_keeper **out, const char *scratch, struct fault *fault)
{
	int requests[2], notices[2];
	const pid_t user = getpid();
	(void)scratch;
	struct box_keeper *k = calloc(1, sizeof *k);
	if (!k)
		return fault_set(fault, ERR_MEMORY, "box: no memory for a keeper");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, requests))
		goto system;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, notices))
		goto close_requests;
	fflush(NULL);
	k->pid = fork_plain();
	if (k->pid == 0)
		become_keeper(requests[1], notices[1], user);
	close(requests[1]);
	close(notices[1]);
	if (k->pid < 0)
		goto close_all;
	k->requests = requests[0];
	k->notices = notices[0];
	*out = k;
	return 0;
close_all:
	close(notices[0]);
close_requests:
	close(requests[0]);
system:
	free(k);
	return fault_set(fault, ERR_SYSTEM, "box: no keeper: %s", strerror(errno));
}

void box_keeper_close(struct box_keeper *k)
{
	if (!k)
		return;
	close(k->requests);
	close(k->notices);
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(k);
}

int box_keeper_fd(const struct box_keeper *k) { return k->notices; }

uint64_t box_ended(struct box_keeper *k, struct box_result *result)
{
	struct notice n;
	struct pollfd p = {.fd = k->notices, .events = POLLIN};
	if (poll(&p, 1, 0) != 1 || pass_receive(k->notices, &n, sizeof n, NULL, 0) != (ssize_t)sizeof n)
		return 0;
	*result = n.result;
	return n.number;
}

static int ask(struct box_keeper *k, const struct request *q, const int *fds, size_t count, struct reply *r, int *got)
{
	const struct reply none = {.code = ERR_GONE};
	*r = none;
	if (pass_send(k->requests, q, sizeof *q, fds, count) ||
	    pass_receive(k->requests, r, sizeof *r, got, got ? REPLY_FDS : 0) != (ssize_t)sizeof *r)
		*r = none;
	return r->code;
}

static int ask_about(struct box_keeper *k, enum request_op op, uint64_t number, bool flag)
{
	struct reply r;
	return ask(k, &(struct request){.op = op, .flag = flag, .number = number}, NULL, 0, &r, NULL);
}

/* The plan as a file that has no name. */
static int plan_file(const struct box_plan *plan)
{
	uint8_t *store = malloc(PLAN_MAX);
	struct writer w = writer_of(store, store ? PLAN_MAX : 0);
	plan_write(&w, plan);
	int fd = w.bad ? -1 : memfd_create("plan", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, store, writer_used(&w)) != (ssize_t)writer_used(&w)) {
		close(fd);
		fd = -1;
	}
	free(store);
	return fd;
}

static int check_plan(const struct box_plan *p, struct fault *fault)
{
	if (!p->argv || !p->argv[0] || p->fd_count > BOX_FDS_MAX || p->mount_count > BOX_MOUNTS_MAX)
		return fault_set(fault, ERR_BAD, "box: nothing to start, or too much to take along");
	for (size_t n = 0; p->argv[n]; n++)
		if (n == BOX_ARGUMENTS_MAX)
			return fault_set(fault, ERR_FULL, "box: more than %d arguments", BOX_ARGUMENTS_MAX);
	for (const char *c = p->name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", *c))
			return fault_set(fault, ERR_BAD, "box: its name may have letters, digits and dashes");
	return 0;
}

int box_start(struct box_keeper *k, const struct box_plan *plan, struct box_started *out, struct fault *fault)
{
	int fds[2 + BOX_FDS_MAX], got[REPLY_FDS], null = -1;
	struct reply r;
	int bad = check_plan(plan, fault);
	if (bad)
		return bad;
	fds[0] = plan_file(plan);
	if (fds[0] < 0)
		return fault_set(fault, ERR_FULL, "box: the plan is too long");
	/* A descriptor must go in every place. */
	null = plan->output < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
	fds[1] = plan->output < 0 ? null : plan->output;
	for (size_t i = 0; i < plan->fd_count; i++)
		fds[2 + i] = plan->fds[i];
	bad = ask(k, &(struct request){.op = REQUEST_START}, fds, 2 + plan->fd_count, &r, got);
	close(fds[0]);
	if (null >= 0)
		close(null);
	if (bad)
		return fault_set(fault, bad, "%s", r.fault.text[0] ? r.fault.text : "box: its keeper is gone");
	int *const places[REPLY_FDS] = {&out->process, &out->listener, &out->sink, &out->root};
	for (size_t i = 0, at = 0; i < REPLY_FDS; i++)
		*places[i] = r.has[i] ? got[at++] : -1;
	out->number = r.number;
	out->pid = r.pid;
	return 0;
}

int box_release(struct box_keeper *k, uint64_t n) { return ask_about(k, REQUEST_RELEASE, n, false); }
int box_freeze(struct box_keeper *k, uint64_t n, bool frozen) { return ask_about(k, REQUEST_FREEZE, n, frozen); }
int box_stop(struct box_keeper *k, uint64_t n) { return ask_about(k, REQUEST_STOP, n, false); }
void box_clear(struct box_keeper *k, uint64_t n) { ask_about(k, REQUEST_CLEAR, n, false); }
