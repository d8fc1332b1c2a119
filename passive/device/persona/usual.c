/* What every BusyBox device has: directories, device nodes, applet links, /proc. */
#include "passive/device/persona/persona_inner.h"
#include "passive/device/shell/applet.h"

#define DEVICE(major, minor) (uint16_t)((major) << 8 | (minor))

static const char *const directories[] = {
        "/bin",
        "/dev",
        "/dev/pts",
        "/dev/shm",
        "/etc",
        "/etc/init.d",
        "/home",
        "/lib",
        "/mnt",
        "/opt",
        "/proc",
        "/proc/net",
        "/proc/sys/kernel",
        "/proc/self",
        "/root",
        "/sbin",
        "/sys",
        "/sys/class/net",
        "/tmp",
        "/usr/bin",
        "/usr/lib",
        "/usr/sbin",
        "/var/log",
        "/var/run",
        "/var/tmp",
};

static const struct {
	const char *path;
	uint8_t kind;
	uint16_t mode, device;
} devices[] = {
        {"/dev/null", VFS_CHARACTER, 0666, DEVICE(1, 3)},
        {"/dev/zero", VFS_CHARACTER, 0666, DEVICE(1, 5)},
        {"/dev/random", VFS_CHARACTER, 0666, DEVICE(1, 8)},
        {"/dev/urandom", VFS_CHARACTER, 0666, DEVICE(1, 9)},
        {"/dev/mem", VFS_CHARACTER, 0640, DEVICE(1, 1)},
        {"/dev/console", VFS_CHARACTER, 0600, DEVICE(5, 1)},
        {"/dev/tty", VFS_CHARACTER, 0666, DEVICE(5, 0)},
        {"/dev/ptmx", VFS_CHARACTER, 0666, DEVICE(5, 2)},
        {"/dev/ttyS0", VFS_CHARACTER, 0660, DEVICE(4, 64)},
        {"/dev/watchdog", VFS_CHARACTER, 0600, DEVICE(10, 130)},
        {"/dev/mtd0", VFS_CHARACTER, 0640, DEVICE(90, 0)},
        {"/dev/mtd1", VFS_CHARACTER, 0640, DEVICE(90, 2)},
        {"/dev/mtdblock0", VFS_BLOCK, 0640, DEVICE(31, 0)},
        {"/dev/mtdblock1", VFS_BLOCK, 0640, DEVICE(31, 1)},
};

static const struct {
	const char *path, *text;
} proc_files[] = {
        {"/proc/version",
         "Linux version %{kernel} (root@build) (gcc version 4.4.1) %{kernel_build}\n"},
        {"/proc/uptime", "%{uptime}.41 %{uptime}.02\n"},
        {"/proc/loadavg", "0.31 0.28 0.26 1/61 1207\n"},
        {"/proc/cmdline", "mem=64M console=ttyS0,115200 root=/dev/mtdblock1 rootfstype=squashfs\n"},
        {"/proc/filesystems",
         "nodev\tsysfs\nnodev\trootfs\nnodev\tbdev\nnodev\tproc\nnodev\ttmpfs\n"
         "\tsquashfs\nnodev\tramfs\nnodev\tjffs2\n\tvfat\n"},
        {"/proc/partitions", "major minor  #blocks  name\n\n  31        0        512 mtdblock0\n"
                             "  31        1      15872 mtdblock1\n"},
        {"/proc/mtd", "dev:    size   erasesize  name\nmtd0: 00080000 00010000 \"boot\"\n"
                      "mtd1: 00f80000 00010000 \"romfs\"\n"},
        {"/proc/meminfo", "MemTotal:       %{memory} kB\nMemFree:           15244 kB\n"
                          "Buffers:            1404 kB\nCached:            11908 kB\n"
                          "SwapCached:            0 kB\nActive:            18836 kB\n"
                          "Inactive:           9124 kB\nSwapTotal:             0 kB\n"
                          "SwapFree:              0 kB\n"},
        {"/proc/stat",
         "cpu  81244 0 60211 5822114 120 0 4411 0 0 0\n"
         "cpu0 81244 0 60211 5822114 120 0 4411 0 0 0\nbtime %{boot}\nprocesses 1211\n"},
        {"/proc/net/tcp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                          "retrnsmt   uid  timeout "
                          "inode\n"
                          "   0: 00000000:0017 00000000:0000 0A 00000000:00000000 00:00000000 "
                          "00000000     0        0 "
                          "412 1 c3a1a000 300 0 0 2 -1\n"
                          "   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 "
                          "00000000     0        0 "
                          "498 1 c3a1a480 300 0 0 2 -1\n"},
        {"/proc/net/udp",
         "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt  "
         " uid  timeout inode ref pointer drops\n"},
        {"/proc/net/route",
         "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"},
        {"/proc/net/arp",
         "IP address       HW type     Flags       HW address            Mask     Device\n"},
        {"/proc/sys/kernel/hostname", "%{hostname}\n"},
        {"/proc/sys/kernel/osrelease", "%{kernel}\n"},
        {"/proc/sys/kernel/ostype", "Linux\n"},
        {"/proc/modules", ""},
        {"/proc/self/status",
         "Name:\tsh\nState:\tR (running)\nPid:\t1207\nPPid:\t1206\nUid:\t0\t0\t0\t0\n"
         "Gid:\t0\t0\t0\t0\n"},
        {"/proc/self/cmdline", "-sh"},
        {"/proc/self/stat",
         "1207 (sh) R 1206 1207 1207 34816 1207 4194304 92 0 0 0 1 2 0 0 20 0 1 0\n"},
};

