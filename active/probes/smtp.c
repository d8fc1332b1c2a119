/*
 * SMTP: the greeting, EHLO, QUIT.
 *
 * EHLO names the host of our page, as the protocol wants of a client (RFC 5321 4.1.1.1),
 * and is said only after the whole greeting, since a client that talks earlier is taken for
 * a spammer's.  The list of extensions tells servers apart whose greeting was rewritten.
 * No TLS is begun, no sender and no recipient is named.
 */
#include "active/reading/banner_inner.h"
#include "active/reading/contact_inner.h"
#include "active/probe.h"
#include "active/reading/reply_inner.h"

enum smtp_step { SMTP_LISTENS, SMTP_GREETED, SMTP_LEFT };

struct smtp {
	enum smtp_step step;
};

FIELD(SMTP_NAME, "smtp.name", BYTES, 0, "name by which the server answered EHLO");
FIELD(SMTP_EXTENSIONS, "smtp.extensions", BYTES, 0, "extensions of its answer to EHLO, in order");

static enum probe_next smtp_leave(struct asking *a, struct smtp *s)
{
	if (s->step != SMTP_LEFT)
		asking_say(a, "QUIT\r\n");
	s->step = SMTP_LEFT;
	return PROBE_CONTINUE;
}

static enum probe_next smtp_input(struct asking *a, void *state, struct reader *r)
{
	struct smtp *s = state;
	struct reader all = *r;
	struct reply reply;
	enum reply_state now = reply_take(&all, &reply);
	if (now == REPLY_ALIEN)
		return hear_out((struct bytes){r->at, reader_left(r)});
	if (now == REPLY_WAITS)
		return PROBE_CONTINUE;
	bool ready = reply.code == 220;
	if (!ready)
		smtp_leave(a, s);
	if (s->step == SMTP_LISTENS) {
		struct bytes host = contact_host(asking_settings(a));
		asking_say(a, "EHLO %.*s\r\n", (int)host.len, host.at);
		s->step = SMTP_GREETED;
	}
	/* The answer to EHLO, then that to QUIT; a server that was not ready has the latter alone. */
	for (int answers = ready ? 2 : 1; answers > 0; answers--) {
		now = reply_take(&all, &reply);
		if (now != REPLY_WHOLE)
			return now == REPLY_WAITS ? PROBE_CONTINUE : PROBE_DONE;
		smtp_leave(a, s);
	}
	return PROBE_DONE;
}

static void smtp_report_extensions(const struct reply *reply, struct event *answer)
{
	uint8_t text[BANNER_MAX], list[BANNER_MAX];
	struct writer room = writer_of(text, sizeof text), out = writer_of(list, sizeof list);
	struct bytes rest = reply_unfold(reply, &room);
	size_t end = bytes_find(rest, "\n");
	struct bytes name = {rest.at, end};
	event_set_bytes(answer, SMTP_NAME, bytes_word(&name));
	while (end < rest.len) {
		rest = (struct bytes){rest.at + end + 1, rest.len - end - 1};
		end = bytes_find(rest, "\n");
		if (writer_used(&out))
			write_fitting(&out, BYTES(", "));
		write_fitting(&out, (struct bytes){rest.at, end});
	}
	if (writer_used(&out))
		event_set_bytes(answer, SMTP_EXTENSIONS, writer_bytes(&out));
}

static void smtp_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct reader r = reader_of_bytes(unread);
	struct reply reply;
	if (reply_take(&r, &reply) != REPLY_WHOLE) {
		report_banner(answer, unread);
		return;
	}
	uint8_t text[BANNER_MAX];
	struct writer room = writer_of(text, sizeof text);
	bool ready = reply.code == 220;
	event_set_number(answer, FIELD_STATUS, reply.code);
	report_banner(answer, reply.raw);
	asking_signal(a, "smtp.banner", reply_unfold(&reply, &room));
	if (ready && reply_take(&r, &reply) == REPLY_WHOLE && reply.code == 250)
		smtp_report_extensions(&reply, answer);
}

static bool smtp_recognises(struct bytes first)
{
	return first.len > 3 &&
	       (bytes_start_with(first, "220") || bytes_start_with(first, "421") ||
		bytes_start_with(first, "554")) &&
	       (first.at[3] == ' ' || first.at[3] == '-') && bytes_find_nocase(first, "FTP") == first.len;
}

