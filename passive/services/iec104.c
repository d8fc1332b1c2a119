/*
 * Substation's remote terminal unit on IEC 60870-5-104.
 *
 * Frames are numbered both ways; a number out of order, or more unacknowledged frames than k
 * allows, ends the connection as the standard demands.  Interrogation answers with all points;
 * measured values also come by themselves (cause cyclic) while data transfer is started.  A
 * command is confirmed, its effect is returned as a changed point, and it is terminated.
 */
#include "base/little.h"
#include "base/options.h"
#include "passive/device/plant/plant.h"

#define APDU_MAX 253
#define START 0x68
#define WINDOW 12 /* k: frames of ours without an acknowledgement */
#define SEQUENCE_MASK 0x7fff

enum {
	STARTDT_ACT = 0x07,
	STARTDT_CON = 0x0b,
	STOPDT_ACT = 0x13,
	STOPDT_CON = 0x23,
	TESTFR_ACT = 0x43,
	TESTFR_CON = 0x83
};

enum {
	M_SP_NA = 1,
	M_DP_NA = 3,
	M_ME_NC = 13,
	M_IT_NA = 15,
	C_SC_NA = 45,
	C_DC_NA = 46,
	C_RC_NA = 47,
	C_SE_NA = 48,
	C_SE_NB = 49,
	C_SE_NC = 50,
	C_SC_TA = 58,
	C_SE_TC = 63,
	C_IC_NA = 100,
	C_CI_NA = 101,
	C_RD_NA = 102,
	C_CS_NA = 103,
	C_TS_NA = 104,
	C_RP_NA = 105,
	C_TS_TA = 107
};

enum {
	CYCLIC = 1,
	REQUESTED = 5,
	ACTIVATION = 6,
	CONFIRMED = 7,
	DEACTIVATION = 8,
	TERMINATED = 10,
	RETURNED = 11,
	INTERROGATED = 20,
	COUNTED = 37,
	NEGATIVE = 0x40,
	UNKNOWN_TYPE = 44,
	UNKNOWN_CAUSE = 45,
	UNKNOWN_STATION = 46,
	UNKNOWN_OBJECT = 47
};

/* Information objects; what is commanded stands so far above what is monitored. */
enum {
	SINGLE_FIRST = 1,
	DOUBLE_FIRST = 11,
	MEASURED_FIRST = 101,
	COUNTER_FIRST = 201,
	COMMANDS = 5000
};

struct iec104_device {
	uint64_t station, cycle_ms;
};

struct iec104 {
	struct plant plant;
	uint64_t cyclic_us;
	uint16_t sent, received, acknowledged, station;
	bool started;
};

/* The ASDU at hand. */
struct asdu {
	struct session *s;
	struct iec104 *c;
	struct bytes whole;
	struct reader objects; /* behind the first object's address */
	uint64_t now_us;
	uint32_t object;
	uint16_t station;
	uint8_t type, cause;
};

static const enum plant_point singles[] = {PLANT_PUMP, PLANT_ALARM};
static const enum plant_point measured[] = {PLANT_VOLTAGE, PLANT_CURRENT,     PLANT_FREQUENCY,
                                            PLANT_POWER,   PLANT_TEMPERATURE, PLANT_LEVEL,
                                            PLANT_FLOW,    PLANT_PRESSURE};
#define SINGLES (sizeof singles / sizeof *singles)
#define MEASURED (sizeof measured / sizeof *measured)

static bool say_numbered(struct session *s, struct iec104 *c, struct bytes asdu)
{
	uint8_t room[6];
	struct writer w = writer_of(room, sizeof room);
	if (((c->sent - c->acknowledged) & SEQUENCE_MASK) >= WINDOW)
		return false;
	write_u8(&w, START);
	write_u8(&w, (uint8_t)(4 + asdu.len));
	write_little(&w, (uint32_t)c->sent << 1, 2);
	write_little(&w, (uint32_t)c->received << 1, 2);
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, asdu);
	c->sent = (c->sent + 1) & SEQUENCE_MASK;
	return true;
}

/* Begins an ASDU of `count` objects from `first` on. */
static void asdu_begin(struct writer *w, const struct iec104 *c, uint8_t type, uint8_t count,
                       uint8_t cause, uint32_t first)
{
	write_u8(w, type);
	write_u8(w, count > 1 ? 0x80 | count : count);
	write_u8(w, cause);
	write_u8(w, 0);
	write_little(w, c->station, 2);
	write_little(w, first, 3);
}

