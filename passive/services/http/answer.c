/* Which page answers a request, and how it goes out. */
#include "base/random.h"
#include "passive/services/http/form.h"
#include "passive/services/http/turn.h"

#define PAGE_BYTES_MAX 32768 /* of a page whose %{names} are filled in */
#define HEAD_BYTES_MAX 4096
#define SERVER_MAX 256 /* of the name of the server */
#define FIRMWARE_TIME_US 1364464800000000u /* when the image was made: the files' age */

struct reply {
	struct answer answer;
	struct bytes body;
	const char *head;          /* template */
	const char *body_template; /* of the dialect, instead of the body */
};

static void write_path(struct bytes raw, struct writer *w)
{
	struct bytes path = raw;
	size_t plus;
	while ((plus = bytes_find(path, "+")) < path.len) { /* a path has no blanks for "+" */
		form_decode((struct bytes){path.at, plus}, w);
		write_u8(w, '+');
		path = (struct bytes){path.at + plus + 1, path.len - plus - 1};
	}
	form_decode(path, w);
}

/* Slashes in a row are one to every server that looks for a file (POSIX 4.13). */
static struct bytes merge_slashes(struct bytes path, uint8_t *room)
{
	size_t n = 0;
	for (size_t i = 0; i < path.len; i++)
		if (path.at[i] != '/' || n == 0 || room[n - 1] != '/')
			room[n++] = path.at[i];
	return (struct bytes){room, n};
}

static const struct persona_page *find_page(const struct turn *t, const char *path)
{
	uint8_t room[TURN_PATH_MAX];
	struct writer w = writer_of(room, sizeof room);
	bool head = bytes_equal_text(t->request->method, "HEAD");
	struct bytes method = head ? BYTES("GET") : t->request->method;
	if (path)
		return persona_page(t->persona, BYTES("GET"), bytes_of_text(path));
	write_path(t->request->path, &w);
	return w.bad ? NULL
		     : persona_page(t->persona, method, merge_slashes(writer_bytes(&w), room));
}

static bool leaves_root(const struct turn *t)
{
	bool below = false;
	for (const char *const *at = t->dialect->traversals; at && *at; at++)
		below |= bytes_start_with(t->request->path, *at);
	return below;
}

/*
 * ../ in some servers leaves the document root: then the persona's own files answer, the
 * same that its shell shows.  Nothing of the host can: the file system is made up.
 */
