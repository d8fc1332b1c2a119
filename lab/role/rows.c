#include "lab/role/rows_inner.h"
#include "event/event.h"

static int hex_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool lines_take(struct buffer *line, struct bytes part, void (*take)(void *, const json_t *row), void *arg)
{
	if (buffer_append(line, part.at, part.len)) {
		buffer_consume(line, buffer_len(line));
		return false;
	}
	struct reader r = reader_of_bytes(buffer_bytes(line));
	const uint8_t *from = r.at;
	struct bytes text;
	while (read_line(&r, &text)) {
		json_t *row = json_loadb((const char *)text.at, text.len, 0, NULL);
		if (row)
			take(arg, row);
		json_decref(row);
	}
	buffer_consume(line, (size_t)(r.at - from));
	return true;
}

const char *row_text(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));
	return text ? text : "";
}

size_t row_hex(const json_t *row, const char *name, uint8_t *out, size_t max)
{
	const char *text = row_text(row, name);
	size_t n = 0;
	for (; n < max && text[2 * n] && text[2 * n + 1]; n++) {
		int high = hex_of(text[2 * n]), low = hex_of(text[2 * n + 1]);
		if (high < 0 || low < 0)
			break;
		out[n] = (uint8_t)(high * 16 + low);
	}
	return n;
}

uint64_t row_number(const json_t *row, const char *name)
{
	const json_t *value = json_object_get(row, name);
	uint64_t n = 0;
	if (json_is_integer(value))
		return json_integer_value(value) < 0 ? 0 : (uint64_t)json_integer_value(value);
	bytes_number(bytes_of_text(row_text(row, name)), UINT64_MAX, &n);
	return n;
}
