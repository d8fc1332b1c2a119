/* What this machine can do: a box is really started, and what would be missed in it is named. */
#include "box/cgroup_inner.h"
#include "box/box_inner.h"
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRY_MS_MAX 5000

static void lack(struct writer *w, const char *fmt, const char *which)
{
	if (writer_used(w))
		write_text(w, "; ");
	write_fmt(w, fmt, which);
}

static bool linux_from(unsigned major, unsigned minor)
{
	struct utsname u;
	unsigned is[2] = {0};
	return uname(&u) == 0 && sscanf(u.release, "%u.%u", &is[0], &is[1]) == 2 &&
	       (is[0] > major || (is[0] == major && is[1] >= minor));
}

static void close_given(const struct box_started *s)
{
	const int fds[] = {s->process, s->listener, s->sink, s->root};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* The same as for a sample: its calls told, and a sink; it is stopped before its first call. */
static bool try_one(struct fault *fault)
{
	static const char *const folders[] = {"/usr", "/bin", "/lib", "/lib64"};
	static const char *const argv[] = {"/bin/true", NULL};
	struct box_plan plan = {.name = "try", .argv = argv, .output = -1, .network = BOX_SINK, .traced = true,
				.limits = {.time_ms = TRY_MS_MAX}};
	struct box_keeper *keeper;
	struct box_started started;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		plan.mounts[plan.mount_count++] =
			(struct box_mount){.from = folders[i], .to = folders[i], .optional = true};
	if (box_keeper_open(&keeper, "/tmp", fault))
		return false;
	bool good = !box_start(keeper, &plan, &started, fault);
	if (good) {
		close_given(&started);
		box_clear(keeper, started.number);
	}
	box_keeper_close(keeper);
	return good;
}

bool box_possible(struct writer *lacks)
{
	char path[256];
	struct fault fault = {0};
	struct cgroups groups;
	if (path_bwrap(path, sizeof path)) {
		lack(lacks, "bubblewrap is not installed%s", "");
		return false;
	}
	if (!try_one(&fault)) {
		lack(lacks, "%s", fault.text);
		return false;
	}
	cgroups_find(&groups);
	if (!groups.memory || !groups.pids)
		lack(lacks, "no control groups may be made here, so memory is only watched%s", "");
	if (!groups.cpu)
		lack(lacks, "a box may take a processor whole%s", "");
	if (!linux_from(6, 7))
		lack(lacks, "programs of other processors need Linux 6.7 (binfmt_misc in user namespaces)%s", "");
	if (geteuid())
		lack(lacks, "a box has one user only, since we are not root%s", "");
	return true;
}
