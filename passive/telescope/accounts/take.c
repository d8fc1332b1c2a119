/*
 * From a batch of packets to the accounts.
 *
 * Each packet touches a source, an account and its destinations at random places of memory.  So
 * the batch is worked off in stages, each of which fetches ahead what the next one reads.
 */
#include "passive/telescope/accounts/accounts_inner.h"
#include <xxhash.h>

struct lanes {
	uint64_t source_hash[PACKET_BATCH], account_hash[PACKET_BATCH];
	struct account_key key[PACKET_BATCH];
	struct source *source[PACKET_BATCH];
	struct account *account[PACKET_BATCH];
	uint32_t source_at[PACKET_BATCH], at[PACKET_BATCH]; /* their numbers, first as guesses, which may be wrong */
	const char *ahead[PACKET_BATCH]; /* what the next stage reads */
	uint8_t search[PACKET_BATCH]; /* lanes whose account is not guessed from the source's packet before */
	unsigned search_count;
	uint32_t destination[PACKET_BATCH];
	uint8_t rule[PACKET_BATCH];
	bool fresh[PACKET_BATCH]; /* the account began with this packet */
};

/*
 * In a loop of its own: each fetch may wait for a page's address to be looked up, and only where
 * fetches stand close together does a processor look up several at once.  Inlined, since gcc takes
 * calls of what does nothing else for nothing.
 */
static inline __attribute__((always_inline)) void
fetch_ahead(const struct lanes *l, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		__builtin_prefetch(l->ahead[i], 1);
}

static void fetch_sources(struct telescope *t, const struct packet_batch *b, struct lanes *l)
{
	for (unsigned i = 0; i < b->count; i++) {
		l->source_hash[i] = source_hash(t, &b->src[i]);
		l->ahead[i] = index_place(&t->source_index, l->source_hash[i]);
	}
	fetch_ahead(l, b->count);
	for (unsigned i = 0; i < b->count; i++) {
		l->source_at[i] = index_guess(&t->source_index, l->source_hash[i]);
		l->ahead[i] = pool_item(&t->sources, l->source_at[i]);
	}
	fetch_ahead(l, b->count);
}

/* The source's SYN before this one, for signatures that compare two. */
static void pair_up(struct source *s, struct packet_batch *b, unsigned i)
{
	uint32_t seq = b->column[COLUMN_SEQ][i], dst = b->column[COLUMN_DST][i];
	uint16_t sport = (uint16_t)b->column[COLUMN_SPORT][i];
	uint16_t dport = (uint16_t)b->column[COLUMN_DPORT][i];
	bool again = s->last_seq == seq && s->last_dst == dst && s->last_sport == sport &&
		     s->last_dport == dport;
	b->column[COLUMN_PAIR][i] = (s->bits & SOURCE_SYN) && !again;
	b->column[COLUMN_LAST_SEQ][i] = s->last_seq;
	b->column[COLUMN_LAST_DST][i] = s->last_dst;
	b->column[COLUMN_LAST_SPORT][i] = s->last_sport;
	b->column[COLUMN_LAST_DPORT][i] = s->last_dport;
	s->bits |= SOURCE_SYN;
	s->last_seq = seq;
	s->last_dst = dst;
	s->last_sport = sport;
	s->last_dport = dport;
}

static void unpaired(struct packet_batch *b, unsigned i)
{
	for (unsigned c = COLUMN_PAIR; c <= COLUMN_LAST_DPORT; c++)
		b->column[c][i] = 0;
}

static uint16_t key_tag(const struct account_key *k)
{
	return (uint16_t)(k->port ^ k->flags << 8 ^ k->proto);
}

/*
 * Where the account is: of most packets where the source's packet before them went.  What differs
 * from packet to packet is chosen without branches.
 */
