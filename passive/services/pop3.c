/*
 * POP3 of a Dovecot: the mails of the device's accounts, for who knows a password.
 *
 * What is deleted is gone when the session ends with QUIT (RFC 1939 6), for this attacker.
 */
#include "base/options.h"
#include "passive/services/mail/mailbox.h"
#include "passive/services/mail/sasl.h"

#define LINE_MAX 8192 /* login_max_inbuf */
#define BAD_MAX 3     /* CLIENT_MAX_BAD_COMMANDS */
#define OUTPUT_MAX (4u << 20)

struct pop3_device {
	const char *greeting, *mechanisms;
	uint64_t refusal_delay_ms;
	struct option_list accounts;
};

struct pop3 {
	struct sasl sasl;
	struct mailbox box;
	bool authenticating, named, inside, refused;
	uint8_t bad;
	uint8_t user_len;
	uint8_t user[SASL_USER_MAX];
};

static const struct pop3_device *device_of(const struct session *s) { return session_device(s); }

static enum service_next pop3_open(struct session *s, void *state)
{
	(void)state;
	session_say(s, "+OK ");
	session_say_template(s, device_of(s)->greeting);
	session_say(s, "\r\n");
	return SERVICE_CONTINUE;
}

static enum service_next enter(struct session *s, struct pop3 *pop)
{
	if (!mailbox_open(s, (struct bytes){pop->user, pop->user_len}, BYTES("INBOX"), &pop->box)) {
		session_say(s, "-ERR [SYS/TEMP] Internal error occurred. Refer to server log for more information.\r\n");
		return SERVICE_CLOSE;
	}
	pop->inside = true;
	session_say(s, "+OK Logged in.\r\n");
	return SERVICE_CONTINUE;
}

static enum service_next refuse(struct session *s, struct pop3 *pop)
{
	pop->refused = true;
	session_delay(s, (uint32_t)device_of(s)->refusal_delay_ms);
	return SERVICE_CONTINUE;
}

static enum service_next pop3_tick(struct session *s, void *state)
{
	struct pop3 *pop = state;
	pop->refused = false;
	session_say(s, "-ERR [AUTH] Authentication failed.\r\n");
	return SERVICE_CONTINUE;
}

static enum service_next go_on(struct session *s, struct pop3 *pop, enum sasl_next next)
{
	pop->authenticating = next == SASL_MORE;
	switch (next) {
	case SASL_MORE: session_say(s, "+ %s\r\n", pop->sasl.prompt); break;
	case SASL_IN:
		pop->user_len = pop->sasl.user_len;
		memcpy(pop->user, pop->sasl.user, pop->user_len);
		return enter(s, pop);
	case SASL_BROKEN: session_say(s, "-ERR [AUTH] Invalid base64 in response\r\n"); break;
	case SASL_CANCELLED: session_say(s, "-ERR Authentication aborted by client.\r\n"); break;
	case SASL_UNKNOWN: session_say(s, "-ERR [AUTH] Unsupported authentication mechanism.\r\n"); break;
	case SASL_REFUSED: return refuse(s, pop);
	}
	return SERVICE_CONTINUE;
}

static void say_capabilities(struct session *s, const struct pop3 *pop)
{
	session_say(s, "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n");
	if (!pop->inside) {
		if (!session_is_secure(s))
			session_say(s, "STLS\r\n");
		session_say(s, "USER\r\nSASL %s\r\n", device_of(s)->mechanisms);
	}
	session_say(s, ".\r\n");
}

static void say_mechanisms(struct session *s)
{
	struct bytes rest = bytes_of_text(device_of(s)->mechanisms);
	session_say(s, "+OK\r\n");
	while (rest.len) {
		struct bytes word = bytes_word(&rest);
		session_say(s, "%.*s\r\n", (int)word.len, (const char *)word.at);
	}
	session_say(s, ".\r\n");
}

static enum service_next bad_command(struct session *s, struct pop3 *pop)
{
	session_say(s, "-ERR Unknown command.\r\n");
	if (++pop->bad < BAD_MAX)
		return SERVICE_CONTINUE;
	session_say(s, "-ERR Too many invalid bad commands.\r\n");
	return SERVICE_CLOSE;
}

