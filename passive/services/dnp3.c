/*
 * Outstation on DNP3 over TCP.
 *
 * A link frame has its own checksums, one for its header and one for each sixteen bytes; what
 * fails one is dropped, as the standard demands.  Requests fit one fragment.  Controls are
 * selected and operated or operated directly; their effect shows in the next read.  A frame
 * for another address is answered too, by the address that it names, as long as the persona
 * names none.
 */
#include "base/little.h"
#include "base/options.h"
#include "passive/device/plant/plant.h"

#define LINK_HEADER 10
#define USER_MAX 250
#define BLOCK 16
#define FRAME_MAX 292
#define BROADCAST 0xfffd

enum { TO_OUTSTATION = 0x80, PRIMARY = 0x40 };
enum { RESET_LINK = 0, TEST_LINK = 2, CONFIRMED_DATA = 3, UNCONFIRMED_DATA = 4, LINK_STATUS = 9 };
enum { LINK_ACK = 0, LINK_STATUS_ANSWER = 11, NOT_USED = 15 };
enum {
	APP_CONFIRM = 0,
	APP_READ,
	APP_WRITE,
	APP_SELECT,
	APP_OPERATE,
	APP_DIRECT,
	APP_DIRECT_SILENT,
	APP_COLD_RESTART = 13,
	APP_WARM_RESTART,
	APP_ENABLE = 20,
	APP_DISABLE,
	APP_DELAY = 23,
	APP_RESPONSE = 129
};
enum {
	IIN_RESTART = 0x8000,
	IIN_NO_FUNCTION = 0x0001,
	IIN_UNKNOWN_OBJECT = 0x0002,
	IIN_PARAMETER = 0x0004
};

struct dnp3_device {
	uint64_t address;
	const char *vendor, *model, *software;
};

struct dnp3 {
	struct plant plant;
	uint16_t address, master; /* of the frame at hand */
	uint8_t transport;
	bool restarted; /* until the master clears it */
};

struct request {
	struct session *s;
	struct dnp3 *d;
	struct reader in;
	struct writer out;
	uint64_t now_us;
	uint16_t indications;
};

static const enum plant_point binaries[] = {PLANT_PUMP, PLANT_BREAKER, PLANT_ALARM};
static const struct {
	enum plant_point point;
	double factor;
} analogs[] = {{PLANT_VOLTAGE, 10}, {PLANT_CURRENT, 10},     {PLANT_FREQUENCY, 100},
               {PLANT_POWER, 10},   {PLANT_TEMPERATURE, 10}, {PLANT_LEVEL, 10},
               {PLANT_FLOW, 10},    {PLANT_PRESSURE, 100}};
#define BINARIES (sizeof binaries / sizeof *binaries)
#define ANALOGS (sizeof analogs / sizeof *analogs)

/* IEEE 1815 9.2.4.1.4: the polynomial 0x3d65, reflected, and inverted at the end. */
static uint16_t checksum(struct bytes b)
{
	uint16_t crc = 0;
	for (size_t i = 0; i < b.len; i++) {
		crc ^= b.at[i];
		for (int k = 0; k < 8; k++)
			crc = crc & 1 ? crc >> 1 ^ 0xa6bc : crc >> 1;
	}
	return (uint16_t)~crc;
}

static void say_frame(struct session *s, const struct dnp3 *d, uint8_t control, struct bytes user)
{
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_u16(&w, 0x0564);
	write_u8(&w, (uint8_t)(5 + user.len));
	write_u8(&w, control);
	write_little(&w, d->master, 2);
	write_little(&w, d->address, 2);
	write_little(&w, checksum(writer_bytes(&w)), 2);
	for (size_t i = 0; i < user.len; i += BLOCK) {
		struct bytes block = {user.at + i, user.len - i < BLOCK ? user.len - i : BLOCK};
		write_span(&w, block);
		write_little(&w, checksum(block), 2);
	}
	session_say_bytes(s, writer_bytes(&w));
}

static void say_header(struct request *q, uint8_t group, uint8_t variation, size_t count)
{
	write_u8(&q->out, group);
	write_u8(&q->out, variation);
	write_u8(&q->out, 0); /* from start to stop, a byte each */
	write_u8(&q->out, 0);
	write_u8(&q->out, (uint8_t)(count - 1));
}

