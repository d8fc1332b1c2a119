/* Sessions that go on at a backend: both ends' parsers, and whole services behind one. */
#include "passive/persona.h"
#include "passive/rehearse.h"
#include "passive/relay/entry.h"
#include "passive/relay/telnet_end.h"
#include "passive/service_options.h"
#include "tests/test.h"

#define PERSONA                                                                                                         \
	"name: lair\nhostname: gate\nhome: /tmp\nprompt: \"# \"\ncredentials: [[root, planted]]\n"                              \
	"http: {login: {path: /login, user: name, secret: pass, accepted: /in, refused: /out},\n"                               \
	"  pages: [{path: /, body: front}, {path: /in, body: in}, {path: /out, body: out}]}\nservices:\n"
#define AT "address: 10.0.0.2, port: 9, user: op, password: real"

struct play {
	struct persona_set set;
	char answer[1 << 16], events[1 << 18], heard[1 << 16];
	struct transcript t;
	struct backend_play backend;
};

static struct play play;

/* The service of a persona, in pieces, with a backend that says that. */
static void rehearse(const char *name, const char *entry, struct bytes peer, struct bytes backend, size_t chunk)
{
	char yaml[4096];
	struct fault fault = {0};
	snprintf(yaml, sizeof yaml, "%s  %s: %s\n", PERSONA, name, entry);
	CHECK(event_start(NULL) == 0);
	play.set = (struct persona_set){0};
	CHECK_SAY(persona_read(&play.set, bytes_of_text(yaml), "p.yaml", &fault) == 0, "%s", fault.text);
	bool refuses = play.backend.refuses;
	play.t = (struct transcript){writer_of(play.answer, sizeof play.answer - 1),
	                             writer_of(play.events, sizeof play.events - 1), 0};
	play.backend = (struct backend_play){backend, writer_of(play.heard, sizeof play.heard - 1), refuses};
	service_rehearse_behind(service_named(name), play.set.items[0], peer, chunk, &play.backend, &play.t);
	*play.t.answer.at = *play.t.events.at = *play.backend.heard.at = '\0';
	persona_set_done(&play.set);
	play.backend.refuses = false;
}

#define HOLDS(where, text) CHECK_SAY(strstr(play.where, text), "no \"%s\" in\n%s", text, play.where)
#define LACKS(where, text) CHECK_SAY(!strstr(play.where, text), "\"%s\" in\n%s", text, play.where)

static const char *wrong(const char *service, const char *backend)
{
	static struct fault fault;
	char yaml[4096];
	struct persona_set set = {0};
	fault.text[0] = '\0';
	snprintf(yaml, sizeof yaml, "%s  %s: {backend: {%s}}\n", PERSONA, service, backend);
	persona_read(&set, bytes_of_text(yaml), "p.yaml", &fault);
	persona_set_done(&set);
	return fault.text;
}

TEST(relay_backends_that_make_no_sense_are_refused)
{
	CHECK(!*wrong("ssh", AT) && !*wrong("http", "address: 10.0.0.2, port: 80"));
	CHECK(strstr(wrong("redis", "port: 1"), "address"));
	CHECK(strstr(wrong("redis", "address: 10.0.0.2, port: 1, after: login"), "always would be right"));
	CHECK(strstr(wrong("telnet", "address: 10.0.0.2, port: 1, after: login"), "user and password"));
	CHECK(strstr(wrong("telnet", AT), "after: login would be right"));
	CHECK(strstr(wrong("http", "address: 10.0.0.2, port: 1, user: x"), "belong together"));
}

