#include "passive/services/http/api.h"
#include "base/random.h"

#define HEAD_BYTES_MAX 4096

static bool keep_head(struct session *s, struct api *a, struct bytes head)
{
	if (a->head_room < head.len) {
		size_t room = a->head_room ? a->head_room : 512;
		while (room < head.len)
			room *= 2;
		uint8_t *grown = arena_alloc(session_arena(s), room);
		if (!grown)
			return false;
		a->head = grown;
		a->head_room = room;
	}
	memcpy(a->head, head.at, head.len);
	a->head_len = head.len;
	request_parse((struct bytes){a->head, head.len}, &a->request);
	return true;
}

static void record(struct session *s, struct api *a, unsigned status)
{
	const struct turn t = {.session = s,
	                       .request = &a->request,
	                       .head = {a->head, a->head_len},
	                       .body = &a->body,
	                       .status = status};
	turn_record(&t);
}

static void say_answer(struct session *s, const struct api *a, const struct api_style *style, struct api_call *c,
                       bool alive)
{
	uint8_t room[HEAD_BYTES_MAX];
	struct writer head = writer_of(room, sizeof room);
	struct answer answer = {.dialect = style->dialect,
	                        .server = style->server ? style->server : "",
	                        .status = c->status,
	                        .version = a->request.version,
	                        .time_us = session_time_us(s),
	                        .type = bytes_of_text(c->type ? c->type : ""),
	                        .fields = writer_bytes(&c->fields),
	                        .length = writer_used(&c->out),
	                        .alive = alive};
	dialect_write(style->dialect->page_head, &answer, &head);
	if (!c->raw)
		session_say_bytes(s, writer_bytes(&head));
	if (!bytes_equal_text(a->request.method, "HEAD"))
		session_say_bytes(s, writer_bytes(&c->out));
}

