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
