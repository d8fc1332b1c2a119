/* Who is let in, and by which grant; and each way of being refused. */
#include "share/access.h"
#include "tests/test.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW_US (1767225600u * UINT64_C(1000000)) /* 2026-01-01 */
#define DAY_US (86400 * UINT64_C(1000000))

struct scene {
	char folder[64], answer[1 << 16], audit_text[1 << 16];
	int directory;
	struct audit *audit;
	struct access *access;
	struct fault fault;
};

static void access_reopen(struct scene *s)
{
	const struct access_about about = {.directory = s->directory, .audit = s->audit};
	CHECK_SAY(access_open(&s->access, &about, &s->fault) == 0, "%s", s->fault.text);
}

static struct scene *scene_open(void)
{
	static struct scene s;
	s = (struct scene){.folder = "/tmp/kansoku-access-XXXXXX"};
	CHECK(mkdtemp(s.folder));
	s.directory = open(s.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(audit_open(&s.audit, s.directory, &s.fault) == 0);
	access_reopen(&s);
	return &s;
}

static void scene_close(struct scene *s)
{
	access_close(s->access);
	audit_close(s->audit);
	unlinkat(s->directory, AUDIT_FILE, 0);
	unlinkat(s->directory, "access.json", 0);
	close(s->directory);
	CHECK(rmdir(s->folder) == 0);
}

static int obey_at(struct scene *s, uint64_t now_us, const char *request)
{
	struct writer w = writer_of(s->answer, sizeof s->answer - 1);
	int bad = access_obey(s->access, bytes_of_text(request), now_us, &w, &s->fault);
	*w.at = '\0';
	return bad;
}

static void obey(struct scene *s, const char *request)
{
	CHECK_SAY(obey_at(s, NOW_US, request) == 0, "%s: %s", request, s->fault.text);
}

/* The text behind "key":" in the last answer. */
static void answered(const struct scene *s, const char *key, char *out, size_t size)
{
	char quoted[64];
	snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
	const char *at = strstr(s->answer, quoted);
	CHECK_SAY(at, "%s has no %s", s->answer, key);
	at += strlen(quoted);
	snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void token_make(struct scene *s, const char *more, char token[64])
{
	char request[512];
	snprintf(request, sizeof request, "{\"do\":\"token.add\",\"organisation\":\"csirt\",\"user\":\"feed\"%s}", more);
	obey(s, request);
	answered(s, "token", token, 64);
}

static void usual(struct scene *s, char token[64])
{
	obey(s, "{\"do\":\"org.add\",\"organisation\":\"csirt\",\"title\":\"A CSIRT\",\"contact\":\"soc@example.org\"}");
	obey(s, "{\"do\":\"user.add\",\"organisation\":\"csirt\",\"user\":\"feed\"}");
	obey(s, "{\"do\":\"grant.set\",\"organisation\":\"csirt\",\"collection\":\"shells\",\"tlp\":\"amber\",\"policy\":\"research\"}");
	token_make(s, "", token);
}

static struct access_claim claim_of(const char *token)
{
	struct access_claim c = {.token = bytes_of_text(token), .now_us = NOW_US};
	CHECK(address_parse(BYTES("192.0.2.7"), &c.from));
	return c;
}

/* The last line of the audit. */
static const char *last_line(struct scene *s)
{
	const int fd = openat(s->directory, AUDIT_FILE, O_RDONLY | O_CLOEXEC);
	const ssize_t n = read(fd, s->audit_text, sizeof s->audit_text - 1);
	CHECK(n > 0);
	close(fd);
	s->audit_text[n - 1] = '\0';
	const char *at = strrchr(s->audit_text, '\n');
	return at ? at + 1 : s->audit_text;
}

static void refused(struct scene *s, const struct access_claim *claim, const char *why)
{
	struct caller c = {.scopes = 77}, before = c;
	char reason[128];
	snprintf(reason, sizeof reason, "\"reason\":\"%s\"", why);
	CHECK_SAY(access_authenticate(s->access, claim, &c) == ERR_DENIED, "it should be refused: %s", why);
	CHECK(!memcmp(&c, &before, sizeof c));
	CHECK_SAY(strstr(last_line(s), "\"action\":\"refused\"") && strstr(last_line(s), reason), "%s: %s", why, last_line(s));
}

TEST(access_lets_in_who_has_a_token)
{
	struct scene *s = scene_open();
	struct caller c;
	char token[64];
	usual(s, token);
	CHECK(strlen(token) == TOKEN_TEXT && !strncmp(token, "kansoku_", 8) && strspn(token + 8, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == 43);
	struct access_claim claim = claim_of(token);
	CHECK(access_authenticate(s->access, &claim, &c) == 0);
	CHECK(!strcmp(c.organisation, "csirt") && !strcmp(c.user, "feed") && strlen(c.token) == 16 && c.scopes == ACCESS_READ);
	const struct grant *g = access_granted(s->access, &c, "shells", ACCESS_READ);
	CHECK(g && !strcmp(g->policy, "research") && g->tlp_max == TLP_AMBER);
	CHECK(access_sees(g, TLP_AMBER) && access_sees(g, TLP_CLEAR) && !access_sees(g, TLP_AMBER_STRICT) && !access_sees(g, TLP_RED));
	const char *const names[] = {"feed", "csirt", "csirt/feed", c.token};
	for (size_t i = 0; i < 4; i++) {
		claim.user = bytes_of_text(names[i]);
		CHECK(access_authenticate(s->access, &claim, &c) == 0);
	}
	/* It is the same after a restart, and its text stands nowhere. */
	access_close(s->access);
	access_reopen(s);
	CHECK(access_authenticate(s->access, &claim, &c) == 0 && access_granted(s->access, &c, "shells", ACCESS_READ));
	CHECK(!strstr(last_line(s), token) && !memmem(s->audit_text, sizeof s->audit_text, token + 8, 20));
	obey(s, "{\"do\":\"token.list\"}");
	CHECK(strstr(s->answer, c.token) && strstr(s->answer, "\"used_from\":\"192.0.2.7\"") && !strstr(s->answer, "sha256") &&
	      !strstr(s->answer, token + 8));
	scene_close(s);
}

TEST(access_refuses_each_wrong_token_alike)
{
	struct scene *s = scene_open();
	char token[64], other[80], id[32];
	usual(s, token);
	struct access_claim claim = claim_of(token);
	claim.token.len--;
	refused(s, &claim, "unknown token");
	snprintf(other, sizeof other, "%sx", token);
	claim = claim_of(other);
	refused(s, &claim, "unknown token");
	claim.token.len = 0;
	refused(s, &claim, "nothing was shown");
	snprintf(other, sizeof other, "%s", token);
	other[30] = other[30] == 'A' ? 'B' : 'A';
	claim = claim_of(other);
	refused(s, &claim, "unknown token");
	claim = claim_of(token);
	claim.user = BYTES("someone");
	refused(s, &claim, "another user's token");

	token_make(s, ",\"expires\":\"2026-01-02\"", other);
	claim = claim_of(other);
	claim.now_us = NOW_US + DAY_US;
	refused(s, &claim, "expired token");
	token_make(s, ",\"networks\":[\"198.51.100.0/24\",\"2001:db8::/32\"]", other);
	claim = claim_of(other);
	refused(s, &claim, "a network that the token is not for");
	struct caller c;
	CHECK(address_parse(BYTES("198.51.100.200"), &claim.from));
	CHECK(access_authenticate(s->access, &claim, &c) == 0);
	CHECK(address_parse(BYTES("2001:db8::7"), &claim.from));
	CHECK(access_authenticate(s->access, &claim, &c) == 0);

	char revoke[128];
	answered(s, "id", id, sizeof id);
	snprintf(revoke, sizeof revoke, "{\"do\":\"token.revoke\",\"token\":\"%s\"}", id);
	obey(s, revoke);
	refused(s, &claim, "revoked token");
	access_close(s->access);
	access_reopen(s);
	refused(s, &claim, "revoked token");

	claim = claim_of(token);
	obey(s, "{\"do\":\"user.suspend\",\"organisation\":\"csirt\",\"user\":\"feed\"}");
	refused(s, &claim, "the user is suspended");
	obey(s, "{\"do\":\"user.resume\",\"organisation\":\"csirt\",\"user\":\"feed\"}");
	obey(s, "{\"do\":\"org.suspend\",\"organisation\":\"csirt\"}");
	refused(s, &claim, "the organisation is suspended");
	obey(s, "{\"do\":\"org.resume\",\"organisation\":\"csirt\"}");
	CHECK(access_authenticate(s->access, &claim, &c) == 0);
	obey(s, "{\"do\":\"user.remove\",\"organisation\":\"csirt\",\"user\":\"feed\"}");
	refused(s, &claim, "revoked token");
	scene_close(s);
}

#define FINGERPRINT "0102030405060708091011121314151617181920212223242526272829303132"

TEST(access_takes_certificates)
{
	struct scene *s = scene_open();
	struct caller c;
	char token[64];
	uint8_t certificate[DIGEST_BYTES];
	for (size_t i = 0; i < sizeof certificate; i++)
		certificate[i] = (uint8_t)((i + 1) / 10 * 16 + (i + 1) % 10);
	usual(s, token);
	obey(s, "{\"do\":\"token.add\",\"organisation\":\"csirt\",\"user\":\"feed\",\"certificate\":\"" FINGERPRINT "\"}");
	CHECK(!strstr(s->answer, "\"token\"") && strstr(s->answer, "\"kind\":\"certificate\"") && strstr(s->answer, FINGERPRINT));
	struct access_claim claim = claim_of("");
	claim.certificate = certificate;
	CHECK(access_authenticate(s->access, &claim, &c) == 0 && !strcmp(c.user, "feed"));
	CHECK(obey_at(s, NOW_US, "{\"do\":\"token.add\",\"organisation\":\"csirt\",\"user\":\"feed\",\"certificate\":\"" FINGERPRINT "\"}") == ERR_BAD);
	certificate[31] ^= 1;
	refused(s, &claim, "unknown token");
	/* A token's text whose digest is a certificate's is no token. */
	token_make(s, ",\"bound\":\"" FINGERPRINT "\"", token);
	claim.token = bytes_of_text(token);
	refused(s, &claim, "without the certificate that the token is bound to");
	claim.certificate = NULL;
	refused(s, &claim, "without the certificate that the token is bound to");
	certificate[31] ^= 1;
	claim.certificate = certificate;
	CHECK(access_authenticate(s->access, &claim, &c) == 0);
	access_close(s->access);
	access_reopen(s);
	CHECK(access_authenticate(s->access, &claim, &c) == 0);
	claim.token.len = 0;
	CHECK(access_authenticate(s->access, &claim, &c) == 0);
	scene_close(s);
}

static void not_granted(struct scene *s, const struct caller *c, const char *collection, enum access_right right, const char *why)
{
	char reason[128];
	CHECK_SAY(!access_granted(s->access, c, collection, right), "%s", why);
	access_refuse(s->access, c, collection, right, NULL);
	snprintf(reason, sizeof reason, "\"reason\":\"%s\"", why);
	CHECK_SAY(strstr(last_line(s), reason), "%s: %s", why, last_line(s));
}

TEST(access_grants_no_more_than_was_given)
{
	struct scene *s = scene_open();
	struct caller c, narrow;
	char token[64];
	usual(s, token);
	struct access_claim claim = claim_of(token);
	CHECK(access_authenticate(s->access, &claim, &c) == 0);
	obey(s, "{\"do\":\"org.add\",\"organisation\":\"other\"}");
	obey(s, "{\"do\":\"grant.set\",\"organisation\":\"other\",\"collection\":\"payloads\"}");
	not_granted(s, &c, "payloads", ACCESS_READ, "no grant");
	not_granted(s, &c, "there is none", ACCESS_READ, "no grant");
	not_granted(s, &c, "shells", ACCESS_WRITE, "no grant to write");
	obey(s, "{\"do\":\"grant.set\",\"organisation\":\"csirt\",\"collection\":\"shells\",\"rights\":\"read,write\"}");
	not_granted(s, &c, "shells", ACCESS_WRITE, "beyond the token's scope");
	token_make(s, ",\"scope\":\"write\",\"collections\":[\"shells\"]", token);
	claim = claim_of(token);
	CHECK(access_authenticate(s->access, &claim, &narrow) == 0);
	CHECK(access_granted(s->access, &narrow, "shells", ACCESS_WRITE));
	not_granted(s, &narrow, "shells", ACCESS_READ, "beyond the token's scope");
	obey(s, "{\"do\":\"grant.set\",\"organisation\":\"csirt\",\"collection\":\"uploads\",\"rights\":\"write\"}");
	not_granted(s, &narrow, "uploads", ACCESS_WRITE, "beyond the token's scope");
	not_granted(s, &c, "uploads", ACCESS_READ, "no grant to read");
	obey(s, "{\"do\":\"grant.set\",\"organisation\":\"csirt\",\"collection\":\"shells\",\"expires\":\"2026-02-01\"}");
	CHECK(access_granted(s->access, &c, "shells", ACCESS_READ));
	c.now_us = NOW_US + 31 * DAY_US;
	not_granted(s, &c, "shells", ACCESS_READ, "expired grant");
	c.now_us = NOW_US;
	obey(s, "{\"do\":\"grant.remove\",\"organisation\":\"csirt\",\"collection\":\"shells\"}");
	not_granted(s, &c, "shells", ACCESS_READ, "no grant");

	/* What belonged to an organisation that went is nobody's, also of one with its name. */
	obey(s, "{\"do\":\"grant.set\",\"organisation\":\"csirt\",\"collection\":\"shells\"}");
	obey(s, "{\"do\":\"org.remove\",\"organisation\":\"csirt\"}");
	obey(s, "{\"do\":\"org.add\",\"organisation\":\"csirt\"}");
	CHECK(!access_granted(s->access, &c, "shells", ACCESS_READ));
	refused(s, &claim, "revoked token");
	scene_close(s);
}

TEST(access_narrows_the_window)
{
	struct grant g = {.from_us = 1000, .to_us = 5000};
	uint64_t from = 0, to = 0;
	CHECK(access_window(&g, NOW_US, &from, &to) && from == 1000 && to == 5000);
	from = 2000, to = 9000;
	CHECK(access_window(&g, NOW_US, &from, &to) && from == 2000 && to == 5000);
	from = 5000, to = 9000;
	CHECK(!access_window(&g, NOW_US, &from, &to));
	g = (struct grant){.last_us = 30 * DAY_US, .delay_us = DAY_US};
	from = to = 0;
	CHECK(access_window(&g, NOW_US, &from, &to) && from == NOW_US - 30 * DAY_US && to == NOW_US - DAY_US);
	from = NOW_US - DAY_US / 2, to = NOW_US;
	CHECK(!access_window(&g, NOW_US, &from, &to));
	g = (struct grant){0};
	from = 7, to = 0;
	CHECK(access_window(&g, NOW_US, &from, &to) && from == 7 && to == NOW_US);
}

TEST(access_keeps_the_pace)
{
	struct scene *s = scene_open();
	struct caller c;
	char token[64];
	unsigned wait_s = 0;
	usual(s, token);
	struct access_claim claim = claim_of(token);
	obey(s, "{\"do\":\"grant.set\",\"organisation\":\"csirt\",\"collection\":\"shells\",\"per_minute\":6}");
	CHECK(access_authenticate(s->access, &claim, &c) == 0);
	const struct grant g = *access_granted(s->access, &c, "shells", ACCESS_READ);
	for (int i = 0; i < 6; i++)
		CHECK(access_pace(s->access, &c, &g, NOW_US, &wait_s));
	CHECK(!access_pace(s->access, &c, &g, NOW_US, &wait_s) && wait_s >= 10 && wait_s <= 11);
	CHECK(strstr(last_line(s), "the rate is used up"));
	CHECK(!access_pace(s->access, &c, &g, NOW_US + 9 * 1000000, &wait_s));
	CHECK(access_pace(s->access, &c, &g, NOW_US + 11 * 1000000, &wait_s));
	CHECK(!access_pace(s->access, &c, &g, NOW_US + 11 * 1000000, &wait_s));
	scene_close(s);
}

TEST(access_renews_tokens_with_an_overlap)
{
	struct scene *s = scene_open();
	struct caller c;
	char token[64], id[32], fresh[64], request[128];
	usual(s, token);
	answered(s, "id", id, sizeof id);
	snprintf(request, sizeof request, "{\"do\":\"token.renew\",\"token\":\"%s\",\"overlap_s\":3600}", id);
	obey(s, request);
	answered(s, "token", fresh, sizeof fresh);
	CHECK(strcmp(token, fresh));
	struct access_claim old = claim_of(token), new = claim_of(fresh);
	CHECK(access_authenticate(s->access, &old, &c) == 0 && access_authenticate(s->access, &new, &c) == 0);
	old.now_us = new.now_us = NOW_US + 3600 * UINT64_C(1000000);
	refused(s, &old, "expired token");
	CHECK(access_authenticate(s->access, &new, &c) == 0);
	scene_close(s);
}

TEST(access_counts_refusals_that_it_does_not_list)
{
	struct scene *s = scene_open();
	struct caller c;
	struct access_claim claim = claim_of("nonsense");
	for (int i = 0; i < 1000; i++)
		CHECK(access_authenticate(s->access, &claim, &c) == ERR_DENIED);
	CHECK(audit_last(s->audit).number == 100);
	claim.now_us += 5000000;
	CHECK(access_authenticate(s->access, &claim, &c) == ERR_DENIED);
	CHECK(audit_last(s->audit).number == 102);
	last_line(s);
	CHECK(strstr(s->audit_text, "more than are listed one by one") && strstr(s->audit_text, "\"objects\":900"));
	scene_close(s);
}

TEST(access_tells_what_is_wrong_with_a_request)
{
	static const struct {
		const char *request, *says;
	} wrong[] = {
		{"", "nothing that can be done"},
		{"[]", "nothing that can be done"},
		{"{\"do\":\"org.burn\"}", "\"org.burn\" is nothing"},
		{"{\"do\":\"org.add\"}", "organisation: \"\" is no name"},
		{"{\"do\":\"org.add\",\"organisation\":\"../x\"}", "is no name"},
		{"{\"do\":\"org.add\",\"organisation\":\"csirt\"}", "is there already"},
		{"{\"do\":\"user.add\",\"organisation\":\"nobody\",\"user\":\"a\"}", "there is no organisation"},
		{"{\"do\":\"user.add\",\"organisation\":\"csirt\",\"user\":\"feed\"}", "has a user \"feed\" already"},
		{"{\"do\":\"token.add\",\"organisation\":\"csirt\",\"user\":\"x\"}", "csirt has no user \"x\""},
		{"{\"do\":\"token.add\",\"organisation\":\"csirt\",\"user\":\"feed\",\"scope\":\"all\"}", "scope: \"all\""},
		{"{\"do\":\"token.add\",\"organisation\":\"csirt\",\"user\":\"feed\",\"expires\":\"2020-01-01\"}", "in the past"},
		{"{\"do\":\"token.add\",\"organisation\":\"csirt\",\"user\":\"feed\",\"networks\":[\"10/8\"]}", "no address or prefix"},
		{"{\"do\":\"token.add\",\"organisation\":\"csirt\",\"user\":\"feed\",\"certificate\":\"12\"}", "no SHA-256"},
		{"{\"do\":\"token.revoke\",\"token\":\"12\"}", "there is no token"},
		{"{\"do\":\"grant.set\",\"organisation\":\"csirt\",\"collection\":\"shells\",\"tlp\":\"blue\"}", "tlp: \"blue\""},
		{"{\"do\":\"grant.set\",\"organisation\":\"csirt\",\"collection\":\"shells\",\"from\":\"2026-02-01\",\"to\":\"2026-01-01\"}", "nothing lies between"},
		{"{\"do\":\"grant.remove\",\"organisation\":\"csirt\",\"collection\":\"x\"}", "csirt has no grant"},
	};
	struct scene *s = scene_open();
	char token[64];
	usual(s, token);
	const uint64_t lines = audit_last(s->audit).number;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		int bad = obey_at(s, NOW_US, wrong[i].request);
		CHECK_SAY(bad == ERR_BAD || bad == ERR_MISSING, "%s", wrong[i].request);
		CHECK_SAY(strstr(s->fault.text, wrong[i].says), "%s: %s", wrong[i].request, s->fault.text);
	}
	CHECK(audit_last(s->audit).number == lines);
	obey(s, "{\"do\":\"grant.list\",\"organisation\":\"csirt\"}");
	CHECK_SAY(strstr(s->answer, "\"tlp\":\"AMBER\"") && strstr(s->answer, "\"policy\":\"research\""), "%s", s->answer);
	scene_close(s);
}
