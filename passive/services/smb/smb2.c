/* SMB 2 and 3: requests, also several in one message, and their answers. */
#include "passive/services/smb/smb2.h"
#include "passive/services/windows/crypt.h"

enum flag { FLAG_ANSWER = 1, FLAG_RELATED = 4, FLAG_SIGNED = 8 };
#define CHAIN_MAX 8
#define CREDITS_MAX 128

void smb2_refuse(struct smb2 *q, uint32_t status)
{
	q->status = status;
	q->out->at = q->out->start + q->start + SMB2_HEAD;
	write_le16(q->out, 9);
	write_zero(q->out, 7);
}

struct bytes smb2_part(const struct smb2 *q, size_t offset, size_t len, bool *bad)
{
	return len ? bytes_part(q->message, offset, len, bad) : (struct bytes){q->message.at, 0};
}

size_t smb2_offset(const struct smb2 *q)
{
	return writer_used(q->out) - q->start;
}

void smb2_empty(struct smb2 *q)
{
	write_le16(q->out, 4);
	write_le16(q->out, 0);
}

void smb2_preauth(struct smb *smb, unsigned which, struct bytes message)
{
	const struct bytes pieces[] = {{smb->preauth[which], 64}, message, {0}};
	uint8_t next[64];
	crypt_sha512(pieces, next);
	memcpy(smb->preauth[which], next, 64);
}

/* MS-SMB2 3.1.4.1: over the message with an empty signature. */
void smb2_sign(const struct smb *smb, uint8_t *message, size_t len)
{
	uint8_t digest[CRYPT_SHA256];
	const struct bytes pieces[] = {{message, len}, {0}};
	memset(message + 48, 0, 16);
	message[16] |= FLAG_SIGNED;
	if (smb->dialect >= 0x0300)
		crypt_aes_cmac(smb->signing_key, pieces[0], digest);
	else
		crypt_hmac_sha256((struct bytes){smb->signing_key, 16}, pieces, digest);
	memcpy(message + 48, digest, 16);
}

static void tree_connect(struct smb2 *q)
{
	char unc[256];
	uint8_t tree = 0;
	bool bad = false;
	read_le32(&q->body);
	size_t at = read_le16(&q->body), len = read_le16(&q->body);
	struct bytes path = smb2_part(q, at, len, &bad);
	uint32_t status = bad || !reader_ok(&q->body)
				  ? (uint32_t)STATUS_INVALID_PARAMETER
				  : smb_tree_connect(q->session, q->smb,
						     utf16_text(path, unc, sizeof unc), &tree);
	if (status) {
		smb2_refuse(q, status);
		return;
	}
	bool ipc = smb_tree_is_pipe(q->smb, tree);
	q->tree = tree;
	write_le16(q->out, 16);
	write_le16(q->out, ipc ? 2 : 1);
	write_le32(q->out, ipc ? 0x30 : 0);
	write_le32(q->out, 0);
	write_le32(q->out, ipc ? 0x11f01ff : 0x1f01ff);
}

static void session_command(struct smb2 *q)
{
	struct smb *smb = q->smb;
	if (!smb->signed_in || q->session_id != smb->session_id) {
		smb2_refuse(q, STATUS_USER_SESSION_DELETED);
		return;
	}
	q->sign = q->flags & FLAG_SIGNED && smb->signs;
	switch (q->command) {
	case SMB2_LOGOFF:
		smb->signed_in = false;
		smb2_empty(q);
		return;
	case SMB2_TREE_CONNECT:
		tree_connect(q);
		return;
	}
	if (!smb_tree_valid(smb, q->tree)) {
		smb2_refuse(q, STATUS_NETWORK_NAME_DELETED);
		return;
	}
	if (q->command == SMB2_TREE_DISCONNECT) {
		smb->trees[q->tree - 1] = 0;
		smb2_empty(q);
		return;
	}
	smb2_file_command(q);
}

static void answer(struct smb2 *q)
{
	switch (q->command) {
	case SMB2_NEGOTIATE:
		smb2_negotiate(q);
		return;
	case SMB2_SESSION_SETUP:
		if (q->smb->dialect)
			smb2_session_setup(q);
		else
			smb2_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	case SMB2_ECHO:
		smb2_empty(q);
		return;
	case SMB2_CANCEL:
	case SMB2_CHANGE_NOTIFY: /* it waits for a change that does not come */
		q->silent = true;
		return;
	}
	if (q->command > SMB2_OPLOCK_BREAK)
		smb2_refuse(q, STATUS_INVALID_PARAMETER);
	else
		session_command(q);
}

