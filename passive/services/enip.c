/*
 * EtherNet/IP of a Logix controller: who it is, sessions, and CIP messages with tags.
 *
 * Over UDP only what needs no session is answered (identity, services, interfaces).  Tags are
 * named as a programmer names them; the process stands in REAL tags, its switches in BOOL
 * ones.  CIP is answered through Unconnected Send as well, as a controller behind its
 * communication port is asked.
 */
#include "base/little.h"
#include "base/options.h"
#include "passive/device/plant/plant.h"

#define HEADER 24
#define FRAME_MAX 600
#define CIP_MAX 504
#define TAG_MAX 40

enum {
	NOP = 0,
	LIST_SERVICES = 4,
	LIST_IDENTITY = 0x63,
	LIST_INTERFACES = 0x64,
	REGISTER = 0x65,
	UNREGISTER = 0x66,
	SEND_RR = 0x6f,
	SEND_UNIT = 0x70
};

enum {
	INVALID_COMMAND = 1,
	BAD_DATA = 3,
	BAD_SESSION = 0x64,
	BAD_LENGTH = 0x65,
	BAD_REVISION = 0x69
};

enum {
	GET_ALL = 0x01,
	RESET = 0x05,
	GET_SINGLE = 0x0e,
	SET_SINGLE = 0x10,
	READ_TAG = 0x4c,
	WRITE_TAG = 0x4d,
	UNCONNECTED_SEND = 0x52,
	LIST_TAGS = 0x55,
	FORWARD_OPEN = 0x54
};

enum {
	OK = 0,
	PATH_UNKNOWN = 5,
	NO_SERVICE = 8,
	NO_ATTRIBUTE = 0x14,
	NOT_SETTABLE = 0x0e,
	TOO_LITTLE = 0x13,
	PRIVILEGE = 0x0f,
	GENERAL = 0xff
};

enum { TYPE_BOOL = 0xc1, TYPE_DINT = 0xc4, TYPE_REAL = 0xca };

struct enip_device {
	const char *product;
	uint64_t vendor_id, device_type, product_code, major, minor;
};

struct enip {
	struct plant plant;
	uint32_t session;
};

struct cip {
	struct session *s;
	struct enip *e;
	struct reader in;
	struct writer out; /* behind the service's reply header */
	uint64_t now_us;
	uint32_t class, instance, attribute;
	char tag[TAG_MAX + 1];
};

static const struct {
	const char *name;
	enum plant_point point;
	bool is_switch;
} tags[] = {
        {"Tank_Level", PLANT_LEVEL, false},      {"Tank_Temp", PLANT_TEMPERATURE, false},
        {"Flow_PV", PLANT_FLOW, false},          {"Pressure_PV", PLANT_PRESSURE, false},
        {"Motor_Current", PLANT_CURRENT, false}, {"Temp_SP", PLANT_SETPOINT, false},
        {"Valve_CV", PLANT_VALVE, false},        {"Pump_Run", PLANT_PUMP, true},
        {"Main_Enable", PLANT_BREAKER, true},    {"Alarm_Active", PLANT_ALARM, true},
};
#define TAGS (sizeof tags / sizeof *tags)

static uint32_t serial_of(struct session *s)
{
	return (uint32_t)(0x00600000 + plant_number(session_device_seed(s), 44818, 0x9fffff));
}

/* Attributes 1 to 7 of the identity object (CIP volume 1, 5-2). */
static unsigned identity_attribute(struct session *s, uint32_t which, struct writer *w)
{
	const struct enip_device *d = session_device(s);
	switch (which) {
	case 1:
		write_little(w, d->vendor_id, 2);
		return OK;
	case 2:
		write_little(w, d->device_type, 2);
		return OK;
	case 3:
		write_little(w, d->product_code, 2);
		return OK;
	case 4:
		write_u8(w, (uint8_t)d->major);
		write_u8(w, (uint8_t)d->minor);
		return OK;
	case 5:
		write_little(w, 0x3060, 2); /* runs, owned by nobody */
		return OK;
	case 6:
		write_little(w, serial_of(s), 4);
		return OK;
	case 7:
		write_u8(w, (uint8_t)strlen(d->product));
		write_text(w, d->product);
		return OK;
	default:
		return NO_ATTRIBUTE;
	}
}

