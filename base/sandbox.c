#include "base/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define CALL(name) SCMP_SYS(name)

/* What libuv, libc and our own loops need with descriptors that they already hold. */
static const int calls_always[] = {
	CALL(read), CALL(readv), CALL(pread64), CALL(write), CALL(writev), CALL(pwrite64), CALL(close),
	CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg),
	CALL(shutdown), CALL(getsockname), CALL(getpeername), CALL(getsockopt), CALL(setsockopt),
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_ctl), CALL(epoll_create1), CALL(poll), CALL(ppoll),
	CALL(select), CALL(pselect6), CALL(eventfd2), CALL(timerfd_create), CALL(timerfd_settime),
	CALL(pipe2), CALL(socketpair), CALL(memfd_create), CALL(dup), CALL(dup3), CALL(fcntl), CALL(fstat), CALL(newfstatat), CALL(lseek),
	CALL(mmap), CALL(munmap), CALL(mprotect), CALL(mremap), CALL(madvise), CALL(brk), CALL(futex),
	CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday),
	CALL(time), CALL(getrandom), CALL(getpid), CALL(gettid), CALL(getppid), CALL(getuid), CALL(geteuid),
	CALL(getgid), CALL(getegid), CALL(getrusage), CALL(prlimit64), CALL(sched_yield),
	CALL(sched_getaffinity), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn),
	CALL(sigaltstack), CALL(restart_syscall), CALL(exit), CALL(exit_group), CALL(set_robust_list),
	CALL(rseq), CALL(uname), CALL(sysinfo), CALL(tgkill), CALL(membarrier), CALL(getcpu),
};

static const int calls_connect[] = {CALL(socket), CALL(bind), CALL(connect)};
static const int calls_files[] = {CALL(openat), CALL(fsync), CALL(fdatasync), CALL(ftruncate),
				  CALL(fallocate), CALL(statx), CALL(flock), CALL(getdents64), CALL(access),
				  CALL(faccessat), CALL(faccessat2), CALL(fstatfs), CALL(statfs),
				  CALL(copy_file_range), CALL(sync_file_range), 
				  CALL(fadvise64), CALL(readlinkat), CALL(readlink), CALL(getcwd),
				  CALL(stat), CALL(lstat), CALL(open), CALL(inotify_init1),
				  CALL(inotify_add_watch), CALL(inotify_rm_watch)};
static const int calls_paths[] = {CALL(renameat), CALL(renameat2), CALL(rename), CALL(unlink),
				  CALL(unlinkat), CALL(mkdirat), CALL(mkdir), CALL(rmdir), CALL(linkat),
				  CALL(fchmod), CALL(fchmodat)};
static const int calls_threads[] = {CALL(clone), CALL(clone3), CALL(sched_setaffinity), CALL(setpriority),
				    CALL(sched_getparam), CALL(sched_getscheduler), CALL(get_mempolicy),
				    CALL(prctl)};
/* The loose profile allows what it does not name: chDB's needs change with its versions. */
static const int calls_never[] = {
	CALL(execve), CALL(execveat), CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev),
	CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(setns), CALL(unshare),
	CALL(init_module), CALL(finit_module), CALL(delete_module), CALL(kexec_load), CALL(bpf),
	CALL(keyctl), CALL(add_key), CALL(request_key), CALL(userfaultfd), CALL(reboot), CALL(swapon),
	CALL(swapoff), CALL(settimeofday), CALL(clock_settime), CALL(setuid), CALL(setgid),
	CALL(setresuid), CALL(setresgid), CALL(connect), CALL(bind), CALL(listen), CALL(io_uring_setup),
};

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int bad = seccomp_rule_add(filter, action, calls[i], 0);
		if (bad && bad != -EEXIST)
			return ERR_SYSTEM;
	}
	return 0;
}

/* With this flag they connect, also a socket that has listened and was shut down. */
static int add_sending(scmp_filter_ctx filter, bool connects)
{
	static const struct {
		int call;
		unsigned flags; /* which argument */
	} calls[] = {{CALL(sendto), 3}, {CALL(sendmsg), 2}, {CALL(sendmmsg), 3}};
	int bad = 0;
	for (size_t i = 0; i < COUNT(calls); i++) {
		const struct scmp_arg_cmp plain = SCMP_CMP(calls[i].flags, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0);
		bad |= connects ? seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].call, 0)
				: seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].call, 1, plain);
	}
	return bad ? ERR_SYSTEM : 0;
}