static enum service_next answer(struct session *s, struct api *a, const struct api_style *style, void *state)
{
	uint8_t fields[API_FIELDS_MAX], said[API_ANSWER_MAX]; /* on the stack: a session that waits holds neither */
	const struct request *r = &a->request;
	struct api_call c = {.session = s,
	                     .state = state,
	                     .request = r,
	                     .head = {a->head, a->head_len},
	                     .shell = &a->shell,
	                     .path = r->path,
	                     .query = r->query,
	                     .body = body_bytes(&a->body),
	                     .out = writer_of(said, sizeof said),
	                     .fields = writer_of(fields, sizeof fields),
	                     .status = 200,
	                     .type = "application/json"};
	a->in_body = false;
	a->scanned = 0;
	a->requests++;
	bool foreign = style->only_http && r->version == HTTP_FOREIGN;
	if ((r->malformed || r->version == HTTP_0_9 || foreign) && !style->answers_malformed) {
		session_say(s, "%s", style->bad_request);
		record(s, a, 400);
		return SERVICE_CLOSE;
	}
	style->answer(&c);
	a->left = c.leaves;
	bool alive = !c.close && !r->close && (r->version == HTTP_1_1 || r->keep_alive) && a->requests < API_REQUESTS_MAX;
	record(s, a, c.status);
	say_answer(s, a, style, &c, alive);
	return alive || c.leaves ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

enum service_next api_input(struct session *s, struct api *a, struct reader *in, const struct api_style *style, void *state)
{
	enum service_next next = SERVICE_CONTINUE;
	while (next == SERVICE_CONTINUE && !a->left) {
		if (!a->in_body) {
			struct bytes unread = {in->at, reader_left(in)};
			size_t n = request_head_length(unread, &a->scanned);
			if (!n && unread.len < API_HEAD_MAX)
				return SERVICE_CONTINUE;
			bool kept = n && n <= API_HEAD_MAX && keep_head(s, a, read_bytes(in, n));
			if (!kept) {
				session_say(s, "%s", style->bad_request);
				return SERVICE_CLOSE;
			}
			body_begin(&a->body, &a->request);
			a->in_body = true;
			if (a->request.expects_continue && a->request.version == HTTP_1_1)
				session_say(s, "HTTP/1.1 100 Continue\r\n\r\n");
		}
		enum body_next body = a->request.malformed
		                              ? BODY_DONE
		                              : body_feed(&a->body, session_arena(s), style->body_max, in);
		if (body == BODY_MORE)
			return SERVICE_CONTINUE;
		a->request.malformed |= body == BODY_BAD;
		next = answer(s, a, style, state);
	}
	return next;
}

void api_close(struct session *s, struct api *a)
{
	if (a->in_body)
		record(s, a, 0);
	if (a->shell)
		command_finish(s, a->shell);
}

bool api_path(const struct api_call *c, const char *pattern, struct bytes *part)
{
	struct bytes left = c->path;
	while (*pattern && left.len) {
		if (*pattern == '*') {
			size_t n = bytes_find(left, "/");
			if (part)
				*part = (struct bytes){left.at, n};
			left = (struct bytes){left.at + n, left.len - n};
			pattern++;
			continue;
		}
		if (*pattern++ != (char)*left.at)
			return false;
		left = (struct bytes){left.at + 1, left.len - 1};
	}
	return !*pattern && (left.len == 0 || bytes_equal_text(left, "/"));
}

struct bytes api_json_value(struct bytes json, const char *name)
{
	char quoted[64];
	snprintf(quoted, sizeof quoted, "\"%s\"", name);
	size_t at = bytes_find(json, quoted);
	if (at == json.len)
		return (struct bytes){0};
	at += strlen(quoted);
	while (at < json.len && (json.at[at] <= ' ' || json.at[at] == ':'))
		at++;
	size_t from = at, depth = 0;
	bool text = false;
	for (; at < json.len; at++) {
		uint8_t c = json.at[at];
		if (text && c == '\\')
			at++;
		else if (c == '"')
			text = !text;
		else if (!text && (c == '[' || c == '{'))
			depth++;
		else if (!text && (c == ']' || c == '}') && depth)
			depth--;
		else if (!text && !depth && (c == ',' || c == '}' || c == ']'))
			break;
	}
	at = at < json.len ? at : json.len;
	return bytes_trim((struct bytes){json.at + from, at - from});
}

struct bytes api_json_text(struct bytes json, const char *name)
{
	struct bytes v = api_json_value(json, name);
	if (v.len < 2 || v.at[0] != '"')
		return (struct bytes){0};
	return (struct bytes){v.at + 1, v.len - 2};
}

void api_write_json(struct writer *w, struct bytes b)
{
	write_text(w, "\"");
	for (size_t i = 0; i < b.len; i++) {
		uint8_t c = b.at[i];
		if (c == '"' || c == '\\')
			write_fmt(w, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			write_fmt(w, "\\u%04x", c);
		else
			write_u8(w, c);
	}
	write_text(w, "\"");
}

void api_write_hex(struct writer *w, const struct session *s, const char *what, size_t digits)
{
	uint64_t h = session_device_seed(s);
	while (*what)
		h = random_mix(h ^ (uint8_t)*what++);
	for (size_t i = 0; i < digits; i++) {
		if (i % 16 == 0)
			h = random_mix(h + i);
		write_fmt(w, "%x", (unsigned)(h >> 4 * (i % 16) & 15));
	}
}

void api_name_urls(struct session *s, struct bytes line, const char *how)
{
	for (unsigned i = 0; i < 8; i++) {
		size_t at = bytes_find(line, "://"), from = at, end = at;
		if (at == line.len)
			return;
		while (from && line.at[from - 1] >= 'a' && line.at[from - 1] <= 'z')
			from--;
		while (end < line.len && line.at[end] > ' ' && !memchr("'\"`;|&<>()\\,", line.at[end], 13))
			end++;
		if (from < at && end > at + 3)
			session_name_file(s, (struct bytes){line.at + from, end - from}, (struct bytes){0}, how);
		line = (struct bytes){line.at + end, line.len - end};
	}
}
