/*
 * A Windows file server (MS-SMB, MS-SMB2): one connection, with one log-in at a time.
 *
 * passive/services/smb.c takes frames apart and calls smb1_message() or smb2_message();
 * passive/services/smb/share.c knows the shares and the files behind them for both.  Statuses are those of
 * MS-ERREF.  An answer is written to a writer that holds one message without its frame.
 */
#pragma once
#include "passive/services/msrpc/rpc.h"
#include "passive/device/vfs/vfs.h"

#define SMB_TREES_MAX 8
#define SMB_OPENS_MAX 24
#define SMB_SHARES_MAX 16
#define SMB_PATH_MAX 400
#define SMB_PATTERN_MAX 64
#define SMB_READ_MAX (128 * 1024)   /* of one answer; files of a persona are smaller */
#define SMB_ANSWER_MAX (SMB_READ_MAX + 8192)
#define SMB_UPLOAD_MAX (8u << 20)
#define SMB_SEAL_HEAD 52
#define SMB_CIPHER_CCM 1
#define SMB_CIPHER_GCM 2
#define SMB_EVENTS_MAX 200 /* requests of one connection that are told */

enum smb_status {
	STATUS_SUCCESS = 0,
	STATUS_BUFFER_OVERFLOW = (int)0x80000005,
	STATUS_NO_MORE_FILES = (int)0x80000006,
	STATUS_INVALID_INFO_CLASS = (int)0xc0000003,
	STATUS_NOT_IMPLEMENTED = (int)0xc0000002,
	STATUS_INVALID_HANDLE = (int)0xc0000008,
	STATUS_INVALID_PARAMETER = (int)0xc000000d,
	STATUS_NO_SUCH_FILE = (int)0xc000000f,
	STATUS_INVALID_DEVICE_REQUEST = (int)0xc0000010,
	STATUS_END_OF_FILE = (int)0xc0000011,
	STATUS_MORE_PROCESSING_REQUIRED = (int)0xc0000016,
	STATUS_ACCESS_DENIED = (int)0xc0000022,
	STATUS_OBJECT_NAME_NOT_FOUND = (int)0xc0000034,
	STATUS_OBJECT_NAME_COLLISION = (int)0xc0000035,
	STATUS_OBJECT_PATH_NOT_FOUND = (int)0xc000003a,
	STATUS_LOGON_FAILURE = (int)0xc000006d,
	STATUS_INSUFFICIENT_RESOURCES = (int)0xc000009a,
	STATUS_PIPE_EMPTY = (int)0xc00000d9,
	STATUS_FILE_IS_A_DIRECTORY = (int)0xc00000ba,
	STATUS_NOT_SUPPORTED = (int)0xc00000bb,
	STATUS_NETWORK_NAME_DELETED = (int)0xc00000c9,
	STATUS_BAD_NETWORK_NAME = (int)0xc00000cc,
	STATUS_NOT_A_DIRECTORY = (int)0xc0000103,
	STATUS_FILE_CLOSED = (int)0xc0000128,
	STATUS_INSUFF_SERVER_RESOURCES = (int)0xc0000205,
	STATUS_USER_SESSION_DELETED = (int)0xc0000203,
	STATUS_NOT_FOUND = (int)0xc0000225,
	STATUS_SMB_BAD_TID = 0x00050002,
	STATUS_SMB_BAD_UID = 0x005b0002,
	STATUS_SMB_BAD_COMMAND = 0x00160002,
};

struct smb_device {
	struct windows_identity identity; /* first, as all services have it */
	const char *workgroup;
	struct option_list shares, accounts;
	bool signing_required, guest, unpatched;
	int implanted; /* of enum smb_implanted */
};

enum smb_implanted { SMB_IMPLANTED_AS_SYSTEM, SMB_IMPLANTED, SMB_CLEAN };

struct smb_share_option {
	const char *name, *path, *comment;
};

enum smb_kind { SMB_FREE, SMB_FILE, SMB_DIRECTORY, SMB_PIPE };

struct smb_upload { /* what the peer writes, in pieces that need not come in order */
	uint8_t **pieces;
	size_t len;
};

struct smb_status_of { /* a file */
	bool directory;
	uint32_t mtime_s;
	uint64_t size, id;
};

struct smb_open {
	uint8_t kind, tree;
	uint16_t id; /* 1 and up */
	bool written, remove;
	char path[SMB_PATH_MAX]; /* in the device's tree, or the pipe's name */
	struct smb_status_of status;
	struct smb_upload upload;
	struct rpc rpc;
	uint8_t *said; /* by a pipe, unread */
	size_t said_at, said_len, said_message; /* message: where the one that is being read ends */
	char pattern[SMB_PATTERN_MAX];
	size_t listed;
};

struct smb_implant { /* DoublePulsar: what its client uploads */
	struct smb_upload payload;
	uint32_t total;
};

