/* A process that runs samples, and its owner's side. */
#include "lab/run/run_inner.h"
#include "base/fork.h"
#include "lab/run/runner_frame.h"
#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEND_MS_MAX 30000
#define CHANNEL 3

struct lab_runner {
	pid_t pid;
	int channel;
	bool busy;
	struct buffer heard;
	bool (*served)(void *arg, struct bytes url, struct bytes *content);
	void *arg;
};

/* All of it, or ERR_GONE: the other side is there to read. */
static int send_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;
	while (n > 0) {
		const ssize_t sent = send(fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent > 0) {
			at += sent;
			n -= (size_t)sent;
			continue;
		}
		struct pollfd room = {.fd = fd, .events = POLLOUT};
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return ERR_GONE;
		if (poll(&room, 1, SEND_MS_MAX) <= 0)
			return ERR_GONE;
	}
	return 0;
}

static int send_frame(int fd, enum runner_kind kind, struct bytes b)
{
	uint8_t header[RUNNER_HEADER];
	struct writer w = writer_of(header, sizeof header);
	write_u32(&w, kind);
	write_u64(&w, b.len);
	const int bad = send_all(fd, header, sizeof header);
	return bad ? bad : send_all(fd, b.at, b.len);
}

/* The first frame of what was heard, when it is whole; ERR_BAD when it never will be. */
static int next_frame(const struct buffer *heard, uint32_t *kind, struct bytes *b)
{
	struct reader r = reader_of_bytes(buffer_bytes(heard));
	if (reader_left(&r) < RUNNER_HEADER)
		return 0;
	*kind = read_u32(&r);
	const uint64_t len = read_u64(&r);
	if (len > RUNNER_BYTES_MAX - RUNNER_HEADER)
		return ERR_BAD;
	if (len > reader_left(&r))
		return 0;
	*b = read_bytes(&r, len);
	return 1;
}

/* Reads what is there: more than 0, 0 when nothing is, ERR_GONE at its end. */
static int hear(int fd, struct buffer *heard, int flags)
{
	uint8_t *room = buffer_room(heard, 65536);
	if (room == NULL)
		return ERR_FULL;
	const ssize_t n = recv(fd, room, 65536, flags);
	if (n > 0) {
		buffer_grown(heard, (size_t)n);
		return 1;
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : ERR_GONE;
}

struct worker { /* the runner's side */
	int channel;
	struct box_keeper *keeper;
	bool egress; /* a plan may have one */
	struct buffer heard;
	struct arena content; /* of downloads that were served */
};

static int worker_wait(struct worker *w, uint32_t *kind, struct bytes *b)
{
	int got;
	while ((got = next_frame(&w->heard, kind, b)) == 0)
		if ((got = hear(w->channel, &w->heard, 0)) < 0)
			return got;
	return got;
}

static bool worker_served(void *arg, struct bytes url, struct bytes *content)
{
	struct worker *w = arg;
	uint32_t kind = 0;
	struct bytes b;
	if (send_frame(w->channel, RUNNER_ASKS, url) || worker_wait(w, &kind, &b) != 1 || kind != RUNNER_SERVED || b.len == 0)
		_exit(1); /* without an owner there is nothing to run for */
	const bool found = b.at[0] == 1;
	if (found)
		*content = arena_copy(&w->content, (struct bytes){b.at + 1, b.len - 1});
	buffer_consume(&w->heard, RUNNER_HEADER + b.len);
	return found && content->at != NULL;
}

static void worker_run(struct worker *w, struct bytes b)
{
	struct arena arena = ARENA(RUNNER_BYTES_MAX);
	struct buffer answer = BUFFER(RUNNER_BYTES_MAX);
	struct fault fault = {0};
	struct run_plan plan;
	struct run *run = NULL;
	int bad = runner_plan_read(b, &arena, &plan);
	buffer_consume(&w->heard, RUNNER_HEADER + b.len);
	plan.served = worker_served;
	plan.arg = w;
	w->content = ARENA(RUNNER_BYTES_MAX);
	if (!bad && plan.egress && !w->egress)
		bad = fault_set(&fault, ERR_DENIED, "lab: this runner lets nothing leave");
	if (!bad)
		bad = lab_run(&run, w->keeper, &plan, &fault);
	if (!bad && (bad = runner_findings_write(&answer, run_findings(run))) != 0)
		fault_set(&fault, bad, "lab: what the run found does not fit");
	if (!bad) {
		bad = send_frame(w->channel, RUNNER_RUN, buffer_bytes(&answer));
	} else {
		char text[sizeof fault.text + 4];
		struct writer writer = writer_of(text, sizeof text);
		write_u32(&writer, (uint32_t)bad);
		write_text(&writer, fault.text[0] ? fault.text : error_name(bad));
		bad = send_frame(w->channel, RUNNER_FAULT, writer_bytes(&writer));
	}
	run_free(run);
	buffer_done(&answer);
	arena_done(&w->content);
	arena_done(&arena);
	if (bad)
		_exit(1);
}

static _Noreturn void worker_main(int channel, const char *scratch, bool egress, pid_t owner)
{
	struct worker w = {.channel = CHANNEL, .egress = egress, .heard = BUFFER(RUNNER_BYTES_MAX)};
	struct fault fault = {0};
	uint32_t kind = 0;
	struct bytes b;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != owner)
		_exit(1);
	signal(SIGPIPE, SIG_IGN);
	if (dup2(channel, CHANNEL) < 0)
		_exit(1);
	syscall(SYS_close_range, CHANNEL + 1, ~0u, 0);
	const int bad = box_keeper_open(&w.keeper, scratch, &fault);
	const struct bytes said = bytes_of_text(fault.text);
	if (send_frame(CHANNEL, RUNNER_FAULT, said) || bad) /* an empty one: it stands */
		_exit(1);
	while (worker_wait(&w, &kind, &b) == 1 && kind == RUNNER_PLAN)
		worker_run(&w, b);
	box_keeper_close(w.keeper);
	_exit(0);
}

