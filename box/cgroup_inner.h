/*
 * Control groups of a box: one folder in each hierarchy that has a controller we need, version 1
 * or 2 or both beside each other (a machine may have its controllers in version 1 and an empty
 * version 2, which still freezes and kills).
 *
 * Folders are made beneath our own group, so limits that bind us bind boxes, too.  They carry the
 * keeper's pid in their name; who opens a keeper later removes those of keepers that are gone.
 */
#pragma once
#include "box/box.h"

#define CGROUP_HIERARCHIES_MAX 8
#define CGROUP_PATH_MAX 512

struct cgroup_hierarchy {
	bool second;                /* version 2 */
	bool memory, pids, cpu, cpuacct, freezer;
	char folder[2 * CGROUP_PATH_MAX]; /* where boxes' folders are made */
};

struct cgroups { /* what there is on this machine and may be used */
	struct cgroup_hierarchy at[CGROUP_HIERARCHIES_MAX];
	size_t count;
	bool memory, pids, cpu, cpuacct, freezer; /* in any of them */
};

struct cgroup { /* of one box */
	char name[64];
	int procs[CGROUP_HIERARCHIES_MAX]; /* cgroup.procs of each, for who enters */
	size_t count;
};

struct cgroup_use {
	uint64_t cpu_ms, memory, memory_peak, processes, processes_peak, forks_refused;
	bool memory_met; /* the kernel killed one of them for its memory */
};

void cgroups_find(struct cgroups *);
/* Removes what keepers that are gone left (`only` is 0), or what that one left; how many could not be removed. */
int cgroups_sweep(const struct cgroups *, pid_t only);
int cgroup_make(const struct cgroups *, struct cgroup *, const char *name, const struct box_limits *, struct fault *);
int cgroup_enter(const struct cgroups *, const struct cgroup *, pid_t);
void cgroup_use(const struct cgroups *, const struct cgroup *, struct cgroup_use *);
int cgroup_freeze(const struct cgroups *, const struct cgroup *, bool frozen);
/* All at once where the kernel can, else one by one until none is left. */
void cgroup_kill(const struct cgroups *, const struct cgroup *);
/* ERR_FULL: something lives in it yet. */
int cgroup_remove(const struct cgroups *, struct cgroup *);
