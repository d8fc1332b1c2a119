#include "active/visit/html_inner.h"
#include <ctype.h>
#include <strings.h>

#define ATTRIBUTES_MAX 24
#define SMALL_PIXELS 2

struct attribute {
	struct bytes name, value;
};

struct tag {
	struct bytes name;
	bool closing;
	struct attribute attributes[ATTRIBUTES_MAX];
	size_t count;
};

struct reading {
	html_finding_f *find;
	void *arg;
	struct html_summary *out;
	char url[URL_MAX];
};

const char *html_kind_name(enum html_kind kind)
{
	static const char *const names[HTML_KINDS] = {"meta", "script", "frame", "script-file", "link", "form"};
	return kind < HTML_KINDS ? names[kind] : "unknown";
}

static bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static struct bytes from_to(const uint8_t *at, const uint8_t *end) { return (struct bytes){at, (size_t)(end - at)}; }

/* One attribute; false at the end of the tag. */
static bool read_attribute(struct reader *r, struct attribute *out)
{
	while (r->at < r->end && (is_space(*r->at) || *r->at == '/'))
		r->at++;
	const uint8_t *name = r->at;
	while (r->at < r->end && !is_space(*r->at) && !strchr("/>=", *r->at))
		r->at++;
	out->name = from_to(name, r->at);
	out->value = (struct bytes){0};
	while (r->at < r->end && is_space(*r->at))
		r->at++;
	if (r->at == r->end || (!out->name.len && *r->at != '='))
		return false;
	if (*r->at != '=')
		return out->name.len > 0;
	r->at++;
	while (r->at < r->end && is_space(*r->at))
		r->at++;
	if (r->at == r->end)
		return false;
	const uint8_t quote = *r->at == '"' || *r->at == '\'' ? *r->at++ : 0;
	const uint8_t *value = r->at;
	while (r->at < r->end && (quote ? *r->at != quote : !is_space(*r->at) && *r->at != '>'))
		r->at++;
	out->value = from_to(value, r->at);
	r->at += quote && r->at < r->end;
	return true;
}

/* Behind `<`; false: no tag begins here. */
static bool read_tag(struct reader *r, struct tag *out)
{
	out->count = 0;
	out->closing = r->at < r->end && *r->at == '/';
	r->at += out->closing;
	const uint8_t *name = r->at;
	if (r->at == r->end || !isalpha(*r->at))
		return false;
	while (r->at < r->end && !is_space(*r->at) && *r->at != '/' && *r->at != '>')
		r->at++;
	out->name = from_to(name, r->at);
	struct attribute a;
	while (r->at < r->end && *r->at != '>' && read_attribute(r, &a))
		if (out->count < ATTRIBUTES_MAX)
			out->attributes[out->count++] = a;
	const uint8_t *end = r->at < r->end ? memchr(r->at, '>', (size_t)(r->end - r->at)) : NULL;
	r->at = end ? end + 1 : r->end;
	return end != NULL; /* cut by the page's end: browsers drop it, too */
}

static struct bytes attribute_of(const struct tag *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (bytes_equal_nocase(t->attributes[i].name, name))
			return t->attributes[i].value;
	return (struct bytes){0};
}

static bool has_attribute(const struct tag *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (bytes_equal_nocase(t->attributes[i].name, name))
			return true;
	return false;
}

/* A character reference that stands there: its length, and the character where it is ASCII. */
static size_t read_reference(struct bytes b, uint8_t *c)
{
	static const struct {
		const char *name;
		uint8_t c;
	} named[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&colon;", ':'},
		     {"&sol;", '/'}, {"&period;", '.'}, {"&Tab;", '\t'}, {"&NewLine;", '\n'}, {"&amp", '&'}};
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (bytes_start_with(b, named[i].name)) {
			*c = named[i].c;
			return strlen(named[i].name);
		}
	if (!bytes_start_with(b, "&#"))
		return 0;
	const bool hex = b.len > 2 && (b.at[2] | 0x20) == 'x';
	uint32_t value = 0;
	size_t i = hex ? 3 : 2;
	const size_t first = i;
	for (; i < b.len && i < first + 8 && (hex ? isxdigit(b.at[i]) : isdigit(b.at[i])); i++)
		value = value * (hex ? 16 : 10) + (uint32_t)(isdigit(b.at[i]) ? b.at[i] - '0' : (b.at[i] | 0x20) - 'a' + 10);
	if (i == first || value == 0 || value > 0x7f)
		return 0;
	*c = (uint8_t)value;
	return i + (i < b.len && b.at[i] == ';');
}

static struct bytes decode(struct reading *reading, struct bytes value)
{
	struct writer w = writer_of(reading->url, sizeof reading->url);
	while (value.len && !w.bad) {
		uint8_t c = value.at[0];
		size_t n = c == '&' ? read_reference(value, &c) : 1;
		n = n ? n : 1;
		write_u8(&w, c);
		value = (struct bytes){value.at + n, value.len - n};
	}
	return w.bad ? (struct bytes){0} : bytes_trim(writer_bytes(&w));
}

