/*
 * Remote Desktop of Windows on TCP 3389.
 *
 * The client says in X.224 which protections it has; scanners and guessers name an account in a
 * cookie there already.  TLS is the room's; NLA inside it takes user, domain, workstation and a
 * proof of the password (passive/services/rdp/credssp.c).  Without NLA the conference goes as far as the
 * packet with the password (passive/services/rdp/mcs.c); with the old encryption no further than to it.
 * Who gets through sees a desktop on which nothing happens (passive/services/rdp/desktop.c).
 */
#include "passive/accounts.h"
#include "passive/services/rdp/rdp.h"
#include "passive/services/windows/wide.h"

enum x224 { CONNECTION_REQUEST = 0xe0, CONNECTION_CONFIRM = 0xd0, DATA = 0xf0 };
enum negotiation { NEG_REQUEST = 1, NEG_RESPONSE = 2, NEG_FAILURE = 3 };
enum failure { HYBRID_REQUIRED = 5 };

static enum service_next rdp_open(struct session *s, void *state)
{
	struct rdp *rdp = state;
	if (!rdp->device) {
		rdp->device = session_device(s);
		rdp->system = windows_host(s, &rdp->device->identity, &rdp->host);
	}
	return SERVICE_CONTINUE;
}

static bool nla_required(const struct rdp *rdp)
{
	bool by_default = rdp->system->major >= 10 || rdp->system->minor >= 2;
	return rdp->device->nla == NLA_REQUIRED || (rdp->device->nla == NLA_AS_SYSTEM && by_default);
}

static uint32_t protocol_choose(const struct rdp *rdp)
{
	bool nla = rdp->device->nla != NLA_OFF;
	if (nla && rdp->asked & RDP_HYBRID_EX && rdp->system->major >= 10)
		return RDP_HYBRID_EX;
	if (nla && rdp->asked & RDP_HYBRID)
		return RDP_HYBRID;
	if (rdp->asked & RDP_TLS)
		return RDP_TLS;
	return rdp->asked & RDP_RDSTLS && rdp->system->major >= 10 ? RDP_RDSTLS : RDP_STANDARD;
}

static void tell_cookie(struct session *s, struct bytes cookie)
{
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, BYTES("cookie"));
	event_set_bytes(e, FIELD_TARGET, cookie);
	size_t at = bytes_find(cookie, "mstshash=") + 9;
	if (at < cookie.len)
		event_set_bytes(e, FIELD_LOGIN_USER, (struct bytes){cookie.at + at, cookie.len - at});
}

static void say_confirm(struct session *s, uint8_t type, uint8_t flags, uint32_t value)
{
	uint8_t m[19] = {3, 0, 0, 19, 14, CONNECTION_CONFIRM, 0, 0, 0x12, 0x34, 0, type, flags, 8, 0};
	little_put(m + 15, value, 4);
	session_say_bytes(s, (struct bytes){m, sizeof m});
}

/* MS-RDPBCGR 2.2.1.1: the request, an optional cookie, an optional negotiation. */
static enum service_next connection_request(struct session *s, struct rdp *rdp, struct reader *r)
{
	static const uint8_t old[] = {3, 0, 0, 11, 6, CONNECTION_CONFIRM, 0, 0, 0x12, 0x34, 0};
	struct bytes cookie;
	read_bytes(r, 5);
	if (reader_ok(r) && reader_left(r) && *r->at != NEG_REQUEST && read_line(r, &cookie) && cookie.len)
		tell_cookie(s, cookie);
	bool asks = reader_left(r) >= 8 && *r->at == NEG_REQUEST;
	if (asks) {
		read_le32(r);
		rdp->asked = read_le32(r);
	}
	rdp->protocol = protocol_choose(rdp);
	if (nla_required(rdp) && rdp->protocol < RDP_HYBRID) {
		say_confirm(s, NEG_FAILURE, 0, HYBRID_REQUIRED);
		return SERVICE_CLOSE;
	}
	bool nla = rdp->protocol == RDP_HYBRID || rdp->protocol == RDP_HYBRID_EX;
	rdp->phase = nla ? RDP_NLA : RDP_CONFERENCE;
	if (asks)
		say_confirm(s, NEG_RESPONSE,
			    rdp->system->major >= 10 ? 0x1f : rdp->system->minor >= 2 ? 0x0f : 0x01,
			    rdp->protocol);
	else
		session_say_bytes(s, (struct bytes){old, sizeof old});
	if (rdp->protocol != RDP_STANDARD)
		session_secure(s);
	return SERVICE_CONTINUE;
}

