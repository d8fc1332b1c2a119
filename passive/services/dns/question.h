/*
 * A DNS message's header and first question (RFC 1035 4.1), as DNS and mDNS servers read them.
 */
#pragma once
#include "base/bytes.h"

#define DNS_NAME_MAX 255 /* RFC 1035 2.3.4 */
#define DNS_HEADER 12
#define DNS_PLAIN_MAX 512 /* of an answer without EDNS */

enum { DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16,
       DNS_AAAA = 28, DNS_SRV = 33, DNS_OPT = 41, DNS_AXFR = 252, DNS_ANY = 255 };
enum { DNS_IN = 1, DNS_CHAOS = 3 };
enum { DNS_FLAG_ANSWER = 0x8000, DNS_FLAG_AUTHORITATIVE = 0x0400, DNS_FLAG_TRUNCATED = 0x0200,
       DNS_FLAG_RECURSION_ASKED = 0x0100, DNS_FLAG_RECURSION = 0x0080, DNS_OPCODE = 0x7800 };

struct dns_question {
	uint16_t id, flags, questions, type, class;
	bool malformed, edns;
	uint16_t size;               /* that the asker takes over UDP */
	struct bytes wire;           /* name, type and class as they came; empty without a question */
	char name[DNS_NAME_MAX + 1]; /* dotted, without a dot at its end */
};

/* False for what gets no answer at all: too short for a header, or an answer itself. */
bool dns_question_read(struct bytes message, struct dns_question *);
/* "A", "TXT", ..., or "TYPE123" (RFC 3597 5) in `room`. */
const char *dns_type_name(uint16_t type, char room[16]);
