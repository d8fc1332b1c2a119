#include "bus/parent.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/parent_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GREETING_WAIT_MS 5
#define GREETING_WAITS_MAX 1000 /* somebody is stuck: begin without */
#define RESTART_MS_FIRST 100
#define RESTART_MS_MAX 10000
#define STEADY_US 30000000      /* who lived this long starts anew at the first delay */
#define STOP_WAIT_US 10000000   /* per process, then it is killed, unless its role says otherwise */
#define WATCH_MS 50
#define JOURNAL_HEARS_US 2000000

static void child_start(struct child *);
static void parent_stop(struct parent *);

static void start_failed(struct parent *parent, const struct child *c, const char *why)
{
	if (parent->announced || parent->stopping || c->role->optional)
		return;
	fault_set(parent->fault, ERR_SYSTEM, "%s could not start: %s", c->role->name, why);
	parent->failed = true;
	parent_stop(parent);
}

static void announce_when_complete(struct parent *parent);
static void announce_again(uv_timer_t *timer) { announce_when_complete(timer->data); }

static void announce_when_complete(struct parent *parent)
{
	for (size_t i = 0; i < parent->count; i++) {
		const struct child *c = &parent->children[i];
		if (!c->told_linked && !(c->role->optional && c->deaths))
			return;
	}
	if (parent->announced || parent->stopping)
		return;
	/* Who has not greeted us yet has not said what it wants, and would miss what we report. */
	if (!bus_linked(parent->bus) && parent->greeting_waits++ < GREETING_WAITS_MAX) {
		uv_timer_start(&parent->watch, announce_again, GREETING_WAIT_MS, 0);
		return;
	}
	parent->announced = true;
	parent_report(parent, NULL, "configuration", parent->options->config_file);
	for (size_t i = 0; i < parent->count; i++)
		if (parent->children[i].ready)
			parent_report(parent, &parent->children[i], "up", NULL);
	log_info("ready: %zu processes, state in %s", parent->count, parent->state);
	char path[STATE_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/run/ready", parent->state);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0) {
		dprintf(fd, "%d\n", getpid());
		close(fd);
	}
}

static void child_ready(struct child *c)
{
	struct parent *parent = c->parent;
	c->ready = true;
	parent_link_child(parent, c);
	parent_tell_linked(parent);
	if (parent->announced && c->died_us) {
		char detail[96];
		snprintf(detail, sizeof detail, "back after %llu ms",
			 (unsigned long long)(clock_mono_us() - c->died_us) / 1000);
		parent_report(parent, c, "up", detail);
	}
	announce_when_complete(parent);
}

static void child_said(uv_poll_t *poll, int status, int events)
{
	(void)events;
	struct child *c = poll->data;
	uint8_t room[CHANNEL_MESSAGE_MAX];
	enum channel_message type;
	struct bytes body;
	int fd;
	while (status >= 0) {
		int bad = channel_receive(c->channel, room, &type, &body, &fd, false);
		if (bad == ERR_GONE)
			return;
		if (bad)
			break;
		if (fd >= 0)
			close(fd); /* no process has anything to hand up */
		char why[400];
		if (type == CHANNEL_READY && !c->ready) {
			child_ready(c);
		} else if (type == CHANNEL_FAULT) {
			bytes_copy_text(body, why, sizeof why);
			start_failed(c->parent, c, why);
		}
	}
	uv_poll_stop(poll); /* its death is told by SIGCHLD */
}

static char *const *child_environment(void)
{
	extern char **environ;
	return environ;
}

/* In the new process; only what is safe after fork. */
static void child_exec(const struct child *c, int channel)
{
	char self[512], store[sizeof self + 8];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0 || dup2(channel, CHANNEL_FD) < 0)
		_exit(127);
	self[n] = '\0';
	if (channel == CHANNEL_FD)
		fcntl(channel, F_SETFD, 0);
	char *argv[] = {"kansoku", "process", (char *)(uintptr_t)c->role->name, NULL};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(store, sizeof store, "%s-store", self);
	if (c->role->unsanitized && access(store, X_OK) == 0)
		execve(store, argv, child_environment());
	execve(self, argv, child_environment());
	_exit(127);
}

static void child_start(struct child *c)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		log_error("%s cannot be started: %s", c->role->name, strerror(errno));
		start_failed(c->parent, c, strerror(errno));
		return;
	}
	c->pid = fork();
	if (c->pid == 0)
		child_exec(c, pair[1]);
	close(pair[1]);
	c->channel = pair[0];
	c->started_us = clock_mono_us();
	c->ready = c->told_linked = c->told_stop = false;
	child_hand_down(c);
	c->poll.data = c;
	uv_poll_init(c->parent->loop, &c->poll, c->channel);
	uv_poll_start(&c->poll, UV_READABLE, child_said);
	c->polling = true;
}

static void restart_due(uv_timer_t *timer)
{
	struct child *c = timer->data;
	if (!c->parent->stopping)
		child_start(c);
}

static void channel_closed(uv_handle_t *handle)
{
	struct child *c = handle->data;
	close(c->channel);
	c->channel = -1;
	c->polling = false;
	if (c->parent->stopping || c->pid)
		return;
	unsigned shift = c->deaths < 7 ? c->deaths - 1 : 6;
	uint64_t wait = (uint64_t)RESTART_MS_FIRST << shift;
	uv_timer_start(&c->restart, restart_due, wait < RESTART_MS_MAX ? wait : RESTART_MS_MAX, 0);
}

