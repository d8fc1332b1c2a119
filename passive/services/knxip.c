/*
 * KNXnet/IP router of a building: it is found, described and tunnelled through.
 *
 * One datagram has one answer here, while a tunnel is owed an acknowledgement and a
 * confirmation, so what is owed besides is sent a moment later, as the bus behind a real
 * router takes its time too.  Values of the bus stand in a few group addresses; what is
 * written to any is kept.
 */
#include "base/options.h"
#include "base/random.h"
#include "passive/device/plant/plant.h"
#include <math.h>

#define HEADER 6
#define FRAME_MAX 300
#define BUS_DELAY_MS 25
#define OWED_MAX 2
#define NAME_BYTES 30

enum {
	SEARCH = 0x0201,
	SEARCH_ANSWER,
	DESCRIPTION,
	DESCRIPTION_ANSWER,
	CONNECT,
	CONNECT_ANSWER,
	STATE,
	STATE_ANSWER,
	DISCONNECT,
	DISCONNECT_ANSWER,
	TUNNEL = 0x0420,
	TUNNEL_ACK
};

enum {
	NO_ERROR = 0,
	E_CONNECTION_ID = 0x21,
	E_CONNECTION_TYPE = 0x22,
	E_NO_MORE = 0x24,
	E_LAYER = 0x29
};

enum { L_DATA_REQUEST = 0x11, L_DATA_CONFIRM = 0x2e, L_DATA_INDICATION = 0x29 };

struct knxip_device {
	const char *name;
	uint64_t maker;
};

struct owed {
	uint8_t length, cemi[32];
};

struct knxip {
	struct plant plant;
	uint8_t channel, heard, said; /* channel 0: no tunnel; counters of its frames */
	uint16_t address;
	uint8_t owed_count;
	struct owed owed[OWED_MAX];
};

/* What some group addresses are: a switch, or a two-byte float (DPT 9). */
static const struct group {
	uint16_t address;
	enum plant_point point;
	bool is_switch;
} groups[] = {
        {0x0801, PLANT_PUMP, true},      {0x0802, PLANT_BREAKER, true},
        {0x0803, PLANT_ALARM, true},     {0x1801, PLANT_TEMPERATURE, false},
        {0x1802, PLANT_SETPOINT, false}, {0x1803, PLANT_FLOW, false},
        {0x1804, PLANT_VALVE, false},
};
#define GROUPS (sizeof groups / sizeof *groups)

static const struct group *group_of(uint16_t address)
{
	for (size_t i = 0; i < GROUPS; i++)
		if (groups[i].address == address)
			return &groups[i];
	return NULL;
}

/* DPT 9.xxx: sign, four bits of exponent, eleven of mantissa in hundredths. */
static uint16_t float_of(double value)
{
	int mantissa = (int)lrint(value * 100), exponent = 0;
	for (; mantissa < -2048 || mantissa > 2047; exponent++)
		mantissa /= 2;
	return (uint16_t)((mantissa < 0 ? 0x8000 : 0) | exponent << 11 | (mantissa & 0x7ff));
}

static double of_float(uint16_t raw)
{
	int mantissa = (raw & 0x7ff) - (raw & 0x8000 ? 2048 : 0);
	return ldexp(mantissa, raw >> 11 & 15) / 100;
}

static void say_begin(struct writer *w, uint16_t service)
{
	write_u16(w, 0x0610);
	write_u16(w, service);
	write_u16(w, 0);
}

static void say_end(struct session *s, struct writer *w)
{
	size_t length = writer_used(w);
	w->start[4] = (uint8_t)(length >> 8);
	w->start[5] = (uint8_t)length;
	session_say_bytes(s, writer_bytes(w));
}

static void write_endpoint(struct session *s, struct writer *w)
{
	write_u16(w, 0x0801);
	write_bytes(w, session_local(s)->b + 12, 4);
	write_u16(w, 3671);
}

