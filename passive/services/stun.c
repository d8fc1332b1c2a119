/*
 * STUN: tells a client the address that it comes from, as coturn without relaying does.
 *
 * Binding requests of RFC 5389 and of the older RFC 3489 are answered; a request to relay
 * (TURN) is refused with coturn's words.  Where the answer may be no longer than the question
 * the name of the software is left out, which coturn's --no-software-attribute does as well.
 */
#include "base/options.h"
#include "passive/service.h"

#define HEADER 20
#define COOKIE 0x2112a442
#define MESSAGE_MAX 512

enum { BINDING = 0x0001, ALLOCATE = 0x0003, SUCCESS = 0x0100, ERROR = 0x0110 };
enum { MAPPED_ADDRESS = 0x0001, CHANGE_REQUEST = 0x0003, SOURCE_ADDRESS = 0x0004,
       CHANGED_ADDRESS = 0x0005, ERROR_CODE = 0x0009, UNKNOWN_ATTRIBUTES = 0x000a,
       XOR_MAPPED_ADDRESS = 0x0020, SOFTWARE = 0x8022, RESPONSE_ORIGIN = 0x802b };

struct stun_device {
	const char *software;
};

struct stun_message {
	uint16_t type, unknown; /* the first attribute that must be understood and is not */
	bool change, modern;
	struct bytes transaction; /* with the cookie, which older clients draw too */
};

static bool message_read(struct bytes b, struct stun_message *m)
{
	struct reader r = reader_of_bytes(b);
	*m = (struct stun_message){.type = read_u16(&r)};
	uint16_t length = read_u16(&r);
	m->transaction = read_bytes(&r, 16);
	if (!reader_ok(&r) || length != reader_left(&r) || length & 3 || m->type & 0xc000)
		return false;
	struct reader t = reader_of_bytes(m->transaction);
	m->modern = read_u32(&t) == COOKIE;
	while (reader_left(&r)) {
		uint16_t type = read_u16(&r), size = read_u16(&r);
		read_bytes(&r, (size + 3u) & ~3u);
		if (!reader_ok(&r))
			return false;
		m->change |= type == CHANGE_REQUEST;
		/* 6 to 0x18 are of credentials and of TURN, which coturn knows. */
		if (type < 0x8000 && (type > 0x0029 || type == 2) && !m->unknown)
			m->unknown = type;
	}
	return true;
}

static void address_write(struct writer *w, uint16_t type, const struct address *a, uint16_t port,
                          struct bytes mask)
{
	bool v4 = address_is_v4(a);
	size_t n = v4 ? 4 : 16;
	const uint8_t *at = v4 ? a->b + 12 : a->b;
	write_u16(w, type);
	write_u16(w, (uint16_t)(4 + n));
	write_u16(w, v4 ? 1 : 2);
	write_u16(w, mask.len ? (uint16_t)(port ^ (mask.at[0] << 8 | mask.at[1])) : port);
	for (size_t i = 0; i < n; i++)
		write_u8(w, mask.len ? at[i] ^ mask.at[i] : at[i]);
}

/* Older clients hold that an attribute's length is a multiple of four. */
static void text_write(struct writer *w, uint16_t type, const char *text, bool modern)
{
	size_t n = strlen(text), padding = -n & 3;
	write_u16(w, type);
	write_u16(w, (uint16_t)(modern ? n : n + 4 - (n & 3)));
	write_bytes(w, text, n);
	write_zero(w, modern ? padding : 4 - (n & 3));
}

static void error_write(struct writer *w, unsigned code, const char *reason)
{
	size_t n = strlen(reason), padded = (n + 3) & ~(size_t)3;
	write_u16(w, ERROR_CODE);
	write_u16(w, (uint16_t)(4 + padded));
	write_u32(w, code / 100 << 8 | code % 100);
	write_text(w, reason);
	write_zero(w, padded - n);
}

static void binding_write(struct session *s, const struct stun_message *m, uint16_t port, struct writer *w)
{
	const struct address *peer = session_peer(s), *local = session_local(s);
	struct bytes none = {0};
	if (m->modern)
		address_write(w, XOR_MAPPED_ADDRESS, peer, port, m->transaction);
	address_write(w, MAPPED_ADDRESS, peer, port, none);
	address_write(w, m->modern ? RESPONSE_ORIGIN : SOURCE_ADDRESS, local, session_local_port(s), none);
	if (!m->modern)
		address_write(w, CHANGED_ADDRESS, local, session_local_port(s), none);
}

