/*
 * Decompression of NRV2B, 2D and 2E, the formats of the UCL library that UPX packs programs with.
 *
 * Bits come from words of 8, 16 or 32 bits, low byte first.  Damaged input ends with an error;
 * nothing is read or written outside.
 */
#pragma once
#include "base/bytes.h"

enum nrv { NRV2B, NRV2D, NRV2E };

/* Bytes written, at most `room`; -1 when the input is damaged or does not fit. */
long nrv_unpack(enum nrv, unsigned word_bits, struct bytes packed, uint8_t *out, size_t room);
