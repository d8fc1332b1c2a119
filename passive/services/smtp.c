/*
 * SMTP of a Postfix or an Exim with mailboxes of its own: it takes mail for them and for nobody else.
 *
 * Who has logged in may write to others, and a device that plays an open relay lets anybody; what
 * is so taken is kept, and nothing is ever sent.  Log-ins answer after the pause that Dovecot's
 * take, on which Postfix relies for them.
 */
#include "passive/services/mail/smtp.h"

#define LINE_MAX 2048
#define ERRORS_MAX 20 /* smtpd_hard_error_limit */

static const struct smtp_device *device_of(const struct session *s) { return session_device(s); }

static enum service_next smtp_open(struct session *s, void *state)
{
	(void)state;
	smtp_banner(s);
	return SERVICE_CONTINUE;
}

/* The server hangs up on who errs too often. */
static enum service_next say_error(struct session *s, struct smtp *smtp, enum smtp_word word)
{
	smtp_say(s, word);
	if (++smtp->errors < ERRORS_MAX)
		return SERVICE_CONTINUE;
	smtp_say(s, SMTP_TOO_MANY_ERRORS);
	return SERVICE_CLOSE;
}

static void reset(struct smtp *smtp)
{
	smtp->has_sender = smtp->relayed = smtp->data = smtp->chunking = false;
	smtp->recipient_count = smtp->to_len = smtp->own_len = smtp->sender_len = 0;
	smtp_message_begin(smtp);
}

static enum service_next greet(struct session *s, struct smtp *smtp, struct bytes name, bool extended)
{
	name = bytes_trim(name);
	if (name.len == 0)
		return say_error(s, smtp, extended ? SMTP_EHLO_SYNTAX : SMTP_HELO_SYNTAX);
	reset(smtp);
	smtp->greeted = true;
	smtp->extended = extended;
	smtp->helo_len = (uint8_t)(name.len < sizeof smtp->helo ? name.len : sizeof smtp->helo);
	memcpy(smtp->helo, name.at, smtp->helo_len);
	smtp_greet(s, smtp, (struct bytes){smtp->helo, smtp->helo_len});
	return SERVICE_CONTINUE;
}

/* Takes "FROM:<address>" or "TO: address" apart; false: it is none. */
static bool path_of(struct bytes *rest, const char *word, struct bytes *address)
{
	size_t n = strlen(word);
	struct bytes b = bytes_trim(*rest);
	if (b.len <= n || !bytes_equal_nocase((struct bytes){b.at, n}, word))
		return false;
	b = bytes_trim((struct bytes){b.at + n, b.len - n});
	if (b.len == 0)
		return false;
	size_t end = 0, start = b.at[0] == '<';
	char until = start ? '>' : ' ';
	while (end < b.len && b.at[end] != (uint8_t)until)
		end++;
	*address = (struct bytes){b.at + start, end - start};
	size_t taken = end + (start && end < b.len);
	*rest = bytes_trim((struct bytes){b.at + taken, b.len - taken});
	return address->len < SMTP_PATH_MAX;
}

/* The parameters of MAIL and RCPT (RFC 5321 4.1.2). */
static bool parameters_hold(struct session *s, struct smtp *smtp, struct bytes rest)
{
	static const char *const known[] = {"BODY=", "RET=", "ENVID=", "AUTH=", "NOTIFY=", "ORCPT=", "SMTPUTF8"};
	while (rest.len) {
		struct bytes word = bytes_word(&rest), digits = {word.at + 5, word.len > 5 ? word.len - 5 : 0};
		uint64_t size = 0;
		bool found = false;
		if (word.len > 5 && bytes_equal_nocase((struct bytes){word.at, 5}, "SIZE=")) {
			found = true;
			if (!bytes_number(digits, UINT64_MAX, &size) || size > device_of(s)->size_max) {
				say_error(s, smtp, SMTP_SIZE);
				return false;
			}
		}
		for (size_t i = 0; i < sizeof known / sizeof *known && !found; i++)
			found = word.len >= strlen(known[i]) &&
				bytes_equal_nocase((struct bytes){word.at, strlen(known[i])}, known[i]);
		if (word.len && !found) {
			smtp->errors++;
			session_say(s, "555 5.5.4 Unsupported option: %.*s\r\n", (int)(word.len < 256 ? word.len : 256),
				    (const char *)word.at);
			return false;
		}
	}
	return true;
}

