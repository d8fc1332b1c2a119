/*
 * BACnet/IP: who made the controller and what it is called.
 *
 * ReadProperty (ASHRAE 135 15.5) of the device object under the instance that stands for
 * any, one property after the other, each asked only when the last was answered: eight
 * datagrams at most.  Nothing is written, nobody is subscribed, no broadcast is caused, and
 * no table of a broadcast device is read.
 */
#include "active/reading/identity_inner.h"

#define QUESTION_SIZE 17
#define ANSWER_MAX 1500

enum { BVLC = 0x81, BVLC_FORWARDED = 4, BVLC_UNICAST = 0x0a };
enum { COMPLEX_ACK = 3, ERROR_ANSWER = 5, SEGMENTED = 8, READ_PROPERTY = 0x0c };
enum { TAG_UNSIGNED = 2, TAG_TEXT = 7, CHARSET_UCS2 = 4 };

enum { VENDOR, VENDOR_ID, MODEL, FIRMWARE, SOFTWARE, OBJECT_NAME, DESCRIPTION, LOCATION, PROPERTIES };
static const uint8_t properties[PROPERTIES] = {0x79, 0x78, 0x46, 0x2c, 0x0c, 0x4d, 0x1c, 0x3a};

struct bacnet {
	uint8_t asked; /* properties so far; the last one's invoke id */
	bool answered, has_vendor_id, has_instance;
	uint32_t vendor_id, instance;
	struct identity_text texts[PROPERTIES];
};

FIELD(BACNET_VENDOR, "bacnet.vendor", BYTES, 0, "vendor's name");
FIELD(BACNET_VENDOR_ID, "bacnet.vendor_id", NUMBER, 0, "vendor's number with ASHRAE");
FIELD(BACNET_MODEL, "bacnet.model", BYTES, 0, "name of the model");
FIELD(BACNET_FIRMWARE, "bacnet.firmware", BYTES, 0, "revision of the firmware");
FIELD(BACNET_SOFTWARE, "bacnet.software", BYTES, 0, "version of the application software");
FIELD(BACNET_NAME, "bacnet.name", BYTES, 0, "name of the device object");
FIELD(BACNET_DESCRIPTION, "bacnet.description", BYTES, 0, "description");
FIELD(BACNET_LOCATION, "bacnet.location", BYTES, 0, "location");
FIELD(BACNET_INSTANCE, "bacnet.instance", NUMBER, 0, "instance of the device object");

static void bacnet_ask(struct asking *a, struct bacnet *b)
{
	uint8_t frame[QUESTION_SIZE];
	struct writer w = writer_of(frame, sizeof frame);
	write_span(&w, BYTES("\x81\x0a\0\x11\x01\x04\0\x05"));
	write_u8(&w, (uint8_t)(b->asked + 1)); /* invoke id */
	write_u8(&w, READ_PROPERTY);
	write_span(&w, BYTES("\x0c\x02\x3f\xff\xff\x19")); /* device 4194303: whichever it is */
	write_u8(&w, properties[b->asked++]);
	asking_say_bytes(a, writer_bytes(&w));
}

static enum probe_next bacnet_open(struct asking *a, void *state)
{
	bacnet_ask(a, state);
	return PROBE_CONTINUE;
}

/* Up to what the application says: addresses of networks behind a router are skipped. */
static bool bacnet_head(struct reader *r)
{
	uint8_t type = read_u8(r), function = read_u8(r);
	uint16_t len = read_u16(r);
	if (type != BVLC || len != reader_left(r) + 4)
		return false;
	if (function == BVLC_FORWARDED)
		read_bytes(r, 6);
	else if (function != BVLC_UNICAST && function != BVLC_UNICAST + 1)
		return false;
	uint8_t version = read_u8(r), control = read_u8(r);
	for (uint8_t bit = 0x20; bit >= 0x08; bit = (uint8_t)(bit >> 2)) {
		if (!(control & bit))
			continue;
		read_u16(r); /* network */
		read_bytes(r, read_u8(r));
	}
	if (control & 0x20)
		read_u8(r); /* hops */
	return reader_ok(r) && version == 1 && !(control & 0x80);
}

