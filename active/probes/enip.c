/*
 * EtherNet/IP: the identity that a device gives to whoever lists devices.
 *
 * One ListIdentity (EtherNet/IP Adaptation of CIP, 2-4.2), which needs no session: vendor,
 * kind, product, revision and serial number, over TCP or UDP.  No session is registered and no
 * CIP message sent.
 */
#include "active/reading/identity_inner.h"

#define HEADER 24
#define IDENTITY_ITEM 0x0c
#define FRAME_MAX 600
#define ITEMS_MAX 4
#define ASKED "\x63\0\0\0\0\0\0\0\0\0\0\0\xc1\xde\xbe\xd1\0\0\0\0\0\0\0\0"

enum { LIST_IDENTITY = 0x63 };

struct enip {
	bool answered;
	uint16_t vendor, type, code, status;
	uint8_t major, minor;
	uint32_t serial;
	struct identity_text product;
};

FIELD(ENIP_VENDOR_ID, "enip.vendor_id", NUMBER, 0, "vendor's number with ODVA");
FIELD(ENIP_VENDOR, "enip.vendor", BYTES, 0, "that vendor, where we know the number");
FIELD(ENIP_TYPE, "enip.device_type", NUMBER, 0, "kind of device; 14 is a programmable controller");
FIELD(ENIP_CODE, "enip.product_code", NUMBER, 0, "vendor's code of the product");
FIELD(ENIP_REVISION, "enip.revision", BYTES, 0, "major and minor revision");
FIELD(ENIP_PRODUCT, "enip.product", BYTES, 0, "name of the product");
FIELD(ENIP_SERIAL, "enip.serial", BYTES, 0, "serial number, hex");
FIELD(ENIP_STATUS, "enip.status", NUMBER, 0, "status word of the identity object");

/* The vendors that are met most; ODVA's list has over a thousand. */
static const struct {
	uint16_t id;
	const char *name;
} vendors[] = {
	{1, "Rockwell Automation/Allen-Bradley"},
	{3, "Honeywell"},
	{4, "Parker Hannifin"},
	{5, "Rockwell Automation/Reliance Electric"},
	{7, "SMC"},
	{8, "Molex"},
	{12, "Banner Engineering"},
	{26, "Festo"},
	{40, "WAGO"},
	{44, "Yaskawa Electric America"},
	{46, "ABB Industrial Systems"},
	{47, "Omron"},
	{48, "Turck"},
	{57, "Pepperl+Fuchs"},
	{68, "Eaton"},
	{83, "Opto 22"},
	{86, "Horner"},
	{90, "HMS Industrial Networks"},
	{94, "Advantech"},
	{97, "Danfoss"},
	{108, "Beckhoff"},
	{161, "Mitsubishi Electric"},
	{176, "Red Lion Controls"},
	{243, "Schneider Electric"},
	{250, "Yokogawa Electric"},
	{256, "Turck"},
	{283, "Hilscher"},
	{309, "ProSoft Technology"},
	{322, "ifm efector"},
	{326, "GE Fanuc"},
	{345, "Endress+Hauser"},
	{356, "Fanuc Robotics America"},
	{367, "Keyence"},
	{562, "Phoenix Contact"},
	{591, "Fanuc"},
	{678, "Cognex"},
	{808, "SICK"},
	{991, "Moxa"},
};

static const char *vendor_name(uint16_t id)
{
	for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++)
		if (vendors[i].id == id)
			return vendors[i].name;
	return "";
}

static uint32_t read_little(struct reader *r, size_t width)
{
	struct bytes b = read_bytes(r, width);
	uint32_t v = 0;
	for (size_t i = b.len; i > 0; i--)
		v = v << 8 | b.at[i - 1];
	return v;
}

static enum probe_next enip_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES(ASKED));
	return PROBE_CONTINUE;
}

static void enip_identity(struct enip *e, struct reader *r)
{
	struct enip seen = {.answered = true};
	read_bytes(r, 2 + 16); /* version of the encapsulation; its own socket address */
	seen.vendor = (uint16_t)read_little(r, 2);
	seen.type = (uint16_t)read_little(r, 2);
	seen.code = (uint16_t)read_little(r, 2);
	seen.major = read_u8(r);
	seen.minor = read_u8(r);
	seen.status = (uint16_t)read_little(r, 2);
	seen.serial = read_little(r, 4);
	struct bytes product = read_bytes(r, read_u8(r));
	if (!reader_ok(r))
		return;
	identity_keep(&seen.product, product);
	*e = seen;
}

static enum probe_next enip_input(struct asking *a, void *state, struct reader *r)
{
	struct enip *e = state;
	struct reader frame = *r;
	(void)a;
	uint16_t command = (uint16_t)read_little(&frame, 2), len = (uint16_t)read_little(&frame, 2);
	if (reader_ok(&frame) && (command != LIST_IDENTITY || len > FRAME_MAX))
		return PROBE_DONE;
	read_bytes(&frame, HEADER - 4);
	struct reader items = reader_of_bytes(read_bytes(&frame, len));
	if (!reader_ok(&frame))
		return PROBE_CONTINUE;
	*r = frame;
	uint32_t count = read_little(&items, 2);
	for (uint32_t i = 0; i < count && i < ITEMS_MAX && !e->answered && reader_ok(&items); i++) {
		uint32_t kind = read_little(&items, 2), size = read_little(&items, 2);
		struct reader item = reader_of_bytes(read_bytes(&items, size));
		if (kind == IDENTITY_ITEM)
			enip_identity(e, &item);
	}
	return PROBE_DONE;
}