static void stun_answer(struct session *s, const struct stun_message *m)
{
	const struct stun_device *d = session_device(s);
	uint8_t room[MESSAGE_MAX];
	struct writer w = writer_of(room, sizeof room);
	bool binding = m->type == BINDING, bad = !binding || m->change || m->unknown;
	write_u16(&w, m->type | (bad ? ERROR : SUCCESS));
	write_u16(&w, 0);
	write_span(&w, m->transaction);
	if (m->unknown) {
		error_write(&w, 420, "Unknown Attribute");
		write_u16(&w, UNKNOWN_ATTRIBUTES);
		write_u16(&w, 2);
		write_u16(&w, m->unknown);
		write_u16(&w, 0);
	} else if (!binding) {
		error_write(&w, 400, "Transport field missed or wrong");
	} else if (m->change) {
		error_write(&w, 420, "Unknown attribute: TURN server was configured without RFC 5780 support");
	} else {
		binding_write(s, m, session_peer_port(s), &w);
	}
	size_t bare = writer_used(&w);
	if (*d->software)
		text_write(&w, SOFTWARE, d->software, m->modern);
	session_would_say(s, writer_used(&w));
	size_t n = writer_used(&w) <= session_answer_max(s) ? writer_used(&w) : bare;
	if (w.bad || n > session_answer_max(s))
		return;
	struct writer length = writer_of(room + 2, 2);
	write_u16(&length, (uint16_t)(n - HEADER));
	session_say_bytes(s, (struct bytes){room, n});
}

static enum service_next stun_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	struct stun_message m;
	if (!message_read(read_rest(in), &m) || (m.type != BINDING && m.type != ALLOCATE))
		return SERVICE_CONTINUE;
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, m.type == BINDING ? BYTES("binding") : BYTES("allocate"));
	stun_answer(s, &m);
	return SERVICE_CONTINUE;
}

#define TRANSACTION "\x21\x12\xa4\x42\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c"
#define OLD_TRANSACTION "\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
#define COTURN "Coturn-4.5.1.1 'dan Eider'"
#define METHOD(m) "{\"kind\":\"request.seen\",\"request.method\":\"" m "\"}"

static bool stun_claims_datagram(struct bytes first)
{
	struct stun_message m;
	return message_read(first, &m) && (m.type == BINDING || m.type == ALLOCATE);
}

static const struct exchange stun_exchanges[] = {
        {"a client learns its address", BYTES("\0\1\0\0" TRANSACTION),
         BYTES("\1\1\0\x44" TRANSACTION "\0\x20\0\x08\0\1\xbd\x52\xe7\x21\xc0\x45\0\1\0\x08\0\1\x9c\x40\xc6\x33\x64\7"
               "\x80\x2b\0\x08\0\1\x0d\x96\xc0\0\2\x17\x80\x22\0\x1a" COTURN "\0\0"),
         METHOD("binding")},
        {"an older one too", BYTES("\0\1\0\0" OLD_TRANSACTION),
         BYTES("\1\1\0\x44" OLD_TRANSACTION "\0\1\0\x08\0\1\x9c\x40\xc6\x33\x64\7\0\4\0\x08\0\1\x0d\x96\xc0\0\2\x17"
               "\0\5\0\x08\0\1\x0d\x96\xc0\0\2\x17\x80\x22\0\x1c" COTURN "\0\0"),
         METHOD("binding")},
        {"nothing is relayed", BYTES("\0\3\0\0" TRANSACTION),
         BYTES("\1\x13\0\x48" TRANSACTION "\0\x09\0\x24\0\0\4\0Transport field missed or wrong\0\x80\x22\0\x1a" COTURN
               "\0\0"),
         METHOD("allocate")},
        {"an indication is not answered", BYTES("\0\x11\0\0" TRANSACTION), BYTES(""), ""},
        {"a length beyond the datagram", BYTES("\0\1\0\4" TRANSACTION), BYTES(""), ""},
        {"an attribute beyond the message", BYTES("\0\1\0\4" TRANSACTION "\x80\x22\0\x40"), BYTES(""), ""},
        {0},
};

static const struct option stun_device_options[] = {
        {.name = "software", .type = OPTION_TEXT, .offset = offsetof(struct stun_device, software),
         .fallback = COTURN, .summary = "what it calls itself; empty: it does not say"},
        {0},
};

static const struct service stun = {
        .name = "stun",
        .summary = "STUN server that tells clients their address and relays nothing",
        .reference = "RFC 5389, RFC 3489; coturn 4.5 and 4.6",
        .transports = TRANSPORT_UDP,
        .ports = {3478},
        .state_size = 1,
        .input_max = 2048,
        .output_max = 2048,
        .arena_max = 4096,
        .idle_ms_max = 30 * 1000,
        .session_ms_max = 300 * 1000,
        .device = stun_device_options,
        .device_size = sizeof(struct stun_device),
        .claims_datagram = stun_claims_datagram,
        .input = stun_input,
        .exchanges = stun_exchanges,
};
SERVICE(stun);
