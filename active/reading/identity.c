#include "active/reading/identity_inner.h"

void identity_keep(struct identity_text *kept, struct bytes b)
{
	const uint8_t *end = b.len ? memchr(b.at, 0, b.len) : NULL;
	if (end)
		b.len = (size_t)(end - b.at);
	b = bytes_trim(b);
	kept->len = (uint8_t)(b.len < IDENTITY_TEXT_MAX ? b.len : IDENTITY_TEXT_MAX);
	for (size_t i = 0; i < kept->len; i++)
		kept->at[i] = b.at[i] < ' ' || b.at[i] == 0x7f ? ' ' : b.at[i];
}

void identity_begin(struct identity *i) { i->lines = writer_of(i->room, sizeof i->room); }

static void identity_line(struct identity *i, const char *name, struct bytes value)
{
	/* A line that does not fit is left out whole. */
	if (!name || writer_left(&i->lines) < strlen(name) + value.len + 2)
		return;
	if (writer_used(&i->lines))
		write_u8(&i->lines, '\n');
	write_text(&i->lines, name);
	write_u8(&i->lines, '=');
	write_span(&i->lines, value);
}

void identity_add(struct identity *i, struct event *answer, uint16_t field, const char *name,
		  const struct identity_text *text)
{
	struct bytes value = {text->at, text->len};
	if (!value.len)
		return;
	event_set_bytes(answer, field, value);
	identity_line(i, name, value);
}

void identity_add_number(struct identity *i, struct event *answer, uint16_t field, const char *name,
			 uint64_t value)
{
	char digits[24];
	snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
	event_set_number(answer, field, value);
	identity_line(i, name, bytes_of_text(digits));
}

void identity_tell(const struct identity *i, struct asking *a, const char *key)
{
	asking_signal(a, key, writer_bytes(&i->lines));
}
