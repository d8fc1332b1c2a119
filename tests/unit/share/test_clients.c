/* Clients of others' services: where they may go, what servers answer, what is signed. */
#include "event/event.h"
#include "share/asking/client_inner.h"
#include "share/clients/answers_inner.h"
#include "share/exchange_inner.h"
#include "share/reading/hpfeeds_inner.h"
#include "share/exporting/publication_inner.h"
#include "tests/test.h"
#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define DSHIELD_PROOF "lK+i/YmJY/HvhEM+ogCu/MXO6qJQNZQb+UJFKdzrkrA="

static const struct option_pair pairs[] = {{"download", BYTES("https://dl.example.org/reports/"), 0}, {"reports", BYTES("a, b"), 0}};
static const struct option_list options = {(void *)(uintptr_t)pairs, 2};
static const struct client_about about = {.source = "s", .url = "https://api.example.org/v2/feed?x=1", .options = &options, .directory = -1};

static bool leads(const char *reference, const char *expected)
{
	char url[CLIENT_URL_MAX] = "";
	struct fault fault = {0};
	int bad = client_resolve(&about, reference, url, &fault);
	if (expected ? bad != 0 || strcmp(url, expected) : bad != ERR_DENIED)
		print_error("%s leads to %s (%d, %s)\n", reference ? reference : "nothing", url, bad, fault.text);
	return expected ? !bad && !strcmp(url, expected) : bad == ERR_DENIED && fault.text[0];
}

TEST(clients_go_where_the_configuration_says_and_nowhere_else)
{
	CHECK(leads(NULL, "https://api.example.org/v2/feed?x=1"));
	CHECK(leads("manifest.json", "https://api.example.org/v2/feed/manifest.json"));
	CHECK(leads("reports/list", "https://api.example.org/v2/feed/reports/list"));
	CHECK(leads("/other?y=2", "https://api.example.org/other?y=2"));
	CHECK(leads("?y=2", "https://api.example.org/v2/feed?y=2"));
	CHECK(leads("https://API.example.org:443/z#part", "https://API.example.org:443/z"));
	CHECK(leads("https://dl.example.org/id", "https://dl.example.org/id"));
	CHECK(leads("http://api.example.org/z", NULL));
	CHECK(leads("https://api.example.org:8443/z", NULL));
	CHECK(leads("https://api.example.org@evil.example/z", NULL));
	CHECK(leads("https://evil.example/https://api.example.org/", NULL));
	CHECK(leads("//evil.example/z", NULL));
	CHECK(leads("https://user:word@api.example.org/z", NULL));
	CHECK(leads("https://127.0.0.1/", NULL));
	CHECK(leads("../../up/./here", "https://api.example.org/up/here"));
}

TEST(clients_send_no_key_where_others_read_it)
{
	struct fault fault = {0};
	CHECK(client_check_url("https://example.org/x", NULL, true, &fault) == 0);
	CHECK(client_check_url("http://example.org/x", NULL, false, &fault) == 0);
	CHECK(client_check_url("http://example.org/x", NULL, true, &fault) == ERR_BAD && strstr(fault.text, "over http"));
	CHECK(client_check_url("http://127.0.0.1:8080/x", NULL, true, &fault) == 0);
	CHECK(client_check_url("http://[::1]:8080/x", NULL, true, &fault) == 0);
	CHECK(client_check_url("http://[::ffff:127.0.0.9]/x", NULL, true, &fault) == 0);
	CHECK(client_check_url("http://127.0.0.1.example.org/x", NULL, true, &fault) == ERR_BAD);
	CHECK(client_check_url("https://user:word@example.org/", NULL, false, &fault) == ERR_BAD && strstr(fault.text, "key_file"));
	CHECK(client_check_url("ftp://example.org/", NULL, false, &fault) == ERR_BAD);
	CHECK(client_check_url("hpfeeds://broker.example.org:10000", "hpfeeds", true, &fault) == 0);
	CHECK(client_check_url("hpfeeds://broker.example.org", "hpfeeds", true, &fault) == ERR_BAD);
	CHECK(client_check_url("https://broker.example.org", "hpfeeds", true, &fault) == ERR_BAD);
}

