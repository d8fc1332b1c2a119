/*
 * Who of ours is met by many: fan-in by (address, port, protocol, asked or answered).
 *
 * Each new account with a destination is counted in a small array by hash; only where many
 * accounts meet does a target get an entry with its sources and their TTLs.  A flood whose
 * sources share one or two observed TTLs is spoofed from one or two places; answers of many to
 * one address are reflection.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define TARGETS_MAX 65536
#define TARGET_COUNTERS (1u << 21)
#define TARGET_PROMOTE 16   /* accounts that met there before a target has an entry */
#define TARGET_SOURCES 100  /* from so many on it may be a flood */
#define TARGET_REFLECTORS 25 /* from so many on answers are a reflection */
#define TARGET_TTL_SHARE 95 /* of 100 sources have the TTLs of one or two places */
#define TARGET_MET_BITS 256

struct target_key {
	uint32_t destination; /* as in accounts/destinations.h */
	uint16_t port;
	uint8_t proto, answer;
};

struct target {
	struct target_key key;
	struct address address;
	uint64_t first_us, last_us;
	uint32_t sources;       /* accounts that met there */
	uint32_t counted;       /* of them since it has an entry, so with a TTL */
	struct {
		uint8_t ttl;
		uint32_t count;
	} ttls[6];              /* the commonest (Misra and Gries 1982) */
	uint64_t met[TARGET_MET_BITS / 64]; /* who met there, by a hash: who returns is not another */
	bool told, used;
};

struct fanin {
	uint8_t *counters;
	struct target *entries; /* open addressing, twice TARGETS_MAX */
	uint32_t live;
	uint64_t unkept, key[2];
	/* So long without anybody new, and what met there is over; longer where it is part of a finding. */
	uint64_t quiet_us, quiet_told_us;
};

int fanin_open(struct fanin *, const uint64_t key[2]);
void fanin_close(struct fanin *);
uint64_t fanin_bytes(const struct fanin *);
/* An account of `who`, a hash, began there; its target, or NULL while few met. */
struct target *fanin_meet(struct fanin *, const struct target_key *, const struct address *, uint64_t who,
			    uint8_t ttl, uint64_t time_us);
/* It went on there. */
void fanin_stay(struct fanin *, const struct target_key *, uint64_t time_us);
void fanin_prefetch(const struct fanin *, const struct target_key *);
struct target *fanin_find(const struct fanin *, const struct target_key *);
bool target_is_flood(const struct target *);
bool target_is_reflection(const struct target *);
/* Distinct TTLs that make up TARGET_TTL_SHARE of the sources; more than 2 is told as 3. */
unsigned target_ttls(const struct target *, uint8_t *commonest);
/* Once in a time-out: halves the counters and forgets targets that are quiet. */
void fanin_age(struct fanin *, uint64_t now_us);
