/* Fingerprints of command servers, what a check's answers mean, and what is learned from conversations. */
#include "active/servers/learn.h"
#include "active/servers/verdict.h"
#include "base/place.h"
#include "tests/test.h"
#include <stdlib.h>

static const char rules[] =
	"servers:\n"
	"  - {name: quakbot, family: irc, hello: 'NICK ', starts: ':c2 001 ', contains: [':!*'], examples: [':c2 001 a :!* x']}\n"
	"  - {name: prompt, family: mirai, hello: '\\x00\\x00\\x00\\x01', on: neutral, starts: '\\x1b[?', examples: ['\\x1b[?10']}\n"
	"  - {name: greeter, family: odd, on: banner, starts: 'BOTNET', examples: ['BOTNET 1']}\n"
	"services:\n"
	"  - {name: HTTP, starts: 'HTTP/1.', examples: ['HTTP/1.1 200']}\n"
	"  - {name: SSH, on: banner, starts: 'SSH-', examples: ['SSH-2.0-x']}\n";

static struct server_fingerprints *prints_of(const char *yaml, int skipped)
{
	struct server_fingerprints *f = NULL;
	struct fault first = {{0}};
	CHECK(server_fingerprints_open(&f) == 0);
	const int bad = server_fingerprints_take(f, bytes_of_text(yaml), "test.yaml", &first);
	CHECK_SAY(bad == skipped, "%d: %s", bad, first.text);
	return f;
}

static struct heard heard_of(const char *said)
{
	if (!said)
		return (struct heard){.taken = false};
	return (struct heard){.taken = true, .opened = true, .said = bytes_of_text(said)};
}

static enum server_state judged(const char *hello, const char *banner, const char *answer, const char *neutral,
				const char *elsewhere)
{
	struct server_fingerprints *f = prints_of(rules, 0);
	struct bytes said = *hello == 'M' ? BYTES("\0\0\0\1") : bytes_of_text(hello);
	const struct check_order order = {.steps = CHECK_ALL, .hello = said};
	const struct heard heard[CHECK_STEPS] = {heard_of(banner), heard_of(answer), heard_of(neutral), heard_of(elsewhere)};
	struct server_verdict v;
	server_judge(f, &order, heard, &v);
	CHECK(v.certainty <= 100 && v.why[0]);
	server_fingerprints_close(f);
	return v.state;
}

TEST(server_is_live_only_when_the_hello_alone_gets_the_answer)
{
	static const char live[] = ":c2 001 x :!* go";
	CHECK(judged("NICK x", "", live, "", "") == SERVER_LIVE);
	CHECK(judged("NICK x", "hi ", "hi :c2 001 x :!* go", "hi ", "") == SERVER_LIVE);
	CHECK(judged("NICK x", "", live, live, "") == SERVER_EVERYTHING);
	CHECK(judged("NICK x", "", live, "", live) == SERVER_EVERYTHING);
	CHECK(judged("HELO x", "", live, "", "") == SERVER_LIKELY); /* of another hello */
	CHECK(judged("Mirai", "", "", "\x1b[?1049h", "") == SERVER_LIVE);
	CHECK(judged("Mirai", "", "\x1b[?1049h", "\x1b[?1049h", "") == SERVER_EVERYTHING);
	CHECK(judged("HELO x", "", "", "\x1b[?1049h", "") == SERVER_SERVICE);
	CHECK(judged("HELO x", "BOTNET 1", NULL, NULL, NULL) == SERVER_LIVE);
}

TEST(server_that_anybody_may_run_or_that_answers_everything_is_no_match)
{
	CHECK(judged("GET / HTTP/1.1", "", "HTTP/1.1 200 OK", "HTTP/1.1 400 Bad Request", "") == SERVER_SERVICE);
	CHECK(judged("HELO x", "SSH-2.0-x\r\n", "SSH-2.0-x\r\nInvalid", "SSH-2.0-x\r\nInvalid", "") == SERVER_SERVICE);
	CHECK(judged("HELO x", "", "WELCOME 1", "WELCOME 1", "WELCOME 1") == SERVER_EVERYTHING);
	CHECK(judged("HELO x", "", "WELCOME 4711", "", "WELCOME 4712") == SERVER_EVERYTHING);
	CHECK(judged("HELO x", "", "WELCOME 4711", "ERR", "") == SERVER_LIKELY);
	CHECK(judged("HELO x", "", "", "", "") == SERVER_SILENT);
	CHECK(judged("HELO x", "hello", NULL, NULL, NULL) == SERVER_OPEN);
	CHECK(judged("HELO x", "hello", "hello", "hello", "") == SERVER_OPEN);
}