static void say_binaries(struct request *q, uint8_t group)
{
	say_header(q, group, 2, BINARIES); /* with flags */
	for (size_t i = 0; i < BINARIES; i++)
		write_u8(&q->out,
		         1 | (plant_is_on(&q->d->plant, binaries[i], q->now_us) ? 0x80 : 0));
}

static void say_counter(struct request *q)
{
	say_header(q, 20, 1, 1);
	write_u8(&q->out, 1);
	write_little(&q->out, q->now_us / 140000000u + plant_number(q->d->plant.seed, 20, 9000000), 4);
}

static void say_analogs(struct request *q)
{
	say_header(q, 30, 1, ANALOGS);
	for (size_t i = 0; i < ANALOGS; i++) {
		double v =
		        plant_read(&q->d->plant, analogs[i].point, q->now_us) * analogs[i].factor;
		write_u8(&q->out, 1);
		write_little(&q->out, (uint32_t)(int32_t)v, 4);
	}
}

static void say_outputs(struct request *q)
{
	static const enum plant_point points[] = {PLANT_SETPOINT, PLANT_VALVE};
	say_header(q, 40, 1, 2);
	for (size_t i = 0; i < 2; i++) {
		write_u8(&q->out, 1);
		write_little(&q->out,
		         (uint32_t)(int32_t)(10 * plant_read(&q->d->plant, points[i], q->now_us)),
		         4);
	}
}

/* Attributes of the device (group 0): its maker, model, software, each as text. */
static void say_attribute(struct request *q, uint8_t variation)
{
	const struct dnp3_device *d = session_device(q->s);
	const char *text = variation == 252   ? d->vendor
	                   : variation == 250 ? d->model
	                   : variation == 242 ? d->software
	                                      : NULL;
	char room[64];
	if (!text) {
		q->indications |= IIN_UNKNOWN_OBJECT;
		return;
	}
	session_expand(q->s, text, room, sizeof room);
	write_bytes(&q->out, (const uint8_t[]){0, variation, 0, 0, 0, 1, (uint8_t)strlen(room)}, 7);
	write_text(&q->out, room);
}

/* Skips the range of an object header; false when its qualifier is none that reads use. */
static bool range_skip(struct reader *r, uint8_t qualifier)
{
	static const uint8_t widths[16] = {[0] = 2, [1] = 4, [2] = 8, [7] = 1, [8] = 2, [9] = 4};
	if ((qualifier & 0x0f) != 6)
		read_bytes(r, widths[qualifier & 0x0f]);
	return reader_ok(r) && (widths[qualifier & 0x0f] || (qualifier & 0x0f) == 6);
}

static void object_read(struct request *q, uint8_t group, uint8_t variation)
{
	switch (group) {
	case 60: /* classes: 1 is what stands still, 2 to 4 are events, of which there are none */
		if (variation == 1) {
			say_binaries(q, 1);
			say_binaries(q, 10);
			say_counter(q);
			say_analogs(q);
			say_outputs(q);
		}
		break;
	case 1:
	case 10:
		say_binaries(q, group);
		break;
	case 20:
		say_counter(q);
		break;
	case 30:
		say_analogs(q);
		break;
	case 40:
		say_outputs(q);
		break;
	case 0:
		say_attribute(q, variation);
		break;
	case 2:
	case 22:
	case 32:
		break; /* events: none */
	default:
		q->indications |= IIN_UNKNOWN_OBJECT;
	}
}

static void objects_read(struct request *q)
{
	while (reader_left(&q->in)) {
		uint8_t group = read_u8(&q->in), variation = read_u8(&q->in),
		        qualifier = read_u8(&q->in);
		if (!reader_ok(&q->in) || !range_skip(&q->in, qualifier)) {
			q->indications |= IIN_PARAMETER;
			return;
		}
		if (group == 60)
			plant_asked(q->s, "read class %u of %u", variation - 1u, q->d->address);
		else
			plant_asked(q->s, "read group %u variation %u of %u", group, variation,
			            q->d->address);
		object_read(q, group, variation);
	}
}

