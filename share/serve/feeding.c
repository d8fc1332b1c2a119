#include "share/serve/feeding_inner.h"
#include "base/clock.h"
#include "base/log.h"
#include "share/select.h"
#include "store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE_EVENTS 20000
#define PAUSE_MS 2000
#define PAUSE_FAILED_MS 10000
#define SETTLED_US 2000000
#define QUIET_US 5000000 /* nothing came for so long: all there is has come */
#define SQL_MAX 4096

struct lane { /* one table of the store */
	enum table table;
	uint64_t mark, upper;
	bool more; /* than one slice is waiting */
};

struct feeding {
	struct exchange *exchange;
	const struct collections *collections;
	struct arrivals *arrivals[COLLECTIONS_MAX];
	struct lane lanes[TABLES];
	size_t lane; /* in hand */
	struct collection flows;
	uv_timer_t timer;
	bool stopped, failing;
	char where[SQL_MAX];
	struct selection selection;
	struct buffer answer;
};

static enum table table_of_collection(const struct collection *c)
{
	return c->kinds == KIND_MASK(EVENT_FLOW_COUNTED) ? TABLE_FLOWS : TABLE_EVENTS;
}

static void turn_due(uv_timer_t *timer);

static void rest(struct feeding *f, uint64_t ms)
{
	if (!f->stopped)
		uv_timer_start(&f->timer, turn_due, ms, 0);
}

static void failed(struct feeding *f, const char *what, struct bytes why)
{
	if (!f->failing)
		log_info("exchange: arrivals wait: %s%.*s", what, (int)(why.len < 300 ? why.len : 300), (const char *)why.at);
	f->failing = true;
	for (size_t i = 0; i < f->collections->count; i++)
		arrivals_drop(f->arrivals[i]);
	rest(f, PAUSE_FAILED_MS);
}

/* The collection that is behind most decides from where the store is read. */
static void find_mark(struct feeding *f, struct lane *lane)
{
	lane->mark = UINT64_MAX;
	for (size_t i = 0; i < f->collections->count; i++)
		if (table_of_collection(&f->collections->list[i]) == lane->table && arrivals_mark(f->arrivals[i]) < lane->mark)
			lane->mark = arrivals_mark(f->arrivals[i]);
}

static void next_lane(struct feeding *f)
{
	bool again = f->lanes[f->lane].more;
	if (!again)
		f->lane = (f->lane + 1) % TABLES;
	rest(f, again ? 1 : PAUSE_MS / TABLES);
}

static bool take_event(void *arg, const struct event *e)
{
	struct feeding *f = arg;
	uint64_t received_us = event_number(e, FIELD_RECEIVED, 0), now_us = clock_utc_us();
	for (size_t i = 0; i < f->collections->count; i++) {
		const struct collection *c = &f->collections->list[i];
		if (received_us > arrivals_mark(f->arrivals[i]) && collection_has(c, e) &&
		    arrivals_add(f->arrivals[i], &e->id, e->time_us, now_us)) {
			f->failing = true;
			return false;
		}
	}
	return true;
}

static void took_all(void *arg, int status, struct bytes why)
{
	struct feeding *f = arg;
	const struct lane *lane = &f->lanes[f->lane];
	int bad = status;
	if (f->stopped)
		return;
	for (size_t i = 0; i < f->collections->count && !bad; i++) {
		if (table_of_collection(&f->collections->list[i]) != lane->table)
			continue;
		uint64_t mark = arrivals_mark(f->arrivals[i]);
		bad = arrivals_keep(f->arrivals[i], lane->upper > mark ? lane->upper : mark);
		why = BYTES("they cannot be written");
	}
	if (bad) {
		failed(f, "", why);
		return;
	}
	f->failing = false;
	next_lane(f);
}

static void take_slice(struct feeding *f)
{
	const struct lane *lane = &f->lanes[f->lane];
	const struct select_hooks hooks = {.arg = f, .event = take_event, .done = took_all};
	struct fault fault = {0};
	snprintf(f->where, sizeof f->where, "received_us > %llu AND received_us <= %llu", (unsigned long long)lane->mark,
		 (unsigned long long)lane->upper);
	f->selection = (struct selection){.collection = lane->table == TABLE_FLOWS ? &f->flows : NULL,
					  .to_us = UINT64_C(4294967295) * 1000000, .where = f->where};
	if (select_begin(f->exchange->process->bus, &f->selection, &hooks, &fault))
		failed(f, fault.text, (struct bytes){0});
}

