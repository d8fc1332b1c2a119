/*
 * Siemens S7-300 on ISO-on-TCP, in its own protocol.
 *
 * TPKT frames (RFC 1006) carry COTP (ISO 8073, class 0), which carries S7 jobs and user's
 * data.  A job is answered only after a connection and the agreement on the length of PDUs;
 * a list longer than that comes in parts that the peer asks for.  What is no TPKT is hung up
 * on.  The parts of the controller are in passive/s7.
 */
#include "base/options.h"
#include "passive/services/s7/s7.h"
#include <time.h>

#define TPKT_MAX 8192
#define LIST_MAX 2048
#define TSAP_MAX 32

enum { COTP_CONNECT = 0xe0, COTP_CONFIRM = 0xd0, COTP_DATA = 0xf0, COTP_DISCONNECT = 0x80 };

enum { JOB = 1, ACK = 2, ACK_DATA = 3, USER_DATA = 7 };

enum {
	READ_VARIABLE = 0x04,
	WRITE_VARIABLE = 0x05,
	DOWNLOAD_BEGIN = 0x1a,
	DOWNLOAD_PART = 0x1b,
	DOWNLOAD_END = 0x1c,
	UPLOAD_BEGIN = 0x1d,
	UPLOAD_PART = 0x1e,
	UPLOAD_END = 0x1f,
	PROGRAM_INVOCATION = 0x28,
	STOP = 0x29,
	SETUP = 0xf0
};

enum { GROUP_BLOCKS = 3, GROUP_CPU = 4, GROUP_SECURITY = 5, GROUP_TIME = 7 };

static void say_tpkt(struct session *s, struct bytes cotp, struct bytes rest)
{
	uint8_t room[4];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, 0x0300);
	write_u16(&w, (uint16_t)(4 + cotp.len + rest.len));
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, cotp);
	session_say_bytes(s, rest);
}

static void say_pdu(struct s7_request *q, uint8_t kind, uint16_t error)
{
	uint8_t room[S7_PDU_MAX + 16];
	struct writer w = writer_of(room, sizeof room);
	struct bytes parameters = writer_bytes(&q->out_parameters),
	             values = writer_bytes(&q->out_values);
	write_u8(&w, 0x32);
	write_u8(&w, kind);
	write_u16(&w, 0);
	write_u16(&w, q->reference);
	write_u16(&w, (uint16_t)parameters.len);
	write_u16(&w, (uint16_t)values.len);
	if (kind != USER_DATA)
		write_u16(&w, error);
	write_span(&w, parameters);
	write_span(&w, values);
	say_tpkt(q->s, BYTES("\x02\xf0\x80"), writer_bytes(&w));
}

/* Both sides name the PDU they can take; the smaller counts. */
static uint16_t setup(struct s7_request *q)
{
	const struct s7_device *d = session_device(q->s);
	read_u8(&q->parameters);
	uint16_t calling = read_u16(&q->parameters), called = read_u16(&q->parameters);
	uint16_t pdu = read_u16(&q->parameters);
	if (!reader_ok(&q->parameters))
		return S7_BAD_REQUEST;
	plant_asked(q->s, "set up communication, PDU %u", pdu);
	if (pdu > d->pdu_bytes)
		pdu = (uint16_t)d->pdu_bytes;
	q->c->pdu_bytes = pdu < 112 ? 112 : pdu;
	q->c->agreed = true;
	write_u8(&q->out_parameters, 0);
	write_u16(&q->out_parameters, calling < 1 ? 1 : calling > 8 ? 8 : calling);
	write_u16(&q->out_parameters, called < 1 ? 1 : called > 8 ? 8 : called);
	write_u16(&q->out_parameters, q->c->pdu_bytes);
	return 0;
}

