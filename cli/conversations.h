/*
 * The beginnings of TCP conversations in a capture: what the client said first, and what it was answered.
 *
 * Segments are put in order by their sequence numbers within CONVERSATION_BYTES_MAX from the begin of each
 * direction; what is lost ends a direction there.  Conversations whose SYN was not captured are left out.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define CONVERSATION_BYTES_MAX 512
#define CONVERSATIONS_MAX 65536

struct conversation {
	uint16_t port;                 /* of the server */
	struct bytes asked, answered;  /* either may be empty; valid during the call */
};

/* Each of the file (pcap or pcapng, packed or plain), in order of their SYN; the callback's false ends it. */
int conversations_read(const char *file, bool (*each)(void *arg, const struct conversation *), void *arg, struct fault *);