static void look_ahead(const struct telescope *t, struct lanes *l, unsigned i)
{
	const struct source *s = l->source[i];
	const struct account_key *k = &l->key[i];
	if (s->victim && k->answer)
		__builtin_prefetch(pool_item(&t->victims, s->victim), 1);
	uint32_t known = -(uint32_t)(s->last_key == key_tag(k));
	uint32_t at = s->last_account & known;
	l->at[i] = at;
	l->account_hash[i] = account_hash(t, k);
	uintptr_t slot = (uintptr_t)index_place(&t->account_index, l->account_hash[i]);
	uintptr_t account = (uintptr_t)pool_item(&t->accounts, at);
	l->ahead[i] = (const char *)(slot ^ ((slot ^ account) & -(uintptr_t)(known & 1)));
	l->search[l->search_count] = (uint8_t)i;
	l->search_count += !at;
}

static void take_sources(struct telescope *t, struct packet_batch *b, struct lanes *l)
{
	l->search_count = 0;
	memset(l->ahead, 0, b->count * sizeof *l->ahead);
	for (unsigned i = 0; i < b->count; i++) {
		uint32_t at = l->source_at[i];
		if (!at || !source_is(t, at, &b->src[i]))
			at = source_find(t, &b->src[i], l->source_hash[i]);
		if (!at)
			at = source_begin(t, &b->src[i], l->source_hash[i], b->time_us[i]);
		struct source *s = at ? pool_item(&t->sources, at) : NULL;
		l->source[i] = s;
		if (!s) {
			l->at[i] = 0;
			unpaired(b, i);
			continue;
		}
		uint32_t second = (uint32_t)(b->time_us[i] / 1000000);
		s->packets += s->packets < UINT32_MAX;
		s->last_s = second > s->last_s ? second : s->last_s;
		s->first_s = second < s->first_s ? second : s->first_s;
		if (b->column[COLUMN_SHAPE][i] && !(b->column[COLUMN_FLAGS][i] & 0x10))
			pair_up(s, b, i);
		else
			unpaired(b, i);
		l->key[i] = packet_key(t, b, i, at);
		look_ahead(t, l, i);
	}
	fetch_ahead(l, b->count);
	for (unsigned i = 0; i < b->count; i++) /* an account may lie across two lines */
		__builtin_prefetch((const char *)pool_item(&t->accounts, l->at[i] + 1) - 1, 1);
}

static void fetch_accounts(const struct telescope *t, struct lanes *l)
{
	for (unsigned n = 0; n < l->search_count; n++) {
		unsigned i = l->search[n];
		l->at[i] = index_guess(&t->account_index, l->account_hash[i]);
		l->ahead[n] = pool_item(&t->accounts, l->at[i]);
	}
	fetch_ahead(l, l->search_count);
	for (unsigned n = 0; n < l->search_count; n++)
		__builtin_prefetch(l->ahead[n] + sizeof(struct account) - 1, 1);
}

static void account_take(struct telescope *t, const struct packet_batch *b, struct lanes *l, unsigned i)
{
	const struct account_key *k = &l->key[i];
	struct source *s = l->source[i];
	uint32_t at = l->at[i];
	if (!account_is(t, at, k))
		at = account_find(t, k, l->account_hash[i]);
	if (!at)
		at = account_begin(t, k, l->account_hash[i]);
	if (!at)
		return;
	s->last_account = at;
	s->last_key = key_tag(k);
	struct account *a = l->account[i] = pool_item(&t->accounts, at);
	l->destination[i] = b->column[COLUMN_DST][i];
	if (b->column[COLUMN_VERSION][i] == 6) {
		a->bits |= ACCOUNT_V6;
		l->destination[i] = (uint32_t)source_hash(t, &b->dst[i]);
	}
	l->fresh[i] = !a->packets;
	struct destinations set = {a->destinations_at, a->destinations};
	l->ahead[i] = destinations_place(&t->destinations, &set, l->destination[i]);
	if (!l->fresh[i])
		return;
	a->packets = 1; /* from here on it is one that lives */
	struct target_key target = {l->destination[i], a->port, a->proto, account_answers(a)};
	fanin_prefetch(&t->fanin, &target);
	samples_prefetch(&t->shapes, b->column[COLUMN_SHAPE][i]);
}

static void take_accounts(struct telescope *t, const struct packet_batch *b, struct lanes *l)
{
	for (unsigned i = 0; i < b->count; i++) {
		l->account[i] = NULL;
		l->ahead[i] = NULL;
		if (l->source[i])
			account_take(t, b, l, i);
	}
	fetch_ahead(l, b->count);
}