static void write_float(struct writer *w, double value)
{
	float f = (float)value;
	uint32_t bits;
	memcpy(&bits, &f, sizeof bits);
	write_little(w, bits, 4);
	write_u8(w, 0); /* of good quality */
}

static bool say_singles(const struct asdu *a, uint8_t cause, size_t from, size_t count)
{
	uint8_t room[APDU_MAX];
	struct writer w = writer_of(room, sizeof room);
	asdu_begin(&w, a->c, M_SP_NA, (uint8_t)count, cause, (uint32_t)(SINGLE_FIRST + from));
	for (size_t i = from; i < from + count; i++)
		write_u8(&w, plant_is_on(&a->c->plant, singles[i], a->now_us));
	return say_numbered(a->s, a->c, writer_bytes(&w));
}

static bool say_double(const struct asdu *a, uint8_t cause)
{
	uint8_t room[APDU_MAX];
	struct writer w = writer_of(room, sizeof room);
	asdu_begin(&w, a->c, M_DP_NA, 1, cause, DOUBLE_FIRST);
	write_u8(&w, plant_is_on(&a->c->plant, PLANT_BREAKER, a->now_us) ? 2 : 1);
	return say_numbered(a->s, a->c, writer_bytes(&w));
}

static bool say_measured(const struct asdu *a, uint8_t cause, size_t from, size_t count)
{
	uint8_t room[APDU_MAX];
	struct writer w = writer_of(room, sizeof room);
	asdu_begin(&w, a->c, M_ME_NC, (uint8_t)count, cause, (uint32_t)(MEASURED_FIRST + from));
	for (size_t i = from; i < from + count; i++)
		write_float(&w, plant_read(&a->c->plant, measured[i], a->now_us));
	return say_numbered(a->s, a->c, writer_bytes(&w));
}

/* The ASDU itself, with another cause: how every command is confirmed and refused. */
static bool say_back(const struct asdu *a, uint8_t cause)
{
	uint8_t room[APDU_MAX];
	if (a->whole.len > sizeof room)
		return false;
	memcpy(room, a->whole.at, a->whole.len);
	room[2] = (uint8_t)(cause | (room[2] & 0x80));
	if (a->station == 0xffff) { /* asked of all stations, this one answers */
		room[4] = (uint8_t)a->c->station;
		room[5] = (uint8_t)(a->c->station >> 8);
	}
	return say_numbered(a->s, a->c, (struct bytes){room, a->whole.len});
}

static bool interrogation(struct asdu *a)
{
	uint8_t qualifier = read_u8(&a->objects);
	plant_asked(a->s, "interrogation %u station %u", qualifier, a->station);
	if (a->cause != ACTIVATION && a->cause != DEACTIVATION)
		return say_back(a, UNKNOWN_CAUSE | NEGATIVE);
	if (!reader_ok(&a->objects) || qualifier < INTERROGATED || qualifier > 36)
		return say_back(a, CONFIRMED | NEGATIVE);
	return say_back(a, CONFIRMED) && say_singles(a, qualifier, 0, SINGLES) &&
	       say_double(a, qualifier) && say_measured(a, qualifier, 0, MEASURED) &&
	       say_back(a, TERMINATED);
}

/* Energy since the device was installed, counted by its hours. */
static bool counters(struct asdu *a)
{
	uint8_t room[APDU_MAX];
	struct writer w = writer_of(room, sizeof room);
	plant_asked(a->s, "counter interrogation station %u", a->station);
	if (!say_back(a, CONFIRMED))
		return false;
	uint64_t seconds = a->now_us / 1000000;
	asdu_begin(&w, a->c, M_IT_NA, 1, COUNTED, COUNTER_FIRST);
	write_little(&w, (uint32_t)(seconds / 140 + plant_number(a->c->plant.seed, 15, 9000000)), 4);
	write_u8(&w, (uint8_t)(seconds / 900 % 32));
	return say_numbered(a->s, a->c, writer_bytes(&w)) && say_back(a, TERMINATED);
}

static bool read_object(struct asdu *a)
{
	plant_asked(a->s, "read %u station %u", a->object, a->station);
	uint32_t o = a->object;
	if (o >= SINGLE_FIRST && o < SINGLE_FIRST + SINGLES)
		return say_singles(a, REQUESTED, o - SINGLE_FIRST, 1);
	if (o == DOUBLE_FIRST)
		return say_double(a, REQUESTED);
	if (o >= MEASURED_FIRST && o < MEASURED_FIRST + MEASURED)
		return say_measured(a, REQUESTED, o - MEASURED_FIRST, 1);
	return say_back(a, UNKNOWN_OBJECT | NEGATIVE);
}

