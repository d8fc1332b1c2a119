/*
 * Crypto-PAn: addresses under a key so that those that shared a prefix share one of the same length afterwards
 * (Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization, ICNP 2002).
 *
 * One to one within a family.  Not safe against who can have packets of his choice observed: a probe from an
 * address that he knows tells him its new one, and with it the prefix of its neighbours.
 */
#pragma once
#include "base/address.h"

#define CRYPTOPAN_KEY 32 /* bytes: the cipher's key, then what the pad is made of */

struct cryptopan;

int cryptopan_open(struct cryptopan **, const uint8_t key[CRYPTOPAN_KEY]); /* 0 or ERR_MEMORY */
void cryptopan_close(struct cryptopan *);
uint32_t cryptopan_v4(struct cryptopan *, uint32_t host_order);
struct address cryptopan_address(struct cryptopan *, const struct address *);
