#include "lab/elf_inner.h"
#include "lab/run/sink.h"
#include "lab/run/scene.h"
#include "lab/run/windows.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSYBOX "/usr/bin/busybox"
#define BUSYBOX_BYTES_MAX (8u << 20)
#define SEGMENT_LOADER 3 /* PT_INTERP */
#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Applets that are plain links to busybox, as in the firmware of most devices. */
static const char *const bin[] = {
	"ash", "base64", "cat", "chgrp", "chmod", "chown", "cp", "date", "dd", "df", "dmesg", "echo", "egrep", "false", "fgrep",
	"grep", "gunzip", "gzip", "hostname", "kill", "ln", "ls", "mkdir", "mknod", "mktemp", "more", "mount", "mv", "netstat",
	"nice", "pidof", "ping", "ps", "pwd", "rm", "rmdir", "sed", "sh", "sleep", "stat", "stty", "sync", "tar", "touch", "true",
	"umount", "uname", "usleep", "vi", "watch", "zcat",
};
static const char *const sbin[] = {
	"arp", "halt", "ifconfig", "insmod", "ip", "lsmod", "modprobe", "poweroff", "reboot", "rmmod", "route", "sysctl", "syslogd",
};
static const char *const usr_bin[] = {
	"awk", "basename", "bunzip2", "clear", "crontab", "cut", "diff", "dirname", "du", "env", "expr", "find", "free", "ftpget",
	"ftpput", "head", "hexdump", "id", "killall", "last", "less", "logger", "md5sum", "nc", "nohup", "nslookup", "od", "passwd",
	"pgrep", "pkill", "printf", "readlink", "realpath", "renice", "seq", "sha256sum", "sort", "split", "strings", "tail", "tee",
	"telnet", "test", "tftp", "time", "timeout", "top", "tr", "traceroute", "tty", "uniq", "unzip", "uptime", "wc", "wget", "who",
	"whoami", "xargs", "yes",
};

static const char *const folders[] = {
	"bin", "sbin", "usr", "usr/bin", "usr/sbin", "etc", "etc/cron.d", "etc/init.d", "etc/rc.d", "etc/network",
	"etc/config", "etc/systemd", "etc/systemd/system", "home", "mnt", "opt", "root", "root/.ssh", "run", "sys", "var", "var/log",
	"var/lock", "var/run", "var/spool", "var/spool/cron", "var/spool/cron/crontabs", "var/tmp", "tmp",
};

static const struct { const char *path, *text; unsigned mode; } files[] = {
	{"etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/var:/bin/false\nadmin:x:1000:1000:admin:/home/admin:/bin/sh\n", 0644},
	{"etc/shadow", "root:$1$JHkT2bF1$ZJQhWz3QkQ2t4Y9h1sSlB0:16000:0:99999:7:::\nadmin:*:16000:0:99999:7:::\n", 0600},
	{"etc/group", "root:x:0:\nnogroup:x:65534:\nadmin:x:1000:\n", 0644},
	{"etc/hosts", "127.0.0.1\tlocalhost\n", 0644},
	{"etc/hostname", SCENE_HOST "\n", 0644},
	{"etc/resolv.conf", "nameserver " SINK_GATEWAY "\n", 0644},
	{"etc/inittab", "::sysinit:/etc/init.d/rcS\n::respawn:/bin/sh\n", 0644},
	{"etc/init.d/rcS", "#!/bin/sh\nmount -a\nsyslogd\n/etc/rc.local\n", 0755},
	{"etc/rc.local", "#!/bin/sh\nexit 0\n", 0755},
	{"etc/crontab", "SHELL=/bin/sh\n", 0644},
	{"etc/profile", "export PATH=/bin:/sbin:/usr/bin:/usr/sbin\n", 0644},
	{"etc/issue", "\n", 0644},
	{"etc/ld.so.conf", "", 0644},
	{"var/log/messages", "Jan  1 00:00:07 localhost syslog.info syslogd started\n", 0644},
	{"var/log/wtmp", "\n", 0644},
	{"root/.profile", "umask 022\n", 0644},
	{"root/.ash_history", "ifconfig\n", 0600},
};

/* What /proc would say of the machine we run on: small devices have little. */
enum { MASK_VERSION, MASK_CPU, MASK_COMMAND, MASK_MEMORY, MASKS };
static const struct { const char *name, *to, *text; } masks[MASKS] = {
	[MASK_VERSION] = {"version", "/proc/version", "Linux version " SCENE_KERNEL " (build@release) (gcc version 4.8.3) #1 Fri Mar 21 10:14:02 CST 2014\n"},
	[MASK_CPU] = {"cpuinfo", "/proc/cpuinfo", NULL},
	[MASK_COMMAND] = {"cmdline", "/proc/cmdline", "console=ttyS1,57600n8 root=/dev/mtdblock5\n"},
	[MASK_MEMORY] = {"meminfo", "/proc/meminfo", "MemTotal:         252428 kB\nMemFree:          131072 kB\nMemAvailable:     167936 kB\n"
						     "Buffers:            6144 kB\nCached:            38912 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n"},
};

