/*
 * SNMP version 1: what the agent says it is.
 *
 * One GET of sysDescr.0 and sysObjectID.0 (RFC 1157, RFC 1213 3.4).  Its community "public"
 * is what every manual prints, and yet a word guessed: so this is asked only where
 * prober.snmp_public says so, and never with another word.  Nothing is set or walked.
 */
#include "active/reading/identity_inner.h"

#define ANSWER_MAX 1500
#define DESCRIPTION_MAX 255 /* DisplayString */
#define OBJECT_MAX 128
#define VARIABLES_MAX 4

enum { BER_INTEGER = 2, BER_OCTETS = 4, BER_OBJECT = 6, BER_SEQUENCE = 0x30, GET_RESPONSE = 0xa2 };

struct snmp {
	bool answered;
	uint8_t error, description_len;
	uint8_t description[DESCRIPTION_MAX];
	char object[OBJECT_MAX];
};

FIELD(SNMP_DESCRIPTION, "snmp.description", BYTES, 0, "sysDescr");
FIELD(SNMP_OBJECT, "snmp.object", TEXT, 0, "sysObjectID");
FIELD(SNMP_ERROR, "snmp.error", NUMBER, 0, "error-status of the answer");

#define SYS_DESCR "\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0"
#define SYS_OBJECT "\x06\x08\x2b\x06\x01\x02\x01\x01\x02\0"
#define ASKED                                                                                     \
	"\x30\x37\x02\x01\0\x04\x06public\xa0\x2a\x02\x04\x4b\x6f\x6b\x75\x02\x01\0\x02\x01\0"   \
	"\x30\x1c\x30\x0c" SYS_DESCR "\x05\0\x30\x0c" SYS_OBJECT "\x05\0"

static enum probe_next snmp_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES(ASKED));
	return PROBE_CONTINUE;
}

/* What a tag holds (X.690 8.1): of definite length, of up to two bytes; anything else is bad. */
static struct reader ber_open(struct reader *r, uint8_t *tag)
{
	*tag = read_u8(r);
	size_t len = read_u8(r);
	if (len == 0x81 || len == 0x82)
		len = (size_t)read_be(r, len & 3);
	else if (len > 0x7f)
		r->bad = true;
	return reader_of_bytes(read_bytes(r, len));
}

static struct bytes ber_value(struct reader *r, uint8_t wanted)
{
	uint8_t tag;
	struct reader inside = ber_open(r, &tag);
	if (tag != wanted)
		r->bad = true;
	return read_rest(&inside);
}

static uint32_t ber_number(struct reader *r)
{
	struct bytes b = ber_value(r, BER_INTEGER);
	struct reader inside = reader_of_bytes(b);
	if (b.len > 4)
		r->bad = true;
	return (uint32_t)read_be(&inside, b.len <= 4 ? b.len : 0);
}

/* "1.3.6.1.4.1.9": groups of seven bits, the first number standing for two (X.690 8.19). */
static void object_text(struct bytes b, char text[OBJECT_MAX])
{
	struct writer w = writer_of(text, OBJECT_MAX - 1);
	uint64_t number = 0;
	for (size_t i = 0; i < b.len; i++) {
		number = number << 7 | (b.at[i] & 0x7f);
		if (number > UINT32_MAX)
			break;
		if (b.at[i] & 0x80)
			continue;
		bool first = writer_used(&w) == 0;
		uint64_t top = number < 80 ? number / 40 : 2;
		if (first)
			write_fmt(&w, "%llu.%llu", (unsigned long long)top, (unsigned long long)(number - 40 * top));
		else
			write_fmt(&w, ".%llu", (unsigned long long)number);
		number = 0;
	}
	text[w.bad ? 0 : writer_used(&w)] = '\0';
}

static void snmp_variable(struct snmp *s, struct reader *r)
{
	static const struct bytes description = BYTES("\x2b\x06\x01\x02\x01\x01\x01\0");
	static const struct bytes object = BYTES("\x2b\x06\x01\x02\x01\x01\x02\0");
	struct bytes name = ber_value(r, BER_OBJECT);
	uint8_t tag;
	struct reader inside = ber_open(r, &tag);
	struct bytes value = read_rest(&inside);
	if (!reader_ok(r))
		return;
	if (bytes_equal(name, description) && tag == BER_OCTETS) {
		s->description_len = (uint8_t)(value.len < DESCRIPTION_MAX ? value.len : DESCRIPTION_MAX);
		memcpy(s->description, value.at, s->description_len);
	} else if (bytes_equal(name, object) && tag == BER_OBJECT) {
		object_text(value, s->object);
	}
}