TEST(relay_telnet_options_are_answered_once)
{
	static const uint8_t said[] = {255, 253, 24, 255, 251, 1, 255, 251, 1, 'a', 255, 255, 255, 250, 31, 1, 255,
	                               255, 2, 255, 240, 'b', 255, 253, 24, 255, 251, 5, 255, 241, 'c'};
	static const uint8_t answer[] = {255, 252, 24, 255, 253, 1, 255, 254, 5};
	for (size_t chunk = 1; chunk <= sizeof said; chunk += sizeof said - 1) {
		struct telnet_end end = {0};
		uint8_t text[64], answers[64];
		struct writer t = writer_of(text, sizeof text), a = writer_of(answers, sizeof answers);
		for (size_t i = 0; i < sizeof said; i += chunk)
			telnet_end_take(&end, (struct bytes){said + i, chunk}, &t, &a);
		CHECK(bytes_equal(writer_bytes(&t), BYTES("a\377bc")));
		CHECK(bytes_equal(writer_bytes(&a), (struct bytes){answer, sizeof answer}));
	}
}

TEST(relay_entry_gives_a_shell_the_emulators_place)
{
	struct entry_plan plan = {.directory = BYTES("/tmp/it's"), .prompt = BYTES("\\w # "), .command = BYTES("foo -x"),
	                          .mark = 0x123456789abcdef0};
	static struct entry e;
	char say_room[ENTRY_SAY_MAX];
	struct writer say = writer_of(say_room, sizeof say_room - 1);
	struct bytes show;
	entry_start(&e, &plan, ENTRY_AT_SHELL);
	CHECK(entry_take(&e, BYTES("Welcome!\r\nbox$ "), &show, &say) == ENTRY_MORE && !show.len);
	*say.at = '\0';
	CHECK(strstr(say_room, "cd '/tmp/it'\\''s'") && strstr(say_room, "PS1='$PWD # '"));
	CHECK(strstr(say_room, "12345678 9abcdef0\n"));
	say = writer_of(say_room, sizeof say_room - 1);
	CHECK(entry_take(&e, BYTES(" unset ... 12345678 9abcdef0\r\n"), &show, &say) == ENTRY_MORE);
	CHECK(entry_take(&e, BYTES("123456789abcdef0\r\n/tmp #"), &show, &say) == ENTRY_MORE && !writer_used(&say));
	CHECK(entry_take(&e, BYTES(" "), &show, &say) == ENTRY_MORE);
	CHECK(bytes_equal(writer_bytes(&say), BYTES("foo -x\n")));
	CHECK(entry_take(&e, BYTES("foo -x\r"), &show, &say) == ENTRY_MORE);
	CHECK(entry_take(&e, BYTES("\nbar\r\n/tmp # "), &show, &say) == ENTRY_THROUGH);
	CHECK(bytes_equal(show, BYTES("bar\r\n/tmp # ")));
}

TEST(relay_entry_is_bounded)
{
	struct entry_plan plan = {.user = "u", .password = "p"};
	static struct entry e;
	static uint8_t noise[ENTRY_HELD_MAX + 1];
	char room[ENTRY_SAY_MAX];
	struct writer say = writer_of(room, sizeof room);
	struct bytes show;
	memset(noise, 'x', sizeof noise);
	entry_start(&e, &plan, ENTRY_AT_NAME);
	CHECK(entry_take(&e, (struct bytes){noise, sizeof noise - 1}, &show, &say) == ENTRY_MORE);
	CHECK(entry_take(&e, BYTES("x"), &show, &say) == ENTRY_SHUT);
	entry_start(&e, &plan, ENTRY_AT_NAME);
	CHECK(entry_take(&e, BYTES("login: "), &show, &say) == ENTRY_MORE);
	CHECK(entry_take(&e, BYTES("u\r\nPassword: "), &show, &say) == ENTRY_MORE);
	CHECK(bytes_equal(writer_bytes(&say), BYTES("u\r\np\r\n")));
	CHECK(entry_take(&e, BYTES("\r\nLogin incorrect\r\nlogin: "), &show, &say) == ENTRY_SHUT);
}

#define TELNETD "\377\375\030box login: op\r\nPassword: \r\nHello\r\n$ "

