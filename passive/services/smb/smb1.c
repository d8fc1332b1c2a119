/* SMB 1: negotiation, log-in and what is of no tree.  Files and transactions have files of their own. */
#include "passive/services/smb/smb1.h"
#include "passive/services/smb/smb1_commands.h"
#include "passive/services/windows/crypt.h"

enum { SIGNATURE_AT = 14 };
enum { FLAGS2_SIGNED = 4, FLAGS2_EXTENDED = 0x800, FLAGS2_UNICODE = 0x8000 };
enum { USER_ID = 0x800, BUFFER_MAX = 4356, BUFFER_MAX_SERVER = 16644 };

#define CAPABILITIES 0x0001e3fcu /* without CAP_EXTENDED_SECURITY */
#define CAPABILITY_RAW 1u        /* of servers */
#define ANDX_END 0xff

void smb1_words(struct smb1 *q)
{
	q->words_at = writer_used(q->out);
	write_u8(q->out, 0);
}

void smb1_bytes(struct smb1 *q)
{
	size_t n = writer_used(q->out) - q->words_at - 1;
	write_little_at(q->out, q->words_at, n / 2, 1);
	q->bytes_at = writer_used(q->out);
	write_le16(q->out, 0);
}

void smb1_end(struct smb1 *q)
{
	write_little_at(q->out, q->bytes_at, writer_used(q->out) - q->bytes_at - 2, 2);
}

void smb1_refuse(struct smb1 *q, uint32_t status)
{
	q->status = status;
	q->out->at = q->out->start + SMB1_HEAD;
	smb1_words(q);
	smb1_bytes(q);
}

void smb1_pad(struct smb1 *q, size_t unit)
{
	write_align(q->out, 0, unit);
}

void smb1_write_text(struct smb1 *q, const char *text)
{
	if (q->flags2 & FLAGS2_UNICODE) {
		smb1_pad(q, 2);
		write_utf16(q->out, bytes_of_text(text));
		write_le16(q->out, 0);
		return;
	}
	write_bytes(q->out, text, strlen(text) + 1);
}

struct bytes smb1_text(const struct smb1 *q, const uint8_t *at, const uint8_t *end, char *out,
		       size_t size)
{
	size_t n = 0;
	if (!(q->flags2 & FLAGS2_UNICODE)) {
		while (at + n < end && at[n] && n < size - 1)
			n++;
		memcpy(out, at, n);
		out[n] = '\0';
		return (struct bytes){(uint8_t *)out, n};
	}
	if ((at - q->message.at) % 2 && at < end)
		at++;
	while (end - at >= (ptrdiff_t)(n + 2) && (at[n] || at[n + 1]))
		n += 2;
	return utf16_text((struct bytes){at, n}, out, size);
}

void smb1_write_andx(struct smb1 *q)
{
	write_le32(q->out, ANDX_END);
}

/* The dialect's place in the list that was sent; -1: it is not in it. */
static int dialect_place(struct bytes list, const char *name)
{
	int place = 0;
	while (list.len) {
		size_t n = 1;
		while (n < list.len && list.at[n])
			n++;
		if (bytes_equal_text((struct bytes){list.at + 1, n - 1}, name))
			return place;
		n += n < list.len;
		list = (struct bytes){list.at + n, list.len - n};
		place++;
	}
	return -1;
}

static void answer_negotiate_plain(struct smb1 *q)
{
	const struct ntlm_host *h = &q->smb->place.host;
	smb1_bytes(q);
	write_bytes(q->out, q->smb->challenge, 8);
	write_utf16(q->out, bytes_of_text(h->dns_forest[0] ? h->domain
				  : q->smb->device->workgroup));
	write_le16(q->out, 0);
	write_utf16(q->out, bytes_of_text(h->computer));
	write_le16(q->out, 0);
}

