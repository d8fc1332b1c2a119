#include "control/sources_inner.h"
#include "base/error.h"
#include <stdlib.h>

struct sources {
	struct source *entries; /* [0] is nobody */
	uint32_t *buckets;
	size_t bucket_mask;
	uint32_t max, used, count, free, oldest, newest, changed_first, changed_last;
	uint64_t key;
	char names[SOURCE_NAMES_MAX][SOURCE_NAME_MAX + 1]; /* [0] is none */
	char services[SOURCE_SERVICES_MAX][SOURCE_NAME_MAX + 1];
	size_t name_count, service_count;
};

int sources_open(struct sources **out, size_t max, uint64_t key)
{
	struct sources *s = calloc(1, sizeof *s);
	size_t buckets = 16;
	while (buckets < max)
		buckets *= 2;
	if (!s)
		return ERR_MEMORY;
	s->entries = calloc(max + 1, sizeof *s->entries);
	s->buckets = calloc(buckets, sizeof *s->buckets);
	if (!s->entries || !s->buckets) {
		sources_close(s);
		return ERR_MEMORY;
	}
	s->bucket_mask = buckets - 1;
	s->max = (uint32_t)max;
	s->key = key;
	s->name_count = 1;
	*out = s;
	return 0;
}

void sources_close(struct sources *s)
{
	if (!s)
		return;
	free(s->entries);
	free(s->buckets);
	free(s);
}

size_t sources_count(const struct sources *s) { return s->count; }

static uint32_t *bucket_of(const struct sources *s, const struct address *a)
{
	return &s->buckets[address_hash(a, s->key) & s->bucket_mask];
}

static void order_remove(struct sources *s, struct source *x)
{
	if (x->older)
		s->entries[x->older].newer = x->newer;
	else
		s->oldest = x->newer;
	if (x->newer)
		s->entries[x->newer].older = x->older;
	else
		s->newest = x->older;
}

static void order_append(struct sources *s, struct source *x)
{
	uint32_t i = (uint32_t)(x - s->entries);
	x->older = s->newest;
	x->newer = 0;
	if (s->newest)
		s->entries[s->newest].newer = i;
	else
		s->oldest = i;
	s->newest = i;
}

struct source *sources_find(const struct sources *s, const struct address *a)
{
	for (uint32_t i = *bucket_of(s, a); i; i = s->entries[i].next)
		if (address_equal(&s->entries[i].address, a))
			return &s->entries[i];
	return NULL;
}

/* Its place is free; it stays in the list of what changed, where it is passed over. */
void sources_forget(struct sources *s, struct source *x)
{
	const bool changed = x->changed;
	const uint32_t i = (uint32_t)(x - s->entries), changed_next = x->changed_next;
	uint32_t *at = bucket_of(s, &x->address);
	while (*at != i)
		at = &s->entries[*at].next;
	*at = x->next;
	order_remove(s, x);
	*x = (struct source){.changed = changed, .changed_next = changed_next, .next = s->free};
	s->free = i;
	s->count--;
}

static struct source *new_place(struct sources *s)
{
	if (!s->free && s->used == s->max)
		sources_forget(s, &s->entries[s->oldest]);
	if (!s->free)
		return &s->entries[++s->used];
	struct source *x = &s->entries[s->free];
	s->free = x->next;
	return x;
}

struct source *sources_take(struct sources *s, const struct address *a, uint64_t now_us)
{
	struct source *x = sources_find(s, a);
	if (x) {
		order_remove(s, x);
	} else {
		x = new_place(s);
		uint32_t *bucket = bucket_of(s, a);
		x->address = *a;
		x->next = *bucket;
		x->used = true;
		*bucket = (uint32_t)(x - s->entries);
		s->count++;
	}
	x->seen_us = now_us;
	order_append(s, x);
	return x;
}

void sources_changed(struct sources *s, struct source *x)
{
	uint32_t i = (uint32_t)(x - s->entries);
	if (x->changed)
		return;
	x->changed = true;
	x->changed_next = 0;
	if (s->changed_last)
		s->entries[s->changed_last].changed_next = i;
	else
		s->changed_first = i;
	s->changed_last = i;
}

struct source *sources_next_changed(struct sources *s)
{
	while (s->changed_first) {
		struct source *x = &s->entries[s->changed_first];
		s->changed_first = x->changed_next;
		if (!s->changed_first)
			s->changed_last = 0;
		x->changed = false;
		if (x->used)
			return x;
	}
	return NULL;
}

