/* Programs that want more than they may have: what ends them, and that nothing of them stays. */
#include "tests/unit/box/trial.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static void check_limit(const char *script, const struct box_limits *limits, const char *wanted, bool ended)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, script);
	t.plan.limits = *limits;
	trial_run(&t);
	bool gone = kill(t.started.pid, 0) && errno == ESRCH;
	trial_end(&t);
	CHECK_SAY(!strcmp(t.result.limit, wanted), "\"%s\", not \"%s\": %s (status %x)", t.result.limit, wanted, t.output,
		  t.result.status);
	CHECK(t.result.killed == ended && gone);
}

TEST(box_ends_a_fork_bomb)
{
	check_limit("exec python3 -c '\nimport os\nwhile True:\n  try: os.fork()\n  except OSError: pass'", &(struct box_limits){.processes = 64, .time_ms = 20000},
		    "processes", true);
}

TEST(box_ends_a_memory_hog)
{
	check_limit("x=x; while :; do x=$x$x; done", &(struct box_limits){.memory = 32 << 20, .disk = 1 << 20}, "memory",
		    true);
}

TEST(box_ends_a_disk_filler_that_does_not_give_up)
{
	check_limit("while :; do cat /usr/bin/* >> /fill 2>/dev/null; sleep 0.05; done",
		    &(struct box_limits){.disk = 8 << 20, .time_ms = 20000}, "disk", true);
}

TEST(box_says_of_a_disk_that_was_full_once)
{
	check_limit("cat /usr/bin/* > /fill 2>/dev/null; sleep 0.2", &(struct box_limits){.disk = 8 << 20}, "disk", false);
}

TEST(box_fills_no_other_place_than_its_disk)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "for d in /dev /dev/shm /tmp /run /var; do mkdir -p $d; for f in 1 2 3; do "
		       "cat /usr/bin/* > $d/$f 2>/dev/null; done; done");
	t.plan.limits = (struct box_limits){.disk = 4 << 20, .memory = 64 << 20};
	trial_run(&t);
	trial_end(&t);
	/* The tree, and /dev, which is one of its own. */
	CHECK_SAY(!strcmp(t.result.limit, "disk") && t.result.disk_used <= 8 << 20, "%s %llu", t.result.limit,
		  (unsigned long long)t.result.disk_used);
}

TEST(box_ends_a_file_that_grows_too_long)
{
	check_limit("exec cat /usr/bin/* > /long", &(struct box_limits){.file = 1 << 20}, "file", false);
}

TEST(box_ends_who_takes_too_long)
{
	check_limit("sleep 60", &(struct box_limits){.time_ms = 300}, "time", true);
}

TEST(box_ends_who_takes_too_much_of_the_processor)
{
	check_limit("while :; do :; done", &(struct box_limits){.time_ms = 20000, .cpu_ms = 200}, "cpu", true);
}

/* Deaf to every signal that one can be deaf to, in a session of its own, and its first process gone. */
TEST(box_ends_who_refuses_to_die)
{
	check_limit("trap '' HUP INT TERM QUIT TSTP PIPE; (setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' &"
		    ") ; exit 0", &(struct box_limits){.time_ms = 500}, "time", true);
}

TEST(box_goes_on_until_the_last_process_ends)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "(setsid sh -c 'sleep 0.4; echo last' &); echo first; exit 3");
	trial_run(&t);
	trial_end(&t);
	CHECK_SAY(!strcmp(t.output, "first\nlast\n"), "%s", t.output);
	CHECK(WEXITSTATUS(t.result.status) == 3 && !t.result.limit[0] && !t.result.killed);
}

