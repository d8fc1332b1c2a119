/*
 * Omron controller on FINS, over UDP and over TCP.
 *
 * Over TCP a frame has a header of its own, and a client first asks for a node address.  The
 * memory areas are the controller's: the first words of DM are the process, the first bits of
 * CIO its switches.  Run and stop are believed, and what was written is read back.
 */
#include "base/options.h"
#include "passive/device/plant/plant.h"
#include <time.h>

#define FRAME_MAX 2012 /* W342: longest FINS frame over Ethernet */
#define HEADER 10
#define TCP_HEADER 16
#define WORDS_MAX 999
#define AREA_WORDS 32768
#define CIO_WORDS 6144

enum end_code {
	END_NORMAL = 0x0000,
	END_UNDEFINED_COMMAND = 0x0401,
	END_TOO_SHORT = 0x1002,
	END_COUNT_MISMATCH = 0x1003,
	END_NO_AREA = 0x1101,
	END_BEYOND = 0x1104,
	END_TOO_LONG_ANSWER = 0x110b,
	END_PARAMETER = 0x110c,
	END_PROTECTED = 0x2108,
};

enum { KEY_MODE = 0xfe000000u }; /* of the plant's cells, beside those of words */
enum { STOPPED = 0, RUNNING = 1, MODE_PROGRAM = 0, MODE_MONITOR = 2, MODE_RUN = 4 };

struct fins_device {
	const char *model, *version;
	uint64_t program_kwords;
};

struct fins {
	struct plant plant;
	uint8_t client_node;
	bool told_node;
};

struct request {
	struct session *s;
	struct fins *f;
	struct reader in;
	struct writer out; /* behind the end code */
	uint64_t now_us;
};

struct area {
	uint8_t word_code, bit_code;
	const char *name;
	uint32_t words;
};

static const struct area areas[] = {
        {0xb0, 0x30, "CIO", CIO_WORDS}, {0xb1, 0x31, "W", 512},        {0xb2, 0x32, "H", 512},
        {0xb3, 0x33, "A", 960},         {0x82, 0x02, "D", AREA_WORDS}, {0x89, 0x09, "T", 8192},
        {0x98, 0x0a, "E", AREA_WORDS},
};

static const struct area *area_of(uint8_t code)
{
	for (size_t i = 0; i < sizeof areas / sizeof *areas; i++)
		if (areas[i].word_code == code || areas[i].bit_code == code)
			return &areas[i];
	return NULL;
}

static uint32_t key_of(const struct area *a, uint32_t word)
{
	return (uint32_t)a->word_code << 20 | word;
}

static uint16_t word_read(const struct request *q, const struct area *a, uint32_t word)
{
	uint32_t kept = 0;
	uint16_t value;
	bool on;
	if (a->word_code == 0x82 && plant_word(&q->f->plant, word, q->now_us, &value))
		return value;
	plant_recall(&q->f->plant, key_of(a, word), &kept);
	for (uint32_t bit = 0; a->word_code == 0xb0 && word == 0 && bit < PLANT_SWITCHES; bit++)
		if (plant_switch(&q->f->plant, bit, q->now_us, &on))
			kept = (kept & ~(1u << bit)) | (uint32_t)on << bit;
	return (uint16_t)kept;
}

static void word_write(struct request *q, const struct area *a, uint32_t word, uint16_t value)
{
	if (a->word_code == 0x82 && plant_word_write(&q->f->plant, word, value, q->now_us))
		return;
	uint16_t changed = word_read(q, a, word) ^ value;
	for (uint32_t bit = 0; a->word_code == 0xb0 && word == 0 && bit < PLANT_SWITCHES; bit++)
		if (changed >> bit & 1)
			plant_switch_write(&q->f->plant, bit, value >> bit & 1, q->now_us);
	plant_keep(&q->f->plant, key_of(a, word), value);
}

/* Where a memory command aims. */
struct aim {
	const struct area *area;
	uint32_t word;
	uint8_t bit;
	bool bits;
	uint16_t count;
};

static uint16_t aim_read(struct request *q, struct aim *a)
{
	uint8_t code = read_u8(&q->in);
	*a = (struct aim){.area = area_of(code)};
	a->word = read_u16(&q->in);
	a->bit = read_u8(&q->in);
	a->count = read_u16(&q->in);
	if (!reader_ok(&q->in))
		return END_TOO_SHORT;
	if (!a->area)
		return END_NO_AREA;
	a->bits = code == a->area->bit_code;
	if (a->count > WORDS_MAX)
		return END_TOO_LONG_ANSWER;
	uint32_t last = a->bits ? a->word * 16 + a->bit + a->count : a->word + a->count;
	return last > a->area->words * (a->bits ? 16u : 1u) || a->bit > 15 ? END_BEYOND
	                                                                   : END_NORMAL;
}

