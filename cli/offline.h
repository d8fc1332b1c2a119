/* The tables without a running kansoku: opened here, under the same lock. */
#pragma once
#include "store/store.h"

/* Whether a kansoku holds that state directory. */
bool offline_running(const char *state);
/* As engine_ask(); takes the lock, and the uid that owns the tables. */
int offline_ask(const char *state, const struct config *, struct bytes sql, enum answer_format,
		bool private_too, bool (*part)(void *, struct bytes), void *arg, struct fault *);
/*
 * chDB cannot be loaded into a sanitized build, which has one without sanitizers beside it,
 * NAME-store.  Where that is so and kansoku does not run: goes on as that program.
 */
void offline_program(const char *state);