TEST(clients_wait_as_long_as_a_server_says)
{
	CHECK(client_pause("120", 0) == 120);
	CHECK(client_pause("Fri, 07 Nov 2014 23:59:59 GMT", 1415404799 - 30) == 30);
	CHECK(client_pause("Fri, 07 Nov 2014 23:59:59 GMT", 1415404799 + 30) == 0);
	CHECK(client_pause("99999999", 0) == CLIENT_PAUSE_S_MAX);
	CHECK(client_pause("soon", 0) == 0 && client_pause("", 0) == 0);
}

TEST(clients_requests_are_signed_as_their_servers_check)
{
	char text[65];
	uint8_t proof[20];
	/* RFC 4231, test case 2. */
	shadow_sign(BYTES("Jefe"), BYTES("what do ya want for nothing?"), text);
	CHECK_SAY(!strcmp(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), "%s", text);
	/* SHA-1 of "abc" (FIPS 180), whichever part is the nonce. */
	hpfeeds_proof(BYTES("a"), BYTES("bc"), proof);
	CHECK(!memcmp(proof, "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d", 20));
}

TEST(clients_read_what_stands_behind_a_taxii_url)
{
	struct arena arena = ARENA(1 << 20);
	static struct answer_list list;
	CHECK(taxii_read(BYTES("{\"title\":\"x\",\"default\":\"https://a/r1/\",\"api_roots\":[\"https://a/r1/\",\"/r2/\",7,\"bad\\nline\"]}"), NULL,
			 &arena, &list) == TAXII_DISCOVERY);
	CHECK(list.count == 2 && bytes_equal_text(list.items[1], "/r2/"));
	CHECK(taxii_read(BYTES("{\"title\":\"r\",\"versions\":[\"application/taxii+json;version=2.1\"],\"max_content_length\":1}"), NULL, &arena,
			 &list) == TAXII_ROOT);
	const struct bytes all = BYTES("{\"collections\":[{\"id\":\"1-a\",\"title\":\"One\",\"can_read\":true},{\"id\":\"2-b\",\"title\":\"Two\","
				       "\"can_read\":false},{\"id\":\"../up\",\"can_read\":true},{\"id\":\"3-c\",\"alias\":\"three\",\"can_read\":true}]}");
	CHECK(taxii_read(all, NULL, &arena, &list) == TAXII_COLLECTIONS && list.count == 2);
	CHECK(taxii_read(all, "Three, nobody", &arena, &list) == TAXII_COLLECTIONS && list.count == 1 && bytes_equal_text(list.items[0], "3-c"));
	CHECK(taxii_read(BYTES("{\"id\":\"1-a\",\"title\":\"One\",\"can_read\":true,\"can_write\":false}"), "x", &arena, &list) == TAXII_COLLECTION &&
	      list.count == 1);
	CHECK(taxii_read(BYTES("<html>"), NULL, &arena, &list) == TAXII_UNKNOWN);
	CHECK(taxii_read(BYTES("[]"), NULL, &arena, &list) == TAXII_UNKNOWN);
	arena_done(&arena);
}

TEST(clients_read_pages_of_objects)
{
	struct arena arena = ARENA(1 << 20);
	struct fault fault = {0};
	struct taxii_page page;
	CHECK(taxii_read_page(BYTES("{}"), &arena, &page, &fault) == 0 && !page.more && !page.any && !page.next.len);
	CHECK(taxii_read_page(BYTES("{\"more\":true,\"next\":\"a\\u0062\\/\",\"objects\":[{\"next\":\"no\",\"more\":false}]}"), &arena, &page, &fault) == 0);
	CHECK(page.more && page.any && bytes_equal_text(page.next, "ab/"));
	CHECK(taxii_read_page(BYTES("{\"more\":true,\"next\":17,\"objects\":[]}"), &arena, &page, &fault) == 0 && !page.any &&
	      bytes_equal_text(page.next, "17"));
	CHECK(taxii_read_page(BYTES("{\"more\":true,\"objects\":[{"), &arena, &page, &fault) == ERR_BAD);
	CHECK(taxii_read_page(BYTES("[]"), &arena, &page, &fault) == ERR_BAD);
	arena_done(&arena);
}

