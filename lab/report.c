#include "lab/report.h"

#define ROOM_FIRST (256u << 10)

const struct lab_report *lab_report_find(const char *name)
{
	LAB_REPORTS_EACH(r)
		if (!strcmp((*r)->name, name))
			return *r;
	return NULL;
}

/* With twice the room as long as there is some: ERR_FULL when it does not fit at all. */
static int make_whole(const struct lab_report *r, const struct sample_story *story, struct buffer *out)
{
	for (size_t n = ROOM_FIRST; n <= REPORT_BYTES_MAX; n *= 2) {
		uint8_t *room = buffer_room(out, n);
		if (!room)
			return ERR_MEMORY;
		struct writer w = writer_of(room, n);
		r->write(story, &w);
		if (!w.bad) {
			buffer_grown(out, writer_used(&w));
			return 0;
		}
	}
	return ERR_FULL;
}

int lab_report_make(const struct lab_report *r, const struct sample_story *story, struct buffer *out)
{
	struct sample_story cut = *story;
	struct findings findings = *story->findings;
	struct run_findings runs[STORY_RUNS];
	int bad = make_whole(r, story, out);
	if (bad != ERR_FULL)
		return bad;
	cut.findings = &findings;
	if (cut.limit_count < STORY_LIMITS_MAX)
		cut.limits[cut.limit_count++] = "report.bytes";
	for (size_t i = 0; i < STORY_RUNS; i++)
		if (story->runs[i]) {
			runs[i] = *story->runs[i];
			cut.runs[i] = &runs[i];
		}
	/* The likeliest and surest stand first in each list: the rest goes. */
	while (bad == ERR_FULL && (cut.indicator_count || findings.fact_count)) {
		cut.indicator_count /= 4;
		findings.fact_count /= 4;
		findings.part_count /= 4;
		cut.place_count /= 4;
		cut.link_count /= 4;
		for (size_t i = 0; i < STORY_RUNS; i++)
			if (cut.runs[i]) {
				runs[i].behaviour_count /= 4;
				runs[i].dropped_count /= 4;
				runs[i].hello_count /= 4;
			}
		bad = make_whole(r, &cut, out);
	}
	return bad;
}