/* Who of ours the account asks or answers first. */
static void account_meet(struct telescope *t, const struct account *a, struct source *s,
			 const struct packet_batch *b, unsigned i, const struct lanes *l)
{
	struct target_key k = {l->destination[i], a->port, a->proto, account_answers(a)};
	struct target *target = fanin_meet(&t->fanin, &k, &b->dst[i], l->source_hash[i], a->ttl_max, b->time_us[i]);
	if (!target)
		return;
	if (target_is_flood(target))
		s->bits |= SOURCE_SPOOFED;
	if (!target->told)
		find_target(t, target);
}

static uint8_t shape_tag(uint32_t hash)
{
	return (uint8_t)(hash >> 24);
}

/* An account that has nothing yet: at its beginning, and after it was cut. */
static void account_open(struct telescope *t, struct account *a, const struct packet_batch *b, unsigned i,
			 uint8_t rule)
{
	a->packets = 0;
	a->bytes = a->duration_us = 0;
	a->first_us = b->time_us[i];
	a->ttl_min = a->ttl_max = (uint8_t)b->column[COLUMN_TTL][i];
	a->rule = rule;
	a->votes = 0;
	a->shape_tag = shape_tag(b->column[COLUMN_SHAPE][i]);
	if (b->column[COLUMN_SHAPE][i])
		a->shape = samples_use(&t->shapes, (struct bytes){(const uint8_t *)&b->shape[i], sizeof b->shape[i]},
				       b->column[COLUMN_SHAPE][i]);
}

static void payload_keep(struct telescope *t, struct account *a, struct bytes payload, uint16_t dport)
{
	unsigned asks = 0;
	/* The whole is shown to the signatures: they may name its length, or what stands behind the sample. */
	if (t->options.signatures && !account_answers(a))
		asks = signatures_payload(t->options.signatures, a->proto, dport, payload);
	if (payload.len > PAYLOAD_SAMPLE)
		payload.len = PAYLOAD_SAMPLE;
	/* The same bytes may ask something else elsewhere, so that is a sample of its own. */
	a->payload = samples_use(&t->payloads, payload,
				 (uint32_t)XXH3_64bits_withSeed(payload.at, payload.len, asks));
	if (a->payload)
		sample_of(&t->payloads, a->payload)->note = (uint16_t)asks;
}

/* Whether the packet still belongs to the record that the account is making. */
static bool account_holds(const struct telescope *t, struct account *a, uint64_t time_us, uint32_t bytes,
			  enum record_end *why)
{
	uint64_t last = a->first_us + a->duration_us;
	*why = RECORD_QUIET;
	if (time_us < a->first_us) { /* time goes backwards: the record begins earlier, if it may */
		uint64_t earlier = a->first_us - time_us;
		if (earlier > t->options.timeout_us || earlier + a->duration_us > t->options.interval_us)
			return false;
		a->first_us = time_us;
		a->duration_us += (uint32_t)earlier;
	} else if (time_us > last) {
		if (time_us - last > t->options.timeout_us)
			return false;
		*why = RECORD_INTERVAL;
		if (time_us - a->first_us > t->options.interval_us)
			return false;
		a->duration_us = (uint32_t)(time_us - a->first_us);
	}
	*why = RECORD_FULL;
	return a->packets < UINT32_MAX && bytes <= UINT32_MAX - a->bytes;
}

/* Most packets match no rule or the one that their source's others did; that is one branch. */
static void show_evidence(struct source *s, uint8_t rule)
{
	uint8_t count = s->evidence[0].count;
	if ((rule == 0) | (s->evidence[0].rule == rule))
		s->evidence[0].count = (uint8_t)(count + ((rule != 0) & (count < UINT8_MAX)));
	else
		source_evidence(s, rule);
}

static void vote(struct account *a, uint8_t rule)
{
	if (a->rule == rule)
		a->votes += a->votes < UINT8_MAX;
	else if (a->votes)
		a->votes--;
	else
		a->rule = rule, a->votes = 1;
}

