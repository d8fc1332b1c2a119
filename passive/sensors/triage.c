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
#define WEEK 7 /* days */

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
	uint8_t hosts[2][BITS / 8]; /* own hosts, whichever end they were: of this week and the one before */
	uint64_t week_begins;    /* day */
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

static struct source *source_find(struct triage *t, const struct address *a, struct source **oldest)
{
	struct source *set = t->sources[address_hash(a, t->secret) % SOURCE_SETS];
	*oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].newest && address_equal(&set[i].address, a))
			return &set[i];
		if (set[i].newest < (*oldest)->newest)
			*oldest = &set[i];
	}
	return NULL;
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

/* A time that is far ahead of now was told before a clock was set back. */
static uint32_t later_of(uint32_t kept, uint64_t now, uint64_t window)
{
	return kept < now || kept > now + window ? (uint32_t)now : kept;
}

void triage_saw(struct triage *t, unsigned seer, const struct address *a, uint64_t time_us)
{
	struct source *oldest, *s = source_find(t, a, &oldest);
	uint64_t now = time_us / 1000000, window = t->options->agree_us / 1000000;
	if (!s) {
		s = oldest;
		*s = (struct source){.address = *a};
	}
	s->newest = later_of(s->newest, now, window);
	s->seen[seer] = later_of(s->seen[seer], now, window);
}

