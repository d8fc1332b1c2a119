/*
 * xmlrpc.php of WordPress: bots try passwords on it, hundreds in one system.multicall, and use
 * pingback.ping to make a site fetch from a victim.  Nothing is fetched.
 */
#include "passive/services/http/turn.h"

#define CALLS_MAX 512  /* logins of one multicall that are told */
#define ANSWER_MAX 65536
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse>\n"

/* The text of the next element of that name, and behind it. */
static bool element_next(struct bytes *rest, const char *open, const char *close, struct bytes *text)
{
	size_t at = bytes_find(*rest, open);
	if (at == rest->len)
		return false;
	at += strlen(open);
	*rest = (struct bytes){rest->at + at, rest->len - at};
	size_t end = bytes_find(*rest, close);
	*text = bytes_trim((struct bytes){rest->at, end});
	size_t step = end < rest->len ? end + strlen(close) : end;
	*rest = (struct bytes){rest->at + step, rest->len - step};
	return true;
}

static void write_fault_struct(struct writer *w, const char *indent, int code, const char *text)
{
	write_fmt(w,
	          "%s<struct>\n%s  <member>\n%s    <name>faultCode</name>\n"
	          "%s    <value><int>%d</int></value>\n%s  </member>\n%s  <member>\n"
	          "%s    <name>faultString</name>\n%s    <value><string>%s</string></value>\n"
	          "%s  </member>\n%s</struct>\n",
	          indent, indent, indent, indent, code, indent, indent, indent, indent, text, indent, indent);
}

static void write_fault(struct writer *w, int code, const char *text)
{
	write_text(w, HEAD "  <fault>\n    <value>\n");
	write_fault_struct(w, "      ", code, text);
	write_text(w, "    </value>\n  </fault>\n</methodResponse>\n");
}

static void write_blogs(const struct turn *t, struct writer *w)
{
	char name[128];
	session_expand(t->session, "%{hostname}", name, sizeof name);
	write_fmt(w,
	          "<array><data>\n  <value><struct>\n  <member><name>isAdmin</name><value><boolean>1</boolean></value>"
	          "</member>\n  <member><name>url</name><value><string>http://%s/</string></value></member>\n"
	          "  <member><name>blogid</name><value><string>1</string></value></member>\n"
	          "  <member><name>blogName</name><value><string>%s</string></value></member>\n"
	          "  <member><name>xmlrpc</name><value><string>http://%s/xmlrpc.php</string></value></member>\n"
	          "</struct></value>\n</data></array>",
	          t->look.address, name, t->look.address);
}

/* The text in front of the next end of a value. */
static bool value_next(struct bytes *rest, struct bytes *text)
{
	size_t end = bytes_find(*rest, "</value>"), from = end;
	if (end == rest->len)
		return false;
	while (from && rest->at[from - 1] != '>')
		from--;
	*text = bytes_trim((struct bytes){rest->at + from, end - from});
	*rest = (struct bytes){rest->at + end + 8, rest->len - end - 8};
	return true;
}

/* Parameters are texts, with <string> around them (a number may stand before them) or without. */
static bool read_account(struct bytes *rest, struct bytes *user, struct bytes *secret)
{
	struct bytes texts[2], text;
	size_t n = 0;
	bool typed = bytes_find(*rest, "<string>") < rest->len;
	while (n < 2 && (typed ? element_next(rest, "<string>", "</string>", &text) : value_next(rest, &text)))
		texts[n++] = text;
	if (n < 2)
		return false;
	*user = texts[0];
	*secret = texts[1];
	return true;
}

static bool try_account(struct turn *t, struct bytes *rest)
{
	struct bytes user, secret;
	if (!read_account(rest, &user, &secret))
		return false;
	bool accepted = auth_accepts(t->persona, t->look.seed, user, secret);
	session_login_decided(t->session, user, secret, (struct bytes){0}, accepted);
	return accepted;
}

