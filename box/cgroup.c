#include "box/cgroup_inner.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "kansoku-box-"
#define FILE_MAX 4096
#define PERIOD_US 100000
#define KILL_ROUNDS 50

static int read_file(const char *folder, const char *name, const char *file, char *text, size_t n)
{
	char path[2 * CGROUP_PATH_MAX + 128];
	snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, n - 1);
	if (fd >= 0)
		close(fd);
	if (got < 0)
		return ERR_SYSTEM;
	text[got] = '\0';
	return 0;
}

static int write_file(const char *folder, const char *name, const char *file, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int write_file(const char *folder, const char *name, const char *file, const char *fmt, ...)
{
	char path[2 * CGROUP_PATH_MAX + 128], text[64];
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, (size_t)len) == len;
	if (fd >= 0)
		close(fd);
	return good ? 0 : ERR_SYSTEM;
}

/* A file of one number, or the number after `key` where there is one; 0 when it is not there. */
static uint64_t number_of(const char *folder, const char *name, const char *file, const char *key)
{
	char text[FILE_MAX];
	if (read_file(folder, name, file, text, sizeof text))
		return 0;
	if (!key)
		return strtoull(text, NULL, 10);
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		size_t n = strlen(key);
		if (!strncmp(line, key, n) && line[n] == ' ')
			return strtoull(line + n, NULL, 10);
	}
	return 0;
}

static bool has_word(const char *list, const char *word, char separator)
{
	size_t n = strlen(word);
	for (const char *at = list; (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == separator) && (at[n] == separator || at[n] == '\0' || at[n] == '\n'))
			return true;
	return false;
}

/* Our own path in the hierarchy that has this controller ("": version 2), from /proc/self/cgroup. */
static bool own_path(const char *controller, char *path, size_t n)
{
	char line[FILE_MAX];
	bool found = false;
	FILE *f = fopen("/proc/self/cgroup", "re");
	while (f && !found && fgets(line, sizeof line, f)) {
		char *list = strchr(line, ':'), *at = list ? strchr(list + 1, ':') : NULL;
		if (!at)
			continue;
		*at++ = '\0';
		at[strcspn(at, "\n")] = '\0';
		found = *controller ? has_word(list + 1, controller, ',') : list[1] == '\0';
		if (found)
			snprintf(path, n, "%s", at);
	}
	if (f)
		fclose(f);
	return found;
}

static bool may_make(const char *folder)
{
	struct stat st;
	return stat(folder, &st) == 0 && S_ISDIR(st.st_mode) && access(folder, W_OK) == 0;
}

/* In version 2 a folder's children have what its cgroup.subtree_control says. */
static bool gives_controllers(struct cgroup_hierarchy *h)
{
	char list[FILE_MAX];
	static const char *const wanted[] = {"+memory", "+pids", "+cpu"};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		write_file(h->folder, ".", "cgroup.subtree_control", "%s", wanted[i]);
	if (read_file(h->folder, ".", "cgroup.subtree_control", list, sizeof list))
		return false;
	h->memory = has_word(list, "memory", ' ');
	h->pids = has_word(list, "pids", ' ');
	h->cpu = has_word(list, "cpu", ' ');
	h->cpuacct = h->freezer = true; /* cpu.stat and cgroup.freeze are always there */
	return h->memory && h->pids;
}

/* A group with processes in it gives no controllers to its children, so the one above it may have to do. */
static bool find_second(struct cgroup_hierarchy *h, const char *mounted, const char *own)
{
	struct cgroup_hierarchy tried[3] = {0};
	for (size_t i = 0; i < 3; i++) {
		tried[i].second = true;
		snprintf(tried[i].folder, sizeof tried[i].folder, "%s%s", mounted, i < 2 ? own : "");
		if (i == 1) {
			char *last = strrchr(tried[i].folder, '/');
			if (last && (size_t)(last - tried[i].folder) >= strlen(mounted))
				*last = '\0';
		}
		if (may_make(tried[i].folder) && gives_controllers(&tried[i])) {
			*h = tried[i];
			return true;
		}
	}
	for (size_t i = 0; i < 3; i++)
		if (may_make(tried[i].folder)) {
			*h = tried[i];
			return true;
		}
	return false;
}

static bool find_first(struct cgroup_hierarchy *h, const char *mounted, const char *root, const char *options)
{
	static const char *const names[] = {"memory", "pids", "cpu", "cpuacct", "freezer"};
	bool *const has[] = {&h->memory, &h->pids, &h->cpu, &h->cpuacct, &h->freezer};
	char own[CGROUP_PATH_MAX] = "";
	bool any = false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		*has[i] = has_word(options, names[i], ',') && own_path(names[i], own, sizeof own);
		any = any || *has[i];
	}
	size_t skip = !strncmp(own, root, strlen(root)) && root[1] ? strlen(root) : 0;
	snprintf(h->folder, sizeof h->folder, "%s%s", mounted, strcmp(own + skip, "/") ? own + skip : "");
	return any && may_make(h->folder);
}