static uint16_t memory_read(struct request *q)
{
	struct aim a;
	uint16_t end = aim_read(q, &a);
	if (a.area)
		plant_asked(q->s, "memory area read %s%u%s count %u", a.area->name, a.word,
		            a.bits ? " bits" : "", a.count);
	if (end)
		return end;
	for (uint32_t i = 0; i < a.count; i++) {
		uint32_t bit = a.bit + i;
		if (a.bits)
			write_u8(&q->out, word_read(q, a.area, a.word + bit / 16) >> bit % 16 & 1);
		else
			write_u16(&q->out, word_read(q, a.area, a.word + i));
	}
	return END_NORMAL;
}

static void values_text(struct bytes values, bool bits, char *text, size_t size)
{
	struct writer w = writer_of(text, size - 1);
	struct reader r = reader_of_bytes(values);
	while (reader_left(&r) >= (bits ? 1 : 2) && writer_left(&w) > 8)
		write_fmt(&w, " %u", bits ? read_u8(&r) : read_u16(&r));
	*w.at = '\0';
}

static uint16_t memory_write(struct request *q)
{
	struct aim a;
	char text[160];
	uint16_t end = aim_read(q, &a);
	if (!a.area)
		return end;
	struct bytes values = read_rest(&q->in);
	values_text(values, a.bits, text, sizeof text);
	plant_ordered(q->s, "memory area write %s%u%s count %u:%s", a.area->name, a.word,
	              a.bits ? " bits" : "", a.count, text);
	if (!end && values.len != (a.bits ? 1u : 2u) * a.count)
		end = END_COUNT_MISMATCH;
	struct reader r = reader_of_bytes(values);
	for (uint32_t i = 0; !end && i < a.count; i++) {
		uint32_t bit = a.bit + i, word = a.word + (a.bits ? bit / 16 : i);
		uint16_t mask = (uint16_t)(1u << bit % 16);
		if (!a.bits)
			word_write(q, a.area, word, read_u16(&r));
		else if (read_u8(&r) & 1)
			word_write(q, a.area, word, word_read(q, a.area, word) | mask);
		else
			word_write(q, a.area, word, word_read(q, a.area, word) & (uint16_t)~mask);
	}
	return end;
}

static uint16_t memory_fill(struct request *q)
{
	struct aim a;
	uint16_t end = aim_read(q, &a), value = read_u16(&q->in);
	if (!a.area)
		return end;
	plant_ordered(q->s, "memory area fill %s%u count %u: %u", a.area->name, a.word, a.count,
	              value);
	if (!reader_ok(&q->in) || a.bits)
		return a.bits ? END_NO_AREA : END_TOO_SHORT;
	for (uint32_t i = 0; !end && i < a.count; i++)
		word_write(q, a.area, a.word + i, value);
	return end;
}

static uint16_t memory_read_many(struct request *q)
{
	plant_asked(q->s, "multiple memory area read, %zu", reader_left(&q->in) / 4);
	while (reader_left(&q->in)) {
		uint8_t code = read_u8(&q->in);
		uint32_t word = read_u16(&q->in);
		uint8_t bit = read_u8(&q->in);
		const struct area *a = area_of(code);
		if (!reader_ok(&q->in))
			return END_TOO_SHORT;
		if (!a || word >= a->words || bit > 15)
			return a ? END_BEYOND : END_NO_AREA;
		write_u8(&q->out, code);
		if (code == a->bit_code)
			write_u8(&q->out, word_read(q, a, word) >> bit & 1);
		else
			write_u16(&q->out, word_read(q, a, word));
	}
	return END_NORMAL;
}

static void padded(struct writer *w, const char *text, size_t size, char with)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < size; i++)
		write_u8(w, (uint8_t)(i < n ? text[i] : with));
}