static const struct { const char *word, *text; } processors[] = {
	{"mips", "system type\t\t: MT7620\nmachine\t\t\t: Router\nprocessor\t\t: 0\ncpu model\t\t: MIPS 24KEc V5.0\nBogoMIPS\t\t: 385.84\n"},
	{"arm", "processor\t: 0\nmodel name\t: ARMv7 Processor rev 5 (v7l)\nBogoMIPS\t: 38.40\nFeatures\t: half thumb fastmult vfp edsp neon vfpv3\n"
		"CPU architecture: 7\n\nHardware\t: Generic DT based system\n"},
	{"aarch64", "processor\t: 0\nBogoMIPS\t: 100.00\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32\nCPU implementer\t: 0x41\nCPU architecture: 8\n"},
	{"x86-64", "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Atom(TM) CPU D525   @ 1.80GHz\ncpu MHz\t\t: 1800.000\n"
		   "cache size\t: 512 KB\nflags\t\t: fpu tsc msr cx8 sep cmov mmx fxsr sse sse2 ss ht lm constant_tsc pni ssse3\nbogomips\t: 3600.00\n"},
};

static const char *processor_text(const struct architecture *a)
{
	const char *word = a ? a->word : "mips";
	if (strcmp(word, "i386") == 0)
		word = "x86-64";
	for (size_t i = 0; i < COUNT(processors); i++)
		if (strncmp(word, processors[i].word, strlen(processors[i].word)) == 0)
			return processors[i].text;
	return "processor\t: 0\n";
}

static int write_mask(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return ERR_SYSTEM;
	const ssize_t n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : ERR_SYSTEM;
}

static void add_mount(struct box_plan *box, const char *from, const char *to)
{
	box->mounts[box->mount_count++] = (struct box_mount){.from = from, .to = to};
}

static int plan_masks(struct scene *w, struct box_plan *box, struct fault *fault)
{
	for (size_t i = 0; i < COUNT(masks); i++) {
		snprintf(w->masks[i], sizeof w->masks[i], "%s/%s", w->scratch, masks[i].name);
		if (write_mask(w->masks[i], i == MASK_CPU ? processor_text(w->architecture) : masks[i].text))
			return fault_set(fault, ERR_SYSTEM, "lab: %s cannot be written: %s", w->masks[i], strerror(errno));
		add_mount(box, w->masks[i], masks[i].to);
	}
	return 0;
}

static void plan_format(struct scene *w, size_t n, const struct architecture *a)
{
	if (architecture_format(a, w->lines[n]))
		w->formats[n] = w->lines[n];
}

/* A device runs what is made for it; a script that fetches one program for each processor finds them all run. */
static int plan_formats(struct scene *w, const struct run_plan *plan, struct box_plan *box, struct fault *fault)
{
	size_t n = 0;
	const struct architecture *a = architecture_of_elf(plan->sample), *i386 = architecture_find("i386");
	w->architecture = a;
	if (strcmp(plan->type, "elf") != 0)
		a = NULL;
	else if (a == NULL || !architecture_runs(a))
		return fault_set(fault, ERR_MISSING, "lab: nothing here runs programs for \"%s\"%s%s", plan->architecture,
				 a ? ": install qemu-user-static for " : "", a && a->qemu ? a->qemu : "");
	for (size_t i = 0; a == NULL && architecture_at(i); i++)
		if (architecture_at(i)->qemu && architecture_runs(architecture_at(i)))
			plan_format(w, n++, architecture_at(i));
	if (a && a->qemu)
		plan_format(w, n++, a);
	/* The tracer knows the calls of 64-bit programs only. */
	if (a && a != i386 && architecture_runs(i386))
		plan_format(w, n++, i386);
	w->formats[n] = NULL;
	box->formats = w->formats;
	return 0;
}

/* The name that a program gives its loader is the program's: only a plain one beneath /lib is believed. */
static bool loader_name(struct bytes file, char *out, size_t size)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
	struct elf e;
	if (!elf_open(&e, file))
		return false;
	for (unsigned i = 0; i < e.segment_count; i++) {
		const struct elf_segment s = elf_segment(&e, i);
		if (s.type != SEGMENT_LOADER || s.size < 2)
			continue;
		const struct bytes name = elf_bytes(&e, s.offset, s.size - 1); /* it ends with NUL */
		return name.len && bytes_copy_text(name, out, size) && strncmp(out, "/lib", 4) == 0 &&
		       strspn(out, plain) == strlen(out) && strstr(out, "..") == NULL;
	}
	return false;
}

