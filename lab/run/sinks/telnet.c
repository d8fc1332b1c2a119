/*
 * Telnet: a device that lets in whoever guesses a second time.
 *
 * Samples that spread by guessing go through a table of accounts; each guess is told.  What they do
 * once they are in shows how they infect and, above all, where they report what they found, so the
 * shell answers the two questions that such samples ask: whether a made-up applet is missing, as
 * BusyBox says it ("/bin/busybox MIRAI"), and for what processor the device is built (an ELF header).
 */
#include "lab/run/sink_protocol.h"

#define TELNET_USER_MAX 64
#define GUESSES_REFUSED 1

enum { SE = 240, SB = 250, WILL = 251, DONT = 254, IAC = 255 };
enum telnet_step { ASK_USER, ASK_PASSWORD, IN_SHELL };
enum telnet_place { IN_TEXT, AFTER_IAC, AFTER_VERB, IN_SUB, IN_SUB_IAC };

struct telnet {
	enum telnet_step step;
	enum telnet_place place;
	unsigned guesses;
	size_t user_len, line_len;
	bool overlong, after_return;
	char user[TELNET_USER_MAX];
	uint8_t line[2048];
};

static enum talk_next telnet_open(struct talk *t, void *state)
{
	(void)state;
	talk_say_bytes(t, BYTES("\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03\r\nlogin: "));
	return TALK_ON;
}

static void telnet_guess(struct talk *t, struct telnet *n, struct bytes secret)
{
	char pair[TELNET_USER_MAX * 2 + 2];
	struct writer w = writer_of(pair, sizeof pair);
	if (secret.len > TELNET_USER_MAX)
		secret.len = TELNET_USER_MAX;
	write_bytes(&w, n->user, n->user_len);
	write_u8(&w, ':');
	write_span(&w, secret);
	talk_tell(t, "credential", writer_bytes(&w), writer_bytes(&w));
	if (n->guesses++ < GUESSES_REFUSED) {
		talk_say(t, "\r\n\r\nLogin incorrect\r\nlogin: ");
		n->step = ASK_USER;
		return;
	}
	talk_say(t, "\r\n\r\n\r\nBusyBox v1.19.4 (2015-09-05 18:09:16 CST) built-in shell (ash)\r\n"
		 "Enter 'help' for a list of built-in commands.\r\n\r\n# ");
	n->step = IN_SHELL;
}

/* The first bytes of a 32-bit little-endian ELF file for ARM: e_machine is 40. */
#define ELF_OF_ARM                                                                                 \
	"\x7f" "ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\x28\0\1\0\0\0\x34\x81\0\0\x34\0\0\0"               \
	"\0\0\0\0\0\0\0\0\x34\0\x20\0\2\0\x28\0\0\0\0\0"

static void telnet_run(struct talk *t, struct bytes command)
{
	struct bytes rest = command, word = bytes_word(&rest);
	if (bytes_equal_text(word, "busybox") || bytes_find(word, "/busybox") < word.len) {
		struct bytes applet = bytes_word(&rest);
		bool real = bytes_equal_text(applet, "cat") || bytes_equal_text(applet, "echo") ||
			    bytes_equal_text(applet, "wget") || bytes_equal_text(applet, "tftp") ||
			    bytes_equal_text(applet, "ps") || bytes_equal_text(applet, "rm") ||
			    bytes_equal_text(applet, "cp") || bytes_equal_text(applet, "chmod") ||
			    bytes_equal_text(applet, "mkdir") || bytes_equal_text(applet, "kill");
		if (!real && applet.len && applet.len < 64) {
			talk_say_bytes(t, applet);
			talk_say(t, ": applet not found\r\n");
			return;
		}
		word = applet;
	}
	if (bytes_equal_text(word, "cat") && bytes_find(rest, "/bin/") < rest.len) {
		talk_say_bytes(t, BYTES(ELF_OF_ARM));
		talk_say(t, "\r\n");
	} else if (bytes_equal_text(word, "echo") && !memchr(rest.at, '>', rest.len)) {
		talk_say_bytes(t, rest.len > 512 ? (struct bytes){rest.at, 512} : rest);
		talk_say(t, "\r\n");
	}
}

