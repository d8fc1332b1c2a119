#include "event/id.h"
#include <stdlib.h>
#include <sys/random.h>

struct id_maker id_maker_new(void)
{
	struct id_maker m = {0};
	if (getrandom(&m.maker, sizeof m.maker, 0) != sizeof m.maker)
		abort(); /* without randomness ids would collide, which nothing later can mend */
	return m;
}

struct event_id id_make(struct id_maker *m, uint64_t time_us)
{
	struct event_id id;
	struct writer w = writer_of(id.b, sizeof id.b);
	write_u64(&w, time_us);
	write_u32(&w, m->maker);
	write_u32(&w, m->count++);
	return id;
}

uint64_t id_time_us(const struct event_id *id)
{
	struct reader r = reader_of(id->b, 8);
	return read_u64(&r);
}

bool id_equal(const struct event_id *a, const struct event_id *b)
{
	return !memcmp(a->b, b->b, sizeof a->b);
}

bool id_is_zero(const struct event_id *id)
{
	static const struct event_id zero;
	return id_equal(id, &zero);
}

char *id_format(const struct event_id *id, char text[EVENT_ID_TEXT])
{
	for (size_t i = 0; i < sizeof id->b; i++) {
		text[2 * i] = "0123456789abcdef"[id->b[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[id->b[i] & 15];
	}
	text[EVENT_ID_TEXT - 1] = '\0';
	return text;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool id_parse(struct bytes text, struct event_id *out)
{
	struct event_id id;
	if (text.len != 2 * sizeof id.b)
		return false;
	for (size_t i = 0; i < sizeof id.b; i++) {
		int high = hex_digit(text.at[2 * i]), low = hex_digit(text.at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		id.b[i] = (uint8_t)(high << 4 | low);
	}
	*out = id;
	return true;
}
