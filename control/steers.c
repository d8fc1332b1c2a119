#include "control/steers_inner.h"
#include "base/error.h"
#include <stdlib.h>

#define ARM_NAME_MAX 8
#define ENTRY_WIRE_MAX (16 + 16 + 4 + STEER_PERSONA_NAME_MAX + ARM_NAME_MAX + STEER_RULE_MAX + STEER_WHY_MAX)
#define HEADER_WIRE (8 + 1 + 4)
#define SLACK 4096 /* forgotten entries that wait to be told, beyond the bound */

struct steer_entry {
	struct address source;
	struct event_id cause;
	uint64_t expires_us;
	char *texts;            /* rule, unit and reasons, each with its NUL */
	uint32_t next;          /* in its bucket, or in the free list */
	uint32_t older, newer;  /* by the time they were set */
	uint32_t changed_next;  /* in the list of what was not told yet */
	uint8_t persona, arm;
	bool used, changed, gone; /* gone: forgotten, but the workers do not know yet */
};

struct steers {
	struct steer_entry *entries; /* [0] is nobody */
	uint32_t *buckets;
	size_t mask;
	uint32_t max, slots, top, free, count, oldest, newest, changed_first, changed_last;
	uint64_t key, version;
	char personas[STEER_PERSONAS_MAX][STEER_PERSONA_NAME_MAX + 1];
	size_t persona_count;
};

int steers_open(struct steers **out, size_t max, uint64_t key, uint64_t version)
{
	struct steers *s = calloc(1, sizeof *s);
	if (!s || max == 0 || max >= UINT32_MAX / 2) {
		free(s);
		return s ? ERR_BAD : ERR_MEMORY;
	}
	size_t buckets = 16;
	while (buckets < max)
		buckets *= 2;
	s->slots = (uint32_t)max + SLACK;
	s->entries = calloc((size_t)s->slots + 1, sizeof *s->entries);
	s->buckets = calloc(buckets, sizeof *s->buckets);
	if (!s->entries || !s->buckets) {
		steers_close(s);
		return ERR_MEMORY;
	}
	s->mask = buckets - 1;
	s->max = (uint32_t)max;
	s->key = key;
	s->version = version;
	*out = s;
	return 0;
}

const char *steer_arm_name(enum steer_arm arm)
{
	static const char *const names[STEER_ARMS] = {"steered", "random", "held-out"};
	return names[arm < STEER_ARMS ? arm : ARM_STEERED];
}

void steers_close(struct steers *s)
{
	if (!s)
		return;
	for (uint32_t i = 1; s->entries && i <= s->top; i++)
		free(s->entries[i].texts);
	free(s->entries);
	free(s->buckets);
	free(s);
}

size_t steers_count(const struct steers *s) { return s->count; }
uint64_t steers_version(const struct steers *s) { return s->version; }

static uint32_t *bucket_of(const struct steers *s, const struct address *a)
{
	return &s->buckets[address_hash(a, s->key) & s->mask];
}

static uint32_t entry_find(const struct steers *s, const struct address *a)
{
	uint32_t i = *bucket_of(s, a);
	while (i && !address_equal(&s->entries[i].source, a))
		i = s->entries[i].next;
	return i;
}

static void order_append(struct steers *s, uint32_t i)
{
	s->entries[i].older = s->newest;
	s->entries[i].newer = 0;
	if (s->newest)
		s->entries[s->newest].newer = i;
	else
		s->oldest = i;
	s->newest = i;
}

static void order_remove(struct steers *s, uint32_t i)
{
	uint32_t older = s->entries[i].older, newer = s->entries[i].newer;
	if (older)
		s->entries[older].newer = newer;
	else
		s->oldest = newer;
	if (newer)
		s->entries[newer].older = older;
	else
		s->newest = older;
}

