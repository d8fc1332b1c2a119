/* What a publisher sends: the lines of an export's file, behind those that arrived before. */
#pragma once
#include "share/publisher.h"

struct publication {
	int fd;
	struct buffer pending;
	size_t taken;     /* of pending, by the line in hand */
	uint64_t skip;    /* lines that arrived at an earlier try */
	uint64_t lines, arrived;
};

struct publication_place { /* what is kept between turns: how far, and what is not whole yet */
	uint64_t done_us;          /* all before was sent */
	uint64_t from_us, to_us;   /* of what was begun; 0: nothing is */
	uint64_t arrived;          /* lines of it */
	char digest[65];           /* of its bytes: other bytes are sent from their beginning */
};

#define PUBLICATION_PLACE_MAX 256

void publication_open(struct publication *, int fd, uint64_t skip);
void publication_close(struct publication *);
void publication_place_read(struct bytes state, struct publication_place *);
struct bytes publication_place_write(const struct publication_place *, char text[PUBLICATION_PLACE_MAX]);

/* A line of output "dshield" as DShield's API wants a firewall's log; NULL: it is none.  The caller's to free. */
struct json_t;
struct json_t *dshield_log(struct bytes line);
/* ISC-HMAC-SHA256: base64 of the SHA-256 HMAC of the key under nonce and number of the user. */
void dshield_authorize(struct bytes user, struct bytes key, const char *nonce, struct writer *);
