#include "analysis/gathering_inner.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define TEXTS_MAX (256u << 20)
#define DAY_US 86400000000u

int gathering_open(struct gathering *g, size_t max, uint64_t key)
{
	size_t places = 16;
	while (places < 2 * max)
		places *= 2;
	*g = (struct gathering){.max = max, .key = key, .places_count = places, .texts = ARENA(TEXTS_MAX)};
	g->sources = calloc(max, sizeof *g->sources);
	g->places = calloc(places, sizeof *g->places);
	if (g->sources && g->places)
		return 0;
	gathering_close(g);
	return ERR_MEMORY;
}

void gathering_close(struct gathering *g)
{
	free(g->sources);
	free(g->places);
	arena_done(&g->texts);
	*g = (struct gathering){0};
}

void gathering_renew(struct gathering *g)
{
	for (size_t i = 0; i < g->count; i++) {
		g->sources[i].e = (struct intent_evidence){0};
		g->sources[i].hours = 0;
		g->sources[i].seen = false;
	}
	g->refused = g->bad_rows = 0;
	arena_done(&g->texts);
}

void gathering_clear(struct gathering *g)
{
	memset(g->places, 0, g->places_count * sizeof *g->places);
	memset(g->sources, 0, g->count * sizeof *g->sources);
	g->count = 0;
	gathering_renew(g);
}

static struct gathered *source_of(struct gathering *g, const struct address *a, bool add)
{
	size_t at = address_hash(a, g->key) & (g->places_count - 1);
	for (; g->places[at]; at = (at + 1) & (g->places_count - 1))
		if (address_equal(&g->sources[g->places[at] - 1].address, a))
			return &g->sources[g->places[at] - 1];
	if (!add)
		return NULL;
	if (g->count == g->max) {
		g->refused++;
		return NULL;
	}
	struct gathered *s = &g->sources[g->count++];
	s->address = *a;
	g->places[at] = (uint32_t)g->count;
	return s;
}

/* 64-bit numbers may come as strings. */
static uint64_t number_in(const json_t *value)
{
	uint64_t n = 0;
	if (json_is_integer(value))
		return json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 0;
	if (json_is_string(value))
		bytes_number(bytes_of_text(json_string_value(value)), UINT64_MAX, &n);
	return n;
}

static uint64_t number(const json_t *row, const char *name) { return number_in(json_object_get(row, name)); }

