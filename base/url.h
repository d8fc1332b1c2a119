/*
 * http and https URLs as browsers read them (URL Standard, WHATWG): the attacker writes them, a browser
 * follows them, so ours must mean the same host.
 *
 * Backslashes are slashes, tabs and line ends do not count, 0x7f.1 and 017700000001 are 127.0.0.1, and
 * a host whose last label is a number is an address or nothing.  The account before `@` and the
 * fragment are dropped.  Hosts beyond ASCII are refused: in what attackers write they are punycode.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define URL_MAX 4096
#define URL_HOST_MAX 253 /* RFC 1035 3.1, as text */

struct url {
	bool secure;
	bool numeric;              /* the host is an address */
	struct address address;    /* then that one */
	uint16_t port;
	char host[URL_HOST_MAX + 1]; /* lower case; an address in its canonical text, without brackets */
	char path[URL_MAX];        /* and query; begins with a slash, ASCII only */
};

/*
 * Reads a URL; with a base also a relative one.  ERR_BAD: it is none, or has no host; ERR_MISSING: of
 * another scheme; ERR_FULL: too long.
 */
int url_parse(struct bytes text, const struct url *base, struct url *out);
void url_write(const struct url *, struct writer *);
/* Writes it as text, always ended with NUL; returns `text`. */
char *url_format(const struct url *, char text[URL_MAX + URL_HOST_MAX + 32]);
#define URL_TEXT_MAX (URL_MAX + URL_HOST_MAX + 32)
/* A host as browsers read it: 0 and lower-case text, with an address where it is one; ERR_BAD. */
int url_host(struct bytes text, char host[URL_HOST_MAX + 1], bool *numeric, struct address *);
/* The first URL that stands in a text, such as a command; empty when there is none. */
struct bytes url_find(struct bytes text);
