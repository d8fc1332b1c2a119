/* A client's half of the transport, just as much as is needed to talk to a server of ours. */
#include "passive/services/ssh/peer.h"
#include "passive/services/ssh/kex_keys.h"
#include "passive/services/ssh/ssh.h"

#define METHOD "curve25519-sha256"
#define POINT 32
#define WINDOW 2097152

static const uint8_t rehearsed[EXCHANGE_RANDOM] = {8, 1, 2, 3, 5, 8, 13, 21, 34, 55};

static const char *version_of(const struct ssh_peer *p)
{
	return p->version ? p->version : "SSH-2.0-rehearsal";
}

/* What X25519 makes of our secret and a point of theirs. */
static bool agree(const struct ssh_peer *p, struct bytes theirs, uint8_t ours[POINT], struct writer *shared)
{
	struct writer w = writer_of(ours, POINT);
	return exchange_answer(ssh_exchange_named(BYTES(METHOD)), 0,
	                       p->secret ? p->secret : rehearsed, theirs, &w, shared);
}

static void write_init(const struct ssh_peer *p, struct writer *w)
{
	const char *const lists[] = {METHOD, "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256", p->cipher, p->cipher, p->mac,
	                             p->mac, "none",        "none",    "",        ""};
	write_u8(w, SSH_KEXINIT);
	write_zero(w, 16);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		write_string_text(w, lists[i]);
	write_u8(w, 0);
	write_u32(w, 0);
}

void peer_hello(struct ssh_peer *p, struct writer *out)
{
	static const uint8_t base[POINT] = {9};
	uint8_t point[POINT], unused[64], message[64];
	struct writer init = writer_of(p->init, sizeof p->init), s = writer_of(unused, sizeof unused),
	              w = writer_of(message, sizeof message);
	write_fmt(out, "%s\r\n", version_of(p));
	write_init(p, &init);
	p->init_len = writer_used(&init);
	flow_seal(&p->out, writer_bytes(&init), 0, out);
	agree(p, (struct bytes){base, POINT}, point, &s);
	write_u8(&w, SSH_KEX_FIRST);
	write_string(&w, (struct bytes){point, POINT});
	flow_seal(&p->out, writer_bytes(&w), 0, out);
}

static bool digest_string(EVP_MD_CTX *c, struct bytes b)
{
	uint8_t length[4];
	struct writer w = writer_of(length, sizeof length);
	write_u32(&w, (uint32_t)b.len);
	return EVP_DigestUpdate(c, length, 4) && EVP_DigestUpdate(c, b.at, b.len);
}

static bool keys_make(struct ssh_peer *p, struct bytes banner, struct bytes init, struct bytes reply)
{
	uint8_t point[POINT], k[64], hash[32];
	struct writer shared = writer_of(k, sizeof k);
	struct reader r = reader_of(reply.at + 1, reply.len - 1);
	struct bytes host_key = read_string(&r), theirs = read_string(&r);
	if (!reader_ok(&r) || !agree(p, theirs, point, &shared))
		return false;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	const struct bytes said[] = {bytes_of_text(version_of(p)), banner,         {p->init, p->init_len}, init,
	                             host_key,       {point, POINT}, theirs};
	bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	for (size_t i = 0; ok && i < sizeof said / sizeof *said; i++)
		ok = digest_string(c, said[i]);
	struct bytes key = writer_bytes(&shared), all = {hash, sizeof hash};
	ok = ok && EVP_DigestUpdate(c, key.at, key.len) && EVP_DigestFinal_ex(c, hash, NULL);
	EVP_MD_CTX_free(c);
	struct ssh_secrets ours, of_server;
	const struct ssh_exchange *x = ssh_exchange_named(BYTES(METHOD));
	const struct ssh_cipher *cipher = ssh_cipher_named(bytes_of_text(p->cipher));
	const struct ssh_mac *mac = ssh_mac_named(bytes_of_text(p->mac));
	return ok && cipher && ssh_derive(x, key, all, all, false, &ours) &&
	       ssh_derive(x, key, all, all, true, &of_server) &&
	       flow_key(&p->out, cipher, mac, &ours, true, &p->umac_out) &&
	       flow_key(&p->in, cipher, mac, &of_server, false, &p->umac_in);
}

int peer_agree(struct ssh_peer *p, struct reader *said, struct writer *out)
{
	uint8_t room[3][SSH_SEALED_MAX];
	struct bytes payload[3], banner;
	struct reader r = *said;
	struct ssh_flow in = p->in;
	if (!read_line(&r, &banner))
		return 0;
	for (size_t i = 0; i < 3; i++) { /* KEXINIT, the reply, NEWKEYS */
		static const uint8_t wanted[] = {SSH_KEXINIT, SSH_KEX_REPLY, SSH_NEWKEYS};
		enum flow_opened opened = flow_open(&in, &r, room[i], &payload[i]);
		if (opened != FLOW_PACKET)
			return opened == FLOW_MORE ? 0 : -1;
		if (payload[i].at[0] != wanted[i])
			return -1;
	}
	p->in = in;
	*said = r;
	flow_seal(&p->out, BYTES("\x15"), 0, out);
	return keys_make(p, banner, payload[0], payload[1]) ? 1 : -1;
}

bool peer_send(struct ssh_peer *p, struct bytes payload, struct writer *out)
{
	return flow_seal(&p->out, payload, 0, out);
}

void peer_done(struct ssh_peer *p)
{
	flow_done(&p->in);
	flow_done(&p->out);
}

void peer_write_service(struct writer *w)
{
	write_u8(w, SSH_SERVICE_REQUEST);
	write_string_text(w, "ssh-userauth");
}

void peer_write_password(struct writer *w, const char *user, const char *password)
{
	write_u8(w, SSH_AUTH_REQUEST);
	write_string_text(w, user);
	write_string_text(w, "ssh-connection");
	write_string_text(w, "password");
	write_u8(w, 0);
	write_string_text(w, password);
}

void peer_write_open(struct writer *w)
{
	write_u8(w, SSH_CHANNEL_OPEN);
	write_string_text(w, "session");
	write_u32(w, 0);
	write_u32(w, WINDOW);
	write_u32(w, 32768);
}

void peer_write_exec(struct writer *w, const char *command)
{
	write_u8(w, SSH_CHANNEL_REQUEST);
	write_u32(w, 0);
	write_string_text(w, "exec");
	write_u8(w, 1);
	write_string_text(w, command);
}
