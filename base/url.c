#include "base/url.h"
#include <ctype.h>

#define PORT_HTTP 80
#define PORT_HTTPS 443

static bool is_slash(uint8_t c) { return c == '/' || c == '\\'; }

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One part of a number spelled with dots: 10, 012, 0xa.  An empty one after 0x is 0. */
static bool part_read(struct bytes b, uint64_t *out)
{
	unsigned base = 10;
	uint64_t value = 0;
	if (b.len >= 2 && b.at[0] == '0' && (b.at[1] | 0x20) == 'x') {
		base = 16;
		b = (struct bytes){b.at + 2, b.len - 2};
	} else if (b.len >= 2 && b.at[0] == '0') {
		base = 8;
	}
	for (size_t i = 0; i < b.len; i++) {
		int digit = hex_digit(b.at[i]);
		if (digit < 0 || (unsigned)digit >= base)
			return false;
		value = value * base + (unsigned)digit;
		if (value > UINT32_MAX)
			return false;
	}
	*out = value;
	return true;
}

static struct bytes last_label(struct bytes host)
{
	if (host.len && host.at[host.len - 1] == '.')
		host.len--;
	size_t i = host.len;
	while (i && host.at[i - 1] != '.')
		i--;
	return (struct bytes){host.at + i, host.len - i};
}

static bool ends_in_number(struct bytes host)
{
	const struct bytes last = last_label(host);
	const bool hex = last.len >= 2 && last.at[0] == '0' && (last.at[1] | 0x20) == 'x';
	bool number = last.len > 0;
	for (size_t i = hex ? 2 : 0; i < last.len; i++)
		number &= hex ? hex_digit(last.at[i]) >= 0 : isdigit(last.at[i]) != 0;
	return number;
}

/* The IPv4 parser of the URL Standard: one to four parts, of which the last fills what is left. */
static bool number_read(struct bytes host, struct address *out)
{
	uint64_t parts[4], value = 0;
	size_t count = 0;
	if (host.len && host.at[host.len - 1] == '.')
		host.len--;
	while (host.len || !count) {
		const uint8_t *dot = host.len ? memchr(host.at, '.', host.len) : NULL;
		const size_t len = dot ? (size_t)(dot - host.at) : host.len;
		if (count == 4 || !len || !part_read((struct bytes){host.at, len}, &parts[count]))
			return false;
		count++;
		if (!dot)
			break;
		host = (struct bytes){dot + 1, host.len - len - 1};
	}
	for (size_t i = 0; i + 1 < count; i++) {
		if (parts[i] > 255)
			return false;
		value |= parts[i] << 8 * (3 - i);
	}
	if (parts[count - 1] >= (uint64_t)1 << 8 * (5 - count))
		return false;
	*out = address_v4((uint32_t)(value | parts[count - 1]));
	return true;
}

static bool may_stand_in_host(uint8_t c)
{
	return c > ' ' && c < 0x7f && !strchr("#%/:<>?@[\\]^|\"`{}", c);
}

/* Lower case, %xx decoded, an end that may be a dot. */
static int host_decode(struct bytes text, char host[URL_HOST_MAX + 1], size_t *len)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];
		if (c == '%' && i + 2 < text.len && hex_digit(text.at[i + 1]) >= 0 && hex_digit(text.at[i + 2]) >= 0) {
			c = (uint8_t)(hex_digit(text.at[i + 1]) << 4 | hex_digit(text.at[i + 2]));
			i += 2;
		}
		if (!may_stand_in_host(c) || n == URL_HOST_MAX)
			return ERR_BAD;
		host[n++] = (char)tolower(c);
	}
	host[n] = '\0';
	*len = n;
	return n ? 0 : ERR_BAD;
}

