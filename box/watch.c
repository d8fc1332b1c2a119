/* What the keeper does with a box that runs: limits, its end, and what is removed after it. */
#include "box/keeper_inner.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NS_PER_MS 1000000u
#define MET_NS (2000ull * NS_PER_MS) /* a limit that is met again and again for so long ends the box */
#define DEPTH_MAX 64

static void signal_to(int pidfd, int number)
{
	if (pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

/* It ends last: the kernel waits for all others of its namespace. */
static bool has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	return pidfd < 0 || poll(&p, 1, 0) == 1;
}

/* The first process is the parent of all that the program left behind. */
static bool has_others(const struct living *b)
{
	char path[64], text[32];
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)b->first_pid, (int)b->first_pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
	if (fd >= 0)
		close(fd);
	return n > 0;
}

static void meet(struct living *b, const char *limit)
{
	if (!b->result.limit[0])
		snprintf(b->result.limit, sizeof b->result.limit, "%s", limit);
}

/* What a program only ran into is told; it is ended for it when it keeps doing so. */
static bool keeps_on(struct living *b, bool met, struct met *m, const char *limit)
{
	const uint64_t now = keeper_now_ns();
	if (met) {
		meet(b, limit);
		m->first_ns = m->first_ns ? m->first_ns : now;
		m->last_ns = now;
	} else if (now - m->last_ns > MET_NS / 2) {
		m->first_ns = 0;
	}
	return met && now - m->first_ns >= MET_NS;
}

