/*
 * What a box may ask the kernel for.
 *
 * Its namespaces contain it; this list takes away what has led out of namespaces before, and what
 * would hide it from who watches: io_uring does its work without system calls, clone3 has its flags
 * in memory where no filter sees them (libc falls back to clone), and sockets of other families than
 * the few below reach the host or its hypervisor (AF_VSOCK has no namespace).
 */
#include "box/box_inner.h"
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define NAMESPACES                                                                                \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
	 CLONE_NEWNET)
#define TIOC_STI 0x5412   /* types into a terminal */
#define TIOC_LINUX 0x541c /* pastes into a console */

static const char *const denied_always[] = {
	"acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "delete_module", "fanotify_init",
	"finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "ioperm", "iopl",
	"kexec_file_load", "kexec_load", "keyctl", "kcmp", "lookup_dcookie", "mount", "mount_setattr",
	"move_mount", "move_pages", "name_to_handle_at", "nfsservctl", "open_by_handle_at", "open_tree",
	"perf_event_open", "personality", "pidfd_getfd", "pivot_root", "process_madvise", "quotactl",
	"quotactl_fd", "reboot", "request_key", "seccomp", "setns", "settimeofday", "swapoff", "swapon",
	"syslog", "umount2", "unshare", "uselib", "userfaultfd", "ustat", "vhangup", "vmsplice",
};

/* A program that finds these missing takes another way; one that finds them refused gives up. */
static const char *const missing_always[] = {"clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"};

static const char *const told_always[] = {
	"execve", "execveat", "fork", "vfork", "clone", "exit_group", "kill", "tkill", "tgkill", "ptrace", "prctl",
	"setsid", "setuid", "setresuid", "setreuid", "chroot", "process_vm_readv", "process_vm_writev",
	"open", "openat", "openat2", "creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir",
	"mkdirat", "rmdir", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat", "chown",
	"lchown", "fchown", "fchownat", "truncate", "ftruncate", "mknod", "mknodat", "memfd_create",
	"utimensat", "utime", "utimes", "socket", "connect", "bind", "listen", "sendto", "sendmsg", "sendmmsg",
	NULL,
};

const char *const *box_calls_told(void) { return told_always; }

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET};

/* Calls that this machine does not have need no rule: they are refused by having no number. */
static int add(scmp_filter_ctx f, uint32_t action, const char *name)
{
	int call = seccomp_syscall_resolve_name(name);
	if (call == __NR_SCMP_ERROR || call < 0)
		return 0;
	int bad = seccomp_rule_add(f, action, call, 0);
	return bad && bad != -EEXIST ? ERR_SYSTEM : 0;
}

static bool is_in(const char *name, const char *const *list)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

static bool is_denied_always(const char *name)
{
	for (size_t i = 0; i < COUNT(denied_always); i++)
		if (!strcmp(denied_always[i], name))
			return true;
	for (size_t i = 0; i < COUNT(missing_always); i++)
		if (!strcmp(missing_always[i], name))
			return true;
	return false;
}

/* Everything below the largest allowed family that is not allowed, and everything above it. */
static int add_families(scmp_filter_ctx f)
{
	int bad = 0, largest = 0;
	for (size_t i = 0; i < COUNT(families); i++)
		largest = families[i] > largest ? families[i] : largest;
	for (int family = 0; family <= largest; family++) {
		bool may = false;
		for (size_t i = 0; i < COUNT(families); i++)
			may = may || families[i] == family;
		if (!may)
			bad |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
						SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)family));
	}
	bad |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				SCMP_CMP(0, SCMP_CMP_GT, (scmp_datum_t)largest, 0));
	return bad;
}

/* Namespaces within the box would give it new capabilities; a terminal's input belongs to whoever started us. */
static int add_guards(scmp_filter_ctx f)
{
	int bad = 0;
	for (int bit = 0; bit < 32; bit++)
		if (NAMESPACES & 1u << bit)
			bad |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
						SCMP_A0(SCMP_CMP_MASKED_EQ, 1u << bit, 1u << bit));
	bad |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_CMP(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOC_STI));
	bad |= seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_CMP(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOC_LINUX));
	return bad;
}

