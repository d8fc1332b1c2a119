/*
 * The entrant: enters the namespaces that bubblewrap made, forks the program there and ends.
 *
 * The program is the keeper's child (CLONE_PARENT), so its end is the keeper's to see; whatever the
 * program leaves behind becomes the child of the box's first process.
 */
#include "box/box_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMESPACES                                                                                  \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define CHANNEL_FD FILES_MAX /* beyond what the program may ever have open */

/* What root has in a box: that of a container, without anything that changes mounts or networks. */
static const unsigned kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID,
				CAP_SETUID, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SYS_CHROOT,
				CAP_MKNOD, CAP_AUDIT_WRITE, CAP_SETFCAP};

static _Noreturn void give_up(const struct entrance *e, const char *what, const char *which)
{
	struct entrant_said said = {.what = ENTRANT_FAULT};
	snprintf(said.why, sizeof said.why, "%s%s%s: %s", what, which ? " " : "", which ? which : "", strerror(errno));
	pass_send(e->channel, &said, sizeof said, NULL, 0);
	_exit(127);
}

/*
 * In mounts of our own that show the host, so that interpreters are found there.  The instance lives
 * as long as someone holds its mount; the keeper does, and the box does not see it.
 */
static void register_formats(const struct entrance *e)
{
	const char *const *line = e->plan->box.formats;
	static const char at[] = "/proc/sys/fs/binfmt_misc";
	struct entrant_said said = {.what = ENTRANT_FORMATS};
	if (!line || !*line)
		return;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		give_up(e, "no mounts of its own", NULL);
	if (mount("binfmt_misc", at, "binfmt_misc", 0, NULL))
		give_up(e, "no binfmt_misc of its own (Linux 6.7 has it)", NULL);
	int folder = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = open("/proc/sys/fs/binfmt_misc/register", O_WRONLY | O_CLOEXEC);
	for (; *line; line++)
		if (fd < 0 || write(fd, *line, strlen(*line)) < 0)
			give_up(e, "cannot register", *line);
	close(fd);
	if (folder < 0 || pass_send(e->channel, &said, sizeof said, &folder, 1))
		give_up(e, "cannot keep its formats", NULL);
	close(folder);
}

static void enter(const struct entrance *e)
{
	char self[] = "0";
	for (size_t i = 0; i < e->cgroup_count; i++)
		if (write(e->cgroups[i], self, 1) != 1)
			give_up(e, "cannot enter its cgroup", NULL);
	if (syscall(SYS_setns, e->first, CLONE_NEWUSER))
		give_up(e, "cannot enter its user namespace", NULL);
	setgroups(0, NULL); /* without root there are none to give */
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		give_up(e, "cannot be its user", NULL);
	register_formats(e);
	if (syscall(SYS_setns, e->first, NAMESPACES))
		give_up(e, "cannot enter its namespaces", NULL);
}

/* bubblewrap gives /dev the size of half the machine's memory. */
static void limit_dev(const struct entrance *e)
{
	char size[32];
	snprintf(size, sizeof size, "size=%llu", (unsigned long long)e->plan->box.limits.disk);
	if (mount(NULL, "/dev", NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, size))
		give_up(e, "cannot limit /dev", NULL);
}

static void set_limit(int which, rlim_t value)
{
	const struct rlimit r = {value, value};
	setrlimit(which, &r);
}

static void set_limits(const struct box_limits *l, bool pids)
{
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_FSIZE, l->file);
	set_limit(RLIMIT_NOFILE, FILES_MAX);
	set_limit(RLIMIT_MEMLOCK, 1 << 20);
	set_limit(RLIMIT_MSGQUEUE, 1 << 20);
	set_limit(RLIMIT_SIGPENDING, 4096);
	if (!pids) /* within a user namespace they are counted from Linux 5.14 on */
		set_limit(RLIMIT_NPROC, l->processes);
}

static void write_file(const struct entrance *e, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		give_up(e, "cannot write", path);
	close(fd);
}

/* The one user that we have here is called as the plan says, in a namespace of the program's own. */
static void rename_user(const struct entrance *e)
{
	char map[64];
	snprintf(map, sizeof map, "%u 0 1", e->plan->box.uid);
	if (unshare(CLONE_NEWUSER) || prctl(PR_SET_DUMPABLE, 1))
		give_up(e, "no user namespace for its user", NULL);
	write_file(e, "/proc/self/setgroups", "deny");
	write_file(e, "/proc/self/uid_map", map);
	write_file(e, "/proc/self/gid_map", map);
	prctl(PR_SET_DUMPABLE, 0);
}

