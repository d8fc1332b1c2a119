/*
 * Replies of FTP and SMTP as servers really give them (RFC 959 4.2, RFC 5321 4.2): three
 * digits and a text; with a hyphen behind the digits more lines follow, up to the one that
 * begins with the same digits and a space.  Lines may end in LF alone, and those in the
 * middle need not begin with the digits.
 *
 * Nothing is copied: spans point into the reader's bytes.
 */
#pragma once
#include "base/bytes.h"

struct reply {
	unsigned code;    /* 0: there was none */
	struct bytes raw; /* all its lines, without the last line's end */
};

enum reply_state {
	REPLY_WAITS, /* more must come; the reader stays where it was */
	REPLY_WHOLE, /* taken from the reader */
	REPLY_ALIEN, /* this is no such reply */
};

enum reply_state reply_take(struct reader *, struct reply *);

/* Its text without the digits, lines joined by LF; cut where the room ends. */
struct bytes reply_unfold(const struct reply *, struct writer *room);

/* As much of b as fits. */
void write_fitting(struct writer *, struct bytes b);
