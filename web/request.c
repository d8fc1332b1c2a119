/* One request of a browser or program: found, served, answered. */
#include "base/clock.h"
#include "web/server_inner.h"
#include <stdlib.h>

static const char content_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/* A document that stands for itself: its own style, and nothing that runs, loads or posts. */
static const char document_policy[] = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
				      "frame-ancestors 'none'; sandbox";

void response_headers(struct MHD_Response *r, const char *type, bool document)
{
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Content-Security-Policy", document ? document_policy : content_policy);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(r, "Cache-Control", "no-store");
}

static const char *part_end(const char *at)
{
	while (*at && *at != '/')
		at++;
	return at;
}

/* Matches part by part; a part in braces takes whatever stands there. */
static bool path_matches(struct web_request *rq, const char *pattern, const char *url)
{
	rq->parameter_count = 0;
	while (*pattern || *url) {
		const char *pe = part_end(pattern), *ue = part_end(url);
		size_t pn = (size_t)(pe - pattern), un = (size_t)(ue - url);
		bool parameter = pn > 2 && pattern[0] == '{' && pe[-1] == '}';
		if (parameter && un > 0 && rq->parameter_count < PARAMETERS_MAX) {
			struct bytes name = {(const uint8_t *)pattern + 1, pn - 2};
			struct bytes value = {(const uint8_t *)url, un};
			rq->names[rq->parameter_count] = arena_text(&rq->arena, name);
			rq->values[rq->parameter_count++] = arena_text(&rq->arena, value);
		} else if (pn != un || memcmp(pattern, url, pn)) {
			return false;
		}
		if (*pe != *ue)
			return false;
		pattern = *pe ? pe + 1 : pe;
		url = *ue ? ue + 1 : ue;
	}
	return true;
}

static const struct route *route_find(struct web_request *rq, const char *url, const char *method,
				      bool *other_method)
{
	*other_method = false;
	ROUTES_EACH(r) {
		if (!path_matches(rq, (*r)->path, url))
			continue;
		if (!strcmp((*r)->method, method) || (!strcmp(method, "HEAD") && !strcmp((*r)->method, "GET")))
			return *r;
		*other_method = true;
	}
	return NULL;
}

/*
 * A page of a hostile site may make a browser ask us under its own name (DNS rebinding), so
 * only names that are ours are served.
 */
static bool host_is_ours(struct server *s, struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
	if (!host)
		return true; /* HTTP/1.0 programs; a browser always sends one */
	const char *colon = strrchr(host, ':');
	size_t n = colon && !strchr(colon, ']') ? (size_t)(colon - host) : strlen(host);
	static const char *const always[] = {"localhost", "127.0.0.1", "[::1]", NULL};
	for (const char *const *a = always; *a; a++)
		if (strlen(*a) == n && !strncmp(*a, host, n))
			return true;
	char listen[ADDRESS_TEXT_MAX];
	address_format(&s->options->listen, listen);
	if (strlen(listen) == n && !strncmp(listen, host, n))
		return true;
	const char *const *names = s->options->names.items;
	for (size_t i = 0; i < s->options->names.count; i++)
		if (strlen(names[i]) == n && !strncasecmp(names[i], host, n))
			return true;
	return false;
}

static void serve(struct web_request *rq, const char *url, const char *method)
{
	bool other_method;
	if (!host_is_ours(rq->server, rq->connection)) {
		web_fail(rq, 421, "wrong-host", "this name is not served here; add it to web.names");
		return;
	}
	rq->route = route_find(rq, url, method, &other_method);
	if (rq->route)
		rq->route->serve(rq);
	else if (other_method)
		web_fail(rq, 405, "wrong-method", "this path takes another method");
	else
		web_fail(rq, 404, "unknown-path", "there is nothing at this path; /api/v1 lists what there is");
}

static enum MHD_Result send_response(struct web_request *rq)
{
	enum MHD_Result sent = MHD_queue_response(rq->connection, rq->status, rq->response);
	MHD_destroy_response(rq->response);
	rq->response = NULL;
	return sent;
}

enum MHD_Result web_handle(void *server, struct MHD_Connection *connection, const char *url,
			   const char *method, const char *version, const char *upload,
			   size_t *upload_size, void **state)
{
	(void)version;
	struct web_request *rq = *state;
	if (!rq) {
		rq = calloc(1, sizeof *rq);
		if (!rq)
			return MHD_NO;
		rq->server = server;
		rq->connection = connection;
		rq->arena = ARENA(WEB_ARENA_MAX);
		rq->started_us = clock_mono_us();
		rq->answer_parts = BUFFER(WEB_ANSWER_MAX);
		rq->body = BUFFER(WEB_BODY_MAX);
		*state = rq;
		return MHD_YES;
	}
	if (*upload_size) {
		rq->body_too_large |= buffer_append(&rq->body, upload, *upload_size) != 0;
		*upload_size = 0;
		return MHD_YES;
	}
	if (!rq->served) {
		rq->served = true;
		serve(rq, url, method);
	}
	if (rq->response)
		return send_response(rq);
	if (rq->answer && !rq->suspended) {
		rq->suspended = true;
		MHD_suspend_connection(connection);
	}
	return MHD_YES;
}

