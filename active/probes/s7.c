/*
 * Siemens S7 on ISO-on-TCP (RFC 1006): module, firmware and name of the controller.
 *
 * A connection to the programmer's TSAP of the CPU in slot 2, the agreement on the length of
 * PDUs, then two reads of the system status list: 0011 (module identification) and 001C
 * (component identification).  No variable, no block, no job but the agreement.  Controllers
 * that keep the CPU elsewhere do not confirm the connection: they are asked once more, under
 * TSAP 0200.  S7-1200 and S7-1500 refuse the lists; that they answered at all is told.
 */
#include "active/reading/identity_inner.h"

#define TPKT_HEADER 4
#define TPKT_MAX 2048
#define MODULE_RECORD 28
#define COMPONENT_RECORD 34
#define ORDER_NUMBER 20

enum { COTP_CONFIRM = 0xd0, COTP_REFUSE = 0x80, COTP_DATA = 0xf0 };
enum { S7_PROTOCOL = 0x32, S7_ANSWER = 3, S7_USER_DATA = 7 };
enum { LIST_MODULES = 0x0011, LIST_COMPONENTS = 0x001c };
enum { MODULE_ORDER = 1, MODULE_HARDWARE = 6, MODULE_FIRMWARE = 7 };
enum { COMPONENT_SYSTEM = 1, COMPONENT_NAME = 2, COMPONENT_PLANT = 3, COMPONENT_SERIAL = 5,
       COMPONENT_TYPE = 7 };

enum s7_stage { CONNECTING, AGREEING, READING_MODULES, READING_COMPONENTS, S7_OVER };

struct s7 {
	enum s7_stage stage;
	bool confirmed; /* a connection stood */
	bool agreed;    /* S7 answered, not only ISO-on-TCP */
	bool foreign;   /* what came is no ISO-on-TCP */
	uint16_t refused; /* error of a list, 0: none */
	struct identity_text module, hardware, firmware, system, name, plant, serial, type;
};

FIELD(S7_MODULE, "s7.module", BYTES, 0, "order number of the CPU");
FIELD(S7_HARDWARE, "s7.basic_hardware", BYTES, 0, "order number of the basic hardware");
FIELD(S7_FIRMWARE, "s7.firmware", BYTES, 0, "version of the firmware");
FIELD(S7_NAME, "s7.name", BYTES, 0, "name of the station");
FIELD(S7_MODULE_NAME, "s7.module_name", BYTES, 0, "name of the module");
FIELD(S7_PLANT, "s7.plant", BYTES, 0, "identification of the plant");
FIELD(S7_SERIAL, "s7.serial", BYTES, 0, "serial number of the module");
FIELD(S7_TYPE, "s7.module_type", BYTES, 0, "name of the module's type");
FIELD(S7_REFUSED, "s7.refused", NUMBER, 0, "error with which it refused a list");

static enum probe_next s7_open(struct asking *a, void *state)
{
	struct s7 *s = state;
	bool first = asking_round(a) == 0;
	s->stage = CONNECTING;
	/* Class 0, PDUs of 1024 bytes; source TSAP 0100, destination as said above. */
	asking_say_bytes(a, first ? BYTES("\x03\0\0\x16\x11\xe0\0\0\0\x14\0\xc1\x02\x01\0\xc2\x02\x01\x02\xc0\x01\x0a")
				  : BYTES("\x03\0\0\x16\x11\xe0\0\0\0\x05\0\xc1\x02\x01\0\xc2\x02\x02\0\xc0\x01\x0a"));
	return PROBE_CONTINUE;
}

static void s7_read_list(struct asking *a, uint16_t list)
{
	uint8_t frame[33];
	struct writer w = writer_of(frame, sizeof frame);
	write_span(&w, BYTES("\x03\0\0\x21\x02\xf0\x80\x32\x07\0\0"));
	write_span(&w, BYTES("\0\0\0\x08\0\x08")); /* reference; bytes of parameters and of data */
	write_span(&w, BYTES("\0\x01\x12\x04\x11\x44\x01\0")); /* CPU functions: read a list */
	write_span(&w, BYTES("\xff\x09\0\x04"));
	write_u16(&w, list);
	write_u16(&w, 1); /* index */
	asking_say_bytes(a, writer_bytes(&w));
}

