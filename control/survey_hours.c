/* When a survey may be scanned: its own time, and the hours in which nothing of ours may leave. */
#include "control/survey_sets_inner.h"

bool survey_hours_unknown(const struct settings *s) { return s->windows.asks_target; }

/* A look waits for its window; a scan is refused, and asks again. */
static enum reason refuse_until(uint64_t opens_us, const struct survey *survey, struct fault *fault)
{
	char time[TIME_TEXT_MAX];
	const char *name = survey->option->name;
	if (opens_us == UINT64_MAX)
		fault_set(fault, ERR_DENIED, "%s: the survey %s is refused: active.windows and active.quiet do not open within eight days",
			  reason_word(REASON_WINDOW), name);
	else
		fault_set(fault, ERR_DENIED, "%s: the survey %s is refused: active.windows and active.quiet let nothing leave before %s",
			  reason_word(REASON_WINDOW), name, time_format(opens_us, time));
	return REASON_WINDOW;
}

enum reason survey_hours_check(const struct settings *s, const struct survey *survey, uint64_t now_us, struct fault *fault)
{
	if (now_us < survey->from_us || now_us >= survey->until_us)
		return REASON_STALE_BASIS;
	if (!survey_is_on(survey, now_us))
		return REASON_WINDOW;
	if (survey_hours_unknown(s)) {
		fault_set(fault, ERR_DENIED, "%s: the survey %s is refused: active.windows or active.quiet is in the zone of each target, "
					     "which a scan cannot keep; a zone by name would be right",
			  reason_word(REASON_WINDOW), survey->option->name);
		return REASON_WINDOW;
	}
	const uint64_t opens_us = windows_next_us(&s->windows, NULL, now_us);
	return opens_us > now_us ? refuse_until(opens_us, survey, fault) : REASON_OK;
}

uint64_t survey_hours_until(const struct settings *s, const struct survey *survey, uint64_t now_us)
{
	const uint64_t own_us = survey_on_until(survey, now_us), close_us = windows_close_us(&s->windows, NULL, now_us);
	return own_us < close_us ? own_us : close_us;
}