static void multicall(struct turn *t, struct bytes body, struct writer *w)
{
	struct bytes rest = body, name;
	unsigned calls = 0;
	write_text(w, HEAD "  <params>\n    <param>\n      <value>\n      <array><data>\n");
	while (calls++ < CALLS_MAX && element_next(&rest, "<name>params</name>", "<value>", &name)) {
		size_t next = bytes_find(rest, "<name>methodName</name>");
		struct bytes params = {rest.at, next};
		if (try_account(t, &params)) {
			write_text(w, "  <value><array><data>\n  <value>");
			write_blogs(t, w);
			write_text(w, "</value>\n</data></array></value>\n");
		} else {
			write_text(w, "  <value>");
			write_fault_struct(w, "", 403, "Incorrect username or password.");
			write_text(w, "</value>\n");
		}
	}
	write_text(w, "</data></array>\n      </value>\n    </param>\n  </params>\n</methodResponse>\n");
}

static void list_methods(struct writer *w)
{
	static const char *const names[] = {
	        "system.multicall",   "system.listMethods",   "system.getCapabilities", "demo.addTwoNumbers",
	        "demo.sayHello",      "pingback.extensions.getPingbacks", "pingback.ping", "mt.publishPost",
	        "metaWeblog.newPost", "metaWeblog.newMediaObject", "metaWeblog.getRecentPosts", "blogger.getUsersBlogs",
	        "wp.uploadFile",      "wp.getUsers",          "wp.getUsersBlogs",       "wp.getPosts",
	        "wp.newPost",         "wp.getOptions"};
	write_text(w, HEAD "  <params>\n    <param>\n      <value>\n      <array><data>\n");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		write_fmt(w, "  <value><string>%s</string></value>\n", names[i]);
	write_text(w, "</data></array>\n      </value>\n    </param>\n  </params>\n</methodResponse>\n");
}

static void method_call(struct turn *t, struct bytes name, struct bytes rest, struct writer *w)
{
	struct bytes url = {0};
	if (bytes_equal_text(name, "system.multicall")) {
		multicall(t, rest, w);
	} else if (bytes_equal_text(name, "system.listMethods")) {
		list_methods(w);
	} else if (bytes_equal_text(name, "demo.sayHello")) {
		write_text(w, HEAD "  <params>\n    <param>\n      <value>\n      <string>Hello!</string>\n"
		                   "      </value>\n    </param>\n  </params>\n</methodResponse>\n");
	} else if (bytes_equal_text(name, "pingback.ping")) {
		if (element_next(&rest, "<string>", "</string>", &url))
			session_name_file(t->session, url, (struct bytes){0}, "pingback");
		write_fault(w, 0, "");
	} else if (bytes_start_with(name, "wp.") || bytes_start_with(name, "blogger.") ||
	           bytes_start_with(name, "metaWeblog.") || bytes_start_with(name, "mt.")) {
		if (!try_account(t, &rest)) {
			write_fault(w, 403, "Incorrect username or password.");
			return;
		}
		write_text(w, HEAD "  <params>\n    <param>\n      <value>\n      ");
		write_blogs(t, w);
		write_text(w, "\n      </value>\n    </param>\n  </params>\n</methodResponse>\n");
	} else {
		char text[200];
		snprintf(text, sizeof text, "server error. requested method %.*s does not exist.",
		         (int)(name.len < 100 && !memchr(name.at, '<', name.len) ? name.len : 0), (const char *)name.at);
		write_fault(w, -32601, text);
	}
}

bool turn_xmlrpc(struct turn *t, struct served *out)
{
	uint8_t *room = arena_alloc(session_arena(t->session), ANSWER_MAX);
	struct writer w = writer_of(room, room ? ANSWER_MAX : 0);
	struct bytes rest = body_bytes(t->body), name;
	if (!bytes_equal_text(t->request->method, "POST")) {
		*out = (struct served){BYTES("XML-RPC server accepts POST requests only."), "text/plain;charset=UTF-8", 405, false};
		return true;
	}
	if (element_next(&rest, "<methodName>", "</methodName>", &name))
		method_call(t, name, rest, &w);
	else
		write_fault(&w, -32700, "parse error. not well formed");
	*out = (struct served){writer_bytes(&w), "text/xml; charset=UTF-8", 200, false};
	return true;
}