/* The device (KNX 3/8/2 7.5.4.2), then the families of services that it knows. */
static void write_description(struct session *s, const struct knxip *k, struct writer *w)
{
	const struct knxip_device *d = session_device(s);
	char name[NAME_BYTES];
	uint64_t own = random_mix(session_device_seed(s) + 3671);
	session_expand(s, d->name, name, sizeof name);
	write_u16(w, 0x3601);
	write_u16(w, 0x0200); /* twisted pair; not in programming mode */
	write_u16(w, k->address);
	write_u16(w, 0); /* project */
	write_u16(w, (uint16_t)d->maker);
	write_be(w, own, 4);
	write_u32(w, 0xe000170c); /* 224.0.23.12 */
	write_be(w, 0x000e8c, 3); /* the maker of most of these interfaces */
	write_be(w, own >> 32, 3);
	write_text(w, name);
	write_zero(w, NAME_BYTES - strlen(name));
	write_bytes(w, "\x0a\x02\x02\x01\x03\x01\x04\x01\x05\x01", 10);
}

static void connect_run(struct session *s, struct knxip *k, struct reader *r, struct writer *w)
{
	read_bytes(r, 16);
	uint8_t length = read_u8(r), kind = read_u8(r);
	uint8_t layer = length >= 4 ? read_u8(r) : 0;
	uint8_t error = kind != 4    ? E_CONNECTION_TYPE
	                : layer != 2 ? E_LAYER
	                : k->channel ? E_NO_MORE
	                             : NO_ERROR;
	plant_asked(s, "connect type %u layer %u", kind, layer);
	if (!reader_ok(r))
		return;
	say_begin(w, CONNECT_ANSWER);
	if (error) {
		write_u8(w, 0);
		write_u8(w, error);
	} else {
		k->channel = (uint8_t)(1 + plant_number(k->plant.seed, 6, 60));
		k->heard = k->said = 0;
		write_u8(w, k->channel);
		write_u8(w, NO_ERROR);
		write_endpoint(s, w);
		write_u16(w, 0x0404);
		write_u16(w, k->address + 1);
	}
	say_end(s, w);
}

static void owe(struct knxip *k, const struct bytes cemi, uint8_t kind)
{
	if (k->owed_count >= OWED_MAX || cemi.len > sizeof k->owed->cemi || cemi.len < 2)
		return;
	struct owed *o = &k->owed[k->owed_count++];
	memcpy(o->cemi, cemi.at, cemi.len);
	o->cemi[0] = kind;
	o->length = (uint8_t)cemi.len;
}

/* The bus answers a read with the value, from a device of its own. */
static void owe_value(struct session *s, struct knxip *k, uint16_t address)
{
	const struct group *g = group_of(address);
	uint64_t now = session_time_us(s);
	uint8_t room[32];
	struct writer w = writer_of(room, sizeof room);
	uint32_t kept;
	bool there = g || plant_recall(&k->plant, address, &kept);
	if (!there)
		return;
	bool is_switch = g ? g->is_switch : kept <= 0x3f;
	uint16_t value = !g             ? (uint16_t)kept
	                 : g->is_switch ? plant_is_on(&k->plant, g->point, now)
	                                : float_of(plant_read(&k->plant, g->point, now));
	write_u32(&w, 0x2900bce0);
	write_u16(&w, (uint16_t)((k->address & 0xff00) + 17));
	write_u16(&w, address);
	write_u8(&w, is_switch ? 1 : 3);
	write_u16(&w, (uint16_t)(0x0040 | (is_switch ? value & 0x3f : 0)));
	if (!is_switch)
		write_u16(&w, value);
	owe(k, writer_bytes(&w), L_DATA_INDICATION);
}