static enum service_next packet(struct session *s, struct rdp *rdp, struct bytes content)
{
	struct reader r = reader_of_bytes(content);
	uint8_t head = read_u8(&r), type = read_u8(&r);
	if (!reader_ok(&r) || head < 2)
		return SERVICE_CLOSE;
	if (rdp->phase == RDP_CONNECT)
		return (type & 0xf0) == CONNECTION_REQUEST ? connection_request(s, rdp, &r)
							   : SERVICE_CLOSE;
	read_u8(&r);
	return type == DATA && reader_left(&r) ? rdp_conference(s, rdp, read_rest(&r)) : SERVICE_CLOSE;
}

/* How long the message is that begins here, 0: too short to tell, SIZE_MAX: it is none. */
static size_t message_length(const struct rdp *rdp, struct bytes b)
{
	bool nla = rdp->phase == RDP_NLA || rdp->phase == RDP_NLA_CREDENTIALS;
	if (!nla) {
		if (b.at[0] != 3)
			return SIZE_MAX;
		if (b.len < 4)
			return 0;
		size_t len = (size_t)b.at[2] << 8 | b.at[3];
		return len < 7 ? SIZE_MAX : len;
	}
	if (b.at[0] != 0x30)
		return SIZE_MAX;
	if (b.len < 2 || b.len < 2u + (b.at[1] & 0x80 ? b.at[1] & 3 : 0))
		return 0;
	if (!(b.at[1] & 0x80))
		return 2u + b.at[1];
	size_t len = 0, n = b.at[1] & 0x7f;
	if (n < 1 || n > 2)
		return SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		len = len << 8 | b.at[2 + i];
	return 2 + n + len;
}

static enum service_next rdp_input(struct session *s, void *state, struct reader *r)
{
	struct rdp *rdp = state;
	enum service_next next = SERVICE_CONTINUE;
	while (next == SERVICE_CONTINUE && reader_left(r)) {
		struct bytes rest = {r->at, reader_left(r)};
		size_t len = message_length(rdp, rest);
		if (len > RDP_MESSAGE_MAX)
			return SERVICE_CLOSE;
		if (len == 0 || len > rest.len)
			break;
		struct bytes message = read_bytes(r, len);
		bool secured = rdp->phase == RDP_CONNECT;
		if (rdp->phase == RDP_NLA || rdp->phase == RDP_NLA_CREDENTIALS)
			next = rdp_credssp(s, rdp, message);
		else
			next = packet(s, rdp, (struct bytes){message.at + 4, message.len - 4});
		if (secured && rdp->protocol != RDP_STANDARD && !session_is_secure(s))
			break; /* what follows is TLS */
	}
	return next;
}

static void rdp_close(struct session *s, void *state)
{
	rdp_desktop_close(s, state);
}

static bool rdp_claims(struct bytes first)
{
	return first.len >= 8 && first.at[0] == 3 && first.at[1] == 0 && first.at[5] == CONNECTION_REQUEST &&
	       (first.len < 11 || first.at[4] >= 6) && first.at[6] == 0 && first.at[7] == 0 &&
	       (first.len < 12 || first.at[11] == NEG_REQUEST || first.at[11] == 'C');
}

static const char *const nla_names[] = {"as-system", "required", "optional", "off", NULL};

static const struct option rdp_device[] = {
	WINDOWS_IDENTITY_OPTIONS,
	ACCOUNTS_OPTION(struct rdp_device, accounts),
	{.name = "nla",
	 .type = OPTION_CHOICE,
	 .offset = offsetof(struct rdp_device, nla),
	 .fallback = "as-system",
	 .choices = nla_names,
	 .summary = "log-in before the desktop; as-system: required from Windows 8 on"},
	{0},
};

static const struct service rdp = {
	.name = "rdp",
	.summary = "Remote Desktop: protections, user names, NLA, channels, what is typed",
	.reference = "MS-RDPBCGR, MS-CSSP, T.125; Windows 7 to 10",
	.transports = TRANSPORT_TCP,
	.ports = {3389},
	.state_size = sizeof(struct rdp),
	.input_max = RDP_MESSAGE_MAX + 1,
	.output_max = 128 * 1024,
	.arena_max = 16 * 1024,
	.idle_ms_max = 60 * 1000,
	.session_ms_max = 600 * 1000,
	.device = rdp_device,
	.device_size = sizeof(struct rdp_device),
	.open = rdp_open,
	.input = rdp_input,
	.close = rdp_close,
	.claims = rdp_claims,
	.exchanges = rdp_exchanges,
};
SERVICE(rdp);
