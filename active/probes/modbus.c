/*
 * Modbus/TCP: what the device says it is.
 *
 * One function only, read device identification (43/14, Application Protocol V1.1b3 6.21),
 * to one unit: it reads no register and changes nothing.  First the basic objects (vendor,
 * product, revision); where the device says that more of them follow, they are asked for
 * from the object that it names; where it says that it has the regular ones too, those from
 * the product's name on.  Three questions are the most.  An exception is an answer as well:
 * only what speaks Modbus raises one.
 */
#include "active/reading/identity_inner.h"

#define QUESTIONS_MAX 3
#define QUESTION_SIZE 11
#define FRAME_MAX 254 /* unit, function and data */
#define TRANSACTION 0x5a47

enum { READ_IDENTIFICATION = 0x2b, EXCEPTION = 0x80, IDENTIFICATION = 0x0e };
enum { BASIC = 1, REGULAR = 2 };
enum { VENDOR, PRODUCT, REVISION, URL, PRODUCT_NAME, MODEL_NAME, APPLICATION, OBJECTS };

struct modbus {
	uint8_t questions;
	uint8_t exception; /* 0: none */
	bool answered, regular;
	struct identity_text objects[OBJECTS];
};

FIELD(MODBUS_VENDOR, "modbus.vendor", BYTES, 0, "object 0 of its identification: vendor");
FIELD(MODBUS_PRODUCT, "modbus.product", BYTES, 0, "object 1: product code");
FIELD(MODBUS_REVISION, "modbus.revision", BYTES, 0, "object 2: major and minor revision");
FIELD(MODBUS_NAME, "modbus.name", BYTES, 0, "object 4: product name, or else 5: model name");
FIELD(MODBUS_APPLICATION, "modbus.application", BYTES, 0, "object 6: name of the user's application");
FIELD(MODBUS_EXCEPTION, "modbus.exception", NUMBER, 0, "exception that it answered with");

static void modbus_ask(struct asking *a, struct modbus *m, uint8_t level, uint8_t object)
{
	uint8_t frame[QUESTION_SIZE];
	struct writer w = writer_of(frame, sizeof frame);
	write_u16(&w, TRANSACTION);
	write_u16(&w, 0); /* protocol */
	write_u16(&w, 5); /* bytes that follow */
	write_u8(&w, 0);  /* unit: the device itself, not one behind it */
	write_u8(&w, READ_IDENTIFICATION);
	write_u8(&w, IDENTIFICATION);
	write_u8(&w, level);
	write_u8(&w, object);
	m->questions++;
	asking_say_bytes(a, writer_bytes(&w));
}

static enum probe_next modbus_open(struct asking *a, void *state)
{
	modbus_ask(a, state, BASIC, VENDOR);
	return PROBE_CONTINUE;
}

/* Objects, then whether there is more to ask. */
static enum probe_next modbus_objects(struct asking *a, struct modbus *m, struct reader *r)
{
	uint8_t level = read_u8(r), conformity = read_u8(r);
	bool more = read_u8(r) == 0xff;
	uint8_t next = read_u8(r), count = read_u8(r);
	if (!reader_ok(r) || level < BASIC || level > REGULAR)
		return PROBE_DONE;
	for (unsigned i = 0; i < count; i++) {
		uint8_t object = read_u8(r);
		struct bytes value = read_bytes(r, read_u8(r));
		if (!reader_ok(r))
			return PROBE_DONE;
		if (object < OBJECTS)
			identity_keep(&m->objects[object], value);
	}
	if (m->questions == QUESTIONS_MAX)
		return PROBE_DONE;
	bool has_regular = (conformity & 0x7f) >= REGULAR && !m->regular;
	if (more && next > VENDOR && next < OBJECTS) {
		m->regular |= level == REGULAR;
		modbus_ask(a, m, level, next);
	} else if (has_regular) {
		m->regular = true;
		modbus_ask(a, m, REGULAR, PRODUCT_NAME);
	} else {
		return PROBE_DONE;
	}
	return PROBE_CONTINUE;
}

static enum probe_next modbus_frame(struct asking *a, struct modbus *m, struct reader *r)
{
	read_u8(r); /* unit: some answer with one of their own */
	uint8_t function = read_u8(r);
	m->answered |= (function & 0x7f) == READ_IDENTIFICATION;
	if (function == (READ_IDENTIFICATION | EXCEPTION))
		m->exception = read_u8(r);
	if (function != READ_IDENTIFICATION || read_u8(r) != IDENTIFICATION)
		return PROBE_DONE;
	return modbus_objects(a, m, r);
}

