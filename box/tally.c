/*
 * What the kernel's control groups would do, for who may not make any: all processes of a box, found
 * from its first one down, are counted by what /proc says of them.
 *
 * It is a watch, not a wall: between two looks a box may go beyond.  The number of processes is a
 * wall all the same (RLIMIT_NPROC counts within a user namespace from Linux 5.14 on).
 */
#include "box/keeper_inner.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROCESSES_MAX 4096
#define TEXT_MAX 16384

struct walk {
	pid_t found[PROCESSES_MAX];
	size_t count;
};

static ssize_t read_of(pid_t pid, const char *file, char *text, size_t n)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, n - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got;
}

static void note(struct walk *w, pid_t pid)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->found[i] == pid)
			return;
	if (w->count < PROCESSES_MAX)
		w->found[w->count++] = pid;
}

/* Children of every thread: any of them may have forked. */
static void walk_box(const struct living *b, struct walk *w)
{
	char text[TEXT_MAX], file[64];
	w->count = 0;
	note(w, b->first_pid);
	if (b->program > 0 && !b->program_gone)
		note(w, b->program);
	for (size_t i = 0; i < w->count; i++) {
		snprintf(file, sizeof file, "task/%d/children", (int)w->found[i]);
		read_of(w->found[i], file, text, sizeof text);
		for (char *at = text; *at; at += *at != '\0') {
			char *end;
			long pid = strtol(at, &end, 10);
			if (end == at)
				break;
			note(w, (pid_t)pid);
			at = end;
		}
	}
}

void tally_use(const struct living *b, struct cgroup_use *u)
{
	static struct walk w;
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), second = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t ticks = 0;
	walk_box(b, &w);
	*u = (struct cgroup_use){.processes = w.count - 1};
	for (size_t i = 1; i < w.count; i++) {
		char text[1024];
		unsigned long long resident = 0, shared = 0, user = 0, kernel = 0;
		long long user_of_dead = 0, kernel_of_dead = 0;
		if (read_of(w.found[i], "statm", text, sizeof text) > 0 &&
		    sscanf(text, "%*s %llu %llu", &resident, &shared) == 2 && resident > shared)
			u->memory += (resident - shared) * page;
		const char *after = read_of(w.found[i], "stat", text, sizeof text) > 0 ? strrchr(text, ')') : NULL;
		if (after && sscanf(after, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %lld %lld", &user,
				    &kernel, &user_of_dead, &kernel_of_dead) == 4)
			ticks += user + kernel + (uint64_t)user_of_dead + (uint64_t)kernel_of_dead;
	}
	u->cpu_ms = ticks * 1000 / second;
	u->memory_peak = u->memory;
	u->processes_peak = u->processes;
	u->memory_met = u->memory > b->limits.memory;
	/* A look costs less than a fork that is refused, so a box at its limit is one that was refused. */
	u->forks_refused = b->forks_refused + (u->processes + 1 >= b->limits.processes);
}

/* Until a look finds nobody new: who is stopped does not fork. */
int tally_stop(const struct living *b, bool stopped)
{
	static struct walk w;
	size_t before = 0;
	for (int round = 0; round < 8; round++) {
		walk_box(b, &w);
		for (size_t i = 1; i < w.count; i++)
			kill(w.found[i], stopped ? SIGSTOP : SIGCONT);
		if (w.count == before)
			break;
		before = w.count;
	}
	return 0;
}