static bool clock_set(struct asdu *a)
{
	struct bytes t = read_bytes(&a->objects, 7); /* CP56Time2a */
	if (!reader_ok(&a->objects))
		return say_back(a, CONFIRMED | NEGATIVE);
	plant_ordered(a->s, "clock synchronisation 20%02u-%02u-%02u %02u:%02u station %u",
	              t.at[6] & 0x7f, t.at[5] & 15, t.at[4] & 31, t.at[3] & 31, t.at[2] & 63,
	              a->station);
	return say_back(a, CONFIRMED);
}

/* Carries out a command on a point and says what it became. */
static bool effect(struct asdu *a, bool sets, double value)
{
	uint32_t o = a->object - COMMANDS;
	enum plant_point point = o == DOUBLE_FIRST                 ? PLANT_BREAKER
	                         : sets && o == MEASURED_FIRST + 4 ? PLANT_SETPOINT
	                         : sets                            ? PLANT_VALVE
	                                                           : PLANT_PUMP;
	plant_write(&a->c->plant, point, value, a->now_us);
	if (sets)
		return true;
	return point == PLANT_BREAKER ? say_double(a, RETURNED) : say_singles(a, RETURNED, 0, 1);
}

/* Single, double and regulating steps, set points; with or without a time behind them. */
static bool command(struct asdu *a)
{
	static const char *const names[] = {"single command",   "double command",
	                                    "regulating step",  "normalised set point",
	                                    "scaled set point", "set point"};
	uint8_t kind = (uint8_t)(a->type >= C_SC_TA ? a->type - C_SC_TA : a->type - C_SC_NA);
	bool sets = kind >= 3;
	uint32_t raw = kind == 5 ? read_little(&a->objects, 4) : sets ? read_little(&a->objects, 2) : 0;
	uint8_t qualifier = read_u8(&a->objects);
	double value = kind == 0 ? qualifier & 1 : (qualifier & 3) == 2;
	float real;
	memcpy(&real, &raw, sizeof real);
	if (sets)
		value = kind == 5 ? (double)real : kind == 3 ? (int16_t)raw / 327.68 : (int16_t)raw;
	const char *step = a->cause == DEACTIVATION ? "deactivate"
	                   : qualifier & 0x80       ? "select"
	                                            : "execute";
	if (sets)
		plant_ordered(a->s, "%s %u %g %s station %u", names[kind], a->object, value, step,
		              a->station);
	else
		plant_ordered(a->s, "%s %u %s %s station %u", names[kind], a->object,
		              value > 0 ? "on" : "off", step, a->station);
	if (a->cause != ACTIVATION && a->cause != DEACTIVATION)
		return say_back(a, UNKNOWN_CAUSE | NEGATIVE);
	uint32_t o = a->object - COMMANDS;
	bool there = kind == 0   ? o == SINGLE_FIRST
	             : kind == 1 ? o == DOUBLE_FIRST
	             : sets      ? o == MEASURED_FIRST + 4 || o == MEASURED_FIRST + 5
	                         : false;
	if (!there)
		return say_back(a, UNKNOWN_OBJECT | NEGATIVE);
	bool right = reader_ok(&a->objects) &&
	             (kind != 1 || (qualifier & 3) == 1 || (qualifier & 3) == 2);
	if (!right)
		return say_back(a, CONFIRMED | NEGATIVE);
	if (a->cause == DEACTIVATION)
		return say_back(a, 9);
	if (qualifier & 0x80)
		return say_back(a, CONFIRMED);
	return say_back(a, CONFIRMED) && effect(a, sets, value) && say_back(a, TERMINATED);
}

