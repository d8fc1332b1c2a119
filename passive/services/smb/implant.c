/*
 * DoublePulsar, the implant that EternalBlue leaves in srv.sys: spoken to by TRANS2_SESSION_SETUP
 * with an instruction in the timeout.  Worms ask whether it is there before they exploit
 * anything, and when it is hand their file to it; so a device that "has" it is given the file.
 * What is uploaded lies under a four-byte key that follows from a number which we choose.
 */
#include "passive/services/smb/smb.h"

enum instruction { PING = 0x23, EXECUTE = 0xc8, UNINSTALL = 0x77 };
enum answer { DONE = 0x10, BAD_PARAMETERS = 0x20, NO_MEMORY = 0x30 };

static uint32_t implant_number(const struct session *s)
{
	return (uint32_t)windows_number(s, 20) | 1;
}

static uint32_t implant_key(uint32_t s)
{
	return 2 * (s ^ ((((s & 0xff00) | (s << 16)) << 8) |
			 (((s >> 16) | (s & 0xff0000)) >> 8)));
}

static void unlock(uint8_t *at, size_t len, uint32_t key)
{
	for (size_t i = 0; i < len; i++)
		at[i] ^= (uint8_t)(key >> 8 * (i % 4));
}

static enum answer take_piece(struct session *s, struct smb *smb, struct bytes params,
			      struct bytes data)
{
	uint8_t head[12], piece[512];
	uint32_t key = implant_key(implant_number(s));
	if (params.len < sizeof head)
		return BAD_PARAMETERS;
	memcpy(head, params.at, sizeof head);
	unlock(head, sizeof head, key);
	uint32_t total = (uint32_t)little_get(head, 4), size = (uint32_t)little_get(head + 4, 4),
		 offset = (uint32_t)little_get(head + 8, 4);
	if (size > data.len || size > total || offset > total - size)
		return BAD_PARAMETERS;
	for (uint32_t at = 0; at < size; at += sizeof piece) {
		size_t n = size - at < sizeof piece ? size - at : sizeof piece;
		memcpy(piece, data.at + at, n);
		unlock(piece, n, key);
		if (!smb_upload_write(s, &smb->implant.payload, (uint64_t)offset + at,
				      (struct bytes){piece, n}))
			return NO_MEMORY;
	}
	smb->implant.total = total;
	if (offset + size == total)
		smb_implant_finish(s, smb);
	return DONE;
}

uint32_t smb_implant_ask(struct session *s, struct smb *smb, uint32_t timeout, struct bytes params,
			 struct bytes data, uint64_t *signature)
{
	uint8_t instruction =
		(uint8_t)(timeout + (timeout >> 8) + (timeout >> 16) + (timeout >> 24));
	const char *what = instruction == PING        ? "ping"
			   : instruction == EXECUTE   ? "execute"
			   : instruction == UNINSTALL ? "uninstall"
						      : NULL;
	if (!what)
		return 0;
	struct event *e = smb_tell(s, smb, "trans2-session-setup", bytes_of_text(what));
	if (e)
		event_set_text(e, FIELD_RULE, "doublepulsar");
	int left = smb->device->implanted;
	if (left == SMB_CLEAN || (left == SMB_IMPLANTED_AS_SYSTEM && smb->system->major >= 10))
		return 0;
	if (instruction == PING) /* the number, then the architecture: 64 bit */
		*signature = implant_number(s) | 1ull << 32;
	return instruction == EXECUTE ? take_piece(s, smb, params, data) : DONE;
}

void smb_implant_finish(struct session *s, struct smb *smb)
{
	if (smb->implant.payload.len)
		smb_upload_capture(s, &smb->implant.payload, (struct bytes){0}, "doublepulsar");
	smb->implant = (struct smb_implant){0};
}
