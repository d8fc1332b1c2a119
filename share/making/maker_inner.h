/* What parts.c and objects.c share: one event's objects in the making. */
#pragma once
#include "share/making/stix_making_inner.h"

#define STIX_REFS_MAX STIX_OBJECTS_MAX

struct making {
	char producer[200], producer_id[STIX_ID_MAX];
	uint8_t *room; /* STIX_ROOM */
	/* Of the event in hand. */
	const struct event *event;
	enum tlp tlp;
	struct arena *arena;
	struct made_object *out;
	size_t count;
	struct writer w;
	bool failed;
	char refs[STIX_REFS_MAX][STIX_ID_MAX]; /* of the observation */
	size_t ref_count;
};

/* parts.c: observables.  Each returns its id (valid until the event is done), NULL when the event lacks it. */
const char *making_address(struct making *, const struct address *);
const char *making_named(struct making *, const char *type, struct bytes value); /* domain-name, url, email-addr */
const char *making_file(struct making *);
const char *making_hash(struct making *, struct bytes hex);
const char *making_traffic(struct making *, const char *src, const char *dst, const char *payload);
const char *making_account(struct making *);
const char *making_process(struct making *);
const char *making_software(struct making *);
const char *making_artifact(struct making *);
const char *making_as(struct making *);

/* Begins an object; false: there is no room for more.  Members follow with a comma before each. */
bool making_begin(struct making *, const char *type, const char *id);
/* The same of what is no observable: with who made it and when. */
bool making_begin_made(struct making *, const char *type, const char *id, uint64_t made_us);
const char *making_end(struct making *);
bool making_is_there(const struct making *, const char *id);
/* Text of others as UTF-8: what is none is read as Latin-1, as in our own JSON. */
struct bytes making_text(struct making *, struct bytes);
void making_observed(struct making *, const char *id); /* part of the observation */
