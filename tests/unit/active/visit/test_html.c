/* What a page leads to, in the ways in which pages say it. */
#include "active/visit/html_inner.h"
#include "tests/test.h"

static char found[4096];
static struct html_summary summary;

static void on_finding(void *arg, const struct html_finding *f)
{
	(void)arg;
	const size_t n = strlen(found);
	snprintf(found + n, sizeof found - n, "%s%s%s %.*s\n", html_kind_name(f->kind), f->hidden ? " hidden" : "",
		 f->download ? " download" : "", (int)f->url.len, (const char *)f->url.at);
}

static const char *findings(const char *page)
{
	found[0] = '\0';
	html_read(bytes_of_text(page), on_finding, NULL, &summary);
	return found;
}

TEST(html_leads_on)
{
	static const struct {
		const char *page, *expected;
	} cases[] = {
		{"<meta http-equiv=refresh content='3;url=http://a/'>", "meta http://a/\n"},
		{"<META HTTP-EQUIV=\"Refresh\" CONTENT=\"0; URL='/x y'\">", "meta /x y\n"},
		{"<meta http-equiv=refresh content=5>", ""},
		{"<script>top.location = 'http://b/';</script>", "script http://b/\n"},
		{"<script>window.location.replace(\"c\")</script>", "script c\n"},
		{"<script>location.href='d'</SCRIPT><a href=e>", "script d\nlink e\n"},
		{"<script>if (location == x) y('no')</script>", ""},
		{"<!-- <iframe src=no> --><iframe src=yes>", "frame yes\n"},
		{"<iframe src='a&amp;b&#x3d;c' width='1px'>", "frame hidden a&b=c\n"},
		{"<iframe style=\"display: none\" src=h></iframe>", "frame hidden h\n"},
		{"<a href=x.EXE?y>", "link download x.EXE?y\n"},
		{"<a download href=x>", "link download x\n"},
		{"<script src=s.js></script><object data=o><embed src=m>", "script-file s.js\nframe o\nframe m\n"},
		{"<form action=/login><input type=PASSWORD>", "form /login\n"},
		{"<title><a href=no></title><textarea><a href=no></textarea>", ""},
		{"<a href=x", ""},
		{"<a =x href=y>", "link y\n"},
		{"<<<a\nhref\t=\t\"z\"\n/>", "link z\n"},
		{"<script>unclosed", ""},
		{"a < b", ""},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = findings(cases[i].page);
		CHECK_SAY(!strcmp(got, cases[i].expected), "%s: %s", cases[i].page, got);
	}
}

TEST(html_is_summed_up)
{
	findings("<title>\n A &\xc3\xa9\xff </title><base href=http://x/><form><input type=password>"
		 "<script>eval(unescape('%61'));document.write(String.fromCharCode(65))</script><script src=x></script>");
	CHECK(summary.scripts == 2 && summary.inline_scripts == 1 && summary.evals == 1 && summary.unescapes == 1);
	CHECK(summary.writes == 1 && summary.char_codes == 1 && summary.passwords == 1 && summary.forms == 1);
	CHECK(!strcmp(summary.base, "http://x/") && !strncmp(summary.title, "A &\xc3\xa9", 5));
	CHECK(bytes_is_utf8(bytes_of_text(summary.title)));
}

TEST(html_is_told_by_how_it_begins)
{
	CHECK(html_looks_like(BYTES("\xef\xbb\xbf <!DOCTYPE html>")) && html_looks_like(BYTES("  <HTML>")));
	CHECK(!html_looks_like(BYTES("#!/bin/sh\n<html>")) && !html_looks_like(BYTES("\x7f""ELF")) && !html_looks_like(BYTES("")));
}