static bool become_nobody(void)
{
	return !setresgid(54321, 54321, 54321) && !setresuid(54321, 54321, 54321) && !prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* What an operator without root gets: the same box, with limits that the kernel or our own watch keeps. */
static void check_without_root(const char *script, const struct box_limits *limits, const char *wanted, const char *said)
{
	static struct trial t;
	int status = -1;
	if (!trial_possible())
		SKIP("no boxes here");
	pid_t pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && !become_nobody())
			_exit(2);
		trial_plan(&t, script);
		t.plan.limits = *limits;
		t.plan.uid = 1000;
		int file = memfd_create("output", MFD_CLOEXEC), bad = file < 0;
		t.plan.output = file;
		if (bad || trial_begin(&t) || !trial_wait(&t) || pread(file, t.output, sizeof t.output - 1, 0) < 0) {
			fprintf(stderr, "%s\n", t.fault.text);
			_exit(3);
		}
		trial_end(&t);
		if (strcmp(t.result.limit, wanted) || (said && strcmp(t.output, said)))
			fprintf(stderr, "\"%s\", %s\n", t.result.limit, t.output);
		_exit(strcmp(t.result.limit, wanted) || (said && strcmp(t.output, said)) ? 1 : 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

TEST(box_without_root_runs)
{
	check_without_root("id -u; touch /tmp/x && ls /tmp; touch /usr/x 2>/dev/null || echo not",
			   &(struct box_limits){.time_ms = 10000}, "", "1000\nx\nnot\n");
}

TEST(box_without_root_ends_a_fork_bomb)
{
	check_without_root("exec python3 -c '\nimport os\nwhile True:\n  try: os.fork()\n  except OSError: pass'",
			   &(struct box_limits){.time_ms = 15000, .processes = 64}, "processes", NULL);
}

TEST(box_without_root_ends_a_memory_hog)
{
	check_without_root("x=x; while :; do x=$x$x; done", &(struct box_limits){.time_ms = 15000, .memory = 32 << 20},
			   "memory", NULL);
}

static bool any_group(const char *folder, pid_t keeper)
{
	char prefix[64];
	bool found = false;
	DIR *d = opendir(folder);
	snprintf(prefix, sizeof prefix, "kansoku-box-%d-", (int)keeper);
	for (struct dirent *e; d && !found && (e = readdir(d));)
		found = !strncmp(e->d_name, prefix, strlen(prefix));
	if (d)
		closedir(d);
	return found;
}

/* Its keeper, as the parent of the program. */
static pid_t parent_of(pid_t pid)
{
	char path[64], text[512] = "";
	int parent = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	close(fd);
	const char *after = n > 0 ? strrchr(text, ')') : NULL;
	return after && sscanf(after, ") %*c %d", &parent) == 1 ? (pid_t)parent : -1;
}

static bool wait_gone(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	return poll(&p, 1, 10000) == 1;
}

static bool wait_no_group(pid_t keeper)
{
	for (int i = 0; i < 500; i++) {
		if (!any_group("/sys/fs/cgroup/memory", keeper) && !any_group("/sys/fs/cgroup/pids", keeper) &&
		    !any_group("/sys/fs/cgroup", keeper))
			return true;
		usleep(10000);
	}
	return false;
}

TEST(box_ends_with_its_keeper_when_that_is_killed)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "(setsid sh -c 'trap \"\" TERM; sleep 100' &); sleep 100");
	CHECK_SAY(!trial_begin(&t), "%s", t.fault.text);
	pid_t keeper = parent_of(t.started.pid);
	bool had = keeper > 1 && kill(keeper, SIGKILL) == 0;
	bool gone = wait_gone(t.started.process);
	bool clean = wait_no_group(keeper);
	trial_end(&t);
	CHECK(had && gone && clean);
}

TEST(box_ends_with_its_user_when_that_is_killed)
{
	static struct trial t;
	int pair[2];
	struct box_started started;
	if (!trial_possible())
		SKIP("no boxes here");
	CHECK(pipe2(pair, O_CLOEXEC) == 0);
	trial_plan(&t, "trap '' TERM HUP; while :; do sleep 1; done");
	pid_t user = fork();
	if (user == 0) {
		if (trial_begin(&t) || write(pair[1], &t.started, sizeof t.started) < 0)
			_exit(1);
		pause();
	}
	bool told = read(pair[0], &started, sizeof started) == (ssize_t)sizeof started;
	pid_t keeper = told ? parent_of(started.pid) : -1;
	kill(user, SIGKILL);
	waitpid(user, NULL, 0);
	bool gone = false;
	for (int i = 0; i < 500 && told && !gone; i++) {
		gone = kill(started.pid, 0) && kill(keeper, 0);
		usleep(10000);
	}
	bool clean = wait_no_group(keeper);
	close(pair[0]);
	close(pair[1]);
	CHECK(told && gone && clean);
}
