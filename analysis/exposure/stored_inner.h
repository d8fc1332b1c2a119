/*
 * What the store answers to "who answered what": the last answer of each probe and port of each host,
 * and its last identity, as events again.
 */
#pragma once
#include "event/event.h"

#define STORED_SQL_MAX 2048
#define STORED_ROWS_MAX 200000u

void stored_sql(struct writer *, uint64_t since_us, uint64_t until_us);
/* What was found and matched since then, as rows of src, kind, sport, rule and time. */
void stored_found_sql(struct writer *, uint64_t since_us);
/* A line of JSON as the store gives it; false: it is none. */
bool stored_event(struct bytes line, struct event *);
#define STORED_RULE_MAX 128
bool stored_found(struct bytes line, struct address *host, enum event_kind *kind, uint64_t *port, char rule[STORED_RULE_MAX], uint64_t *time_us);
