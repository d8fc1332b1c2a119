#include "lab/run/trace_inner.h"
#include <errno.h>
#include <linux/audit.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.6; older headers lack it, older kernels refuse it, and both work on without. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/*
 * No read(2), write(2) or sendto(2): they are many, and the sink sees what goes over the network.
 */
static const char *const calls[] = {
	"execve", "execveat", "exit_group", "fork", "vfork", "clone", "kill", "tkill", "prctl", "ptrace", "uname", "memfd_create",
	"open", "openat", "openat2", "creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat",
	"symlink", "symlinkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "truncate", "mknod", "mknodat",
	"utime", "utimes", "utimensat", "mount", "umount2", "chroot", "sethostname", "reboot", "init_module",
	"finit_module", "delete_module", "socket", "connect", "bind", "listen", "nanosleep", "clock_nanosleep", NULL,
};

const char *const *trace_calls(void)
{
	return calls;
}

int trace_open(struct trace **out, const struct trace_plan *plan, struct arena *arena)
{
	struct seccomp_notif_sizes sizes;
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return ERR_SYSTEM;
	struct trace *t = arena_alloc(arena, sizeof *t);
	if (t == NULL)
		return ERR_MEMORY;
	t->plan = *plan;
	/* A kernel that is newer than our headers writes more than they know of. */
	t->request_size = sizes.seccomp_notif > sizeof *t->request ? sizes.seccomp_notif : sizeof *t->request;
	t->answer_size = sizes.seccomp_notif_resp > sizeof *t->answer ? sizes.seccomp_notif_resp : sizeof *t->answer;
	t->request = arena_alloc(arena, t->request_size);
	t->answer = arena_alloc(arena, t->answer_size);
	t->processes = arena_alloc(arena, TRACE_PROCESSES_MAX * sizeof *t->processes);
	t->endpoints = arena_alloc(arena, TRACE_ENDPOINTS_MAX * sizeof *t->endpoints);
	if (!t->request || !t->answer || !t->processes || !t->endpoints)
		return ERR_MEMORY;
	/* The caller waits for us: to be woken on its processor halves what a call costs. */
	(void)ioctl(plan->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	*out = t;
	return 0;
}

void trace_close(struct trace *t)
{
	trace_processes_close(t);
}

uint64_t trace_count(const struct trace *t)
{
	return t->count;
}

static void trace_look(struct trace *t, struct call *call)
{
	const struct seccomp_data *d = &t->request->data;
	call->by = trace_process_of(t, (pid_t)t->request->pid);
	if (call->by == NULL)
		return;
	if (d->arch != AUDIT_ARCH_X86_64) {
		/* int 0x80 in a 64-bit program: its numbers are others. */
		observe(t->plan.seen, DID_OTHER, BYTES("int 0x80"), "calls the kernel as a 32-bit program", call->by->boxed);
		return;
	}
	void (*handler)(struct call *) = trace_file_handler(d->nr);
	if (handler == NULL)
		handler = trace_call_handler(d->nr);
	if (handler)
		handler(call);
}

static void trace_answer(struct trace *t, const struct call *call)
{
	memset(t->answer, 0, t->answer_size);
	t->answer->id = t->request->id;
	if (call->answered) {
		t->answer->val = call->result < 0 ? 0 : call->result;
		t->answer->error = call->result < 0 ? (int)call->result : 0;
	} else {
		t->answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	/* ENOENT: whoever asked was killed meanwhile. */
	(void)ioctl(t->plan.listener, SECCOMP_IOCTL_NOTIF_SEND, t->answer);
}

int trace_turn(struct trace *t, unsigned max)
{
	for (unsigned i = 0; i < max; i++) {
		struct pollfd waiting = {.fd = t->plan.listener, .events = POLLIN};
		if (poll(&waiting, 1, 0) < 0)
			return errno == EINTR ? 0 : ERR_SYSTEM;
		if (!(waiting.revents & POLLIN))
			return waiting.revents & (POLLHUP | POLLERR) ? ERR_GONE : 0;
		memset(t->request, 0, t->request_size); /* the kernel wants zeros */
		if (ioctl(t->plan.listener, SECCOMP_IOCTL_NOTIF_RECV, t->request) < 0) {
			if (errno == ENOENT || errno == EINTR)
				continue;
			return ERR_SYSTEM;
		}
		t->count++;
		uint64_t arguments[6];
		for (size_t j = 0; j < 6; j++)
			arguments[j] = t->request->data.args[j];
		struct call call = {.trace = t, .a = arguments};
		trace_look(t, &call);
		trace_answer(t, &call);
	}
	return 0;
}

uint32_t trace_who_connected(const struct trace *t, const struct address *address, uint16_t port)
{
	for (size_t i = 0; i < t->endpoint_count; i++)
		if (t->endpoints[i].port == port && address_equal(&t->endpoints[i].address, address))
			return t->endpoints[i].process;
	return 0;
}
