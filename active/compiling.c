#include "active/compiling.h"
#include "base/log.h"
#include "base/sandbox.h"
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	BEGINS_AFTER_S = 20, /* so that a start is not slowed, and a short run not at all */
	CPU_S_MAX = 600,
};

/* The folder is the role's own, and so is who writes there. */
static bool become_owner(const char *folder)
{
	struct stat st;
	if (geteuid() != 0)
		return true;
	return stat(folder, &st) == 0 && setgroups(0, NULL) == 0 && setgid(st.st_gid) == 0 &&
	       setuid(st.st_uid) == 0;
}

static void compile_and_end(struct identify *id, const char *folder, bool sandboxed, pid_t parent)
{
	const struct sandbox_path only = {folder, true};
	const struct rlimit cpu = {CPU_S_MAX, CPU_S_MAX};
	struct fault fault;
	for (int s = 1; s < 32; s++)
		signal(s, SIG_DFL);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	setrlimit(RLIMIT_CPU, &cpu);
	prctl(PR_SET_NAME, "compiling");
	setpriority(PRIO_PROCESS, 0, 19);
	if (!become_owner(folder))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of uid has undone it */
	if (getppid() != parent)
		_exit(1);
	if (sandboxed && sandbox_enter(SANDBOX_FILES | SANDBOX_PATHS, &only, 1, &fault) != 0)
		_exit(1);
	sleep(BEGINS_AFTER_S);
	_exit(identify_prefilter(id, folder, IDENTIFY_BUILD_NOW) != 0);
}

void compiling_begin(struct identify *id, const char *folder, bool sandboxed)
{
	pid_t parent = getpid();
	/* Nobody waits for it. */
	signal(SIGCHLD, SIG_IGN);
	pid_t child = fork();
	if (child < 0)
		log_warning("prober: no process to compile fingerprints: every rule is tried");
	if (child != 0)
		return;
	compile_and_end(id, folder, sandboxed, parent);
}
