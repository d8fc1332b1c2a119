#include "active/visit/reports/words_inner.h"

static void comma(struct writer *w)
{
	const uint8_t last = writer_used(w) ? w->at[-1] : '{';
	if (last != '{' && last != '[' && last != '\n')
		write_u8(w, ',');
}

static void name_of(struct writer *w, const char *name)
{
	comma(w);
	write_json_string(w, bytes_of_text(name));
	write_u8(w, ':');
}

void said_bytes(struct writer *w, const char *name, struct bytes value)
{
	name_of(w, name);
	write_json_string(w, value);
}

void said_text(struct writer *w, const char *name, const char *value) { said_bytes(w, name, bytes_of_text(value ? value : "")); }

void said_number(struct writer *w, const char *name, uint64_t value)
{
	name_of(w, name);
	write_fmt(w, "%llu", (unsigned long long)value);
}

void said_true(struct writer *w, const char *name, bool value)
{
	name_of(w, name);
	write_text(w, value ? "true" : "false");
}

void said_open(struct writer *w, const char *name, char open)
{
	name_of(w, name);
	write_u8(w, (uint8_t)open);
}

void said_close(struct writer *w, char close) { write_u8(w, (uint8_t)close); }

void item_open(struct writer *w, char open)
{
	comma(w);
	write_u8(w, (uint8_t)open);
}

void item_text(struct writer *w, const char *value)
{
	comma(w);
	write_json_string(w, bytes_of_text(value ? value : ""));
}