TEST(relay_telnet_goes_on_after_the_login)
{
	for (size_t chunk = 1; chunk < 3; chunk++) {
		rehearse("telnet", "{backend: {" AT ", after: login}}", BYTES("root\r\nplanted\r\nid -un\r\n"),
		         BYTES(TELNETD "op\r\n$ "), 1);
		HOLDS(answer, "gate login: root\r\nPassword: \r\nHello\r\n$ op\r\n$ ");
		LACKS(answer, "box login");
		LACKS(answer, "BusyBox");
		HOLDS(heard, "\377\374\030op\r\nreal\r\n");
		HOLDS(heard, "id -un\r\n");
		HOLDS(events, "\"login.user\":\"root\",\"login.secret\":\"planted\",\"login.accepted\":true");
		HOLDS(events, "\"backend\":\"10.0.0.2 port 9\",\"backend.after\":\"login\"");
		HOLDS(events, "\"command.line\":\"id -un\"");
	}
}

TEST(relay_backend_that_is_down_leaves_the_emulator)
{
	play.backend.refuses = true;
	rehearse("telnet", "{backend: {" AT ", after: login}}", BYTES("root\r\nplanted\r\necho hi\r\n"), BYTES(""), 64);
	HOLDS(answer, "echo hi\r\nhi\r\n# ");
	LACKS(events, "backend");
	/* One that asks for a log-in that it does not take, and one that says nothing. */
	rehearse("telnet", "{backend: {" AT ", after: login}}", BYTES("root\r\nplanted\r\necho hi\r\n"),
	         BYTES("login: Password: \r\nLogin incorrect\r\nlogin: "), 1);
	HOLDS(answer, "echo hi\r\nhi\r\n# ");
	rehearse("telnet", "{backend: {" AT ", after: unknown}}", BYTES("root\r\nplanted\r\nfoo\r\necho hi\r\n"), BYTES(""), 64);
	HOLDS(answer, "foo\r\n-sh: foo: not found\r\n# echo hi\r\nhi\r\n# ");
	play.backend.refuses = true;
	rehearse("redis", "{backend: {address: 10.0.0.2, port: 9}}", BYTES("PING\r\n"), BYTES(""), 64);
	HOLDS(answer, "+PONG\r\n");
}

TEST(relay_any_service_is_passed_on)
{
	rehearse("redis", "{backend: {address: 10.0.0.2, port: 9}}", BYTES("PING\r\nx"), BYTES("-ERR no\r\n"), 3);
	CHECK(!strcmp(play.answer, "-ERR no\r\n") && !strcmp(play.heard, "PING\r\nx"));
}

TEST(relay_http_swaps_log_ins)
{
	/* op:real, root:planted, root:wrong */
	rehearse("http", "{backend: {" AT "}}",
	         BYTES("GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Basic cm9vdDpwbGFudGVk\r\nX: y\r\n\r\n"
	               "GET /b HTTP/1.1\r\nHost: h\r\nauthorization:Basic b3A6cmVhbA==\r\n\r\n"
	               "POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n\r\na=1&pass=planted&name=ro%6ft"),
	         BYTES("HTTP/1.1 200 OK\r\n\r\n"), 7);
	HOLDS(heard, "GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Basic b3A6cmVhbA==\r\nX: y\r\n\r\nGET /b");
	CHECK(strstr(strstr(play.heard, "GET /b"), "Authorization: Basic b3A6"));
	CHECK_SAY(!strstr(strstr(play.heard, "GET /b"), "b3A6cmVhbA=="), "the backend's own password went through");
	HOLDS(heard, "POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 21\r\n\r\na=1&pass=real&name=op");
	HOLDS(events, "\"login.user\":\"op\",\"login.secret\":\"real\",\"login.accepted\":false");
	HOLDS(answer, "HTTP/1.1 200 OK\r\n\r\n");
}

TEST(relay_http_hands_over_what_it_has_not_got)
{
	rehearse("http", "{backend: {" AT ", after: unknown}}",
	         BYTES("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n"),
	         BYTES("HTTP/1.1 203 Real\r\n\r\n"), 5);
	HOLDS(answer, "front");
	HOLDS(answer, "HTTP/1.1 203 Real");
	LACKS(answer, "404");
	LACKS(heard, "GET / HTTP");
	HOLDS(heard, "GET /x HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n");
}
