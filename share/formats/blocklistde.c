/*
 * blocklist.de: addresses that attacked those who report there, one a line, in a file for each service.
 */
#include "share/reading/named_inner.h"

#define REPORTED_CONFIDENCE 70

static void line(struct intake *in, struct bytes text)
{
	struct record r = {.confidence = REPORTED_CONFIDENCE, .original = text, .labels = BYTES("malicious")};
	struct bytes rest = text, word = bytes_word(&rest);
	if (text.at[0] == '#')
		return;
	const char *wrong = named_set(in, &r, NAMED_ADDRESS, word);
	if (wrong)
		intake_bad(in, "\"%.*s\" %s", (int)(word.len < 60 ? word.len : 60), (const char *)word.at, wrong);
	else
		intake_record(in, &r);
}

static const struct format_specimen specimens[] = {
	{"addresses of both families, and a word",
	 BYTES("# ssh\n198.51.100.1\n2001:DB8::1\r\n198.51.100.300\n"),
	 "address 198.51.100.1\n"
	 "  labels malicious\n"
	 "address 2001:db8::1\n"
	 "bad \"198.51.100.300\" is no address\n"},
	{0},
};

static const struct format blocklistde = {
	.name = "blocklistde",
	.summary = "addresses that attacked the reporters of blocklist.de",
	.reference = "blocklist.de's lists, one address a line",
	.shape = FORMAT_LINES,
	.line = line,
	.specimens = specimens,
};
FORMAT(blocklistde);
