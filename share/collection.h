/*
 * Collections: named sets of events, by which partners are granted what they may see or give.
 *
 *   exchange:
 *     collections:
 *       - {name: shells, title: Who got a shell, kinds: [command.sent], when: {command.found: true}, tlp: green}
 *
 * Some are there without being configured (share/collections.c); one of the same name replaces them.
 * A collection's id (UUID of version 5 of its name in our own namespace) is what TAXII calls it.
 *
 * What was imported is under its own marking (record.tlp), a collection's is for what has none; private fields are
 * in no view.
 */
#pragma once
#include "event/condition.h"
#include "bus/process.h"

#define COLLECTIONS_MAX 64
#define COLLECTION_CONDITIONS_MAX 16
#define UUID_TEXT_MAX 37

enum tlp { TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_AMBER_STRICT, TLP_RED }; /* the later, the stricter */
const char *tlp_name(enum tlp);                 /* "AMBER+STRICT" */
bool tlp_read(struct bytes, enum tlp *);        /* any case; also TLP 1's WHITE */

struct collection {
	const char *name, *title, *summary;
	char id[UUID_TEXT_MAX];
	kind_mask kinds;
	struct condition when[COLLECTION_CONDITIONS_MAX];
	size_t when_count;
	enum tlp tlp; /* of what is not marked itself */
};

struct collections {
	size_t count;
	struct collection list[COLLECTIONS_MAX];
};

/* Those of the configuration and the built-in ones.  Lives as long as the configuration. */
int collections_read(struct collections *, const struct config *, struct fault *);
const struct collection *collection_find(const struct collections *, const char *name_or_id); /* NULL: none */
bool collection_has(const struct collection *, const struct event *);
enum tlp collection_marking(const struct collection *, const struct event *);
