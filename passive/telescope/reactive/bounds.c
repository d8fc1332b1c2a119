#include "passive/telescope/reactive/bounds.h"
#include "base/random.h"
#include <stdlib.h>

#define NETWORK_RATE 32
#define NETWORK_BURST 512
#define RATE 5000
#define SECOND_US 1000000u
/*
 * A cookie has 32 bits, and four values are right at a time (two slots, two kinds of SYN).  At so
 * many wrong ones a second somebody who cannot see our answers needs three days for one forged
 * handshake; from one network it would take three centuries.
 */
#define GUESSES_PER_SECOND 4096
#define GUESS_NETWORK_US (10 * SECOND_US)
#define GUESS_NETWORK_BURST_US (16 * GUESS_NETWORK_US)
#define GUESS_US (SECOND_US / GUESSES_PER_SECOND)
#define CLOCK_STEP_US (60 * SECOND_US)
#define NETWORK_BITS_V4 120 /* /24, counted in the mapped form */
#define NETWORK_BITS_V6 64

static uint64_t cost_us(uint64_t rate) { return rate < SECOND_US ? SECOND_US / rate : 1; }

int bounds_open(struct bounds *out, const struct reactive_options *o)
{
	uint64_t network = o->network_rate ? o->network_rate : NETWORK_RATE;
	uint64_t network_burst = o->network_burst ? o->network_burst : NETWORK_BURST;
	uint64_t rate = o->rate ? o->rate : RATE, burst = o->burst ? o->burst : rate;
	struct bounds b = {
		.key = random_secret(),
		.network_us = cost_us(network),
		.network_burst_us = network_burst * cost_us(network),
		.all_us = cost_us(rate),
		.all_burst_us = burst * cost_us(rate),
		.networks = calloc(REACTIVE_SKETCH, sizeof *b.networks),
		.guesses = calloc(REACTIVE_SKETCH, sizeof *b.guesses),
		.answered = calloc(REACTIVE_SKETCH, sizeof *b.answered),
		.phases = calloc(REACTIVE_SKETCH, sizeof *b.phases),
	};
	if (!b.networks || !b.guesses || !b.answered || !b.phases) {
		bounds_close(&b);
		return ERR_MEMORY;
	}
	*out = b;
	return 0;
}

void bounds_close(struct bounds *b)
{
	free(b->networks);
	free(b->guesses);
	free(b->answered);
	free(b->phases);
	*b = (struct bounds){0};
}

static size_t place_of(const struct bounds *b, const struct address *a)
{
	return address_hash(a, b->key) & (REACTIVE_SKETCH - 1);
}

static size_t network_place(const struct bounds *b, const struct address *a)
{
	struct prefix network = prefix_of(a, address_is_v4(a) ? NETWORK_BITS_V4 : NETWORK_BITS_V6);
	return place_of(b, &network.base);
}

/*
 * The generic cell rate algorithm: a share is the time up to which it is used.  That is never
 * further ahead than the burst, so what lies far beyond was left by a clock that was set back.
 */
static uint64_t share_from(uint64_t until_us, uint64_t burst_us, uint64_t now_us)
{
	return until_us > now_us && until_us <= now_us + burst_us + CLOCK_STEP_US ? until_us : now_us;
}

static bool share_has(uint64_t until_us, uint64_t cost, uint64_t burst_us, uint64_t now_us)
{
	return share_from(until_us, burst_us, now_us) + cost <= now_us + burst_us;
}

static void share_use(uint64_t *until_us, uint64_t cost, uint64_t burst_us, uint64_t now_us)
{
	*until_us = share_from(*until_us, burst_us, now_us) + cost;
}

enum reactive_refusal bounds_answer(struct bounds *b, const struct address *a, uint64_t now_us)
{
	uint64_t *network = &b->networks[network_place(b, a)];
	if (!share_has(*network, b->network_us, b->network_burst_us, now_us))
		return REACTIVE_NETWORK;
	if (!share_has(b->all_until_us, b->all_us, b->all_burst_us, now_us))
		return REACTIVE_RATE;
	share_use(network, b->network_us, b->network_burst_us, now_us);
	share_use(&b->all_until_us, b->all_us, b->all_burst_us, now_us);
	return BOUNDS_FREE;
}

bool bounds_may_guess(const struct bounds *b, const struct address *a, uint64_t now_us)
{
	return share_has(b->guesses[network_place(b, a)], GUESS_NETWORK_US, GUESS_NETWORK_BURST_US, now_us) &&
	       share_has(b->guesses_until_us, GUESS_US, SECOND_US, now_us);
}

void bounds_guessed(struct bounds *b, const struct address *a, uint64_t now_us)
{
	share_use(&b->guesses[network_place(b, a)], GUESS_NETWORK_US, GUESS_NETWORK_BURST_US, now_us);
	share_use(&b->guesses_until_us, GUESS_US, SECOND_US, now_us);
}

static uint32_t seconds_of(uint64_t now_us)
{
	uint32_t s = (uint32_t)(now_us / SECOND_US);
	return s ? s : 1;
}

bool bounds_was_answered(const struct bounds *b, const struct address *a, uint64_t now_us)
{
	uint32_t then = b->answered[place_of(b, a)];
	return then && seconds_of(now_us) - then < REACTIVE_SPOOFED_S;
}

void bounds_answered(struct bounds *b, const struct address *a, uint64_t now_us)
{
	b->answered[place_of(b, a)] = seconds_of(now_us);
}

void bounds_proved(struct bounds *b, const struct address *a) { b->answered[place_of(b, a)] = 0; }

static struct phase *phase_place(const struct bounds *b, const struct address *a, uint16_t port,
				 uint32_t *mark)
{
	uint64_t hash = random_mix(address_hash(a, b->key) ^ port);
	*mark = (uint32_t)(hash >> 32) | 1;
	return &b->phases[hash & (REACTIVE_SKETCH - 1)];
}

void bounds_irregular(struct bounds *b, const struct address *a, uint16_t port, unsigned signs, unsigned tool,
		      uint64_t now_us)
{
	uint32_t mark;
	struct phase *p = phase_place(b, a, port, &mark);
	*p = (struct phase){mark, (uint32_t)(now_us / 1000), (uint8_t)signs, (uint8_t)tool};
}

const struct phase *bounds_phase(const struct bounds *b, const struct address *a, uint16_t port,
				 uint64_t now_us, uint64_t *ago_us)
{
	uint32_t mark;
	const struct phase *p = phase_place(b, a, port, &mark);
	/* Milliseconds of 32 bits go round in 49 days; only a difference of minutes is asked. */
	uint64_t ago = (uint64_t)((uint32_t)(now_us / 1000) - p->time_ms) * 1000;
	if (p->mark != mark || ago > REACTIVE_TWO_PHASE_US)
		return NULL;
	*ago_us = ago;
	return p;
}
