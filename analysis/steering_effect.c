#include "analysis/steering_effect.h"
#include <jansson.h>
#include <stdlib.h>

FIELD(field_effect_of, "effect.of", TEXT, 0, "what was tried: steering");
FIELD(field_effect_outcome, "effect.outcome", TEXT, 0, "what was compared, a source: sessions, seconds, commands, files");
FIELD(field_effect_against, "effect.against", TEXT, 0, "arm that the steered ones are compared with: random, held-out");
FIELD(field_effect_difference, "effect.difference", TEXT, 0, "steered minus the other arm");
FIELD(field_effect_low, "effect.low", TEXT, 0, "lower end of its 95 % interval");
FIELD(field_effect_high, "effect.high", TEXT, 0, "upper end of its 95 % interval");
FIELD(field_effect_mean, "effect.mean", TEXT, 0, "mean of the steered arm's units");
FIELD(field_effect_mean_against, "effect.mean.against", TEXT, 0, "mean of the other arm's units");
FIELD(field_effect_units, "effect.units", NUMBER, 0, "units in the steered arm");
FIELD(field_effect_units_against, "effect.units.against", NUMBER, 0, "units in the other arm");
FIELD(field_effect_sources, "effect.sources", NUMBER, 0, "sources in the steered arm");
FIELD(field_effect_sources_against, "effect.sources.against", NUMBER, 0, "sources in the other arm");
FIELD(field_effect_method, "effect.method", TEXT, 0, "how the interval was worked out");

#define VALUE(name) "value[indexOf(field,'" name "')]"
#define NUMBER(name) "toUInt64OrZero(" VALUE(name) ")"
#define DRAWN "kind = 'decision.made' AND has(field, 'steer.arm')"
#define METHOD "Welch t, 95 %, unit means"

static const char *const arm_names[EFFECT_ARMS] = {"steered", "random", "held-out"};
static const char *const outcome_names[OUTCOMES] = {"sessions", "seconds", "commands", "files"};

static void write_range(struct writer *w, uint64_t from_s, uint64_t to_s)
{
	write_fmt(w, "time >= toDateTime(%llu,'UTC') AND time < toDateTime(%llu,'UTC')",
		  (unsigned long long)from_s, (unsigned long long)to_s);
}

/*
 * Ids begin with their time, so a session whose id is above the decision's began after it.  Its
 * decision is one row of each source, which is how sources without any session are there, too.
 */
void steering_effect_sql(uint64_t from_s, uint64_t to_s, uint64_t follow_s, struct writer *w)
{
	write_fmt(w,
		  "SELECT arm, unit, uniqExact(src) AS sources, countIf(kind = 'session.closed' AND after) AS sessions, "
		  "sumIf(duration, kind = 'session.closed' AND after) / 1000000 AS seconds, "
		  "sumIf(commands, kind = 'session.closed' AND after) AS commands, "
		  "countIf(kind = 'file.captured' AND after) AS files FROM (SELECT src, arm, unit, kind, duration, commands, "
		  "session > drawn AND time <= since + %llu AS after FROM (SELECT src, kind, time, session, "
		  NUMBER("duration") " AS duration, " NUMBER("commands") " AS commands FROM events WHERE "
		  "kind IN ('decision.made', 'session.closed', 'file.captured') AND ",
		  (unsigned long long)follow_s);
	write_range(w, from_s, to_s);
	write_text(w, " AND src IN (SELECT src FROM events WHERE " DRAWN " AND ");
	write_range(w, from_s, to_s);
	write_text(w, ")) AS e ALL INNER JOIN (SELECT src, argMin(" VALUE("steer.arm") ", id) AS arm, argMin("
		      VALUE("steer.unit") ", id) AS unit, min(id) AS drawn, min(time) AS since FROM events WHERE " DRAWN " AND ");
	write_range(w, from_s, to_s);
	write_fmt(w, " GROUP BY src) AS d USING (src)) GROUP BY arm, unit ORDER BY arm, unit LIMIT %u", STEERING_UNITS_MAX);
}

void steering_effect_done(struct steering_effect *s)
{
	for (size_t a = 0; a < EFFECT_ARMS; a++)
		for (size_t o = 0; o < OUTCOMES; o++)
			free(s->values[a][o]);
	*s = (struct steering_effect){0};
}

static bool make_room(struct steering_effect *s, size_t arm)
{
	const size_t room = s->room[arm] ? 2 * s->room[arm] : 64;
	if (s->count[arm] < s->room[arm])
		return true;
	for (size_t o = 0; o < OUTCOMES; o++) {
		double *larger = realloc(s->values[arm][o], room * sizeof *larger);
		if (!larger)
			return false;
		s->values[arm][o] = larger;
	}
	s->room[arm] = room;
	return true;
}

