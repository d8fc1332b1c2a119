#include "analysis/machines_inner.h"
#include <stdlib.h>

bool machine_at_once(const struct machine_sighting *a, const struct machine_sighting *b)
{
	return a->first_s <= b->last_s + 2 * MACHINE_SLACK_S && b->first_s <= a->last_s + 2 * MACHINE_SLACK_S;
}

uint32_t machine_root(struct machines *m, uint32_t key)
{
	while (m->keys[key].parent != key)
		key = m->keys[key].parent = m->keys[m->keys[key].parent].parent;
	return key;
}

static int by_key(const void *a, const void *b)
{
	const struct machine_sighting *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	int order = memcmp(&x->address, &y->address, sizeof x->address);
	return order ? order : (x->first_s > y->first_s) - (x->first_s < y->first_s);
}

static int by_address(const void *a, const void *b)
{
	const struct machine_sighting *x = a, *y = b;
	int order = memcmp(&x->address, &y->address, sizeof x->address);
	if (order)
		return order;
	if (x->first_s != y->first_s)
		return x->first_s < y->first_s ? -1 : 1;
	return x->key < y->key ? -1 : x->key > y->key;
}

struct edge {
	uint64_t at_s;
	int step;
};

static int edge_order(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	if (x->at_s != y->at_s)
		return x->at_s < y->at_s ? -1 : 1;
	return y->step - x->step;
}

/* The most addresses that showed a key at once; `s` are its sightings, by address. */
static size_t most_at_once(const struct machine_sighting *s, size_t count, size_t *addresses)
{
	struct edge *edges = calloc(2 * count, sizeof *edges);
	size_t n = 0, now = 0, most = 0;
	*addresses = 0;
	if (!edges)
		return count;
	for (size_t i = 0, next; i < count; i = next) {
		uint64_t first_s = s[i].first_s, last_s = s[i].last_s;
		for (next = i; next < count && address_equal(&s[next].address, &s[i].address); next++)
			last_s = s[next].last_s > last_s ? s[next].last_s : last_s;
		edges[n++] = (struct edge){first_s, 1};
		edges[n++] = (struct edge){last_s + 2 * MACHINE_SLACK_S, -1};
		++*addresses;
	}
	qsort(edges, n, sizeof *edges, edge_order);
	for (size_t i = 0; i < n; i++) {
		now = edges[i].step > 0 ? now + 1 : now - 1;
		most = now > most ? now : most;
	}
	free(edges);
	return most;
}

static int find_shared(struct machines *m)
{
	qsort(m->sightings, m->count, sizeof *m->sightings, by_key);
	m->shared = calloc(m->key_count + 1, sizeof *m->shared);
	if (!m->shared)
		return ERR_MEMORY;
	for (size_t i = 0, next; i < m->count; i = next) {
		struct machine_text *k = &m->keys[m->sightings[i].key];
		for (next = i; next < m->count && m->sightings[next].key == m->sightings[i].key; next++)
			;
		size_t addresses, at_once = most_at_once(&m->sightings[i], next - i, &addresses);
		k->first = (uint32_t)i;
		k->count = (uint32_t)(next - i);
		k->shared = at_once > m->shared_above;
		if (k->shared)
			m->shared[m->shared_count++] =
				(struct machine_shared){k->text, (enum machine_key)k->kind, addresses, at_once};
	}
	return 0;
}

/* Two keys at one address at one time, in an order that does not depend on which came first. */
struct pair {
	uint32_t low, high;
	struct address address;
};

static int pair_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	return memcmp(&x->address, &y->address, sizeof x->address);
}

#define NEIGHBOURS_MAX 64 /* keys of one address that are compared: an address with more is no machine */

/* Calls back for each two sightings of one address at one time, of keys that are not shared. */
static int each_pair(struct machines *m, int (*each)(struct machines *, size_t, size_t, void *), void *arg)
{
	for (size_t i = 0; i < m->count; i++)
		for (size_t k = i + 1; k < m->count && k < i + NEIGHBOURS_MAX &&
				       address_equal(&m->sightings[i].address, &m->sightings[k].address); k++) {
			const struct machine_sighting *a = &m->sightings[i], *b = &m->sightings[k];
			if (a->key == b->key || m->keys[a->key].shared || m->keys[b->key].shared || !machine_at_once(a, b))
				continue;
			int bad = each(m, i, k, arg);
			if (bad)
				return bad;
		}
	return 0;
}

struct pairs {
	struct pair *items;
	size_t count, room;
};

/* Of one kind two keys are never one machine's, but two certificates of two ports may be. */
static bool excludes(const struct machine_sighting *a, const struct machine_sighting *b)
{
	return a->kind == b->kind && (a->kind != MACHINE_CERTIFICATE || a->port == b->port);
}