TEST(server_fingerprints_of_ours_hold_and_wrong_ones_are_named)
{
	char folder[PLACE_PATH_MAX];
	struct fault first = {{0}};
	struct server_fingerprints *f = NULL;
	size_t skipped = 0;
	CHECK(server_fingerprints_open(&f) == 0 && place_find("fingerprints/servers", folder) == 0);
	CHECK(server_fingerprints_read(f, folder, &skipped, &first) == 0 && f->count > 10);
	CHECK_SAY(skipped == 0 && server_fingerprints_verify(f, &first) == 0, "%s", first.text);
	server_fingerprints_close(f);
	static const char *const wrong[] = {
		"servers:\n  - {name: a, family: b, starts: 'x', examples: ['x']}\n",            /* one byte */
		"servers:\n  - {name: a, starts: 'xyz', examples: ['xyz']}\n",                   /* no family */
		"servers:\n  - {name: a, family: b, starts: 'xyz'}\n",                           /* no example */
		"servers:\n  - {name: a, family: b, starts: '\\q12', examples: ['x']}\n",        /* a broken escape */
		"servers:\n  - {name: a, family: b, stars: 'xyz', examples: ['xyz']}\n",         /* an unknown key */
		"servers:\n  - {name: a, family: b, on: noon, starts: 'xyz', examples: ['x']}\n",
		"servers:\n  - {name: a, family: b, starts: 'xyz', length: 900, examples: ['x']}\n",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		server_fingerprints_close(prints_of(wrong[i], 1));
	f = prints_of("servers:\n  - {name: a, family: b, starts: 'xyz', examples: ['abc'], others: ['xyz1']}\n", 0);
	CHECK(server_fingerprints_verify(f, &first) == 2);
	server_fingerprints_close(f);
}

static void take(struct server_learning *l, const char *asked, const char *answered)
{
	CHECK(server_learning_take(l, bytes_of_text(asked), bytes_of_text(answered)) == 0);
}

TEST(server_fingerprints_are_learned_where_no_benign_answer_is_alike)
{
	struct server_learning *l = NULL;
	struct server_learnt told;
	struct fault fault = {{0}};
	static char yaml[65536];
	struct writer w = writer_of(yaml, sizeof yaml - 1);
	CHECK(server_learning_open(&l) == 0);
	take(l, "NICK a|12345\r\n", ":hub.one 001 a|12345 :in\r\n:hub.one 332 a :!* scan 22\r\n");
	take(l, "NICK b|99121\r\n", ":hub.one 001 b|99121 :in\r\n:hub.one 332 b :!* scan 5555\r\n");
	take(l, "GET /a HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n");
	server_learning_side(l, true);
	take(l, "GET /b HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n");
	take(l, "NICK me\r\n", ":irc.example 001 me :Welcome\r\n");
	CHECK(server_learning_write(l, "hub", "hubbot", &w, &told, &fault) == 0);
	CHECK_SAY(told.groups == 2 && told.made == 1 && told.benign == 2, "%zu groups, %zu made", told.groups, told.made);
	*w.at = '\0';
	struct server_fingerprints *f = prints_of(yaml, 0);
	CHECK_SAY(f->count == 1 && server_fingerprints_verify(f, &fault) == 0, "%s: %s", fault.text, yaml);
	CHECK(server_fingerprints_match(f, false, ON_ANSWER, BYTES("NICK x|00000\r\n"),
					BYTES(":hub.one 001 c|11111 :in\r\n:hub.one 332 c :!* scan 80\r\n")) != NULL);
	CHECK(server_fingerprints_match(f, false, ON_ANSWER, BYTES("NICK x|00000\r\n"), BYTES(":irc.example 001 me :Welcome\r\n")) == NULL);
	server_fingerprints_close(f);
	server_learning_close(l);
}

TEST(server_learning_needs_both_sides)
{
	struct server_learning *l = NULL;
	struct server_learnt told;
	struct fault fault = {{0}};
	char yaml[512];
	struct writer w = writer_of(yaml, sizeof yaml);
	CHECK(server_learning_open(&l) == 0);
	CHECK(server_learning_write(l, "a", "b", &w, &told, &fault) == ERR_MISSING);
	take(l, "x", "y");
	CHECK(server_learning_write(l, "a", "b", &w, &told, &fault) == ERR_MISSING);
	CHECK(server_learning_write(l, "a b", "b", &w, &told, &fault) == ERR_BAD);
	server_learning_close(l);
}
