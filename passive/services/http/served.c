/*
 * What a web application does with a request beyond showing a page: it serves the device's own
 * files, keeps uploads among them, shows the file that a parameter names, and runs scripts that
 * attackers have put there.
 */
#include "passive/services/http/form.h"
#include "passive/services/http/script.h"
#include "passive/services/http/turn.h"

#define PARTS_MAX 16
#define SCRIPT_OUTPUT_MAX 65536
#define INCLUDED_MAX 65536

static const char *const scripts_php[] = {".php", ".phtml", ".php5", ".php3", ".phar", ".inc", NULL};
static const char *const scripts_foreign[] = {".jsp", ".jspx", ".asp", ".aspx", ".ashx", ".cgi", ".pl", ".py", NULL};

static bool ends_with_any(struct bytes path, const char *const *ends)
{
	for (; *ends; ends++) {
		size_t n = strlen(*ends);
		if (path.len > n && bytes_equal_nocase((struct bytes){path.at + path.len - n, n}, *ends))
			return true;
	}
	return false;
}

static struct bytes last_of(struct bytes path)
{
	size_t at = path.len;
	while (at && path.at[at - 1] != '/' && path.at[at - 1] != '\\')
		at--;
	return (struct bytes){path.at + at, path.len - at};
}

static void keep_file(struct turn *t, struct vfs *files, const char *directory, struct bytes name, struct bytes content)
{
	char path[VFS_PATH_MAX];
	struct writer w = writer_of(path, sizeof path);
	struct vfs_change *at = NULL;
	name = last_of(name);
	if (name.len == 0)
		return;
	for (size_t i = 1; directory[i]; i++) /* folders by date may not be there yet */
		if (directory[i] == '/')
			vfs_make_directory(files, (struct bytes){(const uint8_t *)directory, i}, 0755);
	vfs_make_directory(files, bytes_of_text(directory), 0755);
	write_text(&w, directory);
	write_text(&w, "/");
	write_span(&w, name);
	if (!w.bad && vfs_open(files, writer_bytes(&w), VFS_TRUNCATE, 0644, &at) == 0 && at) {
		vfs_append(files, at, content);
		vfs_set_taken(files, at); /* it is evidence already */
	}
	(void)t;
}

static void keep_uploads(struct turn *t, const char *directory)
{
	struct vfs files;
	struct form_part part;
	struct bytes rest = body_bytes(t->body), boundary = form_boundary(t->request->content_type, rest);
	if (rest.len == 0 || !session_files(t->session, &files, NULL))
		return;
	if (bytes_equal_text(t->request->method, "PUT")) {
		keep_file(t, &files, directory, t->request->path, rest);
		return;
	}
	for (unsigned i = 0; i < PARTS_MAX && form_part_next(&rest, boundary, &part); i++)
		if (part.is_file)
			keep_file(t, &files, directory, part.filename, part.content);
}

static bool file_content(struct turn *t, struct bytes path, struct bytes *content, bool *changed)
{
	struct vfs files;
	struct vfs_node node;
	struct vfs_status status;
	if (!session_files(t->session, &files, NULL) || vfs_find(&files, path, true, &node) < 0)
		return false;
	vfs_stat(node, &status);
	*changed = node.change != NULL;
	return status.kind == VFS_FILE && session_content(t->session, node, session_arena(t->session), content) == 0;
}

static bool run_script(struct turn *t, struct bytes path, struct bytes source, bool php, struct served *out)
{
	uint8_t *room = arena_alloc(session_arena(t->session), SCRIPT_OUTPUT_MAX);
	struct writer w = writer_of(room, room ? SCRIPT_OUTPUT_MAX : 0);
	struct script x = {.session = t->session,
	                   .shell = t->shell,
	                   .query = t->request->query,
	                   .body = body_bytes(t->body),
	                   .cookies = t->request->cookie,
	                   .agent = t->request->agent,
	                   .path = path,
	                   .out = &w};
	if (php)
		script_run(&x, source);
	else
		script_run_foreign(&x);
	*out = (struct served){writer_bytes(&w), NULL, 200, false};
	return true;
}