static void drop_rights(const struct entrance *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {0};
	uint64_t keep = 0;
	if (!e->users->ranged && e->plan->box.uid)
		rename_user(e);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		keep |= (uint64_t)1 << kept[i];
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(keep >> cap & 1) || e->plan->box.uid)
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (e->plan->box.uid) {
		uid_t uid = e->plan->box.uid;
		if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			give_up(e, "cannot be its user", NULL);
		keep = 0;
	}
	for (unsigned i = 0; i < 2; i++)
		sets[i].permitted = sets[i].effective = (uint32_t)(keep >> 32 * i);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, sets) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		give_up(e, "cannot give its rights away", NULL);
}

static void place_descriptors(struct entrance *e)
{
	const struct box_plan *p = &e->plan->box;
	int high[BOX_FDS_MAX], output = p->output;
	set_limit(RLIMIT_NOFILE, FILES_MAX + 2);
	if (dup3(e->channel, CHANNEL_FD, O_CLOEXEC) < 0)
		give_up(e, "too few descriptors are allowed", NULL);
	e->channel = CHANNEL_FD;
	for (size_t i = 0; i < p->fd_count; i++) /* away from where they will be */
		high[i] = fcntl(p->fds[i], F_DUPFD, 3 + BOX_FDS_MAX + 64);
	output = output < 0 ? -1 : fcntl(output, F_DUPFD, 3 + BOX_FDS_MAX + 64);
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(output < 0 ? null : output, 1);
	dup2(output < 0 ? null : output, 2);
	for (size_t i = 0; i < p->fd_count; i++)
		if (dup2(high[i], 3 + (int)i) < 0)
			give_up(e, "a descriptor is not open", NULL);
	close_range(3 + (unsigned)p->fd_count, CHANNEL_FD - 1, 0);
	close_range(CHANNEL_FD + 1, ~0u, 0);
}

static _Noreturn void be_the_program(struct entrance *e)
{
	const struct box_plan *p = &e->plan->box;
	static const char *const nothing[] = {NULL};
	struct fault fault = {0};
	struct entrant_said said = {.what = ENTRANT_HOLD};
	char go = 0;
	setsid();
	place_descriptors(e);
	set_limits(&p->limits, e->pids);
	drop_rights(e);
	if (chdir(p->cwd ? p->cwd : "/"))
		give_up(e, "there is no folder", p->cwd);
	if (p->held && (pass_send(e->channel, &said, sizeof said, NULL, 0) ||
			pass_receive(e->channel, &go, 1, NULL, 0) != 1))
		_exit(127);
	int listener = filter_load(p, e->channel, &fault);
	if (fault.text[0]) {
		snprintf(said.why, sizeof said.why, "%.*s", WHY_MAX - 1, fault.text);
		said.what = ENTRANT_FAULT;
		pass_send(e->channel, &said, sizeof said, NULL, 0);
		_exit(127);
	}
	said.what = ENTRANT_LISTENER;
	if (listener >= 0 && pass_send(e->channel, &said, sizeof said, &listener, 1))
		_exit(127);
	if (listener >= 0)
		fcntl(listener, F_SETFD, FD_CLOEXEC);
	execve(p->argv[0], (char *const *)p->argv, (char *const *)(p->env ? p->env : nothing));
	give_up(e, "cannot start", p->argv[0]);
}

_Noreturn void entrant_run(const struct entrance *given)
{
	struct entrance e = *given;
	struct entrant_said said = {.what = ENTRANT_PID};
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0) || getppid() != e.keeper)
		_exit(1);
	enter(&e);
	limit_dev(&e);
	if (e.plan->box.network != BOX_NOTHING && link_raise(e.plan->box.network))
		give_up(&e, "its network does not come up", NULL);
	umask(022);
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0)
		give_up(&e, "cannot fork in it", NULL);
	if (pid == 0)
		be_the_program(&e);
	said.pid = (int32_t)pid;
	pass_send(e.channel, &said, sizeof said, NULL, 0);
	_exit(0);
}
