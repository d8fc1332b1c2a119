/*
 * What an event says as objects of STIX 2.1 (OASIS, 10 June 2021), for the server of TAXII and the output "stix".
 *
 * It is given events as their recipient sees them, so identifiers are made after the view: those of raw values would
 * tell whoever can guess a value whether we hold it.  Equal events give equal objects.  Identifiers of observables are
 * those of the standard (2.9), so that they meet those of others; all others are UUIDs of version 5 under a
 * namespace of our own.
 *
 * What an indicator or a piece of malware is does not change from one event to the next, so theirs are made from their
 * value, its marking and the day: two versions of one object must not differ, and one that never changed would lie about
 * its age.
 */
#pragma once
#include "base/arena.h"
#include "event/event.h"
#include "share/collection.h"

#define STIX_OBJECTS_MAX 24 /* of one event */
#define STIX_ID_MAX 80
#define STIX_ROOM (256u << 10)

struct made_object {
	char id[STIX_ID_MAX];
	uint64_t version_us; /* its `modified`; 0: it has none, as observables */
	bool is_version;     /* it has one */
	struct bytes json;   /* in the arena */
};

struct making_about {
	const char *producer; /* whose observations they are */
};

struct making; /* a maker with the memory that it works in */

int making_open(struct making **, const struct making_about *); /* 0 or ERR_MEMORY */
void making_close(struct making *);
/* How many of `out` it filled; 0: this kind says nothing in STIX.  ERR_MEMORY: the arena is full. */
int making_objects(struct making *, const struct event *, enum tlp, struct arena *, struct made_object out[STIX_OBJECTS_MAX]);
/* What all others refer to: who we are, and the marking definitions up to that one. */
int making_common(struct making *, enum tlp, struct arena *, struct made_object out[STIX_OBJECTS_MAX]);
bool making_says(enum event_kind);

/* A UUID of version 5 (RFC 9562 5.5) of the name. */
void uuid_of_name(const uint8_t space[16], struct bytes name, char out[UUID_TEXT_MAX]);
/* A string as RFC 8785 writes it. */
void write_canonical_string(struct writer *, struct bytes utf8);
/* The observable's identifier, from its contributing properties as RFC 8785 writes them. */
void making_observable_id(const char *type, struct bytes canonical, char out[STIX_ID_MAX]);
/* An identifier of our own. */
void making_own_id(const char *type, struct bytes seed, char out[STIX_ID_MAX]);
const char *making_marking_id(enum tlp);
/* "2026-01-02T03:04:05.678Z"; TIME_TEXT_MAX. */
char *making_time(uint64_t time_us, char text[TIME_TEXT_MAX]);
