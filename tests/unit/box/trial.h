/* A box that a test starts, with the tree of this machine to be read in it, and what came of it. */
#pragma once
#include "box/box.h"
#include "tests/test.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL_OUTPUT_MAX 65536
#define TRIAL_MS_MAX 30000

struct trial {
	struct box_keeper *keeper;
	struct box_plan plan;
	struct box_started started;
	struct box_result result;
	struct fault fault;
	const char *argv[8];
	char output[TRIAL_OUTPUT_MAX];
};

/* Not by trying one: a box that does not start must be a failure here. */
static inline bool trial_possible(void)
{
	int status = 1;
	if (access("/usr/bin/bwrap", X_OK))
		return false;
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* The tree of this machine, to be read; the shell in it does what `script` says. */
static inline void trial_plan(struct trial *t, const char *script)
{
	static const char *const folders[] = {"/usr", "/lib", "/lib64", "/bin", "/etc"};
	*t = (struct trial){.plan = {.name = "unit", .output = -1, .argv = t->argv}};
	t->argv[0] = "/bin/sh", t->argv[1] = "-c", t->argv[2] = script;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		t->plan.mounts[t->plan.mount_count++] =
			(struct box_mount){.from = folders[i], .to = folders[i], .optional = true};
}

static inline uint64_t trial_wait(struct trial *t)
{
	struct pollfd p = {.fd = box_keeper_fd(t->keeper), .events = POLLIN};
	return poll(&p, 1, TRIAL_MS_MAX) == 1 ? box_ended(t->keeper, &t->result) : 0;
}

static inline int trial_begin(struct trial *t)
{
	int bad = box_keeper_open(&t->keeper, "/tmp", &t->fault);
	return bad ? bad : box_start(t->keeper, &t->plan, &t->started, &t->fault);
}

static inline void trial_close(struct trial *t)
{
	const int fds[] = {t->started.process, t->started.listener, t->started.sink, t->started.root};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static inline void trial_end(struct trial *t)
{
	trial_close(t);
	box_clear(t->keeper, t->started.number);
	box_keeper_close(t->keeper);
}

/* Starts it, waits for its end, keeps what it wrote. */
static inline void trial_run(struct trial *t)
{
	int ends[2];
	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	t->plan.output = ends[1];
	int bad = trial_begin(t);
	close(ends[1]);
	CHECK_SAY(!bad, "%s", t->fault.text);
	CHECK(trial_wait(t) == t->started.number);
	ssize_t n = 0, got;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while ((got = read(ends[0], t->output + n, TRIAL_OUTPUT_MAX - 1 - (size_t)n)) > 0)
		n += got;
	t->output[n] = '\0';
	close(ends[0]);
}
