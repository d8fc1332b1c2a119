/* What the operator says of a survey: read, and asked whether it is all that an approval needs. */
#include "control/settings_inner.h"
#include "event/event.h"
#include <stddef.h>

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define MINUTE_US 60000000u
#define DAY_MINUTES 1440u

#define SURVEY(member) offsetof(struct survey_option, member)

const struct option survey_fields[] = {
	{"name", OPTION_TEXT, SURVEY(name), .required = true, .summary = "name of the survey"},
	{"prefixes", OPTION_LIST, SURVEY(prefixes), .element = OPTION_PREFIX, .required = true,
	 .summary = "what was approved; what active.scope leaves out stays out"},
	{"until", OPTION_TEXT, SURVEY(until), .required = true,
	 .summary = "end of the approval, a date or time in UTC"},
	{"from", OPTION_TEXT, SURVEY(from), .summary = "its beginning; absent: at once"},
	{"window", OPTION_TEXT, SURVEY(window),
	 .summary = "hours of the day in UTC, such as 22:00-06:00; absent: all"},
	{"purpose", OPTION_TEXT, SURVEY(purpose), .summary = "what it shall find out; a scan needs it"},
	{"approved_by", OPTION_TEXT, SURVEY(approved_by), .summary = "who approved it; a scan needs it"},
	{"reference", OPTION_TEXT, SURVEY(reference),
	 .summary = "where the approval can be looked up; a scan needs it"},
	{"ports", OPTION_LIST, SURVEY(ports), .element = OPTION_TEXT,
	 .summary = "ports such as 23 or 161/udp (tier 2); a scan needs them"},
	{"tier", OPTION_NUMBER, SURVEY(tier), .fallback = "1", .max = TIER_MAX,
	 .summary = "highest tier that was approved"},
	{"rate", OPTION_NUMBER, SURVEY(rate), .fallback = "0",
	 .summary = "packets a second, within active.rate; a scan needs it"},
	{"packets", OPTION_NUMBER, SURVEY(packets), .fallback = "0",
	 .summary = "packets of one round; a scan needs it"},
	{"seed", OPTION_NUMBER, SURVEY(seed), .fallback = "0",
	 .summary = "of the order of addresses; 0: drawn"},
	{"repeat", OPTION_DURATION, SURVEY(repeat_ms), .fallback = "0s",
	 .summary = "time between the beginnings of two rounds; 0: one round"},
	{"look", OPTION_BOOL, SURVEY(look), .fallback = "false",
	 .summary = "look at what answers, each address as the policy allows"},
	{0},
};

static int complain(const char *file, size_t i, const char *key, const char *text, const char *right, struct fault *fault)
{
	return fault_set(fault, ERR_BAD, "%s: active.surveys[%zu].%s: \"%s\" is not %s would be right", file, i, key,
			 text, right);
}

/* "22:00": minutes of the day, 24:00 included. */
static bool minutes_read(struct bytes text, unsigned *out)
{
	uint64_t hours, minutes;
	size_t colon = bytes_find(text, ":");
	if (colon == text.len || !bytes_number((struct bytes){text.at, colon}, 24, &hours) ||
	    !bytes_number((struct bytes){text.at + colon + 1, text.len - colon - 1}, 59, &minutes))
		return false;
	*out = (unsigned)(hours * 60 + minutes);
	return *out <= DAY_MINUTES;
}

static bool window_read(struct bytes text, struct survey *s)
{
	size_t dash = bytes_find(text, "-");
	if (dash == text.len)
		return false;
	return minutes_read((struct bytes){text.at, dash}, &s->window_from) &&
	       minutes_read((struct bytes){text.at + dash + 1, text.len - dash - 1}, &s->window_until) &&
	       s->window_from % DAY_MINUTES != s->window_until % DAY_MINUTES;
}

static int ports_read(const char *file, size_t i, struct survey *s, struct fault *fault)
{
	const struct option_list *list = &s->option->ports;
	const char *const *items = list->items;
	if (list->count > SURVEY_PORTS_MAX)
		return fault_set(fault, ERR_BAD, "%s: active.surveys[%zu].ports: more than %d ports", file, i,
				 SURVEY_PORTS_MAX);
	for (size_t k = 0; k < list->count; k++) {
		uint32_t port;
		if (!port_parse(bytes_of_text(items[k]), &port))
			return complain(file, i, "ports", items[k], "a port, 23 or 161/udp", fault);
		if (port_is_udp(port) && s->option->tier < TIER_UDP)
			return fault_set(fault, ERR_BAD, "%s: active.surveys[%zu].ports: %s is asked over UDP, which needs "
							 "an approval of tier 2", file, i, items[k]);
		s->ports[s->port_count++] = (struct survey_port){
			port_number(port), port_is_udp(port) ? PROTOCOL_UDP : PROTOCOL_TCP};
	}
	return 0;
}

int survey_settings_read(const char *file, size_t i, struct survey *s, struct fault *fault)
{
	const struct survey_option *o = s->option;
	if (strlen(o->name) > SURVEY_NAME_MAX)
		return fault_set(fault, ERR_BAD, "%s: active.surveys[%zu].name: longer than %d bytes", file, i, SURVEY_NAME_MAX);
	if (!time_parse(bytes_of_text(o->until), &s->until_us))
		return complain(file, i, "until", o->until, "a time, a date such as 2026-12-31", fault);
	if (o->from && !time_parse(bytes_of_text(o->from), &s->from_us))
		return complain(file, i, "from", o->from, "a time, a date such as 2026-12-31", fault);
	if (s->from_us >= s->until_us)
		return fault_set(fault, ERR_BAD, "%s: active.surveys[%zu]: it ends before it begins", file, i);
	if (o->window && !window_read(bytes_of_text(o->window), s))
		return complain(file, i, "window", o->window, "a part of a day, 22:00-06:00", fault);
	return ports_read(file, i, s, fault);
}

bool survey_is_complete(const struct survey *s, struct writer *missing)
{
	const struct survey_option *o = s->option;
	const struct {
		const char *name;
		bool there;
	} needed[] = {
		{"purpose", o->purpose && *o->purpose},
		{"approved_by", o->approved_by && *o->approved_by},
		{"reference", o->reference && *o->reference},
		{"ports", s->port_count > 0},
		{"rate", o->rate > 0},
		{"packets", o->packets > 0},
	};
	bool complete = true;
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		if (needed[i].there)
			continue;
		write_fmt(missing, "%s%s", complete ? "" : ", ", needed[i].name);
		complete = false;
	}
	return complete;
}

static unsigned minute_of(uint64_t now_us) { return (unsigned)(now_us / MINUTE_US % DAY_MINUTES); }

static bool has_window(const struct survey *s) { return s->window_from != s->window_until; }

bool survey_is_on(const struct survey *s, uint64_t now_us)
{
	if (now_us < s->from_us || now_us >= s->until_us)
		return false;
	if (!has_window(s))
		return true;
	const unsigned now = minute_of(now_us), from = s->window_from, until = s->window_until;
	return from < until ? now >= from && now < until : now >= from || now < until;
}

uint64_t survey_on_until(const struct survey *s, uint64_t now_us)
{
	if (!has_window(s))
		return s->until_us;
	const unsigned left = (s->window_until + DAY_MINUTES - minute_of(now_us)) % DAY_MINUTES;
	const uint64_t ends_us = (now_us / MINUTE_US + left) * MINUTE_US;
	return ends_us < s->until_us ? ends_us : s->until_us;
}