struct smb {
	const struct smb_device *device;
	const struct windows_system *system;
	struct rpc_place place; /* whose shares are ours, in the same order */
	struct rpc_share shares[SMB_SHARES_MAX];
	const char *paths[SMB_SHARES_MAX];
	struct vfs vfs;
	const char *drive; /* directory of the tree which is C: */
	uint8_t trees[SMB_TREES_MAX]; /* number of the share plus 1; 0: none */
	struct smb_open *opens[SMB_OPENS_MAX];
	struct ntlm_login login;
	uint8_t challenge[8], session_key[16], signing_key[16];
	uint8_t preauth[2][64]; /* of the negotiation, and with the log-in (SMB 3.1.1) */
	uint8_t seal_key[16], unseal_key[16];
	uint32_t capabilities; /* of SMB 2, as said */
	uint32_t sealed_count; /* no nonce twice */
	uint16_t cipher;       /* of SMB 3; 0: none was agreed on */
	uint32_t signed_count; /* of SMB 1: the number of the next request; 0: nothing is signed */
	uint64_t session_id;
	uint8_t mechanisms[128];
	uint8_t mechanisms_len;
	uint16_t dialect; /* of SMB 2; 0 before */
	uint16_t told;
	bool prepared, challenged, signed_in, anonymous, guest, signs, extended;
	bool seals, sealed; /* can; this request came so */
	bool called; /* a NetBIOS session has been asked for */
	struct smb_implant implant;
	struct smb_upload transaction; /* of SMB 1, whose data comes in several messages */
	uint32_t transaction_total;
	uint8_t *frame; /* one that is larger than what the room keeps unread */
	size_t frame_len, frame_need, frame_room;
	bool grooming; /* a frame that an exploit keeps open */
};

/* What both dialects say; the writer is empty when nothing is answered. */
void smb1_message(struct session *, struct smb *, struct bytes message, struct writer *);
void smb2_message(struct session *, struct smb *, struct bytes message, struct writer *);
/* SMB 2's answer to a multi-protocol negotiation that came as SMB 1. */
void smb2_answer_smb1(struct session *, struct smb *, bool any_smb2, struct writer *);

/* Encryption (seal.c): keys after the log-in; `out` takes all behind the head, false: not ours. */
void smb_seal_prepare(struct smb *);
bool smb_unseal(const struct smb *, struct bytes, uint8_t *out);
/* In front of the message there is room for the head, where `at` is. */
void smb_seal(struct session *, struct smb *, uint8_t *at, size_t message_len);

/* Shares and files (share.c, file.c). */
void smb_prepare(struct session *, struct smb *);
uint64_t smb_guid(const struct session *, unsigned half);
/* Begins an event of a request when there may be one more; else NULL. */
struct event *smb_tell(struct session *, struct smb *, const char *method, struct bytes target);
uint32_t smb_tree_connect(struct session *, struct smb *, struct bytes unc, uint8_t *tree);
bool smb_tree_is_pipe(const struct smb *, uint32_t tree);
bool smb_tree_valid(const struct smb *, uint32_t tree);

struct smb_wish { /* what an open asks for */
	struct bytes name; /* UTF-8, backslashes */
	uint32_t disposition, options;
	bool writes;
};
uint32_t smb_open(struct session *, struct smb *, uint32_t tree, const struct smb_wish *,
		  struct smb_open **, uint32_t *action);
struct smb_open *smb_open_find(struct smb *, uint64_t id);
void smb_close(struct session *, struct smb *, struct smb_open *);
uint32_t smb_write(struct session *, struct smb *, struct smb_open *, uint64_t offset,
		   struct bytes);
/* Writes what is read; STATUS_BUFFER_OVERFLOW when a pipe has more. */
uint32_t smb_read(struct session *, struct smb *, struct smb_open *, uint64_t offset, size_t most,
		  struct writer *);
uint32_t smb_look_up(struct session *, struct smb *, uint32_t tree, struct bytes name,
		     struct smb_status_of *);
uint32_t smb_remove(struct session *, struct smb *, uint32_t tree, struct bytes name);
/* Entries of a directory from where it stands; `level` is MS-FSCC's class. */
uint32_t smb_list(struct session *, struct smb *, struct smb_open *, unsigned level, size_t most,
		  size_t count_max, size_t *count, struct writer *);
void smb_write_basic(struct writer *, const struct smb_status_of *);    /* times, attributes */
void smb_write_standard(struct writer *, const struct smb_status_of *, bool remove);
bool smb_write_volume(struct session *, unsigned level, struct writer *); /* FileFs… classes */
uint32_t smb_attributes(const struct smb_status_of *);
uint64_t smb_filetime(const struct smb_status_of *);

bool smb_upload_write(struct session *, struct smb_upload *, uint64_t offset, struct bytes);
void smb_upload_capture(struct session *, const struct smb_upload *, struct bytes name,
			const char *how);

/* Log-in, shared (login.c): a status, and what goes back in the security blob. */
uint32_t smb_log_in(struct session *, struct smb *, struct bytes blob, struct writer *answer);
uint32_t smb_log_in_plain(struct session *, struct smb *, struct ntlm_login *);

/* DoublePulsar in TRANS2_SESSION_SETUP (implant.c): how much to add to the MID, and the key. */
uint32_t smb_implant_ask(struct session *, struct smb *, uint32_t timeout, struct bytes params,
			 struct bytes data, uint64_t *signature);
void smb_implant_finish(struct session *, struct smb *);

extern const struct exchange smb_exchanges[];
