/* Reading forms. */
#include "passive/services/http/form.h"

#define BOUNDARY_MAX 128 /* RFC 2046 5.1.1 allows 70 */

static int hex_digit(uint8_t c)
{
	uint8_t low = c | 0x20;
	return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

void form_decode(struct bytes encoded, struct writer *w)
{
	for (size_t i = 0; i < encoded.len; i++) {
		uint8_t c = encoded.at[i];
		int high = c == '%' && i + 2 < encoded.len ? hex_digit(encoded.at[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(encoded.at[i + 2]) : -1;
		if (low >= 0) {
			write_u8(w, (uint8_t)(high << 4 | low));
			i += 2;
		} else {
			write_u8(w, c == '+' ? ' ' : c);
		}
	}
}

bool form_next(struct bytes *rest, struct bytes *name, struct bytes *value)
{
	if (rest->len == 0)
		return false;
	size_t end = bytes_find(*rest, "&");
	struct bytes pair = {rest->at, end};
	size_t equals = bytes_find(pair, "=");
	*name = bytes_trim((struct bytes){pair.at, equals});
	size_t skip = equals < pair.len ? equals + 1 : equals;
	*value = (struct bytes){pair.at + skip, pair.len - skip};
	size_t step = end < rest->len ? end + 1 : end;
	rest->at += step;
	rest->len -= step;
	return true;
}

struct bytes form_value(struct bytes form, const char *name)
{
	struct bytes key, value;
	while (form_next(&form, &key, &value))
		if (bytes_equal_text(key, name))
			return value;
	return (struct bytes){0};
}

/* The value of attribute="value" or attribute=value within a field. */
static struct bytes attribute(struct bytes field, const char *name, bool *found)
{
	size_t at = bytes_find_nocase(field, name);
	*found = at < field.len;
	if (!*found)
		return (struct bytes){0};
	size_t skip = at + strlen(name);
	struct bytes rest = {field.at + skip, field.len - skip};
	if (rest.len && rest.at[0] == '"') {
		struct bytes inner = {rest.at + 1, rest.len - 1};
		return (struct bytes){inner.at, bytes_find(inner, "\"")};
	}
	size_t n = 0;
	while (n < rest.len && rest.at[n] != ';' && rest.at[n] != ' ' && rest.at[n] != '\r')
		n++;
	return (struct bytes){rest.at, n};
}

struct bytes form_boundary(struct bytes content_type, struct bytes body)
{
	bool found;
	struct bytes boundary = attribute(content_type, "boundary=", &found);
	if (found && boundary.len)
		return boundary;
	struct reader r = reader_of_bytes(body);
	struct bytes line;
	if (bytes_start_with(body, "--") && read_line(&r, &line) && line.len > 2 &&
	    line.len < BOUNDARY_MAX)
		return (struct bytes){line.at + 2, line.len - 2};
	return (struct bytes){0};
}

/* Where the next "--boundary" starts, or the length when there is none. */
static size_t find_delimiter(struct bytes b, struct bytes boundary)
{
	uint8_t text[BOUNDARY_MAX + 2] = "--";
	size_t n = boundary.len < BOUNDARY_MAX ? boundary.len : BOUNDARY_MAX;
	memcpy(text + 2, boundary.at, n);
	const uint8_t *hit = b.len ? memmem(b.at, b.len, text, n + 2) : NULL;
	return hit ? (size_t)(hit - b.at) : b.len;
}

static void read_part_head(struct reader *r, struct form_part *part)
{
	struct bytes line;
	while (read_line(r, &line) && line.len) {
		if (bytes_find_nocase(line, "content-disposition") != 0)
			continue;
		bool found;
		part->name = attribute(line, " name=", &found);
		part->filename = attribute(line, "filename=", &part->is_file);
	}
}

bool form_part_next(struct bytes *rest, struct bytes boundary, struct form_part *part)
{
	*part = (struct form_part){0};
	size_t at = boundary.len ? find_delimiter(*rest, boundary) : rest->len;
	struct reader r = reader_of(rest->at + at, rest->len - at);
	struct bytes line;
	if (!read_line(&r, &line) || line.len > boundary.len + 3) /* "--boundary--" ends */
		return false;
	read_part_head(&r, part);
	struct bytes left = read_rest(&r);
	size_t end = find_delimiter(left, boundary);
	part->content = (struct bytes){left.at, end};
	if (end < left.len && end >= 1 && left.at[end - 1] == '\n')
		part->content.len -= end >= 2 && left.at[end - 2] == '\r' ? 2 : 1;
	*rest = (struct bytes){left.at + end, left.len - end};
	return true;
}