/* 64-bit numbers may come as strings. */
static double number(const json_t *row, const char *name)
{
	const json_t *value = json_object_get(row, name);
	return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

static void take_row(struct steering_effect *s, const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "arm"));
	const double sources = number(row, "sources");
	size_t arm = 0;
	while (name && arm < EFFECT_ARMS && strcmp(name, arm_names[arm]))
		arm++;
	if (!name || arm == EFFECT_ARMS || sources < 1 || !make_room(s, arm)) {
		s->bad_rows++;
		return;
	}
	for (size_t o = 0; o < OUTCOMES; o++)
		s->values[arm][o][s->count[arm]] = number(row, outcome_names[o]) / sources;
	s->count[arm]++;
	s->sources[arm] += (uint64_t)sources;
}

void steering_effect_take(struct steering_effect *s, struct bytes lines)
{
	struct reader r = reader_of_bytes(lines);
	struct bytes line;
	memset(s->count, 0, sizeof s->count);
	memset(s->sources, 0, sizeof s->sources);
	s->bad_rows = 0;
	while (read_line(&r, &line)) {
		json_t *row = json_loadb((const char *)line.at, line.len, 0, NULL);
		take_row(s, row);
		json_decref(row);
	}
}

struct effect steering_effect_measure(const struct steering_effect *s, enum steering_arm against, enum steering_outcome o)
{
	return effect_measure(s->values[EFFECT_STEERED][o], s->count[EFFECT_STEERED], s->values[against][o],
			      s->count[against]);
}

static void set_number(struct event *e, uint16_t field, const char *format, double value)
{
	char text[32];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof text, format, value);
#pragma GCC diagnostic pop
	event_set_text(e, field, text);
}

static void set_estimate(struct event *e, const struct effect *is)
{
	char detail[128];
	if (is->state == EFFECT_TOO_FEW)
		snprintf(detail, sizeof detail, "no estimate: %zu and %zu units were drawn, %d of each are needed",
			 is->units[0], is->units[1], EFFECT_UNITS_LEAST);
	else if (is->state == EFFECT_ALL_SAME)
		snprintf(detail, sizeof detail, "no estimate: within each arm all units are the same");
	else
		snprintf(detail, sizeof detail, "%+.3g a source, 95 %% interval %+.3g to %+.3g", is->difference,
			 is->low, is->high);
	event_set_text(e, FIELD_DETAIL, detail);
	if (is->state == EFFECT_TOO_FEW)
		return;
	set_number(e, field_effect_mean, "%.4g", is->mean[0]);
	set_number(e, field_effect_mean_against, "%.4g", is->mean[1]);
	if (is->state == EFFECT_ALL_SAME)
		return;
	set_number(e, field_effect_difference, "%+.4g", is->difference);
	set_number(e, field_effect_low, "%+.4g", is->low);
	set_number(e, field_effect_high, "%+.4g", is->high);
}

/* FNV-1a over all that the event says: only whether it is the same again. */
static uint64_t digest_of(const struct event *e)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < e->count; i++) {
		hash = (hash ^ e->values[i].number) * 0x100000001b3u;
		for (size_t k = 0; k < e->values[i].bytes.len; k++)
			hash = (hash ^ e->values[i].bytes.at[k]) * 0x100000001b3u;
	}
	return hash | 1;
}

bool steering_effect_tell(struct steering_effect *s, enum steering_arm against, enum steering_outcome o, struct event *e)
{
	if (!s->count[EFFECT_STEERED] || !s->count[against])
		return false;
	const struct effect is = steering_effect_measure(s, against, o);
	event_begin(e, EVENT_EFFECT_MEASURED);
	event_set_text(e, field_effect_of, "steering");
	event_set_text(e, field_effect_outcome, outcome_names[o]);
	event_set_text(e, field_effect_against, arm_names[against]);
	event_set_text(e, FIELD_REASON, effect_state_word(is.state));
	event_set_number(e, field_effect_units, is.units[0]);
	event_set_number(e, field_effect_units_against, is.units[1]);
	event_set_number(e, field_effect_sources, s->sources[EFFECT_STEERED]);
	event_set_number(e, field_effect_sources_against, s->sources[against]);
	event_set_text(e, field_effect_method, METHOD);
	set_estimate(e, &is);
	return s->told[against - 1][o] != digest_of(e);
}

void steering_effect_told(struct steering_effect *s, enum steering_arm against, enum steering_outcome o,
			  const struct event *e)
{
	s->told[against - 1][o] = digest_of(e);
}
