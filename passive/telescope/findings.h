/*
 * The tables of findings: scans, victims, reflections and floods, the heaviest of each.
 *
 * A finding tells of the moment at which a threshold was passed.  What came after is added from
 * the records (floods, reflections) and sources (scans), so that a table shows the whole.
 */
#pragma once
#include "passive/telescope/page.h"
#include "passive/telescope/telescope.h"

#define FINDING_KINDS 4
#define FINDINGS_KEPT 256 /* of a kind */
struct findings {
	struct ranking of_kind[FINDING_KINDS];
};

int findings_open(struct findings *); /* 0 or ERR_MEMORY */
void findings_take(struct findings *, const struct finding *);
void findings_take_record(struct findings *, const struct record *);
void findings_take_source(struct findings *, const struct source_sum *);
void findings_show(struct findings *, unsigned top, struct page *);
void findings_close(struct findings *);

/* Rows of a table by protocol and port: TCP, UDP, ICMP, ICMPv6 and others have 2^16 each. */
uint32_t port_index(uint8_t proto, uint16_t port);
const char *port_text(uint32_t index, char text[32]); /* "tcp 23", "icmp 3/1" */
