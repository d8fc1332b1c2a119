/* Android's binary XML: a reader that walks its elements and looks strings up as they are named. */
#pragma once
#include "base/bytes.h"

#define AXML_STRINGS_MAX 8192
#define AXML_STRING_MAX 1024

struct axml {
	struct bytes content, pool;
	uint64_t at; /* of the next chunk */
	uint32_t string_count, strings_start, resource_count;
	struct bytes resources; /* numbers of attributes' names, by their place in the pool */
	bool utf8, damaged;
};

struct axml_element {
	struct bytes name;
	uint8_t name_room[128];
	uint64_t attributes;
	unsigned attribute_count, attribute_size;
};

struct axml_attribute {
	uint32_t raw, data;
	unsigned type;
};

void axml_open(struct axml *, struct bytes content);
/* The next start of an element; false at the end. */
bool axml_next(struct axml *, struct axml_element *);
/* By the number of the resource, or, where there is none, by its name; a resource of 0: by name alone. */
bool axml_attribute_find(const struct axml *, const struct axml_element *, uint32_t resource, const char *name,
			 struct axml_attribute *);
void axml_value_text(const struct axml *, const struct axml_attribute *, char *text, size_t size);
/* As UTF-8 in `room`, cut at its size; empty when there is no such string. */
struct bytes axml_string(const struct axml *, uint32_t index, uint8_t room[AXML_STRING_MAX]);