static void write_head(const struct smb2 *q)
{
	struct writer w = writer_of(q->out->start + q->start, SMB2_HEAD);
	write_bytes(&w, "\xfeSMB", 4);
	write_le16(&w, 64);
	write_le16(&w, q->command == SMB2_NEGOTIATE ? 0 : 1);
	write_le32(&w, q->status);
	write_le16(&w, q->command);
	write_le16(&w, q->credits < 1 ? 1 : q->credits < CREDITS_MAX ? q->credits : CREDITS_MAX);
	write_le32(&w, FLAG_ANSWER | (q->flags & FLAG_RELATED));
	write_le32(&w, 0);
	write_le64(&w, q->id);
	write_le32(&w, 0xfeff);
	write_le32(&w, q->tree);
	write_le64(&w, q->session_id);
}

static bool read_head(struct smb2 *q, struct bytes rest, const struct smb2 *before, size_t *next)
{
	struct reader r = reader_of_bytes(rest);
	read_bytes(&r, 12);
	q->command = read_le16(&r);
	q->credits = read_le16(&r);
	q->flags = read_le32(&r);
	*next = read_le32(&r);
	q->id = read_le64(&r);
	read_le32(&r);
	q->tree = read_le32(&r);
	q->session_id = read_le64(&r);
	read_bytes(&r, 16);
	if (!reader_ok(&r) || (*next && (*next < SMB2_HEAD || *next > rest.len || *next % 8)))
		return false;
	q->message = (struct bytes){rest.at, *next ? *next : rest.len};
	q->body = reader_of(rest.at + SMB2_HEAD, q->message.len - SMB2_HEAD);
	if (before && q->flags & FLAG_RELATED) {
		q->tree = before->tree;
		q->session_id = before->session_id;
		q->file = before->file;
		q->status = before->status;
	}
	return true;
}

/* What the key of 3.1.1 hangs on: both sides of negotiation and log-in, but the last answer. */
static void preauth_take(struct smb2 *q, struct bytes said)
{
	struct smb *smb = q->smb;
	if (smb->dialect != 0x0311)
		return;
	if (q->command == SMB2_NEGOTIATE) {
		smb2_preauth(smb, 0, q->message);
		smb2_preauth(smb, 0, said);
	} else if (q->command == SMB2_SESSION_SETUP && q->status) {
		smb2_preauth(smb, 1, said);
	}
}

static void one_request(struct smb2 *q)
{
	q->start = writer_used(q->out);
	write_zero(q->out, SMB2_HEAD);
	bool failed_before = q->flags & FLAG_RELATED && q->status && q->file == UINT64_MAX;
	if (failed_before) {
		smb2_refuse(q, q->status);
	} else {
		q->status = 0;
		answer(q);
	}
	if (q->silent || q->out->bad) {
		q->out->at = q->out->start + q->start;
		return;
	}
	write_head(q);
}

void smb2_message(struct session *s, struct smb *smb, struct bytes message, struct writer *out)
{
	struct smb2 q = {.session = s, .smb = smb, .out = out}, before = {.file = UINT64_MAX};
	size_t next = 1;
	for (unsigned n = 0; n < CHAIN_MAX && next; n++) {
		q = (struct smb2){.session = s, .smb = smb, .out = out, .file = UINT64_MAX};
		if (!read_head(&q, message, n ? &before : NULL, &next))
			return;
		one_request(&q);
		size_t len = writer_used(out) - q.start;
		if (next && len) {
			write_align(out, q.start, 8);
			len = writer_used(out) - q.start;
			write_little_at(out, q.start + 20, len, 4);
		}
		preauth_take(&q, (struct bytes){out->start + q.start, len});
		if (q.sign && len && !out->bad && !smb->sealed)
			smb2_sign(smb, out->start + q.start, len);
		message = (struct bytes){message.at + next, message.len - next};
		before = q;
	}
}

void smb2_answer_smb1(struct session *s, struct smb *smb, bool any, struct writer *out)
{
	uint8_t asked[SMB2_HEAD + 40] = {0};
	struct smb2 q = {.session = s, .smb = smb, .out = out};
	little_put(asked + SMB2_HEAD, 36, 2);
	little_put(asked + SMB2_HEAD + 2, 1, 2);
	little_put(asked + SMB2_HEAD + 36, any && smb->system->dialect_max > 0x0202 ? 0x02ff : 0x0202, 2);
	q.message = (struct bytes){asked, sizeof asked};
	q.body = reader_of(asked + SMB2_HEAD, 40);
	one_request(&q);
}
