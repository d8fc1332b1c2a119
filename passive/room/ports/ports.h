/*
 * Which ports a decoy has, as a SYN tells.
 *
 * One listening socket a port serves all decoys, so a port that one device has would seem open
 * at all of them until a connection is reset.  Where the kernel lets us, a program there is asked
 * for each connection that begins: a port that the device of that address has not got is refused
 * as a closed one is, and with `every_port` any port that nobody has reaches the catch-all, over
 * TCP as over UDP.  Else a datagram is left to the room, which keeps silent.
 * Sources that may be steered to another device are left to the room, which decides as before.
 */
#pragma once
#include "passive/room/kernel/shared.h"
#ifndef __bpf__
#include <string.h>
#endif

#define PORTS_OF_ONE 65536
#define PORTS_ALL (2 * PORTS_OF_ONE) /* TCP's, then UDP's */
#define PORTS_PERSONAS_MAX 64 /* of one prefix, and in all */
#define PORTS_SOURCES 65536

enum ports_state { PORTS_FREE, PORTS_OFFERED, PORTS_HIDDEN }; /* hidden: where the catch-all itself listens */

struct ports_row { /* a bit for each port that a persona has */
	uint8_t bits[PORTS_ALL / 8];
};

struct ports_devices { /* of a prefix: the rows of its personas, in their order */
	uint32_t count;    /* 0: all ports that are offered */
	uint32_t every_port;
	uint8_t rows[PORTS_PERSONAS_MAX];
};

struct ports_sources { /* not 0: some source of that number may be steered */
	uint8_t steered[PORTS_SOURCES];
};

enum ports_table { PORTS_TABLE_STATES, PORTS_TABLE_PREFIXES, PORTS_TABLE_ROWS, PORTS_TABLE_KEY, PORTS_TABLE_SOURCES,
		   PORTS_TABLE_ANY, PORTS_TABLES };

static inline uint32_t ports_source(const uint8_t address[16])
{
	uint32_t word[4];
#ifdef __bpf__
	__builtin_memcpy(word, address, 16);
#else
	memcpy(word, address, 16);
#endif
	return ((word[0] ^ word[1] ^ word[2] ^ word[3]) * 0x9e3779b1u) >> 16;
}

#ifndef __bpf__
struct settings;

struct ports_any { /* sockets of the catch-all, or -1 */
	int tcp, udp;
};

/*
 * In the parent, once decoys have their personas.  The descriptor of struct ports_sources for the
 * process that knows who is steered, or -1: what cannot be done is said, and everything else goes on.
 */
int ports_open(const struct settings *, const struct ports_any *);
#endif
