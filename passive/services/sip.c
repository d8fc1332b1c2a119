/*
 * SIP of a PBX, Asterisk with PJSIP or FreeSWITCH: it registers phones that know a password, and
 * connects no call.
 *
 * Every request is answered by itself: the nonce says when and to whom it was given.  A call of
 * somebody who has logged in is tried for a moment and then fails as one does whose line to
 * outside is down, engaged or barred; no call is made, and no media is ever sent.
 */
#include "base/options.h"
#include "passive/services/sip/sip.h"

FIELD(FIELD_SIP_FROM, "sip.from", BYTES, 0, "who a SIP request says it is from");
FIELD(FIELD_SIP_TO, "sip.to", BYTES, 0, "whom a SIP request is for");
FIELD(FIELD_SIP_NUMBER, "sip.number", BYTES, 0, "the number that was to be called");

#define KEPT_MAX 256         /* of a field in an event */
#define NUMBER_OUTSIDE_MIN 6 /* digits; shorter ones are of the PBX */

struct sip {
	uint8_t *call; /* head of the INVITE that is tried; kept from call to call */
	uint32_t call_len, call_room;
	struct sip_answer end; /* how it ends */
};

static const struct sip_device *device_of(const struct session *s) { return session_device(s); }

static struct bytes cut(struct bytes b, size_t max)
{
	return (struct bytes){b.at, b.len < max ? b.len : max};
}

static void report(struct session *s, const struct sip_request *r)
{
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, r->method);
	event_set_bytes(e, FIELD_TARGET, cut(r->uri, KEPT_MAX));
	event_set_bytes(e, FIELD_SIP_FROM, cut(r->from, KEPT_MAX));
	event_set_bytes(e, FIELD_SIP_TO, cut(r->to, KEPT_MAX));
	if (r->agent.len)
		event_set_bytes(e, FIELD_AGENT, cut(r->agent, KEPT_MAX));
	if (bytes_equal_text(r->method, "INVITE"))
		event_set_bytes(e, FIELD_SIP_NUMBER, cut(sip_user(r->uri), KEPT_MAX));
	if (r->body.len)
		event_set_bytes(e, FIELD_BODY, cut(r->body, 2048));
}

static void answer(struct session *s, const struct sip_request *r, struct sip_answer a)
{
	sip_say(s, r, &a);
}

static void challenge(struct session *s, const struct sip_request *r, bool stale)
{
	bool proxy = device_of(s)->software == SIP_FREESWITCH && !bytes_equal_text(r->method, "REGISTER");
	answer(s, r, (struct sip_answer){.status = proxy ? 407 : 401, .challenge = true, .stale = stale,
					 .reason = proxy ? "Proxy Authentication Required" : "Unauthorized"});
}

static size_t digits_of(struct bytes number)
{
	size_t digits = 0;
	for (size_t i = 0; i < number.len; i++)
		digits += number.at[i] >= '0' && number.at[i] <= '9';
	return digits;
}

static struct sip_answer call_end(struct session *s, const struct sip_request *r)
{
	const struct sip_device *d = device_of(s);
	struct bytes number = sip_user(r->uri), secret;
	if (accounts_secret(s, &d->accounts, number, &secret)) /* a phone that is not there */
		return (struct sip_answer){.status = 480, .reason = "Temporarily Unavailable", .cause = 20, .dialog = true};
	if (digits_of(number) < NUMBER_OUTSIDE_MIN)
		return (struct sip_answer){.status = 404, .reason = "Not Found", .dialog = true};
	if (d->calls == SIP_CALLS_BUSY)
		return (struct sip_answer){.status = 486, .reason = "Busy Here", .cause = 17, .dialog = true};
	if (d->calls == SIP_CALLS_UNAVAILABLE)
		return (struct sip_answer){.status = 503, .reason = "Service Unavailable", .cause = 34, .dialog = true};
	if (d->software == SIP_FREESWITCH)
		return (struct sip_answer){.status = 603, .reason = "Decline", .cause = 21, .dialog = true};
	return (struct sip_answer){.status = 403, .reason = "Forbidden", .cause = 21, .dialog = true};
}

static bool keep_call(struct session *s, struct sip *sip, struct bytes head)
{
	if (sip->call_room < head.len) {
		sip->call = arena_alloc(session_arena(s), SIP_HEAD_MAX);
		sip->call_room = sip->call ? SIP_HEAD_MAX : 0;
	}
	if (sip->call_room < head.len)
		return false;
	memcpy(sip->call, head.at, head.len);
	sip->call_len = (uint32_t)head.len;
	return true;
}

