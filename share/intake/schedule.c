#include "share/intake/schedule_inner.h"
#include "share/asking/calls_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TURN_MS 500
#define PIECE_BYTES (256u << 10)
#define FOLDER_FILES_MAX 10000

static const struct source_options *source_at(const struct schedule *s, size_t i)
{
	return (const struct source_options *)s->exchange->options->sources.items + i;
}

static void tell(struct schedule *s, size_t at, const char *state, const char *detail)
{
	struct event *e = &s->exchange->event;
	char who[160];
	event_begin(e, EVENT_SENSOR_CHANGED);
	snprintf(who, sizeof who, "exchange/%s", source_at(s, at)->name);
	event_set_text(e, FIELD_SERVICE, bytes_is_utf8(bytes_of_text(who)) ? who : "exchange");
	event_set_text(e, FIELD_STATE, state);
	event_set_text(e, FIELD_DETAIL, detail);
	if (bus_publish(s->exchange->process->bus, e))
		log_error("%s is %s, and that could not be told", who, state);
}

/* A source that fails is told once, and once again when it is back. */
void schedule_note(struct schedule *s, size_t at, const char *why)
{
	struct source_state *state = &s->states[at];
	if (why && !state->failing) {
		log_warning("exchange: %s: %s", source_at(s, at)->name, why);
		tell(s, at, "down", why);
	}
	if (!why && state->failing)
		tell(s, at, "up", "it answers again");
	state->failing = why != NULL;
	s->exchange->failures += why != NULL;
}

static void count_job(struct schedule *s, size_t at, const struct job *job)
{
	const struct intake_counts *c = job_counts(job);
	if (c->records || c->bad || c->refused)
		log_info("exchange: %s: %llu records, %llu seen before, %llu unreadable, %llu refused", source_at(s, at)->name,
			 (unsigned long long)c->records, (unsigned long long)c->repeated, (unsigned long long)c->bad,
			 (unsigned long long)c->refused);
}

static struct job *job_of(struct schedule *s, size_t at, const char *file, struct fault *fault)
{
	const struct source_options *o = source_at(s, at);
	const struct record_chain *chain = o->asked ? &s->question.chain : NULL;
	const struct job_origin origin = {.format = o->format, .source = o->name, .tlp = o->tlp ? o->tlp : "",
					  .pap = o->pap ? o->pap : "", .map = o->map, .file = file, .confidence = o->confidence,
					  .chain = chain};
	struct job *job = NULL;
	job_open(&job, s->exchange, &origin, fault);
	return job;
}

static bool was_read(struct schedule *s, const struct stat *st)
{
	const struct file_mark mark = {st->st_ino, (uint64_t)st->st_size,
				       (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec};
	for (size_t i = 0; i < s->files_count; i++)
		if (!memcmp(&s->files[i], &mark, sizeof mark))
			return true;
	if (s->files_count == FILES_REMEMBERED)
		memmove(s->files, s->files + 1, (--s->files_count) * sizeof *s->files);
	s->files[s->files_count++] = mark;
	return false;
}

static int feed_file(struct job *job, int fd, struct fault *fault)
{
	static uint8_t piece[PIECE_BYTES];
	ssize_t n;
	int bad = 0;
	while (!bad && (n = read(fd, piece, sizeof piece)) > 0)
		bad = job_feed(job, (struct bytes){piece, (size_t)n}, fault);
	return bad ? bad : job_end(job, fault);
}

/* Takes one file unless it was read as it is. */
static void take_file(struct schedule *s, size_t at, int directory, const char *name, struct fault *fault)
{
	struct stat st;
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		fault_set(fault, ERR_SYSTEM, "%s: %s", name, strerror(errno));
	} else if (S_ISREG(st.st_mode) && !was_read(s, &st)) {
		struct job *job = job_of(s, at, name, fault);
		if (job && feed_file(job, fd, fault) == 0)
			count_job(s, at, job);
		job_close(job);
	}
	if (fd >= 0)
		close(fd);
}

static void take_folder(struct schedule *s, size_t at, int fd, struct fault *fault)
{
	DIR *folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		fault_set(fault, ERR_SYSTEM, "%s: %s", source_at(s, at)->path, strerror(errno));
		return;
	}
	const struct dirent *entry;
	for (size_t n = 0; n < FOLDER_FILES_MAX && (entry = readdir(folder)); n++)
		if (entry->d_name[0] != '.') /* also half-written ones of rsync and others */
			take_file(s, at, dirfd(folder), entry->d_name, fault);
	closedir(folder);
}

