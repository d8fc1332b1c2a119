/*
 * Bait as the decoys lay it out and recognise it.
 *
 * Texts of a persona hold %{bait.password:NAME}, %{bait.key:NAME} and %{bait.url:NAME}.  What is
 * filled in follows from the device and the name alone, so that an account has the same password
 * in every file of a device, and another on every other device.  Nothing is remembered until
 * somebody reads it: then who saw it, where and when goes into a table of all workers.
 *
 * One for each process.  While a callback runs, what was shown gathers here, and what was heard of
 * the event that is written; passive/room/session_bait.c tells both.
 */
#pragma once
#include "bait/ledger.h"
#include "passive/device/bait/sights.h"
#include "passive/persona.h"

#define BAIT_PLACES_MAX 1024
#define BAIT_QUEUE_MAX 16 /* of one callback */

struct bait_place { /* a text of a persona with bait in it */
	const struct persona *persona;
	struct bytes text;
	char path[SIGHT_PATH_MAX];
};

struct bait_shown {
	struct bait_token token;
	enum bait_shape shape;
	char name[SIGHT_NAME_MAX], path[SIGHT_PATH_MAX];
};

struct bait_heard {
	struct bait_token token;
	enum bait_shape shape;
};

struct session;

struct bait {
	struct bait_ledger ledger;
	struct sights *sights; /* NULL: nobody's sight is remembered */
	struct bait_place *places;
	size_t place_count, shown_count, heard_count;
	struct bait_shown shown[BAIT_QUEUE_MAX];
	struct bait_heard heard[BAIT_QUEUE_MAX];
	const char *heard_kind; /* of the event in which it was heard */
	char crawler[12];       /* what that event says of the peer; empty: nothing */
};

/* Takes both descriptors over; sights -1: none. */
int bait_open(struct bait *, int ledger, int sights, struct fault *);
void bait_done(struct bait *);
/* Notes where in these personas there is bait, for the paths in what is told. */
int bait_survey(struct bait *, const struct persona_set *);
/*
 * Fills in "SHAPE:NAME" of a text at a device; false: there is no such shape.  Without a ledger
 * (rehearsals) what comes out looks the same and means nothing.
 */
bool bait_expand(struct bait *, const struct persona *, const struct address *device, struct bytes text,
		 struct bytes what, struct writer *);
/*
 * Passwords that may have been found under a user's name, for log-ins in which none is said: this
 * device's, those of the ledger, and what was looked at lately elsewhere.
 */
struct bait_candidate {
	uint8_t password[BAIT_PASSWORD_CHARS];
};
size_t bait_candidates(struct bait *, const struct address *device, struct bytes user, struct bait_candidate *,
		       size_t max);
size_t session_bait_candidates(const struct session *, struct bytes user, struct bait_candidate *, size_t max);
/* Whether these credentials were planted as a pair, for that device or for all. */
bool bait_opens(struct bait *, const struct address *device, struct bytes user, struct bytes secret);
