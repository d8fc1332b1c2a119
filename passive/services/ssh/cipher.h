/*
 * One direction of an SSH connection: its cipher and MAC (RFC 4253 section 6; RFC 4344; RFC
 * 5647 as OpenSSH does it; PROTOCOL.chacha20poly1305 of OpenSSH), and packets through them.
 *
 * A packet is a payload of at most SSH_PAYLOAD_MAX bytes.  Contexts are libcrypto's; flow_done()
 * gives them back.
 */
#pragma once
#include "passive/services/ssh/umac.h"

#define SSH_PAYLOAD_MAX 34944
#define SSH_PACKET_MAX 35000  /* RFC 4253 6.1: what everybody must take; its length field's maximum */
#define SSH_SEALED_MAX (SSH_PACKET_MAX + 4 + 64)
#define SSH_SECRET_MAX 64     /* the longest key, IV or MAC key */
#define SSH_TAG_MAX 64
#define SSH_BLOCK_MAX 16

enum ssh_mode { SSH_CTR, SSH_CBC, SSH_GCM, SSH_CHACHA };

struct ssh_cipher {
	const char *name, *libcrypto;
	uint8_t mode, key, iv, block;
};

struct ssh_mac {
	const char *name, *digest; /* NULL: UMAC */
	uint8_t key, tag;
	bool over_ciphertext; /* "-etm": the length is in the clear */
};

const struct ssh_cipher *ssh_cipher_named(struct bytes); /* NULL: none such */
const struct ssh_mac *ssh_mac_named(struct bytes);
static inline bool ssh_cipher_authenticates(const struct ssh_cipher *c)
{
	return c->mode == SSH_GCM || c->mode == SSH_CHACHA;
}

struct ssh_flow {
	const struct ssh_cipher *cipher; /* NULL: in the clear */
	const struct ssh_mac *mac;       /* NULL: none, or the cipher's own */
	EVP_CIPHER_CTX *body, *head;     /* head: the length's of ChaCha20-Poly1305 */
	EVP_MAC_CTX *keyed;              /* HMAC, or Poly1305 */
	struct umac *umac;
	uint8_t iv[12];                  /* of GCM */
	uint8_t first[SSH_BLOCK_MAX];    /* of a packet that is not yet whole, in the clear */
	bool began;                      /* `first` or the length is known */
	uint32_t length;                 /* of that packet */
	uint32_t sequence;
};

struct ssh_secrets {
	uint8_t iv[SSH_SECRET_MAX], key[SSH_SECRET_MAX], mac[SSH_SECRET_MAX];
};

/* Takes new keys; the sequence number stays.  False: libcrypto has no memory. */
bool flow_key(struct ssh_flow *, const struct ssh_cipher *, const struct ssh_mac *,
              const struct ssh_secrets *, bool sealing, struct umac *umac);
void flow_done(struct ssh_flow *);

/* The packet of a payload behind `out`'s end; padding is from `noise`, zero when that is 0. */
bool flow_seal(struct ssh_flow *, struct bytes payload, uint64_t noise, struct writer *out);

enum flow_opened {
	FLOW_MORE,   /* not whole yet: what was read is remembered */
	FLOW_PACKET,
	FLOW_BROKEN, /* no packet: its length or its MAC is wrong */
};
/* Takes one packet off the reader; the payload lies in `room` of SSH_SEALED_MAX bytes. */
enum flow_opened flow_open(struct ssh_flow *, struct reader *, uint8_t *room, struct bytes *payload);
