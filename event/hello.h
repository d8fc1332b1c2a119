/*
 * What of a sample's first words may be said by us: the same length and shape, without what names a machine.
 *
 * Digits of numbers of four and more, of addresses and of hexadecimal words of eight and more become 0; the
 * arguments of IRC's NICK and USER, and the identifier in a registration of Mirai's make, become letters
 * and digits of the same shape.
 */
#pragma once
#include "base/bytes.h"

struct hello_said {
	bool credential; /* it holds a password: never said */
	bool enlists;    /* whoever says it may be taken for one more bot */
	unsigned replaced; /* bytes that are others now */
};

/* Writes as many bytes as it was given; the writer turns bad when they do not fit. */
struct hello_said hello_neutralise(struct bytes recorded, struct writer *said);
