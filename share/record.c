#include "share/format.h"

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
		f->bytes = b;
}

void record_text(struct record *r, uint16_t field, const char *text)
{
	if (text)
		record_bytes(r, field, bytes_of_text(text));
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
