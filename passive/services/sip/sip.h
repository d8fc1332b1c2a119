/*
 * The parts of the SIP service: a request (RFC 3261), the digest that comes with it, and what a
 * device says to it.
 */
#pragma once
#include "passive/accounts.h"

#define SIP_VIAS_MAX 8
#define SIP_HEAD_MAX 8192
#define SIP_BODY_MAX 8192
#define SIP_NONCE_MAX 64

enum sip_software { SIP_ASTERISK, SIP_FREESWITCH };
enum sip_calls { SIP_CALLS_UNAVAILABLE, SIP_CALLS_BUSY, SIP_CALLS_REJECTED };

struct sip_device {
	int software, calls;
	const char *server, *realm; /* templates; NULL: the software's own */
	bool anonymous_options;
	uint64_t call_delay_ms;
	struct option_list accounts;
};

struct sip_request {
	struct bytes method, uri;
	struct bytes vias[SIP_VIAS_MAX];
	size_t via_count;
	struct bytes from, to, call_id, sequence, contact, agent, expires, authorization, length;
	struct bytes branch; /* of the first Via */
	struct bytes body;
};

/* The head up to its empty line, both taken off; false: it is not whole. */
bool sip_head(struct reader *, struct bytes *head);
/* False: it is no request, or what every one must have is missing (8.1.1). */
bool sip_parse(struct bytes head, struct sip_request *);
bool sip_has_tag(struct bytes from_or_to);
/* A parameter behind ';' or ','; false: none of that name. */
bool sip_parameter(struct bytes field, const char *name, char parted, struct bytes *value);
/* Whom a URI names: what stands between its scheme and "@". */
struct bytes sip_user(struct bytes uri);

enum sip_login { SIP_LOGIN_NONE, SIP_LOGIN_REFUSED, SIP_LOGIN_STALE, SIP_LOGIN_IN };

void sip_realm(const struct session *, char *out, size_t size);
/* The server's nonce of this moment for this peer. */
void sip_nonce(const struct session *, uint64_t time_s, char out[SIP_NONCE_MAX]);
/* Reports the log-in, if it is one and not only late. */
enum sip_login sip_log_in(struct session *, const struct sip_request *);

struct sip_answer {
	unsigned status;
	const char *reason;
	unsigned cause; /* Q.850, for the Reason field (RFC 3326); 0: none */
	bool challenge, stale, capabilities, registered;
	bool dialog; /* it is the answer of a call, with a tag of its own */
};

/*
 * Says it.  Over UDP, what would be longer than the guard lets out is said with compact names
 * (7.3.3) and without what nobody needs, or not at all.
 */
void sip_say(struct session *, const struct sip_request *, const struct sip_answer *);
/* How long it would be. */
size_t sip_length(struct session *, const struct sip_request *, const struct sip_answer *);
