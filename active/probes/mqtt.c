/*
 * MQTT: whether a broker is there, and whether it lets anybody in.
 *
 * CONNECT in version 3.1.1 without a name or a password, with a clean session that ends with
 * the connection; the broker's CONNACK is all that is wanted, and is followed by DISCONNECT.
 * Nothing is subscribed to and nothing published: what the broker carries is nobody's to read.
 */
#include "active/reading/identity_inner.h"

enum { CONNACK = 2, CODE_MAX = 5 };

struct mqtt {
	bool answered, session;
	uint8_t code;
};

FIELD(MQTT_CODE, "mqtt.code", NUMBER, 0, "return code of CONNACK: 0 lets anybody in, 5 does not");
FIELD(MQTT_SESSION, "mqtt.session", BOOL, 0, "whether CONNACK speaks of a session that was there");

static enum probe_next mqtt_open(struct asking *a, void *state)
{
	(void)state;
	/* Flags: clean session; keep alive: 10 s, longer than we stay. */
	asking_say_bytes(a, BYTES("\x10\x13\0\x04MQTT\x04\x02\0\x0a\0\x07kansoku"));
	return PROBE_CONTINUE;
}

static enum probe_next mqtt_input(struct asking *a, void *state, struct reader *r)
{
	struct mqtt *m = state;
	struct reader packet = *r;
	uint8_t kind = read_u8(&packet);
	if (kind != CONNACK << 4)
		return PROBE_DONE;
	uint8_t len = read_u8(&packet), flags = read_u8(&packet), code = read_u8(&packet);
	if (!reader_ok(&packet))
		return PROBE_CONTINUE;
	*r = packet;
	m->answered = len == 2 && flags <= 1 && code <= CODE_MAX;
	m->session = flags & 1;
	m->code = code;
	if (m->answered && code == 0)
		asking_say_bytes(a, BYTES("\xe0\0"));
	return PROBE_DONE;
}

static void mqtt_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	struct mqtt *m = state;
	struct identity i;
	(void)unread;
	if (!m->answered)
		return;
	identity_begin(&i);
	identity_add_number(&i, answer, MQTT_CODE, "code", m->code);
	event_set_bool(answer, MQTT_SESSION, m->session);
	identity_tell(&i, a, "mqtt.connack");
}

static const char *const mqtt_signals[] = {"mqtt.connack", NULL};

#define ASKED "\x10\x13\0\x04MQTT\x04\x02\0\x0a\0\x07kansoku"

static const struct specimen mqtt_specimens[] = {
	{
		.title = "a broker that lets anybody in is taken leave of",
		.answers = {BYTES("\x20\x02\0\0")},
		.asked = BYTES(ASKED "\xe0\0"),
		.answered = "{\"mqtt.code\":0,\"mqtt.session\":false}\n",
		.signals = "mqtt.connack: code=0\n",
	},
	{
		.title = "one that wants a name",
		.answers = {BYTES("\x20\x02\0\x05")},
		.asked = BYTES(ASKED),
		.answered = "{\"mqtt.code\":5}\n",
		.signals = "mqtt.connack: code=5\n",
	},
	{
		.title = "no CONNACK",
		.answers = {BYTES("\x20\x03\0\0\0")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{
		.title = "something else on the port",
		.answers = {BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe mqtt = {
	.name = "mqtt",
	.summary = "connects without a name, reads whether that is allowed, leaves; never subscribes",
	.reference = "MQTT 3.1.1 (OASIS) 3.1, 3.2, 3.14",
	.transport = PROBE_TCP,
	.ports = {1883},
	.tier = PROBE_OPT_IN,
	.question_max = 32,
	.answer_max = 1024,
	.time_ms_max = 10000,
	.idle_ms = 4000,
	.connections_max = 1,
	.state_size = sizeof(struct mqtt),
	.open = mqtt_open,
	.input = mqtt_input,
	.finish = mqtt_finish,
	.signals = mqtt_signals,
	.specimens = mqtt_specimens,
};
PROBE(mqtt);
