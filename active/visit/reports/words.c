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

void said_base64(struct writer *w, struct bytes b)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < b.len; i += 3) {
		const size_t n = b.len - i < 3 ? b.len - i : 3;
		const uint32_t v = (uint32_t)b.at[i] << 16 | (n > 1 ? (uint32_t)b.at[i + 1] << 8 : 0) | (n > 2 ? b.at[i + 2] : 0);
		write_u8(w, (uint8_t)letters[v >> 18]);
		write_u8(w, (uint8_t)letters[v >> 12 & 63]);
		write_u8(w, n > 1 ? (uint8_t)letters[v >> 6 & 63] : '=');
		write_u8(w, n > 2 ? (uint8_t)letters[v & 63] : '=');
	}
}