void cgroups_find(struct cgroups *all)
{
	char line[FILE_MAX], root[CGROUP_PATH_MAX], mounted[CGROUP_PATH_MAX], type[32], options[FILE_MAX];
	*all = (struct cgroups){0};
	FILE *f = fopen("/proc/self/mountinfo", "re");
	while (f && all->count < CGROUP_HIERARCHIES_MAX && fgets(line, sizeof line, f)) {
		const char *rest = strstr(line, " - ");
		struct cgroup_hierarchy h = {0};
		char own[CGROUP_PATH_MAX] = "";
		bool found = false;
		if (!rest || sscanf(line, "%*s %*s %*s %511s %511s", root, mounted) != 2 ||
		    sscanf(rest, " - %31s %*s %4095s", type, options) != 2)
			continue;
		if (!strcmp(type, "cgroup"))
			found = find_first(&h, mounted, root, options);
		else if (!strcmp(type, "cgroup2") && own_path("", own, sizeof own))
			found = find_second(&h, mounted, strcmp(own, "/") ? own : "");
		if (found)
			all->at[all->count++] = h;
	}
	if (f)
		fclose(f);
	for (size_t i = 0; i < all->count; i++) {
		all->memory |= all->at[i].memory;
		all->pids |= all->at[i].pids;
		all->cpu |= all->at[i].cpu;
		all->cpuacct |= all->at[i].cpuacct;
		all->freezer |= all->at[i].freezer;
	}
}

static void kill_in(const char *folder, const char *name)
{
	char text[FILE_MAX];
	for (int round = 0; round < KILL_ROUNDS; round++) {
		if (read_file(folder, name, "cgroup.procs", text, sizeof text) || !text[0])
			return;
		for (char *at = text; *at; at += *at != '\0') {
			long pid = strtol(at, &at, 10);
			if (pid > 1)
				kill((pid_t)pid, SIGKILL);
		}
		usleep(2000);
	}
}

static int remove_group(const char *folder, const char *name)
{
	char path[2 * CGROUP_PATH_MAX + 300];
	kill_in(folder, name);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return rmdir(path) && errno != ENOENT ? ERR_FULL : 0;
}

static bool is_of_the_dead(long keeper, pid_t only)
{
	return only ? keeper == only : keeper > 1 && kill((pid_t)keeper, 0) && errno == ESRCH;
}

int cgroups_sweep(const struct cgroups *all, pid_t only)
{
	int left = 0;
	for (size_t i = 0; i < all->count; i++) {
		DIR *d = opendir(all->at[i].folder);
		for (struct dirent *e; d && (e = readdir(d));)
			if (!strncmp(e->d_name, PREFIX, sizeof PREFIX - 1) &&
			    is_of_the_dead(strtol(e->d_name + sizeof PREFIX - 1, NULL, 10), only))
				left += remove_group(all->at[i].folder, e->d_name) != 0;
		if (d)
			closedir(d);
	}
	return left;
}

static void limit_first(const struct cgroup_hierarchy *h, const char *name, const struct box_limits *l)
{
	const char *const at = h->folder;
	unsigned long long memory = l->memory + l->disk; /* what is written lies in memory, too */
	if (h->memory) {
		write_file(at, name, "memory.limit_in_bytes", "%llu", memory);
		write_file(at, name, "memory.memsw.limit_in_bytes", "%llu", memory);
	}
	if (h->pids)
		write_file(at, name, "pids.max", "%llu", (unsigned long long)l->processes);
	if (h->cpu) {
		write_file(at, name, "cpu.cfs_period_us", "%d", PERIOD_US);
		write_file(at, name, "cpu.cfs_quota_us", "%llu", (unsigned long long)l->cpus_percent * PERIOD_US / 100);
	}
}

static void limit_second(const struct cgroup_hierarchy *h, const char *name, const struct box_limits *l)
{
	const char *const at = h->folder;
	if (h->memory) {
		write_file(at, name, "memory.max", "%llu", (unsigned long long)(l->memory + l->disk));
		write_file(at, name, "memory.swap.max", "0");
	}
	if (h->pids)
		write_file(at, name, "pids.max", "%llu", (unsigned long long)l->processes);
	if (h->cpu)
		write_file(at, name, "cpu.max", "%llu %d", (unsigned long long)l->cpus_percent * PERIOD_US / 100, PERIOD_US);
}

