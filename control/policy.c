#include "control/policy_inner.h"
#include "base/random.h"
#include "base/special.h"
#include <math.h>

#define CLOCK_SKEW_US 5000000 /* an event from a clock this far ahead is taken as from now */
#define SILENCE_SALT 0x73696c656e636521u

static const struct {
	const char *word, *what;
} reasons[REASON_COUNT] = {
#define X(reason, one_word, sentence) [REASON_##reason] = {one_word, sentence},
	REASONS(X)
#undef X
};

const char *reason_word(enum reason r) { return r < REASON_COUNT ? reasons[r].word : "unknown"; }
const char *reason_what(enum reason r) { return r < REASON_COUNT ? reasons[r].what : "unknown"; }

struct asked { /* one question with all that the checks read */
	const struct policy *policy;
	const struct question *question;
	const struct targets *targets;
	const struct target *known;
	uint64_t now_us;
};

static const struct active_options *active_of(const struct asked *a)
{
	return a->policy->settings->active;
}

static bool is_inactive(const struct asked *a)
{
	return !active_of(a)->enabled || a->policy->settings->scope.count == 0 ||
	       a->policy->opt_outs_unknown;
}

static bool lacks_contact(const struct asked *a)
{
	const char *contact = a->policy->settings->operator->contact;
	return !contact || !*contact;
}

/* One whose time is now and whose tier suffices, else any that holds the address: it explains a refusal. */
static const struct survey *survey_of(const struct asked *a)
{
	const struct settings *s = a->policy->settings;
	const struct survey *found = NULL;
	for (size_t i = 0; i < s->survey_count; i++) {
		const struct survey *it = &s->surveys[i];
		if (!prefix_set_holds(&it->prefixes, &a->question->target))
			continue;
		if (survey_is_on(it, a->now_us) && a->question->tier <= it->option->tier)
			return it;
		found = found ? found : it;
	}
	return found;
}

static bool is_marked(const struct asked *a) { return a->question->evidence.marking[0] != '\0'; }

static bool is_of_study(const struct question *q)
{
	return q->evidence.basis == BASIS_SURVEY && q->evidence.study_until_us;
}

static bool lacks_basis(const struct asked *a)
{
	enum basis basis = a->question->evidence.basis;
	if (is_of_study(a->question))
		return !a->policy->settings->follow.on || a->question->tier > STUDY_TIER;
	if (basis == BASIS_SURVEY) {
		const struct survey *survey = survey_of(a);
		return !survey || a->question->tier > survey->option->tier;
	}
	return basis == BASIS_NONE || basis >= BASIS_COUNT;
}

static uint64_t age_max_us(const struct policy *p, enum basis basis)
{
	const struct active_options *o = p->settings->active;
	switch (basis) {
	case BASIS_HANDSHAKE:
		return o->handshake_age_ms * 1000;
	case BASIS_COOKIE:
		return o->cookie_age_ms * 1000;
	case BASIS_SAMPLE:
	case BASIS_RECORD:
		return o->indicator_age_ms * 1000;
	default:
		return 0;
	}
}

uint64_t policy_basis_until(const struct policy *p, const struct evidence *e)
{
	uint64_t age = age_max_us(p, e->basis);
	if (e->basis == BASIS_SURVEY)
		return e->study_until_us;
	return age ? e->time_us + age : 0;
}

struct evidence policy_evidence_until(const struct policy *p, enum basis basis, uint64_t until_us)
{
	uint64_t age = age_max_us(p, basis);
	if (basis == BASIS_SURVEY)
		return (struct evidence){.basis = basis, .study_until_us = until_us};
	return (struct evidence){.basis = basis, .time_us = until_us > age ? until_us - age : 0};
}

static bool has_stale_basis(const struct asked *a)
{
	const struct evidence *e = &a->question->evidence;
	if (is_of_study(a->question))
		return a->now_us >= e->study_until_us || a->now_us >= a->policy->settings->follow.until_us;
	if (e->basis == BASIS_SURVEY)
		return !survey_is_on(survey_of(a), a->now_us);
	uint64_t until = policy_basis_until(a->policy, e);
	return until && (until < a->now_us || e->time_us > a->now_us + CLOCK_SKEW_US);
}

