/*
 * How an event looks on the bus and in the journal.
 *
 *    0        4      6      8          24        32
 *    | length | kind | flags| id       | time us | values ...
 *    value:   | field u16 | type u8 | length u16 | bytes |
 *
 * Big-endian; `length` counts the whole frame.  Numbers of fields and kinds are
 * the sender's: a connection or a segment opens with its dictionary, and the
 * reader maps them to its own.  Unknown fields are kept (field_learn); a kind
 * that the reader does not know makes the frame ERR_MISSING, to be counted.
 */
#pragma once
#include "event/event.h"

#define FRAME_HEADER 32
#define FRAME_MAX (FRAME_HEADER + EVENT_FIELDS_MAX * 13 + EVENT_BYTES_MAX)
#define DICTIONARY_MAX 32768

/* Writes the frame; the writer turns bad when it does not fit. */
void frame_encode(const struct event *, struct writer *);

/* Our own kinds and fields by number, as sent before the first frame. */
void dictionary_write(struct writer *);

struct dictionary { /* theirs to ours */
	uint16_t kinds_count, fields_count;
	uint16_t kinds[256];
	uint16_t fields[FIELDS_MAX];
	bool same; /* all numbers are equal: frames can be passed on as they are */
};
#define KIND_UNKNOWN 0xffff

/* Reads a peer's dictionary; ERR_BAD when it is malformed. */
int dictionary_read(struct bytes, struct dictionary *);

/*
 * Takes one frame off the reader: ERR_TIMEOUT never; returns 0, ERR_GONE when it is
 * not complete yet (the reader stays), ERR_BAD when it can never become one.
 */
int frame_take(struct reader *, struct bytes *frame);

/* The kind by our numbers without reading the rest, or ERR_BAD / ERR_MISSING. */
int frame_kind(struct bytes frame, const struct dictionary *);
void frame_id(struct bytes frame, struct event_id *out); /* of a frame that frame_take() gave */

/* `dictionary` NULL: the frame is from this very process or its equal. */
int frame_decode(struct bytes frame, const struct dictionary *, struct event *out);
