/* The keys that a session sees, and the file that saving them leaves. */
#include "passive/services/redis/redis.h"

struct redis_key *redis_key(struct session *s, struct redis *r, struct bytes name)
{
	for (struct redis_key *k = r->keys; k; k = k->next) {
		if (k->database != r->database || !bytes_equal(k->name, name))
			continue;
		if (!k->expires_us || k->expires_us > session_time_us(s))
			return k;
		redis_key_drop(r, k);
		return NULL;
	}
	return NULL;
}

struct redis_key *redis_key_make(struct session *s, struct redis *r, struct bytes name)
{
	struct redis_key *k = redis_key(s, r, name);
	if (k)
		return k;
	if (r->key_count >= REDIS_KEYS_MAX)
		return NULL;
	k = r->spare;
	if (k)
		r->spare = k->next;
	else
		k = arena_alloc(session_arena(s), sizeof *k);
	if (!k)
		return NULL;
	struct bytes copy = arena_copy(session_arena(s), name);
	if (name.len && !copy.at) {
		k->next = r->spare;
		r->spare = k;
		return NULL;
	}
	*k = (struct redis_key){.name = copy,
				.value = {k->value.at, 0},
				.room = k->room,
				.database = r->database,
				.next = r->keys};
	r->keys = k;
	r->key_count++;
	return k;
}

bool redis_key_set(struct session *s, struct redis_key *k, struct bytes value)
{
	if (value.len > k->room) {
		uint8_t *at = arena_alloc(session_arena(s), value.len);
		if (!at)
			return false;
		k->value.at = at;
		k->room = value.len;
	}
	if (value.len)
		memmove((uint8_t *)k->value.at, value.at, value.len);
	k->value.len = value.len;
	k->kind = REDIS_STRING;
	k->items = NULL;
	k->count = 0;
	return true;
}

void redis_key_drop(struct redis *r, struct redis_key *k)
{
	for (struct redis_key **at = &r->keys; *at; at = &(*at)->next) {
		if (*at != k)
			continue;
		*at = k->next;
		k->next = r->spare;
		r->spare = k;
		r->key_count--;
		return;
	}
}

uint32_t redis_key_count(const struct redis *r, unsigned database)
{
	uint32_t n = 0;
	for (const struct redis_key *k = r->keys; k; k = k->next)
		n += k->database == database;
	return n;
}

/* Lengths as rdb.c writes them: 6, 14 or 32 bits. */
static void dump_length(struct writer *w, size_t n)
{
	if (n < 64) {
		write_u8(w, (uint8_t)n);
	} else if (n < 16384) {
		write_u16(w, (uint16_t)(0x4000 | n));
	} else {
		write_u8(w, 0x80);
		write_u32(w, (uint32_t)n);
	}
}

static void dump_string(struct writer *w, struct bytes b)
{
	dump_length(w, b.len);
	write_span(w, b);
}

static void dump_key(struct writer *w, const struct redis_key *k)
{
	static const uint8_t types[] = {[REDIS_STRING] = 0, [REDIS_LIST] = 1, [REDIS_SET] = 2,
					[REDIS_HASH] = 4};
	write_u8(w, types[k->kind]);
	dump_string(w, k->name);
	if (k->kind == REDIS_STRING) {
		dump_string(w, k->value);
		return;
	}
	dump_length(w, k->count);
	for (const struct redis_item *i = k->items; i; i = i->next) {
		if (k->kind == REDIS_HASH)
			dump_string(w, i->field);
		dump_string(w, i->value);
	}
}

void redis_dump(const struct redis *r, uint64_t time_us, struct writer *w)
{
	write_text(w, redis_since(r, 7, 0) ? "REDIS0010" : redis_since(r, 5, 0) ? "REDIS0009" : "REDIS0008");
	write_u8(w, 0xfa);
	dump_string(w, BYTES("redis-ver"));
	dump_string(w, bytes_of_text(r->device->version));
	write_u8(w, 0xfa);
	dump_string(w, BYTES("redis-bits"));
	write_text(w, "\xc0@\xfa");
	dump_string(w, BYTES("ctime"));
	write_u8(w, 0xc2);
	for (unsigned i = 0; i < 4; i++)
		write_u8(w, (uint8_t)(time_us / 1000000 >> 8 * i));
	for (unsigned db = 0; db < REDIS_DATABASES; db++) {
		if (!redis_key_count(r, db))
			continue;
		write_u8(w, 0xfe);
		dump_length(w, db);
		write_u8(w, 0xfb);
		dump_length(w, redis_key_count(r, db));
		dump_length(w, 0);
		for (const struct redis_key *k = r->keys; k; k = k->next)
			if (k->database == db)
				dump_key(w, k);
	}
	write_u8(w, 0xff);
	write_zero(w, 8); /* a checksum of zero says that there is none */
}
