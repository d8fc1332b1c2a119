/*
 * NTP: the time, and what ntpd 4.2.6 tells of itself and of those it has heard (modes 6 and 7).
 *
 * The list of whom a server has heard (monlist) is the classic of amplification: 440 bytes a
 * packet for 8.  Here it holds the asker and machines of the device's own network, and goes out
 * where the room allows so long an answer.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/service.h"

#define PACKET 48
#define EPOCH_1900 2208988800u /* seconds from 1900 to 1970 */
#define CONTROL_HEADER 12
#define CONTROL_DATA_MAX 468 /* ntpd's of one packet */
#define PRIVATE_HEADER 8
#define HEARD_ITEM 72 /* struct info_monitor_1 */
#define HEARD 6       /* ntpd sends so many in one packet */
#define SYNCHRONISED 0x0615 /* source NTP, one event: clock_sync */
#define PEER_STATUS 0x961a  /* configured, reachable, system peer */

enum { MODE_CLIENT = 3, MODE_SERVER = 4, MODE_CONTROL = 6, MODE_PRIVATE = 7 };
enum { OP_READ_STATUS = 1, OP_READ_VARIABLES = 2 };
enum { BIT_RESPONSE = 0x80, BIT_ERROR = 0x40 };
enum { ERROR_NO_PERMISSION = 1, ERROR_ASSOCIATION = 4, ERROR_OPCODE = 3 };
enum { IMPLEMENTATION_XNTPD = 3, REQUEST_MONLIST = 20, REQUEST_MONLIST_1 = 42 };
enum { INFO_IMPLEMENTATION = 1 << 12, INFO_REQUEST = 2 << 12, INFO_NO_DATA = 4 << 12 };

struct ntp_device {
	uint64_t stratum;
	const char *upstream, *version, *processor, *system;
	bool monlist, variables;
};

static uint64_t ntp_time(uint64_t utc_us)
{
	uint64_t seconds = utc_us / 1000000 + EPOCH_1900, part = utc_us % 1000000;
	return seconds << 32 | (part << 32) / 1000000;
}

/* A number of this device below `limit`, another for each `what`. */
static uint32_t own(const struct session *s, uint64_t what, uint32_t limit)
{
	return (uint32_t)(random_mix(session_device_seed(s) + what) % limit);
}

/* When the device last heard from its own server: it asks once in 1024 s. */
static uint64_t set_time_us(const struct session *s)
{
	uint64_t now = session_time_us(s), period = 1024u * 1000000u;
	uint64_t phase = own(s, 1, 1024) * (uint64_t)1000000 + own(s, 2, 1000000);
	return now - (now + period - phase) % period;
}

static uint32_t reference(const struct ntp_device *d)
{
	struct address upstream;
	if (d->stratum > 1 && address_parse(bytes_of_text(d->upstream), &upstream) &&
	    address_is_v4(&upstream))
		return address_to_v4(&upstream);
	uint8_t name[4] = {0};
	for (size_t i = 0; i < 4 && d->upstream[i]; i++)
		name[i] = (uint8_t)d->upstream[i];
	struct reader r = reader_of(name, sizeof name);
	return read_u32(&r);
}

static void report(struct session *s, const char *method)
{
	struct event *e = session_report(s, EVENT_REQUEST_SEEN);
	event_set_bytes(e, FIELD_METHOD, bytes_of_text(method));
}

static void say_time(struct session *s, const struct ntp_device *d, struct bytes asked)
{
	struct reader r = reader_of_bytes(asked);
	uint8_t first = read_u8(&r), packet[PACKET];
	read_u8(&r);
	uint8_t poll = read_u8(&r);
	read_bytes(&r, 37);
	uint64_t sent = read_u64(&r);
	if (!reader_ok(&r))
		return;
	report(s, "client");
	struct writer w = writer_of(packet, sizeof packet);
	write_u8(&w, (uint8_t)((first & 0x38) | MODE_SERVER));
	write_u8(&w, (uint8_t)d->stratum);
	write_u8(&w, poll < 3 ? 3 : poll); /* ntpd's NTP_MINPOLL */
	write_u8(&w, (uint8_t)-(18 + (int)own(s, 3, 6)));
	write_u32(&w, d->stratum > 1 ? 0x300 + own(s, 4, 0x1200) : 0);
	write_u32(&w, 0x200 + own(s, 5, 0x800));
	write_u32(&w, reference(d));
	write_u64(&w, ntp_time(set_time_us(s)));
	write_u64(&w, sent);
	uint64_t now = session_time_us(s);
	write_u64(&w, ntp_time(now));
	write_u64(&w, ntp_time(now + 20 + session_random(s) % 40));
	session_say_bytes(s, writer_bytes(&w));
}

