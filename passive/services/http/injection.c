/* Finding shell commands and what they fetch. */
#include "passive/services/http/injection.h"
#include "passive/services/http/form.h"

static bool is_word(uint8_t c)
{
	uint8_t low = c | 0x20;
	return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '/' || c == '-';
}

static bool ends_url(uint8_t c)
{
	return c <= ' ' || c >= 0x7f || memchr("'\"`;|&<>(){}\\,", c, 15);
}

/* Ways to write a blank without one. */
static const char *const blanks[] = {"${IFS}", "$IFS$9", "$IFS", "$9", "{IFS}"};

static void write_unblanked(struct bytes text, struct writer *w)
{
	while (text.len) {
		size_t n = 0;
		for (size_t i = 0; n == 0 && i < sizeof blanks / sizeof *blanks; i++)
			if (bytes_start_with(text, blanks[i]))
				n = strlen(blanks[i]);
		write_u8(w, n ? ' ' : text.at[0]);
		n = n ? n : 1;
		text.at += n;
		text.len -= n;
	}
}

void injection_unwrap(struct bytes raw, struct writer *out)
{
	uint8_t once[INJECTION_MAX], twice[INJECTION_MAX];
	struct writer a = writer_of(once, sizeof once), b = writer_of(twice, sizeof twice);
	raw.len = raw.len < INJECTION_MAX ? raw.len : INJECTION_MAX;
	form_decode(raw, &a);
	struct bytes text = writer_bytes(&a);
	if (bytes_find(text, "%2") < text.len || bytes_find(text, "%7") < text.len) {
		form_decode(text, &b);
		text = writer_bytes(&b);
	}
	write_unblanked(text, out);
}

/* Programs that attackers name; alone they are words, behind a shell's sign they are commands. */
static const char *const programs[] = {
	"wget",   "curl",     "tftp",    "ftpget",   "busybox",  "sh",       "bash",
	"chmod",  "rm",       "cd",      "cat",      "echo",     "id",       "uname",
	"ping",   "nc",       "sleep",   "cp",       "mv",       "kill",     "ls",
	"ps",     "mkdir",    "perl",    "php",      "python",   "reboot",   "touch",
	"dd",     "nslookup", "telnetd", "utelnetd", "iptables", "ifconfig", "printf",
	"export", "ash",      "killall", "pkill",    "whoami",   "ulimit",
};

/* The word at the start of text, without the folders in front of it. */
static struct bytes program_at(struct bytes text)
{
	size_t n = 0, base = 0;
	for (; n < text.len && is_word(text.at[n]); n++)
		if (text.at[n] == '/')
			base = n + 1;
	return (struct bytes){text.at + base, n - base};
}

static bool starts_command(struct bytes text)
{
	while (text.len && (text.at[0] == ' ' || text.at[0] == '"' || text.at[0] == '(')) {
		text.at++;
		text.len--;
	}
	struct bytes program = program_at(text);
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		if (bytes_equal_text(program, programs[i]))
			return true;
	return false;
}

/* Length of a shell's sign that begins another command here, else 0. */
static size_t sign_at(struct bytes text)
{
	if (bytes_start_with(text, "&&") || bytes_start_with(text, "||") ||
	    bytes_start_with(text, "$("))
		return 2;
	return memchr(";|`&\n=?", text.at[0], 7) ? 1 : 0;
}

/* A lone "=" or "?" is no sign of a shell: only a program with arguments after it counts. */
static bool convinces(struct bytes text, size_t sign, struct bytes after)
{
	if (text.at[0] != '=' && text.at[0] != '?' && (text.at[0] != '&' || sign == 2))
		return true;
	struct bytes program = program_at(after);
	size_t n = (size_t)(program.at - after.at) + program.len;
	return n < after.len && after.at[n] == ' ';
}

static bool find_start(struct bytes text, size_t *start)
{
	for (size_t i = 0; i < text.len; i++) {
		struct bytes here = {text.at + i, text.len - i};
		size_t sign = sign_at(here);
		struct bytes after = {here.at + sign, here.len - sign};
		if (sign && starts_command(after) && convinces(here, sign, after)) {
			*start = i + (here.at[0] == '=' || here.at[0] == '?');
			return true;
		}
	}
	return false;
}

static bool take_word(struct bytes *rest, struct bytes *word)
{
	while (rest->len && (rest->at[0] == ' ' || rest->at[0] == '"' || rest->at[0] == '\''))
		rest->at++, rest->len--;
	size_t n = 0;
	while (n < rest->len && !ends_url(rest->at[n]))
		n++;
	*word = (struct bytes){rest->at, n};
	rest->at += n;
	rest->len -= n;
	return n > 0;
}

static struct bytes last_of_path(struct bytes url)
{
	size_t at = url.len;
	while (at && url.at[at - 1] != '/')
		at--;
	return (struct bytes){url.at + at, url.len - at};
}

