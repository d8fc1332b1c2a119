/*
 * File server of Windows, or Samba, on TCP 445 and behind NetBIOS sessions on 139.
 *
 * Takes frames apart; passive/services/smb/ answers SMB 1, 2 and 3 in them.  Log-ins are NTLM, with what
 * proves the password kept as crackers read it; what is written to a share, or uploaded by the
 * exploits that came with WannaCry, is captured.  SMB 1 is signed where the device requires it,
 * SMB 3 encrypted when the client does: as on Windows.
 */
#include "passive/accounts.h"
#include "passive/services/smb/smb.h"

#define NETBIOS_PORT 139 /* where Windows wants a session first */
#define FRAME_HEAD 4
#define FRAME_SMALL_MAX 66000u            /* larger ones are kept on the session's arena */
#define FRAME_MAX (1048576u + 65536u)     /* beyond what any dialect here announces */
#define FRAME_ROOM_FIRST (128u * 1024)
#define GROOM_MIN 512u                    /* of an exploit's frame: shorter ones tell nothing */

enum frame { FRAME_MESSAGE = 0x00, FRAME_REQUEST = 0x81, FRAME_POSITIVE = 0x82, FRAME_NEGATIVE = 0x83, FRAME_KEEP = 0x85 };

/* Each message by its first byte; false: it is none of ours. */
static bool answer_message(struct session *s, struct smb *smb, struct bytes message,
			   struct writer *w)
{
	if (message.len < 4 || memcmp(message.at + 1, "SMB", 3) != 0)
		return false;
	if (message.at[0] == 0xff && !smb->dialect)
		smb1_message(s, smb, message, w);
	else if (message.at[0] == 0xfe)
		smb2_message(s, smb, message, w);
	else
		return false;
	return !w->bad;
}

/* Opened where it lies when that is ours, else beside it. */
static enum service_next answer_sealed(struct session *s, struct smb *smb, struct bytes message)
{
	uint8_t room[FRAME_HEAD + SMB_SEAL_HEAD + SMB_ANSWER_MAX], clear[FRAME_SMALL_MAX];
	struct writer w = writer_of(room + FRAME_HEAD + SMB_SEAL_HEAD, SMB_ANSWER_MAX);
	uint8_t *opened = message.at == smb->frame ? smb->frame + SMB_SEAL_HEAD : clear;
	if (!smb_unseal(smb, message, opened))
		return SERVICE_CLOSE;
	struct bytes inner = {opened, message.len - SMB_SEAL_HEAD};
	smb->sealed = true;
	bool good = answer_message(s, smb, inner, &w);
	smb->sealed = false;
	size_t len = writer_used(&w);
	if (!good || !len)
		return good ? SERVICE_CONTINUE : SERVICE_CLOSE;
	smb_seal(s, smb, room + FRAME_HEAD, len);
	len += SMB_SEAL_HEAD;
	room[0] = 0;
	room[1] = (uint8_t)(len >> 16);
	room[2] = (uint8_t)(len >> 8);
	room[3] = (uint8_t)len;
	session_say_bytes(s, (struct bytes){room, FRAME_HEAD + len});
	return SERVICE_CONTINUE;
}

/*
 * A compressed message (MS-SMB2 2.2.42).  SMBGhost, CVE-2020-0796, is one whose two lengths do not
 * fit into 32 bits together; nobody else compresses unasked.
 */
static enum service_next take_compressed(struct session *s, struct smb *smb, struct bytes message)
{
	struct reader r = reader_of_bytes(message);
	read_le32(&r);
	uint32_t size = read_le32(&r);
	read_le32(&r);
	uint32_t offset = read_le32(&r);
	bool ghost = reader_ok(&r) && size + offset < size;
	struct event *e = smb_tell(s, smb, "compressed", (struct bytes){0});
	if (e && ghost)
		event_set_text(e, FIELD_RULE, "smbghost");
	if (ghost && reader_left(&r))
		session_capture(s, read_rest(&r), (struct bytes){0}, (struct bytes){0}, "smbghost");
	return SERVICE_CLOSE;
}