/* Who else saw it near that time; TRIAGE_SEERS_MAX: nobody. */
static unsigned seen_by(struct triage *t, unsigned but, const struct address *a, uint64_t time_us)
{
	struct source *oldest;
	const struct source *s = source_find(t, a, &oldest);
	uint64_t window = t->options->agree_us / 1000000, now = time_us / 1000000;
	for (unsigned i = 0; s && i < TRIAGE_SEERS_MAX; i++) {
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

/* Hosts are remembered for one week at least and two at most. */
static void forget_hosts(struct signature *s, uint64_t day)
{
	if (day < s->week_begins + WEEK && day >= s->week_begins)
		return;
	if (day >= s->week_begins + 2 * WEEK || day < s->week_begins)
		memset(s->hosts[0], 0, sizeof s->hosts[0]);
	memcpy(s->hosts[1], s->hosts[0], sizeof s->hosts[0]);
	memset(s->hosts[0], 0, sizeof s->hosts[0]);
	s->week_begins = day;
}

static void pass_time(struct signature *s, uint64_t time_us)
{
	uint64_t day = time_us / DAY_US, gone = day - s->day;
	bool set_back = s->last_us > time_us + DAY_US * WEEK;
	if (time_us <= s->last_us && !set_back)
		return;
	double left = s->last_us && !set_back ? exp2(-(double)(time_us - s->last_us) / HALF_LIFE_US) : 1;
	s->alerts *= left;
	s->harmless *= left;
	s->days = gone > WEEK ? 0 : (uint8_t)(s->days << gone);
	s->day = day;
	s->last_us = time_us;
	forget_hosts(s, day);
}

static void learn(struct triage *t, struct signature *s, const struct address *own, bool harmless, uint64_t time_us)
{
	pass_time(s, time_us);
	uint64_t ago = s->day - time_us / DAY_US; /* logs of several sensors are not in order */
	s->alerts++;
	s->harmless += harmless;
	s->days |= (uint8_t)(ago <= WEEK ? 1u << ago : 0);
	if (own) {
		uint64_t bit = address_hash(own, t->secret) % BITS;
		s->hosts[0][bit / 8] |= (uint8_t)(1u << bit % 8);
	}
}

static double hosts_of(const struct signature *s)
{
	unsigned set = 0;
	for (size_t i = 0; i < sizeof s->hosts[0]; i++)
		set += (unsigned)__builtin_popcount(s->hosts[0][i] | s->hosts[1][i]);
	return set == BITS ? 1500 : -BITS * log(1 - set / (double)BITS);
}

static bool is_noisy(const struct triage_options *o, const struct signature *s, char reason[TRIAGE_REASON_MAX])
{
	if (s->alerts < (double)o->noisy_alerts)
		return false;
	double share = s->harmless / s->alerts, hosts = hosts_of(s);
	/* Seven bits: today and six days before. */
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
				   uint64_t time_us, char reason[TRIAGE_REASON_MAX])
{
	const struct triage_options *o = t->options;
	struct address src = {{0}}, dst = {{0}};
	bool has_src = event_address(e, FIELD_SRC, &src), has_dst = event_address(e, FIELD_DST, &dst);
	bool own_src = has_src && prefix_set_holds(&o->own, &src);
	bool own_dst = has_dst && prefix_set_holds(&o->own, &dst);
	const struct triage_list *list = has_src ? list_of(o, &src) : NULL;
	struct signature *s = signature_of(t, signature | 1);
	learn(t, s, own_src ? &src : own_dst ? &dst : NULL, own_src || list, time_us);
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
	unsigned other = has_src ? seen_by(t, seer, &src, time_us) : TRIAGE_SEERS_MAX;
	bool noisy = is_noisy(o, s, reason);
	if (has_src && !noisy) /* what is noisy bears no witness for others */
		triage_saw(t, seer, &src, time_us);
	if (other < TRIAGE_SEERS_MAX) {
		snprintf(reason, TRIAGE_REASON_MAX, "source was also seen by %s", o->seers[other] ? o->seers[other] : "another");
		return ALERT_AGREED;
	}
	if (noisy)
		return ALERT_NOISY;
	snprintf(reason, TRIAGE_REASON_MAX, "only this sensor saw it");
	return ALERT_SINGLE;
}

/* Magic, secret of the sketches, then a record for each signature, then a digest of all before. */
#define HISTORY_MAGIC 0x6b74726961676531u
#define RECORD_BYTES (6 * 8 + 1 + 2 * BITS / 8)

static void write_double(struct writer *w, double d)
{
	uint64_t bits;
	memcpy(&bits, &d, sizeof bits);
	write_u64(w, bits);
}

static double read_double(struct reader *r)
{
	uint64_t bits = read_u64(r);
	double d;
	memcpy(&d, &bits, sizeof d);
	return d >= 0 && d < 1e18 ? d : 0; /* also not a number */
}

void triage_write(const struct triage *t, struct writer *w)
{
	const uint8_t *begin = w->at;
	write_u64(w, HISTORY_MAGIC);
	write_u64(w, t->secret);
	for (size_t i = 0; i < SIGNATURE_SETS * WAYS; i++) {
		const struct signature *s = &t->signatures[i / WAYS][i % WAYS];
		if (!s->key)
			continue;
		write_u64(w, s->key);
		write_u64(w, s->last_us);
		write_double(w, s->alerts);
		write_double(w, s->harmless);
		write_u64(w, s->week_begins);
		write_u64(w, s->day);
		write_u8(w, s->days);
		write_bytes(w, s->hosts, sizeof s->hosts);
	}
	write_u64(w, XXH3_64bits(begin, (size_t)(w->at - begin)));
}

bool triage_read(struct triage *t, struct bytes b)
{
	struct reader r = reader_of_bytes(b);
	if (b.len < 24 || (b.len - 24) % RECORD_BYTES || read_u64(&r) != HISTORY_MAGIC)
		return false;
	struct reader end = reader_of(b.at + b.len - 8, 8);
	if (read_u64(&end) != XXH3_64bits(b.at, b.len - 8))
		return false;
	t->secret = read_u64(&r);
	for (size_t n = (b.len - 24) / RECORD_BYTES; n; n--) {
		uint64_t key = read_u64(&r);
		struct signature *s = signature_of(t, key);
		*s = (struct signature){.key = key, .last_us = read_u64(&r)};
		s->alerts = read_double(&r);
		s->harmless = read_double(&r);
		s->week_begins = read_u64(&r);
		s->day = read_u64(&r);
		s->days = read_u8(&r);
		memcpy(s->hosts, read_bytes(&r, sizeof s->hosts).at, sizeof s->hosts);
	}
	return true;
}
