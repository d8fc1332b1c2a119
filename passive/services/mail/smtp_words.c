/*
 * What Postfix 3.7 and Exim 4.96 of Debian say, Postfix's as measured with its Dovecot for log-ins.
 */
#include "passive/services/mail/smtp.h"
#include <time.h>

/* %s is the server's name. */
static const char *const words[SMTP_WORDS][2] = {
	[SMTP_UNKNOWN] = {"500 5.5.2 Error: command not recognized", "500 unrecognized command"},
	[SMTP_HELO_SYNTAX] = {"501 Syntax: HELO hostname", "501 Syntactically invalid HELO argument(s)"},
	[SMTP_EHLO_SYNTAX] = {"501 Syntax: EHLO hostname", "501 Syntactically invalid EHLO argument(s)"},
	[SMTP_MAIL_SYNTAX] = {"501 5.5.4 Syntax: MAIL FROM:<address>", "501 MAIL must have an address operand"},
	[SMTP_RCPT_SYNTAX] = {"501 5.5.4 Syntax: RCPT TO:<address>", "501 RCPT must have an address operand"},
	[SMTP_SENDER_OK] = {"250 2.1.0 Ok", "250 OK"},
	[SMTP_RECIPIENT_OK] = {"250 2.1.5 Ok", "250 Accepted"},
	[SMTP_NESTED] = {"503 5.5.1 Error: nested MAIL command", "503 sender already given"},
	[SMTP_NEED_MAIL] = {"503 5.5.1 Error: need MAIL command", "503 sender not yet given"},
	[SMTP_NEED_RCPT] = {"503 5.5.1 Error: need RCPT command", "503-All RCPT commands were rejected with this error:\r\n503 valid RCPT command must precede DATA"},
	[SMTP_NO_RECIPIENTS] = {"554 5.5.1 Error: no valid recipients", "503 valid RCPT command must precede DATA"},
	[SMTP_SIZE] = {"552 5.3.4 Message size exceeds fixed limit", "552 Message size exceeds maximum permitted"},
	[SMTP_DATA] = {"354 End data with <CR><LF>.<CR><LF>", "354 Enter message, ending with \".\" on a line by itself"},
	[SMTP_RESET] = {"250 2.0.0 Ok", "250 Reset OK"},
	[SMTP_NOOP] = {"250 2.0.0 Ok", "250 OK"},
	[SMTP_BYE] = {"221 2.0.0 Bye", "221 %s closing connection"},
	[SMTP_AUTH_SYNTAX] = {"501 5.5.4 Syntax: AUTH mechanism", "501 AUTH must have a mechanism operand"},
	[SMTP_AUTH_UNKNOWN] = {"535 5.7.8 Error: authentication failed: Invalid authentication mechanism", "504 authentication mechanism not supported"},
	[SMTP_AUTH_FAILED] = {"535 5.7.8 Error: authentication failed: (reason unavailable)", "535 Incorrect authentication data"},
	[SMTP_AUTH_BROKEN] = {"535 5.7.8 Error: authentication failed: Invalid base64 data in continued response", "501 Invalid base64 data"},
	[SMTP_AUTH_ABORTED] = {"501 5.7.0 Authentication aborted", "501 Authentication cancelled"},
	[SMTP_AUTH_TWICE] = {"503 5.5.1 Error: already authenticated", "503 already authenticated"},
	[SMTP_AUTH_OK] = {"235 2.7.0 Authentication successful", "235 Authentication succeeded"},
	[SMTP_AUTH_OFF] = {"503 5.5.1 Error: authentication not enabled", "503 AUTH command used when not advertised"},
	[SMTP_TLS] = {"220 2.0.0 Ready to start TLS", "220 TLS go ahead"},
	[SMTP_TLS_TWICE] = {"554 5.5.1 Error: TLS already active", "554 Already in TLS"},
	[SMTP_TLS_SYNTAX] = {"501 5.5.4 Syntax: STARTTLS", "501 STARTTLS must not have any arguments"},
	[SMTP_VRFY_SYNTAX] = {"501 5.5.4 Syntax: VRFY address [SMTPUTF8]", "252 Administrative prohibition"},
	[SMTP_BDAT_SYNTAX] = {"521 5.5.4 Syntax: BDAT count [LAST]", "501 missing size for BDAT command"},
	[SMTP_DATA_AFTER_BDAT] = {"503 5.5.1 Error: DATA after BDAT", "503 only BDAT permitted after BDAT"},
	[SMTP_TOO_MANY] = {"452 4.5.3 Error: too many recipients", "452 too many recipients"},
	[SMTP_TOO_MANY_ERRORS] = {"421 4.7.0 %s Error: too many errors", "421 %s: Too many syntax or protocol errors"},
	[SMTP_BAD_ADDRESS] = {"501 5.1.3 Bad recipient address syntax", "501 malformed address"},
	[SMTP_HELP] = {"500 5.5.2 Error: command not recognized", "214-Commands supported:\r\n214 AUTH STARTTLS HELO EHLO MAIL RCPT DATA BDAT NOOP QUIT RSET HELP"},
	[SMTP_RSET_SYNTAX] = {"501 5.5.4 Syntax: RSET", "250 Reset OK"},
	[SMTP_NON_SMTP] = {"221 2.7.0 Error: I can break rules, too. Goodbye.", "554 SMTP synchronization error"},
	[SMTP_TOO_LONG] = {"500 5.5.2 Error: bad UTF-8 syntax", "500 Too many unrecognized commands"},
};