static bool asdu_run(struct asdu *a)
{
	bool commands = (a->type >= C_SC_NA && a->type <= C_SE_NC) ||
	                (a->type >= C_SC_TA && a->type <= C_SE_TC);
	if (a->station != a->c->station && a->station != 0xffff) {
		plant_asked(a->s, "type %u station %u", a->type, a->station);
		return say_back(a, UNKNOWN_STATION | NEGATIVE);
	}
	if (commands)
		return command(a);
	switch (a->type) {
	case C_IC_NA:
		return interrogation(a);
	case C_CI_NA:
		return counters(a);
	case C_RD_NA:
		return read_object(a);
	case C_CS_NA:
		return clock_set(a);
	case C_RP_NA:
		plant_ordered(a->s, "reset process %u station %u", read_u8(&a->objects),
		              a->station);
		return say_back(a, CONFIRMED);
	case C_TS_NA:
	case C_TS_TA:
		plant_asked(a->s, "test command station %u", a->station);
		return say_back(a, CONFIRMED);
	default:
		plant_ordered(a->s, "type %u object %u station %u", a->type, a->object, a->station);
		return say_back(a, UNKNOWN_TYPE | NEGATIVE);
	}
}

static bool acknowledge(struct iec104 *c, uint16_t number)
{
	if (((c->sent - number) & SEQUENCE_MASK) > ((c->sent - c->acknowledged) & SEQUENCE_MASK))
		return false;
	c->acknowledged = number;
	return true;
}

static bool numbered(struct session *s, struct iec104 *c, uint16_t sent, uint16_t received,
                     struct bytes whole)
{
	if (!c->started || sent != c->received || !acknowledge(c, received))
		return false;
	c->received = (c->received + 1) & SEQUENCE_MASK;
	struct asdu a = {.s = s,
	                 .c = c,
	                 .whole = whole,
	                 .objects = reader_of_bytes(whole),
	                 .now_us = session_time_us(s)};
	a.type = read_u8(&a.objects);
	read_u8(&a.objects);
	a.cause = read_u8(&a.objects) & 0x3f;
	read_u8(&a.objects);
	a.station = (uint16_t)read_little(&a.objects, 2);
	a.object = read_little(&a.objects, 3);
	return reader_ok(&a.objects) && asdu_run(&a);
}

static void say_unnumbered(struct session *s, uint8_t control)
{
	const uint8_t frame[] = {START, 4, control, 0, 0, 0};
	session_say_bytes(s, (struct bytes){frame, sizeof frame});
}

static bool unnumbered(struct session *s, struct iec104 *c, uint8_t control)
{
	const struct iec104_device *d = session_device(s);
	switch (control) {
	case STARTDT_ACT:
		plant_asked(s, "start of data transfer");
		c->started = true;
		c->cyclic_us = session_time_us(s) + d->cycle_ms * 1000;
		say_unnumbered(s, STARTDT_CON);
		return true;
	case STOPDT_ACT:
		plant_asked(s, "stop of data transfer");
		c->started = false;
		say_unnumbered(s, STOPDT_CON);
		return true;
	case TESTFR_ACT:
		say_unnumbered(s, TESTFR_CON);
		return true;
	default:
		return control == TESTFR_CON;
	}
}

static void cyclic(struct session *s, struct iec104 *c)
{
	const struct iec104_device *d = session_device(s);
	struct asdu a = {.s = s, .c = c, .now_us = session_time_us(s)};
	/* Half of the window stays free for what the peer asks. */
	if (!c->started || a.now_us < c->cyclic_us ||
	    ((c->sent - c->acknowledged) & SEQUENCE_MASK) > WINDOW / 2)
		return;
	c->cyclic_us = a.now_us + d->cycle_ms * 1000;
	say_measured(&a, CYCLIC, 0, MEASURED);
}

static enum service_next iec104_open(struct session *s, void *state)
{
	struct iec104 *c = state;
	const struct iec104_device *d = session_device(s);
	uint64_t seed = session_device_seed(s);
	plant_start(&c->plant, seed);
	c->station = (uint16_t)(d->station ? d->station : 1 + plant_number(seed, 104, 60));
	return SERVICE_CONTINUE;
}

static enum service_next frames_run(struct session *s, void *state, struct reader *in)
{
	struct iec104 *c = state;
	while (reader_left(in)) {
		struct reader r = *in;
		uint8_t start = read_u8(&r), length = read_u8(&r);
		if (start != START || (reader_ok(&r) && (length < 4 || length > APDU_MAX)))
			return SERVICE_CLOSE;
		struct reader frame = reader_of_bytes(read_bytes(&r, length));
		if (!reader_ok(&r))
			break;
		*in = r;
		uint16_t low = (uint16_t)read_little(&frame, 2), high = (uint16_t)read_little(&frame, 2);
		bool right = (low & 1) == 0 ? numbered(s, c, low >> 1, high >> 1, read_rest(&frame))
		             : (low & 3) == 1 ? acknowledge(c, high >> 1)
		                              : unnumbered(s, c, (uint8_t)low);
		if (!right)
			return SERVICE_CLOSE;
	}
	cyclic(s, c);
	if (c->started)
		session_remind(s, (uint32_t)((const struct iec104_device *)session_device(s))->cycle_ms);
	return SERVICE_CONTINUE;
}

