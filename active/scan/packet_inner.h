/*
 * Frames to send, made from a template: what differs between two of them is written over it, and
 * the checksum follows from the template's by addition (RFC 1071 2).
 *
 * And the cookie: 64 bits of SipHash over protocol, target and port, spread over the fields that an
 * answer returns.
 *
 *   TCP    sequence, source port; a quoted packet also returns the IP id
 *   UDP    source port, the question's transaction id where it has one; quoted: the IP id
 *   ICMP   id and sequence, and all 64 bits at the end of the data
 */
#pragma once
#include "active/scan/scan.h"
#include "base/siphash.h"

#define ETHERNET_HEADER 14
#define FRAME_MAX 1536
#define URI_MAX 64 /* with the data's cookie, within what is captured of an answer */

struct source_ports {
	uint16_t low, count;
};

uint64_t cookie_make(const struct siphash_key *, enum scan_protocol, const struct address *target, uint16_t port);
static inline uint32_t cookie_sequence(uint64_t cookie) { return (uint32_t)cookie; }
static inline uint16_t cookie_port(uint64_t cookie, struct source_ports p)
{
	return (uint16_t)(p.low + ((cookie >> 48) * p.count >> 16));
}
static inline uint16_t cookie_ip_id(uint64_t cookie) { return (uint16_t)(cookie >> 32) | 1; } /* 0 has a meaning */

/* A question of UDP: where its transaction id stands, and where the answer repeats it. */
struct scan_question {
	uint16_t port;
	struct bytes bytes;
	uint16_t mark_at, mark_length; /* 0: it has none */
	uint16_t answer_at;
	bool industrial;
};
const struct scan_question *scan_question_of(uint16_t port); /* NULL: none is known */
/* What stands at the mark: up to 8 bytes of it. */
void scan_question_mark(uint64_t cookie, uint8_t mark[8]);

struct template {
	uint8_t frame[FRAME_MAX];
	uint16_t length, ip, transport; /* where the headers begin; ip: 0 without Ethernet */
	enum scan_protocol protocol;
	bool v4;
	uint32_t ip_sum, transport_sum; /* without what differs */
	const struct scan_question *question; /* its mark; NULL */
};

struct template_wanted {
	enum scan_protocol protocol;
	struct address from;
	const uint8_t *router, *station; /* MACs; NULL: the frame begins with its IP header */
	struct bytes payload;            /* UDP; ICMP: the URI */
	const struct scan_question *question;
};
int template_make(struct template *, const struct template_wanted *);
/* Writes the frame, which has room for FRAME_MAX; its length. */
size_t template_write(const struct template *, uint8_t *frame, const struct address *target, uint16_t port,
		      uint64_t cookie, struct source_ports);
