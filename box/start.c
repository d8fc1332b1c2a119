/* How the keeper starts a box: stage, gate, link, entrant; each step has its time. */
#include "base/fork.h"
#include "box/keeper_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int pidfd_of(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/* What the stage or bubblewrap wrote before it failed, as one line. */
static int stage_fault(int errors, struct fault *fault)
{
	char text[WHY_MAX];
	ssize_t n = 0, got;
	fcntl(errors, F_SETFL, O_NONBLOCK);
	while (n < (ssize_t)sizeof text - 1 && (got = read(errors, text + n, sizeof text - 1 - (size_t)n)) > 0)
		n += got;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	for (char *at = text; *at; at++)
		*at = *at == '\n' ? ' ' : *at;
	return fault_set(fault, ERR_SYSTEM, "box: %s", n ? text : "it did not start");
}

/* Waits for a word of the stage; false when it ended or took too long. */
static bool wait_for(int channel, char word, int *fds, size_t count)
{
	struct pollfd p = {.fd = channel, .events = POLLIN};
	char got = 0;
	return poll(&p, 1, START_MS_MAX) == 1 && pass_receive(channel, &got, 1, fds, count) == 1 && got == word;
}

static int guide_stage(struct keeper *k, struct living *b, const struct plan *plan, int channel)
{
	char go = STAGE_GO;
	int given[3];
	if (cgroup_enter(&k->cgroups, &b->cgroup, b->stage) || pass_send(channel, &go, 1, NULL, 0) ||
	    !wait_for(channel, STAGE_READY, given, 3))
		return ERR_SYSTEM;
	b->gate = given[0];
	b->tree = given[1];
	b->sink = given[2];
	return b->gate >= 0 && (b->sink >= 0) == (plan->box.network == BOX_SINK) ? 0 : ERR_SYSTEM;
}

/* The first process of the box is the one that comes to the gate. */
static int wait_at_gate(struct living *b)
{
	struct pollfd p[] = {{.fd = b->gate, .events = POLLIN}, {.fd = b->stage_fd, .events = POLLIN}};
	struct seccomp_notif n = {0};
	if (poll(p, 2, START_MS_MAX) < 1 || !(p[0].revents & POLLIN) || ioctl(b->gate, SECCOMP_IOCTL_NOTIF_RECV, &n))
		return ERR_SYSTEM;
	b->first = pidfd_of((pid_t)n.pid);
	char path[64];
	snprintf(path, sizeof path, "/proc/%u/ns/mnt", n.pid);
	b->mounts = open(path, O_RDONLY | O_CLOEXEC);
	b->first_pid = (pid_t)n.pid;
	return b->first < 0 || b->mounts < 0 ? ERR_SYSTEM : 0;
}

static int start_stage(struct keeper *k, struct living *b, const struct plan *plan, const struct users *users,
		       struct fault *fault)
{
	int pair[2], errors[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) || pipe2(errors, O_CLOEXEC))
		return fault_set(fault, ERR_SYSTEM, "box: too few descriptors");
	b->stage = fork_plain();
	if (b->stage == 0) {
		close(pair[0]);
		stage_run(plan, users, pair[1], errors[1]);
	}
	close(pair[1]);
	close(errors[1]);
	int bad = b->stage < 0 || (b->stage_fd = pidfd_of(b->stage)) < 0 ? ERR_SYSTEM : 0;
	if (!bad)
		bad = guide_stage(k, b, plan, pair[0]);
	if (!bad)
		bad = wait_at_gate(b);
	if (bad && b->stage > 0)
		kill(b->stage, SIGKILL);
	if (bad)
		bad = stage_fault(errors[0], fault);
	close(pair[0]);
	close(errors[0]);
	return bad;
}

