/* The SSH transport against vectors that others published, and whole dialogues through it. */
#include "base/random.h"
#include "passive/persona.h"
#include "passive/rehearse.h"
#include "passive/services/ssh/peer.h"
#include "passive/services/ssh/sntrup761.h"
#include "passive/services/ssh/ssh.h"
#include "tests/test.h"
#include <stdlib.h>

#define TRANSCRIPT_MAX (1u << 20)

static void hex(const uint8_t *b, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02X", b[i]);
}

/* RFC 4418, appendix. */
TEST(umac_gives_the_references_vectors)
{
	static const struct {
		const char *text;
		size_t times;
		const char *tag;
	} vectors[] = {{"", 0, "6E155FAD26900BE1"},         {"aaa", 1, "44B5CB542F220104"},
	               {"a", 1024, "26BF2F5D60118BD9"},      {"a", 32768, "27F8EF643B0D118D"},
	               {"a", 1048576, "A4477E87E9F55853"},   {"abc", 1, "D4D7B9F6BD4FBFCF"},
	               {"abc", 500, "D4CF26DDEFD5C01A"}};
	struct umac u;
	CHECK(umac_start(&u, (const uint8_t *)"abcdefghijklmnop", 8));
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		size_t one = strlen(vectors[i].text), n = one * vectors[i].times;
		uint8_t *message = malloc(n + 1), tag[UMAC_TAG_MAX];
		char said[2 * UMAC_TAG_MAX + 1];
		CHECK(message);
		for (size_t k = 0; k < n; k++)
			message[k] = (uint8_t)vectors[i].text[k % one];
		CHECK(umac_tag(&u, 0x6263646566676869, (struct bytes){message, n}, tag));
		hex(tag, 8, said);
		CHECK_SAY(!strcmp(said, vectors[i].tag), "%zu times \"%s\": %s", vectors[i].times,
		          vectors[i].text, said);
		free(message);
	}
	umac_done(&u);
}

/* The bytes of a version that the client of OpenSSH 9.2 agrees with (tests/e2e/ssh.sh). */
TEST(sntrup761_gives_what_it_gave_before)
{
	uint8_t public_key[SNTRUP_PUBLIC], random[SNTRUP_RANDOM], both[SNTRUP_CIPHERTEXT + SNTRUP_KEY], digest[32];
	char said[65];
	for (size_t i = 0; i < sizeof public_key; i++)
		public_key[i] = (uint8_t)(7 * i + i / 256);
	for (size_t i = 0; i < sizeof random; i++)
		random[i] = (uint8_t)(11 * i * i + i / 64);
	public_key[SNTRUP_PUBLIC - 1] = 0;
	CHECK(sntrup761_encapsulate(public_key, random, both, both + SNTRUP_CIPHERTEXT));
	CHECK(EVP_Digest(both, sizeof both, digest, NULL, EVP_sha256(), NULL));
	hex(digest, 32, said);
	CHECK_SAY(!strcmp(said, "692F87821D0DA6DDDB546C0C0485072DF7C87A762F2FED483D5C6BCAD401AA3B"), "%s", said);
}

static const struct service *ssh_service(void)
{
	SERVICES_EACH(it)
	if (!strcmp((*it)->name, "ssh"))
		return *it;
	return NULL;
}

struct dialogue { /* played twice: what the server says first decides what the client says next */
	struct ssh_device device;
	struct persona_service of;
	struct persona persona;
	uint8_t sent[65536], answer[TRANSCRIPT_MAX], events[65536];
	struct ssh_peer peer;
	struct writer w;
	struct transcript t;
};

static void play(struct dialogue *d, size_t chunk)
{
	d->t = (struct transcript){writer_of(d->answer, sizeof d->answer), writer_of(d->events, sizeof d->events), 0};
	service_rehearse(ssh_service(), &d->persona, writer_bytes(&d->w), chunk, &d->t);
}

static struct dialogue *dialogue_begin(const char *software, const char *cipher, const char *mac)
{
	static const struct persona_credential root = {BYTES("root"), BYTES("secret")};
	struct dialogue *d = calloc(1, sizeof *d);
	CHECK(d && event_start(NULL) == 0);
	while (strcmp(ssh_software_names[d->device.software], software))
		d->device.software++;
	d->device.sftp = true;
	d->of = (struct persona_service){.service = ssh_service(), .device = &d->device};
	d->persona = persona_plain;
	d->persona.services = &d->of;
	d->persona.service_count = 1;
	d->persona.credentials = &root;
	d->persona.credential_count = 1;
	d->persona.accept_one_in = 0;
	d->peer = (struct ssh_peer){.cipher = cipher, .mac = mac};
	d->w = writer_of(d->sent, sizeof d->sent);
	peer_hello(&d->peer, &d->w);
	play(d, 4096);
	struct reader said = reader_of_bytes(writer_bytes(&d->t.answer));
	int agreed = peer_agree(&d->peer, &said, &d->w);
	CHECK_SAY(agreed == 1, "%s, %s, %s: no keys were agreed on", software, cipher, mac);
	return d;
}

