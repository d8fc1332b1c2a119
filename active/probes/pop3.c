/*
 * POP3: the greeting, CAPA, QUIT.
 *
 * CAPA (RFC 2449 5) is allowed before a login and lists what the server can do, sometimes
 * with its IMPLEMENTATION.  Servers older than it say -ERR, which is an answer, too.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"
#include "active/reading/reply_inner.h"

enum pop3_step { POP3_LISTENS, POP3_ASKED, POP3_LEFT };

struct pop3 {
	enum pop3_step step;
};

struct pop3_talk { /* what of it has come whole */
	struct bytes greeting, capabilities;
	bool alien, greeted, listed, left;
};

FIELD(POP3_CAPABILITIES, "pop3.capabilities", BYTES, 0, "capabilities in the server's order");

static bool pop3_is_ok(struct bytes line) { return bytes_start_with(line, "+OK"); }

/* The lines of a list up to the one with the dot (RFC 1939 3); false: it has not come yet. */
static bool pop3_list(struct reader *r, struct bytes *list)
{
	const uint8_t *start = r->at;
	struct bytes line;
	while (read_line(r, &line))
		if (bytes_equal_text(line, ".")) {
			*list = (struct bytes){start, (size_t)(line.at - start)};
			return true;
		}
	return false;
}

static struct pop3_talk pop3_read(struct bytes all)
{
	struct pop3_talk t = {0};
	struct reader r = reader_of_bytes(all);
	struct bytes line;
	t.alien = all.len && all.at[0] != '+' && all.at[0] != '-';
	if (t.alien || !read_line(&r, &t.greeting))
		return t;
	t.alien = !pop3_is_ok(t.greeting) && !bytes_start_with(t.greeting, "-ERR");
	t.greeted = !t.alien;
	if (!pop3_is_ok(t.greeting) || !read_line(&r, &line))
		return t;
	t.listed = !pop3_is_ok(line) || pop3_list(&r, &t.capabilities);
	t.left = t.listed && read_line(&r, &line);
	return t;
}

static enum probe_next pop3_input(struct asking *a, void *state, struct reader *r)
{
	struct pop3 *p = state;
	struct bytes all = {r->at, reader_left(r)};
	struct pop3_talk t = pop3_read(all);
	if (t.greeted && p->step == POP3_LISTENS) {
		bool ready = pop3_is_ok(t.greeting);
		asking_say(a, ready ? "CAPA\r\n" : "QUIT\r\n");
		p->step = ready ? POP3_ASKED : POP3_LEFT;
	}
	if (t.listed && p->step == POP3_ASKED) {
		asking_say(a, "QUIT\r\n");
		p->step = POP3_LEFT;
	}
	if (t.alien)
		return hear_out(all);
	return t.left ? PROBE_DONE : PROBE_CONTINUE;
}

static void pop3_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct pop3_talk t = pop3_read(unread);
	struct bytes banner = t.greeted ? t.greeting : unread;
	report_banner(answer, banner);
	if (!t.greeted)
		return;
	struct bytes text = banner;
	bytes_word(&text); /* +OK or -ERR */
	asking_signal(a, "pop3.banner", text);
	uint8_t list[BANNER_MAX];
	struct writer out = writer_of(list, sizeof list);
	struct reader r = reader_of_bytes(t.capabilities);
	struct bytes line;
	while (read_line(&r, &line)) {
		if (writer_used(&out))
			write_fitting(&out, BYTES(", "));
		write_fitting(&out, line);
	}
	if (writer_used(&out))
		event_set_bytes(answer, POP3_CAPABILITIES, writer_bytes(&out));
}

static bool pop3_recognises(struct bytes first) { return bytes_start_with(first, "+OK"); }

static const char *const pop3_signals[] = {"pop3.banner", NULL};

static const struct specimen pop3_specimens[] = {
	{
		.title = "Dovecot 2.3",
		.answers = {BYTES("+OK Dovecot (Debian) ready.\r\n"
				  "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n"
				  "USER\r\nSASL PLAIN\r\n.\r\n+OK Logging out\r\n")},
		.asked = BYTES("CAPA\r\nQUIT\r\n"),
		.answered = "{\"banner\":\"+OK Dovecot (Debian) ready.\",\"pop3.capabilities\":"
			    "\"CAPA, TOP, UIDL, RESP-CODES, PIPELINING, AUTH-RESP-CODE, USER, "
			    "SASL PLAIN\"}\n",
		.signals = "pop3.banner: Dovecot (Debian) ready.\n",
	},
	{
		.title = "a server older than CAPA",
		.answers = {BYTES("+OK QPOP (version 2.53) at mail starting.\n-ERR Unknown command\n+OK\n")},
		.asked = BYTES("CAPA\r\nQUIT\r\n"),
		.answered = "{\"banner\":\"+OK QPOP (version 2.53) at mail starting.\"}\n",
		.signals = "pop3.banner: QPOP (version 2.53) at mail starting.\n",
	},
	{
		.title = "a server that is not ready",
		.answers = {BYTES("-ERR too many connections\r\n+OK\r\n")},
		.asked = BYTES("QUIT\r\n"),
		.answered = "{\"banner\":\"-ERR too many connections\"}\n",
		.signals = "pop3.banner: too many connections\n",
	},
	{
		.title = "something else on the port is told nothing",
		.answers = {BYTES("220 smtp\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"220 smtp\\r\\n\"}\n",
	},
	{
		.title = "a list that never ends",
		.answers = {BYTES("+OK \r\n+OK\r\nTOP\r\n..\r\n . \r\nUIDL")},
		.asked = BYTES("CAPA\r\n"),
		.answered = "{\"banner\":\"+OK \"}\n",
	},
	{0},
};

static const struct probe pop3 = {
	.name = "pop3",
	.summary = "reads the greeting, asks CAPA and says QUIT; never a user name",
	.reference = "RFC 1939, RFC 2449; Dovecot",
	.transport = PROBE_TCP,
	.ports = {110},
	.tier = PROBE_DEFAULT,
	.question_max = 32,
	.answer_max = 8192,
	.time_ms_max = 10000,
	.idle_ms = 5000,
	.connections_max = 1,
	.server_first = true,
	.recognises = pop3_recognises,
	.state_size = sizeof(struct pop3),
	.input = pop3_input,
	.finish = pop3_finish,
	.signals = pop3_signals,
	.specimens = pop3_specimens,
};
PROBE(pop3);