static void identity_list(struct session *s, struct writer *w)
{
	struct writer start = *w;
	write_little(w, 1, 2);
	write_little(w, 0x0c, 2);
	write_little(w, 0, 2);
	write_little(w, 1, 2); /* of the encapsulation */
	write_u16(w, 2);   /* a sockaddr_in, in the network's order */
	write_u16(w, 44818);
	write_bytes(w, session_local(s)->b + 12, 4);
	write_zero(w, 8);
	for (uint32_t i = 1; i <= 7; i++)
		identity_attribute(s, i, w);
	write_u8(w, 3); /* operational */
	size_t length = writer_used(w) - writer_used(&start) - 6;
	start.at[4] = (uint8_t)length;
	start.at[5] = (uint8_t)(length >> 8);
}

static void services_list(struct writer *w)
{
	write_little(w, 1, 2);
	write_little(w, 0x100, 2);
	write_little(w, 20, 2);
	write_little(w, 1, 2);
	write_little(w, 0x120, 2); /* CIP over TCP, and class 0 and 1 over UDP */
	write_bytes(w, "Communications\0\0", 16);
}

/* Segments of a path: classes, instances, attributes, and names of tags. */
static bool path_read(struct cip *c, struct bytes path)
{
	struct reader r = reader_of_bytes(path);
	while (reader_ok(&r) && reader_left(&r)) {
		uint8_t kind = read_u8(&r);
		if (kind == 0x91) {
			uint8_t n = read_u8(&r);
			struct bytes name = read_bytes(&r, n);
			size_t at = strlen(c->tag);
			if (n % 2)
				read_u8(&r);
			for (size_t i = 0; i < name.len && at + i + 1 < TAG_MAX; i++) {
				bool plain = name.at[i] > ' ' && name.at[i] < 127;
				c->tag[at + i] = plain ? (char)name.at[i] : '?';
			}
			continue;
		}
		bool wide = kind & 1;
		if (wide)
			read_u8(&r);
		uint32_t value = read_little(&r, wide ? 2 : 1);
		if ((kind & 0xfc) == 0x20)
			c->class = value;
		else if ((kind & 0xfc) == 0x24)
			c->instance = value;
		else if ((kind & 0xfc) == 0x30)
			c->attribute = value;
		else if ((kind & 0xfc) != 0x28 && (kind & 0xf0) != 0)
			return false;
	}
	return reader_ok(&r);
}

static unsigned tag_read(struct cip *c)
{
	uint32_t count = read_little(&c->in, 2), kept;
	plant_asked(c->s, "read tag %s count %u", c->tag, count);
	if (!reader_ok(&c->in))
		return TOO_LITTLE;
	for (size_t i = 0; i < TAGS; i++) {
		if (strcmp(c->tag, tags[i].name))
			continue;
		float f = (float)plant_read(&c->e->plant, tags[i].point, c->now_us);
		memcpy(&kept, &f, sizeof kept);
		write_little(&c->out, tags[i].is_switch ? TYPE_BOOL : TYPE_REAL, 2);
		if (tags[i].is_switch)
			write_u8(&c->out, f >= 0.5f ? 0xff : 0);
		else
			write_little(&c->out, kept, 4);
		return count == 1 ? OK : GENERAL;
	}
	return PATH_UNKNOWN;
}

static unsigned tag_write(struct cip *c)
{
	uint32_t type = read_little(&c->in, 2), count = read_little(&c->in, 2);
	uint32_t raw = read_little(&c->in, type == TYPE_BOOL ? 1 : 4);
	float f;
	memcpy(&f, &raw, sizeof f);
	double value = type == TYPE_REAL ? (double)f : type == TYPE_BOOL ? raw != 0 : (int32_t)raw;
	plant_ordered(c->s, "write tag %s count %u: %g", c->tag, count, value);
	if (!reader_ok(&c->in))
		return TOO_LITTLE;
	for (size_t i = 0; i < TAGS; i++)
		if (!strcmp(c->tag, tags[i].name)) {
			if (type != (tags[i].is_switch ? TYPE_BOOL : TYPE_REAL))
				return GENERAL;
			plant_write(&c->e->plant, tags[i].point, value, c->now_us);
			return OK;
		}
	return PATH_UNKNOWN;
}

