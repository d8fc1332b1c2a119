/*
 * The room: everything control knows, and what it does about an event, a tick, an answer.
 *
 * Free of the bus and of clocks: what is to be said goes through `publish`, what is to be sent
 * to the prober is asked with control_next(), and the time is an argument.  room.c ties it to
 * the bus.
 */
#pragma once
#include "base/random.h"
#include "control/approve_inner.h"
#include "control/errands_inner.h"
#include "control/known_inner.h"
#include "control/looks_inner.h"
#include "control/optout_inner.h"
#include "control/policy_inner.h"
#include "control/register_inner.h"
#include "control/rules_inner.h"
#include "control/state_inner.h"
#include "control/steers_inner.h"
#include "control/visits_inner.h"

#define SENSORS_MAX 256
#define AS_PACES 65536 /* power of two; systems that share one are slower for it, never faster */
#define RETOLD_MAX 16384
#define LEAKS_MAX 16
#define LEAK_RETRY_US 60000000u
#define RETOLD_US 5000000 /* a journal that is further behind than this has refused them */

struct control_totals {
	uint64_t allowed, refused, held_out, withdrawn; /* decisions about looks */
	uint64_t steered, steered_at_random, not_steered; /* and about steering */
	uint64_t campaigns;     /* found */
	uint64_t by_reason[REASON_COUNT];
	uint64_t merged;        /* triggers of the session that had led to a look already */
	uint64_t repeated;      /* triggers told together */
	uint64_t from_probers;  /* events about our own probers: never a trigger */
	uint64_t too_deep;      /* chains of causes longer than they may be */
	uint64_t unpublished;   /* decisions not taken, as the journal was behind */
	uint64_t looks_done, packets_sent;
	uint64_t relooks, looks_back; /* of the study, allowed */
	uint64_t not_followed;  /* the study follows as many as it may */
};

struct control {
	struct settings settings;
	struct rules rules;
	struct policy policy;
	struct optout optout;
	struct optout_register asked_out;
	struct approvals approvals;
	struct servers servers;
	struct survey_run {
		struct state_survey kept;
		struct event_id lease;   /* zero: nobody has it */
		struct event_id decision;
		uint64_t heard_us;       /* when its holder was last heard */
		uint64_t expires_us, written_us;
		uint64_t lease_packets;  /* reported under this lease; kept.packets has those before it, too */
		uint64_t hits, looks;    /* of this round */
		uint64_t excluded_mark;  /* which opt-outs its holder knows */
		uint64_t refused_us;     /* refusals since the one that was told */
		uint32_t refused, refused_for;
	} surveys[SURVEYS_MAX]; /* in the order of settings.surveys */
	struct pace wishes, visitors_wishes; /* how many a second may ask to be left alone */
	struct targets *targets;
	struct looks *looks;
	struct steers *steers;
	struct sources *sources;     /* NULL: no rule asks what is known of a source */
	struct campaigns *campaigns; /* likewise */
	struct credentials credentials;
	struct errands errands;      /* for other processes */
	struct leak {
		struct event_id lease, approval; /* zero: none */
		uint64_t refused_us;             /* by the policy, last */
	} leaks[LEAKS_MAX];          /* approved bait on its way out */
	struct visits visits;
	struct followeds *followeds; /* NULL: there is no study */
	uint64_t follow_kept_us;     /* when what was heard of them was last written to the state */
	struct state *state;
	struct pace packets, refusals;
	struct pace *systems; /* one of AS_PACES for each autonomous system; NULL: that limit is off */
	struct atlas *atlas;  /* NULL: no file was given */
	struct sensor_budget {
		uint64_t hour_us;
		uint64_t looks;
	} sensors[SENSORS_MAX];
	struct random random;
	struct id_maker ids;
	struct control_totals totals;
	uint64_t bulk[REASON_COUNT]; /* refusals to be told as one number */
	uint64_t gap;                /* unpublished ones to be told when the journal is back */
	uint64_t now_us;             /* of the call that runs */
	int (*publish)(void *arg, struct event *);
	/* Tells the prober to stop looking at that address. */
	void (*revoke)(void *arg, const struct address *);
	/* The same to who visits pages; may be NULL. */
	void (*revoke_visits)(void *arg, const struct address *);
	/* How an approval stands is another now; may be NULL. */
	void (*approval_changed)(void *arg, const struct approval *);
	void *arg;
	struct event event; /* what is being written */
	struct event found; /* campaign.found, which rules are asked about */
	bool stopping;
	bool opt_outs_grew; /* since others were told of them */
	uint64_t kept_us;   /* when what is known was last written to the state */
	struct look *recent; /* decided shortly before control died; NULL after control_retell() */
	size_t recent_count;
};