static enum service_next take_sender(struct session *s, struct smtp *smtp, struct bytes rest)
{
	struct bytes address;
	if (smtp->has_sender)
		return say_error(s, smtp, SMTP_NESTED);
	if (!path_of(&rest, "FROM:", &address))
		return say_error(s, smtp, SMTP_MAIL_SYNTAX);
	if (!parameters_hold(s, smtp, rest))
		return SERVICE_CONTINUE;
	smtp->has_sender = true;
	smtp->sender_len = (uint16_t)address.len;
	if (address.len)
		memcpy(smtp->sender, address.at, address.len);
	smtp_say(s, SMTP_SENDER_OK);
	return SERVICE_CONTINUE;
}

static bool is_own_domain(struct session *s, const struct smtp_device *d, struct bytes domain)
{
	char name[128];
	const char *const *domains = d->domains.items;
	session_expand(s, d->name, name, sizeof name);
	if (domain.len == 0 || bytes_equal_nocase(domain, name) || bytes_equal_nocase(domain, "localhost"))
		return true;
	for (size_t i = 0; i < d->domains.count; i++) {
		session_expand(s, domains[i], name, sizeof name);
		if (bytes_equal_nocase(domain, name))
			return true;
	}
	return false;
}

static bool is_mailbox(struct session *s, const struct smtp_device *d, struct bytes local)
{
	static const char *const always[] = {"postmaster", "root", "abuse"};
	const char *const *names = d->mailboxes.items;
	struct bytes secret;
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		if (bytes_equal_nocase(local, always[i]))
			return true;
	for (size_t i = 0; i < d->mailboxes.count; i++)
		if (bytes_equal_nocase(local, names[i]))
			return true;
	return accounts_secret(s, &d->accounts, local, &secret);
}

/* One more behind a blank, where it fits; how long they are now. */
static size_t add_name(uint8_t *names, size_t len, size_t size, struct bytes name)
{
	struct writer w = {names, names + len, names + size, false};
	if (writer_left(&w) <= name.len)
		return len;
	if (len)
		write_u8(&w, ' ');
	write_span(&w, name);
	return writer_used(&w);
}

static enum service_next take_recipient(struct session *s, struct smtp *smtp, struct bytes rest)
{
	const struct smtp_device *d = device_of(s);
	struct bytes address;
	if (!smtp->has_sender)
		return say_error(s, smtp, SMTP_NEED_MAIL);
	if (!path_of(&rest, "TO:", &address))
		return say_error(s, smtp, SMTP_RCPT_SYNTAX);
	if (address.len == 0)
		return say_error(s, smtp, SMTP_BAD_ADDRESS);
	if (!parameters_hold(s, smtp, rest))
		return SERVICE_CONTINUE;
	size_t at = address.len;
	while (at && address.at[at - 1] != '@')
		at--;
	struct bytes local = {address.at, at ? at - 1 : address.len}, domain = {address.at + at, at ? address.len - at : 0};
	bool ours = is_own_domain(s, d, domain), relays = smtp->inside || d->relay == SMTP_RELAY_OPEN;
	if (ours ? !is_mailbox(s, d, local) : !relays) {
		smtp->errors++;
		if (ours)
			smtp_user_unknown(s, address);
		else
			smtp_relay_denied(s, address);
		return smtp->errors < ERRORS_MAX ? SERVICE_CONTINUE : say_error(s, smtp, SMTP_TOO_MANY);
	}
	if (smtp->recipient_count == SMTP_RECIPIENTS_MAX)
		return say_error(s, smtp, SMTP_TOO_MANY);
	smtp->recipient_count++;
	smtp->relayed |= !ours;
	smtp->to_len = (uint16_t)add_name(smtp->to, smtp->to_len, sizeof smtp->to, address);
	if (ours && bytes_find(local, " ") == local.len)
		smtp->own_len = (uint16_t)add_name(smtp->own, smtp->own_len, sizeof smtp->own, local);
	smtp_say(s, SMTP_RECIPIENT_OK);
	return SERVICE_CONTINUE;
}