/* "COUNT\tLAST OF THE SLICE\tLAST OF ALL": how far the next slice goes. */
static void heard_extent(void *arg, int status, struct bytes payload, bool more)
{
	struct feeding *f = arg;
	struct lane *lane = &f->lanes[f->lane];
	uint64_t numbers[3] = {0};
	buffer_append(&f->answer, payload.at, payload.len);
	if (more)
		return;
	struct bytes text = buffer_bytes(&f->answer);
	struct bytes why = status ? payload : (struct bytes){0};
	if (f->stopped)
		return;
	if (status) {
		failed(f, "", why);
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		size_t end = bytes_find(text, i < 2 ? "\t" : "\n");
		bytes_number((struct bytes){text.at, end}, UINT64_MAX, &numbers[i]);
		text = (struct bytes){text.at + end + (end < text.len), text.len - end - (end < text.len)};
	}
	lane->more = numbers[0] == SLICE_EVENTS;
	lane->upper = numbers[1];
	bool quiet = clock_utc_us() > numbers[2] + QUIET_US;
	if (!quiet && numbers[2] > SETTLED_US && lane->upper > numbers[2] - SETTLED_US)
		lane->upper = numbers[2] - SETTLED_US;
	if (!numbers[0] || lane->upper <= lane->mark) {
		lane->more = false;
		f->failing = false;
		next_lane(f);
	} else {
		take_slice(f);
	}
}

/* Rows that came late have old times; the table is ordered by these, so nothing but the column itself is read. */
static void turn_due(uv_timer_t *timer)
{
	struct feeding *f = timer->data;
	struct lane *lane = &f->lanes[f->lane];
	char sql[SQL_MAX];
	const char *table = table_name(lane->table);
	find_mark(f, lane);
	snprintf(sql, sizeof sql,
		 "SELECT count(), max(r), (SELECT max(received_us) FROM %s WHERE received_us > %llu) FROM (SELECT received_us AS r FROM %s "
		 "WHERE received_us > %llu ORDER BY r LIMIT %d)", table, (unsigned long long)lane->mark, table,
		 (unsigned long long)lane->mark, SLICE_EVENTS);
	buffer_consume(&f->answer, buffer_len(&f->answer));
	if (lane->mark == UINT64_MAX)
		next_lane(f);
	else if (store_ask(f->exchange->process->bus, sql, ANSWER_TSV, false, heard_extent, f))
		failed(f, "the store is not there", (struct bytes){0});
}

int feeding_open(struct feeding **out, struct exchange *x, const struct collections *collections, struct fault *fault)
{
	struct feeding *f = calloc(1, sizeof *f);
	int bad = f ? 0 : fault_set(fault, ERR_MEMORY, "no memory for lists of arrivals");
	if (bad)
		return bad;
	f->exchange = x;
	f->collections = collections;
	f->flows.kinds = KIND_MASK(EVENT_FLOW_COUNTED);
	f->answer = BUFFER(SQL_MAX);
	f->lanes[0].table = TABLE_EVENTS;
	f->lanes[1].table = TABLE_FLOWS;
	if (mkdirat(x->directory, ARRIVALS_FOLDER, 0700) && errno != EEXIST)
		bad = fault_set(fault, ERR_SYSTEM, "%s/%s: %s", EXCHANGE_FOLDER, ARRIVALS_FOLDER, strerror(errno));
	int directory = bad ? -1 : openat(x->directory, ARRIVALS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!bad && directory < 0)
		bad = fault_set(fault, ERR_SYSTEM, "%s/%s: %s", EXCHANGE_FOLDER, ARRIVALS_FOLDER, strerror(errno));
	for (size_t i = 0; i < collections->count && !bad; i++)
		bad = arrivals_open(&f->arrivals[i], directory, collections->list[i].id, clock_utc_us(), fault);
	if (directory >= 0)
		close(directory);
	if (bad)
		feeding_close(f);
	else
		*out = f;
	return bad;
}

void feeding_start(struct feeding *f)
{
	uv_timer_init(f->exchange->process->loop, &f->timer);
	f->timer.data = f;
	rest(f, PAUSE_MS);
}

void feeding_stop(struct feeding *f)
{
	f->stopped = true;
	uv_timer_stop(&f->timer);
}

void feeding_close(struct feeding *f)
{
	for (size_t i = 0; f && i < COLLECTIONS_MAX; i++)
		arrivals_close(f->arrivals[i]);
	if (f)
		buffer_done(&f->answer);
	free(f);
}

const struct arrivals *feeding_arrivals(const struct feeding *f, const struct collection *c)
{
	for (size_t i = 0; i < f->collections->count; i++)
		if (&f->collections->list[i] == c)
			return f->arrivals[i];
	return NULL;
}
