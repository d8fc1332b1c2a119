/*
 * The host key of an SSH server, without a secret of ours.
 *
 * A key exchange is begun whose private half everybody may know: 1, or for groups of finite
 * fields a number that looks like none on the wire.  So our half is a constant, the shared
 * secret follows from the server's half alone, and what the server signed can be verified;
 * nothing could be kept secret with it, and nothing is, since we hang up before any key is
 * taken into use (RFC 4253 7.3).  RFC 8731, RFC 5656 4, RFC 4253 8.
 */
#pragma once
#include "base/bytes.h"

struct hostkey_method;

#define HOSTKEY_HALF_MAX 257 /* bytes of our half, as they go into the message */

/* The first of ours that is in the server's comma-separated list; NULL: none. */
const struct hostkey_method *hostkey_method_choose(struct bytes theirs);
const char *hostkey_method_name(const struct hostkey_method *);
bool hostkey_method_half(const struct hostkey_method *, struct writer *half);
/* The host key algorithm that is asked for, always in the same order; NULL: none. */
const char *hostkey_type_choose(struct bytes theirs);

struct hostkey_talk { /* what both sides said, in the words of RFC 4253 8 */
	struct bytes client_version, server_version; /* without the line's end */
	struct bytes client_init, server_init;       /* payloads of both KEXINITs */
	struct bytes key, half, signature;           /* of the server's reply */
};

/* Does the server hold the key that it shows? */
bool hostkey_is_proved(const struct hostkey_method *, const struct hostkey_talk *);
