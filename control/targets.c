#include "control/targets_inner.h"
#include "base/error.h"
#include <stdlib.h>

struct target_ends {
	uint32_t oldest, newest;
};

struct targets {
	struct target *entries; /* [0] is nobody */
	uint32_t *buckets;
	size_t bucket_mask;
	uint32_t max, used, free, count;
	uint64_t round_us, key;
	struct target_ends lists[TARGET_LISTS];
	target_leave_f *leave;
	void *arg;
};

int targets_open(struct targets **out, size_t max, uint64_t round_us, uint64_t key,
		 target_leave_f *leave, void *arg)
{
	if (max == 0 || max >= UINT32_MAX / 2)
		return ERR_BAD;
	size_t buckets = 16;
	while (buckets < max)
		buckets *= 2;
	struct targets *t = calloc(1, sizeof *t);
	if (!t)
		return ERR_MEMORY;
	t->entries = calloc(max + 1, sizeof *t->entries);
	t->buckets = calloc(buckets, sizeof *t->buckets);
	if (!t->entries || !t->buckets) {
		targets_close(t);
		return ERR_MEMORY;
	}
	t->bucket_mask = buckets - 1;
	t->max = (uint32_t)max;
	t->round_us = round_us;
	t->key = key;
	t->leave = leave;
	t->arg = arg;
	*out = t;
	return 0;
}

void targets_close(struct targets *t)
{
	if (!t)
		return;
	free(t->entries);
	free(t->buckets);
	free(t);
}

size_t targets_count(const struct targets *t) { return t->count; }

static uint32_t index_of(const struct targets *t, const struct target *x)
{
	return (uint32_t)(x - t->entries);
}

static struct target_link *link_in(struct targets *t, enum target_list list, uint32_t i)
{
	return list == TARGET_COUNTING ? &t->entries[i].count : &t->entries[i].keep;
}

static void list_append(struct targets *t, enum target_list list, uint32_t i)
{
	struct target_ends *ends = &t->lists[list];
	*link_in(t, list, i) = (struct target_link){.older = ends->newest};
	if (ends->newest)
		link_in(t, list, ends->newest)->newer = i;
	else
		ends->oldest = i;
	ends->newest = i;
}

static void list_remove(struct targets *t, enum target_list list, uint32_t i)
{
	struct target_ends *ends = &t->lists[list];
	const struct target_link link = *link_in(t, list, i);
	if (link.older)
		link_in(t, list, link.older)->newer = link.newer;
	else
		ends->oldest = link.newer;
	if (link.newer)
		link_in(t, list, link.newer)->older = link.older;
	else
		ends->newest = link.older;
}

static void list_move(struct targets *t, struct target *x, enum target_list list)
{
	uint32_t i = index_of(t, x);
	list_remove(t, (enum target_list)x->list, i);
	x->list = (uint8_t)list;
	list_append(t, list, i);
}

static uint32_t *bucket_of(struct targets *t, const struct address *a)
{
	return &t->buckets[address_hash(a, t->key) & t->bucket_mask];
}

struct target *targets_find(struct targets *t, const struct address *a)
{
	for (uint32_t i = *bucket_of(t, a); i; i = t->entries[i].next)
		if (address_equal(&t->entries[i].address, a))
			return &t->entries[i];
	return NULL;
}

static void forget(struct targets *t, struct target *x)
{
	uint32_t i = index_of(t, x);
	t->leave(t->arg, x);
	if (x->window_us)
		list_remove(t, TARGET_COUNTING, i);
	list_remove(t, (enum target_list)x->list, i);
	uint32_t *at = bucket_of(t, &x->address);
	while (*at != i)
		at = &t->entries[*at].next;
	*at = x->next;
	*x = (struct target){.next = t->free};
	t->free = i;
	t->count--;
}

bool target_is_in_round(const struct targets *t, const struct target *x, uint64_t now_us)
{
	return x->looked_us && now_us < x->looked_us + t->round_us;
}

void targets_expire(struct targets *t, uint64_t now_us, size_t most)
{
	for (size_t n = 0; n < most && t->lists[TARGET_LOOKED].oldest; n++) {
		struct target *x = &t->entries[t->lists[TARGET_LOOKED].oldest];
		if (target_is_in_round(t, x, now_us))
			return;
		forget(t, x);
	}
}

static bool make_room(struct targets *t, uint64_t now_us)
{
	if (t->count < t->max)
		return true;
	targets_expire(t, now_us, 1);
	if (t->count == t->max && t->lists[TARGET_OTHER].oldest)
		forget(t, &t->entries[t->lists[TARGET_OTHER].oldest]);
	return t->count < t->max;
}

struct target *targets_take(struct targets *t, const struct address *a, uint64_t now_us)
{
	struct target *x = targets_find(t, a);
	if (x && x->list == TARGET_OTHER)
		list_move(t, x, TARGET_OTHER);
	if (x)
		return x;
	if (!make_room(t, now_us))
		return NULL;
	uint32_t i = t->free;
	if (i)
		t->free = t->entries[i].next;
	else
		i = ++t->used;
	uint32_t *bucket = bucket_of(t, a);
	t->entries[i] = (struct target){.address = *a, .next = *bucket, .list = TARGET_OTHER};
	*bucket = i;
	list_append(t, TARGET_OTHER, i);
	t->count++;
	return &t->entries[i];
}

void targets_looked(struct targets *t, struct target *x, uint64_t when_us)
{
	x->looked_us = when_us;
	list_move(t, x, when_us ? TARGET_LOOKED : TARGET_OTHER);
}

void targets_count_from(struct targets *t, struct target *x, uint64_t now_us)
{
	targets_count_stop(t, x);
	x->window_us = now_us ? now_us : 1;
	list_append(t, TARGET_COUNTING, index_of(t, x));
}

void targets_count_stop(struct targets *t, struct target *x)
{
	if (x->window_us)
		list_remove(t, TARGET_COUNTING, index_of(t, x));
	x->window_us = 0;
	x->repeats = 0;
}

struct target *targets_window_over(struct targets *t, uint64_t before_us)
{
	uint32_t i = t->lists[TARGET_COUNTING].oldest;
	if (!i || t->entries[i].window_us >= before_us)
		return NULL;
	list_remove(t, TARGET_COUNTING, i);
	t->entries[i].window_us = 0;
	return &t->entries[i];
}

void targets_each_looked(struct targets *t, void (*each)(void *arg, const struct target *), void *arg)
{
	for (uint32_t i = t->lists[TARGET_LOOKED].oldest; i; i = t->entries[i].keep.newer)
		each(arg, &t->entries[i]);
}
