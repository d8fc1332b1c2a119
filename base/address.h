/*
 * IP addresses of both families as 16 bytes: IPv4 is kept IPv4-mapped
 * (RFC 4291 2.5.5.2), so that one comparison, one hash and one column serve all.
 */
#pragma once
#include "base/bytes.h"
#include <sys/socket.h>

struct address {
	uint8_t b[16];
};

struct prefix {
	struct address base; /* host bits are zero */
	uint8_t bits;        /* 0..128, counted in the mapped form: 192.0.2.0/24 has 120 */
};

/* "2001:db8::1" needs 39, "::ffff:255.255.255.255" is written as IPv4; "/128" for prefixes. */
#define ADDRESS_TEXT_MAX 48

struct address address_v4(uint32_t host_order);
bool address_is_v4(const struct address *);
uint32_t address_to_v4(const struct address *); /* host order; only when address_is_v4() */
bool address_equal(const struct address *, const struct address *);
bool address_is_zero(const struct address *);
/* For hash tables; `key` is drawn at start, so that nobody can choose colliding addresses. */
uint64_t address_hash(const struct address *, uint64_t key);

bool address_parse(struct bytes text, struct address *out);
/* Writes the canonical text (RFC 5952; IPv4 dotted) and returns `text`. */
char *address_format(const struct address *, char text[ADDRESS_TEXT_MAX]);

void address_from_sockaddr(const struct sockaddr_storage *, struct address *, uint16_t *port);
/* Length of what was written; IPv4 becomes AF_INET unless `mapped` asks for AF_INET6. */
socklen_t address_to_sockaddr(const struct address *, uint16_t port, bool mapped,
			      struct sockaddr_storage *);

bool prefix_parse(struct bytes text, struct prefix *out); /* a bare address is a prefix of one */
char *prefix_format(const struct prefix *, char text[ADDRESS_TEXT_MAX]);
bool prefix_holds(const struct prefix *, const struct address *);
struct prefix prefix_of(const struct address *, unsigned bits); /* bits as in struct prefix */

/* A set of prefixes that answers in logarithmic time; may be empty. */
struct prefix_set {
	struct prefix *items;
	size_t count, capacity;
	bool sorted;
};

int prefix_set_add(struct prefix_set *, const struct prefix *); /* 0 or ERR_MEMORY */
/* Sorts and drops prefixes that lie within another; call once after the last add. */
void prefix_set_seal(struct prefix_set *);
bool prefix_set_holds(const struct prefix_set *, const struct address *);
bool prefix_set_overlaps(const struct prefix_set *, const struct prefix *);
void prefix_set_done(struct prefix_set *);
