#include "control/looks_inner.h"
#include "base/error.h"
#include <assert.h>
#include <stdlib.h>

#define V4_NETWORK_BITS (96 + 24)
#define V6_NETWORK_BITS 48

struct look_line { /* doubly linked through before/after */
	uint32_t first, last;
};

struct network {
	struct address base;
	uint32_t next;   /* in its bucket, or in the free list */
	uint32_t places; /* looks in line or given */
	struct look_line parked;
};

struct looks {
	struct look *items; /* [0] is nobody; so with networks */
	struct network *networks;
	uint32_t *by_id, *by_network, *heap;
	size_t mask;
	uint32_t max, used, free, heap_count, networks_used, networks_free;
	size_t network_max; /* 0: no limit */
	uint64_t key;
	size_t counts[LOOK_STATES];
	struct look_line ready, given;
};

int looks_open(struct looks **out, size_t max, size_t network_max, uint64_t key)
{
	if (max == 0 || max >= UINT32_MAX / 2)
		return ERR_BAD;
	struct looks *q = calloc(1, sizeof *q);
	if (!q)
		return ERR_MEMORY;
	size_t buckets = 16;
	while (buckets < max)
		buckets *= 2;
	q->items = calloc(max + 1, sizeof *q->items);
	q->networks = calloc(max + 1, sizeof *q->networks);
	q->heap = calloc(max + 1, sizeof *q->heap);
	q->by_id = calloc(buckets, sizeof *q->by_id);
	q->by_network = calloc(buckets, sizeof *q->by_network);
	if (!q->items || !q->networks || !q->heap || !q->by_id || !q->by_network) {
		looks_close(q);
		return ERR_MEMORY;
	}
	q->mask = buckets - 1;
	q->max = (uint32_t)max;
	q->network_max = network_max;
	q->key = key;
	*out = q;
	return 0;
}

void looks_close(struct looks *q)
{
	if (!q)
		return;
	free(q->items);
	free(q->networks);
	free(q->heap);
	free(q->by_id);
	free(q->by_network);
	free(q);
}

size_t looks_count(const struct looks *q, enum look_state s) { return q->counts[s]; }

static size_t looks_total(const struct looks *q)
{
	size_t n = 0;
	for (int s = 0; s < LOOK_STATES; s++)
		n += q->counts[s];
	return n;
}

bool looks_full(const struct looks *q) { return looks_total(q) >= q->max; }

static uint32_t index_of(const struct looks *q, const struct look *l)
{
	return (uint32_t)(l - q->items);
}

static void line_append(struct looks *q, struct look_line *line, uint32_t i)
{
	q->items[i].before = line->last;
	q->items[i].after = 0;
	if (line->last)
		q->items[line->last].after = i;
	else
		line->first = i;
	line->last = i;
}

static void line_remove(struct looks *q, struct look_line *line, uint32_t i)
{
	uint32_t before = q->items[i].before, after = q->items[i].after;
	if (before)
		q->items[before].after = after;
	else
		line->first = after;
	if (after)
		q->items[after].before = before;
	else
		line->last = before;
}

static void heap_put(struct looks *q, uint32_t at, uint32_t i)
{
	q->heap[at] = i;
	q->items[i].heap_at = at;
}

static uint64_t due_at(const struct looks *q, uint32_t at) { return q->items[q->heap[at]].due_us; }

static void heap_rise(struct looks *q, uint32_t at)
{
	uint32_t i = q->heap[at];
	for (; at > 1 && q->items[i].due_us < due_at(q, at / 2); at /= 2)
		heap_put(q, at, q->heap[at / 2]);
	heap_put(q, at, i);
}

static void heap_sink(struct looks *q, uint32_t at)
{
	uint32_t i = q->heap[at];
	for (;;) {
		uint32_t child = 2 * at;
		if (child > q->heap_count)
			break;
		if (child < q->heap_count && due_at(q, child + 1) < due_at(q, child))
			child++;
		if (q->items[i].due_us <= due_at(q, child))
			break;
		heap_put(q, at, q->heap[child]);
		at = child;
	}
	heap_put(q, at, i);
}

static void heap_add(struct looks *q, uint32_t i)
{
	heap_put(q, ++q->heap_count, i);
	heap_rise(q, q->heap_count);
}

static void heap_remove(struct looks *q, uint32_t i)
{
	uint32_t at = q->items[i].heap_at, last = q->heap[q->heap_count--];
	if (last == i)
		return;
	heap_put(q, at, last);
	heap_rise(q, at);
	heap_sink(q, q->items[last].heap_at);
}

static struct address network_base(const struct address *a)
{
	return prefix_of(a, address_is_v4(a) ? V4_NETWORK_BITS : V6_NETWORK_BITS).base;
}

static uint32_t network_find(struct looks *q, const struct address *base)
{
	uint32_t n = q->by_network[address_hash(base, q->key) & q->mask];
	while (n && !address_equal(&q->networks[n].base, base))
		n = q->networks[n].next;
	return n;
}

/* There are never more networks than looks that hold one, so a free entry exists. */
static uint32_t network_take(struct looks *q, const struct address *target)
{
	struct address base = network_base(target);
	uint32_t n = network_find(q, &base);
	if (n)
		return n;
	n = q->networks_free;
	if (n)
		q->networks_free = q->networks[n].next;
	else
		n = ++q->networks_used;
	assert(n <= q->max);
	uint32_t *bucket = &q->by_network[address_hash(&base, q->key) & q->mask];
	q->networks[n] = (struct network){.base = base, .next = *bucket};
	*bucket = n;
	return n;
}

