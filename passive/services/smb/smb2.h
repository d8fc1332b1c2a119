/*
 * SMB 2 and 3 (MS-SMB2): one request and the making of its answer.  For passive/smb alone.
 */
#pragma once
#include "passive/services/smb/smb.h"

#define SMB2_HEAD 64

enum smb2_command {
	SMB2_NEGOTIATE,
	SMB2_SESSION_SETUP,
	SMB2_LOGOFF,
	SMB2_TREE_CONNECT,
	SMB2_TREE_DISCONNECT,
	SMB2_CREATE,
	SMB2_CLOSE,
	SMB2_FLUSH,
	SMB2_READ,
	SMB2_WRITE,
	SMB2_LOCK,
	SMB2_IOCTL,
	SMB2_CANCEL,
	SMB2_ECHO,
	SMB2_QUERY_DIRECTORY,
	SMB2_CHANGE_NOTIFY,
	SMB2_QUERY_INFO,
	SMB2_SET_INFO,
	SMB2_OPLOCK_BREAK,
};

struct smb2 {
	struct session *session;
	struct smb *smb;
	struct bytes message; /* from its 0xfe on, this request of a chain only */
	struct reader body;
	uint16_t command, credits;
	uint32_t flags, tree, status;
	uint64_t id, session_id;
	uint64_t file; /* of the request before, for those that are related */
	struct writer *out;
	size_t start; /* of this answer */
	bool silent, sign;
};

void smb2_refuse(struct smb2 *, uint32_t status);
/* The part of the message that offset and length in the request name. */
struct bytes smb2_part(const struct smb2 *, size_t offset, size_t len, bool *bad);
size_t smb2_offset(const struct smb2 *); /* of what is written next, from the answer's start */
void smb2_empty(struct smb2 *);          /* the structure of four bytes */

void smb2_negotiate(struct smb2 *);
void smb2_session_setup(struct smb2 *);
void smb2_preauth(struct smb *, unsigned which, struct bytes message);
void smb2_sign(const struct smb *, uint8_t *message, size_t len);
void smb2_file_command(struct smb2 *);