static void mark_changed(struct steers *s, uint32_t i)
{
	if (s->entries[i].changed)
		return;
	s->entries[i].changed = true;
	s->entries[i].changed_next = 0;
	if (s->changed_last)
		s->entries[s->changed_last].changed_next = i;
	else
		s->changed_first = i;
	s->changed_last = i;
}

/* The entry stays until the workers were told. */
static void forget(struct steers *s, uint32_t i)
{
	order_remove(s, i);
	s->entries[i].gone = true;
	s->count--;
	mark_changed(s, i);
}

static void entry_free(struct steers *s, uint32_t i)
{
	uint32_t *at = bucket_of(s, &s->entries[i].source);
	while (*at != i)
		at = &s->entries[*at].next;
	*at = s->entries[i].next;
	free(s->entries[i].texts);
	s->entries[i] = (struct steer_entry){.next = s->free};
	s->free = i;
}

static int persona_number(struct steers *s, const char *name)
{
	for (size_t i = 0; i < s->persona_count; i++)
		if (!strcmp(s->personas[i], name))
			return (int)i;
	if (s->persona_count == STEER_PERSONAS_MAX || strlen(name) > STEER_PERSONA_NAME_MAX)
		return ERR_FULL;
	snprintf(s->personas[s->persona_count], sizeof s->personas[0], "%s", name);
	return (int)s->persona_count++;
}

static uint32_t entry_new(struct steers *s, const struct address *a)
{
	if (s->count == s->max)
		forget(s, s->oldest);
	uint32_t i = s->free;
	if (i)
		s->free = s->entries[i].next;
	else if (s->top < s->slots)
		i = ++s->top;
	if (!i)
		return 0; /* as many wait to be told as gone as may; soon there is room again */
	uint32_t *bucket = bucket_of(s, a);
	s->entries[i] = (struct steer_entry){.source = *a, .next = *bucket, .gone = true, .used = true};
	*bucket = i;
	return i;
}

/* As much of a text as may be kept, without half a character at the end. */
static struct bytes cut(const char *text, size_t max)
{
	struct bytes b = bytes_of_text(text ? text : "");
	b.len = b.len < max ? b.len : max;
	while (b.len && !bytes_is_utf8(b))
		b.len--;
	return b;
}

/* Three texts in one piece: rule, unit, reasons. */
static char *texts_of(const struct steer *steer)
{
	const struct bytes parts[] = {cut(steer->rule, STEER_RULE_MAX), cut(steer->unit, STEER_UNIT_MAX),
				      cut(steer->why, STEER_WHY_MAX)};
	size_t n = 0;
	for (size_t i = 0; i < 3; i++)
		n += parts[i].len + 1;
	char *texts = calloc(1, n);
	struct writer w = writer_of(texts, texts ? n : 0);
	for (size_t i = 0; texts && i < 3; i++) {
		write_span(&w, parts[i]);
		write_u8(&w, 0);
	}
	return texts;
}

static struct steer steer_of(const struct steers *s, const struct steer_entry *e)
{
	struct steer steer = {e->source, e->cause, e->expires_us, s->personas[e->persona], e->arm, "", "", ""};
	if (e->texts) {
		steer.rule = e->texts;
		steer.unit = steer.rule + strlen(steer.rule) + 1;
		steer.why = steer.unit + strlen(steer.unit) + 1;
	}
	return steer;
}

static bool entry_is(const struct steers *s, const struct steer_entry *e, const struct steer *steer, int persona)
{
	if (e->gone || e->persona != persona || e->arm != steer->arm)
		return false;
	return bytes_equal_text(cut(steer->rule, STEER_RULE_MAX), steer_of(s, e).rule);
}

