/*
 * Indicators in a piece of text: one pass that stops at '.', ':' and '@', where hosts, URLs and
 * mail addresses have their middle, and grows from there to both sides.
 *
 * What was taken is not taken again: a URL's host is told with the URL.
 */
#include "event/hosts.h"
#include "event/indicator_inner.h"
#include "base/address.h"
#include "base/port.h"

#define SCHEME_MAX 12
#define LOCAL_PART_MAX 64 /* RFC 5321 4.5.3.1.1 */
#define AUTHORITY_MAX (HOST_NAME_MAX_BYTES + 64)
#define FETCHER_REACH 96 /* how far before a URL the program that fetches it is named */
#define CONFIDENCE_LEAST 8 /* what is less sure is noise */
#define BYSTANDER_CONFIDENCE 30

static uint8_t to_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c; }
static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_letter(uint8_t c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }

static bool one_of(uint8_t c, const char *set) { return c && strchr(set, c); }

static struct bytes slice(struct bytes b, size_t from, size_t to)
{
	return (struct bytes){b.at + from, to - from};
}

static void tell(const struct text_look *look, enum indicator_type type, enum indicator_role role, struct bytes value,
		 size_t at, unsigned plausible)
{
	unsigned confidence = look->confidence * plausible / 100;
	if (confidence < CONFIDENCE_LEAST)
		return;
	look->found(look->arg, &(struct indicator){
		.type = type, .role = role, .value = value, .how = look->how, .confidence = confidence,
		.offset = look->offset == UINT64_MAX ? UINT64_MAX : look->offset + at});
}

/* Copies a host in small letters, and ":port" where there is one; bystanders are marked, and believed less. */
static void tell_host(const struct text_look *look, struct bytes host, unsigned port, size_t at, unsigned plausible,
		      enum indicator_role role)
{
	uint8_t room[HOST_NAME_MAX_BYTES + 16];
	struct writer w = writer_of(room, sizeof room);
	struct address a;
	bool address = address_parse(host, &a), v6 = address && !address_is_v4(&a);
	if (port && v6)
		write_u8(&w, '[');
	for (size_t i = 0; i < host.len; i++)
		write_u8(&w, to_lower(host.at[i]));
	if (port && v6)
		write_u8(&w, ']');
	size_t bare = writer_used(&w);
	if (port)
		write_fmt(&w, ":%u", port);
	if (w.bad)
		return;
	if (host_is_bystander(host)) {
		role = FOR_CHECK;
		plausible = plausible * BYSTANDER_CONFIDENCE / 100;
	}
	if (port)
		tell(look, INDICATOR_ENDPOINT, role, writer_bytes(&w), at, plausible);
	if (!v6 || !port)
		tell(look, address ? INDICATOR_ADDRESS : INDICATOR_DOMAIN, role, (struct bytes){room, bare}, at, plausible);
	else
		tell(look, INDICATOR_ADDRESS, role, host, at, plausible);
}

/* ":23" after a host; 0 when there is none. */
static unsigned port_read(struct bytes text, size_t *at)
{
	size_t i = *at + 1;
	unsigned port = 0;
	if (*at >= text.len || text.at[*at] != ':')
		return 0;
	while (i < text.len && is_digit(text.at[i]) && i < *at + 6)
		port = port * 10 + (unsigned)(text.at[i++] - '0');
	if (port < 1 || port > 65535 || (i < text.len && (is_digit(text.at[i]) || is_letter(text.at[i]))))
		return 0;
	*at = i;
	return port;
}

/* RFC 3986's characters, without those that close what a URL is quoted in. */
static bool url_byte(uint8_t c)
{
	return c > 0x20 && c < 0x7f && !one_of(c, "\"'<>`{}|\\^;)");
}

