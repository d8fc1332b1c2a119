/*
 * The far end of a reverse shell: who is called by a shell's prompt is meant to type.
 *
 * One harmless question is asked, so that what answers is known for a shell and as whom it runs.
 */
#include "lab/run/sink_protocol.h"

struct shell {
	bool asked;
};

static bool shell_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	if (first.len < 2 || first.len > 512)
		return false;
	for (size_t i = 0; i < first.len; i++)
		if (first.at[i] < 0x20 && !strchr("\r\n\t\x1b", first.at[i]))
			return false;
	const uint8_t *end = first.at + first.len - 2;
	return bytes_find(first, "no job control in this shell") < first.len ||
	       bytes_start_with(first, "Microsoft Windows [Version") || !memcmp(end, "$ ", 2) || !memcmp(end, "# ", 2);
}

static enum talk_next shell_input(struct talk *t, void *state, struct reader *r)
{
	struct shell *s = state;
	struct bytes said = read_rest(r);
	if (!s->asked) {
		s->asked = true;
		talk_tell(t, "shell", said.len > 64 ? (struct bytes){said.at + said.len - 64, 64} : said, said);
		talk_say(t, "id\n");
		return TALK_ON;
	}
	talk_tell(t, "line", bytes_trim(said), said);
	return TALK_ON;
}

static const struct sink_exchange shell_exchanges[] = {
	{.title = "a prompt is asked who it is", .said = BYTES("root@box:/# "), .heard = BYTES("id\n"),
	 .told = "shell root@box:/# \n"},
	{0},
};

static const struct sink_protocol shell = {
	.name = "shell",
	.summary = "asks a reverse shell who it is",
	.reference = "bash 5, dash, BusyBox ash: PS1",
	.whole_messages = true,
	.recognises = shell_recognises,
	.state_size = sizeof(struct shell),
	.input = shell_input,
	.exchanges = shell_exchanges,
};
SINK_PROTOCOL(shell);
