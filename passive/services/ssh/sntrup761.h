/*
 * Streamlined NTRU Prime with p = 761, q = 4591, w = 286: the half of the key exchange
 * sntrup761x25519 that a server does (NTRU Prime round 3, section 5; the encodings of its
 * section 3.2).
 */
#pragma once
#include "base/bytes.h"

#define SNTRUP_PUBLIC 1158
#define SNTRUP_CIPHERTEXT 1039
#define SNTRUP_KEY 32
#define SNTRUP_RANDOM (4 * 286 + 36)

/*
 * Makes a key and its ciphertext for a public key.  `random` decides both.  The work's time
 * depends on the secret: whoever could measure it would learn what a decoy was told.
 */
bool sntrup761_encapsulate(const uint8_t public_key[SNTRUP_PUBLIC],
                           const uint8_t random[SNTRUP_RANDOM],
                           uint8_t ciphertext[SNTRUP_CIPHERTEXT], uint8_t key[SNTRUP_KEY]);
