#include "store/erasure.h"
#include "store/row.h"

int erasure_from_words(const char *word, struct erasure *e, struct fault *fault)
{
	size_t n = strlen(word);
	if (n < 4 || n >= ERASURE_TEXT_MAX)
		return fault_set(fault, ERR_BAD, "erase: %.40s has %zu bytes; an address, or a text of 4 to %d",
				 word, n, ERASURE_TEXT_MAX - 1);
	*e = (struct erasure){.type = ERASE_TEXT};
	snprintf(e->text, sizeof e->text, "%s", word);
	if (address_parse(bytes_of_text(word), &e->address)) {
		e->type = ERASE_ADDRESS;
		address_format(&e->address, e->text);
	}
	return 0;
}

void erasure_write(struct writer *w, const struct erasure *e)
{
	write_u8(w, (uint8_t)e->type);
	write_u8(w, e->dry_run);
	write_bytes(w, e->address.b, sizeof e->address.b);
	write_u64(w, e->from_us);
	write_u64(w, e->to_us);
	write_text(w, e->text);
}

int erasure_read(struct bytes from, struct erasure *out)
{
	struct reader r = reader_of_bytes(from);
	struct erasure e = {.type = read_u8(&r), .dry_run = read_u8(&r) != 0};
	struct bytes address = read_bytes(&r, sizeof e.address.b);
	e.from_us = read_u64(&r);
	e.to_us = read_u64(&r);
	struct bytes text = read_rest(&r);
	if (!reader_ok(&r) || e.type < ERASE_ADDRESS || e.type > ERASE_RANGE ||
	    !bytes_copy_text(text, e.text, sizeof e.text) ||
	    (e.type == ERASE_RANGE ? e.from_us >= e.to_us : text.len < 2))
		return ERR_BAD;
	memcpy(e.address.b, address.at, address.len);
	if (e.type == ERASE_ADDRESS)
		address_format(&e.address, e.text);
	*out = e;
	return 0;
}

static bool is_digit(uint8_t c, bool v4)
{
	return (c >= '0' && c <= '9') ||
	       (!v4 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':'));
}

/* Whether the text holds the address, and not as a part of a longer one (11.2.3.4 is not 1.2.3.4). */
static bool text_holds(struct bytes in, const struct erasure *e)
{
	size_t n = strlen(e->text);
	bool v4 = address_is_v4(&e->address);
	for (size_t at = 0; at + n <= in.len; at++) {
		struct bytes rest = {in.at + at, in.len - at};
		at += bytes_find_nocase(rest, e->text);
		if (at + n > in.len)
			return false;
		if (e->type == ERASE_TEXT ||
		    ((at == 0 || !is_digit(in.at[at - 1], v4)) &&
		     (at + n == in.len || !is_digit(in.at[at + n], v4))))
			return true;
	}
	return false;
}

bool erasure_matches(const struct erasure *e, const struct event *event)
{
	if (e->type == ERASE_RANGE)
		return event->time_us >= e->from_us && event->time_us < e->to_us;
	for (uint16_t i = 0; i < event->count; i++) {
		const struct event_value *v = &event->values[i];
		char text[64];
		if (v->type == FIELD_ADDRESS && e->type == ERASE_ADDRESS &&
		    !memcmp(v->bytes.at, e->address.b, sizeof e->address.b))
			return true;
		if ((v->type == FIELD_TEXT || v->type == FIELD_BYTES || e->type == ERASE_TEXT) &&
		    text_holds(value_text(v, text), e))
			return true;
	}
	return false;
}

static void condition_letter(struct writer *w, enum erasure_type type, unsigned char c)
{
	if (type == ERASE_TEXT)
		write_fmt(w, "\\x%02x", c);
	else if (c == '.')
		write_text(w, "[.]");
	else
		write_u8(w, c); /* a digit or a colon: address_format() wrote it */
}

/* A column, a text or an array's item holds it; every byte of ours is written as \xHH. */
static void condition_text(struct writer *w, const struct erasure *e, const char *what)
{
	if (e->type == ERASE_TEXT) {
		write_fmt(w, "positionCaseInsensitive(%s, '", what);
	} else {
		const char *digit = address_is_v4(&e->address) ? "0-9" : "0-9a-fA-F:";
		write_fmt(w, "match(%s, '(?i)(^|[^%s])", what, digit);
	}
	for (const char *c = e->text; *c; c++)
		condition_letter(w, e->type, (unsigned char)*c);
	if (e->type == ERASE_TEXT)
		write_text(w, "') > 0");
	else
		write_fmt(w, "($|[^%s])')", address_is_v4(&e->address) ? "0-9" : "0-9a-fA-F:");
}

static void condition_address(struct writer *w, const struct erasure *e, const char *column)
{
	write_fmt(w, "%s = unhex('", column);
	for (size_t i = 0; i < sizeof e->address.b; i++)
		write_fmt(w, "%02x", e->address.b[i]);
	write_text(w, "')");
}

void erasure_condition_private(struct writer *w, const struct erasure *e)
{
	/* Only their events know microseconds; private values go with them, by id. */
	if (e->type == ERASE_RANGE)
		write_text(w, "0 = 1");
	else
		condition_text(w, e, "value");
}

void erasure_condition(struct writer *w, const struct erasure *e, enum table t)
{
	struct column c;
	if (e->type == ERASE_RANGE) {
		write_fmt(w, "toUInt64(time) * 1000000 + time_us >= %llu AND "
			     "toUInt64(time) * 1000000 + time_us < %llu",
			  (unsigned long long)e->from_us, (unsigned long long)e->to_us);
		return;
	}
	write_text(w, "arrayExists(x -> ");
	condition_text(w, e, "x");
	write_text(w, ", value)");
	for (unsigned i = 0; schema_column(t, i, &c); i++) {
		bool address = c.field >= 0 && field_definition((uint16_t)c.field)->type == FIELD_ADDRESS;
		if (!address && strcmp(c.type, "String"))
			continue;
		write_text(w, " OR ");
		if (!address)
			condition_text(w, e, c.name);
		else if (e->type == ERASE_ADDRESS)
			condition_address(w, e, c.name);
		else
			write_text(w, "0 = 1");
	}
}