static enum service_next outside(struct session *s, struct pop3 *pop, struct bytes word, struct bytes rest, struct reader *in)
{
	const struct pop3_device *d = device_of(s);
	if (bytes_equal_nocase(word, "CAPA")) {
		say_capabilities(s, pop);
	} else if (bytes_equal_nocase(word, "USER")) {
		pop->user_len = (uint8_t)(rest.len < SASL_USER_MAX ? rest.len : SASL_USER_MAX);
		if (pop->user_len)
			memcpy(pop->user, rest.at, pop->user_len);
		pop->named = true;
		session_say(s, "+OK\r\n");
	} else if (bytes_equal_nocase(word, "PASS")) {
		if (!pop->named) {
			session_say(s, "-ERR No username given.\r\n");
			return SERVICE_CONTINUE;
		}
		pop->named = false;
		bool in_now = accounts_accept(s, &d->accounts, (struct bytes){pop->user, pop->user_len}, rest);
		return in_now ? enter(s, pop) : refuse(s, pop);
	} else if (bytes_equal_nocase(word, "AUTH")) {
		if (rest.len == 0) {
			say_mechanisms(s);
			return SERVICE_CONTINUE;
		}
		struct bytes name = bytes_word(&rest);
		return go_on(s, pop, sasl_begin(s, &pop->sasl, &d->accounts, d->mechanisms, name,
						rest.len ? rest : (struct bytes){0}));
	} else if (bytes_equal_nocase(word, "STLS") && !session_is_secure(s)) {
		session_say(s, "+OK Begin TLS negotiation now.\r\n");
		read_rest(in);
		session_secure(s);
	} else if (bytes_equal_nocase(word, "STLS")) {
		session_say(s, "-ERR TLS is already active.\r\n");
	} else if (bytes_equal_nocase(word, "QUIT")) {
		session_say(s, "+OK Logging out\r\n");
		return SERVICE_CLOSE;
	} else {
		return bad_command(s, pop);
	}
	pop->bad = 0;
	return SERVICE_CONTINUE;
}

/* The mail that a number names, else what is wrong has been said. */
static struct mail *numbered(struct session *s, struct pop3 *pop, struct bytes *rest)
{
	struct bytes word = bytes_word(rest);
	uint64_t n;
	if (!bytes_number(word, UINT32_MAX, &n)) {
		session_say(s, "-ERR Invalid message number: %.*s\r\n", (int)(word.len < 80 ? word.len : 80), word.len ? (const char *)word.at : "");
		return NULL;
	}
	if (n == 0 || n > pop->box.count) {
		session_say(s, "-ERR There's no message %llu.\r\n", (unsigned long long)n);
		return NULL;
	}
	if (pop->box.mails[n - 1].flags & MAIL_DELETED) {
		session_say(s, "-ERR Message is deleted.\r\n");
		return NULL;
	}
	return &pop->box.mails[n - 1];
}

static void say_total(struct session *s, const struct pop3 *pop, bool list)
{
	size_t count = 0, size = 0;
	for (size_t i = 0; i < pop->box.count; i++)
		if (!(pop->box.mails[i].flags & MAIL_DELETED))
			count++, size += pop->box.mails[i].text.len;
	if (list)
		session_say(s, "+OK %zu messages:\r\n", count);
	else
		session_say(s, "+OK %zu %zu\r\n", count, size);
}

/* LIST and UIDL, of one or of all. */
static void list(struct session *s, struct pop3 *pop, struct bytes rest, bool uids)
{
	struct mail *one = NULL;
	bool all = rest.len == 0;
	if (!all && !(one = numbered(s, pop, &rest)))
		return;
	if (all && uids)
		session_say(s, "+OK\r\n");
	else if (all)
		say_total(s, pop, true);
	for (size_t i = 0; i < pop->box.count; i++) {
		const struct mail *m = &pop->box.mails[i];
		if (all ? m->flags & MAIL_DELETED : m != one)
			continue;
		if (uids)
			session_say(s, "%s%zu %08x%08x\r\n", all ? "" : "+OK ", i + 1, m->uid, pop->box.uid_validity);
		else
			session_say(s, "%s%zu %zu\r\n", all ? "" : "+OK ", i + 1, m->text.len);
	}
	if (all)
		session_say(s, ".\r\n");
}