static void add_fetch(struct injection *x, struct bytes url, struct bytes name, const char *how)
{
	for (size_t i = 0; i < x->count; i++)
		if (bytes_equal(x->fetches[i].url, url))
			return;
	if (url.len && x->count < INJECTION_FETCHES_MAX)
		x->fetches[x->count++] = (struct fetch){url, name, how};
}

static struct bytes make_url(struct writer *made, const char *scheme, struct bytes host,
			     struct bytes file)
{
	size_t before = writer_used(made);
	write_text(made, scheme);
	write_span(made, host);
	if (file.len == 0 || file.at[0] != '/')
		write_text(made, "/");
	write_span(made, file);
	return made->bad ? (struct bytes){0}
			 : (struct bytes){made->start + before, writer_used(made) - before};
}

/* tftp -g -r FILE -l NAME HOST, or tftp HOST -c get FILE, in any order (BusyBox, netkit). */
static void add_tftp(struct injection *x, struct bytes rest, struct writer *made)
{
	struct bytes word, host = {0}, file = {0}, *slot = NULL, ignored;
	while (take_word(&rest, &word)) {
		if (bytes_equal_text(word, "-r") || bytes_equal_text(word, "get"))
			slot = &file;
		else if (bytes_equal_text(word, "-l") || bytes_equal_text(word, "-c"))
			slot = bytes_equal_text(word, "-l") ? &ignored : NULL;
		else if (slot) {
			*slot = word;
			slot = NULL;
		} else if (word.at[0] != '-' && host.len == 0)
			host = word;
	}
	if (host.len && file.len)
		add_fetch(x, make_url(made, "tftp://", host, file), last_of_path(file), "tftp");
}

/* ftpget [-u USER] [-p PASSWORD] [-P PORT] HOST LOCAL [REMOTE] */
static void add_ftpget(struct injection *x, struct bytes rest, struct writer *made)
{
	struct bytes word, words[3] = {{0}};
	size_t n = 0;
	while (n < 3 && take_word(&rest, &word)) {
		if (word.at[0] != '-')
			words[n++] = word;
		else if (word.len == 2 && memchr("upP", word.at[1], 3))
			take_word(&rest, &word);
	}
	if (n >= 2)
		add_fetch(x, make_url(made, "ftp://", words[0], n > 2 ? words[2] : words[1]),
			  words[1], "ftpget");
}

/* wget and curl: the first word that is no option and no option's value. */
static void add_web(struct injection *x, struct bytes rest, const char *how)
{
	struct bytes word;
	while (take_word(&rest, &word)) {
		bool option = word.at[0] == '-';
		if (option && word.len == 2 && memchr("OPToUAHTt", word.at[1], 9)) {
			take_word(&rest, &word);
		} else if (!option) {
			add_fetch(x, word, last_of_path(word), how);
			return;
		}
	}
}

static void add_program(struct injection *x, struct bytes program, struct bytes rest,
			struct writer *made)
{
	if (bytes_equal_text(program, "wget"))
		add_web(x, rest, "wget");
	else if (bytes_equal_text(program, "curl"))
		add_web(x, rest, "curl");
	else if (bytes_equal_text(program, "tftp"))
		add_tftp(x, rest, made);
	else if (bytes_equal_text(program, "ftpget"))
		add_ftpget(x, rest, made);
}

static const char *const schemes[] = {"http://", "https://", "ftp://", "tftp://"};

static void add_urls(struct injection *x, struct bytes text)
{
	for (size_t s = 0; s < sizeof schemes / sizeof *schemes; s++) {
		struct bytes rest = text;
		for (size_t at; (at = bytes_find_nocase(rest, schemes[s])) < rest.len;) {
			bool inside = at && is_word(rest.at[at - 1]) &&
				      rest.at[at - 1] != '/'; /* tftp:// holds ftp:// */
			size_t n = at;
			while (n < rest.len && !ends_url(rest.at[n]))
				n++;
			struct bytes url = {rest.at + at, n - at};
			if (!inside && url.len > strlen(schemes[s]))
				add_fetch(x, url, last_of_path(url), "url");
			rest.at += n;
			rest.len -= n;
		}
	}
}

bool injection_find(struct bytes text, struct writer *made, struct injection *x)
{
	*x = (struct injection){0};
	if (!find_start(text, &x->start))
		return false;
	struct bytes rest = {text.at + x->start, text.len - x->start};
	for (size_t i = 0; i < rest.len;) {
		struct bytes here = {rest.at + i, rest.len - i};
		struct bytes program = program_at(here);
		size_t step = (size_t)(program.at - here.at) + program.len;
		if (program.len)
			add_program(x, program, (struct bytes){here.at + step, here.len - step},
				    made);
		i += step ? step : 1;
	}
	add_urls(x, rest);
	return true;
}
