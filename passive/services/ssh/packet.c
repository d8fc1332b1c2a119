/* Packets into and out of a direction (RFC 4253 section 6). */
#include "passive/services/ssh/cipher_inner.h"
#include <openssl/crypto.h>

#define PADDING_MIN 4
#define LENGTH_MIN 5 /* of a packet: its padding's length and the least of padding */

static bool length_is_apart(const struct ssh_flow *f)
{
	return f->cipher && (ssh_cipher_authenticates(f->cipher) || f->mac->over_ciphertext);
}

static size_t block_of(const struct ssh_flow *f)
{
	return f->cipher && f->cipher->block > 8 ? f->cipher->block : 8;
}

static size_t tag_of(const struct ssh_flow *f)
{
	return !f->cipher ? 0 : f->mac ? f->mac->tag : SSH_AEAD_TAG;
}

static uint32_t load(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool seal_gcm(struct ssh_flow *f, uint8_t *packet, size_t n)
{
	int len;
	return gcm_begin(f, packet) && flow_cipher(f, packet + 4, n - 4, packet + 4) &&
	       EVP_CipherFinal_ex(f->body, packet + n, &len) &&
	       EVP_CIPHER_CTX_ctrl(f->body, EVP_CTRL_AEAD_GET_TAG, SSH_AEAD_TAG, packet + n);
}

/* In place; the tag comes behind. */
static bool seal(struct ssh_flow *f, uint8_t *packet, size_t n)
{
	uint8_t tag[SSH_TAG_MAX];
	bool ok = true;
	if (!f->cipher)
		return true;
	if (f->cipher->mode == SSH_GCM)
		return seal_gcm(f, packet, n);
	if (f->cipher->mode == SSH_CHACHA) {
		ok = chacha_length(f, packet, packet) && chacha_body(f, packet + 4, n - 4, packet + 4) &&
		     chacha_tag(f, (struct bytes){packet, n}, tag);
	} else if (f->mac->over_ciphertext) {
		ok = flow_cipher(f, packet + 4, n - 4, packet + 4) &&
		     flow_tag(f, (struct bytes){packet, n}, tag);
	} else {
		ok = flow_tag(f, (struct bytes){packet, n}, tag) && flow_cipher(f, packet, n, packet);
	}
	memcpy(packet + n, tag, tag_of(f));
	return ok;
}

bool flow_seal(struct ssh_flow *f, struct bytes payload, uint64_t noise, struct writer *out)
{
	size_t block = block_of(f), counted = payload.len + (length_is_apart(f) ? 1 : 5);
	size_t padding = block - counted % block;
	if (padding < PADDING_MIN)
		padding += block;
	size_t n = 5 + payload.len + padding;
	uint8_t *packet = out->at;
	if (payload.len > SSH_PAYLOAD_MAX || writer_left(out) < n + tag_of(f))
		return false;
	write_u32(out, (uint32_t)(n - 4));
	write_u8(out, (uint8_t)padding);
	write_span(out, payload);
	for (size_t i = 0; i < padding; i++)
		write_u8(out, (uint8_t)(noise >> i % 8 * 8));
	bool ok = seal(f, packet, n);
	out->at += tag_of(f);
	f->sequence++;
	return ok;
}

/* What is needed for a look at the packet's length; false: more is to come, or it is broken. */
static bool length_read(struct ssh_flow *f, struct reader *in, bool *broken)
{
	uint8_t clear[4];
	size_t first = f->cipher && !length_is_apart(f) ? block_of(f) : 4;
	if (reader_left(in) < first)
		return false;
	if (!f->cipher || f->cipher->mode == SSH_GCM || (f->mac && f->mac->over_ciphertext)) {
		f->length = load(in->at);
	} else if (f->cipher->mode == SSH_CHACHA) {
		*broken = !chacha_length(f, in->at, clear);
		f->length = load(clear);
	} else { /* the first block is taken, for its cipher cannot be turned back */
		*broken = !flow_cipher(f, in->at, first, f->first);
		read_bytes(in, first);
		f->length = load(f->first);
	}
	size_t apart = length_is_apart(f) ? 0 : 4;
	*broken |= f->length < LENGTH_MIN || f->length > SSH_PACKET_MAX ||
	           (f->length + apart) % block_of(f);
	f->began = true;
	return !*broken;
}

static bool tags_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

static bool open_gcm(struct ssh_flow *f, struct bytes sealed, const uint8_t *tag, uint8_t *room)
{
	int len;
	return gcm_begin(f, sealed.at) && flow_cipher(f, sealed.at + 4, f->length, room + 4) &&
	       EVP_CIPHER_CTX_ctrl(f->body, EVP_CTRL_AEAD_SET_TAG, SSH_AEAD_TAG, (void *)tag) &&
	       EVP_CipherFinal_ex(f->body, room, &len);
}

/* `sealed` is the whole packet, but without its first block where that was taken before. */
static bool open_sealed(struct ssh_flow *f, struct bytes sealed, const uint8_t *tag, uint8_t *room)
{
	uint8_t made[SSH_TAG_MAX];
	if (!f->cipher) {
		memcpy(room, sealed.at, sealed.len);
		return true;
	}
	if (f->cipher->mode == SSH_GCM)
		return open_gcm(f, sealed, tag, room);
	if (f->cipher->mode == SSH_CHACHA)
		return chacha_tag(f, sealed, made) && tags_equal(made, tag, SSH_AEAD_TAG) &&
		       chacha_body(f, sealed.at + 4, f->length, room + 4);
	if (f->mac->over_ciphertext)
		return flow_tag(f, sealed, made) && tags_equal(made, tag, f->mac->tag) &&
		       flow_cipher(f, sealed.at + 4, f->length, room + 4);
	size_t block = block_of(f);
	memcpy(room, f->first, block);
	return (sealed.len == 0 || flow_cipher(f, sealed.at, sealed.len, room + block)) &&
	       flow_tag(f, (struct bytes){room, block + sealed.len}, made) &&
	       tags_equal(made, tag, f->mac->tag);
}

enum flow_opened flow_open(struct ssh_flow *f, struct reader *in, uint8_t *room, struct bytes *payload)
{
	bool broken = false;
	if (!f->began && !length_read(f, in, &broken))
		return broken ? FLOW_BROKEN : FLOW_MORE;
	size_t taken = f->cipher && !length_is_apart(f) ? block_of(f) : 0;
	size_t sealed = 4 + f->length - taken, tag = tag_of(f);
	if (reader_left(in) < sealed + tag)
		return FLOW_MORE;
	struct bytes whole = read_bytes(in, sealed);
	if (!open_sealed(f, whole, in->at, room))
		return FLOW_BROKEN;
	read_bytes(in, tag);
	f->began = false;
	f->sequence++;
	uint8_t padding = room[4];
	if (padding < PADDING_MIN || padding + 1u >= f->length)
		return FLOW_BROKEN;
	*payload = (struct bytes){room + 5, f->length - padding - 1};
	return FLOW_PACKET;
}