static enum service_next begin_data(struct session *s, struct smtp *smtp)
{
	if (smtp->chunking)
		return say_error(s, smtp, SMTP_DATA_AFTER_BDAT);
	if (smtp->recipient_count == 0)
		return say_error(s, smtp, smtp->has_sender ? SMTP_NO_RECIPIENTS : SMTP_NEED_RCPT);
	smtp_message_begin(smtp);
	smtp->data = true;
	smtp_say(s, SMTP_DATA);
	return SERVICE_CONTINUE;
}

static enum service_next begin_chunk(struct session *s, struct smtp *smtp, struct bytes rest)
{
	struct bytes size = bytes_word(&rest);
	uint64_t n;
	if (!bytes_number(size, UINT32_MAX, &n)) {
		smtp_say(s, SMTP_BDAT_SYNTAX);
		return SERVICE_CLOSE; /* nobody knows where the chunk ends */
	}
	smtp->chunk_last = bytes_equal_nocase(bytes_trim(rest), "LAST");
	smtp->chunk_left = smtp->chunk_len = n;
	smtp->chunk_dropped = smtp->recipient_count == 0;
	if (smtp->chunk_dropped) {
		smtp->errors++;
		smtp_say(s, smtp->has_sender ? SMTP_NO_RECIPIENTS : SMTP_NEED_RCPT);
	} else if (!smtp->chunking) {
		smtp_message_begin(smtp);
		smtp->chunking = true;
	}
	return SERVICE_CONTINUE;
}

static void finish_piece(struct session *s, struct smtp *smtp)
{
	if (smtp->chunk_dropped) {
		smtp->chunk_dropped = false;
	} else if (smtp->data || smtp->chunk_last) {
		smtp_message_done(s, smtp);
		reset(smtp);
	} else if (device_of(s)->software == SMTP_EXIM) {
		session_say(s, "250 %llu byte chunk received\r\n", (unsigned long long)smtp->chunk_len);
	} else {
		session_say(s, "250 2.0.0 Ok: %llu bytes\r\n", (unsigned long long)smtp->chunk_len);
	}
}

static enum service_next go_on_with_login(struct session *s, struct smtp *smtp, enum sasl_next next)
{
	smtp->authenticating = next == SASL_MORE;
	switch (next) {
	case SASL_MORE:
		session_say(s, "334 %s\r\n", smtp->sasl.prompt);
		return SERVICE_CONTINUE;
	case SASL_IN:
		smtp->inside = true;
		smtp_say(s, SMTP_AUTH_OK);
		return SERVICE_CONTINUE;
	case SASL_BROKEN: return say_error(s, smtp, SMTP_AUTH_BROKEN);
	case SASL_CANCELLED: return say_error(s, smtp, SMTP_AUTH_ABORTED);
	case SASL_UNKNOWN: return say_error(s, smtp, SMTP_AUTH_UNKNOWN);
	case SASL_REFUSED: break;
	}
	smtp->refused = true;
	session_delay(s, (uint32_t)device_of(s)->refusal_delay_ms);
	return SERVICE_CONTINUE;
}