/* With dots doubled (RFC 1939 3), up to so many lines of the body. */
static void say_mail(struct session *s, const struct mail *m, uint64_t lines)
{
	struct reader in = reader_of_bytes(m->text);
	struct bytes line;
	while (reader_left(&in)) {
		const uint8_t *start = in.at;
		bool body = (size_t)(start - m->text.at) >= m->head_len;
		if ((body && lines-- == 0) || !read_line(&in, &line))
			break;
		if (line.len && line.at[0] == '.')
			session_say(s, ".");
		session_say_bytes(s, (struct bytes){start, (size_t)(in.at - start)});
	}
	session_say(s, ".\r\n");
}

static void retrieve(struct session *s, struct pop3 *pop, struct bytes rest, bool top)
{
	struct mail *m = numbered(s, pop, &rest);
	uint64_t lines = UINT64_MAX;
	if (!m)
		return;
	if (top && !bytes_number(bytes_trim(rest), UINT32_MAX, &lines)) {
		session_say(s, "-ERR Noise after message number: %.*s\r\n", (int)(rest.len < 80 ? rest.len : 80), (const char *)rest.at);
		return;
	}
	if (top)
		session_say(s, "+OK\r\n");
	else
		session_say(s, "+OK %zu octets\r\n", m->text.len);
	say_mail(s, m, lines);
}

static enum service_next leave(struct session *s, struct pop3 *pop)
{
	bool deleted = false;
	for (size_t i = 0; i < pop->box.count; i++)
		deleted |= pop->box.mails[i].flags & MAIL_DELETED;
	if (deleted)
		mailbox_save(s, &pop->box, true);
	session_say(s, deleted ? "+OK Logging out, messages deleted.\r\n" : "+OK Logging out.\r\n");
	return SERVICE_CLOSE;
}

static enum service_next inside(struct session *s, struct pop3 *pop, struct bytes word, struct bytes rest)
{
	struct mail *m;
	if (bytes_equal_nocase(word, "QUIT"))
		return leave(s, pop);
	if (bytes_equal_nocase(word, "STAT")) {
		say_total(s, pop, false);
	} else if (bytes_equal_nocase(word, "LIST") || bytes_equal_nocase(word, "UIDL")) {
		list(s, pop, rest, bytes_equal_nocase(word, "UIDL"));
	} else if (bytes_equal_nocase(word, "RETR") || bytes_equal_nocase(word, "TOP")) {
		retrieve(s, pop, rest, bytes_equal_nocase(word, "TOP"));
	} else if (bytes_equal_nocase(word, "DELE")) {
		if ((m = numbered(s, pop, &rest))) {
			m->flags |= MAIL_DELETED;
			session_say(s, "+OK Marked to be deleted.\r\n");
		}
	} else if (bytes_equal_nocase(word, "RSET") || bytes_equal_nocase(word, "NOOP")) {
		for (size_t i = 0; i < pop->box.count && bytes_equal_nocase(word, "RSET"); i++)
			pop->box.mails[i].flags &= (uint8_t)~MAIL_DELETED;
		session_say(s, "+OK\r\n");
	} else if (bytes_equal_nocase(word, "CAPA")) {
		say_capabilities(s, pop);
	} else {
		session_say(s, "-ERR Unknown command: ");
		for (size_t i = 0; i < word.len && i < 80; i++)
			session_say(s, "%c", word.at[i] >= 'a' && word.at[i] <= 'z' ? word.at[i] - 32 : word.at[i]);
		session_say(s, "\r\n");
	}
	return SERVICE_CONTINUE;
}

