/* Content that is hidden under one repeated byte: what finding a key and reading its table share. */
#pragma once
#include "lab/analyser.h"

#define XOR_STRING_MAX 1024

static inline bool xor_printable(uint8_t c) { return c >= 0x20 && c < 0x7f; }

/*
 * The string around `at` under the key.  A byte that is 0 in the file ends it, whatever the key makes
 * of it: the terminators of C strings are often left as they are, and under key 0x22 would read '"'.
 */
struct xor_string {
	size_t start, len;
	uint8_t text[XOR_STRING_MAX];
};
void xor_string_read(struct bytes content, size_t at, uint8_t key, struct xor_string *);

/* A key that words of a bot were found under: its table, its endpoints, its passwords (lab/mirai_table.c). */
void mirai_table_look(struct analysis *, struct bytes content, uint8_t key);