static enum service_next log_in(struct session *s, struct smtp *smtp, struct bytes rest)
{
	const struct smtp_device *d = device_of(s);
	struct bytes name = bytes_word(&rest);
	rest = bytes_trim(rest);
	if (d->mechanisms[0] == '\0' || !smtp->extended)
		return say_error(s, smtp, SMTP_AUTH_OFF);
	if (smtp->inside)
		return say_error(s, smtp, SMTP_AUTH_TWICE);
	if (name.len == 0)
		return say_error(s, smtp, SMTP_AUTH_SYNTAX);
	struct bytes first = rest.len ? rest : (struct bytes){0};
	return go_on_with_login(s, smtp, sasl_begin(s, &smtp->sasl, &d->accounts, d->mechanisms, name, first));
}

static enum service_next smtp_tick(struct session *s, void *state)
{
	struct smtp *smtp = state;
	if (!smtp->refused)
		return SERVICE_CONTINUE;
	smtp->refused = false;
	return say_error(s, smtp, SMTP_AUTH_FAILED);
}

static enum service_next start_tls(struct session *s, struct smtp *smtp, struct bytes rest, struct reader *in)
{
	if (!device_of(s)->starttls)
		return say_error(s, smtp, SMTP_UNKNOWN);
	if (rest.len)
		return say_error(s, smtp, SMTP_TLS_SYNTAX);
	if (session_is_secure(s))
		return say_error(s, smtp, SMTP_TLS_TWICE);
	smtp_say(s, SMTP_TLS);
	reset(smtp);
	smtp->greeted = smtp->extended = false;
	read_rest(in); /* what was sent behind it in plain does not count, RFC 3207 4.2 */
	session_secure(s);
	return SERVICE_CONTINUE;
}

static enum service_next verify(struct session *s, struct smtp *smtp, struct bytes rest)
{
	struct bytes address = bytes_trim(rest);
	if (address.len == 0 || address.len >= SMTP_PATH_MAX || device_of(s)->software == SMTP_EXIM)
		return say_error(s, smtp, SMTP_VRFY_SYNTAX);
	if (memchr(address.at, '@', address.len))
		smtp_relay_denied(s, address);
	else if (is_mailbox(s, device_of(s), address))
		session_say(s, "252 2.0.0 %.*s\r\n", (int)address.len, (const char *)address.at);
	else
		smtp_user_unknown(s, address);
	return SERVICE_CONTINUE;
}

static bool is_foreign(struct bytes word)
{
	static const char *const words[] = {"GET", "POST", "CONNECT"}; /* smtpd_forbidden_commands */
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (bytes_equal_nocase(word, words[i]))
			return true;
	return word.len > 1 && memchr(word.at + 1, ':', word.len - 1); /* a field of a head */
}

enum command { HELO, EHLO, MAIL, RCPT, DATA, BDAT, RSET, NOOP, QUIT, AUTH, STARTTLS, VRFY, HELP, UNKNOWN };

static enum command command_of(struct bytes word)
{
	static const char *const names[] = {"HELO", "EHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET",
					    "NOOP", "QUIT", "AUTH", "STARTTLS", "VRFY", "HELP"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal_nocase(word, names[i]))
			return (enum command)i;
	return UNKNOWN;
}

static enum service_next obey(struct session *s, struct smtp *smtp, enum command c, struct bytes rest,
			      struct reader *in)
{
	switch (c) {
	case HELO:
	case EHLO: return greet(s, smtp, rest, c == EHLO);
	case MAIL: return take_sender(s, smtp, rest);
	case RCPT: return take_recipient(s, smtp, rest);
	case DATA: return begin_data(s, smtp);
	case BDAT: return begin_chunk(s, smtp, rest);
	case AUTH: return log_in(s, smtp, rest);
	case STARTTLS: return start_tls(s, smtp, rest, in);
	case VRFY: return verify(s, smtp, rest);
	case NOOP: smtp_say(s, SMTP_NOOP); return SERVICE_CONTINUE;
	case QUIT: smtp_say(s, SMTP_BYE); return SERVICE_CLOSE;
	case HELP: return say_error(s, smtp, SMTP_HELP);
	case RSET:
		if (rest.len)
			return say_error(s, smtp, SMTP_RSET_SYNTAX);
		reset(smtp);
		smtp_say(s, SMTP_RESET);
		return SERVICE_CONTINUE;
	case UNKNOWN: break;
	}
	return say_error(s, smtp, SMTP_UNKNOWN);
}

