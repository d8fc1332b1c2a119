/*
 * CoAP: what resources a device lists (RFC 6690).
 *
 * One GET of /.well-known/core.  Of a list in blocks only the first is taken; no resource is
 * read or observed.  An answer that comes by itself, and wants one, is acknowledged (RFC 7252
 * 5.2.2), or the device would repeat it.
 */
#include "active/reading/identity_inner.h"

#define ANSWER_MAX 4096
#define LINKS_MAX 1024
#define TOKEN "ka"
#define ASKED "\x42\x01\x6b\x6f" TOKEN "\xbb.well-known\x04" "core"

enum { CONFIRMABLE = 0, NOT_CONFIRMABLE, ACKNOWLEDGEMENT, RESET };

struct coap {
	bool answered;
	uint8_t code;
	uint16_t links_len;
	uint8_t links[LINKS_MAX];
};

FIELD(COAP_CODE, "coap.code", TEXT, 0, "code of the answer: 2.05 is content");
FIELD(COAP_LINKS, "coap.links", BYTES, 0, "start of the list of its resources");

static enum probe_next coap_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES(ASKED));
	return PROBE_CONTINUE;
}

/* A length or a difference of four bits, or what stands for it (RFC 7252 3.1). */
static uint32_t coap_extended(struct reader *r, unsigned nibble)
{
	if (nibble == 13)
		return read_u8(r) + 13u;
	if (nibble == 14)
		return read_u16(r) + 269u;
	if (nibble == 15)
		r->bad = true;
	return nibble;
}

/* Behind the options and their end mark. */
static struct bytes coap_payload(struct reader *r)
{
	while (reader_left(r) > 0) {
		uint8_t first = read_u8(r);
		if (first == 0xff)
			return read_rest(r);
		coap_extended(r, first >> 4);
		read_bytes(r, coap_extended(r, first & 15));
		if (!reader_ok(r))
			break;
	}
	return (struct bytes){0};
}

static enum probe_next coap_input(struct asking *a, void *state, struct reader *r)
{
	struct coap *c = state;
	uint8_t first = read_u8(r), code = read_u8(r);
	uint16_t message = read_u16(r);
	unsigned kind = first >> 4 & 3;
	struct bytes token = read_bytes(r, first & 15);
	if (!reader_ok(r) || first >> 6 != 1)
		return PROBE_DONE;
	if (kind == ACKNOWLEDGEMENT && code == 0)
		return PROBE_CONTINUE; /* the answer comes later, by itself */
	c->answered = kind == RESET || (bytes_equal_text(token, TOKEN) && code >= 0x40);
	if (!c->answered || kind == RESET)
		return PROBE_DONE;
	c->code = code;
	struct bytes links = coap_payload(r);
	c->links_len = (uint16_t)(links.len < LINKS_MAX ? links.len : LINKS_MAX);
	if (c->links_len)
		memcpy(c->links, links.at, c->links_len);
	if (kind == CONFIRMABLE) {
		uint8_t received[] = {0x60, 0, (uint8_t)(message >> 8), (uint8_t)message};
		asking_say_bytes(a, (struct bytes){received, sizeof received});
	}
	return PROBE_DONE;
}

static void coap_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	const struct coap *c = state;
	struct bytes links = {c->links, c->links_len};
	char code[8];
	(void)unread;
	if (!c->answered)
		return;
	snprintf(code, sizeof code, "%u.%02u", c->code >> 5, c->code & 31u);
	event_set_text(answer, COAP_CODE, code);
	if (!links.len || c->code != 0x45)
		return;
	event_set_bytes(answer, COAP_LINKS, links);
	asking_signal(a, "coap.links", links);
}

static const char *const coap_signals[] = {"coap.links", NULL};

static const struct specimen coap_specimens[] = {
	{
		.title = "a list in the acknowledgement",
		.answers = {BYTES("\x62\x45\x6b\x6fka\xc1\x28\xff</>;title=\"General\";ct=0,</time>;if=\"clock\"")},
		.asked = BYTES(ASKED),
		.answered = "{\"coap.code\":\"2.05\",\"coap.links\":\"</>;title=\\\"General\\\";ct=0,</time>;if=\\\"clock\\\"\"}\n",
		.signals = "coap.links: </>;title=\"General\";ct=0,</time>;if=\"clock\"\n",
	},
	{
		.title = "a list that comes later by itself is acknowledged",
		.answers = {BYTES("\x60\0\x6b\x6f"), BYTES("\x42\x45\x12\x34ka\xc1\x28\xff</sensors>")},
		.asked = BYTES(ASKED "\x60\0\x12\x34"),
		.answered = "{\"coap.links\":\"</sensors>\"}\n",
		.signals = "coap.links: </sensors>\n",
	},
	{
		.title = "not found, with an option whose length is in the bytes that follow",
		.answers = {BYTES("\x62\x84\x6b\x6fka\xdd\x01\0xxxxxxxxxxxxx")},
		.asked = BYTES(ASKED),
		.answered = "{\"coap.code\":\"4.04\"}\n",
	},
	{
		.title = "a reset",
		.answers = {BYTES("\x70\0\x6b\x6f")},
		.asked = BYTES(ASKED),
		.answered = "{\"coap.code\":\"0.00\"}\n",
	},
	{
		.title = "another token, and an option longer than the datagram",
		.answers = {BYTES("\x62\x45\x6b\x6fxx\xff</>")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe coap = {
	.name = "coap",
	.summary = "asks for the list of resources (/.well-known/core), its first block",
	.reference = "RFC 7252, RFC 6690",
	.transport = PROBE_UDP,
	.ports = {5683},
	.tier = PROBE_OPT_IN,
	.question_max = sizeof ASKED + 4,
	.answer_max = ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 2500,
	.connections_max = 1,
	.state_size = sizeof(struct coap),
	.open = coap_open,
	.input = coap_input,
	.finish = coap_finish,
	.signals = coap_signals,
	.specimens = coap_specimens,
};
PROBE(coap);
