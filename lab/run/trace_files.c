/* What calls on files mean: files made, changed, deleted; places where a program stays; traces it removes. */
#include "lab/run/trace_inner.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Where what lies there is run again by itself; a path that ends in '*' stands for all that begin so. */
static const struct place {
	const char *path, *what;
} stays[] = {
	{"/etc/cron*", "cron"}, {"/var/spool/cron*", "cron"}, {"/etc/anacrontab", "cron"},
	{"/etc/init.d/*", "rc"}, {"/etc/rc*", "rc"}, {"/etc/inittab", "inittab"}, {"/etc/init/*", "upstart"},
	{"/etc/systemd/*", "systemd"}, {"/lib/systemd/*", "systemd"}, {"/usr/lib/systemd/*", "systemd"},
	{"/etc/profile*", "profile"}, {"/etc/bash.bashrc", "profile"}, {"/etc/environment", "profile"},
	{"~/.bashrc", "profile"}, {"~/.profile", "profile"}, {"~/.bash_profile", "profile"}, {"~/.bash_logout", "profile"},
	{"~/.config/systemd/*", "systemd"}, {"~/.config/autostart/*", "desktop"}, {"/etc/xdg/autostart/*", "desktop"},
	{"~/.ssh/authorized_keys*", "ssh key"}, {"/etc/ld.so.preload", "ld.so.preload"}, {"/etc/ld.so.conf*", "ld.so.preload"},
	{"/etc/passwd", "account"}, {"/etc/shadow", "account"}, {"/etc/sudoers*", "account"}, {"/etc/group", "account"},
	{"/etc/udev/rules.d/*", "udev"}, {"/etc/modules*", "module"}, {"/etc/xinetd.d/*", "inetd"}, {"/etc/inetd.conf", "inetd"},
	{"/etc/update-motd.d/*", "motd"}, {"/mnt/jffs2/*", "flash"}, {"/etc_ro/*", "flash"}, {"/mtd*", "flash"},
};

/* What somebody removes or empties who does not want to be found. */
static const struct place logs[] = {
	{"/var/log/*", "clears logs"}, {"/var/run/utmp", "clears logs"}, {"~/.bash_history", "clears history"},
	{"~/.ash_history", "clears history"}, {"~/.history", "clears history"},
};

/* Files whose writing turns something off, or on. */
static const struct place others[] = {
	{"/dev/watchdog*", "watchdog"}, {"/dev/misc/watchdog", "watchdog"}, {"/etc/resolv.conf", "resolver"},
	{"/etc/hosts", "hosts file"}, {"/etc/hosts.*", "hosts file"}, {"/proc/sys/*", "kernel setting"}, {"/sys/*", "kernel setting"},
};
#define FIND(list, path) place_find(list, sizeof list / sizeof *(list), path)

static const char *skip_home(const char *path)
{
	if (strncmp(path, "/root/", 6) == 0)
		return path + 5;
	if (strncmp(path, "/home/", 6) != 0)
		return NULL;
	return strchr(path + 6, '/');
}

static const char *place_find(const struct place *list, size_t count, const char *path)
{
	const char *const home = skip_home(path);
	for (size_t i = 0; i < count; i++) {
		const char *want = list[i].path, *have = path;
		if (*want == '~') {
			want++;
			have = home;
		}
		const size_t n = strlen(want);
		const bool all = want[n - 1] == '*';
		if (have && (all ? strncmp(have, want, n - 1) == 0 : strcmp(have, want) == 0))
			return list[i].what;
	}
	return NULL;
}

/* "/proc/117/fd/3" → "/proc/N/fd/3": a walk over all processes is one deed. */
static void shorten_process(const char *path, char out[TRACE_PATH_MAX])
{
	snprintf(out, TRACE_PATH_MAX, "%s", path);
	if (strncmp(path, "/proc/", 6) != 0)
		return;
	const size_t digits = strspn(path + 6, "0123456789");
	if (digits > 0 && (path[6 + digits] == '/' || path[6 + digits] == 0))
		snprintf(out, TRACE_PATH_MAX, "/proc/N%s", path + 6 + digits);
}

