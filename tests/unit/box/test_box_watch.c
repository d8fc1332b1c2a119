/* What a user of boxes does with one that runs: its calls, its network, its memory, its formats. */
#include "tests/unit/box/trial.h"
#include <arpa/inet.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* Lets every call go on and counts them by number, until the box has ended. */
static unsigned count_calls(struct trial *t, int number, int *first)
{
	unsigned count = 0;
	struct pollfd p[] = {{.fd = t->started.listener, .events = POLLIN}, {.fd = box_keeper_fd(t->keeper), .events = POLLIN}};
	while (poll(p, 2, TRIAL_MS_MAX) > 0 && !p[1].revents) {
		struct seccomp_notif n = {0};
		if (!(p[0].revents & POLLIN) || ioctl(p[0].fd, SECCOMP_IOCTL_NOTIF_RECV, &n))
			continue;
		struct seccomp_notif_resp r = {.id = n.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
		ioctl(p[0].fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
		*first = *first < 0 ? n.data.nr : *first;
		count += n.data.nr == number;
	}
	return count;
}

TEST(box_tells_the_calls_of_all_its_processes)
{
	static struct trial t;
	int first = -1;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "(/bin/true; (/bin/true)); exec /bin/true");
	t.plan.traced = true;
	CHECK_SAY(!trial_begin(&t), "%s", t.fault.text);
	bool listens = t.started.listener >= 0;
	unsigned count = count_calls(&t, SYS_execve, &first);
	bool ended = trial_wait(&t) == t.started.number;
	trial_end(&t);
	CHECK(listens && ended);
	CHECK_SAY(count == 4 && first == SYS_execve, "%u calls, the first of them %d", count, first);
}

TEST(box_tells_the_calls_that_its_plan_names)
{
	static struct trial t;
	static const char *const names[] = {"socket", "clone", "ioctl", "sendmsg", "execve", NULL};
	int first = -1;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "python3 -c 'import socket; socket.socket()'");
	t.plan.traced = true;
	t.plan.told = names;
	CHECK_SAY(!trial_begin(&t), "%s", t.fault.text);
	unsigned count = count_calls(&t, SYS_socket, &first);
	trial_wait(&t);
	trial_end(&t);
	CHECK_SAY(count >= 1, "%u", count);
}

/* In the sink's namespace: a UDP socket at its address, as a process of its own. */
static pid_t answer_in_sink(int sink, int port)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	struct fault fault = {0};
	struct sockaddr_in from, at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	socklen_t len = sizeof from;
	char text[64];
	if (box_join(sink, &fault))
		_exit(1);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (inet_pton(AF_INET, BOX_SINK_ADDRESS, &at.sin_addr) != 1 || bind(fd, (struct sockaddr *)&at, sizeof at))
		_exit(2);
	ssize_t n = recvfrom(fd, text, sizeof text, 0, (struct sockaddr *)&from, &len);
	_exit(n == 5 && !memcmp(text, "hello", 5) && sendto(fd, "there", 5, 0, (struct sockaddr *)&from, len) == 5 ? 0 : 3);
}

TEST(box_has_a_link_to_its_sink_and_no_other)
{
	static struct trial t;
	int ends[2], status = -1;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "exec python3 -c '\n"
		       "import socket\n"
		       "print([n for _, n in socket.if_nameindex()])\n"
		       "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		       "s.settimeout(5)\n"
		       "s.sendto(b\"hello\", (\"" BOX_SINK_ADDRESS "\", 5353))\n"
		       "print(s.recvfrom(64))'");
	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	t.plan.output = ends[1];
	t.plan.network = BOX_SINK;
	t.plan.held = true;
	t.plan.uid = 1000;
	CHECK_SAY(!trial_begin(&t), "%s", t.fault.text);
	pid_t sink = answer_in_sink(t.started.sink, 5353);
	usleep(100000);
	int bad = box_release(t.keeper, t.started.number);
	trial_wait(&t);
	kill(sink, t.result.status ? SIGKILL : 0);
	waitpid(sink, &status, 0);
	ssize_t n = read(ends[0], t.output, sizeof t.output - 1);
	trial_end(&t);
	close(ends[0]);
	close(ends[1]);
	CHECK(n > 0 && !bad && status == 0);
	CHECK_SAY(!strcmp(t.output, "['lo', 'eth0']\n(b'there', ('" BOX_SINK_ADDRESS "', 5353))\n"), "%s", t.output);
}

TEST(box_cannot_reach_what_leads_out)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "exec python3 -c '\n"
		       "import ctypes, os, socket\n"
		       "for f in (40, 38, 31, 16):\n"
		       "    try: socket.socket(f, socket.SOCK_RAW); print(f)\n"
		       "    except OSError as e: pass\n"
		       "c = ctypes.CDLL(None, use_errno=True)\n"
		       "for n in (425, 272, 165, 101+0, 321, 298, 308, 435, 317):\n"
		       "    if n != 101: print(n, c.syscall(n, 0x10000000, 0, 0, 0, 0), os.strerror(ctypes.get_errno()))\n'");
	trial_run(&t);
	trial_end(&t);
	CHECK_SAY(!strcmp(t.output, "16\n425 -1 Function not implemented\n272 -1 Operation not permitted\n"
				    "165 -1 Operation not permitted\n321 -1 Operation not permitted\n"
				    "298 -1 Operation not permitted\n308 -1 Operation not permitted\n"
				    "435 -1 Function not implemented\n317 -1 Operation not permitted\n"), "%s", t.output);
}

