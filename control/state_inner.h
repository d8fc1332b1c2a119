/*
 * Control's only file: what must survive its death, as records that are only appended.
 *
 *   | length u16 | type u8 | body | check u32 |      check: XXH3 over type and body
 *
 * A record that is cut or damaged ends the file: what follows was never acted upon, since
 * nothing is given to the prober before its record was written.  Written records survive a
 * killed process at once, and the machine's death up to what its kernel had not written yet
 * (some 30 s): then an address may be looked at twice in a day.  Records say what is, not what
 * changed, so that reading one twice does no harm.  Compacted by writing all that is alive
 * into a new file, which then takes the name.
 */
#pragma once
#include "control/approvals_inner.h"
#include "control/followed_inner.h"
#include "control/looks_inner.h"
#include "control/servers_inner.h"
#include "control/sources_inner.h"
#include "control/steers_inner.h"

#define STATE_RECORD_MAX 1024
#define STATE_RULE_MAX 200
#define STATE_GROWTH_MAX (256u << 20) /* compacted when it grew by this and doubled */

struct state_look {
	struct look look;
	uint32_t session;          /* mark of the session that led to it */
	char rule[STATE_RULE_MAX + 1];
};

struct state_survey { /* of which much must outlive us: its budget is a promise */
	char name[SURVEY_NAME_MAX + 1];
	uint64_t round, round_us, packets; /* of this round: its number, its start, what was sent */
	bool stopped, over;
};

struct state_reader {
	void *arg;
	void (*key)(void *arg, uint64_t hold_out_key);
	void (*look)(void *arg, const struct state_look *);  /* allowed, not yet given */
	void (*given)(void *arg, const struct event_id *, uint64_t expires_us);
	/* A look is over; looked_us 0: no packet was sent. */
	void (*done)(void *arg, const struct event_id *, uint64_t looked_us);
	void (*target)(void *arg, const struct address *, const struct event_id *decision,
		       const struct event_id *root, uint64_t looked_us);
	void (*steer)(void *arg, const struct steer *);
	void (*source)(void *arg, struct reader *); /* as source_read() takes it */
	void (*feature)(void *arg, uint64_t feature, uint64_t campaign, uint32_t sources, uint64_t seen_us);
	void (*survey)(void *arg, const struct state_survey *);
	/* `study` tells one study from another; with neither attack nor look: no longer followed. */
	void (*follow)(void *arg, uint64_t study, const struct followed *);
	void (*approval)(void *arg, struct reader *); /* as approvals_read() takes it */
	void (*visits)(void *arg, uint64_t hash, uint32_t day, uint32_t count); /* may be NULL */
	void (*server)(void *arg, struct reader *);   /* as servers_read() does */
};

/* Reads a file's text; returns how many bytes of it are whole. */
size_t state_read(struct bytes text, const struct state_reader *);

struct state;

/* Opens the directory (made by whoever prepared us) and reads what is there. */
int state_open(struct state **, const char *directory, const struct state_reader *, struct fault *);
void state_close(struct state *); /* writes what waits */
uint64_t state_damaged(const struct state *); /* bytes at the end that were not read */

void state_put_key(struct state *, uint64_t hold_out_key);
void state_put_look(struct state *, const struct state_look *);
void state_put_given(struct state *, const struct event_id *, uint64_t expires_us);
void state_put_done(struct state *, const struct event_id *, uint64_t looked_us);
void state_put_target(struct state *, const struct address *, const struct event_id *decision,
		      const struct event_id *root, uint64_t looked_us);
void state_put_steer(struct state *, const struct steer *);
void state_put_source(struct state *, const struct sources *, const struct source *);
void state_put_feature(struct state *, uint64_t feature, uint64_t campaign, uint32_t sources, uint64_t seen_us);
/* Visits of a day (control/visits_inner.h), of what has that hash. */
void state_put_visits(struct state *, uint64_t hash, uint32_t day, uint32_t count);
void state_put_survey(struct state *, const struct state_survey *);
void state_put_follow(struct state *, uint64_t study, const struct followed *);
void state_put_approval(struct state *, const struct approval *);
void state_put_server(struct state *, const struct server *);
/* All that was put is written, or a fault: then nothing may be given to the prober. */
int state_flush(struct state *, struct fault *);

bool state_wants_compaction(const struct state *);
/* What is put from here on goes to a new file, which takes the name at the end. */
int state_compact_begin(struct state *, struct fault *);
int state_compact_end(struct state *, struct fault *);
