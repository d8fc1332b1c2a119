/*
 * Signatures of tools and payloads, as data: fingerprints/telescope/ has ours, an operator adds
 * his own files.
 *
 * A tool's rule is a condition over the columns of a packet (passive/telescope/packet.h), such as
 *
 *      - tool: masscan
 *        when: flags == syn and ipid == (dst ^ dport ^ seq) & 0xffff
 *        evidence: 2
 *
 * It is compiled once and worked out for a batch of packets at a time.  `evidence` is how many
 * packets of one source must match before the tool is believed, since a relation over 16 bits
 * holds by chance once in 65,536 packets.  The first rule that matches a packet has it.
 *
 * A payload's rule is a pattern over the first bytes of a datagram or segment and names what is
 * asked ("ntp.monlist").
 */
#pragma once
#include "base/error.h"
#include "passive/telescope/packet.h"

#define SIGNATURE_RULES_MAX 255    /* of tools, over all files; number 0 means none */
#define SIGNATURE_TOOLS_MAX 64
#define SIGNATURE_PAYLOADS_MAX 1024
#define SIGNATURE_FILE_MAX (1u << 20)

struct signatures;

/* An empty set; then one file after the other, given as text; then sealed. */
int signatures_open(struct signatures **);
/* YAML; `name` is what errors call it.  A file with an error adds nothing. */
int signatures_add(struct signatures *, struct bytes text, const char *name, struct fault *);
void signatures_close(struct signatures *);

/* The number (1…) of the first rule that each lane matches, or 0. */
void signatures_match(const struct signatures *, const struct packet_batch *, uint8_t rule[PACKET_BATCH]);

unsigned signatures_rules(const struct signatures *);
unsigned signatures_rule_tool(const struct signatures *, uint8_t rule);     /* 1…: number of its tool */
unsigned signatures_rule_evidence(const struct signatures *, uint8_t rule); /* packets, at least 1 */
unsigned signatures_tools(const struct signatures *);
const char *signatures_tool(const struct signatures *, unsigned tool);      /* 1…: its name */
/* Whether that tool is one that surveys use (zmap, masscan, …) or one that only bots do; as data. */
bool signatures_tool_hostile(const struct signatures *, unsigned tool);

/* What the payload asks, as a number from 1, or 0.  port: the destination's of a request. */
unsigned signatures_payload(const struct signatures *, uint8_t proto, uint16_t port, struct bytes payload);
const char *signatures_payload_name(const struct signatures *, unsigned payload);
/* A request that a server would answer with much more than it got: who asks that, asks for reflectors. */
bool signatures_payload_amplifies(const struct signatures *, unsigned payload);
