/*
 * The log of a process: one line a message on standard error, for the operator.
 *
 *   2026-11-23T06:28:00Z passive[1234] warning: what happened, what to do
 *
 * Only a room's own loop and the parent log; libraries return a fault.  Bytes
 * from outside never go here raw: use log_quoted().
 */
#pragma once
#include "base/bytes.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_open(const char *who, enum log_level up_to);
void log_say(enum log_level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Printable form of outside bytes, cut to fit; returns `text`. */
char *log_quoted(struct bytes, char *text, size_t n);

#define log_error(...) log_say(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_say(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_say(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_say(LOG_LEVEL_DEBUG, __VA_ARGS__)
