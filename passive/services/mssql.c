/*
 * Microsoft SQL Server with accounts to guess and xp_cmdshell behind them.
 *
 * Guessers try `sa`; who gets in turns xp_cmdshell on and downloads something.  The commands are
 * told and answered as cmd.exe does; what comes in a statement itself (assemblies) is kept.
 */
#include "passive/services/mssql/exchanges.h"
#include "passive/services/mssql/mssql.h"

#define MESSAGE_MAX (256 * 1024)
#define HEADER 8

enum packet { BATCH = 1, LOGIN_4 = 2, CALL = 3, ATTENTION = 6, TRANSACTION = 14, LOGIN_7 = 16, TICKET = 17, PRELOGIN = 18 };

static enum service_next mssql_open(struct session *s, void *state)
{
	static const char *const own[] = {"master", "tempdb", "model", "msdb"};
	struct mssql *m = state;
	m->session = s;
	m->device = session_device(s);
	m->tds = 0x74000004;
	m->cmdshell = m->device->xp_cmdshell;
	m->windows = windows_host(s, &m->device->identity, &m->host);
	m->sql = (struct sql){.dialect = SQL_TSQL, .hooks = &mssql_hooks, .owner = m, .arena = session_arena(s)};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		m->sql.databases[m->sql.database_count++] = bytes_of_text(own[i]);
	const char *const *names = m->device->databases.items;
	for (size_t i = 0; i < m->device->databases.count && m->sql.database_count < SQL_DATABASES_MAX / 2; i++)
		m->sql.databases[m->sql.database_count++] = bytes_of_text(names[i]);
	sql_recall(s, &m->sql, "mssql");
	m->sql.database = m->sql.databases[0];
	return SERVICE_CONTINUE;
}

/* The handshake of TLS goes in packets of its own (MS-TDS 2.2.6.5). */
static bool unwrap(struct reader *in, struct bytes *tls)
{
	*tls = (struct bytes){0};
	if (reader_left(in) < HEADER)
		return false;
	size_t len = (size_t)in->at[2] << 8 | in->at[3];
	if (in->at[0] != PRELOGIN || len <= HEADER)
		return true;
	if (reader_left(in) < len)
		return false;
	read_bytes(in, HEADER);
	*tls = read_bytes(in, len - HEADER);
	return true;
}

static void wrap(struct bytes tls, struct writer *w)
{
	while (tls.len) {
		size_t n = tls.len < MSSQL_PACKET - HEADER ? tls.len : MSSQL_PACKET - HEADER;
		write_u8(w, PRELOGIN);
		write_u8(w, n == tls.len);
		write_u16(w, (uint16_t)(n + HEADER));
		write_zero(w, 4);
		write_bytes(w, tls.at, n);
		tls = (struct bytes){tls.at + n, tls.len - n};
	}
}

static const struct secure_framing framing = {unwrap, wrap};

static void report(struct mssql *m, struct bytes text)
{
	struct event *e = session_report(m->session, EVENT_COMMAND_SENT);
	text.len = text.len < MSSQL_LINE_MAX ? text.len : MSSQL_LINE_MAX;
	event_set_bytes(e, FIELD_COMMAND_LINE, text);
}

/* Since TDS 7.2 headers stand before the text. */
static struct bytes skip_headers(const struct mssql *m, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	uint32_t len = m->tds >= 0x72000000 ? mssql_read_u32(&r) : 0;
	return len <= payload.len ? (struct bytes){payload.at + len, payload.len - len} : (struct bytes){0};
}

static void run_batch(struct mssql *m, struct bytes payload)
{
	struct bytes text = m->narrow ? payload : mssql_narrow(m->sql.scratch, skip_headers(m, payload));
	report(m, text);
	mssql_query(m, text, 0xfd);
	mssql_flush(m);
}

static bool ready_message(struct mssql *m, uint8_t type, struct bytes payload)
{
	switch (type) {
	case BATCH:
		run_batch(m, payload);
		return true;
	case CALL:
		mssql_call(m, skip_headers(m, payload));
		break;
	case ATTENTION:
		mssql_done(m, 0xfd, 0x20, 0);
		break;
	case TRANSACTION:
		mssql_done(m, 0xfd, 0, 0);
		break;
	default:
		return false;
	}
	mssql_flush(m);
	return true;
}