static const struct scheme {
	const char *name;
	uint16_t port;
	enum indicator_role role;
} schemes[] = {
	{"http", 80, FOR_UNKNOWN},  {"https", 443, FOR_UNKNOWN}, {"ftp", 21, FOR_DOWNLOAD}, {"ftps", 990, FOR_DOWNLOAD},
	{"tftp", 69, FOR_DOWNLOAD}, {"sftp", 22, FOR_DOWNLOAD},	 {"ws", 80, FOR_COMMAND},   {"wss", 443, FOR_COMMAND},
	{"irc", 6667, FOR_COMMAND}, {"ircs", 6697, FOR_COMMAND}, {"mqtt", 1883, FOR_COMMAND}, {"tcp", 0, FOR_UNKNOWN},
	{"udp", 0, FOR_UNKNOWN},    {"ldap", 389, FOR_DOWNLOAD}, {"rmi", 1099, FOR_DOWNLOAD}, {"tls", 0, FOR_UNKNOWN},
	{"stratum+tcp", 3333, FOR_REPORT}, {"stratum+ssl", 3333, FOR_REPORT}, {"stratum+tls", 3333, FOR_REPORT},
	{"stratum", 3333, FOR_REPORT}, {"socks5", 1080, FOR_UNKNOWN}, {"telnet", 23, FOR_UNKNOWN},
	{"ssh", 22, FOR_UNKNOWN}, {"smtp", 25, FOR_REPORT}, {"magnet", 0, FOR_UNKNOWN},
};

static const struct scheme *scheme_before(struct bytes text, size_t colon, size_t *start)
{
	size_t at = colon;
	while (at && colon - at < SCHEME_MAX && (is_letter(text.at[at - 1]) || is_digit(text.at[at - 1]) || text.at[at - 1] == '+'))
		at--;
	/* Text glued in front of a scheme is no part of it: the longest known ending is taken. */
	for (; at < colon; at++)
		for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
			if (bytes_equal_nocase(slice(text, at, colon), schemes[i].name)) {
				*start = at;
				return &schemes[i];
			}
	return NULL;
}

/* What stands before a URL says what it is for; so does what it names. */
static enum indicator_role url_role(const struct text_look *look, size_t start, struct bytes url, enum indicator_role usual)
{
	static const char *const fetchers[] = {"wget", "curl", "tftp", "ftpget", "lwp-download", "fetch ", "certutil",
					       "DownloadFile", "DownloadString", "iwr ", "bitsadmin", "mshta", NULL};
	static const char *const endings[] = {".sh", ".mips", ".mpsl", ".arm", ".arm5", ".arm6", ".arm7", ".x86",
					      ".x86_64", ".i586", ".i686", ".ppc", ".sh4", ".m68k", ".spc", ".exe",
					      ".dll", ".apk", ".bin", ".elf", ".ps1", ".jar", ".hta", ".msi", ".vbs", NULL};
	struct bytes text = look->text;
	size_t from = start > look->url_end + FETCHER_REACH ? start - FETCHER_REACH : look->url_end;
	for (size_t i = start; i > from; i--)
		if (text.at[i - 1] == '\n') {
			from = i;
			break;
		}
	struct bytes before = slice(text, from, start);
	for (const char *const *word = fetchers; *word; word++)
		if (bytes_find_nocase(before, *word) < before.len)
			return FOR_DOWNLOAD;
	for (const char *const *word = endings; *word; word++) {
		size_t n = strlen(*word);
		if (url.len > n && bytes_equal_nocase(slice(url, url.len - n, url.len), *word))
			return FOR_DOWNLOAD;
	}
	return usual;
}

struct url_parts {
	struct bytes host;
	unsigned port;
	size_t path; /* where it begins */
	bool v6;
};

static bool url_split(struct bytes text, size_t at, size_t end, struct url_parts *p)
{
	for (size_t i = at; i < end && text.at[i] != '/' && url_byte(text.at[i]); i++)
		if (text.at[i] == '@')
			at = i + 1;
	size_t stop = at;
	p->v6 = at < end && text.at[at] == '[';
	if (p->v6) {
		while (stop < end && text.at[stop] != ']')
			stop++;
		if (stop == end)
			return false;
		p->host = slice(text, at + 1, stop++);
	} else {
		while (stop < end && host_byte(text.at[stop]))
			stop++;
		p->host = slice(text, at, stop);
	}
	size_t before = stop;
	p->port = port_read(slice(text, 0, end), &stop);
	if (!p->port && before < end && text.at[before] == ':')
		return false; /* a port that is filled in later: "http://%s:%d" */
	p->path = stop;
	return p->host.len > 0 && p->host.len <= HOST_NAME_MAX_BYTES;
}

