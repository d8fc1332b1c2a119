/*
 * Keys of recipients, from one that was drawn when the exchange first started.
 *
 * What a recipient gets is tokens and addresses under a key of its own, derived (HKDF, RFC 5869) from the master, the
 * organisation and the policy; the view derives one for each period from it.  Two recipients therefore cannot join
 * what they got, and an export can be made again as long as the master is there: back it up, tell nobody.
 */
#pragma once
#include "base/error.h"
#include <stdint.h>

#define KEYS_FILE "keys" /* 0600, below EXCHANGE_FOLDER: "kansoku keys 1", and 64 hex digits */
#define KEY_BYTES 32

struct keys;
int keys_open(struct keys **, int directory, struct fault *); /* draws and keeps one where there is none */
void keys_close(struct keys *);
void keys_derive(const struct keys *, const char *organisation, const char *policy, uint8_t key[KEY_BYTES]);
