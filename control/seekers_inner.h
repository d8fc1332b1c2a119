/*
 * Does a peer look for honeypots?  Signs of it in what it says, each with a weight.
 *
 * A sign alone proves little: programs for finding honeypots read the same files as curious people.
 * The score of a source is the sum of the weights of all different signs that it gave, at most 100.
 */
#pragma once
#include "base/bytes.h"

/*        sign            word             weight  what the peer did */
#define SEEKER_SIGNS(X)                                                                           \
	X(NAME,           "name",            60, "named a honeypot or the program of one")        \
	X(TRACE,          "trace",           60, "looked for a file, a user or a date that only honeypots have") \
	X(MACHINE,        "machine",         20, "asked whether the machine is virtual or a container") \
	X(OUTSIDE,        "outside",         20, "tried whether the machine reaches the Internet") \
	X(GREETING,       "greeting",        50, "sent an SSH greeting of a version that does not exist")

enum seeker_sign {
#define X(sign, word, weight, what) SEEKER_##sign,
	SEEKER_SIGNS(X)
#undef X
	SEEKER_SIGN_COUNT
};
const char *seeker_word(enum seeker_sign);
/* Bits of the signs in a command line or in the path of a request. */
unsigned seeker_signs_of_text(struct bytes);
unsigned seeker_signs_of_greeting(struct bytes ssh_version);
unsigned seeker_score(unsigned signs); /* 0 to 100 */
