/*
 * Sources with a client: each turn is a thread of its own, and what it brings is read here, on the loop.
 *
 * Up to CALLS_MAX turns run at a time; clients that stay connected have a thread each beside these.
 */
#pragma once
#include "share/asking/client_inner.h"
#include "share/exchange_inner.h"

#define CALLS_MAX 8
#define CALLS_STAYING_MAX 16
#define CALLS_TRIES_MAX 5 /* of one question that came too early */

struct calls;
struct schedule;

/* What a source's client says of it, with the member that is wrong: ".url: …". */
int client_check(const struct source_options *, struct fault *);
const char *source_format(const struct source_options *); /* its own or its client's; NULL: neither says one */

/* In prepare(): the key as descriptor "key:N", so that its file may be readable for root alone. */
int calls_give_key(struct preparation *, size_t source, const char *path, struct fault *);
int calls_open(struct calls **, struct schedule *, struct fault *);
void calls_turn(struct calls *, uint64_t now_us); /* begins what is due */
void calls_stop(struct calls *);                  /* what runs is told to end */
void calls_close(struct calls *);                 /* and waited for; NULL is fine */