/* Opens everything but the settings, which the caller has read; `directory` holds the state. */
int control_open(struct control *, const char *directory, uint64_t now_us, struct fault *);
void control_close(struct control *);
int control_compact(struct control *, struct fault *);
/*
 * Tells the last decisions of its former life again, under their own ids: the journal may not
 * have had them yet, and keeps one of two with the same id.
 */
void control_retell(struct control *, uint64_t now_us);

/* In decide.c: */

/* One event from a process; what it makes control decide. */
void control_event(struct control *, const struct event *, unsigned worker, uint64_t now_us);

uint32_t control_session_mark(const struct event *); /* tells sessions of one source apart; 0: none */

/* In hand_over.c: */

/* Puts the event in the line of each action that a rule names for it and that another process does. */
void control_hand_over(struct control *, const struct event *);

/* In visits_decide.c: */

struct visit_answer {
	const char *decision;
	enum reason reason;
	struct event_id id; /* of the decision, and the lease; zero when none could be made */
	uint64_t not_before_us;
	char detail[200];
};
/* What the rules say about the page that the event names. */
void control_visit(struct control *, const struct event *, const char *role, unsigned worker);
/* Somebody names a page by hand; `here`: who asks will visit it, else the process "visit" does.  `dry`: only what would be. */
void control_visit_ask(struct control *, struct bytes url, bool here, bool dry, uint64_t now_us, struct visit_answer *);
void control_visits_tick(struct control *, uint64_t now_us); /* whose time has come, whose lease has ended */

/* In visits_connect.c: */

/* May that visit connect there?  REASON_OK and where to send from, or why not. */
enum reason control_visit_connect(struct control *, const struct event_id *lease, const struct address *, uint16_t port,
				  struct bytes host, uint64_t now_us, struct address *from);
void control_visit_done(struct control *, const struct event_id *lease);
void control_visits_opt_outs(struct control *); /* there are others now: connections to them end */

/* In visits_topics.c: */
struct visit_topics {
	struct control *control;
	struct bus *bus;
};
void visit_topics_open(struct visit_topics *);

/* In learn.c: */

/* The kinds that tell something about a source. */
kind_mask control_learns_from(const struct control *);
/* Takes in what an event tells of its source; campaigns that this completes are told. */
void control_learn(struct control *, const struct event *, const struct address *source, const char *role);
void control_keep_learned(struct control *, uint64_t now_us); /* now and then: to the state */
void control_retain_learned(struct control *);                /* all, for a compaction */

/* In forget.c: */

/* As the operator erased it (store/erasure.h); how many sources were known.  What is left is written anew. */
uint64_t control_forget(struct control *, struct bytes erasure, uint64_t now_us);

/* In steer.c: */

/* What the rules say about steering that source, now that this event came. */
void control_steer(struct control *, const struct event *, const struct address *source);

/* In tell.c: */

int control_publish(struct control *); /* what stands in `event` */
/* What was counted of that address since its last event. */
void control_window_tell(struct control *, struct target *);
/* Once a second: repeats told together, ends of rounds, leases that ran out. */
void control_tick(struct control *, uint64_t now_us);
/* All that is still counted, at the end. */
void control_tell_all(struct control *, uint64_t now_us);

struct look_answer {
	const char *decision;
	enum reason reason;
	struct event_id id; /* of the decision; zero when none could be made */
	uint64_t not_before_us;
	char detail[200];   /* the particulars; may be empty */
};

#define LOOK_WHY_MAX 200
#define LOOK_PAP_MAX 24

struct look_ask {
	struct address target;
	uint32_t ports[LEASE_PORTS_MAX];
	uint8_t port_count, tier;
	enum basis basis; /* BASIS_SURVEY or BASIS_OPERATOR */
	bool dry;         /* only what would be */
	struct followed_cause record; /* of a study of imported records: what it follows from */
	char why[LOOK_WHY_MAX];       /* likewise, in words; empty: asked by hand, it follows from nothing */
	char pap[LOOK_PAP_MAX];       /* likewise, the record's marking; empty: it has none */
};

/* Somebody asks for a look by hand. */
void control_ask(struct control *, const struct look_ask *, uint64_t now_us, struct look_answer *);

/* In leave.c: */

/* The next look that may leave now; its packets are taken.  NULL: none, see control_wake_us(). */
struct look *control_next(struct control *, uint64_t now_us);
void control_given(struct control *, struct look *, uint64_t now_us);
uint64_t control_wake_us(struct control *, uint64_t now_us); /* when to ask again; UINT64_MAX: never */
/* It could not be handed over: waits again. */
void control_return(struct control *, struct look *, uint64_t now_us);
/* The prober would not take it, or gave it back unsent: waits again, but not for ever. */
void control_unsent(struct control *, struct look *, uint64_t now_us);
void control_done(struct control *, const struct event_id *, uint64_t packets, uint64_t now_us);
void control_prober_gone(struct control *, uint64_t now_us);
void control_opt_outs_changed(struct control *, uint64_t now_us);
void control_overdue(struct control *, uint64_t now_us);
/* An allowed look will not be taken after all. */
void control_withdraw(struct control *, struct look *, enum reason, bool packet_may_have_left);

