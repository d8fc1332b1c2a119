/*
 * The catch-all: whatever comes to a port that no service has.
 *
 * Where a service is usual on that port and speaks first it takes the session at once.  Else the
 * peer's first bytes decide, as LZR found (Izhikevich et al. 2021) that two of three services on
 * odd ports are not the port's usual ones; what nobody claims goes to the port's usual service,
 * and without one it is kept and nothing is answered.  Over UDP the first datagram decides.
 */
#include "passive/service.h"

#define SAMPLE_MAX 512
#define CLAIM_MIN 8 /* bytes; fewer may be the beginning of something that is known */

struct any {
	bool kept;
};

static const struct service *usual_on(uint16_t port, enum transport transport)
{
	SERVICES_EACH(it)
		for (size_t i = 0; i < sizeof (*it)->ports / sizeof *(*it)->ports && (*it)->ports[i]; i++)
			if ((*it)->ports[i] == port && (*it)->transports & transport && !(*it)->hands_over)
				return *it;
	return NULL;
}

/* That speaks first once TLS is through: imaps, smtps and the like. */
static const struct service *secure_on(uint16_t port)
{
	SERVICES_EACH(it)
		for (size_t i = 0; i < sizeof (*it)->secure_ports / sizeof *(*it)->secure_ports && (*it)->secure_ports[i]; i++)
			if ((*it)->secure_ports[i] == port && !(*it)->claims && (*it)->open)
				return *it;
	return NULL;
}

/* A handshake record of TLS (RFC 8446 5.1). */
static bool is_tls(struct bytes first)
{
	return first.len >= 3 && first.at[0] == 22 && first.at[1] == 3 && first.at[2] <= 4;
}

static const struct service *claimed_by(struct bytes first)
{
	SERVICES_EACH(it)
		if ((*it)->transports & TRANSPORT_TCP && (*it)->claims && (*it)->claims(first))
			return *it;
	return NULL;
}

static const struct service *datagram_claimed_by(struct bytes first)
{
	SERVICES_EACH(it)
		if ((*it)->claims_datagram && (*it)->claims_datagram(first))
			return *it;
	return NULL;
}

static enum service_next any_open(struct session *s, void *state)
{
	(void)state;
	if (session_transport(s) == TRANSPORT_UDP)
		return SERVICE_CONTINUE;
	const struct service *secure = secure_on(session_local_port(s));
	if (secure) {
		session_secure(s);
		return session_become(s, secure);
	}
	const struct service *usual = usual_on(session_local_port(s), TRANSPORT_TCP);
	return usual && !usual->claims ? session_become(s, usual) : SERVICE_CONTINUE;
}

static void keep(struct session *s, struct bytes first)
{
	if (first.len > SAMPLE_MAX)
		first.len = SAMPLE_MAX;
	event_set_bytes(session_report(s, EVENT_REQUEST_SEEN), FIELD_BODY, first);
}

static enum service_next any_datagram(struct session *s, struct any *a, struct reader *r)
{
	struct bytes first = {r->at, reader_left(r)};
	const struct service *claimer = a->kept ? NULL : datagram_claimed_by(first);
	if (!claimer && !a->kept)
		claimer = usual_on(session_local_port(s), TRANSPORT_UDP);
	if (claimer)
		return session_become(s, claimer);
	if (!a->kept)
		keep(s, first);
	a->kept = true;
	read_rest(r);
	return SERVICE_CONTINUE;
}

static enum service_next any_input(struct session *s, void *state, struct reader *r)
{
	struct any *a = state;
	struct bytes first = {r->at, reader_left(r)};
	if (session_transport(s) == TRANSPORT_UDP)
		return any_datagram(s, a, r);
	if (!a->kept && !session_is_secure(s) && is_tls(first)) {
		session_secure(s); /* what it says within is looked at next */
		return SERVICE_CONTINUE;
	}
	if (!a->kept) {
		const struct service *claimer = claimed_by(first);
		if (!claimer && first.len >= CLAIM_MIN)
			claimer = usual_on(session_local_port(s), TRANSPORT_TCP);
		if (claimer)
			return session_become(s, claimer);
		if (first.len < CLAIM_MIN)
			return SERVICE_CONTINUE;
		keep(s, first);
		a->kept = true;
	}
	read_rest(r);
	return SERVICE_CONTINUE;
}

static const struct exchange exchanges[] = {
	{
		.title = "a request that a service knows becomes its session",
		.peer_sends = BYTES("GET /nothing-there HTTP/1.0\r\n\r\n"),
		.we_answer = BYTES("HTTP/1.0 404 Not Found\r\n"
				   "Date: Wed, 01 Apr 2015 00:00:00 GMT\r\n"
				   "Server: Boa/0.94.14rc21\r\n"
				   "Accept-Ranges: bytes\r\n"
				   "Connection: close\r\n"
				   "Content-Type: text/html; charset=ISO-8859-1\r\n\r\n"
				   "<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD>\n"
				   "<BODY><H1>404 Not Found</H1>\n"
				   "The requested URL /nothing-there was not found on this server.\n"
				   "</BODY></HTML>\n"),
		.events = "{\"kind\":\"request.seen\",\"service\":\"http\",\"request.target\":\"/nothing-there\"}",
	},
	{
		.title = "TLS is spoken on any port, and what comes within it looked at",
		.peer_sends = BYTES("\26\3\1GET / HTTP/1.0\r\n\r\n"),
		.we_answer = BYTES(""),
		.events = "{\"kind\":\"request.seen\",\"service\":\"any\"}",
	},
	{
		.title = "what nobody knows is kept and not answered",
		.peer_sends = BYTES("\1\2\3\4\5\6 nobody speaks this"),
		.we_answer = BYTES(""),
		.events = "{\"kind\":\"request.seen\",\"service\":\"any\"}",
	},
	{0},
};

static const struct exchange exchanges_udp[] = {
	{
		.title = "a datagram that a service knows becomes its session",
		.peer_sends = BYTES("\0\1nothing-there\0octet\0"),
		.we_answer = BYTES("\0\5\0\1File not found\0"),
		.events = "{\"kind\":\"request.seen\",\"service\":\"tftp\"}",
	},
	{
		.title = "a datagram that nobody knows is kept and not answered",
		.peer_sends = BYTES("\1\2\3\4 nobody speaks this"),
		.we_answer = BYTES(""),
		.events = "{\"kind\":\"request.seen\",\"service\":\"any\"}",
	},
	{0},
};

static const struct service any = {
	.name = "any",
	.summary = "the catch-all: takes what comes to a port that no service has, and hands over",
	.reference = "LZR: Identifying Unexpected Internet Services (USENIX Security 2021)",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = {61439},
	.state_size = sizeof(struct any),
	.input_max = 4096,
	.output_max = 65536,
	.arena_max = 4096,
	.idle_ms_max = 60000,
	.session_ms_max = 600000,
	.hands_over = true,
	.open = any_open,
	.input = any_input,
	.exchanges = exchanges,
	.exchanges_udp = exchanges_udp,
};
SERVICE(any);