static uint16_t controller_read(struct request *q)
{
	const struct fins_device *d = session_device(q->s);
	bool both = reader_left(&q->in) == 0;
	uint8_t which = both ? 0 : read_u8(&q->in);
	plant_asked(q->s, "controller data read");
	if (which > 1)
		return END_PARAMETER;
	if (which == 0) { /* W342 5-3-17 */
		padded(&q->out, d->model, 20, ' ');
		padded(&q->out, d->version, 20, '\0');
		write_zero(&q->out, 40);
		write_u16(&q->out, (uint16_t)d->program_kwords);
		write_u8(&q->out, 23); /* kilobytes of I/O memory */
		write_u16(&q->out, AREA_WORDS);
		write_u8(&q->out, 8); /* kilowords of timers and counters */
		write_u8(&q->out, 4); /* banks of extended memory */
		write_u16(&q->out, 0);
		write_u8(&q->out, 0); /* no memory card */
		write_u16(&q->out, 0);
	}
	if (which == 1 || both) { /* units on the CPU bus: the Ethernet unit alone */
		write_u16(&q->out, 0x8015);
		write_zero(&q->out, 30 + 32);
		write_zero(&q->out, 2 + 1); /* remote I/O masters, status of the controller */
	}
	return END_NORMAL;
}

static uint16_t status_read(struct request *q)
{
	plant_asked(q->s, "controller status read");
	uint32_t mode = MODE_RUN;
	plant_recall(&q->f->plant, KEY_MODE, &mode);
	write_u8(&q->out, q->f->plant.stopped_us ? STOPPED : RUNNING);
	write_u8(&q->out, (uint8_t)mode);
	write_zero(&q->out, 2 + 2 + 2 + 2); /* no errors, no messages */
	write_zero(&q->out, 16);
	return END_NORMAL;
}

static uint16_t run(struct request *q)
{
	read_u16(&q->in); /* program number */
	uint8_t mode = reader_left(&q->in) ? read_u8(&q->in) : MODE_MONITOR;
	plant_ordered(q->s, "run in mode %u", mode);
	if (mode != MODE_MONITOR && mode != MODE_RUN)
		return END_PARAMETER;
	plant_run(&q->f->plant, true, q->now_us);
	plant_keep(&q->f->plant, KEY_MODE, mode);
	return END_NORMAL;
}

static uint16_t stop(struct request *q)
{
	plant_ordered(q->s, "stop");
	plant_run(&q->f->plant, false, q->now_us);
	plant_keep(&q->f->plant, KEY_MODE, MODE_PROGRAM);
	return END_NORMAL;
}

static uint16_t clock_read(struct request *q)
{
	time_t t = (time_t)(q->now_us / 1000000);
	struct tm at;
	gmtime_r(&t, &at);
	const int parts[] = {at.tm_year % 100, at.tm_mon + 1, at.tm_mday, at.tm_hour,
	                     at.tm_min,        at.tm_sec,     at.tm_wday};
	plant_asked(q->s, "clock read");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		write_u8(&q->out, (uint8_t)(parts[i] / 10 << 4 | parts[i] % 10));
	return END_NORMAL;
}

static uint16_t cycle_read(struct request *q)
{
	plant_asked(q->s, "cycle time read");
	uint32_t mean = 28 + (uint32_t)plant_number(q->f->plant.seed, 9, 40); /* tenths of ms */
	write_u32(&q->out, mean);
	write_u32(&q->out, mean + 17);
	write_u32(&q->out, mean - 5);
	return END_NORMAL;
}

static uint16_t ordered(struct request *q)
{
	char text[129];
	struct bytes sent = read_rest(&q->in);
	struct writer w = writer_of(text, sizeof text - 1);
	for (size_t i = 0; i < sent.len && writer_left(&w) > 2; i++)
		write_fmt(&w, "%02x", sent.at[i]);
	*w.at = '\0';
	plant_ordered(q->s, "command with %s", text);
	return END_NORMAL;
}

static uint16_t refused(struct request *q)
{
	ordered(q);
	return END_PROTECTED; /* the program is locked, as it is in most plants */
}

static const struct command {
	uint16_t code;
	uint16_t (*run)(struct request *);
} commands[] = {
        {0x0101, memory_read},      {0x0102, memory_write}, {0x0103, memory_fill},
        {0x0104, memory_read_many}, {0x0202, refused},      {0x0307, refused},
        {0x0308, refused},          {0x0401, run},          {0x0402, stop},
        {0x0501, controller_read},  {0x0601, status_read},  {0x0620, cycle_read},
        {0x0701, clock_read},       {0x0702, ordered},      {0x0c01, ordered},
        {0x0c02, ordered},          {0x0c03, ordered},      {0x2101, ordered},
        {0x2301, ordered},          {0x2302, ordered},
};

