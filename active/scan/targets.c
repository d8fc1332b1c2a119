/*
 * The addresses of a scan, numbered without gaps: a table of ranges, both families as numbers of
 * 128 bits.  A coarse index by number makes the search short also with a million opt-outs.
 */
#include "active/scan/scan.h"
#include <stdlib.h>

#define COARSE_BITS 16
#define RANGES_MAX (64u << 20)

typedef unsigned __int128 wide;

struct range {
	wide first;
	uint64_t start; /* number of its first address */
};

struct scan_targets {
	struct range *ranges; /* one more than count, whose start is the total */
	size_t count, capacity;
	uint64_t total;
	unsigned coarse_shift;
	uint32_t coarse[((size_t)1 << COARSE_BITS) + 1]; /* the range that holds the first number there */
};

static wide wide_of(const struct address *a)
{
	wide v = 0;
	for (int i = 0; i < 16; i++)
		v = v << 8 | a->b[i];
	return v;
}

static struct address address_of(wide v)
{
	struct address a;
	for (int i = 16; i-- > 0; v >>= 8)
		a.b[i] = (uint8_t)v;
	return a;
}

/* The last address of a prefix. */
static wide last_of(const struct prefix *p)
{
	wide first = wide_of(&p->base);
	return p->bits == 0 ? ~(wide)0 : first | (((wide)1 << (128 - p->bits)) - 1);
}

static int range_add(struct scan_targets *t, wide first, wide last)
{
	wide size = last - first;
	if (size >= SCAN_ADDRESSES_MAX || t->total + (uint64_t)size + 1 > SCAN_ADDRESSES_MAX)
		return ERR_FULL;
	struct range *before = t->count ? &t->ranges[t->count - 1] : NULL;
	bool joins = before && before->first + (t->total - before->start) == first;
	t->total += (uint64_t)size + 1;
	if (joins)
		return 0;
	if (t->count + 1 >= t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 64;
		struct range *more = capacity > RANGES_MAX ? NULL : realloc(t->ranges, capacity * sizeof *more);
		if (!more)
			return ERR_MEMORY;
		t->ranges = more;
		t->capacity = capacity;
	}
	t->ranges[t->count++] = (struct range){first, t->total - (uint64_t)size - 1};
	return 0;
}

/* What is left of one prefix; `at` is the first refused one that may still matter. */
static int prefix_take(struct scan_targets *t, const struct prefix *wanted, const struct prefix_set *refused,
		       size_t *at)
{
	wide first = wide_of(&wanted->base), last = last_of(wanted);
	for (; *at < refused->count; ++*at) {
		const struct prefix *r = &refused->items[*at];
		wide from = wide_of(&r->base), to = last_of(r);
		if (to < first)
			continue;
		if (from > last)
			break;
		int bad = from > first ? range_add(t, first, from - 1) : 0;
		if (bad || to >= last)
			return bad;
		first = to + 1;
	}
	return range_add(t, first, last);
}

static void coarse_make(struct scan_targets *t)
{
	size_t range = 0;
	while (t->total >> t->coarse_shift > (uint64_t)1 << COARSE_BITS)
		t->coarse_shift++;
	for (size_t i = 0; i <= (size_t)1 << COARSE_BITS; i++) {
		while (range + 1 < t->count && t->ranges[range + 1].start <= (uint64_t)i << t->coarse_shift)
			range++;
		t->coarse[i] = (uint32_t)range;
	}
}

int scan_targets_make(struct scan_targets **out, const struct prefix_set *wanted,
		      const struct prefix_set *refused, struct fault *fault)
{
	const struct prefix_set nothing = {0};
	struct scan_targets *t = calloc(1, sizeof *t);
	size_t at = 0;
	int bad = t ? 0 : ERR_MEMORY;
	for (size_t i = 0; i < wanted->count && !bad; i++)
		bad = prefix_take(t, &wanted->items[i], refused ? refused : &nothing, &at);
	if (!bad && t->count == 0)
		bad = ERR_MISSING;
	if (!bad) {
		t->ranges[t->count].start = t->total;
		coarse_make(t);
		*out = t;
		return 0;
	}
	scan_targets_done(t);
	if (bad == ERR_MISSING)
		return fault_set(fault, bad, "no address is left to ask");
	if (bad == ERR_FULL)
		return fault_set(fault, bad, "more than 2^36 addresses; a prefix of IPv6 cannot be asked whole, a "
				 "list of addresses would be right");
	return fault_set(fault, bad, "no memory for the targets");
}

