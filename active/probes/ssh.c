/*
 * SSH: the banner, what the server can do, and its host key; never a user name.
 *
 * After its banner the server hears ours, with the page that explains us as the comment that
 * RFC 4253 4.2 allows.  Its KEXINIT tells what software it is (HASSH).  One key exchange is
 * begun, since the server signs with its host key then, and the key is what a machine keeps
 * when its address changes (active/reading/hostkey_inner.h).  Then SSH_MSG_DISCONNECT says who asked,
 * which OpenSSH writes into its log, and we hang up before any key is taken into use.
 *
 * A signature shows that the key's holder took part, not that the holder is the host: one
 * that hands our bytes on to another shows that one's key.
 */
#include "active/reading/banner_inner.h"
#include "active/reading/contact_inner.h"
#include "active/reading/hostkey_inner.h"
#include "active/probe.h"
#include "active/probes/ssh_specimens_inner.h"
#include <openssl/evp.h>

#define QUESTION_MAX 3072
#define PAYLOAD_MAX 1536  /* of a message of ours */
#define PACKET_MAX 35000  /* RFC 4253 6.1 */
#define PREAMBLE_MAX 2048 /* lines before the banner, 4.2 */
#define VERSION_MAX 256

enum { DISCONNECT = 1, KEXINIT = 20, KEX_INIT = 30, KEX_REPLY = 31, BY_APPLICATION = 11 };

enum ssh_list { KEX, HOST_KEY, CIPHER_OUT, CIPHER_IN, MAC_OUT, MAC_IN, PRESS_OUT, PRESS_IN, LISTS = 10 };

struct ssh {
	bool greeted, began, left;
};

struct ssh_talk { /* what of it has come whole; spans into the bytes that came */
	struct bytes version, init, reply;
	struct bytes lists[LISTS]; /* of init; the server's direction is IN */
	bool speaks;               /* SSH 2 */
	bool over;                 /* nothing more is to be expected */
};

FIELD(SSH_HASSH_SERVER, "ssh.hassh_server", TEXT, 0, "digest of the server's algorithm lists, HASSH");
FIELD(SSH_KEX, "ssh.kex", BYTES, 0, "its key exchange methods");
FIELD(SSH_HOST_KEYS, "ssh.host_key_types", BYTES, 0, "its host key algorithms");
FIELD(SSH_CIPHERS, "ssh.ciphers", BYTES, 0, "its ciphers, from server to client");
FIELD(SSH_MACS, "ssh.macs", BYTES, 0, "its MACs, from server to client");
FIELD(SSH_COMPRESSION, "ssh.compression", BYTES, 0, "its compression, from server to client");
FIELD(SSH_HOST_KEY, "ssh.host_key", TEXT, 0, "fingerprint of its host key, SHA-256 as OpenSSH writes it");
FIELD(SSH_HOST_KEY_TYPE, "ssh.host_key_type", BYTES, 0, "kind of that key");
FIELD(SSH_HOST_KEY_PROVED, "ssh.host_key_proved", BOOL, 0, "whether its holder signed this exchange");

static struct bytes read_string(struct reader *r)
{
	uint32_t n = read_u32(r);
	return read_bytes(r, n);
}

static void write_string(struct writer *w, struct bytes b)
{
	write_u32(w, (uint32_t)b.len);
	write_span(w, b);
}

/* One packet (RFC 4253 6): false while it has not come, or when it is none, then over. */
static bool ssh_packet(struct reader *r, struct ssh_talk *t, struct bytes *payload)
{
	struct reader at = *r;
	uint32_t len = read_u32(&at);
	uint8_t padding = read_u8(&at);
	if (!reader_ok(&at))
		return false;
	if (len > PACKET_MAX || len < padding + 2u) {
		t->over = true;
		return false;
	}
	*payload = read_bytes(&at, len - padding - 1u);
	read_bytes(&at, padding);
	if (!reader_ok(&at))
		return false;
	*r = at;
	return true;
}

static void ssh_take(struct ssh_talk *t, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	uint8_t type = read_u8(&r);
	if (type == DISCONNECT) {
		t->over = true;
	} else if (type == KEXINIT && !t->init.len) {
		read_bytes(&r, 16); /* cookie */
		for (int i = 0; i < LISTS; i++)
			t->lists[i] = read_string(&r);
		t->over |= !reader_ok(&r);
		if (reader_ok(&r))
			t->init = payload;
	} else if (type == KEX_REPLY && t->init.len) {
		t->reply = payload;
		t->over = true;
	}
}