/* The set holds the address, or an IPv4 address that it carries: both ways lead to one machine. */
static bool holds_either_way(const struct prefix_set *set, const struct address *a)
{
	struct address carried[SPECIAL_EMBEDDED_MAX];
	bool held = set && prefix_set_holds(set, a);
	if (!set || !set->count || held)
		return held;
	size_t count = special_embedded(a, carried);
	for (size_t i = 0; i < count && !held; i++)
		held = prefix_set_holds(set, &carried[i]);
	return held;
}

/* The range that forbids a look at the address itself or at one that it carries; NULL: none. */
static const char *forbidding_range(const struct policy *p, const struct address *target)
{
	struct address all[1 + SPECIAL_EMBEDDED_MAX] = {*target};
	size_t count = 1 + special_embedded(target, all + 1);
	for (size_t i = 0; i < count; i++) {
		const char *range = special_range(&all[i]);
		if (range && !prefix_set_holds(&p->settings->special, &all[i]))
			return range;
	}
	return NULL;
}

static bool is_special(const struct asked *a) { return forbidding_range(a->policy, &a->question->target); }

static bool is_own(const struct asked *a)
{
	return holds_either_way(&a->policy->settings->own, &a->question->target);
}

static bool is_out_of_scope(const struct asked *a)
{
	return !prefix_set_holds(&a->policy->settings->scope, &a->question->target);
}

bool policy_has_opted_out(const struct policy *p, const struct address *a)
{
	return holds_either_way(p->opted_out, a) || holds_either_way(p->asked_out, a);
}

static bool has_opted_out(const struct asked *a)
{
	return policy_has_opted_out(a->policy, &a->question->target);
}

static bool is_known_scanner(const struct asked *a)
{
	return holds_either_way(&a->policy->settings->known_scanners, &a->question->target);
}

/* A survey's tier was approved with it; else the longest prefix of the scope that names one decides. */
uint64_t policy_tier_of(const struct policy *p, const struct address *target, enum basis basis)
{
	const struct scope_option *scope = p->settings->active->scope.items;
	uint64_t tier = p->settings->active->tier;
	unsigned bits = 0;
	if (basis == BASIS_SURVEY)
		return TIER_MAX;
	for (size_t i = 0; i < p->settings->active->scope.count; i++)
		if (scope[i].tier != SCOPE_TIER_NONE && scope[i].prefix.bits >= bits &&
		    prefix_holds(&scope[i].prefix, target)) {
			bits = scope[i].prefix.bits;
			tier = scope[i].tier;
		}
	return tier;
}

/* UDP caused far more complaints than HTTP in every large survey: only where it was opted in. */
static bool is_above_tier(const struct asked *a)
{
	const struct question *q = a->question;
	/* The study approves no tier of its own: that of the scope holds. */
	const enum basis basis = is_of_study(q) ? BASIS_HANDSHAKE : q->evidence.basis;
	return q->tier > policy_tier_of(a->policy, &q->target, basis) ||
	       (q->udp && q->tier < TIER_UDP);
}

static bool is_over_budget(const struct asked *a)
{
	const struct active_options *o = active_of(a);
	const struct question *q = a->question;
	bool too_large = q->ports > o->ports_max || q->ports * o->packets_per_port > o->packets_max;
	return too_large || (!q->goes_on && a->known && target_is_in_round(a->targets, a->known, a->now_us));
}

static bool is_held_out(const struct asked *a)
{
	double share = a->question->hold_out;
	return policy_is_held_out(a->policy, &a->question->target,
				  share < 0 ? active_of(a)->hold_out : share);
}

static bool met_a_silent_decoy(const struct asked *a)
{
	const struct address *decoy = &a->question->evidence.decoy;
	return !address_is_zero(decoy) && policy_is_silent(a->policy, decoy);
}

uint64_t policy_opens_us(const struct policy *p, const struct address *target, uint64_t from_us)
{
	const struct windows *w = &p->settings->windows;
	const struct zone *zone = w->asks_target && p->atlas ? atlas_zone(p->atlas, target) : NULL;
	return windows_next_us(w, zone, from_us);
}

