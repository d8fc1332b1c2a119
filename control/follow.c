/*
 * The follow-up study (active.follow): looks that no new attack leads to.
 *
 * Who is followed gave a basis itself: it completed a TCP handshake with a decoy or answered a
 * cookie, and a rule found that worth a look.  Nothing that can be forged brings anybody in; but any
 * packet in its name counts as not being silent, since that only puts a look off.  Each look of the
 * study is asked of the policy when its time has come, with the study's approval as its basis; who
 * is refused then is forgotten, but for what passes by itself.
 */
#include "base/random.h"
#include "control/room_inner.h"
#include <xxhash.h>

#define VISITED_AT_ONCE 4096      /* places of a tick: a round over all of a large table takes minutes */
#define LOOKS_AT_ONCE 256         /* decisions of a tick */
#define KEEP_US UINT64_C(10000000) /* what is heard is written to the state so often */

static const struct follow *study_of(const struct control *c) { return &c->settings.follow; }

static bool study_is_on(const struct control *c)
{
	return c->followeds && c->now_us < study_of(c)->until_us;
}

/* Another name is another approval: nobody is followed under one that was not given when it attacked. */
static uint64_t study_mark(const struct control *c)
{
	const char *name = study_of(c)->option->name;
	return XXH3_64bits(name, strlen(name));
}

kind_mask control_follow_kinds(const struct control *c)
{
	if (!c->followeds)
		return 0;
	return KIND_MASK(EVENT_SESSION_OPENED) | KIND_MASK(EVENT_SESSION_CLOSED) | KIND_MASK(EVENT_LOGIN_TRIED) |
	       KIND_MASK(EVENT_COMMAND_SENT) | KIND_MASK(EVENT_REQUEST_SEEN) | KIND_MASK(EVENT_FILE_CAPTURED) |
	       KIND_MASK(EVENT_MAIL_RECEIVED) | KIND_MASK(EVENT_SCAN_SEEN);
}

static void write_down(struct control *c, struct followed *f)
{
	f->changed = false;
	state_put_follow(c->state, study_mark(c), f);
}

static void stop_following(struct control *c, struct followed *f)
{
	const struct followed gone = {.address = f->address};
	state_put_follow(c->state, study_mark(c), &gone);
	followeds_forget(c->followeds, f);
}

static struct followed *follow(struct control *c, const struct address *a)
{
	struct followed *f = followeds_take(c->followeds, a);
	c->totals.not_followed += !f;
	return f;
}

void control_follow_hear(struct control *c, const struct address *source, const char *role)
{
	struct followed *f = study_is_on(c) ? followeds_find(c->followeds, source) : NULL;
	if (!f || (strcmp(role, "passive") && strcmp(role, "relay") && strcmp(role, "telescope")))
		return;
	f->heard_us = c->now_us;
	f->changed = true;
}

/* Refused for a reason that says nothing about the address. */
static bool is_of_the_moment(enum reason reason)
{
	return reason == REASON_TARGET_BUDGET || reason == REASON_WINDOW || reason == REASON_SENSOR_BUDGET ||
	       reason == REASON_QUEUE_FULL;
}

void control_follow_attack(struct control *c, const struct event *e, const struct question *q,
			   const struct look_answer *answer)
{
	const enum basis basis = q->evidence.basis;
	if (!study_is_on(c) || !study_of(c)->option->back.quiet_ms || (basis != BASIS_HANDSHAKE && basis != BASIS_COOKIE))
		return;
	if (strcmp(answer->decision, "allowed") && !is_of_the_moment(answer->reason))
		return;
	if (policy_is_silent(&c->policy, &q->evidence.decoy) || q->evidence.marking[0])
		return; /* whom nothing may be done about for comparison */
	struct followed *f = follow(c, &q->target);
	const uint64_t attack_us = q->evidence.time_us < c->now_us ? q->evidence.time_us : c->now_us;
	if (!f || attack_us < f->attack_us)
		return;
	f->attack_us = attack_us;
	f->heard_us = c->now_us;
	f->backed = f->backed && attack_us <= f->asked_us;
	f->attack = (struct followed_cause){.id = e->id, .root = e->id, .depth = (uint8_t)event_number(e, FIELD_DEPTH, 0)};
	event_id_of(e, FIELD_ROOT, &f->attack.root);
	write_down(c, f);
}

void control_follow_looked(struct control *c, const struct look *l)
{
	const bool own = l->lease.basis == BASIS_HANDSHAKE || l->lease.basis == BASIS_COOKIE;
	if (!study_is_on(c))
		return;
	struct followed *f = own && study_of(c)->option->relook.times ? follow(c, &l->lease.target)
								      : followeds_find(c->followeds, &l->lease.target);
	if (!f || (!own && !f->looked_us))
		return;
	if (own) {
		f->relooks = 0;
		f->look = (struct followed_cause){l->lease.id, l->lease.root, (uint8_t)l->lease.depth};
	}
	f->looked_us = c->now_us;
	write_down(c, f);
}

enum follow_step { FOLLOW_WAITS, FOLLOW_RELOOK, FOLLOW_BACK, FOLLOW_OVER };

static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

static enum follow_step step_of(const struct control *c, const struct followed *f)
{
	const struct follow_option *o = study_of(c)->option;
	const uint64_t within_us = f->attack_us + o->back.within_ms * 1000;
	const bool backs = o->back.quiet_ms && f->attack_us && !f->backed && c->now_us < within_us;
	const bool relooks = f->looked_us && f->relooks < o->relook.times;
	if (backs && later(f->attack_us, f->heard_us) + o->back.quiet_ms * 1000 <= c->now_us)
		return FOLLOW_BACK;
	if (relooks && later(f->looked_us, f->asked_us) + o->relook.after_ms * 1000 <= c->now_us)
		return FOLLOW_RELOOK;
	return backs || relooks ? FOLLOW_WAITS : FOLLOW_OVER;
}