static void dialogue_done(struct dialogue *d)
{
	peer_done(&d->peer);
	free(d);
}

static void say(struct dialogue *d, const struct writer *message)
{
	CHECK(!message->bad && peer_send(&d->peer, writer_bytes(message), &d->w));
}

static void say_login(struct dialogue *d, const char *password)
{
	uint8_t b[512];
	struct writer w = writer_of(b, sizeof b);
	peer_write_service(&w);
	say(d, &w);
	w = writer_of(b, sizeof b);
	peer_write_password(&w, "root", password);
	say(d, &w);
}

static void say_exec(struct dialogue *d, const char *command)
{
	uint8_t b[512];
	struct writer w = writer_of(b, sizeof b);
	peer_write_open(&w);
	say(d, &w);
	w = writer_of(b, sizeof b);
	peer_write_exec(&w, command);
	say(d, &w);
}

/* The numbers of all messages after NEWKEYS, and what channel 0 was sent. */
static void hear(struct dialogue *d, char *numbers, size_t size, struct writer *data)
{
	static uint8_t room[SSH_SEALED_MAX];
	struct reader said = reader_of_bytes(writer_bytes(&d->t.answer));
	struct ssh_flow clear = {0};
	struct bytes line, payload;
	struct writer w = writer_of(numbers, size - 1);
	CHECK(read_line(&said, &line));
	for (int i = 0; i < 3; i++)
		CHECK(flow_open(&clear, &said, room, &payload) == FLOW_PACKET);
	while (reader_left(&said)) {
		CHECK(peer_receive(&d->peer, &said, room, &payload) == FLOW_PACKET);
		write_fmt(&w, "%u ", payload.at[0]);
		struct reader r = reader_of(payload.at + 1, payload.len - 1);
		if (payload.at[0] == SSH_CHANNEL_DATA) {
			read_u32(&r);
			write_span(data, read_string(&r));
		}
	}
	*w.at = 0;
}

static void check_command(const char *software, const char *cipher, const char *mac, size_t chunk)
{
	struct dialogue *d = dialogue_begin(software, cipher, mac);
	char numbers[256];
	uint8_t text[256];
	struct writer data = writer_of(text, sizeof text);
	say_login(d, "secret");
	say_exec(d, "echo hello; false");
	play(d, chunk);
	hear(d, numbers, sizeof numbers, &data);
	bool openssh = !strncmp(software, "openssh", 7);
	/* SERVICE_ACCEPT, SUCCESS, (hostkeys,) confirmation, (window,) success, data, EOF, status, CLOSE */
	CHECK_SAY(!strcmp(numbers, openssh ? "6 52 80 91 93 99 94 96 98 97 " : "6 52 91 99 94 96 98 97 "),
	          "%s, %s, %s: %s", software, cipher, mac, numbers);
	CHECK(bytes_equal_text(writer_bytes(&data), "hello\n"));
	dialogue_done(d);
}

TEST(ssh_runs_a_command_under_every_cipher_and_mac)
{
	static const char *const ciphers[] = {"chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr",
	                                      "aes128-gcm@openssh.com", "aes256-gcm@openssh.com"};
	static const char *const macs[] = {"umac-64-etm@openssh.com", "umac-128-etm@openssh.com",
	                                   "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com",
	                                   "hmac-sha1-etm@openssh.com", "umac-64@openssh.com", "umac-128@openssh.com",
	                                   "hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"};
	for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
		check_command("openssh-8.4", ciphers[i], macs[0], 5);
	for (size_t i = 0; i < sizeof macs / sizeof *macs; i++)
		check_command("openssh-8.4", "aes128-ctr", macs[i], 4096);
}

TEST(ssh_speaks_as_each_software)
{
	check_command("openssh-7.4", "aes256-ctr", "hmac-sha1", 1);
	check_command("dropbear-2022.83", "chacha20-poly1305@openssh.com", "hmac-sha1", 1);
	check_command("dropbear-2020.81", "aes128-ctr", "hmac-sha2-256", 7);
}

