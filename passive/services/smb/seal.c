/*
 * SMB 3's encryption (MS-SMB2 2.2.41, 3.1.4.3): for clients that insist on it.
 *
 * No share asks for it; a client that seals a request gets its answer sealed.
 */
#include "passive/services/smb/smb.h"
#include "passive/services/windows/crypt.h"

enum { SIGNATURE_AT = 4, NONCE_AT = 20, SIZE_AT = 36, FLAGS_AT = 42, SESSION_AT = 44 };

static struct bytes label(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text) + 1};
}

void smb_seal_prepare(struct smb *smb)
{
	bool newest = smb->dialect == 0x0311;
	struct bytes bound = {smb->preauth[1], sizeof smb->preauth[1]};
	if (smb->dialect < 0x0300)
		return;
	crypt_smb3_key(smb->session_key, label(newest ? "SMBC2SCipherKey" : "SMB2AESCCM"),
		       newest ? bound : label("ServerIn "), smb->unseal_key);
	crypt_smb3_key(smb->session_key, label(newest ? "SMBS2CCipherKey" : "SMB2AESCCM"),
		       newest ? bound : label("ServerOut"), smb->seal_key);
	smb->seals = smb->cipher != 0;
}

static struct crypt_sealed sealed_of(const struct smb *smb, const uint8_t *head)
{
	bool gcm = smb->cipher == SMB_CIPHER_GCM;
	return (struct crypt_sealed){.gcm = gcm,
				     .nonce = {head + NONCE_AT, gcm ? 12 : 11},
				     .beside = {head + NONCE_AT, SMB_SEAL_HEAD - NONCE_AT}};
}

bool smb_unseal(const struct smb *smb, struct bytes in, uint8_t *out)
{
	uint8_t tag[16];
	if (!smb->seals || in.len < SMB_SEAL_HEAD || little_get(in.at + FLAGS_AT, 2) != 1 ||
	    little_get(in.at + SESSION_AT, 8) != smb->session_id ||
	    little_get(in.at + SIZE_AT, 4) != in.len - SMB_SEAL_HEAD)
		return false;
	struct crypt_sealed sealed = sealed_of(smb, in.at);
	sealed.text = (struct bytes){in.at + SMB_SEAL_HEAD, in.len - SMB_SEAL_HEAD};
	crypt_aes_open(smb->unseal_key, &sealed, out, tag);
	return memcmp(tag, in.at + SIGNATURE_AT, sizeof tag) == 0;
}

void smb_seal(struct session *s, struct smb *smb, uint8_t *at, size_t len)
{
	memset(at, 0, SMB_SEAL_HEAD);
	memcpy(at, "\xfdSMB", 4);
	little_put(at + NONCE_AT, session_random(s), 8);
	little_put(at + NONCE_AT + 8, ++smb->sealed_count, 3);
	little_put(at + SIZE_AT, len, 4);
	little_put(at + FLAGS_AT, 1, 2);
	little_put(at + SESSION_AT, smb->session_id, 8);
	struct crypt_sealed sealed = sealed_of(smb, at);
	sealed.text = (struct bytes){at + SMB_SEAL_HEAD, len};
	crypt_aes_seal(smb->seal_key, &sealed, at + SMB_SEAL_HEAD, at + SIGNATURE_AT);
}