static int start_link(const struct living *b, struct fault *fault)
{
	char path[64];
	int status = 1;
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)b->first_pid);
	pid_t pid = fork_plain();
	if (pid == 0) {
		int network = open(path, O_RDONLY | O_CLOEXEC);
		_exit(network < 0 || box_join(b->sink, fault) || link_make(network) ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return fault_set(fault, ERR_SYSTEM, "box: no link to its sink could be made (veth)");
	return 0;
}

static int entrant_fault(const struct entrant_said *said, struct fault *fault)
{
	return fault_set(fault, ERR_SYSTEM, "box: %.*s", WHY_MAX - 1, said->what == ENTRANT_FAULT ? said->why : "it did not begin");
}

/* Until the program is where the plan wants it: held, traced before its first call, or running. */
static int guide_entrant(struct living *b, const struct box_plan *p, int *listener, struct fault *fault)
{
	for (;;) {
		struct pollfd wait = {.fd = b->channel, .events = POLLIN};
		struct entrant_said said = {0};
		int fd = -1;
		ssize_t n = poll(&wait, 1, START_MS_MAX) == 1 ? pass_receive(b->channel, &said, sizeof said, &fd, 1) : -1;
		if (n == 0 && b->program > 0)
			return 0; /* closed by execve() */
		if (n != (ssize_t)sizeof said || said.what == ENTRANT_FAULT)
			return entrant_fault(&said, fault);
		if (said.what == ENTRANT_PID)
			b->program = said.pid;
		else if (said.what == ENTRANT_FORMATS)
			b->formats = fd;
		else if (said.what == ENTRANT_LISTENER)
			*listener = fd;
		if (b->program > 0 && (said.what == ENTRANT_HOLD || *listener >= 0))
			return 0;
		if (said.what == ENTRANT_HOLD)
			b->result.killed = true; /* remembered until the pid is known */
		if (said.what == ENTRANT_PID && p->held && b->result.killed)
			return 0;
	}
}

static int start_entrant(struct keeper *k, struct living *b, const struct plan *plan, const struct users *users,
			 int *listener, struct fault *fault)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return fault_set(fault, ERR_SYSTEM, "box: too few descriptors");
	const struct entrance e = {.plan = plan, .users = users, .first = b->first, .channel = pair[1],
				   .keeper = k->self, .cgroups = b->cgroup.procs, .cgroup_count = b->cgroup.count, .pids = k->cgroups.pids};
	pid_t pid = fork_plain();
	if (pid == 0)
		entrant_run(&e);
	close(pair[1]);
	b->channel = pair[0];
	int bad = pid < 0 ? fault_set(fault, ERR_SYSTEM, "box: no process can be forked")
			  : guide_entrant(b, &plan->box, listener, fault);
	if (bad && pid > 0)
		kill(pid, SIGKILL);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	b->result.killed = false;
	if (!bad && (b->program_fd = pidfd_of(b->program)) < 0)
		bad = fault_set(fault, ERR_SYSTEM, "box: it ended before it began");
	return bad;
}

static void fill_limits(struct box_limits *l)
{
	l->memory = l->memory ? l->memory : 256u << 20;
	l->processes = l->processes ? l->processes : 256;
	l->time_ms = l->time_ms ? l->time_ms : 60000;
	l->cpu_ms = l->cpu_ms ? l->cpu_ms : l->time_ms;
	l->disk = l->disk ? l->disk : 64u << 20;
	l->file = l->file ? l->file : l->disk;
	l->cpus_percent = l->cpus_percent ? l->cpus_percent : 100;
}

int living_start(struct keeper *k, struct living *b, struct plan *plan, struct reply *r, int *listener, int *root)
{
	char name[64], path[64];
	const uint64_t began = keeper_now_ns();
	struct users users = {.ranged = geteuid() == 0};
	*b = (struct living){.life = LIFE_RUNS, .number = ++k->numbers, .written = plan->box.written != NULL,
			     .stage_fd = -1, .program_fd = -1, .first = -1, .gate = -1, .channel = -1, .tree = -1, .dev = -1,
			     .sink = -1, .formats = -1, .mounts = -1};
	users.base = 0x40000000u + (uint32_t)((uint64_t)k->self * 64 + b->number) % 8192 * UID_SPAN;
	fill_limits(&plan->box.limits);
	b->limits = plan->box.limits;
	snprintf(name, sizeof name, "%llu-%.20s", (unsigned long long)b->number, plan->box.name);
	int bad = filter_check(&plan->box, &r->fault);
	if (!bad)
		bad = cgroup_make(&k->cgroups, &b->cgroup, name, &b->limits, &r->fault);
	if (!bad)
		bad = start_stage(k, b, plan, &users, &r->fault);
	if (!bad && plan->box.network == BOX_SINK)
		bad = start_link(b, &r->fault);
	snprintf(path, sizeof path, "/proc/%d/root", (int)b->first_pid);
	if (!bad)
		*root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!bad && (*root < 0 || (b->dev = openat(*root, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0))
		bad = fault_set(&r->fault, ERR_SYSTEM, "box: its root cannot be seen: %s", strerror(errno));
	b->started_ns = keeper_now_ns();
	if (!bad)
		bad = start_entrant(k, b, plan, &users, listener, &r->fault);
	b->result.start_us = (keeper_now_ns() - began) / 1000;
	r->pid = (int32_t)b->program;
	r->number = b->number;
	return bad;
}
