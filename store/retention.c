/*
 * Keeping things only as long as they may be kept.
 *
 * Every hour the writer deletes what is too old, by kind and by field.  A statement runs
 * only when there is something for it to do, since each rewrites the parts that it touches.
 */
#include "base/log.h"
#include "store/retention.h"
#include "base/clock.h"
#include "store/schema.h"
#include "store/store_room_inner.h"
#include <stdlib.h>

#define DAY_S 86400u

/* "30d", "12h" as the option table reads durations; 0 when it is none. */
static uint64_t duration_seconds(struct bytes text)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	uint64_t n;
	for (size_t i = 0; text.len && i < sizeof units / sizeof *units; i++)
		if (text.at[text.len - 1] == units[i].unit &&
		    bytes_number((struct bytes){text.at, text.len - 1}, 100000, &n))
			return n * units[i].seconds;
	return 0;
}

/*
 * So many seconds as now() can be made earlier by them: a DateTime begins in 1970, and what would lie before it lies
 * in the year 2106.
 */
static unsigned long long ago(uint64_t seconds)
{
	uint64_t most = clock_utc_us() / 1000000;
	return seconds < most ? seconds : most;
}

static void older(struct writer *w, uint64_t seconds)
{
	write_fmt(w, "time < now() - %llu", ago(seconds));
}

static uint64_t flows_seconds(const struct store_options *o)
{
	const struct option_pair *kinds = o->retention.kinds.items;
	for (size_t i = 0; i < o->retention.kinds.count; i++)
		if (!strcmp(kinds[i].name, event_kind_name(EVENT_FLOW_COUNTED)) &&
		    duration_seconds(kinds[i].value))
			return duration_seconds(kinds[i].value);
	return o->retention.flows_ms / 1000;
}

/*
 * Whole days, the last one cut short, so that the table is rewritten once a day and nothing
 * stays longer than it may.
 */
static void flows_condition(struct writer *w, uint64_t seconds)
{
	write_fmt(w, "time < toStartOfDay(now() - %llu)",
		  ago(seconds > DAY_S ? seconds - DAY_S : 0));
}

/* Events that no kind of its own says otherwise of, then each kind; flows are no events here. */
static void events_condition(struct writer *w, const struct store_options *o)
{
	const struct option_pair *kinds = o->retention.kinds.items;
	const char *flow = event_kind_name(EVENT_FLOW_COUNTED);
	write_text(w, "(");
	older(w, o->retention.default_ms / 1000);
	write_fmt(w, " AND kind != '%s'", flow);
	for (size_t i = 0; i < o->retention.kinds.count; i++)
		if (event_kind_find(bytes_of_text(kinds[i].name)) >= 0)
			write_fmt(w, " AND kind != '%s'", kinds[i].name);
	write_text(w, ")");
	for (size_t i = 0; i < o->retention.kinds.count; i++) {
		uint64_t seconds = duration_seconds(kinds[i].value);
		if (!seconds || event_kind_find(bytes_of_text(kinds[i].name)) < 0 || !strcmp(kinds[i].name, flow))
			continue;
		write_fmt(w, " OR (kind = '%s' AND ", kinds[i].name);
		older(w, seconds);
		write_text(w, ")");
	}
}

static int run_if_any(struct engine *e, const char *table, const char *condition, const char *change,
		      struct fault *fault)
{
	char *sql = malloc(SCHEMA_SQL_MAX);
	struct buffer answer = BUFFER(4096);
	if (!sql)
		return ERR_MEMORY;
	int n = snprintf(sql, SCHEMA_SQL_MAX, "SELECT count() FROM (SELECT 1 FROM kansoku.%s WHERE %s LIMIT 1)",
			 table, condition);
	int bad = n < SCHEMA_SQL_MAX ? engine_run_text(e, sql, &answer, fault) : ERR_FULL;
	if (!bad && !bytes_equal_text(bytes_trim(buffer_bytes(&answer)), "0")) {
		n = snprintf(sql, SCHEMA_SQL_MAX, "ALTER TABLE kansoku.%s %s WHERE %s", table, change, condition);
		bad = n < SCHEMA_SQL_MAX ? engine_run_text(e, sql, NULL, fault) : ERR_FULL;
	}
	buffer_done(&answer);
	free(sql);
	return bad;
}