static void write_time(struct writer *w, const char *name, uint64_t utc_us)
{
	uint64_t t = ntp_time(utc_us);
	write_fmt(w, "%s=0x%08x.%08x, ", name, (unsigned)(t >> 32), (unsigned)t);
}

static void write_milliseconds(struct writer *w, const char *name, uint32_t thousandths, const char *end)
{
	write_fmt(w, "%s=%u.%03u%s", name, thousandths / 1000, thousandths % 1000, end);
}

static void write_reference(struct writer *w, const struct ntp_device *d)
{
	write_fmt(w, "refid=%s, ", d->upstream);
}

/* In the order and shape of ntpd 4.2.6's def_sys_var. */
static void system_variables(struct session *s, const struct ntp_device *d, struct writer *w)
{
	write_fmt(w, "version=\"%s\", processor=\"%s\",\r\nsystem=\"%s\", leap=0, stratum=%u,\r\n",
	          d->version, d->processor, d->system, (unsigned)d->stratum);
	write_fmt(w, "precision=-%u, ", 18 + own(s, 3, 6));
	write_milliseconds(w, "rootdelay", d->stratum > 1 ? 8000 + own(s, 4, 60000) : 0, ", ");
	write_milliseconds(w, "rootdisp", 12000 + own(s, 5, 40000), ", ");
	write_reference(w, d);
	write_text(w, "\r\n");
	write_time(w, "reftime", set_time_us(s));
	write_text(w, "\r\n");
	write_time(w, "clock", session_time_us(s));
	write_fmt(w, "peer=%u, tc=10, mintc=3,\r\n", 10000 + own(s, 6, 50000));
	write_milliseconds(w, "offset", own(s, 7, 3000), ", ");
	write_milliseconds(w, "frequency", own(s, 9, 60000), ", ");
	write_milliseconds(w, "sys_jitter", own(s, 10, 2000), ",\r\n");
	write_milliseconds(w, "clk_jitter", own(s, 11, 1500), ", ");
	write_milliseconds(w, "clk_wander", own(s, 12, 90), "\r\n");
}

static void peer_variables(struct session *s, const struct ntp_device *d, struct writer *w)
{
	write_fmt(w, "srcadr=%s, srcport=123, dstadr=192.168.1.1, dstport=123, leap=0,\r\n"
	             "stratum=%u, precision=-20, rootdelay=0.000, rootdisp=0.%03u,\r\n",
	          d->upstream, (unsigned)(d->stratum > 1 ? d->stratum - 1 : 0), own(s, 13, 900));
	write_reference(w, d);
	write_time(w, "reftime", set_time_us(s));
	write_time(w, "rec", set_time_us(s));
	write_text(w, "reach=0xff,\r\nunreach=0, hmode=3, pmode=4, hpoll=10, ppoll=10, headway=0, "
	              "flash=0x0, keyid=0,\r\n");
	write_milliseconds(w, "offset", own(s, 7, 3000), ", ");
	write_milliseconds(w, "delay", 8000 + own(s, 4, 60000), ", ");
	write_milliseconds(w, "dispersion", own(s, 14, 20000), ", ");
	write_milliseconds(w, "jitter", own(s, 10, 2000), "\r\n");
}

/* Says it where it may be said. */
static void say_whole(struct session *s, const struct writer *w)
{
	session_would_say(s, writer_used(w));
	if (!w->bad && writer_used(w) <= session_answer_max(s))
		session_say_bytes(s, writer_bytes(w));
}

