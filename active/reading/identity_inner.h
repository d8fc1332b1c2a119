/*
 * What a device says it is: texts kept while a look lasts, and at its end the fields of the
 * answer together with one signal, whose value is lines "name=value" in the order given.
 *
 * Every text comes from outside.  It is cut at IDENTITY_TEXT_MAX bytes, control characters
 * become spaces (so that a value cannot pretend to be another line), and what is then empty
 * is left out.
 */
#pragma once
#include "active/probe.h"

#define IDENTITY_TEXT_MAX 96

struct identity_text { /* of a probe's zeroed state */
	uint8_t len;
	uint8_t at[IDENTITY_TEXT_MAX];
};

struct identity {
	struct writer lines; /* over `room`: an identity does not move */
	uint8_t room[SIGNAL_VALUE_MAX];
};

/* Zero bytes, with which many devices fill a text up, end it. */
void identity_keep(struct identity_text *, struct bytes);

void identity_begin(struct identity *);
/* `name` NULL: only the field of the answer. */
void identity_add(struct identity *, struct event *answer, uint16_t field, const char *name,
		  const struct identity_text *);
void identity_add_number(struct identity *, struct event *answer, uint16_t field, const char *name,
			 uint64_t value);
/* Gives the lines as one signal; nothing when there is none. */
void identity_tell(const struct identity *, struct asking *, const char *key);
