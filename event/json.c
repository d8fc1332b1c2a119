/* Events as JSON, and times as text (RFC 8259, RFC 3339). */
#include "event/json.h"
#include <time.h>

#define NUMBER_SAFE ((uint64_t)1 << 53) /* what a reader with doubles keeps exactly */

char *time_format(uint64_t time_us, char text[TIME_TEXT_MAX])
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t n = strftime(text, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, TIME_TEXT_MAX - n, ".%06uZ", (unsigned)(time_us % 1000000));
	return text;
}

bool time_parse(struct bytes text, uint64_t *time_us)
{
	char s[TIME_TEXT_MAX];
	if (!bytes_copy_text(text, s, sizeof s))
		return false;
	struct tm tm = {0};
	char *rest = strptime(s, "%Y-%m-%d", &tm);
	if (!rest)
		return false;
	uint64_t micros = 0;
	if (*rest == 'T' || *rest == ' ') {
		rest = strptime(rest + 1, "%H:%M:%S", &tm);
		if (!rest)
			return false;
		if (*rest == '.') {
			uint64_t scale = 100000;
			for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
				micros += (uint64_t)(*rest - '0') * scale;
		}
		if (*rest == 'Z')
			rest++;
	}
	time_t seconds = timegm(&tm);
	if (*rest || seconds < 0)
		return false;
	*time_us = (uint64_t)seconds * 1000000 + micros;
	return true;
}

void write_json_string(struct writer *w, struct bytes b)
{
	static const char hex[] = "0123456789abcdef";
	bool utf8 = bytes_is_utf8(b);
	write_u8(w, '"');
	for (size_t i = 0; i < b.len;) {
		size_t plain = i;
		while (plain < b.len && b.at[plain] >= 0x20 && b.at[plain] != '"' && b.at[plain] != '\\' &&
		       b.at[plain] != 0x7f && (b.at[plain] < 0x80 || utf8))
			plain++;
		write_bytes(w, b.at + i, plain - i);
		if (plain < b.len)
			write_bytes(w, (char[]){'\\', 'u', '0', '0', hex[b.at[plain] >> 4], hex[b.at[plain] & 15]}, 6);
		i = plain + 1;
	}
	write_u8(w, '"');
}

void event_write_value(const struct event_value *v, struct writer *w)
{
	char text[ADDRESS_TEXT_MAX];
	struct address a;
	struct event_id id;

	switch (v->type) {
	case FIELD_NUMBER:
		write_fmt(w, v->number < NUMBER_SAFE ? "%llu" : "\"%llu\"", (unsigned long long)v->number);
		break;
	case FIELD_BOOL:
		write_text(w, v->number ? "true" : "false");
		break;
	case FIELD_TIME:
		write_fmt(w, "\"%s\"", time_format(v->number, text));
		break;
	case FIELD_ADDRESS:
		memcpy(a.b, v->bytes.at, sizeof a.b);
		write_fmt(w, "\"%s\"", address_format(&a, text));
		break;
	case FIELD_ID:
		memcpy(id.b, v->bytes.at, sizeof id.b);
		write_fmt(w, "\"%s\"", id_format(&id, text));
		break;
	case FIELD_TEXT:
	case FIELD_BYTES:
		write_json_string(w, v->bytes);
		break;
	}
}

void event_write_json(const struct event *e, struct writer *w)
{
	char text[EVENT_ID_TEXT];
	write_fmt(w, "{\"kind\":\"%s\"", event_kind_name(e->kind));
	if (!id_is_zero(&e->id))
		write_fmt(w, ",\"id\":\"%s\"", id_format(&e->id, text));
	if (e->time_us)
		write_fmt(w, ",\"time\":\"%s\"", time_format(e->time_us, text));
	for (uint16_t i = 0; i < e->count; i++) {
		const struct event_value *v = &e->values[i];
		write_fmt(w, ",\"%s\":", field_definition(v->field)->name);
		event_write_value(v, w);
	}
	if (e->cut)
		write_text(w, ",\"cut\":true");
	write_text(w, "}");
}