static enum service_next take_line(struct session *s, struct smtp *smtp, struct bytes line, struct reader *in)
{
	struct bytes rest = line, word;
	if (smtp->authenticating)
		return go_on_with_login(s, smtp, sasl_continue(s, &smtp->sasl, &device_of(s)->accounts, line));
	rest = bytes_trim(rest);
	word = bytes_word(&rest);
	enum command c = command_of(word);
	if (c != AUTH) {
		struct event *e = session_report(s, EVENT_COMMAND_SENT);
		event_set_bytes(e, FIELD_COMMAND_LINE, line);
		event_set_bool(e, FIELD_COMMAND_FOUND, c != UNKNOWN);
	}
	if (c == UNKNOWN && is_foreign(word)) {
		smtp_say(s, SMTP_NON_SMTP);
		return SERVICE_CLOSE;
	}
	return obey(s, smtp, c, rest, in);
}

static enum service_next smtp_input(struct session *s, void *state, struct reader *in)
{
	struct smtp *smtp = state;
	struct bytes line;
	for (;;) {
		while (smtp->data || smtp->chunk_left) {
			if (!smtp_message_feed(s, smtp, in))
				return SERVICE_CONTINUE;
			finish_piece(s, smtp);
		}
		if (smtp->refused || !read_line(in, &line))
			break;
		struct bytes rest = bytes_trim(line);
		bool chunk = !smtp->authenticating && command_of(bytes_word(&rest)) == BDAT;
		if (take_line(s, smtp, line, in) == SERVICE_CLOSE)
			return SERVICE_CLOSE;
		if (chunk && smtp->chunk_left == 0)
			finish_piece(s, smtp); /* a chunk of no bytes */
	}
	if (!smtp->refused && reader_left(in) >= LINE_MAX)
		return SERVICE_CLOSE;
	return SERVICE_CONTINUE;
}

/* clang-format off */
#define NAME "localhost.localdomain"
#define GREETING "220 " NAME " ESMTP Postfix (Debian/GNU)\r\n"
#define EXTENSIONS "250-" NAME "\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n" \
	"250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n"
#define MAIL_BYTES "MAIL FROM:<a@b.test>\r\nRCPT TO:<root@localhost>\r\n"
#define MAIL_WORDS "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"

