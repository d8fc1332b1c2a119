/* What is known of a sample completed, written in every form, and stored with what its runs left. */
#include "lab/role/room_inner.h"
#include "base/clock.h"
#include "base/log.h"

static void put_next(struct job *j);

/* What it has in common with others is known from now on, for the next ones too. */
static void remember_sample(struct job *j)
{
	struct sample_story *s = &j->story;
	struct known_samples *k = j->room->known;
	const struct findings *f = s->findings;
	known_samples_add(k, f->sha256, f->tlsh, NULL, s->time_us);
	for (size_t i = 0; i < s->indicator_count; i++) {
		const char *shares = known_samples_shares(&s->indicators[i]);
		if (shares)
			known_samples_trait(k, f->sha256, shares, s->indicators[i].value);
	}
	for (size_t i = 1; i < f->part_count; i++)
		known_samples_trait(k, f->sha256, "part", bytes_of_text(f->parts[i].sha256));
	for (size_t r = 0; r < STORY_RUNS; r++)
		for (size_t i = 0; s->runs[r] && i < s->runs[r]->dropped_count; i++)
			known_samples_trait(k, f->sha256, "dropped", bytes_of_text(s->runs[r]->dropped[i].sha256));
}

static void complete(struct job *j)
{
	struct sample_story *s = &j->story;
	s->places = j->places;
	s->place_count = j->place_count;
	s->time_us = clock_utc_us();
	s->sensor = process_sensor(j->room->process);
	if (lab_story_complete(s, &j->arena))
		log_warning("lab: %s: no memory to tell all of it", j->sha256);
	remember_sample(j);
	/* What it belongs with is a reason, too. */
	if (known_samples_link(j->room->known, s, &j->arena, &j->joined, &j->news) == 0 && s->link_count)
		lab_story_complete(s, &j->arena);
}

static void add_report(struct job *j, const struct lab_report *report, struct bytes content)
{
	struct job_report *r = &j->reports[j->report_count];
	if (j->report_count == JOB_REPORTS_MAX)
		return;
	*r = (struct job_report){.report = report, .bytes = BUFFER(2u * REPORT_BYTES_MAX), .content = content};
	if (report && lab_report_make(report, &j->story, &r->bytes)) {
		log_warning("lab: %s: the report %s could not be written", j->sha256, report->name);
		buffer_done(&r->bytes);
		return;
	}
	if (report)
		r->content = buffer_bytes(&r->bytes);
	digest_of(r->content, r->sha256);
	j->report_count++;
}

void job_report(struct job *j)
{
	complete(j);
	LAB_REPORTS_EACH(r)
		if (j->report_count < JOB_REPORTS_MAX - STORY_RUNS)
			add_report(j, *r, (struct bytes){0});
	for (size_t r = 0; r < STORY_RUNS; r++)
		if (j->story.runs[r] && j->story.runs[r]->capture.len)
			add_report(j, NULL, j->story.runs[r]->capture);
	put_next(j);
}

static void put_done(void *arg, int status, struct bytes content)
{
	struct job *j = arg;
	(void)content;
	if (j->room->stopped)
		return;
	if (j->putting < j->report_count)
		j->reports[j->putting].stored = status == 0;
	if (status)
		log_warning("lab: %s: a file could not be stored: %s", j->sha256, error_name(status));
	j->putting++;
	put_next(j);
}

/* Reports first, then what the runs left, each before the event that names it. */
static void put_next(struct job *j)
{
	size_t n = j->report_count;
	if (j->putting < n) {
		struct job_report *r = &j->reports[j->putting];
		file_put(&j->files, r->sha256, r->content, put_done, j);
		return;
	}
	for (size_t r = 0; r < STORY_RUNS; r++)
		for (size_t i = 0; j->story.runs[r] && i < j->story.runs[r]->dropped_count; i++)
			if (n++ == j->putting) {
				const struct dropped *d = &j->story.runs[r]->dropped[i];
				file_put(&j->files, d->sha256, d->content, put_done, j);
				return;
			}
	job_tell(j);
}
