#include "control/visits_inner.h"
#include <stdlib.h>
#include <xxhash.h>

#define PROBES_MAX 32 /* places that are looked at for one hash */

int visits_open(struct visits *v, uint64_t key)
{
	*v = (struct visits){.counts.key = key};
	v->items = calloc(VISITS_MAX, sizeof *v->items);
	v->counts.items = calloc(VISIT_COUNTS, sizeof *v->counts.items);
	if (v->items && v->counts.items)
		return 0;
	visits_done(v);
	return ERR_MEMORY;
}

void visits_done(struct visits *v)
{
	for (size_t i = 0; v->items && i < VISITS_MAX; i++)
		free(v->items[i].url);
	free(v->items);
	free(v->counts.items);
	*v = (struct visits){0};
}

struct visit_lease *visits_take(struct visits *v)
{
	for (size_t i = 0; v->items && v->count < VISITS_MAX && i < VISITS_MAX; i++)
		if (id_is_zero(&v->items[i].id)) {
			v->count++;
			return &v->items[i];
		}
	return NULL;
}

struct visit_lease *visits_find(struct visits *v, const struct event_id *id)
{
	for (size_t i = 0; v->count && i < VISITS_MAX && !id_is_zero(id); i++)
		if (id_equal(&v->items[i].id, id))
			return &v->items[i];
	return NULL;
}

void visits_drop(struct visits *v, struct visit_lease *lease)
{
	free(lease->url);
	*lease = (struct visit_lease){0};
	v->count--;
}

uint64_t visit_count_key(const struct visit_counts *counts, enum visit_counted kind, struct bytes what)
{
	const uint64_t hash = XXH3_64bits_withSeed(what.at, what.len, counts->key ^ (uint64_t)kind << 56);
	return hash ? hash : 1;
}

static struct visit_count *place_of(const struct visit_counts *counts, uint64_t hash, uint32_t day)
{
	struct visit_count *free_place = NULL;
	for (size_t i = 0; i < PROBES_MAX; i++) {
		struct visit_count *c = &counts->items[(hash + i) & (VISIT_COUNTS - 1)];
		if (c->hash == hash)
			return c;
		if (!free_place && (!c->hash || c->day < day))
			free_place = c;
	}
	return free_place;
}

uint32_t visit_count(const struct visit_counts *counts, uint64_t hash, uint32_t day)
{
	const struct visit_count *c = place_of(counts, hash, day);
	if (!c)
		return UINT32_MAX;
	return c->hash == hash && c->day == day ? c->count : 0;
}

const struct visit_count *visit_count_add(struct visit_counts *counts, uint64_t hash, uint32_t day)
{
	struct visit_count *c = place_of(counts, hash, day);
	if (!c)
		return NULL;
	if (c->hash != hash || c->day != day)
		*c = (struct visit_count){.hash = hash, .day = day};
	c->count++;
	return c;
}

void visit_count_back(struct visit_counts *counts, uint64_t hash, uint32_t day)
{
	struct visit_count *c = place_of(counts, hash, day);
	if (c && c->hash == hash && c->day == day && c->count)
		c->count--;
}

void visit_count_restore(struct visit_counts *counts, uint64_t hash, uint32_t day, uint32_t count)
{
	struct visit_count *c = place_of(counts, hash, day);
	if (c)
		*c = (struct visit_count){hash, day, count};
}

/*
 * Ports that browsers refuse (Fetch Standard 2.10, "port blocking"): a page could make them speak to a mail
 * server or a printer; and those of databases and controllers, which read lines of HTTP as theirs.
 */
static const uint16_t refused_ports[] = {
	1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,   37,   42,   43,   53,	69,    77,    79,
	87,   95,   101,  102,  103,  104,  109,  110,  111,  113,  115,  117,  119,  123,  135,  137,  139,	143,   161,   179,
	389,  427,  465,  502,  512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,  556,  563,	587,   601,   636,
	789,  989,  990,  993,  995,  1089, 1090, 1091, 1719, 1720, 1723, 1911, 1962, 2049, 2222, 2404, 2455,	3306,  3389,  3659,
	4045, 4190, 4911, 5006, 5007, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679,	6697,  9100,  9600,
	10001, 10080, 11211, 18245, 18246, 20000, 20547, 27017, 34962, 34963, 34964, 34980, 44818, 47808,
};

bool visit_port_is_allowed(const struct visits_option *o, uint16_t port)
{
	const uint64_t *ports = o->ports.items;
	for (size_t i = 0; i < o->ports.count; i++)
		if (ports[i] == port)
			return true;
	if (o->ports.count || !port)
		return false;
	for (size_t i = 0; i < sizeof refused_ports / sizeof *refused_ports; i++)
		if (refused_ports[i] == port)
			return false;
	return true;
}