/* Over UDP two answers to one request must fit into what came, else only the last is given. */
static void call(struct session *s, struct sip *sip, const struct sip_request *r, struct bytes head)
{
	const struct sip_answer trying = {.status = 100, .reason = "Trying"};
	struct sip_answer end = call_end(s, r);
	bool waits = end.status != 404 && keep_call(s, sip, head);
	if (waits && session_transport(s) == TRANSPORT_UDP)
		waits = sip_length(s, r, &trying) + sip_length(s, r, &end) <= head.len + r->body.len;
	if (!waits) {
		answer(s, r, end);
		return;
	}
	answer(s, r, trying);
	sip->end = end;
	session_delay(s, (uint32_t)device_of(s)->call_delay_ms);
}

static enum service_next sip_tick(struct session *s, void *state)
{
	struct sip *sip = state;
	struct sip_request r;
	if (sip_parse((struct bytes){sip->call, sip->call_len}, &r))
		answer(s, &r, sip->end);
	return SERVICE_CONTINUE;
}

static void obey_known(struct session *s, struct sip *sip, const struct sip_request *r, struct bytes head)
{
	if (bytes_equal_text(r->method, "REGISTER"))
		answer(s, r, (struct sip_answer){.status = 200, .reason = "OK", .registered = true});
	else if (bytes_equal_text(r->method, "OPTIONS"))
		answer(s, r, (struct sip_answer){.status = 200, .reason = "OK", .capabilities = true});
	else if (bytes_equal_text(r->method, "INVITE"))
		call(s, sip, r, head);
	else if (bytes_equal_text(r->method, "SUBSCRIBE") || bytes_equal_text(r->method, "PUBLISH"))
		answer(s, r, (struct sip_answer){.status = 489, .reason = "Bad Event"});
	else if (bytes_equal_text(r->method, "MESSAGE"))
		answer(s, r, (struct sip_answer){.status = 202, .reason = "Accepted"});
	else
		answer(s, r, (struct sip_answer){.status = 501, .reason = "Not Implemented"});
}

static void obey(struct session *s, struct sip *sip, const struct sip_request *r, struct bytes head)
{
	const struct sip_device *d = device_of(s);
	bool freeswitch = d->software == SIP_FREESWITCH;
	report(s, r);
	if (bytes_equal_text(r->method, "ACK"))
		return;
	if (bytes_equal_text(r->method, "BYE") || bytes_equal_text(r->method, "CANCEL")) {
		answer(s, r, (struct sip_answer){.status = 481, .reason = "Call/Transaction Does Not Exist"});
		return;
	}
	if (bytes_equal_text(r->method, "OPTIONS") && d->anonymous_options) {
		obey_known(s, sip, r, head);
		return;
	}
	enum sip_login login = sip_log_in(s, r);
	if (login == SIP_LOGIN_IN) {
		obey_known(s, sip, r, head);
		return;
	}
	if (freeswitch && login == SIP_LOGIN_REFUSED) {
		answer(s, r, (struct sip_answer){.status = 403, .reason = "Forbidden"});
		return;
	}
	if (freeswitch && bytes_equal_text(r->method, "INVITE") && session_transport(s) == TRANSPORT_TCP)
		answer(s, r, (struct sip_answer){.status = 100, .reason = "Trying"});
	challenge(s, r, login == SIP_LOGIN_STALE);
}

/*
 * Takes one message off the front.  What is none is dropped as PJSIP does it: a datagram, or over
 * TCP all that has come.
 */
static bool take_message(struct session *s, struct sip *sip, struct reader *in)
{
	bool datagram = session_transport(s) == TRANSPORT_UDP;
	const uint8_t *start;
	struct sip_request r;
	struct bytes head;
	uint64_t length = 0;
	while (reader_left(in) && (in->at[0] == '\r' || in->at[0] == '\n'))
		read_bytes(in, 1); /* what keeps a connection alive (7.5) */
	start = in->at;
	if (!sip_head(in, &head))
		return false;
	if (!sip_parse(head, &r) || (r.length.len && !bytes_number(r.length, SIP_BODY_MAX, &length))) {
		read_rest(in);
		return false;
	}
	if (reader_left(in) < length && !datagram) {
		in->at = start; /* the rest of its body is still to come */
		return false;
	}
	r.body = read_bytes(in, reader_left(in) < length ? reader_left(in) : (size_t)length);
	if (datagram)
		read_rest(in);
	sip->call_len = 0;
	obey(s, sip, &r, head);
	return sip->call_len == 0; /* while a call is tried no more is read */
}

