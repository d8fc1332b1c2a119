#include "share/reading/csv_inner.h"

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

/* A quote ends the value when a separator or the line's end follows it, whatever the blanks between. */
static bool ends_here(const uint8_t *after, const uint8_t *end, uint8_t separator)
{
	while (after < end && is_blank(*after) && *after != separator)
		after++;
	return after == end || *after == separator;
}

/* The reader stands behind the opening quote. */
static const char *read_quoted(struct intake *in, struct reader *r, uint8_t separator, struct bytes *value)
{
	const uint8_t *begin = r->at;
	size_t doubled = 0;
	for (; r->at < r->end; r->at++) {
		if (*r->at != '"')
			continue;
		bool pair = r->at + 1 < r->end && r->at[1] == '"';
		if (!pair && ends_here(r->at + 1, r->end, separator))
			break;
		doubled += pair;
		r->at += pair;
	}
	if (r->at == r->end)
		return "a quote is not closed";
	*value = (struct bytes){begin, (size_t)(r->at - begin)};
	r->at++;
	if (!doubled)
		return NULL;
	uint8_t *room = arena_alloc(intake_arena(in), value->len);
	struct writer w = writer_of(room, room ? value->len : 0);
	for (size_t i = 0; i < value->len; i++) {
		write_u8(&w, value->at[i]);
		i += value->at[i] == '"' && i + 1 < value->len && value->at[i + 1] == '"';
	}
	*value = writer_bytes(&w);
	return NULL;
}

const char *csv_split(struct intake *in, struct bytes line, uint8_t separator, struct csv_line *out)
{
	struct reader r = reader_of_bytes(line);
	bool more = true;
	for (out->count = 0; more; out->count++) {
		if (out->count == CSV_COLUMNS_MAX)
			return "it has more than 512 columns";
		struct bytes *value = &out->values[out->count];
		const uint8_t *begin = r.at;
		while (r.at < r.end && is_blank(*r.at) && *r.at != separator)
			r.at++;
		if (r.at < r.end && *r.at == '"') {
			r.at++;
			const char *wrong = read_quoted(in, &r, separator, value);
			if (wrong)
				return wrong;
			while (r.at < r.end && *r.at != separator)
				r.at++;
		} else {
			const uint8_t *end = reader_left(&r) ? memchr(r.at, separator, reader_left(&r)) : NULL;
			r.at = end ? end : r.end;
			*value = (struct bytes){begin, (size_t)(r.at - begin)};
		}
		more = r.at < r.end;
		r.at += more;
	}
	return NULL;
}

const char *csv_split_plain(struct bytes line, uint8_t separator, struct csv_line *out)
{
	for (out->count = 0; out->count < CSV_COLUMNS_MAX; out->count++) {
		const uint8_t *end = line.len ? memchr(line.at, separator, line.len) : NULL;
		size_t n = end ? (size_t)(end - line.at) : line.len;
		out->values[out->count] = (struct bytes){line.at, n};
		if (!end) {
			out->count++;
			return NULL;
		}
		line = (struct bytes){end + 1, line.len - n - 1};
	}
	return "it has more than 512 columns";
}

size_t csv_columns_read(struct csv_columns *columns, const struct csv_line *header, const char *const *names)
{
	size_t found = 0;
	*columns = (struct csv_columns){.known = true};
	for (size_t i = 0; i < CSV_WANTED_MAX && names[i]; i++)
		for (size_t k = 0; k < header->count && !columns->at[i]; k++)
			if (bytes_equal_nocase(bytes_trim(header->values[k]), names[i])) {
				columns->at[i] = (uint16_t)(k + 1);
				found++;
			}
	return found;
}

struct bytes csv_value(const struct csv_line *line, const struct csv_columns *columns, unsigned wanted)
{
	size_t at = columns->at[wanted];
	return at && at <= line->count ? line->values[at - 1] : (struct bytes){0};
}