/* Services of the program: start it, link in a block, delete, compress, copy to ROM. */
static uint16_t invocation(struct s7_request *q)
{
	read_bytes(&q->parameters, 7);
	struct bytes argument = read_bytes(&q->parameters, read_u16(&q->parameters));
	struct bytes name = read_bytes(&q->parameters, read_u8(&q->parameters));
	if (!reader_ok(&q->parameters))
		return S7_BAD_REQUEST;
	plant_ordered(q->s, "program invocation %.*s%s%.*s", (int)name.len, (const char *)name.at,
	              argument.len ? " " : "", (int)argument.len, (const char *)argument.at);
	if (bytes_equal_text(name, "P_PROGRAM"))
		plant_run(&q->c->plant, true, q->now_us);
	return 0;
}

static uint16_t stop(struct s7_request *q)
{
	plant_ordered(q->s, "PLC stop");
	plant_run(&q->c->plant, false, q->now_us);
	return 0;
}

static uint16_t upload(struct s7_request *q, uint8_t function)
{
	read_bytes(&q->parameters, 7);
	struct bytes name = read_bytes(&q->parameters, read_u8(&q->parameters));
	if (function == UPLOAD_BEGIN)
		plant_ordered(q->s, "upload block %.*s", (int)name.len, (const char *)name.at);
	return S7_PROTECTED;
}

static void job_run(struct s7_request *q)
{
	uint8_t function = read_u8(&q->parameters);
	uint16_t error = S7_NOT_KNOWN;
	if (!reader_ok(&q->parameters) || (!q->c->agreed && function != SETUP))
		return;
	write_u8(&q->out_parameters, function);
	switch (function) {
	case SETUP:
		error = setup(q);
		break;
	case READ_VARIABLE:
		error = s7_read_variables(q);
		break;
	case WRITE_VARIABLE:
		error = s7_write_variables(q);
		break;
	case PROGRAM_INVOCATION:
		error = invocation(q);
		break;
	case STOP:
		error = stop(q);
		break;
	case DOWNLOAD_BEGIN:
		error = s7_download_begin(q);
		break;
	case UPLOAD_BEGIN:
	case UPLOAD_PART:
	case UPLOAD_END:
		error = upload(q, function);
		break;
	default:
		plant_ordered(q->s, "function 0x%02x", function);
	}
	if (error) {
		q->out_parameters.at = q->out_parameters.start;
		q->out_values.at = q->out_values.start;
		q->out_values.bad = false;
		write_u8(&q->out_parameters, function);
		if (function == READ_VARIABLE || function == WRITE_VARIABLE)
			write_u8(&q->out_parameters, 0); /* no items */
		else if (function == UPLOAD_BEGIN)
			write_zero(&q->out_parameters, 8); /* no upload, no length */
	}
	say_pdu(q, ACK_DATA, error);
	if (function == DOWNLOAD_BEGIN && !error)
		s7_say_job(q->s, q->c, DOWNLOAD_PART);
}

/* The peer's answer to a job of ours: a part of a block, or that it has sent it all. */
static void answered(struct s7_request *q)
{
	uint8_t function = read_u8(&q->parameters);
	if (function == DOWNLOAD_PART)
		s7_download_part(q, read_u8(&q->parameters) & 1);
	else if (function == DOWNLOAD_END)
		s7_download_end(q);
}

/* The clock, in BCD behind two bytes of its own. */
static void clock_say(struct s7_request *q, struct writer *w)
{
	time_t t = (time_t)(q->now_us / 1000000);
	struct tm at;
	gmtime_r(&t, &at);
	const int parts[] = {19 + (at.tm_year >= 100),
	                     at.tm_year % 100,
	                     at.tm_mon + 1,
	                     at.tm_mday,
	                     at.tm_hour,
	                     at.tm_min,
	                     at.tm_sec,
	                     0};
	plant_asked(q->s, "read clock");
	write_u8(w, 0);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		write_u8(w, (uint8_t)(parts[i] / 10 << 4 | parts[i] % 10));
	write_u8(w, (uint8_t)(at.tm_wday + 1));
}

