#include "share/format.h"
#include <xxhash.h>

#define DIGITS 16
#define TOKEN_MAX 128

static struct record_field *next_field(struct record *r, uint16_t field)
{
	if (r->field_count == RECORD_FIELDS_MAX)
		return NULL;
	struct record_field *f = &r->fields[r->field_count++];
	*f = (struct record_field){.field = field};
	return f;
}

void record_bytes(struct record *r, uint16_t field, struct bytes b)
{
	struct record_field *f = b.len ? next_field(r, field) : NULL;
	if (f)
		f->bytes = (struct bytes){b.at, b.len < RECORD_TEXT_MAX ? b.len : RECORD_TEXT_MAX};
}

void record_text(struct record *r, uint16_t field, const char *text)
{
	if (text)
		record_bytes(r, field, bytes_of_text(text));
}

void record_token(struct record *r, uint16_t field, struct bytes word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] < ' ' || word.at[i] > '~')
			return;
	if (word.len <= TOKEN_MAX)
		record_bytes(r, field, word);
}

void record_number(struct record *r, uint16_t field, uint64_t number)
{
	struct record_field *f = next_field(r, field);
	if (f)
		f->number = number;
}

void record_address(struct record *r, uint16_t field, const struct address *address)
{
	struct record_field *f = next_field(r, field);
	if (f)
		f->address = *address;
}

void record_digest(struct intake *in, struct record *r, struct bytes original)
{
	char *digits = arena_alloc(intake_arena(in), DIGITS + 1);
	if (!digits)
		return;
	snprintf(digits, DIGITS + 1, "%016llx", (unsigned long long)XXH3_64bits(original.at, original.len));
	r->version = (struct bytes){(const uint8_t *)digits, DIGITS};
}
