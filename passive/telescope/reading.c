/* Captures in, one after the other; accounts, findings and sources out to the outputs asked for. */
#include "passive/telescope/output.h"
#include "base/clock.h"
#include <stdlib.h>

#define FRAMES_AT_ONCE 1024
#define PROGRESS_US 200000
#define TCP 6
#define UDP 17

struct reading {
	struct reading_options options;
	struct telescope *telescope;
	struct watched *watched;
	struct similar *similar; /* NULL: nobody asks for groups of payloads */
	struct used_output {
		const struct output *output;
		void *state;
		bool only_sums;
	} used[OUTPUTS_MAX];
	unsigned used_count;
	struct reading_end end;
	uint64_t frames, progress_us;
	int stopped; /* what the first output that failed returned, with `fault` */
	struct fault fault;
	struct packet_batch batch;
	struct capture_frame frames_read[FRAMES_AT_ONCE];
};

/* Calls a hook of every output that takes it; after a failure nothing is called any more. */
#define EACH_OUTPUT(r, hook, ...)                                                                  \
	for (unsigned i_ = 0; i_ < (r)->used_count && !(r)->stopped; i_++)                         \
		if ((r)->used[i_].output->hook && !(r)->used[i_].only_sums)                        \
			(r)->stopped = (r)->used[i_].output->hook((r)->used[i_].state, __VA_ARGS__, \
								  &(r)->fault)

/* True when one of the outputs takes it. */
#define ANY_OUTPUT(r, hook)                                                                        \
	({                                                                                         \
		bool any_ = false;                                                                 \
		for (unsigned i_ = 0; i_ < (r)->used_count; i_++)                                  \
			any_ |= (r)->used[i_].output->hook && !(r)->used[i_].only_sums;            \
		any_;                                                                              \
	})

static void payload_compare(struct reading *r, const struct record *record)
{
	const struct similar_payload payload = {
		.payload = record->payload,
		.source = record->source,
		.proto = record->proto,
		.port = record->port,
		.first_us = record->first_us,
		.last_us = record->last_us,
		.count = 1,
	};
	similar_take_some(r->similar, &payload, r->frames);
}

static void take_record(void *arg, const struct record *record)
{
	struct reading *r = arg;
	/* Only requests have signatures.  Port 0 is that of fragments and of headers that are cut. */
	if (r->similar && record->payload.len && !record->payload_name && !record->answer && record->port &&
	    (record->proto == TCP || record->proto == UDP))
		payload_compare(r, record);
	EACH_OUTPUT(r, record, record);
}

static void take_finding(void *arg, const struct finding *finding)
{
	struct reading *r = arg;
	EACH_OUTPUT(r, finding, finding);
}

static void take_source(void *arg, const struct source_sum *sum)
{
	struct reading *r = arg;
	struct judgement judgement, *said = NULL;
	if (r->options.judge && r->options.judge(r->options.arg, sum, &judgement))
		said = &judgement;
	EACH_OUTPUT(r, source, sum, said);
}

static void take_group(void *arg, const struct similar_group *group)
{
	struct reading *r = arg;
	EACH_OUTPUT(r, payloads, group);
}

static bool output_wanted(const struct reading *r, const struct output *o)
{
	return r->options.flag(r->options.arg, o->flags[0].name) != NULL;
}

/* A flag that refines an output which is not there would do nothing, silently. */
static int flags_check(const struct reading *r, const struct output *o, bool used, struct fault *fault)
{
	for (int f = 1; !used && f < OUTPUT_FLAGS_MAX && o->flags[f].name; f++)
		if (r->options.flag(r->options.arg, o->flags[f].name))
			return fault_set(fault, ERR_BAD, "--%s goes with --%s, which is not given",
					 o->flags[f].name, o->flags[0].name);
	return 0;
}

unsigned outputs_sorted(const struct output *all[OUTPUTS_MAX])
{
	unsigned n = 0;
	OUTPUTS_EACH(o) {
		unsigned at = n < OUTPUTS_MAX ? n++ : OUTPUTS_MAX;
		for (; at && at < OUTPUTS_MAX && strcmp(all[at - 1]->name, (*o)->name) > 0; at--)
			all[at] = all[at - 1];
		if (at < OUTPUTS_MAX)
			all[at] = *o;
	}
	return n;
}

static int outputs_choose(struct reading *r, struct fault *fault)
{
	const struct output *all[OUTPUTS_MAX], *standard = NULL;
	unsigned n = outputs_sorted(all);
	for (unsigned i = 0; i < n; i++) {
		if (!all[i]->standard || !output_wanted(r, all[i]))
			continue;
		if (standard)
			return fault_set(fault, ERR_BAD, "--%s and --%s both write on standard output",
					 standard->flags[0].name, all[i]->flags[0].name);
		standard = all[i];
	}
	for (unsigned i = 0; i < n; i++) {
		const struct output *o = all[i];
		bool used = o == standard || (!o->standard && output_wanted(r, o)) ||
			    (!standard && o->by_default && !r->options.quiet);
		int bad = flags_check(r, o, used, fault);
		if (bad)
			return bad;
		if (used)
			r->used[r->used_count++].output = o;
	}
	return 0;
}