void scan_targets_done(struct scan_targets *t)
{
	if (t)
		free(t->ranges);
	free(t);
}

uint64_t scan_targets_count(const struct scan_targets *t) { return t->total; }

struct address scan_targets_at(const struct scan_targets *t, uint64_t number)
{
	size_t coarse = (size_t)(number >> t->coarse_shift);
	size_t low = t->coarse[coarse], high = t->coarse[coarse + 1];
	while (low < high) {
		size_t middle = (low + high + 1) / 2;
		if (t->ranges[middle].start <= number)
			low = middle;
		else
			high = middle - 1;
	}
	return address_of(t->ranges[low].first + (number - t->ranges[low].start));
}

bool scan_targets_find(const struct scan_targets *t, const struct address *a, uint64_t *number)
{
	wide v = wide_of(a);
	if (v < t->ranges[0].first)
		return false;
	size_t low = 0, high = t->count - 1;
	while (low < high) {
		size_t middle = (low + high + 1) / 2;
		if (t->ranges[middle].first <= v)
			low = middle;
		else
			high = middle - 1;
	}
	wide offset = v - t->ranges[low].first;
	if (offset >= t->ranges[low + 1].start - t->ranges[low].start)
		return false;
	*number = t->ranges[low].start + (uint64_t)offset;
	return true;
}

bool scan_targets_have(const struct scan_targets *t, bool v4)
{
	for (size_t i = 0; i < t->count; i++) {
		struct address first = address_of(t->ranges[i].first);
		if (address_is_v4(&first) == v4)
			return true;
	}
	return false;
}

/* The largest prefix that begins there and does not go beyond the last. */
static struct prefix prefix_within(wide first, wide last)
{
	const struct address base = address_of(first);
	unsigned bits = 128;
	while (bits > 0) {
		const wide host = bits == 1 ? ~(wide)0 : ((wide)1 << (129 - bits)) - 1;
		if ((first & host) || first + host > last || first + host < first)
			break;
		bits--;
	}
	return prefix_of(&base, bits);
}

int scan_targets_prefixes(const struct scan_targets *t, struct prefix_set *into)
{
	for (size_t i = 0; i < t->count; i++) {
		wide first = t->ranges[i].first;
		const wide last = first + (t->ranges[i + 1].start - t->ranges[i].start) - 1;
		for (;;) {
			const struct prefix p = prefix_within(first, last);
			if (prefix_set_add(into, &p))
				return ERR_MEMORY;
			if (last_of(&p) == last)
				break;
			first = last_of(&p) + 1;
		}
	}
	return 0;
}

int scan_targets_read(struct bytes text, const char *name, struct prefix_set *into, struct fault *fault)
{
	size_t number = 1;
	for (size_t at = 0; at < text.len; number++) {
		const uint8_t *end = memchr(text.at + at, '\n', text.len - at);
		struct bytes line = {text.at + at, end ? (size_t)(end - text.at) - at : text.len - at};
		at += line.len + 1;
		const uint8_t *hash = line.len ? memchr(line.at, '#', line.len) : NULL;
		if (hash)
			line.len = (size_t)(hash - line.at);
		line = bytes_trim(line);
		struct prefix p;
		if (line.len == 0)
			continue;
		if (!prefix_parse(line, &p))
			return fault_set(fault, ERR_BAD, "%s:%zu: neither an address nor a prefix, 192.0.2.0/24 or "
					 "2001:db8::1 would be right", name, number);
		if (prefix_set_add(into, &p))
			return fault_set(fault, ERR_MEMORY, "%s: no memory for its addresses", name);
	}
	return 0;
}