void web_completed(void *server, struct MHD_Connection *connection, void **state,
		   enum MHD_RequestTerminationCode code)
{
	(void)server;
	(void)connection;
	(void)code;
	struct web_request *rq = *state;
	if (!rq)
		return;
	*state = NULL;
	if (rq->response)
		MHD_destroy_response(rq->response);
	buffer_done(&rq->answer_parts);
	buffer_done(&rq->body);
	arena_done(&rq->arena);
	free(rq);
}

const char *web_parameter(struct web_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->parameter_count; i++)
		if (rq->names[i] && !strcmp(rq->names[i], name))
			return rq->values[i] ? rq->values[i] : "";
	return "";
}

const char *web_query(struct web_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool web_query_number(struct web_request *rq, const char *name, uint64_t absent, uint64_t max,
		      uint64_t *out)
{
	const char *text = web_query(rq, name);
	*out = absent;
	if (!text || bytes_number(bytes_of_text(text), max, out))
		return true;
	web_fail(rq, 400, "bad-number", "%s must be a number up to %llu", name, (unsigned long long)max);
	return false;
}

bool web_json_body(struct web_request *rq, struct bytes *out)
{
	const char *type = MHD_lookup_connection_value(rq->connection, MHD_HEADER_KIND, "Content-Type");
	if (!type || strncasecmp(type, "application/json", 16)) {
		web_fail(rq, 415, "not-json", "a body of Content-Type application/json is wanted");
		return false;
	}
	if (rq->body_too_large) {
		web_fail(rq, 413, "too-long", "the body is longer than %d bytes", WEB_BODY_MAX);
		return false;
	}
	*out = buffer_bytes(&rq->body);
	return true;
}

struct arena *web_arena(struct web_request *rq) { return &rq->arena; }
const struct process *web_process(struct web_request *rq) { return rq->server->process; }
uint64_t web_started_us(const struct web_request *rq) { return rq->started_us; }

static void reply(struct web_request *rq, unsigned status, const char *type, struct bytes body, bool document)
{
	if (rq->response)
		return;
	rq->response = MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.at,
						       MHD_RESPMEM_MUST_COPY);
	if (!rq->response)
		return;
	response_headers(rq->response, type, document);
	rq->status = status;
	if (rq->suspended) {
		rq->suspended = false;
		MHD_resume_connection(rq->connection);
	}
}

void web_reply(struct web_request *rq, unsigned status, const char *type, struct bytes body)
{
	reply(rq, status, type, body, false);
}

void web_reply_document(struct web_request *rq, struct bytes html)
{
	reply(rq, 200, "text/html; charset=utf-8", html, true);
}

void web_fail(struct web_request *rq, unsigned status, const char *code, const char *fmt, ...)
{
	char sentence[512], body[2048];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, ap);
	va_end(ap);
	struct writer w = writer_of(body, sizeof body);
	write_text(&w, "{\"error\":{\"code\":");
	write_json_string(&w, bytes_of_text(code));
	write_text(&w, ",\"message\":");
	write_json_string(&w, bytes_of_text(sentence));
	write_text(&w, "}}\n");
	web_reply(rq, status, "application/json", writer_bytes(&w));
}

static void part_came(void *arg, int status, struct bytes payload, bool more)
{
	struct web_request *rq = arg;
	int kept = buffer_append(&rq->answer_parts, payload.at, payload.len);
	if (more)
		return;
	rq->asking = false;
	if (kept)
		web_fail(rq, 413, "answer-too-large", "the answer is larger than %u bytes, ask for less",
			 WEB_ANSWER_MAX);
	else
		rq->answer(rq, status, buffer_bytes(&rq->answer_parts));
	buffer_done(&rq->answer_parts);
	if (!rq->response && !rq->asking)
		web_fail(rq, 500, "no-answer", "the answer could not be made");
}

void web_ask(struct web_request *rq, const char *role, const char *topic, struct bytes payload,
	     web_answer_f *answer)
{
	rq->answer = answer;
	rq->asking = true;
	if (bus_request(rq->server->process->bus, role, topic, payload, part_came, rq))
		web_fail(rq, 503, "not-there", "the %s process is not running", role);
}