/* One control: a relay (group 12) or an analog output (41); its status byte is what is returned. */
static uint8_t control_run(struct request *q, uint8_t function, uint8_t group, uint32_t index,
                           struct bytes value)
{
	static const char *const verbs[] = {"select", "operate", "direct operate",
	                                    "direct operate"};
	static const enum plant_point outputs[] = {PLANT_SETPOINT, PLANT_VALVE};
	const char *verb = verbs[function - APP_SELECT];
	bool operates = function != APP_SELECT;
	struct reader r = reader_of_bytes(value);
	if (group == 12) {
		uint8_t code = read_u8(&r), action = code & 15, trip = code >> 6;
		bool on = trip ? trip == 1 : action == 1 || action == 3;
		plant_ordered(q->s, "%s relay %u %s code 0x%02x of %u", verb, index,
		              on ? "on" : "off", code, q->d->address);
		if (index >= BINARIES)
			return 4; /* not supported */
		if (operates)
			plant_write(&q->d->plant, binaries[index], on, q->now_us);
		return 0;
	}
	double number = (int32_t)read_little(&r, value.len == 5 ? 4 : 2);
	if (value.len == 3)
		number = (int16_t)number;
	plant_ordered(q->s, "%s analog output %u %g of %u", verb, index, number, q->d->address);
	if (index >= 2)
		return 4;
	if (operates)
		plant_write(&q->d->plant, outputs[index], number / 10, q->now_us);
	return 0;
}

/* Controls carry their index before each (qualifiers 0x17 and 0x28) and come back with a status. */
static void controls_run(struct request *q, uint8_t function)
{
	while (reader_left(&q->in)) {
		uint8_t group = read_u8(&q->in), variation = read_u8(&q->in),
		        qualifier = read_u8(&q->in);
		size_t width = qualifier == 0x17 ? 1 : 2;
		size_t size = group == 12 ? 11 : variation == 1 ? 5 : 3;
		uint32_t count = read_little(&q->in, width);
		bool known = (group == 12 && variation == 1) ||
		             (group == 41 && (variation == 1 || variation == 2));
		if (!reader_ok(&q->in) || !known || (qualifier != 0x17 && qualifier != 0x28)) {
			q->indications |= known ? IIN_PARAMETER : IIN_UNKNOWN_OBJECT;
			return;
		}
		write_u8(&q->out, group);
		write_u8(&q->out, variation);
		write_u8(&q->out, qualifier);
		write_little(&q->out, count, width);
		for (uint32_t i = 0; i < count && reader_ok(&q->in); i++) {
			uint32_t index = read_little(&q->in, width);
			struct bytes value = read_bytes(&q->in, size);
			if (!reader_ok(&q->in))
				break;
			write_little(&q->out, index, width);
			write_bytes(&q->out, value.at, size - 1);
			write_u8(&q->out, control_run(q, function, group, index, value));
		}
	}
}

/* Time and the bit that says "restarted" are what masters write. */
static void objects_write(struct request *q)
{
	uint8_t group = read_u8(&q->in), variation = read_u8(&q->in);
	plant_ordered(q->s, "write group %u variation %u of %u", group, variation, q->d->address);
	if (!reader_ok(&q->in))
		q->indications |= IIN_PARAMETER;
	else if (group == 80)
		q->d->restarted = false;
	else if (group != 50)
		q->indications |= IIN_UNKNOWN_OBJECT;
}

static bool function_run(struct request *q, uint8_t function)
{
	switch (function) {
	case APP_CONFIRM:
		return false;
	case APP_READ:
		objects_read(q);
		return true;
	case APP_WRITE:
		objects_write(q);
		return true;
	case APP_SELECT:
	case APP_OPERATE:
	case APP_DIRECT:
	case APP_DIRECT_SILENT:
		controls_run(q, function);
		return function != APP_DIRECT_SILENT;
	case APP_COLD_RESTART:
	case APP_WARM_RESTART:
	case APP_DELAY:
		plant_ordered(q->s, "%s of %u",
		              function == APP_DELAY ? "delay measurement" : "restart",
		              q->d->address);
		q->d->restarted |= function != APP_DELAY;
		write_bytes(&q->out,
		            (const uint8_t[]){52, 2, 7, 1,
		                              (uint8_t)(function == APP_DELAY ? 1 : 0x88),
		                              (uint8_t)(function == APP_DELAY ? 0 : 0x13)},
		            6);
		return true;
	case APP_ENABLE:
	case APP_DISABLE:
		plant_ordered(q->s, "%s unsolicited of %u",
		              function == APP_ENABLE ? "enable" : "disable", q->d->address);
		return true;
	default:
		plant_ordered(q->s, "function %u of %u", function, q->d->address);
		q->indications |= IIN_NO_FUNCTION;
		return true;
	}
}