int url_host(struct bytes text, char host[URL_HOST_MAX + 1], bool *numeric, struct address *address)
{
	char decoded[URL_HOST_MAX + 1];
	struct address found = {0};
	bool number = false;
	size_t len;
	if (text.len > 2 && text.at[0] == '[' && text.at[text.len - 1] == ']') {
		const struct bytes inner = {text.at + 1, text.len - 2};
		if (!memchr(inner.at, ':', inner.len) || !address_parse(inner, &found))
			return ERR_BAD;
		number = true;
	} else {
		if (host_decode(text, decoded, &len))
			return ERR_BAD;
		const struct bytes name = {(const uint8_t *)decoded, len};
		number = ends_in_number(name);
		if (number && !number_read(name, &found))
			return ERR_BAD;
	}
	if (number) {
		char canonical[ADDRESS_TEXT_MAX];
		snprintf(host, URL_HOST_MAX + 1, "%s", address_format(&found, canonical));
	} else {
		memcpy(host, decoded, len + 1);
	}
	*numeric = number;
	*address = found;
	return 0;
}

/* HOST[:PORT] behind the last `@`. */
static int authority_read(struct bytes text, struct url *out)
{
	uint64_t port;
	for (size_t i = text.len; i > 0; i--)
		if (text.at[i - 1] == '@') {
			text = (struct bytes){text.at + i, text.len - i};
			break;
		}
	size_t colon = text.len;
	for (size_t i = text.len; i > 0 && text.at[i - 1] != ']'; i--)
		if (text.at[i - 1] == ':') {
			colon = i - 1;
			break;
		}
	out->port = out->secure ? PORT_HTTPS : PORT_HTTP;
	if (colon + 1 < text.len) {
		if (!bytes_number((struct bytes){text.at + colon + 1, text.len - colon - 1}, UINT16_MAX, &port) || !port)
			return ERR_BAD;
		out->port = (uint16_t)port;
	}
	return url_host((struct bytes){text.at, colon}, out->host, &out->numeric, &out->address);
}

static void write_encoded(struct writer *w, uint8_t c, const char *special)
{
	if (c <= ' ' || c >= 0x7f || strchr(special, c))
		write_fmt(w, "%%%02X", c);
	else
		write_u8(w, c);
}

static bool is_dot(struct bytes s, bool twice)
{
	static const char *const one[] = {".", "%2e"}, *const two[] = {"..", ".%2e", "%2e.", "%2e%2e"};
	for (size_t i = 0; i < (twice ? 4 : 2); i++)
		if (bytes_equal_nocase(s, twice ? two[i] : one[i]))
			return true;
	return false;
}

/* Appends segments to what stands in w, which begins with a slash and ends behind one. */
static void path_append(struct writer *w, struct bytes path)
{
	while (path.len || writer_used(w) == 0) {
		size_t len = 0;
		while (len < path.len && !is_slash(path.at[len]))
			len++;
		const struct bytes segment = {path.at, len};
		const bool last = len == path.len;
		if (is_dot(segment, true)) {
			if (w->at - 1 > w->start)
				w->at--;
			while (w->at > w->start && w->at[-1] != '/')
				w->at--;
		} else if (!is_dot(segment, false)) {
			for (size_t i = 0; i < len; i++)
				write_encoded(w, segment.at[i], "\"#<>?`{}");
			if (!last)
				write_u8(w, '/');
		}
		path = last ? (struct bytes){0} : (struct bytes){path.at + len + 1, path.len - len - 1};
	}
}

/* The path and the query of `text`; a relative path goes on from the base's folder. */
static int path_read(struct bytes text, const struct url *base, struct url *out)
{
	struct writer w = writer_of(out->path, sizeof out->path - 1);
	size_t question = 0;
	while (question < text.len && text.at[question] != '?')
		question++;
	struct bytes path = {text.at, question};
	const size_t base_path = base ? strcspn(base->path, "?") : 0;
	write_u8(&w, '/');
	if (path.len && is_slash(path.at[0])) {
		path_append(&w, (struct bytes){path.at + 1, path.len - 1});
	} else if (base && !path.len) {
		w.at = w.start;
		write_bytes(&w, base->path, question < text.len ? base_path : strlen(base->path));
	} else {
		size_t folder = base_path;
		while (folder > 1 && base->path[folder - 1] != '/')
			folder--;
		if (folder > 1)
			write_bytes(&w, base->path + 1, folder - 1);
		path_append(&w, path);
	}
	for (size_t i = question; i < text.len; i++)
		write_encoded(&w, text.at[i], "\"#<>'");
	if (w.bad)
		return ERR_FULL;
	*w.at = '\0';
	return 0;
}

