/*
 * Scripts that attackers upload to a web server and then call: webshells.
 *
 * Enough of PHP is understood to answer as such a script would: text outside <?php, echo of
 * literals, sums and digests (by which bots test an upload), parameters, variables, if, and the
 * functions that hand a command to the shell.  Commands are played by the device's shell
 * (passive/command.h) and told as command.sent; nothing is run.
 */
#pragma once
#include "passive/command.h"

#define SCRIPT_VARIABLES_MAX 8
#define SCRIPT_STEPS_MAX 2000 /* statements and terms of one call */
#define SCRIPT_DEPTH_MAX 16

struct script {
	struct session *session;
	struct command_shell **shell;
	struct bytes query, body, cookies, agent; /* where parameters come from, still encoded */
	struct bytes path;                        /* of the script, as the server sees it */
	struct writer *out;
	unsigned steps, depth;
	bool ended; /* by die() or exit() */
	struct {
		struct bytes name, value;
	} variables[SCRIPT_VARIABLES_MAX];
	size_t variable_count;
};

/* Plays a script of PHP. */
void script_run(struct script *, struct bytes source);
/* A script in another language: a parameter by a usual name is its command. */
void script_run_foreign(struct script *);
