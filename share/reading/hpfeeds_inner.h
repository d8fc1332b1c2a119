/*
 * hpfeeds, as its subscribers and publishers speak it (github.com/hpfeeds/hpfeeds, wire protocol):
 *
 *   0        4    5
 *   | length | op | ...     length counts all of it; texts are a byte of length and so many bytes
 *
 *   ERROR 0      text
 *   INFO 1       name of the broker, nonce (the rest)
 *   AUTH 2       ident, SHA-1 of nonce and secret (the rest)
 *   PUBLISH 3    ident, channel, payload (the rest)
 *   SUBSCRIBE 4  ident, channel (the rest)
 */
#pragma once
#include "base/bytes.h"
#include "share/client.h"

#define HPFEEDS_FRAME_MAX (2u << 20)
#define HPFEEDS_TEXT_MAX 255

enum hpfeeds_code { HPFEEDS_ERROR, HPFEEDS_INFO, HPFEEDS_AUTH, HPFEEDS_PUBLISH, HPFEEDS_SUBSCRIBE };

struct hpfeeds_frame {
	enum hpfeeds_code code;
	struct bytes first, second, rest; /* texts, as far as that code has them */
};

/* Takes one frame off the reader: 1; 0: it is not whole yet, and nothing is taken; ERR_BAD: it is none. */
int hpfeeds_read(struct reader *, struct hpfeeds_frame *);
/* Writes one; texts that are too long, or no room, turn the writer bad. */
void hpfeeds_write(struct writer *, const struct hpfeeds_frame *);
void hpfeeds_proof(struct bytes nonce, struct bytes secret, uint8_t out[20]);

/* Connects and shows the key (IDENT:SECRET): a descriptor, or -1 with a sentence; `in` holds what came behind. */
int hpfeeds_open(struct client_call *, struct buffer *in, struct fault *);
/* Reads once for so long: 0, or ERR_GONE with a sentence. */
int hpfeeds_fill(struct client_call *, int fd, struct buffer *in, unsigned wait_ms, struct fault *);
/* A frame in what was read: as hpfeeds_read(); ERROR of the broker is ERR_DENIED with what it says.  Valid until the next fill. */
int hpfeeds_next(struct buffer *in, struct hpfeeds_frame *, struct fault *);