static enum service_next answer(struct session *s, struct smb *smb, struct bytes message)
{
	uint8_t room[FRAME_HEAD + SMB_ANSWER_MAX];
	struct writer w = writer_of(room + FRAME_HEAD, SMB_ANSWER_MAX);
	if (!smb->prepared)
		smb_prepare(s, smb);
	if (message.len > 4 && memcmp(message.at, "\xfdSMB", 4) == 0)
		return answer_sealed(s, smb, message);
	if (message.len > 4 && memcmp(message.at, "\xfcSMB", 4) == 0)
		return take_compressed(s, smb, message);
	if (session_local_port(s) == NETBIOS_PORT && !smb->called && !smb->system->samba) {
		static const uint8_t negative[5] = {FRAME_NEGATIVE, 0, 0, 1, 0x8f};
		session_say_bytes(s, (struct bytes){negative, 5});
		return SERVICE_CLOSE;
	}
	if (!answer_message(s, smb, message, &w))
		return SERVICE_CLOSE;
	size_t len = writer_used(&w);
	if (!len)
		return SERVICE_CONTINUE;
	room[0] = 0;
	room[1] = (uint8_t)(len >> 16);
	room[2] = (uint8_t)(len >> 8);
	room[3] = (uint8_t)len;
	session_say_bytes(s, (struct bytes){room, FRAME_HEAD + len});
	/* No dialect in common: Windows hangs up on SMB 1 when it is switched off. */
	bool off = message.at[0] == 0xff && !smb->system->smb1 && room[FRAME_HEAD] == 0xff;
	return off ? SERVICE_CLOSE : SERVICE_CONTINUE;
}

/* NetBIOS session request (RFC 1002 4.3.2): any name is ours. */
static enum service_next session_frame(struct session *s, struct smb *smb, uint8_t type,
				       struct bytes content)
{
	static const uint8_t positive[4] = {FRAME_POSITIVE, 0, 0, 0};
	if (type == FRAME_KEEP)
		return SERVICE_CONTINUE;
	if (type != FRAME_REQUEST || content.len < 68)
		return SERVICE_CLOSE;
	smb->called = true;
	session_say_bytes(s, (struct bytes){positive, 4});
	return SERVICE_CONTINUE;
}

static bool frame_room(struct session *s, struct smb *smb, size_t wanted)
{
	size_t room = smb->frame_room ? smb->frame_room : FRAME_ROOM_FIRST;
	while (room < wanted)
		room *= 2;
	if (room == smb->frame_room)
		return true;
	uint8_t *at = arena_alloc(session_arena(s), room);
	if (!at)
		return false;
	if (smb->frame_len)
		memcpy(at, smb->frame, smb->frame_len);
	smb->frame = at;
	smb->frame_room = room;
	return true;
}

/* More of a large frame; it is answered when it is whole. */
static enum service_next frame_take(struct session *s, struct smb *smb, struct reader *r)
{
	size_t n = smb->frame_need - smb->frame_len;
	n = n < reader_left(r) ? n : reader_left(r);
	if (!frame_room(s, smb, smb->frame_len + n))
		return SERVICE_CLOSE;
	memcpy(smb->frame + smb->frame_len, read_bytes(r, n).at, n);
	smb->frame_len += n;
	if (smb->frame_len < smb->frame_need)
		return SERVICE_CONTINUE;
	struct bytes message = {smb->frame, smb->frame_len};
	smb->frame_len = smb->frame_need = 0;
	return answer(s, smb, message);
}

/*
 * EternalBlue holds the kernel's memory in shape with connections that begin a large SMB 2 frame
 * and never end it; the last bytes that come there are its shellcode.
 */
static bool grooming(struct smb *smb, size_t len, struct bytes so_far)
{
	smb->grooming = len >= 0xf000 && !smb->dialect && !smb->signed_in && so_far.len >= 4 &&
			memcmp(so_far.at, "\xfeSMB", 4) == 0;
	return smb->grooming;
}

static enum service_next smb_input(struct session *s, void *state, struct reader *r)
{
	struct smb *smb = state;
	enum service_next next = SERVICE_CONTINUE;
	while (next == SERVICE_CONTINUE && reader_left(r)) {
		if (smb->frame_need) {
			next = frame_take(s, smb, r);
			continue;
		}
		struct reader ahead = *r;
		uint8_t type = read_u8(&ahead);
		size_t len = (size_t)read_be(&ahead, 3);
		if (!reader_ok(&ahead))
			break;
		if (len > FRAME_MAX)
			return SERVICE_CLOSE;
		struct bytes so_far = {ahead.at, reader_left(&ahead)};
		if (so_far.len < len && type == FRAME_MESSAGE &&
		    (len > FRAME_SMALL_MAX || grooming(smb, len, so_far))) {
			*r = ahead;
			smb->frame_need = len;
			continue;
		}
		struct bytes content = read_bytes(&ahead, len);
		if (!reader_ok(&ahead))
			break;
		*r = ahead;
		next = type == FRAME_MESSAGE ? answer(s, smb, content) : session_frame(s, smb, type, content);
	}
	return next;
}