/* A version of 7 7 9: the letter V, then three numbers, in the last four bytes of the record. */
static void s7_firmware(struct s7 *s, struct reader *versions)
{
	char text[16];
	uint8_t letter = read_u8(versions), major = read_u8(versions), minor = read_u8(versions);
	uint8_t patch = read_u8(versions);
	if (!reader_ok(versions) || letter != 'V')
		return;
	snprintf(text, sizeof text, "%u.%u.%u", major, minor, patch);
	identity_keep(&s->firmware, bytes_of_text(text));
}

static void s7_module(struct s7 *s, struct reader *record)
{
	uint16_t index = read_u16(record);
	struct bytes order = read_bytes(record, ORDER_NUMBER);
	read_u16(record); /* type of the module */
	if (!reader_ok(record))
		return;
	if (index == MODULE_ORDER)
		identity_keep(&s->module, order);
	else if (index == MODULE_HARDWARE)
		identity_keep(&s->hardware, order);
	else if (index == MODULE_FIRMWARE)
		s7_firmware(s, record);
}

static void s7_component(struct s7 *s, struct reader *record)
{
	uint16_t index = read_u16(record);
	struct bytes text = read_rest(record);
	struct identity_text *to = index == COMPONENT_SYSTEM   ? &s->system
				   : index == COMPONENT_NAME   ? &s->name
				   : index == COMPONENT_PLANT  ? &s->plant
				   : index == COMPONENT_SERIAL ? &s->serial
				   : index == COMPONENT_TYPE   ? &s->type
							       : NULL;
	if (to)
		identity_keep(to, text);
}

/* Records of a list, each whole; a long list's further parts are not asked for. */
static void s7_list(struct s7 *s, struct reader *r)
{
	uint8_t code = read_u8(r);
	read_u8(r); /* octets */
	struct reader inside = reader_of_bytes(read_bytes(r, read_u16(r)));
	uint16_t list = read_u16(&inside);
	read_u16(&inside); /* index */
	uint16_t size = read_u16(&inside);
	read_u16(&inside); /* how many: those that came count */
	uint16_t expected = s->stage == READING_MODULES ? LIST_MODULES : LIST_COMPONENTS;
	if (!reader_ok(&inside) || code != 0xff || list != expected)
		return;
	if (size != (list == LIST_MODULES ? MODULE_RECORD : COMPONENT_RECORD))
		return;
	while (reader_left(&inside) >= size) {
		struct reader record = reader_of_bytes(read_bytes(&inside, size));
		if (list == LIST_MODULES)
			s7_module(s, &record);
		else
			s7_component(s, &record);
	}
}

static enum probe_next s7_next(struct asking *a, struct s7 *s)
{
	s->stage++;
	if (s->stage == AGREEING) /* one job either way, PDUs of 480 bytes */
		asking_say_bytes(a, BYTES("\x03\0\0\x19\x02\xf0\x80\x32\x01\0\0\0\0\0\x08\0\0\xf0\0\0\x01\0\x01\x01\xe0"));
	else if (s->stage == READING_MODULES)
		s7_read_list(a, LIST_MODULES);
	else if (s->stage == READING_COMPONENTS)
		s7_read_list(a, LIST_COMPONENTS);
	return s->stage == S7_OVER ? PROBE_DONE : PROBE_CONTINUE;
}

/* What COTP carries, from the byte 32 on. */
static enum probe_next s7_pdu(struct asking *a, struct s7 *s, struct reader *r)
{
	uint8_t protocol = read_u8(r), kind = read_u8(r);
	read_u32(r); /* reserved, reference */
	uint16_t parameters = read_u16(r), values = read_u16(r);
	if (!reader_ok(r) || protocol != S7_PROTOCOL)
		return PROBE_DONE;
	if (s->stage == AGREEING) {
		s->agreed = kind == S7_ANSWER;
		return s->agreed ? s7_next(a, s) : PROBE_DONE;
	}
	struct reader head = reader_of_bytes(read_bytes(r, parameters));
	struct reader list = reader_of_bytes(read_bytes(r, values));
	read_bytes(&head, 10); /* what was asked, and whether this is its last part */
	uint16_t error = read_u16(&head);
	if (kind != S7_USER_DATA || !reader_ok(r))
		return PROBE_DONE;
	if (reader_ok(&head) && error)
		s->refused = error;
	else
		s7_list(s, &list);
	return s7_next(a, s);
}

