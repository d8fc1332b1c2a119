/*
 * IMAP4: the greeting, CAPABILITY, LOGOUT.
 *
 * All three are for the state before a login (RFC 9051 6.1).  A server that greets with
 * PREAUTH has let us in unasked: it is told LOGOUT and nothing else.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"
#include "active/reading/reply_inner.h"

enum imap_step { IMAP_LISTENS, IMAP_ASKED, IMAP_LEFT };

struct imap {
	enum imap_step step;
};

struct imap_talk { /* what of it has come whole */
	struct bytes greeting, capabilities;
	bool alien, greeted, listed, left;
};

FIELD(IMAP_CAPABILITIES, "imap.capabilities", BYTES, 0, "capabilities in the server's order");

#define CAPABILITY "* CAPABILITY "

static bool imap_is_ready(struct bytes greeting) { return bytes_start_with(greeting, "* OK"); }

static struct imap_talk imap_read(struct bytes all)
{
	struct imap_talk t = {0};
	struct reader r = reader_of_bytes(all);
	struct bytes line;
	t.alien = all.len && all.at[0] != '*';
	if (t.alien || !read_line(&r, &t.greeting))
		return t;
	t.greeted = imap_is_ready(t.greeting) || bytes_start_with(t.greeting, "* PREAUTH") ||
		    bytes_start_with(t.greeting, "* BYE");
	t.alien = !t.greeted;
	while (t.greeted && read_line(&r, &line)) {
		if (bytes_start_with(line, CAPABILITY))
			t.capabilities = (struct bytes){line.at + strlen(CAPABILITY),
							line.len - strlen(CAPABILITY)};
		t.listed |= bytes_start_with(line, "a1 ");
		t.left |= bytes_start_with(line, "a2 ");
	}
	return t;
}

static enum probe_next imap_input(struct asking *a, void *state, struct reader *r)
{
	struct imap *i = state;
	struct bytes all = {r->at, reader_left(r)};
	struct imap_talk t = imap_read(all);
	if (t.greeted && i->step == IMAP_LISTENS) {
		bool ready = imap_is_ready(t.greeting);
		asking_say(a, ready ? "a1 CAPABILITY\r\n" : "a2 LOGOUT\r\n");
		i->step = ready ? IMAP_ASKED : IMAP_LEFT;
	}
	if (t.listed && i->step == IMAP_ASKED) {
		asking_say(a, "a2 LOGOUT\r\n");
		i->step = IMAP_LEFT;
	}
	if (t.alien)
		return hear_out(all);
	return t.left && i->step == IMAP_LEFT ? PROBE_DONE : PROBE_CONTINUE;
}

static void imap_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct imap_talk t = imap_read(unread);
	struct bytes banner = t.greeted ? t.greeting : unread;
	report_banner(answer, banner);
	if (!t.greeted)
		return;
	struct bytes text = banner;
	bytes_word(&text); /* the star */
	bytes_word(&text); /* OK, PREAUTH or BYE */
	asking_signal(a, "imap4.banner", text);
	report_bytes(answer, IMAP_CAPABILITIES, t.capabilities);
}

static bool imap_recognises(struct bytes first)
{
	return bytes_start_with(first, "* OK") || bytes_start_with(first, "* PREAUTH") ||
	       bytes_start_with(first, "* BYE");
}

static const char *const imap_signals[] = {"imap4.banner", NULL};

static const struct specimen imap_specimens[] = {
	{
		.title = "Dovecot 2.3",
		.answers = {BYTES("* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ "
				  "AUTH=PLAIN] Dovecot (Debian) ready.\r\n"
				  "* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ "
				  "AUTH=PLAIN\r\n"
				  "a1 OK Pre-login capabilities listed, post-login capabilities have more.\r\n"
				  "* BYE Logging out\r\na2 OK Logout completed (0.001 + 0.000 secs).\r\n")},
		.asked = BYTES("a1 CAPABILITY\r\na2 LOGOUT\r\n"),
		.answered = "{\"imap.capabilities\":\"IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE "
			    "LITERAL+ AUTH=PLAIN\"}\n",
		.signals = "imap4.banner: [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE "
			   "LITERAL+ AUTH=PLAIN] Dovecot (Debian) ready.\n",
	},
	{
		.title = "a server that lets everybody in is left at once",
		.answers = {BYTES("* PREAUTH IMAP4rev1 server logged in as Smith\r\n* BYE\r\na2 OK\r\n")},
		.asked = BYTES("a2 LOGOUT\r\n"),
		.answered = "{\"banner\":\"* PREAUTH IMAP4rev1 server logged in as Smith\"}\n",
		.signals = "imap4.banner: IMAP4rev1 server logged in as Smith\n",
	},
	{
		.title = "a server that refuses",
		.answers = {BYTES("* BYE Courier-IMAP: too many connections\n")},
		.asked = BYTES("a2 LOGOUT\r\n"),
		.answered = "{\"banner\":\"* BYE Courier-IMAP: too many connections\"}\n",
		.signals = "imap4.banner: Courier-IMAP: too many connections\n",
	},
	{
		.title = "tags that nobody gave answer nothing",
		.answers = {BYTES("* OK x\r\na2 OK\r\na3 BAD\r\na1 BAD unknown\r\n")},
		.asked = BYTES("a1 CAPABILITY\r\na2 LOGOUT\r\n"),
		.answered = "{\"banner\":\"* OK x\"}\n",
		.signals = "imap4.banner: x\n",
	},
	{
		.title = "something else on the port is told nothing",
		.answers = {BYTES("** welcome **\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"** welcome **\\r\\n\"}\n",
	},
	{0},
};

static const struct probe imap = {
	.name = "imap",
	.summary = "reads the greeting, asks CAPABILITY and says LOGOUT; never a user name",
	.reference = "RFC 9051, RFC 3501; Dovecot",
	.transport = PROBE_TCP,
	.ports = {143},
	.tier = PROBE_DEFAULT,
	.question_max = 64,
	.answer_max = 8192,
	.time_ms_max = 10000,
	.idle_ms = 5000,
	.connections_max = 1,
	.server_first = true,
	.recognises = imap_recognises,
	.state_size = sizeof(struct imap),
	.input = imap_input,
	.finish = imap_finish,
	.signals = imap_signals,
	.specimens = imap_specimens,
};
PROBE(imap);
