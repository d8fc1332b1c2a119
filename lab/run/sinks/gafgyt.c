/*
 * Gafgyt's server: bots say what they are built for in one line and answer PING with PONG.
 */
#include "lab/run/sink_protocol.h"

static bool gafgyt_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	return bytes_start_with(first, "BUILD ") || bytes_start_with(first, "PONG");
}

static enum talk_next gafgyt_open(struct talk *t, void *state)
{
	(void)state;
	talk_say(t, "PING\n");
	return TALK_ON;
}

static enum talk_next gafgyt_input(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	struct bytes line;
	while (read_line(r, &line))
		if (line.len)
			talk_tell(t, bytes_start_with(line, "BUILD ") ? "join" : "line", bytes_trim(line), line);
	return TALK_ON;
}

static const struct sink_exchange gafgyt_exchanges[] = {
	{.title = "a bot says what it is built for", .said = BYTES("BUILD MIPS\nPONG!\n"), .heard = BYTES("PING\n"),
	 .told = "join BUILD MIPS\nline PONG!\n"},
	{0},
};

static const struct sink_protocol gafgyt = {
	.name = "gafgyt",
	.summary = "keeps a bot of Gafgyt's kind and gives no order",
	.reference = "published source of Gafgyt (Bashlite), main() and processCmd()",
	.recognises = gafgyt_recognises,
	.open = gafgyt_open,
	.input = gafgyt_input,
	.exchanges = gafgyt_exchanges,
};
SINK_PROTOCOL(gafgyt);
