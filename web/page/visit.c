/* One visit of the page: what was asked, what control says to it, what the visitor reads. */
#include "base/clock.h"
#include "web/page/page_inner.h"
#include "web/probing.h"
#include <jansson.h>
#include <stdlib.h>

#define FORM_MEMORY 2048

enum form_field { FORM_REASON, FORM_NETWORK, FORM_PREFIX, FORM_UNTIL, FORM_SIGN, FORM_FIELDS };

static const char *const form_names[FORM_FIELDS] = {"reason", "network", "prefix", "until", "sign"};

static const char content_policy[] =
	"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

struct visit {
	struct page_server *server;
	struct MHD_Connection *connection;
	struct MHD_PostProcessor *form;
	struct MHD_Response *response;
	unsigned status;
	bool served, suspended, waits;
	enum page_language language;
	char visitor[ADDRESS_TEXT_MAX];
	char fields[FORM_FIELDS][PAGE_FIELD_MAX];
};

static void visitor_of(struct visit *v)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(v->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_storage ss = {0};
	struct address a = {0};
	uint16_t port;
	if (info && info->client_addr) {
		bool six = info->client_addr->sa_family == AF_INET6;
		memcpy(&ss, info->client_addr, six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		address_from_sockaddr(&ss, &a, &port);
	}
	address_format(&a, v->visitor);
}

static enum page_language language_of(struct MHD_Connection *c)
{
	const char *named = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "lang");
	const char *wanted = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Language");
	const char *text = named ? named : wanted ? wanted : "";
	return !strncasecmp(text, "ja", 2) ? PAGE_JAPANESE : PAGE_ENGLISH;
}

