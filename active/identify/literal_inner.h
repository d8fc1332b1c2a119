/* The fixed strings of which every match of a pattern contains one, or else a digit; in lower case. */
#pragma once
#include "active/identify/rules_inner.h"

struct literal {
	uint8_t len;
	char text[31];
};

struct literal_set {
	uint16_t count;
	bool digit;         /* every match also contains a digit */
	bool digit_instead; /* a match that contains none of the items contains a digit */
	struct literal items[RULE_LITERALS_MAX];
};

/* Empty when no such set is certain: then the pattern must be tried on every banner. */
struct literal_set literals_find(struct bytes pattern);
