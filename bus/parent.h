/*
 * The parent of all processes: opens what needs rights, starts, links, restarts, stops.
 *
 * It parses the configuration and nothing from outside.  A process that dies is started
 * again after 0.1 s, doubling to 10 s while it keeps dying; its death and its return are
 * events (sensor.changed: crash, up).  SIGTERM or SIGINT stop in the order of dependence,
 * sensors first, the store last, so that nothing acknowledged is lost.
 */
#pragma once
#include "base/options.h"

struct parent_options {
	const char *config_file;
	struct bytes config_text;
	const struct config *config;
	const char *only; /* comma-separated roles, NULL: all that the configuration wants */
};

/* Runs until stopped: 0, or a negative error with a sentence. */
int parent_run(const struct parent_options *, struct fault *);

/* The section `run` of the configuration. */
struct run_options {
	const char *state;  /* directory */
	const char *sensor; /* name of this machine in events */
	bool sandbox;
	uint64_t uid_base;
};

/* Absolute path of the state directory that a configuration names; ERR_BAD when it is too long. */
int run_state_path(const struct config *, char *path, size_t n);