/* A frame for the bus (cEMI, KNX 3/6/3 4.1.5). */
static void bus_run(struct session *s, struct knxip *k, struct bytes cemi)
{
	struct reader r = reader_of_bytes(cemi);
	uint8_t code = read_u8(&r);
	read_bytes(&r, read_u8(&r));
	read_u8(&r);
	uint8_t control = read_u8(&r);
	read_u16(&r);
	uint16_t to = read_u16(&r);
	uint8_t length = read_u8(&r);
	uint16_t apci = read_u16(&r);
	struct bytes more = read_bytes(&r, length > 1 ? length - 1u : 0);
	if (!reader_ok(&r) || code != L_DATA_REQUEST)
		return;
	const char *kind = control & 0x80 ? "group" : "device";
	unsigned what = apci >> 6 & 15;
	uint32_t value = apci & 0x3f;
	if (more.len)
		value = 0;
	for (size_t i = 0; i < more.len && i < 4; i++)
		value = value << 8 | more.at[i];
	owe(k, cemi, L_DATA_CONFIRM);
	if (what == 0 && control & 0x80) {
		plant_asked(s, "group read %u/%u/%u", to >> 11, to >> 8 & 7, to & 255);
		owe_value(s, k, to);
		return;
	}
	if (control & 0x80)
		plant_ordered(s, "group %s %u/%u/%u %u", what == 2 ? "write" : "response", to >> 11,
		              to >> 8 & 7, to & 255, value);
	else
		plant_ordered(s, "%s %u.%u.%u service 0x%03x", kind, to >> 12, to >> 8 & 15,
		              to & 255, apci & 0x3ff);
	const struct group *g = group_of(to);
	if (what == 2 && control & 0x80 && g)
		plant_write(&k->plant, g->point,
		            g->is_switch ? value & 1 : of_float((uint16_t)value),
		            session_time_us(s));
	else if (what == 2 && control & 0x80)
		plant_keep(&k->plant, to, value);
}

static void tunnel_run(struct session *s, struct knxip *k, struct reader *r, struct writer *w)
{
	uint8_t length = read_u8(r), channel = read_u8(r), number = read_u8(r);
	read_u8(r);
	struct bytes cemi = read_rest(r);
	if (!reader_ok(r) || length != 4)
		return;
	bool right = k->channel && channel == k->channel;
	if (right && number != k->heard && number != (uint8_t)(k->heard - 1))
		return; /* neither the next nor the last again: dropped (KNX 3/8/4 2.6) */
	say_begin(w, TUNNEL_ACK);
	write_u8(w, 4);
	write_u8(w, channel);
	write_u8(w, number);
	write_u8(w, right ? NO_ERROR : E_CONNECTION_ID);
	say_end(s, w);
	if (!right || number != k->heard)
		return;
	k->heard++;
	bus_run(s, k, cemi);
	if (k->owed_count)
		session_delay(s, BUS_DELAY_MS);
}

static void state_run(struct session *s, struct knxip *k, uint16_t service, struct reader *r,
                      struct writer *w)
{
	uint8_t channel = read_u8(r);
	bool right = k->channel && channel == k->channel;
	if (!reader_ok(r))
		return;
	if (service == DISCONNECT && right) {
		k->channel = 0;
		k->owed_count = 0;
	}
	say_begin(w, service + 1);
	write_u8(w, channel);
	write_u8(w, right ? NO_ERROR : E_CONNECTION_ID);
	say_end(s, w);
}

static enum service_next knxip_open(struct session *s, void *state)
{
	struct knxip *k = state;
	plant_start(&k->plant, session_device_seed(s));
	k->address = (uint16_t)(0x1100 + plant_number(k->plant.seed, 5, 8) * 256);
	return SERVICE_CONTINUE;
}

static enum service_next knxip_input(struct session *s, void *state, struct reader *in)
{
	struct knxip *k = state;
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct reader r = reader_of_bytes(read_rest(in));
	size_t whole = reader_left(&r);
	uint16_t version = read_u16(&r), service = read_u16(&r), length = read_u16(&r);
	if (!reader_ok(&r) || version != 0x0610 || length != whole)
		return SERVICE_CONTINUE;
	switch (service) {
	case SEARCH:
	case DESCRIPTION:
		plant_asked(s, service == SEARCH ? "search" : "description");
		say_begin(&w, service + 1);
		if (service == SEARCH)
			write_endpoint(s, &w);
		write_description(s, k, &w);
		say_end(s, &w);
		break;
	case CONNECT:
		connect_run(s, k, &r, &w);
		break;
	case STATE:
	case DISCONNECT:
		state_run(s, k, service, &r, &w);
		break;
	case TUNNEL:
		tunnel_run(s, k, &r, &w);
		break;
	case TUNNEL_ACK:
		break;
	default:
		plant_asked(s, "service 0x%04x", service);
	}
	return SERVICE_CONTINUE;
}