/* Answers one frame into `out`; false when it wants no answer or is none. */
static bool frame_run(struct session *s, struct fins *f, struct bytes frame, struct writer *out)
{
	struct reader r = reader_of_bytes(frame);
	struct bytes head = read_bytes(&r, HEADER);
	uint16_t code = read_u16(&r), end = END_UNDEFINED_COMMAND;
	if (!reader_ok(&r) || head.at[0] & 0x40) /* an answer itself */
		return false;
	const uint8_t back[HEADER] = {head.at[0] | 0x40, 0,          2,          head.at[6],
	                              head.at[7],        head.at[8], head.at[3], head.at[4],
	                              head.at[5],        head.at[9]};
	write_bytes(out, back, HEADER);
	write_u16(out, code);
	struct writer end_at = *out;
	write_u16(out, 0);
	struct writer data = *out;
	struct request q = {s, f, r, *out, session_time_us(s)};
	const struct command *c = NULL;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (commands[i].code == code)
			c = &commands[i];
	if (c)
		end = c->run(&q);
	else
		plant_ordered(s, "command %04x", code);
	if (q.out.bad)
		end = END_TOO_LONG_ANSWER;
	*out = end ? data : q.out;
	write_u16(&end_at, end);
	return !(head.at[0] & 1);
}

static enum service_next tcp_say(struct session *s, uint32_t command, uint32_t error,
                                 struct bytes body)
{
	uint8_t room[TCP_HEADER];
	struct writer w = writer_of(room, sizeof room);
	write_text(&w, "FINS");
	write_u32(&w, (uint32_t)(8 + body.len));
	write_u32(&w, command);
	write_u32(&w, error);
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, body);
	return error ? SERVICE_CLOSE : SERVICE_CONTINUE;
}

/* A client without a node address gets the next one; ours is the last byte of the address. */
static enum service_next node_give(struct session *s, struct fins *f, struct reader *body)
{
	uint32_t asked = read_u32(body);
	if (!reader_ok(body) || asked > 254)
		return tcp_say(s, 3, 0x23, (struct bytes){0}); /* node address out of range */
	f->client_node = asked ? (uint8_t)asked : (uint8_t)(239 + session_random(s) % 15);
	f->told_node = true;
	const uint8_t nodes[] = {0, 0, 0, f->client_node, 0, 0, 0, session_local(s)->b[15]};
	return tcp_say(s, 1, 0, (struct bytes){nodes, sizeof nodes});
}

static enum service_next tcp_frame(struct session *s, struct fins *f, uint32_t command,
                                   struct reader *body)
{
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (command == 0)
		return node_give(s, f, body);
	if (command != 2 || !f->told_node)
		return tcp_say(s, 3, 3, (struct bytes){0}); /* command not supported */
	if (frame_run(s, f, read_rest(body), &w))
		return tcp_say(s, 2, 0, writer_bytes(&w));
	return SERVICE_CONTINUE;
}

static enum service_next tcp_input(struct session *s, struct fins *f, struct reader *in)
{
	for (;;) {
		size_t same = reader_left(in) < 4 ? reader_left(in) : 4;
		if (memcmp(in->at, "FINS", same))
			return tcp_say(s, 3, 1, (struct bytes){0}); /* the header is not "FINS" */
		struct reader r = *in;
		read_u32(&r);
		uint32_t length = read_u32(&r), command = read_u32(&r);
		read_u32(&r);
		if (!reader_ok(&r))
			return SERVICE_CONTINUE;
		if (length < 8 || length > FRAME_MAX + 8)
			return tcp_say(s, 3, 2, (struct bytes){0}); /* too long */
		struct reader body = reader_of_bytes(read_bytes(&r, length - 8));
		if (!reader_ok(&r))
			return SERVICE_CONTINUE;
		*in = r;
		if (tcp_frame(s, f, command, &body) == SERVICE_CLOSE)
			return SERVICE_CLOSE;
		if (!reader_left(in))
			return SERVICE_CONTINUE;
	}
}

static enum service_next fins_open(struct session *s, void *state)
{
	struct fins *f = state;
	plant_start(&f->plant, session_device_seed(s));
	return SERVICE_CONTINUE;
}