/* The controller's table of symbols: instance, name and type of each tag. */
static unsigned tags_list(struct cip *c)
{
	plant_asked(c->s, "list tags from %u", c->instance);
	for (uint32_t i = c->instance ? c->instance - 1 : 0; i < TAGS; i++) {
		write_little(&c->out, i + 1, 4);
		write_little(&c->out, strlen(tags[i].name), 2);
		write_text(&c->out, tags[i].name);
		write_little(&c->out, tags[i].is_switch ? TYPE_BOOL : TYPE_REAL, 2);
	}
	return OK;
}

static unsigned object_run(struct cip *c, uint8_t service)
{
	if (service == LIST_TAGS && c->class == 0x6b)
		return tags_list(c);
	if (service != GET_ALL && service != GET_SINGLE) {
		plant_ordered(c->s, "service 0x%02x of class 0x%02x instance %u attribute %u",
		              service, c->class, c->instance, c->attribute);
		return service == SET_SINGLE ? NOT_SETTABLE
		       : service == RESET    ? PRIVILEGE
		                             : NO_SERVICE;
	}
	plant_asked(c->s, "get attribute%s of class 0x%02x instance %u attribute %u",
	            service == GET_ALL ? "s" : "", c->class, c->instance, c->attribute);
	if (c->class != 1 || c->instance != 1)
		return PATH_UNKNOWN;
	if (service == GET_SINGLE)
		return identity_attribute(c->s, c->attribute, &c->out);
	for (uint32_t i = 1; i <= 7; i++)
		identity_attribute(c->s, i, &c->out);
	return OK;
}

/* One request of CIP; its answer behind `out`. */
static void cip_run(struct session *s, struct enip *e, struct bytes request, struct writer *out)
{
	struct cip c = {
	        .s = s, .e = e, .in = reader_of_bytes(request), .now_us = session_time_us(s)};
	uint8_t service = read_u8(&c.in);
	struct bytes path = read_bytes(&c.in, 2u * read_u8(&c.in));
	uint8_t room[CIP_MAX];
	unsigned status = PATH_UNKNOWN;
	c.out = writer_of(room, sizeof room);
	if (!reader_ok(&c.in))
		status = TOO_LITTLE;
	else if (path_read(&c, path) && service == UNCONNECTED_SEND && c.class == 6) {
		read_u16(&c.in); /* priority, ticks */
		uint32_t length = read_little(&c.in, 2);
		struct bytes inner = read_bytes(&c.in, length);
		/* Not once more inside: an endless letter in a letter is no request. */
		if (reader_ok(&c.in) && inner.len && inner.at[0] != UNCONNECTED_SEND) {
			cip_run(s, e, inner, out);
			return;
		}
		status = TOO_LITTLE;
	} else if (c.tag[0] && service == READ_TAG)
		status = tag_read(&c);
	else if (c.tag[0] && service == WRITE_TAG)
		status = tag_write(&c);
	else
		status = object_run(&c, service);
	write_u8(out, service | 0x80);
	write_u8(out, 0);
	write_u8(out, (uint8_t)status);
	write_u8(out, 0);
	if (status == OK && !c.out.bad)
		write_span(out, writer_bytes(&c.out));
}

/* The two items of a SendRRData: a null address, an unconnected message. */
static uint32_t message_run(struct session *s, struct enip *e, struct reader *in,
                            struct writer *out)
{
	read_u32(in);
	read_u16(in); /* interface, timeout */
	uint32_t items = read_little(in, 2), kind = read_little(in, 2), length = read_little(in, 2);
	read_bytes(in, length);
	uint32_t kind_2 = read_little(in, 2), length_2 = read_little(in, 2);
	struct bytes request = read_bytes(in, length_2);
	if (!reader_ok(in) || items < 2 || kind != 0 || kind_2 != 0xb2)
		return BAD_DATA;
	write_zero(out, 6);
	write_little(out, 2, 2);
	write_little(out, 0, 4);
	write_little(out, 0xb2, 2);
	struct writer at = *out;
	write_little(out, 0, 2);
	cip_run(s, e, request, out);
	write_little(&at, writer_used(out) - writer_used(&at) - 2, 2);
	return 0;
}

