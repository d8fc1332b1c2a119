/* Reading SOAP. */
#include "passive/services/http/soap.h"

#define LINE_MAX_BYTES 1024
#define ELEMENTS_MAX 64 /* looked at for arguments */

struct element {
	struct bytes name; /* without the prefix */
	struct bytes text; /* up to the next "<" */
	struct bytes rest; /* behind the opening tag */
	bool opens;        /* it is neither "</...>" nor "<?...>" nor a comment */
	bool leaf;         /* its own end follows its text */
};

static struct bytes from(struct bytes b, size_t at)
{
	/* Nothing is often a NULL, to which C lets nobody add, not even 0. */
	return at ? (struct bytes){b.at + at, b.len - at} : b;
}

/* The next tag in `*left`, which moves behind it. */
static bool element_next(struct bytes *left, struct element *e)
{
	size_t at = bytes_find(*left, "<");
	if (at == left->len)
		return false;
	struct bytes tag = from(*left, at + 1);
	tag.len = bytes_find(tag, ">");
	size_t used = at + 1 + tag.len;
	*left = from(*left, used < left->len ? used + 1 : used);
	*e = (struct element){.rest = *left};
	e->opens = tag.len && tag.at[0] != '/' && tag.at[0] != '?' && tag.at[0] != '!';
	size_t n = 0, colon = 0;
	for (; n < tag.len && tag.at[n] > ' ' && tag.at[n] != '/'; n++)
		if (tag.at[n] == ':')
			colon = n + 1;
	e->name = (struct bytes){tag.at + colon, n - colon};
	bool empty = tag.len && tag.at[tag.len - 1] == '/';
	e->text = empty ? (struct bytes){0} : (struct bytes){left->at, bytes_find(*left, "<")};
	e->leaf = e->opens && !empty && bytes_start_with(from(*left, e->text.len), "</");
	e->text = bytes_trim(e->text);
	return true;
}

struct bytes soap_text(struct bytes xml, const char *name)
{
	struct element e;
	while (element_next(&xml, &e))
		if (e.opens && bytes_equal_text(e.name, name))
			return e.text;
	return (struct bytes){0};
}

/* The first element within the body: what is to be done. */
static bool body_first(struct bytes xml, struct element *e)
{
	bool within = false;
	while (element_next(&xml, e)) {
		if (within && e->opens)
			return true;
		within |= e->opens && bytes_equal_text(e->name, "Body");
	}
	return false;
}

static struct bytes field_unquoted(const struct api_call *c)
{
	struct bytes field = request_field(c->head, "SOAPAction");
	if (field.len && field.at[0] == '"')
		field = from(field, 1);
	field.len = bytes_find(field, "\"");
	return field;
}

struct bytes soap_action(const struct api_call *c)
{
	struct bytes field = field_unquoted(c);
	struct element e;
	size_t hash = bytes_find(field, "#");
	if (hash < field.len)
		return from(field, hash + 1);
	return body_first(c->body, &e) ? e.name : (struct bytes){0};
}

struct bytes soap_service(const struct api_call *c)
{
	struct bytes field = field_unquoted(c);
	struct element e;
	size_t hash = bytes_find(field, "#");
	if (hash < field.len)
		return (struct bytes){field.at, hash};
	if (!body_first(c->body, &e))
		return (struct bytes){0};
	/* The tag ends where what is behind it begins. */
	struct bytes tag = {e.name.at, (size_t)(e.rest.at - e.name.at)};
	size_t at = bytes_find(tag, "urn:");
	tag = from(tag, at);
	size_t n = 0;
	while (n < tag.len && tag.at[n] != '"' && tag.at[n] != '\'' && tag.at[n] > ' ')
		n++;
	return (struct bytes){tag.at, n};
}

static bool is_url(struct bytes b)
{
	static const char *const schemes[] = {"http://", "https://", "ftp://", "tftp://"};
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (bytes_start_with(b, schemes[i]))
			return true;
	return false;
}

void soap_tell(const struct api_call *c, struct bytes action, const char *how)
{
	char line[LINE_MAX_BYTES];
	struct writer w = writer_of(line, sizeof line);
	struct bytes left = from(c->body, bytes_find_nocase(c->body, "Body>")), name = {0};
	struct element e;
	write_bytes(&w, action.at, action.len < 128 ? action.len : 128);
	for (unsigned i = 0; i < ELEMENTS_MAX && element_next(&left, &e); i++) {
		if (!e.leaf || !e.text.len)
			continue;
		if (is_url(e.text))
			session_name_file(c->session, e.text, (struct bytes){0}, how);
		/* TR-069 has name and value as elements of their own. */
		if (bytes_equal_text(e.name, "Name")) {
			name = e.text;
			continue;
		}
		struct bytes called = name.len && bytes_equal_text(e.name, "Value") ? name : e.name;
		if (writer_left(&w) < called.len + e.text.len + 2)
			break;
		write_text(&w, " ");
		write_span(&w, called);
		write_text(&w, "=");
		write_span(&w, e.text);
		name = (struct bytes){0};
	}
	event_set_bytes(session_report(c->session, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, writer_bytes(&w));
}

void soap_write_text(struct writer *w, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		if (b.at[i] == '<')
			write_text(w, "&lt;");
		else if (b.at[i] == '>')
			write_text(w, "&gt;");
		else if (b.at[i] == '&')
			write_text(w, "&amp;");
		else
			write_u8(w, b.at[i]);
	}
}
