/*
 * What the kernel's program (program.bpf) is told: shared by it and by the loader, so every
 * member has its place in memory by itself.  Numbers are in the machine's order, addresses in
 * the network's, IPv4 mapped into IPv6 as everywhere.
 */
#pragma once
#include "passive/room/kernel/shared.h"

#define STACK_LOOKS_MAX 32
#define STACK_PERSONAS_MAX 64 /* of one prefix */
#define STACK_NO_LOOK 255
#define STACK_OPTIONS_MAX 20 /* bytes: what Linux puts into a SYN-ACK */

/* Packets that a stack treats alike. */
enum stack_kind { STACK_SYN_ACK, STACK_TCP, STACK_RESET, STACK_UDP, STACK_ICMP, STACK_KINDS };

/* SWAPPED: counts, but writes the number as a little-endian machine has it. */
enum stack_id { STACK_ID_KEEP, STACK_ID_ZERO, STACK_ID_COUNT, STACK_ID_SWAPPED, STACK_ID_RANDOM };
enum stack_fragment { STACK_DF_KEEP, STACK_DF_SET, STACK_DF_CLEAR };

/* Options as bits: of what is there, and of what is not taken from a peer's SYN. */
enum { STACK_TIMES = 1, STACK_SACK = 2, STACK_SCALE = 4, STACK_COMBINATIONS = 8 };

/* How the options of a SYN-ACK lie, for one combination of them; size 0: as Linux lays them. */
struct stack_layout {
	uint8_t size, mss_at, scale_at, times_at; /* _at: of the value; 0: it is not there */
	uint8_t bytes[STACK_OPTIONS_MAX];
};

struct stack_packet {
	uint8_t ttl, id, fragment, spare;
};

struct stack_look {
	struct stack_packet packets[STACK_KINDS];
	uint16_t mss;
	uint16_t window[2];  /* of the SYN-ACK: without and with timestamps; 0: as Linux has it */
	uint8_t scale;       /* of windows, where the peer has it */
	uint8_t strip;       /* bits of options that it does not know */
	uint8_t ecn;         /* takes it up when it is asked to (RFC 3168 6.1.1) */
	uint8_t reset_ack;   /* a reset without ACK has a number there all the same */
	uint8_t odd;         /* answers FIN, PSH and URG without ACK at a closed port */
	uint8_t echo_code;   /* an echo reply has the request's code */
	uint8_t echo_df;     /* and its don't-fragment */
	uint8_t times_any;   /* timestamps begin anywhere, differently for each peer */
	uint16_t tick_ms;    /* of its timestamps, which else count from its start; 0: Linux's own */
	uint16_t quote;      /* bytes that a port unreachable quotes; 0: as Linux does */
	uint8_t quote_blank; /* bits: 1 quoted checksum of IP is zero, 2 that of UDP */
	uint8_t spare;
	struct stack_layout layouts[STACK_COMBINATIONS];
};

struct stack_devices { /* the looks of a prefix's personas, in their order */
	uint32_t count;
	uint8_t looks[STACK_PERSONAS_MAX];
};

struct stack_terms {
	uint64_t device_key;
	uint64_t clock_ms; /* to be added to the time since this machine's start */
};

/* One of TCP; or an echo request that may not be fragmented, whose peer has its first byte inverted. */
struct stack_flow {
	uint8_t local[16], peer[16];
	uint16_t local_port, peer_port; /* as on the wire */
};

struct stack_flow_state {
	uint8_t scale_ours, scale_shown; /* ours: the kernel's */
	uint8_t scaled, spare;
	uint32_t clock;                  /* the kernel's timestamps less the machine's time */
	uint32_t first_ours, first_shown; /* timestamp of the SYN-ACK */
};

enum stack_table { STACK_TABLE_PREFIXES, STACK_TABLE_LOOKS, STACK_TABLE_TERMS, STACK_TABLE_IDS, STACK_TABLE_FLOWS,
		   STACK_TABLES };