static struct ssh_talk ssh_read(struct bytes all)
{
	struct ssh_talk t = {0};
	struct reader r = reader_of_bytes(all);
	struct bytes line, payload;
	while (!t.version.len && read_line(&r, &line))
		if (bytes_start_with(line, "SSH-"))
			t.version = line;
	t.speaks = t.version.len <= VERSION_MAX && (bytes_start_with(t.version, "SSH-2.0-") ||
						    bytes_start_with(t.version, "SSH-1.99-"));
	t.over = !t.speaks && (t.version.len || all.len > PREAMBLE_MAX);
	while (t.speaks && !t.over && ssh_packet(&r, &t, &payload))
		ssh_take(&t, payload);
	return t;
}

/* Without the line's end. */
static struct bytes ssh_version(struct asking *a, struct writer room)
{
	struct bytes page = contact_of(asking_settings(a));
	write_text(&room, "SSH-2.0-kansoku");
	if (page.len && page.len < VERSION_MAX - 32) {
		write_u8(&room, ' ');
		write_span(&room, page);
	}
	return writer_bytes(&room);
}

static struct bytes first_of(struct bytes list) { return (struct bytes){list.at, bytes_find(list, ",")}; }

/* Asks for one method and one kind of key; for all else for what the server likes best. */
static struct bytes ssh_init(struct asking *a, const struct ssh_talk *t, struct writer room)
{
	const struct hostkey_method *method = hostkey_method_choose(t->lists[KEX]);
	const char *type = hostkey_type_choose(t->lists[HOST_KEY]);
	if (!method || !type)
		return (struct bytes){0};
	write_u8(&room, KEXINIT);
	write_text(&room, "kansoku ");
	write_u64(&room, address_hash(asking_target(a), asking_port(a)));
	write_string(&room, bytes_of_text(hostkey_method_name(method)));
	write_string(&room, bytes_of_text(type));
	for (int i = CIPHER_OUT; i <= PRESS_IN; i++)
		write_string(&room, first_of(t->lists[i]));
	write_zero(&room, 4 + 4 + 1 + 4); /* languages, no guess follows, reserved */
	return room.bad ? (struct bytes){0} : writer_bytes(&room);
}

static void ssh_say(struct asking *a, struct bytes payload)
{
	uint8_t packet[PAYLOAD_MAX + 32];
	struct writer w = writer_of(packet, sizeof packet);
	size_t padding = 8 - (5 + payload.len) % 8;
	padding += padding < 4 ? 8 : 0;
	write_u32(&w, (uint32_t)(1 + payload.len + padding));
	write_u8(&w, (uint8_t)padding);
	write_span(&w, payload);
	write_zero(&w, padding);
	asking_say_bytes(a, writer_bytes(&w));
}

/* Our KEXINIT and the half that goes with it; false: we have nothing in common. */
static bool ssh_begin(struct asking *a, const struct ssh_talk *t)
{
	uint8_t payload[PAYLOAD_MAX], half[HOSTKEY_HALF_MAX + 8];
	struct bytes init = ssh_init(a, t, writer_of(payload, sizeof payload));
	struct writer w = writer_of(half, sizeof half);
	write_u8(&w, KEX_INIT);
	if (!init.len || !hostkey_method_half(hostkey_method_choose(t->lists[KEX]), &w))
		return false;
	ssh_say(a, init);
	ssh_say(a, writer_bytes(&w));
	return true;
}

static void ssh_leave(struct asking *a, struct ssh *s)
{
	uint8_t payload[PAYLOAD_MAX];
	struct writer w = writer_of(payload, sizeof payload);
	struct bytes page = contact_of(asking_settings(a));
	write_u8(&w, DISCONNECT);
	write_u32(&w, BY_APPLICATION);
	write_string(&w, page.len ? page : BYTES("kansoku"));
	write_u32(&w, 0); /* language */
	if (!s->left)
		ssh_say(a, writer_bytes(&w));
	s->left = true;
}

static enum probe_next ssh_input(struct asking *a, void *state, struct reader *r)
{
	struct ssh *s = state;
	struct ssh_talk t = ssh_read((struct bytes){r->at, reader_left(r)});
	if (t.speaks && !s->greeted) {
		uint8_t text[VERSION_MAX];
		struct bytes ours = ssh_version(a, writer_of(text, sizeof text));
		asking_say_bytes(a, ours);
		asking_say_bytes(a, BYTES("\r\n"));
		s->greeted = true;
	}
	if (t.init.len && !s->began) {
		s->began = true;
		if (!ssh_begin(a, &t))
			t.over = true;
	}
	if (t.over && s->greeted)
		ssh_leave(a, s);
	return t.over ? PROBE_DONE : PROBE_CONTINUE;
}