/* A password is eight bytes, each mixed with 0x55 and the one two before. */
static uint16_t password(struct s7_request *q)
{
	struct bytes sent = read_bytes(&q->values, 8);
	uint8_t plain[8];
	if (!reader_ok(&q->values))
		return S7_BAD_REQUEST;
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (uint8_t)(sent.at[i] ^ 0x55 ^ (i >= 2 ? sent.at[i - 2] : 0));
	struct bytes secret = bytes_trim((struct bytes){plain, sizeof plain});
	session_login_decided(q->s, (struct bytes){0}, secret, (struct bytes){0}, false);
	return S7_WRONG_PASSWORD;
}

static uint16_t user_function(struct s7_request *q, uint8_t group, uint8_t function,
                              struct writer *out)
{
	if (group == GROUP_CPU && function == 1) {
		uint16_t id = read_u16(&q->values), index = read_u16(&q->values);
		return reader_ok(&q->values) ? s7_list(q, id, index, out) : S7_BAD_REQUEST;
	}
	if (group == GROUP_BLOCKS)
		return s7_blocks(q, function, out);
	if (group == GROUP_TIME && function == 1) {
		clock_say(q, out);
		return 0;
	}
	if (group == GROUP_TIME) {
		plant_ordered(q->s, "set clock");
		return 0;
	}
	if (group == GROUP_SECURITY && function == 1)
		return password(q);
	plant_ordered(q->s, "user data group %u function %u", group, function);
	return 0x8104;
}

/* What fits one PDU of `list`; the rest waits for the peer to ask. */
static void part_say(struct s7_request *q, uint8_t group, uint8_t function, uint8_t sequence,
                     struct bytes list, uint16_t error)
{
	struct s7 *c = q->c;
	size_t fits = (c->pdu_bytes ? c->pdu_bytes : 240) - 10u - 12u - 4u;
	bool more = list.len > fits;
	struct bytes part = {list.at, more ? fits : list.len};
	bool in_parts = more || c->pending.len;
	write_bytes(&q->out_parameters, "\x00\x01\x12\x08\x12", 5);
	write_u8(&q->out_parameters, 0x80 | group);
	write_u8(&q->out_parameters, function);
	write_u8(&q->out_parameters, sequence);
	write_u8(&q->out_parameters, in_parts ? c->pending_reference : 0);
	write_u8(&q->out_parameters, more);
	write_u16(&q->out_parameters, error);
	write_u8(&q->out_values, part.len ? 0xff : 0x0a);
	write_u8(&q->out_values, part.len ? 9 : 0);
	write_u16(&q->out_values, (uint16_t)part.len);
	write_span(&q->out_values, part);
	c->pending = (struct bytes){list.at + part.len, list.len - part.len};
	say_pdu(q, USER_DATA, 0);
}

static void user_run(struct s7_request *q)
{
	struct s7 *c = q->c;
	struct bytes head = read_bytes(&q->parameters, 3); /* 00 01 12 */
	read_u8(&q->parameters);
	uint8_t method = read_u8(&q->parameters), kind = read_u8(&q->parameters);
	uint8_t function = read_u8(&q->parameters), sequence = read_u8(&q->parameters);
	if (!reader_ok(&q->parameters) || memcmp(head.at, "\x00\x01\x12", 3) || kind >> 4 != 4)
		return;
	uint8_t group = kind & 15;
	if (method == 0x12) { /* the rest of a list */
		part_say(q, group, function, sequence, c->pending, 0);
		return;
	}
	uint8_t room[LIST_MAX];
	struct writer list = writer_of(room, sizeof room);
	read_u32(&q->values); /* how it went, kind, length */
	uint16_t error = user_function(q, group, function, &list);
	c->pending = (struct bytes){0};
	c->pending_reference++;
	struct bytes all = error ? (struct bytes){0} : writer_bytes(&list);
	if (all.len > 200u) /* may have to wait for the peer */
		all = arena_copy(session_arena(q->s), all);
	part_say(q, group, function, (uint8_t)(sequence + 1), all.at ? all : (struct bytes){0},
	         error);
}

