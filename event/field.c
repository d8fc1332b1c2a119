#include "event/field.h"
#include <stdlib.h>

REGISTRY(fields, struct field_slot);

#define NAME_MAX_KEPT 64

static const struct {
	const char *name, *what;
} kinds[] = {
#define X(kind, kind_name, what_it_is) [EVENT_##kind] = {kind_name, what_it_is},
	EVENT_KINDS(X)
#undef X
};

#define DECLARATIONS_MAX 4096 /* words that many files share are declared by each of them */

enum { FIELD_0 = 0 }; /* a field without marks says 0 in the table */
#define X(field, field_name, type, marks, what_it_is)                                             \
	[FIELD_##field] = {field_name, FIELD_##type, FIELD_##marks, what_it_is},
/* The one mutable table: filled at start, then only appended to by field_learn(). */
static struct field_definition definitions[FIELDS_MAX] = {EVENT_FIELDS(X)};
#undef X
static uint16_t known = FIELDS_COMMON;

uint16_t field_count(void) { return known; }

const struct field_definition *field_definition(uint16_t number)
{
	return number < known ? &definitions[number] : NULL;
}

int field_find(struct bytes name)
{
	for (uint16_t i = 0; i < known; i++)
		if (bytes_equal_text(name, definitions[i].name))
			return i;
	return ERR_MISSING;
}

static int slot_order(const void *a, const void *b)
{
	const struct field_slot *const *x = a, *const *y = b;
	return strcmp((*x)->definition.name, (*y)->definition.name);
}

int event_start(struct fault *fault)
{
	if (known != FIELDS_COMMON)
		return 0;
	/* Sorted by name: the linker's order differs between compilers. */
	const struct field_slot *slots[DECLARATIONS_MAX];
	size_t n = 0;
	REGISTRY_EACH(fields, struct field_slot, s) {
		if (n == DECLARATIONS_MAX)
			return fault_set(fault, ERR_FULL, "fields: more than %d declarations", DECLARATIONS_MAX);
		slots[n++] = *s;
	}
	if (n)
		qsort(slots, n, sizeof *slots, slot_order);
	for (size_t i = 0; i < n; i++) {
		const struct field_definition *d = &slots[i]->definition;
		int twin = field_find(bytes_of_text(d->name));
		/* A decoy and a probe of one protocol speak of the same things in the same words. */
		if (twin >= 0 && (definitions[twin].type != d->type || definitions[twin].marks != d->marks))
			return fault_set(fault, ERR_BAD, "field %s: declared twice, with two types or marks", d->name);
		if (twin < 0 && known == FIELDS_MAX)
			return fault_set(fault, ERR_FULL, "fields: more than %d are declared", FIELDS_MAX);
		if (twin < 0)
			definitions[known] = *d;
		*slots[i]->number = twin < 0 ? known++ : (uint16_t)twin;
	}
	return 0;
}

int field_learn(struct bytes name, enum field_type type)
{
	int number = field_find(name);
	if (number >= 0)
		return definitions[number].type == type ? number : ERR_BAD;
	if (known == FIELDS_MAX)
		return ERR_FULL;
	if (name.len == 0 || name.len > NAME_MAX_KEPT || type < FIELD_TEXT || type > FIELD_ID)
		return ERR_BAD;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.at[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_'))
			return ERR_BAD;
	}
	char *kept = strndup((const char *)name.at, name.len);
	if (!kept)
		return ERR_MEMORY;
	definitions[known] = (struct field_definition){kept, type, 0, "learned from a peer"};
	return known++;
}

const char *event_kind_name(enum event_kind k) { return kinds[k].name; }
const char *event_kind_what(enum event_kind k) { return kinds[k].what; }

int event_kind_find(struct bytes name)
{
	for (int k = 0; k < EVENT_KIND_COUNT; k++)
		if (bytes_equal_text(name, kinds[k].name))
			return k;
	return ERR_MISSING;
}