static void say_control(struct session *s, const struct ntp_device *d, struct bytes asked)
{
	struct reader r = reader_of_bytes(asked);
	uint8_t first = read_u8(&r), opcode = read_u8(&r);
	uint16_t sequence = read_u16(&r), status = SYNCHRONISED;
	read_u16(&r);
	uint16_t association = read_u16(&r);
	read_bytes(&r, 4);
	if (!reader_ok(&r) || opcode & BIT_RESPONSE)
		return;
	uint16_t peer = (uint16_t)(10000 + own(s, 6, 50000));
	uint8_t text[CONTROL_DATA_MAX], packet[CONTROL_HEADER + CONTROL_DATA_MAX + 4], error = 0;
	struct writer data = writer_of(text, sizeof text), w = writer_of(packet, sizeof packet);
	report(s, opcode == OP_READ_VARIABLES ? "readvar"
	          : opcode == OP_READ_STATUS  ? "readstat"
	                                      : "control");
	if (!d->variables)
		return; /* restrict noquery */
	if (association != 0 && association != peer) {
		error = ERROR_ASSOCIATION;
	} else if (opcode == OP_READ_STATUS && association == 0) {
		write_u16(&data, peer);
		write_u16(&data, PEER_STATUS);
	} else if (opcode == OP_READ_VARIABLES || opcode == OP_READ_STATUS) {
		if (association == 0)
			system_variables(s, d, &data);
		else
			peer_variables(s, d, &data);
		status = association == 0 ? SYNCHRONISED : PEER_STATUS;
	} else {
		error = opcode > 7 ? ERROR_OPCODE : ERROR_NO_PERMISSION;
	}
	write_u8(&w, (uint8_t)((first & 0x38) | MODE_CONTROL));
	write_u8(&w, (uint8_t)(BIT_RESPONSE | (error ? BIT_ERROR : 0) | opcode));
	write_u16(&w, sequence);
	write_u16(&w, (uint16_t)(error ? error << 8 : status));
	write_u16(&w, association);
	write_u16(&w, 0);
	write_u16(&w, (uint16_t)writer_used(&data));
	write_span(&w, writer_bytes(&data));
	write_zero(&w, -writer_used(&data) & 3); /* RFC 1305 B.2: to a multiple of 32 bits */
	say_whole(s, &w);
}

/* One whom the server has heard: struct info_monitor_1. */
static void heard_write(struct session *s, struct writer *w, uint32_t from, uint32_t nth, bool asker)
{
	const struct address *local = session_local(s);
	write_u32(w, asker ? 0 : own(s, 20 + nth, 1000));
	write_u32(w, asker ? 0 : 1000 + own(s, 30 + nth, 900000));
	write_u32(w, 0x180);
	write_u32(w, asker ? 1 : 1 + own(s, 40 + nth, 4000));
	write_u32(w, from);
	write_u32(w, address_is_v4(local) ? address_to_v4(local) : 0);
	write_u32(w, 0);
	write_u16(w, 123);
	write_u8(w, asker ? MODE_PRIVATE : MODE_CLIENT);
	write_u8(w, asker ? 2 : 4);
	write_zero(w, 4 + 4 + 16 + 16);
}

static void heard_list(struct session *s, struct writer *w)
{
	const struct address *peer = session_peer(s);
	heard_write(s, w, address_is_v4(peer) ? address_to_v4(peer) : 0, 0, true);
	for (uint32_t i = 1; i < HEARD; i++) /* of 192.168.1.0/24 */
		heard_write(s, w, 0xc0a80100 + 2 + i * 17 + own(s, 50 + i, 16), i, false);
}

static void say_private(struct session *s, const struct ntp_device *d, struct bytes asked)
{
	struct reader r = reader_of_bytes(asked);
	uint8_t first = read_u8(&r), sequence = read_u8(&r);
	uint8_t implementation = read_u8(&r), request = read_u8(&r);
	uint8_t packet[PRIVATE_HEADER + HEARD * HEARD_ITEM];
	struct writer w = writer_of(packet, sizeof packet);
	if (!reader_ok(&r) || asked.len < PRIVATE_HEADER || first & BIT_RESPONSE)
		return;
	bool list = request == REQUEST_MONLIST || request == REQUEST_MONLIST_1;
	char method[24];
	snprintf(method, sizeof method, list ? "monlist" : "private %u", request);
	report(s, method);
	if (!d->monlist)
		return; /* restrict noquery; since 4.2.7p26 there is no monlist */
	uint16_t error = implementation != 0 && implementation != IMPLEMENTATION_XNTPD
	                         ? INFO_IMPLEMENTATION
	                 : !list ? (request > 45 ? INFO_REQUEST : INFO_NO_DATA)
	                         : 0;
	write_u8(&w, (uint8_t)(BIT_RESPONSE | (first & 0x38) | MODE_PRIVATE));
	write_u8(&w, sequence & 0x7f);
	write_u8(&w, implementation);
	write_u8(&w, request);
	write_u16(&w, error ? error : HEARD);
	write_u16(&w, error ? 0 : HEARD_ITEM);
	if (!error)
		heard_list(s, &w);
	say_whole(s, &w);
}

