/*
 * The index, kept as new as the files that the configuration names, and as the file on disk.
 *
 * Reading feeds takes minutes the first time, so a thread does it; nothing of it is used before the
 * new index is complete and in its place.
 */
#pragma once
#include "analysis/exposure/settings_inner.h"
#include <sys/stat.h>
#include <uv.h>

#define UPDATE_FILES_MAX 1024
#define UPDATE_PATH_MAX 4096

struct updates {
	const struct exposure_options *options;
	char index_path[UPDATE_PATH_MAX];
	char *nvd[UPDATE_FILES_MAX]; /* files and directories, absolute */
	size_t nvd_count;
	char *kev;
	struct stat seen; /* the index that is open */
	uv_work_t work;
	bool working;
	void (*done)(struct updates *); /* on the loop's thread */
	void *arg;
	/* Of the last work. */
	struct weaknesses_counts counts;
	struct fault faults[4];
	size_t fault_count;
	bool changed;
};

/* Makes the paths absolute, while the process may still see them. */
int updates_open(struct updates *, const struct exposure_options *, const char *state, struct fault *);
void updates_close(struct updates *);
/* Starts the thread, unless there is nothing to read or it runs. */
void updates_begin(struct updates *, uv_loop_t *);
/* Opens the index if the file is another one than that which is open; true: `index` was replaced. */
bool updates_reopen(struct updates *, struct weaknesses **index, struct fault *);
