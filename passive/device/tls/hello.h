/*
 * A client's first words in TLS (ClientHello), and what they say about its software.
 *
 * JA3 (Althouse, Atkinson, Atkins 2017) and JA4 (FoxIO 2023) are digests of what a client
 * offers; GREASE values (RFC 8701) are left out of both.  The reader takes the stream as it
 * came from the wire, so a hello that is spread over several records (RFC 8446 5.1) is found too.
 */
#pragma once
#include "base/bytes.h"

#define TLS_HELLO_MAX 16384 /* of the handshake message; the room reads no more before it gives up */
#define TLS_NAME_MAX 255    /* of the server's name (RFC 6066 3) */
#define TLS_JA3_TEXT 33
#define TLS_JA4_TEXT 37

enum tls_hello_found {
	TLS_HELLO_MORE, /* the stream ends within it */
	TLS_HELLO_NONE, /* that is no ClientHello */
	TLS_HELLO_WHOLE,
};

struct tls_hello {
	uint16_t version;  /* the highest that it offers */
	struct bytes name; /* of the server, as asked for; empty: none */
	struct bytes alpn; /* names with a byte of length before each (RFC 7301 3.1) */
	char ja3[TLS_JA3_TEXT], ja4[TLS_JA4_TEXT];
};

/*
 * Reads the ClientHello at the begin of a stream.  `name` and `alpn` lie in the stream, or in
 * `scratch` (of TLS_HELLO_MAX bytes) when the message came in pieces.
 */
enum tls_hello_found tls_hello_read(struct bytes stream, uint8_t *scratch, struct tls_hello *);
/* The names of an ALPN list with commas between them. */
void tls_alpn_write(struct bytes alpn, struct writer *);
