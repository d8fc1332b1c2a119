/*
 * What an infected device says to a decoy: it logs in by dictionary, asks what bots ask, names a
 * file to fetch and leaves. Knows no socket and no clock; the words are harmless anywhere, since
 * nothing but a decoy's shell would ever see them.
 */
#pragma once
#include "base/bytes.h"

#define VISIT_HEARD_MAX 4096
#define VISIT_SAID_MAX 1024

enum visit_end { VISIT_GOES_ON, VISIT_DONE, VISIT_REFUSED /* no password was right */ };

struct visit {
	unsigned phase, tries, lines;
	bool logged_in;
	uint8_t option[2]; /* of a telnet option that is not whole yet */
	unsigned option_count;
	size_t heard_count, said_count;
	char heard[VISIT_HEARD_MAX];
	uint8_t said[VISIT_SAID_MAX]; /* to send now; the caller empties it */
	char greeting[48];            /* the last line before the first prompt, as far as printable */
};

void visit_begin(struct visit *);
enum visit_end visit_hear(struct visit *, struct bytes);
const char *visit_login(const struct visit *); /* "root/xc3511" */
