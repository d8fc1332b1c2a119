/*
 * A bundle of STIX 2.1 while it is read: what each object is, what the relationships say of it, and who may see it.
 *
 * Nothing is fetched: what an object refers to and is not in the bundle is not known.
 */
#pragma once
#include "share/reading/json_inner.h"

struct stix {
	struct intake *intake;
	json_t *index;     /* objects by their ids */
	json_t *roles;     /* by id: of indicator, from what relationships and infrastructure say */
	json_t *families;  /* by id: name of the malware, campaign or actor that it belongs to */
	json_t *countries; /* by id: where it is located */
	json_t *inner;     /* by id: part of an observation, or of another object, and told with that */
	const json_t *local; /* of an observation as STIX 2.0 has it: its objects by their keys */
};

/* The object of that id, among `local` first; NULL: it is not in the bundle. */
const json_t *stix_find(const struct stix *, struct bytes id);
const json_t *stix_find_of(const struct stix *, const json_t *object, const char *key); /* by the id that stands there */
bool stix_is(const json_t *object, const char *type);

/* Fills index, roles, families, countries and inner; false: no memory. */
bool stix_open(struct stix *, struct intake *, const json_t *objects);
void stix_close(struct stix *);

struct stix_marking {
	const char *tlp, *pap; /* NULL: not said */
};
/*
 * The strictest of the object's markings, of the whole and of its parts, in STIX 2.1's words, in TLP 1's, and in
 * labels such as "tlp:amber".  A marking that is neither known nor in the bundle counts as TLP:RED, since nobody
 * can tell what it allows.
 */
void stix_mark(const struct stix *, const json_t *object, struct stix_marking *);