/* Application tag, and the bytes under it (20.2.1): their length in the tag, or in what follows. */
static struct bytes bacnet_value(struct reader *r, uint8_t *tag)
{
	uint8_t first = read_u8(r);
	size_t len = first & 7;
	if (len == 5)
		len = read_u8(r);
	if (len == 254)
		len = read_u16(r);
	*tag = first >> 4;
	return first & 0x08 ? (struct bytes){0} : read_bytes(r, len);
}

static void bacnet_text(struct identity_text *to, struct bytes value)
{
	uint8_t plain[IDENTITY_TEXT_MAX];
	size_t n = 0;
	if (value.len < 2)
		return;
	uint8_t charset = value.at[0];
	struct bytes text = {value.at + 1, value.len - 1};
	if (charset != CHARSET_UCS2) {
		identity_keep(to, text);
		return;
	}
	for (size_t i = 0; i + 1 < text.len && n < sizeof plain; i += 2)
		plain[n++] = text.at[i] ? '?' : text.at[i + 1];
	identity_keep(to, (struct bytes){plain, n});
}

static void bacnet_property(struct bacnet *b, struct reader *r)
{
	unsigned asked = b->asked - 1u;
	uint8_t tag;
	uint8_t object_tag = read_u8(r);
	uint32_t object = read_u32(r);
	uint8_t property_tag = read_u8(r), property = read_u8(r);
	if (object_tag != 0x0c || property_tag != 0x19 || property != properties[asked] || read_u8(r) != 0x3e)
		return;
	b->instance = object & 0x3fffff;
	b->has_instance = object >> 22 == 8;
	struct bytes value = bacnet_value(r, &tag);
	if (!reader_ok(r))
		return;
	if (tag == TAG_TEXT)
		bacnet_text(&b->texts[asked], value);
	if (tag == TAG_UNSIGNED && asked == VENDOR_ID && value.len && value.len <= 4) {
		struct reader number = reader_of_bytes(value);
		b->vendor_id = (uint32_t)read_be(&number, value.len);
		b->has_vendor_id = true;
	}
}

static enum probe_next bacnet_input(struct asking *a, void *state, struct reader *r)
{
	struct bacnet *b = state;
	if (!bacnet_head(r))
		return PROBE_DONE;
	uint8_t kind = read_u8(r), invoke = read_u8(r), service = read_u8(r);
	if (!reader_ok(r))
		return PROBE_DONE;
	/* The answer to a question that was repeated comes twice. */
	if (invoke != b->asked)
		return PROBE_CONTINUE;
	if (service != READ_PROPERTY || (kind >> 4 != COMPLEX_ACK && kind >> 4 != ERROR_ANSWER))
		return PROBE_DONE;
	b->answered = true;
	if (kind >> 4 == COMPLEX_ACK && !(kind & SEGMENTED))
		bacnet_property(b, r);
	if (b->asked == PROPERTIES)
		return PROBE_DONE;
	bacnet_ask(a, b);
	return PROBE_CONTINUE;
}

static void bacnet_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	const struct bacnet *b = state;
	struct identity i;
	(void)unread;
	if (!b->answered)
		return;
	identity_begin(&i);
	identity_add(&i, answer, BACNET_VENDOR, "vendor", &b->texts[VENDOR]);
	if (b->has_vendor_id)
		identity_add_number(&i, answer, BACNET_VENDOR_ID, "vendor_id", b->vendor_id);
	identity_add(&i, answer, BACNET_MODEL, "model", &b->texts[MODEL]);
	identity_add(&i, answer, BACNET_FIRMWARE, "firmware", &b->texts[FIRMWARE]);
	identity_add(&i, answer, BACNET_SOFTWARE, "software", &b->texts[SOFTWARE]);
	identity_add(&i, answer, BACNET_NAME, "name", &b->texts[OBJECT_NAME]);
	identity_add(&i, answer, BACNET_DESCRIPTION, "description", &b->texts[DESCRIPTION]);
	identity_add(&i, answer, BACNET_LOCATION, "location", &b->texts[LOCATION]);
	if (b->has_instance)
		identity_add_number(&i, answer, BACNET_INSTANCE, NULL, b->instance);
	identity_tell(&i, a, "bacnet.identity");
}

