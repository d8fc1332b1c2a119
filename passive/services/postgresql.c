/*
 * PostgreSQL with accounts to guess.
 *
 * Whoever gets in as its superuser may run programs by COPY ... FROM PROGRAM, and most do at once.
 * They are told what the device's shell says, which runs nothing; files that are written through
 * COPY, large objects or libraries for functions are kept.
 */
#include "passive/services/postgresql/postgresql.h"

#define MESSAGE_MAX (512 * 1024)
#define STARTUP_MAX 10000 /* MAX_STARTUP_PACKET_LENGTH */

static enum service_next postgres_open(struct session *s, void *state)
{
	struct postgres *p = state;
	p->session = s;
	p->device = session_device(s);
	p->sql = (struct sql){.dialect = SQL_POSTGRES, .hooks = &postgres_hooks, .owner = p, .arena = session_arena(s)};
	p->sql.database = BYTES("public"); /* one schema holds all tables */
	p->sql.databases[p->sql.database_count++] = BYTES("postgres");
	p->sql.databases[p->sql.database_count++] = BYTES("template0");
	p->sql.databases[p->sql.database_count++] = BYTES("template1");
	const char *const *names = p->device->databases.items;
	for (size_t i = 0; i < p->device->databases.count && p->sql.database_count < SQL_DATABASES_MAX / 2; i++)
		p->sql.databases[p->sql.database_count++] = bytes_of_text(names[i]);
	sql_recall(s, &p->sql, "postgresql");
	return SERVICE_CONTINUE;
}

static void report(struct postgres *p, struct bytes text)
{
	struct event *e = session_report(p->session, EVENT_COMMAND_SENT);
	text.len = text.len < POSTGRES_LINE_MAX ? text.len : POSTGRES_LINE_MAX;
	event_set_bytes(e, FIELD_COMMAND_LINE, text);
}

static void report_parse(struct postgres *p, struct bytes payload)
{
	size_t name = strnlen((const char *)payload.at, payload.len);
	if (name + 1 >= payload.len)
		return;
	struct bytes text = {payload.at + name + 1, payload.len - name - 1};
	text.len = strnlen((const char *)text.at, text.len);
	if (text.len)
		report(p, text);
}

static bool ready_message(struct postgres *p, uint8_t type, struct bytes payload)
{
	if (type == 'X')
		return false;
	if (p->copying) {
		if (type != 'c' && type != 'f')
			return true;
		p->copying = false;
		postgres_complete(p, "COPY 0");
		postgres_ready(p);
		return true;
	}
	if (type == 'Q') {
		if (payload.len && payload.at[payload.len - 1] == 0)
			payload.len--;
		if (payload.len)
			report(p, payload);
		postgres_query(p, payload);
		return true;
	}
	if (type == 'P')
		report_parse(p, payload);
	if (postgres_extended(p, type, payload))
		return true;
	const struct postgres_error e = {.severity = "FATAL", .state = "08P01", .file = "postgres.c", .line = 423,
					 .routine = "SocketBackend"};
	postgres_error(p, &e, "invalid frontend message type %u", type);
	return false;
}