void trace_file(const struct call *c, const char *path, const char *what)
{
	char subject[TRACE_PATH_MAX];
	shorten_process(path, subject);
	observe(c->trace->plan.seen, DID_FILE, bytes_of_text(subject), what, c->by->boxed);
}

void trace_take(const struct call *c, const char *path)
{
	taken_take(c->trace->plan.taken, path);
}

static void tell(const struct call *c, enum behaviour_kind kind, const char *path, const char *what)
{
	if (what)
		observe(c->trace->plan.seen, kind, bytes_of_text(path), what, c->by->boxed);
}

static void written(const struct call *c, const char *path, const char *what)
{
	trace_file(c, path, what);
	taken_remember(c->trace->plan.taken, path);
	tell(c, DID_PERSIST, path, FIND(stays, path));
	tell(c, DID_OTHER, path, FIND(others, path));
	if (strncmp(path, "/proc/", 6) == 0 && strstr(path, "/oom_"))
		tell(c, DID_OTHER, "oom_score_adj", "does not want to be killed");
}

static void gone(const struct call *c, const char *path)
{
	trace_take(c, path);
	trace_file(c, path, "deleted");
	tell(c, DID_HIDE, path, FIND(logs, path));
	if (strcmp(path, c->trace->plan.sample) == 0)
		tell(c, DID_HIDE, path, "deletes its own file");
}

/* qemu asks for these itself before the sample's first instruction. */
static bool is_emulators(const struct call *c, const char *path)
{
	return c->by->emulated && (strcmp(path, "/proc/sys/vm/mmap_min_addr") == 0 || strcmp(path, "/proc/self/maps") == 0);
}

/* The loader of a dynamic program looks for its libraries in dozens of places. */
static bool is_loaders(const char *path)
{
	const bool library = strncmp(path, "/lib", 4) == 0 || strncmp(path, "/usr/lib", 8) == 0;
	return strcmp(path, "/etc/ld.so.cache") == 0 || (library && strstr(path, ".so"));
}

static void opened(struct call *c, int64_t directory, uint64_t address, uint64_t flags)
{
	char path[TRACE_PATH_MAX];
	if (!trace_path(c, directory, address, path) || is_emulators(c, path))
		return;
	if ((flags & O_ACCMODE) == O_RDONLY && !(flags & (O_CREAT | O_TRUNC))) {
		if (!(flags & O_DIRECTORY) && !is_loaders(path))
			trace_file(c, path, "read");
		return;
	}
	/* The descriptor of its own output and the like are no files. */
	if (strcmp(path, "/dev/null") == 0 || strcmp(path, "/dev/tty") == 0)
		return;
	const bool there = taken_exists(c->trace->plan.taken, path);
	if (there && flags & O_TRUNC)
		tell(c, DID_HIDE, path, FIND(logs, path));
	if (there || flags & O_CREAT)
		written(c, path, there ? "changed" : "created");
	else
		tell(c, DID_OTHER, path, FIND(others, path)); /* /dev/watchdog, where there is none */
}

static void told_open(struct call *c) { opened(c, AT_FDCWD, c->a[0], c->a[1]); }
static void told_openat(struct call *c) { opened(c, (int32_t)c->a[0], c->a[1], c->a[2]); }
static void told_creat(struct call *c) { opened(c, AT_FDCWD, c->a[0], O_CREAT | O_WRONLY | O_TRUNC); }

static void told_openat2(struct call *c)
{
	uint64_t flags = 0; /* the first member of struct open_how */
	if (trace_read(c, c->a[2], &flags, sizeof flags) == sizeof flags)
		opened(c, (int32_t)c->a[0], c->a[1], flags);
}

static void removed(struct call *c, int64_t directory, uint64_t address)
{
	char path[TRACE_PATH_MAX];
	if (trace_path(c, directory, address, path))
		gone(c, path);
}

static void told_unlink(struct call *c) { removed(c, AT_FDCWD, c->a[0]); }
static void told_unlinkat(struct call *c) { removed(c, (int32_t)c->a[0], c->a[1]); }

static void moved(struct call *c, int64_t from_directory, uint64_t from, int64_t to_directory, uint64_t to, bool stays_too)
{
	char path[TRACE_PATH_MAX];
	if (!stays_too && trace_path(c, from_directory, from, path))
		gone(c, path);
	if (trace_path(c, to_directory, to, path)) {
		trace_take(c, path);
		written(c, path, taken_exists(c->trace->plan.taken, path) ? "changed" : "created");
	}
}