static void user_run(struct session *s, struct dnp3 *d, struct bytes user)
{
	uint8_t room[USER_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct request q = {
	        .s = s, .d = d, .in = reader_of_bytes(user), .now_us = session_time_us(s)};
	uint8_t transport = read_u8(&q.in), control = read_u8(&q.in), function = read_u8(&q.in);
	if (!reader_ok(&q.in) || (transport & 0xc0) != 0xc0) /* one fragment in one segment */
		return;
	write_u8(&w, 0xc0 | (d->transport++ & 0x3f));
	write_u8(&w, 0xc0 | (control & 15));
	write_u8(&w, APP_RESPONSE);
	struct writer indications = w;
	write_u16(&w, 0);
	q.out = w;
	if (!function_run(&q, function) || d->address >= BROADCAST)
		return;
	if (q.out.bad) { /* more than a fragment holds */
		q.out = w;
		q.indications |= IIN_PARAMETER;
	}
	write_u16(&indications, q.indications | (d->restarted ? IIN_RESTART : 0));
	say_frame(s, d, PRIMARY | UNCONFIRMED_DATA, writer_bytes(&q.out));
}

static void link_run(struct session *s, struct dnp3 *d, uint8_t control, struct bytes user)
{
	bool confirms = (control & 15) == CONFIRMED_DATA;
	if (!(control & PRIMARY))
		return;
	switch (control & 15) {
	case LINK_STATUS:
		plant_asked(s, "link status of %u", d->address);
		say_frame(s, d, LINK_STATUS_ANSWER, (struct bytes){0});
		break;
	case RESET_LINK:
	case TEST_LINK:
		plant_asked(s, "%s link of %u", control & 15 ? "test" : "reset", d->address);
		say_frame(s, d, LINK_ACK, (struct bytes){0});
		break;
	case CONFIRMED_DATA:
	case UNCONFIRMED_DATA:
		if (confirms)
			say_frame(s, d, LINK_ACK, (struct bytes){0});
		user_run(s, d, user);
		break;
	default:
		say_frame(s, d, NOT_USED, (struct bytes){0});
	}
}

/* The user's bytes out of their blocks; false when a checksum is wrong. */
static bool blocks_read(struct reader *r, size_t length, struct writer *user)
{
	bool right = true;
	while (length) {
		struct bytes block = read_bytes(r, length < BLOCK ? length : BLOCK);
		uint16_t sum = (uint16_t)read_little(r, 2);
		right &= reader_ok(r) && checksum(block) == sum;
		write_span(user, block);
		length -= block.len ? block.len : length;
	}
	return right;
}

static enum service_next dnp3_open(struct session *s, void *state)
{
	struct dnp3 *d = state;
	plant_start(&d->plant, session_device_seed(s));
	d->restarted = plant_number(d->plant.seed, 21, 2);
	return SERVICE_CONTINUE;
}

static enum service_next frames_run(struct session *s, void *state, struct reader *in)
{
	struct dnp3 *d = state;
	const struct dnp3_device *device = session_device(s);
	while (reader_left(in) >= 2) {
		struct reader r = *in;
		if (read_u16(&r) != 0x0564) {
			in->at++; /* where a frame begins is looked for */
			continue;
		}
		uint8_t length = read_u8(&r), control = read_u8(&r);
		uint16_t to = (uint16_t)read_little(&r, 2), from = (uint16_t)read_little(&r, 2);
		uint16_t sum = (uint16_t)read_little(&r, 2);
		if (!reader_ok(&r))
			break;
		if (length < 5 || checksum((struct bytes){in->at, 8}) != sum) {
			in->at += 2;
			continue;
		}
		size_t user = length - 5u, blocks = user + 2 * ((user + BLOCK - 1) / BLOCK);
		if (reader_left(&r) < blocks)
			break;
		uint8_t room[USER_MAX];
		struct writer w = writer_of(room, sizeof room);
		bool right = blocks_read(&r, user, &w);
		*in = r;
		if (!right || !(control & TO_OUTSTATION) ||
		    (device->address && to != device->address && to < BROADCAST))
			continue;
		d->address = to;
		d->master = from;
		link_run(s, d, control, writer_bytes(&w));
	}
	return SERVICE_CONTINUE;
}

static enum service_next dnp3_input(struct session *s, void *state, struct reader *in)
{
	struct dnp3 *d = state;
	plant_refresh(s, &d->plant, "dnp3");
	enum service_next next = frames_run(s, state, in);
	plant_settle(s, &d->plant, "dnp3");
	return next;
}

static bool dnp3_claims(struct bytes first)
{
	return first.len >= LINK_HEADER && first.at[0] == 0x05 && first.at[1] == 0x64 &&
	       first.at[2] >= 5;
}

static const struct exchange dnp3_exchanges[] = {
        {"the link is there", BYTES("\x05\x64\x05\xc9\x0a\x00\x01\x00\xfe\xda"),
         BYTES("\x05\x64\x05\x0b\x01\x00\x0a\x00\x6d\xed"), PLANT_ASKED("link status of 10")},
        {"a relay is closed at once", BYTES("\x05\x64\x18\xc4\x0a\x00\x01\x00\x3d\x3a\xc0\xc1\x05\x0c\x01\x17\x01\x01\x81\x01\x00\x00\x00\x00\x00\x00\x90\xe9\x00\x00\x00\xff\xff"), BYTES("\x05\x64\x1a\x44\x01\x00\x0a\x00\xaf\x5d\xc0\xc1\x81\x80\x00\x0c\x01\x17\x01\x01\x81\x01\x00\x00\x00\x00\xf4\x83\x00\x00\x00\x00\x00\xff\xff"),
         PLANT_ORDERED("direct operate relay 1 off code 0x81 of 10")},
        {"an unknown function", BYTES("\x05\x64\x08\xc4\x0a\x00\x01\x00\xfc\x42\xc0\xc2\x63\xc5\xad"), BYTES("\x05\x64\x0a\x44\x01\x00\x0a\x00\x6e\x25\xc0\xc2\x81\x80\x01\x44\x0d"),
         PLANT_ORDERED("function 99 of 10")},
        {"a wrong checksum is no frame", BYTES("\x05\x64\x05\xc9\x0a\0\1\0\0\0"), BYTES(""), ""},
        {"what is no DNP3 is passed over", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES(""), ""},
        {0},
};

#define TEXT(...) PLANT_TEXT(struct dnp3_device, __VA_ARGS__)

static const struct option dnp3_device[] = {
        PLANT_NUMBER(struct dnp3_device, "address", address, "0", 0, 65519,
                     "of the outstation; 0: whichever it is asked by"),
        TEXT("vendor", vendor, "Schweitzer Engineering Laboratories", "attribute 252"),
        TEXT("model", model, "SEL-3505", "attribute 250"),
        TEXT("software", software, "SEL-3505-R132-V0", "attribute 242"),
        {0},
};

static const struct service dnp3 = {
        .name = "dnp3",
        .summary = "outstation on DNP3: link, classes, controls that take effect",
        .reference = "IEEE 1815-2012, level 2",
        .transports = TRANSPORT_TCP,
        .ports = {20000},
        .state_size = sizeof(struct dnp3),
        .input_max = 2048,
        .output_max = 32 * 1024,
        .arena_max = 4096,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = dnp3_device,
        .device_size = sizeof(struct dnp3_device),
        .open = dnp3_open,
        .input = dnp3_input,
        .claims = dnp3_claims,
        .exchanges = dnp3_exchanges,
};
SERVICE(dnp3);