static enum service_next take_line(struct session *s, struct pop3 *pop, struct bytes line, struct reader *in)
{
	struct bytes rest = line;
	if (pop->authenticating)
		return go_on(s, pop, sasl_continue(s, &pop->sasl, &device_of(s)->accounts, line));
	struct bytes word = bytes_word(&rest);
	if (!bytes_equal_nocase(word, "PASS") && !bytes_equal_nocase(word, "AUTH"))
		event_set_bytes(session_report(s, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, line);
	return pop->inside ? inside(s, pop, word, rest) : outside(s, pop, word, rest, in);
}

static enum service_next pop3_input(struct session *s, void *state, struct reader *in)
{
	struct pop3 *pop = state;
	struct bytes line;
	while (!pop->refused && read_line(in, &line))
		if (take_line(s, pop, line, in) == SERVICE_CLOSE)
			return SERVICE_CLOSE;
	return !pop->refused && reader_left(in) >= LINE_MAX ? SERVICE_CLOSE : SERVICE_CONTINUE;
}

static void pop3_close(struct session *s, void *state)
{
	struct pop3 *pop = state;
	(void)s;
	mailbox_close(&pop->box);
}

/* clang-format off */
#define READY "+OK Dovecot (Debian) ready.\r\n"
#define IN "USER root\r\nPASS xc3511\r\n"
#define INSIDE READY "+OK\r\n+OK Logged in.\r\n"

static const struct exchange pop3_exchanges[] = {
	{"who is not logged in may ask little",
	 BYTES("CAPA\r\nAUTH\r\nPASS x\r\nUSER a\r\nPASS b\r\nAUTH FOO\r\nAUTH PLAIN\r\n*\r\nSTAT\r\nLIST\r\nGET / HTTP/1.0\r\nQUIT\r\n"),
	 BYTES(READY "+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\nSTLS\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n"
	       "+OK\r\nPLAIN\r\nLOGIN\r\n.\r\n-ERR No username given.\r\n+OK\r\n-ERR [AUTH] Authentication failed.\r\n"
	       "-ERR [AUTH] Unsupported authentication mechanism.\r\n+ \r\n-ERR Authentication aborted by client.\r\n"
	       "-ERR Unknown command.\r\n-ERR Unknown command.\r\n-ERR Unknown command.\r\n-ERR Too many invalid bad commands.\r\n"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"CAPA\"}\n{\"command.line\":\"USER a\"}\n"
	 "{\"kind\":\"login.tried\",\"login.user\":\"a\",\"login.secret\":\"b\",\"login.accepted\":false}\n"
	 "{\"command.line\":\"STAT\"}\n{\"command.line\":\"LIST\"}\n{\"command.line\":\"GET / HTTP/1.0\"}\n"},
	{"numbers that name no mail, and what is deleted and not",
	 BYTES(IN "LIST 99\r\nLIST x\r\nTOP 1\r\nRETR\r\nDELE 1\r\nRETR 1\r\nRSET\r\nNOOP\r\nfoo\r\nCAPA\r\nQUIT\r\n"),
	 BYTES(INSIDE "-ERR There's no message 99.\r\n-ERR Invalid message number: x\r\n-ERR Noise after message number: \r\n"
	       "-ERR Invalid message number: \r\n+OK Marked to be deleted.\r\n-ERR Message is deleted.\r\n+OK\r\n+OK\r\n"
	       "-ERR Unknown command: FOO\r\n+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n.\r\n+OK Logging out.\r\n"),
	 NULL},
	{"TLS begins", BYTES("STLS\r\n"), BYTES(READY "+OK Begin TLS negotiation now.\r\n"), NULL},
	{0},
};
/* clang-format on */

static const struct option pop3_device[] = {
	{.name = "greeting", .type = OPTION_TEXT, .offset = offsetof(struct pop3_device, greeting),
	 .fallback = "Dovecot (Debian) ready.", .summary = "what it says at first"},
	{.name = "mechanisms", .type = OPTION_TEXT, .offset = offsetof(struct pop3_device, mechanisms),
	 .fallback = "PLAIN LOGIN", .summary = "of PLAIN, LOGIN and CRAM-MD5 those that it offers"},
	{.name = "refusal-delay", .type = OPTION_DURATION, .offset = offsetof(struct pop3_device, refusal_delay_ms),
	 .fallback = "2s", .min = 1, .max = 10000, .summary = "time until a failed log-in is answered"},
	ACCOUNTS_OPTION(struct pop3_device, accounts),
	{0},
};

static const struct service pop3 = {
	.name = "pop3",
	.summary = "mailboxes of the device's accounts, read and emptied",
	.reference = "RFC 1939, 2449, 5034, 2595; Dovecot 2.3.19 of Debian",
	.transports = TRANSPORT_TCP,
	.ports = {110},
	.secure_ports = {995},
	.state_size = sizeof(struct pop3),
	.input_max = LINE_MAX + 1024,
	.output_max = OUTPUT_MAX,
	.arena_max = 65536,
	.idle_ms_max = 600 * 1000,
	.session_ms_max = 3600 * 1000,
	.device = pop3_device,
	.device_size = sizeof(struct pop3_device),
	.open = pop3_open,
	.input = pop3_input,
	.tick = pop3_tick,
	.close = pop3_close,
	.exchanges = pop3_exchanges,
};
SERVICE(pop3);