static enum service_next frames_run(struct session *s, void *state, struct reader *in)
{
	if (session_transport(s) == TRANSPORT_TCP)
		return reader_left(in) ? tcp_input(s, state, in) : SERVICE_CONTINUE;
	uint8_t room[FRAME_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (frame_run(s, state, read_rest(in), &w))
		session_say_bytes(s, writer_bytes(&w));
	return SERVICE_CONTINUE;
}

static enum service_next fins_input(struct session *s, void *state, struct reader *in)
{
	struct fins *f = state;
	plant_refresh(s, &f->plant, "fins");
	enum service_next next = frames_run(s, state, in);
	plant_settle(s, &f->plant, "fins");
	return next;
}

static bool fins_claims(struct bytes first)
{
	return bytes_start_with(first, "FINS") ||
	       (first.len >= 12 && first.at[0] == 0x80 && first.at[1] == 0 && first.at[2] <= 7);
}

#define NODE_ASKED "FINS\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\x63"
#define NODE_GIVEN "FINS\0\0\0\x10\0\0\0\1\0\0\0\0\0\0\0\x63\0\0\0\x17"
#define CONTROLLER                                                                                 \
	"CJ2M-CPU33          02.01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                                  \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"         \
	"\0\x14\x17\x80\0\x08\4\0\0\0\0\0"

static const struct exchange fins_exchanges[] = {
        {"a node address, then what controller it is",
         BYTES(NODE_ASKED "FINS\0\0\0\x15\0\0\0\2\0\0\0\0\x80\0\2\0\x17\0\0\x63\0\7\5\1\0"),
         BYTES(NODE_GIVEN
               "FINS\0\0\0\x72\0\0\0\2\0\0\0\0\xc0\0\2\0\x63\0\0\x17\0\7\5\1\0\0" CONTROLLER),
         PLANT_ASKED("controller data read")},
        {"words that are written stay",
         BYTES(NODE_ASKED
               "FINS\0\0\0\x1c\0\0\0\2\0\0\0\0\x80\0\2\0\x17\0\0\x63\0\x08\1\2\x82\0\x64\0\0\1\x12"
               "\x34"
               "FINS\0\0\0\x1a\0\0\0\2\0\0\0\0\x80\0\2\0\x17\0\0\x63\0\x09\1\1\x82\0\x64\0\0\1"),
         BYTES(NODE_GIVEN
               "FINS\0\0\0\x16\0\0\0\2\0\0\0\0\xc0\0\2\0\x63\0\0\x17\0\x08\1\2\0\0"
               "FINS\0\0\0\x18\0\0\0\2\0\0\0\0\xc0\0\2\0\x63\0\0\x17\0\x09\1\1\0\0\x12\x34"),
         PLANT_ORDERED("memory area write D100 count 1: 4660")
                 PLANT_ASKED("memory area read D100 count 1")},
        {"what is no FINS is told so", BYTES("GET / HTTP/1.0\r\n\r\n"),
         BYTES("FINS\0\0\0\x08\0\0\0\3\0\0\0\1"), ""},
        {0},
};

static const struct exchange fins_exchanges_udp[] = {
        {"what controller it is", BYTES("\x80\0\2\0\0\0\0\x63\0\xef\5\1\0"),
         BYTES("\xc0\0\2\0\x63\0\0\0\0\xef\5\1\0\0" CONTROLLER),
         PLANT_ASKED("controller data read")},
        {"a stop", BYTES("\x80\0\2\0\0\0\0\x63\0\1\4\2\xff\xff"),
         BYTES("\xc0\0\2\0\x63\0\0\0\0\1\4\2\0\0"), PLANT_ORDERED("stop")},
        {"an unknown command", BYTES("\x80\0\2\0\0\0\0\x63\0\1\x77\x77"),
         BYTES("\xc0\0\2\0\x63\0\0\0\0\1\x77\x77\4\1"), PLANT_ORDERED("command 7777")},
        {"too short for a frame", BYTES("\x80\0\2\0"), BYTES(""), ""},
        {0},
};

static const struct option fins_device[] = {
        PLANT_TEXT(struct fins_device, "model", model, "CJ2M-CPU33", "of the controller"),
        PLANT_TEXT(struct fins_device, "version", version, "02.01", "of its firmware"),
        PLANT_NUMBER(struct fins_device, "program", program_kwords, "20", 1, 1000,
                     "room for the program, kilowords"),
        {0},
};

static const struct service fins = {
        .name = "fins",
        .summary = "Omron controller: identity, status, memory that moves and can be written",
        .reference = "Omron W342 (commands), W421 (Ethernet units)",
        .transports = TRANSPORT_TCP | TRANSPORT_UDP,
        .ports = {9600},
        .state_size = sizeof(struct fins),
        .input_max = 4096,
        .output_max = 64 * 1024,
        .arena_max = 4096,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = fins_device,
        .device_size = sizeof(struct fins_device),
        .open = fins_open,
        .input = fins_input,
        .claims = fins_claims,
        .claims_datagram = fins_claims,
        .exchanges = fins_exchanges,
        .exchanges_udp = fins_exchanges_udp,
};
SERVICE(fins);
