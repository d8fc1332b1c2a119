/*
 * The device that a decoy plays when none was configured, and that services rehearse
 * with: a bare BusyBox on ARM, built in so that nothing has to be read from files.
 */
#include "passive/persona.h"

#define TEXT(s)                                                                                    \
	.kind = VFS_FILE, .mode = 0644, .content = {(const uint8_t *)(s), sizeof(s) - 1},          \
	.size = sizeof(s) - 1
#define LINK(target)                                                                               \
	.kind = VFS_LINK, .mode = 0777,                                                            \
	.content = {(const uint8_t *)(target), sizeof(target) - 1}, .size = sizeof(target) - 1
#define DIRECTORY(list)                                                                            \
	.kind = VFS_DIRECTORY, .mode = 0755, .children = (list),                                   \
	.child_count = sizeof(list) / sizeof *(list)

/* The ELF header of an ARM program, and enough behind it to be more than a header. */
static const uint8_t program[512] = {
        0x7f, 'E', 'L',  'F',  1,    1, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 40,   0,    1,
        0,    0,   0,    0x94, 0x80, 0, 0, 52,   0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 5,    52,   0,
        32,   0,   1,    0,    40,   0, 0, 0,    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,    0x80, 0,
        0,    0,   0x80, 0,    0,    0, 2, 0,    0, 0, 2, 0, 0, 5, 0, 0, 0, 0, 0x80,
};
static const uint8_t other[512] = {0x7f, 'E', 'L', 'F', 1, 1, 1, 0x61};

static struct vfs_entry bin[] = {
        {.name = "busybox",
         .kind = VFS_FILE,
         .mode = 0755,
         .content = {program, sizeof program},
         .size = sizeof program},
        {.name = "cat", LINK("busybox")},
        {.name = "chmod", LINK("busybox")},
        {.name = "cp", LINK("busybox")},
        {.name = "dd", LINK("busybox")},
        {.name = "echo", LINK("busybox")},
        {.name = "grep", LINK("busybox")},
        {.name = "kill", LINK("busybox")},
        {.name = "ls", LINK("busybox")},
        {.name = "mkdir", LINK("busybox")},
        {.name = "mount", LINK("busybox")},
        {.name = "mv", LINK("busybox")},
        {.name = "ps", LINK("busybox")},
        {.name = "rm", LINK("busybox")},
        {.name = "sh", LINK("busybox")},
        {.name = "sleep", LINK("busybox")},
        {.name = "uname", LINK("busybox")},
};
static struct vfs_entry dev[] = {
        {.name = "null", .kind = VFS_CHARACTER, .mode = 0666, .device = 1 << 8 | 3},
};
static struct vfs_entry etc[] = {
        {.name = "passwd", TEXT("root:x:0:0:root:/:/bin/sh\n")},
};
static struct vfs_entry proc[] = {
        {.name = "mounts",
         TEXT("rootfs / rootfs rw 0 0\nproc /proc proc rw 0 0\n"),
         .flags = VFS_SEALED},
};
static struct vfs_entry usr_bin[] = {
        {.name = "head", LINK("../../bin/busybox")},
        {.name = "reboot", LINK("../../bin/busybox")},
        {.name = "wc", LINK("../../bin/busybox")},
        {.name = "wget", LINK("../../bin/busybox")},
};
static struct vfs_entry usr[] = {
        {.name = "bin", DIRECTORY(usr_bin)},
};
static struct vfs_entry top[] = {
        {.name = "bin", DIRECTORY(bin)},
        {.name = "dev", DIRECTORY(dev)},
        {.name = "etc", DIRECTORY(etc)},
        {.name = "proc", DIRECTORY(proc), .flags = VFS_SEALED | VFS_OWN_FS},
        {.name = "tmp", .kind = VFS_DIRECTORY, .mode = 01777},
        {.name = "usr", DIRECTORY(usr)},
};
static const struct vfs_entry root = {.name = "", DIRECTORY(top)};

static const struct persona_credential credentials[] = {
        {{(const uint8_t *)"root", 4}, {(const uint8_t *)"xc3511", 6}},
        {{(const uint8_t *)"admin", 5}, {(const uint8_t *)"admin", 5}},
};
static const struct persona_process processes[] = {
        {1, 1504, "root", "S", "init"},
        {402, 1504, "root", "S", "telnetd"},
};
static const struct persona_mount mounts[] = {
        {"rootfs", "/", "rootfs", "rw", 0, 0},
};
static const char *const missing[] = {"tftp", "ftpget", "nc"};

const struct persona persona_plain = {
        .name = "plain",
        .summary = "a bare BusyBox device",
        .hostname = "localhost",
        .arch = PERSONA_ARM,
        .machine = "armv5tejl",
        .kernel = "3.0.8",
        .kernel_build = "#1 Thu Mar 28 17:34:27 CST 2013",
        .busybox = "v1.16.1",
        .busybox_date = "2013-03-28 17:12:05 CST",
        .prompt = "# ",
        .home = "/",
        .memory_kb = 39588,
        .interface = "eth0",
        .mac_prefix = "00:12:16",
        .credentials = credentials,
        .credential_count = 2,
        .missing = missing,
        .missing_count = 3,
        .processes = processes,
        .process_count = 2,
        .mounts = mounts,
        .mount_count = 1,
        .root = &root,
        .busybox_elf = {program, sizeof program},
        .other_elf = {other, sizeof other},
};