static enum service_next ntp_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	const struct ntp_device *d = session_device(s);
	struct bytes asked = read_rest(in);
	unsigned version = asked.len ? asked.at[0] >> 3 & 7 : 0, mode = asked.len ? asked.at[0] & 7 : 0;
	if (version == 0 || version > 4)
		return SERVICE_CONTINUE;
	if (mode == MODE_CLIENT)
		say_time(s, d, asked);
	else if (mode == MODE_CONTROL)
		say_control(s, d, asked);
	else if (mode == MODE_PRIVATE)
		say_private(s, d, asked);
	return SERVICE_CONTINUE;
}

#define ZEROS_8 "\0\0\0\0\0\0\0\0"
#define METHOD(m) "{\"kind\":\"request.seen\",\"request.method\":\"" m "\"}"

static bool ntp_claims_datagram(struct bytes first)
{
	unsigned version = first.len ? first.at[0] >> 3 & 7 : 0, mode = first.len ? first.at[0] & 7 : 0;
	if (version == 0 || version > 4)
		return false;
	return mode == MODE_CLIENT ? first.len == 48 : mode == MODE_PRIVATE && first.len >= 8 && first.at[2] <= 3;
}

static const struct exchange ntp_exchanges[] = {
        {"a request that is unknown", BYTES("\x17\0\3\x63" "\0\0\0\0"), BYTES("\x97\0\3\x63\x20\0\0\0"),
         METHOD("private 99")},
        {"peers are not told", BYTES("\x17\0\3\0\0\0\0\0"), BYTES("\x97\0\3\0\x40\0\0\0"), METHOD("private 0")},
        {"another implementation", BYTES("\x17\0\5\x2a\0\0\0\0"), BYTES("\x97\0\5\x2a\x10\0\0\0"),
         METHOD("monlist")},
        {"no such association", BYTES("\x16\2\0\1\0\0\0\1\0\0\0\0"), BYTES("\x16\xc2\0\1\4\0\0\1\0\0\0\0"),
         METHOD("readvar")},
        {"setting a variable is not allowed", BYTES("\x16\3\0\2\0\0\0\0\0\0\0\0"),
         BYTES("\x16\xc3\0\2\1\0\0\0\0\0\0\0"), METHOD("control")},
        {"too short for the time", BYTES("\x23\0\4\xfa"), BYTES(""), ""},
        {"an answer is not answered", BYTES("\x24\2\4\xfa" ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8 "\0\0\0\0"),
         BYTES(""), ""},
        {"version 7", BYTES("\x3b\0\4\xfa"), BYTES(""), ""},
        {0},
};

static const struct option ntp_device_options[] = {
        {.name = "stratum", .type = OPTION_NUMBER, .offset = offsetof(struct ntp_device, stratum),
         .fallback = "3", .min = 1, .max = 15, .summary = "1: it has a clock of its own"},
        {.name = "upstream", .type = OPTION_TEXT, .offset = offsetof(struct ntp_device, upstream),
         .fallback = "216.239.35.0", .summary = "address of its own server; of stratum 1 the name of its clock, such as GPS"},
        {.name = "version", .type = OPTION_TEXT, .offset = offsetof(struct ntp_device, version),
         .fallback = "ntpd 4.2.6p5@1.2349-o Tue Mar 12 08:34:47 UTC 2013 (1)", .summary = "what it calls itself"},
        {.name = "processor", .type = OPTION_TEXT, .offset = offsetof(struct ntp_device, processor),
         .fallback = "mips", .summary = "machine as uname names it"},
        {.name = "system", .type = OPTION_TEXT, .offset = offsetof(struct ntp_device, system),
         .fallback = "Linux/2.6.31", .summary = "operating system and version"},
        {.name = "monlist", .type = OPTION_BOOL, .offset = offsetof(struct ntp_device, monlist),
         .fallback = "true", .summary = "whether it tells whom it has heard"},
        {.name = "variables", .type = OPTION_BOOL, .offset = offsetof(struct ntp_device, variables),
         .fallback = "true", .summary = "whether it answers ntpq"},
        {0},
};

static const struct service ntp = {
        .name = "ntp",
        .summary = "time server that tells of itself and whom it has heard",
        .reference = "RFC 5905, RFC 1305 appendix B; ntpd 4.2.6",
        .transports = TRANSPORT_UDP,
        .ports = {123},
        .state_size = 1,
        .input_max = 2048,
        .output_max = 2048,
        .arena_max = 4096,
        .idle_ms_max = 30 * 1000,
        .session_ms_max = 300 * 1000,
        .device = ntp_device_options,
        .device_size = sizeof(struct ntp_device),
        .claims_datagram = ntp_claims_datagram,
        .input = ntp_input,
        .exchanges = ntp_exchanges,
};
SERVICE(ntp);
