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

void report_sql(const struct report_part *part, uint64_t from_us, uint64_t to_us, struct writer *w)
{
	for (const char *at = part->sql; *at;) {
		if (!strncmp(at, "{from}", 6)) {
			write_moment(w, from_us);
			at += 6;
		} else if (!strncmp(at, "{to}", 4)) {
			write_moment(w, to_us);
			at += 4;
		} else {
			write_u8(w, (uint8_t)*at++);
		}
	}
}