static void negotiate(struct smb1 *q)
{
	struct smb *smb = q->smb;
	int place = dialect_place(q->bytes, "NT LM 0.12");
	bool second = dialect_place(q->bytes, "SMB 2.002") >= 0,
	     any = dialect_place(q->bytes, "SMB 2.???") >= 0;
	if (second || any) {
		q->silent = true;
		q->out->at = q->out->start;
		smb2_answer_smb1(q->session, smb, any, q->out);
		return;
	}
	smb_tell(q->session, smb, "negotiate", BYTES("NT LM 0.12"));
	if (place < 0 || !smb->system->smb1) {
		smb1_words(q);
		write_le16(q->out, 0xffff);
		smb1_bytes(q);
		return;
	}
	smb->extended = q->flags2 & FLAGS2_EXTENDED;
	smb1_words(q);
	write_le16(q->out, (unsigned)place);
	/* By user, encrypted; signatures are off but on domain controllers, which require them. */
	write_u8(q->out, smb->device->signing_required ? 15 : 3);
	write_le16(q->out, 50);
	write_le16(q->out, 1);
	write_le32(q->out, smb->system->server ? BUFFER_MAX_SERVER : BUFFER_MAX);
	write_le32(q->out, 65536);
	write_le32(q->out, 0);
	write_le32(q->out, CAPABILITIES | (smb->system->server ? CAPABILITY_RAW : 0) |
				   (smb->extended ? 0x80000000u : 0));
	write_le64(q->out, filetime_of_us(session_time_us(q->session)));
	write_le16(q->out, 0);
	write_u8(q->out, smb->extended ? 0 : 8);
	if (!smb->extended) {
		answer_negotiate_plain(q);
		smb1_end(q);
		return;
	}
	smb1_bytes(q);
	write_le64(q->out, smb_guid(q->session, 0));
	write_le64(q->out, smb_guid(q->session, 1));
	spnego_write_offer(q->out, smb->place.host.dns_forest[0], true);
	smb1_end(q);
}

static void session_setup_texts(struct smb1 *q)
{
	const struct windows_system *o = q->smb->system;
	smb1_write_text(q, o->native);
	smb1_write_text(q, o->lanman);
}

static void session_setup_plain(struct smb1 *q)
{
	struct ntlm_login l = {0};
	struct smb *smb = q->smb;
	read_bytes(&q->words, 14);
	size_t lm = read_le16(&q->words), nt = read_le16(&q->words);
	bool bad = false;
	l.lm = bytes_part(q->bytes, 0, lm, &bad);
	l.nt = bytes_part(q->bytes, lm, nt, &bad);
	if (bad || !reader_ok(&q->words) || lm > NTLM_RESPONSE_MAX || nt > NTLM_RESPONSE_MAX) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	const uint8_t *end = q->bytes.at + q->bytes.len, *at = q->bytes.at + lm + nt;
	l.user = smb1_text(q, at, end, l.user_text, sizeof l.user_text);
	/* The domain follows; only NTLMv2 hashes it, which this way of log-in seldom carries. */
	bool wide = q->flags2 & FLAGS2_UNICODE;
	if (wide && (at - q->message.at) % 2)
		at++;
	while (end - at >= (wide ? 2 : 1) && (at[0] || (wide && at[1])))
		at += wide ? 2 : 1;
	at += end - at >= (wide ? 2 : 1) ? (wide ? 2 : 1) : 0;
	l.domain = smb1_text(q, at, end, l.domain_text, sizeof l.domain_text);
	if (l.nt.len == 1 && l.nt.at[0] == 0)
		l.nt.len = 0;
	uint32_t status = smb_log_in_plain(q->session, smb, &l);
	if (status) {
		smb1_refuse(q, status);
		return;
	}
	q->answer_user = USER_ID;
	smb1_words(q);
	smb1_write_andx(q);
	write_le16(q->out, smb->guest);
	smb1_bytes(q);
	session_setup_texts(q);
	const struct ntlm_host *h = &smb->place.host;
	smb1_write_text(q, h->dns_forest[0] ? h->domain : smb->device->workgroup);
	smb1_end(q);
}

static void session_setup(struct smb1 *q)
{
	uint8_t room[NTLM_CHALLENGE_MAX + 256];
	struct writer blob = writer_of(room, sizeof room);
	if (q->message.len > SMB1_HEAD && q->message.at[SMB1_HEAD] == 13) {
		session_setup_plain(q);
		return;
	}
	read_bytes(&q->words, 14);
	size_t len = read_le16(&q->words);
	if (!reader_ok(&q->words) || len > q->bytes.len) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	uint32_t status =
		smb_log_in(q->session, q->smb, (struct bytes){q->bytes.at, len}, &blob);
	if (status && status != (uint32_t)STATUS_MORE_PROCESSING_REQUIRED) {
		smb1_refuse(q, status);
		return;
	}
	q->status = status;
	if (!status && q->smb->device->signing_required && q->smb->place.signed_in)
		q->smb->signed_count = 1;
	q->answer_user = USER_ID;
	smb1_words(q);
	smb1_write_andx(q);
	write_le16(q->out, q->smb->guest);
	write_le16(q->out, writer_used(&blob));
	smb1_bytes(q);
	write_span(q->out, writer_bytes(&blob));
	session_setup_texts(q);
	smb1_end(q);
}

