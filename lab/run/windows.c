#include "lab/run/windows.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAKE_MS_MAX 300000
#define MAKE_BYTES_MAX (2ull << 30)
#define OPEN_FOLDERS_MAX 32

static const char *const environment[] = {
	"WINEPREFIX=" WINDOWS_DRIVE, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree=;mshtml=;winemenubuilder.exe=;winedbg.exe=",
	"WINESERVER=/usr/lib/wine/wineserver64", "LANG=C.UTF-8", NULL};
const char *const *windows_environment(void) { return environment; }

static const char *const owned[] = {
	"", "/system.reg", "/user.reg", "/userdef.reg", "/.update-timestamp", "/dosdevices", "/drive_c",
	"/drive_c/ProgramData", "/drive_c/users", "/drive_c/users/root", "/drive_c/users/Public", "/drive_c/windows/temp", NULL};
const char *const *windows_owned(void) { return owned; }

bool windows_runs(const char *architecture)
{
	return !strcmp(architecture, "x86-64") && access(WINDOWS_LOADER, X_OK) == 0;
}

void windows_mounts(struct box_plan *box, const char *path)
{
	static const char *const read[] = {"/usr/lib/wine", "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/share/wine", "/lib64"};
	for (size_t i = 0; i < sizeof read / sizeof *read; i++)
		box->mounts[box->mount_count++] = (struct box_mount){.from = read[i], .to = read[i]};
	if (path)
		box->mounts[box->mount_count++] =
			(struct box_mount){.from = path, .to = WINDOWS_DRIVE, .writable = true};
}

/* Whoever may write to it decides what our samples meet, so it is ours alone. */
static int open_store(char path[WINDOWS_PATH_MAX], struct fault *fault)
{
	struct stat st;
	snprintf(path, WINDOWS_PATH_MAX, "/var/tmp/kansoku-wine-%u", geteuid());
	if (mkdir(path, 0700) && errno != EEXIST)
		return fault_set(fault, ERR_SYSTEM, "lab: %s: %s", path, strerror(errno));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || st.st_uid != geteuid() || (st.st_mode & 077)) {
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_DENIED, "lab: %s is not a folder of ours alone", path);
	}
	return fd;
}

/* What a box with users of its own wrote belongs to them; its root's become ours. */
static int take_over(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)type;
	(void)where;
	return st->st_uid == geteuid() || !lchown(path, geteuid(), getegid()) ? 0 : -1;
}

static bool wait_made(struct box_keeper *k, uint64_t number, struct box_result *result)
{
	struct pollfd p = {.fd = box_keeper_fd(k), .events = POLLIN};
	return poll(&p, 1, MAKE_MS_MAX + 10000) == 1 && box_ended(k, result) == number;
}

/* Wine asks for the name of its user, and falls when there is none. */
static int write_users(const char *path, struct fault *fault)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n";
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	bool good = fd >= 0 && write(fd, text, sizeof text - 1) == sizeof text - 1;
	if (fd >= 0)
		close(fd);
	return good ? 0 : fault_set(fault, ERR_SYSTEM, "lab: %s: %s", path, strerror(errno));
}

static int boot(struct box_keeper *k, const char *written, const char *made, struct fault *fault)
{
	static const char *const argv[] = {WINDOWS_LOADER, "wineboot.exe", "--init", NULL};
	struct box_plan plan = {.name = "wine", .argv = argv, .env = environment, .written = written, .output = -1,
				.limits = {.memory = WINDOWS_MEMORY, .time_ms = MAKE_MS_MAX, .disk = MAKE_BYTES_MAX,
					   .cpus_percent = 200}};
	struct box_started s;
	struct box_result result = {0};
	char from[WINDOWS_PATH_MAX + 64], users[WINDOWS_PATH_MAX + 64];
	snprintf(users, sizeof users, "%s.passwd", written);
	windows_mounts(&plan, NULL);
	plan.mounts[plan.mount_count++] = (struct box_mount){.from = users, .to = "/etc/passwd"};
	plan.mounts[plan.mount_count++] = (struct box_mount){.to = WINDOWS_DRIVE, .writable = true};
	const size_t last = plan.mount_count - 1;
	int bad = write_users(users, fault);
	if (!bad)
		bad = box_start(k, &plan, &s, fault);
	unlink(users);
	if (bad)
		return bad;
	close(s.process);
	close(s.root);
	snprintf(from, sizeof from, "%s/over/%zu", written, last);
	if (!wait_made(k, s.number, &result) || result.status)
		bad = fault_set(fault, ERR_SYSTEM, "lab: Wine could not make its C: (status %d%s%s)", result.status,
				result.limit[0] ? ", limit of " : "", result.limit);
	else if (nftw(from, take_over, OPEN_FOLDERS_MAX, FTW_PHYS) || rename(from, made))
		bad = fault_set(fault, ERR_SYSTEM, "lab: %s: %s", made, strerror(errno));
	box_clear(k, s.number);
	snprintf(from, sizeof from, "%s/wineserver", made); /* names a folder in that box' /tmp */
	if (!bad)
		unlink(from);
	return bad;
}

static int make(struct box_keeper *k, const char *store, const char *made, struct fault *fault)
{
	char written[WINDOWS_PATH_MAX + 32];
	static const char *const parts[] = {"root", "up", "work", "over", "low"};
	snprintf(written, sizeof written, "%s/new", store);
	if (mkdir(written, 0700) && errno != EEXIST)
		return fault_set(fault, ERR_SYSTEM, "lab: %s: %s", written, strerror(errno));
	int bad = boot(k, written, made, fault), folder = open(written, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; folder >= 0 && i < sizeof parts / sizeof *parts; i++)
		unlinkat(folder, parts[i], AT_REMOVEDIR);
	if (folder >= 0)
		close(folder);
	rmdir(written);
	return bad;
}

int windows_prepare(struct box_keeper *k, const char *architecture, char path[WINDOWS_PATH_MAX], struct fault *fault)
{
	char store[WINDOWS_PATH_MAX];
	if (strcmp(architecture, "x86-64"))
		return fault_set(fault, ERR_MISSING, "lab: Windows programs for \"%s\" are not run here, only those for x86-64; "
				 "an external sandbox can run them (kansoku sandbox)", architecture);
	if (access(WINDOWS_LOADER, X_OK))
		return fault_set(fault, ERR_MISSING, "lab: %s is missing, which runs Windows programs (Debian: wine64)", WINDOWS_LOADER);
	int folder = open_store(store, fault);
	if (folder < 0)
		return folder;
	snprintf(path, WINDOWS_PATH_MAX, "%.200s/c", store);
	flock(folder, LOCK_EX); /* two runs may be the first */
	int bad = access(path, F_OK) == 0 ? 0 : make(k, store, path, fault);
	close(folder);
	return bad;
}