static void count_destination(struct telescope *t, struct account *a, struct source *s, uint32_t destination)
{
	struct destinations set = {a->destinations_at, a->destinations};
	bool grew = destinations_add(&t->destinations, &set, destination);
	a->destinations_at = set.at;
	a->destinations = set.count;
	/* To ask a sketch takes time: once in eight packets, and when the account is told. */
	if (grew && a->packets >= t->options.scan_destinations &&
	    (a->destinations != DESTINATIONS_SKETCH || a->packets % 8 == 0))
		find_scan(t, a, s);
}

static void take_packet(struct telescope *t, const struct packet_batch *b, struct lanes *l, unsigned i)
{
	struct account *a = l->account[i];
	struct source *s = l->source[i];
	uint32_t length = b->column[COLUMN_LENGTH][i];
	enum record_end why;
	if (l->fresh[i]) {
		s->accounts++;
		s->records++;
		account_open(t, a, b, i, l->rule[i]);
		account_meet(t, a, s, b, i, l);
		if (s->accounts >= t->options.scan_ports && !(s->bits & SOURCE_PORTS_TOLD))
			find_ports(t, a, s);
	} else if (!account_holds(t, a, b->time_us[i], length, &why)) {
		account_tell(t, a, why);
		account_empty(t, a);
		account_open(t, a, b, i, l->rule[i]);
		fanin_stay(&t->fanin, &(struct target_key){l->destination[i], a->port, a->proto, account_answers(a)},
			   b->time_us[i]);
	}
	a->packets++;
	a->bytes += length;
	uint8_t ttl = (uint8_t)b->column[COLUMN_TTL][i];
	a->ttl_min = ttl < a->ttl_min ? ttl : a->ttl_min;
	a->ttl_max = ttl > a->ttl_max ? ttl : a->ttl_max;
	uint32_t shape = b->column[COLUMN_SHAPE][i];
	a->bits |= ((shape != 0) & (a->shape_tag != shape_tag(shape))) ? ACCOUNT_SHAPES : 0;
	show_evidence(s, l->rule[i]);
	vote(a, l->rule[i]);
	if (!a->payload && b->payload[i].len && (a->proto == 6 || a->proto == 17))
		payload_keep(t, a, b->payload[i], (uint16_t)b->column[COLUMN_DPORT][i]);
	count_destination(t, a, s, l->destination[i]);
	if (account_answers(a)) {
		const struct victim *v = victims_count(&t->victims, &s->victim, b->time_us[i],
						       t->options.timeout_us);
		if (v)
			find_victim(t, a, s, v);
	}
}

static void clock_set(struct telescope *t, uint64_t now_us)
{
	if (now_us + t->options.timeout_us < t->now_us)
		t->sums.time_backwards++;
	t->now_us = now_us;
}

static void take_times(struct telescope *t, const struct packet_batch *b)
{
	uint64_t first = t->sums.first_us ? t->sums.first_us : b->time_us[0], last = t->sums.last_us;
	for (unsigned i = 0; i < b->count; i++) {
		first = b->time_us[i] < first ? b->time_us[i] : first;
		last = b->time_us[i] > last ? b->time_us[i] : last;
	}
	t->sums.first_us = first;
	t->sums.last_us = last;
}

void telescope_take(struct telescope *t, struct packet_batch *b)
{
	struct lanes l;
	if (!b->count)
		return;
	accounts_relieve(t);
	fetch_sources(t, b, &l);
	take_sources(t, b, &l);
	fetch_accounts(t, &l);
	memset(l.rule, 0, sizeof l.rule);
	if (t->options.signatures)
		signatures_match(t->options.signatures, b, l.rule);
	take_accounts(t, b, &l);
	take_times(t, b);
	for (unsigned i = 0; i < b->count; i++) {
		clock_set(t, b->time_us[i]);
		if (l.account[i])
			take_packet(t, b, &l, i);
	}
	accounts_sweep(t);
}

void telescope_clock(struct telescope *t, uint64_t now_us)
{
	clock_set(t, now_us);
	accounts_sweep(t);
}
