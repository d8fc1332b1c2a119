#include "control/windows_inner.h"
#include <stddef.h>
#include <stdlib.h>

#define DAY_MIN 1440
#define MINUTE_S 60
#define SECOND_US 1000000u
#define HORIZON_S (8 * 86400)
#define HALF_HOUR_S 1800

const struct option window_fields[] = {
	{"days", OPTION_TEXT, offsetof(struct window_option, days), "mon-sun",
	 .summary = "days of the week: mon-fri, or mon,wed,sat-sun"},
	{"from", OPTION_TEXT, offsetof(struct window_option, from), "00:00", .summary = "begin, hours and minutes"},
	{"to", OPTION_TEXT, offsetof(struct window_option, to), "24:00", .summary = "end; before the begin: of the next day"},
	{"zone", OPTION_TEXT, offsetof(struct window_option, zone), "UTC",
	 .summary = "time zone, such as Asia/Tokyo; target: that of the looked-at address's country"},
	{0},
};

static int day_find(struct bytes name)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	for (int i = 0; i < 7; i++)
		if (bytes_equal_nocase(name, days[i]))
			return i;
	return ERR_MISSING;
}

/* "mon-fri" or "sun"; over the end of the week, too. */
static bool read_span(struct bytes span, uint8_t *days)
{
	size_t dash = bytes_find(span, "-");
	int first = day_find(bytes_trim((struct bytes){span.at, dash})), last = first;
	if (dash < span.len)
		last = day_find(bytes_trim((struct bytes){span.at + dash + 1, span.len - dash - 1}));
	if (first < 0 || last < 0)
		return false;
	for (int day = first;; day = (day + 1) % 7) {
		*days |= (uint8_t)(1 << day);
		if (day == last)
			return true;
	}
}

static bool read_days(struct bytes text, uint8_t *days)
{
	*days = 0;
	while (text.len) {
		size_t end = bytes_find(text, ",");
		if (!read_span((struct bytes){text.at, end}, days))
			return false;
		end += end < text.len;
		text = (struct bytes){text.at + end, text.len - end};
	}
	return *days != 0;
}

static bool read_minute(struct bytes text, uint16_t *out)
{
	uint64_t hours, minutes;
	size_t colon = bytes_find(text, ":");
	if (colon == text.len || text.len - colon != 3 || !bytes_number((struct bytes){text.at, colon}, 24, &hours) ||
	    !bytes_number((struct bytes){text.at + colon + 1, 2}, 59, &minutes) || hours * 60 + minutes > DAY_MIN)
		return false;
	*out = (uint16_t)(hours * 60 + minutes);
	return true;
}

static int read_one(struct window *w, const struct window_option *o, struct zone *zone, const char *where, struct fault *fault)
{
	struct fault no_zone = {0};
	if (!read_days(bytes_of_text(o->days), &w->days))
		return fault_set(fault, ERR_BAD, "%s.days: \"%s\" are no days, mon-fri would be right", where, o->days);
	if (!read_minute(bytes_of_text(o->from), &w->from_min) || !read_minute(bytes_of_text(o->to), &w->to_min))
		return fault_set(fault, ERR_BAD, "%s: from \"%s\" to \"%s\" are no times, \"09:00\" would be right", where, o->from,
				 o->to);
	if (!strcmp(o->zone, "target"))
		return 0;
	w->zone = zone;
	return zone_open(o->zone, zone, &no_zone) ? fault_set(fault, ERR_BAD, "%s.zone: %s", where, no_zone.text) : 0;
}

static int read_list(struct windows *w, struct window *to, size_t *count, const struct option_list *list, const char *path,
		     const char *file, struct fault *fault)
{
	const struct window_option *options = list->items;
	char where[160];
	if (list->count > WINDOWS_MAX)
		return fault_set(fault, ERR_BAD, "%s: %s: more than %d", file, path, WINDOWS_MAX);
	for (; *count < list->count; ++*count) {
		struct window *window = &to[*count];
		snprintf(where, sizeof where, "%s: %s[%zu]", file, path, *count);
		int bad = read_one(window, &options[*count], &w->zones[(window - to) + (to == w->quiet ? WINDOWS_MAX : 0)], where,
				   fault);
		if (bad)
			return bad;
		w->asks_target |= !window->zone;
	}
	return 0;
}

