/* Spells of machines at addresses, and how long they last, by network. */
#include "analysis/machines_inner.h"
#include <stdlib.h>

struct spell_of { /* a machine at an address */
	struct address address;
	uint32_t machine;
	uint64_t first_s, last_s;
	double ended_s; /* when it had gone; 0: not known */
};

static int by_machine(const void *a, const void *b)
{
	const struct spell_of *x = a, *y = b;
	if (x->machine != y->machine)
		return x->machine < y->machine ? -1 : 1;
	return (x->first_s > y->first_s) - (x->first_s < y->first_s);
}

static int by_place(const void *a, const void *b)
{
	const struct spell_of *x = a, *y = b;
	int order = memcmp(&x->address, &y->address, sizeof x->address);
	return order ? order : (x->first_s > y->first_s) - (x->first_s < y->first_s);
}

static void ends_between(struct spell_of *s, uint64_t next_first_s)
{
	const double middle = ((double)s->last_s + (double)next_first_s) / 2;
	if (!s->ended_s || middle < s->ended_s)
		s->ended_s = middle;
}

/* It was met elsewhere, or another stood in its place, after it was last seen here. */
static void find_ends(struct spell_of *s, size_t count)
{
	qsort(s, count, sizeof *s, by_machine);
	for (size_t i = 0; i + 1 < count; i++)
		if (s[i].machine == s[i + 1].machine && s[i + 1].first_s > s[i].last_s)
			ends_between(&s[i], s[i + 1].first_s);
	qsort(s, count, sizeof *s, by_place);
	for (size_t i = 0; i + 1 < count; i++)
		if (address_equal(&s[i].address, &s[i + 1].address) && s[i].machine != s[i + 1].machine &&
		    s[i + 1].first_s > s[i].last_s + 2 * MACHINE_SLACK_S)
			ends_between(&s[i], s[i + 1].first_s);
}

/* One spell a machine and address; sightings lie by address. */
static size_t spells_make(struct machines *m, struct spell_of *out)
{
	size_t count = 0;
	for (size_t i = 0, next, begin; i < m->count; i = next) {
		begin = count;
		for (next = i; next < m->count && address_equal(&m->sightings[next].address, &m->sightings[i].address); next++) {
			const struct machine_sighting *s = &m->sightings[next];
			if (m->keys[s->key].shared)
				continue;
			const uint32_t machine = machine_root(m, s->key);
			size_t k = begin;
			while (k < count && out[k].machine != machine)
				k++;
			if (k == count)
				out[count++] = (struct spell_of){s->address, machine, s->first_s, s->last_s, 0};
			out[k].last_s = s->last_s > out[k].last_s ? s->last_s : out[k].last_s;
		}
	}
	return count;
}

static struct prefix network_of(const struct address *a) { return prefix_of(a, address_is_v4(a) ? 96 + 16 : 32); }

static size_t durations(const struct spell_of *s, size_t count, struct spell *out)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		const double end_s = s[i].ended_s ? s[i].ended_s : (double)s[i].last_s;
		const double days = (end_s - (double)s[i].first_s) / MACHINE_DAY_S;
		if (days > 0) /* seen once and not again: nothing is known of its length */
			out[n++] = (struct spell){days, s[i].ended_s != 0};
	}
	return n;
}

int machines_measure_churn(struct machines *m)
{
	struct spell_of *all = calloc(m->count + 1, sizeof *all);
	struct spell *spells = calloc(m->count + 1, sizeof *spells);
	m->networks = calloc(m->count + 2, sizeof *m->networks);
	if (!all || !spells || !m->networks) {
		free(all);
		free(spells);
		return ERR_MEMORY;
	}
	const size_t count = spells_make(m, all);
	find_ends(all, count);
	m->networks[m->network_count++].churn = churn_measure(spells, durations(all, count, spells));
	for (size_t i = 0, next; i < count; i = next) {
		const struct prefix network = network_of(&all[i].address);
		for (next = i; next < count && prefix_holds(&network, &all[next].address); next++)
			;
		const size_t n = durations(&all[i], next - i, spells);
		if (n)
			m->networks[m->network_count++] = (struct machine_network){network, churn_measure(spells, n)};
	}
	free(all);
	free(spells);
	return 0;
}

/* The network's own estimate where it has seen enough, else that of all. */
double machines_still(const struct machines *m, const struct address *address, double days)
{
	size_t low = 1, high = m->network_count;
	while (low < high) {
		const size_t middle = (low + high) / 2;
		const struct machine_network *n = &m->networks[middle];
		if (prefix_holds(&n->prefix, address) && n->churn.endings >= CHURN_ENDINGS_LEAST)
			return churn_still(&n->churn, days);
		if (memcmp(&n->prefix.base, address, sizeof *address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return m->network_count ? churn_still(&m->networks[0].churn, days) : -1;
}
