/*
 * Control's steering table: which source meets which persona, and why.
 *
 * Every change makes a new version; workers hold copies (topic "steer.table"):
 *
 *   version u64, flags u8 (1: replaces all, 2: that table ends here), count u32, then entries of
 *   source address (16), cause id (16), and texts, each with its length as u8: name of the persona
 *   (empty: not steered, or no longer), arm of the trial, rule, reasons
 *
 * Who is held out has an entry without a persona, so that this, too, stays.
 *
 * A large table goes out as one message that replaces all and more that add to it, each with
 * a version of its own.  Versions begin at the time of start in microseconds, so that they
 * rise over restarts too.  Bounded (about 250 bytes an entry); the oldest entry makes room.
 */
#pragma once
#include "base/address.h"
#include "event/id.h"

#define STEER_FLAG_ALL 1
#define STEER_FLAG_WHOLE 2
#define STEER_PERSONAS_MAX 64
#define STEER_PERSONA_NAME_MAX 31
#define STEER_MESSAGE_MAX (256u << 10)

#define STEER_RULE_MAX 63
#define STEER_UNIT_MAX 63
#define STEER_WHY_MAX 191

enum steer_arm { ARM_STEERED, ARM_RANDOM, ARM_HELD_OUT, STEER_ARMS };
const char *steer_arm_name(enum steer_arm);

struct steers;

struct steer {
	struct address source;
	struct event_id cause;
	uint64_t expires_us;
	const char *persona; /* "": held out */
	enum steer_arm arm;
	const char *rule, *unit, *why; /* NULL: "" */
};

int steers_open(struct steers **, size_t max, uint64_t key, uint64_t version);
void steers_close(struct steers *);
size_t steers_count(const struct steers *);
uint64_t steers_version(const struct steers *);
/* 1: it is new or another than before; 0: known, only lasts longer; ERR_FULL: too many names. */
int steers_set(struct steers *, const struct steer *);
/* The texts of `out` live until the entry changes. */
bool steers_find(const struct steers *, const struct address *, struct steer *out);
bool steers_forget(struct steers *, const struct address *); /* false: it had no entry */
void steers_expire(struct steers *, uint64_t now_us);
/*
 * Writes the next message of changes that were not told yet; false when there are none.  The
 * writer should have room for STEER_MESSAGE_MAX.
 */
bool steers_write_changes(struct steers *, struct writer *);
/* The whole table in messages: `at` starts at 0; false when all was written. */
bool steers_write_all(struct steers *, size_t *at, struct writer *);
void steers_each(const struct steers *, void (*each)(void *arg, const struct steer *), void *arg);
