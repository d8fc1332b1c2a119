/* The ciphers and MACs by name, and keying a direction with them. */
#include "passive/services/ssh/cipher_inner.h"
#include <openssl/core_names.h>
#include <openssl/params.h>

static const struct ssh_cipher ciphers[] = {
        {"chacha20-poly1305@openssh.com", "ChaCha20", SSH_CHACHA, 64, 0, 8},
        {"aes128-ctr", "AES-128-CTR", SSH_CTR, 16, 16, 16},
        {"aes192-ctr", "AES-192-CTR", SSH_CTR, 24, 16, 16},
        {"aes256-ctr", "AES-256-CTR", SSH_CTR, 32, 16, 16},
        {"aes128-gcm@openssh.com", "AES-128-GCM", SSH_GCM, 16, 12, 16},
        {"aes256-gcm@openssh.com", "AES-256-GCM", SSH_GCM, 32, 12, 16},
        {"aes128-cbc", "AES-128-CBC", SSH_CBC, 16, 16, 16},
        {"aes192-cbc", "AES-192-CBC", SSH_CBC, 24, 16, 16},
        {"aes256-cbc", "AES-256-CBC", SSH_CBC, 32, 16, 16},
        {"3des-cbc", "DES-EDE3-CBC", SSH_CBC, 24, 8, 8},
};

static const struct ssh_mac macs[] = {
        {"hmac-sha2-256", "SHA256", 32, 32, false},
        {"hmac-sha2-512", "SHA512", 64, 64, false},
        {"hmac-sha1", "SHA1", 20, 20, false},
        {"hmac-sha1-96", "SHA1", 20, 12, false},
        {"hmac-md5", "MD5", 16, 16, false},
        {"hmac-sha2-256-etm@openssh.com", "SHA256", 32, 32, true},
        {"hmac-sha2-512-etm@openssh.com", "SHA512", 64, 64, true},
        {"hmac-sha1-etm@openssh.com", "SHA1", 20, 20, true},
        {"umac-64@openssh.com", NULL, 16, 8, false},
        {"umac-128@openssh.com", NULL, 16, 16, false},
        {"umac-64-etm@openssh.com", NULL, 16, 8, true},
        {"umac-128-etm@openssh.com", NULL, 16, 16, true},
};

const struct ssh_cipher *ssh_cipher_named(struct bytes name)
{
	for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
		if (bytes_equal_text(name, ciphers[i].name))
			return &ciphers[i];
	return NULL;
}

const struct ssh_mac *ssh_mac_named(struct bytes name)
{
	for (size_t i = 0; i < sizeof macs / sizeof *macs; i++)
		if (bytes_equal_text(name, macs[i].name))
			return &macs[i];
	return NULL;
}

static EVP_CIPHER_CTX *cipher_open(const char *name, const uint8_t *key, const uint8_t *iv,
                                   bool sealing)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	EVP_CIPHER *kind = c ? EVP_CIPHER_fetch(NULL, name, NULL) : NULL;
	bool ok = kind && EVP_CipherInit_ex2(c, kind, key, iv, sealing, NULL) &&
	          EVP_CIPHER_CTX_set_padding(c, 0);
	EVP_CIPHER_free(kind);
	if (ok)
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

static EVP_MAC_CTX *mac_open(const char *name, const char *digest, const uint8_t *key, size_t n)
{
	EVP_MAC *kind = EVP_MAC_fetch(NULL, name, NULL);
	EVP_MAC_CTX *c = kind ? EVP_MAC_CTX_new(kind) : NULL;
	OSSL_PARAM params[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
	if (digest)
		params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0);
	EVP_MAC_free(kind);
	if (c && (!key || EVP_MAC_init(c, key, n, params)))
		return c;
	EVP_MAC_CTX_free(c);
	return NULL;
}

void flow_done(struct ssh_flow *f)
{
	EVP_CIPHER_CTX_free(f->body);
	EVP_CIPHER_CTX_free(f->head);
	EVP_MAC_CTX_free(f->keyed);
	if (f->umac)
		umac_done(f->umac);
	*f = (struct ssh_flow){.sequence = f->sequence};
}

