/*
 * How much may be sent to whom, and what is remembered of a SYN: sketches of fixed size.
 *
 * No place in them has a name: who falls on the same place as another shares its bound.  So no
 * flood of forged sources can push an account out and begin it anew; the worst that it does is
 * that we answer less.  Places are found by a keyed hash, so nobody can choose them.
 */
#pragma once
#include "passive/telescope/reactive.h"

struct phase { /* the last irregular SYN that was answered to that source's port */
	uint32_t mark; /* 0: none */
	uint32_t time_ms;
	uint8_t signs, tool;
};

struct bounds {
	uint64_t key;
	uint64_t network_us, network_burst_us; /* what an answer costs, and how far that may run ahead */
	uint64_t all_us, all_burst_us;
	uint64_t all_until_us, guesses_until_us;
	uint64_t *networks, *guesses; /* time up to which each place has used its share */
	uint32_t *answered;           /* second at which a source of that place was answered; 0: never */
	struct phase *phases;
};

int bounds_open(struct bounds *, const struct reactive_options *);
void bounds_close(struct bounds *);

/* Takes an answer to that source from its network's share and all others', or says which is used up. */
enum reactive_refusal bounds_answer(struct bounds *, const struct address *, uint64_t now_us);
#define BOUNDS_FREE REACTIVE_REFUSALS

/* Wrong acknowledgements: how many may be tried before nobody listens. */
bool bounds_may_guess(const struct bounds *, const struct address *, uint64_t now_us);
void bounds_guessed(struct bounds *, const struct address *, uint64_t now_us);

bool bounds_was_answered(const struct bounds *, const struct address *, uint64_t now_us);
void bounds_answered(struct bounds *, const struct address *, uint64_t now_us);
void bounds_proved(struct bounds *, const struct address *); /* it is no forgery: it may be answered again */

void bounds_irregular(struct bounds *, const struct address *, uint16_t port, unsigned signs, unsigned tool,
		      uint64_t now_us);
/* The last irregular SYN of that source to that port; NULL: none, or too long ago. */
const struct phase *bounds_phase(const struct bounds *, const struct address *, uint16_t port,
				 uint64_t now_us, uint64_t *ago_us);
