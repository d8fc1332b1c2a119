#include "passive/room/reflection.h"
#include "base/error.h"
#include "base/random.h"
#include <stdlib.h>

#define WAYS 8
#define SETS_MIN 64
#define SECOND_US 1000000u
#define NEW_AFTER_US (300u * SECOND_US)  /* a source unheard of for so long is new again */
#define CREDIT_US (60u * SECOND_US)      /* how long bytes in may be answered by later bytes */
#define CREDIT_MAX REFLECTION_ANSWER_MAX /* and how many */
#define DIALOGUE_MAX 640 /* the longer answer may come in parts, when it is no longer than this */
#define DIALOGUE_FACTOR 8 /* and no more than so many times as long as its question */
#define FEW 8 /* packets of a source that sends little: a scanner first looks for ports, then asks */
#define ASK_STEP_US (60u * SECOND_US / REFLECTION_ASKS_MAX)
#define ANSWER_STEP_US (SECOND_US / REFLECTION_ANSWERS_PER_SECOND)
#define ANSWER_BURST 20
#define SMALL 4 /* an answer so many times shorter than its question is not worth forging for */
#define NETWORK_SOURCES 4   /* as many sources of a network may ask as much as one may */
#define AMPLIFIES 2         /* times as long as its question is an answer worth forging for */
#define EXCESS_MAX 8192     /* bytes, all workers */
#define EXCESS_PER_SECOND 64
#define SOURCE_BITS 128
#define NETWORK_BITS_V4 120
#define NETWORK_BITS_V6 64

struct reflection_account {
	struct address base;
	uint8_t bits;    /* tells a source from a network of the same base; 0: free */
	uint8_t few;     /* packets since it was new, up to FEW + 1 */
	bool told;       /* it stands in `attacks` */
	uint32_t credit; /* bytes that it may still be told */
	uint64_t heard_us, longer_us, asks_until_us, answers_until_us, silent_until_us;
	/* Of the requests that amplify, and of all while it is silent. */
	uint64_t weighed_in, weighed_whole; /* of those whose whole answer is known */
	struct reflection_attack attack;
	LIST_ENTRY(reflection_account) others;
};

int reflection_open(struct reflection *r, const struct reflection_options *o, unsigned workers)
{
	size_t sets = SETS_MIN;
	while (sets * WAYS < o->sources)
		sets *= 2;
	struct reflection_account *accounts = calloc(sets * WAYS, sizeof *accounts);
	if (!accounts)
		return ERR_MEMORY;
	uint64_t share = EXCESS_MAX / (workers ? workers : 1);
	*r = (struct reflection){
	        .options = *o,
	        .accounts = accounts,
	        .sets = sets,
	        .key = random_secret(),
	        /* A worker that could never answer would be no decoy. */
	        .excess_max = share > REFLECTION_ANSWER_MAX ? share : REFLECTION_ANSWER_MAX,
	        .excess_per_second = EXCESS_PER_SECOND / (workers ? workers : 1) + 1,
	};
	LIST_INIT(&r->attacks);
	return 0;
}

void reflection_done(struct reflection *r)
{
	free(r->accounts);
	*r = (struct reflection){0};
}

static bool account_is_idle(const struct reflection_account *a, uint64_t now_us)
{
	return !a->told && a->silent_until_us <= now_us && a->heard_us + NEW_AFTER_US <= now_us;
}

static struct reflection_account *account_of(struct reflection *r, const struct address *who,
                                             bool network, uint64_t now_us)
{
	unsigned bits = !network             ? SOURCE_BITS
	                : address_is_v4(who) ? NETWORK_BITS_V4
	                                     : NETWORK_BITS_V6;
	struct prefix p = prefix_of(who, bits);
	size_t set = address_hash(&p.base, r->key + bits) & (r->sets - 1);
	struct reflection_account *a = r->accounts + set * WAYS, *idle = NULL;
	for (size_t i = 0; i < WAYS; i++, a++) {
		if (a->bits == bits && address_equal(&a->base, &p.base))
			return a;
		if (!idle && (a->bits == 0 || account_is_idle(a, now_us)))
			idle = a;
	}
	if (idle)
		*idle = (struct reflection_account){.base = p.base, .bits = (uint8_t)bits};
	return idle;
}