static const struct smtp_device *device_of(const struct session *s) { return session_device(s); }

void smtp_say(struct session *s, enum smtp_word word)
{
	const char *text = words[word][device_of(s)->software];
	const char *name = strstr(text, "%s");
	if (!name) {
		session_say(s, "%s\r\n", text);
		return;
	}
	session_say(s, "%.*s", (int)(name - text), text);
	session_say_template(s, device_of(s)->name);
	session_say(s, "%s\r\n", name + 2);
}

void smtp_banner(struct session *s)
{
	const struct smtp_device *d = device_of(s);
	char date[64] = "";
	struct tm tm;
	time_t now = (time_t)(session_time_us(s) / 1000000);
	session_say(s, "220 ");
	if (d->banner) {
		session_say_template(s, d->banner);
	} else {
		session_say_template(s, d->name);
		if (gmtime_r(&now, &tm))
			strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
		if (d->software == SMTP_EXIM)
			session_say(s, " ESMTP Exim %s %s", d->version, date);
		else
			session_say(s, " ESMTP Postfix (Debian/GNU)");
	}
	session_say(s, "\r\n");
}

static void say_extensions(struct session *s, const struct smtp_device *d)
{
	bool tls = d->starttls && !session_is_secure(s), auth = d->mechanisms[0];
	if (d->software == SMTP_EXIM) {
		session_say(s, "250-SIZE %llu\r\n250-8BITMIME\r\n250-PIPELINING\r\n250-PIPECONNECT\r\n",
			    (unsigned long long)d->size_max);
		if (auth)
			session_say(s, "250-AUTH %s\r\n", d->mechanisms);
		session_say(s, "250-CHUNKING\r\n%s250-PRDR\r\n250 HELP\r\n", tls ? "250-STARTTLS\r\n" : "");
		return;
	}
	session_say(s, "250-PIPELINING\r\n250-SIZE %llu\r\n250-VRFY\r\n250-ETRN\r\n%s", (unsigned long long)d->size_max,
		    tls ? "250-STARTTLS\r\n" : "");
	if (auth)
		session_say(s, "250-AUTH %s\r\n", d->mechanisms);
	session_say(s, "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n");
}

void smtp_greet(struct session *s, const struct smtp *smtp, struct bytes name)
{
	const struct smtp_device *d = device_of(s);
	char address[ADDRESS_TEXT_MAX];
	session_say(s, smtp->extended ? "250-" : "250 ");
	session_say_template(s, d->name);
	if (d->software == SMTP_EXIM) {
		address_format(session_peer(s), address);
		session_say(s, " Hello %.*s [%s]", (int)name.len, (const char *)name.at, address);
	}
	session_say(s, "\r\n");
	if (smtp->extended)
		say_extensions(s, d);
}

void smtp_relay_denied(struct session *s, struct bytes address)
{
	const struct smtp_device *d = device_of(s);
	if (d->software == SMTP_EXIM)
		session_say(s, "550 relay not permitted\r\n");
	else
		session_say(s, "%s <%.*s>: Relay access denied\r\n",
			    d->relay == SMTP_RELAY_DEFERRED ? "454 4.7.1" : "554 5.7.1", (int)address.len,
			    (const char *)address.at);
}

void smtp_user_unknown(struct session *s, struct bytes address)
{
	if (device_of(s)->software == SMTP_EXIM)
		session_say(s, "550 Unrouteable address\r\n");
	else
		session_say(s, "550 5.1.1 <%.*s>: Recipient address rejected: User unknown in local recipient table\r\n",
			    (int)address.len, (const char *)address.at);
}
