#include "lab/run/observed.h"
#include "base/clock.h"
#include <xxhash.h>

#define SLOTS (RUN_BEHAVIOURS_MAX * 2)

int observed_open(struct observed *o, struct arena *arena)
{
	*o = (struct observed){.arena = arena, .start_us = clock_mono_us()};
	o->all = arena_alloc(arena, RUN_BEHAVIOURS_MAX * sizeof *o->all);
	o->slots = arena_alloc(arena, SLOTS * sizeof *o->slots);
	return o->all && o->slots ? 0 : ERR_MEMORY;
}

uint64_t observed_now_ms(const struct observed *o)
{
	return (clock_mono_us() - o->start_us) / 1000;
}

void observe_limit(struct observed *o, const char *word)
{
	for (size_t i = 0; i < o->limit_count; i++)
		if (strcmp(o->limits[i], word) == 0)
			return;
	const char *const copy = arena_text(o->arena, bytes_of_text(word));
	if (copy && o->limit_count < RUN_LIMITS_MAX)
		o->limits[o->limit_count++] = copy;
}

bool observed_has(const struct observed *o, enum behaviour_kind kind, const char *what)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->all[i].kind == kind && strcmp(o->all[i].what, what) == 0)
			return true;
	return false;
}

/* Length of the UTF-8 character at the start of b; 0: it is none, or one that must not be shown. */
static size_t character_at(struct bytes b)
{
	const size_t n = b.at[0] < 0x80 ? 1 : b.at[0] < 0xe0 ? 2 : b.at[0] < 0xf0 ? 3 : 4;
	if (b.at[0] < 0x20 || b.at[0] == 0x7f || n > b.len || !bytes_is_utf8((struct bytes){b.at, n}))
		return 0;
	return n;
}

void write_visible(struct writer *w, struct bytes b)
{
	while (b.len > 0) {
		const size_t n = character_at(b);
		if (n == 0)
			write_fmt(w, "\\x%02x", b.at[0]);
		else
			write_bytes(w, b.at, n);
		b.at += n ? n : 1;
		b.len -= n ? n : 1;
	}
}

static uint16_t *slot_of(struct observed *o, enum behaviour_kind kind, struct bytes subject, const char *what)
{
	const uint64_t seed = XXH3_64bits(what, strlen(what)) + kind;
	size_t at = XXH3_64bits_withSeed(subject.at, subject.len, seed) % SLOTS;
	for (;; at = (at + 1) % SLOTS) {
		if (o->slots[at] == 0)
			return &o->slots[at];
		const struct behaviour *b = &o->all[o->slots[at] - 1];
		if (b->kind == kind && bytes_equal_text(subject, b->subject) && strcmp(b->what, what) == 0)
			return &o->slots[at];
	}
}

static struct behaviour *observe_visible(struct observed *o, enum behaviour_kind kind, struct bytes subject,
					 const char *what)
{
	uint16_t *slot = slot_of(o, kind, subject, what);
	if (*slot)
		return &o->all[*slot - 1];
	if (o->count == RUN_BEHAVIOURS_MAX) {
		observe_limit(o, "run.behaviours");
		return NULL;
	}
	struct behaviour b = {.kind = kind, .subject = arena_text(o->arena, subject),
			      .what = arena_text(o->arena, bytes_of_text(what)), .first_ms = UINT64_MAX};
	if (b.subject == NULL || b.what == NULL) {
		observe_limit(o, "run.memory");
		return NULL;
	}
	o->all[o->count] = b;
	*slot = (uint16_t)++o->count;
	return &o->all[o->count - 1];
}

struct behaviour *observe_times(struct observed *o, enum behaviour_kind kind, struct bytes subject, const char *what,
				uint64_t count, uint64_t first_ms, uint64_t last_ms)
{
	char text[RUN_SUBJECT_MAX];
	struct writer w = writer_of(text, sizeof text);
	write_visible(&w, subject); /* what is longer is cut between two characters */
	struct behaviour *b = observe_visible(o, kind, writer_bytes(&w), what);
	if (b == NULL)
		return NULL;
	b->count += count;
	if (first_ms < b->first_ms)
		b->first_ms = first_ms;
	if (last_ms > b->last_ms)
		b->last_ms = last_ms;
	return b;
}

struct behaviour *observe(struct observed *o, enum behaviour_kind kind, struct bytes subject, const char *what,
			  uint32_t process)
{
	const uint64_t now = observed_now_ms(o);
	struct behaviour *b = observe_times(o, kind, subject, what, 1, now, now);
	if (b && b->process == 0)
		b->process = process;
	return b;
}
