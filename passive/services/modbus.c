/*
 * Modbus/TCP of a programmable controller, with a process behind its registers.
 *
 * A frame is answered whatever its unit; a header that is no Modbus (somebody's "GET / ")
 * is answered as controllers do, with the header echoed and "illegal function", and what
 * follows it is lost.  Serial-line functions (exception status, diagnostics, events) are
 * answered as a gateway to a serial line does.
 */
#include "base/options.h"
#include "passive/services/modbus/modbus.h"

/* Diagnostics of a serial line (Application Protocol V1.1b3, 6.8). */
static int diagnostics(struct modbus_request *q)
{
	uint16_t what = read_u16(&q->in);
	struct bytes sent = read_rest(&q->in);
	struct modbus *m = q->m;
	if (!reader_ok(&q->in))
		return BAD_VALUE;
	if (what == 1 || what == 4 || what == 10 || what == 20)
		plant_ordered(q->s, "diagnostics %u unit %u", what, q->unit);
	else
		plant_asked(q->s, "diagnostics %u unit %u", what, q->unit);
	if (what == 0 || what == 1) { /* return query data; restart, with its option */
		m->listens_only = false;
		write_u16(&q->out, what);
		write_span(&q->out, sent);
		return 0;
	}
	if (sent.len != 2 || what > 20 || (what > 4 && what < 10) || what == 19)
		return what > 20 ? BAD_FUNCTION : BAD_VALUE;
	if (what == 4)
		m->listens_only = true;
	if (what == 10)
		m->messages = m->exceptions = m->events = 0;
	uint16_t value = what == 11 || what == 14 ? m->messages : what == 13 ? m->exceptions : 0;
	write_u16(&q->out, what);
	write_u16(&q->out, what == 3 || what == 10 || what == 20
	                           ? (uint16_t)(sent.at[0] << 8 | sent.at[1])
	                           : value);
	return 0;
}

static int events_say(struct modbus_request *q)
{
	plant_asked(q->s, "comm event %s unit %u", q->function == EVENT_LOG ? "log" : "counter",
	            q->unit);
	if (q->function == EVENT_LOG)
		write_u8(&q->out, 6);
	write_u16(&q->out, 0);
	write_u16(&q->out, q->m->events);
	if (q->function == EVENT_LOG)
		write_u16(&q->out, q->m->messages);
	return 0;
}

static int report_server(struct modbus_request *q)
{
	plant_asked(q->s, "report server id unit %u", q->unit);
	if (!q->device->server_id)
		return BAD_FUNCTION;
	char text[128];
	session_expand(q->s, q->device->server_id, text, sizeof text);
	write_u8(&q->out, (uint8_t)(strlen(text) + 2));
	write_u8(&q->out, 1);
	write_u8(&q->out, 0xff); /* it runs */
	write_text(&q->out, text);
	return 0;
}

/* Device identification (6.21): what the category and the first object ask for. */
static int identify(struct modbus_request *q)
{
	const struct modbus_device *d = q->device;
	const char *const objects[] = {d->vendor, d->product, d->revision,   d->url,
	                               d->name,   d->model,   d->application};
	uint8_t kind = read_u8(&q->in), category = read_u8(&q->in), first = read_u8(&q->in);
	plant_asked(q->s, "read device identification %u object %u unit %u", category, first,
	            q->unit);
	if (!reader_ok(&q->in) || kind != 14)
		return BAD_FUNCTION;
	if (category == 0 || category > 4)
		return BAD_VALUE;
	uint8_t end = category == 1 ? 3 : 7, last = end;
	if (category == 4) {
		if (first >= end || !objects[first])
			return BAD_ADDRESS;
		last = (uint8_t)(first + 1);
	} else if (first >= end || !objects[first]) {
		first = 0;
	}
	write_u8(&q->out, 14);
	write_u8(&q->out, category);
	write_u8(&q->out, 0x82); /* regular identification, by stream and one by one */
	write_u8(&q->out, 0);    /* nothing follows */
	write_u8(&q->out, 0);
	struct writer count = q->out;
	uint8_t objects_said = 0;
	write_u8(&q->out, 0);
	for (uint8_t i = first; i < last; i++) {
		if (!objects[i])
			continue;
		char text[64];
		session_expand(q->s, objects[i], text, sizeof text);
		write_u8(&q->out, i);
		write_u8(&q->out, (uint8_t)strlen(text));
		write_text(&q->out, text);
		objects_said++;
	}
	write_u8(&count, objects_said);
	return 0;
}

static int exception_status(struct modbus_request *q)
{
	plant_asked(q->s, "read exception status unit %u", q->unit);
	write_u8(&q->out, 0);
	return 0;
}