/* A folder that is the program's own: never through a link, never into what is mounted there. */
static int open_below(int folder, const char *name, uint64_t flags)
{
	const struct open_how how = {.flags = flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				     .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH};
	return (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
}

static uint64_t bytes_below(int folder, unsigned depth)
{
	uint64_t sum = 0;
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	for (struct dirent *e; d && (e = readdir(d));) {
		struct stat st;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		sum += (uint64_t)st.st_blocks * 512;
		int in = S_ISDIR(st.st_mode) && depth < DEPTH_MAX ? open_below(folder, e->d_name, O_PATH) : -1;
		if (in >= 0) {
			sum += bytes_below(in, depth + 1);
			close(in);
		}
	}
	if (d)
		closedir(d);
	return sum;
}

static bool is_full(int folder)
{
	struct statfs v;
	return folder >= 0 && fstatfs(folder, &v) == 0 && v.f_blocks && (v.f_bfree == 0 || v.f_ffree == 0);
}

static uint64_t bytes_used(int folder)
{
	struct statfs v;
	return folder < 0 || fstatfs(folder, &v) ? 0 : (uint64_t)(v.f_blocks - v.f_bfree) * (uint64_t)v.f_bsize;
}

/* What lies in /dev lies in a file system of its own. */
static uint64_t disk_used(const struct living *b)
{
	return (b->written ? bytes_below(b->tree, 0) : bytes_used(b->tree)) + bytes_used(b->dev);
}

static bool disk_is_full(const struct living *b)
{
	return b->result.disk_used >= b->limits.disk || (!b->written && is_full(b->tree)) || is_full(b->dev);
}

static void measure(struct keeper *k, struct living *b, struct cgroup_use *u)
{
	cgroup_use(&k->cgroups, &b->cgroup, u);
	if (!k->cgroups.memory || !k->cgroups.pids)
		tally_use(b, u);
	b->result.cpu_ms = u->cpu_ms > b->result.cpu_ms ? u->cpu_ms : b->result.cpu_ms;
	if (u->memory_peak > b->result.memory_peak)
		b->result.memory_peak = u->memory_peak;
	if (u->processes_peak > b->result.processes_peak)
		b->result.processes_peak = u->processes_peak;
	if (b->tree >= 0)
		b->result.disk_used = disk_used(b);
}

static void watch_limits(struct keeper *k, struct living *b)
{
	struct cgroup_use u;
	const uint64_t now = keeper_now_ns();
	measure(k, b, &u);
	b->result.time_ms = (now - b->started_ns) / NS_PER_MS;
	if (u.memory_met)
		living_end(k, b, "memory");
	else if (keeps_on(b, u.forks_refused > b->forks_refused, &b->crowded, "processes"))
		living_end(k, b, "processes");
	else if (keeps_on(b, disk_is_full(b), &b->full, "disk"))
		living_end(k, b, "disk");
	else if (b->result.cpu_ms >= b->limits.cpu_ms)
		living_end(k, b, "cpu");
	else if (b->result.time_ms >= b->limits.time_ms)
		living_end(k, b, "time");
	b->forks_refused = u.forks_refused;
}

static void reap_program(struct living *b)
{
	int status = 0;
	if (b->program_gone || b->program <= 0 || waitpid(b->program, &status, WNOHANG) != b->program)
		return;
	b->program_gone = true;
	b->result.status = status;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		meet(b, "file");
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void finish(struct keeper *k, struct living *b)
{
	struct cgroup_use u;
	if (!has_ended(b->first) || (b->program > 0 && !b->program_gone))
		return;
	if (b->stage > 0 && waitpid(b->stage, NULL, WNOHANG) == 0)
		return;
	b->stage = 0;
	if (b->first_pid > 0)
		waitpid(b->first_pid, NULL, WNOHANG); /* left to us by bubblewrap */
	measure(k, b, &u);
	if (u.memory_met) { /* the kernel was faster than our watch */
		meet(b, "memory");
		b->result.killed |= WIFSIGNALED(b->result.status) && WTERMSIG(b->result.status) == SIGKILL;
	}
	if (u.forks_refused)
		meet(b, "processes");
	if (cgroup_remove(&k->cgroups, &b->cgroup))
		return;
	b->life = LIFE_ENDED;
}

void living_watch(struct keeper *k, struct living *b)
{
	reap_program(b);
	if (b->life == LIFE_RUNS && b->program_gone && !has_others(b)) {
		b->result.time_ms = (keeper_now_ns() - b->started_ns) / NS_PER_MS;
		living_end(k, b, NULL);
		b->result.killed = false;
	} else if (b->life == LIFE_RUNS && !b->frozen) {
		watch_limits(k, b);
	}
	if (b->life == LIFE_ENDING)
		finish(k, b);
}

void living_end(struct keeper *k, struct living *b, const char *limit)
{
	if (b->life != LIFE_RUNS)
		return;
	if (limit) { /* what ended it is more than what it met before */
		b->result.limit[0] = '\0';
		meet(b, limit);
	}
	b->result.killed = true;
	b->life = LIFE_ENDING;
	close_one(&b->gate); /* nobody waits there any more */
	signal_to(b->program_fd, SIGKILL);
	signal_to(b->first, SIGKILL);
	signal_to(b->stage_fd, SIGKILL);
	if (b->cgroup.name[0]) {
		cgroup_freeze(&k->cgroups, &b->cgroup, false); /* version 1 kills nobody who is frozen */
		cgroup_kill(&k->cgroups, &b->cgroup);
	}
}

/* Symbolic links are removed, never followed: the names are the program's. */
static void remove_below(int folder, unsigned depth)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !unlinkat(folder, e->d_name, 0))
			continue;
		int in = depth < DEPTH_MAX ? open_below(folder, e->d_name, O_RDONLY) : -1;
		if (in < 0)
			continue;
		remove_below(in, depth + 1);
		close(in);
		unlinkat(folder, e->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

void living_clear(struct keeper *k, struct living *b)
{
	(void)k;
	if (b->written && b->tree >= 0)
		remove_below(b->tree, 0);
	int *const all[] = {&b->stage_fd, &b->program_fd, &b->first, &b->gate, &b->channel,
			    &b->tree, &b->dev, &b->sink, &b->formats, &b->mounts};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		close_one(all[i]);
	*b = (struct living){0};
}
