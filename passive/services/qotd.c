/*
 * Quote of the day, over TCP and UDP, as the simple services of Windows give it.
 *
 * The quotes are those of %SystemRoot%\System32\drivers\etc\quotes, one of which is drawn at
 * each request.
 */
#include "passive/service.h"

static const char *const quotes[] = {
	"\"My spelling is Wobbly.  It's good spelling but it Wobbles, and the letters\r\n"
	" get in the wrong places.\" A. A. Milne (1882-1958)\r\n",
	"\"Man can climb to the highest summits, but he cannot dwell there long.\"\r\n"
	" George Bernard Shaw (1856-1950)\r\n",
	"\"In Heaven an angel is nobody in particular.\" George Bernard Shaw (1856-1950)\r\n",
	"\"Assassination is the extreme form of censorship.\"\r\n"
	" George Bernard Shaw (1856-1950)\r\n",
	"\"When a stupid man is doing something he's ashamed of, he always declares\r\n"
	" that it is his duty.\" George Bernard Shaw (1856-1950)\r\n",
	"\"We have no more right to consume happiness without producing it than to\r\n"
	" consume wealth without producing it.\" George Bernard Shaw (1856-1950)\r\n",
	"\"We want a few mad people now.  See where the sane ones have landed us!\"\r\n"
	" George Bernard Shaw (1856-1950)\r\n",
	"\"The secret of being miserable is to have leisure to bother about whether\r\n"
	" you are happy or not.  The cure for it is occupation.\"\r\n"
	" George Bernard Shaw (1856-1950)\r\n",
	"\"Here's the rule for bargains:  \"Do other men, for they would do you.\"\r\n"
	" That's the true business precept.\" Charles Dickens (1812-70)\r\n",
	"\"Oh the nerves, the nerves; the mysteries of this machine called man!\r\n"
	" Oh the little that unhinges it, poor creatures that we are!\"\r\n"
	" Charles Dickens (1812-70)\r\n",
	"\"A wonderful fact to reflect upon, that every human creature is constituted\r\n"
	" to be that profound secret and mystery to every other.\"\r\n"
	" Charles Dickens (1812-70)\r\n",
	"\"It was as true as taxes is.  And nothing's truer than them.\"\r\n"
	" Charles Dickens (1812-70)\r\n",
};

static void say_quote(struct session *s)
{
	size_t count = sizeof quotes / sizeof *quotes;
	struct bytes quote = bytes_of_text(quotes[session_random(s) % count]);
	session_would_say(s, quote.len);
	if (quote.len <= session_answer_max(s))
		session_say_bytes(s, quote);
}

static enum service_next qotd_open(struct session *s, void *state)
{
	(void)state;
	if (session_transport(s) == TRANSPORT_UDP) /* over UDP the datagram asks */
		return SERVICE_CONTINUE;
	say_quote(s);
	return SERVICE_CLOSE;
}

static enum service_next qotd_input(struct session *s, void *state, struct reader *in)
{
	(void)state;
	struct bytes asked = read_rest(in);
	struct event *e = session_report(s, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, asked);
	say_quote(s);
	return SERVICE_CONTINUE;
}

#define DRAWN                                                                                      \
	"\"Man can climb to the highest summits, but he cannot dwell there long.\"\r\n"            \
	" George Bernard Shaw (1856-1950)\r\n"

static const struct exchange qotd_exchanges[] = {
        {"a connection brings a quote and its end", BYTES("ignored"), BYTES(DRAWN), ""},
        {0},
};

static const struct exchange qotd_exchanges_udp[] = {
        {"a datagram brings a quote", BYTES("\n"), BYTES(DRAWN),
         "{\"kind\":\"command.sent\",\"command.line\":\"\\n\"}"},
        {0},
};

static const struct service qotd = {
        .name = "qotd",
        .summary = "quote of the day, as Windows gives it",
        .reference = "RFC 865; simple TCP/IP services of Windows",
        .transports = TRANSPORT_TCP | TRANSPORT_UDP,
        .ports = {17},
        .state_size = 1,
        .input_max = 2048,
        .output_max = 1024,
        .arena_max = 4096,
        .idle_ms_max = 10 * 1000,
        .session_ms_max = 60 * 1000,
        .open = qotd_open,
        .input = qotd_input,
        .exchanges = qotd_exchanges,
        .exchanges_udp = qotd_exchanges_udp,
};
SERVICE(qotd);