int steers_set(struct steers *s, const struct steer *steer)
{
	int persona = persona_number(s, steer->persona);
	if (persona < 0)
		return persona;
	uint32_t i = entry_find(s, &steer->source);
	if (!i)
		i = entry_new(s, &steer->source);
	if (!i)
		return ERR_FULL;
	struct steer_entry *e = &s->entries[i];
	bool same = entry_is(s, e, steer, persona);
	if (!e->gone)
		order_remove(s, i);
	else
		s->count++;
	e->gone = false;
	order_append(s, i);
	e->expires_us = steer->expires_us;
	if (same)
		return 0;
	char *texts = texts_of(steer);
	free(e->texts);
	e->texts = texts; /* without memory: steered all the same, but without its reasons */
	e->persona = (uint8_t)persona;
	e->arm = (uint8_t)steer->arm;
	e->cause = steer->cause;
	mark_changed(s, i);
	return 1;
}

bool steers_find(const struct steers *s, const struct address *a, struct steer *out)
{
	uint32_t i = entry_find(s, a);
	if (!i || s->entries[i].gone)
		return false;
	*out = steer_of(s, &s->entries[i]);
	return true;
}

bool steers_forget(struct steers *s, const struct address *a)
{
	uint32_t i = entry_find(s, a);
	if (!i || s->entries[i].gone)
		return false;
	forget(s, i);
	return true;
}

void steers_expire(struct steers *s, uint64_t now_us)
{
	while (s->oldest && s->entries[s->oldest].expires_us <= now_us)
		forget(s, s->oldest);
}

static void write_short_text(struct writer *w, const char *text)
{
	write_u8(w, (uint8_t)strlen(text));
	write_text(w, text);
}

static void write_entry(const struct steers *s, const struct steer_entry *e, struct writer *w)
{
	const struct steer steer = steer_of(s, e);
	const bool none = e->gone || !*steer.persona;
	write_bytes(w, e->source.b, sizeof e->source.b);
	write_bytes(w, e->cause.b, sizeof e->cause.b);
	write_short_text(w, none ? "" : steer.persona);
	write_short_text(w, none ? "" : steer_arm_name(steer.arm));
	write_short_text(w, none ? "" : steer.rule);
	write_short_text(w, none ? "" : steer.why);
}

static void write_header(struct steers *s, struct writer *w, uint8_t flags)
{
	write_u64(w, ++s->version);
	write_u8(w, flags);
	write_u32(w, 0);
}

static void write_count(struct writer *w, uint32_t count)
{
	struct writer at = writer_of(w->start + HEADER_WIRE - 4, 4);
	write_u32(&at, count);
}

bool steers_write_changes(struct steers *s, struct writer *w)
{
	if (!s->changed_first)
		return false;
	uint32_t count = 0;
	write_header(s, w, 0);
	while (s->changed_first && writer_left(w) >= ENTRY_WIRE_MAX) {
		uint32_t i = s->changed_first;
		struct steer_entry *e = &s->entries[i];
		s->changed_first = e->changed_next;
		if (!s->changed_first)
			s->changed_last = 0;
		e->changed = false;
		write_entry(s, e, w);
		count++;
		if (e->gone)
			entry_free(s, i);
	}
	write_count(w, count);
	return true;
}

bool steers_write_all(struct steers *s, size_t *at, struct writer *w)
{
	if (*at > s->top)
		return false;
	uint32_t count = 0;
	write_header(s, w, *at == 0 ? STEER_FLAG_ALL : 0);
	size_t i = *at + 1;
	for (; i <= s->top && writer_left(w) >= ENTRY_WIRE_MAX; i++) {
		const struct steer_entry *e = &s->entries[i];
		if (!e->used || e->gone || !*s->personas[e->persona])
			continue;
		write_entry(s, e, w);
		count++;
	}
	write_count(w, count);
	*at = i > s->top ? (size_t)s->top + 1 : i - 1;
	if (i > s->top)
		w->start[HEADER_WIRE - 5] |= STEER_FLAG_WHOLE;
	return true;
}

void steers_each(const struct steers *s, void (*each)(void *arg, const struct steer *), void *arg)
{
	for (uint32_t i = s->oldest; i; i = s->entries[i].newer) {
		const struct steer steer = steer_of(s, &s->entries[i]);
		each(arg, &steer);
	}
}