static void pdu_run(struct session *s, struct s7 *c, struct reader r)
{
	uint8_t parameters[S7_PDU_MAX], values[S7_PDU_MAX];
	uint8_t protocol = read_u8(&r), kind = read_u8(&r);
	read_u16(&r);
	struct s7_request q = {
	        .s = s, .c = c, .now_us = session_time_us(s), .reference = read_u16(&r)};
	uint16_t parameter_bytes = read_u16(&r), value_bytes = read_u16(&r);
	if (kind == ACK || kind == ACK_DATA)
		read_u16(&r);
	q.parameters = reader_of_bytes(read_bytes(&r, parameter_bytes));
	q.values = reader_of_bytes(read_bytes(&r, value_bytes));
	if (!reader_ok(&r) || protocol != 0x32)
		return;
	size_t room = (c->pdu_bytes ? c->pdu_bytes : 240) - 14u;
	q.out_parameters = writer_of(parameters, sizeof parameters);
	q.out_values = writer_of(values, room < sizeof values ? room : sizeof values);
	if (kind == JOB)
		job_run(&q);
	else if (kind == ACK_DATA)
		answered(&q);
	else if (kind == USER_DATA && c->agreed)
		user_run(&q);
}

/* A connection request is confirmed with its own parameters, whatever rack and slot it names. */
static enum service_next connect_run(struct session *s, struct s7 *c, struct reader r)
{
	uint8_t room[8 + 3 + 2 * (2 + TSAP_MAX)];
	struct writer w = writer_of(room, sizeof room);
	struct bytes called = {0}, calling = {0};
	read_u16(&r);
	uint16_t theirs = read_u16(&r);
	read_u8(&r);
	while (reader_ok(&r) && reader_left(&r)) {
		uint8_t code = read_u8(&r);
		struct bytes value = read_bytes(&r, read_u8(&r));
		if (code == 0xc1)
			calling = value;
		else if (code == 0xc2)
			called = value;
	}
	if (!reader_ok(&r) || calling.len > TSAP_MAX || called.len > TSAP_MAX)
		return SERVICE_CLOSE;
	c->connected = true;
	write_u8(&w, 0);
	write_u8(&w, COTP_CONFIRM);
	write_u16(&w, theirs);
	write_u16(&w, (uint16_t)(0x4400 + (session_random(s) & 0xff)));
	write_u8(&w, 0);
	write_bytes(&w, "\xc0\x01\x0a", 3); /* TPDUs of 1024 bytes */
	write_u8(&w, 0xc1);
	write_u8(&w, (uint8_t)calling.len);
	write_span(&w, calling);
	write_u8(&w, 0xc2);
	write_u8(&w, (uint8_t)called.len);
	write_span(&w, called);
	room[0] = (uint8_t)(writer_used(&w) - 1);
	say_tpkt(s, writer_bytes(&w), (struct bytes){0});
	if (called.len == 2)
		plant_asked(s, "connect to rack %u slot %u", called.at[1] >> 5, called.at[1] & 31);
	return SERVICE_CONTINUE;
}

static enum service_next s7comm_open(struct session *s, void *state)
{
	plant_start(&((struct s7 *)state)->plant, session_device_seed(s));
	return SERVICE_CONTINUE;
}

static enum service_next cotp_run(struct session *s, struct s7 *c, struct reader r)
{
	struct reader head = reader_of_bytes(read_bytes(&r, read_u8(&r)));
	uint8_t kind = read_u8(&head) & 0xf0;
	if (!reader_ok(&r) || !reader_ok(&head))
		return SERVICE_CLOSE;
	if (kind == COTP_CONNECT)
		return c->connected ? SERVICE_CLOSE : connect_run(s, c, head);
	if (kind != COTP_DATA || !c->connected)
		return SERVICE_CLOSE;
	pdu_run(s, c, r);
	return SERVICE_CONTINUE;
}

static enum service_next frames_run(struct session *s, void *state, struct reader *in)
{
	while (reader_left(in)) {
		struct reader r = *in;
		uint8_t version = read_u8(&r);
		read_u8(&r);
		uint16_t length = read_u16(&r);
		if (version != 3 || (reader_ok(&r) && (length < 7 || length > TPKT_MAX)))
			return SERVICE_CLOSE;
		if (!reader_ok(&r))
			break;
		struct bytes frame = read_bytes(&r, length - 4u);
		if (!reader_ok(&r))
			break;
		*in = r;
		if (cotp_run(s, state, reader_of_bytes(frame)) == SERVICE_CLOSE)
			return SERVICE_CLOSE;
	}
	return SERVICE_CONTINUE;
}

