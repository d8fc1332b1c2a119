/*
 * DNP3: whether an outstation is there, and its address.
 *
 * One request of the link's status to address 0, from address 0 (IEEE 1815 9.2): no sweep
 * over addresses, nothing above the link layer.  Outstations that have another address stay
 * silent; many answer nevertheless, and the answer names its sender.  A header whose checksum
 * is wrong is not believed.
 */
#include "active/reading/identity_inner.h"
#include "base/little.h"

#define LINK_HEADER 10
#define CRC_POLYNOMIAL 0xa6bc /* 0x3d65 reflected (IEEE 1815 9.2.4.2) */

enum { FROM_PRIMARY = 0x40 };

struct dnp3 {
	bool answered;
	uint8_t function;
	uint16_t source;
};

FIELD(DNP3_SOURCE, "dnp3.source", NUMBER, 0, "link address that answered");
FIELD(DNP3_FUNCTION, "dnp3.function", NUMBER, 0, "link function of the answer; 11 is its status");

static enum probe_next dnp3_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES("\x05\x64\x05\xc9\0\0\0\0\x36\x4c"));
	return PROBE_CONTINUE;
}

static uint16_t dnp3_checksum(struct bytes b)
{
	uint16_t crc = 0;
	for (size_t i = 0; i < b.len; i++) {
		crc ^= b.at[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ CRC_POLYNOMIAL : crc >> 1);
	}
	return (uint16_t)~crc;
}

static enum probe_next dnp3_input(struct asking *a, void *state, struct reader *r)
{
	struct dnp3 *d = state;
	(void)a;
	if (reader_left(r) < LINK_HEADER)
		return PROBE_CONTINUE;
	struct bytes header = {r->at, LINK_HEADER - 2};
	uint16_t start = read_u16(r);
	uint8_t len = read_u8(r), control = read_u8(r);
	uint16_t to = read_le16(r), source = read_le16(r), checksum = read_le16(r);
	d->answered = start == 0x0564 && len >= 5 && !(control & FROM_PRIMARY) && to == 0 &&
		      checksum == dnp3_checksum(header);
	d->function = control & 15;
	d->source = source;
	return PROBE_DONE;
}

static void dnp3_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct dnp3 *d = state;
	struct identity i;
	(void)unread;
	if (!d->answered)
		return;
	identity_begin(&i);
	identity_add_number(&i, answer, DNP3_SOURCE, "source", d->source);
	identity_add_number(&i, answer, DNP3_FUNCTION, "function", d->function);
	identity_tell(&i, a, "dnp3.identity");
}

static const char *const dnp3_signals[] = {"dnp3.identity", NULL};

#define ASKED "\x05\x64\x05\xc9\0\0\0\0\x36\x4c"

static const struct specimen dnp3_specimens[] = {
	{
		.title = "an outstation with address 4 tells its status",
		.answers = {BYTES("\x05\x64\x05\x0b\0\0\x04\0\x3e\x6c")},
		.asked = BYTES(ASKED),
		.answered = "{\"dnp3.source\":4,\"dnp3.function\":11}\n",
		.signals = "dnp3.identity: source=4\nfunction=11\n",
	},
	{
		.title = "a wrong checksum is not believed",
		.answers = {BYTES("\x05\x64\x05\x0b\0\0\x04\0\x3e\x6d")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{
		.title = "nor is an echo",
		.answers = {BYTES(ASKED)},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe dnp3 = {
	.name = "dnp3",
	.summary = "asks one address for the status of its link; nothing above the link layer",
	.reference = "IEEE 1815 9.2",
	.transport = PROBE_TCP,
	.ports = {20000},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = LINK_HEADER,
	.answer_max = 1024,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.state_size = sizeof(struct dnp3),
	.open = dnp3_open,
	.input = dnp3_input,
	.finish = dnp3_finish,
	.signals = dnp3_signals,
	.specimens = dnp3_specimens,
};
PROBE(dnp3);
