#include "base/address.h"
#include "base/error.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define MAPPED_BITS 96

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct address address_v4(uint32_t v)
{
	struct address a;
	memcpy(a.b, mapped, sizeof mapped);
	for (int i = 0; i < 4; i++)
		a.b[12 + i] = (uint8_t)(v >> (24 - 8 * i));
	return a;
}

bool address_is_v4(const struct address *a) { return !memcmp(a->b, mapped, sizeof mapped); }

uint32_t address_to_v4(const struct address *a)
{
	struct reader r = reader_of(a->b + 12, 4);
	return read_u32(&r);
}

bool address_equal(const struct address *a, const struct address *b)
{
	return !memcmp(a->b, b->b, sizeof a->b);
}

bool address_is_zero(const struct address *a)
{
	static const struct address zero;
	return address_equal(a, &zero);
}

/* Two rounds of a 64-bit multiply-and-fold over both halves: keyed, cheap, well spread. */
uint64_t address_hash(const struct address *a, uint64_t key)
{
	uint64_t half[2];
	memcpy(half, a->b, sizeof half);
	__uint128_t m = (__uint128_t)(half[0] ^ key ^ 0xa0761d6478bd642fu) * (half[1] ^ (key << 1 | 1));
	uint64_t h = (uint64_t)m ^ (uint64_t)(m >> 64);
	m = (__uint128_t)(h ^ half[1]) * (key ^ 0xe7037ed1a0b428dbu);
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

bool address_parse(struct bytes text, struct address *out)
{
	char s[ADDRESS_TEXT_MAX];
	if (!bytes_copy_text(text, s, sizeof s))
		return false;
	uint8_t v4[4];
	if (inet_pton(AF_INET, s, v4) == 1) {
		memcpy(out->b, mapped, sizeof mapped);
		memcpy(out->b + 12, v4, sizeof v4);
		return true;
	}
	uint8_t v6[16];
	if (inet_pton(AF_INET6, s, v6) != 1)
		return false;
	memcpy(out->b, v6, sizeof v6);
	return true;
}

char *address_format(const struct address *a, char text[ADDRESS_TEXT_MAX])
{
	if (address_is_v4(a))
		inet_ntop(AF_INET, a->b + 12, text, ADDRESS_TEXT_MAX);
	else
		inet_ntop(AF_INET6, a->b, text, ADDRESS_TEXT_MAX);
	return text;
}

void address_from_sockaddr(const struct sockaddr_storage *ss, struct address *a, uint16_t *port)
{
	*a = (struct address){0};
	uint16_t p = 0;
	if (ss->ss_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, ss, sizeof in);
		*a = address_v4(ntohl(in.sin_addr.s_addr));
		p = ntohs(in.sin_port);
	} else if (ss->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, ss, sizeof in6);
		memcpy(a->b, &in6.sin6_addr, sizeof a->b);
		p = ntohs(in6.sin6_port);
	}
	if (port)
		*port = p;
}

socklen_t address_to_sockaddr(const struct address *a, uint16_t port, bool as_mapped,
			      struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof *ss);
	if (address_is_v4(a) && !as_mapped) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
		in.sin_addr.s_addr = htonl(address_to_v4(a));
		memcpy(ss, &in, sizeof in);
		return sizeof in;
	}
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&in6.sin6_addr, a->b, sizeof a->b);
	memcpy(ss, &in6, sizeof in6);
	return sizeof in6;
}

struct prefix prefix_of(const struct address *a, unsigned bits)
{
	struct prefix p = {*a, (uint8_t)bits};
	for (unsigned i = bits; i < 128; i++)
		p.base.b[i / 8] &= (uint8_t)~(0x80u >> i % 8);
	return p;
}

bool prefix_parse(struct bytes text, struct prefix *out)
{
	size_t slash = bytes_find(text, "/");
	struct address a;
	if (!address_parse((struct bytes){text.at, slash}, &a))
		return false;
	unsigned offset = address_is_v4(&a) ? MAPPED_BITS : 0;
	uint64_t bits = 128 - offset;
	if (slash < text.len &&
	    !bytes_number((struct bytes){text.at + slash + 1, text.len - slash - 1}, bits, &bits))
		return false;
	*out = prefix_of(&a, offset + (unsigned)bits);
	return true;
}

char *prefix_format(const struct prefix *p, char text[ADDRESS_TEXT_MAX])
{
	bool v4 = address_is_v4(&p->base) && p->bits >= MAPPED_BITS;
	address_format(&p->base, text);
	size_t n = strlen(text);
	snprintf(text + n, ADDRESS_TEXT_MAX - n, "/%u", (unsigned)p->bits - (v4 ? MAPPED_BITS : 0));
	return text;
}

bool prefix_holds(const struct prefix *p, const struct address *a)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;
	if (memcmp(p->base.b, a->b, whole))
		return false;
	return !rest || ((p->base.b[whole] ^ a->b[whole]) & (uint8_t)(0xff00u >> rest)) == 0;
}

int prefix_set_add(struct prefix_set *set, const struct prefix *p)
{
	if (set->count == set->capacity) {
		size_t capacity = set->capacity ? 2 * set->capacity : 16;
		struct prefix *items = reallocarray(set->items, capacity, sizeof *items);
		if (!items)
			return ERR_MEMORY;
		set->items = items;
		set->capacity = capacity;
	}
	set->items[set->count++] = *p;
	set->sorted = false;
	return 0;
}

static int prefix_order(const void *x, const void *y)
{
	const struct prefix *a = x, *b = y;
	int c = memcmp(a->base.b, b->base.b, sizeof a->base.b);
	return c ? c : (int)a->bits - (int)b->bits;
}

void prefix_set_seal(struct prefix_set *set)
{
	if (set->count)
		qsort(set->items, set->count, sizeof *set->items, prefix_order);
	size_t kept = 0;
	for (size_t i = 0; i < set->count; i++)
		if (kept == 0 || !prefix_holds(&set->items[kept - 1], &set->items[i].base))
			set->items[kept++] = set->items[i];
	set->count = kept;
	set->sorted = true;
}

/* Index of the last prefix that starts at or before a; the set is disjoint, so only it can hold a. */
static const struct prefix *prefix_before(const struct prefix_set *set, const struct address *a)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (memcmp(set->items[mid].base.b, a->b, sizeof a->b) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &set->items[low - 1] : NULL;
}

bool prefix_set_holds(const struct prefix_set *set, const struct address *a)
{
	const struct prefix *p = prefix_before(set, a);
	return p && prefix_holds(p, a);
}

bool prefix_set_overlaps(const struct prefix_set *set, const struct prefix *q)
{
	if (prefix_set_holds(set, &q->base))
		return true;
	for (size_t i = 0; i < set->count; i++)
		if (prefix_holds(q, &set->items[i].base))
			return true;
	return false;
}

void prefix_set_done(struct prefix_set *set)
{
	free(set->items);
	*set = (struct prefix_set){0};
}
