/* The store's answers, a JSON object a line. */
#pragma once
#include "base/bytes.h"
#include <jansson.h>

/* Whole lines, however the answer was cut; false: one was too long, and is lost. */
bool lines_take(struct buffer *line, struct bytes part, void (*take)(void *, const json_t *row), void *arg);
const char *row_text(const json_t *row, const char *name); /* "" when absent */
size_t row_hex(const json_t *row, const char *name, uint8_t *out, size_t max); /* bytes that stand as hex */
uint64_t row_number(const json_t *row, const char *name);
