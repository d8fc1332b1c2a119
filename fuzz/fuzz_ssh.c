/*
 * SSH behind its encryption: a client of ours agrees on keys, and the input is what it says then.
 * The first byte picks the server, the second the size of the pieces, the third how far the
 * client has come (bits: asked for the service, logged in, opened a channel); then messages, each
 * behind its length in two bytes.  fuzz_services covers what comes before the keys.
 */
#include "passive/persona.h"
#include "passive/rehearse.h"
#include "passive/services/ssh/peer.h"
#include "passive/services/ssh/ssh.h"
#include <stdlib.h>

#define TRANSCRIPT_MAX (4u << 20)
#define SENT_MAX (1u << 20)
#define SERVERS 5 /* those that have curve25519 */
#define FIRST_DROPBEAR 3

static const struct service *ssh_service;
static struct ssh_device devices[SERVERS];
static struct persona_service of[SERVERS];
static struct persona personas[SERVERS];
static uint8_t greeting[SERVERS][16384], answer[TRANSCRIPT_MAX], events[TRANSCRIPT_MAX], sent[SENT_MAX];
static size_t greeting_len[SERVERS];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct bytes play(size_t server, struct bytes says, size_t chunk)
{
	struct transcript t = {writer_of(answer, sizeof answer), writer_of(events, sizeof events), 0};
	service_rehearse(ssh_service, &personas[server], says, chunk, &t);
	return writer_bytes(&t.answer);
}

static struct ssh_peer peer_new(void)
{
	return (struct ssh_peer){.cipher = "aes128-ctr", .mac = "hmac-sha2-256"};
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct persona_credential root = {{(const uint8_t *)"root", 4}, {(const uint8_t *)"x", 1}};
	(void)argc;
	(void)argv;
	if (event_start(NULL) < 0)
		abort();
	SERVICES_EACH(it)
	if (!strcmp((*it)->name, "ssh"))
		ssh_service = *it;
	for (size_t i = 0; i < SERVERS; i++) {
		devices[i] = (struct ssh_device){.software = (int)i, .sftp = true, .accepts_keys = i & 1};
		of[i] = (struct persona_service){.service = ssh_service, .device = &devices[i]};
		personas[i] = persona_plain;
		personas[i].services = &of[i];
		personas[i].service_count = 1;
		personas[i].credentials = &root;
		personas[i].credential_count = 1;
		struct ssh_peer peer = peer_new();
		struct writer w = writer_of(sent, sizeof sent);
		peer_hello(&peer, &w);
		struct bytes said = play(i, writer_bytes(&w), 65536);
		if (said.len > sizeof greeting[i])
			abort();
		memcpy(greeting[i], said.at, said.len);
		greeting_len[i] = said.len;
	}
	return 0;
}

static void say(struct ssh_peer *peer, const struct writer *message, struct writer *out)
{
	peer_send(peer, writer_bytes(message), out);
}

static void come_far(struct ssh_peer *peer, unsigned how, struct writer *out)
{
	uint8_t b[256];
	struct writer w = writer_of(b, sizeof b);
	peer_write_service(&w);
	if (how & 1)
		say(peer, &w, out);
	w = writer_of(b, sizeof b);
	peer_write_password(&w, "root", "x");
	if (how & 2)
		say(peer, &w, out);
	w = writer_of(b, sizeof b);
	peer_write_open(&w);
	if (how & 4)
		say(peer, &w, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	if (n < 4 || n > 65536)
		return 0;
	struct reader r = reader_of(input, n);
	uint8_t pick = read_u8(&r);
	size_t server = pick % SERVERS, chunk = read_u8(&r) + 1u;
	unsigned how = read_u8(&r);
	/* After a log-in OpenSSH shows an RSA key, which each rehearsal makes anew: seldom, then. */
	if (how & 2 && server < FIRST_DROPBEAR && pick < 250)
		server = FIRST_DROPBEAR + pick % 2;
	struct ssh_peer peer = peer_new();
	struct writer w = writer_of(sent, sizeof sent);
	struct reader said = reader_of(greeting[server], greeting_len[server]);
	peer_hello(&peer, &w);
	if (peer_agree(&peer, &said, &w) != 1)
		abort(); /* the target would reach nothing */
	come_far(&peer, how, &w);
	while (reader_left(&r) > 2) {
		size_t len = read_u16(&r);
		len = len < reader_left(&r) ? len : reader_left(&r);
		peer_send(&peer, read_bytes(&r, len), &w);
	}
	play(server, writer_bytes(&w), chunk == 256 ? 65536 : chunk);
	peer_done(&peer);
	return 0;
}
