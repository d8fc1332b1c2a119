#include "passive/room/steering.h"
#include "base/random.h"
#include <stdlib.h>

enum steer_text { TEXT_ARM, TEXT_RULE, TEXT_REASONS, STEER_TEXTS };

struct steer_line {
	struct address source;
	struct event_id cause;
	struct bytes name, texts[STEER_TEXTS];
};

struct steer_entry {
	struct table_node node;
	struct address source;
	struct event_id cause;
	const struct persona *persona;
	uint64_t version;
	uint8_t *texts; /* arm, rule, reasons, one after the other */
	uint8_t lengths[STEER_TEXTS];
};

int steering_open(struct steering *st, const struct persona_set *personas, size_t entries_max,
                  size_t visits_max, uint64_t idle_ms)
{
	*st = (struct steering){.personas = personas,
	                        .key = random_secret(),
	                        .idle_ms = idle_ms,
	                        .entries_max = entries_max,
	                        .visits_max = visits_max};
	TAILQ_INIT(&st->visits);
	if (table_open(&st->table, entries_max) < 0)
		return ERR_MEMORY;
	if (table_open(&st->visited, visits_max) < 0) {
		table_done(&st->table);
		return ERR_MEMORY;
	}
	return 0;
}

static void entry_free(struct steer_entry *e)
{
	free(e->texts);
	free(e);
}

static void entries_clear(struct steering *st)
{
	size_t from = 0;
	for (struct table_node *n; (n = table_take_any(&st->table, &from)) != NULL;)
		entry_free(TABLE_OWNER(n, struct steer_entry, node));
}

void steering_done(struct steering *st)
{
	size_t from = 0;
	entries_clear(st);
	for (struct table_node *n; (n = table_take_any(&st->visited, &from)) != NULL;)
		free(TABLE_OWNER(n, struct visit, node));
	table_done(&st->table);
	table_done(&st->visited);
}

size_t steering_count(const struct steering *st)
{
	return st->table.count;
}

static struct steer_entry *entry_of(const struct steering *st, const struct address *source,
                                    uint64_t hash)
{
	for (struct table_node *n = table_first(&st->table, hash); n; n = table_next(n)) {
		struct steer_entry *e = TABLE_OWNER(n, struct steer_entry, node);
		if (address_equal(&e->source, source))
			return e;
	}
	return NULL;
}

static void entry_drop(struct steering *st, struct steer_entry *e)
{
	table_remove(&st->table, &e->node);
	entry_free(e);
}

/* Without memory it is steered all the same, but cannot say why. */
static void entry_explain(struct steer_entry *e, const struct bytes texts[STEER_TEXTS])
{
	size_t total = 0;
	for (size_t i = 0; i < STEER_TEXTS; i++)
		total += texts[i].len;
	free(e->texts);
	memset(e->lengths, 0, sizeof e->lengths);
	e->texts = total ? malloc(total) : NULL;
	struct writer w = writer_of(e->texts, e->texts ? total : 0);
	for (size_t i = 0; e->texts && i < STEER_TEXTS; i++) {
		write_span(&w, texts[i]);
		e->lengths[i] = (uint8_t)texts[i].len;
	}
}

static void entry_put(struct steering *st, const struct steer_line *line)
{
	const struct address *source = &line->source;
	const struct bytes name = line->name;
	char text[PERSONA_NAME_MAX + 1];
	uint64_t hash = address_hash(source, st->key);
	struct steer_entry *e = entry_of(st, source, hash);
	if (name.len == 0) {
		if (e)
			entry_drop(st, e);
		return;
	}
	const struct persona *persona =
	        bytes_copy_text(name, text, sizeof text) ? persona_named(st->personas, text) : NULL;
	if (!e && persona && st->table.count < st->entries_max) {
		e = calloc(1, sizeof *e);
		if (e)
			table_add(&st->table, &e->node, hash);
	}
	if (!e || !persona) {
		st->refused++;
		return;
	}
	/* Never taken back: a port that seems open and is reset is all that comes of it. */
	if (st->sources)
		st->sources->steered[ports_source(source->b)] = 1;
	e->source = *source;
	e->cause = line->cause;
	e->persona = persona;
	e->version = st->version;
	entry_explain(e, line->texts);
}

static bool read_line_of_table(struct reader *r, struct steer_line *line)
{
	struct bytes source = read_bytes(r, sizeof line->source.b);
	struct bytes cause = read_bytes(r, sizeof line->cause.b);
	line->name = read_bytes(r, read_u8(r));
	for (size_t i = 0; i < STEER_TEXTS; i++) {
		line->texts[i] = read_bytes(r, read_u8(r));
		if (!bytes_is_utf8(line->texts[i]))
			return false;
	}
	if (!reader_ok(r))
		return false;
	memcpy(line->source.b, source.at, source.len);
	memcpy(line->cause.b, cause.at, cause.len);
	return true;
}

