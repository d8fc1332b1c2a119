/* SSH: says who it is and hears who comes; a session is not made, so guesses end before the first account. */
#include "lab/run/sink_protocol.h"

#define IDENTIFICATION_MAX 255 /* RFC 4253 4.2 */

static enum talk_next ssh_open(struct talk *t, void *state)
{
	(void)state;
	talk_say(t, "SSH-2.0-dropbear_2014.63\r\n");
	return TALK_ON;
}

static bool ssh_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	return bytes_start_with(first, "SSH-");
}

static enum talk_next ssh_input(struct talk *t, void *state, struct reader *r)
{
	(void)state;
	struct bytes line;
	if (!read_line(r, &line))
		return reader_left(r) > IDENTIFICATION_MAX ? TALK_END : TALK_ON;
	talk_tell(t, "agent", line, line);
	return TALK_END;
}

static const struct sink_exchange ssh_exchanges[] = {
	{.title = "who comes", .said = BYTES("SSH-2.0-Go\r\n"), .heard = BYTES("SSH-2.0-dropbear_2014.63\r\n"), .told = "agent SSH-2.0-Go\n"},
	{0},
};

static const struct sink_protocol ssh = {
	.name = "ssh",
	.summary = "hears which client comes",
	.reference = "RFC 4253 4.2; dropbear 2014.63",
	.greets = true,
	.ports = {22, 2222},
	.recognises = ssh_recognises,
	.open = ssh_open,
	.input = ssh_input,
	.exchanges = ssh_exchanges,
};
SINK_PROTOCOL(ssh);
