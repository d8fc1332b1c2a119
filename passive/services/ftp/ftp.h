/* What the files of the FTP service share: its state, the words of real servers, its files. */
#pragma once
#include "passive/persona.h"
#include "passive/service.h"
#include "passive/device/vfs/vfs.h"

#define FTP_USER_MAX 63
#define FTP_ANSWER_MAX 2048

enum ftp_answer {
	FTP_ASK_SECRET,
	FTP_NAME_FIRST,
	FTP_LOGGED_IN,
	FTP_REFUSED,
	FTP_LOG_IN_FIRST,
	FTP_IS_IN,
	FTP_NO_OTHER,
	FTP_GOODBYE,
	FTP_SYSTEM,
	FTP_FEATURES,
	FTP_FEATURES_SECURE, /* NULL: that server is not played with TLS */
	FTP_HELP,
	FTP_NOOP,
	FTP_UNKNOWN,
	FTP_NOT_IMPLEMENTED, /* a command */
	FTP_DENIED,
	FTP_DIRECTORY, /* a path */
	FTP_CHANGED,
	FTP_NOT_CHANGED, /* a path, as all that follow with _NO_ in their names */
	FTP_TYPE_ASCII,
	FTP_TYPE_BINARY,
	FTP_TYPE_BAD,
	FTP_MODE,
	FTP_MODE_BAD,
	FTP_STRUCTURE,
	FTP_STRUCTURE_BAD,
	FTP_ALLOCATED,
	FTP_NO_TRANSFER,
	FTP_RESTART, /* a number */
	FTP_NO_SIZE,
	FTP_NO_TIME,
	FTP_DELETED,
	FTP_NO_DELETE,
	FTP_MADE, /* a path */
	FTP_NO_MAKE,
	FTP_UNMADE,
	FTP_NO_UNMAKE,
	FTP_RENAME_FROM,
	FTP_NO_RENAME_FROM,
	FTP_RENAMED,
	FTP_NO_RENAME,
	FTP_RENAME_ORDER,
	FTP_NO_DATA,
	FTP_NOBODY_CAME,
	FTP_BROKEN,
	FTP_PORT_BAD,
	FTP_EPRT_BAD,
	FTP_PASSIVE,  /* address and port */
	FTP_EXTENDED, /* a port */
	FTP_EXTENDED_BAD,
	FTP_LIST,
	FTP_LISTED,
	FTP_SEND, /* name and size */
	FTP_SENT,
	FTP_NO_SEND,
	FTP_TAKE,
	FTP_TAKEN,
	FTP_NO_TAKE,
	FTP_NO_ROOM,
	FTP_UTF8,
	FTP_OPTION_BAD,
	FTP_SITE_HELP,
	FTP_SITE_BAD,
	FTP_SITE_MODE,
	FTP_NO_SITE_MODE,
	FTP_SITE_MASK,     /* a mask */
	FTP_SITE_MASK_SET, /* a mask */
	FTP_STATUS_BEGIN,
	FTP_STATUS_END,
	FTP_ANSWERS,
};

struct ftp_dialect {
	const char *name, *greeting;
	const char *const *answers; /* of enum ftp_answer; \1 is where its word goes */
	uint32_t refusal_delay_ms;
	bool numbers;         /* owners in lists are numbers */
};
extern const struct ftp_dialect ftp_dialects[];
const struct ftp_dialect *ftp_dialect(const char *name); /* the first when there is none */

struct ftp_device {
	const char *server, *banner, *home, *root, *anonymous_root;
	bool anonymous, anonymous_writes, tls;
};

enum ftp_transfer { TRANSFER_NONE, TRANSFER_LIST, TRANSFER_NAMES, TRANSFER_SEND, TRANSFER_TAKE, TRANSFER_APPEND };

struct ftp {
	char *cwd;   /* as the peer sees it, on the arena; NULL: not logged in */
	char *path;  /* of the transfer; as the peer wrote it */
	char *moved; /* RNFR */
	const char *root;
	uint32_t restart;
	uint8_t user_len, user[FTP_USER_MAX];
	uint8_t tries, mask;
	uint8_t transfer; /* that waits for its connection, or goes on */
	bool named, inside, anonymous, refused, guest_writes;
	bool expected, connected, going, binary;
};

static inline const struct ftp_dialect *ftp_dialect_of(const struct session *s)
{
	return ftp_dialect(((const struct ftp_device *)session_device(s))->server);
}
void ftp_say(struct session *, enum ftp_answer, const char *word);

/* A path of the peer's in the device's tree, below the root that it sees; false: too long. */
struct ftp_files {
	struct vfs files;
	const struct persona *persona;
	char shown[VFS_PATH_MAX]; /* canonical, as the peer sees it */
	char path[2 * VFS_PATH_MAX];
};
bool ftp_find(struct session *, const struct ftp *, struct bytes path, struct ftp_files *);
/* As LIST or NLST has it; `all`: names that begin with a dot, too. */
void ftp_list(struct session *, const struct ftp *, struct bytes path, bool names, bool all, struct buffer *out);

/* Keeps a text for as long as the session; NULL: no memory. */
char *ftp_keep(struct session *, char **at, const char *text);
const char *ftp_word(struct bytes, char *room, size_t size); /* with a NUL, cut to the room */
bool ftp_is_directory(struct session *, const struct ftp *, const char *path, struct ftp_files *);
static inline bool ftp_may_write(const struct ftp *ftp) { return !ftp->anonymous || ftp->guest_writes; }

/* transfer.c */
void ftp_call_peer(struct session *, struct ftp *, bool extended);
void ftp_transfer(struct session *, struct ftp *, enum ftp_transfer, struct bytes path);
enum service_next ftp_data(struct session *, void *state, enum data_event, struct bytes came);