TEST(box_stands_still_and_goes_on)
{
	static struct trial t;
	char path[64], before[4096] = "", after[4096] = "";
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "i=0; while [ ! -e /stop ]; do i=$((i+1)); done");
	CHECK_SAY(!trial_begin(&t), "%s", t.fault.text);
	usleep(50000);
	int frozen = box_freeze(t.keeper, t.started.number, true);
	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)t.started.pid);
	for (int i = 0; i < 2 && !frozen; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		usleep(50000);
		ssize_t n = pread(fd, i ? after : before, sizeof before - 1, 0);
		close(fd);
		CHECK(n > 0);
	}
	int thawed = box_freeze(t.keeper, t.started.number, false);
	int fd = openat(t.started.root, "stop", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	close(fd);
	bool ended = trial_wait(&t) == t.started.number;
	trial_end(&t);
	if (frozen == ERR_MISSING)
		SKIP("no control group freezes here");
	CHECK(!frozen && !thawed && ended && fd >= 0);
	CHECK_SAY(!strcmp(before, after), "%s%s", before, after);
	CHECK(t.result.status == 0 && !t.result.limit[0]);
}

TEST(box_stops_when_told)
{
	static struct trial t;
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "sleep 100");
	CHECK_SAY(!trial_begin(&t), "%s", t.fault.text);
	int frozen = box_freeze(t.keeper, t.started.number, true);
	int bad = box_stop(t.keeper, t.started.number);
	bool ended = trial_wait(&t) == t.started.number;
	trial_end(&t);
	CHECK(!bad && ended && (!frozen || frozen == ERR_MISSING));
	CHECK(t.result.killed && !t.result.limit[0] && WTERMSIG(t.result.status) == SIGKILL);
}

TEST(box_says_what_keeps_it_from_starting)
{
	static struct trial t;
	static const char *const names[] = {"no_such_call", NULL};
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, "true");
	t.argv[0] = "/not/there";
	CHECK(trial_begin(&t) && strstr(t.fault.text, "/not/there: No such file"));
	t.argv[0] = "/bin/sh";
	t.plan.deny = names;
	CHECK(box_start(t.keeper, &t.plan, &t.started, &t.fault) && strstr(t.fault.text, "no_such_call"));
	t.plan.deny = NULL;
	t.plan.mounts[0].from = "/not/here";
	t.plan.mounts[0].optional = false;
	CHECK(box_start(t.keeper, &t.plan, &t.started, &t.fault) && strstr(t.fault.text, "/not/here: No such file"));
	t.plan.mounts[0].from = "/usr";
	t.plan.mounts[0].to = "/proc/not";
	CHECK(box_start(t.keeper, &t.plan, &t.started, &t.fault) && strstr(t.fault.text, "bwrap"));
	t.plan.mounts[0].to = "/usr";
	CHECK_SAY(!box_start(t.keeper, &t.plan, &t.started, &t.fault), "%s", t.fault.text);
	CHECK(trial_wait(&t) == t.started.number && t.result.status == 0);
	trial_end(&t);
}

TEST(box_starts_programs_of_another_machine)
{
	static struct trial t;
	static const char *const formats[] = {
		":arm:M::\\x7fELF\\x01\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x28\\x00:"
		"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:"
		"/usr/bin/qemu-arm-static:F", NULL};
	char folder[] = "/tmp/kansoku-box-XXXXXX", command[256], path[64];
	if (!trial_possible())
		SKIP("no boxes here");
	if (access("/usr/bin/arm-linux-gnueabi-gcc", X_OK) || access("/usr/bin/qemu-arm-static", X_OK))
		SKIP("no compiler or no emulator for arm");
	CHECK(mkdtemp(folder));
	chmod(folder, 0755);
	snprintf(path, sizeof path, "%s/seven", folder);
	snprintf(command, sizeof command, "echo 'int main(void) { return 7; }' | arm-linux-gnueabi-gcc -static -x c - -o %s", path);
	bool made = system(command) == 0;
	trial_plan(&t, NULL);
	t.argv[0] = "/s/seven", t.argv[1] = NULL;
	t.plan.mounts[0] = (struct box_mount){.from = folder, .to = "/s"};
	t.plan.mount_count = 1;
	t.plan.formats = formats;
	int bad = trial_begin(&t);
	bool ended = !bad && trial_wait(&t) == t.started.number;
	trial_end(&t);
	unlink(path);
	rmdir(folder);
	CHECK(made);
	CHECK_SAY(!bad, "%s", t.fault.text);
	CHECK_SAY(ended && WIFEXITED(t.result.status) && WEXITSTATUS(t.result.status) == 7, "%x", t.result.status);
}

TEST(box_twelve_at_once_each_with_its_own_answer)
{
	static struct trial t;
	uint64_t numbers[12];
	unsigned right = 0;
	char script[64];
	if (!trial_possible())
		SKIP("no boxes here");
	trial_plan(&t, script);
	CHECK(!box_keeper_open(&t.keeper, "/tmp", &t.fault));
	for (int i = 0; i < 12; i++) {
		struct box_started s;
		snprintf(script, sizeof script, "sleep 0.3; exit %d", 20 + i);
		CHECK_SAY(!box_start(t.keeper, &t.plan, &s, &t.fault), "%s", t.fault.text);
		numbers[i] = s.number;
		close(s.process);
		close(s.root);
	}
	for (int i = 0; i < 12; i++) {
		uint64_t number = trial_wait(&t);
		for (int j = 0; j < 12; j++)
			right += number == numbers[j] && WEXITSTATUS(t.result.status) == 20 + j;
	}
	box_keeper_close(t.keeper);
	CHECK_SAY(right == 12, "%u", right);
}