TEST(clients_read_lists_whose_names_become_paths)
{
	struct arena arena = ARENA(1 << 20);
	struct fault fault = {0};
	struct misp_entry *entries;
	struct shadow_report *reports;
	size_t n;
	CHECK(misp_read_manifest(BYTES("{\"5a3f7c2e-0000-4000-8000-00000000000b\":{\"timestamp\":\"20\"},\"../../etc/passwd\":{\"timestamp\":1},"
				       "\"5a3f7c2e-0000-4000-8000-00000000000a\":{\"timestamp\":20},\"5a3f7c2e-0000-4000-8000-00000000000c\":"
				       "{\"timestamp\":10}}"), &arena, &entries, &n, &fault) == 0);
	CHECK(n == 3 && entries[0].timestamp == 10 && entries[1].uuid[35] == 'a' && entries[2].uuid[35] == 'b');
	CHECK(misp_read_manifest(BYTES("[1]"), &arena, &entries, &n, &fault) == ERR_BAD);
	CHECK(shadow_read_list(BYTES("[{\"id\":\"Ab-1_\",\"file\":\"2020-10-21-device_id-x.csv\"},{\"id\":\"a/b\"},{\"id\":\"?\"},{}]"), &arena, &reports,
			       &n, &fault) == 0);
	CHECK(n == 1 && bytes_equal_text(reports[0].id, "Ab-1_") && bytes_equal_text(reports[0].file, "2020-10-21-device_id-x.csv"));
	CHECK(shadow_read_list(BYTES("{\"error\":\"Invalid HMAC\"}"), &arena, &reports, &n, &fault) == ERR_DENIED);
	arena_done(&arena);
}

TEST(clients_tell_a_whole_stream_from_a_cut_one)
{
	CHECK(dnsdb_ending(BYTES("{\"cond\":\"begin\"}\n{\"obj\":{}}\n{\"cond\":\"succeeded\"}\n\n")) == DNSDB_SUCCEEDED);
	CHECK(dnsdb_ending(BYTES("{\"cond\":\"begin\"}\n{\"cond\":\"limited\",\"msg\":\"Result limit reached\"}")) == DNSDB_LIMITED);
	CHECK(dnsdb_ending(BYTES("{\"msg\":\"x\",\"cond\":\"failed\"}")) == DNSDB_FAILED);
	CHECK(dnsdb_ending(BYTES("{\"cond\":\"begin\"}\n{\"obj\":{\"rrname\":\"cond succeeded\"}}\n")) == DNSDB_CUT);
	CHECK(dnsdb_ending(BYTES("{\"cond\":\"begin\"}\n{\"obj\":{\"rrna")) == DNSDB_CUT);
	CHECK(dnsdb_ending(BYTES("")) == DNSDB_CUT);
}

TEST(clients_follow_virustotals_pages_and_names)
{
	struct arena arena = ARENA(1 << 20);
	CHECK(bytes_equal_text(virustotal_next(BYTES("{\"data\":[{\"links\":{\"next\":\"no\"}}],\"links\":{\"self\":\"a\",\"next\":\"https:\\/\\/a\\/b\"}}"),
					       &arena), "https://a/b"));
	CHECK(!virustotal_next(BYTES("{\"data\":{\"links\":{\"next\":\"no\"}}}"), &arena).len);
	CHECK(!virustotal_next(BYTES("{\"links\":{\"next\":\"https:\\/\\/a\"}"), &arena).len);
	CHECK(bytes_equal_text(virustotal_url_id(BYTES("http://x/?>~"), &arena), "aHR0cDovL3gvPz5-"));
	CHECK(bytes_equal_text(virustotal_url_id(BYTES("http://x/"), &arena), "aHR0cDovL3gv"));
	CHECK(bytes_equal_text(virustotal_url_id(BYTES("http://xy/"), &arena), "aHR0cDovL3h5Lw"));
	arena_done(&arena);
}

