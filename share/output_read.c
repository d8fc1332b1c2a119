/*
 * Events out of JSON lines as output "jsonl" writes them: the inverse of event_write_json(), byte for byte.
 *
 * A reader of its own, since any other makes one character of the byte \u00e9 and of the two bytes of a written é:
 * here an escape up to \u00ff is a byte and what stands there unescaped stays.
 */
#include "share/output.h"

struct scan {
	struct reader r;
	const char *wrong;
	uint8_t *room; /* for strings, as long as the line */
	size_t used;
};

static uint8_t peek(struct scan *s)
{
	while (reader_left(&s->r) && (*s->r.at == ' ' || *s->r.at == '\t' || *s->r.at == '\r' || *s->r.at == '\n'))
		s->r.at++;
	return reader_left(&s->r) ? *s->r.at : 0;
}

static bool take(struct scan *s, char c)
{
	if (peek(s) != (uint8_t)c) {
		s->wrong = s->wrong ? s->wrong : "it is no flat JSON object";
		return false;
	}
	s->r.at++;
	return true;
}

static unsigned take_hex(struct scan *s)
{
	struct bytes four = read_bytes(&s->r, 4);
	unsigned v = 0;
	for (size_t i = 0; i < four.len; i++) {
		uint8_t c = four.at[i] | 0x20;
		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			s->wrong = "an escape is no \\uXXXX";
		v = v << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return v;
}

static void put_character(struct scan *s, unsigned c)
{
	if (c < 0x100) {
		s->room[s->used++] = (uint8_t)c;
	} else if (c < 0x800) {
		s->room[s->used++] = (uint8_t)(0xc0 | c >> 6);
		s->room[s->used++] = (uint8_t)(0x80 | (c & 0x3f));
	} else {
		s->room[s->used++] = (uint8_t)(0xe0 | c >> 12);
		s->room[s->used++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		s->room[s->used++] = (uint8_t)(0x80 | (c & 0x3f));
	}
}

static void take_escape(struct scan *s)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	uint8_t c = read_u8(&s->r);
	const char *letter = c ? strchr(letters, c) : NULL;
	if (c == 'u')
		put_character(s, take_hex(s));
	else if (letter)
		s->room[s->used++] = (uint8_t)meant[letter - letters];
	else
		s->wrong = "a backslash stands before what needs none";
}

/* Its bytes stay until the next line; never more than the line has. */
static struct bytes take_string(struct scan *s)
{
	struct bytes out = {s->room + s->used, 0};
	if (!take(s, '"'))
		return out;
	while (!s->wrong && reader_left(&s->r) && *s->r.at != '"') {
		if (*s->r.at == '\\') {
			s->r.at++;
			take_escape(s);
		} else {
			s->room[s->used++] = *s->r.at++;
		}
	}
	out.len = (size_t)(s->room + s->used - out.at);
	take(s, '"');
	return out;
}

/* A string, or a number or word as it stands. */
static struct bytes take_value(struct scan *s)
{
	if (peek(s) == '"')
		return take_string(s);
	struct bytes word = {s->r.at, 0};
	while (word.len < reader_left(&s->r) && !memchr(",}\t\r\n []{:\"", s->r.at[word.len], 12))
		word.len++;
	if (!word.len)
		s->wrong = "a value is neither text, number, true nor false";
	return read_bytes(&s->r, word.len);
}

static bool room_for(const struct event *e, struct bytes value)
{
	return e->count < EVENT_FIELDS_MAX && value.len <= EVENT_BYTES_MAX - e->stored;
}

static bool set_field(struct event *e, uint16_t field, struct bytes value)
{
	struct address a;
	struct event_id id;
	uint64_t number;
	switch (field_definition(field)->type) {
	case FIELD_NUMBER:
		if (!bytes_number(value, UINT64_MAX, &number))
			return false;
		event_set_number(e, field, number);
		return true;
	case FIELD_BOOL:
		event_set_bool(e, field, bytes_equal_text(value, "true"));
		return bytes_equal_text(value, "true") || bytes_equal_text(value, "false");
	case FIELD_TIME:
		if (!time_parse(value, &number))
			return false;
		event_set_number(e, field, number);
		return true;
	case FIELD_ADDRESS:
		if (!address_parse(value, &a))
			return false;
		event_set_address(e, field, &a);
		return true;
	case FIELD_ID:
		if (!id_parse(value, &id))
			return false;
		event_set_id(e, field, &id);
		return true;
	case FIELD_TEXT:
		if (!bytes_is_utf8(value))
			return false;
		event_set_bytes(e, field, value);
		return true;
	case FIELD_BYTES:
		event_set_bytes(e, field, value);
		return true;
	}
	return false;
}

static int complain(struct fault *fault, struct bytes name, const char *why)
{
	return fault_set(fault, ERR_BAD, "\"%.*s\" %s", (int)(name.len < 64 ? name.len : 64), (const char *)name.at, why);
}

static int set_member(struct event *e, struct bytes name, struct bytes value, bool *kind, struct fault *fault)
{
	if (bytes_equal_text(name, "kind")) {
		int found = event_kind_find(value);
		e->kind = found < 0 ? e->kind : (enum event_kind)found;
		*kind = found >= 0;
		return found < 0 ? complain(fault, value, "is no kind of event") : 0;
	}
	if (bytes_equal_text(name, "id"))
		return id_parse(value, &e->id) ? 0 : complain(fault, value, "is no id");
	if (bytes_equal_text(name, "time"))
		return time_parse(value, &e->time_us) ? 0 : complain(fault, value, "is no time");
	if (bytes_equal_text(name, "cut")) {
		e->cut = true;
		return 0;
	}
	int field = field_find(name);
	if (field < 0)
		return complain(fault, name, "is no field");
	if (!room_for(e, value))
		return complain(fault, name, "is more than an event holds");
	return set_field(e, (uint16_t)field, value) ? 0 : complain(fault, name, "has a value of another type");
}

int output_read_event(struct bytes line, uint8_t *room, struct event *e, struct fault *fault)
{
	struct scan s = {.r = reader_of_bytes(line), .room = room};
	bool kind = false;
	int bad = 0;
	event_begin(e, 0);
	take(&s, '{');
	while (!s.wrong && !bad && peek(&s) != '}') {
		s.used = 0;
		struct bytes name = take_string(&s);
		take(&s, ':');
		struct bytes value = take_value(&s);
		if (!s.wrong)
			bad = set_member(e, name, value, &kind, fault);
		if (peek(&s) != '}' && take(&s, ',') && peek(&s) == '}')
			s.wrong = "a comma stands before the end";
	}
	if (bad)
		return bad;
	if (!s.wrong && s.r.bad)
		s.wrong = "it ends too early";
	if (!take(&s, '}') || s.wrong)
		return fault_set(fault, ERR_BAD, "%s", s.wrong);
	return kind ? 0 : fault_set(fault, ERR_BAD, "it names no kind");
}