/* https://github.com/salesforce/hassh: what the server sends, in its own order. */
static void ssh_report_lists(struct asking *a, const struct ssh_talk *t, struct event *answer)
{
	static const enum ssh_list hashed[] = {KEX, CIPHER_IN, MAC_IN, PRESS_IN};
	const uint16_t fields[] = {SSH_KEX, SSH_CIPHERS, SSH_MACS, SSH_COMPRESSION};
	EVP_MD_CTX *md5 = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool able = md5 && EVP_DigestInit_ex(md5, EVP_md5(), NULL) == 1;
	for (size_t i = 0; i < 4; i++) {
		struct bytes list = t->lists[hashed[i]];
		report_bytes(answer, fields[i], list);
		able = able && (i == 0 || EVP_DigestUpdate(md5, ";", 1) == 1) &&
		       EVP_DigestUpdate(md5, list.at, list.len) == 1;
	}
	report_bytes(answer, SSH_HOST_KEYS, t->lists[HOST_KEY]);
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	if (able && EVP_DigestFinal_ex(md5, digest, &n) == 1)
		for (unsigned i = 0; i < n; i++)
			snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	EVP_MD_CTX_free(md5);
	event_set_text(answer, SSH_HASSH_SERVER, hex);
	asking_signal(a, "ssh.hassh_server", bytes_of_text(hex));
}

static void ssh_report_key(struct asking *a, const struct ssh_talk *t, struct event *answer)
{
	uint8_t version[VERSION_MAX], payload[PAYLOAD_MAX], digest[EVP_MAX_MD_SIZE];
	struct reader r = reader_of_bytes(t->reply);
	struct hostkey_talk talk = {
		.client_version = ssh_version(a, writer_of(version, sizeof version)),
		.server_version = t->version,
		.client_init = ssh_init(a, t, writer_of(payload, sizeof payload)),
		.server_init = t->init,
	};
	read_u8(&r);
	talk.key = read_string(&r);
	talk.half = read_string(&r);
	talk.signature = read_string(&r);
	unsigned n = 0;
	if (!reader_ok(&r) || !talk.client_init.len || !talk.key.len ||
	    EVP_Digest(talk.key.at, talk.key.len, digest, &n, EVP_sha256(), NULL) != 1)
		return;
	char text[64] = "SHA256:";
	EVP_EncodeBlock((unsigned char *)text + 7, digest, (int)n);
	text[strcspn(text, "=")] = '\0';
	event_set_text(answer, SSH_HOST_KEY, text);
	asking_signal(a, "ssh.host_key", bytes_of_text(text));
	struct reader blob = reader_of_bytes(talk.key);
	report_bytes(answer, SSH_HOST_KEY_TYPE, read_string(&blob));
	event_set_bool(answer, SSH_HOST_KEY_PROVED,
		       hostkey_is_proved(hostkey_method_choose(t->lists[KEX]), &talk));
}

static void ssh_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct ssh_talk t = ssh_read(unread);
	report_banner(answer, t.version.len ? t.version : unread);
	if (!t.version.len)
		return;
	struct bytes software = {t.version.at + 4, t.version.len - 4};
	size_t at = bytes_find(software, "-") + 1;
	if (at < software.len)
		asking_signal(a, "ssh.banner", (struct bytes){software.at + at, software.len - at});
	if (t.init.len)
		ssh_report_lists(a, &t, answer);
	if (t.reply.len)
		ssh_report_key(a, &t, answer);
}

static bool ssh_recognises(struct bytes first) { return bytes_start_with(first, "SSH-"); }

static const char *const ssh_signals[] = {"ssh.banner", "ssh.hassh_server", "ssh.host_key", NULL};

static const struct probe ssh = {
	.name = "ssh",
	.summary = "reads banner, algorithms and host key; never a user name",
	.reference = "RFC 4253, RFC 8731; OpenSSH, Dropbear",
	.transport = PROBE_TCP,
	.ports = {22, 2222, 22222, 830},
	.tier = PROBE_DEFAULT,
	.question_max = QUESTION_MAX,
	.answer_max = 16384,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.server_first = true,
	.recognises = ssh_recognises,
	.state_size = sizeof(struct ssh),
	.input = ssh_input,
	.finish = ssh_finish,
	.signals = ssh_signals,
	.specimens = ssh_specimens,
};
PROBE(ssh);