static void network_drop_if_idle(struct looks *q, uint32_t n)
{
	struct network *x = &q->networks[n];
	if (x->places || x->parked.first)
		return;
	uint32_t *at = &q->by_network[address_hash(&x->base, q->key) & q->mask];
	while (*at != n)
		at = &q->networks[*at].next;
	*at = x->next;
	*x = (struct network){.next = q->networks_free};
	q->networks_free = n;
}

static bool network_has_place(const struct looks *q, const struct network *n)
{
	return q->network_max == 0 || n->places < q->network_max;
}

bool looks_network_busy(struct looks *q, const struct address *target)
{
	struct address base = network_base(target);
	uint32_t n = network_find(q, &base);
	return n && !network_has_place(q, &q->networks[n]);
}

static void state_set(struct looks *q, struct look *l, enum look_state s)
{
	q->counts[l->state]--;
	q->counts[s]++;
	l->state = (uint8_t)s;
}

static void line_up(struct looks *q, uint32_t i)
{
	q->networks[q->items[i].network].places++;
	state_set(q, &q->items[i], LOOK_READY);
	line_append(q, &q->ready, i);
}

/* Leaves whatever it is in; the network's next one moves up. */
static void detach(struct looks *q, struct look *l)
{
	uint32_t i = index_of(q, l), n = l->network;
	if (l->state == LOOK_WAITING) {
		heap_remove(q, i);
		return;
	}
	struct network *net = &q->networks[n];
	if (l->state == LOOK_PARKED) {
		line_remove(q, &net->parked, i);
	} else {
		line_remove(q, l->state == LOOK_READY ? &q->ready : &q->given, i);
		net->places--;
	}
	uint32_t waiting = net->parked.first;
	if (waiting && network_has_place(q, net)) {
		line_remove(q, &net->parked, waiting);
		line_up(q, waiting);
	}
	l->network = 0;
	network_drop_if_idle(q, n);
}

static uint32_t *bucket_of(struct looks *q, const struct event_id *id)
{
	struct address as_key;
	memcpy(as_key.b, id->b, sizeof as_key.b);
	return &q->by_id[address_hash(&as_key, q->key) & q->mask];
}

static struct look *copy_in(struct looks *q, const struct look *from)
{
	if (looks_full(q))
		return NULL;
	uint32_t i = q->free;
	if (i)
		q->free = q->items[i].next_same_id;
	else
		i = ++q->used;
	struct look *l = &q->items[i];
	*l = *from;
	uint32_t *bucket = bucket_of(q, &l->lease.id);
	l->next_same_id = *bucket;
	*bucket = i;
	l->network = 0;
	l->state = LOOK_WAITING;
	q->counts[LOOK_WAITING]++;
	return l;
}

struct look *looks_add(struct looks *q, const struct look *from)
{
	struct look *l = copy_in(q, from);
	if (!l)
		return NULL;
	l->due_us = l->lease.not_before_us;
	heap_add(q, index_of(q, l));
	return l;
}

struct look *looks_add_given(struct looks *q, const struct look *from)
{
	struct look *l = copy_in(q, from);
	if (!l)
		return NULL;
	l->due_us = l->lease.expires_us;
	l->network = network_take(q, &l->lease.target);
	q->networks[l->network].places++;
	state_set(q, l, LOOK_GIVEN);
	line_append(q, &q->given, index_of(q, l));
	return l;
}

struct look *looks_find(struct looks *q, const struct event_id *id)
{
	for (uint32_t i = *bucket_of(q, id); i; i = q->items[i].next_same_id)
		if (id_equal(&q->items[i].lease.id, id))
			return &q->items[i];
	return NULL;
}

void looks_advance(struct looks *q, uint64_t now_us)
{
	while (q->heap_count && due_at(q, 1) <= now_us) {
		uint32_t i = q->heap[1];
		heap_remove(q, i);
		struct look *l = &q->items[i];
		l->network = network_take(q, &l->lease.target);
		struct network *n = &q->networks[l->network];
		if (network_has_place(q, n)) {
			line_up(q, i);
		} else {
			state_set(q, l, LOOK_PARKED);
			line_append(q, &n->parked, i);
		}
	}
}

struct look *looks_first(struct looks *q) { return q->ready.first ? &q->items[q->ready.first] : NULL; }

uint64_t looks_wake_us(const struct looks *q) { return q->heap_count ? due_at(q, 1) : UINT64_MAX; }

void looks_give(struct looks *q, struct look *l, uint64_t until_us)
{
	assert(l->state == LOOK_READY);
	uint32_t i = index_of(q, l);
	line_remove(q, &q->ready, i);
	state_set(q, l, LOOK_GIVEN);
	l->due_us = until_us;
	line_append(q, &q->given, i);
}

void looks_return(struct looks *q, struct look *l, uint64_t not_before_us)
{
	detach(q, l);
	state_set(q, l, LOOK_WAITING);
	l->due_us = l->lease.not_before_us = not_before_us;
	heap_add(q, index_of(q, l));
}

void looks_remove(struct looks *q, struct look *l)
{
	uint32_t i = index_of(q, l);
	detach(q, l);
	uint32_t *at = bucket_of(q, &l->lease.id);
	while (*at != i)
		at = &q->items[*at].next_same_id;
	*at = l->next_same_id;
	q->counts[l->state]--;
	*l = (struct look){.next_same_id = q->free};
	q->free = i;
}

struct look *looks_overdue(struct looks *q, uint64_t now_us)
{
	/* All leases last equally long, so the first given is the first to end. */
	struct look *l = q->given.first ? &q->items[q->given.first] : NULL;
	return l && l->due_us <= now_us ? l : NULL;
}

void looks_each(struct looks *q, void (*each)(void *arg, struct look *), void *arg)
{
	for (uint32_t i = 1; i <= q->used; i++)
		if (!id_is_zero(&q->items[i].lease.id))
			each(arg, &q->items[i]);
}