/* What the bus has sent: the oldest frame that is owed, as a datagram of its own. */
static enum service_next knxip_tick(struct session *s, void *state)
{
	struct knxip *k = state;
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (!k->owed_count)
		return SERVICE_CONTINUE;
	say_begin(&w, TUNNEL);
	write_u8(&w, 4);
	write_u8(&w, k->channel);
	write_u8(&w, k->said++);
	write_u8(&w, 0);
	write_bytes(&w, k->owed[0].cemi, k->owed[0].length);
	say_end(s, &w);
	k->owed[0] = k->owed[1];
	if (--k->owed_count)
		session_delay(s, BUS_DELAY_MS);
	return SERVICE_CONTINUE;
}

static bool knxip_claims(struct bytes first)
{
	return first.len >= HEADER && first.at[0] == 6 && first.at[1] == 0x10 &&
	       (size_t)(first.at[4] << 8 | first.at[5]) == first.len;
}

static const struct exchange knxip_exchanges[] = {
        {"a tunnel of the bus itself is given",
         BYTES("\6\x10\2\5\0\x1a\x08\1\x7f\0\0\1\xea\x60\x08\1\x7f\0\0\1\xea\x60\4\4\2\0"),
         BYTES("\x06\x10\x02\x06\x00\x14\x39\x00\x08\x01\xc0\x00\x02\x17\x0e\x57\x04\x04\x14\x01"), PLANT_ASKED("connect type 4 layer 2")},
        {"a layer that it has not",
         BYTES("\6\x10\2\5\0\x1a\x08\1\x7f\0\0\1\xea\x60\x08\1\x7f\0\0\1\xea\x60\4\4\x80\0"),
         BYTES("\6\x10\2\6\0\x08\0\x29"), PLANT_ASKED("connect type 4 layer 128")},
        {"a frame without a tunnel",
         BYTES("\6\x10\4\x20\0\x15\4\x09\0\0\x11\0\xbc\xe0\0\0\x08\1\1\0\x81"),
         BYTES("\6\x10\4\x21\0\x0a\4\x09\0\x21"), ""},
        {"what it is", BYTES("\6\x10\2\3\0\x0e\x08\1\0\0\0\0\0\0"), BYTES("\x06\x10\x02\x04\x00\x46\x36\x01\x02\x00\x14\x00\x00\x00\x00\x01\x48\xdf\x62\x8f\xe0\x00\x17\x0c\x00\x0e\x8c\x7f\x49\x2f\x49\x50\x20\x52\x6f\x75\x74\x65\x72\x20\x4e\x31\x34\x36\x2f\x30\x32\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0a\x02\x02\x01\x03\x01\x04\x01\x05\x01"),
         PLANT_ASKED("description")},
        {"what is no KNX", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES(""), ""},
        {0},
};

static const struct option knxip_device[] = {
        PLANT_TEXT(struct knxip_device, "name", name, "IP Router N146/02", "friendly name"),
        PLANT_NUMBER(struct knxip_device, "maker", maker, "1", 0, 65535,
                     "first two bytes of the serial number"),
        {0},
};

static const struct service knxip = {
        .name = "knxip",
        .summary = "KNXnet/IP router: found, described, tunnelled through to a bus with values",
        .reference = "ISO 22510; KNX standard 3/8/2 to 3/8/4, 3/6/3",
        .transports = TRANSPORT_UDP,
        .ports = {3671},
        .state_size = sizeof(struct knxip),
        .input_max = 2048,
        .output_max = 2048,
        .arena_max = 4096,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = knxip_device,
        .device_size = sizeof(struct knxip_device),
        .open = knxip_open,
        .input = knxip_input,
        .tick = knxip_tick,
        .claims = knxip_claims,
        .claims_datagram = knxip_claims,
        .exchanges = knxip_exchanges,
};
SERVICE(knxip);
