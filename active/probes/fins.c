/*
 * Omron FINS over UDP: model and version of the controller.
 *
 * One command, 0501 (controller data read; Omron W342 5-3-17).  No memory is read, no mode
 * asked for or changed.
 */
#include "active/reading/identity_inner.h"

#define ANSWER_MAX 1024
#define TEXT_SIZE 20
#define ASKED "\x80\0\x02\0\0\0\0\x63\0\xef\x05\x01\0"

struct fins {
	bool answered;
	uint16_t code;
	struct identity_text model, version;
};

FIELD(FINS_MODEL, "fins.model", BYTES, 0, "model of the controller");
FIELD(FINS_VERSION, "fins.version", BYTES, 0, "its version");
FIELD(FINS_CODE, "fins.code", NUMBER, 0, "end code of the answer; 0 is a normal end");

static enum probe_next fins_open(struct asking *a, void *state)
{
	(void)state;
	asking_say_bytes(a, BYTES(ASKED));
	return PROBE_CONTINUE;
}

static enum probe_next fins_input(struct asking *a, void *state, struct reader *r)
{
	struct fins *f = state;
	(void)a;
	uint8_t control = read_u8(r);
	read_bytes(r, 8); /* reserved, gateways, addresses of both */
	uint8_t number = read_u8(r);
	uint16_t command = read_u16(r), code = read_u16(r);
	if (!reader_ok(r) || !(control & 0x40) || number != 0xef || command != 0x0501)
		return PROBE_DONE;
	f->answered = true;
	f->code = code;
	identity_keep(&f->model, read_bytes(r, TEXT_SIZE));
	identity_keep(&f->version, read_bytes(r, TEXT_SIZE));
	return PROBE_DONE;
}

static void fins_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	const struct fins *f = state;
	struct identity i;
	(void)unread;
	if (!f->answered)
		return;
	identity_begin(&i);
	identity_add(&i, answer, FINS_MODEL, "model", &f->model);
	identity_add(&i, answer, FINS_VERSION, "version", &f->version);
	identity_add_number(&i, answer, FINS_CODE, writer_used(&i.lines) ? NULL : "code", f->code);
	identity_tell(&i, a, "fins.identity");
}

static const char *const fins_signals[] = {"fins.identity", NULL};

static const struct specimen fins_specimens[] = {
	{
		.title = "a CJ2M",
		.answers = {BYTES("\xc0\0\x02\0\x63\0\0\0\0\xef\x05\x01\0\0CJ2M-CPU33     02.01"
				  "02.01               rest")},
		.asked = BYTES(ASKED),
		.answered = "{\"fins.model\":\"CJ2M-CPU33     02.01\",\"fins.version\":\"02.01\",\"fins.code\":0}\n",
		.signals = "fins.identity: model=CJ2M-CPU33     02.01\nversion=02.01\n",
	},
	{
		.title = "one that refuses",
		.answers = {BYTES("\xc0\0\x02\0\x63\0\0\0\0\xef\x05\x01\x04\x01")},
		.asked = BYTES(ASKED),
		.answered = "{\"fins.code\":1025}\n",
		.signals = "fins.identity: code=1025\n",
	},
	{
		.title = "an echo is no answer",
		.answers = {BYTES(ASKED)},
		.asked = BYTES(ASKED),
		.answered = "{}\n",
	},
	{0},
};

static const struct probe fins = {
	.name = "fins",
	.summary = "reads the controller's model and version (0501)",
	.reference = "Omron W342 5-3-17",
	.transport = PROBE_UDP,
	.ports = {9600},
	.tier = PROBE_OPT_IN,
	.industrial = true,
	.question_max = sizeof ASKED,
	.answer_max = ANSWER_MAX,
	.time_ms_max = 10000,
	.idle_ms = 2000,
	.connections_max = 1,
	.state_size = sizeof(struct fins),
	.open = fins_open,
	.input = fins_input,
	.finish = fins_finish,
	.signals = fins_signals,
	.specimens = fins_specimens,
};
PROBE(fins);