static int (*const functions[])(struct modbus_request *) = {
        [READ_COILS] = modbus_read_bits,
        [READ_INPUTS] = modbus_read_bits,
        [READ_HOLDING] = modbus_read_words,
        [READ_INPUT_WORDS] = modbus_read_words,
        [WRITE_COIL] = modbus_write_coil,
        [WRITE_WORD] = modbus_write_word,
        [EXCEPTION_STATUS] = exception_status,
        [DIAGNOSTICS] = diagnostics,
        [EVENT_COUNTER] = events_say,
        [EVENT_LOG] = events_say,
        [WRITE_COILS] = modbus_write_many,
        [WRITE_WORDS] = modbus_write_many,
        [REPORT_SERVER] = report_server,
        [READ_FILE] = modbus_read_file,
        [WRITE_FILE] = modbus_write_file,
        [MASK_WORD] = modbus_mask_word,
        [READ_WRITE_WORDS] = modbus_read_write_words,
        [READ_FIFO] = modbus_read_fifo,
        [ENCAPSULATED] = identify,
};

/* Does what a frame asks; q->out has the answer behind its MBAP header. */
static void answer(struct modbus_request *q)
{
	int bad = BAD_FUNCTION;
	struct writer start = q->out;
	if (q->function < sizeof functions / sizeof *functions && functions[q->function]) {
		write_u8(&q->out, q->function);
		bad = functions[q->function](q);
		if (q->out.bad)
			bad = BAD_VALUE;
	} else {
		plant_ordered(q->s, "function %u unit %u", q->function, q->unit);
	}
	q->m->messages++;
	q->m->events += !bad;
	q->m->exceptions += bad != 0;
	if (bad) {
		q->out = start;
		write_u8(&q->out, q->function | 0x80);
		write_u8(&q->out, (uint8_t)bad);
	}
}

static void say_frame(struct session *s, uint32_t head, uint8_t unit, struct bytes pdu)
{
	uint8_t room[7];
	struct writer w = writer_of(room, sizeof room);
	write_u32(&w, head);
	write_u16(&w, (uint16_t)(pdu.len + 1));
	write_u8(&w, unit);
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, pdu);
}

static enum service_next modbus_open(struct session *s, void *state)
{
	plant_start(&((struct modbus *)state)->plant, session_device_seed(s));
	return SERVICE_CONTINUE;
}

static enum service_next frames_run(struct session *s, void *state, struct reader *in)
{
	struct modbus *m = state;
	while (!m->lost && reader_left(in) >= 8) {
		struct reader r = *in;
		uint32_t head = read_u32(&r);
		uint16_t length = read_u16(&r);
		if ((head & 0xffff) != 0 || length < 2 || length > FRAME_MAX) {
			const uint8_t refused[] = {in->at[7] | 0x80, BAD_FUNCTION};
			say_frame(s, head, in->at[6], (struct bytes){refused, 2});
			m->lost = true;
			break;
		}
		struct reader frame = reader_of_bytes(read_bytes(&r, length));
		if (!reader_ok(&r))
			break;
		uint8_t room[FRAME_MAX];
		struct modbus_request q = {.s = s,
		                    .m = m,
		                    .device = session_device(s),
		                    .in = frame,
		                    .out = writer_of(room, FRAME_MAX - 1),
		                    .now_us = session_time_us(s)};
		q.unit = read_u8(&q.in);
		q.function = read_u8(&q.in);
		bool silent = m->listens_only;
		answer(&q);
		if (!silent && !m->listens_only)
			say_frame(s, head, q.unit, writer_bytes(&q.out));
		*in = r;
	}
	if (m->lost)
		read_rest(in);
	return SERVICE_CONTINUE;
}

static enum service_next modbus_input(struct session *s, void *state, struct reader *in)
{
	struct modbus *m = state;
	plant_refresh(s, &m->plant, "modbus");
	enum service_next next = frames_run(s, state, in);
	plant_settle(s, &m->plant, "modbus");
	return next;
}

/* The protocol 0 and a length that fits what came. */
static bool modbus_claims(struct bytes first)
{
	struct reader r = reader_of_bytes(first);
	uint32_t head = read_u32(&r);
	uint16_t length = read_u16(&r);
	return (head & 0xffff) == 0 && length >= 2 && length <= FRAME_MAX &&
	       reader_left(&r) >= length;
}

