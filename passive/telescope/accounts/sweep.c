/*
 * Ending what is quiet.
 *
 * A hand goes round the pools, as far as the time that has passed since it last moved, so that
 * each account is looked at four times in a time-out.  How far it goes at once is bounded: a
 * frame that claims to come from next year costs no more than another.
 */
#include "passive/telescope/accounts/accounts_inner.h"

#define SWEEP_MOST 65536    /* items at once */
#define AGE_PACKETS 20000   /* at least, between two agings of the targets */

static uint64_t quiet_us(const struct telescope *t, const struct account *a)
{
	uint64_t last = a->first_us + a->duration_us;
	return t->now_us > last ? t->now_us - last : 0;
}

static void sweep_accounts(struct telescope *t, uint64_t steps)
{
	for (uint64_t i = 0; i < steps; i++) {
		if (++t->account_hand > t->accounts.high)
			t->account_hand = 1;
		struct account *a = pool_item(&t->accounts, t->account_hand);
		if (!a->packets)
			continue;
		if (quiet_us(t, a) > t->options.timeout_us)
			account_end(t, t->account_hand, RECORD_QUIET);
		else if (t->now_us > a->first_us && t->now_us - a->first_us > t->options.interval_us)
			account_end(t, t->account_hand, RECORD_INTERVAL);
	}
}

static void sweep_sources(struct telescope *t, uint64_t steps)
{
	uint64_t timeout_s = t->options.timeout_us / 1000000, now_s = t->now_us / 1000000;
	for (uint64_t i = 0; i < steps; i++) {
		if (++t->source_hand > t->sources.high)
			t->source_hand = 1;
		const struct source *s = pool_item(&t->sources, t->source_hand);
		if (s->packets && !s->accounts && s->last_s + timeout_s < now_s)
			source_end(t, t->source_hand);
	}
}

/* How many of n items the hand must pass for `elapsed`; 0 when it is not worth moving. */
static uint64_t steps_for(const struct telescope *t, uint32_t n, uint64_t elapsed)
{
	uint64_t round = t->options.timeout_us / 4 + 1;
	double steps = elapsed >= round ? n : (double)n * (double)elapsed / (double)round;
	return steps > SWEEP_MOST ? SWEEP_MOST : (uint64_t)steps;
}

void accounts_sweep(struct telescope *t)
{
	if (!t->swept_us || t->now_us < t->swept_us)
		t->swept_us = t->now_us;
	if (!t->aged_us || t->now_us < t->aged_us)
		t->aged_us = t->now_us;
	uint64_t elapsed = t->now_us - t->swept_us;
	uint64_t accounts = steps_for(t, t->accounts.high, elapsed);
	uint64_t sources = steps_for(t, t->sources.high, elapsed);
	if (accounts || sources) {
		sweep_accounts(t, accounts);
		if (!t->options.keep_sources)
			sweep_sources(t, sources);
		t->swept_us = t->now_us;
	}
	if (t->now_us - t->aged_us > t->options.timeout_us &&
	    t->sums.packets.taken - t->aged_packets > AGE_PACKETS) {
		fanin_age(&t->fanin, t->now_us);
		t->aged_us = t->now_us;
		t->aged_packets = t->sums.packets.taken;
	}
}

uint64_t accounts_memory(const struct telescope *t)
{
	return pool_bytes(&t->accounts) + pool_bytes(&t->sources) +
	       (t->account_index.mask + t->source_index.mask + 2) * sizeof(uint32_t) +
	       destination_pools_bytes(&t->destinations) + samples_bytes(&t->shapes) +
	       samples_bytes(&t->payloads) + fanin_bytes(&t->fanin) + pool_bytes(&t->victims) +
	       pool_bytes(&t->addresses6) + SOURCES_SKETCH_BYTES;
}

#define AGES 65 /* by bits of microseconds */

static unsigned age_of(uint64_t us)
{
	return us ? 64 - (unsigned)__builtin_clzll(us) : 0;
}

/* The youngest age such that at least `wanted` accounts are that old. */
static unsigned age_limit(const struct telescope *t, uint64_t wanted)
{
	uint64_t of_age[AGES] = {0}, sum = 0;
	for (uint32_t i = 1; i <= t->accounts.high; i++) {
		const struct account *a = pool_item(&t->accounts, i);
		if (a->packets)
			of_age[age_of(quiet_us(t, a))]++;
	}
	unsigned age = AGES;
	while (age && sum < wanted)
		sum += of_age[--age];
	return age;
}

static void end_old(struct telescope *t, uint64_t wanted)
{
	unsigned limit = age_limit(t, wanted);
	uint64_t ended = 0;
	for (uint32_t i = 1; i <= t->accounts.high && ended < wanted; i++) {
		const struct account *a = pool_item(&t->accounts, i);
		if (!a->packets || age_of(quiet_us(t, a)) < limit)
			continue;
		account_end(t, i, RECORD_EARLY);
		ended++;
	}
	for (uint32_t i = 1; i <= t->sources.high; i++) {
		const struct source *s = pool_item(&t->sources, i);
		if (!s->packets || s->accounts)
			continue;
		t->sums.sources_estimated |= t->options.keep_sources;
		source_end(t, i);
	}
}

static bool short_of(const struct telescope *t, uint64_t memory)
{
	return accounts_memory(t) > memory || t->accounts.live + PACKET_BATCH > t->accounts.capacity ||
	       t->sources.live + PACKET_BATCH > t->sources.capacity;
}

void accounts_relieve(struct telescope *t)
{
	uint64_t memory = accounts_memory(t);
	if (memory > t->sums.memory_peak)
		t->sums.memory_peak = memory;
	if (!short_of(t, t->options.memory))
		return;
	/* An eighth at a time keeps the walks over the pools rare; more only when that is not enough. */
	for (unsigned part = 8; part && short_of(t, t->options.memory / 8 * 7); part /= 2)
		end_old(t, t->accounts.live / part + 1);
}