static const struct exchange smtp_exchanges[] = {
	{"commands that come out of order, or are none",
	 BYTES("FOO\r\nHELO\r\nEHLO me\r\nMAIL FROM:\r\nMAIL FROM:<a@b.test> SIZE=99999999\r\nMAIL FROM:<a@b.test> FOO=1\r\n"
	       "RCPT TO:<x@y.test>\r\nDATA\r\nMAIL FROM:<a@b.test>\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:\r\n"
	       "RCPT TO:<zzz@other.test>\r\nRCPT TO:<nosuch@localhost>\r\nDATA\r\nRSET x\r\nNOOP\r\nGET / HTTP/1.0\r\n"),
	 BYTES(GREETING "500 5.5.2 Error: command not recognized\r\n501 Syntax: HELO hostname\r\n" EXTENSIONS
	       "501 5.5.4 Syntax: MAIL FROM:<address>\r\n552 5.3.4 Message size exceeds fixed limit\r\n"
	       "555 5.5.4 Unsupported option: FOO=1\r\n503 5.5.1 Error: need MAIL command\r\n503 5.5.1 Error: need RCPT command\r\n"
	       "250 2.1.0 Ok\r\n503 5.5.1 Error: nested MAIL command\r\n501 5.5.4 Syntax: RCPT TO:<address>\r\n"
	       "454 4.7.1 <zzz@other.test>: Relay access denied\r\n"
	       "550 5.1.1 <nosuch@localhost>: Recipient address rejected: User unknown in local recipient table\r\n"
	       "554 5.5.1 Error: no valid recipients\r\n501 5.5.4 Syntax: RSET\r\n250 2.0.0 Ok\r\n"
	       "221 2.7.0 Error: I can break rules, too. Goodbye.\r\n"), NULL},
	{"log-ins, right and wrong, and mail to others after them",
	 BYTES("EHLO me\r\nAUTH FOO\r\nAUTH PLAIN AHJvb3QAd3Jvbmc=\r\nAUTH LOGIN\r\n*\r\nAUTH LOGIN\r\n!!!\r\n"
	       "AUTH LOGIN\r\ncm9vdA==\r\neGMzNTEx\r\nAUTH PLAIN\r\nMAIL FROM:<>\r\nRCPT TO:<x@y.test>\r\nQUIT\r\n"),
	 BYTES(GREETING EXTENSIONS "535 5.7.8 Error: authentication failed: Invalid authentication mechanism\r\n"
	       "535 5.7.8 Error: authentication failed: (reason unavailable)\r\n334 VXNlcm5hbWU6\r\n501 5.7.0 Authentication aborted\r\n"
	       "334 VXNlcm5hbWU6\r\n535 5.7.8 Error: authentication failed: Invalid base64 data in continued response\r\n"
	       "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 Authentication successful\r\n"
	       "503 5.5.1 Error: already authenticated\r\n" MAIL_WORDS "221 2.0.0 Bye\r\n"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"EHLO me\"}\n"
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"wrong\",\"login.accepted\":false}\n"
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.accepted\":true}\n"
	 "{\"command.line\":\"MAIL FROM:<>\"}\n{\"command.line\":\"RCPT TO:<x@y.test>\"}\n{\"command.line\":\"QUIT\"}\n"},
	{"a message with an address in it and a file",
	 BYTES("HELO x\r\n" MAIL_BYTES "DATA\r\nSubject: =?utf-8?Q?in=76oice?=\r\nMIME-Version: 1.0\r\n"
	       "Content-Type: multipart/mixed;\r\n boundary=\"b1\"\r\n\r\n--b1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	       "See http://e=\r\nvil.test/a?x=3D1.\r\n..\r\n--b1\r\nContent-Type: application/zip; name=\"a.zip\"\r\n"
	       "Content-Transfer-Encoding: base64\r\n\r\nUEsDBA==\r\n--b1--\r\n.\r\nNOOP\r\n"),
	 BYTES(GREETING "250 " NAME "\r\n" MAIL_WORDS "354 End data with <CR><LF>.<CR><LF>\r\n"
	       "250 2.0.0 Ok: queued as 00000BDDB2D\r\n250 2.0.0 Ok\r\n"),
	 "{}\n{}\n{}\n{}\n{\"kind\":\"mail.received\",\"mail.from\":\"a@b.test\",\"mail.to\":\"root@localhost\",\"mail.helo\":\"x\","
	 "\"mail.subject\":\"invoice\",\"mail.urls\":\"http://evil.test/a?x=1\",\"mail.files\":1,\"mail.relay\":false}\n"
	 "{\"kind\":\"file.captured\",\"file.name\":\"message.eml\",\"file.how\":\"mail\"}\n"
	 "{\"kind\":\"file.captured\",\"file.name\":\"a.zip\",\"file.size\":4,\"file.how\":\"attachment\"}\n{}\n"},
	{"chunks",
	 BYTES("BDAT 3 LAST\r\nabc" MAIL_BYTES "BDAT 3\r\nab\nDATA\r\nBDAT 0 LAST\r\n" MAIL_BYTES "BDAT x\r\n"),
	 BYTES(GREETING "503 5.5.1 Error: need RCPT command\r\n" MAIL_WORDS "250 2.0.0 Ok: 3 bytes\r\n503 5.5.1 Error: DATA after BDAT\r\n"
	       "250 2.0.0 Ok: 3 bytes queued as 00000BDDB2D\r\n" MAIL_WORDS "521 5.5.4 Syntax: BDAT count [LAST]\r\n"),
	 NULL},
	{"behind STARTTLS nothing counts that came before it",
	 BYTES("EHLO me\r\nSTARTTLS x\r\nSTARTTLS\r\n"),
	 BYTES(GREETING EXTENSIONS "501 5.5.4 Syntax: STARTTLS\r\n220 2.0.0 Ready to start TLS\r\n"), NULL},
	{0},
};
/* clang-format on */

static const char *const softwares[] = {"postfix", "exim", NULL};
static const char *const relays[] = {"denied", "deferred", "open", NULL};

static const struct option smtp_device[] = {
	{.name = "software", .type = OPTION_CHOICE, .offset = offsetof(struct smtp_device, software),
	 .fallback = "postfix", .choices = softwares, .summary = "whose words it speaks"},
	{.name = "version", .type = OPTION_TEXT, .offset = offsetof(struct smtp_device, version),
	 .fallback = "4.96", .summary = "of Exim, in its greeting"},
	{.name = "name", .type = OPTION_TEXT, .offset = offsetof(struct smtp_device, name),
	 .fallback = "%{hostname}.localdomain", .summary = "its own name"},
	{.name = "banner", .type = OPTION_TEXT, .offset = offsetof(struct smtp_device, banner),
	 .summary = "the greeting behind 220; without it the software's own"},
	{.name = "domains", .type = OPTION_LIST, .element = OPTION_TEXT, .offset = offsetof(struct smtp_device, domains),
	 .summary = "domains that it takes mail for, beside its name"},
	{.name = "mailboxes", .type = OPTION_LIST, .element = OPTION_TEXT,
	 .offset = offsetof(struct smtp_device, mailboxes),
	 .summary = "names that it takes mail for, beside its accounts, root, postmaster and abuse"},
	{.name = "relay", .type = OPTION_CHOICE, .offset = offsetof(struct smtp_device, relay),
	 .fallback = "deferred", .choices = relays,
	 .summary = "what it answers to mail for others; open: it takes and keeps it, and never sends it"},
	{.name = "mechanisms", .type = OPTION_TEXT, .offset = offsetof(struct smtp_device, mechanisms),
	 .fallback = "PLAIN LOGIN", .summary = "of PLAIN, LOGIN and CRAM-MD5 those that it offers; empty: no log-in"},
	{.name = "starttls", .type = OPTION_BOOL, .offset = offsetof(struct smtp_device, starttls),
	 .fallback = "true", .summary = "whether it offers STARTTLS"},
	{.name = "size", .type = OPTION_NUMBER, .offset = offsetof(struct smtp_device, size_max),
	 .fallback = "10240000", .min = 1024, .max = 1u << 30, .summary = "bytes of the largest message that it says to take"},
	{.name = "refusal-delay", .type = OPTION_DURATION, .offset = offsetof(struct smtp_device, refusal_delay_ms),
	 .fallback = "2s", .min = 1, .max = 10000, .summary = "time until a failed log-in is answered"},
	ACCOUNTS_OPTION(struct smtp_device, accounts),
	{0},
};

static const struct service smtp = {
	.name = "smtp",
	.summary = "mail server that takes mail for its own accounts and sends none",
	.reference = "RFC 5321, 4954, 3207, 3030; Postfix 3.7 and Exim 4.96 of Debian",
	.transports = TRANSPORT_TCP,
	.ports = {25, 587},
	.secure_ports = {465},
	.state_size = sizeof(struct smtp),
	.input_max = 65536,
	.output_max = 65536,
	.arena_max = 17u << 20,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = smtp_device,
	.device_size = sizeof(struct smtp_device),
	.open = smtp_open,
	.input = smtp_input,
	.tick = smtp_tick,
	.exchanges = smtp_exchanges,
};
SERVICE(smtp);