static const struct exchange modbus_exchanges[] = {
        {"a coil is written and reads as written",
         BYTES("\0\1\0\0\0\6\1\5\0\5\xff\0"
               "\0\2\0\0\0\6\1\1\0\0\0\x0a"),
         BYTES("\0\1\0\0\0\6\1\5\0\5\xff\0"
               "\0\2\0\0\0\5\1\1\2\x23\0"),
         PLANT_ORDERED("write single coil 5 on unit 1")
                 PLANT_ASKED("read coils 0 count 10 unit 1")},
        {"registers keep what is written; the mask works on it",
         BYTES("\0\3\0\0\0\x0b\1\x10\0\x64\0\2\4\x12\x34\xab\xcd"
               "\0\4\0\0\0\x08\1\x16\0\x64\0\xf0\0\x05"
               "\0\5\0\0\0\6\1\3\0\x64\0\2"),
         BYTES("\0\3\0\0\0\6\1\x10\0\x64\0\2"
               "\0\4\0\0\0\x08\1\x16\0\x64\0\xf0\0\x05"
               "\0\5\0\0\0\7\1\3\4\0\x35\xab\xcd"),
         PLANT_ORDERED("write multiple registers 100 count 2 unit 1: 4660 43981")
                 PLANT_ORDERED("mask write register 100 and 0x00f0 or 0x0005 unit 1")
                         PLANT_ASKED("read holding registers 100 count 2 unit 1")},
        {"who it is", BYTES("\0\6\0\0\0\5\0\x2b\x0e\1\0"),
         BYTES("\0\6\0\0\0\x30\0\x2b\x0e\1\x82\0\0\3\0\x12Schneider Electric\1\x0c"
               "BMX P34 2020\2\4v2.5"),
         PLANT_ASKED("read device identification 1 object 0 unit 0")},
        {"what is not there is an exception",
         BYTES("\0\7\0\0\0\6\1\3\xff\xff\0\1\0\x08\0\0\0\6\1\3\0\0\0\x7e\0\x09\0\0\0\2\1\x5a"),
         BYTES("\0\7\0\0\0\3\1\x83\2\0\x08\0\0\0\3\1\x83\3\0\x09\0\0\0\3\1\xda\1"), NULL},
        {"a web browser is told in Modbus", BYTES("GET / HTTP/1.0\r\n\r\n"),
         BYTES("GET \0\3H\xd4\1"), ""},
        {"diagnostics return what they are given", BYTES("\0\1\0\0\0\6\1\x08\0\0\xa5\x37"),
         BYTES("\0\1\0\0\0\6\1\x08\0\0\xa5\x37"), PLANT_ASKED("diagnostics 0 unit 1")},
        {"files keep records",
         BYTES("\0\1\0\0\0\x0e\1\x15\x0b\6\0\4\0\7\0\2\6\xaf\4\xbe"
               "\0\2\0\0\0\x0a\1\x14\7\6\0\4\0\7\0\2"),
         BYTES("\0\1\0\0\0\x0e\1\x15\x0b\6\0\4\0\7\0\2\6\xaf\4\xbe"
               "\0\2\0\0\0\x09\1\x14\6\5\6\6\xaf\4\xbe"),
         NULL},
        {0},
};

#define TEXT(...) PLANT_TEXT(struct modbus_device, __VA_ARGS__)
#define NUMBER(...) PLANT_NUMBER(struct modbus_device, __VA_ARGS__)

static const struct option modbus_device[] = {
        TEXT("vendor", vendor, "Schneider Electric", "object 0 of the identification"),
        TEXT("product", product, "BMX P34 2020", "object 1"),
        TEXT("revision", revision, "v2.5", "object 2"),
        TEXT("url", url, NULL, "object 3; absent: the device has none"),
        TEXT("name", name, NULL, "object 4"),
        TEXT("model", model, NULL, "object 5"),
        TEXT("application", application, NULL, "object 6"),
        TEXT("server-id", server_id, NULL, "what function 17 reports; absent: unknown function"),
        NUMBER("coils", coils, "512", 8, 65536, "coils and discrete inputs that there are"),
        NUMBER("registers", registers, "1024", 16, 65536, "registers that there are"),
        {0},
};

static const struct service modbus = {
        .name = "modbus",
        .summary = "controller on Modbus/TCP: registers and coils of a process that moves",
        .reference = "Modbus Application Protocol V1.1b3, Messaging on TCP/IP V1.0b",
        .transports = TRANSPORT_TCP,
        .ports = {502},
        .state_size = sizeof(struct modbus),
        .input_max = 1024,
        .output_max = 64 * 1024,
        .arena_max = 4096,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = modbus_device,
        .device_size = sizeof(struct modbus_device),
        .open = modbus_open,
        .input = modbus_input,
        .claims = modbus_claims,
        .exchanges = modbus_exchanges,
};
SERVICE(modbus);