TEST(clients_frames_of_hpfeeds_are_whole_or_wait)
{
	static const uint8_t wire[] = "\0\0\0\x12\x03\x02me\x05" "chan1\1\2\3\4";
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	struct hpfeeds_frame f = {.code = HPFEEDS_PUBLISH, .first = BYTES("me"), .second = BYTES("chan1"), .rest = BYTES("\1\2\3\4")};
	hpfeeds_write(&w, &f);
	CHECK(bytes_equal(writer_bytes(&w), (struct bytes){wire, sizeof wire - 1}));
	for (size_t n = 0; n < sizeof wire - 1; n++) {
		struct reader r = reader_of(wire, n);
		CHECK(hpfeeds_read(&r, &f) == 0 && reader_left(&r) == n);
	}
	struct reader r = reader_of(wire, sizeof wire - 1);
	CHECK(hpfeeds_read(&r, &f) == 1 && !reader_left(&r) && bytes_equal_text(f.second, "chan1") && f.rest.len == 4);
	r = reader_of("\0\0\0\4\1", 5);
	CHECK(hpfeeds_read(&r, &f) == ERR_BAD); /* shorter than its own header */
	r = reader_of("\xff\xff\xff\xff\3", 5);
	CHECK(hpfeeds_read(&r, &f) == ERR_BAD);
	r = reader_of("\0\0\0\7\3\x09x", 7);
	CHECK(hpfeeds_read(&r, &f) == ERR_BAD); /* a text longer than the frame */
	r = reader_of("\0\0\0\5\x09", 5);
	CHECK(hpfeeds_read(&r, &f) == ERR_BAD);
}

TEST(clients_take_no_answer_that_repeats_the_key)
{
	struct client_call call;
	struct fault fault = {0};
	const struct client_about with_key = {.source = "s", .url = "https://example.org/", .key = BYTES("ident:long-secret"), .directory = -1, .size_max = 64};
	CHECK(client_open(&call, &with_key, &fault) == 0);
	CHECK(!client_take(&call, BYTES("{\"echo\":\"long-secret\"}"), NULL) && strstr(call.refused.text, "repeats the key"));
	CHECK(!strstr(call.refused.text, "long-secret"));
	CHECK(!client_header(&call, "X-Key: ", BYTES("a\r\nb")) && !strcmp(client_header(&call, "X-Key: ", BYTES("ab")), "X-Key: ab"));
	CHECK(client_keep(&call, BYTES("here")) == 0 && bytes_equal_text(client_state(&call), "here"));
	client_close(&call);
}

TEST(publications_go_on_behind_what_arrived)
{
	struct publication p;
	struct publication_place place;
	struct bytes line;
	struct fault fault = {0};
	char text[PUBLICATION_PLACE_MAX];
	int fd = memfd_create("publication", 0);
	CHECK(fd >= 0 && write(fd, "one\n\nthree\nlast", 15) == 15 && lseek(fd, 0, SEEK_SET) == 0);
	publication_open(&p, fd, 0);
	CHECK(publication_line(&p, &line, &fault) && bytes_equal_text(line, "one"));
	CHECK(publication_line(&p, &line, &fault) && !line.len);
	publication_arrived(&p);
	CHECK(publication_line(&p, &line, &fault) && bytes_equal_text(line, "three") && p.arrived == 2);
	CHECK(publication_line(&p, &line, &fault) && bytes_equal_text(line, "last"));
	CHECK(!publication_line(&p, &line, &fault) && !fault.text[0]);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	fd = dup(fd);
	publication_close(&p);
	publication_open(&p, fd, 2);
	CHECK(publication_line(&p, &line, &fault) && bytes_equal_text(line, "three"));
	publication_close(&p);
	place = (struct publication_place){.done_us = 1, .from_us = 2, .to_us = 3, .arrived = 4, .digest = "00ff"};
	publication_place_read(publication_place_write(&place, text), &place);
	CHECK(place.done_us == 1 && place.to_us == 3 && place.arrived == 4 && !strcmp(place.digest, "00ff"));
	publication_place_read(BYTES("nonsense"), &place);
	CHECK(!place.done_us && !place.to_us);
}

