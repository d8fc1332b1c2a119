#include "active/reading/reply_inner.h"

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* As much of a line as is there: can it be the first one of a reply? */
static bool begins_reply(struct bytes b)
{
	for (size_t i = 0; i < 3 && i < b.len; i++)
		if (!is_digit(b.at[i]))
			return false;
	return b.len < 4 || b.at[3] == ' ' || b.at[3] == '-' || b.at[3] == '\r' || b.at[3] == '\n';
}

static bool has_code(struct bytes line, unsigned code)
{
	char text[8];
	snprintf(text, sizeof text, "%03u", code);
	return bytes_start_with(line, text);
}

/* Is it the last one?  Some servers leave out the text and the space before it. */
static bool ends_reply(struct bytes line, unsigned code)
{
	return has_code(line, code) && (line.len == 3 || line.at[3] == ' ');
}

enum reply_state reply_take(struct reader *r, struct reply *out)
{
	struct reader at = *r;
	struct bytes line;
	if (!begins_reply((struct bytes){r->at, reader_left(r)}))
		return REPLY_ALIEN;
	if (!read_line(&at, &line))
		return REPLY_WAITS;
	if (line.len < 3)
		return REPLY_ALIEN;
	unsigned code = (line.at[0] - '0') * 100u + (line.at[1] - '0') * 10u + (line.at[2] - '0');
	while (!ends_reply(line, code))
		if (!read_line(&at, &line))
			return REPLY_WAITS;
	*out = (struct reply){code, {r->at, (size_t)(line.at + line.len - r->at)}};
	*r = at;
	return REPLY_WHOLE;
}

void write_fitting(struct writer *w, struct bytes b)
{
	size_t room = writer_left(w);
	write_bytes(w, b.at, b.len < room ? b.len : room);
}

struct bytes reply_unfold(const struct reply *reply, struct writer *room)
{
	const uint8_t *start = room->at;
	struct bytes rest = reply->raw;
	while (rest.len) {
		const uint8_t *lf = memchr(rest.at, '\n', rest.len);
		size_t len = lf ? (size_t)(lf - rest.at) : rest.len, taken = lf ? len + 1 : len;
		struct bytes line = bytes_trim((struct bytes){rest.at, len});
		size_t skip = has_code(line, reply->code) ? (line.len > 3 ? 4 : 3) : 0;
		if (room->at > start)
			write_fitting(room, BYTES("\n"));
		write_fitting(room, (struct bytes){line.at + skip, line.len - skip});
		rest = (struct bytes){rest.at + taken, rest.len - taken};
	}
	return (struct bytes){start, (size_t)(room->at - start)};
}
