#include "share/output.h"
#include <stdarg.h>
#include <stdlib.h>

#define PENDING_BYTES (2 * OUTPUT_ROOM_MAX)

struct output_run {
	const struct output *output;
	struct output_about about;
	int (*sink)(void *arg, struct bytes);
	void *arg, *state;
	int failed;
	bool skipped;
	uint64_t written, passed_over;
	struct fault fault;
	struct arena arena;
	struct event open; /* an event without its private fields */
	size_t pending;
	uint8_t bytes[PENDING_BYTES]; /* on their way to the sink */
};

const struct output *output_find(const char *name)
{
	OUTPUTS_EACH(it)
		if (!strcmp((*it)->name, name))
			return *it;
	return NULL;
}

int output_fail(struct output_run *run, int error, const char *fmt, ...)
{
	va_list list;
	if (run->failed)
		return run->failed;
	va_start(list, fmt);
	vsnprintf(run->fault.text, sizeof run->fault.text, fmt, list);
	va_end(list);
	return run->failed = error;
}

static int flush(struct output_run *run)
{
	int bad = run->pending ? run->sink(run->arg, (struct bytes){run->bytes, run->pending}) : 0;
	run->pending = 0;
	return bad ? output_fail(run, bad, "what takes the export took no more of it") : 0;
}

struct writer output_room(struct output_run *run, size_t n)
{
	if (n > PENDING_BYTES - run->pending && (n > OUTPUT_ROOM_MAX || flush(run)))
		n = 0; /* what is written there is bad, and output_wrote() says so */
	return writer_of(run->bytes + run->pending, n);
}

int output_wrote(struct output_run *run, const struct writer *w)
{
	if (run->failed)
		return run->failed;
	if (w->bad)
		return output_fail(run, ERR_FULL, "%s: one piece is longer than its bound", run->output->name);
	run->pending += writer_used(w);
	return run->pending < PENDING_BYTES / 2 ? 0 : flush(run);
}

int output_write(struct output_run *run, struct bytes b)
{
	while (b.len && !run->failed) {
		size_t n = b.len < PENDING_BYTES / 2 ? b.len : PENDING_BYTES / 2;
		struct writer w = output_room(run, n);
		write_bytes(&w, b.at, n);
		output_wrote(run, &w);
		b = (struct bytes){b.at + n, b.len - n};
	}
	return run->failed;
}

int output_text(struct output_run *run, const char *fmt, ...)
{
	va_list list;
	struct writer w = output_room(run, OUTPUT_ROOM_MAX);
	va_start(list, fmt);
	int n = vsnprintf((char *)w.at, writer_left(&w), fmt, list);
	va_end(list);
	if (n < 0 || (size_t)n >= writer_left(&w))
		w.bad = true;
	else
		w.at += n;
	return output_wrote(run, &w);
}

int output_skip(struct output_run *run)
{
	run->skipped = true;
	return run->failed;
}

void **output_state(struct output_run *run) { return &run->state; }
struct arena *output_arena(struct output_run *run) { return &run->arena; }
const struct output_about *output_about(const struct output_run *run) { return &run->about; }
uint64_t output_written(const struct output_run *run) { return run->written; }
uint64_t output_passed_over(const struct output_run *run) { return run->passed_over; }

int output_open(struct output_run **out, const struct output *output, const struct output_about *about,
		int (*sink)(void *arg, struct bytes), void *arg, struct fault *fault)
{
	struct output_run *run = calloc(1, sizeof *run);
	if (!run)
		return fault_set(fault, ERR_MEMORY, "%s: no memory for an export", output->name);
	run->output = output;
	run->about = *about;
	run->sink = sink;
	run->arg = arg;
	run->arena = ARENA(OUTPUT_ARENA_MAX);
	int bad = output->begin ? output->begin(run) : 0;
	if (bad) {
		fault_set(fault, bad, "%s", run->fault.text);
		output_close(run, false, NULL);
		return bad;
	}
	*out = run;
	return 0;
}

/* A view has no private fields; this holds also where an event did not come from one. */
static const struct event *without_private(struct output_run *run, const struct event *e)
{
	uint16_t count = 0, i = 0;
	while (i < e->count && !(field_definition(e->values[i].field)->marks & FIELD_PRIVATE))
		i++;
	if (i == e->count)
		return e;
	run->open = *e;
	for (i = 0; i < e->count; i++)
		if (!(field_definition(e->values[i].field)->marks & FIELD_PRIVATE))
			run->open.values[count++] = e->values[i];
	run->open.count = count;
	return &run->open;
}

int output_event(struct output_run *run, const struct event *e)
{
	if (run->failed)
		return run->failed;
	run->skipped = !(run->output->kinds & KIND_MASK(e->kind));
	int bad = run->skipped ? 0 : run->output->event(run, without_private(run, e));
	if (run->arena.used)
		arena_done(&run->arena);
	if (bad)
		return output_fail(run, bad, "%s: the event could not be written", run->output->name);
	run->passed_over += run->skipped;
	run->written += !run->skipped;
	return 0;
}

int output_close(struct output_run *run, bool whole, struct fault *fault)
{
	if (!run)
		return 0;
	int bad = run->failed;
	if (whole && !bad && run->output->end)
		bad = run->output->end(run);
	if (whole && !bad)
		bad = flush(run);
	if (bad && run->fault.text[0])
		fault_set(fault, bad, "%s", run->fault.text);
	else if (bad)
		fault_set(fault, bad, "%s: it could not be ended", run->output->name);
	if (run->state)
		(run->output->done ? run->output->done : free)(run->state);
	arena_done(&run->arena);
	free(run);
	return whole ? bad : 0;
}
