/*
 * What text can be wrapped in: each layer is taken off, what is beneath is cleaned, and what changed is wrapped
 * again, in as many letters as before.
 *
 *   escapes     %31, \x31, \061, \u0031, &#49; &#x31; =31, and dots that people broke: [.] (.) [dot]
 *   hex         3139322e, 31 39 32 2e, 31:39:32:2e, 0x31, 0x39
 *   Base64      both alphabets, from each of the four places where a group may begin
 *   UTF-16      either order, as Windows sends names
 */
#pragma once
#include "base/arena.h"
#include "share/anonymise/hidden_inner.h"

#define LAYERS_DEPTH 2 /* layers within each other */

/* All of them; whether something changed. */
bool layers_clean(const struct hidden *, uint8_t *text, size_t len, struct arena *, unsigned depth);
/* Everything at this depth: what is spelled, bytes, and the layers. */
bool clean_at(const struct hidden *, uint8_t *text, size_t len, struct arena *, unsigned depth);
/* Addresses as bytes, in the network's order or, of those that are exactly known, turned around. */
bool bytes_clean(const struct hidden *, uint8_t *text, size_t len);