struct head {
	uint32_t command, length, session, status, options;
	struct bytes context;
};

static struct head head_read(struct reader *r)
{
	struct head h = {.command = read_little(r, 2), .length = read_little(r, 2)};
	h.session = read_little(r, 4);
	h.status = read_little(r, 4);
	h.context = read_bytes(r, 8);
	h.options = read_little(r, 4);
	return h;
}

static void say(struct session *s, const struct head *h, uint32_t session, uint32_t status,
                struct bytes body)
{
	uint8_t room[HEADER];
	struct writer w = writer_of(room, sizeof room);
	write_little(&w, h->command, 2);
	write_little(&w, body.len, 2);
	write_little(&w, session, 4);
	write_little(&w, status, 4);
	write_span(&w, h->context);
	write_little(&w, 0, 4);
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, body);
}

static uint32_t registered(struct session *s, struct enip *e, struct reader *body, struct writer *w)
{
	uint32_t version = read_little(body, 2), options = read_little(body, 2);
	plant_asked(s, "register session");
	write_little(w, 1, 2);
	write_little(w, options, 2);
	if (!reader_ok(body))
		return BAD_LENGTH;
	if (version != 1 || options || e->session)
		return version != 1 ? BAD_REVISION : INVALID_COMMAND;
	e->session = (uint32_t)session_random(s) | 0x10000;
	return 0;
}

static enum service_next frame_run(struct session *s, struct enip *e, const struct head *h,
                                   struct reader body)
{
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	bool tcp = session_transport(s) == TRANSPORT_TCP;
	uint32_t status = 0, session = h->session;
	switch (h->command) {
	case NOP:
		return SERVICE_CONTINUE;
	case LIST_IDENTITY:
		plant_asked(s, "list identity");
		identity_list(s, &w);
		break;
	case LIST_SERVICES:
		plant_asked(s, "list services");
		services_list(&w);
		break;
	case LIST_INTERFACES:
		plant_asked(s, "list interfaces");
		write_little(&w, 0, 2);
		break;
	case REGISTER:
		status = tcp ? registered(s, e, &body, &w) : INVALID_COMMAND;
		session = status ? h->session : e->session;
		break;
	case UNREGISTER:
		return SERVICE_CLOSE;
	case SEND_RR:
		status = !e->session || h->session != e->session ? BAD_SESSION
		                                                 : message_run(s, e, &body, &w);
		if (status)
			w.at = w.start;
		break;
	default:
		plant_ordered(s, "command 0x%04x", h->command);
		status = INVALID_COMMAND;
	}
	say(s, h, session, status, writer_bytes(&w));
	return SERVICE_CONTINUE;
}

static enum service_next enip_open(struct session *s, void *state)
{
	plant_start(&((struct enip *)state)->plant, session_device_seed(s));
	return SERVICE_CONTINUE;
}

static enum service_next frames_run(struct session *s, void *state, struct reader *in)
{
	while (reader_left(in) >= HEADER) {
		struct reader r = *in;
		struct head h = head_read(&r);
		if (h.length > FRAME_MAX || h.options)
			return SERVICE_CLOSE;
		struct bytes body = read_bytes(&r, h.length);
		if (!reader_ok(&r))
			break;
		*in = r;
		if (frame_run(s, state, &h, reader_of_bytes(body)) == SERVICE_CLOSE)
			return SERVICE_CLOSE;
		if (session_transport(s) == TRANSPORT_UDP)
			break;
	}
	if (session_transport(s) == TRANSPORT_UDP)
		read_rest(in);
	return SERVICE_CONTINUE;
}

