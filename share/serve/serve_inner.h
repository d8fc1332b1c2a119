/*
 * How the process "partners" asks the exchange, topic "exchange.serve": it speaks HTTP and TLS with the partners and
 * knows nothing; the exchange knows them, and decides what goes out.
 *
 * A payload is a u8 and then
 *
 *   SERVE_ASK      a head; answered with the whole answer, or with status 100 when the exchange wants the body
 *   SERVE_PART     a u64, the number that came with the 100, and up to SERVE_PART_MAX bytes of the body; answered
 *                  with nothing
 *   SERVE_END      that u64; answered with the whole answer
 *   SERVE_FORGET   that u64: who asked went away
 *
 * An answer is a u64 (the number), a u16 (status), a u8 (how many headers), each as two texts, and then the body,
 * which may go on in further parts.  A text is a u16 and its bytes.  Nothing of an answer is sent before all of it is
 * there, since the exchange writes its digest into the audit first.
 */
#pragma once
#include "base/address.h"
#include "base/bytes.h"

#define TOPIC_SERVE "exchange.serve"
#define SERVE_PART_MAX (512u << 10)
#define SERVE_BODY_MAX (8u << 20)    /* of a request */
#define SERVE_ANSWER_MAX (64u << 20)
#define SERVE_ARGUMENTS_MAX 24
#define SERVE_HEADERS_MAX 12
#define SERVE_TEXT_MAX 4096
#define SERVE_HEAD_MAX 32768
#define SERVE_DIGEST 32

enum serve_step { SERVE_ASK, SERVE_PART, SERVE_END, SERVE_FORGET };

struct serve_pair {
	struct bytes name, value;
};

struct serve_head {
	struct bytes method, path, host, accept, content_type, authorization, api_key;
	struct serve_pair arguments[SERVE_ARGUMENTS_MAX]; /* behind the "?", decoded */
	size_t argument_count;
	struct address from;
	bool secure;          /* it came over TLS */
	bool has_certificate; /* the client's, whose chain was verified */
	uint8_t certificate[SERVE_DIGEST];
	uint64_t body_len;
};

struct serve_answer_head {
	uint64_t number;
	uint16_t status;
	struct serve_pair headers[SERVE_HEADERS_MAX];
	size_t header_count;
};

void serve_head_write(const struct serve_head *, struct writer *);
bool serve_head_read(struct reader *, struct serve_head *); /* false: cut, or beyond a limit */
void serve_answer_write(const struct serve_answer_head *, struct writer *);
bool serve_answer_read(struct reader *, struct serve_answer_head *); /* the body is the rest */
