/* One key from another: HKDF with SHA-256 (RFC 5869), for results of one block. */
#pragma once
#include "base/bytes.h"

#define DERIVED_BYTES 32

void derive(struct bytes key, const char *salt, struct bytes what_for, uint8_t out[DERIVED_BYTES]);
