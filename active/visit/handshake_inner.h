/* What a browser says to a proxy before its own bytes: where it wants to go.  Pure; everything is hostile. */
#pragma once
#include "active/visit/proxy.h"
#include "base/bytes.h"

#define HANDSHAKE_MAX 16384 /* a request's head, with its cookies */

enum handshake_kind { HANDSHAKE_SOCKS, HANDSHAKE_CONNECT, HANDSHAKE_REQUEST };
enum handshake_state {
	HANDSHAKE_MORE,   /* not all is there yet */
	HANDSHAKE_GREET,  /* SOCKS: answer the greeting with .answer, then go on with what follows .used bytes */
	HANDSHAKE_GO,     /* connect to host and port */
	HANDSHAKE_REFUSE, /* send .answer and hang up */
};

struct handshake {
	enum handshake_kind kind;
	bool greeted;            /* of SOCKS: kept by the caller from call to call */
	char host[PROXY_HOST_MAX + 1];
	uint16_t port;
	bool numeric;
	struct address address;
	size_t used;             /* bytes of the input that were it */
	struct bytes answer;     /* constant */
	/* HANDSHAKE_REQUEST: what is sent on, written to `head` by handshake_read(). */
	size_t head_len;
	uint64_t body;           /* bytes that follow it; UINT64_MAX: until the end */
};

/* `head` has HANDSHAKE_MAX bytes.  Call again with all bytes from the first, or from behind .used after a greeting. */
enum handshake_state handshake_read(struct handshake *, struct bytes input, uint8_t *head);
/* What is answered once the connection stands, or does not for that reason; constant. */
struct bytes handshake_answer(const struct handshake *, const char *reason);