/* One field's value goes, the row stays: from its column, or from the arrays. */
static int field_forget_in(struct engine *e, enum table t, uint16_t field, uint64_t seconds,
			   struct fault *fault)
{
	const struct field_definition *d = field_definition(field);
	char condition[256], change[512];
	struct column c;
	for (unsigned i = 0; schema_column(t, i, &c); i++) {
		if (c.field != field)
			continue;
		bool fixed = !strcmp(c.type, "FixedString(16)"), text = !strcmp(c.type, "String");
		const char *empty = fixed ? "toFixedString('',16)" : text ? "''" : "0";
		snprintf(condition, sizeof condition, "`%s` != %s AND time < now() - %llu", c.name, empty,
			 ago(seconds));
		snprintf(change, sizeof change, "UPDATE `%s` = %s", c.name, empty);
		return run_if_any(e, table_name(t), condition, change, fault);
	}
	snprintf(condition, sizeof condition, "has(field, '%s') AND time < now() - %llu", d->name,
		 ago(seconds));
	snprintf(change, sizeof change,
		 "UPDATE value = arrayFilter((v, f) -> f != '%s', value, field), "
		 "field = arrayFilter(f -> f != '%s', field)", d->name, d->name);
	return run_if_any(e, table_name(t), condition, change, fault);
}

static int field_forget(struct engine *e, uint16_t field, uint64_t seconds, struct fault *fault)
{
	const struct field_definition *d = field_definition(field);
	char condition[256];
	if (d->marks & FIELD_PRIVATE) {
		snprintf(condition, sizeof condition, "field = '%s' AND time < now() - %llu", d->name,
			 ago(seconds));
		return run_if_any(e, "private", condition, "DELETE", fault);
	}
	int bad = 0;
	for (enum table t = 0; t < TABLES && !bad; t++)
		bad = field_forget_in(e, t, field, seconds, fault);
	return bad;
}

static int fields_forget(struct engine *e, const struct store_options *o, struct fault *fault)
{
	const struct option_pair *fields = o->retention.fields.items;
	int bad = 0;
	for (size_t i = 0; !bad && i < o->retention.fields.count; i++) {
		int field = field_find(bytes_of_text(fields[i].name));
		uint64_t seconds = duration_seconds(fields[i].value);
		if (field < 0 || !seconds)
			log_warning("store.retention.fields.%s: no such field, or %.*s is no time like 90d",
				    fields[i].name, (int)fields[i].value.len, (const char *)fields[i].value.at);
		else
			bad = field_forget(e, (uint16_t)field, seconds, fault);
	}
	return bad;
}

/* Private values also go with their events: none outlives what it belongs to. */
static int private_run(struct engine *e, const struct store_options *o, const char *with_events,
		       struct fault *fault)
{
	char condition[256];
	struct writer w = writer_of(condition, sizeof condition - 1);
	int bad = run_if_any(e, "private", with_events, "DELETE", fault);
	older(&w, o->retention.private_ms / 1000);
	write_fmt(&w, " OR (kind = '%s' AND ", event_kind_name(EVENT_FLOW_COUNTED));
	flows_condition(&w, flows_seconds(o));
	write_text(&w, ")");
	*w.at = '\0';
	return bad ? bad : run_if_any(e, "private", condition, "DELETE", fault);
}

int retention_run(struct engine *e, const struct store_options *o, struct fault *fault)
{
	char *condition = malloc(SCHEMA_SQL_MAX / 2), flows[128];
	if (!condition)
		return fault_set(fault, ERR_MEMORY, "retention: out of memory");
	struct writer w = writer_of(condition, SCHEMA_SQL_MAX / 2 - 1);
	events_condition(&w, o);
	*w.at = '\0';
	int bad = w.bad ? fault_set(fault, ERR_FULL, "store.retention.kinds: too many") : 0;
	bad = bad ? bad : run_if_any(e, "events", condition, "DELETE", fault);
	w = writer_of(flows, sizeof flows - 1);
	flows_condition(&w, flows_seconds(o));
	*w.at = '\0';
	bad = bad ? bad : run_if_any(e, "flows", flows, "DELETE", fault);
	bad = bad ? bad : private_run(e, o, condition, fault);
	bad = bad ? bad : fields_forget(e, o, fault);
	free(condition);
	return bad;
}

struct retention_job {
	struct job job;
	struct store_room *room;
};

static void retention_job_run(struct job *job, void *context)
{
	struct store_room *room = ((struct retention_job *)job)->room;
	struct fault fault = {0};
	(void)context;
	if (retention_run(room->engine, room->options, &fault))
		log_error("retention: %s", fault.text);
}

static void retention_job_done(struct job *job) { free(job); }

void retention_start(struct store_room *room)
{
	struct retention_job *j = calloc(1, sizeof *j);
	if (!j)
		return;
	*j = (struct retention_job){{.run = retention_job_run, .done = retention_job_done}, room};
	if (!room->writer || workers_give(room->writer, &j->job))
		free(j); /* in an hour again */
}
