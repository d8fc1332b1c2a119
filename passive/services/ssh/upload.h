/*
 * Bytes of a file that a client sends: gathered whole, kept as a file that was captured, and put
 * into the device's tree as far as that takes them.
 */
#pragma once
#include "passive/services/ssh/connection.h"

#define SSH_UPLOAD_MAX (4u << 20) /* of one file; the rest is counted and not kept */

struct ssh_upload {
	uint8_t *at;
	size_t len, room; /* kept; of the session's arena, used again by the next */
	uint64_t size;    /* as sent */
	char path[VFS_PATH_MAX];
	bool open, written;
};

/* 0, or the negative errno of the device's tree. */
int upload_begin(struct ssh *, struct ssh_upload *, struct bytes path, unsigned how, uint16_t mode);
void upload_write(struct ssh *, struct ssh_upload *, uint64_t offset, struct bytes);
void upload_end(struct ssh *, struct ssh_upload *, const char *how); /* captured, if anything came */
