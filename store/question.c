#include "store/store.h"
#include <stdlib.h>

#define QUESTION_PRIVATE 1

void question_write(struct writer *w, struct bytes sql, enum answer_format f, bool private_too)
{
	write_u8(w, (uint8_t)f);
	write_u8(w, private_too ? QUESTION_PRIVATE : 0);
	write_span(w, sql);
}

int question_read(struct bytes from, struct bytes *sql, enum answer_format *f, bool *private_too)
{
	struct reader r = reader_of_bytes(from);
	uint8_t format = read_u8(&r), flags = read_u8(&r);
	struct bytes text = read_rest(&r);
	if (!reader_ok(&r) || format >= ANSWER_FORMATS || text.len == 0)
		return ERR_BAD;
	*f = format;
	*private_too = flags & QUESTION_PRIVATE;
	*sql = text;
	return 0;
}

int store_ask(struct bus *bus, const char *sql, enum answer_format f, bool private_too,
	      bus_answer_f *answer, void *arg)
{
	uint8_t *room = malloc(QUESTION_MAX);
	if (!room)
		return ERR_MEMORY;
	struct writer w = writer_of(room, QUESTION_MAX);
	question_write(&w, bytes_of_text(sql), f, private_too);
	int bad = w.bad ? ERR_FULL
			: bus_request(bus, "store", TOPIC_QUERY, writer_bytes(&w), answer, arg);
	free(room);
	return bad;
}
