#include "lab/run/trace_inner.h"
#include "lab/run/scene.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u

static bool read_small(const char *path, char *out, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const ssize_t n = read(fd, out, size - 1);
	close(fd);
	if (n < 0)
		return false;
	out[n] = 0;
	return true;
}

/* The last number of a line of /proc/PID/status: of NSpid that is what the box counts. */
static uint32_t status_number(const char *status, const char *name)
{
	const char *at = strstr(status, name);
	uint32_t last = 0;
	for (at = at ? at + strlen(name) : ""; *at && *at != '\n';) {
		if (*at < '0' || *at > '9') {
			at++;
			continue;
		}
		char *end;
		last = (uint32_t)strtoul(at, &end, 10);
		at = end;
	}
	return last;
}

static void look_at_program(struct trace_process *p)
{
	char path[64], exe[256];
	snprintf(path, sizeof path, "/proc/%d/exe", p->process);
	const ssize_t n = readlink(path, exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	p->emulated = strstr(exe, SCENE_EMULATOR) != NULL;
	p->tool = strcmp(exe, SCENE_TOOLS) == 0;
}

static bool process_read(struct trace_process *p, pid_t thread)
{
	char path[64], status[2048];
	snprintf(path, sizeof path, "/proc/%d/status", thread);
	if (!read_small(path, status, sizeof status))
		return false;
	*p = (struct trace_process){.thread = thread, .handle = -1};
	p->process = (pid_t)status_number(status, "\nTgid:");
	p->boxed = status_number(status, "\nNStgid:");
	look_at_program(p);
	return p->process != 0;
}

static void process_forget(struct trace_process *p)
{
	if (p->handle >= 0)
		close(p->handle);
	p->handle = -1;
}

struct trace_process *trace_process_of(struct trace *t, pid_t thread)
{
	for (size_t i = t->process_count; i-- > 0;)
		if (t->processes[i].thread == thread)
			return &t->processes[i];
	if (t->process_count == TRACE_PROCESSES_MAX) {
		/* The older half is forgotten; who is still there is found again. */
		const size_t half = TRACE_PROCESSES_MAX / 2;
		for (size_t i = 0; i < half; i++)
			process_forget(&t->processes[i]);
		memmove(t->processes, t->processes + half, half * sizeof *t->processes);
		t->process_count = half;
	}
	struct trace_process *p = &t->processes[t->process_count];
	if (!process_read(p, thread))
		return NULL;
	t->process_count++;
	return p;
}

void trace_process_changed(struct trace *t, pid_t process)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->process_count; i++) {
		if (t->processes[i].process == process)
			process_forget(&t->processes[i]);
		else
			t->processes[kept++] = t->processes[i];
	}
	t->process_count = kept;
}

void trace_processes_close(struct trace *t)
{
	for (size_t i = 0; i < t->process_count; i++)
		process_forget(&t->processes[i]);
	t->process_count = 0;
}

size_t trace_read(const struct call *c, uint64_t address, void *out, size_t n)
{
	size_t got = 0;
	while (got < n) { /* page by page: what follows the text need not be there */
		const size_t here = PAGE - (address + got) % PAGE, left = n - got;
		struct iovec to = {(uint8_t *)out + got, here < left ? here : left};
		struct iovec from = {(void *)(uintptr_t)(address + got), to.iov_len};
		const ssize_t r = process_vm_readv(c->by->process, &to, 1, &from, 1, 0);
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	return got;
}

bool trace_write(const struct call *c, uint64_t address, const void *from, size_t n)
{
	struct iovec mine = {(void *)(uintptr_t)from, n}, theirs = {(void *)(uintptr_t)address, n};
	return process_vm_writev(c->by->process, &mine, 1, &theirs, 1, 0) == (ssize_t)n;
}

bool trace_text(const struct call *c, uint64_t address, char *out, size_t size)
{
	if (address == 0)
		return false;
	size_t got = 0;
	while (got < size - 1) { /* in pieces: paths are short, and a page is much */
		const size_t piece = size - 1 - got < 256 ? size - 1 - got : 256;
		const size_t n = trace_read(c, address + got, out + got, piece);
		if (memchr(out + got, 0, n))
			return true;
		got += n;
		if (n < piece)
			break;
	}
	out[got] = 0;
	return got > 0;
}

static bool read_link(const char *path, char out[TRACE_PATH_MAX])
{
	const ssize_t n = readlink(path, out, TRACE_PATH_MAX - 1);
	if (n <= 0)
		return false;
	out[n] = 0;
	return true;
}

bool trace_descriptor(const struct call *c, int descriptor, char out[TRACE_PATH_MAX])
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd/%d", c->by->process, descriptor);
	return read_link(path, out);
}

/* "/a/./b/../c" → "/a/c", by its text: links are the kernel's to follow. */
static void path_tidy(char *path)
{
	char *to = path;
	for (const char *at = path; *at;) {
		while (*at == '/')
			at++;
		const size_t n = strcspn(at, "/");
		if (n == 2 && at[0] == '.' && at[1] == '.') {
			while (to > path && *--to != '/')
				;
		} else if (n > 0 && !(n == 1 && at[0] == '.')) {
			*to++ = '/';
			memmove(to, at, n);
			to += n;
		}
		at += n;
	}
	if (to == path)
		*to++ = '/';
	*to = 0;
}

bool trace_path(const struct call *c, int64_t directory, uint64_t address, char out[TRACE_PATH_MAX])
{
	char text[TRACE_PATH_MAX], base[TRACE_PATH_MAX] = "";
	if (!trace_text(c, address, text, sizeof text))
		return false;
	if (text[0] != '/') {
		char path[64];
		snprintf(path, sizeof path, "/proc/%d/cwd", c->by->process);
		if (!((int32_t)directory == AT_FDCWD ? read_link(path, base) : trace_descriptor(c, (int)directory, base)))
			return false;
	}
	const size_t base_len = strlen(base), text_len = strlen(text);
	if (base_len + 1 + text_len >= TRACE_PATH_MAX)
		return false;
	memcpy(out, base, base_len);
	out[base_len] = '/';
	memcpy(out + base_len + 1, text, text_len + 1);
	path_tidy(out);
	return true;
}

int trace_borrow(const struct call *c, int descriptor)
{
	if (c->by->handle < 0)
		c->by->handle = (int)syscall(SYS_pidfd_open, c->by->process, 0);
	return c->by->handle < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, c->by->handle, descriptor, 0);
}