static enum probe_next s7_frame(struct asking *a, struct s7 *s, struct reader *r)
{
	uint8_t len = read_u8(r), code = read_u8(r);
	if (s->stage == CONNECTING) {
		s->confirmed = (code & 0xf0) == COTP_CONFIRM;
		return s->confirmed ? s7_next(a, s) : PROBE_DONE;
	}
	if (len < 2 || code != COTP_DATA)
		return PROBE_DONE;
	read_bytes(r, len - 1u);
	return s7_pdu(a, s, r);
}

static enum probe_next s7_input(struct asking *a, void *state, struct reader *r)
{
	struct s7 *s = state;
	while (reader_left(r) > 0) {
		struct reader frame = *r;
		s->foreign |= read_u16(&frame) != 0x0300 && reader_ok(&frame); /* version, reserved */
		uint16_t len = read_u16(&frame);
		if (s->foreign || (reader_ok(&frame) && (len < TPKT_HEADER + 2 || len > TPKT_MAX)))
			return PROBE_DONE;
		struct reader inside = reader_of_bytes(read_bytes(&frame, len - (size_t)TPKT_HEADER));
		if (!reader_ok(&frame))
			return PROBE_CONTINUE;
		*r = frame;
		if (s7_frame(a, s, &inside) == PROBE_DONE)
			return PROBE_DONE;
	}
	return PROBE_CONTINUE;
}

static void s7_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct s7 *s = state;
	struct identity i;
	(void)unread;
	if (asking_round(a) == 0 && !s->confirmed && !s->foreign) {
		asking_again(a);
		return;
	}
	identity_begin(&i);
	identity_add(&i, answer, S7_MODULE, "module", &s->module);
	identity_add(&i, answer, S7_HARDWARE, "basic_hardware", &s->hardware);
	identity_add(&i, answer, S7_FIRMWARE, "firmware", &s->firmware);
	identity_add(&i, answer, S7_NAME, "name", &s->system);
	identity_add(&i, answer, S7_TYPE, "module_type", s->type.len ? &s->type : &s->name);
	identity_add(&i, answer, S7_SERIAL, "serial", &s->serial);
	identity_add(&i, answer, S7_MODULE_NAME, NULL, &s->name);
	identity_add(&i, answer, S7_PLANT, NULL, &s->plant);
	if (s->refused)
		identity_add_number(&i, answer, S7_REFUSED, writer_used(&i.lines) ? NULL : "refused", s->refused);
	if (s->agreed)
		identity_tell(&i, a, "s7.identity");
}

static const char *const s7_signals[] = {"s7.identity", NULL};

#define ASKED_CONNECT "\x03\0\0\x16\x11\xe0\0\0\0\x14\0\xc1\x02\x01\0\xc2\x02\x01\x02\xc0\x01\x0a"
#define ASKED_CONNECT_AGAIN "\x03\0\0\x16\x11\xe0\0\0\0\x05\0\xc1\x02\x01\0\xc2\x02\x02\0\xc0\x01\x0a"
#define ASKED_AGREE "\x03\0\0\x19\x02\xf0\x80\x32\x01\0\0\0\0\0\x08\0\0\xf0\0\0\x01\0\x01\x01\xe0"
#define ASKED_LIST(id)                                                                            \
	"\x03\0\0\x21\x02\xf0\x80\x32\x07\0\0\0\0\0\x08\0\x08\0\x01\x12\x04\x11\x44\x01\0\xff\x09" \
	"\0\x04\0" id "\0\x01"
