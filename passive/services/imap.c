/*
 * IMAP of a Dovecot: the mailboxes of the device's accounts, for who knows a password.
 *
 * Before the log-in it speaks as Dovecot's imap-login, which is a program of its own with words of
 * its own; behind it passive/imap obeys.
 */
#include "base/options.h"
#include "passive/services/imap/session.h"

#define COMMAND_MAX 65000
#define BAD_MAX 3 /* CLIENT_MAX_BAD_COMMANDS */
#define OUTPUT_MAX (4u << 20)

static const struct imap_device *device_of(const struct session *s) { return session_device(s); }

void imap_say_capabilities(struct session *s, bool inside)
{
	struct bytes rest = bytes_of_text(device_of(s)->mechanisms);
	if (inside) {
		session_say(s, "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE UIDPLUS MOVE LITERAL+");
		return;
	}
	session_say(s, "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+%s", session_is_secure(s) ? "" : " STARTTLS");
	while (rest.len) {
		struct bytes word = bytes_word(&rest);
		session_say(s, " AUTH=%.*s", (int)word.len, (const char *)word.at);
	}
}

static enum service_next imap_open(struct session *s, void *state)
{
	(void)state;
	session_say(s, "* OK [CAPABILITY ");
	imap_say_capabilities(s, false);
	session_say(s, "] ");
	session_say_template(s, device_of(s)->greeting);
	session_say(s, "\r\n");
	return SERVICE_CONTINUE;
}

static enum service_next enter(struct session *s, struct imap *imap, struct bytes user)
{
	imap->inside = true;
	imap->user_len = (uint8_t)(user.len < sizeof imap->user ? user.len : sizeof imap->user);
	memcpy(imap->user, user.at, imap->user_len);
	session_say(s, "%s OK [CAPABILITY ", imap->tag);
	imap_say_capabilities(s, true);
	session_say(s, "] Logged in\r\n");
	return SERVICE_CONTINUE;
}

static enum service_next refuse(struct session *s, struct imap *imap)
{
	imap->refused = true;
	session_delay(s, (uint32_t)device_of(s)->refusal_delay_ms);
	return SERVICE_CONTINUE;
}

static enum service_next imap_tick(struct session *s, void *state)
{
	struct imap *imap = state;
	imap->refused = false;
	session_say(s, "%s NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", imap->tag);
	return SERVICE_CONTINUE;
}

static enum service_next bad_command(struct session *s, struct imap *imap)
{
	if (++imap->bad >= BAD_MAX) {
		session_say(s, "* BYE Too many invalid IMAP commands.\r\n");
		return SERVICE_CLOSE;
	}
	session_say(s, "%s BAD Error in IMAP command received by server.\r\n", imap->tag_len ? imap->tag : "*");
	return SERVICE_CONTINUE;
}

static enum service_next go_on(struct session *s, struct imap *imap, enum sasl_next next)
{
	imap->authenticating = next == SASL_MORE;
	switch (next) {
	case SASL_MORE: session_say(s, "+ %s\r\n", imap->sasl.prompt); break;
	case SASL_IN: return enter(s, imap, (struct bytes){imap->sasl.user, imap->sasl.user_len});
	case SASL_BROKEN: session_say(s, "%s NO [ALERT] Invalid base64 in response\r\n", imap->tag); break;
	case SASL_CANCELLED: session_say(s, "%s BAD Authentication aborted by client.\r\n", imap->tag); break;
	case SASL_UNKNOWN: session_say(s, "%s NO [ALERT] Unsupported authentication mechanism.\r\n", imap->tag); break;
	case SASL_REFUSED: return refuse(s, imap);
	}
	return SERVICE_CONTINUE;
}

static enum service_next log_in(struct session *s, struct imap *imap, struct reader *command)
{
	struct bytes user, secret;
	if (!imap_string(command, session_arena(s), &user) || !imap_string(command, session_arena(s), &secret))
		return bad_command(s, imap);
	imap->bad = 0;
	return accounts_accept(s, &device_of(s)->accounts, user, secret) ? enter(s, imap, user) : refuse(s, imap);
}

