/*
 * Addresses that are no ordinary hosts: what the policy refuses unless a scope allows it by name,
 * and what the telescope never answers.
 */
#pragma once
#include "base/address.h"

/* IANA special-purpose registries (RFC 6890 and successors) and multicast; the name of the
 * range ("loopback, RFC 1122"), or NULL when the address is an ordinary one. */
const char *special_range(const struct address *);
/* Multicast, broadcast, reserved, unspecified: nobody can be the source of a packet from there. */
bool special_no_host(const struct address *);
/*
 * IPv4 addresses that an IPv6 address carries, so that what holds for the one holds for the other:
 * 6to4, Teredo (its server, its client), NAT64 (RFC 6052, RFC 8215), IPv4-compatible and -translated
 * ones, ISATAP.  Writes at most SPECIAL_EMBEDDED_MAX and returns how many.
 */
#define SPECIAL_EMBEDDED_MAX 2
size_t special_embedded(const struct address *, struct address out[SPECIAL_EMBEDDED_MAX]);
/* All of them as prefixes, also what lies outside global unicast of IPv6; 0 or ERR_MEMORY. */
int special_prefixes(struct prefix_set *into);
