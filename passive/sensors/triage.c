#include "passive/sensors/triage.h"
#include "base/random.h"
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#define WAYS 8
#define SOURCE_SETS 8192
#define SIGNATURE_SETS 512
#define BITS 256 /* of a sketch of distinct hosts: linear counting */
#define DAY_US 86400000000u
#define HALF_LIFE_US (7.0 * DAY_US)

const char *const triage_words[] = {"own", "benign", "agreed", "noisy", "single"};

struct source {
	struct address address;
	uint32_t newest;                  /* seconds; 0: empty */
	uint32_t seen[TRIAGE_SEERS_MAX];  /* seconds; 0: never */
};

struct signature {
	uint64_t key;     /* 0: empty */
	uint64_t last_us;
	double alerts, harmless; /* decayed; harmless: for benign or own sources */
	uint8_t hosts[BITS / 8]; /* own hosts, whichever end they were */
	uint8_t days;            /* bit n: fired n days before `day` */
	uint64_t day;
};

struct triage {
	const struct triage_options *options;
	uint64_t secret;
	struct source (*sources)[WAYS];
	struct signature (*signatures)[WAYS];
};

int triage_open(struct triage **out, const struct triage_options *options)
{
	struct triage *t = calloc(1, sizeof *t);
	if (!t)
		return ERR_MEMORY;
	t->options = options;
	t->secret = random_secret();
	t->sources = calloc(SOURCE_SETS, sizeof *t->sources);
	t->signatures = calloc(SIGNATURE_SETS, sizeof *t->signatures);
	if (!t->sources || !t->signatures) {
		triage_close(t);
		return ERR_MEMORY;
	}
	*out = t;
	return 0;
}

void triage_close(struct triage *t)
{
	if (!t)
		return;
	free(t->sources);
	free(t->signatures);
	free(t);
}

static struct source *source_of(struct triage *t, const struct address *a)
{
	struct source *set = t->sources[address_hash(a, t->secret) % SOURCE_SETS], *oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].newest && address_equal(&set[i].address, a))
			return &set[i];
		if (set[i].newest < oldest->newest)
			oldest = &set[i];
	}
	*oldest = (struct source){.address = *a};
	return oldest;
}

static struct signature *signature_of(struct triage *t, uint64_t key)
{
	struct signature *set = t->signatures[random_mix(key) % SIGNATURE_SETS], *oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].last_us < oldest->last_us)
			oldest = &set[i];
	}
	*oldest = (struct signature){.key = key};
	return oldest;
}

void triage_saw(struct triage *t, unsigned seer, const struct address *a, uint64_t time_us)
{
	struct source *s = source_of(t, a);
	uint32_t now = (uint32_t)(time_us / 1000000);
	s->newest = s->newest > now ? s->newest : now;
	if (s->seen[seer] < now)
		s->seen[seer] = now;
}

/* Who else saw it near that time; TRIAGE_SEERS_MAX: nobody. */
static unsigned seen_by(struct triage *t, unsigned but, const struct address *a, uint64_t time_us)
{
	const struct source *s = source_of(t, a);
	uint64_t window = t->options->agree_us / 1000000;
	uint64_t now = time_us / 1000000;
	for (unsigned i = 0; i < TRIAGE_SEERS_MAX; i++) {
		uint64_t apart = s->seen[i] > now ? s->seen[i] - now : now - s->seen[i];
		if (i != but && s->seen[i] && apart <= window)
			return i;
	}
	return TRIAGE_SEERS_MAX;
}

static const struct triage_list *list_of(const struct triage_options *o, const struct address *a)
{
	for (size_t i = 0; i < o->list_count; i++)
		if (prefix_set_holds(&o->lists[i].set, a))
			return &o->lists[i];
	return NULL;
}

