/*
 * Our own report: everything, in one JSON object.  `kansoku analyse --json` prints it, the store
 * keeps it as a file, the console draws its page from it.
 */
#include "lab/reports/members_inner.h"
#include "lab/story_inner.h"
#include <sys/wait.h>

#define HELLO_SHOWN 512
#define OUTPUT_SHOWN 4096

static void write_behaviour(const struct behaviour *b, struct members *list, const char *as)
{
	struct members o = member_begin(list, NULL, '{');
	member_text(&o, "kind", behaviour_name(b->kind));
	member_text(&o, "subject", b->subject ? b->subject : "");
	member_text(&o, "what", b->what ? b->what : "");
	member_number(&o, "count", b->count);
	member_number(&o, "first_ms", b->first_ms);
	member_number(&o, "last_ms", b->last_ms);
	member_number(&o, "process", b->process);
	member_text(&o, "as", as);
	members_end(&o);
}

static void write_end(const struct run_findings *run, struct members *o)
{
	int status = run->box.status;
	if (run->box.limit[0])
		member_text(o, "limit", run->box.limit);
	if (WIFEXITED(status) && !run->box.killed)
		member_number(o, "exit", (uint64_t)WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		member_number(o, "signal", (uint64_t)WTERMSIG(status));
	member_bool(o, "ended_by_us", run->box.killed);
	member_number(o, "time_ms", run->box.time_ms);
	member_number(o, "cpu_ms", run->box.cpu_ms);
	member_number(o, "memory_peak", run->box.memory_peak);
	member_number(o, "processes_peak", run->box.processes_peak);
	member_number(o, "disk_used", run->box.disk_used);
	member_number(o, "start_us", run->box.start_us);
}

static void write_run(const struct run_findings *run, struct members *runs)
{
	struct members o = member_begin(runs, NULL, '{');
	member_text(&o, "how", run->how);
	member_text(&o, "as", run->uid ? "user" : "root");
	write_end(run, &o);
	struct members dropped = member_begin(&o, "dropped", '[');
	for (size_t i = 0; i < run->dropped_count; i++) {
		struct members d = member_begin(&dropped, NULL, '{');
		member_text(&d, "path", run->dropped[i].path);
		member_text(&d, "sha256", run->dropped[i].sha256);
		member_number(&d, "size", run->dropped[i].content.len);
		members_end(&d);
	}
	members_end(&dropped);
	struct members hellos = member_begin(&o, "hellos", '[');
	for (size_t i = 0; i < run->hello_count; i++) {
		const struct hello *h = &run->hellos[i];
		struct members d = member_begin(&hellos, NULL, '{');
		member_text(&d, "endpoint", h->endpoint);
		member_hex(&d, "said", (struct bytes){h->said.at, h->said.len < HELLO_SHOWN ? h->said.len : HELLO_SHOWN});
		member_bool(&d, "registers", h->registers);
		members_end(&d);
	}
	members_end(&hellos);
	member_number(&o, "capture_bytes", run->capture.len);
	member_bytes(&o, "output", (struct bytes){run->output.at, run->output.len < OUTPUT_SHOWN ? run->output.len : OUTPUT_SHOWN});
	struct members limits = member_begin(&o, "limits", '[');
	for (size_t i = 0; i < run->limit_count; i++)
		member_text(&limits, NULL, run->limits[i]);
	members_end(&limits);
	members_end(&o);
}

static void write_runs(const struct sample_story *s, struct members *m)
{
	if (!s->runs[0] && !s->runs[1])
		return;
	struct members list = member_begin(m, "behaviour", '[');
	for (size_t r = 0; r < STORY_RUNS; r++)
		for (size_t i = 0; s->runs[r] && i < s->runs[r]->behaviour_count; i++)
			write_behaviour(&s->runs[r]->behaviours[i], &list, s->runs[r]->uid ? "user" : "root");
	members_end(&list);
	struct members runs = member_begin(m, "runs", '[');
	for (size_t r = 0; r < STORY_RUNS; r++)
		if (s->runs[r])
			write_run(s->runs[r], &runs);
	members_end(&runs);
}

static void write_whence(const struct sample_story *s, struct members *m)
{
	struct members places = member_begin(m, "places", '[');
	for (size_t i = 0; i < s->place_count; i++) {
		struct members o = member_begin(&places, NULL, '{');
		member_text(&o, "how", s->places[i].how);
		member_text(&o, "source", s->places[i].source);
		member_text(&o, "url", s->places[i].url);
		if (s->places[i].time_us)
			member_time(&o, "time", s->places[i].time_us);
		members_end(&o);
	}
	members_end(&places);
	if (s->campaign)
		member_text(m, "campaign", s->campaign);
	struct members links = member_begin(m, "links", '[');
	for (size_t i = 0; i < s->link_count; i++) {
		struct members o = member_begin(&links, NULL, '{');
		member_text(&o, "sha256", s->links[i].sha256);
		member_text(&o, "shares", s->links[i].shares);
		member_text(&o, "what", s->links[i].what);
		members_end(&o);
	}
	members_end(&links);
}

/* The members of static analysis, with what the runs add to them. */
static void write_merged(const struct sample_story *s, struct writer *w)
{
	struct findings merged = *s->findings;
	merged.indicators = s->indicators;
	merged.indicator_count = s->indicator_count;
	merged.families = s->families;
	merged.family_count = s->family_count;
	merged.limits = s->limits;
	merged.limit_count = s->limit_count;
	write_findings(w, &merged);
}

static void json_write(const struct sample_story *s, struct writer *w)
{
	const struct family *family = lab_story_family(s);
	struct members m = members_begin(w, '{');
	write_merged(s, w);
	m.more = true;
	if (s->time_us)
		member_time(&m, "time", s->time_us);
	member_text(&m, "sensor", s->sensor);
	member_text(&m, "verdict", s->verdict);
	member_number(&m, "score", s->score);
	member_text(&m, "reasons", s->reasons);
	if (family)
		member_text(&m, "family", family->name);
	write_runs(s, &m);
	write_whence(s, &m);
	members_end(&m);
	write_text(w, "\n");
}

static const struct lab_report json_report = {
	.name = "json",
	.summary = "everything, as one JSON object",
	.type = "application/json",
	.write = json_write,
};
LAB_REPORT(json_report);
