/*
 * Publishing by schedule, within the process "exchange": each turn exports what is new of a collection as its
 * organisation's grant allows (share/exporting/exporting_inner.h, which has it in the audit first), and a thread sends it.
 *
 * How far it was sent is kept.  After a failure the same is exported again; lines that arrived are not sent twice as
 * long as its bytes are the same.
 */
#pragma once
#include "share/exchange_inner.h"

#define PUBLISHING_MAX 32

struct publishing;

int publishing_check(const struct config *, struct fault *);
int publishing_prepare(struct preparation *, struct fault *); /* the keys */
int publishing_open(struct publishing **, struct exchange *, struct fault *);
void publishing_start(struct publishing *);
void publishing_stop(struct publishing *);
void publishing_close(struct publishing *); /* waits for what is being sent; NULL is fine */
