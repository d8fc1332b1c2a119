/*
 * What the sink knows of one run: the names that it gave addresses to, flows, requests, hellos, scans
 * and floods.  Tables of fixed size; what no longer fits raises a limit by name and is counted where
 * it can be.  No I/O and no clock: the time is an argument.
 */
#pragma once
#include "base/arena.h"
#include "lab/run/sink.h"
#include "lab/run/sink/known.h"

#define WORLD_TEXT_MAX (16u << 20)   /* bytes of all names, requests and hellos */
#define WORLD_ADDRESSES_MAX (1u << 20) /* addresses told apart, over all ports that are scanned */
#define WORLD_PORTS_MAX 1024         /* ports told apart for scans */
#define WORLD_PLACES_MAX 2048        /* addresses told apart for floods */
#define WORLD_LIMITS_MAX 16
#define SCAN_ADDRESSES_MIN 10        /* fewer are peers */
#define SCAN_FLOWS_MAX 256           /* of one port, told one by one */
#define PLACE_FLOWS_MAX 256          /* of one address, told one by one */
#define FLOW_PACKETS_KEPT 64         /* of a flow without a connection, in the capture */
#define OTHER_PACKETS_KEPT 2048      /* of scans and floods, in the capture */
#define FLOOD_PACKETS_MIN 500
#define FLOOD_PER_SECOND_MIN 50
#define FLOOD_CONNECTIONS_MIN 100    /* to one endpoint, by TCP */
#define ECHOES_MAX 4                 /* of datagrams to one endpoint that nothing knows */
#define NAMES_BASE 0xc6120000u       /* 198.18.0.0/15 */
#define NAMES_SPAN 0x20000u

struct packet_seen { /* what the capture tells of one packet */
	bool from_box;
	bool fragment;           /* not the first: no ports */
	struct address source, destination;
	uint16_t source_port, port; /* of the destination */
	uint8_t transport;
	bool syn, ack;           /* of TCP */
	size_t bytes, payload;
};

struct world_place { /* all packets to one address by one transport */
	struct address address;
	uint8_t transport;
	uint64_t packets, bytes, first_ms, last_ms, sources;
	uint32_t flows;
	uint64_t syns, naked; /* TCP: openings; packets that belong to no connection we had */
	uint16_t port;
	bool ports;           /* to more than one */
};

struct world_port {
	struct sink_scan scan;
};

struct world {
	struct arena arena;
	struct known names_known, flows_known, requests_known, hellos_known, distinct, ports_known, places_known;
	struct sink_name *names;
	struct sink_flow *flows;
	uint8_t *echoes;      /* by flow: datagrams that came back to it */
	struct sink_request *requests;
	struct sink_hello *hellos;
	struct world_port *ports;
	struct world_place *places;
	size_t name_count, flow_count, request_count, hello_count, port_count, place_count;
	uint16_t *name_at;    /* by address: index of its name, plus one */
	const char *limits[WORLD_LIMITS_MAX];
	size_t limit_count;
	uint64_t packets, packets_missed;
	uint64_t now_ms;      /* set by whoever runs it */
	uint64_t other_packets; /* that belong to no flow told by itself */
	struct address box;   /* the box's own address */
};

/* `addresses_max` are told apart for scans: WORLD_ADDRESSES_MAX, or fewer where none is expected. */
int world_open(struct world *, size_t addresses_max);
void world_done(struct world *);
void world_limit(struct world *, const char *word); /* a literal; once */

struct address world_name(struct world *, struct bytes name, const char *type);
struct bytes world_name_of(const struct world *, const struct address *);
/* "c2.example:23" or "203.0.113.7:23", kept in the arena; "" when that is full. */
const char *world_endpoint(struct world *, const struct address *, uint16_t port);

/* False: one of many alike, of a flood or a scan; a capture can do without it. */
bool world_packet(struct world *, const struct packet_seen *);
/* NULL when there are too many.  A TCP connection that it completed is noted with world_connected(). */
struct sink_flow *world_flow(struct world *, const struct address *, uint16_t port, uint8_t transport);
struct sink_flow *world_connected(struct world *, const struct address *, uint16_t port);
bool world_may_echo(struct world *, const struct sink_flow *); /* and counts */
void world_request(struct world *, const char *protocol, const char *endpoint, const char *kind,
		   struct bytes subject, struct bytes said);
void world_request_served(struct world *, struct bytes url);
/* Its number, or KNOWN_NONE. */
uint32_t world_hello(struct world *, const struct sink_hello *);

/* What the tables amount to at the end; arrays in the arena. */
void world_conclude(struct world *, struct run_sink_findings *);