static enum service_next iec104_input(struct session *s, void *state, struct reader *in)
{
	struct iec104 *c = state;
	plant_refresh(s, &c->plant, "iec104");
	enum service_next next = frames_run(s, state, in);
	plant_settle(s, &c->plant, "iec104");
	return next;
}

static enum service_next iec104_tick(struct session *s, void *state)
{
	struct iec104 *c = state;
	cyclic(s, c);
	if (c->started)
		session_remind(s, (uint32_t)((const struct iec104_device *)session_device(s))->cycle_ms);
	return SERVICE_CONTINUE;
}

static bool iec104_claims(struct bytes first)
{
	return first.len >= 6 && first.at[0] == START && first.at[1] == 4 &&
	       (first.at[2] == STARTDT_ACT || first.at[2] == TESTFR_ACT);
}

#define STARTED "\x68\4\x07\0\0\0"
#define DID_START "\x68\4\x0b\0\0\0"

static const struct exchange iec104_exchanges[] = {
        {"a test, a start, a stop", BYTES("\x68\4\x43\0\0\0" STARTED "\x68\4\x13\0\0\0"),
         BYTES("\x68\4\x83\0\0\0" DID_START "\x68\4\x23\0\0\0"),
         PLANT_ASKED("start of data transfer") PLANT_ASKED("stop of data transfer")},
        {"the breaker is opened, by all stations' address",
         BYTES(STARTED "\x68\x0e\0\0\0\0\x2e\1\6\0\xff\xff\x93\x13\0\1"),
         BYTES(DID_START "\x68\x0e\0\0\2\0\x2e\1\7\0\x28\0\x93\x13\0\1"
                         "\x68\x0e\2\0\2\0\3\1\x0b\0\x28\0\x0b\0\0\1"
                         "\x68\x0e\4\0\2\0\x2e\1\x0a\0\x28\0\x93\x13\0\1"),
         PLANT_ASKED("start of data transfer")
                 PLANT_ORDERED("double command 5011 off execute station 65535")},
        {"what is not there is refused, and so is an unknown type",
         BYTES(STARTED "\x68\x0e\0\0\0\0\x2d\1\6\0\xff\xff\1\0\0\1"
                       "\x68\x0e\2\0\2\0\x7e\1\6\0\xff\xff\1\0\0\1"),
         BYTES(DID_START "\x68\x0e\0\0\2\0\x2d\1\x6f\0\x28\0\1\0\0\1"
                         "\x68\x0e\2\0\4\0\x7e\1\x6c\0\x28\0\1\0\0\1"),
         NULL},
        {"frames before the start and out of order end it",
         BYTES("\x68\x0e\0\0\0\0\x64\1\6\0\xff\xff\0\0\0\x14"), BYTES(""), ""},
        {"what is no frame ends it", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES(""), ""},
        {0},
};

static const struct option iec104_device[] = {
        PLANT_NUMBER(struct iec104_device, "station", station, "0", 0, 65534,
                     "common address; 0: one that is the device's own"),
        {.name = "cycle",
         .type = OPTION_DURATION,
         .offset = offsetof(struct iec104_device, cycle_ms),
         .fallback = "2s",
         .min = 100,
         .max = 600000,
         .summary = "time between measured values that nobody asked for"},
        {0},
};

static const struct service iec104 = {
        .name = "iec104",
        .summary = "remote terminal unit of a substation: values, commands, sequence numbers",
        .reference = "IEC 60870-5-104:2006, IEC 60870-5-101:2003",
        .transports = TRANSPORT_TCP,
        .ports = {2404},
        .state_size = sizeof(struct iec104),
        .input_max = 2048,
        .output_max = 32 * 1024,
        .arena_max = 4096,
        .idle_ms_max = 120 * 1000,
        .session_ms_max = 3600 * 1000,
        .device = iec104_device,
        .device_size = sizeof(struct iec104_device),
        .open = iec104_open,
        .input = iec104_input,
        .tick = iec104_tick,
        .claims = iec104_claims,
        .exchanges = iec104_exchanges,
};
SERVICE(iec104);