static void learn(struct triage *t, struct signature *s, const struct address *own, bool harmless, uint64_t time_us)
{
	if (time_us > s->last_us) {
		double left = s->last_us ? exp2(-(double)(time_us - s->last_us) / HALF_LIFE_US) : 0;
		uint64_t day = time_us / DAY_US, gone = day - s->day;
		s->alerts *= left;
		s->harmless *= left;
		s->days = gone > 7 ? 0 : (uint8_t)(s->days << gone);
		if (gone > 7) /* silent for a week: what it did before is no habit any more */
			memset(s->hosts, 0, sizeof s->hosts);
		s->day = day;
		s->last_us = time_us;
	}
	s->alerts++;
	s->harmless += harmless;
	s->days |= 1;
	if (own) {
		uint64_t bit = address_hash(own, t->secret) % BITS;
		s->hosts[bit / 8] |= (uint8_t)(1u << bit % 8);
	}
}

static double hosts_of(const struct signature *s)
{
	unsigned set = 0;
	for (size_t i = 0; i < sizeof s->hosts; i++)
		set += (unsigned)__builtin_popcount(s->hosts[i]);
	return set == BITS ? 1500 : -BITS * log(1 - set / (double)BITS);
}

static bool is_noisy(const struct triage_options *o, const struct signature *s, char reason[TRIAGE_REASON_MAX])
{
	if (s->alerts < (double)o->noisy_alerts)
		return false;
	double share = s->harmless / s->alerts, hosts = hosts_of(s);
	/* Bit 7 is a day ago a week: seven bits are the last seven days. */
	unsigned days = (unsigned)__builtin_popcount(s->days & 0x7f);
	if (share >= o->noisy_benign) {
		snprintf(reason, TRIAGE_REASON_MAX, "signature fires for benign and own sources in %.0f of 100 cases",
			 share * 100);
		return true;
	}
	if (hosts < (double)o->noisy_hosts || days < o->noisy_days)
		return false;
	snprintf(reason, TRIAGE_REASON_MAX, "signature fires for about %.0f own hosts, on %u of the last 7 days",
		 hosts, days);
	return true;
}

enum verdict_of_alert triage_alert(struct triage *t, unsigned seer, const struct event *e, uint64_t signature,
				   char reason[TRIAGE_REASON_MAX])
{
	const struct triage_options *o = t->options;
	struct address src = {{0}}, dst = {{0}};
	bool has_src = event_address(e, FIELD_SRC, &src), has_dst = event_address(e, FIELD_DST, &dst);
	bool own_src = has_src && prefix_set_holds(&o->own, &src);
	bool own_dst = has_dst && prefix_set_holds(&o->own, &dst);
	const struct triage_list *list = has_src ? list_of(o, &src) : NULL;
	struct signature *s = signature_of(t, signature | 1);
	learn(t, s, own_src ? &src : own_dst ? &dst : NULL, own_src || list, e->time_us);
	if (own_src) {
		const struct triage_list *to = has_dst ? list_of(o, &dst) : NULL;
		snprintf(reason, TRIAGE_REASON_MAX, own_dst ? "source and target are own" : to ? "own source, to %s"
			 : "own source, outward", to ? to->name : "");
		return ALERT_OWN;
	}
	if (list) {
		snprintf(reason, TRIAGE_REASON_MAX, "source is in %s", list->name);
		return ALERT_BENIGN;
	}
	unsigned other = has_src ? seen_by(t, seer, &src, e->time_us) : TRIAGE_SEERS_MAX;
	bool noisy = is_noisy(o, s, reason);
	if (has_src && !noisy) /* what is noisy bears no witness for others */
		triage_saw(t, seer, &src, e->time_us);
	if (other < TRIAGE_SEERS_MAX) {
		snprintf(reason, TRIAGE_REASON_MAX, "source was also seen by %s", o->seers[other] ? o->seers[other] : "another");
		return ALERT_AGREED;
	}
	if (noisy)
		return ALERT_NOISY;
	snprintf(reason, TRIAGE_REASON_MAX, "only this sensor saw it");
	return ALERT_SINGLE;
}
