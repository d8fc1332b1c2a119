/*
 * What in a file is a host's name or address, and how often that guess is wrong.
 *
 * Programs are full of words with dots: "libc.so", "System.IO", "java.net", "1.2.3.4" as a version.
 * So a guess comes with a plausibility, 0 (no name) to 100.
 */
#pragma once
#include "base/bytes.h"

#define HOST_NAME_MAX_BYTES 253 /* RFC 1035 2.3.4, as text */

/* A byte that names, addresses and ports are written with. */
bool host_byte(uint8_t);
unsigned name_plausible(struct bytes name);
/* Dotted IPv4, canonical; 0 also for addresses at which nobody is (0.0.0.0, 127.0.0.1, broadcast). */
unsigned address_plausible(struct bytes address);
/* Everybody's: public resolvers, search engines, what tells one's own address, namespaces of XML. */
bool host_is_bystander(struct bytes host);