#define CONFIRMED "\x03\0\0\x16\x11\xd0\0\x14\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02"
#define AGREED "\x03\0\0\x1b\x02\xf0\x80\x32\x03\0\0\0\0\0\x08\0\0\0\0\xf0\0\0\x01\0\x01\0\xf0"
#define LIST_HEAD "\x02\xf0\x80\x32\x07\0\0\0\0\0\x0c\0"
#define LIST_FOUND "\0\x01\x12\x08\x12\x84\x01\x01\0\0\0\0\xff\x09\0"
#define LIST_REFUSED "\0\x01\x12\x08\x12\x84\x01\x01\0\0\xd4\x01\x0a\0\0\0"
#define TEXT_32(t) t "\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct specimen s7_specimens[] = {
	{
		.title = "a CPU 315-2 PN/DP",
		.answers = {BYTES(CONFIRMED AGREED
				  "\x03\0\0\x7d" LIST_HEAD "\x60" LIST_FOUND "\x5c\0\x11\0\x01\0\x1c\0\x03"
				  "\0\x01" "6ES7 315-2EH14-0AB0 \0\xc0\0\x05\0\x01"
				  "\0\x06" "6ES7 315-2EH14-0AB0 \0\xc0\0\x05\0\x01"
				  "\0\x07" "                    \0\0V\x03\x02\x06"
				  "\x03\0\0\x8f" LIST_HEAD "\x72" LIST_FOUND "\x6e\0\x1c\0\x01\0\x22\0\x0a"
				  "\0\x01" TEXT_32("SIMATIC 300(1)\0\0\0\0\0\0")
				  "\0\x05" TEXT_32("S C-X4U421302009\0\0\0\0")
				  "\0\x07" TEXT_32("CPU 315-2 PN/DP\0\0\0\0\0"))},
		.asked = BYTES(ASKED_CONNECT ASKED_AGREE ASKED_LIST("\x11") ASKED_LIST("\x1c")),
		.answered = "{\"s7.module\":\"6ES7 315-2EH14-0AB0\",\"s7.firmware\":\"3.2.6\","
			    "\"s7.basic_hardware\":\"6ES7 315-2EH14-0AB0\",\"s7.name\":\"SIMATIC 300(1)\","
			    "\"s7.module_type\":\"CPU 315-2 PN/DP\",\"s7.serial\":\"S C-X4U421302009\"}\n",
		.signals = "s7.identity: module=6ES7 315-2EH14-0AB0\nbasic_hardware=6ES7 315-2EH14-0AB0\n"
			   "firmware=3.2.6\nname=SIMATIC 300(1)\nmodule_type=CPU 315-2 PN/DP\n"
			   "serial=S C-X4U421302009\n",
	},
	{
		.title = "a connection refused, then one under TSAP 0200; lists that are refused",
		.answers = {BYTES("\x03\0\0\x0b\x06\x80\0\x14\0\x01\x03"),
			    BYTES(CONFIRMED AGREED "\x03\0\0\x21" LIST_HEAD "\x04" LIST_REFUSED
						   "\x03\0\0\x21" LIST_HEAD "\x04" LIST_REFUSED)},
		.asked = BYTES(ASKED_CONNECT ASKED_CONNECT_AGAIN ASKED_AGREE ASKED_LIST("\x11") ASKED_LIST("\x1c")),
		.answered = "{}\n{\"s7.refused\":54273}\n",
		.signals = "s7.identity: refused=54273\n",
	},
	{
		.title = "a list whose records are of another length, and a part of one",
		.answers = {BYTES(CONFIRMED AGREED
				  "\x03\0\0\x2b" LIST_HEAD "\x0e" LIST_FOUND "\x0a\0\x11\0\x01\0\x02\0\xff\0\x01"
				  "\x03\0\0\x2b" LIST_HEAD "\x0e" LIST_FOUND "\xff\0\x1c\0\x01\0\x22\0\xff\0\x01")},
		.asked = BYTES(ASKED_CONNECT ASKED_AGREE ASKED_LIST("\x11") ASKED_LIST("\x1c")),
		.answered = "{}\n",
	},
	{
		.title = "Windows' terminal server speaks ISO-on-TCP, too, but no S7",
		.answers = {BYTES("\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0"), BYTES("")},
		.asked = BYTES(ASKED_CONNECT ASKED_AGREE),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("SSH-2.0-OpenSSH_9.2\r\n"), BYTES("")},
		.asked = BYTES(ASKED_CONNECT),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe s7 = {
	.name = "s7",
	.summary = "reads the lists of modules and components (SZL 0011, 001C) and nothing else",
	.reference = "RFC 1006, ISO 8073; System Software for S7-300/400, SZL 0011 and 001C",
	.transport = PROBE_TCP,
	.ports = {102},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = 22 + 25 + 2 * 33,
	.answer_max = 3 * TPKT_MAX,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 2,
	.state_size = sizeof(struct s7),
	.open = s7_open,
	.input = s7_input,
	.finish = s7_finish,
	.signals = s7_signals,
	.specimens = s7_specimens,
};
PROBE(s7);
