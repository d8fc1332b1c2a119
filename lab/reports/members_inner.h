/*
 * Writing JSON, a member at a time: commas and quotes are right by themselves.
 *
 *   struct members m = members_begin(w, '{');
 *   member_text(&m, "name", "value");
 *   struct members list = member_begin(&m, "list", '[');
 *   member_text(&list, NULL, "an element has no name");
 *   members_end(&list);
 *   members_end(&m);
 */
#pragma once
#include "event/event.h"

struct members {
	struct writer *w;
	char close;
	bool more; /* a comma comes before the next one */
};

struct members members_begin(struct writer *, char open); /* '{' or '[' */
void members_end(struct members *);
struct members member_begin(struct members *, const char *name, char open);
void member_bytes(struct members *, const char *name, struct bytes);
void member_text(struct members *, const char *name, const char *text); /* NULL writes nothing */
void member_number(struct members *, const char *name, uint64_t);
void member_bool(struct members *, const char *name, bool);
void member_hex(struct members *, const char *name, struct bytes);
void member_time(struct members *, const char *name, uint64_t time_us); /* milliseconds, RFC 3339 */