static enum probe_next modbus_input(struct asking *a, void *state, struct reader *r)
{
	enum probe_next next = PROBE_CONTINUE;
	while (next == PROBE_CONTINUE) {
		struct reader frame = *r;
		read_u16(&frame); /* transaction */
		uint16_t protocol = read_u16(&frame), len = read_u16(&frame);
		if (reader_ok(&frame) && (protocol != 0 || len < 3 || len > FRAME_MAX))
			return PROBE_DONE;
		struct reader inside = reader_of_bytes(read_bytes(&frame, len));
		if (!reader_ok(&frame))
			return PROBE_CONTINUE;
		*r = frame;
		next = modbus_frame(a, state, &inside);
	}
	return next;
}

static void modbus_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct modbus *m = state;
	struct identity identity;
	(void)unread;
	identity_begin(&identity);
	identity_add(&identity, answer, MODBUS_VENDOR, "vendor", &m->objects[VENDOR]);
	identity_add(&identity, answer, MODBUS_PRODUCT, "product", &m->objects[PRODUCT]);
	identity_add(&identity, answer, MODBUS_REVISION, "revision", &m->objects[REVISION]);
	bool named = m->objects[PRODUCT_NAME].len > 0;
	identity_add(&identity, answer, MODBUS_NAME, "name",
		     &m->objects[named ? PRODUCT_NAME : MODEL_NAME]);
	identity_add(&identity, answer, MODBUS_APPLICATION, NULL, &m->objects[APPLICATION]);
	if (m->exception)
		identity_add_number(&identity, answer, MODBUS_EXCEPTION,
				    writer_used(&identity.lines) ? NULL : "exception", m->exception);
	if (m->answered)
		identity_tell(&identity, a, "modbus.identity");
}

static const char *const modbus_signals[] = {"modbus.identity", NULL};

#define ASKED_BASIC "\x5a\x47\0\0\0\x05\0\x2b\x0e\x01\0"
#define ASKED_NAMES "\x5a\x47\0\0\0\x05\0\x2b\x0e\x02\x04"

static const struct specimen modbus_specimens[] = {
	{
		.title = "a Modicon M340 with the basic objects",
		.answers = {BYTES("\x5a\x47\0\0\0\x30\0\x2b\x0e\x01\x01\0\0\x03"
				  "\0\x12Schneider Electric\x01\x0c" "BMX P34 2020\x02\x04v2.5")},
		.asked = BYTES(ASKED_BASIC),
		.answered = "{\"modbus.vendor\":\"Schneider Electric\","
			    "\"modbus.product\":\"BMX P34 2020\",\"modbus.revision\":\"v2.5\"}\n",
		.signals = "modbus.identity: vendor=Schneider Electric\nproduct=BMX P34 2020\n"
			   "revision=v2.5\n",
	},
	{
		.title = "objects that follow, then the regular ones",
		.answers = {BYTES("\x5a\x47\0\0\0\x11\0\x2b\x0e\x01\x82\xff\x01\x01\0\x07" "WAGO\0xx"
				  "\x5a\x47\0\0\0\x15\0\x2b\x0e\x01\x82\0\0\x02\x01\x07" "750-881\x02\x02" "1\n"
				  "\x5a\x47\0\0\0\x14\0\x2b\x0e\x02\x82\xff\x06\x01\x04\x0a" "PFC\nvendor")},
		.asked = BYTES(ASKED_BASIC "\x5a\x47\0\0\0\x05\0\x2b\x0e\x01\x01" ASKED_NAMES),
		.answered = "{\"modbus.vendor\":\"WAGO\",\"modbus.product\":\"750-881\","
			    "\"modbus.revision\":\"1\",\"modbus.name\":\"PFC vendor\"}\n",
		.signals = "modbus.identity: vendor=WAGO\nproduct=750-881\nrevision=1\n"
			   "name=PFC vendor\n",
	},
	{
		.title = "an exception is an answer",
		.answers = {BYTES("\x5a\x47\0\0\0\x03\0\xab\x01")},
		.asked = BYTES(ASKED_BASIC),
		.answered = "{\"modbus.exception\":1}\n",
		.signals = "modbus.identity: exception=1\n",
	},
	{
		.title = "a length that is longer than the frame",
		.answers = {BYTES("\x5a\x47\0\0\0\x0b\0\x2b\x0e\x01\x01\0\0\x03\0\x40x")},
		.asked = BYTES(ASKED_BASIC),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-OpenSSH_9.2\r\n")},
		.asked = BYTES(ASKED_BASIC),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe modbus = {
	.name = "modbus",
	.summary = "reads the device identification (43/14) and nothing else",
	.reference = "MODBUS Application Protocol V1.1b3 6.21",
	.transport = PROBE_TCP,
	.ports = {502},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = QUESTIONS_MAX * QUESTION_SIZE,
	.answer_max = QUESTIONS_MAX * (FRAME_MAX + 6),
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.state_size = sizeof(struct modbus),
	.open = modbus_open,
	.input = modbus_input,
	.finish = modbus_finish,
	.signals = modbus_signals,
	.specimens = modbus_specimens,
};
PROBE(modbus);