static void smb_close_session(struct session *s, void *state)
{
	struct smb *smb = state;
	for (size_t i = 0; i < SMB_OPENS_MAX; i++)
		if (smb->opens[i] && smb->opens[i]->kind == SMB_FILE && smb->opens[i]->written)
			smb_upload_capture(s, &smb->opens[i]->upload,
					   bytes_of_text(smb->opens[i]->path), "smb");
	smb_implant_finish(s, smb);
	if (smb->transaction_total && smb->transaction.len)
		smb_upload_capture(s, &smb->transaction, (struct bytes){0}, "smb-transaction");
	if (smb->grooming && smb->frame_len >= GROOM_MIN)
		session_capture(s, (struct bytes){smb->frame, smb->frame_len}, (struct bytes){0},
				(struct bytes){0}, "eternalblue");
}

static bool smb_claims(struct bytes first)
{
	return first.len >= 8 && first.at[0] == 0 && memcmp(first.at + 5, "SMB", 3) == 0 &&
	       (first.at[4] == 0xff || first.at[4] == 0xfe);
}

static const struct option share_options[] = {
	{.name = "name",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct smb_share_option, name),
	 .summary = "its name; hidden when it ends in $",
	 .required = true},
	{.name = "path",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct smb_share_option, path),
	 .summary = "directory below C: (/C: in the device's files, else their root); none: named pipes"},
	{.name = "comment",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct smb_share_option, comment),
	 .summary = "shown beside it"},
	{0},
};

static const char *const implanted_names[] = {"as-system", "yes", "no", NULL};

static const struct option smb_device[] = {
	WINDOWS_IDENTITY_OPTIONS,
	{.name = "workgroup",
	 .type = OPTION_TEXT,
	 .offset = offsetof(struct smb_device, workgroup),
	 .fallback = "WORKGROUP",
	 .summary = "of a machine without domain"},
	{.name = "shares",
	 .type = OPTION_LIST,
	 .offset = offsetof(struct smb_device, shares),
	 .element = OPTION_MAP,
	 .fields = share_options,
	 .size = sizeof(struct smb_share_option),
	 .summary = "what it shares; the usual ones of its system when absent"},
	ACCOUNTS_OPTION(struct smb_device, accounts),
	{.name = "signing-required",
	 .type = OPTION_BOOL,
	 .offset = offsetof(struct smb_device, signing_required),
	 .fallback = "false",
	 .summary = "as on domain controllers"},
	{.name = "guest",
	 .type = OPTION_BOOL,
	 .offset = offsetof(struct smb_device, guest),
	 .fallback = "false",
	 .summary = "users that it does not know are guests"},
	{.name = "unpatched",
	 .type = OPTION_BOOL,
	 .offset = offsetof(struct smb_device, unpatched),
	 .fallback = "true",
	 .summary = "answers as before MS17-010, where SMB 1 is spoken"},
	{.name = "implanted",
	 .type = OPTION_CHOICE,
	 .offset = offsetof(struct smb_device, implanted),
	 .fallback = "as-system",
	 .choices = implanted_names,
	 .summary = "somebody has left DoublePulsar: who finds it uploads to it; it runs up to Windows 8.1"},
	{0},
};

static const struct service smb = {
	.name = "smb",
	.summary = "file server of Windows: SMB 1 to 3.1.1, NTLM, shares, pipes, known exploits",
	.reference = "MS-SMB, MS-SMB2, MS-NLMP, MS-SRVS; Windows 7 to 10, Samba",
	.transports = TRANSPORT_TCP,
	.ports = {445, 139},
	.state_size = sizeof(struct smb),
	.input_max = FRAME_SMALL_MAX + 16,
	.output_max = 1024 * 1024,
	.arena_max = 24u << 20,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = smb_device,
	.device_size = sizeof(struct smb_device),
	.input = smb_input,
	.close = smb_close_session,
	.claims = smb_claims,
	.exchanges = smb_exchanges,
};
SERVICE(smb);