/* A dynamic program needs a libc of its architecture: that of its cross compiler, where one is installed. */
static void plan_libraries(struct scene *w, const struct run_plan *plan, struct box_plan *box)
{
	const struct architecture *a = w->architecture;
	if (a == NULL || !loader_name(plan->sample, w->loader[1], sizeof w->loader[1]))
		return;
	const char *const name = strrchr(w->loader[1], '/') + 1;
	snprintf(w->loader[0], sizeof w->loader[0], "%s/%s", a->libraries ? a->libraries : "", name);
	if (a->libraries == NULL || *name == 0 || access(w->loader[0], R_OK) != 0) {
		w->loader_missing = true;
		return;
	}
	add_mount(box, a->libraries, a->qemu ? "/usr/lib" : a->libraries);
	add_mount(box, w->loader[0], w->loader[1]);
}

static const char *interpreter_of(const struct run_plan *plan)
{
	struct reader r = reader_of_bytes(plan->sample);
	struct bytes line;
	const char *const known[] = {"perl", "python", "php", "bash"};
	if (read_line(&r, &line) && bytes_start_with(line, "#!"))
		for (size_t i = 0; i < COUNT(known) - 1; i++)
			if (bytes_find(line, known[i]) < line.len)
				return known[i];
	return "sh";
}

static int plan_program(struct scene *w, const struct run_plan *plan, struct fault *fault)
{
	size_t n = 0;
	if (strcmp(plan->type, "elf") == 0) {
		w->how = w->architecture && w->architecture->qemu ? w->architecture->qemu + strlen("/usr/bin/") : "native";
	} else if (strcmp(plan->type, "script") == 0 || strcmp(plan->type, "text") == 0) {
		w->how = interpreter_of(plan);
		if (strcmp(w->how, "sh") != 0)
			return fault_set(fault, ERR_MISSING, "lab: scripts of %s are not run here, only those of sh", w->how);
		w->argv[n++] = "/bin/sh";
	} else if (strcmp(plan->type, "pe") == 0) {
		w->how = "wine";
		w->argv[n++] = WINDOWS_LOADER;
	} else {
		return fault_set(fault, ERR_MISSING, "lab: nothing here runs files of type \"%s\"", plan->type);
	}
	w->argv[n++] = w->sample;
	for (size_t i = 0; plan->arguments && plan->arguments[i]; i++) {
		if (n > BOX_ARGUMENTS_MAX)
			return fault_set(fault, ERR_FULL, "lab: more than %d arguments", BOX_ARGUMENTS_MAX);
		w->argv[n++] = plan->arguments[i];
	}
	return 0;
}

/* The name under which it was captured may be read by it; a path in it may lead anywhere. */
static void plan_name(struct scene *w, const char *name)
{
	const char *const slash = name ? strrchr(name, '/') : NULL;
	if (slash)
		name = slash + 1;
	if (name == NULL || *name == 0 || strlen(name) >= SCENE_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		name = "sample";
	snprintf(w->sample, sizeof w->sample, "/tmp/%s", name);
}

static void plan_windows(struct scene *w, struct box_plan *box, size_t env_count)
{
	const char *const *more = windows_environment();
	while (*more && env_count < COUNT(w->env) - 1)
		w->env[env_count++] = *more++;
	windows_mounts(box, w->windows);
}

int scene_plan(struct scene *w, const struct run_plan *plan, const char *scratch, struct box_plan *box, struct fault *fault)
{
	*w = (struct scene){.windows = w->windows};
	snprintf(w->scratch, sizeof w->scratch, "%s", scratch);
	if (access(BUSYBOX, X_OK) != 0)
		return fault_set(fault, ERR_MISSING, "lab: %s is missing, the tools of a box (Debian: busybox-static)", BUSYBOX);
	plan_name(w, plan->name);
	if (w->windows && !strchr(w->sample, '.') && strlen(w->sample) + sizeof ".exe" <= sizeof w->sample)
		memcpy(w->sample + strlen(w->sample), ".exe", sizeof ".exe");
	int bad = plan_formats(w, plan, box, fault);
	if (!bad)
		bad = plan_masks(w, box, fault);
	if (!bad)
		bad = plan_program(w, plan, fault);
	if (bad)
		return bad;
	plan_libraries(w, plan, box);
	const char *const env[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", plan->uid ? "HOME=/home/admin" : "HOME=/root",
				   plan->uid ? "USER=admin" : "USER=root", "SHELL=/bin/sh", "TERM=vt102", "PWD=/tmp"};
	memcpy(w->env, env, sizeof env);
	if (w->windows)
		plan_windows(w, box, sizeof env / sizeof *env);
	box->argv = w->argv;
	box->env = w->env;
	box->cwd = "/tmp";
	box->host_name = SCENE_HOST;
	box->uid = plan->uid;
	return 0;
}

struct maker { /* writes through the root of a box */
	int root;
	uid_t uid_base;
	gid_t gid_base;
	bool ranged;    /* the box has users of its own: who is 0 there is uid_base here */
	bool bad;
};

static void own(struct maker *m, const char *path, unsigned uid)
{
	if (m->ranged && fchownat(m->root, path, m->uid_base + uid, m->gid_base + uid, AT_SYMLINK_NOFOLLOW))
		m->bad = true;
}

static void make_folder(struct maker *m, const char *path, unsigned mode, unsigned uid)
{
	if (mkdirat(m->root, path, 0755) && errno != EEXIST)
		m->bad = true;
	own(m, path, uid);
	if (fchmodat(m->root, path, mode, 0))
		m->bad = true;
}

static void make_file(struct maker *m, const char *path, struct bytes content, unsigned mode, unsigned uid)
{
	const int fd = openat(m->root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		m->bad = true;
		return;
	}
	while (content.len > 0) {
		const ssize_t n = write(fd, content.at, content.len);
		if (n <= 0) {
			m->bad = true;
			break;
		}
		content.at += n;
		content.len -= (size_t)n;
	}
	if (fchmod(fd, mode))
		m->bad = true;
	close(fd);
	own(m, path, uid);
}

static void make_links(struct maker *m, const char *folder, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char path[64];
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		if (symlinkat("/bin/busybox", m->root, path) && errno != EEXIST)
			m->bad = true;
	}
}

