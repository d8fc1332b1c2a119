/* The end of a run: what is left in the box is looked at, and all is put together. */
#include "lab/run/run_inner.h"
#include "lab/run/egress.h"
#include "lab/run/windows_noise.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A process that shows another command line than it was started with hides behind it. */
static void look_at_name(struct running *r, pid_t process)
{
	char path[64], exe[256], line[512];
	snprintf(path, sizeof path, "/proc/%d/exe", process);
	const ssize_t n = readlink(path, exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = 0;
	if (strncmp(exe, r->scene.sample, strlen(r->scene.sample)) != 0)
		return; /* of an emulated one it is qemu's */
	snprintf(path, sizeof path, "/proc/%d/cmdline", process);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t got = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
	if (fd >= 0)
		close(fd);
	line[got > 0 ? got : 0] = 0;
	if (got > 0 && strcmp(line, r->scene.sample) != 0)
		observe(&r->seen, DID_HIDE, bytes_of_text(line), "changes its command line", 0);
}

static bool is_in_box(const struct running *r, const char *process)
{
	char path[64], namespace[64];
	snprintf(path, sizeof path, "/proc/%.20s/ns/pid", process);
	const ssize_t n = readlink(path, namespace, sizeof namespace - 1);
	namespace[n > 0 ? n : 0] = 0;
	return n > 0 && strcmp(namespace, r->namespace) == 0;
}

void running_look(struct running *r)
{
	if (r->namespace[0] == 0 || box_freeze(r->keeper, r->started.number, true))
		return;
	DIR *processes = opendir("/proc");
	for (const struct dirent *e; processes && (e = readdir(processes)) != NULL;) {
		const pid_t process = (pid_t)strtol(e->d_name, NULL, 10);
		if (process <= 0 || !is_in_box(r, e->d_name))
			continue;
		look_at_name(r, process);
		memory_search(&r->memory, process);
	}
	if (processes)
		closedir(processes);
	taken_finish(&r->taken);
}

/* What was written or started to stay, and what was brought along, are indicators, too. */
static void files_tell(struct running *r)
{
	for (size_t i = 0; i < r->seen.count; i++) {
		const struct behaviour *b = &r->seen.all[i];
		if (b->kind == DID_PERSIST)
			found_add(&r->found, INDICATOR_PATH, FOR_UNKNOWN, bytes_of_text(b->subject), "run: persist", 70);
		else if (b->kind == DID_FILE && strcmp(b->what, "created") == 0 && strncmp(b->subject, "/proc/", 6) != 0)
			found_add(&r->found, INDICATOR_PATH, FOR_UNKNOWN, bytes_of_text(b->subject), "run: file", 50);
		else if (b->kind == DID_LISTEN && strncmp(b->subject, "127.", 4) == 0)
			found_add(&r->found, INDICATOR_MUTEX, FOR_UNKNOWN, bytes_of_text(b->subject), "run: bind", 60);
	}
	for (size_t i = 0; i < r->taken.count; i++)
		found_add(&r->found, INDICATOR_HASH, FOR_UNKNOWN, bytes_of_text(r->taken.files[i].sha256), "run: dropped", 80);
}

static void sink_tell(struct running *r)
{
	struct fault fault = {0};
	if (run_sink_stop(r->sink, &fault))
		observe_limit(&r->seen, "sink.findings");
	const struct run_sink_findings *s = run_sink_findings(r->sink);
	if (s == NULL)
		return;
	network_tell(&r->network, s);
	r->run->findings.capture = arena_copy(&r->run->arena, s->capture);
	if (s->capture.len && r->run->findings.capture.at == NULL) {
		r->run->findings.capture.len = 0;
		observe_limit(&r->seen, "run.capture");
	}
}

static int by_time(const void *left, const void *right)
{
	const struct behaviour *a = left, *b = right;
	if (a->first_ms != b->first_ms)
		return a->first_ms < b->first_ms ? -1 : 1;
	return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : strcmp(a->subject, b->subject);
}

static int by_confidence(const void *left, const void *right)
{
	const struct indicator *a = left, *b = right;
	return a->confidence != b->confidence ? (a->confidence < b->confidence ? 1 : -1) : (int)a->type - (int)b->type;
}

/* With whom it really talked belongs to how it was run: reports and facts have that word, and so this. */
static const char *how_it_ran(const struct running *r)
{
	const struct egress_plan *e = r->plan->egress;
	char text[EGRESS_NAME_MAX + 64], place[ADDRESS_TEXT_MAX];
	if (!e || !e->target_count)
		return arena_text(&r->run->arena, bytes_of_text(r->scene.how));
	const struct egress_target *t = &e->targets[0];
	address_format(&t->address, place);
	snprintf(text, sizeof text, address_is_v4(&t->address) ? "%s with egress to %s:%u" : "%s with egress to [%s]:%u", r->scene.how, place, t->port);
	return arena_text(&r->run->arena, bytes_of_text(text));
}

void running_conclude(struct running *r)
{
	struct run_findings *f = &r->run->findings;
	taken_finish(&r->taken);
	sink_tell(r);
	if (f->box.limit[0])
		observe_limit(&r->seen, f->box.limit);
	if (r->scene.windows)
		windows_clean(&r->seen, &r->taken, &r->found);
	files_tell(r);
	f->uid = r->plan->uid;
	if (!f->box.limit[0] && r->timed_out)
		snprintf(f->box.limit, sizeof f->box.limit, "time");
	qsort(r->seen.all, r->seen.count, sizeof *r->seen.all, by_time);
	qsort(r->found.all, r->found.count, sizeof *r->found.all, by_confidence);
	f->behaviours = r->seen.all;
	f->behaviour_count = r->seen.count;
	f->indicators = r->found.all;
	f->indicator_count = r->found.count;
	f->dropped = r->taken.files;
	f->dropped_count = r->taken.count;
	f->hellos = r->network.hellos;
	f->hello_count = r->network.hello_count;
	f->output = arena_copy(&r->run->arena, buffer_bytes(&r->output));
	const struct bytes limits = arena_copy(&r->run->arena, (struct bytes){(const uint8_t *)r->seen.limits, sizeof r->seen.limits});
	f->limits = (const char *const *)(const void *)limits.at;
	f->limit_count = limits.at ? r->seen.limit_count : 0;
	f->how = how_it_ran(r);
}
