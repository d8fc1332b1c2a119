#include "event/field.h"
#include <stdlib.h>
#include <xxhash.h>

REGISTRY(fields, struct field_slot);

#define NAME_MAX_KEPT 64

static const struct {
	const char *name, *what;
} kinds[] = {
#define X(kind, kind_name, what_it_is) [EVENT_##kind] = {kind_name, what_it_is},
	EVENT_KINDS(X)
#undef X
};

#define INDEX_SLOTS (4 * FIELDS_MAX)
#define DECLARATIONS_MAX 4096 /* words that many files share are declared by each of them */

enum { FIELD_0 = 0 }; /* a field without marks says 0 in the table */
#define X(field, field_name, type, marks, what_it_is)                                             \
	[FIELD_##field] = {field_name, FIELD_##type, FIELD_##marks, what_it_is},
/* The one mutable table and its index by name: filled at start, then only appended to by field_learn(). */
static struct field_definition definitions[FIELDS_MAX] = {EVENT_FIELDS(X)};
#undef X
static uint16_t known = FIELDS_COMMON;
static uint16_t by_name[INDEX_SLOTS]; /* number + 1; 0: free */

uint16_t field_count(void) { return known; }

const struct field_definition *field_definition(uint16_t number)
{
	return number < known ? &definitions[number] : NULL;
}

/* Where the name stands in the index, or would stand. */
static uint16_t *index_slot(struct bytes name)
{
	size_t at = XXH3_64bits(name.at, name.len) % INDEX_SLOTS;
	while (by_name[at] && !bytes_equal_text(name, definitions[by_name[at] - 1].name))
		at = (at + 1) % INDEX_SLOTS;
	return &by_name[at];
}

static void index_common(void)
{
	static bool done;
	for (uint16_t i = 0; i < FIELDS_COMMON && !done; i++)
		*index_slot(bytes_of_text(definitions[i].name)) = (uint16_t)(i + 1);
	done = true;
}

int field_find(struct bytes name)
{
	index_common();
	uint16_t number = *index_slot(name);
	return number ? number - 1 : ERR_MISSING;
}

static uint16_t define(const struct field_definition *d)
{
	index_common();
	uint16_t *slot = index_slot(bytes_of_text(d->name));
	definitions[known] = *d;
	*slot = (uint16_t)(known + 1);
	return known++;
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
		*slots[i]->number = twin < 0 ? define(d) : (uint16_t)twin;
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
	const struct field_definition learned = {kept, type, 0, "learned from a peer"};
	return define(&learned);
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
