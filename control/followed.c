#include "control/followed_inner.h"
#include "base/error.h"
#include <stdlib.h>

struct followeds {
	struct followed *entries; /* [0] is nobody */
	uint32_t *buckets;
	size_t bucket_mask;
	uint32_t max, used, free, count, at;
	uint64_t key;
};

int followeds_open(struct followeds **out, size_t max, uint64_t key)
{
	size_t buckets = 16;
	if (max == 0 || max >= UINT32_MAX / 2)
		return ERR_BAD;
	while (buckets < max)
		buckets *= 2;
	struct followeds *t = calloc(1, sizeof *t);
	if (!t)
		return ERR_MEMORY;
	t->entries = calloc(max + 1, sizeof *t->entries);
	t->buckets = calloc(buckets, sizeof *t->buckets);
	if (!t->entries || !t->buckets) {
		followeds_close(t);
		return ERR_MEMORY;
	}
	t->bucket_mask = buckets - 1;
	t->max = (uint32_t)max;
	t->key = key;
	*out = t;
	return 0;
}

void followeds_close(struct followeds *t)
{
	if (!t)
		return;
	free(t->entries);
	free(t->buckets);
	free(t);
}

size_t followeds_count(const struct followeds *t) { return t->count; }
size_t followeds_places(const struct followeds *t) { return t->used; }

static uint32_t *bucket_of(struct followeds *t, const struct address *a)
{
	return &t->buckets[address_hash(a, t->key) & t->bucket_mask];
}

struct followed *followeds_find(struct followeds *t, const struct address *a)
{
	for (uint32_t i = *bucket_of(t, a); i; i = t->entries[i].next)
		if (address_equal(&t->entries[i].address, a))
			return &t->entries[i];
	return NULL;
}

struct followed *followeds_take(struct followeds *t, const struct address *a)
{
	struct followed *known = followeds_find(t, a);
	if (known || t->count == t->max)
		return known;
	uint32_t i = t->free;
	if (i)
		t->free = t->entries[i].next;
	else
		i = ++t->used;
	uint32_t *bucket = bucket_of(t, a);
	t->entries[i] = (struct followed){.address = *a, .taken = true, .changed = true, .next = *bucket};
	*bucket = i;
	t->count++;
	return &t->entries[i];
}

void followeds_forget(struct followeds *t, struct followed *f)
{
	const uint32_t i = (uint32_t)(f - t->entries);
	uint32_t *at = bucket_of(t, &f->address);
	while (*at != i)
		at = &t->entries[*at].next;
	*at = f->next;
	*f = (struct followed){.next = t->free};
	t->free = i;
	t->count--;
}

struct followed *followeds_next(struct followeds *t, size_t *steps)
{
	while (*steps && t->used) {
		--*steps;
		t->at = t->at < t->used ? t->at + 1 : 1;
		if (t->entries[t->at].taken)
			return &t->entries[t->at];
	}
	return NULL;
}

static void write_cause(struct writer *w, const struct followed_cause *cause)
{
	write_bytes(w, cause->id.b, sizeof cause->id.b);
	write_bytes(w, cause->root.b, sizeof cause->root.b);
	write_u8(w, cause->depth);
}

static void read_id(struct reader *r, struct event_id *id)
{
	const struct bytes b = read_bytes(r, sizeof id->b);
	if (b.len)
		memcpy(id->b, b.at, b.len);
}

static void read_cause(struct reader *r, struct followed_cause *cause)
{
	read_id(r, &cause->id);
	read_id(r, &cause->root);
	cause->depth = read_u8(r);
}

void followed_write(const struct followed *f, struct writer *w)
{
	write_cause(w, &f->attack);
	write_cause(w, &f->look);
	write_u64(w, f->attack_us);
	write_u64(w, f->heard_us);
	write_u64(w, f->looked_us);
	write_u64(w, f->asked_us);
	write_u8(w, f->relooks);
	write_u8(w, f->backed);
}

bool followed_read(struct reader *r, struct followed *f)
{
	read_cause(r, &f->attack);
	read_cause(r, &f->look);
	f->attack_us = read_u64(r);
	f->heard_us = read_u64(r);
	f->looked_us = read_u64(r);
	f->asked_us = read_u64(r);
	f->relooks = read_u8(r);
	f->backed = read_u8(r) != 0;
	return reader_ok(r);
}
