/*
 * An address is not a machine: which sightings are one machine, and which only look like it.
 *
 * The evidence is what a look found that only one machine has: the digest of its certificate, its
 * SSH host key, the serial number of a device.  All is worked out anew from the events each time.
 *
 * - A key at more than `shared` addresses at once (within a day) is a shared one, built into a
 *   firmware or an image: it links nothing.
 * - One key at several addresses, one after the other, is one machine that moved.
 * - Two keys that were together at two addresses belong to one machine.  Together at one address
 *   they need not: behind one address may stand several machines.
 * - Two host keys or serial numbers at one address, or two certificates at one port of it, at the
 *   same time, are a dispute: a gateway with several machines behind it, or a load balancer.
 */
#pragma once
#include "analysis/churn.h"
#include "base/address.h"
#include "base/error.h"

#define MACHINE_KEY_MAX 96
#define MACHINE_SIGHTINGS_MAX 2000000
#define MACHINE_SHARED_DEFAULT 3

enum machine_key { MACHINE_CERTIFICATE, MACHINE_HOST_KEY, MACHINE_SERIAL, MACHINE_KEYS };
const char *machine_key_word(enum machine_key); /* "certificate", "host-key", "serial" */

struct machine_sighting { /* a key at a port of an address, over all looks */
	struct address address;
	uint16_t port;
	uint8_t kind; /* enum machine_key */
	uint32_t key; /* number of its text */
	uint64_t first_s, last_s;
	uint64_t looks;
};

struct machine {
	const char *key;   /* the text by which it is known: that seen first */
	enum machine_key kind;
	size_t keys, addresses, looks;
	struct address address; /* where it was last */
	uint64_t first_s, last_s;
	bool disputed;     /* at some address it stood beside another of its kind */
	double still;      /* probability that it still is at that address; negative: not known */
};

struct machine_shared {
	const char *key;
	enum machine_key kind;
	size_t addresses, at_once;
};

struct machine_network {
	struct prefix prefix; /* /16 of IPv4, /32 of IPv6; zero bits: all networks */
	struct churn churn;
};

struct machines;

/* The question to the store, for sightings from a time on; its rows are JSON, one a line. */
void machines_sql(uint64_t from_s, uint64_t to_s, struct writer *);
int machines_open(struct machines **, size_t shared_above); /* 0 or ERR_MEMORY */
void machines_close(struct machines *);
/* Rows as the store answered them; those that are malformed are counted, never believed. */
int machines_take(struct machines *, struct bytes lines); /* 0, ERR_FULL or ERR_MEMORY */
int machines_add(struct machines *, const struct address *, uint16_t port, enum machine_key, struct bytes key,
		 uint64_t first_s, uint64_t last_s, uint64_t looks);
/* Once, after the last sighting: links, disputes, churn.  0 or ERR_MEMORY. */
int machines_conclude(struct machines *, uint64_t now_s);

size_t machines_bad_rows(const struct machines *);
size_t machines_count(const struct machines *);
const struct machine *machines_at(const struct machines *, size_t i); /* those with most addresses first */
size_t machines_shared_count(const struct machines *);
const struct machine_shared *machines_shared_at(const struct machines *, size_t i);
size_t machines_network_count(const struct machines *); /* the first is all networks together */
const struct machine_network *machines_network_at(const struct machines *, size_t i);
