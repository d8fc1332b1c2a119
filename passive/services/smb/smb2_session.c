/* SMB 2 and 3: the dialect, what comes with 3.1.1, and the log-in with its keys. */
#include "passive/services/smb/smb2.h"
#include "passive/services/windows/crypt.h"

enum { CONTEXT_PREAUTH = 1, CONTEXT_ENCRYPTION = 2, CONTEXT_COMPRESSION = 3 };
enum { SESSION_GUEST = 1, SESSION_NULL = 2 };

#define DIALECTS_MAX 64
#define CONTEXTS_MAX 8
#define SIZE_MAX_OLD 65536u
#define SIZE_MAX_NEW 1048576u

static uint16_t dialect_choose(const struct smb *smb, struct reader *list, unsigned count)
{
	uint16_t best = 0;
	for (unsigned i = 0; i < count && i < DIALECTS_MAX; i++) {
		uint16_t d = read_le16(list);
		bool known = d == 0x0202 || d == 0x0210 || d == 0x0300 || d == 0x0302 || d == 0x0311;
		if (d == 0x02ff)
			return d;
		if (known && d <= smb->system->dialect_max && d > best)
			best = d;
	}
	return best;
}

struct offered { /* in contexts */
	uint16_t cipher; /* that we would take; 0: none */
	bool compression;
};

static uint16_t cipher_choose(struct bytes content)
{
	bool gcm = false, ccm = false;
	for (size_t n = 2; n + 2 <= content.len; n += 2) {
		gcm |= little_get(content.at + n, 2) == SMB_CIPHER_GCM;
		ccm |= little_get(content.at + n, 2) == SMB_CIPHER_CCM;
	}
	return gcm ? SMB_CIPHER_GCM : ccm ? SMB_CIPHER_CCM : 0;
}

static struct offered contexts_read(const struct smb2 *q, size_t at, unsigned count)
{
	struct offered offered = {0};
	bool bad = false;
	for (unsigned i = 0; i < count && i < CONTEXTS_MAX; i++) {
		struct bytes head = bytes_part(q->message, at, 8, &bad);
		if (bad)
			break;
		size_t len = (size_t)little_get(head.at + 2, 2);
		struct bytes content = bytes_part(q->message, at + 8, len, &bad);
		if (bad)
			break;
		if (little_get(head.at, 2) == CONTEXT_ENCRYPTION)
			offered.cipher = cipher_choose(content);
		/* LZNT1; a server without it says none.  Windows 10 has it since version 1903. */
		if (little_get(head.at, 2) == CONTEXT_COMPRESSION && content.len >= 10)
			offered.compression = q->smb->system->build > 18000;
		at += 8 + (len + 7) / 8 * 8;
	}
	return offered;
}

static void write_contexts(struct smb2 *q, struct offered offered)
{
	write_align(q->out, q->start, 8);
	write_little_at(q->out, q->start + SMB2_HEAD + 60, smb2_offset(q), 4);
	write_le16(q->out, CONTEXT_PREAUTH);
	write_le16(q->out, 38);
	write_le32(q->out, 0);
	write_le16(q->out, 1);
	write_le16(q->out, 32);
	write_le16(q->out, 1); /* SHA-512 */
	for (unsigned i = 0; i < 4; i++)
		write_le64(q->out, session_random(q->session));
	if (offered.cipher) {
		write_align(q->out, q->start, 8);
		write_le16(q->out, CONTEXT_ENCRYPTION);
		write_le16(q->out, 4);
		write_le32(q->out, 0);
		write_le16(q->out, 1);
		write_le16(q->out, offered.cipher);
	}
	if (!offered.compression)
		return;
	write_align(q->out, q->start, 8);
	write_le16(q->out, CONTEXT_COMPRESSION);
	write_le16(q->out, 10);
	write_le32(q->out, 0);
	write_le32(q->out, 1);
	write_le32(q->out, 0);
	write_le16(q->out, 1); /* LZNT1 */
}

/*
 * MS-SMB2 3.3.5.4: several channels, leases on directories and encryption (of 3.0 and 3.0.2) are
 * said to those alone that said them first.
 */
static uint32_t capabilities(uint16_t dialect, uint32_t asked)
{
	uint32_t own = dialect < 0x0210 || dialect == 0x02ff ? 1 : 7;
	if (dialect >= 0x0300 && dialect != 0x02ff)
		own |= asked & (dialect == 0x0311 ? 0x28 : 0x68);
	return own;
}