static int pair_note(struct machines *m, size_t i, size_t k, void *arg)
{
	struct pairs *p = arg;
	const struct machine_sighting *a = &m->sightings[i], *b = &m->sightings[k];
	if (excludes(a, b))
		return 0;
	if (p->count == p->room) {
		const size_t room = p->room ? 2 * p->room : 256;
		struct pair *larger = realloc(p->items, room * sizeof *larger);
		if (!larger)
			return ERR_MEMORY;
		p->items = larger;
		p->room = room;
	}
	p->items[p->count++] = (struct pair){a->key < b->key ? a->key : b->key, a->key < b->key ? b->key : a->key, a->address};
	return 0;
}

/* What moved together belongs together. */
static int link_keys(struct machines *m)
{
	struct pairs p = {0};
	int bad = each_pair(m, pair_note, &p);
	if (!bad && p.count)
		qsort(p.items, p.count, sizeof *p.items, pair_order);
	for (size_t i = 0; !bad && i + 1 < p.count; i++) {
		const struct pair *a = &p.items[i], *b = &p.items[i + 1];
		if (a->low != b->low || a->high != b->high || address_equal(&a->address, &b->address))
			continue;
		uint32_t x = machine_root(m, a->low), y = machine_root(m, a->high);
		m->keys[x > y ? x : y].parent = x > y ? y : x;
	}
	free(p.items);
	return bad;
}

static int dispute_note(struct machines *m, size_t i, size_t k, void *arg)
{
	bool *disputed = arg;
	if (excludes(&m->sightings[i], &m->sightings[k])) {
		disputed[machine_root(m, m->sightings[i].key)] = true;
		disputed[machine_root(m, m->sightings[k].key)] = true;
	}
	return 0;
}

static void sighting_take(struct machines *m, struct machine *out, const struct machine_sighting *s, bool new_address)
{
	const struct machine_text *k = &m->keys[s->key];
	out->addresses += new_address;
	out->looks += s->looks;
	if (!out->first_s || s->first_s < out->first_s) {
		out->first_s = s->first_s;
		out->key = k->text;
		out->kind = (enum machine_key)k->kind;
	}
	if (s->last_s >= out->last_s) {
		out->last_s = s->last_s;
		out->address = s->address;
	}
}

static int machine_order(const void *a, const void *b)
{
	const struct machine *x = a, *y = b;
	if (x->addresses != y->addresses)
		return x->addresses > y->addresses ? -1 : 1;
	if (x->last_s != y->last_s)
		return x->last_s > y->last_s ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* Sightings lie by address, so the addresses of a machine are counted as it is met anew at each. */
static int gather(struct machines *m, const bool *disputed)
{
	struct machine *all = calloc(m->key_count + 1, sizeof *all);
	struct address *last = calloc(m->key_count + 1, sizeof *last);
	m->found = calloc(m->key_count + 1, sizeof *m->found);
	if (!all || !last || !m->found) {
		free(all);
		free(last);
		return ERR_MEMORY;
	}
	for (size_t i = 0; i < m->count; i++) {
		const struct machine_sighting *s = &m->sightings[i];
		if (m->keys[s->key].shared)
			continue;
		const uint32_t root = machine_root(m, s->key);
		sighting_take(m, &all[root], s, !all[root].addresses || !address_equal(&last[root], &s->address));
		last[root] = s->address;
	}
	for (uint32_t k = 0; k < m->key_count; k++)
		all[machine_root(m, k)].keys += !m->keys[k].shared;
	for (uint32_t k = 0; k < m->key_count; k++)
		if (all[k].addresses) {
			all[k].disputed = disputed[k];
			m->found[m->found_count++] = all[k];
		}
	qsort(m->found, m->found_count, sizeof *m->found, machine_order);
	free(all);
	free(last);
	return 0;
}

int machines_conclude(struct machines *m, uint64_t now_s)
{
	bool *disputed = calloc(m->key_count + 1, sizeof *disputed);
	int bad = disputed ? 0 : ERR_MEMORY;
	if (!bad && m->count)
		bad = find_shared(m);
	if (!bad && m->count)
		qsort(m->sightings, m->count, sizeof *m->sightings, by_address);
	if (!bad)
		bad = link_keys(m);
	if (!bad)
		bad = each_pair(m, dispute_note, disputed);
	if (!bad)
		bad = gather(m, disputed);
	if (!bad)
		bad = machines_measure_churn(m);
	for (size_t i = 0; !bad && i < m->found_count; i++) {
		const struct machine *it = &m->found[i];
		const double days = now_s > it->last_s ? (double)(now_s - it->last_s) / MACHINE_DAY_S : 0;
		m->found[i].still = machines_still(m, &it->address, days);
	}
	free(disputed);
	return bad;
}

size_t machines_count(const struct machines *m) { return m->found_count; }
const struct machine *machines_at(const struct machines *m, size_t i) { return &m->found[i]; }
size_t machines_shared_count(const struct machines *m) { return m->shared_count; }
const struct machine_shared *machines_shared_at(const struct machines *m, size_t i) { return &m->shared[i]; }
size_t machines_network_count(const struct machines *m) { return m->network_count; }
const struct machine_network *machines_network_at(const struct machines *m, size_t i) { return &m->networks[i]; }
