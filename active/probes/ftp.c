/*
 * FTP: the greeting, then QUIT.
 *
 * The greeting names the product more often than not.  No name is given, so SYST and FEAT,
 * which many servers answer only behind a login, are not asked.
 */
#include "active/reading/banner_inner.h"
#include "active/probe.h"
#include "active/reading/reply_inner.h"

struct ftp {
	bool left; /* QUIT was said */
};

static enum probe_next ftp_input(struct asking *a, void *state, struct reader *r)
{
	struct ftp *f = state;
	struct reader all = *r;
	struct reply reply;
	enum reply_state first = reply_take(&all, &reply);
	if (first == REPLY_ALIEN)
		return hear_out((struct bytes){r->at, reader_left(r)});
	if (first == REPLY_WAITS)
		return PROBE_CONTINUE;
	/* 1yz: it will be ready in a while (RFC 959 4.2.1); there is no need to wait for that. */
	if (!f->left)
		asking_say(a, "QUIT\r\n");
	f->left = true;
	return reply_take(&all, &reply) == REPLY_WAITS ? PROBE_CONTINUE : PROBE_DONE;
}

static void ftp_finish(struct asking *a, void *state, struct bytes unread, struct event *answer)
{
	(void)state;
	struct reader r = reader_of_bytes(unread);
	struct reply greeting;
	if (reply_take(&r, &greeting) != REPLY_WHOLE) {
		report_banner(answer, unread);
		return;
	}
	uint8_t text[BANNER_MAX];
	struct writer room = writer_of(text, sizeof text);
	event_set_number(answer, FIELD_STATUS, greeting.code);
	report_banner(answer, greeting.raw);
	asking_signal(a, "ftp.banner", reply_unfold(&greeting, &room));
}

/* SMTP greets with the same numbers, and all but always with its name. */
static bool ftp_recognises(struct bytes first)
{
	return first.len > 3 && (bytes_start_with(first, "220") || bytes_start_with(first, "421")) &&
	       (first.at[3] == ' ' || first.at[3] == '-') && bytes_find_nocase(first, "SMTP") == first.len;
}

static const char *const ftp_signals[] = {"ftp.banner", NULL};

static const struct specimen ftp_specimens[] = {
	{
		.title = "vsftpd 3.0.3",
		.answers = {BYTES("220 (vsFTPd 3.0.3)\r\n221 Goodbye.\r\n")},
		.asked = BYTES("QUIT\r\n"),
		.answered = "{\"status\":220,\"banner\":\"220 (vsFTPd 3.0.3)\"}\n",
		.signals = "ftp.banner: (vsFTPd 3.0.3)\n",
	},
	{
		.title = "ProFTPD 1.3.8",
		.answers = {BYTES("220 ProFTPD Server (Debian) [127.0.0.1]\r\n221 Goodbye.\r\n")},
		.asked = BYTES("QUIT\r\n"),
		.answered = "{\"status\":220}\n",
		.signals = "ftp.banner: ProFTPD Server (Debian) [127.0.0.1]\n",
	},
	{
		.title = "vsftpd 3.0.3 that was not set up",
		.answers = {BYTES("500 OOPS: vsftpd: both local and anonymous access disabled!\r\n")},
		.asked = BYTES("QUIT\r\n"),
		.answered = "{\"status\":500}\n",
		.signals = "ftp.banner: OOPS: vsftpd: both local and anonymous access disabled!\n",
	},
	{
		.title = "Pure-FTPd: a greeting of several lines",
		.answers = {BYTES("220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n"
				  "220-You are user number 1 of 50 allowed.\r\n"
				  "220-Local time is now 19:40. Server port: 14022.\r\n"
				  "220-This is a private system - No anonymous login\r\n"
				  "220-IPv6 connections are also welcome on this server.\r\n"
				  "220 You will be disconnected after 15 minutes of inactivity.\r\n"
				  "221-Goodbye. You uploaded 0 and downloaded 0 kbytes.\r\n"
				  "221 Logout.\r\n")},
		.asked = BYTES("QUIT\r\n"),
		.answered = "{\"status\":220}\n",
		.signals = "ftp.banner: --------- Welcome to Pure-FTPd [privsep] [TLS] ----------\n"
			   "You are user number 1 of 50 allowed.\n"
			   "Local time is now 19:40. Server port: 14022.\n"
			   "This is a private system - No anonymous login\n"
			   "IPv6 connections are also welcome on this server.\n"
			   "You will be disconnected after 15 minutes of inactivity.\n",
	},
	{
		.title = "lines in the middle need no digits, and may have others (RFC 959 4.2)",
		.answers = {BYTES("220-router\n 110 no end\n123 nor this\n220\n")},
		.asked = BYTES("QUIT\r\n"),
		.answered = "{\"banner\":\"220-router\\n 110 no end\\n123 nor this\\n220\"}\n",
		.signals = "ftp.banner: router\n110 no end\n123 nor this\n",
	},
	{
		.title = "a server that takes nobody in",
		.answers = {BYTES("421 There are too many connected users, please try later.\r\n")},
		.asked = BYTES("QUIT\r\n"),
		.answered = "{\"status\":421}\n",
		.signals = "ftp.banner: There are too many connected users, please try later.\n",
	},
	{
		.title = "something else on the port is told nothing",
		.answers = {BYTES("SSH-2.0-dropbear_2012.55\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"SSH-2.0-dropbear_2012.55\\r\\n\"}\n",
	},
	{
		.title = "a greeting that never ends is not answered",
		.answers = {BYTES("220-one\r\n220-two\r\n220-thr")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"220-one\\r\\n220-two\\r\\n220-thr\"}\n",
	},
	{
		.title = "digits alone, and an empty line",
		.answers = {BYTES("\r\n")},
		.asked = BYTES(""),
		.answered = "{\"banner\":\"\\r\\n\"}\n",
	},
	{0},
};

static const struct probe ftp = {
	.name = "ftp",
	.summary = "reads the greeting and says QUIT; never a user name",
	.reference = "RFC 959; vsftpd, Pure-FTPd, ProFTPD",
	.transport = PROBE_TCP,
	.ports = {21, 2121},
	.tier = PROBE_DEFAULT,
	.question_max = 16,
	.answer_max = 8192,
	.time_ms_max = 10000,
	.idle_ms = 5000,
	.connections_max = 1,
	.server_first = true,
	.recognises = ftp_recognises,
	.state_size = sizeof(struct ftp),
	.input = ftp_input,
	.finish = ftp_finish,
	.signals = ftp_signals,
	.specimens = ftp_specimens,
};
PROBE(ftp);
