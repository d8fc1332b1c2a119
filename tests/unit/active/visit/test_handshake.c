/* What browsers say to the proxy, whole and byte by byte. */
#include "active/visit/handshake_inner.h"
#include "tests/test.h"

static uint8_t head[HANDSHAKE_MAX];

/* Gives it one byte more each time, as a slow peer would. */
static enum handshake_state read_slowly(struct handshake *h, struct bytes input)
{
	enum handshake_state state = HANDSHAKE_MORE;
	size_t from = 0;
	*h = (struct handshake){.greeted = false};
	for (size_t n = 1; from + n <= input.len; n++) {
		state = handshake_read(h, (struct bytes){input.at + from, n}, head);
		if (state == HANDSHAKE_GREET) {
			from += h->used;
			n = 0;
		} else if (state != HANDSHAKE_MORE) {
			break;
		}
	}
	return state;
}

TEST(handshake_of_socks_names_a_host_or_an_address)
{
	struct handshake h;
	CHECK(read_slowly(&h, BYTES("\x05\x01\x00\x05\x01\x00\x03\x0c" "Evil.example\x00\x50")) == HANDSHAKE_GO);
	CHECK(!strcmp(h.host, "evil.example") && h.port == 80 && !h.numeric && h.kind == HANDSHAKE_SOCKS);
	CHECK(read_slowly(&h, BYTES("\x05\x02\x02\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x1f\x90")) == HANDSHAKE_GO);
	CHECK(!strcmp(h.host, "127.0.0.1") && h.port == 8080 && h.numeric);
	CHECK(read_slowly(&h, BYTES("\x05\x01\x00\x05\x01\x00\x03\x06" "0x7f.1\x00\x50")) == HANDSHAKE_GO);
	CHECK(!strcmp(h.host, "127.0.0.1") && h.numeric);
	CHECK(read_slowly(&h, BYTES("\x05\x01\x00\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb")) == HANDSHAKE_GO);
	CHECK(!strcmp(h.host, "2001:db8::1") && h.port == 443);
}

TEST(handshake_of_socks_refuses_what_it_does_not_do)
{
	struct handshake h;
	CHECK(read_slowly(&h, BYTES("\x05\x01\x02")) == HANDSHAKE_REFUSE && bytes_equal(h.answer, BYTES("\x05\xff")));
	CHECK(read_slowly(&h, BYTES("\x05\x01\x00\x05\x02\x00\x01\x01\x02\x03\x04\x00\x50")) == HANDSHAKE_REFUSE && h.answer.at[1] == 7);
	CHECK(read_slowly(&h, BYTES("\x05\x01\x00\x05\x03\x00\x01\x01\x02\x03\x04\x00\x50")) == HANDSHAKE_REFUSE && h.answer.at[1] == 7);
	CHECK(read_slowly(&h, BYTES("\x05\x01\x00\x05\x01\x00\x09\x01\x02\x03\x04\x00\x50")) == HANDSHAKE_REFUSE && h.answer.at[1] == 8);
	CHECK(read_slowly(&h, BYTES("\x05\x01\x00\x05\x01\x00\x03\x03" "a b\x00\x50")) == HANDSHAKE_REFUSE);
	CHECK(read_slowly(&h, BYTES("\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x00\x00")) == HANDSHAKE_REFUSE);
}

TEST(handshake_of_http_connects_or_passes_one_request_on)
{
	struct handshake h;
	CHECK(read_slowly(&h, BYTES("CONNECT evil.example:8443 HTTP/1.1\r\nHost: x\r\n\r\n")) == HANDSHAKE_GO);
	CHECK(h.kind == HANDSHAKE_CONNECT && !strcmp(h.host, "evil.example") && h.port == 8443);
	CHECK(read_slowly(&h, BYTES("CONNECT [::1]:443 HTTP/1.1\r\n\r\n")) == HANDSHAKE_GO && h.numeric && h.port == 443);
	CHECK(read_slowly(&h, BYTES("POST http://evil.example:81/a?b HTTP/1.1\r\nHost: evil.example:81\r\nProxy-Connection: keep-alive\r\n"
				    "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n")) == HANDSHAKE_GO);
	CHECK(h.kind == HANDSHAKE_REQUEST && h.body == 5 && h.port == 81);
	CHECK(bytes_equal_text((struct bytes){head, h.head_len},
			       "POST /a?b HTTP/1.1\r\nHost: evil.example:81\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"));
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\n\r\n", "GET https://x/ HTTP/1.1\r\n\r\n", "CONNECT evil.example/x:1 HTTP/1.1\r\n\r\n",
		"CONNECT a b HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n", "GET http://256.0.0.1/ HTTP/1.1\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_SAY(read_slowly(&h, bytes_of_text(bad[i])) == HANDSHAKE_REFUSE, "%s", bad[i]);
}

TEST(handshake_answers_by_what_became_of_it)
{
	struct handshake socks = {.kind = HANDSHAKE_SOCKS}, http = {.kind = HANDSHAKE_CONNECT};
	CHECK(handshake_answer(&socks, "ok").at[1] == 0 && handshake_answer(&socks, "special").at[1] == 2);
	CHECK(handshake_answer(&socks, "refused").at[1] == 5 && handshake_answer(&socks, "unresolved").at[1] == 4);
	CHECK(bytes_start_with(handshake_answer(&http, "ok"), "HTTP/1.1 200"));
	CHECK(bytes_start_with(handshake_answer(&http, "own"), "HTTP/1.1 403"));
	CHECK(bytes_start_with(handshake_answer(&http, "timeout"), "HTTP/1.1 502"));
}
