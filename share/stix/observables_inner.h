/* What observables (STIX 2.1, part 6) name, put into records; and observations made of them. */
#pragma once
#include "share/stix/stix_inner.h"

/* NULL: done.  Otherwise what is wrong, or "" where such an object names nothing that has a type here. */
const char *stix_name_observable(const struct stix *, const json_t *object, struct record *);
/* Hands in what an observation saw: one record of who acted, with all that is known of it, and one of each further thing. */
void stix_observation(struct stix *, const json_t *observation, const struct record *like);
/* The `count`th record of one object: of its version too, so that a changed object comes in anew. */
void stix_hand_in(struct stix *, const json_t *object, struct record *, size_t count);
