/* Running a sample, as root and then as a user, by processes that were forked for that. */
#include "lab/role/room_inner.h"
#include "base/log.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SCRATCH_MAX 4096

static const uint32_t uids[STORY_RUNS] = {0, 1000, 0};

static bool serve(void *arg, struct bytes url, struct bytes *content)
{
	const struct job *j = arg;
	for (size_t i = 0; i < j->served_count; i++)
		if (bytes_equal_text(url, j->served[i].url)) {
			*content = (struct bytes){j->served[i].at, j->served[i].len};
			return true;
		}
	return false;
}

static void run_next(struct job *j);

static void note_limit(struct job *j, const char *what, const char *why)
{
	log_info("lab: %s was not run: %s", j->sha256, why);
	(void)what;
}

static bool begin_run(struct job *j, uint32_t uid, const struct egress_plan *egress, struct fault *fault)
{
	const struct lab_options *o = j->room->options;
	const struct findings *f = j->story.findings;
	struct run_plan plan = {
		.sample = buffer_bytes(&j->sample), .sha256 = f->sha256, .type = f->type, .architecture = f->architecture,
		.name = j->name[0] && !strchr(j->name, '/') ? j->name : NULL, .uid = uid,
		.limits = {.memory = o->run.memory, .processes = o->run.processes, .time_ms = o->run.time_ms, .disk = o->run.disk},
		.served = serve, .arg = j, .egress = egress};
	if (!egress) /* bait is for the sink: nobody approved that it leaves */
		job_plant(j, &plan);
	struct runner_slot *slot = runner_of(j->room, j);
	if (!slot) {
		fault_set(fault, ERR_GONE, "no process that runs samples is left");
		return false;
	}
	if (lab_runner_give(slot->runner, &plan, fault) == 0)
		return true;
	slot->job = NULL;
	return false;
}

/* What cannot be run here is told once, and the other user is not tried. */
static void run_next(struct job *j)
{
	struct fault fault = {0};
	if (j->running < STORY_RUNS_USUAL && begin_run(j, uids[j->running], NULL, &fault))
		return;
	if (!fault.text[0] && j->running == STORY_RUNS_USUAL && j->egress) {
		job_take_egress(j);
		return;
	}
	if (fault.text[0])
		note_limit(j, "run", fault.text);
	job_report(j);
}

void job_egress_taken(struct job *j, bool may)
{
	struct fault fault = {0};
	struct egress_plan plan;
	if (may && !egress_plan_of(j->room->options, &plan, &fault)) {
		plan.targets[plan.target_count++] = (struct egress_target){.address = j->egress->target, .port = j->egress->port};
		if (begin_run(j, uids[STORY_RUNS - 1], &plan, &fault))
			return;
	}
	if (fault.text[0])
		note_limit(j, "run", fault.text);
	job_report(j);
}

void job_ran(struct job *j, struct run *run, const struct fault *fault)
{
	if (!run) {
		note_limit(j, "run", fault->text);
		job_report(j);
		return;
	}
	j->runs[j->running] = run;
	j->story.runs[j->running] = run_findings(run);
	j->running++;
	run_next(j);
}

static void serve_next(struct job *j);

static void fetched(void *arg, int status, struct bytes content)
{
	struct job *j = arg;
	struct served *s = &j->served[j->served_count];
	if (j->room->stopped)
		return;
	s->at = status ? NULL : malloc(content.len + 1);
	s->len = content.len;
	if (s->at) {
		memcpy(s->at, content.at, content.len);
		j->served_count++;
	}
	j->serving++;
	serve_next(j);
}

/* Files that it names and that were captured before: a run asks for them at a moment when nobody may wait. */
static void serve_next(struct job *j)
{
	const struct findings *f = j->story.findings;
	for (; j->serving < f->indicator_count && j->served_count < SERVED_MAX; j->serving++) {
		const struct indicator *i = &f->indicators[j->serving];
		const char *sha256 = i->type == INDICATOR_URL ? room_url_find(j->room, i->value) : NULL;
		const char *url = sha256 ? arena_text(&j->arena, i->value) : NULL;
		if (!url)
			continue;
		j->served[j->served_count].url = url;
		file_fetch(&j->files, sha256, SERVED_BYTES_MAX, fetched, j);
		return;
	}
	run_next(j);
}

static bool can_run(const struct findings *f)
{
	static const char *const types[] = {"elf", "script", "pe", NULL};
	for (size_t i = 0; types[i]; i++)
		if (!strcmp(f->type, types[i]))
			return true;
	return false;
}

void job_run(struct job *j)
{
	if (j->room->runner_count && can_run(j->story.findings))
		serve_next(j);
	else
		job_report(j);
}

void runs_free(struct job *j)
{
	for (size_t i = 0; i < STORY_RUNS; i++)
		if (j->runs[i])
			run_free(j->runs[i]);
	for (size_t i = 0; i < j->served_count; i++)
		free(j->served[i].at);
}

int runners_open(struct lab_room *room, struct fault *fault)
{
	char path[SCRATCH_MAX];
	for (size_t i = 0; room->options->run.on && i < room->options->at_once; i++) {
		snprintf(path, sizeof path, "%s/lab/run-%zu", process_state(room->process), i);
		if (mkdir(path, 0700) && errno != EEXIST)
			return fault_set(fault, ERR_SYSTEM, "lab: %s cannot be made: %s", path, strerror(errno));
		int bad = lab_runner_open(&room->runners[i].runner, path, room->options->egress.on, fault);
		if (bad)
			return bad;
		room->runner_count++;
	}
	return 0;
}

static void on_runner(uv_poll_t *poll, int status, int events)
{
	struct runner_slot *slot = poll->data;
	struct job *j = slot->job;
	struct run *run = NULL;
	struct fault fault = {0};
	(void)events;
	int got = status < 0 ? ERR_GONE : lab_runner_take(slot->runner, &run, &fault);
	if (got == 0)
		return;
	if (got < 0) { /* rights are gone, so no other can be made: the rest goes on without it */
		log_error("lab: a process that runs samples ended; fewer run at once until the next start");
		uv_poll_stop(poll);
		lab_runner_close(slot->runner);
		slot->runner = NULL;
		fault_set(&fault, ERR_GONE, "the process that ran it ended");
	}
	slot->job = NULL;
	if (j)
		job_ran(j, run, &fault);
	else if (run)
		run_free(run);
}

void runners_watch(struct lab_room *room)
{
	for (size_t i = 0; i < room->runner_count; i++) {
		struct runner_slot *slot = &room->runners[i];
		slot->poll.data = slot;
		uv_poll_init(room->process->loop, &slot->poll, lab_runner_fd(slot->runner));
		uv_poll_start(&slot->poll, UV_READABLE, on_runner);
	}
}

void runners_close(struct lab_room *room)
{
	for (size_t i = 0; i < room->runner_count; i++) {
		struct runner_slot *slot = &room->runners[i];
		if (!slot->runner)
			continue;
		uv_poll_stop(&slot->poll);
		lab_runner_close(slot->runner);
		slot->runner = NULL;
	}
}

struct runner_slot *runner_of(struct lab_room *room, struct job *j)
{
	for (size_t i = 0; i < room->runner_count; i++)
		if (room->runners[i].runner && !room->runners[i].job) {
			room->runners[i].job = j;
			return &room->runners[i];
		}
	return NULL;
}