static void told_rename(struct call *c) { moved(c, AT_FDCWD, c->a[0], AT_FDCWD, c->a[1], false); }
static void told_renameat(struct call *c) { moved(c, (int32_t)c->a[0], c->a[1], (int32_t)c->a[2], c->a[3], false); }
static void told_link(struct call *c) { moved(c, AT_FDCWD, c->a[0], AT_FDCWD, c->a[1], true); }
static void told_linkat(struct call *c) { moved(c, (int32_t)c->a[0], c->a[1], (int32_t)c->a[2], c->a[3], true); }
static void told_symlink(struct call *c) { moved(c, AT_FDCWD, 0, AT_FDCWD, c->a[1], true); }
static void told_symlinkat(struct call *c) { moved(c, AT_FDCWD, 0, (int32_t)c->a[1], c->a[2], true); }

static void made(struct call *c, int64_t directory, uint64_t address)
{
	char path[TRACE_PATH_MAX];
	if (trace_path(c, directory, address, path) && !taken_exists(c->trace->plan.taken, path))
		trace_file(c, path, "created");
}

static void told_make(struct call *c) { made(c, AT_FDCWD, c->a[0]); }
static void told_make_at(struct call *c) { made(c, (int32_t)c->a[0], c->a[1]); }

static void changed_mode(struct call *c, const char *path, uint64_t mode)
{
	trace_file(c, path, mode & 0111 ? "made executable" : "changed mode");
	if (mode & S_ISUID)
		tell(c, DID_PERSIST, path, "setuid");
}

static void told_chmod(struct call *c)
{
	char path[TRACE_PATH_MAX];
	if (trace_path(c, AT_FDCWD, c->a[0], path))
		changed_mode(c, path, c->a[1]);
}

static void told_fchmodat(struct call *c)
{
	char path[TRACE_PATH_MAX];
	if (trace_path(c, (int32_t)c->a[0], c->a[1], path))
		changed_mode(c, path, c->a[2]);
}

static void told_fchmod(struct call *c)
{
	char path[TRACE_PATH_MAX];
	if (trace_descriptor(c, (int)c->a[0], path))
		changed_mode(c, path, c->a[1]);
}

static void told_truncate(struct call *c) { opened(c, AT_FDCWD, c->a[0], O_WRONLY | O_TRUNC); }

static void dated(struct call *c, int64_t directory, uint64_t address, bool as_chosen)
{
	char path[TRACE_PATH_MAX];
	if (as_chosen && trace_path(c, directory, address, path))
		tell(c, DID_HIDE, path, "changes a file's date");
}

static void told_utime(struct call *c) { dated(c, AT_FDCWD, c->a[0], c->a[1] != 0); }
static void told_utimensat(struct call *c) { dated(c, (int32_t)c->a[0], c->a[1], c->a[1] != 0 && c->a[2] != 0); }

void (*trace_file_handler(int number))(struct call *)
{
	switch (number) {
	case SYS_open: return told_open;
	case SYS_openat: return told_openat;
	case SYS_openat2: return told_openat2;
	case SYS_creat: return told_creat;
	case SYS_unlink: return told_unlink;
	case SYS_unlinkat: return told_unlinkat;
	case SYS_rename: return told_rename;
	case SYS_renameat:
	case SYS_renameat2: return told_renameat;
	case SYS_link: return told_link;
	case SYS_linkat: return told_linkat;
	case SYS_symlink: return told_symlink;
	case SYS_symlinkat: return told_symlinkat;
	case SYS_mkdir:
	case SYS_mknod: return told_make;
	case SYS_mkdirat:
	case SYS_mknodat: return told_make_at;
	case SYS_rmdir: return told_unlink;
	case SYS_chmod: return told_chmod;
	case SYS_fchmod: return told_fchmod;
	case SYS_fchmodat: return told_fchmodat;
	case SYS_truncate: return told_truncate;
	case SYS_utime:
	case SYS_utimes: return told_utime;
	case SYS_utimensat: return told_utimensat;
	default: return NULL;
	}
}
