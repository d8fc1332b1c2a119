/* What an endpoint can do with a request, and how its answer goes out. */
#include "share/serve/serving_inner.h"
#include "base/log.h"
#include "share/serve/room_inner.h"
#include <openssl/sha.h>
#include <stdarg.h>

struct bytes serving_parameter(const struct serving *s, const char *name)
{
	for (size_t i = 0; i < s->parameter_count; i++)
		if (bytes_equal_text(s->parameters[i].name, name))
			return s->parameters[i].value;
	return (struct bytes){0};
}

struct bytes serving_argument(const struct serving *s, const char *name)
{
	for (size_t i = 0; i < s->head.argument_count; i++)
		if (bytes_equal_text(s->head.arguments[i].name, name))
			return s->head.arguments[i].value;
	return (struct bytes){0};
}

bool serving_number(struct serving *s, const char *name, uint64_t absent, uint64_t min, uint64_t max, uint64_t *out)
{
	struct bytes text = serving_argument(s, name);
	uint64_t n = absent;
	if (text.at && (!bytes_number(text, UINT64_MAX, &n) || n < min)) {
		serving_fail(s, 400, "%s must be a number from %llu on", name, (unsigned long long)min);
		return false;
	}
	*out = n < max ? n : max;
	return true;
}

bool serving_collection(struct serving *s, struct bytes name, enum access_right right)
{
	struct exchange *x = serving_exchange(s);
	const char *text = arena_text(&s->arena, name);
	const struct collection *c = text && strlen(text) == name.len ? collection_find(&x->collections, text) : NULL;
	/* The same work whether it is there or not. */
	const struct grant *grant = access_granted(x->access, &s->caller, c ? c->name : "", right);
	const struct grant *other = access_granted(x->access, &s->caller, c ? c->name : "",
							   right == ACCESS_READ ? ACCESS_WRITE : ACCESS_READ);
	unsigned wait_s = 0;
	if (!c || !grant) {
		access_refuse(x->access, &s->caller, c ? c->name : text ? text : "", right, NULL);
		if (c && other)
			serving_fail(s, 403, "your grant does not allow that");
		else
			serving_fail(s, 404, "there is nothing here that you may see");
		return false;
	}
	s->collection = c;
	s->grant = *grant;
	if (access_pace(x->access, &s->caller, grant, s->now_us, &wait_s))
		return true;
	char seconds[16];
	snprintf(seconds, sizeof seconds, "%u", wait_s ? wait_s : 1);
	serving_header(s, "Retry-After", seconds);
	serving_fail(s, 429, "your grant allows %llu requests a minute", (unsigned long long)s->grant.per_minute);
	return false;
}

bool serving_view(struct serving *s)
{
	struct fault fault = {0};
	s->view = room_view(s->serve, &s->caller, &s->grant, &fault);
	if (s->view)
		return true;
	log_error("exchange: a view of policy %s: %s", s->grant.policy, fault.text);
	serving_fail(s, 503, "your view cannot be made now; the operator's log has why");
	return false;
}

int serving_out(struct serving *s, struct bytes b) { return buffer_append(&s->out, b.at, b.len); }

int serving_text(struct serving *s, const char *fmt, ...)
{
	char text[4096];
	va_list list;
	va_start(list, fmt);
	int n = vsnprintf(text, sizeof text, fmt, list);
	va_end(list);
	return n < 0 || (size_t)n >= sizeof text ? ERR_FULL : buffer_append(&s->out, text, (size_t)n);
}

int serving_json_text(struct serving *s, struct bytes b)
{
	uint8_t *room = buffer_room(&s->out, 6 * b.len + 2);
	struct writer w = writer_of(room, room ? 6 * b.len + 2 : 0);
	write_json_string(&w, b);
	if (w.bad)
		return ERR_FULL;
	buffer_grown(&s->out, writer_used(&w));
	return 0;
}

void serving_header(struct serving *s, const char *name, const char *value)
{
	if (s->answer.header_count == SERVE_HEADERS_MAX)
		return;
	s->answer.headers[s->answer.header_count++] =
		(struct serve_pair){arena_copy(&s->arena, bytes_of_text(name)), arena_copy(&s->arena, bytes_of_text(value))};
}

