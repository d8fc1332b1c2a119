/*
 * Character generator over UDP: whatever comes is answered with rotated lines of ASCII.
 *
 * RFC 864 lets an answer hold any number of characters, so what may not go out to a source
 * that may be forged is simply shorter; the first answer is as long as xinetd's.
 */
#include "base/options.h"
#include "passive/service.h"

#define FIRST 32 /* xinetd rotates all that isprint() */
#define CHARACTERS 95
#define LINE 72
#define ANSWER_MAX 1400

struct chargen_device {
	uint64_t length;
};

static size_t lines_write(uint8_t *out, size_t n, unsigned turn)
{
	size_t used = 0;
	for (; used + LINE + 2 <= n; turn++) {
		for (unsigned i = 0; i < LINE; i++)
			out[used++] = (uint8_t)(FIRST + (turn + i) % CHARACTERS);
		out[used++] = '\r';
		out[used++] = '\n';
	}
	/* The rest of the buffer holds the beginning of a line, also ended. */
	for (unsigned i = 0; used + 2 < n; i++)
		out[used++] = (uint8_t)(FIRST + (turn + i) % CHARACTERS);
	for (unsigned i = 0; used < n; i++)
		out[used++] = "\r\n"[i];
	return used;
}

static enum service_next chargen_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	const struct chargen_device *d = session_device(s);
	uint8_t text[ANSWER_MAX];
	struct bytes asked = read_rest(in);
	struct event *e = session_report(s, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, asked);
	size_t n = (size_t)d->length, max = session_answer_max(s);
	session_would_say(s, n);
	n = n < max ? n : max;
	session_say_bytes(s, (struct bytes){text, lines_write(text, n, 0)});
	return SERVICE_CONTINUE;
}

#define LINE_1 " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"
#define LINE_2 "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n"

static const struct exchange chargen_exchanges[] = {
        {"any datagram brings lines", BYTES("x"), BYTES(LINE_1 LINE_2),
         "{\"kind\":\"command.sent\",\"command.line\":\"x\"}"},
        {0},
};

static const struct option chargen_device_options[] = {
        {.name = "length", .type = OPTION_NUMBER, .offset = offsetof(struct chargen_device, length),
         .fallback = "148", .min = 1, .max = ANSWER_MAX,
         .summary = "bytes of an answer; xinetd sends 1022"},
        {0},
};

static const struct service chargen = {
        .name = "chargen",
        .summary = "character generator over UDP",
        .reference = "RFC 864; simple services of Windows and xinetd",
        .transports = TRANSPORT_UDP,
        .ports = {19},
        .state_size = 1,
        .input_max = 2048,
        .output_max = 2048,
        .arena_max = 4096,
        .idle_ms_max = 10 * 1000,
        .session_ms_max = 60 * 1000,
        .device = chargen_device_options,
        .device_size = sizeof(struct chargen_device),
        .input = chargen_input,
        .exchanges = chargen_exchanges,
};
SERVICE(chargen);
