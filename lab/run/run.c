#include "lab/run/run_inner.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOX_SLACK_MS 5000 /* the box' own limit of time is for when we are gone */
#define TURN_CALLS_MAX 256
#define WAIT_MS 100

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Only we may look into the folder; its files are seen by the box, which mounts them. */
static int scratch_make(struct running *r, struct fault *fault)
{
	/* In memory where there is such a folder: the box' list of mounts names what these lie on. */
	snprintf(r->scratch, sizeof r->scratch, "%s/kansoku-run.%d.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", getpid());
	if (mkdtemp(r->scratch) == NULL) {
		const int bad = fault_set(fault, ERR_SYSTEM, "lab: no folder %s: %s", r->scratch, strerror(errno));
		r->scratch[0] = 0;
		return bad;
	}
	return 0;
}

/* What is mounted stays, whatever becomes of its name. */
static void scratch_remove(struct running *r)
{
	for (size_t i = 0; r->scratch[0] && i < sizeof r->scene.masks / sizeof *r->scene.masks; i++)
		if (r->scene.masks[i][0])
			unlink(r->scene.masks[i]);
	if (r->scratch[0])
		rmdir(r->scratch);
	r->scratch[0] = 0;
}

static void exiting(void *arg, pid_t process)
{
	struct running *r = arg;
	memory_search(&r->memory, process);
}

static int parts_open(struct running *r, struct fault *fault)
{
	struct arena *arena = &r->run->arena;
	r->network = (struct network){.seen = &r->seen, .found = &r->found};
	r->network.hellos = arena_alloc(arena, RUN_HELLOS_MAX * sizeof *r->network.hellos);
	if (observed_open(&r->seen, arena) || r->network.hellos == NULL || found_open(&r->found, arena, &r->seen) ||
	    taken_open(&r->taken, arena, &r->seen, -1, r->plan->sample))
		return fault_set(fault, ERR_MEMORY, "lab: no memory for a run");
	r->memory = (struct memory){.found = &r->found, .sample = r->plan->sample};
	return 0;
}

static void plan_box(struct running *r, int output)
{
	struct box_plan *b = &r->box;
	snprintf(b->name, sizeof b->name, "sample-%.12s-%u", r->plan->sha256, r->plan->uid);
	b->network = BOX_SINK;
	b->traced = true; /* so its first call, execve(), waits until all stands that answers it */
	b->told = trace_calls();
	b->output = output;
	b->limits = r->plan->limits;
	if (r->scene.windows && b->limits.memory < WINDOWS_MEMORY)
		b->limits.memory = WINDOWS_MEMORY;
	r->time_ms = b->limits.time_ms ? b->limits.time_ms : RUN_TIME_MS;
	b->limits.time_ms = r->time_ms + BOX_SLACK_MS;
}

static int tracer_open(struct running *r, struct fault *fault)
{
	const struct trace_plan plan = {
		.listener = r->started.listener, .seen = &r->seen, .taken = &r->taken, .sample = r->scene.sample,
		.kernel = SCENE_KERNEL, .host_name = SCENE_HOST, .exiting = exiting, .arg = r,
	};
	const int bad = trace_open(&r->trace, &plan, &r->run->arena);
	r->network.trace = r->trace;
	return bad ? fault_set(fault, bad, "lab: the sample cannot be traced: %s", strerror(errno)) : 0;
}

static int world_begin(struct running *r, struct fault *fault)
{
	const struct run_sink_plan sink = {.time_ms = r->time_ms + BOX_SLACK_MS, .served = r->plan->served, .arg = r->plan->arg,
					  .egress = r->plan->egress};
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/pid", r->started.pid);
	const ssize_t n = readlink(path, r->namespace, sizeof r->namespace - 1);
	r->namespace[n > 0 ? n : 0] = 0;
	r->taken.root = r->started.root;
	int bad = scene_make(&r->scene, r->plan, r->started.root, fault);
	if (!bad)
		bad = run_sink_start(&r->sink, NULL, r->started.sink, &sink, fault);
	if (r->scene.loader_missing)
		observe_limit(&r->seen, "run.loader");
	r->seen.start_us = clock_mono_us(); /* the sink's times begin now, too */
	if (!bad)
		bad = tracer_open(r, fault);
	return bad;
}

static void output_read(struct running *r, int fd)
{
	uint8_t block[4096];
	ssize_t n;
	while ((n = read(fd, block, sizeof block)) > 0) {
		const size_t left = RUN_OUTPUT_MAX - buffer_len(&r->output);
		if ((size_t)n > left)
			observe_limit(&r->seen, "run.output");
		(void)buffer_append(&r->output, block, (size_t)n < left ? (size_t)n : left);
	}
}

static void box_hear(struct running *r)
{
	struct box_result result;
	uint64_t number;
	while ((number = box_ended(r->keeper, &result)) != 0) {
		if (number != r->started.number)
			continue;
		r->run->findings.box = result;
		r->ended = true;
	}
}

