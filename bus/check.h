/*
 * Checks of command servers: what control lets the prober ask one, and what came of it.
 *
 *   "check.give"  control → active: a struct lease (control/policy.h), then a struct check_order.
 *                 Ports of the lease: the server's, then the one for CHECK_ELSEWHERE.  Answered as "lease.give" is
 *   "check.done"  active → control: a struct check_result, before its "lease.done"
 *
 * A check has four steps, one connection each, one after the other.  Each says at most one thing, at once,
 * hears at most CHECK_ANSWER_MAX bytes and hangs up: whatever the server then commands is not answered.
 *
 *   CHECK_BANNER     nothing is said
 *   CHECK_HELLO      what the sample said first, its identifiers replaced
 *   CHECK_NEUTRAL    as many bytes that mean nothing
 *   CHECK_ELSEWHERE  the hello to another port of that address
 *
 * A server that answers the last two as it answers the hello answers everything: that is no match.
 */
#pragma once
#include "base/bytes.h"
#include "event/id.h"

#define CHECK_HELLO_MAX 512
#define CHECK_ANSWER_MAX 512
#define CHECK_CONNECTIONS_MAX 4
#define CHECK_WORD_MAX 63
#define CHECK_ORDER_WIRE_MAX 1280
#define CHECK_RESULT_WIRE_MAX 768

enum check_step { CHECK_BANNER = 1, CHECK_HELLO = 2, CHECK_NEUTRAL = 4, CHECK_ELSEWHERE = 8 };
#define CHECK_ALL (CHECK_BANNER | CHECK_HELLO | CHECK_NEUTRAL | CHECK_ELSEWHERE)

enum server_state {
	SERVER_UNKNOWN,
	SERVER_LIVE,       /* it answers as a fingerprint says, and only the hello at that port */
	SERVER_LIKELY,     /* likewise, but no fingerprint knows the answer, and no known service gives it */
	SERVER_SERVICE,    /* it answers as a service that anybody may run: no proof of anything */
	SERVER_EVERYTHING, /* it answers whatever is said, or at any port */
	SERVER_SILENT,     /* it takes the connection and says nothing */
	SERVER_OPEN,       /* it takes the connection; no hello was said */
	SERVER_CLOSED,
	SERVER_FILTERED,
	SERVER_STATES
};
const char *server_state_name(enum server_state);

struct check_order {
	uint8_t steps;             /* of enum check_step */
	bool banner_known;         /* heard before, so that CHECK_BANNER is not taken again */
	struct bytes hello;        /* may be empty: then only CHECK_BANNER is taken */
	struct bytes banner;
	char sample[65];           /* SHA-256 */
	char family[CHECK_WORD_MAX + 1];
};

struct check_result {
	struct event_id lease;
	uint8_t steps;             /* that were taken */
	enum server_state state;
	uint8_t certainty;         /* that it is the sample's server: 0 to 100 */
	struct bytes banner;
	char fingerprint[CHECK_WORD_MAX + 1]; /* that matched; may be empty */
};

/* The writers turn bad, the readers false, beyond a limit; what was read points into the payload. */
void check_order_write(const struct check_order *, struct writer *);
bool check_order_read(struct reader *, struct check_order *);
void check_result_write(const struct check_result *, struct writer *);
bool check_result_read(struct reader *, struct check_result *);