/* In survey.c: */

struct survey_grant_made {
	struct survey_lease lease;
	struct prefix_set targets, excluded; /* the caller's */
};
/* Somebody asks for the survey's permission.  REASON_OK and a grant, or why not, with a sentence. */
enum reason control_survey_ask(struct control *, struct bytes name, uint64_t now_us, struct survey_grant_made *,
			       struct fault *);
/* NULL: go on, and `excluded` (may be left empty) is the set anew.  Else why not. */
const char *control_survey_keep(struct control *, const struct survey_progress *, uint64_t now_us,
				struct prefix_set *excluded);
/* Hits of a lease, on the wire (control/policy.h); how many will be looked at, or ERR_BAD or ERR_GONE. */
int64_t control_survey_hits(struct control *, struct bytes hits, uint64_t now_us);
/* Stops it, its holder within a second, or lets it run again; ERR_MISSING. */
int control_survey_stop(struct control *, struct bytes name, bool stop, uint64_t now_us);
void control_survey_write(struct control *, uint64_t now_us, struct writer *json); /* all of them */
void control_survey_retain(struct control *); /* for a compaction */
void control_survey_restore(struct control *, const struct state_survey *);
void control_survey_tick(struct control *, uint64_t now_us); /* leases that ended, refusals told together */

/* In survey_topics.c: answers at the bus, and opens what a command line may ask. */
struct bus;
struct survey_topics {
	struct control *control;
	struct bus *bus;
};
void survey_topics_open(struct survey_topics *);

/* In decide.c, for survey.c: a look at what answered a survey, as policy allows. */
void control_look_at_hit(struct control *, const struct event *hit, const uint32_t *ports, size_t count,
			 uint64_t tier, struct look_answer *);

/* In follow.c: */

kind_mask control_follow_kinds(const struct control *); /* that tell that a source is not silent */
/* An event of a sensor of ours about that source. */
void control_follow_hear(struct control *, const struct address *source, const char *role);
/* A rule found that event worth a look; what was decided. */
void control_follow_attack(struct control *, const struct event *, const struct question *, const struct look_answer *);
void control_follow_looked(struct control *, const struct look *); /* a packet of it left */
void control_follow_tick(struct control *, uint64_t now_us);       /* looks of the study whose time has come */
void control_follow_opt_outs(struct control *);                    /* there are others now */
void control_follow_each(struct control *, void (*each)(void *arg, const struct followed *), void *arg);
bool control_follow_forget(struct control *, const struct address *);
void control_follow_retain(struct control *); /* for a compaction */
void control_follow_restore(struct control *, uint64_t study, const struct followed *);

/* In decide.c, for follow.c: `why` is the decision's detail. */
void control_look_of_study(struct control *, const struct question *, const uint32_t *ports, const struct followed_cause *,
			   const char *why, struct look_answer *);

/* In server_checks.c: */

/* A rule wants the server that this event names to be checked. */
void control_check_event(struct control *, const struct event *, const struct rule *, const struct address *source,
			 const char *role, unsigned worker);
/* What that look may say, right before it leaves; false: nothing is known of such a server any more. */
bool control_check_order(struct control *, const struct look *, uint64_t now_us, struct check_order *);
void control_check_result(struct control *, const struct check_result *, uint64_t now_us);
void control_check_approval(struct control *, const struct approval *); /* of kind hello, asked by us */
void control_check_tick(struct control *, uint64_t now_us);             /* servers whose time has come */
void control_check_retain(struct control *);                            /* for a compaction */

/* In leaks.c: */

/* A sample tried to send bait, and a rule wants it sent: asks the operator. */
void control_leak_event(struct control *, const struct event *, const struct address *source, const char *role);
void control_leak_tick(struct control *, uint64_t now_us); /* what was approved leaves */
/* What that look may say; false: it is none, or is not approved any more. */
bool control_leak_order(struct control *, const struct look *, uint64_t now_us, struct check_order *);

/* In decide.c, for server_checks.c: with an event and its rule, or what it follows from (`earlier`, `why`). */
void control_look_of_check(struct control *, const struct event *, const struct rule *, const struct question *,
			   const uint32_t *ports, const struct followed_cause *earlier, const char *why,
			   unsigned worker, struct look_answer *);

/* In ask.c: */

/* A request "look.ask" (control.h) from JSON. */
int look_ask_read(struct bytes json, struct look_ask *, struct fault *);
void look_answer_write(const struct look_answer *, struct writer *json);
void control_write_state(struct control *, struct writer *json);

/* In decide.c, for restore.c and leave.c: */

void control_keep_look(struct control *, const struct look *);