static void account_hear(struct reflection_account *a, size_t n, uint64_t now_us)
{
	bool is_new = a->heard_us == 0 || a->heard_us + NEW_AFTER_US <= now_us;
	uint32_t kept = a->heard_us + CREDIT_US > now_us ? a->credit : 0;
	if (kept > CREDIT_MAX)
		kept = CREDIT_MAX;
	a->credit = kept + (uint32_t)n;
	if (is_new) {
		a->few = 0;
		if (a->bits == SOURCE_BITS)
			a->longer_us = 0;
	}
	a->few += a->few <= FEW;
	a->heard_us = now_us;
}

static uint64_t excess_now(const struct reflection *r, uint64_t now_us)
{
	uint64_t gone = (now_us - r->excess_us) / SECOND_US * r->excess_per_second;
	return r->excess > gone ? r->excess - gone : 0;
}

static void excess_set(struct reflection *r, uint64_t excess, uint64_t now_us)
{
	uint64_t whole_seconds = (now_us - r->excess_us) / SECOND_US * SECOND_US;
	r->excess = excess;
	r->excess_us = excess ? r->excess_us + whole_seconds : now_us;
}

/* Whether the one longer answer is still free: of the source, its network, and all. */
static bool longer_is_free(const struct reflection *r, const struct reflection_account *source,
                           const struct reflection_account *network, uint64_t now_us)
{
	return source->longer_us == 0 && source->few <= FEW &&
	       (network->longer_us == 0 || network->longer_us + NEW_AFTER_US <= now_us) &&
	       excess_now(r, now_us) + REFLECTION_ANSWER_MAX <= r->excess_max;
}

static void attack_report(struct reflection *r, struct reflection_account *a, bool ended)
{
	struct reflection_attack told = a->attack;
	told.victim = a->base;
	told.ended = ended;
	/* What was not read amplifies as what was. */
	if (a->weighed_in)
		told.bytes_whole = (uint64_t)((double)told.bytes_in * (double)a->weighed_whole /
		                              (double)a->weighed_in);
	else
		told.bytes_whole = a->weighed_whole;
	r->tell(r->tell_arg, &told);
}

static void attack_count(struct reflection *r, struct reflection_account *a, size_t n,
                         uint64_t now_us)
{
	struct reflection_attack *attack = &a->attack;
	if (!a->told && attack->last_us + r->options.quiet_ms * 1000 <= now_us) {
		*attack = (struct reflection_attack){.first_us = now_us, .place = attack->place};
		a->weighed_in = a->weighed_whole = 0;
	}
	attack->last_us = now_us;
	attack->requests++;
	attack->bytes_in += n;
	if (a->told || attack->requests < REFLECTION_ATTACK_REQUESTS)
		return;
	a->told = true;
	LIST_INSERT_HEAD(&r->attacks, a, others);
	attack_report(r, a, false);
}

/* Whether one more answer fits the rate of a source or network; its bursts last equally long. */
static bool answer_fits(const struct reflection_account *a, uint64_t now_us)
{
	return a->answers_until_us <= now_us + (uint64_t)ANSWER_STEP_US * (ANSWER_BURST - 1);
}

size_t reflection_hear(struct reflection *r, const struct address *peer,
                       const struct reflection_place *place, size_t n, uint64_t now_us)
{
	struct reflection_account *source = account_of(r, peer, false, now_us);
	if (!source)
		return 0;
	account_hear(source, n, now_us); /* now it is not idle: the network cannot take its place */
	struct reflection_account *network = account_of(r, peer, true, now_us);
	if (!network)
		return 0;
	account_hear(network, n, now_us);
	uint64_t excess = excess_now(r, now_us);
	excess_set(r, excess > n ? excess - n : 0, now_us);
	source->attack.place = *place;
	if (source->silent_until_us > now_us || network->silent_until_us > now_us) {
		attack_count(r, source, n, now_us);
		return 0;
	}
	/* Where an answer would not go out, a flood is not worth a session for each forged port. */
	if (!answer_fits(source, now_us) || !answer_fits(network, now_us))
		return 0;
	size_t longest = source->credit < network->credit ? source->credit : network->credit;
	if (longest < REFLECTION_ANSWER_MAX && longer_is_free(r, source, network, now_us))
		longest = REFLECTION_ANSWER_MAX;
	return longest;
}

