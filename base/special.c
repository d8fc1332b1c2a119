/*
 * Addresses that are no ordinary hosts of the Internet.
 *
 * The IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190), line by
 * line, and multicast.  A look at one of these reaches nobody, or a machine of our own, or
 * everybody; so it needs an explicit `special: allow`.  More specific lines stand first,
 * since the first that holds gives the name.  IPv4-mapped IPv6 (::ffff:0:0/96) has no line
 * of its own: it is how IPv4 is kept everywhere, and is judged as IPv4.
 */
#include "base/special.h"
#include "base/error.h"

struct range_v4 {
	uint32_t base;
	uint8_t bits;
	const char *name;
};

struct range_v6 {
	uint8_t base[16];
	uint8_t bits;
	const char *name;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct range_v4 ranges_v4[] = {
	{V4(0, 0, 0, 0), 32, "this host, RFC 1122"},
	{V4(0, 0, 0, 0), 8, "this network, RFC 791"},
	{V4(10, 0, 0, 0), 8, "private use, RFC 1918"},
	{V4(100, 64, 0, 0), 10, "shared address space, RFC 6598"},
	{V4(127, 0, 0, 0), 8, "loopback, RFC 1122"},
	{V4(169, 254, 0, 0), 16, "link local, RFC 3927"},
	{V4(172, 16, 0, 0), 12, "private use, RFC 1918"},
	{V4(192, 0, 0, 0), 29, "IPv4 service continuity, RFC 7335"},
	{V4(192, 0, 0, 8), 32, "IPv4 dummy address, RFC 7600"},
	{V4(192, 0, 0, 9), 32, "Port Control Protocol anycast, RFC 7723"},
	{V4(192, 0, 0, 10), 32, "TURN anycast, RFC 8155"},
	{V4(192, 0, 0, 170), 31, "NAT64/DNS64 discovery, RFC 8880"},
	{V4(192, 0, 0, 0), 24, "IETF protocol assignments, RFC 6890"},
	{V4(192, 0, 2, 0), 24, "documentation (TEST-NET-1), RFC 5737"},
	{V4(192, 31, 196, 0), 24, "AS112, RFC 7535"},
	{V4(192, 52, 193, 0), 24, "automatic multicast tunneling, RFC 7450"},
	{V4(192, 88, 99, 2), 32, "6a44 relay anycast, RFC 6751"},
	{V4(192, 88, 99, 0), 24, "6to4 relay anycast, deprecated, RFC 7526"},
	{V4(192, 168, 0, 0), 16, "private use, RFC 1918"},
	{V4(192, 175, 48, 0), 24, "direct delegation AS112, RFC 7534"},
	{V4(198, 18, 0, 0), 15, "benchmarking, RFC 2544"},
	{V4(198, 51, 100, 0), 24, "documentation (TEST-NET-2), RFC 5737"},
	{V4(203, 0, 113, 0), 24, "documentation (TEST-NET-3), RFC 5737"},
	{V4(224, 0, 0, 0), 4, "multicast, RFC 5771"},
	{V4(255, 255, 255, 255), 32, "limited broadcast, RFC 919"},
	{V4(240, 0, 0, 0), 4, "reserved, RFC 1112"},
};

/* The first bytes of a prefix; the rest of the array is zero. */
#define V6(...) {__VA_ARGS__}
#define V6_LAST(value) {[15] = (value)}

static const struct range_v6 ranges_v6[] = {
	{V6_LAST(0), 128, "unspecified, RFC 4291"},
	{V6_LAST(1), 128, "loopback, RFC 4291"},
	{V6_LAST(0), 96, "IPv4-compatible, deprecated, RFC 4291"},
	{V6(0x00, 0x64, 0xff, 0x9b), 96, "IPv4/IPv6 translation, RFC 6052"},
	{V6(0x00, 0x64, 0xff, 0x9b, 0, 1), 48, "local-use IPv4/IPv6 translation, RFC 8215"},
	{V6(0x01, 0x00), 64, "discard only, RFC 6666"},
	{V6(0x01, 0x00, 0, 0, 0, 0, 0, 1), 64, "dummy prefix, RFC 9780"},
	{V6(0x20, 0x01), 32, "Teredo, RFC 4380"},
	{V6(0x20, 0x01, 0, 1, [15] = 1), 128, "Port Control Protocol anycast, RFC 7723"},
	{V6(0x20, 0x01, 0, 1, [15] = 2), 128, "TURN anycast, RFC 8155"},
	{V6(0x20, 0x01, 0, 1, [15] = 3), 128, "DNS-SD registration anycast, RFC 9665"},
	{V6(0x20, 0x01, 0, 2), 48, "benchmarking, RFC 5180"},
	{V6(0x20, 0x01, 0, 3), 32, "automatic multicast tunneling, RFC 7450"},
	{V6(0x20, 0x01, 0, 4, 0x01, 0x12), 48, "AS112, RFC 7535"},
	{V6(0x20, 0x01, 0, 0x10), 28, "ORCHID, deprecated, RFC 4843"},
	{V6(0x20, 0x01, 0, 0x20), 28, "ORCHIDv2, RFC 7343"},
	{V6(0x20, 0x01, 0, 0x30), 28, "drone remote identification, RFC 9374"},
	{V6(0x20, 0x01), 23, "IETF protocol assignments, RFC 2928"},
	{V6(0x20, 0x01, 0x0d, 0xb8), 32, "documentation, RFC 3849"},
	{V6(0x20, 0x02), 16, "6to4, RFC 3056"},
	{V6(0x26, 0x20, 0, 0x4f, 0x80), 48, "direct delegation AS112, RFC 7534"},
	{V6(0x3f, 0xff), 20, "documentation, RFC 9637"},
	{V6(0x5f, 0x00), 16, "segment routing identifiers, RFC 9602"},
	{V6(0xfc), 7, "unique local, RFC 4193"},
	{V6(0xfe, 0x80), 10, "link local, RFC 4291"},
	{V6(0xfe, 0xc0), 10, "site local, deprecated, RFC 3879"},
	{V6(0xff), 8, "multicast, RFC 4291"},
};

#define GLOBAL_UNICAST_TOP 0x20 /* 2000::/3 is all that was ever handed out (RFC 4291 2.4) */

static const char *range_of_v4(uint32_t v)
{
	for (size_t i = 0; i < sizeof ranges_v4 / sizeof *ranges_v4; i++) {
		const struct range_v4 *r = &ranges_v4[i];
		if ((v ^ r->base) >> (32 - r->bits) == 0)
			return r->name;
	}
	return NULL;
}

const char *special_range(const struct address *a)
{
	if (address_is_v4(a))
		return range_of_v4(address_to_v4(a));
	for (size_t i = 0; i < sizeof ranges_v6 / sizeof *ranges_v6; i++) {
		const struct range_v6 *r = &ranges_v6[i];
		struct prefix p = {.bits = r->bits};
		memcpy(p.base.b, r->base, sizeof r->base);
		if (prefix_holds(&p, a))
			return r->name;
	}
	return (a->b[0] & 0xe0) == GLOBAL_UNICAST_TOP ? NULL : "outside global unicast, RFC 4291";
}

bool special_no_host(const struct address *a)
{
	if (!address_is_v4(a))
		return a->b[0] == 0xff || address_is_zero(a);
	uint32_t v = address_to_v4(a);
	return v >> 24 == 0 || v >> 28 >= 14;
}

static struct address v4_at(const struct address *a, size_t at)
{
	const uint8_t *b = a->b + at;
	return address_v4(V4(b[0], b[1], b[2], b[3]));
}

static bool begins_with(const struct address *a, const uint8_t *bytes, size_t n) { return !memcmp(a->b, bytes, n); }

static size_t embedded_in_teredo(const struct address *a, struct address out[SPECIAL_EMBEDDED_MAX])
{
	out[0] = v4_at(a, 4);
	out[1] = address_v4(~V4(a->b[12], a->b[13], a->b[14], a->b[15])); /* RFC 4380 4: inverted */
	return 2;
}

/* RFC 8215 leaves the length of the prefix to the site: it is a /48 or a /96 (RFC 6052 2.2). */
static size_t embedded_in_local_nat64(const struct address *a, struct address out[SPECIAL_EMBEDDED_MAX])
{
	out[0] = v4_at(a, 12);
	out[1] = address_v4(V4(a->b[6], a->b[7], a->b[9], a->b[10]));
	return 2;
}

size_t special_embedded(const struct address *a, struct address out[SPECIAL_EMBEDDED_MAX])
{
	static const uint8_t six_to_four[] = {0x20, 0x02}, teredo[] = {0x20, 0x01, 0, 0};
	static const uint8_t nat64[] = {0, 0x64, 0xff, 0x9b}, nat64_local[] = {0, 0x64, 0xff, 0x9b, 0, 1};
	static const uint8_t zero[12] = {0}, translated[12] = {[8] = 0xff, 0xff};
	static const uint8_t isatap[] = {0x5e, 0xfe};
	if (address_is_v4(a) || address_is_zero(a))
		return 0;
	if (begins_with(a, teredo, sizeof teredo))
		return embedded_in_teredo(a, out);
	if (begins_with(a, nat64_local, sizeof nat64_local))
		return embedded_in_local_nat64(a, out);
	bool at_end = begins_with(a, zero, sizeof zero) || begins_with(a, translated, sizeof translated) ||
		      (begins_with(a, nat64, sizeof nat64) && !memcmp(a->b + 4, zero, 8));
	/* RFC 5214 6.1: the interface identifier is 5efe and the address, with or without the u bit. */
	bool is_isatap = (a->b[8] & 0xfd) == 0 && a->b[9] == 0 && !memcmp(a->b + 10, isatap, sizeof isatap);
	if (begins_with(a, six_to_four, sizeof six_to_four))
		out[0] = v4_at(a, 2);
	else if (at_end || is_isatap)
		out[0] = v4_at(a, 12);
	else
		return 0;
	return 1;
}

/* What is outside 2000::/3, without IPv4, which is kept within it (::ffff:0:0/96). */
static int outside_unicast(struct prefix_set *into)
{
	struct prefix p = {.base = {{0x40}}, .bits = 2}, upper = {.base = {{0x80}}, .bits = 1};
	int bad = prefix_set_add(into, &p) || prefix_set_add(into, &upper) ? ERR_MEMORY : 0;
	const struct address v4 = address_v4(0);
	for (unsigned bits = 4; bits <= 96 && !bad; bits++) {
		p = prefix_of(&v4, bits);
		p.base.b[(bits - 1) / 8] ^= (uint8_t)(0x80 >> (bits - 1) % 8);
		bad = prefix_set_add(into, &p) ? ERR_MEMORY : 0;
	}
	return bad;
}

int special_prefixes(struct prefix_set *into)
{
	int bad = 0;
	for (size_t i = 0; i < sizeof ranges_v4 / sizeof *ranges_v4 && !bad; i++) {
		const struct prefix p = {address_v4(ranges_v4[i].base), (uint8_t)(96 + ranges_v4[i].bits)};
		bad = prefix_set_add(into, &p) ? ERR_MEMORY : 0;
	}
	for (size_t i = 0; i < sizeof ranges_v6 / sizeof *ranges_v6 && !bad; i++) {
		struct prefix p = {.bits = ranges_v6[i].bits};
		memcpy(p.base.b, ranges_v6[i].base, sizeof ranges_v6[i].base);
		bad = prefix_set_add(into, &p) ? ERR_MEMORY : 0;
	}
	return bad ? bad : outside_unicast(into);
}