/* The length of SCHEME, without the colon; 0: there is none. */
static size_t scheme_length(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == ':')
			return i;
		if (!(isalpha(text.at[i]) || (i && (isdigit(text.at[i]) || strchr("+-.", text.at[i])))))
			return 0;
	}
	return 0;
}

/* Behind the scheme and its colon; without slashes and with a base of that scheme it is relative. */
static int rest_read(struct bytes text, const struct url *base, struct url *out)
{
	size_t slashes = 0, end;
	while (slashes < text.len && is_slash(text.at[slashes]))
		slashes++;
	if (base && base->secure == out->secure && slashes < 2) {
		*out = *base;
		return path_read(text, base, out);
	}
	text = (struct bytes){text.at + slashes, text.len - slashes};
	for (end = 0; end < text.len && !is_slash(text.at[end]) && text.at[end] != '?'; end++)
		;
	int bad = authority_read((struct bytes){text.at, end}, out);
	return bad ? bad : path_read((struct bytes){text.at + end, text.len - end}, NULL, out);
}

static int clean_read(struct bytes text, const struct url *base, struct url *out)
{
	const uint8_t *fragment = text.len ? memchr(text.at, '#', text.len) : NULL;
	if (fragment)
		text.len = (size_t)(fragment - text.at);
	const size_t scheme = scheme_length(text);
	const struct bytes name = {text.at, scheme};
	if (scheme) {
		out->secure = bytes_equal_nocase(name, "https");
		if (!out->secure && !bytes_equal_nocase(name, "http"))
			return ERR_MISSING;
		return rest_read((struct bytes){text.at + scheme + 1, text.len - scheme - 1}, base, out);
	}
	if (!base)
		return ERR_BAD;
	out->secure = base->secure;
	if (text.len >= 2 && is_slash(text.at[0]) && is_slash(text.at[1]))
		return rest_read(text, NULL, out);
	*out = *base;
	return path_read(text, base, out);
}

int url_parse(struct bytes text, const struct url *base, struct url *out)
{
	uint8_t clean[URL_TEXT_MAX];
	struct writer w = writer_of(clean, sizeof clean);
	struct url url = {0};
	while (text.len && text.at[0] <= ' ')
		text = (struct bytes){text.at + 1, text.len - 1};
	while (text.len && text.at[text.len - 1] <= ' ')
		text.len--;
	for (size_t i = 0; i < text.len; i++)
		if (!strchr("\t\r\n", text.at[i]) || !text.at[i])
			write_u8(&w, text.at[i]);
	if (w.bad)
		return ERR_FULL;
	int bad = clean_read(writer_bytes(&w), base, &url);
	if (!bad)
		*out = url;
	return bad;
}

void url_write(const struct url *u, struct writer *w)
{
	const bool six = u->numeric && !address_is_v4(&u->address);
	write_fmt(w, "http%s://%s%s%s", u->secure ? "s" : "", six ? "[" : "", u->host, six ? "]" : "");
	if (u->port != (u->secure ? PORT_HTTPS : PORT_HTTP))
		write_fmt(w, ":%u", u->port);
	write_text(w, u->path);
}

char *url_format(const struct url *u, char text[URL_TEXT_MAX])
{
	struct writer w = writer_of(text, URL_TEXT_MAX - 1);
	url_write(u, &w);
	*w.at = '\0';
	return text;
}

struct bytes url_find(struct bytes text)
{
	size_t at = bytes_find_nocase(text, "http://");
	const size_t secure = bytes_find_nocase(text, "https://");
	at = secure < at ? secure : at;
	size_t end = at;
	while (end < text.len && text.at[end] > ' ' && text.at[end] < 0x7f && !strchr("\"'<>`;|)(,", text.at[end]))
		end++;
	return at < end ? (struct bytes){text.at + at, end - at} : (struct bytes){0};
}