/* Rules of one call must not overlap, so what is told is what add_families() and add_guards() left. */
static int add_told_apart(scmp_filter_ctx f, int call, int channel)
{
	int bad = 0;
	if (call == SCMP_SYS(sendmsg)) /* the entrant's own word to the keeper is not told */
		return seccomp_rule_add(f, SCMP_ACT_NOTIFY, call, 1, SCMP_CMP(0, SCMP_CMP_NE, (scmp_datum_t)channel, 0));
	if (call == SCMP_SYS(clone))
		return seccomp_rule_add(f, SCMP_ACT_NOTIFY, call, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES, 0));
	if (call == SCMP_SYS(ioctl))
		return seccomp_rule_add(f, SCMP_ACT_NOTIFY, call, 1, SCMP_CMP(1, SCMP_CMP_GT, TIOC_LINUX, 0)) |
		       seccomp_rule_add(f, SCMP_ACT_NOTIFY, call, 1, SCMP_CMP(1, SCMP_CMP_LT, TIOC_STI, 0));
	for (size_t i = 0; i < COUNT(families) && call == SCMP_SYS(socket); i++)
		bad |= seccomp_rule_add(f, SCMP_ACT_NOTIFY, call, 1,
					SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)families[i]));
	return bad;
}

static int add_told(scmp_filter_ctx f, const struct box_plan *p, int channel)
{
	static const int apart[] = {SCMP_SYS(sendmsg), SCMP_SYS(clone), SCMP_SYS(ioctl), SCMP_SYS(socket)};
	const char *const *calls = p->told ? p->told : told_always;
	int bad = 0;
	for (; *calls && !bad; calls++) {
		int call = seccomp_syscall_resolve_name(*calls);
		bool special = false;
		if (call == __NR_SCMP_ERROR || call < 0 || is_in(*calls, p->deny) || is_denied_always(*calls))
			continue;
		for (size_t i = 0; i < COUNT(apart); i++)
			special = special || apart[i] == call;
		bad = special ? add_told_apart(f, call, channel) : seccomp_rule_add(f, SCMP_ACT_NOTIFY, call, 0);
		bad = bad == -EEXIST ? 0 : bad;
	}
	return bad;
}

int filter_check(const struct box_plan *p, struct fault *fault)
{
	const char *const *const lists[] = {p->deny, p->told};
	for (size_t i = 0; i < COUNT(lists); i++)
		for (const char *const *name = lists[i]; name && *name; name++)
			if (seccomp_syscall_resolve_name(*name) == __NR_SCMP_ERROR)
				return fault_set(fault, ERR_BAD, "box: there is no system call \"%s\"", *name);
	return 0;
}

int filter_load(const struct box_plan *p, int channel, struct fault *fault)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	if (!f)
		return fault_set(fault, ERR_MEMORY, "box: no memory for its filter");
	int bad = add_families(f) | add_guards(f);
	for (size_t i = 0; i < COUNT(denied_always) && !bad; i++)
		bad = add(f, SCMP_ACT_ERRNO(EPERM), denied_always[i]);
	for (size_t i = 0; i < COUNT(missing_always) && !bad; i++)
		bad = add(f, SCMP_ACT_ERRNO(ENOSYS), missing_always[i]);
	for (const char *const *name = p->deny; name && *name && !bad; name++)
		bad = add(f, SCMP_ACT_ERRNO(EPERM), *name);
	if (p->traced && !bad)
		bad = add_told(f, p, channel);
	if (!bad)
		bad = seccomp_load(f);
	int listener = !bad && p->traced ? seccomp_notify_fd(f) : -1;
	seccomp_release(f);
	if (bad)
		return fault_set(fault, ERR_SYSTEM, "box: its filter was not taken: %s", strerror(-bad));
	return listener;
}

int filter_gate(int gate_fd)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	if (!f)
		return -1;
	int bad = seccomp_rule_add(f, SCMP_ACT_NOTIFY, SCMP_SYS(read), 1, SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)gate_fd, 0));
	if (!bad)
		bad = seccomp_load(f);
	int listener = bad ? -1 : seccomp_notify_fd(f);
	seccomp_release(f);
	return listener;
}