static const char *const bacnet_signals[] = {"bacnet.identity", NULL};

#define READ(id, property) "\x81\x0a\0\x11\x01\x04\0\x05" id "\x0c\x0c\x02\x3f\xff\xff\x19" property
#define ACK(len, id, property) "\x81\x0a\0" len "\x01\0\x30" id "\x0c\x0c\x02\x01\xa2\xfb\x19" property "\x3e"
#define READ_ALL                                                                                  \
	READ("\x01", "\x79") READ("\x02", "\x78") READ("\x03", "\x46") READ("\x04", "\x2c")       \
	READ("\x05", "\x0c") READ("\x06", "\x4d") READ("\x07", "\x1c") READ("\x08", "\x3a")

static const struct specimen bacnet_specimens[] = {
	{
		.title = "a controller of Johnson Controls that has no location",
		.answers = {BYTES(ACK("\x1e", "\x01", "\x79") "\x75\x0a\0Johnson C\x3f"),
			    BYTES(ACK("\x14", "\x02", "\x78") "\x21\x05\x3f"),
			    BYTES(ACK("\x20", "\x03", "\x46") "\x75\x0c\0MS-NAE5510x\x3f"),
			    BYTES(ACK("\x17", "\x04", "\x2c") "\x74\0" "6.5\x3f"),
			    BYTES(ACK("\x1c", "\x05", "\x0c") "\x75\x08\0" "6.5.0.1\x3f"),
			    BYTES(ACK("\x1d", "\x06", "\x4d") "\x75\x09\x04\0N\0A\0E\0001" "\x3f"),
			    BYTES(ACK("\x17", "\x07", "\x1c") "\x74\0abc\x3f"),
			    BYTES("\x81\x0a\0\x0d\x01\0\x50\x08\x0c\x91\x02\x91\x20")},
		.asked = BYTES(READ_ALL),
		.answered = "{\"bacnet.vendor\":\"Johnson C\",\"bacnet.vendor_id\":5,\"bacnet.instance\":107259,"
			    "\"bacnet.name\":\"NAE1\"}\n",
		.signals = "bacnet.identity: vendor=Johnson C\nvendor_id=5\nmodel=MS-NAE5510x\nfirmware=6.5\n"
			   "software=6.5.0.1\nname=NAE1\ndescription=abc\n",
	},
	{
		.title = "an answer from behind a router, and one that comes twice",
		.answers = {BYTES("\x81\x0a\0\x1a\x01\x08\0\x64\x01\x07\x30\x01\x0c\x0c\x02\x01\xa2\xfb\x19\x79\x3e"
				  "\x73\0xy\x3f"),
			    BYTES("\x81\x0a\0\x1a\x01\x08\0\x64\x01\x07\x30\x01\x0c\x0c\x02\x01\xa2\xfb\x19\x79\x3e"
				  "\x73\0xy\x3f")},
		.asked = BYTES(READ("\x01", "\x79") READ("\x02", "\x78")),
		.answered = "{\"bacnet.vendor\":\"xy\"}\n",
		.signals = "bacnet.identity: vendor=xy\n",
	},
	{
		.title = "a text that is longer than its datagram",
		.answers = {BYTES(ACK("\x15", "\x01", "\x79") "\x75\xffx\x3f")},
		.asked = BYTES(READ("\x01", "\x79") READ("\x02", "\x78")),
		.answered = "{}\n",
	},
	{
		.title = "what is no BACnet is not asked again",
		.answers = {BYTES("hello")},
		.asked = BYTES(READ("\x01", "\x79")),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe bacnet = {
	.name = "bacnet",
	.summary = "reads eight properties of the device object, one after another",
	.reference = "ASHRAE 135 15.5, 20.1, Annex J",
	.transport = PROBE_UDP,
	.ports = {47808},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = PROPERTIES * QUESTION_SIZE,
	.answer_max = 2 * PROPERTIES * ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 2000,
	.connections_max = 1,
	.state_size = sizeof(struct bacnet),
	.open = bacnet_open,
	.input = bacnet_input,
	.finish = bacnet_finish,
	.signals = bacnet_signals,
	.specimens = bacnet_specimens,
};
PROBE(bacnet);