static void reply(struct visit *v, unsigned status, const char *type, struct bytes body)
{
	v->status = status;
	v->response = MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.at, MHD_RESPMEM_MUST_COPY);
	if (!v->response)
		return;
	MHD_add_response_header(v->response, "Content-Type", type);
	MHD_add_response_header(v->response, "Content-Security-Policy", content_policy);
	MHD_add_response_header(v->response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(v->response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(v->response, "Cache-Control", "no-store");
	if (v->suspended) {
		v->suspended = false;
		MHD_resume_connection(v->connection);
	}
}

static void reply_page(struct visit *v, unsigned status, struct page_view view)
{
	char *room = malloc(PAGE_TEXT_MAX);
	if (!room)
		return;
	struct writer w = writer_of(room, PAGE_TEXT_MAX);
	view.promises = &v->server->promises;
	view.language = v->language;
	view.visitor = v->visitor;
	view.url = v->server->url;
	page_write(&w, &view);
	reply(v, status, "text/html; charset=utf-8", writer_bytes(&w));
	free(room);
}

static void reply_failed(struct visit *v, unsigned status, const char *sentence)
{
	reply_page(v, status, (struct page_view){.kind = PAGE_FAILED, .sentence = sentence});
}

static void reply_probing(struct visit *v)
{
	char text[PROBING_TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	struct bytes as_signed = buffer_bytes(&v->server->signed_text);
	if (as_signed.len)
		reply(v, 200, "text/plain; charset=utf-8", as_signed);
	else if (probing_write(v->server->process->config, clock_utc_us(), &w))
		reply(v, 200, "text/plain; charset=utf-8", writer_bytes(&w));
	else
		reply(v, 404, "text/plain; charset=utf-8", BYTES("nothing is probed\n"));
}

static const char *text_in(const json_t *answer, const char *key)
{
	const char *text = json_string_value(json_object_get(answer, key));
	return text ? text : "";
}

static void control_answered(void *arg, int status, struct bytes payload, bool more)
{
	struct visit *v = arg;
	if (more)
		return;
	v->waits = false;
	if (status) {
		char sentence[256];
		bytes_copy_text(payload, sentence, sizeof sentence);
		unsigned code = status == ERR_FULL ? 429 : status == ERR_DENIED || status == ERR_BAD ? 400 : 503;
		reply_failed(v, code, *sentence ? sentence : "the part that decides does not answer");
		return;
	}
	json_t *answer = json_loadb((const char *)payload.at, payload.len, 0, NULL);
	bool waits = !strcmp(text_in(answer, "state"), "waiting");
	bool already = json_is_true(json_object_get(answer, "opted_out"));
	bool front = json_object_get(answer, "opted_out") && !already;
	reply_page(v, 200, (struct page_view){.kind = front ? PAGE_FRONT : already ? PAGE_ALREADY
							    : waits ? PAGE_WAITING : PAGE_DONE,
					      .prefix = front || already ? NULL : text_in(answer, "prefix")});
	json_decref(answer);
}

static void ask_control(struct visit *v, const char *topic, const struct writer *json)
{
	v->waits = true;
	if (bus_request(v->server->process->bus, "control", topic, writer_bytes(json), control_answered, v)) {
		v->waits = false;
		reply_failed(v, 503, "the part that decides does not answer");
	}
}

static void write_member(struct writer *w, const char *name, const char *value)
{
	write_fmt(w, "%s\"%s\":", writer_used(w) == 1 ? "" : ",", name);
	write_json_string(w, bytes_of_text(value));
}

/* Also when another site's page makes a browser ask in its visitor's name: that is refused. */
static bool is_from_elsewhere(struct visit *v)
{
	const char *site = MHD_lookup_connection_value(v->connection, MHD_HEADER_KIND, "Sec-Fetch-Site");
	return site && strcmp(site, "same-origin") && strcmp(site, "none");
}

static void serve_post(struct visit *v, const char *url)
{
	char json[6 * FORM_FIELDS * PAGE_FIELD_MAX];
	struct writer w = writer_of(json, sizeof json);
	if (is_from_elsewhere(v)) {
		reply_failed(v, 403, "another site asked for it");
		return;
	}
	bool confirm = !strcmp(url, "/opt-out/confirm");
	write_text(&w, "{");
	write_member(&w, "visitor", v->visitor);
	for (int i = confirm ? FORM_PREFIX : FORM_REASON; i < (confirm ? FORM_FIELDS : FORM_PREFIX); i++)
		write_member(&w, form_names[i], v->fields[i]);
	write_text(&w, "}");
	ask_control(v, confirm ? "optout.confirm" : "optout.here", &w);
}

static const char *argument(struct visit *v, const char *name)
{
	const char *value = MHD_lookup_connection_value(v->connection, MHD_GET_ARGUMENT_KIND, name);
	return value ? value : "";
}

static void serve_get(struct visit *v, const char *url)
{
	char json[128];
	struct writer w = writer_of(json, sizeof json);
	if (!strcmp(url, "/.well-known/probing.txt")) {
		reply_probing(v);
	} else if (!strcmp(url, "/opt-out") && *argument(v, "sign")) {
		reply_page(v, 200, (struct page_view){.kind = PAGE_CONFIRM, .prefix = argument(v, "prefix"),
						      .until = argument(v, "until"), .sign = argument(v, "sign")});
	} else if (!strcmp(url, "/") || !strcmp(url, "/opt-out")) {
		write_text(&w, "{");
		write_member(&w, "visitor", v->visitor);
		write_text(&w, "}");
		ask_control(v, "optout.known", &w);
	} else {
		reply_failed(v, 404, "there is nothing at this path");
	}
}

static void serve(struct visit *v, const char *url, const char *method)
{
	bool get = !strcmp(method, "GET") || !strcmp(method, "HEAD"), post = !strcmp(method, "POST");
	bool form = !strcmp(url, "/opt-out") || !strcmp(url, "/opt-out/confirm");
	if (get)
		serve_get(v, url);
	else if (post && form)
		serve_post(v, url);
	else
		reply_failed(v, 405, "this path takes another method");
}

static enum MHD_Result take_field(void *arg, enum MHD_ValueKind kind, const char *key, const char *file,
				  const char *type, const char *encoding, const char *value, uint64_t at, size_t size)
{
	(void)kind, (void)file, (void)type, (void)encoding;
	struct visit *v = arg;
	for (int i = 0; i < FORM_FIELDS; i++) {
		if (!key || strcmp(key, form_names[i]) || at >= PAGE_FIELD_MAX - 1)
			continue;
		size_t room = PAGE_FIELD_MAX - 1 - (size_t)at, n = size < room ? size : room;
		memcpy(v->fields[i] + at, value, n);
		v->fields[i][at + n] = '\0';
	}
	return MHD_YES;
}

static struct visit *begin(struct page_server *server, struct MHD_Connection *connection, const char *method)
{
	struct visit *v = calloc(1, sizeof *v);
	if (!v)
		return NULL;
	v->server = server;
	v->connection = connection;
	v->language = language_of(connection);
	visitor_of(v);
	if (!strcmp(method, "POST")) /* NULL when the body is no form: then it has no fields */
		v->form = MHD_create_post_processor(connection, FORM_MEMORY, take_field, v);
	return v;
}

enum MHD_Result page_handle(void *server, struct MHD_Connection *connection, const char *url, const char *method,
			    const char *version, const char *upload, size_t *upload_size, void **state)
{
	(void)version;
	struct visit *v = *state;
	if (!v) {
		*state = begin(server, connection, method);
		return *state ? MHD_YES : MHD_NO;
	}
	if (*upload_size) {
		if (v->form)
			MHD_post_process(v->form, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	if (!v->served) {
		v->served = true;
		serve(v, url, method);
	}
	if (v->response) {
		enum MHD_Result sent = MHD_queue_response(connection, v->status, v->response);
		MHD_destroy_response(v->response);
		v->response = NULL;
		return sent;
	}
	if (!v->waits)
		return MHD_NO; /* no memory for an answer */
	if (!v->suspended) {
		v->suspended = true;
		MHD_suspend_connection(connection);
	}
	return MHD_YES;
}

void page_completed(void *server, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	(void)server, (void)connection, (void)code;
	struct visit *v = *state;
	*state = NULL;
	if (!v)
		return;
	if (v->form)
		MHD_destroy_post_processor(v->form);
	if (v->response)
		MHD_destroy_response(v->response);
	free(v);
}
