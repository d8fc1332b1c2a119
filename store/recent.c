#include "store/recent.h"
#include "base/error.h"
#include <stdlib.h>
#include <xxhash.h>

#define PLACES (2 * RECENT_WINDOW)

int recent_open(struct recent *r, uint64_t key)
{
	*r = (struct recent){.key = key};
	for (size_t i = 0; i < 2; i++)
		r->table[i] = calloc(PLACES, sizeof *r->table[i]);
	if (r->table[0] && r->table[1])
		return 0;
	recent_close(r);
	return ERR_MEMORY;
}

/* The place where the id is, or the empty one where it would go; a zero id marks an empty place. */
static struct event_id *place_of(const struct recent *r, unsigned t, const struct event_id *id)
{
	size_t at = XXH3_64bits_withSeed(id->b, sizeof id->b, r->key) % PLACES;
	while (!id_is_zero(&r->table[t][at]) && !id_equal(&r->table[t][at], id))
		at = (at + 1) % PLACES;
	return &r->table[t][at];
}

bool recent_holds(const struct recent *r, const struct event_id *id)
{
	return !id_is_zero(id) &&
	       (!id_is_zero(place_of(r, 0, id)) || !id_is_zero(place_of(r, 1, id)));
}

void recent_add(struct recent *r, const struct event_id *id)
{
	if (id_is_zero(id))
		return;
	if (r->count[r->newer] == RECENT_WINDOW) {
		r->newer ^= 1;
		memset(r->table[r->newer], 0, PLACES * sizeof *r->table[0]);
		r->count[r->newer] = 0;
	}
	struct event_id *place = place_of(r, r->newer, id);
	r->count[r->newer] += id_is_zero(place);
	*place = *id;
}

void recent_close(struct recent *r)
{
	free(r->table[0]);
	free(r->table[1]);
	*r = (struct recent){0};
}
