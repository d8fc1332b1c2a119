/*
 * Identifiers of STIX 2.1: "ipv4-addr--" and a UUID of version 5 (RFC 4122 4.3).
 *
 * Observables (2.9 of the specification) take the namespace that it names and their contributing
 * properties as canonical JSON (RFC 8785), so that two tools give the same observable the same
 * identifier.  Everything else of ours takes a namespace of our own and what it is about: the same
 * analysis told twice is the same object.
 */
#pragma once
#include "base/bytes.h"

#define STIX_ID_MAX 80

struct stix_id {
	char text[STIX_ID_MAX];
};

/* `contributing` is a JSON object in canonical form. */
struct stix_id stix_observable(const char *type, struct bytes contributing);
/* Of an observable with one contributing property, such as "value". */
struct stix_id stix_observable_of(const char *type, const char *property, struct bytes value);
struct stix_id stix_object(const char *type, const char *about);
/* A JSON string as RFC 8785 3.2.2.2 writes it; bytes that are no UTF-8 stand as Latin-1. */
void write_canonical(struct writer *, struct bytes);