TEST(publications_of_dshield_are_what_its_own_sensors_send)
{
	char text[200];
	struct writer w = writer_of(text, sizeof text - 1);
	json_t *log = dshield_log(BYTES("2015-06-01 00:00:59 +00:00\t0\t3\t203.0.113.9\t???\t10.0.0.1\t23\tTCP\tS"));
	char *json = log ? json_dumps(log, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	CHECK(json && !strcmp(json, "{\"dip\":\"10.0.0.1\",\"dport\":23,\"flags\":\"S\",\"proto\":6,\"sip\":\"203.0.113.9\",\"time\":1433116859,\"version\":4}"));
	free(json);
	json_decref(log);
	CHECK(!dshield_log(BYTES("2015-06-01 00:00:59 +00:00\t0\t3\t203.0.113.9")) && !dshield_log(BYTES("")));
	CHECK(!dshield_log(BYTES("yesterday\t0\t3\t203.0.113.9\t1\t10.0.0.1\t23\tTCP\tS")));
	/* As Python's hmac.new(b"bm9uY2U=" + b"12345", b"secretkey", "sha256") says. */
	dshield_authorize(BYTES("12345"), BYTES("secretkey"), "bm9uY2U=", &w);
	*w.at = '\0';
	CHECK_SAY(!strcmp(text, "ISC-HMAC-SHA256 Credentials=" DSHIELD_PROOF " Userid=12345 Nonce=bm9uY2U="), "%s", text);
}

static bool config_says(const char *members, const char *expected)
{
	static struct config config;
	char text[2048];
	struct fault fault = {0};
	snprintf(text, sizeof text, "exchange:\n  collections: [{name: visits, title: Visits, kinds: [session.opened]}]\n  %s\n", members);
	int bad = config_read(bytes_of_text(text), "f", &config, &fault);
	bad = bad ? bad : exchange_check(&config, &fault);
	config_done(&config);
	const bool said = *expected ? bad && strstr(fault.text, expected) : !bad;
	if (!said)
		print_error("%s: says \"%s\"\n", members, fault.text);
	return said;
}

TEST(clients_configurations_say_what_is_wrong)
{
	CHECK(event_start(NULL) == 0);
	CHECK(config_says("sources: [{name: a, client: taxii, url: \"https://x.example/\", key_file: /k, options: {limit: \"5\"}}]", ""));
	CHECK(config_says("sources: [{name: a, client: taxi, url: \"https://x.example/\"}]", "sources[0].client: there is no client \"taxi\""));
	CHECK(config_says("sources: [{name: a, client: taxii}]", "sources[0].url: a client needs one"));
	CHECK(config_says("sources: [{name: a, client: taxii, url: \"http://x.example/\", key_file: /k}]", "https would be right"));
	CHECK(config_says("sources: [{name: a, client: taxii, url: \"https://x.example/\", key_file: k}]", "no absolute path"));
	CHECK(config_says("sources: [{name: a, client: taxii, url: \"https://x.example/\", options: {limt: \"5\"}}]", "has no \"limt\""));
	CHECK(config_says("sources: [{name: a, client: taxii, asked: true, url: \"https://x.example/{src}\"}]", "cannot be asked"));
	CHECK(config_says("sources: [{name: a, client: dnsdb, asked: true, url: \"https://{src}/\"}]", "it is no URL"));
	CHECK(config_says("sources: [{name: a, client: dnsdb, asked: true, url: \"https://x.example/{src}\"}]", ""));
	CHECK(config_says("sources: [{name: a, client: hpfeeds, url: \"https://x.example/\"}]", "hpfeeds://"));
	CHECK(config_says("sources: [{name: a, client: taxii, format: none, url: \"https://x.example/\"}]", "no format \"none\""));
	CHECK(config_says("sources: [{name: a, url: \"https://x.example/\"}]", "it says none, and needs one"));
	CHECK(config_says("sources: [{name: a, format: urls, key_file: /k, url: \"https://x.example/\"}]", "there is none"));
	CHECK(config_says("publish: [{name: a, publisher: dshield, url: \"https://x.example/\", key_file: /k, collection: visits, organisation: o}]", ""));
	CHECK(config_says("publish: [{name: a, publisher: x, url: \"https://x.example/\", key_file: /k, collection: visits, organisation: o}]",
			  "publish[0].publisher: there is no \"x\""));
	CHECK(config_says("publish: [{name: a, publisher: dshield, url: \"https://x.example/\", key_file: /k, collection: none, organisation: o}]",
			  "no collection \"none\""));
	CHECK(config_says("publish: [{name: a, publisher: dshield, url: \"https://x.example/\", key_file: /k, collection: visits, organisation: o, "
			  "output: csv}]", "sends no \"csv\""));
	CHECK(config_says("publish: [{name: a, publisher: hpfeeds, url: \"https://x.example/\", key_file: /k, collection: visits, organisation: o}]",
			  "hpfeeds://"));
}