static bool find_file(const struct turn *t, struct bytes *content)
{
	struct vfs files;
	uint8_t room[TURN_PATH_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_path(t->request->path, &w);
	struct bytes path = writer_bytes(&w);
	size_t up = bytes_find(path, "../");
	if (!leaves_root(t) || up == path.len || w.bad || !t->persona->root ||
	    !session_files(t->session, &files, NULL))
		return false;
	struct vfs_node node;
	struct vfs_status status;
	if (vfs_find(&files, (struct bytes){path.at + up, path.len - up}, true, &node) < 0)
		return false;
	vfs_stat(node, &status);
	return status.kind == VFS_FILE &&
	       session_content(t->session, node, session_arena(t->session), content) == 0;
}

static bool has_word(const char *words, struct bytes word)
{
	for (const char *at = words; *at; at = strchr(at, ' ') + 1)
		if (bytes_equal((struct bytes){(const uint8_t *)at, (size_t)(strchr(at, ' ') - at)},
				word))
			return true;
	return false;
}

/* Whether ../ leads out of the root; what is encoded is decoded once, as servers do. */
static bool climbs(struct bytes raw)
{
	uint8_t room[TURN_PATH_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_path(raw, &w);
	struct bytes path = writer_bytes(&w);
	int depth = 0;
	while (path.len && depth >= 0) {
		struct bytes part = {path.at, bytes_find(path, "/")};
		size_t step = part.len < path.len ? part.len + 1 : part.len;
		depth += bytes_equal_text(part, "..") ? -1 : part.len && !bytes_equal_text(part, ".");
		path = (struct bytes){path.at + step, path.len - step};
	}
	return depth < 0;
}

/* The status of a request that the server refuses before it looks for a page; 0: it does not. */
static unsigned objection(const struct turn *t)
{
	const struct request *r = t->request;
	const struct dialect *d = t->dialect;
	if (r->malformed)
		return d->bad_request;
	if (r->version >= HTTP_UNKNOWN && d->bad_version)
		return r->version == HTTP_UNKNOWN ? d->bad_version : d->bad_request;
	if (r->target.len > d->target_max)
		return d->long_target;
	if (d->needs_host && r->version == HTTP_1_1 && r->host.len == 0)
		return d->bad_request;
	if (d->climbing && !leaves_root(t) && climbs(r->path))
		return d->climbing;
	bool options = d->allow && bytes_equal_text(r->method, "OPTIONS");
	return has_word(d->methods, r->method) || options ? 0 : d->bad_method;
}

static bool is_static(const char *path)
{
	static const char *const ends[] = {".gif", ".ico", ".jpg",  ".png",
					   ".css", ".js",  ".html", ".htm"};
	size_t n = strlen(path);
	if (n && path[n - 1] == '/') /* its index.html */
		return true;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (n > strlen(ends[i]) && !strcmp(path + n - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

static struct bytes type_of(const char *path)
{
	static const struct {
		const char *end, *type;
	} types[] = {
		{".gif", "image/gif"},    {".jpg", "image/jpeg"},
		{".png", "image/png"},    {".css", "text/css"},
		{".ico", "image/x-icon"}, {".js", "application/x-javascript"},
		{".xml", "text/xml"},     {".txt", "text/plain"},
		{".ini", "text/plain"},   {".env", "text/plain"},
		{".bak", "application/x-trash"}, {".sql", "application/sql"},
	};
	size_t n = strlen(path);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (n > strlen(types[i].end) &&
		    !strcmp(path + n - strlen(types[i].end), types[i].end))
			return bytes_of_text(types[i].type);
	return BYTES("text/html");
}

static uint64_t text_mark(const char *text)
{
	uint64_t h = 0;
	while (*text)
		h = random_mix(h ^ (uint8_t)*text++);
	return h;
}

/* The page's own fields; Content-Type and Location have their place in the dialect. */
static void take_fields(const struct turn *t, const struct persona_page *page,
			struct writer *fields, struct writer *location, struct answer *a)
{
	for (size_t i = 0; i < page->header_count; i++) {
		const struct persona_header *h = &page->headers[i];
		struct bytes name = bytes_of_text(h->name);
		if (bytes_equal_nocase(name, "Content-Type")) {
			a->type = h->value;
		} else if (bytes_equal_nocase(name, "Location")) {
			persona_expand(&t->look, h->value, location);
			a->location = writer_bytes(location);
		} else {
			write_fmt(fields, "%s: ", h->name);
			persona_expand(&t->look, h->value, fields);
			write_text(fields, "\r\n");
		}
	}
}

static void use_page(const struct turn *t, const struct persona_page *page, struct reply *y,
		     struct writer *fields, struct writer *location, struct writer *body)
{
	struct answer *a = &y->answer;
	const struct dialect *d = t->dialect;
	a->status = page->status;
	a->type = type_of(page->path);
	take_fields(t, page, fields, location, a);
	bool changes = bytes_find(page->body, "%{") < page->body.len;
	y->body = page->body;
	if (changes) {
		persona_expand(&t->look, page->body, body);
		y->body = writer_bytes(body);
	}
	y->head = d->page_head;
	if (page->status >= 400) {
		y->head = d->error_head;
		y->body_template = page->body.len ? NULL : d->error_body;
	} else if (page->status >= 300 && a->location.len && d->redirect_head) {
		y->head = d->redirect_head;
		y->body_template = d->redirect_body;
	} else if (page->status == 200 && !page->locked && !changes && is_static(page->path)) {
		y->head = d->file_head;
	}
	a->modified_us = FIRMWARE_TIME_US + text_mark(page->path) % 600 * 1000000;
	a->tag = (uint32_t)random_mix(text_mark(page->path) ^ t->look.seed);
}

static void use_file(const struct turn *t, struct bytes content, struct reply *y)
{
	y->answer.status = 200;
	y->answer.type = BYTES("text/plain");
	y->head = t->dialect->page_head;
	y->body = content;
}

static void use_served(const struct turn *t, const struct served *got, struct reply *y)
{
	char path[TURN_PATH_MAX];
	y->answer.status = got->status;
	y->body = got->content;
	y->head = got->is_file ? t->dialect->file_head : t->dialect->page_head;
	y->answer.type = got->type ? bytes_of_text(got->type)
			 : bytes_copy_text(t->request->path, path, sizeof path) && got->is_file
				 ? type_of(path)
				 : BYTES("text/html; charset=UTF-8");
	y->answer.modified_us = FIRMWARE_TIME_US;
}

static void use_error(const struct turn *t, unsigned status, struct reply *y)
{
	y->answer.status = status;
	y->answer.type = BYTES("text/html");
	y->head = t->dialect->error_head;
	y->body_template = t->dialect->error_body;
}

static void say_reply(struct turn *t, struct reply *y)
{
	uint8_t head_room[HEAD_BYTES_MAX], body_room[HEAD_BYTES_MAX];
	struct answer *a = &y->answer;
	struct writer head = writer_of(head_room, sizeof head_room);
	struct writer body = writer_of(body_room, sizeof body_room);
	if (y->body_template) {
		dialect_write(y->body_template, a, &body);
		y->body = writer_bytes(&body);
	}
	a->length = y->body.len;
	a->alive = a->alive && strstr(y->head, "%{length}");
	dialect_write(y->head, a, &head);
	if (t->request->version != HTTP_0_9 || t->request->malformed)
		session_say_bytes(t->session, writer_bytes(&head));
	if (!bytes_equal_text(t->request->method, "HEAD") && a->status != 304)
		session_say_bytes(t->session, y->body);
	t->status = a->status;
}

/* `server`: for its name, which may hold what is particular to this address, as all that is told. */
static struct reply begin_reply(const struct turn *t, char server[SERVER_MAX])
{
	const struct request *r = t->request;
	const char *name = t->persona->http.server;
	struct writer w = writer_of(server, SERVER_MAX - 1);
	persona_expand(&t->look, bytes_of_text(name ? name : ""), &w);
	*w.at = '\0';
	return (struct reply){
		.answer = {
			.dialect = t->dialect,
			.server = server,
			.version = r->version,
			.time_us = t->look.time_us,
			.target = r->path,
			.host = r->host.len ? r->host : bytes_of_text(t->look.address),
			.method = r->method,
			.port = session_local_port(t->session),
			.secure = session_is_secure(t->session),
		}};
}

void turn_refuse(struct turn *t, unsigned status)
{
	char server[SERVER_MAX];
	struct reply y = begin_reply(t, server);
	use_error(t, status, &y);
	say_reply(t, &y);
}

/* The page, or what stands in its way. */
static void choose(struct turn *t, struct reply *y, struct writer *fields, struct writer *location,
		   struct writer *body)
{
	const struct persona_http *http = &t->persona->http;
	const struct persona_page *page = find_page(t, t->page_path);
	bool locked = page && page->locked && !t->authorized;
	bool own_method = page && page->method; /* a page that names its method knows better */
	struct bytes file, path = {0};
	struct served got;
	uint8_t path_room[TURN_PATH_MAX], merged[TURN_PATH_MAX];
	struct writer path_writer = writer_of(path_room, sizeof path_room);
	write_path(t->request->path, &path_writer);
	if (!path_writer.bad)
		path = merge_slashes(writer_bytes(&path_writer), merged);
	unsigned status = own_method && !t->request->malformed ? 0 : objection(t);
	if (!status && locked && !http->realm && http->login.path)
		page = find_page(t, http->login.path);
	if ((locked && http->realm && !status) || t->dialect->challenges_always)
		turn_write_challenge(t, fields);
	turn_write_cookie(t, fields);
	if (status)
		use_error(t, status, y);
	else if (leaves_root(t) && turn_run_program(t, path, &got))
		use_served(t, &got, y);
	else if (find_file(t, &file))
		use_file(t, file, y);
	else if (locked && (http->realm || !page))
		use_error(t, http->realm ? 401 : 403, y);
	else if (!t->page_path && turn_serve(t, page, path, &got))
		use_served(t, &got, y);
	else if (t->dialect->allow && bytes_equal_text(t->request->method, "OPTIONS")) {
		write_fmt(fields, "Allow: %s\r\n", t->dialect->allow);
		y->answer.status = 200;
		y->head = "%{version} 200 OK\r\n%{fields}Content-Length: %{length}\r\n%{connection}"
			  "Date: %{date}\r\nServer: %{server}\r\n\r\n";
	} else if (page)
		use_page(t, page, y, fields, location, body);
	else
		use_error(t, 404, y);
}

static bool not_modified(const struct turn *t, const struct reply *y)
{
	char text[64];
	struct writer w = writer_of(text, sizeof text);
	if (y->head != t->dialect->file_head || t->request->since.len == 0)
		return false;
	dialect_write_date(y->answer.modified_us, false, &w);
	return bytes_equal(t->request->since, writer_bytes(&w));
}

bool turn_answer(struct turn *t, uint32_t requests_left)
{
	uint8_t fields_room[TURN_FIELDS_MAX], location_room[TURN_PATH_MAX],
		body_room[PAGE_BYTES_MAX];
	struct writer fields = writer_of(fields_room, sizeof fields_room);
	struct writer location = writer_of(location_room, sizeof location_room);
	struct writer body = writer_of(body_room, sizeof body_room);
	const struct request *r = t->request;
	char server[SERVER_MAX];
	struct reply y = begin_reply(t, server);
	choose(t, &y, &fields, &location, &body);
	if (not_modified(t, &y)) {
		y.answer.status = 304;
		y.body = (struct bytes){0};
		y.head = t->dialect->page_head;
	}
	bool by_itself = r->version == HTTP_1_1 && !t->dialect->keeps_on_demand;
	bool asked = !r->close && (by_itself || (r->version != HTTP_0_9 && r->keep_alive));
	bool broken = r->malformed || y.answer.status == t->dialect->bad_request;
	y.answer.alive = t->dialect->keeps_alive && asked && requests_left && !broken;
	y.answer.left = requests_left;
	y.answer.fields = writer_bytes(&fields);
	say_reply(t, &y);
	return y.answer.alive;
}
