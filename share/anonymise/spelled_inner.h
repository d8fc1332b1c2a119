/*
 * Addresses in a text, in the ways in which people, programs and attackers spell them.
 *
 *   192.0.2.7          with dots, hyphens, underscores or commas between (FTP's PORT), also from its end
 *                      (7.2.0.192.in-addr.arpa), and with DNS's lengths where the dots were
 *   0xC0.0.02.7        parts in hexadecimal and octal, and fewer of them, as inet_aton(3) reads them
 *   3221225991         as one number: decimal, hexadecimal, octal; and from its last byte to its first
 *   2001:db8::7        all texts of RFC 4291 2.2, and the nibbles of ip6.arpa
 *
 * A name of ours is a spelling, too.
 */
#pragma once
#include "share/anonymise/hidden_inner.h"

enum spelling { SPELLED_PARTS, SPELLED_TURNED_PARTS, SPELLED_NUMBER, SPELLED_TURNED_NUMBER, SPELLED_V6, SPELLED_NIBBLES, SPELLED_NAME };

struct spelled {
	size_t at, len;
	enum spelling spelling;
	uint8_t base;       /* 10, 16 or 8, of a number */
	uint8_t between;    /* of parts: what stands between them; 1: the lengths of DNS's labels */
	struct address address;
};

/* The next that is hidden, from `from` on; false: there is none. */
bool spelled_find(const struct hidden *, struct bytes text, size_t from, struct spelled *);
/* Something of the same length and form that says nothing. */
void spelled_mask(const struct spelled *, uint8_t *at);
/* What it becomes, spelled in the same way. */
void spelled_write(const struct hidden *, const struct spelled *, struct writer *);
#define SPELLED_TEXT_MAX 64
#define OWN_NAME_INSTEAD "own.invalid" /* RFC 6761 6.4 */