static int outputs_begin(struct reading *r, struct fault *fault)
{
	const struct output_context context = {
		.flag = r->options.flag,
		.note = r->options.note,
		.arg = r->options.arg,
		.signatures = r->options.telescope.signatures,
	};
	for (unsigned i = 0; i < r->used_count; i++) {
		r->used[i].state = calloc(1, r->used[i].output->state_size);
		if (!r->used[i].state)
			return fault_set(fault, ERR_MEMORY, "no memory for --%s", r->used[i].output->name);
		const struct output *o = r->used[i].output;
		int bad = o->begin(r->used[i].state, &context, fault);
		if (bad)
			return bad;
		r->used[i].only_sums = o->only_sums && o->only_sums(r->used[i].state);
	}
	return 0;
}

/* With hooks for what somebody takes: what nobody does is not even put together. */
static int accounts_open(struct reading *r, struct fault *fault)
{
	bool payloads = ANY_OUTPUT(r, payloads);
	const struct telescope_hooks hooks = {
		.arg = r,
		.record = payloads || ANY_OUTPUT(r, record) ? take_record : NULL,
		.finding = ANY_OUTPUT(r, finding) ? take_finding : NULL,
		.source = ANY_OUTPUT(r, source) ? take_source : NULL,
	};
	if (payloads && similar_open(&r->similar, 0))
		return fault_set(fault, ERR_MEMORY, "no memory to compare payloads");
	if (watched_open(&r->watched, r->options.prefixes, r->options.prefix_count))
		return fault_set(fault, ERR_MEMORY, "no memory for the prefixes");
	r->options.telescope.watched = watched_size(r->watched);
	r->options.telescope.keep_sources = true;
	return telescope_open(&r->telescope, &r->options.telescope, &hooks, fault);
}

int reading_open(struct reading **out, const struct reading_options *options, struct fault *fault)
{
	struct reading *r = calloc(1, sizeof *r);
	if (!r)
		return fault_set(fault, ERR_MEMORY, "no memory to read with");
	r->options = *options;
	int bad = outputs_choose(r, fault);
	if (!bad)
		bad = outputs_begin(r, fault);
	if (!bad)
		bad = accounts_open(r, fault);
	if (bad) {
		reading_close(r);
		return bad;
	}
	*out = r;
	return 0;
}

static void batch_pass(struct reading *r)
{
	if (r->batch.count == 0)
		return;
	telescope_take(r->telescope, &r->batch);
	EACH_OUTPUT(r, packets, &r->batch);
	r->batch.count = 0;
}

static void frames_pass(struct reading *r, int n)
{
	struct packet_counts *counts = telescope_counts(r->telescope);
	for (int i = 0; i < n && !r->stopped; i++) {
		const struct capture_frame *f = &r->frames_read[i];
		packet_take(&r->batch, counts, r->watched, f->link, f->frame, f->wire_length, f->time_us);
		if (r->batch.count == PACKET_BATCH)
			batch_pass(r);
	}
	batch_pass(r); /* the frames are gone with the next read */
	r->frames += (uint64_t)n;
}

static void progress_say(struct reading *r, const struct capture *c, const char *path)
{
	uint64_t now = r->options.progress ? clock_mono_us() : 0;
	if (now < r->progress_us + PROGRESS_US)
		return;
	r->progress_us = now;
	struct capture_status s = capture_status(c);
	r->options.progress(r->options.arg, &(struct reading_progress){path, r->frames, s.read, s.size});
}

int reading_file(struct reading *r, const char *path, bool *torn, struct fault *fault)
{
	struct capture *c;
	*torn = false;
	r->end.files++;
	int n = capture_open(&c, path, fault);
	if (n) {
		r->end.broken++;
		return n;
	}
	while (!r->stopped && (n = capture_read(c, r->frames_read, FRAMES_AT_ONCE, fault)) > 0) {
		frames_pass(r, n);
		progress_say(r, c, path);
	}
	struct capture_status s = capture_status(c);
	capture_close(c);
	*torn = s.torn;
	r->end.torn += s.torn;
	r->end.broken += n < 0;
	r->end.dropped += s.dropped;
	if (r->stopped) {
		*fault = r->fault;
		return r->stopped;
	}
	return n < 0 ? n : 0;
}

bool reading_stopped(const struct reading *r) { return r->stopped != 0; }

int reading_finish(struct reading *r, struct fault *fault)
{
	struct sums *sums = calloc(1, sizeof *sums);
	if (!sums)
		return fault_set(fault, ERR_MEMORY, "no memory for the sums");
	if (!r->stopped)
		telescope_finish(r->telescope);
	telescope_sums(r->telescope, sums);
	r->end.sums = sums;
	if (r->similar) {
		r->end.payloads = similar_counts(r->similar);
		similar_each(r->similar, SIZE_MAX, take_group, r);
	}
	/* Also when one of them failed: files of the others shall be whole. */
	for (unsigned i = 0; i < r->used_count; i++) {
		const struct output *o = r->used[i].output;
		struct fault own = {0};
		int bad = o->end ? o->end(r->used[i].state, &r->end, &own) : 0;
		if (bad && !r->stopped) {
			r->stopped = bad;
			r->fault = own;
		}
	}
	free(sums);
	if (r->stopped)
		*fault = r->fault;
	return r->stopped;
}

void reading_close(struct reading *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->used_count; i++) {
		if (r->used[i].state && r->used[i].output->close)
			r->used[i].output->close(r->used[i].state);
		free(r->used[i].state);
	}
	if (r->telescope)
		telescope_close(r->telescope);
	watched_close(r->watched);
	similar_close(r->similar);
	free(r);
}