enum { HEAR_CALLS, HEAR_BOX, HEAR_SINK, HEAR_OUTPUT, HEARS };

/* One look at all who may say something; false when the tracer has nobody left. */
static void running_turn(struct running *r, int output, int wait_ms)
{
	struct pollfd hears[HEARS] = {
		[HEAR_CALLS] = {.fd = r->trace ? r->started.listener : -1, .events = POLLIN},
		[HEAR_BOX] = {.fd = box_keeper_fd(r->keeper), .events = POLLIN},
		[HEAR_SINK] = {.fd = r->sink ? run_sink_fd(r->sink) : -1, .events = POLLIN},
		[HEAR_OUTPUT] = {.fd = output, .events = POLLIN},
	};
	if (poll(hears, HEARS, wait_ms) <= 0)
		return;
	if (hears[HEAR_CALLS].revents && trace_turn(r->trace, TURN_CALLS_MAX) != 0)
		close_one(&r->started.listener);
	if (hears[HEAR_SINK].revents && run_sink_turn(r->sink) != 0)
		observe_limit(&r->seen, "sink.gone");
	if (hears[HEAR_OUTPUT].revents)
		output_read(r, output);
	if (hears[HEAR_BOX].revents)
		box_hear(r);
}

static void running_watch(struct running *r, int output)
{
	const uint64_t until = clock_mono_us() + r->time_ms * 1000;
	while (!r->ended) {
		const uint64_t now = clock_mono_us();
		if (now >= until) {
			observe_limit(&r->seen, "time");
			r->timed_out = true;
			return;
		}
		const uint64_t left_ms = (until - now) / 1000 + 1;
		running_turn(r, output, left_ms < WAIT_MS ? (int)left_ms : WAIT_MS);
	}
}

static int running_begin(struct running *r, int output, struct fault *fault)
{
	int bad = scratch_make(r, fault);
	if (!bad)
		bad = parts_open(r, fault);
	if (!bad && !strcmp(r->plan->type, "pe"))
		bad = windows_prepare(r->keeper, r->plan->architecture, r->windows, fault);
	r->scene.windows = r->windows[0] ? r->windows : NULL;
	if (!bad)
		bad = scene_plan(&r->scene, r->plan, r->scratch, &r->box, fault);
	if (bad)
		return bad;
	plan_box(r, output);
	bad = box_start(r->keeper, &r->box, &r->started, fault);
	scratch_remove(r); /* now, so that nothing is left of us whatever happens */
	if (bad)
		return bad;
	return world_begin(r, fault);
}

/* A box that was started is always ended, heard of, and cleared. */
static void running_end(struct running *r, int output)
{
	const uint64_t until = clock_mono_us() + 10 * 1000000ull;
	if (r->started.number == 0)
		return;
	if (!r->ended)
		(void)box_stop(r->keeper, r->started.number);
	while (!r->ended && clock_mono_us() < until)
		running_turn(r, output, WAIT_MS);
	output_read(r, output);
}

static void running_close(struct running *r)
{
	if (r->started.number)
		box_clear(r->keeper, r->started.number);
	if (r->sink)
		run_sink_free(r->sink);
	if (r->trace)
		trace_close(r->trace);
	close_one(&r->started.process);
	close_one(&r->started.listener);
	close_one(&r->started.sink);
	close_one(&r->started.root);
	buffer_done(&r->output);
	scratch_remove(r);
}

int lab_run(struct run **out, struct box_keeper *keeper, const struct run_plan *plan, struct fault *fault)
{
	int pipes[2];
	struct running *r = calloc(1, sizeof *r);
	struct run *run = calloc(1, sizeof *run);
	if (r == NULL || run == NULL || pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(r);
		free(run);
		return fault_set(fault, ERR_MEMORY, "lab: no memory for a run");
	}
	run->arena = ARENA(RUN_MEMORY_MAX);
	*r = (struct running){.run = run, .plan = plan, .keeper = keeper, .output = BUFFER(RUN_OUTPUT_MAX),
			      .started = {.process = -1, .listener = -1, .sink = -1, .root = -1}};
	const int bad = running_begin(r, pipes[1], fault);
	close(pipes[1]);
	if (!bad)
		running_watch(r, pipes[0]);
	if (!bad && !r->ended)
		running_look(r);
	running_end(r, pipes[0]);
	if (!bad)
		running_conclude(r);
	running_close(r);
	close(pipes[0]);
	free(r);
	if (bad)
		run_free(run);
	else
		*out = run;
	return bad;
}

const struct run_findings *run_findings(const struct run *run)
{
	return &run->findings;
}

void run_free(struct run *run)
{
	if (run == NULL)
		return;
	arena_done(&run->arena);
	free(run);
}
