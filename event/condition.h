/*
 * Conditions on an event's fields, as rules write them in YAML:
 *
 *   when: {login.accepted: true, dport: [23, 2323], src: 192.0.2.0/24, commands: {min: 1, max: 9},
 *          http.title: {contains: [phpMyAdmin, Adminer]}, banner: {absent: true},
 *          bytes.in: {times: 3, of: bytes.out}, tls.issuer: {same_as: tls.subject},
 *          tls.not_after: {before: 0s}}
 *
 * All must hold; a list holds when one of its values does.  Plain values compare exactly, an address
 * with prefixes.  contains, starts and ends compare text without regard to ASCII's case, and hold a
 * word or a list; times/of compares with another number of the event, same_as with another field,
 * before with the event's own time plus so long.  A field that is absent fulfils only {absent: true}.
 */
#pragma once
#include "base/options.h"
#include "event/event.h"

#define CONDITION_VALUES_MAX 1024
#define CONDITION_ALTERNATIVES_MAX 8
#define CONDITION_TOGETHER_MAX 12 /* conditions of an alternative */
#define CONDITION_PATH_MAX 160 /* "rules[3].when.login.accepted" */

enum condition_test {
	CONDITION_IS, /* one of the values */
	CONDITION_CONTAINS,
	CONDITION_STARTS,
	CONDITION_ENDS,
	CONDITION_ABSENT,
	CONDITION_PRESENT,
	CONDITION_SAME_AS,  /* as the field `other` */
	CONDITION_TIMES_OF, /* at least `number` times the field `other` */
	CONDITION_BEFORE,   /* earlier than the event, plus `number` microseconds */
};

struct condition_value {
	struct bytes text;    /* TEXT, BYTES */
	uint64_t min, max;    /* NUMBER, BOOL, TIME */
	struct prefix prefix; /* ADDRESS */
};

struct condition {
	uint16_t field, other;
	enum field_type type;
	enum condition_test test;
	const struct condition_value *values;
	size_t count;
	uint64_t number;
};

struct alternatives { /* one of them must hold, with all of its conditions */
	struct alternative {
		struct condition conditions[CONDITION_TOGETHER_MAX];
		size_t count;
	} *items;
	size_t count;
};

/* Where a reader of rules reads, and how it complains. */
struct condition_reading {
	const char *file;
	struct arena *arena;
	struct fault *fault;
};

/* "file:line: path: what is wrong, what would be right"; returns ERR_BAD. */
int condition_complain(const struct condition_reading *, const struct yaml_node *, const char *path,
		       const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Which of two is the likelier meaning of a misspelt name; `best` NULL: none so far. */
const char *name_nearer(const char *name, const char *candidate, const char *best);
/* A map of fields and what they must be, into at most `max` conditions.  event_start() was called. */
int conditions_read(const struct condition_reading *, const struct yaml_node *when, const char *path,
		    struct condition *out, size_t max, size_t *count);
/* Plain values, lists and ranges of what is no field; `out` knows its type. */
int condition_read_values(const struct condition_reading *, const struct yaml_node *, const char *path,
			  struct condition *out);
bool condition_holds(const struct condition *, const struct event *);

/* A map as conditions_read() takes it, or a list of them; each has a condition.  In the reading's arena. */
int alternatives_read(const struct condition_reading *, const struct yaml_node *when, const char *path,
		      struct alternatives *out);
bool alternatives_hold(const struct alternatives *, const struct event *);
