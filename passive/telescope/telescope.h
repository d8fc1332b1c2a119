/*
 * The telescope's public face: accounts of dark traffic.
 *
 * Batches of packets go in; records, findings and sources come out through hooks, from within
 * telescope_take(), telescope_clock() and telescope_finish().  One instance belongs to one thread.
 * Memory is bounded by `memory`: beyond it the accounts that have been quiet longest become
 * records early, which is counted; nothing is lost.  Pointers in what hooks are given are valid
 * during the call.
 */
#pragma once
#include "base/error.h"
#include "passive/telescope/capture.h"
#include "passive/telescope/record.h"
#include "passive/telescope/signatures.h"

struct telescope;

#define TELESCOPE_MEMORY_LEAST (UINT64_C(64) << 20) /* what tables of fixed size leave room for accounts in */
struct telescope_options {
	uint64_t timeout_us;    /* quiet for so long: a record; 0: 624 s, which is what Merit uses */
	uint64_t interval_us;   /* an account is cut at this age; 0: an hour, which is also the most */
	uint64_t memory;        /* bytes, TELESCOPE_MEMORY_LEAST or more; 0: 2 GiB */
	uint32_t scan_destinations; /* 0: a tenth of what is watched, within 5 and 100 */
	uint32_t scan_ports;    /* on which a source is a scan over ports; 0: 25 */
	bool keep_sources;      /* a quiet source is kept, so that the sums count it once (files) */
	const struct signatures *signatures; /* may be NULL; outlives the telescope */
	double watched;         /* addresses, watched_size() */
};

struct telescope_hooks {
	void *arg;
	void (*record)(void *arg, const struct record *);
	void (*finding)(void *arg, const struct finding *);
	void (*source)(void *arg, const struct source_sum *); /* when it is forgotten, or at the end */
};

int telescope_open(struct telescope **, const struct telescope_options *,
		   const struct telescope_hooks *, struct fault *);
/* Fills in the batch's COLUMN_PAIR and COLUMN_LAST_… on the way. */
void telescope_take(struct telescope *, struct packet_batch *);
/* Live: says that it is that late, so that a quiet network's accounts end as well. */
void telescope_clock(struct telescope *, uint64_t now_us);
/* Everything becomes records; only telescope_sums() and telescope_close() may follow. */
void telescope_finish(struct telescope *);
/* packet_take() counts into this. */
struct packet_counts *telescope_counts(struct telescope *);
/* What is final so far; complete after telescope_finish(). */
void telescope_sums(const struct telescope *, struct sums *);
/* True when many sources with the TTLs of one or two places flood what this source sent to. */
bool telescope_source_spoofed(struct telescope *, const struct address *);
void telescope_close(struct telescope *);