/* A length that no client sends ends the connection without a word, as the real one does. */
static enum service_next startup(struct postgres *p, struct reader *in, bool *waits)
{
	struct reader head = *in;
	uint32_t len = read_u32(&head);
	*waits = false;
	if (len < 8 || len > STARTUP_MAX)
		return SERVICE_CLOSE;
	*waits = reader_left(in) < len;
	if (*waits)
		return SERVICE_CONTINUE;
	read_bytes(in, 4);
	return postgres_startup(p, read_bytes(in, len - 4)) ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

static enum service_next message(struct postgres *p, struct reader *in, bool *waits)
{
	struct reader head = *in;
	uint8_t type = read_u8(&head);
	uint32_t len = read_u32(&head);
	*waits = false;
	if (p->phase != POSTGRES_READY && type != 'p') {
		const struct postgres_error e = {.severity = "FATAL", .state = "08P01", .file = "auth.c", .line = 708,
						 .routine = "recv_password_packet"};
		postgres_error(p, &e, "expected password response, got message type %u", type);
		return SERVICE_CLOSE;
	}
	if (len < 4 || len > MESSAGE_MAX - 8) {
		const struct postgres_error e = {.severity = "FATAL", .state = "08P01", .file = "pqcomm.c", .line = 1236,
						 .routine = "pq_getmessage"};
		postgres_error(p, &e, "invalid message length");
		return SERVICE_CLOSE;
	}
	*waits = reader_left(in) < (size_t)len + 1;
	if (*waits)
		return SERVICE_CONTINUE;
	read_bytes(in, 5);
	struct bytes payload = read_bytes(in, len - 4);
	bool stays = p->phase == POSTGRES_READY ? ready_message(p, type, payload) : postgres_secret(p, payload);
	return stays ? SERVICE_CONTINUE : SERVICE_CLOSE;
}

static enum service_next messages_take(struct session *s, struct postgres *p, struct reader *in)
{
	enum service_next next = SERVICE_CONTINUE;
	bool waits = false;
	p->session = s;
	while (next == SERVICE_CONTINUE && !waits) {
		bool starting = p->phase == POSTGRES_STARTUP;
		if (reader_left(in) < (starting ? 4 : 5))
			break;
		next = starting ? startup(p, in, &waits) : message(p, in, &waits);
	}
	return next;
}

static enum service_next postgres_input(struct session *s, void *state, struct reader *in)
{
	struct postgres *p = state;
	enum service_next next = messages_take(s, p, in);
	sql_remember(s, &p->sql, "postgresql");
	return next;
}

static void postgres_close(struct session *s, void *state)
{
	command_finish(s, ((struct postgres *)state)->shell);
}

static const struct exchange postgres_exchanges[] = {
	{"a wrong password, kept so that it can be cracked",
	 BYTES("\0\0\0\10\4\322\26/\0\0\0%\0\3\0\0user\0root\0database\0postgres\0\0p\0\0\0(md56"
	       "2e1a083413a8e9045b35b9ee0c120a3\0"),
	 BYTES("SR\0\0\0\14\0\0\0\5-\333\275\257E\0\0\0dSFATAL\0VFATAL\0C28P01\0Mpassword authen"
	       "tication failed for user \"root\"\0Fauth.c\0L334\0Rauth_failed\0\0"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.accepted\":false,"
	 "\"login.proof\":\"$postgres$root*2ddbbdaf*62e1a083413a8e9045b35b9ee0c120a3\"}\n"},
	{"a program by COPY, its output read",
	 BYTES("\0\0\0%\0\3\0\0user\0root\0database\0postgres\0\0p\0\0\0(md5cfd8458e13d0da0595e1"
	       "31aff3b67394\0Q\0\0\0\33DROP TABLE IF EXISTS c\0Q\0\0\0JCREATE TABLE c(o text);C"
	       "OPY c FROM PROGRAM 'echo hi';SELECT * FROM c;\0X\0\0\0\4"),
	 BYTES("R\0\0\0\14\0\0\0\5-\333\275\257R\0\0\0\10\0\0\0\0S\0\0\0\26application_name\0\0S"
	       "\0\0\0\31client_encoding\0UTF8\0S\0\0\0\27DateStyle\0ISO, MDY\0S\0\0\0\31integer"
	       "_datetimes\0on\0S\0\0\0\33IntervalStyle\0postgres\0S\0\0\0\24is_superuser\0on\0S"
	       "\0\0\0\31server_encoding\0UTF8\0S\0\0\0000server_version\00013.8 (Debian 13.8-0+"
	       "deb11u1)\0S\0\0\0\37session_authorization\0root\0S\0\0\0#standard_conforming_str"
	       "ings\0on\0S\0\0\0\25TimeZone\0Etc/UTC\0K\0\0\0\14\0\0\14\344\31\r\347\4Z\0\0\0\5"
	       "IC\0\0\0\17DROP TABLE\0Z\0\0\0\5IC\0\0\0\21CREATE TABLE\0C\0\0\0\13COPY 1\0T\0\0"
	       "\0\32\0\1o\0\0\0@\0\0\1\0\0\0\31\377\377\377\377\377\377\0\0D\0\0\0\14\0\1\0\0\0"
	       "\2hiC\0\0\0\rSELECT 1\0Z\0\0\0\5I"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.accepted\":true}\n"
	 "{\"kind\":\"command.sent\",\"command.line\":\"DROP TABLE IF EXISTS c\"}\n{\"kind\":\"command.sent\"}\n{\"kind\":\"command.sent\",\"command.line\":\"echo hi\"}\n"},
	{"the extended way, and an error in it",
	 BYTES("\0\0\0%\0\3\0\0user\0root\0database\0postgres\0\0p\0\0\0(md5cfd8458e13d0da0595e1"
	       "31aff3b67394\0P\0\0\0\37\0select $1::text, 2 as b\0\0\0D\0\0\0\6S\0B\0\0\0\21\0\0"
	       "\0\0\0\1\0\0\0\1x\0\0E\0\0\0\t\0\0\0\0\0S\0\0\0\4P\0\0\0\14a\0foo\0\0\0B\0\0\0\r"
	       "\0a\0\0\0\0\0\0\0E\0\0\0\t\0\0\0\0\0D\0\0\0\6P\0S\0\0\0\4"),
	 BYTES("R\0\0\0\14\0\0\0\5-\333\275\257R\0\0\0\10\0\0\0\0S\0\0\0\26application_name\0\0S"
	       "\0\0\0\31client_encoding\0UTF8\0S\0\0\0\27DateStyle\0ISO, MDY\0S\0\0\0\31integer"
	       "_datetimes\0on\0S\0\0\0\33IntervalStyle\0postgres\0S\0\0\0\24is_superuser\0on\0S"
	       "\0\0\0\31server_encoding\0UTF8\0S\0\0\0000server_version\00013.8 (Debian 13.8-0+"
	       "deb11u1)\0S\0\0\0\37session_authorization\0root\0S\0\0\0#standard_conforming_str"
	       "ings\0on\0S\0\0\0\25TimeZone\0Etc/UTC\0K\0\0\0\14\0\0\14\344\31\r\347\4Z\0\0\0\5"
	       "I1\0\0\0\4t\0\0\0\n"
	       "\0\1\0\0\0\31T\0\0\0005\0\2?column?\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377"
	       "\0\0b\0\0\0\0\0\0\0\0\0\0\27\0\4\377\377\377\377\0\0002\0\0\0\4D\0\0\0\20\0\2\0\0"
	       "\0\1x\0\0\0\0012C\0\0\0\rSELECT 1\0Z\0\0\0\5I1\0\0\0\0042\0\0\0\4E\0\0\0[SERROR\0"
	       "VERROR\0C42601\0Msyntax error at or near \"foo\"\0P1\0Fscan.l\0L1188\0Rscanner_y"
	       "yerror\0\0Z\0\0\0\5I"),
	 NULL},
	{"a large object becomes a file, a library a function",
	 BYTES("\0\0\0%\0\3\0\0user\0root\0database\0postgres\0\0p\0\0\0(md5cfd8458e13d0da0595e1"
	       "31aff3b67394\0Q\0\0\0006select lo_from_bytea(0, decode('7f454c46','hex'))\0Q\0\0"
	       "\0)select lo_export(16403, '/tmp/x.so')\0Q\0\0\0hcreate or replace function sys_"
	       "eval(text) returns text as '/tmp/x.so', 'sys_eval' language c strict\0Q\0\0\0\37"
	       "select sys_eval('echo hi')\0"),
	 BYTES("R\0\0\0\14\0\0\0\5-\333\275\257R\0\0\0\10\0\0\0\0S\0\0\0\26application_name\0\0S"
	       "\0\0\0\31client_encoding\0UTF8\0S\0\0\0\27DateStyle\0ISO, MDY\0S\0\0\0\31integer"
	       "_datetimes\0on\0S\0\0\0\33IntervalStyle\0postgres\0S\0\0\0\24is_superuser\0on\0S"
	       "\0\0\0\31server_encoding\0UTF8\0S\0\0\0000server_version\00013.8 (Debian 13.8-0+"
	       "deb11u1)\0S\0\0\0\37session_authorization\0root\0S\0\0\0#standard_conforming_str"
	       "ings\0on\0S\0\0\0\25TimeZone\0Etc/UTC\0K\0\0\0\14\0\0\14\344\31\r\347\4Z\0\0\0\5"
	       "IT\0\0\0&\0\1lo_from_bytea\0\0\0\0\0\0\0\0\0\0\27\0\4\377\377\377\377\0\0D\0\0\0"
	       "\17\0\1\0\0\0\00516403C\0\0\0\rSELECT 1\0Z\0\0\0\5IT\0\0\0\"\0\1lo_export\0\0\0\0"
	       "\0\0\0\0\0\0\27\0\4\377\377\377\377\0\0D\0\0\0\13\0\1\0\0\0\0011C\0\0\0\rSELECT "
	       "1\0Z\0\0\0\5IC\0\0\0\24CREATE FUNCTION\0Z\0\0\0\5IT\0\0\0!\0\1sys_eval\0\0\0\0\0"
	       "\0\0\0\0\0\31\377\377\377\377\377\377\0\0D\0\0\0\r\0\1\0\0\0\3hi\n"
	       "C\0\0\0\rSELECT 1\0Z\0\0\0\5I"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.accepted\":true}\n{\"kind\":\"command.sent\"}\n{\"kind\":\"command.sent\"}\n"
	 "{\"kind\":\"file.captured\",\"file.name\":\"/tmp/x.so\",\"file.size\":4,\"file.how\":\"lo_export\"}\n"
	 "{\"kind\":\"command.sent\"}\n{\"kind\":\"file.captured\",\"file.name\":\"/tmp/x.so\",\"file.how\":\"function\"}\n"
	 "{\"kind\":\"command.sent\"}\n{\"kind\":\"command.sent\",\"command.line\":\"echo hi\"}\n"},
	{"a transaction that fails, and a block with a program in it",
	 BYTES("\0\0\0%\0\3\0\0user\0root\0database\0postgres\0\0p\0\0\0(md5cfd8458e13d0da0595e1"
	       "31aff3b67394\0Q\0\0\0\n"
	       "begin\0Q\0\0\0\22select nosuch\0Q\0\0\0\rselect 1\0Q\0\0\0\rrollback\0Q\0\0\0?DO"
	       " $$BEGIN EXECUTE 'COPY x FROM PROGRAM ''echo a'''; END$$\0"),
	 BYTES("R\0\0\0\14\0\0\0\5-\333\275\257R\0\0\0\10\0\0\0\0S\0\0\0\26application_name\0\0S"
	       "\0\0\0\31client_encoding\0UTF8\0S\0\0\0\27DateStyle\0ISO, MDY\0S\0\0\0\31integer"
	       "_datetimes\0on\0S\0\0\0\33IntervalStyle\0postgres\0S\0\0\0\24is_superuser\0on\0S"
	       "\0\0\0\31server_encoding\0UTF8\0S\0\0\0000server_version\00013.8 (Debian 13.8-0+"
	       "deb11u1)\0S\0\0\0\37session_authorization\0root\0S\0\0\0#standard_conforming_str"
	       "ings\0on\0S\0\0\0\25TimeZone\0Etc/UTC\0K\0\0\0\14\0\0\14\344\31\r\347\4Z\0\0\0\5"
	       "IC\0\0\0\n"
	       "BEGIN\0Z\0\0\0\5TE\0\0\0iSERROR\0VERROR\0C42703\0Mcolumn \"nosuch\" does not exi"
	       "st\0P8\0Fparse_relation.c\0L3665\0RerrorMissingColumn\0\0Z\0\0\0\5EE\0\0\0\220SE"
	       "RROR\0VERROR\0C25P02\0Mcurrent transaction is aborted, commands ignored until en"
	       "d of transaction block\0Fpostgres.c\0L1104\0Rexec_simple_query\0\0Z\0\0\0\5EC\0\0"
	       "\0\rROLLBACK\0Z\0\0\0\5IC\0\0\0\7DO\0Z\0\0\0\5I"),
	 NULL},
	{"a protocol that is none",
	 BYTES("\0\0\0\t\377SMB\0"),
	 BYTES("E\0\0\0\213SFATAL\0VFATAL\0C0A000\0Munsupported frontend protocol 65363.19778: s"
	       "erver supports 3.0 to 3.0\0Fpostmaster.c\0L2133\0RProcessStartupPacket\0\0"),
	 ""},
	{"a protocol that was",
	 BYTES("\0\0\0\10\0\2\0\0"),
	 BYTES("EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.0\n"
	       "\0"),
	 ""},
	{"a length that is none",
	 BYTES("GET / HTTP/1.0\r\n"
	       "\r\n"),
	 BYTES(""),
	 ""},
	{"no user",
	 BYTES("\0\0\0\t\0\3\0\0\0"),
	 BYTES("E\0\0\0ySFATAL\0VFATAL\0C28000\0Mno PostgreSQL user name specified in startup pa"
	       "cket\0Fpostmaster.c\0L2262\0RProcessStartupPacket\0\0"),
	 ""},
	{"a statement before the password",
	 BYTES("\0\0\0%\0\3\0\0user\0root\0database\0postgres\0\0Q\0\0\0\rselect 1\0"),
	 BYTES("R\0\0\0\14\0\0\0\5-\333\275\257E\0\0\0nSFATAL\0VFATAL\0C08P01\0Mexpected passwor"
	       "d response, got message type 81\0Fauth.c\0L708\0Rrecv_password_packet\0\0"),
	 ""},
	{0},
};

static const char *const ways[] = {"md5", "scram-sha-256", "password", "trust", NULL};

#define DEVICE_TEXT(member, key, otherwise, what)                                                     \
	{                                                                                             \
		.name = key, .type = OPTION_TEXT, .offset = offsetof(struct postgres_device, member), \
		.fallback = otherwise, .summary = what                                                \
	}

static const struct option postgres_device[] = {
	DEVICE_TEXT(version, "version", "13.8", "what it says it is"),
	DEVICE_TEXT(package, "package", "Debian 13.8-0+deb11u1", "in parentheses behind the version"),
	DEVICE_TEXT(compiler, "compiler", "gcc (Debian 10.2.1-6) 10.2.1 20210110", "in version()"),
	{.name = "auth",
	 .type = OPTION_CHOICE,
	 .offset = offsetof(struct postgres_device, way),
	 .choices = ways,
	 .fallback = "md5",
	 .summary = "how an account shows its password, as in pg_hba.conf; scram costs a millisecond a try"},
	{.name = "tls",
	 .type = OPTION_BOOL,
	 .offset = offsetof(struct postgres_device, tls),
	 .fallback = "yes",
	 .summary = "ssl = on, as Debian's package sets it"},
	{.name = "startup-line",
	 .type = OPTION_NUMBER,
	 .offset = offsetof(struct postgres_device, startup_line),
	 .fallback = "2133",
	 .min = 1,
	 .max = 9999,
	 .summary = "line of postmaster.c that refuses a protocol: tells the version to who compares"},
	{.name = "databases",
	 .type = OPTION_LIST,
	 .offset = offsetof(struct postgres_device, databases),
	 .element = OPTION_TEXT,
	 .summary = "databases beside those of the server itself"},
	ACCOUNTS_OPTION(struct postgres_device, accounts),
	{0},
};

static const struct service postgresql = {
	.name = "postgresql",
	.summary = "PostgreSQL with accounts to guess, programs that it is told to run seen",
	.reference = "PostgreSQL 15, compared message by message; protocol 3.0; RFC 5802, 7677",
	.transports = TRANSPORT_TCP,
	.ports = {5432},
	.state_size = sizeof(struct postgres),
	.input_max = MESSAGE_MAX,
	.output_max = 1024 * 1024,
	.arena_max = 1024 * 1024,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = postgres_device,
	.device_size = sizeof(struct postgres_device),
	.open = postgres_open,
	.input = postgres_input,
	.close = postgres_close,
	.exchanges = postgres_exchanges,
};
SERVICE(postgresql);
