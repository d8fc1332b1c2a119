/*
 * Plain lists: a URL, address, endpoint or name a line, as blocklists have them.  Comments begin with '#', ';' or
 * "//"; a file of hosts ("0.0.0.0 name") names what stands behind its first word.
 */
#include "share/format.h"

static bool is_comment(struct bytes line)
{
	return line.at[0] == '#' || line.at[0] == ';' || bytes_start_with(line, "//");
}

static bool is_nowhere(struct bytes word)
{
	return bytes_equal_text(word, "0.0.0.0") || bytes_equal_text(word, "127.0.0.1") || bytes_equal_text(word, "::1") ||
	       bytes_equal_text(word, "::");
}

static void line(struct intake *in, struct bytes text)
{
	struct bytes rest = bytes_trim(text);
	if (is_comment(rest))
		return;
	struct record like = {.original = rest, .confidence = 80};
	size_t comment = bytes_find(rest, " #");
	rest.len = comment < rest.len ? comment : rest.len;
	struct bytes after = rest, word = bytes_word(&after);
	if (is_nowhere(word))
		rest = bytes_trim(after);
	if (!rest.len || intake_text(in, &like, rest) == 0)
		intake_bad(in, "there is no URL, address or name in it");
}

static const struct format_specimen specimens[] = {
	{"URLs, addresses, names, and a file of hosts",
	 BYTES("# list\nhttp://198.51.100.7:8080/a.sh\n203.0.113.9\r\nbad-name.net # seen\n0.0.0.0 worse-name.org\n\n; end\n"),
	 "url http://198.51.100.7:8080/a.sh\nendpoint 198.51.100.7:8080\naddress 198.51.100.7\naddress 203.0.113.9\n"
	 "domain bad-name.net\ndomain worse-name.org\n"},
	{"what is none", BYTES("hello\n"), "bad there is no URL\n"},
	{0},
};

static const struct format urls = {
	.name = "urls",
	.summary = "a plain list of URLs, addresses or names, also a file of hosts",
	.reference = "as blocklists and URLhaus's text files have them; hosts(5)",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(urls);