static void find(struct reading *reading, enum html_kind kind, struct bytes value, const struct html_finding *more)
{
	struct html_finding found = more ? *more : (struct html_finding){0};
	found.kind = kind;
	found.url = decode(reading, value);
	if (found.url.len)
		reading->find(reading->arg, &found);
}

/* "3; url=http://..." (HTML Standard 4.2.5.3). */
static void take_refresh(struct reading *reading, struct bytes content)
{
	struct html_finding found = {0};
	struct reader r = reader_of_bytes(content);
	while (r.at < r.end && is_space(*r.at))
		r.at++;
	for (; r.at < r.end && isdigit(*r.at); r.at++)
		found.delay_s = found.delay_s < 100000 ? found.delay_s * 10 + (uint32_t)(*r.at - '0') : found.delay_s;
	struct bytes rest = from_to(r.at, r.end);
	const size_t at = bytes_find_nocase(rest, "url");
	if (at == rest.len)
		return;
	rest = bytes_trim((struct bytes){rest.at + at + 3, rest.len - at - 3});
	if (!rest.len || rest.at[0] != '=')
		return;
	rest = bytes_trim((struct bytes){rest.at + 1, rest.len - 1});
	if (rest.len && (rest.at[0] == '"' || rest.at[0] == '\'')) {
		const uint8_t *end = memchr(rest.at + 1, rest.at[0], rest.len - 1);
		rest = from_to(rest.at + 1, end ? end : rest.at + rest.len);
	}
	find(reading, HTML_META, rest, &found);
}

static bool is_small(struct bytes value)
{
	uint64_t n;
	if (value.len > 2 && bytes_equal_nocase((struct bytes){value.at + value.len - 2, 2}, "px"))
		value.len -= 2;
	return value.len && bytes_number(bytes_trim(value), UINT32_MAX, &n) && n <= SMALL_PIXELS;
}

static bool is_hidden(const struct tag *t)
{
	static const char *const words[] = {"display:none", "display: none", "visibility:hidden", "visibility: hidden",
					    "left:-", "left: -", "top:-", "top: -", "opacity:0;", "opacity: 0;"};
	struct bytes style = attribute_of(t, "style");
	bool hidden = is_small(attribute_of(t, "width")) || is_small(attribute_of(t, "height")) || has_attribute(t, "hidden");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		hidden |= style.len && bytes_find_nocase(style, words[i]) < style.len;
	return hidden;
}

static bool names_a_download(struct bytes url)
{
	static const char *const endings[] = {".exe", ".msi", ".scr", ".dll", ".apk", ".jar", ".zip", ".rar", ".7z",	".iso", ".img",
					      ".dmg", ".pkg", ".deb", ".rpm", ".sh",  ".bin", ".elf", ".ps1", ".vbs", ".hta", ".lnk",
					      ".bat", ".cmd", ".doc", ".docm", ".xls", ".xlsm", ".pdf", ".gz", ".tgz", ".cab", ".jse"};
	const uint8_t *question = url.len ? memchr(url.at, '?', url.len) : NULL;
	if (question)
		url.len = (size_t)(question - url.at);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		const size_t n = strlen(endings[i]);
		if (url.len > n && bytes_equal_nocase((struct bytes){url.at + url.len - n, n}, endings[i]))
			return true;
	}
	return false;
}

static void take_tag(struct reading *reading, const struct tag *t)
{
	struct html_summary *out = reading->out;
	struct html_finding found = {0};
	if (bytes_equal_nocase(t->name, "meta")) {
		if (bytes_equal_nocase(bytes_trim(attribute_of(t, "http-equiv")), "refresh"))
			take_refresh(reading, attribute_of(t, "content"));
	} else if (bytes_equal_nocase(t->name, "base") && !out->base[0]) {
		bytes_copy_text(decode(reading, attribute_of(t, "href")), out->base, sizeof out->base);
	} else if (bytes_equal_nocase(t->name, "a") || bytes_equal_nocase(t->name, "area")) {
		struct bytes href = attribute_of(t, "href");
		out->links++;
		found.download = has_attribute(t, "download") || names_a_download(href);
		find(reading, HTML_LINK, href, &found);
	} else if (bytes_equal_nocase(t->name, "iframe") || bytes_equal_nocase(t->name, "frame")) {
		out->frames++;
		found.hidden = is_hidden(t);
		out->hidden_frames += found.hidden;
		find(reading, HTML_FRAME, attribute_of(t, "src"), &found);
	} else if (bytes_equal_nocase(t->name, "object") || bytes_equal_nocase(t->name, "embed") || bytes_equal_nocase(t->name, "applet")) {
		out->plugins++;
		struct bytes url = attribute_of(t, bytes_equal_nocase(t->name, "object") ? "data" : "src");
		find(reading, HTML_FRAME, url.len ? url : attribute_of(t, "archive"), &found);
	} else if (bytes_equal_nocase(t->name, "form")) {
		out->forms++;
		find(reading, HTML_FORM, attribute_of(t, "action"), &found);
	} else if (bytes_equal_nocase(t->name, "input")) {
		out->passwords += bytes_equal_nocase(attribute_of(t, "type"), "password");
	}
}