static int add_proc_mounts(struct tree *t, const struct persona *p, struct arena *keep)
{
	char text[4096];
	struct writer w = writer_of(text, sizeof text);
	for (size_t i = 0; i < p->mount_count; i++)
		write_fmt(&w, "%s %s %s %s 0 0\n", p->mounts[i].device, p->mounts[i].path,
		          p->mounts[i].type, p->mounts[i].options);
	struct bytes kept = arena_copy(keep, writer_bytes(&w));
	if (w.bad || !kept.at || !tree_add(t, "/proc/mounts", VFS_FILE, 0444, kept))
		return ERR_MEMORY;
	return tree_add(t, "/proc/self/mounts", VFS_FILE, 0444, kept) ? 0 : ERR_MEMORY;
}

static int add_process(struct tree *t, const struct persona_process *x, struct arena *keep)
{
	char path[64], text[256];
	struct bytes command = bytes_of_text(x->command);
	struct bytes whole = command, program = bytes_word(&command);
	bool kernel_thread = program.len && program.at[0] == '[';
	snprintf(path, sizeof path, "/proc/%u/cmdline", x->pid);
	struct bytes line = arena_copy(keep, whole);
	for (size_t i = 0; line.at && i < line.len; i++) /* arguments are ended by NUL, proc(5) */
		if (line.at[i] == ' ')
			((uint8_t *)(uintptr_t)line.at)[i] = 0;
	if (kernel_thread)
		line.len = 0;
	if (!line.at || !tree_add(t, path, VFS_FILE, 0444, line))
		return ERR_MEMORY;
	snprintf(path, sizeof path, "/proc/%u/status", x->pid);
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w, "Name:\t%.*s\nState:\tS (sleeping)\nPid:\t%u\nPPid:\t1\n", (int)program.len,
	          (const char *)program.at, x->pid);
	struct bytes kept = arena_copy(keep, writer_bytes(&w));
	if (!kept.at || !tree_add(t, path, VFS_FILE, 0444, kept))
		return ERR_MEMORY;
	snprintf(path, sizeof path, "/proc/%u/exe", x->pid);
	struct bytes exe = program.len && program.at[0] == '/' ? program : BYTES("/bin/busybox");
	exe = arena_copy(keep, exe);
	if (!kernel_thread && (!exe.at || !tree_add(t, path, VFS_LINK, 0777, exe)))
		return ERR_MEMORY;
	snprintf(path, sizeof path, "/proc/%u/fd", x->pid);
	return tree_add(t, path, VFS_DIRECTORY, 0500, (struct bytes){0}) ? 0 : ERR_MEMORY;
}

static int add_applets(struct tree *t, const struct persona *p)
{
	char path[64];
	APPLETS_EACH(it)
	{
		if (!(*it)->place || !persona_has_applet(p, bytes_of_text((*it)->name)))
			continue;
		snprintf(path, sizeof path, "%s/%s", (*it)->place, (*it)->name);
		struct bytes target = !strcmp((*it)->place, "/bin")    ? BYTES("busybox")
		                      : !strcmp((*it)->place, "/sbin") ? BYTES("../bin/busybox")
		                                                       : BYTES("../../bin/busybox");
		if (strcmp((*it)->name, "busybox") && !tree_add(t, path, VFS_LINK, 0777, target))
			return ERR_MEMORY;
	}
	return tree_add(t, "/bin/busybox", VFS_FILE, 0755, p->busybox_elf) ? 0 : ERR_MEMORY;
}

int tree_add_usual(struct tree *t, const struct persona *p, struct arena *keep)
{
	const struct bytes none = {0};
	bool made = true;
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		bool sticky = strstr(directories[i], "tmp") != NULL;
		made &= tree_add(t, directories[i], VFS_DIRECTORY, sticky ? 01777 : 0755, none) !=
		        NULL;
	}
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
		struct vfs_entry *e =
		        tree_add(t, devices[i].path, devices[i].kind, devices[i].mode, none);
		made &= e != NULL;
		if (e)
			e->device = devices[i].device;
	}
	for (size_t i = 0; i < sizeof proc_files / sizeof *proc_files; i++)
		made &= tree_add(t, proc_files[i].path, VFS_FILE, 0444,
		                 bytes_of_text(proc_files[i].text)) != NULL;
	made &= tree_add(t, "/proc/self/exe", VFS_LINK, 0777, BYTES("/bin/busybox")) != NULL;
	for (size_t i = 0; made && i < p->mount_count; i++)
		made &= tree_add(t, p->mounts[i].path, VFS_DIRECTORY,
		                 strstr(p->mounts[i].path, "tmp") ? 01777 : 0755, none) != NULL;
	for (size_t i = 0; made && i < p->process_count; i++)
		made &= add_process(t, &p->processes[i], keep) == 0;
	return made && !add_proc_mounts(t, p, keep) ? add_applets(t, p) : ERR_MEMORY;
}
