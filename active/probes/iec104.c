/*
 * IEC 60870-5-104: whether a controlled station is there.
 *
 * One TESTFR act, which either side may send at any time and which only has to be confirmed
 * (IEC 60870-5-104 5.2).  Data transfer is never started: STARTDT would make the station send
 * what it measures, and could take the place of its control centre.  What the station sends
 * by itself is read and left without an answer.
 */
#include "active/reading/identity_inner.h"

#define APDU_SIZE 6

enum { APDU_START = 0x68, TESTFR_ACT = 0x43, TESTFR_CON = 0x83 };

struct iec104 {
	bool confirmed, foreign;
};

FIELD(IEC104_CONFIRMED, "iec104.confirmed", BOOL, 0, "whether it confirmed the test frame");

static enum probe_next iec104_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES("\x68\x04\x43\0\0\0"));
	return PROBE_CONTINUE;
}

static enum probe_next iec104_input(struct asking *a, void *state, struct reader *r)
{
	struct iec104 *c = state;
	(void)a;
	while (reader_left(r) >= APDU_SIZE) {
		struct reader frame = *r;
		uint8_t start = read_u8(&frame), len = read_u8(&frame);
		struct bytes apdu = read_bytes(&frame, len);
		c->foreign = start != APDU_START || len < 4;
		if (c->foreign)
			return PROBE_DONE;
		if (!reader_ok(&frame))
			return PROBE_CONTINUE;
		*r = frame;
		c->confirmed = len == 4 && apdu.at[0] == TESTFR_CON;
		if (c->confirmed)
			return PROBE_DONE;
	}
	return PROBE_CONTINUE;
}

static void iec104_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct iec104 *c = state;
	(void)unread;
	if (!c->confirmed)
		return;
	event_set_bool(answer, IEC104_CONFIRMED, true);
	asking_signal(a, "iec104.identity", BYTES("testfr=confirmed"));
}

static const char *const iec104_signals[] = {"iec104.identity", NULL};

static const struct specimen iec104_specimens[] = {
	{
		.title = "a station confirms",
		.answers = {BYTES("\x68\x04\x83\0\0\0")},
		.asked = BYTES("\x68\x04\x43\0\0\0"),
		.answered = "{\"iec104.confirmed\":true}\n",
		.signals = "iec104.identity: testfr=confirmed\n",
	},
	{
		.title = "one that tests, too, is read and not answered",
		.answers = {BYTES("\x68\x04\x43\0\0\0\x68\x04\x83\0\0\0")},
		.asked = BYTES("\x68\x04\x43\0\0\0"),
		.answered = "{\"iec104.confirmed\":true}\n",
		.signals = "iec104.identity: testfr=confirmed\n",
	},
	{
		.title = "an echo is no confirmation",
		.answers = {BYTES("\x68\x04\x43\0\0\0")},
		.asked = BYTES("\x68\x04\x43\0\0\0"),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("220 ready\r\n")},
		.asked = BYTES("\x68\x04\x43\0\0\0"),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe iec104 = {
	.name = "iec104",
	.summary = "sends one test frame; data transfer is never started",
	.reference = "IEC 60870-5-104 5.2",
	.transport = PROBE_TCP,
	.ports = {2404},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = APDU_SIZE,
	.answer_max = 1024,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.state_size = sizeof(struct iec104),
	.open = iec104_open,
	.input = iec104_input,
	.finish = iec104_finish,
	.signals = iec104_signals,
	.specimens = iec104_specimens,
};
PROBE(iec104);
