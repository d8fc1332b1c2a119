/*
 * The stage: everything that the box will see is mounted here, in mounts of the stage's own, then
 * the stage becomes bubblewrap.
 *
 * /tmp of these mounts is one tree: `root` is the box's root directory, `up` and `work` hold what
 * the program writes over folders of the host, `over` is where these overlays are mounted.  The
 * tree is a tmpfs of the size that may be written, or the folder that the plan names.
 *
 * bubblewrap's child, when it has made its namespaces, reads from its --block-fd.  A seccomp filter
 * stops it there (the gate): the keeper hears of it, and since nobody ever answers it stays what it
 * is, the first process of the box.  Its children's ends are ignored, so orphans are reaped, and
 * when the keeper dies the gate opens onto a command that does not exist.
 */
#include "base/fork.h"
#include "box/keeper_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <grp.h>

#define TREE "/tmp"
#define GATE_FD 250
#define ARGUMENTS_FD 251
#define INODES_MAX 65536
#define STAGE_TEXT 512

struct stage {
	const struct box_plan *plan;
	const struct users *users;
	int channel;
	int namespace; /* of the box's users, where they are ranged */
	int sources[BOX_MOUNTS_MAX]; /* O_PATH */
	bool folder[BOX_MOUNTS_MAX], there[BOX_MOUNTS_MAX];
	struct writer arguments;
};

/* Into the pipe that the keeper reads when a start fails. */
static _Noreturn void give_up(const char *what, const char *which)
{
	dprintf(2, "%s%s%s: %s\n", what, which ? " " : "", which ? which : "", strerror(errno));
	_exit(1);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		give_up("cannot write", path);
	close(fd);
}

/* Without root, a namespace in which we are, and may mount: one user is enough for that. */
static void become_somebody(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare(CLONE_NEWUSER))
		give_up("no user namespace", NULL);
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
}

static void wait_for_keeper(const struct stage *s)
{
	char got = 0;
	if (pass_receive(s->channel, &got, 1, NULL, 0) != 1 || got != STAGE_GO)
		_exit(1);
}

static void own(const struct stage *s, const char *path)
{
	uint32_t id = s->users->ranged ? s->users->base : 0;
	if (s->users->ranged && lchown(path, id, id))
		give_up("cannot chown", path);
}

static void make_folder(const struct stage *s, const char *path, mode_t mode)
{
	if (mkdir(path, mode) && errno != EEXIST)
		give_up("cannot make", path);
	if (chmod(path, mode))
		give_up("cannot make", path);
	own(s, path);
}

static void open_sources(struct stage *s)
{
	for (size_t i = 0; i < s->plan->mount_count; i++) {
		const struct box_mount *m = &s->plan->mounts[i];
		struct stat st;
		s->sources[i] = -1;
		s->there[i] = true;
		s->folder[i] = true;
		if (!m->from)
			continue;
		s->sources[i] = open(m->from, O_PATH | O_CLOEXEC);
		if (s->sources[i] < 0 && m->optional) {
			s->there[i] = false;
			continue;
		}
		if (s->sources[i] < 0 || fstat(s->sources[i], &st))
			give_up("cannot open", m->from);
		s->folder[i] = S_ISDIR(st.st_mode);
	}
}

static void mount_tree(const struct stage *s)
{
	char options[STAGE_TEXT];
	if (s->plan->written) {
		int fd = open(s->plan->written, O_PATH | O_DIRECTORY | O_CLOEXEC);
		snprintf(options, sizeof options, "/proc/self/fd/%d", fd);
		if (fd < 0 || mount(options, TREE, NULL, MS_BIND, NULL))
			give_up("cannot use", s->plan->written);
		close(fd);
		if (chmod(TREE, 0711)) /* the box's users pass through it */
			give_up("cannot use", s->plan->written);
	} else {
		snprintf(options, sizeof options, "size=%llu,nr_inodes=%u,mode=0755",
			 (unsigned long long)s->plan->limits.disk, INODES_MAX);
		if (mount("box", TREE, "tmpfs", MS_NODEV | MS_NOSUID, options))
			give_up("cannot mount a tmpfs", NULL);
	}
	static const char *const parts[] = {TREE "/root", TREE "/up", TREE "/work", TREE "/over", TREE "/low"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		make_folder(s, parts[i], 0755);
	make_folder(s, TREE "/root/tmp", 01777);
}

/*
 * Under the tree's `low`, from its descriptor: its folders may be closed to the users of the box, or
 * lie under our own tree.  Where the file system can (Linux 5.12), the host's root is the box's.
 */
static void mount_source(const struct stage *s, size_t i, const char *to)
{
	const unsigned deep = AT_EMPTY_PATH | AT_RECURSIVE;
	struct mount_attr shift = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)s->namespace};
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	if (s->folder[i])
		make_folder(s, to, 0755);
	else
		close(open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	int tree = (int)syscall(SYS_open_tree, s->sources[i], "", deep | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		give_up("cannot bind", s->plan->mounts[i].from);
	if (s->users->ranged)
		syscall(SYS_mount_setattr, tree, "", deep, &shift, sizeof shift);
	if (syscall(SYS_mount_setattr, tree, "", deep, &read_only, sizeof read_only) && errno != ENOSYS)
		give_up("cannot protect", s->plan->mounts[i].from);
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH))
		give_up("cannot bind", s->plan->mounts[i].from);
	close(tree);
}