int lab_runner_open(struct lab_runner **out, const char *scratch, bool egress, struct fault *fault)
{
	int pair[2];
	struct lab_runner *r = calloc(1, sizeof *r);
	if (r == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		free(r);
		return fault_set(fault, ERR_SYSTEM, "lab: no runner: %s", strerror(errno));
	}
	const pid_t owner = getpid();
	*r = (struct lab_runner){.pid = fork_plain(), .channel = pair[0], .heard = BUFFER(RUNNER_BYTES_MAX)};
	if (r->pid == 0)
		worker_main(pair[1], scratch, egress, owner);
	close(pair[1]);
	uint32_t kind = 0;
	struct bytes b = {0};
	int got;
	while (r->pid > 0 && (got = next_frame(&r->heard, &kind, &b)) == 0)
		if (hear(r->channel, &r->heard, 0) < 0)
			break;
	if (r->pid < 0 || kind != RUNNER_FAULT || b.len > 0) {
		const int bad = fault_set(fault, ERR_SYSTEM, "%.*s", b.len ? (int)b.len : 30, b.len ? (const char *)b.at : "lab: the runner did not start");
		lab_runner_close(r);
		return bad;
	}
	buffer_consume(&r->heard, RUNNER_HEADER);
	*out = r;
	return 0;
}

void lab_runner_close(struct lab_runner *r)
{
	if (r == NULL)
		return;
	close(r->channel);
	if (r->pid > 0) {
		/* A run under way is not waited for: its boxes end with their keeper, and that with it. */
		kill(r->pid, SIGKILL);
		waitpid(r->pid, NULL, 0);
	}
	buffer_done(&r->heard);
	free(r);
}

int lab_runner_fd(const struct lab_runner *r)
{
	return r->channel;
}

int lab_runner_give(struct lab_runner *r, const struct run_plan *plan, struct fault *fault)
{
	struct buffer b = BUFFER(RUNNER_BYTES_MAX);
	if (r->busy)
		return ERR_FULL;
	int bad = runner_plan_write(&b, plan);
	if (!bad)
		bad = send_frame(r->channel, RUNNER_PLAN, buffer_bytes(&b));
	buffer_done(&b);
	if (bad)
		return fault_set(fault, bad, "lab: the runner does not take its plan");
	r->busy = true;
	r->served = plan->served;
	r->arg = plan->arg;
	return 0;
}

static int serve(struct lab_runner *r, struct bytes url)
{
	struct bytes content = {0};
	struct buffer answer = BUFFER(RUNNER_BYTES_MAX);
	const uint8_t found = r->served && r->served(r->arg, url, &content) && content.at;
	int bad = buffer_append(&answer, &found, 1);
	if (!bad && found)
		bad = buffer_append(&answer, content.at, content.len);
	const uint8_t nothing = 0;
	bad = send_frame(r->channel, RUNNER_SERVED, bad ? (struct bytes){&nothing, 1} : buffer_bytes(&answer));
	buffer_done(&answer);
	return bad;
}

static int take_run(struct bytes b, struct run **out, struct fault *fault)
{
	struct run *run = calloc(1, sizeof *run);
	if (run == NULL)
		return fault_set(fault, ERR_MEMORY, "lab: no memory for what a run found");
	run->arena = ARENA(RUNNER_BYTES_MAX + RUN_MEMORY_MAX);
	const int bad = runner_findings_read(b, &run->arena, &run->findings);
	if (bad) {
		run_free(run);
		return fault_set(fault, bad, "lab: what the runner says cannot be read");
	}
	*out = run;
	return 0;
}

int lab_runner_take(struct lab_runner *r, struct run **out, struct fault *fault)
{
	uint32_t kind = 0;
	struct bytes b = {0};
	int got;
	*out = NULL;
	while ((got = next_frame(&r->heard, &kind, &b)) == 0) {
		got = hear(r->channel, &r->heard, MSG_DONTWAIT);
		if (got <= 0)
			return got;
	}
	if (got < 0 || !r->busy)
		return ERR_GONE;
	int bad = 0;
	if (kind == RUNNER_ASKS)
		bad = serve(r, b);
	else if (kind == RUNNER_RUN)
		(void)take_run(b, out, fault);
	else
		fault_set(fault, ERR_SYSTEM, "%.*s", b.len > 4 ? (int)(b.len - 4) : 0, b.len > 4 ? (const char *)b.at + 4 : "");
	buffer_consume(&r->heard, RUNNER_HEADER + b.len);
	if (kind == RUNNER_ASKS)
		return bad ? ERR_GONE : 0;
	r->busy = false;
	return 1;
}
