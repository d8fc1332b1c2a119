/*
 * One direction of a Telnet connection that we are an end of (RFC 854, 855): the text in it, and
 * what is to be answered to its options.  Echo and suppressed go-ahead are taken from a server,
 * everything else is refused, each at most once, so that no negotiation can loop (RFC 1143).
 */
#pragma once
#include "base/bytes.h"

struct telnet_end {
	uint8_t reading, command;
	uint8_t answered[2][32]; /* options answered to WILL, to DO */
};

/*
 * `text` has room for came.len bytes; `answers` (3 bytes for each 3 of came) is NULL where we
 * never answer, as BusyBox's telnetd.
 */
void telnet_end_take(struct telnet_end *, struct bytes came, struct writer *text, struct writer *answers);
void telnet_write_text(struct bytes text, struct writer *); /* up to twice as long: IAC is doubled */