/* A file cannot be overlaid: the box gets a copy. */
static void copy_file(const struct stage *s, size_t i, const char *to)
{
	char from[64], block[65536];
	struct stat st;
	snprintf(from, sizeof from, "/proc/self/fd/%d", s->sources[i]);
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n = -1;
	if (in < 0 || out < 0 || fstat(in, &st))
		give_up("cannot copy", s->plan->mounts[i].from);
	while ((n = read(in, block, sizeof block)) > 0)
		if (write(out, block, (size_t)n) != n)
			give_up("cannot copy", s->plan->mounts[i].from);
	if (n < 0 || fchmod(out, st.st_mode & 07777))
		give_up("cannot copy", s->plan->mounts[i].from);
	close(in);
	close(out);
	own(s, to);
}

static void mount_overlay(const struct stage *s, size_t i, const char *low, const char *to)
{
	char up[64], work[64], options[STAGE_TEXT];
	snprintf(up, sizeof up, TREE "/up/%zu", i);
	snprintf(work, sizeof work, TREE "/work/%zu", i);
	make_folder(s, up, 0755);
	make_folder(s, work, 0755);
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s%s", low, up, work,
		 s->users->ranged ? "" : ",userxattr");
	if (mount("box", to, "overlay", MS_NODEV | MS_NOSUID, options))
		give_up("cannot overlay", s->plan->mounts[i].from);
}

static void say(struct stage *s, const char *argument)
{
	write_bytes(&s->arguments, argument, strlen(argument) + 1);
}

static void say_mount(struct stage *s, const char *how, const char *from, const char *to)
{
	say(s, how);
	say(s, from);
	say(s, to);
}

/* bubblewrap makes folders on the way to a mount for root alone; a box may have a plain user. */
static void make_way(const struct stage *s, const char *to)
{
	char path[STAGE_TEXT];
	if (!strncmp(to, "/proc/", 6) || !strncmp(to, "/dev/", 5))
		return;
	for (const char *at = strchr(to + 1, '/'); at && *to == '/'; at = strchr(at + 1, '/')) {
		snprintf(path, sizeof path, TREE "/root%.*s", (int)(at - to), to);
		if (access(path, F_OK))
			make_folder(s, path, 0755);
	}
}

static void mount_all(struct stage *s)
{
	for (size_t i = 0; i < s->plan->mount_count; i++) {
		const struct box_mount *m = &s->plan->mounts[i];
		char over[64], low[64];
		if (!s->there[i])
			continue;
		make_way(s, m->to);
		snprintf(over, sizeof over, TREE "/over/%zu", i);
		snprintf(low, sizeof low, TREE "/low/%zu", i);
		if (m->from && (s->folder[i] || !m->writable))
			mount_source(s, i, low);
		if (m->from && !m->writable) {
			say_mount(s, "--ro-bind", low, m->to);
			continue;
		}
		if (!s->folder[i])
			copy_file(s, i, over);
		else
			make_folder(s, over, strcmp(m->to, "/tmp") && strcmp(m->to, "/dev/shm") ? 0755 : 01777);
		if (s->folder[i] && m->from)
			mount_overlay(s, i, low, over);
		say_mount(s, "--bind", over, m->to);
	}
}

