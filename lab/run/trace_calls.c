/* What calls on processes, sockets and the system mean. */
#include "lab/run/trace_inner.h"
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define SLEEPS_CUT_MAX 64 /* of one process: a loop of long sleeps must not become a busy one */
#define SLEEP_LEFT_S 2    /* longer ones are cut to nothing */

static void say(const struct call *c, enum behaviour_kind kind, const char *subject, const char *what)
{
	observe(c->trace->plan.seen, kind, bytes_of_text(subject), what, c->by->boxed);
}

/* The arguments as one line, cut; a word that is empty or holds a space is quoted. */
static void command_line(const struct call *c, uint64_t address, struct writer *w)
{
	char word[512];
	for (unsigned i = 0; i < ARGUMENTS_MAX && !w->bad; i++) {
		uint64_t at = 0;
		if (trace_read(c, address + 8 * i, &at, sizeof at) != sizeof at || at == 0)
			return;
		word[0] = 0;
		(void)trace_text(c, at, word, sizeof word);
		const bool quoted = word[0] == 0 || strpbrk(word, " \t\n");
		write_fmt(w, quoted ? "%s\"%s\"" : "%s%s", i ? " " : "", word);
	}
}

static void executed(struct call *c, int64_t directory, uint64_t path_at, uint64_t arguments, bool by_descriptor)
{
	char path[TRACE_PATH_MAX], line[RUN_SUBJECT_MAX];
	bool there = by_descriptor;
	if (by_descriptor) {
		if (!trace_descriptor(c, (int)directory, path))
			return;
		/* A program that lies in memory alone is gone when it is over. */
		if (strncmp(path, "/memfd:", 7) == 0)
			say(c, DID_HIDE, path, "runs a program that is in no file");
		taken_take_descriptor(c->trace->plan.taken, trace_borrow(c, (int)directory), path);
	} else if (!trace_path(c, directory, path_at, path)) {
		return;
	} else if (strcmp(path, "/proc/self/exe") == 0) { /* as busybox runs its applets, and bots themselves */
		char self[64];
		snprintf(self, sizeof self, "/proc/%d/exe", c->by->process);
		const ssize_t n = readlink(self, path, sizeof path - 1);
		path[n > 0 ? n : 0] = 0;
		there = true;
	}
	struct writer w = writer_of(line, sizeof line - 1);
	command_line(c, arguments, &w);
	*w.at = 0;
	/* What is not there is only looked for, as a shell does along its PATH. */
	if (there || taken_exists(c->trace->plan.taken, path)) {
		char subject[RUN_SUBJECT_MAX];
		snprintf(subject, sizeof subject, "%s", line[0] ? line : path);
		say(c, DID_PROCESS, subject, path);
		if (strncmp(path, "/bin/", 5) != 0 && strncmp(path, "/usr/", 5) != 0 && strncmp(path, "/sbin/", 6) != 0)
			taken_take(c->trace->plan.taken, path);
	}
	trace_process_changed(c->trace, c->by->process);
}

static void told_execve(struct call *c) { executed(c, AT_FDCWD, c->a[0], c->a[1], false); }

static void told_execveat(struct call *c)
{
	char first = 0;
	const bool empty = trace_read(c, c->a[1], &first, 1) == 1 && first == 0;
	executed(c, (int32_t)c->a[0], c->a[1], c->a[2], c->a[4] & AT_EMPTY_PATH && empty);
}

static void told_clone(struct call *c)
{
	if (!(c->a[0] & CLONE_THREAD))
		say(c, DID_PROCESS, "fork", "fork");
}

static void told_exit(struct call *c)
{
	const struct trace_plan *p = &c->trace->plan;
	taken_take_passing(p->taken);
	if (p->exiting)
		p->exiting(p->arg, c->by->process);
}

static void told_fork(struct call *c) { say(c, DID_PROCESS, "fork", "fork"); }