static enum service_next s7comm_input(struct session *s, void *state, struct reader *in)
{
	struct s7 *c = state;
	plant_refresh(s, &c->plant, "s7comm");
	enum service_next next = frames_run(s, state, in);
	plant_settle(s, &c->plant, "s7comm");
	return next;
}

/* A TPKT with a request for a connection that names a TSAP: RDP, too, begins with one. */
static bool s7comm_claims(struct bytes first)
{
	struct bytes tsap = BYTES("\xc1\x02");
	if (first.len < 22 || first.at[0] != 3 || first.at[5] != COTP_CONNECT)
		return false;
	for (size_t i = 11; i + 2 <= first.len; i++)
		if (!memcmp(first.at + i, tsap.at, tsap.len))
			return true;
	return false;
}

#define CONNECTED "\x03\0\0\x16\x11\xe0\0\0\0\x14\0\xc1\2\1\0\xc2\2\1\2\xc0\1\x0a"
#define AGREED "\x03\0\0\x19\x02\xf0\x80\x32\1\0\0\0\0\0\x08\0\0\xf0\0\0\1\0\1\1\xe0"
#define HEAD_SAID                                                                                  \
	"\x03\0\0\x16\x11\xd0\0\x14\x44\x2d\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2"                       \
	"\x03\0\0\x1b\x02\xf0\x80\x32\3\0\0\0\0\0\x08\0\0\0\0\xf0\0\0\1\0\1\0\xf0"
#define HEAD_TOLD                                                                                  \
	PLANT_ASKED("connect to rack 0 slot 2") PLANT_ASKED("set up communication, PDU 480")

