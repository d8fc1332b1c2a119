#include "web/sql.h"
#include "base/clock.h"
#include <stdlib.h>

void sql_text(struct writer *w, struct bytes b)
{
	write_u8(w, '\'');
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		if (c == '\'' || c == '\\' || c < 0x20 || c >= 0x7f)
			write_fmt(w, "\\x%02x", c);
		else
			write_u8(w, c);
	}
	write_u8(w, '\'');
}

void web_sql(struct web_request *rq, const struct writer *sql, web_answer_f *answer)
{
	uint8_t *room = arena_alloc(web_arena(rq), writer_used(sql) + 64);
	if (sql->bad || !room) {
		web_fail(rq, 400, "too-long", "the question is too long");
		return;
	}
	struct writer w = writer_of(room, writer_used(sql) + 64);
	question_write(&w, writer_bytes(sql), ANSWER_LINES, false);
	web_ask(rq, "store", TOPIC_QUERY, writer_bytes(&w), answer);
}

void write_json_rows(struct buffer *out, struct bytes lines, size_t *count)
{
	struct reader r = reader_of_bytes(lines);
	struct bytes line;
	*count = 0;
	buffer_append(out, "[", 1);
	while (read_line(&r, &line)) {
		if (line.len == 0)
			continue;
		if ((*count)++)
			buffer_append(out, ",\n", 2);
		buffer_append(out, line.at, line.len);
	}
	buffer_append(out, "]", 1);
}

void web_store_failed(struct web_request *rq, int status, struct bytes sentence)
{
	bool gone = status == ERR_GONE || status == ERR_MISSING;
	unsigned code = gone ? 503 : status == ERR_TIMEOUT || status == ERR_FULL ? 422 : 400;
	web_fail(rq, code, gone ? "store-not-there" : "store-refused", "%.*s",
		 (int)(sentence.len < 400 ? sentence.len : 400), sentence.len ? (const char *)sentence.at : "");
}

static void rows_came(struct web_request *rq, int status, struct bytes lines)
{
	if (status < 0) {
		web_store_failed(rq, status, lines);
		return;
	}
	struct buffer body = BUFFER(WEB_ANSWER_MAX + 256);
	char head[96];
	struct writer w = writer_of(head, sizeof head);
	size_t count;
	write_fmt(&w, "{\"took_ms\":%llu,\"rows\":",
		  (unsigned long long)(clock_mono_us() - web_started_us(rq)) / 1000);
	buffer_append(&body, head, writer_used(&w));
	write_json_rows(&body, lines, &count);
	w = writer_of(head, sizeof head);
	write_fmt(&w, ",\"count\":%zu}\n", count);
	buffer_append(&body, head, writer_used(&w));
	web_reply(rq, 200, "application/json", buffer_bytes(&body));
	buffer_done(&body);
}

void web_sql_rows(struct web_request *rq, const struct writer *sql) { web_sql(rq, sql, rows_came); }