static bool mac_key(struct ssh_flow *f, const struct ssh_secrets *keys, struct umac *umac)
{
	if (f->mac->digest) {
		f->keyed = mac_open("HMAC", f->mac->digest, keys->mac, f->mac->key);
		return f->keyed != NULL;
	}
	f->umac = umac;
	return umac_start(umac, keys->mac, f->mac->tag);
}

bool flow_key(struct ssh_flow *f, const struct ssh_cipher *cipher, const struct ssh_mac *mac,
              const struct ssh_secrets *keys, bool sealing, struct umac *umac)
{
	flow_done(f);
	f->cipher = cipher;
	if (!ssh_cipher_authenticates(cipher))
		f->mac = mac;
	if (cipher->mode == SSH_CHACHA) { /* the first half is the packet's, the second the length's */
		f->body = cipher_open(cipher->libcrypto, keys->key, NULL, true);
		f->head = cipher_open(cipher->libcrypto, keys->key + 32, NULL, true);
		f->keyed = mac_open("POLY1305", NULL, NULL, 0);
		return f->body && f->head && f->keyed;
	}
	memcpy(f->iv, keys->iv, sizeof f->iv);
	f->body = cipher_open(cipher->libcrypto, keys->key, keys->iv, sealing);
	return f->body && (!f->mac || mac_key(f, keys, umac));
}

bool flow_cipher(struct ssh_flow *f, const uint8_t *in, size_t n, uint8_t *out)
{
	int len;
	return EVP_CipherUpdate(f->body, out, &len, in, (int)n) && len == (int)n;
}

bool flow_tag(struct ssh_flow *f, struct bytes message, uint8_t tag[SSH_TAG_MAX])
{
	uint8_t sequence[4] = {(uint8_t)(f->sequence >> 24), (uint8_t)(f->sequence >> 16),
	                       (uint8_t)(f->sequence >> 8), (uint8_t)f->sequence};
	size_t len;
	if (f->umac) /* its nonce is the sequence number */
		return umac_tag(f->umac, f->sequence, message, tag);
	return EVP_MAC_init(f->keyed, NULL, 0, NULL) && EVP_MAC_update(f->keyed, sequence, 4) &&
	       EVP_MAC_update(f->keyed, message.at, message.len) &&
	       EVP_MAC_final(f->keyed, tag, &len, SSH_TAG_MAX);
}

/* Counter and nonce as the original ChaCha20 has them, 64 bits each. */
static bool chacha(EVP_CIPHER_CTX *c, uint32_t sequence, uint8_t block, const uint8_t *in, size_t n,
                   uint8_t *out)
{
	uint8_t iv[16] = {[0] = block,
	                  [12] = (uint8_t)(sequence >> 24),
	                  (uint8_t)(sequence >> 16),
	                  (uint8_t)(sequence >> 8),
	                  (uint8_t)sequence};
	int len;
	return EVP_CipherInit_ex2(c, NULL, NULL, iv, -1, NULL) &&
	       EVP_CipherUpdate(c, out, &len, in, (int)n);
}

bool chacha_length(struct ssh_flow *f, const uint8_t in[4], uint8_t out[4])
{
	return chacha(f->head, f->sequence, 0, in, 4, out);
}

bool chacha_body(struct ssh_flow *f, const uint8_t *in, size_t n, uint8_t *out)
{
	return chacha(f->body, f->sequence, 1, in, n, out);
}

bool chacha_tag(struct ssh_flow *f, struct bytes sealed, uint8_t tag[SSH_TAG_MAX])
{
	uint8_t key[32] = {0};
	size_t len;
	return chacha(f->body, f->sequence, 0, key, sizeof key, key) &&
	       EVP_MAC_init(f->keyed, key, sizeof key, NULL) &&
	       EVP_MAC_update(f->keyed, sealed.at, sealed.len) &&
	       EVP_MAC_final(f->keyed, tag, &len, SSH_TAG_MAX);
}

/* The last eight bytes of the IV count packets (RFC 5647 7.1). */
bool gcm_begin(struct ssh_flow *f, const uint8_t length[4])
{
	int len;
	if (!EVP_CipherInit_ex2(f->body, NULL, NULL, f->iv, -1, NULL) ||
	    !EVP_CipherUpdate(f->body, NULL, &len, length, 4))
		return false;
	for (size_t i = 12; i-- > 4 && ++f->iv[i] == 0;)
		;
	return true;
}