static enum service_next authenticate(struct session *s, struct imap *imap, struct reader *command)
{
	const struct imap_device *d = device_of(s);
	struct bytes name, first = {0};
	if (!imap_atom(command, &name))
		return bad_command(s, imap);
	imap->bad = 0;
	if (!imap_at_end(command))
		imap_atom(command, &first);
	return go_on(s, imap, sasl_begin(s, &imap->sasl, &d->accounts, d->mechanisms, name, first));
}

static enum service_next outside(struct session *s, struct imap *imap, struct reader *command, struct reader *in)
{
	struct bytes name;
	if (!imap_atom(command, &name))
		return bad_command(s, imap);
	if (bytes_equal_nocase(name, "LOGIN"))
		return log_in(s, imap, command);
	if (bytes_equal_nocase(name, "AUTHENTICATE"))
		return authenticate(s, imap, command);
	if (bytes_equal_nocase(name, "CAPABILITY")) {
		session_say(s, "* CAPABILITY ");
		imap_say_capabilities(s, false);
		session_say(s, "\r\n%s OK Pre-login capabilities listed, post-login capabilities have more.\r\n", imap->tag);
	} else if (bytes_equal_nocase(name, "NOOP")) {
		session_say(s, "%s OK NOOP completed.\r\n", imap->tag);
	} else if (bytes_equal_nocase(name, "ID")) {
		session_say(s, "* ID (\"name\" \"Dovecot\")\r\n%s OK ID completed.\r\n", imap->tag);
	} else if (bytes_equal_nocase(name, "ENABLE")) {
		session_say(s, "%s OK ENABLE ignored in non-authenticated state.\r\n", imap->tag);
	} else if (bytes_equal_nocase(name, "LOGOUT")) {
		session_say(s, "* BYE Logging out\r\n%s OK Logout completed.\r\n", imap->tag);
		return SERVICE_CLOSE;
	} else if (bytes_equal_nocase(name, "STARTTLS")) {
		session_say(s, session_is_secure(s) ? "%s BAD TLS is already active.\r\n" : "%s OK Begin TLS negotiation now.\r\n", imap->tag);
		if (!session_is_secure(s)) {
			read_rest(in);
			session_secure(s);
		}
	} else {
		return bad_command(s, imap);
	}
	imap->bad = 0;
	return SERVICE_CONTINUE;
}

static void report(struct session *s, struct bytes line)
{
	struct bytes rest = line;
	bytes_word(&rest);
	struct bytes name = bytes_word(&rest);
	if (bytes_equal_nocase(name, "LOGIN") || bytes_equal_nocase(name, "AUTHENTICATE"))
		return;
	event_set_bytes(session_report(s, EVENT_COMMAND_SENT), FIELD_COMMAND_LINE, line);
}

/* `command`: whole, its literals in it. */
static enum service_next take_command(struct session *s, struct imap *imap, struct bytes command, struct reader *in)
{
	struct reader at = reader_of_bytes(command), lines = at;
	struct bytes tag, line;
	if (!read_line(&lines, &line))
		line = command;
	if (imap->authenticating)
		return go_on(s, imap, sasl_continue(s, &imap->sasl, &device_of(s)->accounts, line));
	report(s, line);
	if (imap->idling) {
		imap_idle_end(s, imap);
		return SERVICE_CONTINUE;
	}
	bool tagged = imap_atom(&at, &tag) && tag.len <= IMAP_TAG_MAX;
	imap->tag_len = tagged ? (uint8_t)tag.len : 0;
	bytes_copy_text(tagged ? tag : (struct bytes){0}, imap->tag, sizeof imap->tag);
	if (!imap->inside)
		return outside(s, imap, &at, in);
	if (!tagged) {
		session_say(s, "* BAD Error in IMAP tag: Invalid tag" IMAP_TIMES);
		return SERVICE_CONTINUE;
	}
	return imap_obey(s, imap, &at);
}

/* The length of a literal that a line ends with, or -1. */
static int64_t literal_of(struct bytes line, bool *waits)
{
	size_t end = line.len, start;
	uint64_t n;
	if (end == 0 || line.at[end - 1] != '}')
		return -1;
	end--;
	*waits = end == 0 || line.at[end - 1] != '+';
	end -= !*waits;
	for (start = end; start && line.at[start - 1] >= '0' && line.at[start - 1] <= '9';)
		start--;
	if (start == 0 || line.at[start - 1] != '{' || !bytes_number((struct bytes){line.at + start, end - start}, COMMAND_MAX, &n))
		return -1;
	return (int64_t)n;
}

