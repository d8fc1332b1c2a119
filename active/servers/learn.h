/*
 * Learning fingerprints of servers from traffic (CyberProbe, NDSS 2014): pairs of a hello and the parts that
 * all answers to it share and no benign answer shows.
 *
 * Conversations of samples are grouped by their hello, without what names a machine.  For each group the
 * predicate is the common begin, the common end and the common parts between, weakened to what is needed
 * least: a predicate that a benign answer satisfies is not written at all.
 */
#pragma once
#include "active/servers/fingerprint.h"

#define SERVER_LEARNT_MAX (1u << 20)
#define LEARNING_CONVERSATIONS_MAX 65536 /* of each side */
#define LEARNING_GROUPS_MAX 256

struct server_learning;

struct server_learnt {
	size_t malicious, benign, groups, made;
};

int server_learning_open(struct server_learning **); /* 0 or ERR_MEMORY */
void server_learning_close(struct server_learning *);
void server_learning_side(struct server_learning *, bool benign); /* of what is taken from now on */
/* Copied, up to 512 bytes each; ERR_FULL or ERR_MEMORY. */
int server_learning_take(struct server_learning *, struct bytes asked, struct bytes answered);
/* YAML as fingerprint.h has it; ERR_MISSING: nothing can be learned, and why. */
int server_learning_write(struct server_learning *, const char *name, const char *family, struct writer *,
			  struct server_learnt *, struct fault *);