static uint32_t number32(const json_t *row, const char *name)
{
	uint64_t n = number(row, name);
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* Text of strangers: whatever is not printable becomes a question mark, and it is short. */
static const char *text(struct gathering *g, const json_t *row, const char *name)
{
	const char *value = json_string_value(json_object_get(row, name));
	struct bytes b = value ? bytes_trim(bytes_of_text(value)) : (struct bytes){0};
	if (!b.len)
		return NULL;
	b.len = b.len > 80 ? 80 : b.len;
	while (b.len && !bytes_is_utf8(b))
		b.len--;
	char *kept = arena_text(&g->texts, b);
	for (char *c = kept; c && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return kept;
}

static double unevenness_of(const json_t *hourly)
{
	double sum = 0, squares = 0;
	size_t n = json_array_size(hourly);
	for (size_t i = 0; i < n; i++) {
		double packets = (double)number_in(json_array_get(hourly, i));
		sum += packets;
		squares += packets * packets;
	}
	return n && sum > 0 ? sqrt(fmax(0, squares / (double)n - sum * sum / (double)(n * n))) / (sum / (double)n) : -1;
}

/* The gravest tool speaks; records without one say nothing where others have one. */
static void take_tools(struct gathering *g, struct intent_evidence *e, const json_t *tools)
{
	const json_t *item;
	size_t i;
	json_array_foreach(tools, i, item) {
		const char *name = json_string_value(item);
		enum intent_tool tool = intent_tool_of(bytes_of_text(name ? name : ""));
		if (tool <= e->tool)
			continue;
		e->tool = tool;
		e->tool_name = name ? arena_text(&g->texts, bytes_of_text(name)) : NULL;
	}
}

static void take_flow(struct gathering *g, struct gathered *s, const json_t *row)
{
	struct intent_evidence *e = &s->e;
	const json_t *item;
	size_t i;
	e->dark = true;
	e->packets = number(row, "packets");
	e->destinations = number32(row, "destinations");
	e->ports = number32(row, "ports");
	e->worm_share = e->packets ? (double)number(row, "worm") / (double)e->packets : 0;
	take_tools(g, e, json_object_get(row, "tools"));
	json_array_foreach(json_object_get(row, "classes"), i, item)
		if (json_is_string(item))
			e->classes |= intent_class_of(bytes_of_text(json_string_value(item)));
	json_array_foreach(json_object_get(row, "asks"), i, item) {
		const char *asks = json_string_value(item);
		if (!asks || !intent_asks_amplification(bytes_of_text(asks)))
			continue;
		e->amplifies = true;
		e->asks = arena_text(&g->texts, bytes_of_text(asks));
	}
	json_array_foreach(json_object_get(row, "hours"), i, item)
		s->hours |= 1u << number_in(item) % 24;
	e->hours = (unsigned)__builtin_popcount(s->hours);
	e->unevenness = unevenness_of(json_object_get(row, "hourly"));
}

static void take_events(struct gathered *s, const json_t *row)
{
	s->e.sessions = number(row, "sessions");
	s->e.logins = number(row, "logins");
	s->e.commands = number(row, "commands");
	s->e.files = number(row, "files");
	s->e.alerts_agreed = number(row, "agreed");
	s->e.alerts_other = number(row, "single");
	s->e.victim = number(row, "victim") > 0;
}

/* Who comes in at most three hours of the day, on other days in the same ± 1 and in no other. */
static void take_earlier(struct gathered *s, const json_t *row)
{
	uint32_t around = (s->hours | s->hours << 1 | s->hours >> 1 | s->hours << 23 | s->hours >> 23) & 0xffffff;
	const json_t *item;
	size_t i;
	json_array_foreach(json_object_get(row, "days"), i, item) {
		s->e.days++;
		s->e.days_same_hour += s->e.hours <= 3 && !(number_in(item) & ~(uint64_t)around);
	}
}

static void take_row(struct gathering *g, enum question_about about, const json_t *row)
{
	struct address a;
	if (about == ASK_TOTALS) {
		g->sources_in_all = number(row, "sources");
		g->days_asked = number32(row, "days");
		g->least = number(row, "least");
		return;
	}
	const char *source = json_string_value(json_object_get(row, "source"));
	if (!source || !address_parse(bytes_of_text(source), &a)) {
		g->bad_rows++;
		return;
	}
	struct gathered *s = source_of(g, &a, about != ASK_HOSTS && about != ASK_EARLIER);
	if (!s)
		return;
	s->seen |= about == ASK_FLOWS || about == ASK_EVENTS;
	if (about == ASK_FLOWS)
		take_flow(g, s, row);
	else if (about == ASK_EVENTS)
		take_events(s, row);
	else if (about == ASK_EARLIER)
		take_earlier(s, row);
	else if (about == ASK_HOSTS) {
		s->e.device = text(g, row, "device");
		s->e.page = text(g, row, "says");
	} else if (about == ASK_JUDGED) {
		const char *verdict = json_string_value(json_object_get(row, "verdict"));
		int found = intent_find(bytes_of_text(verdict ? verdict : ""));
		s->judged = found >= 0;
		s->published = found >= 0 ? (enum intent)found : INTENT_UNCLEAR;
		s->published_confidence = number32(row, "confidence");
	}
}

void gathering_take(struct gathering *g, enum question_about about, struct bytes lines)
{
	struct reader r = reader_of_bytes(lines);
	struct bytes line;
	while (read_line(&r, &line)) {
		json_t *row = json_loadb((const char *)line.at, line.len, 0, NULL);
		if (json_is_object(row))
			take_row(g, about, row);
		else
			g->bad_rows++;
		json_decref(row);
	}
}

void gathering_finish(struct gathering *g, const struct surveys *surveys, double watched, uint64_t day)
{
	for (size_t i = 0; i < g->count; i++) {
		struct intent_evidence *e = &g->sources[i].e;
		struct survey_match m;
		e->watched = watched;
		e->days_asked = g->days_asked;
		if (surveys_find(surveys, &g->sources[i].address, &m)) {
			e->listed = m.who;
			e->list = m.list;
			e->listed_dated = m.dated_us > 0;
			e->listed_days = survey_age_days(&m, day * DAY_US);
		}
		e->host_name = surveys_host_name(surveys, &g->sources[i].address);
		if (e->host_name && surveys_find_domain(surveys, e->host_name, &m))
			e->survey = m.who;
	}
}

bool gathered_is_news(const struct gathered *s, const struct intent_verdict *v, unsigned points)
{
	unsigned low = v->confidence < s->published_confidence ? v->confidence : s->published_confidence;
	unsigned high = v->confidence > s->published_confidence ? v->confidence : s->published_confidence;
	return !s->judged || s->published != v->verdict || high - low > points;
}