/* One's own user is root here already: bubblewrap keeps that. */
static void say_world(struct stage *s)
{
	static const char *const first[] = {"--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-net",
					    "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv"};
	for (size_t i = 0; i < sizeof first / sizeof *first; i++)
		say(s, first[i]);
	if (!s->users->ranged) /* another than root would be in a second one, see entrant.c */
		say(s, "--unshare-user");
	say(s, "--hostname");
	say(s, s->plan->host_name ? s->plan->host_name : "localhost");
	say_mount(s, "--bind", TREE "/root", "/");
	say(s, "--proc");
	say(s, "/proc");
	say(s, "--dev");
	say(s, "/dev");
}

static void write_map(pid_t pid, const char *which, uint32_t base)
{
	char path[64], text[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, which);
	snprintf(text, sizeof text, "0 %u %u", base, UID_SPAN);
	write_file(path, text);
}

/* Made by a child, which waits for its map and is not needed after that. */
static int make_users(uint32_t base)
{
	char path[64], one = 0;
	int ends[2], status;
	if (pipe2(ends, O_CLOEXEC))
		give_up("no pipe", NULL);
	pid_t pid = fork_plain();
	if (pid == 0) {
		one = (char)unshare(CLONE_NEWUSER);
		_exit(write(ends[1], &one, 1) == 1 && pause() ? 0 : 1);
	}
	if (pid < 0 || read(ends[0], &one, 1) != 1 || one)
		give_up("no user namespace", NULL);
	write_map(pid, "gid_map", base);
	write_map(pid, "uid_map", base);
	snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
	int namespace = open(path, O_RDONLY | O_CLOEXEC);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ends[0]);
	close(ends[1]);
	if (namespace < 0)
		give_up("no user namespace", NULL);
	return namespace;
}

static void take_users(const struct stage *s)
{
	if (!s->users->ranged)
		return;
	if (setgroups(0, NULL) || setns(s->namespace, CLONE_NEWUSER) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		give_up("cannot become the box's root", NULL);
}

/* `init` in the list of processes: the name under which it was started. */
static _Noreturn void become_bwrap(struct stage *s, int tree, int sink)
{
	char path[STAGE_TEXT];
	static const char *const argv[] = {"/sbin/init", "--args", "251", "/nothing", NULL};
	static const char *const env[] = {NULL};
	if (path_bwrap(path, sizeof path) || (symlink(path, TREE "/init") && errno != EEXIST))
		give_up("bubblewrap is not there", NULL);
	int args = memfd_create("arguments", 0), null = open("/dev/null", O_RDONLY);
	if (s->arguments.bad || write(args, s->arguments.start, writer_used(&s->arguments)) < 0 || lseek(args, 0, SEEK_SET))
		give_up("too many mounts", NULL);
	take_users(s);
	signal(SIGCHLD, SIG_IGN);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(1);
	int gate = filter_gate(GATE_FD);
	const int given[] = {gate, tree, sink};
	char ready = STAGE_READY;
	if (gate < 0 || pass_send(s->channel, &ready, 1, given, sink < 0 ? 2 : 3))
		give_up("no gate", NULL);
	dup2(args, ARGUMENTS_FD);
	dup2(null, GATE_FD);
	dup2(null, 0);
	dup2(2, 1);
	close_range(3, GATE_FD - 1, 0);
	close_range(ARGUMENTS_FD + 1, ~0u, 0);
	execve(TREE "/init", (char *const *)argv, (char *const *)env);
	give_up("cannot start", path);
}

_Noreturn void stage_run(const struct plan *plan, const struct users *users, int channel, int errors)
{
	static uint8_t room[PLAN_MAX];
	struct stage s = {.plan = &plan->box, .users = users, .channel = channel,
			  .arguments = writer_of(room, sizeof room)};
	int sink = -1;
	umask(022);
	dup2(errors, 2);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || chdir("/"))
		_exit(1);
	wait_for_keeper(&s);
	if (users->ranged)
		s.namespace = make_users(users->base);
	else
		become_somebody();
	if (unshare(CLONE_NEWNS | (plan->box.network == BOX_SINK ? CLONE_NEWNET : 0)))
		give_up("no namespaces", NULL);
	if (plan->box.network == BOX_SINK && (sink = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) < 0)
		give_up("no network namespace", NULL);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		give_up("mounts are shared", NULL);
	open_sources(&s);
	mount_tree(&s);
	int tree = open(TREE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	say_world(&s);
	mount_all(&s);
	say(&s, "--block-fd");
	say(&s, "250");
	become_bwrap(&s, tree, sink);
}