static void tree_connect(struct smb1 *q)
{
	char path[256];
	uint8_t tree = 0;
	read_le32(&q->words);
	uint16_t flags = read_le16(&q->words);
	size_t secret = read_le16(&q->words);
	if (!reader_ok(&q->words) || secret > q->bytes.len) {
		smb1_refuse(q, STATUS_INVALID_PARAMETER);
		return;
	}
	struct bytes unc = smb1_text(q, q->bytes.at + secret, q->bytes.at + q->bytes.len, path, sizeof path);
	uint32_t status = smb_tree_connect(q->session, q->smb, unc, &tree);
	if (status) {
		smb1_refuse(q, status);
		return;
	}
	bool ipc = smb_tree_is_pipe(q->smb, tree);
	q->answer_tree = tree;
	smb1_words(q);
	smb1_write_andx(q);
	write_le16(q->out, 1);
	if (flags & 8) {
		write_le32(q->out, ipc && q->smb->anonymous ? 0x120089 : 0x1f01ff);
		write_le32(q->out, 0);
	}
	smb1_bytes(q);
	write_bytes(q->out, ipc ? "IPC" : "A:", ipc ? 4 : 3);
	smb1_write_text(q, ipc ? "" : "NTFS");
	smb1_end(q);
}

static void echo(struct smb1 *q)
{
	smb1_words(q);
	write_le16(q->out, 1);
	smb1_bytes(q);
	write_bytes(q->out, q->bytes.at, q->bytes.len < 4096 ? q->bytes.len : 4096);
	smb1_end(q);
}

static void end_session(struct smb1 *q)
{
	q->smb->signed_in = false;
	smb1_words(q);
	smb1_write_andx(q);
	smb1_bytes(q);
}

static void answer(struct smb1 *q)
{
	switch (q->command) {
	case NEGOTIATE:
		negotiate(q);
		return;
	case SESSION_SETUP:
		session_setup(q);
		return;
	case ECHO:
		echo(q);
		return;
	}
	if (!q->smb->signed_in)
		smb1_refuse(q, STATUS_SMB_BAD_UID);
	else if (q->command == LOGOFF)
		end_session(q);
	else if (q->command == TREE_CONNECT)
		tree_connect(q);
	else if (!smb_tree_valid(q->smb, q->tree))
		smb1_refuse(q, STATUS_SMB_BAD_TID);
	else
		smb1_tree_command(q);
}

/* MS-CIFS 3.1.4.1, with the key of an extended log-in. */
static void sign(const struct smb *smb, uint32_t number, struct writer *out)
{
	struct bytes message = writer_bytes(out);
	uint8_t digest[16];
	if (out->bad)
		return;
	little_put(out->start + SIGNATURE_AT, number, 8);
	const struct bytes pieces[] = {{smb->session_key, 16}, message, {0}};
	crypt_md5_pieces(pieces, digest);
	memcpy(out->start + SIGNATURE_AT, digest, 8);
}

void smb1_message(struct session *s, struct smb *smb, struct bytes message, struct writer *out)
{
	struct reader r = reader_of_bytes(message);
	struct smb1 q = {.session = s, .smb = smb, .message = message, .out = out};
	read_bytes(&r, 4);
	q.command = read_u8(&r);
	read_bytes(&r, 4);
	uint8_t flags = read_u8(&r);
	q.flags2 = read_le16(&r);
	struct bytes high = read_bytes(&r, 2);
	read_bytes(&r, 10);
	q.tree = read_le16(&r);
	struct bytes process = read_bytes(&r, 2);
	q.user = read_le16(&r);
	q.multiplex = read_le16(&r);
	struct bytes words = read_bytes(&r, 2u * read_u8(&r));
	size_t len = read_le16(&r);
	if (!reader_ok(&r))
		return;
	q.words = reader_of_bytes(words);
	q.bytes = (struct bytes){r.at, len < reader_left(&r) ? len : reader_left(&r)};
	q.answer_tree = q.tree;
	q.answer_user = q.user;
	write_zero(out, SMB1_HEAD);
	uint32_t before = smb->signed_count;
	answer(&q);
	if (q.silent)
		return;
	bool signs = smb->signed_count && (q.flags2 & FLAGS2_SIGNED || !before);
	uint32_t number = before ? before + 1 : 1;
	if (smb->signed_count)
		smb->signed_count = number + 1;
	struct writer head = writer_of(out->start, SMB1_HEAD);
	write_bytes(&head, "\xffSMB", 4);
	write_u8(&head, q.command);
	write_le32(&head, q.status);
	write_u8(&head, 0x80 | (flags & 0x18)); /* an answer; names as they were asked for */
	write_le16(&head, (q.flags2 & 0xc843) | 0x4000 | (signs ? FLAGS2_SIGNED : 0));
	write_span(&head, high);
	write_le64(&head, q.signature);
	write_le16(&head, 0);
	write_le16(&head, q.answer_tree);
	write_span(&head, process);
	write_le16(&head, q.answer_user);
	write_le16(&head, q.multiplex + q.multiplex_add);
	if (signs)
		sign(smb, number, out);
}