static uint64_t count_words(struct bytes text, const char *word)
{
	uint64_t n = 0;
	for (size_t at; text.len && (at = bytes_find(text, word)) < text.len; n++)
		text = (struct bytes){text.at + at + 1, text.len - at - 1};
	return n;
}

/* location = "...", location.href = '...', location.replace("..."): behind the word, up to the text. */
static void take_location(struct reading *reading, struct bytes rest)
{
	static const char *const calls[] = {".href", ".replace", ".assign"};
	if (rest.len > 2 * URL_MAX)
		rest.len = 2 * URL_MAX;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (bytes_start_with(rest, calls[i])) {
			const size_t n = strlen(calls[i]);
			rest = (struct bytes){rest.at + n, rest.len - n};
			break;
		}
	rest = bytes_trim(rest);
	if (!rest.len || (rest.at[0] != '=' && rest.at[0] != '('))
		return;
	rest = bytes_trim((struct bytes){rest.at + 1, rest.len - 1});
	if (rest.len < 2 || (rest.at[0] != '"' && rest.at[0] != '\''))
		return;
	const uint8_t *end = memchr(rest.at + 1, rest.at[0], rest.len - 1);
	if (end)
		find(reading, HTML_LOCATION, from_to(rest.at + 1, end), NULL);
}

static void take_script(struct reading *reading, struct bytes text)
{
	struct html_summary *out = reading->out;
	size_t word = 0;
	out->inline_scripts++;
	out->inline_bytes += text.len;
	out->evals += count_words(text, "eval(") + count_words(text, "Function(");
	out->unescapes += count_words(text, "unescape(") + count_words(text, "atob(") + count_words(text, "decodeURIComponent(");
	out->writes += count_words(text, "document.write");
	out->char_codes += count_words(text, "fromCharCode");
	out->plugins += count_words(text, "ActiveXObject") + count_words(text, "navigator.plugins");
	for (size_t i = 0; i < text.len; i++) {
		word = is_space(text.at[i]) ? 0 : word + 1;
		if (word > out->longest_word)
			out->longest_word = word;
	}
	for (size_t at; text.len && (at = bytes_find(text, "location")) < text.len;) {
		text = (struct bytes){text.at + at + 8, text.len - at - 8};
		take_location(reading, text);
	}
}

/* The text up to the closing tag of that name; the reader ends behind it. */
static struct bytes read_raw(struct reader *r, const char *closing)
{
	struct bytes rest = from_to(r->at, r->end);
	const size_t n = bytes_find_nocase(rest, closing);
	r->at += n;
	return (struct bytes){rest.at, n};
}

static void take_title(struct html_summary *out, struct bytes text)
{
	text = bytes_trim(text);
	if (text.len >= sizeof out->title)
		text.len = sizeof out->title - 1;
	while (text.len && !bytes_is_utf8(text))
		text.len--;
	bytes_copy_text(text, out->title, sizeof out->title);
}

void html_read(struct bytes page, html_finding_f *found, void *arg, struct html_summary *out)
{
	struct reading reading = {.find = found, .arg = arg, .out = out};
	struct reader r = reader_of_bytes(page);
	struct tag tag;
	*out = (struct html_summary){.base = ""};
	while (r.at < r.end) {
		const uint8_t *open = memchr(r.at, '<', (size_t)(r.end - r.at));
		if (!open)
			return;
		r.at = open + 1;
		if (r.end - r.at >= 3 && !memcmp(r.at, "!--", 3)) {
			read_raw(&r, "-->");
			continue;
		}
		if (!read_tag(&r, &tag) || tag.closing)
			continue;
		if (bytes_equal_nocase(tag.name, "script")) {
			struct bytes src = attribute_of(&tag, "src");
			out->scripts++;
			if (src.len)
				find(&reading, HTML_SCRIPT, src, NULL);
			struct bytes text = read_raw(&r, "</script");
			if (text.len)
				take_script(&reading, text);
		} else if (bytes_equal_nocase(tag.name, "title") && !out->title[0]) {
			take_title(out, read_raw(&r, "</title"));
		} else if (bytes_equal_nocase(tag.name, "style") || bytes_equal_nocase(tag.name, "textarea")) {
			read_raw(&r, bytes_equal_nocase(tag.name, "style") ? "</style" : "</textarea");
		} else {
			take_tag(&reading, &tag);
		}
	}
}

bool html_looks_like(struct bytes b)
{
	static const char *const begins[] = {"<!doctype html", "<html", "<head", "<script", "<iframe", "<h1", "<div", "<font", "<table",
					     "<a ", "<style", "<title", "<b>", "<body", "<br", "<p>", "<!--", "<meta"};
	b = bytes_trim(b);
	if (b.len >= 3 && !memcmp(b.at, "\xef\xbb\xbf", 3))
		b = bytes_trim((struct bytes){b.at + 3, b.len - 3});
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
		const size_t n = strlen(begins[i]);
		if (b.len >= n && !strncasecmp((const char *)b.at, begins[i], n))
			return true;
	}
	return false;
}