void sources_each(const struct sources *s, void (*each)(void *arg, const struct source *), void *arg)
{
	for (uint32_t i = s->oldest; i; i = s->entries[i].newer)
		each(arg, &s->entries[i]);
}

uint16_t source_name_number(struct sources *s, struct bytes name)
{
	char text[SOURCE_NAME_MAX + 1];
	if (name.len == 0)
		return 0;
	name.len = name.len < SOURCE_NAME_MAX ? name.len : SOURCE_NAME_MAX;
	if (!bytes_copy_text(name, text, sizeof text))
		return 0;
	for (size_t i = 1; i < s->name_count; i++)
		if (!strcmp(s->names[i], text))
			return (uint16_t)i;
	if (s->name_count == SOURCE_NAMES_MAX)
		return 0;
	memcpy(s->names[s->name_count], text, sizeof text);
	return (uint16_t)s->name_count++;
}

const char *source_name(const struct sources *s, uint16_t number) { return s->names[number]; }

uint64_t source_service_bit(struct sources *s, struct bytes name)
{
	char text[SOURCE_NAME_MAX + 1];
	if (name.len == 0 || !bytes_copy_text(name, text, sizeof text))
		return 0;
	size_t i = 0;
	while (i < s->service_count && strcmp(s->services[i], text))
		i++;
	if (i == SOURCE_SERVICES_MAX)
		return 0;
	if (i == s->service_count)
		memcpy(s->services[s->service_count++], text, sizeof text);
	return 1ull << i;
}

const char *source_service(const struct sources *s, unsigned bit)
{
	return bit < s->service_count ? s->services[bit] : "";
}

bool source_tries(struct source *x, uint64_t credential)
{
	const unsigned bits[] = {credential % (8 * SOURCE_TRIED_BYTES), (credential >> 32) % (8 * SOURCE_TRIED_BYTES)};
	bool fresh = false;
	for (size_t i = 0; i < 2; i++) {
		uint8_t bit = (uint8_t)(1u << bits[i] % 8);
		fresh |= !(x->tried[bits[i] / 8] & bit);
		x->tried[bits[i] / 8] |= bit;
	}
	return fresh;
}

static void write_name(struct writer *w, const char *name)
{
	write_u8(w, (uint8_t)strlen(name));
	write_text(w, name);
}

void source_write(const struct sources *s, const struct source *x, struct writer *w)
{
	write_bytes(w, x->address.b, sizeof x->address.b);
	write_u64(w, x->seen_us);
	write_u64(w, x->campaign);
	write_u64(w, x->order);
	write_u64(w, x->client);
	for (size_t i = 0; i < SOURCE_COUNTS; i++)
		write_u32(w, x->counts[i]);
	write_u16(w, x->signs);
	write_bytes(w, x->matched, sizeof x->matched);
	write_bytes(w, x->tried, sizeof x->tried);
	write_name(w, source_name(s, x->device_class));
	write_name(w, source_name(s, x->tool));
	for (unsigned i = 0; i < SOURCE_SERVICES_MAX && writer_left(w) > SOURCE_NAME_MAX + 16; i++)
		if (x->services & 1ull << i)
			write_name(w, source_service(s, i));
}

static void read_into(struct reader *r, uint8_t *to, size_t n)
{
	struct bytes b = read_bytes(r, n);
	if (b.len)
		memcpy(to, b.at, b.len);
}

bool source_read(struct sources *s, struct reader *r, uint64_t now_us)
{
	struct source read = {0};
	read_into(r, read.address.b, sizeof read.address.b);
	read.seen_us = read_u64(r);
	read.campaign = read_u64(r);
	read.order = read_u64(r);
	read.client = read_u64(r);
	for (size_t i = 0; i < SOURCE_COUNTS; i++)
		read.counts[i] = read_u32(r);
	read.signs = read_u16(r);
	read_into(r, read.matched, sizeof read.matched);
	read_into(r, read.tried, sizeof read.tried);
	read.device_class = source_name_number(s, read_bytes(r, read_u8(r)));
	read.tool = source_name_number(s, read_bytes(r, read_u8(r)));
	while (reader_ok(r) && reader_left(r))
		read.services |= source_service_bit(s, read_bytes(r, read_u8(r)));
	if (!reader_ok(r))
		return false;
	struct source *x = sources_take(s, &read.address, read.seen_us < now_us ? read.seen_us : now_us);
	read.seen_us = x->seen_us;
	read.next = x->next;
	read.older = x->older;
	read.newer = x->newer;
	read.used = true;
	read.changed = x->changed;
	read.changed_next = x->changed_next;
	*x = read;
	return true;
}