static enum talk_next telnet_shell(struct talk *t, struct bytes line)
{
	if (line.len)
		talk_tell(t, "line", line, line);
	while (line.len) {
		size_t end = bytes_find(line, ";");
		struct bytes command = bytes_trim((struct bytes){line.at, end});
		size_t used = end < line.len ? end + 1 : end;
		line = (struct bytes){line.at + used, line.len - used};
		if (bytes_equal_text(command, "exit") || bytes_equal_text(command, "logout"))
			return TALK_END;
		telnet_run(t, command);
	}
	talk_say(t, "# ");
	return TALK_ON;
}

static enum talk_next telnet_line(struct talk *t, struct telnet *n)
{
	struct bytes line = {n->line, n->line_len};
	n->line_len = 0;
	switch (n->step) {
	case ASK_USER:
		n->user_len = line.len < TELNET_USER_MAX ? line.len : TELNET_USER_MAX;
		if (n->user_len)
			memcpy(n->user, line.at, n->user_len);
		talk_say(t, "%s", n->user_len ? "Password: " : "login: ");
		n->step = n->user_len ? ASK_PASSWORD : ASK_USER;
		return TALK_ON;
	case ASK_PASSWORD:
		telnet_guess(t, n, line);
		return TALK_ON;
	case IN_SHELL:
		return telnet_shell(t, line);
	}
	return TALK_END;
}

/* Samples end a line with CR LF, CR NUL (RFC 854), CR or LF. */
static bool telnet_byte(struct telnet *n, uint8_t c)
{
	switch (n->place) {
	case IN_TEXT:
		break;
	case AFTER_IAC:
		n->place = c >= WILL && c <= DONT ? AFTER_VERB : c == SB ? IN_SUB : IN_TEXT;
		return false;
	case AFTER_VERB:
		n->place = IN_TEXT;
		return false;
	case IN_SUB:
		n->place = c == IAC ? IN_SUB_IAC : IN_SUB;
		return false;
	case IN_SUB_IAC:
		n->place = c == SE ? IN_TEXT : IN_SUB;
		return false;
	}
	bool returned = n->after_return;
	n->after_return = c == '\r';
	if (c == IAC) {
		n->place = AFTER_IAC;
		return false;
	}
	if (c == '\r')
		return true;
	if (returned && (c == '\n' || c == 0))
		return false;
	if (c == '\n')
		return true;
	if (c && n->line_len < sizeof n->line)
		n->line[n->line_len++] = c;
	return false;
}

static enum talk_next telnet_input(struct talk *t, void *state, struct reader *r)
{
	struct telnet *n = state;
	while (reader_left(r))
		if (telnet_byte(n, read_u8(r)) && telnet_line(t, n) == TALK_END)
			return TALK_END;
	return TALK_ON;
}

/* Who negotiates first is a telnet client. */
static bool telnet_recognises(struct bytes first, bool on_its_port)
{
	(void)on_its_port;
	return first.len >= 3 && first.at[0] == IAC && first.at[1] >= WILL && first.at[1] <= DONT;
}

static const struct sink_exchange telnet_exchanges[] = {
	{.title = "the second guess is let in, and a made-up applet is missing",
	 .said = BYTES("\xff\xfc\x01root\r\nxc3511\r\nroot\r\nvizxv\r\nsh\r\n/bin/busybox MIRAI\r\n"),
	 .heard = BYTES("\xff\xfd\x01\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03\r\nlogin: Password: "
			"\r\n\r\nLogin incorrect\r\nlogin: Password: "
			"\r\n\r\n\r\nBusyBox v1.19.4 (2015-09-05 18:09:16 CST) built-in shell (ash)\r\n"
			"Enter 'help' for a list of built-in commands.\r\n\r\n# # MIRAI: applet not found\r\n# "),
	 .told = "credential root:xc3511\ncredential root:vizxv\nline sh\nline /bin/busybox MIRAI\n"},
	{0},
};

static const struct sink_protocol telnet = {
	.name = "telnet",
	.summary = "a device that lets in whoever guesses twice, and its shell",
	.reference = "RFC 854; BusyBox 1.19 telnetd and ash",
	.greets = true,
	.ports = {23, 2323, 23231, 2223, 26, 9527},
	.recognises = telnet_recognises,
	.state_size = sizeof(struct telnet),
	.open = telnet_open,
	.input = telnet_input,
	.exchanges = telnet_exchanges,
};
SINK_PROTOCOL(telnet);
