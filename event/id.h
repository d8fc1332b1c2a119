/*
 * Ids: 16 bytes, big-endian time first, made where the event is made.
 *
 *    0               8            12           16
 *    | time, us UTC  | maker      | count      |
 *
 * `maker` is drawn at random when a process starts, `count` runs within it, so
 * two ids never meet and looking one up is a range of time.
 */
#pragma once
#include "base/bytes.h"

struct event_id {
	uint8_t b[16];
};

#define EVENT_ID_TEXT 33 /* 32 hex digits and NUL */

struct id_maker {
	uint32_t maker, count;
};

struct id_maker id_maker_new(void);
struct event_id id_make(struct id_maker *, uint64_t time_us);
uint64_t id_time_us(const struct event_id *);
bool id_is_zero(const struct event_id *);
bool id_equal(const struct event_id *, const struct event_id *);
char *id_format(const struct event_id *, char text[EVENT_ID_TEXT]);
bool id_parse(struct bytes text, struct event_id *out);