int steering_update(struct steering *st, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	uint64_t version = read_u64(&r);
	uint8_t flags = read_u8(&r);
	uint32_t count = read_u32(&r);
	struct reader check = r;
	struct steer_line line;
	for (uint32_t i = 0; i < count; i++)
		if (!read_line_of_table(&check, &line))
			return ERR_BAD;
	if (!reader_ok(&check) || reader_left(&check))
		return ERR_BAD;
	/* A control that started again may count from the beginning, and then sends all. */
	if (version <= st->version && !(flags & STEER_FLAG_FULL))
		return 0;
	st->version = version;
	if (flags & STEER_FLAG_FULL)
		entries_clear(st);
	for (uint32_t i = 0; i < count; i++)
		if (read_line_of_table(&r, &line))
			entry_put(st, &line);
	st->whole |= (flags & STEER_FLAG_WHOLE) != 0;
	return 0;
}

int steering_silence(struct steering *st, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	const uint64_t key = read_u64(&r), below = read_u64(&r);
	if (!reader_ok(&r) || reader_left(&r))
		return ERR_BAD;
	st->silence_key = key;
	st->silence_below = below;
	return 0;
}

bool steering_is_silent(const struct steering *st, const struct address *local)
{
	return st->silence_below && random_mix(address_hash(local, st->silence_key)) >> 11 < st->silence_below;
}

static uint64_t visit_hash(const struct steering *st, const struct address *source,
                           const struct address *local)
{
	return address_hash(source, st->key ^ address_hash(local, st->key));
}

static struct visit *visit_of(const struct steering *st, const struct address *source,
                              const struct address *local, uint64_t hash)
{
	for (struct table_node *n = table_first(&st->visited, hash); n; n = table_next(n)) {
		struct visit *v = TABLE_OWNER(n, struct visit, node);
		if (address_equal(&v->source, source) && address_equal(&v->local, local))
			return v;
	}
	return NULL;
}

static struct visit *visit_new(struct steering *st, uint64_t hash)
{
	struct visit *v = NULL;
	if (st->visited.count < st->visits_max) {
		v = calloc(1, sizeof *v);
	} else {
		v = TAILQ_LAST(&st->visits, visits);
		table_remove(&st->visited, &v->node);
		TAILQ_REMOVE(&st->visits, v, order);
		*v = (struct visit){0};
	}
	if (!v)
		return NULL;
	table_add(&st->visited, &v->node, hash);
	TAILQ_INSERT_HEAD(&st->visits, v, order);
	return v;
}

static void visit_touch(struct steering *st, struct visit *v, uint64_t now_ms)
{
	v->last_ms = now_ms;
	TAILQ_REMOVE(&st->visits, v, order);
	TAILQ_INSERT_HEAD(&st->visits, v, order);
}

struct visit *steering_enter(struct steering *st, const struct address *source,
                             const struct address *local, uint64_t now_ms, bool *fresh)
{
	uint64_t hash = visit_hash(st, source, local);
	struct visit *v = visit_of(st, source, local, hash);
	*fresh = !v || (v->sessions == 0 && now_ms - v->last_ms > st->idle_ms);
	if (!v)
		v = visit_new(st, hash);
	if (!v)
		return NULL;
	if (*fresh) {
		const struct steer_entry *e = entry_of(st, source, address_hash(source, st->key));
		v->source = *source;
		v->local = *local;
		v->sessions = 0;
		v->persona = e ? e->persona : NULL;
		v->cause = e ? e->cause : (struct event_id){0};
		v->version = e ? e->version : 0;
		v->steered = (struct event_id){0};
	}
	v->sessions++;
	visit_touch(st, v, now_ms);
	return v;
}

bool steering_why(const struct steering *st, const struct address *source, struct steering_why *out)
{
	const struct steer_entry *e = entry_of(st, source, address_hash(source, st->key));
	if (!e || !e->texts)
		return false;
	struct reader r = reader_of(e->texts, (size_t)e->lengths[TEXT_ARM] + e->lengths[TEXT_RULE] +
	                                              e->lengths[TEXT_REASONS]);
	out->arm = read_bytes(&r, e->lengths[TEXT_ARM]);
	out->rule = read_bytes(&r, e->lengths[TEXT_RULE]);
	out->reasons = read_bytes(&r, e->lengths[TEXT_REASONS]);
	return true;
}

void steering_leave(struct steering *st, const struct address *source, const struct address *local,
                    uint64_t now_ms)
{
	struct visit *v = visit_of(st, source, local, visit_hash(st, source, local));
	if (!v || v->sessions == 0)
		return;
	v->sessions--;
	visit_touch(st, v, now_ms);
}