static void enip_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	const struct enip *e = state;
	struct identity i;
	struct identity_text vendor = {0}, revision = {0}, serial = {0};
	char text[16];
	(void)unread;
	if (!e->answered)
		return;
	identity_keep(&vendor, bytes_of_text(vendor_name(e->vendor)));
	snprintf(text, sizeof text, "%u.%u", e->major, e->minor);
	identity_keep(&revision, bytes_of_text(text));
	snprintf(text, sizeof text, "0x%08x", e->serial);
	identity_keep(&serial, bytes_of_text(text));
	identity_begin(&i);
	identity_add_number(&i, answer, ENIP_VENDOR_ID, "vendor_id", e->vendor);
	identity_add(&i, answer, ENIP_VENDOR, "vendor", &vendor);
	identity_add_number(&i, answer, ENIP_TYPE, "device_type", e->type);
	identity_add_number(&i, answer, ENIP_CODE, "product_code", e->code);
	identity_add(&i, answer, ENIP_REVISION, "revision", &revision);
	identity_add(&i, answer, ENIP_PRODUCT, "product", &e->product);
	identity_add(&i, answer, ENIP_SERIAL, "serial", &serial);
	identity_add_number(&i, answer, ENIP_STATUS, NULL, e->status);
	identity_tell(&i, a, "enip.identity");
}

static const char *const enip_signals[] = {"enip.identity", NULL};

#define ANSWER_HEAD(len) "\x63\0" len "\0\0\0\0\0\0\0\0\0\xc1\xde\xbe\xd1\0\0\0\0\0\0\0\0"

static const struct specimen enip_specimens[] = {
	{
		.title = "a ControlLogix",
		.answers = {BYTES(ANSWER_HEAD("\x3c") "\x01\0\x0c\0\x36\0\x01\0\0\x02\xaf\x12\xc0\0\x02\x17\0\0\0\0\0\0\0\0"
				  "\x01\0\x0e\0\x36\0\x14\x0b\x60\x30\x0f\xf3\x6b\0\x14" "1756-L61/B LOGIX5561\x03")},
		.asked = BYTES(ASKED),
		.answered = "{\"enip.vendor_id\":1,\"enip.device_type\":14,\"enip.product_code\":54,"
			    "\"enip.revision\":\"20.11\",\"enip.serial\":\"0x006bf30f\",\"enip.status\":12384,"
			    "\"enip.product\":\"1756-L61/B LOGIX5561\"}\n",
		.signals = "enip.identity: vendor_id=1\nvendor=Rockwell Automation/Allen-Bradley\ndevice_type=14\n"
			   "product_code=54\nrevision=20.11\nproduct=1756-L61/B LOGIX5561\nserial=0x006bf30f\n",
	},
	{
		.title = "a vendor whose number we do not know, after an item of another kind",
		.answers = {BYTES(ANSWER_HEAD("\x31") "\x02\0\x86\0\x02\0xx\x0c\0\x25\0\x01\0\0\x02\xaf\x12\xc0\0\x02\x17"
				  "\0\0\0\0\0\0\0\0\x0f\x27\x0c\0\x01\0\x01\x02\0\0\x01\0\0\0\x03" "abc\0")},
		.asked = BYTES(ASKED),
		.answered = "{\"enip.vendor_id\":9999,\"enip.product\":\"abc\"}\n",
		.signals = "enip.identity: vendor_id=9999\ndevice_type=12\nproduct_code=1\nrevision=1.2\n"
			   "product=abc\nserial=0x00000001\n",
	},
	{
		.title = "a name longer than its item",
		.answers = {BYTES(ANSWER_HEAD("\x28") "\x01\0\x0c\0\x24\0\x01\0\0\x02\xaf\x12\xc0\0\x02\x17"
				  "\0\0\0\0\0\0\0\0\x01\0\x0c\0\x01\0\x01\x02\0\0\x01\0\0\0\xff" "abc\0")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-OpenSSH_9.2\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe enip = {
	.name = "enip",
	.summary = "asks for the identity that any device list shows; no session, no CIP message",
	.reference = "EtherNet/IP Adaptation of CIP, 2-4.2",
	.transport = PROBE_TCP,
	.ports = {44818},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = HEADER,
	.answer_max = HEADER + FRAME_MAX,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.state_size = sizeof(struct enip),
	.open = enip_open,
	.input = enip_input,
	.finish = enip_finish,
	.signals = enip_signals,
	.specimens = enip_specimens,
};
PROBE(enip);

/* The same in datagrams, as lists of devices are made on a network. */
static const struct probe enip_udp = {
	.name = "enip_udp",
	.summary = "the same over UDP",
	.reference = "EtherNet/IP Adaptation of CIP, 2-4.2",
	.transport = PROBE_UDP,
	.ports = {44818},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = HEADER,
	.answer_max = HEADER + FRAME_MAX,
	.time_ms_max = 10000,
	.idle_ms = 2000,
	.connections_max = 1,
	.state_size = sizeof(struct enip),
	.open = enip_open,
	.input = enip_input,
	.finish = enip_finish,
	.signals = enip_signals,
	.specimens = enip_specimens,
};
PROBE(enip_udp);