static void write_negotiation(struct smb2 *q, uint16_t dialect, uint32_t asked,
			      struct offered offered)
{
	struct smb *smb = q->smb;
	struct session *s = q->session;
	bool contexts = dialect == 0x0311, old = dialect == 0x0202;
	uint32_t size = old ? SIZE_MAX_OLD : SIZE_MAX_NEW;
	write_le16(q->out, 65);
	write_le16(q->out, smb->device->signing_required ? 3 : 1);
	write_le16(q->out, dialect);
	write_le16(q->out, contexts ? 1u + !!offered.cipher + offered.compression : 0);
	write_le64(q->out, smb_guid(s, 0));
	write_le64(q->out, smb_guid(s, 1));
	smb->capabilities = capabilities(dialect, asked);
	write_le32(q->out, smb->capabilities);
	for (unsigned i = 0; i < 3; i++)
		write_le32(q->out, size);
	write_le64(q->out, filetime_of_us(session_time_us(s)));
	/* Windows 10 no longer tells when it started. */
	write_le64(q->out, smb->system->major >= 10 ? 0 : filetime_of_us(windows_boot_us(s)));
	write_le16(q->out, SMB2_HEAD + 64);
	size_t length_at = writer_used(q->out);
	write_le16(q->out, 0);
	write_le32(q->out, 0);
	size_t blob_at = writer_used(q->out);
	spnego_write_offer(q->out, smb->place.host.dns_forest[0], smb->system->samba);
	write_little_at(q->out, length_at, writer_used(q->out) - blob_at, 2);
	if (contexts)
		write_contexts(q, offered);
}

static const char *dialect_name(uint16_t d)
{
	return d == 0x0202   ? "SMB 2.0.2"
	       : d == 0x0210 ? "SMB 2.1"
	       : d == 0x0300 ? "SMB 3.0"
	       : d == 0x0302 ? "SMB 3.0.2"
	       : d == 0x0311 ? "SMB 3.1.1"
			     : "SMB 2.???";
}

void smb2_negotiate(struct smb2 *q)
{
	struct smb *smb = q->smb;
	read_le16(&q->body);
	unsigned count = read_le16(&q->body);
	read_le32(&q->body);
	uint32_t asked = read_le32(&q->body);
	read_bytes(&q->body, 16);
	size_t contexts_at = read_le32(&q->body);
	unsigned contexts = read_le16(&q->body);
	read_le16(&q->body);
	uint16_t dialect = dialect_choose(smb, &q->body, count);
	if (!dialect || smb->dialect) { /* a second one ends the connection; ours stays and refuses */
		smb2_refuse(q, dialect ? STATUS_INVALID_PARAMETER : STATUS_NOT_SUPPORTED);
		return;
	}
	smb_tell(q->session, smb, "negotiate", bytes_of_text(dialect_name(dialect)));
	smb->dialect = dialect == 0x02ff ? 0 : dialect;
	if (!smb->session_id)
		smb->session_id = (session_random(q->session) & 0x3fff) << 42 |
				  (1 + (session_random(q->session) & 0x7f) * 4);
	struct offered offered = {0};
	if (dialect == 0x0311)
		offered = contexts_read(q, contexts_at, contexts);
	smb->cipher = dialect == 0x0311 ? offered.cipher : SMB_CIPHER_CCM;
	write_negotiation(q, dialect, asked, offered);
}

static void signing_key_make(struct smb *smb)
{
	switch (smb->dialect) {
	case 0x0300:
	case 0x0302:
		crypt_smb3_key(smb->session_key, (struct bytes){(const uint8_t *)"SMB2AESCMAC", 12},
			       (struct bytes){(const uint8_t *)"SmbSign", 8}, smb->signing_key);
		return;
	case 0x0311:
		crypt_smb3_key(smb->session_key, (struct bytes){(const uint8_t *)"SMBSigningKey", 14},
			       (struct bytes){smb->preauth[1], 64}, smb->signing_key);
		return;
	}
	memcpy(smb->signing_key, smb->session_key, 16);
}

void smb2_session_setup(struct smb2 *q)
{
	uint8_t room[NTLM_CHALLENGE_MAX + 256];
	struct writer blob = writer_of(room, sizeof room);
	struct smb *smb = q->smb;
	bool bad = false;
	read_le16(&q->body);
	read_u8(&q->body);
	uint8_t security = read_u8(&q->body);
	read_le32(&q->body);
	read_le32(&q->body);
	size_t at = read_le16(&q->body), len = read_le16(&q->body);
	struct bytes token = smb2_part(q, at, len, &bad);
	if (bad || !reader_ok(&q->body)) {
		smb2_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	if (!smb->challenged)
		memcpy(smb->preauth[1], smb->preauth[0], 64);
	smb2_preauth(smb, 1, q->message);
	uint32_t status = smb_log_in(q->session, smb, token, &blob);
	q->session_id = smb->session_id;
	if (status && status != (uint32_t)STATUS_MORE_PROCESSING_REQUIRED) {
		smb2_refuse(q, status);
		return;
	}
	if (!status) {
		signing_key_make(smb);
		smb_seal_prepare(smb);
		smb->signs = smb->place.signed_in;
		q->sign = smb->signs && (security & 2 || smb->dialect >= 0x0300 ||
					 smb->device->signing_required || q->flags & 8);
	}
	q->status = status;
	write_le16(q->out, 9);
	write_le16(q->out, status ? 0 : smb->guest ? SESSION_GUEST : smb->anonymous ? SESSION_NULL : 0);
	write_le16(q->out, SMB2_HEAD + 8);
	write_le16(q->out, writer_used(&blob));
	write_span(q->out, writer_bytes(&blob));
}
