/* JSON as reports of visits write it: members one after another, with the comma before each but the first. */
#pragma once
#include "active/visit/visit.h"
#include "event/event.h"

void said_text(struct writer *, const char *name, const char *value);
void said_bytes(struct writer *, const char *name, struct bytes value);
void said_number(struct writer *, const char *name, uint64_t value);
void said_true(struct writer *, const char *name, bool value);
/* `open` is '{' or '['; the closing one is written by said_close(). */
void said_open(struct writer *, const char *name, char open);
void said_close(struct writer *, char close);
/* An element of a list that is opened; a plain text. */
void item_open(struct writer *, char open);
void item_text(struct writer *, const char *value);
