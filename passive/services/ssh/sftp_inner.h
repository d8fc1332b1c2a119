/* The state of an SFTP server, and its answers. */
#pragma once
#include "passive/services/ssh/sftp.h"
#include "passive/services/ssh/upload.h"

#define SFTP_MESSAGE_MAX (256 * 1024) /* as OpenSSH's server */
#define SFTP_HANDLES_MAX 16
#define SFTP_READ_MAX (32 * 1024)
#define SFTP_ANSWER_MAX (SFTP_READ_MAX + 1024)

enum sftp_type {
	SFTP_INIT = 1,
	SFTP_VERSION = 2,
	SFTP_OPEN = 3,
	SFTP_CLOSE = 4,
	SFTP_READ = 5,
	SFTP_WRITE = 6,
	SFTP_LSTAT = 7,
	SFTP_FSTAT = 8,
	SFTP_SETSTAT = 9,
	SFTP_FSETSTAT = 10,
	SFTP_OPENDIR = 11,
	SFTP_READDIR = 12,
	SFTP_REMOVE = 13,
	SFTP_MKDIR = 14,
	SFTP_RMDIR = 15,
	SFTP_REALPATH = 16,
	SFTP_STAT = 17,
	SFTP_RENAME = 18,
	SFTP_READLINK = 19,
	SFTP_SYMLINK = 20,
	SFTP_STATUS = 101,
	SFTP_HANDLE = 102,
	SFTP_DATA = 103,
	SFTP_NAME = 104,
	SFTP_ATTRS = 105,
	SFTP_EXTENDED = 200,
	SFTP_EXTENDED_REPLY = 201,
};

enum sftp_status {
	SFTP_OK,
	SFTP_EOF,
	SFTP_NO_SUCH_FILE,
	SFTP_PERMISSION_DENIED,
	SFTP_FAILURE,
	SFTP_BAD_MESSAGE,
	SFTP_NO_CONNECTION,
	SFTP_CONNECTION_LOST,
	SFTP_UNSUPPORTED,
};

enum sftp_kind { SFTP_FREE, SFTP_READS, SFTP_WRITES, SFTP_LISTS };

struct sftp_handle {
	uint8_t kind;
	struct bytes content;  /* of one that is read */
	struct vfs_child *list; /* of a directory */
	size_t count, at;
	char path[VFS_PATH_MAX];
	struct ssh_upload upload;
};

struct ssh_sftp {
	bool begun; /* INIT was there */
	uint8_t *unread;
	size_t unread_len, unread_room;
	struct sftp_handle handles[SFTP_HANDLES_MAX];
};

struct sftp_turn { /* one request being answered */
	struct ssh *ssh;
	struct ssh_channel *channel;
	struct ssh_sftp *sftp;
	struct vfs *files;
	uint32_t id;
};

/* sftp_answer.c */
void sftp_answer(const struct sftp_turn *, enum sftp_type, struct bytes after_id);
void sftp_status(const struct sftp_turn *, enum sftp_status);
void sftp_error(const struct sftp_turn *, int error); /* 0 or a negative errno */
void sftp_write_attributes(const struct sftp_turn *, struct vfs_node, struct writer *);
void sftp_write_long_name(const struct sftp_turn *, struct bytes name, struct vfs_node, uint64_t now_us, struct writer *);
void sftp_version(const struct sftp_turn *);

/* sftp_request.c: takes the message behind its type and id. */
void sftp_request(const struct sftp_turn *, enum sftp_type, struct reader *);