static const struct exchange s7comm_exchanges[] = {
        {"a flag byte is written and read",
         BYTES(CONNECTED AGREED "\x03\0\0\x24\x02\xf0\x80\x32\1\0\0\0\1\0\x0e\0\5\5\1\x12\x0a\x10\2"
                                "\0\1\0\0\x83\0\0\x28\0\4\0\x08\xa5"
                                "\x03\0\0\x1f\x02\xf0\x80\x32\1\0\0\0\2\0\x0e\0\0\4\1\x12\x0a\x10\2"
                                "\0\1\0\0\x83\0\0\x28"),
         BYTES(HEAD_SAID "\x03\0\0\x16\x02\xf0\x80\x32\3\0\0\0\1\0\2\0\1\0\0\5\1\xff"
                         "\x03\0\0\x1a\x02\xf0\x80\x32\3\0\0\0\2\0\2\0\5\0\0\4\1\xff\4\0\x08\xa5"),
         HEAD_TOLD PLANT_ORDERED("write M5 1 bytes: a5") PLANT_ASKED("read M5 1 bytes")},
        {"it is stopped, and a list says so",
         BYTES(CONNECTED AGREED
               "\x03\0\0\x21\x02\xf0\x80\x32\1\0\0\0\1\0\x10\0\0\x29\0\0\0\0\0\x09P_PROGRAM"
               "\x03\0\0\x21\x02\xf0\x80\x32\7\0\0\0\2\0\x08\0\x08\0\1\x12\4\x11\x44\1\0\xff\x09\0"
               "\4\4\x24\0\0"),
         BYTES(HEAD_SAID
               "\x03\0\0\x14\x02\xf0\x80\x32\3\0\0\0\1\0\1\0\0\0\0\x29"
               "\x03\0\0\x3d\x02\xf0\x80\x32\7\0\0\0\2\0\x0c\0\x20\0\1\x12\x08\x12\x84\1\1\0\0\0\0"
               "\xff\x09\0\x1c\4\x24\0\0\0\x14\0\1\x43\x03\xff\4\0\0\0\0\4\3\0\0"
               "\x15\4\1\0\0\0\0\4"),
         HEAD_TOLD PLANT_ORDERED("PLC stop") PLANT_ASKED("system state list 0x0424 index 0x0000")},
        {"a block is downloaded and kept",
         BYTES(CONNECTED AGREED
               "\x03\0\0\x23\x02\xf0\x80\x32\1\0\0\0\1\0\x12\0\0\x1a\0\1\0\0\0\0\0\x09_0A00009P"
               "\x03\0\0\x1b\x02\xf0\x80\x32\3\0\0\0\1\0\2\0\6\0\0\x1b\0\0\2\0\xfbpp"
               "\x03\0\0\x14\x02\xf0\x80\x32\3\0\0\0\2\0\1\0\0\0\0\x1c"),
         BYTES(HEAD_SAID
               "\x03\0\0\x14\x02\xf0\x80\x32\3\0\0\0\1\0\1\0\0\0\0\x1a"
               "\x03\0\0\x23\x02\xf0\x80\x32\1\0\0\0\1\0\x12\0\0\x1b\0\0\0\0\0\0\0\x09_0A00009P"
               "\x03\0\0\x23\x02\xf0\x80\x32\1\0\0\0\2\0\x12\0\0\x1c\0\0\0\0\0\0\0\x09_0A00009P"),
         HEAD_TOLD PLANT_ORDERED(
                 "download block _0A00009P") "{\"kind\":\"file.captured\",\"file.name\":\"_"
                                             "0A00009P\",\"file.size\":2}\n"},
        {"an unknown list is no crash",
         BYTES(CONNECTED AGREED "\x03\0\0\x21\x02\xf0\x80\x32\7\0\0\0\2\0\x08\0\x08\0\1\x12\4\x11"
                                "\x44\1\0\xff\x09\0\4\x12\x34\0\0"),
         BYTES(HEAD_SAID "\x03\0\0\x21\x02\xf0\x80\x32\7\0\0\0\2\0\x0c\0\4\0\1\x12\x08\x12\x84\1\1"
                         "\0\0\xd4\1\x0a\0\0\0"),
         NULL},
        {"what is no TPKT is hung up on", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES(""), ""},
        {0},
};

#define TEXT(...) PLANT_TEXT(struct s7_device, __VA_ARGS__)

static const struct option s7comm_device[] = {
        TEXT("module", module, "6ES7 315-2EH14-0AB0", "order number"),
        TEXT("hardware", hardware, "5", "version of the hardware"),
        TEXT("firmware", firmware, "3.2.6", "its version"),
        TEXT("loader", loader, "32.9.9", "version of the boot loader"),
        TEXT("system", system, "SIMATIC 300(1)", "name of the system"),
        TEXT("name", name, "CPU 315-2 PN/DP", "name of the module"),
        TEXT("type", type, "CPU 315-2 PN/DP", "type of the module"),
        TEXT("plant", plant, NULL, "identification of the plant"),
        TEXT("copyright", copyright, "Original Siemens Equipment", "as it says"),
        TEXT("serial", serial, NULL, "serial number; absent: one that is the device's own"),
        PLANT_NUMBER(struct s7_device, "pdu", pdu_bytes, "240", 112, 480, "longest PDU, bytes"),
        {0},
};

static const struct service s7comm = {
        .name = "s7comm",
        .summary = "Siemens S7-300: identity, memory that moves, stop, start, blocks that come",
        .reference =
                "RFC 1006, ISO 8073; Siemens A5E00739858 (SZL); S7 as CPU 315-2 PN/DP speaks it",
        .transports = TRANSPORT_TCP,
        .ports = {102},
        .state_size = sizeof(struct s7),
        .input_max = TPKT_MAX,
        .output_max = 64 * 1024,
        .arena_max = 160 * 1024,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = s7comm_device,
        .device_size = sizeof(struct s7_device),
        .open = s7comm_open,
        .input = s7comm_input,
        .claims = s7comm_claims,
        .exchanges = s7comm_exchanges,
};
SERVICE(s7comm);