/* The name of a process of the box, by the box's number. */
static void process_name(const struct call *c, int number, char *out, size_t size)
{
	char path[96];
	snprintf(out, size, "%d", number);
	snprintf(path, sizeof path, "/proc/%d/root/proc/%d/comm", c->by->process, number);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	char name[64];
	const ssize_t n = read(fd, name, sizeof name - 1);
	close(fd);
	if (n > 1) {
		name[n - (name[n - 1] == '\n')] = 0;
		snprintf(out, size, "%s", name);
	}
}

static void told_kill(struct call *c)
{
	const int number = (int)c->a[0], signal_number = (int)c->a[1];
	char subject[64];
	if (signal_number == 0 || (uint32_t)number == c->by->boxed)
		return;
	if (number == -1)
		snprintf(subject, sizeof subject, "all processes");
	else if (number <= 0)
		snprintf(subject, sizeof subject, "its process group");
	else
		process_name(c, number, subject, sizeof subject);
	char what[32];
	const char *const name = sigabbrev_np(signal_number);
	snprintf(what, sizeof what, "SIG%s", name ? name : "?");
	say(c, DID_KILL, subject, what);
}

static void told_prctl(struct call *c)
{
	char name[17] = "";
	/* busybox calls itself as the applet that it is. */
	if (c->a[0] == PR_SET_NAME && !c->by->tool && trace_text(c, c->a[1], name, sizeof name))
		say(c, DID_HIDE, name, "renames itself");
	else if (c->a[0] == PR_SET_DUMPABLE && c->a[1] == 0)
		say(c, DID_HIDE, "prctl", "does not want to be looked at");
}

static void told_ptrace(struct call *c)
{
	say(c, DID_HIDE, "ptrace", c->a[0] == PTRACE_TRACEME ? "looks whether it is traced" : "traces another process");
}

static void told_memfd(struct call *c)
{
	char name[256];
	if (trace_text(c, c->a[0], name, sizeof name) && strncmp(name, "qemu", 4) != 0)
		say(c, DID_FILE, name, "created in memory");
}

/* glibc's struct is the kernel's; the sample's own is filled from it by qemu. */
static void told_uname(struct call *c)
{
	struct utsname u;
	const struct trace_plan *p = &c->trace->plan;
	if (uname(&u) < 0)
		return;
	snprintf(u.nodename, sizeof u.nodename, "%s", p->host_name);
	snprintf(u.release, sizeof u.release, "%s", p->kernel);
	snprintf(u.version, sizeof u.version, "#1 Fri Mar 21 10:14:02 CST 2014");
	snprintf(u.domainname, sizeof u.domainname, "(none)");
	if (p->machine && !c->by->emulated)
		snprintf(u.machine, sizeof u.machine, "%s", p->machine);
	if (trace_write(c, c->a[0], &u, sizeof u))
		c->answered = true;
}

static void slept(struct call *c, uint64_t address, bool until)
{
	struct timespec t;
	if (until || trace_read(c, address, &t, sizeof t) != sizeof t || t.tv_sec <= SLEEP_LEFT_S)
		return;
	say(c, DID_OTHER, "sleep", "sleeps long; cut short");
	if (c->by->slept++ < SLEEPS_CUT_MAX)
		c->answered = true;
}

static void told_nanosleep(struct call *c) { slept(c, c->a[0], false); }
static void told_clock_nanosleep(struct call *c) { slept(c, c->a[2], c->a[1] & TIMER_ABSTIME); }

static void told_socket(struct call *c)
{
	const int family = (int)c->a[0], type = (int)c->a[1] & 0xf;
	if (family == AF_PACKET)
		say(c, DID_OTHER, "packet socket", "listens to the wire");
	else if ((family == AF_INET || family == AF_INET6) && type == SOCK_RAW)
		say(c, DID_OTHER, "raw socket", "makes its own packets");
}

static bool told_address(const struct call *c, struct sockaddr_storage *to)
{
	const size_t n = c->a[2] < sizeof *to ? c->a[2] : sizeof *to;
	memset(to, 0, sizeof *to);
	return trace_read(c, c->a[1], to, n) >= sizeof to->ss_family;
}