static enum service_next enip_input(struct session *s, void *state, struct reader *in)
{
	struct enip *e = state;
	plant_refresh(s, &e->plant, "enip");
	enum service_next next = frames_run(s, state, in);
	plant_settle(s, &e->plant, "enip");
	return next;
}

static bool enip_claims(struct bytes first)
{
	struct reader r = reader_of_bytes(first);
	struct head h = head_read(&r);
	return reader_ok(&r) && h.status == 0 && h.options == 0 && h.session == 0 &&
	       h.length == reader_left(&r) &&
	       (h.command == LIST_IDENTITY || h.command == LIST_SERVICES || h.command == REGISTER);
}

#define ASKED_IDENTITY "\x63\0\0\0\0\0\0\0\0\0\0\0\xc1\xde\xbe\xd1\1\2\3\4\0\0\0\0"
#define IDENTITY                                                                                   \
	"\x63\0\x3c\0\0\0\0\0\0\0\0\0\xc1\xde\xbe\xd1\1\2\3\4\0\0\0\0\1\0\x0c\0\x36\0\1\0\0\2"   \
	"\xaf\x12\xc0\0\2\x17\0\0\0\0\0\0\0\0\1\0\x0e\0\x36\0\x14\x0b\x60\x30\x0f\xf3\x6b\0\x14"       \
	"1756-L61/B LOGIX5561\3"
#define ASKED_SESSION "\x65\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0"

static const struct exchange enip_exchanges[] = {
        {"who it is", BYTES(ASKED_IDENTITY), BYTES(IDENTITY), PLANT_ASKED("list identity")},
        {"a message without a session",
         BYTES("\x6f\0\0\0\7\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08\0\0\0\0"),
         BYTES("\x6f\0\0\0\7\0\0\0\x64\0\0\0\1\2\3\4\5\6\7\x08\0\0\0\0"), ""},
        {"an unknown command", BYTES("\x99\0\0\0\0\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08\0\0\0\0"),
         BYTES("\x99\0\0\0\0\0\0\0\1\0\0\0\1\2\3\4\5\6\7\x08\0\0\0\0"),
         PLANT_ORDERED("command 0x0099")},
        {"what is no EtherNet/IP is hung up on", BYTES("GET /index.html HTTP/1.0\r\n\r\n"),
         BYTES(""), ""},
        {0},
};

static const struct exchange enip_exchanges_udp[] = {
        {"who it is", BYTES(ASKED_IDENTITY), BYTES(IDENTITY), PLANT_ASKED("list identity")},
        {"no session over UDP", BYTES(ASKED_SESSION),
         BYTES("\x65\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), ""},
        {0},
};

#define NUMBER(...) PLANT_NUMBER(struct enip_device, __VA_ARGS__)

static const struct option enip_device[] = {
        PLANT_TEXT(struct enip_device, "product", product, "1756-L61/B LOGIX5561",
                   "name of the product"),
        NUMBER("vendor-id", vendor_id, "1", 0, 65535, "number of the maker"),
        NUMBER("device-type", device_type, "14", 0, 65535, "kind of device; 14 is a controller"),
        NUMBER("product-code", product_code, "54", 0, 65535, "number of the product"),
        NUMBER("major", major, "20", 0, 255, "version of the firmware"),
        NUMBER("minor", minor, "11", 0, 255, "what stands behind its point"),
        {0},
};

static const struct service enip = {
        .name = "enip",
        .summary = "Logix controller on EtherNet/IP: identity, sessions, CIP and tags",
        .reference = "ODVA CIP volumes 1 and 2; Rockwell 1756-PM020 (tags)",
        .transports = TRANSPORT_TCP | TRANSPORT_UDP,
        .ports = {44818},
        .state_size = sizeof(struct enip),
        .input_max = 4096,
        .output_max = 32 * 1024,
        .arena_max = 4096,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = enip_device,
        .device_size = sizeof(struct enip_device),
        .open = enip_open,
        .input = enip_input,
        .claims = enip_claims,
        .claims_datagram = enip_claims,
        .exchanges = enip_exchanges,
        .exchanges_udp = enip_exchanges_udp,
};
SERVICE(enip);
