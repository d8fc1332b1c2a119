#include "event/hello.h"
#include "tests/test.h"

static struct hello_said said_of(struct bytes recorded, char *out, size_t n)
{
	struct writer w = writer_of(out, n - 1);
	const struct hello_said told = hello_neutralise(recorded, &w);
	CHECK(!w.bad && writer_used(&w) == recorded.len);
	out[recorded.len] = '\0';
	return told;
}

TEST(hello_loses_what_names_a_machine_and_keeps_its_length)
{
	static const struct {
		const char *recorded, *said;
		bool enlists, credential;
	} cases[] = {
		{"NICK [LX]x86_84312\r\nUSER root 0 * :84312\r\n", "NICK [XX]x00_00000\r\nUSER xxxx 0 * :00000\r\n", true, false},
		{"GET /gate?id=8f3a2b1c9d HTTP/1.1\r\n", "GET /gate?id=0000000000 HTTP/1.1\r\n", false, false},
		{"ip=192.0.2.77;n=12", "ip=000.0.0.00;n=12", false, false},
		{"HELO deadbeef", "HELO 00000000", false, false},
		{"report facade added", "report facade added", false, false},
		{"PASS secret\r\nNICK a\r\n", "PASS secret\r\nNICK x\r\n", true, true},
		{"GET / HTTP/1.1\r\nauthorization: Basic eDp5\r\n", "GET / HTTP/1.1\r\nauthorization: Basic eDp5\r\n", false, true},
		{"a\nJOIN #q\n", "a\nJOIN #q\n", true, false},
	};
	char out[256];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct hello_said told = said_of(bytes_of_text(cases[i].recorded), out, sizeof out);
		CHECK_SAY(!strcmp(out, cases[i].said), "%s became %s", cases[i].recorded, out);
		CHECK_SAY(told.enlists == cases[i].enlists && told.credential == cases[i].credential, "%s", cases[i].recorded);
		CHECK_SAY((told.replaced > 0) == (strcmp(cases[i].recorded, cases[i].said) != 0), "%s", cases[i].recorded);
	}
}

TEST(hello_of_mirai_enlists_and_loses_its_identifier)
{
	static const char recorded[] = "\0\0\0\1\7telnet1", wanted[] = "\0\0\0\1\7xxxxxx0";
	char out[64];
	const struct hello_said told = said_of((struct bytes){(const uint8_t *)recorded, sizeof recorded - 1}, out, sizeof out);
	CHECK(told.enlists && !memcmp(out, wanted, sizeof wanted - 1));
	CHECK(said_of(BYTES("\1"), out, sizeof out).enlists == false);
}

TEST(hello_that_does_not_fit_is_not_said)
{
	char out[4];
	struct writer w = writer_of(out, sizeof out);
	hello_neutralise(BYTES("12345"), &w);
	CHECK(w.bad);
}
