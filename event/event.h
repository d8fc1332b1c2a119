/*
 * One fact: a kind, its place in time and cause, and a few named fields.
 *
 * Absent fields are just absent; a field may appear once.  An event owns the
 * bytes it says, up to a limit: more is cut and marked, never refused.
 */
#pragma once
#include "base/address.h"
#include "event/field.h"
#include "event/id.h"

#define EVENT_FIELDS_MAX 40
#define EVENT_BYTES_MAX 16384 /* all outside bytes of one event together */
#define EVENT_DEPTH_MAX 16    /* a chain of causes longer than this is a loop of ours */

struct event_value {
	uint16_t field;
	enum field_type type;
	uint64_t number;    /* NUMBER, BOOL, TIME */
	struct bytes bytes; /* TEXT, BYTES, ADDRESS, ID: points into the event's store */
};

struct event {
	struct event_id id;
	uint64_t time_us; /* UTC */
	enum event_kind kind;
	uint16_t count;
	bool cut;
	size_t stored;
	struct event_value values[EVENT_FIELDS_MAX];
	uint8_t store[EVENT_BYTES_MAX];
};

/* Makes it an empty event of that kind (does not touch the store's bytes). */
void event_begin(struct event *, enum event_kind);

void event_set_number(struct event *, uint16_t field, uint64_t); /* NUMBER or TIME */
void event_set_bool(struct event *, uint16_t field, bool);
void event_set_bytes(struct event *, uint16_t field, struct bytes);
void event_set_text(struct event *, uint16_t field, const char *);
void event_set_address(struct event *, uint16_t field, const struct address *);
void event_set_id(struct event *, uint16_t field, const struct event_id *);
/* `this` was caused by `cause`: sets cause, root and depth.  False when the chain is too long. */
bool event_set_cause(struct event *this, const struct event *cause);
/* The same from the parts that a room kept. */
bool event_set_chain(struct event *, const struct event_id *cause, const struct event_id *root,
		     uint64_t depth_of_cause);

const struct event_value *event_get(const struct event *, uint16_t field); /* NULL when absent */
uint64_t event_number(const struct event *, uint16_t field, uint64_t absent);
bool event_bool(const struct event *, uint16_t field);
struct bytes event_bytes(const struct event *, uint16_t field); /* empty when absent */
bool event_address(const struct event *, uint16_t field, struct address *out);
bool event_id_of(const struct event *, uint16_t field, struct event_id *out);

/*
 * One JSON object without newline.  Bytes that are not valid UTF-8 come out as
 * \u00XX each; 64-bit numbers above 2^53 as strings; times as RFC 3339.
 */
void event_write_json(const struct event *, struct writer *);
void write_json_string(struct writer *, struct bytes);
/* "2015-04-01T00:00:00.000000Z", RFC 3339. */
#define TIME_TEXT_MAX 32
char *time_format(uint64_t time_us, char text[TIME_TEXT_MAX]);
bool time_parse(struct bytes text, uint64_t *time_us); /* RFC 3339 in UTC, or a plain date */
