/* Which file of a scheduled export is due. */
#include "share/exporting/schedule_inner.h"
#include "event/event.h"
#include <fcntl.h>
#include <unistd.h>

#define GRACE_US_MAX 60000000u

/* "2015-06-01T00:00:00.000000Z" as "20150601T000000Z". */
static void squeeze(uint64_t time_us, char out[32])
{
	char text[TIME_TEXT_MAX];
	size_t n = 0;
	for (const char *c = time_format(time_us, text); *c && *c != '.'; c++)
		if (*c != '-' && *c != ':')
			out[n++] = *c;
	snprintf(out + n, 32 - n, "Z");
}

static void name_file(const struct export_options *o, const char *extension, struct export_period *p)
{
	char from[32];
	squeeze(p->from_us, from);
	if (o->last_ms)
		snprintf(p->file, sizeof p->file, "%s.%s", o->name, extension);
	else
		snprintf(p->file, sizeof p->file, "%s.%s.%s", o->name, from, extension);
}

static bool is_there(int folder, const char *file) { return faccessat(folder, file, F_OK, 0) == 0; }

bool export_period_due(const struct export_options *o, const char *extension, int folder, uint64_t now_us, struct export_period *p)
{
	const uint64_t every = o->every_ms * 1000, grace = every / 10 < GRACE_US_MAX ? every / 10 : GRACE_US_MAX;
	const uint64_t end = now_us > grace ? (now_us - grace) / every * every : 0;
	struct export_period due = {0};
	if (end < every)
		return false;
	if (o->last_ms) {
		due.to_us = end;
		due.from_us = end > o->last_ms * 1000 ? end - o->last_ms * 1000 : 0;
		name_file(o, extension, &due);
		*p = due;
		return true;
	}
	/* Back to the newest that is there; where none is, only the last period is made. */
	for (unsigned back = 0; back < EXPORTS_BACK && end >= (back + 1) * every; back++) {
		struct export_period one = {.from_us = end - (back + 1) * every, .to_us = end - back * every};
		name_file(o, extension, &one);
		if (is_there(folder, one.file)) {
			if (!back)
				return false;
			*p = due;
			return true;
		}
		due = one;
	}
	due = (struct export_period){.from_us = end - every, .to_us = end};
	name_file(o, extension, &due);
	*p = due;
	return true;
}