static const char *const smtp_signals[] = {"smtp.banner", NULL};

static const struct specimen smtp_specimens[] = {
	{
		.title = "Postfix 3.7",
		.answers = {BYTES("220 mail.example.net ESMTP Postfix\r\n"
				  "250-mail.example.net\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n"
				  "250-VRFY\r\n250-ETRN\r\n250-ENHANCEDSTATUSCODES\r\n"
				  "250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n"
				  "221 2.0.0 Bye\r\n")},
		.asked = BYTES("EHLO example.org\r\nQUIT\r\n"),
		.answered = "{\"status\":220,\"smtp.name\":\"mail.example.net\",\"smtp.extensions\":"
			    "\"PIPELINING, SIZE 10240000, VRFY, ETRN, ENHANCEDSTATUSCODES, "
			    "8BITMIME, DSN, SMTPUTF8, CHUNKING\"}\n",
		.signals = "smtp.banner: mail.example.net ESMTP Postfix\n",
	},
	{
		.title = "Exim 4.96 greets whoever greeted it",
		.answers = {BYTES("220 mail.example.net ESMTP Exim 4.96 Mon, 23 Nov 2026 19:44:40 +0000\r\n"
				  "250-mail.example.net Hello example.org [127.0.0.1]\r\n"
				  "250-SIZE 52428800\r\n250-8BITMIME\r\n250-PIPELINING\r\n"
				  "250-PIPECONNECT\r\n250-CHUNKING\r\n250-STARTTLS\r\n250-SMTPUTF8\r\n"
				  "250 HELP\r\n221 mail.example.net closing connection\r\n")},
		.asked = BYTES("EHLO example.org\r\nQUIT\r\n"),
		.answered = "{\"smtp.name\":\"mail.example.net\",\"smtp.extensions\":\"SIZE 52428800, "
			    "8BITMIME, PIPELINING, PIPECONNECT, CHUNKING, STARTTLS, SMTPUTF8, HELP\"}\n",
		.signals = "smtp.banner: mail.example.net ESMTP Exim 4.96 Mon, 23 Nov 2026 19:44:40 "
			   "+0000\n",
	},
	{
		.title = "a server that takes no mail",
		.answers = {BYTES("554 5.7.1 no SMTP service here\r\n221 bye\r\n")},
		.asked = BYTES("QUIT\r\n"),
		.answered = "{\"status\":554}\n",
		.signals = "smtp.banner: 5.7.1 no SMTP service here\n",
	},
	{
		.title = "a server older than EHLO is not asked again",
		.answers = {BYTES("220-ftp.example.net\n220 ready\n500 what?\n221 bye\n")},
		.asked = BYTES("EHLO example.org\r\nQUIT\r\n"),
		.answered = "{\"banner\":\"220-ftp.example.net\\n220 ready\"}\n",
		.signals = "smtp.banner: ftp.example.net\nready\n",
	},
	{
		.title = "something else on the port is told nothing",
		.answers = {BYTES("* OK ready\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"* OK ready\\r\\n\"}\n",
	},
	{
		.title = "an answer to EHLO that never ends",
		.answers = {BYTES("220 x\r\n250-x\r\n250-A\r\n250-B\r\n251 C")},
		.asked = BYTES("EHLO example.org\r\n"),
		.answered = "{\"status\":220}\n",
		.signals = "smtp.banner: x\n",
	},
	{0},
};

static const struct probe smtp = {
	.name = "smtp",
	.summary = "reads the greeting, says EHLO and QUIT; no mail, no TLS",
	.reference = "RFC 5321; Postfix, Exim",
	.transport = PROBE_TCP,
	.ports = {25, 587, 2525},
	.tier = PROBE_DEFAULT,
	.question_max = 512,
	.answer_max = 8192,
	.time_ms_max = 10000,
	.idle_ms = 6000,
	.connections_max = 1,
	.server_first = true,
	.recognises = smtp_recognises,
	.state_size = sizeof(struct smtp),
	.input = smtp_input,
	.finish = smtp_finish,
	.signals = smtp_signals,
	.specimens = smtp_specimens,
};
PROBE(smtp);
