/* DNS messages (RFC 1035 4, RFC 6891): one question for addresses, and what is believed of its answer. */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define DNS_MESSAGE_MAX 4096
#define DNS_UDP_MAX 1232     /* what fits every path (DNS flag day 2020) */
#define DNS_ADDRESSES_MAX 16 /* of one name and type */
#define DNS_A 1
#define DNS_AAAA 28

struct dns_answer {
	struct address addresses[DNS_ADDRESSES_MAX];
	size_t count;
	uint32_t ttl_s;  /* the shortest on the way */
	bool truncated;  /* ask again over TCP */
	uint8_t code;    /* 0, 3: there is no such name, … */
};

/* ERR_BAD: the name is none that can be asked for. */
int dns_question_write(struct writer *, uint16_t id, const char *name, uint16_t type);
/* ERR_BAD: not an answer to that question, also when it looks like one.  Aliases are followed within it. */
int dns_answer_read(struct bytes message, uint16_t id, const char *name, uint16_t type, struct dns_answer *);
/*
 * Names that are no business of the public tree, or lead to this machine: one label, localhost, .local,
 * .onion, .internal, home.arpa, .arpa (RFC 6761, RFC 6762, RFC 7686, RFC 8375).
 */
bool dns_name_is_private(const char *name);