/* sshd: the sixth failure is the end, with a reason; Dropbear takes ten and says none. */
TEST(ssh_ends_after_too_many_tries)
{
	static const struct {
		const char *software, *numbers;
		unsigned tries;
	} cases[] = {{"openssh-8.4", "6 51 51 51 51 51 1 ", 8}, {"dropbear-2020.81", "6 51 51 51 51 51 51 51 51 51 ", 12}};
	for (size_t i = 0; i < 2; i++) {
		struct dialogue *d = dialogue_begin(cases[i].software, "aes128-ctr", "hmac-sha2-256");
		char numbers[256];
		uint8_t b[512];
		struct writer w = writer_of(b, sizeof b), none = writer_of(b, 0);
		say_login(d, "wrong");
		peer_write_password(&w, "root", "wrong again");
		for (unsigned k = 1; k < cases[i].tries; k++)
			say(d, &w);
		play(d, 4096);
		hear(d, numbers, sizeof numbers, &none);
		CHECK_SAY(!strcmp(numbers, cases[i].numbers), "%s: %s", cases[i].software, numbers);
		dialogue_done(d);
	}
}

TEST(ssh_breaks_off_at_a_spoilt_packet)
{
	static const char *const ciphers[] = {"chacha20-poly1305@openssh.com", "aes128-ctr", "aes128-gcm@openssh.com"};
	for (size_t i = 0; i < 3; i++) {
		struct dialogue *d = dialogue_begin("openssh-8.4", ciphers[i], "hmac-sha2-256-etm@openssh.com");
		char numbers[64];
		struct writer none = writer_of(numbers, 0);
		size_t before = writer_used(&d->w);
		say_login(d, "secret");
		d->sent[before + 12] ^= 1; /* in the first message behind NEWKEYS */
		play(d, 4096);
		hear(d, numbers, sizeof numbers, &none);
		CHECK_SAY(!strcmp(numbers, ""), "%s: %s", ciphers[i], numbers);
		dialogue_done(d);
	}
}

/* What is told: the client, the log-in, the command and the file that it brought. */
TEST(ssh_tells_what_happened)
{
	struct dialogue *d = dialogue_begin("openssh-8.4", "aes128-ctr", "hmac-sha2-256");
	uint8_t b[512];
	say_login(d, "secret");
	say_exec(d, "scp -t /tmp/x");
	struct writer w = writer_of(b, sizeof b);
	write_u8(&w, SSH_CHANNEL_DATA);
	write_u32(&w, 0);
	write_string(&w, BYTES("C0644 5 x\nhello\0"));
	say(d, &w);
	play(d, 4096);
	*d->t.events.at = 0;
	const char *told = (const char *)d->events;
	CHECK(strstr(told, "\"kind\":\"client.seen\"") && strstr(told, "SSH-2.0-rehearsal"));
	CHECK(strstr(told, "\"login.user\":\"root\"") && strstr(told, "\"login.accepted\":true"));
	CHECK(strstr(told, "\"command.line\":\"scp -t /tmp/x\""));
	CHECK(strstr(told, "\"file.size\":5") && strstr(told, "\"file.how\":\"scp\""));
	CHECK(d->t.captures == 1);
	dialogue_done(d);
}

static void check_greeting(const char *software, struct bytes greeting, const char *answer)
{
	struct dialogue *d = dialogue_begin(software, "aes128-ctr", "hmac-sha1");
	d->w = writer_of(d->sent, sizeof d->sent);
	write_span(&d->w, greeting);
	play(d, 1);
	struct reader said = reader_of_bytes(writer_bytes(&d->t.answer));
	struct bytes line;
	CHECK(read_line(&said, &line));
	struct bytes rest = read_rest(&said);
	CHECK_SAY(bytes_equal_text(rest, answer), "%s: %.*s", software, (int)rest.len, rest.at);
	dialogue_done(d);
}

TEST(ssh_refuses_greetings_as_sshd_does)
{
	static const char invalid[] = "Invalid SSH identification string.\r\n";
	check_greeting("openssh-9.2", BYTES("SSH-1337-OpenSSH_9.0\r\n"), invalid);
	check_greeting("openssh-9.2", BYTES("GET / HTTP/1.0\r\n\r\n"), invalid);
	check_greeting("openssh-9.2", BYTES("SSH-2.0-a\0"), invalid);
	check_greeting("openssh-9.2", BYTES("SSH-2.0-a\rb"), invalid);
	check_greeting("openssh-9.2", BYTES("SSH-1.5-x\r\n"), "Protocol major versions differ.\r\n");
	check_greeting("openssh-9.2", BYTES("SSH-2.0-Probe-x\r\n"), "");
	check_greeting("openssh-7.4", BYTES("SSH-1337-OpenSSH_9.0\r\n"), "Protocol mismatch.\n");
	check_greeting("openssh-7.4", BYTES("SSH-3.0-x\r\n"), "Protocol major versions differ.\n");
}