static void tell_url(const struct text_look *look, const struct scheme *scheme, const struct url_parts *p, size_t start,
		     size_t end, unsigned sure)
{
	unsigned plausible = sure;
	uint8_t room[INDICATOR_VALUE_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_text(&w, scheme->name);
	write_text(&w, p->v6 ? "://[" : "://");
	for (size_t i = 0; i < p->host.len; i++)
		write_u8(&w, to_lower(p->host.at[i]));
	if (p->v6)
		write_u8(&w, ']');
	if (p->port && p->port != scheme->port)
		write_fmt(&w, ":%u", p->port);
	if (end > p->path && look->text.at[p->path] != '/')
		end = p->path; /* text that goes on right behind the authority */
	write_span(&w, slice(look->text, p->path, end));
	if (w.bad)
		return;
	/* "http://…/%s" and "http://…/$a" are what URLs are made from, none themselves. */
	struct bytes path = slice(look->text, p->path, end);
	if (memchr(path.at, '$', path.len) || bytes_find(path, "%s") < path.len || bytes_find(path, "%d") < path.len)
		plausible /= 3;
	bool bystander = host_is_bystander(p->host);
	enum indicator_role role = bystander ? FOR_CHECK
					     : url_role(look, start, writer_bytes(&w), scheme->role);
	tell(look, INDICATOR_URL, role, writer_bytes(&w), start, bystander ? BYSTANDER_CONFIDENCE : plausible);
	tell_host(look, p->host, p->port && p->port != scheme->port ? p->port : 0,
		  (size_t)(p->host.at - look->text.at), sure, role);
}

static unsigned url_plausible(const struct url_parts *p)
{
	struct address a;
	if (p->v6)
		return address_parse(p->host, &a) ? 100 : 0;
	unsigned plausible = address_parse(p->host, &a) ? address_plausible(p->host) : name_plausible(p->host);
	/* A scheme before it leaves little doubt. */
	return plausible < 60 ? plausible : 100;
}

/* The URL's end: what a sentence adds to it is not part of it. */
static size_t url_end(struct bytes text, size_t path)
{
	size_t end = path;
	while (end < text.len && end - path < INDICATOR_VALUE_MAX / 2 && url_byte(text.at[end]))
		end++;
	while (end > path && one_of(text.at[end - 1], ".,!?]"))
		end--;
	return end;
}

/* At the ':' of "://"; how far it went, or 0 when it is no URL. */
static size_t url_look(const struct text_look *look, size_t colon)
{
	struct bytes text = look->text;
	size_t start, near = colon + 3 + AUTHORITY_MAX;
	struct url_parts parts;
	const struct scheme *scheme = scheme_before(text, colon, &start);
	if (!scheme || !url_split(text, colon + 3, near < text.len ? near : text.len, &parts))
		return 0;
	unsigned plausible = url_plausible(&parts);
	if (!plausible)
		return 0;
	size_t end = url_end(text, parts.path);
	tell_url(look, scheme, &parts, start, end, plausible);
	return end;
}

/* "user@host": the part before is what RFC 5321 calls an atom with dots. */
static bool mail_look(const struct text_look *look, size_t host, size_t end, unsigned plausible)
{
	struct bytes text = look->text;
	size_t at = host - 1;
	while (at > look->done && host - at <= LOCAL_PART_MAX &&
	       (is_letter(text.at[at - 1]) || is_digit(text.at[at - 1]) || one_of(text.at[at - 1], "._%+-")))
		at--;
	if (at == host - 1)
		return false;
	tell(look, INDICATOR_MAIL, FOR_UNKNOWN, slice(text, at, end), at, plausible);
	return true;
}

/* At a '.': the word around it is an address, a name, or neither.  Returns its end. */
static size_t host_look(const struct text_look *look, size_t dot)
{
	struct bytes text = look->text;
	size_t start = dot, end = dot + 1;
	while (start > look->done && dot - start < HOST_NAME_MAX_BYTES && host_byte(text.at[start - 1]))
		start--;
	while (end < text.len && end - start <= HOST_NAME_MAX_BYTES && host_byte(text.at[end]))
		end++;
	size_t whole = end;
	while (end > start && (text.at[end - 1] == '.' || text.at[end - 1] == '-'))
		end--;
	while (start < end && (text.at[start] == '-' || text.at[start] == '.'))
		start++;
	struct bytes host = slice(text, start, end);
	unsigned plausible = address_plausible(host);
	bool address = plausible > 0;
	if (!address)
		plausible = name_plausible(host);
	if (!plausible)
		return whole;
	/* "/usr/lib/x.so", "v1.2.3.4", "foo(bar.in)", "%s.example.org": parts of something else. */
	uint8_t before = start ? text.at[start - 1] : ' ', after = end < text.len ? text.at[end] : ' ';
	if (before == '@' && !address && mail_look(look, start, end, plausible))
		return whole;
	/* A dot in front of it is that of a section's name or a hidden file's. */
	if (start && text.at[start - 1] == '.')
		plausible /= 4;
	if (before == '/' || before == '\\' || before == '%' || before == '$')
		plausible /= address ? 2 : 4;
	if (after == '(' || after == '=' || (address && (after == '%' || after == '/')))
		plausible /= 3;
	size_t stop = end;
	unsigned port = end == whole ? port_read(text, &stop) : 0;
	tell_host(look, host, port, start, plausible, FOR_UNKNOWN);
	return stop > whole ? stop : whole;
}

/* At a ':' within "2001:db8::7" or "[2001:db8::7]:23". */
static size_t v6_look(const struct text_look *look, size_t colon)
{
	struct bytes text = look->text;
	size_t start = colon, end = colon;
	while (start > look->done && colon - start < 5 && one_of(text.at[start - 1], "0123456789abcdefABCDEF"))
		start--;
	while (end < text.len && end - start < 46 && one_of(text.at[end], "0123456789abcdefABCDEF:."))
		end++;
	struct address a;
	struct bytes host = slice(text, start, end);
	/* Global addresses begin with four digits; clocks and hardware addresses do not parse. */
	if (colon - start != 4 || !address_parse(host, &a) || address_is_v4(&a) || (a.b[0] & 0xe0) != 0x20)
		return 0;
	if (start && (host_byte(text.at[start - 1]) || text.at[start - 1] == ':'))
		return 0;
	size_t stop = end;
	unsigned port = 0;
	if (start && text.at[start - 1] == '[' && end < text.len && text.at[end] == ']') {
		stop = end + 1;
		port = port_read(text, &stop);
	}
	char canonical[ADDRESS_TEXT_MAX];
	tell_host(look, bytes_of_text(address_format(&a, canonical)), port, start, 90, FOR_UNKNOWN);
	return stop;
}

void indicators_find(struct bytes text, uint64_t offset, const char *how, unsigned confidence, indicator_found_f *found,
		     void *arg)
{
	struct text_look look = {.found = found, .arg = arg, .text = text, .offset = offset, .how = how, .confidence = confidence};
	for (size_t i = 0; i < text.len;) {
		size_t went = 0;
		if (text.at[i] == '.' && i > look.done && i + 1 < text.len)
			went = host_look(&look, i);
		else if (text.at[i] == ':' && text.len - i > 4 && text.at[i + 1] == '/' && text.at[i + 2] == '/')
			went = url_look(&look, i);
		else if (text.at[i] == ':' && i >= look.done + 4)
			went = v6_look(&look, i);
		if (went > i) {
			if (text.at[i] == ':')
				look.url_end = went;
			look.done = i = went;
			continue;
		}
		i++;
	}
	indicator_words_look(&look);
}