/* The tools are a copy, which the box' root may infect as it could on a device; a mount would show where we keep ours. */
static void make_tools(struct maker *m)
{
	uint8_t *room = malloc(BUSYBOX_BYTES_MAX);
	const int fd = open(BUSYBOX, O_RDONLY | O_CLOEXEC);
	const ssize_t n = room && fd >= 0 ? read(fd, room, BUSYBOX_BYTES_MAX) : -1;
	if (n > 0)
		make_file(m, "bin/busybox", (struct bytes){room, (size_t)n}, 0755, 0);
	else
		m->bad = true;
	if (fd >= 0)
		close(fd);
	free(room);
	make_links(m, "bin", bin, COUNT(bin));
	make_links(m, "sbin", sbin, COUNT(sbin));
	make_links(m, "usr/bin", usr_bin, COUNT(usr_bin));
}

/* Folders of "/home/admin/.config/x" that are not there yet belong to whom the file does. */
static void make_path(struct maker *m, const char *path, uint32_t uid)
{
	char folder[SCENE_NAME_MAX];
	struct stat st;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const size_t n = (size_t)(slash - path);
		if (!n || n >= sizeof folder)
			continue;
		memcpy(folder, path, n);
		folder[n] = '\0';
		if (fstatat(m->root, folder, &st, AT_SYMLINK_NOFOLLOW))
			make_folder(m, folder, 0755, uid);
	}
}

static void make_given(struct maker *m, const struct run_plan *plan)
{
	for (size_t i = 0; i < plan->file_count; i++) {
		const struct run_file *file = &plan->files[i];
		const char *path = file->path + (file->path[0] == '/');
		make_path(m, path, file->uid);
		make_file(m, path, file->content, file->mode, file->uid);
	}
}

int scene_make(const struct scene *w, const struct run_plan *plan, int root, struct fault *fault)
{
	struct stat st;
	if (fstatat(root, "tmp", &st, 0))
		return fault_set(fault, ERR_SYSTEM, "lab: the box has no /tmp: %s", strerror(errno));
	struct maker m = {.root = root, .uid_base = st.st_uid, .gid_base = st.st_gid, .ranged = st.st_uid != geteuid()};
	errno = 0;
	for (size_t i = 0; i < COUNT(folders); i++)
		make_folder(&m, folders[i], strstr(folders[i], "tmp") ? 01777 : 0755, 0);
	make_folder(&m, "home/admin", 0755, 1000);
	for (size_t i = 0; i < COUNT(files); i++)
		make_file(&m, files[i].path, bytes_of_text(files[i].text), files[i].mode, 0);
	make_tools(&m);
	make_given(&m, plan);
	for (const char *const *path = windows_owned(); w->windows && *path; path++) {
		char below[128];
		snprintf(below, sizeof below, "%s%s", &WINDOWS_DRIVE[1], *path);
		if (faccessat(root, below, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			own(&m, below, plan->uid);
	}
	make_file(&m, w->sample + 1, plan->sample, 0755, plan->uid);
	return m.bad ? fault_set(fault, ERR_SYSTEM, "lab: the box' files cannot be written: %s", strerror(errno)) : 0;
}