static void endpoint_text(const struct address *address, uint16_t port, char *out, size_t size)
{
	char text[ADDRESS_TEXT_MAX];
	snprintf(out, size, address_is_v4(address) ? "%s:%u" : "[%s]:%u", address_format(address, text), port);
}

static const char *socket_kind(const struct call *c, int descriptor)
{
	const int fd = trace_borrow(c, descriptor);
	int type = 0;
	socklen_t n = sizeof type;
	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0)
		type = 0;
	if (fd >= 0)
		close(fd);
	return type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : "raw";
}

static bool is_loopback(const struct address *a)
{
	static const struct address six = {{[15] = 1}};
	return address_is_v4(a) ? address_to_v4(a) >> 24 == 127 : address_equal(a, &six);
}

/* What leaves the box is the sink's to tell; we know who asked, and what stays within. */
static void told_connect(struct call *c)
{
	struct sockaddr_storage to;
	if (!told_address(c, &to) || (to.ss_family != AF_INET && to.ss_family != AF_INET6))
		return;
	struct trace *t = c->trace;
	struct address address;
	uint16_t port = 0;
	address_from_sockaddr(&to, &address, &port);
	if (is_loopback(&address)) {
		char text[ADDRESS_TEXT_MAX + 16];
		endpoint_text(&address, port, text, sizeof text);
		say(c, DID_CONNECT, text, socket_kind(c, (int)c->a[0]));
	} else if (t->endpoint_count < TRACE_ENDPOINTS_MAX && trace_who_connected(t, &address, port) == 0) {
		t->endpoints[t->endpoint_count++] = (struct trace_endpoint){address, port, c->by->boxed};
	}
}

/* A port of 0 is anyone's: a client's, or a listener that somebody must be told of. */
static void told_bind(struct call *c)
{
	struct sockaddr_storage to;
	char text[ADDRESS_TEXT_MAX + 16];
	if (!told_address(c, &to))
		return;
	if (to.ss_family == AF_UNIX) {
		const struct sockaddr_un *u = (const void *)&to;
		char name[sizeof u->sun_path + 2];
		snprintf(name, sizeof name, "%s%.*s", u->sun_path[0] ? "" : "@", (int)sizeof u->sun_path - 1,
			 u->sun_path + (u->sun_path[0] == 0));
		say(c, DID_LISTEN, name, "unix");
		return;
	}
	if (to.ss_family != AF_INET && to.ss_family != AF_INET6)
		return;
	struct address address;
	uint16_t port = 0;
	address_from_sockaddr(&to, &address, &port);
	if (port == 0)
		return;
	endpoint_text(&address, port, text, sizeof text);
	say(c, DID_LISTEN, text, socket_kind(c, (int)c->a[0]));
}

static void told_hostname(struct call *c)
{
	char name[64];
	if (trace_text(c, c->a[0], name, sizeof name))
		say(c, DID_OTHER, name, "renames the machine");
}

void (*trace_call_handler(int number))(struct call *)
{
	switch (number) {
	case SYS_execve: return told_execve;
	case SYS_execveat: return told_execveat;
	case SYS_exit_group: return told_exit;
	case SYS_clone: return told_clone;
	case SYS_fork:
	case SYS_vfork: return told_fork;
	case SYS_kill:
	case SYS_tkill: return told_kill;
	case SYS_prctl: return told_prctl;
	case SYS_ptrace: return told_ptrace;
	case SYS_memfd_create: return told_memfd;
	case SYS_uname: return told_uname;
	case SYS_nanosleep: return told_nanosleep;
	case SYS_clock_nanosleep: return told_clock_nanosleep;
	case SYS_socket: return told_socket;
	case SYS_connect: return told_connect;
	case SYS_bind: return told_bind;
	case SYS_sethostname: return told_hostname;
	default: return NULL;
	}
}
