/*
 * Which device a visitor meets: the local copy of control's table, and the visits.
 *
 * Control tells "steer.table" to each worker; accept consults only what is here:
 *
 *   version u64, flags u8 (1: replaces all, 2: nothing more follows of it), count u32, then entries of
 *   source address (16), cause id (16), and texts, each with its length as u8: name of the persona
 *   (empty: no longer steered), arm of the trial, rule, reasons
 *
 * A table of a version not above ours is old news and ignored.  A visit is one source at one
 * of our addresses until it has been away for the idle time; its persona never changes
 * within.  Both tables are bounded: beyond it new entries are refused and counted, and the
 * visit that was away the longest is forgotten.
 */
#pragma once
#include "event/id.h"
#include "passive/persona.h"
#include "passive/room/ports/ports.h"
#include "passive/room/table.h"
#include <sys/queue.h>

#define STEER_FLAG_FULL 1
#define STEER_FLAG_WHOLE 2 /* with this message the whole table was told */

struct visit {
	struct table_node node;
	TAILQ_ENTRY(visit) order;
	struct address source, local;
	const struct persona *persona; /* steered to; NULL: the decoy's own */
	struct event_id cause;         /* why it is steered */
	struct event_id steered;       /* host.steered of this visit; zero until it is told */
	uint64_t version, last_ms;
	uint32_t sessions;
};

TAILQ_HEAD(visits, visit);

struct steering {
	struct table table, visited;
	struct visits visits; /* latest first */
	const struct persona_set *personas;
	uint64_t version, key, idle_ms;
	size_t entries_max, visits_max;
	bool whole;       /* the table was told to its end once */
	uint64_t silence_key, silence_below; /* decoys that never steer, for comparison; 0: none */
	uint64_t refused; /* entries: no room, or no persona of that name */
	struct ports_sources *sources; /* told to the kernel (passive/room/ports/ports.h); NULL: it is not asked */
};

int steering_open(struct steering *, const struct persona_set *, size_t entries_max,
                  size_t visits_max, uint64_t idle_ms);
void steering_done(struct steering *);
/* Takes in a table; nothing of it when it is malformed (ERR_BAD). */
int steering_update(struct steering *, struct bytes payload);
/* "steer.silence": key u64, bound u64.  Silent is an address whose mixed hash has upper 53 bits below. */
int steering_silence(struct steering *, struct bytes payload);
bool steering_is_silent(const struct steering *, const struct address *local);
size_t steering_count(const struct steering *);

/* A session begins: its visit (`fresh`: a new one), or NULL when there is no memory. */
struct visit *steering_enter(struct steering *, const struct address *source,
                             const struct address *local, uint64_t now_ms, bool *fresh);
/* Why that source is steered, as the table says now; false: it no longer is. */
struct steering_why {
	struct bytes arm, rule, reasons;
};
bool steering_why(const struct steering *, const struct address *source, struct steering_why *out);
/* It ended; the visit may have been forgotten meanwhile. */
void steering_leave(struct steering *, const struct address *source, const struct address *local,
                    uint64_t now_ms);