/* Below the document root; a folder shows its index. */
static bool serve_file(struct turn *t, struct bytes path, struct served *out)
{
	static const char *const indexes[] = {"", "/index.html", "/index.php", NULL};
	char room[VFS_PATH_MAX];
	struct bytes content;
	bool changed = false;
	for (size_t i = 0; indexes[i]; i++) {
		struct writer w = writer_of(room, sizeof room);
		write_text(&w, t->persona->http.root);
		write_span(&w, path);
		write_text(&w, indexes[i]);
		struct bytes whole = writer_bytes(&w);
		if (w.bad || !file_content(t, whole, &content, &changed))
			continue;
		bool php = ends_with_any(whole, scripts_php);
		if (php || ends_with_any(whole, scripts_foreign))
			/* The device's own scripts have pages; behind the others there is a peer. */
			return changed ? run_script(t, whole, content, php, out)
			               : (*out = (struct served){.status = 200}, true);
		*out = (struct served){content, NULL, 200, true};
		return true;
	}
	return false;
}

/* The file that a parameter names, as PHP's include and its kin would show it. */
static bool serve_included(struct turn *t, const char *parameter, struct served *out)
{
	char room[VFS_PATH_MAX], name_room[VFS_PATH_MAX];
	struct writer name = writer_of(name_room, sizeof name_room), w = writer_of(room, sizeof room);
	struct bytes raw = form_value(t->request->query, parameter), content;
	bool changed;
	if (!raw.len)
		raw = form_value(body_bytes(t->body), parameter);
	form_decode(raw, &name);
	struct bytes path = writer_bytes(&name);
	const uint8_t *nul = path.len ? memchr(path.at, 0, path.len) : NULL;
	if (nul) /* CVE-2006-7243: an old PHP ends the name there */
		path.len = (size_t)(nul - path.at);
	size_t resource = bytes_find(path, "resource=");
	if (resource < path.len)
		path = (struct bytes){path.at + resource + 9, path.len - resource - 9};
	else if (bytes_start_with(path, "file://"))
		path = (struct bytes){path.at + 7, path.len - 7};
	if (path.len == 0)
		return false;
	if (path.at[0] != '/') {
		write_text(&w, t->persona->http.root ? t->persona->http.root : "");
		write_text(&w, "/");
	}
	write_span(&w, path);
	if (name.bad || w.bad || !file_content(t, writer_bytes(&w), &content, &changed))
		return false;
	content.len = content.len < INCLUDED_MAX ? content.len : INCLUDED_MAX;
	if (changed && bytes_find(content, "<?") < content.len)
		return run_script(t, writer_bytes(&w), content, true, out);
	*out = (struct served){content, "text/html", 200, false};
	return true;
}

/* CVE-2021-41773 with mod_cgi: what is posted to the shell is its script, its head is skipped. */
bool turn_run_program(struct turn *t, struct bytes path, struct served *out)
{
	static const char *const shells[] = {"/bin/sh", "/bin/bash", "/bin/dash", "/usr/bin/bash", "/usr/bin/sh"};
	struct bytes body = body_bytes(t->body);
	bool shell = false;
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
		shell |= path.len >= strlen(shells[i]) &&
		         bytes_equal_text((struct bytes){path.at + path.len - strlen(shells[i]), strlen(shells[i])}, shells[i]);
	if (!shell || !bytes_equal_text(t->request->method, "POST") || !body.len)
		return false;
	uint8_t *room = arena_alloc(session_arena(t->session), SCRIPT_OUTPUT_MAX);
	struct writer w = writer_of(room, room ? SCRIPT_OUTPUT_MAX : 0);
	event_set_bytes(session_report(t->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, body);
	command_run(t->session, t->shell, body, &w);
	struct bytes said = writer_bytes(&w);
	size_t head = bytes_find(said, "\n\n");
	size_t skip = said.len && said.at[0] == '\n' ? 1 : head < said.len ? head + 2 : 0;
	*out = (struct served){{said.at + skip, said.len - skip}, "text/plain", skip || !said.len ? 200 : 500, false};
	return true;
}

bool turn_serve(struct turn *t, const struct persona_page *page, struct bytes path, struct served *out)
{
	if (page && page->upload && !(page->locked && !t->authorized))
		keep_uploads(t, page->upload);
	if (page && page->runs && !strcmp(page->runs, "xmlrpc"))
		return turn_xmlrpc(t, out);
	if (page && page->includes && serve_included(t, page->includes, out))
		return true;
	bool fallback = !page || page->path[strlen(page->path) - 1] == '*';
	return fallback && t->persona->http.root && serve_file(t, path, out);
}
