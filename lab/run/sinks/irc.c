/*
 * IRC: whoever joins is welcome; what it joins, and with which key, is what an analyst wants.
 *
 * Bots of the Tsunami family wait for 376 (end of the message of the day) or 422 before they join.
 */
#include "lab/run/sink_protocol.h"

#define IRC_NICK_MAX 32

struct irc {
	char nick[IRC_NICK_MAX + 1];
	bool welcomed;
};

static bool irc_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	return bytes_start_with(first, "NICK ") || bytes_start_with(first, "USER ") ||
	       bytes_start_with(first, "PASS ") || bytes_start_with(first, "CAP LS");
}

static void irc_welcome(struct talk *t, struct irc *irc)
{
	if (irc->welcomed || !irc->nick[0])
		return;
	irc->welcomed = true;
	talk_say(t, ":irc 001 %s :Welcome\r\n:irc 005 %s CHANTYPES=#& :are supported\r\n"
		 ":irc 376 %s :End of /MOTD command.\r\n", irc->nick, irc->nick, irc->nick);
}

static void irc_join(struct talk *t, const struct irc *irc, struct bytes rest, struct bytes line)
{
	struct bytes channel = bytes_word(&rest);
	if (channel.len > 200)
		channel.len = 200;
	talk_tell(t, "join", channel, line);
	talk_say(t, ":%s!u@h JOIN %.*s\r\n:irc 366 %s %.*s :End of /NAMES list.\r\n", irc->nick, (int)channel.len,
		 (const char *)channel.at, irc->nick, (int)channel.len, (const char *)channel.at);
}

static enum talk_next irc_line(struct talk *t, struct irc *irc, struct bytes line)
{
	struct bytes rest = line, command = bytes_word(&rest);
	if (bytes_equal_nocase(command, "NICK")) {
		if (!irc->nick[0])
			talk_tell(t, "line", line, line);
		struct bytes nick = bytes_word(&rest);
		for (size_t i = 0; i < nick.len && i < IRC_NICK_MAX; i++)
			irc->nick[i] = nick.at[i] > ' ' && nick.at[i] < 0x7f ? (char)nick.at[i] : '_';
		irc_welcome(t, irc);
	} else if (bytes_equal_nocase(command, "JOIN")) {
		irc_join(t, irc, rest, line);
	} else if (bytes_equal_nocase(command, "PING")) {
		talk_say(t, ":irc PONG irc ");
		talk_say_bytes(t, rest.len > 400 ? (struct bytes){rest.at, 400} : rest);
		talk_say(t, "\r\n");
	} else if (bytes_equal_nocase(command, "QUIT")) {
		return TALK_END;
	} else if (line.len) {
		talk_tell(t, "line", line, line);
	}
	return TALK_ON;
}

static enum talk_next irc_input(struct talk *t, void *state, struct reader *r)
{
	struct bytes line;
	while (read_line(r, &line))
		if (irc_line(t, state, line) == TALK_END)
			return TALK_END;
	return TALK_ON;
}

static const struct sink_exchange irc_exchanges[] = {
	{.title = "a bot joins its channel with a key",
	 .said = BYTES("NICK bot1\r\nUSER a b c :d\r\nJOIN #x key\r\nPING :7\r\n"),
	 .heard = BYTES(":irc 001 bot1 :Welcome\r\n:irc 005 bot1 CHANTYPES=#& :are supported\r\n"
			":irc 376 bot1 :End of /MOTD command.\r\n"
			":bot1!u@h JOIN #x\r\n:irc 366 bot1 #x :End of /NAMES list.\r\n:irc PONG irc :7\r\n"),
	 .told = "line NICK bot1\nline USER a b c :d\njoin #x\n"},
	{0},
};

static const struct sink_protocol irc = {
	.name = "irc",
	.summary = "welcomes whoever comes and tells which channel it joins",
	.reference = "RFC 2812",
	.ports = {6667, 6666, 6668, 6669, 6697, 7000},
	.recognises = irc_recognises,
	.state_size = sizeof(struct irc),
	.input = irc_input,
	.exchanges = irc_exchanges,
};
SINK_PROTOCOL(irc);
