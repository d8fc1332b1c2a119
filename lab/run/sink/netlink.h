/*
 * Messages to the kernel by netlink: routes, and the rules of nf_tables.
 *
 * Several go in one piece, as nf_tables wants them (a batch is done whole or not at all); each is
 * answered, and the first that was refused is the result, with errno.
 */
#pragma once
#include "base/bytes.h"

#define NETLINK_ROOM 8192

struct netlink {
	uint8_t room[NETLINK_ROOM] __attribute__((aligned(8)));
	struct writer w;
	size_t message;   /* where the current one begins */
	unsigned wanted;  /* answers to come */
};

void netlink_begin(struct netlink *);
/* `body` follows the header; with NLM_F_ACK in flags an answer is waited for. */
void netlink_message(struct netlink *, uint16_t type, uint16_t flags, const void *body, size_t len);
void netlink_attribute(struct netlink *, uint16_t type, const void *body, size_t len);
void netlink_text(struct netlink *, uint16_t type, const char *); /* with its NUL */
void netlink_be32(struct netlink *, uint16_t type, uint32_t);
void netlink_be64(struct netlink *, uint16_t type, uint64_t);
size_t netlink_nest(struct netlink *, uint16_t type);
void netlink_nested(struct netlink *, size_t nest);
int netlink_send(struct netlink *, int protocol); /* 0, ERR_FULL, or ERR_SYSTEM */