/* Goes on looking for the end of the command where it left off; false: it has not come yet. */
static bool find_end(struct session *s, struct imap *imap, struct reader *in, size_t *end)
{
	for (;;) {
		size_t left = reader_left(in);
		if (left - imap->scanned < imap->literal)
			return false;
		imap->scanned += imap->literal;
		imap->literal = 0;
		const uint8_t *from = in->at + imap->scanned;
		const uint8_t *mark = left > imap->scanned ? memchr(from, '\n', left - imap->scanned) : NULL;
		if (!mark) {
			imap->scanned = (uint32_t)left;
			return false;
		}
		size_t len = (size_t)(mark - in->at);
		struct bytes line = {in->at, len && in->at[len - 1] == '\r' ? len - 1 : len};
		bool waits = false;
		int64_t n = imap->authenticating ? -1 : literal_of(line, &waits);
		imap->scanned = (uint32_t)len + 1;
		if (n < 0) {
			*end = len + 1;
			return true;
		}
		imap->literal = (uint32_t)n;
		if (waits)
			session_say(s, "+ OK\r\n");
	}
}

static enum service_next imap_input(struct session *s, void *state, struct reader *in)
{
	struct imap *imap = state;
	size_t end;
	while (!imap->refused && find_end(s, imap, in, &end)) {
		imap->scanned = 0;
		struct bytes command = read_bytes(in, end);
		if (take_command(s, imap, command, in) == SERVICE_CLOSE)
			return SERVICE_CLOSE;
	}
	if (imap->refused || reader_left(in) < COMMAND_MAX)
		return SERVICE_CONTINUE;
	session_say(s, "* BYE Input buffer full, aborting\r\n");
	return SERVICE_CLOSE;
}

static void imap_close(struct session *s, void *state)
{
	struct imap *imap = state;
	(void)s;
	mailbox_close(&imap->box);
}

/* clang-format off */
#define BEFORE "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS AUTH=PLAIN AUTH=LOGIN"
#define AFTER "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE UIDPLUS MOVE LITERAL+"
#define READY "* OK [CAPABILITY " BEFORE "] Dovecot (Debian) ready.\r\n"
#define IN "a LOGIN root xc3511\r\n"
#define INSIDE READY "a OK [CAPABILITY " AFTER "] Logged in\r\n"
#define FLAGS "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n" \
	"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Flags permitted.\r\n"

