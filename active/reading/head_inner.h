/*
 * The head of an answer in RTSP or SIP (RFC 7826 5, RFC 3261 7): a status line and header
 * lines up to an empty one, in the form that HTTP gave them.  Lines may end in LF alone.
 * Nothing is copied.
 */
#pragma once
#include "base/bytes.h"

struct head {
	unsigned status;     /* 0: this is no such answer */
	struct bytes fields; /* the header lines, as far as they came */
	bool whole;          /* its empty line has come */
};

/* `protocol` is what the status line begins with: "RTSP/", "SIP/". */
struct head head_read(struct bytes raw, const char *protocol);
/* May these bytes, however few, become one? */
bool head_begins(struct bytes raw, const char *protocol);
/* Value of the first header of that name, or of its short form (may be NULL); empty: none. */
struct bytes head_field(const struct head *, const char *name, const char *brief);
/* The value of realm="..." in a challenge; empty: none. */
struct bytes head_realm(struct bytes challenge);