/* It may wait for its window, but only as long as what proves that the source is real holds. */
static bool never_opens(const struct asked *a)
{
	uint64_t leave_us = a->question->leave_us ? a->question->leave_us : a->now_us;
	uint64_t opens_us = policy_opens_us(a->policy, &a->question->target, leave_us);
	uint64_t until_us = policy_basis_until(a->policy, &a->question->evidence);
	return opens_us == UINT64_MAX || (opens_us > leave_us && until_us && opens_us > until_us);
}

enum check_mark {
	AGAIN = 1,      /* asked once more when the look is about to leave */
	BY_ADDRESS = 2, /* not before a name is resolved */
	OF_LOOKS = 4,   /* not of visits, which have budgets of their own */
};

struct check {
	enum reason reason;
	bool (*refuses)(const struct asked *);
	unsigned marks; /* of enum check_mark */
};

/* The order is a promise: reports count by it. */
static const struct check checks[] = {
	{REASON_INACTIVE, is_inactive, AGAIN},
	{REASON_NO_CONTACT, lacks_contact, 0},
	{REASON_MARKING, is_marked, 0},
	{REASON_NO_BASIS, lacks_basis, AGAIN},
	{REASON_STALE_BASIS, has_stale_basis, AGAIN},
	{REASON_SPECIAL, is_special, AGAIN | BY_ADDRESS},
	{REASON_OWN, is_own, AGAIN | BY_ADDRESS},
	{REASON_SCOPE, is_out_of_scope, AGAIN | BY_ADDRESS},
	{REASON_OPTED_OUT, has_opted_out, AGAIN | BY_ADDRESS},
	{REASON_KNOWN_SCANNER, is_known_scanner, AGAIN | BY_ADDRESS},
	{REASON_TIER, is_above_tier, AGAIN | BY_ADDRESS},
	{REASON_TARGET_BUDGET, is_over_budget, OF_LOOKS},
	{REASON_HELD_OUT, is_held_out, OF_LOOKS},
	{REASON_SILENT_DECOY, met_a_silent_decoy, 0},
	{REASON_WINDOW, never_opens, AGAIN},
};

static enum reason run_checks(const struct asked *a, bool only_again)
{
	const struct question *q = a->question;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		const struct check *it = &checks[i];
		const bool asked = (it->marks & AGAIN || !only_again) && !(it->marks & BY_ADDRESS && q->nameless) &&
				   !(it->marks & OF_LOOKS && q->visit);
		if (asked && it->refuses(a))
			return it->reason;
	}
	return REASON_OK;
}

enum reason policy_check(const struct policy *p, const struct question *q,
			 const struct targets *targets, const struct target *known, uint64_t now_us)
{
	const struct asked a = {p, q, targets, known, now_us};
	return run_checks(&a, false);
}

enum reason policy_check_again(const struct policy *p, const struct question *q, uint64_t now_us)
{
	const struct asked a = {.policy = p, .question = q, .now_us = now_us};
	return run_checks(&a, true);
}

static bool hash_is_below(const struct address *a, uint64_t key, double share)
{
	return (double)(random_mix(address_hash(a, key)) >> 11) * 0x1p-53 < share;
}

bool policy_is_held_out(const struct policy *p, const struct address *a, double share)
{
	return hash_is_below(a, p->hold_out_key, share);
}

bool policy_is_silent(const struct policy *p, const struct address *decoy)
{
	return prefix_set_holds(&p->settings->silent, decoy) ||
	       hash_is_below(decoy, p->hold_out_key ^ SILENCE_SALT, p->settings->silent_share);
}

void policy_silence(const struct policy *p, uint64_t *key, uint64_t *below)
{
	*key = p->hold_out_key ^ SILENCE_SALT;
	*below = (uint64_t)ceil(p->settings->silent_share * 0x1p53);
}

struct address policy_source(const struct policy *p, const struct address *target)
{
	const struct option_list *list = &p->settings->active->addresses;
	const struct address *from = list->items;
	size_t fitting = 0;
	for (size_t i = 0; i < list->count; i++)
		fitting += address_is_v4(&from[i]) == address_is_v4(target);
	if (!fitting)
		return (struct address){0};
	size_t pick = (size_t)(address_hash(target, p->hold_out_key) % fitting);
	for (size_t i = 0; i < list->count; i++)
		if (address_is_v4(&from[i]) == address_is_v4(target) && pick-- == 0)
			return from[i];
	return (struct address){0};
}
