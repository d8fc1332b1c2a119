/*
 * What a visitor left in the database, as bytes that the device remembers.
 *
 * A session begins with what was there then; of two that go on at once, the later to write has
 * the last word.  Keys beyond the room are left out, the newest stay.
 */
#include "passive/services/redis/redis.h"
#include "base/random.h"

#define MEMORY "redis"
#define MEMORY_MAX (60u << 10)

static void long_write(struct writer *w, struct bytes b)
{
	write_u32(w, (uint32_t)b.len);
	write_span(w, b);
}

static struct bytes long_read(struct session *s, struct reader *r)
{
	struct bytes b = read_bytes(r, read_u32(r));
	return b.len ? arena_copy(session_arena(s), b) : b;
}

static void key_write(struct writer *w, const struct redis_key *k)
{
	struct writer before = *w;
	write_u8(w, 1);
	write_u8(w, k->kind);
	write_u8(w, k->database);
	write_u64(w, k->expires_us);
	long_write(w, k->name);
	long_write(w, k->value);
	write_u32(w, k->count);
	for (const struct redis_item *i = k->items; i; i = i->next) {
		long_write(w, i->field);
		long_write(w, i->value);
	}
	if (w->bad || writer_left(w) == 0)
		*w = before;
}

static void database_write(const struct redis *r, struct writer *w)
{
	write_u64(w, r->saved_us);
	write_u32(w, r->changes);
	write_u8(w, r->exposed);
	write_u16(w, r->master_port);
	long_write(w, r->master_host);
	long_write(w, r->loaded);
	write_u8(w, (uint8_t)r->setting_count);
	for (size_t i = 0; i < r->setting_count; i++) {
		long_write(w, r->settings[i].name);
		long_write(w, r->settings[i].value);
	}
	for (const struct redis_key *k = r->keys; k; k = k->next)
		key_write(w, k);
	write_u8(w, 0);
}

static bool items_read(struct session *s, struct redis *r, struct redis_key *k, struct reader *in)
{
	struct redis_item **end = &k->items;
	for (uint32_t left = read_u32(in); left && reader_ok(in); left--) {
		struct redis_item *i = r->item_count < REDIS_ITEMS_MAX ? arena_alloc(session_arena(s), sizeof *i) : NULL;
		if (!i)
			return false;
		i->field = long_read(s, in);
		i->value = long_read(s, in);
		*end = i;
		end = &i->next;
		r->item_count++;
		k->count++;
	}
	return reader_ok(in);
}

static void keys_read(struct session *s, struct redis *r, struct reader *in)
{
	struct redis_key **end = &r->keys;
	while (read_u8(in) == 1 && r->key_count < REDIS_KEYS_MAX) {
		struct redis_key *k = arena_alloc(session_arena(s), sizeof *k);
		if (!k)
			return;
		k->kind = read_u8(in);
		k->database = read_u8(in);
		k->expires_us = read_u64(in);
		k->name = long_read(s, in);
		k->value = long_read(s, in);
		k->room = k->value.len;
		if (!items_read(s, r, k, in) || k->kind > REDIS_HASH || k->database >= REDIS_DATABASES)
			return;
		*end = k;
		end = &k->next;
		r->key_count++;
	}
}

/* Tells one state from another; it need not be the same in another session. */
static uint64_t mark_of(const struct redis *r)
{
	uint64_t m = random_mix(r->changes) ^ r->key_count ^ (uint64_t)r->setting_count << 32 ^ r->saved_us;
	m = random_mix(m ^ (uintptr_t)r->master_host.at ^ (uint64_t)r->exposed << 63) ^ (uintptr_t)r->loaded.at;
	for (size_t i = 0; i < r->setting_count; i++)
		m = random_mix(m ^ (uintptr_t)r->settings[i].value.at);
	for (const struct redis_key *k = r->keys; k; k = k->next)
		m = random_mix(m ^ k->expires_us ^ (uintptr_t)k->name.at ^ (uintptr_t)k->value.at << 1);
	return m;
}

static void setting_read(struct session *s, struct redis *r, struct reader *in)
{
	struct redis_setting *at = &r->settings[r->setting_count++];
	at->name = long_read(s, in);
	at->value = long_read(s, in);
}

static bool database_recall(struct session *s, struct redis *r)
{
	struct bytes kept = session_recall(s, MEMORY);
	struct reader in = reader_of_bytes(kept);
	if (kept.len) {
		r->saved_us = read_u64(&in);
		r->changes = read_u32(&in);
		r->exposed = read_u8(&in);
		r->master_port = read_u16(&in);
		r->master_host = long_read(s, &in);
		r->loaded = long_read(s, &in);
		for (uint8_t left = read_u8(&in); left && r->setting_count < REDIS_SETTINGS_MAX; left--)
			setting_read(s, r, &in);
		keys_read(s, r, &in);
	}
	return kept.len;
}

void redis_remember(struct session *s, struct redis *r)
{
	uint8_t room[MEMORY_MAX];
	uint64_t mark = mark_of(r);
	struct writer w = writer_of(room, sizeof room);
	if (mark == r->mark)
		return;
	r->mark = mark;
	database_write(r, &w);
	if (!w.bad)
		session_remember(s, MEMORY, writer_bytes(&w));
}

void redis_begin(struct session *s, struct redis *r)
{
	if (!database_recall(s, r)) {
		const struct redis_call c = {.session = s, .redis = r};
		redis_plant(&c);
	}
	r->mark = mark_of(r);
	if (redis_setting(r, "requirepass").len)
		r->let_in = false;
}
