/*
 * What the user's own files say of an address: its autonomous system, its time zone.
 *
 * Autonomous systems: an MMDB (GeoLite2-ASN and its like), or CAIDA's pfx2as as text, lines
 * `ADDRESS LENGTH AS`; of several origins (1_2, 1,2) the first counts.  Time zones: an MMDB with
 * location.time_zone, or country.iso_code, which tzdata's zone.tab makes the zone of most of that
 * country's people.  Opened before the rights are taken away, then only asked.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"
#include "base/zone.h"

#define ATLAS_PREFIXES_MAX (4u << 20)
#define ATLAS_TEXT_MAX (256u << 20)

struct atlas;

/* Either file may be NULL; `zones`: time zones are wanted. */
int atlas_open(struct atlas **, const char *as_file, const char *country_file, bool zones, struct fault *);
void atlas_close(struct atlas *);
uint32_t atlas_as(const struct atlas *, const struct address *);            /* 0: not known */
const struct zone *atlas_zone(const struct atlas *, const struct address *); /* NULL: not known */
/* Reads a text of pfx2as; lines that are none are counted. */
int atlas_read_text(struct atlas *, struct bytes text, size_t *bad_lines);
int atlas_new(struct atlas **);
