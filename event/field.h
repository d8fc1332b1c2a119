/*
 * Fields and kinds by name and number.
 *
 * The common fields have the numbers of enum field.  A module declares its own
 * with FIELD(...) in its own file; event_start() gives them numbers after the
 * common ones.  Numbers are never stored or sent without the dictionary that
 * names them (event/frame.h).
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"
#include "base/registry.h"
#include "event/vocabulary.h"

enum event_kind {
#define X(kind, name, what) EVENT_##kind,
	EVENT_KINDS(X)
#undef X
	EVENT_KIND_COUNT
};

enum field {
#define X(field, name, type, marks, what) FIELD_##field,
	EVENT_FIELDS(X)
#undef X
	FIELDS_COMMON
};

enum field_type { /* on the wire and on disk: append only */
	FIELD_TEXT = 1,
	FIELD_BYTES = 2,
	FIELD_NUMBER = 3,
	FIELD_BOOL = 4,
	FIELD_ADDRESS = 5,
	FIELD_TIME = 6,
	FIELD_ID = 7,
};

enum field_mark { FIELD_HOT = 1, FIELD_PRIVATE = 2, FIELD_FLOW = 4 };

struct field_definition {
	const char *name; /* dotted, lower case: "telnet.terminal" */
	enum field_type type;
	unsigned marks;
	const char *what;
};

/* A module's own field.  The number is given by event_start(). */
struct field_slot {
	struct field_definition definition;
	uint16_t *number;
};

#define FIELD(id, field_name, field_kind, field_marks, meaning)                                   \
	static uint16_t id;                                                                       \
	static const struct field_slot slot_of_##id = {                                           \
		{field_name, FIELD_##field_kind, field_marks, meaning}, &id};                     \
	REGISTER(fields, struct field_slot, slot_of_##id)

#define FIELDS_MAX 768 /* common and modules' together, and foreign ones learned from dictionaries */

/*
 * Numbers the modules' fields; call once at start of a process.  Two modules may declare the
 * same field; ERR_BAD when they differ in type or marks.
 */
int event_start(struct fault *);
uint16_t field_count(void);
const struct field_definition *field_definition(uint16_t number); /* NULL beyond field_count() */
int field_find(struct bytes name);                                /* number, or ERR_MISSING */
/* Takes in a name that a peer or an old segment uses; its number, or ERR_FULL / ERR_BAD (other type). */
int field_learn(struct bytes name, enum field_type);

const char *event_kind_name(enum event_kind);
const char *event_kind_what(enum event_kind);
int event_kind_find(struct bytes name); /* kind, or ERR_MISSING */