static enum service_next sip_input(struct session *s, void *state, struct reader *in)
{
	while (take_message(s, state, in))
		;
	return reader_left(in) >= SIP_HEAD_MAX + SIP_BODY_MAX ? SERVICE_CLOSE : SERVICE_CONTINUE;
}

static bool sip_claims(struct bytes first)
{
	size_t end = bytes_find(first, "\n");
	return bytes_find((struct bytes){first.at, end}, " SIP/2.0") < end;
}

/* clang-format off */
#define REQUEST(method, uri, more) method " " uri " SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1:5060;branch=z9hG4bK1;rport\r\n" \
	"From: sip:100@192.0.2.1;tag=a\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 " method "\r\n" more "\r\n"
#define ECHO_TO(method, tag) "Via: SIP/2.0/TCP 10.0.0.1:5060;rport=40000;received=198.51.100.7;branch=z9hG4bK1\r\n" \
	"Call-ID: c1\r\nFrom: <sip:100@192.0.2.1>;tag=a\r\nTo: <sip:100@192.0.2.1>" tag "\r\nCSeq: 1 " method "\r\n"
#define ECHO(method) ECHO_TO(method, ";tag=z9hG4bK1")
#define SERVER "Server: Asterisk PBX 16.28.0~dfsg-0+deb11u4\r\nContent-Length:  0\r\n\r\n"
#define DIGEST(user) "Authorization: Digest username=\"" user "\",realm=\"asterisk\",nonce=\"1/2\",uri=\"sip:192.0.2.1\"," \
	"response=\"00112233445566778899aabbccddeeff\",algorithm=MD5\r\n"
#define NONCE "1427846400/3ff767bef03a2249d1546da0d4c57eca"
#define CHALLENGE(opaque) "WWW-Authenticate: Digest realm=\"asterisk\",nonce=\"" NONCE "\",opaque=\"" opaque \
	"\",algorithm=MD5,qop=\"auth\"\r\n"
#define PROVEN(uri, response) "Authorization: Digest username=\"root\",realm=\"asterisk\",nonce=\"" NONCE "\",uri=\"" uri \
	"\",response=\"" response "\",algorithm=MD5\r\n"

static const struct exchange sip_exchanges[] = {
	{"what is answered to anybody, and a call that is none",
	 BYTES(REQUEST("OPTIONS", "sip:100@192.0.2.1", "User-Agent: friendly-scanner\r\n") REQUEST("BYE", "sip:a@b", "")
	       REQUEST("ACK", "sip:a@b", "") REQUEST("CANCEL", "sip:a@b", "")),
	 BYTES("SIP/2.0 200 OK\r\n" ECHO("OPTIONS")
	       "Accept: application/sdp, application/dialog-info+xml, application/simple-message-summary, "
	       "application/xpidf+xml, application/cpim-pidf+xml, application/pidf+xml, application/pidf+xml, "
	       "application/dialog-info+xml, application/simple-message-summary, message/sipfrag;version=2.0\r\n"
	       "Allow: OPTIONS, SUBSCRIBE, NOTIFY, PUBLISH, INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, REGISTER, REFER, MESSAGE\r\n"
	       "Supported: 100rel, timer, replaces, norefersub\r\nAccept-Encoding: text/plain\r\nAccept-Language: en\r\n" SERVER
	       "SIP/2.0 481 Call/Transaction Does Not Exist\r\n" ECHO("BYE") SERVER
	       "SIP/2.0 481 Call/Transaction Does Not Exist\r\n" ECHO("CANCEL") SERVER),
	 "{\"kind\":\"request.seen\",\"request.method\":\"OPTIONS\",\"request.agent\":\"friendly-scanner\"}\n"
	 "{\"request.method\":\"BYE\"}\n{\"request.method\":\"ACK\"}\n{\"request.method\":\"CANCEL\"}\n"},
	{"a number that is dialled, and a password that does not fit",
	 BYTES(REQUEST("INVITE", "sip:00441632960000@192.0.2.1", "Content-Length: 5\r\n") "v=0\r\n"
	       REQUEST("REGISTER", "sip:192.0.2.1", DIGEST("100"))),
	 BYTES("SIP/2.0 401 Unauthorized\r\n" ECHO("INVITE") CHALLENGE("5c54c15b79b84d58") SERVER
	       "SIP/2.0 401 Unauthorized\r\n" ECHO("REGISTER") CHALLENGE("244e3de8a84a5df1") SERVER),
	 "{\"kind\":\"request.seen\",\"request.method\":\"INVITE\",\"sip.number\":\"00441632960000\",\"request.body\":\"v=0\\r\\n\"}\n"
	 "{\"kind\":\"request.seen\",\"request.method\":\"REGISTER\"}\n"
	 "{\"kind\":\"login.tried\",\"login.user\":\"100\",\"login.accepted\":false,\"login.proof\":\"$sip$*192.0.2.23*198.51.100.7*"
	 "100*asterisk*REGISTER*sip*192.0.2.1**1/2****MD5*00112233445566778899aabbccddeeff\"}\n"},
	{"a phone that knows its password, and a call to outside",
	 BYTES(REQUEST("REGISTER", "sip:192.0.2.1", PROVEN("sip:192.0.2.1", "6153c34ea1e59fa3fbc120c8cd5cef6e") "Contact: <sip:100@10.0.0.1:5060>\r\nExpires: 300\r\n")
	       REQUEST("INVITE", "sip:9011441632960000@192.0.2.1", PROVEN("sip:9011441632960000@192.0.2.1", "bc5b33762768ed7204cfada6701b8b3f"))),
	 BYTES("SIP/2.0 200 OK\r\n" ECHO("REGISTER") "Date: Wed, 01 Apr 2015 00:00:00 GMT\r\n"
	       "Contact: <sip:100@10.0.0.1:5060>;expires=299\r\nExpires: 300\r\n" SERVER
	       "SIP/2.0 100 Trying\r\n" ECHO_TO("INVITE", "") SERVER
	       "SIP/2.0 503 Service Unavailable\r\n" ECHO_TO("INVITE", ";tag=79b84d58-c15b-4c54-86f8-bc74f48108a5")
	       "Server: Asterisk PBX 16.28.0~dfsg-0+deb11u4\r\nReason: Q.850;cause=34\r\nContent-Length:  0\r\n\r\n"),
	 "{}\n{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.accepted\":true}\n"
	 "{\"request.method\":\"INVITE\",\"sip.number\":\"9011441632960000\"}\n{\"login.accepted\":true}\n"},
	{"what is not SIP is not answered", BYTES("GET / HTTP/1.0\r\n\r\nOPTIONS"), BYTES(""), ""},
	{0},
};

