/* The keys and sightings of which machines are made, numbered; for the files that link and measure them. */
#pragma once
#include "analysis/machines.h"
#include "base/arena.h"

struct machine_text { /* a key */
	const char *text;
	uint8_t kind;
	bool shared;
	uint32_t parent;       /* of the union of keys that are one machine */
	uint32_t first, count; /* its sightings in `by_key` */
};

struct machines {
	struct arena texts;
	struct machine_sighting *sightings;
	struct machine_text *keys;
	uint32_t *places;      /* hash of keys: number + 1 */
	size_t count, room, key_count, key_room, places_count, bad_rows, shared_above;
	struct machine *found;
	struct machine_shared *shared;
	struct machine_network *networks;
	size_t found_count, shared_count, network_count;
};

#define MACHINE_DAY_S 86400u
#define MACHINE_SLACK_S (MACHINE_DAY_S / 2)

uint32_t machine_root(struct machines *, uint32_t key);
/* Whether two sightings are of one time, give or take half a day each. */
bool machine_at_once(const struct machine_sighting *, const struct machine_sighting *);
/* In machines_churn.c: spells of the sightings, by network. */
int machines_measure_churn(struct machines *);
double machines_still(const struct machines *, const struct address *, double days);
