#include "passive/room/limits.h"
#include "base/error.h"
#include "base/random.h"
#include <stdlib.h>

#define LIMITS_WAYS 8
#define SETS_MIN 512
#define BURST_US 2000000u        /* two seconds' worth of sessions may come at once */
#define BYTES_BURST_US 30000000u /* and half a minute's worth of bytes */
#define SOURCE_BITS_V4 128
#define NETWORK_BITS_V4 120
#define SOURCE_BITS_V6 128
#define NETWORK_BITS_V6 64

struct limits_account {
	struct address base;
	uint8_t bits; /* tells a source from a network of the same base; 0: free */
	uint32_t sessions;
	uint64_t rate_until_us, bytes_until_us;
};

const char *refusal_name(enum refusal r)
{
	static const char *const names[REFUSALS] = {
	        [REFUSED_NOT] = "none",
	        [REFUSED_SOURCE_SESSIONS] = "source-sessions",
	        [REFUSED_SOURCE_RATE] = "source-rate",
	        [REFUSED_NETWORK_SESSIONS] = "network-sessions",
	        [REFUSED_NETWORK_RATE] = "network-rate",
	        [REFUSED_SESSIONS] = "sessions",
	        [REFUSED_RATE] = "rate",
	        [REFUSED_BYTES] = "bytes",
	        [REFUSED_CONGESTION] = "congestion",
	        [REFUSED_DESCRIPTORS] = "descriptors",
	        [REFUSED_MEMORY] = "memory",
	        [REFUSED_ADDRESS] = "address",
	        [REFUSED_STOPPING] = "stopping",
	        [REFUSED_REFLECTION] = "reflection",
	};
	return names[r];
}

int limits_open(struct limits *l, const struct limits_options *options)
{
	size_t sets = SETS_MIN;
	/* Two accounts a session, and half of the places free, so that sets seldom run full. */
	while (sets * LIMITS_WAYS < options->sessions * 4)
		sets *= 2;
	struct limits_account *accounts = calloc(sets * LIMITS_WAYS, sizeof *accounts);
	if (!accounts)
		return ERR_MEMORY;
	*l = (struct limits){
	        .options = *options, .accounts = accounts, .sets = sets, .key = random_secret()};
	return 0;
}

void limits_done(struct limits *l)
{
	free(l->accounts);
	*l = (struct limits){0};
}

static bool account_is_idle(const struct limits_account *a, uint64_t now_us)
{
	return a->sessions == 0 && a->rate_until_us <= now_us && a->bytes_until_us <= now_us;
}

static struct limits_account *account_of(struct limits *l, const struct address *who, unsigned bits,
                                         uint64_t now_us)
{
	struct prefix p = prefix_of(who, bits);
	size_t set = address_hash(&p.base, l->key + bits) & (l->sets - 1);
	struct limits_account *a = l->accounts + set * LIMITS_WAYS, *idle = NULL;
	for (size_t i = 0; i < LIMITS_WAYS; i++, a++) {
		if (a->bits == bits && address_equal(&a->base, &p.base))
			return a;
		if (!idle && account_is_idle(a, now_us))
			idle = a;
	}
	if (idle)
		*idle = (struct limits_account){.base = p.base, .bits = (uint8_t)bits};
	return idle;
}

/* Whether one more fits a rate of `per_second` with a burst; 0: no limit. */
static bool rate_allows(uint64_t until_us, uint64_t per_second, uint64_t now_us)
{
	uint64_t step = per_second ? 1000000 / per_second : 0;
	uint64_t burst = BURST_US > step ? BURST_US : step;
	return per_second == 0 || until_us < now_us + burst;
}

static void rate_use(uint64_t *until_us, uint64_t per_second, uint64_t now_us)
{
	if (per_second)
		*until_us = (*until_us > now_us ? *until_us : now_us) + 1000000 / per_second;
}

static enum refusal account_check(const struct limits_account *a, uint64_t sessions_max,
                                  uint64_t rate_max, enum refusal sessions, enum refusal rate,
                                  uint64_t now_us)
{
	if (!a)
		return REFUSED_NOT;
	if (sessions_max && a->sessions >= sessions_max)
		return sessions;
	if (!rate_allows(a->rate_until_us, rate_max, now_us))
		return rate;
	return a->bytes_until_us > now_us + BYTES_BURST_US ? REFUSED_BYTES : REFUSED_NOT;
}

enum refusal limits_admit(struct limits *l, const struct address *who, uint64_t now_us,
                          struct limits_share *share)
{
	const struct limits_options *o = &l->options;
	if (o->sessions && l->sessions >= o->sessions)
		return REFUSED_SESSIONS;
	if (!rate_allows(l->rate_until_us, o->rate, now_us))
		return REFUSED_RATE;
	bool v4 = address_is_v4(who);
	unsigned source_bits = v4 ? SOURCE_BITS_V4 : SOURCE_BITS_V6;
	unsigned network_bits = v4 ? NETWORK_BITS_V4 : NETWORK_BITS_V6;
	struct limits_account *source = account_of(l, who, source_bits, now_us);
	enum refusal no = account_check(source, o->source_sessions, o->source_rate,
	                                REFUSED_SOURCE_SESSIONS, REFUSED_SOURCE_RATE, now_us);
	if (no)
		return no;
	if (source) { /* counted first: the search for the network must not take its place */
		source->sessions++;
		rate_use(&source->rate_until_us, o->source_rate, now_us);
	}
	struct limits_account *network = account_of(l, who, network_bits, now_us);
	no = account_check(network, o->network_sessions, o->network_rate, REFUSED_NETWORK_SESSIONS,
	                   REFUSED_NETWORK_RATE, now_us);
	if (no) {
		if (source)
			source->sessions--;
		return no;
	}
	if (network) {
		network->sessions++;
		rate_use(&network->rate_until_us, o->network_rate, now_us);
	}
	rate_use(&l->rate_until_us, o->rate, now_us);
	l->sessions++;
	l->unaccounted += !source || !network;
	*share = (struct limits_share){source, network};
	return REFUSED_NOT;
}

void limits_leave(struct limits *l, struct limits_share *share)
{
	if (share->source)
		share->source->sessions--;
	if (share->network)
		share->network->sessions--;
	l->sessions--;
	*share = (struct limits_share){0};
}

static bool bytes_use(struct limits_account *a, uint64_t per_second, size_t n, uint64_t now_us)
{
	if (!a || per_second == 0)
		return true;
	uint64_t from = a->bytes_until_us > now_us ? a->bytes_until_us : now_us;
	a->bytes_until_us = from + (uint64_t)n * 1000000 / per_second;
	return a->bytes_until_us <= now_us + BYTES_BURST_US;
}

bool limits_spend(struct limits *l, const struct limits_share *share, size_t n, uint64_t now_us)
{
	bool source = bytes_use(share->source, l->options.source_bytes, n, now_us);
	bool network = bytes_use(share->network, l->options.network_bytes, n, now_us);
	return source && network;
}

bool limits_handshake(struct limits *l, const struct limits_share *share, uint64_t now_us)
{
	if (!rate_allows(l->handshakes_until_us, l->options.handshakes, now_us) ||
	    !limits_spend(l, share, l->options.handshake_bytes, now_us))
		return false;
	rate_use(&l->handshakes_until_us, l->options.handshakes, now_us);
	return true;
}