int cgroup_make(const struct cgroups *all, struct cgroup *g, const char *name, const struct box_limits *l,
		struct fault *fault)
{
	*g = (struct cgroup){0};
	snprintf(g->name, sizeof g->name, PREFIX "%d-%.30s", (int)getpid(), name);
	for (size_t i = 0; i < all->count; i++) {
		char path[2 * CGROUP_PATH_MAX + 128];
		const struct cgroup_hierarchy *h = &all->at[i];
		snprintf(path, sizeof path, "%s/%s", h->folder, g->name);
		if (mkdir(path, 0755) && errno != EEXIST) {
			int error = errno;
			cgroup_remove(all, g);
			return fault_set(fault, ERR_SYSTEM, "box: %s: %s", path, strerror(error));
		}
		(h->second ? limit_second : limit_first)(h, g->name, l);
		snprintf(path, sizeof path, "%s/%s/cgroup.procs", h->folder, g->name);
		g->procs[g->count++] = open(path, O_WRONLY | O_CLOEXEC);
	}
	return 0;
}

int cgroup_enter(const struct cgroups *all, const struct cgroup *g, pid_t pid)
{
	int bad = 0;
	for (size_t i = 0; i < all->count; i++)
		bad |= write_file(all->at[i].folder, g->name, "cgroup.procs", "%d", (int)pid);
	return bad;
}

static uint64_t larger(uint64_t a, uint64_t b) { return a > b ? a : b; }

static void use_first(const struct cgroup_hierarchy *h, const char *name, struct cgroup_use *u)
{
	if (h->memory) {
		u->memory = number_of(h->folder, name, "memory.usage_in_bytes", NULL);
		u->memory_peak = number_of(h->folder, name, "memory.max_usage_in_bytes", NULL);
		u->memory_met |= number_of(h->folder, name, "memory.oom_control", "oom_kill") > 0;
	}
	if (h->cpuacct)
		u->cpu_ms = number_of(h->folder, name, "cpuacct.usage", NULL) / 1000000;
}

static void use_second(const struct cgroup_hierarchy *h, const char *name, struct cgroup_use *u)
{
	if (h->memory) {
		u->memory = number_of(h->folder, name, "memory.current", NULL);
		u->memory_peak = number_of(h->folder, name, "memory.peak", NULL);
		u->memory_met |= number_of(h->folder, name, "memory.events", "oom_kill") > 0;
	}
	u->cpu_ms = larger(u->cpu_ms, number_of(h->folder, name, "cpu.stat", "usage_usec") / 1000);
}

void cgroup_use(const struct cgroups *all, const struct cgroup *g, struct cgroup_use *u)
{
	*u = (struct cgroup_use){0};
	for (size_t i = 0; i < all->count; i++) {
		const struct cgroup_hierarchy *h = &all->at[i];
		(h->second ? use_second : use_first)(h, g->name, u);
		if (!h->pids)
			continue;
		u->processes = number_of(h->folder, g->name, "pids.current", NULL);
		u->processes_peak = larger(u->processes, number_of(h->folder, g->name, "pids.peak", NULL));
		u->forks_refused = larger(u->forks_refused, number_of(h->folder, g->name, "pids.events", "max"));
	}
}

int cgroup_freeze(const struct cgroups *all, const struct cgroup *g, bool frozen)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct cgroup_hierarchy *h = &all->at[i];
		if (h->freezer && h->second)
			return write_file(h->folder, g->name, "cgroup.freeze", "%d", frozen);
		if (h->freezer)
			return write_file(h->folder, g->name, "freezer.state", "%s", frozen ? "FROZEN" : "THAWED");
	}
	return ERR_MISSING;
}

void cgroup_kill(const struct cgroups *all, const struct cgroup *g)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->at[i].second && !write_file(all->at[i].folder, g->name, "cgroup.kill", "1"))
			return;
	if (all->count)
		kill_in(all->at[0].folder, g->name);
}

int cgroup_remove(const struct cgroups *all, struct cgroup *g)
{
	int bad = 0;
	for (size_t i = 0; i < g->count; i++)
		if (g->procs[i] >= 0)
			close(g->procs[i]);
	g->count = 0;
	for (size_t i = 0; i < all->count && g->name[0]; i++) {
		char path[2 * CGROUP_PATH_MAX + 128];
		snprintf(path, sizeof path, "%s/%s", all->at[i].folder, g->name);
		if (rmdir(path) && errno == EBUSY)
			bad = ERR_FULL;
	}
	return bad;
}