/* Counts a request that amplifies; true when that was too much. */
static bool account_ask(struct reflection *r, struct reflection_account *a, unsigned sources,
                        uint64_t now_us)
{
	uint64_t step = ASK_STEP_US / sources;
	if (a->asks_until_us < now_us)
		a->asks_until_us = now_us;
	a->asks_until_us += step;
	if (a->asks_until_us <= now_us + (uint64_t)ASK_STEP_US * REFLECTION_ASKS_MAX)
		return false;
	a->silent_until_us = now_us + r->options.silence_ms * 1000;
	return true;
}

static void answer_use(struct reflection_account *a, unsigned sources, uint64_t now_us)
{
	a->answers_until_us = (a->answers_until_us > now_us ? a->answers_until_us : now_us) + ANSWER_STEP_US / sources;
}

static void answer_count(struct reflection *r, struct reflection_account *source,
                         struct reflection_account *network, size_t asked, size_t n, uint64_t now_us)
{
	bool longer = n > source->credit || n > network->credit;
	source->credit -= n < source->credit ? (uint32_t)n : source->credit;
	network->credit -= n < network->credit ? (uint32_t)n : network->credit;
	if (longer) {
		source->longer_us = network->longer_us = now_us;
		uint32_t rest = n < DIALOGUE_MAX && n <= asked * DIALOGUE_FACTOR ? DIALOGUE_MAX - (uint32_t)n : 0;
		source->credit += rest;
		network->credit += rest;
	}
	/* Whatever its length: so even tiny forged questions bring fewer bytes than they cost. */
	excess_set(r, excess_now(r, now_us) + (longer ? REFLECTION_ANSWER_MAX : n), now_us);
}

bool reflection_answer(struct reflection *r, const struct address *peer, size_t asked, size_t said,
                       size_t whole, uint64_t now_us)
{
	struct reflection_account *source = account_of(r, peer, false, now_us);
	struct reflection_account *network = source ? account_of(r, peer, true, now_us) : NULL;
	if (!network)
		return false;
	bool amplifies = whole > 0 && whole >= asked * AMPLIFIES, silent = false;
	if (amplifies) {
		attack_count(r, source, asked, now_us);
		source->weighed_in += asked;
		source->weighed_whole += whole;
		silent = account_ask(r, source, 1, now_us);
		silent |= account_ask(r, network, NETWORK_SOURCES, now_us);
	}
	if (said == 0 || silent || source->silent_until_us > now_us ||
	    network->silent_until_us > now_us)
		return false;
	if ((said > source->credit || said > network->credit) &&
	    (said > REFLECTION_ANSWER_MAX || !longer_is_free(r, source, network, now_us)))
		return false;
	if (said * SMALL > asked) {
		if (!answer_fits(source, now_us) || !answer_fits(network, now_us))
			return false;
		answer_use(source, 1, now_us);
		answer_use(network, NETWORK_SOURCES, now_us);
	}
	answer_count(r, source, network, asked, said, now_us);
	if (amplifies)
		source->attack.bytes_out += said;
	return true;
}

bool reflection_settle(struct reflection *r, uint64_t now_us, bool all)
{
	struct reflection_account *a, *next;
	for (a = LIST_FIRST(&r->attacks); a; a = next) {
		next = LIST_NEXT(a, others);
		if (!all && a->attack.last_us + r->options.quiet_ms * 1000 > now_us)
			continue;
		LIST_REMOVE(a, others);
		a->told = false;
		attack_report(r, a, true);
		a->attack = (struct reflection_attack){.place = a->attack.place};
		a->weighed_in = a->weighed_whole = 0;
	}
	return !LIST_EMPTY(&r->attacks);
}
