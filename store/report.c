#include "store/report.h"
#include "event/event.h"

const struct report *report_find(const char *name)
{
	REPORTS_EACH(r)
		if (!strcmp((*r)->name, name))
			return *r;
	return NULL;
}

static void write_moment(struct writer *w, uint64_t time_us)
{
	write_fmt(w, "toDateTime(%llu,'UTC')", (unsigned long long)(time_us / 1000000));
}

/* Such that a range has at most REPORT_BUCKETS of them, or one a day. */
static uint64_t bucket_seconds(uint64_t from_us, uint64_t to_us)
{
	static const uint64_t steps[] = {60, 300, 900, 3600, 4 * 3600};
	uint64_t wanted = to_us > from_us ? (to_us - from_us) / 1000000 / REPORT_BUCKETS : 0;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (steps[i] >= wanted)
			return steps[i];
	return 86400;
}

void report_sql(const struct report_part *part, uint64_t from_us, uint64_t to_us, struct writer *w)
{
	for (const char *at = part->sql; *at;) {
		if (!strncmp(at, "{from}", 6)) {
			write_moment(w, from_us);
			at += 6;
		} else if (!strncmp(at, "{to}", 4)) {
			write_moment(w, to_us);
			at += 4;
		} else if (!strncmp(at, "{bucket}", 8)) {
			write_fmt(w, "%llu", (unsigned long long)bucket_seconds(from_us, to_us));
			at += 8;
		} else {
			write_u8(w, (uint8_t)*at++);
		}
	}
}
