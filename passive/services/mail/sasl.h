/*
 * SASL as mail servers offer it: PLAIN (RFC 4616), LOGIN and CRAM-MD5 (RFC 2195).
 *
 * The protocol around it sends the prompt behind its own word ("334 ", "+ ") and hands in each
 * line that answers it.  Every log-in that was whole is reported once.
 */
#pragma once
#include "passive/accounts.h"

#define SASL_USER_MAX 255
#define SASL_CHALLENGE_MAX 96
#define SASL_PROMPT_MAX 192 /* in Base64, with its NUL */

enum sasl_next {
	SASL_MORE, /* the prompt is to be sent, a line is awaited */
	SASL_IN,
	SASL_REFUSED,
	SASL_BROKEN,    /* it is no Base64 */
	SASL_CANCELLED, /* by "*" */
	SASL_UNKNOWN,   /* no such mechanism is offered */
};

struct sasl {
	uint8_t mechanism, step, user_len;
	uint8_t user[SASL_USER_MAX]; /* who it is, once it is over */
	char challenge[SASL_CHALLENGE_MAX];
	char prompt[SASL_PROMPT_MAX];
};

/* `offered`: names with blanks between; `first`: what came with the name, at NULL when nothing did. */
enum sasl_next sasl_begin(struct session *, struct sasl *, const struct option_list *accounts,
			  const char *offered, struct bytes name, struct bytes first);
enum sasl_next sasl_continue(struct session *, struct sasl *, const struct option_list *accounts,
			     struct bytes line);
