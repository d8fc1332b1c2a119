/* What the formats share. */
#include "passive/sensors/sensor_format.h"

#define WORD_MAX 48

const struct sensor_format *sensor_format_find(const char *name)
{
	SENSOR_FORMATS_EACH(f)
		if (!strcmp((*f)->name, name))
			return *f;
	return NULL;
}

struct line_result line_bad(const char *why) { return (struct line_result){LINE_BAD, bytes_of_text(why)}; }

static void set_plain(struct event *e, uint16_t field, struct bytes word, bool lower)
{
	char text[WORD_MAX + 1];
	if (word.len == 0 || word.len > WORD_MAX)
		return;
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.at[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', digit = c >= '0' && c <= '9';
		if (!letter && !digit && !memchr("-_.,+:/=", c, 8))
			return;
		text[i] = (char)(lower && letter ? c | 0x20 : c);
	}
	text[word.len] = '\0';
	event_set_text(e, field, text);
}

void event_set_word(struct event *e, uint16_t field, struct bytes word) { set_plain(e, field, word, true); }
void event_set_token(struct event *e, uint16_t field, struct bytes word) { set_plain(e, field, word, false); }