static bool message(struct mssql *m, uint8_t type, struct bytes payload)
{
	bool secure = false;
	if (m->phase == MSSQL_READY)
		return ready_message(m, type, payload);
	if (m->phase == MSSQL_TICKET)
		return type == TICKET && mssql_ticket(m, payload);
	if (type == LOGIN_7)
		return mssql_log_in(m, payload);
	if (type == LOGIN_4)
		return mssql_log_in_old(m, payload);
	if (type != PRELOGIN)
		return false;
	mssql_greet(m, payload, &secure);
	if (secure && !session_is_secure(m->session))
		session_secure_within(m->session, &framing);
	return true;
}

/* Where the message that begins here ends: behind the packet that says so; 0: it is not whole, or none. */
static size_t message_end(const struct reader *in, bool *broken)
{
	size_t at = 0, left = reader_left(in);
	while (left - at >= HEADER) {
		size_t len = (size_t)in->at[at + 2] << 8 | in->at[at + 3];
		*broken = len < HEADER || in->at[at] == 0 || in->at[at] > PRELOGIN;
		if (*broken || left - at < len)
			return 0;
		at += len;
		if (in->at[at - len + 1] & 1)
			return at;
	}
	return 0;
}

static bool take_message(struct mssql *m, struct bytes whole)
{
	struct arena scratch = ARENA(MSSQL_SCRATCH_MAX);
	uint8_t *payload = arena_alloc(&scratch, whole.len), *room = arena_alloc(&scratch, MSSQL_ANSWER_MAX);
	struct writer w = writer_of(payload, payload ? whole.len : 0);
	uint8_t type = whole.at[0];
	while (whole.len) {
		size_t len = (size_t)whole.at[2] << 8 | whole.at[3];
		write_bytes(&w, whole.at + HEADER, len - HEADER);
		whole = (struct bytes){whole.at + len, whole.len - len};
	}
	m->out = writer_of(room, room ? MSSQL_ANSWER_MAX : 0);
	m->sql.scratch = &scratch;
	bool stays = message(m, type, writer_bytes(&w));
	m->sql.scratch = NULL;
	arena_done(&scratch);
	return stays;
}

static enum service_next messages_take(struct session *s, struct mssql *m, struct reader *in)
{
	m->session = s;
	for (;;) {
		bool broken = false;
		size_t end = message_end(in, &broken);
		if (broken)
			return SERVICE_CLOSE;
		if (!end)
			return SERVICE_CONTINUE;
		if (!take_message(m, read_bytes(in, end)))
			return SERVICE_CLOSE;
	}
}

static enum service_next mssql_input(struct session *s, void *state, struct reader *in)
{
	struct mssql *m = state;
	enum service_next next = messages_take(s, m, in);
	sql_remember(s, &m->sql, "mssql");
	return next;
}

#define DEVICE_TEXT(member, key, otherwise, what)                                                  \
	{                                                                                          \
		.name = key, .type = OPTION_TEXT, .offset = offsetof(struct mssql_device, member), \
		.fallback = otherwise, .summary = what                                             \
	}

static const struct option mssql_device[] = {
	WINDOWS_IDENTITY_OPTIONS,
	DEVICE_TEXT(version, "version", "14.0.1000.169", "11 is 2012, 12 is 2014, 13 is 2016, 14 is 2017, 15 is 2019"),
	DEVICE_TEXT(service_account, "service-account", "nt service\\mssqlserver", "what whoami says"),
	{.name = "xp-cmdshell",
	 .type = OPTION_BOOL,
	 .offset = offsetof(struct mssql_device, xp_cmdshell),
	 .fallback = "yes",
	 .summary = "whether it is on before anyone turns it on"},
	{.name = "databases",
	 .type = OPTION_LIST,
	 .offset = offsetof(struct mssql_device, databases),
	 .element = OPTION_TEXT,
	 .summary = "databases beside those of the server itself"},
	ACCOUNTS_OPTION(struct mssql_device, accounts),
	{0},
};

static const struct service mssql = {
	.name = "mssql",
	.summary = "SQL Server with accounts to guess, xp_cmdshell answered by a shell that runs nothing",
	.reference = "MS-TDS 7.4 and TDS 4.2; SQL Server 2017 by its documentation",
	.transports = TRANSPORT_TCP,
	.ports = {1433},
	.state_size = sizeof(struct mssql),
	.input_max = MESSAGE_MAX,
	.output_max = 1024 * 1024,
	.arena_max = 1024 * 1024,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = mssql_device,
	.device_size = sizeof(struct mssql_device),
	.open = mssql_open,
	.input = mssql_input,
	.exchanges = mssql_exchanges,
};
SERVICE(mssql);