static int send_parts(struct serving *s, struct bytes body)
{
	uint8_t room[SERVE_HEAD_MAX];
	struct writer w = writer_of(room, sizeof room);
	s->answer.number = s->number;
	serve_answer_write(&s->answer, &w);
	struct bus_request *request = s->request;
	s->request = NULL;
	if (w.bad) {
		bus_answer(request, ERR_FULL, (struct bytes){0}, false);
		return ERR_FULL;
	}
	bus_answer(request, 0, writer_bytes(&w), body.len > 0);
	while (body.len) {
		size_t n = body.len < SERVE_PART_MAX ? body.len : SERVE_PART_MAX;
		bus_answer(request, 0, (struct bytes){body.at, n}, n < body.len);
		body = (struct bytes){body.at + n, body.len - n};
	}
	return 0;
}

/* Only what goes out of a collection, or into it, is told; that somebody asked for the list of them is not. */
static int tell_audit(struct serving *s, struct bytes body, const char *refused)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint8_t room[SERVE_TEXT_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (!s->action)
		return 0;
	write_span(&w, s->head.path);
	for (size_t i = 0; i < s->head.argument_count; i++) {
		write_text(&w, i ? "&" : "?");
		write_span(&w, s->head.arguments[i].name);
		write_text(&w, "=");
		write_span(&w, s->head.arguments[i].value);
	}
	SHA256(body.at, body.len, digest);
	const struct audit_entry entry = {
		.action = s->action, .organisation = s->caller.organisation, .user = s->caller.user, .token = s->caller.token,
		.from = &s->head.from, .collection = s->collection ? s->collection->name : NULL, .format = s->format,
		.marking = s->collection ? tlp_name(s->grant.tlp_max) : NULL, .policy = s->view ? s->grant.policy : NULL,
		.policy_version = s->view ? serving_exchange(s)->process->config->version : NULL,
		.filter = writer_bytes(&w), .reason = refused, .objects = s->objects, .from_us = s->from_us, .to_us = s->to_us, .made_us = s->now_us,
		.digest = refused ? NULL : digest,
	};
	return exchange_shared(serving_exchange(s), &entry);
}

void serving_send(struct serving *s, unsigned status, const char *media_type)
{
	struct bytes body = buffer_bytes(&s->out);
	if (tell_audit(s, body, NULL)) {
		s->action = NULL;
		serving_fail(s, 503, "the audit cannot be written, so nothing goes out");
		return;
	}
	serving_header(s, "Content-Type", media_type);
	s->answer.status = (uint16_t)status;
	send_parts(s, body);
	room_forget(s);
}

void serving_hide(struct serving *s, const char *why)
{
	s->action = "refused";
	s->format = NULL;
	tell_audit(s, (struct bytes){0}, why); /* nothing goes out, also when it cannot be written */
	s->action = NULL;
	serving_fail(s, 404, "there is nothing here that you may see");
}

static const char *title_of(unsigned status)
{
	static const struct { unsigned status; const char *title; } titles[] = {
		{400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
		{406, "Not Acceptable"}, {411, "Length Required"}, {413, "Content Too Large"}, {415, "Unsupported Media Type"},
		{422, "Unprocessable Content"}, {429, "Too Many Requests"}, {503, "Service Unavailable"},
	};
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Error";
}

void serving_fail(struct serving *s, unsigned status, const char *fmt, ...)
{
	char sentence[512];
	va_list list;
	va_start(list, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, list);
	va_end(list);
	buffer_consume(&s->out, buffer_len(&s->out));
	serving_text(s, "{\"title\":\"%s\",\"http_status\":\"%u\",\"description\":", title_of(status), status);
	serving_json_text(s, bytes_of_text(sentence));
	serving_text(s, "}\n");
	serving_header(s, "Content-Type", TAXII_MEDIA);
	s->answer.status = (uint16_t)status;
	send_parts(s, buffer_bytes(&s->out));
	room_forget(s);
}

void serving_want_body(struct serving *s, serving_body_f *take_body)
{
	if (s->head.body_len > SERVE_BODY_MAX) {
		serving_fail(s, 413, "a body may have %u bytes", SERVE_BODY_MAX);
		return;
	}
	if (!s->head.body_len) {
		serving_fail(s, 411, "there is no body, or nothing says how long it is");
		return;
	}
	s->take_body = take_body;
	s->answer.status = 100;
	send_parts(s, (struct bytes){0});
	s->answer = (struct serve_answer_head){0};
}
