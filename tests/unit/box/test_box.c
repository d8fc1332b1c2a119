/* Boxes that really start: each runs a program of this machine and is looked at from outside. */
#include "box/box.h"
#include "tests/test.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536
#define END_MS_MAX 30000

struct trial {
	struct box_keeper *keeper;
	struct box_plan plan;
	struct box_started started;
	struct box_result result;
	struct fault fault;
	const char *argv[8];
	char output[OUTPUT_MAX];
};

static bool can_box(void)
{
	uint8_t room[1024];
	struct writer lacks = writer_of(room, sizeof room);
	return box_possible(&lacks);
}

/* The tree of this machine, to be read; the shell in it does what `script` says. */
static void plan_shell(struct trial *t, const char *script)
{
	static const char *const folders[] = {"/usr", "/lib", "/lib64", "/bin", "/etc"};
	*t = (struct trial){.plan = {.name = "unit", .output = -1, .argv = t->argv}};
	t->argv[0] = "/bin/sh", t->argv[1] = "-c", t->argv[2] = script;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		t->plan.mounts[t->plan.mount_count++] =
			(struct box_mount){.from = folders[i], .to = folders[i], .optional = true};
}

static uint64_t wait_end(struct trial *t)
{
	struct pollfd p = {.fd = box_keeper_fd(t->keeper), .events = POLLIN};
	return poll(&p, 1, END_MS_MAX) == 1 ? box_ended(t->keeper, &t->result) : 0;
}

static int begin(struct trial *t)
{
	int bad = box_keeper_open(&t->keeper, "/tmp", &t->fault);
	return bad ? bad : box_start(t->keeper, &t->plan, &t->started, &t->fault);
}

static void close_started(struct trial *t)
{
	const int fds[] = {t->started.process, t->started.listener, t->started.sink, t->started.root};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void finish(struct trial *t)
{
	close_started(t);
	box_clear(t->keeper, t->started.number);
	box_keeper_close(t->keeper);
}

/* Starts it, waits for its end, keeps what it wrote. */
static void run(struct trial *t)
{
	int ends[2];
	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	t->plan.output = ends[1];
	int bad = begin(t);
	close(ends[1]);
	CHECK_SAY(!bad, "%s", t->fault.text);
	CHECK(wait_end(t) == t->started.number);
	ssize_t n = 0, got;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while ((got = read(ends[0], t->output + n, OUTPUT_MAX - 1 - (size_t)n)) > 0)
		n += got;
	t->output[n] = '\0';
	close(ends[0]);
}

TEST(box_runs_a_program_and_says_how_it_ended)
{
	static struct trial t;
	if (!can_box())
		SKIP("no boxes here");
	plan_shell(&t, "echo here; id -u; hostname; exit 7");
	run(&t);
	finish(&t);
	CHECK_SAY(!strcmp(t.output, "here\n0\nlocalhost\n"), "%s (status %x, limit %s)", t.output, t.result.status, t.result.limit);
	CHECK(WIFEXITED(t.result.status) && WEXITSTATUS(t.result.status) == 7);
	CHECK(!t.result.limit[0] && !t.result.killed && t.result.start_us > 0);
}