static const struct exchange sip_exchanges_udp[] = {
	{"a request that lacks what it must have", BYTES("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n\r\n"), BYTES(""), ""},
	{0},
};
/* clang-format on */

static const char *const softwares[] = {"asterisk", "freeswitch", NULL};
static const char *const call_ends[] = {"unavailable", "busy", "rejected", NULL};

static const struct option sip_device[] = {
	{.name = "software", .type = OPTION_CHOICE, .offset = offsetof(struct sip_device, software),
	 .fallback = "asterisk", .choices = softwares, .summary = "whose words it speaks"},
	{.name = "server", .type = OPTION_TEXT, .offset = offsetof(struct sip_device, server),
	 .summary = "what it says to be; FreePBX says FPBX-16.0.33(18.13.0); without it a version of its software"},
	{.name = "realm", .type = OPTION_TEXT, .offset = offsetof(struct sip_device, realm),
	 .summary = "of its challenges; without it asterisk, or FreeSWITCH's own address"},
	{.name = "calls", .type = OPTION_CHOICE, .offset = offsetof(struct sip_device, calls),
	 .fallback = "unavailable", .choices = call_ends, .summary = "how a call to outside ends after a log-in"},
	{.name = "call-delay", .type = OPTION_DURATION, .offset = offsetof(struct sip_device, call_delay_ms),
	 .fallback = "1500ms", .min = 1, .max = 30000, .summary = "time until it ends"},
	{.name = "anonymous-options", .type = OPTION_BOOL, .offset = offsetof(struct sip_device, anonymous_options),
	 .fallback = "true", .summary = "whether it answers OPTIONS without a log-in"},
	ACCOUNTS_OPTION(struct sip_device, accounts),
	{0},
};

static const struct service sip = {
	.name = "sip",
	.summary = "PBX that registers phones by digest and connects no call",
	.reference = "RFC 3261, 2617, 3581; Asterisk 16 and 18 with PJSIP, FreeSWITCH 1.10",
	.transports = TRANSPORT_TCP | TRANSPORT_UDP,
	.ports = {5060},
	.secure_ports = {5061},
	.state_size = sizeof(struct sip),
	.input_max = 65536,
	.output_max = 65536,
	.arena_max = 16384,
	.idle_ms_max = 120 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = sip_device,
	.device_size = sizeof(struct sip_device),
	.input = sip_input,
	.tick = sip_tick,
	.claims = sip_claims,
	.claims_datagram = sip_claims,
	.exchanges = sip_exchanges,
	.exchanges_udp = sip_exchanges_udp,
};
SERVICE(sip);
