/*
 * The mathematics of key exchange, the server's half: RFC 4253 8 and 4419 (Diffie-Hellman),
 * 5656 (ECDH), 8731 (Curve25519), 8268 (larger groups), and sntrup761x25519.
 */
#pragma once
#include "base/bytes.h"

#define EXCHANGE_PUBLIC_MAX 1300 /* of a group of 8192 bits, or of sntrup761x25519 */
#define EXCHANGE_RANDOM 1500     /* bytes that one exchange may use */

enum exchange_kind { EXCHANGE_CURVE25519, EXCHANGE_ECDH, EXCHANGE_GROUP, EXCHANGE_CHOSEN_GROUP, EXCHANGE_SNTRUP };

struct ssh_exchange {
	const char *name, *digest;
	uint8_t kind;
	uint16_t size; /* of the group in bits, of the curve */
};

const struct ssh_exchange *ssh_exchange_named(struct bytes); /* NULL: none such */
/* Whether public values are numbers (mpint) and not strings. */
static inline bool exchange_is_group(const struct ssh_exchange *x)
{
	return x->kind == EXCHANGE_GROUP || x->kind == EXCHANGE_CHOSEN_GROUP;
}
/* The size of the group for a request (RFC 4419 3); 0: there is none. */
unsigned exchange_group_size(uint32_t least, uint32_t wanted, uint32_t most);
bool exchange_group_prime(unsigned size, struct writer *mpint);

/*
 * From the peer's public value ours and the shared secret K, encoded as it is hashed.  False:
 * the peer's value is none, or libcrypto failed.
 */
bool exchange_answer(const struct ssh_exchange *, unsigned group_size,
                     const uint8_t random[EXCHANGE_RANDOM], struct bytes theirs, struct writer *ours,
                     struct writer *shared);