static const struct exchange imap_exchanges[] = {
	{"who is not logged in may ask little",
	 BYTES("a CAPABILITY\r\nb LOGIN x y\r\nc SELECT INBOX\r\nd AUTHENTICATE FOO\r\ne AUTHENTICATE PLAIN\r\n*\r\n"
	       "f LOGIN {1}\r\nz {1+}\r\nw\r\nGET / HTTP/1.0\r\n\r\nx\r\n"),
	 BYTES(READY "* CAPABILITY " BEFORE "\r\na OK Pre-login capabilities listed, post-login capabilities have more.\r\n"
	       "b NO [AUTHENTICATIONFAILED] Authentication failed.\r\nc BAD Error in IMAP command received by server.\r\n"
	       "d NO [ALERT] Unsupported authentication mechanism.\r\n+ \r\ne BAD Authentication aborted by client.\r\n+ OK\r\n"
	       "f NO [AUTHENTICATIONFAILED] Authentication failed.\r\nGET BAD Error in IMAP command received by server.\r\n"
	       "* BAD Error in IMAP command received by server.\r\n* BYE Too many invalid IMAP commands.\r\n"),
	 "{\"kind\":\"command.sent\",\"command.line\":\"a CAPABILITY\"}\n"
	 "{\"kind\":\"login.tried\",\"login.user\":\"x\",\"login.secret\":\"y\",\"login.accepted\":false}\n{}\n"
	 "{\"kind\":\"login.tried\",\"login.user\":\"z\",\"login.secret\":\"w\",\"login.accepted\":false}\n{}\n{}\n{}\n"},
	{"a mailbox that is made, filled, searched and emptied",
	 BYTES(IN "b CREATE new\r\nc APPEND new (\\Seen) {40+}\r\nSubject: hello\r\nFrom: a@b.test\r\n\r\ntext\r\n\r\nd SELECT new\r\n"
	       "e FETCH 1 (FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)] ENVELOPE BODYSTRUCTURE)\r\nf UID SEARCH SUBJECT hello NOT DELETED\r\n"
	       "g STORE 1 +FLAGS (\\Deleted)\r\nh EXPUNGE\r\ni FETCH 1 FLAGS\r\nj FOO\r\nk SEARCH BAR\r\nl UNSELECT\r\nm FETCH 1 FLAGS\r\n"
	       "n DELETE new\r\no SELECT new\r\np IDLE\r\nDONE\r\nq LOGOUT\r\n"),
	 BYTES(INSIDE "b OK Create completed" IMAP_TIMES "c OK [APPENDUID 1296823653 1] Append completed" IMAP_TIMES FLAGS
	       "* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1296823653] UIDs valid\r\n* OK [UIDNEXT 2] Predicted next UID\r\n"
	       "d OK [READ-WRITE] Select completed" IMAP_TIMES
	       "* 1 FETCH (FLAGS (\\Seen) RFC822.SIZE 40 BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: hello\r\n\r\n "
	       "ENVELOPE (NIL \"hello\" ((NIL NIL \"a\" \"b.test\")) ((NIL NIL \"a\" \"b.test\")) ((NIL NIL \"a\" \"b.test\")) NIL NIL NIL NIL NIL) "
	       "BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1 NIL NIL NIL NIL))\r\n"
	       "e OK Fetch completed" IMAP_TIMES "* SEARCH 1\r\nf OK Search completed" IMAP_TIMES
	       "* 1 FETCH (FLAGS (\\Deleted \\Seen))\r\ng OK Store completed" IMAP_TIMES "* 1 EXPUNGE\r\nh OK Expunge completed" IMAP_TIMES
	       "i BAD Error in IMAP command FETCH: Invalid messageset" IMAP_TIMES "j BAD Error in IMAP command FOO: Unknown command" IMAP_TIMES
	       "k BAD Error in IMAP command SEARCH: Unknown argument BAR" IMAP_TIMES "l OK Unselect completed" IMAP_TIMES
	       "m BAD No mailbox selected" IMAP_TIMES "n OK Delete completed" IMAP_TIMES "o NO Mailbox doesn't exist: new" IMAP_TIMES
	       "+ idling\r\np OK Idle completed" IMAP_TIMES "* BYE Logging out\r\nq OK Logout completed" IMAP_TIMES),
	 NULL},
	{"TLS begins", BYTES("a STARTTLS\r\n"), BYTES(READY "a OK Begin TLS negotiation now.\r\n"), NULL},
	{0},
};
/* clang-format on */

static const struct option imap_device[] = {
	{.name = "greeting", .type = OPTION_TEXT, .offset = offsetof(struct imap_device, greeting),
	 .fallback = "Dovecot (Debian) ready.", .summary = "what it says at first, behind its capabilities"},
	{.name = "mechanisms", .type = OPTION_TEXT, .offset = offsetof(struct imap_device, mechanisms),
	 .fallback = "PLAIN LOGIN", .summary = "of PLAIN, LOGIN and CRAM-MD5 those that it offers"},
	{.name = "refusal-delay", .type = OPTION_DURATION, .offset = offsetof(struct imap_device, refusal_delay_ms),
	 .fallback = "2s", .min = 1, .max = 10000, .summary = "time until a failed log-in is answered"},
	ACCOUNTS_OPTION(struct imap_device, accounts),
	{0},
};

static const struct service imap = {
	.name = "imap",
	.summary = "mailboxes of the device's accounts, with folders and search",
	.reference = "RFC 3501, 4315, 2177, 6851; Dovecot 2.3.19 of Debian",
	.transports = TRANSPORT_TCP,
	.ports = {143},
	.secure_ports = {993},
	.state_size = sizeof(struct imap),
	.input_max = COMMAND_MAX + 512,
	.output_max = OUTPUT_MAX,
	.arena_max = 262144,
	.idle_ms_max = 1800 * 1000,
	.session_ms_max = 7200 * 1000,
	.device = imap_device,
	.device_size = sizeof(struct imap_device),
	.open = imap_open,
	.input = imap_input,
	.tick = imap_tick,
	.close = imap_close,
	.exchanges = imap_exchanges,
};
SERVICE(imap);
