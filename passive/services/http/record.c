/* What a request tells, as events and files. */
#include "passive/services/http/form.h"
#include "passive/services/http/injection.h"
#include "passive/services/http/lookup.h"
#include "passive/services/http/turn.h"

#define PARTS_MAX 16 /* files of one multipart body */
#define MADE_URLS_MAX 4096

FIELD(FIELD_HTTP_VERSION, "http.version", TEXT, 0, "0.9, 1.0, 1.1 or other");
FIELD(FIELD_HTTP_TYPE, "http.type", BYTES, 0, "Content-Type of the request");
FIELD(FIELD_HTTP_LENGTH, "http.length", NUMBER, 0, "bytes of the body that came, kept or not");
FIELD(FIELD_HTTP_INJECTION, "http.injection", BYTES, 0,
      "shell commands found in the request, decoded");

FIELD(FIELD_HTTP_LOOKUP, "http.lookup", BYTES, 0, "JNDI lookup found in the request, its hidden letters resolved");
FIELD(FIELD_HTTP_TEMPLATE, "http.template", BYTES, 0,
      "template or expression found in the request, for a server that evaluates it");

FIELD(FIELD_HTTP_CRAWLER, "http.crawler", TEXT, 0,
      "the peer is a search engine's crawler: claimed by its name, or verified by its address");

static void report_crawler(const struct turn *t, struct event *e)
{
	static const char *const kinds[] = {NULL, "claimed", "verified"};
	enum crawler_kind kind = crawler_of(t->crawlers, t->request->agent, session_peer(t->session));
	if (kinds[kind])
		event_set_text(e, FIELD_HTTP_CRAWLER, kinds[kind]);
}

static void report_request(const struct turn *t, struct bytes injection, struct bytes lookup, struct bytes template)
{
	static const char *const versions[] = {"0.9", "1.0", "1.1", "other", "other"};
	const struct request *r = t->request;
	struct event *e = session_report(t->session, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, r->method);
	event_set_bytes(e, FIELD_TARGET, r->target);
	if (r->host.len)
		event_set_bytes(e, FIELD_HOST_NAME, r->host);
	if (r->agent.len)
		event_set_bytes(e, FIELD_AGENT, r->agent);
	if (t->status)
		event_set_number(e, FIELD_STATUS, t->status);
	event_set_text(e, FIELD_HTTP_VERSION, versions[r->version]);
	if (injection.len)
		event_set_bytes(e, FIELD_HTTP_INJECTION, injection);
	if (lookup.len)
		event_set_bytes(e, FIELD_HTTP_LOOKUP, lookup);
	if (template.len)
		event_set_bytes(e, FIELD_HTTP_TEMPLATE, template);
	if (r->content_type.len)
		event_set_bytes(e, FIELD_HTTP_TYPE, r->content_type);
	if (t->body->seen)
		event_set_number(e, FIELD_HTTP_LENGTH, t->body->seen);
	if (t->body->len)
		event_set_bytes(e, FIELD_BODY, body_bytes(t->body));
	report_crawler(t, e);
	session_mentions(t->session, t->head);
}

static bool starts_nocase(struct bytes b, const char *word)
{
	return b.len >= strlen(word) && bytes_find_nocase(b, word) == 0;
}

static void capture_parts(const struct turn *t)
{
	struct bytes rest = body_bytes(t->body),
		     boundary = form_boundary(t->request->content_type, rest);
	struct form_part part;
	for (unsigned i = 0; i < PARTS_MAX && form_part_next(&rest, boundary, &part); i++)
		if (part.is_file && part.content.len)
			session_capture(t->session, part.content, part.filename, (struct bytes){0},
					"upload");
}

static struct bytes last_of_path(struct bytes path)
{
	size_t at = path.len;
	while (at && path.at[at - 1] != '/')
		at--;
	return (struct bytes){path.at + at, path.len - at};
}

/* A body that is a file by itself: by method, by type, or by what it begins with. */
static bool is_file(const struct turn *t)
{
	static const char *const types[] = {"application/octet-stream", "application/x-",
					    "application/zip"};
	struct bytes body = body_bytes(t->body), type = t->request->content_type;
	if (bytes_find_nocase(type, "urlencoded") < type.len)
		return false;
	bool file = bytes_equal_text(t->request->method, "PUT") ||
		    bytes_start_with(body, "\x7f"
					   "ELF") ||
		    bytes_start_with(body, "#!");
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		file |= starts_nocase(type, types[i]);
	return file;
}

static void capture_files(const struct turn *t)
{
	struct bytes type = t->request->content_type, body = body_bytes(t->body);
	if (body.len == 0)
		return;
	if (starts_nocase(type, "multipart/"))
		capture_parts(t);
	else if (is_file(t))
		session_capture(t->session, body, last_of_path(t->request->path), (struct bytes){0},
				"upload");
}

static void name_files(const struct turn *t, const struct injection *x)
{
	for (size_t i = 0; i < x->count; i++)
		session_name_file(t->session, x->fetches[i].url, x->fetches[i].name,
				  x->fetches[i].how);
}

/* Commands may stand in the target, the body, or (Shellshock and the like) the agent. */
void turn_record(const struct turn *t)
{
	const struct bytes places[] = {t->request->target, body_bytes(t->body), t->request->agent};
	uint8_t text[INJECTION_MAX], made_room[MADE_URLS_MAX];
	struct injection found = {0};
	struct bytes commands = {0};
	struct writer made = writer_of(made_room, sizeof made_room);
	for (size_t i = 0; !commands.len && i < sizeof places / sizeof *places; i++) {
		struct writer w = writer_of(text, sizeof text);
		injection_unwrap(places[i], &w);
		struct bytes plain = writer_bytes(&w);
		if (injection_find(plain, &made, &found))
			commands = (struct bytes){plain.at + found.start, plain.len - found.start};
	}
	const struct bytes all[] = {t->head, body_bytes(t->body)};
	uint8_t plain_room[2 * LOOKUP_MAX];
	struct writer plain = writer_of(plain_room, sizeof plain_room);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (memchr(all[i].at ? all[i].at : (const uint8_t *)"", '{', all[i].len) ||
		    bytes_find_nocase(all[i], "%7b") < all[i].len)
			lookup_unwrap(all[i], &plain);
	struct bytes lookup = lookup_find(writer_bytes(&plain)), url = lookup_url(lookup);
	report_request(t, commands, lookup, template_find(writer_bytes(&plain)));
	if (url.len)
		session_name_file(t->session, url, (struct bytes){0}, "jndi");
	name_files(t, &found);
	capture_files(t);
}
