/*
 * SMTP: takes every letter, tells from whom, to whom and what; none is passed on.
 */
#include "lab/run/sink_protocol.h"

enum smtp_step { IN_COMMANDS, IN_USER, IN_SECRET, IN_PLAIN, IN_LETTER };

struct smtp {
	enum smtp_step step;
	size_t user_len, letter_len;
	uint8_t user[128];
	uint8_t letter[2048]; /* its beginning */
};

static enum talk_next smtp_open(struct talk *t, void *state)
{
	(void)state;
	struct bytes name = talk_name_of(t, talk_address(t));
	talk_say(t, "220 ");
	talk_say_bytes(t, name.len ? name : BYTES("mail"));
	talk_say(t, " ESMTP Postfix\r\n");
	return TALK_ON;
}

/* As it stands: base64 is told as base64, who reads it can undo it. */
static void smtp_credential(struct talk *t, struct smtp *m, struct bytes secret)
{
	uint8_t pair[512];
	struct writer w = writer_of(pair, sizeof pair);
	write_bytes(&w, m->user, m->user_len);
	if (m->user_len)
		write_u8(&w, ':');
	write_span(&w, secret.len > 256 ? (struct bytes){secret.at, 256} : secret);
	talk_tell(t, "credential", writer_bytes(&w), writer_bytes(&w));
	talk_say(t, "235 2.7.0 Authentication successful\r\n");
	m->step = IN_COMMANDS;
}

static void smtp_auth(struct talk *t, struct smtp *m, struct bytes rest)
{
	struct bytes how = bytes_word(&rest);
	m->user_len = 0;
	if (bytes_equal_nocase(how, "PLAIN") && rest.len) {
		smtp_credential(t, m, rest);
	} else if (bytes_equal_nocase(how, "PLAIN")) {
		m->step = IN_PLAIN;
		talk_say(t, "334 \r\n");
	} else {
		m->step = IN_USER;
		talk_say(t, "334 VXNlcm5hbWU6\r\n");
	}
}

static enum talk_next smtp_command(struct talk *t, struct smtp *m, struct bytes line)
{
	struct bytes rest = line, verb = bytes_word(&rest);
	if (bytes_equal_nocase(verb, "EHLO")) {
		talk_tell(t, "line", line, line);
		talk_say(t, "250-mail\r\n250-SIZE 10240000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n");
	} else if (bytes_equal_nocase(verb, "AUTH")) {
		smtp_auth(t, m, rest);
	} else if (bytes_equal_nocase(verb, "MAIL") || bytes_equal_nocase(verb, "RCPT")) {
		talk_tell(t, "mail", line, line);
		talk_say(t, "250 2.1.0 Ok\r\n");
	} else if (bytes_equal_nocase(verb, "DATA")) {
		m->step = IN_LETTER;
		m->letter_len = 0;
		talk_say(t, "354 End data with <CR><LF>.<CR><LF>\r\n");
	} else if (bytes_equal_nocase(verb, "QUIT")) {
		talk_say(t, "221 2.0.0 Bye\r\n");
		return TALK_END;
	} else if (bytes_equal_nocase(verb, "STARTTLS")) {
		talk_say(t, "454 4.7.0 TLS not available due to local problem\r\n");
	} else {
		talk_tell(t, "line", line, line);
		talk_say(t, "250 2.0.0 Ok\r\n");
	}
	return TALK_ON;
}

static void smtp_letter(struct talk *t, struct smtp *m, struct bytes line)
{
	if (!bytes_equal_text(line, ".")) {
		struct writer w = {m->letter, m->letter + m->letter_len, m->letter + sizeof m->letter, false};
		write_span(&w, line);
		write_u8(&w, '\n');
		m->letter_len = w.bad ? m->letter_len : writer_used(&w);
		return;
	}
	struct bytes letter = {m->letter, m->letter_len};
	size_t subject = bytes_find_nocase(letter, "subject:");
	struct reader r = reader_of(letter.at + subject, letter.len - subject);
	struct bytes first = {0};
	read_line(&r, &first);
	talk_tell(t, "letter", first, letter);
	talk_say(t, "250 2.0.0 Ok: queued as 4B1C2A0D51\r\n");
	m->step = IN_COMMANDS;
}

static enum talk_next smtp_input(struct talk *t, void *state, struct reader *r)
{
	struct smtp *m = state;
	struct bytes line;
	while (read_line(r, &line)) {
		switch (m->step) {
		case IN_COMMANDS:
			if (smtp_command(t, m, line) == TALK_END)
				return TALK_END;
			break;
		case IN_USER:
			m->user_len = line.len < sizeof m->user ? line.len : sizeof m->user;
			if (m->user_len)
				memcpy(m->user, line.at, m->user_len);
			m->step = IN_SECRET;
			talk_say(t, "334 UGFzc3dvcmQ6\r\n");
			break;
		case IN_SECRET:
		case IN_PLAIN:
			smtp_credential(t, m, line);
			break;
		case IN_LETTER:
			smtp_letter(t, m, line);
			break;
		}
	}
	return TALK_ON;
}

static bool smtp_recognises(struct bytes first, bool on_its_port)
{
	return bytes_start_with(first, "EHLO ") || (on_its_port && bytes_start_with(first, "HELO "));
}

static const struct sink_exchange smtp_exchanges[] = {
	{.title = "an account, a letter",
	 .said = BYTES("EHLO me\r\nAUTH LOGIN\r\ndXNlcg==\r\nc2VjcmV0\r\nMAIL FROM:<a@b.example>\r\n"
		       "RCPT TO:<c@d.example>\r\nDATA\r\nSubject: hi\r\n\r\nbody\r\n.\r\nQUIT\r\n"),
	 .heard = BYTES("220 mail ESMTP Postfix\r\n250-mail\r\n250-SIZE 10240000\r\n250-AUTH PLAIN LOGIN\r\n"
			"250 8BITMIME\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"
			"235 2.7.0 Authentication successful\r\n250 2.1.0 Ok\r\n250 2.1.0 Ok\r\n"
			"354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as 4B1C2A0D51\r\n"
			"221 2.0.0 Bye\r\n"),
	 .told = "line EHLO me\ncredential dXNlcg==:c2VjcmV0\nmail MAIL FROM:<a@b.example>\n"
		 "mail RCPT TO:<c@d.example>\nletter Subject: hi\n"},
	{0},
};

static const struct sink_protocol smtp = {
	.name = "smtp",
	.summary = "takes every letter and passes none on",
	.reference = "RFC 5321, RFC 4954",
	.secure_name = "smtps",
	.greets = true,
	.ports = {25, 587, 465, 2525},
	.recognises = smtp_recognises,
	.state_size = sizeof(struct smtp),
	.open = smtp_open,
	.input = smtp_input,
	.exchanges = smtp_exchanges,
};
SINK_PROTOCOL(smtp);