/* One's own signals only: abort() and sanitizers use tgkill, and nobody else may be hit. */
static int enter_seccomp(unsigned rights)
{
	bool loose = rights & SANDBOX_LOOSE;
	scmp_filter_ctx filter = seccomp_init(loose ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return ERR_MEMORY;
	int bad = 0;
	if (loose) {
		bad = add_all(filter, SCMP_ACT_ERRNO(EPERM), calls_never, COUNT(calls_never));
	} else {
		bad = add_all(filter, SCMP_ACT_ALLOW, calls_always, COUNT(calls_always));
		if (!bad)
			bad = add_sending(filter, rights & SANDBOX_CONNECT);
		if (!bad && (rights & SANDBOX_ACCEPT))
			bad = add_all(filter, SCMP_ACT_ALLOW, (const int[]){CALL(accept4), CALL(accept), CALL(listen)}, 3);
		if (!bad && (rights & SANDBOX_CONNECT))
			bad = add_all(filter, SCMP_ACT_ALLOW, calls_connect, COUNT(calls_connect));
		if (!bad && (rights & (SANDBOX_FILES | SANDBOX_PATHS)))
			bad = add_all(filter, SCMP_ACT_ALLOW, calls_files, COUNT(calls_files));
		if (!bad && (rights & SANDBOX_PATHS))
			bad = add_all(filter, SCMP_ACT_ALLOW, calls_paths, COUNT(calls_paths));
		if (!bad && (rights & SANDBOX_THREADS))
			bad = add_all(filter, SCMP_ACT_ALLOW, calls_threads, COUNT(calls_threads));
		/* libuv switches descriptors to non-blocking with this one. */
		if (!bad)
			bad = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 1,
					       SCMP_A1(SCMP_CMP_EQ, 0x5421, 0)) ? ERR_SYSTEM : 0;
	}
	if (!bad && seccomp_load(filter))
		bad = ERR_SYSTEM;
	seccomp_release(filter);
	return bad;
}

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_CHANGE                                                                                 \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)
/* Renaming between folders needs version 2, and is refused (EXDEV) unless it is allowed. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1u << 13)
#endif
#define FS_ALL                                                                                    \
	(FS_READ | FS_CHANGE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |         \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

static long landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static uint64_t fs_refer(void) { return landlock_version() >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0; }

static int landlock_allow(int ruleset, const struct sandbox_path *p, struct fault *fault)
{
	int fd = open(p->path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return fault_set(fault, ERR_SYSTEM, "sandbox: %s: %s", p->path, strerror(errno));
	}
	struct landlock_path_beneath_attr rule = {
		.parent_fd = fd, .allowed_access = FS_READ | (p->writable ? FS_CHANGE | fs_refer() : 0)};
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
	long bad = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(fd);
	return bad ? fault_set(fault, ERR_SYSTEM, "sandbox: %s: %s", p->path, strerror(errno)) : 0;
}

static int enter_landlock(const struct sandbox_path *paths, size_t count, struct fault *fault)
{
	if (landlock_version() < 1)
		return 0; /* doctor says so; seccomp still refuses what has no need for files */
	const struct landlock_ruleset_attr attributes = {.handled_access_fs = FS_ALL | fs_refer()};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
	if (ruleset < 0)
		return fault_set(fault, ERR_SYSTEM, "sandbox: Landlock: %s", strerror(errno));
	int bad = 0;
	for (size_t i = 0; i < count && !bad; i++)
		bad = landlock_allow(ruleset, &paths[i], fault);
	if (!bad && syscall(SYS_landlock_restrict_self, ruleset, 0))
		bad = fault_set(fault, ERR_SYSTEM, "sandbox: Landlock: %s", strerror(errno));
	close(ruleset);
	return bad;
}

int sandbox_enter(unsigned rights, const struct sandbox_path *paths, size_t count, struct fault *fault)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0))
		return fault_set(fault, ERR_SYSTEM, "sandbox: prctl: %s", strerror(errno));
	int bad = enter_landlock(paths, count, fault);
	if (bad)
		return bad;
	if (enter_seccomp(rights))
		return fault_set(fault, ERR_SYSTEM, "sandbox: seccomp: the filter was not taken");
	return 0;
}

static const int calls_sending[] = {
	CALL(write), CALL(writev), CALL(pwrite64), CALL(pwritev), CALL(pwritev2), CALL(sendto), CALL(sendmsg),
	CALL(sendmmsg), CALL(sendfile), CALL(vmsplice), CALL(dup), CALL(dup2), CALL(dup3), CALL(connect),
	CALL(bind),
};

/* The kernel looks at 32 bits of a descriptor, so the filter must, too. */
static int refuse_sending(scmp_filter_ctx filter, int fd)
{
	const struct scmp_arg_cmp is_it = SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)fd);
	int bad = 0;
	for (size_t i = 0; i < COUNT(calls_sending); i++)
		bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls_sending[i], 1, is_it);
	for (size_t i = 0; i < 2; i++)
		bad |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), CALL(fcntl), 2, is_it,
					SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX,
						i ? F_DUPFD_CLOEXEC : F_DUPFD));
	return bad;
}

int sandbox_receive_only(const int *fds, size_t count, struct fault *fault)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int bad = !filter || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (size_t i = 0; i < count && !bad; i++)
		bad = refuse_sending(filter, fds[i]);
	if (!bad)
		bad = seccomp_load(filter);
	seccomp_release(filter);
	return bad ? fault_set(fault, ERR_SYSTEM, "sandbox: seccomp: the filter was not taken") : 0;
}

bool sandbox_has_seccomp(void) { return prctl(PR_GET_SECCOMP) >= 0; }
bool sandbox_has_landlock(void) { return landlock_version() >= 1; }

/*
 * LeakSanitizer stops a process from another one, which no sandbox of ours allows; it would
 * end in an error.  It asks this of the program, if the program has it.  Inside a sandbox the
 * answer is either 2 or a refusal.
 */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return prctl(PR_GET_SECCOMP) != 0; }
