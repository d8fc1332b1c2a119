/*
 * Sessions at a backend, both ends of which are hostile: the first byte picks the way, the second the
 * size of the pieces, two say how much of the rest the visitor sends (behind a log-in that is let
 * in, where there is one); what is left is the backend's.
 */
#include "passive/persona.h"
#include "passive/rehearse.h"
#include "passive/service_options.h"
#include "passive/services/ssh/peer.h"
#include <stdlib.h>

#define ROOM (4u << 20)
#define INPUT_MAX 65536
#define WAYS 7

static struct persona_set personas[WAYS];
static uint8_t answer[ROOM], events[ROOM], heard[ROOM], sent[ROOM];
static struct bytes greeting; /* of our SSH, to a client of ours */

static const struct {
	const char *service, *after, *before;
} ways[WAYS] = {
	{"redis", "always", ""},
	{"http", "always", ""},
	{"http", "login", "GET / HTTP/1.1\r\nAuthorization: Basic cm9vdDp4\r\n\r\n"},
	{"telnet", "always", ""},
	{"telnet", "login", "root\r\nx\r\n"},
	{"telnet", "unknown", "root\r\nx\r\nfoo\r\n"},
	{"ssh", "login", ""},
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct bytes play(size_t way, struct bytes visitor, size_t chunk, struct bytes backend)
{
	struct transcript t = {writer_of(answer, sizeof answer), writer_of(events, sizeof events), 0};
	struct backend_play b = {.sends = backend, .heard = writer_of(heard, sizeof heard)};
	service_rehearse_behind(service_named(ways[way].service), personas[way].items[0], visitor, chunk, &b, &t);
	return writer_bytes(&t.answer);
}

static struct ssh_peer peer_new(void)
{
	return (struct ssh_peer){.cipher = "aes128-ctr", .mac = "hmac-sha2-256"};
}

static void write_login(struct writer *out)
{
	struct ssh_peer peer = peer_new();
	struct reader said = reader_of_bytes(greeting);
	uint8_t b[256];
	peer_hello(&peer, out);
	if (!greeting.len)
		return;
	if (peer_agree(&peer, &said, out) != 1)
		abort(); /* the target would reach nothing */
	struct writer w = writer_of(b, sizeof b);
	peer_write_service(&w);
	peer_send(&peer, writer_bytes(&w), out);
	w = writer_of(b, sizeof b);
	peer_write_password(&w, "root", "x");
	peer_send(&peer, writer_bytes(&w), out);
	w = writer_of(b, sizeof b);
	peer_write_open(&w);
	peer_send(&peer, writer_bytes(&w), out);
	peer_done(&peer);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t kept[65536];
	(void)argc;
	(void)argv;
	if (event_start(NULL) < 0)
		abort();
	for (size_t i = 0; i < WAYS; i++) {
		char yaml[1024];
		struct fault fault = {0};
		const bool user = strcmp(ways[i].after, "always") != 0 || !strcmp(ways[i].service, "http");
		snprintf(yaml, sizeof yaml, "name: a\ncredentials: [[root, x]]\nhttp: {login: {path: /l, user: u, secret: p, "
			 "accepted: /, refused: /}, pages: [{path: /}]}\nservices: {%s: {backend: {address: 10.0.0.2, port: 1, "
			 "after: %s%s}}}\n", ways[i].service, ways[i].after, user ? ", user: op, password: real" : "");
		if (persona_read(&personas[i], bytes_of_text(yaml), "p.yaml", &fault) < 0) {
			fprintf(stderr, "%s\n", fault.text);
			abort();
		}
	}
	struct writer w = writer_of(sent, sizeof sent);
	write_login(&w);
	struct bytes said = play(WAYS - 1, writer_bytes(&w), 65536, (struct bytes){0});
	if (said.len > sizeof kept)
		abort();
	memcpy(kept, said.at, said.len);
	greeting = (struct bytes){kept, said.len};
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	if (n < 4 || n > INPUT_MAX)
		return 0;
	struct reader r = reader_of(input, n);
	size_t way = read_u8(&r) % WAYS, chunk = read_u8(&r) + 1u, visitor = read_u16(&r);
	struct writer w = writer_of(sent, sizeof sent);
	write_text(&w, ways[way].before);
	if (!strcmp(ways[way].service, "ssh"))
		write_login(&w);
	write_span(&w, read_bytes(&r, visitor < reader_left(&r) ? visitor : reader_left(&r)));
	play(way, writer_bytes(&w), chunk == 256 ? 65536 : chunk, read_rest(&r));
	return 0;
}