static void take_path(struct schedule *s, size_t at)
{
	struct fault fault = {0};
	const char *path = source_at(s, at)->path;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		take_folder(s, at, fd, &fault);
	else
		take_file(s, at, AT_FDCWD, path, &fault);
	schedule_note(s, at, fault.text[0] ? fault.text : NULL);
}

static void on_work(uv_work_t *work)
{
	struct schedule *s = work->data;
	const struct exchange_options *o = s->exchange->options;
	const struct source_options *source = source_at(s, s->current);
	fetch_url(source->asked ? s->question.url : source->url, o->agent, o->size_max, o->time_ms, &s->fetched, &s->result);
}

static void take_fetched(struct schedule *s, size_t at)
{
	struct fault fault = {0};
	struct job *job = job_of(s, at, source_at(s, at)->url, &fault);
	int bad = job ? job_feed(job, buffer_bytes(&s->result.content), &fault) : ERR_BAD;
	if (!bad)
		bad = job_end(job, &fault);
	if (!bad)
		count_job(s, at, job);
	job_close(job);
	schedule_note(s, at, bad ? fault.text : NULL);
}

static void on_fetched(uv_work_t *work, int status)
{
	struct schedule *s = work->data;
	size_t at = s->current;
	s->working = false;
	if (!s->stopped && status == 0) {
		if (!source_at(s, at)->asked) /* another question has another answer */
			s->states[at].fetched = s->fetched;
		else if (s->result.status == FETCH_FAILED)
			asked_forget(s->exchange->asked, &s->question);
		if (s->result.status == FETCH_NEW)
			take_fetched(s, at);
		else
			schedule_note(s, at, s->result.status == FETCH_FAILED ? s->result.why : NULL);
	}
	buffer_done(&s->result.content);
	schedule_wake(s);
}

/* The source that has waited longest for its turn; SOURCES_MAX: none is due. */
static size_t next_due(const struct schedule *s, uint64_t now_us)
{
	size_t best = SOURCES_MAX;
	for (size_t i = 0; i < s->exchange->options->sources.count; i++)
		if (!source_at(s, i)->asked && !source_at(s, i)->client && s->states[i].due_us <= now_us && (best == SOURCES_MAX || s->states[i].due_us < s->states[best].due_us))
			best = i;
	return best;
}

/* The first question whose source may be asked again; SOURCES_MAX: none. */
static size_t next_asked(struct schedule *s, uint64_t now_us)
{
	struct asked *a = s->exchange->asked;
	for (size_t i = 0; i < a->count; i++) {
		const size_t at = a->waiting[i].source;
		if (s->states[at].due_us > now_us || source_at(s, at)->client)
			continue;
		s->question = a->waiting[i];
		asked_remove(a, i);
		return at;
	}
	return SOURCES_MAX;
}

static void on_turn(uv_timer_t *timer)
{
	struct schedule *s = timer->data;
	uint64_t now_us = clock_mono_us();
	if (bus_congested(s->exchange->process->bus))
		return;
	calls_turn(s->calls, now_us);
	if (s->working)
		return;
	size_t at = next_due(s, now_us);
	if (at == SOURCES_MAX && (at = next_asked(s, now_us)) == SOURCES_MAX)
		return;
	s->states[at].due_us = now_us + source_at(s, at)->every_ms * 1000;
	if (source_at(s, at)->path) {
		take_path(s, at);
		return;
	}
	s->current = at;
	s->fetched = s->states[at].fetched;
	s->working = uv_queue_work(s->exchange->process->loop, &s->work, on_work, on_fetched) == 0;
}

int schedule_open(struct schedule *s, struct exchange *x, struct fault *fault)
{
	s->exchange = x;
	s->work.data = s;
	uv_timer_init(x->process->loop, &s->timer);
	s->timer.data = s;
	return calls_open(&s->calls, s, fault);
}

void schedule_start(struct schedule *s)
{
	if (s->exchange->options->sources.count)
		uv_timer_start(&s->timer, on_turn, 0, TURN_MS);
}

void schedule_wake(struct schedule *s)
{
	if (!s->stopped)
		on_turn(&s->timer);
}

void schedule_stop(struct schedule *s)
{
	s->stopped = true;
	uv_timer_stop(&s->timer);
	calls_stop(s->calls);
}

void schedule_close(struct schedule *s) { calls_close(s->calls); }