int windows_read(struct windows *w, const struct option_list *open, const struct option_list *quiet, const char *file,
		 struct fault *fault)
{
	*w = (struct windows){0};
	if (open->count + quiet->count == 0)
		return 0;
	w->zones = calloc(2 * WINDOWS_MAX, sizeof *w->zones);
	if (!w->zones)
		return fault_set(fault, ERR_MEMORY, "no memory for time zones");
	int bad = read_list(w, w->open, &w->open_count, open, "active.windows", file, fault);
	if (!bad)
		bad = read_list(w, w->quiet, &w->quiet_count, quiet, "active.quiet", file, fault);
	if (bad)
		windows_done(w);
	return bad;
}

void windows_done(struct windows *w)
{
	free(w->zones);
	*w = (struct windows){0};
}

static int64_t local_of(const struct window *w, const struct zone *target, int64_t utc_s)
{
	const struct zone *zone = w->zone ? w->zone : target;
	return utc_s + (zone ? zone_offset_s(zone, utc_s) : 0);
}

/* 1970 began on a Thursday. */
static unsigned weekday_of(int64_t local_s) { return (unsigned)((local_s / 86400 + 3) % 7); }

static bool is_within(const struct window *w, const struct zone *target, int64_t utc_s)
{
	int64_t local_s = local_of(w, target, utc_s);
	unsigned today = weekday_of(local_s), minute = (unsigned)(local_s % 86400 / MINUTE_S);
	bool begun_today = w->days >> today & 1, begun_yesterday = w->days >> (today + 6) % 7 & 1;
	if (w->from_min < w->to_min)
		return begun_today && minute >= w->from_min && minute < w->to_min;
	return (begun_today && minute >= w->from_min) || (begun_yesterday && minute < w->to_min);
}

static bool may_leave(const struct windows *w, const struct zone *target, int64_t utc_s)
{
	bool open = w->open_count == 0;
	for (size_t i = 0; i < w->open_count && !open; i++)
		open = is_within(&w->open[i], target, utc_s);
	for (size_t i = 0; i < w->quiet_count && open; i++)
		open = !is_within(&w->quiet[i], target, utc_s);
	return open;
}

/* Seconds until this window's next begin, end or midnight: between those nothing changes. */
static int64_t until_edge(const struct window *w, const struct zone *target, int64_t utc_s)
{
	int64_t into_day = local_of(w, target, utc_s) % 86400, edge = 86400;
	const int64_t edges[] = {w->from_min * MINUTE_S, w->to_min * MINUTE_S};
	for (size_t i = 0; i < 2; i++)
		if (edges[i] > into_day && edges[i] < edge)
			edge = edges[i];
	return edge - into_day;
}

/* The first moment after that one at which it may leave, or may not. */
static uint64_t next_change_us(const struct windows *w, const struct zone *target, int64_t begin_s, bool may)
{
	int64_t at_s = begin_s;
	while (at_s < begin_s + HORIZON_S) {
		/* Clocks are put forward and back meanwhile, on a half hour of UTC. */
		int64_t next = HALF_HOUR_S - at_s % HALF_HOUR_S;
		for (size_t i = 0; i < w->open_count + w->quiet_count; i++) {
			const struct window *window = i < w->open_count ? &w->open[i] : &w->quiet[i - w->open_count];
			int64_t edge = until_edge(window, target, at_s);
			next = edge < next ? edge : next;
		}
		at_s += next;
		if (may_leave(w, target, at_s) == may)
			return (uint64_t)at_s * SECOND_US;
	}
	return UINT64_MAX;
}

uint64_t windows_next_us(const struct windows *w, const struct zone *target, uint64_t from_us)
{
	int64_t from_s = (int64_t)(from_us / SECOND_US);
	if (w->open_count + w->quiet_count == 0 || may_leave(w, target, from_s))
		return from_us;
	return next_change_us(w, target, from_s, true);
}

uint64_t windows_close_us(const struct windows *w, const struct zone *target, uint64_t from_us)
{
	int64_t from_s = (int64_t)(from_us / SECOND_US);
	if (w->open_count + w->quiet_count == 0)
		return UINT64_MAX;
	return may_leave(w, target, from_s) ? next_change_us(w, target, from_s, false) : from_us;
}