static void child_died(struct child *c, int status)
{
	struct parent *parent = c->parent;
	char detail[96];
	if (WIFSIGNALED(status))
		snprintf(detail, sizeof detail, "ended by signal %d", WTERMSIG(status));
	else
		snprintf(detail, sizeof detail, "ended with status %d", WEXITSTATUS(status));
	bool orderly = c->told_stop && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	c->pid = 0;
	c->ready = c->told_linked = false;
	c->died_us = clock_mono_us();
	c->deaths = c->died_us - c->started_us > STEADY_US ? 1 : c->deaths + 1;
	if (!orderly) {
		log_warning("%s/%u %s", c->role->name, c->prepared.worker, detail);
		parent_report(parent, c, "crash", detail);
	}
	if (!parent->announced && !parent->stopping) {
		start_failed(parent, c, detail);
		parent_tell_linked(parent); /* who waited for an optional one waits no longer */
		announce_when_complete(parent);
	}
	if (c->polling)
		uv_close((uv_handle_t *)&c->poll, channel_closed);
}

static void some_died(uv_signal_t *signal, int number)
{
	(void)number;
	struct parent *parent = signal->data;
	for (size_t i = 0; i < parent->count; i++) {
		struct child *c = &parent->children[i];
		int status;
		if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid)
			child_died(c, status);
	}
}

/* Nobody who still runs needs it. */
static bool may_stop(const struct parent *parent, const struct child *c)
{
	for (size_t i = 0; i < parent->count; i++) {
		const struct child *other = &parent->children[i];
		if (other->pid && other != c && role_talks_to(other->role, c->role->name))
			return false;
	}
	return true;
}

static uint64_t stop_wait_us(const struct role *role)
{
	return role->stop_s ? role->stop_s * UINT64_C(1000000) : STOP_WAIT_US;
}

static void stop_step(uv_timer_t *timer)
{
	struct parent *parent = timer->data;
	bool left = false;
	/* The parent's own last words reach the journal before it is told to stop. */
	bool heard = bus_unacknowledged(parent->bus) == 0 || clock_mono_us() > parent->stop_deadline_us;
	for (size_t i = 0; i < parent->count; i++) {
		struct child *c = &parent->children[i];
		if (!c->pid)
			continue;
		left = true;
		bool journal = !strcmp(c->role->name, "journal");
		if (!c->told_stop && may_stop(parent, c) && (heard || !journal)) {
			c->told_stop = true;
			c->started_us = clock_mono_us();
			channel_send(c->channel, CHANNEL_STOP, (struct bytes){0}, -1);
		} else if (c->told_stop && clock_mono_us() - c->started_us > stop_wait_us(c->role)) {
			log_warning("%s/%u did not stop in time and is killed", c->role->name,
				    c->prepared.worker);
			kill(c->pid, SIGKILL);
		}
	}
	if (!left)
		uv_stop(parent->loop);
}

static void parent_stop(struct parent *parent)
{
	if (parent->stopping)
		return;
	parent->stopping = true;
	parent->stop_deadline_us = clock_mono_us() + JOURNAL_HEARS_US;
	if (parent->announced) {
		log_info("stopping");
		for (size_t i = 0; i < parent->count; i++)
			parent_report(parent, &parent->children[i], "down", NULL);
	}
	uv_timer_start(&parent->watch, stop_step, 0, WATCH_MS);
}

static void asked_to_stop(uv_signal_t *signal, int number)
{
	(void)number;
	parent_stop(signal->data);
}

static void watch_signals(struct parent *parent)
{
	uv_signal_init(parent->loop, &parent->term);
	uv_signal_init(parent->loop, &parent->interrupt);
	uv_signal_init(parent->loop, &parent->dead);
	uv_timer_init(parent->loop, &parent->watch);
	parent->term.data = parent->interrupt.data = parent->dead.data = parent->watch.data = parent;
	uv_signal_start(&parent->term, asked_to_stop, SIGTERM);
	uv_signal_start(&parent->interrupt, asked_to_stop, SIGINT);
	uv_signal_start(&parent->dead, some_died, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
}

int parent_run(const struct parent_options *options, struct fault *fault)
{
	struct parent *parent = calloc(1, sizeof *parent);
	if (!parent)
		return ERR_MEMORY;
	*parent = (struct parent){.options = options, .fault = fault, .config_fd = -1, .lock_fd = -1};
	parent->loop = uv_default_loop();
	log_open("kansoku", LOG_LEVEL_INFO);
	int bad = event_start(fault);
	if (!bad)
		bad = parent_prepare(parent, fault);
	if (!bad)
		bad = bus_open(&parent->bus, parent->loop, "parent", 0, parent->run->sensor);
	if (bad)
		return bad; /* the process ends, and with it what was opened */
	watch_signals(parent);
	for (size_t i = 0; i < parent->count; i++) {
		parent->children[i].restart.data = &parent->children[i];
		uv_timer_init(parent->loop, &parent->children[i].restart);
		child_start(&parent->children[i]);
	}
	uv_run(parent->loop, UV_RUN_DEFAULT);
	char path[STATE_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/run/ready", parent->state);
	unlink(path);
	log_info("stopped");
	return parent->failed ? ERR_SYSTEM : 0;
}