/* Who looks up why finds the approval in the decision itself. */
static void write_why(const struct control *c, const struct followed *f, bool back, char *text, size_t n)
{
	const struct follow_option *o = study_of(c)->option;
	struct writer w = writer_of(text, n - 1);
	write_fmt(&w, "study %s: ", o->name);
	if (back)
		write_text(&w, "looked back at after it fell silent");
	else
		write_fmt(&w, "looked at again, %u of %llu", f->relooks + 1u, (unsigned long long)o->relook.times);
	write_fmt(&w, "; %.120s; approved by %.80s, %.80s", o->purpose, o->approved_by, o->reference);
	*w.at = '\0';
}

/* Until when a look of that step may leave: the approval's end, or that of looking back. */
static uint64_t holds_until(const struct control *c, const struct followed *f, bool back)
{
	const uint64_t within_us = f->attack_us + study_of(c)->option->back.within_ms * 1000;
	return back && within_us < study_of(c)->until_us ? within_us : study_of(c)->until_us;
}

/* True: a decision was made. */
static bool take_step(struct control *c, struct followed *f, bool back)
{
	const struct follow *study = study_of(c);
	char why[512];
	struct look_answer answer;
	const struct question q = {
		.target = f->address,
		.evidence = {.basis = BASIS_SURVEY, .time_us = c->now_us, .study_until_us = holds_until(c, f, back)},
		.ports = study->port_count,
		.tier = STUDY_TIER,
		.hold_out = -1,
	};
	const struct target *known = targets_find(c->targets, &f->address);
	const enum reason reason = policy_check(&c->policy, &q, c->targets, known, c->now_us);
	if (is_of_the_moment(reason) || reason == REASON_INACTIVE || (reason == REASON_OK && looks_full(c->looks)))
		return false; /* asked again in the next turn; what it waits for, or its time, ends */
	write_why(c, f, back, why, sizeof why);
	control_look_of_study(c, &q, study->ports, back ? &f->attack : &f->look, why, &answer);
	if (strcmp(answer.decision, "allowed")) {
		if (!is_of_the_moment(answer.reason))
			stop_following(c, f);
		return true;
	}
	c->totals.relooks += !back;
	c->totals.looks_back += back;
	f->asked_us = c->now_us;
	f->backed |= back;
	f->relooks = (uint8_t)(f->relooks + !back);
	write_down(c, f);
	return true;
}

void control_follow_tick(struct control *c, uint64_t now_us)
{
	c->now_us = now_us;
	if (!c->followeds || !followeds_count(c->followeds))
		return;
	const size_t places = followeds_places(c->followeds);
	const bool keep = now_us >= c->follow_kept_us + KEEP_US;
	size_t left = places < VISITED_AT_ONCE ? places : VISITED_AT_ONCE, decided = 0;
	if (keep)
		c->follow_kept_us = now_us;
	for (struct followed *f; decided < LOOKS_AT_ONCE && (f = followeds_next(c->followeds, &left));) {
		const enum follow_step step = study_is_on(c) ? step_of(c, f) : FOLLOW_OVER;
		if (step == FOLLOW_OVER)
			stop_following(c, f);
		else if (step != FOLLOW_WAITS)
			decided += take_step(c, f, step == FOLLOW_BACK);
		else if (f->changed && (keep || places > VISITED_AT_ONCE))
			write_down(c, f);
	}
}

/* Who wants to be left alone is not kept on a list of those to be looked at. */
void control_follow_opt_outs(struct control *c)
{
	size_t left = c->followeds ? followeds_places(c->followeds) : 0;
	for (struct followed *f; left && (f = followeds_next(c->followeds, &left));)
		if (policy_has_opted_out(&c->policy, &f->address))
			stop_following(c, f);
}

void control_follow_each(struct control *c, void (*each)(void *arg, const struct followed *), void *arg)
{
	size_t left = c->followeds ? followeds_places(c->followeds) : 0;
	for (const struct followed *f; left && (f = followeds_next(c->followeds, &left));)
		each(arg, f);
}

bool control_follow_forget(struct control *c, const struct address *a)
{
	struct followed *f = c->followeds ? followeds_find(c->followeds, a) : NULL;
	if (f)
		stop_following(c, f);
	return f != NULL;
}

static void keep(void *arg, const struct followed *f)
{
	struct control *c = arg;
	state_put_follow(c->state, study_mark(c), f);
}

void control_follow_retain(struct control *c)
{
	control_follow_each(c, keep, c);
}

static uint64_t earlier(uint64_t a, uint64_t b) { return a < b ? a : b; }

void control_follow_restore(struct control *c, uint64_t study, const struct followed *kept)
{
	if (!study_is_on(c) || study != study_mark(c))
		return;
	struct followed *f = kept->attack_us || kept->looked_us ? followeds_take(c->followeds, &kept->address)
								: followeds_find(c->followeds, &kept->address);
	if (!f)
		return;
	if (!kept->attack_us && !kept->looked_us) {
		followeds_forget(c->followeds, f);
		return;
	}
	const struct followed place = *f;
	*f = *kept;
	f->taken = place.taken;
	f->next = place.next;
	f->changed = false;
	f->attack_us = earlier(f->attack_us, c->now_us);
	f->heard_us = earlier(f->heard_us, c->now_us);
	f->looked_us = earlier(f->looked_us, c->now_us);
	f->asked_us = earlier(f->asked_us, c->now_us);
}