static enum probe_next snmp_input(struct asking *a, void *state, struct reader *r)
{
	struct snmp *s = state;
	uint8_t tag;
	(void)a;
	struct reader message = ber_open(r, &tag);
	if (!reader_ok(r) || tag != BER_SEQUENCE)
		return PROBE_DONE;
	ber_number(&message); /* version */
	ber_value(&message, BER_OCTETS);
	struct reader answer = ber_open(&message, &tag);
	uint32_t request = ber_number(&answer), error = ber_number(&answer);
	ber_number(&answer); /* which variable it is about */
	uint8_t list;
	struct reader variables = ber_open(&answer, &list);
	if (!reader_ok(&message) || !reader_ok(&answer) || tag != GET_RESPONSE || request != 0x4b6f6b75)
		return PROBE_DONE;
	s->answered = true;
	s->error = (uint8_t)error;
	for (unsigned i = 0; i < VARIABLES_MAX && reader_left(&variables) > 0; i++) {
		struct reader variable = ber_open(&variables, &tag);
		snmp_variable(s, &variable);
	}
	return PROBE_DONE;
}

static void snmp_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	const struct snmp *s = state;
	struct bytes description = {s->description, s->description_len};
	(void)unread;
	if (!s->answered)
		return;
	if (s->error)
		event_set_number(answer, SNMP_ERROR, s->error);
	if (description.len)
		event_set_bytes(answer, SNMP_DESCRIPTION, description);
	if (s->object[0])
		event_set_text(answer, SNMP_OBJECT, s->object);
	asking_signal(a, "snmp.sys_description", description);
	asking_signal(a, "snmp.sys_object_id", bytes_of_text(s->object));
}

static const char *const snmp_signals[] = {"snmp.sys_description", "snmp.sys_object_id", NULL};

static const struct specimen snmp_specimens[] = {
	{
		.title = "a switch",
		.answers = {BYTES("\x30\x49\x02\x01\0\x04\x06public\xa2\x3c\x02\x04\x4b\x6f\x6b\x75\x02\x01\0\x02\x01\0"
				  "\x30\x2e\x30\x15" SYS_DESCR "\x04\x09" "Cisco IOS\x30\x15" SYS_OBJECT
				  "\x06\x09\x2b\x06\x01\x04\x01\x09\x01\x86\x5c")},
		.asked = BYTES(ASKED),
		.answered = "{\"snmp.description\":\"Cisco IOS\",\"snmp.object\":\"1.3.6.1.4.1.9.1.860\"}\n",
		.signals = "snmp.sys_description: Cisco IOS\nsnmp.sys_object_id: 1.3.6.1.4.1.9.1.860\n",
	},
	{
		.title = "an agent that knows no such name",
		.answers = {BYTES("\x30\x37\x02\x01\0\x04\x06public\xa2\x2a\x02\x04\x4b\x6f\x6b\x75\x02\x01\x02\x02\x01\x01"
				  "\x30\x1c\x30\x0c" SYS_DESCR "\x05\0\x30\x0c" SYS_OBJECT "\x05\0")},
		.asked = BYTES(ASKED),
		.answered = "{\"snmp.error\":2}\n",
	},
	{
		.title = "the answer to somebody else's question, and a length beyond the datagram",
		.answers = {BYTES("\x30\x35\x02\x01\0\x04\x06public\xa2\x7f\x02\x04\x4b\x6f\x6b\x75")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{
		.title = "an echo is no answer",
		.answers = {BYTES(ASKED)},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe snmp = {
	.name = "snmp",
	.summary = "gets sysDescr and sysObjectID with the community public, where prober.snmp_public allows it",
	.reference = "RFC 1157, RFC 1213",
	.transport = PROBE_UDP,
	.ports = {161},
	.tier = PROBE_OPT_IN,
	.guesses = true,
	.question_max = sizeof ASKED,
	.answer_max = ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 2000,
	.connections_max = 1,
	.state_size = sizeof(struct snmp),
	.open = snmp_open,
	.input = snmp_input,
	.finish = snmp_finish,
	.signals = snmp_signals,
	.specimens = snmp_specimens,
};
PROBE(snmp);
