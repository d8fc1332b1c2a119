/*
 * MySQL 5.7, MySQL 8.0 or MariaDB 10.11, open to those who guess an account.
 *
 * Bots try root with short lists; whoever gets in looks around, leaves a note, or writes a library
 * with INTO DUMPFILE and makes functions of it.  Files are kept, the functions answer from the
 * device's shell, and the client is never asked for a file of its own (LOAD DATA LOCAL).
 */
#include "passive/services/mysql/mysql.h"

#define PACKET_MAX (512 * 1024)

static enum service_next mysql_open(struct session *s, void *state)
{
	static const char *const system_databases[] = {"information_schema", "mysql", "performance_schema", "sys"};
	struct mysql *m = state;
	m->session = s;
	m->device = session_device(s);
	m->sql = (struct sql){.dialect = SQL_MYSQL, .hooks = &mysql_hooks, .owner = m, .arena = session_arena(s)};
	for (size_t i = 0; i < sizeof system_databases / sizeof *system_databases; i++)
		m->sql.databases[m->sql.database_count++] = bytes_of_text(system_databases[i]);
	const char *const *names = m->device->databases.items;
	for (size_t i = 0; i < m->device->databases.count && m->sql.database_count < SQL_DATABASES_MAX / 2; i++)
		m->sql.databases[m->sql.database_count++] = bytes_of_text(names[i]);
	sql_recall(s, &m->sql, "mysql");
	mysql_greet(m);
	return SERVICE_CONTINUE;
}

static void report(struct mysql *m, struct bytes line)
{
	struct event *e = session_report(m->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, (struct bytes){line.at, line.len < MYSQL_LINE_MAX ? line.len : MYSQL_LINE_MAX});
}

static void answer_statistics(struct mysql *m)
{
	char text[256], uptime[24];
	session_expand(m->session, "%{uptime}", uptime, sizeof uptime);
	snprintf(text, sizeof text,
		 "Uptime: %s  Threads: 1  Questions: %u  Slow queries: 0  Opens: 33  Open tables: 26  Queries per second avg: 0.%03u",
		 uptime, m->thread * 7 + m->questions, m->thread % 90 + 4);
	mysql_packet(m, bytes_of_text(text));
}

static void init_database(struct mysql *m, struct bytes name)
{
	report(m, name);
	if (mysql_choose(m, name))
		mysql_ok(m, 0);
	else
		mysql_error(m, 1049, "42000", "Unknown database '%.*s'", (int)(name.len < 64 ? name.len : 64),
			    (const char *)name.at);
}

static enum service_next command(struct mysql *m, struct bytes payload)
{
	enum { QUIT = 1, INIT_DB, QUERY, FIELD_LIST, STATISTICS = 9, PING = 14, PREPARE = 22, SET_OPTION = 27, RESET = 31 };
	struct bytes rest = {payload.at + 1, payload.len ? payload.len - 1 : 0};
	switch (payload.len ? payload.at[0] : 255) {
	case QUIT:
		return SERVICE_CLOSE;
	case INIT_DB:
		init_database(m, rest);
		break;
	case QUERY:
		report(m, rest);
		mysql_query(m, rest);
		break;
	case FIELD_LIST:
	case SET_OPTION:
		mysql_end(m);
		break;
	case STATISTICS:
		answer_statistics(m);
		break;
	case PING:
	case RESET:
		mysql_ok(m, 0);
		break;
	case PREPARE:
		report(m, rest);
		mysql_error(m, 1295, "HY000", "This command is not supported in the prepared statement protocol yet");
		break;
	default:
		mysql_error(m, 1047, "08S01", "Unknown command");
	}
	return SERVICE_CONTINUE;
}

static enum service_next packets_take(struct session *s, struct mysql *m, struct reader *in)
{
	m->session = s;
	while (reader_left(in) >= 4) {
		size_t len = in->at[0] | (size_t)in->at[1] << 8 | (size_t)in->at[2] << 16;
		uint8_t expected = m->phase == MYSQL_COMMANDS ? 0 : m->sequence;
		if (in->at[3] != expected) {
			m->sequence = expected;
			mysql_error(m, 1156, "08S01", "Got packets out of order");
			return SERVICE_CLOSE;
		}
		if (len > PACKET_MAX - 4) {
			m->sequence = expected + 1;
			mysql_error(m, 1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes");
			return SERVICE_CLOSE;
		}
		if (reader_left(in) < 4 + len)
			break;
		read_bytes(in, 4);
		struct bytes payload = read_bytes(in, len);
		m->sequence = expected + 1;
		if (m->phase != MYSQL_COMMANDS) {
			if (!mysql_log_in(m, payload))
				return SERVICE_CLOSE;
		} else if (command(m, payload) == SERVICE_CLOSE) {
			return SERVICE_CLOSE;
		}
	}
	return SERVICE_CONTINUE;
}

static enum service_next mysql_input(struct session *s, void *state, struct reader *in)
{
	struct mysql *m = state;
	enum service_next next = packets_take(s, m, in);
	sql_remember(s, &m->sql, "mysql");
	return next;
}

static void mysql_close(struct session *s, void *state)
{
	command_finish(s, ((struct mysql *)state)->shell);
}

static const struct exchange mysql_exchanges[] = {
	{"a wrong password, kept so that it can be cracked",
	 BYTES("P\0\0\1\1\202\t\0\0\0\0\1!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\24"
	       "u\276h\3\202\362\3019\212{\3363\265\376\325\306[\2\343\230mysql_native_password\0"),
	 BYTES("c\0\0\0\n"
	       "5.5.5-10.11.6-MariaDB-0+deb12u1\0\3412\0\0FSm2?*g~\0\376\367\10\2\0\377\201\25\0"
	       "\0\0\0\0\0\35\0\0\0xy<:AdfYB_,b\0mysql_native_password\0K\0\0\2\377\25\4#28000Ac"
	       "cess denied for user 'root'@'198.51.100.7' (using password: YES)"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.accepted\":false,"
	 "\"login.proof\":\"$mysqlna$46536d323f2a677e78793c3a41646659425f2c62*75be680382f2c1398a7bde33b5fed5c65b02e398\"}\n"},
	{"statements that clients and bots send",
	 BYTES("P\0\0\1\1\202\t\0\0\0\0\1!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\24"
	       "`\253\346\377\331ket\246\360\241\21\236Q\237\2708\"[Gmysql_native_password\0\1\0"
	       "\0\0\16!\0\0\0\3select @@version_comment limit 1\17\0\0\0\3show databases\6\0\0\0"
	       "\2mysql\r\0\0\0\3SELECT foo()\2\0\0\0\3x\1\0\0\0\1"),
	 BYTES("c\0\0\0\n"
	       "5.5.5-10.11.6-MariaDB-0+deb12u1\0\3412\0\0FSm2?*g~\0\376\367\10\2\0\377\201\25\0"
	       "\0\0\0\0\0\35\0\0\0xy<:AdfYB_,b\0mysql_native_password\0\7\0\0\2\0\0\0\2\0\0\0\7"
	       "\0\0\1\0\0\0\2\0\0\0\1\0\0\1\1'\0\0\2\3def\0\0\0\21@@version_comment\0\14!\0\33\0"
	       "\0\0\375\1\0'\0\0\5\0\0\3\376\0\0\2\0\n"
	       "\0\0\4\tDebian 12\5\0\0\5\376\0\0\2\0\1\0\0\1\1\36\0\0\2\3def\0\0\0\10Database\0"
	       "\14!\0006\0\0\0\375\1\0'\0\0\5\0\0\3\376\0\0\2\0\23\0\0\4\22information_schema\6"
	       "\0\0\5\5mysql\23\0\0\6\22performance_schema\4\0\0\7\3sys\5\0\0\10\376\0\0\2\0\7\0"
	       "\0\1\0\0\0\2\0\0\0*\0\0\1\377\31\5#42000FUNCTION mysql.foo does not exist\236\0\0"
	       "\1\377(\4#42000You have an error in your SQL syntax; check the manual that corre"
	       "sponds to your MariaDB server version for the right syntax to use near 'x' at li"
	       "ne 1"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.accepted\":true}\n"
	 "{\"kind\":\"command.sent\",\"command.line\":\"select @@version_comment limit 1\"}\n"
	 "{\"kind\":\"command.sent\",\"command.line\":\"show databases\"}\n{\"kind\":\"command.sent\",\"command.line\":\"mysql\"}\n{\"kind\":\"command.sent\",\"command.line\":\"SELECT foo()\"}\n{\"kind\":\"command.sent\",\"command.line\":\"x\"}\n"},
	{"a table, a note in it, and several statements at once",
	 BYTES("P\0\0\1\1\202\t\0\0\0\0\1!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\24"
	       "`\253\346\377\331ket\246\360\241\21\236Q\237\2708\"[Gmysql_native_password\0\220"
	       "\0\0\0\3create database w; use w; create table t (a int, note text); insert into"
	       " t values (1, 'pay''us'),(2,0x41); select * from t; drop database mysql"),
	 BYTES("c\0\0\0\n"
	       "5.5.5-10.11.6-MariaDB-0+deb12u1\0\3412\0\0FSm2?*g~\0\376\367\10\2\0\377\201\25\0"
	       "\0\0\0\0\0\35\0\0\0xy<:AdfYB_,b\0mysql_native_password\0\7\0\0\2\0\0\0\2\0\0\0\7"
	       "\0\0\1\0\1\0\n"
	       "\0\0\0\7\0\0\2\0\0\0\n"
	       "\0\0\0\7\0\0\3\0\0\0\n"
	       "\0\0\0\7\0\0\4\0\2\0\n"
	       "\0\0\0\1\0\0\5\2\33\0\0\6\3def\1w\1t\1t\1a\1a\14?\0\1\0\0\0\3\201\0\0\0\0!\0\0\7"
	       "\3def\1w\1t\1t\4note\4note\14!\0\22\0\0\0\375\0\0\0\0\0\5\0\0\10\376\0\0\n"
	       "\0\t\0\0\t\0011\6pay'us\4\0\0\n"
	       "\0012\1A\5\0\0\13\376\0\0\n"
	       "\0\7\0\0\14\0\0\0\2\0\0\0"),
	 NULL},
	{"a library is written, and its function answers",
	 BYTES("P\0\0\1\1\202\t\0\0\0\0\1!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\24"
	       "`\253\346\377\331ket\246\360\241\21\236Q\237\2708\"[Gmysql_native_password\0D\0\0"
	       "\0\3select unhex('7f454c46') into dumpfile '/usr/lib/mysql/plugin/u.so'6\0\0\0\3"
	       "create function sys_eval returns string soname 'u.so'\33\0\0\0\3select sys_eval("
	       "'echo hi')2\0\0\0\3load data local infile '/etc/passwd' into table t"),
	 BYTES("c\0\0\0\n"
	       "5.5.5-10.11.6-MariaDB-0+deb12u1\0\3412\0\0FSm2?*g~\0\376\367\10\2\0\377\201\25\0"
	       "\0\0\0\0\0\35\0\0\0xy<:AdfYB_,b\0mysql_native_password\0\7\0\0\2\0\0\0\2\0\0\0\7"
	       "\0\0\1\0\1\0\2\0\0\0\7\0\0\1\0\0\0\2\0\0\0\1\0\0\1\1)\0\0\2\3def\0\0\0\23sys_eva"
	       "l('echo hi')\0\14!\0\t\0\0\0\375\1\0'\0\0\5\0\0\3\376\0\0\2\0\4\0\0\4\3hi\n"
	       "\5\0\0\5\376\0\0\2\0B\0\0\1\377|\4#42000The used command is not allowed with thi"
	       "s MariaDB version"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"xc3511\",\"login.accepted\":true}\n{\"kind\":\"command.sent\"}\n"
	 "{\"kind\":\"file.captured\",\"file.name\":\"/usr/lib/mysql/plugin/u.so\",\"file.size\":4,\"file.how\":\"dumpfile\"}\n"
	 "{\"kind\":\"command.sent\"}\n{\"kind\":\"file.captured\",\"file.name\":\"u.so\",\"file.how\":\"udf\"}\n"
	 "{\"kind\":\"command.sent\"}\n{\"kind\":\"command.sent\",\"command.line\":\"echo hi\"}\n{\"kind\":\"command.sent\"}\n"},
	{"another way to log in is asked for",
	 BYTES("P\0\0\1\1\202\t\0\0\0\0\1!\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\24"
	       "\317\341\6\332\272*\210\\\242\371\257\317Ss\2\362[f2ucaching_sha2_password\0\0\0"
	       "\0\3"),
	 BYTES("c\0\0\0\n"
	       "5.5.5-10.11.6-MariaDB-0+deb12u1\0\3412\0\0FSm2?*g~\0\376\367\10\2\0\377\201\25\0"
	       "\0\0\0\0\0\35\0\0\0xy<:AdfYB_,b\0mysql_native_password\0,\0\0\2\376mysql_native_"
	       "password\0FSm2?*g~xy<:AdfYB_,b\0J\0\0\4\377\25\4#28000Access denied for user 'ro"
	       "ot'@'198.51.100.7' (using password: NO)"),
	 "{\"kind\":\"login.tried\",\"login.user\":\"root\",\"login.secret\":\"\",\"login.accepted\":false}\n"},
	{"what is no packet of this protocol",
	 BYTES("GET / HTTP/1.0\r\n"
	       "\r\n"),
	 BYTES("c\0\0\0\n"
	       "5.5.5-10.11.6-MariaDB-0+deb12u1\0\3412\0\0FSm2?*g~\0\376\367\10\2\0\377\201\25\0"
	       "\0\0\0\0\0\35\0\0\0xy<:AdfYB_,b\0mysql_native_password\0!\0\0\1\377\204\4#08S01G"
	       "ot packets out of order"),
	 ""},
	{"a packet too short",
	 BYTES("\4\0\0\1\5\242\0\0"),
	 BYTES("c\0\0\0\n"
	       "5.5.5-10.11.6-MariaDB-0+deb12u1\0\3412\0\0FSm2?*g~\0\376\367\10\2\0\377\201\25\0"
	       "\0\0\0\0\0\35\0\0\0xy<:AdfYB_,b\0mysql_native_password\0\26\0\0\2\377\23\4#08S01"
	       "Bad handshake"),
	 ""},
	{"a client of another age",
	 BYTES("\n"
	       "\0\0\1\5\242\0\0\0root\0"),
	 BYTES("c\0\0\0\n"
	       "5.5.5-10.11.6-MariaDB-0+deb12u1\0\3412\0\0FSm2?*g~\0\376\367\10\2\0\377\201\25\0"
	       "\0\0\0\0\0\35\0\0\0xy<:AdfYB_,b\0mysql_native_password\0\26\0\0\2\377\23\4#08S01"
	       "Bad handshake"),
	 ""},
	{0},
};

static const char *const flavours[] = {"mariadb", "mysql5", "mysql8", NULL};

#define DEVICE_TEXT(member, key, otherwise, what)                                                  \
	{                                                                                          \
		.name = key, .type = OPTION_TEXT, .offset = offsetof(struct mysql_device, member), \
		.fallback = otherwise, .summary = what                                             \
	}

static const struct option mysql_device[] = {
	{.name = "flavour",
	 .type = OPTION_CHOICE,
	 .offset = offsetof(struct mysql_device, flavour),
	 .choices = flavours,
	 .fallback = "mariadb",
	 .summary = "product whose greeting, way to log in and texts it has: MariaDB 10.11, MySQL 5.7 or 8.0"},
	DEVICE_TEXT(version, "version", "10.11.6-MariaDB-0+deb12u1", "as in the greeting, without MariaDB's 5.5.5-"),
	DEVICE_TEXT(comment, "comment", "Debian 12", "version_comment"),
	DEVICE_TEXT(data_directory, "data-directory", "/var/lib/mysql/", "datadir"),
	DEVICE_TEXT(plugin_directory, "plugin-directory", "/usr/lib/mysql/plugin/", "plugin_dir"),
	DEVICE_TEXT(secure_file_priv, "secure-file-priv", "", "what it says of secure_file_priv; files are taken in any case"),
	{.name = "databases",
	 .type = OPTION_LIST,
	 .offset = offsetof(struct mysql_device, databases),
	 .element = OPTION_TEXT,
	 .summary = "databases beside those of the server itself"},
	ACCOUNTS_OPTION(struct mysql_device, accounts),
	{0},
};

static const struct service mysql = {
	.name = "mysql",
	.summary = "MySQL or MariaDB with accounts to guess, what is written to its disk kept",
	.reference = "MariaDB 10.11, compared packet by packet; MySQL 5.7 and 8.0 by their documentation",
	.transports = TRANSPORT_TCP,
	.ports = {3306},
	.state_size = sizeof(struct mysql),
	.input_max = PACKET_MAX,
	.output_max = 1024 * 1024,
	.arena_max = 1024 * 1024,
	.idle_ms_max = 300 * 1000,
	.session_ms_max = 1800 * 1000,
	.device = mysql_device,
	.device_size = sizeof(struct mysql_device),
	.open = mysql_open,
	.input = mysql_input,
	.close = mysql_close,
	.exchanges = mysql_exchanges,
};
SERVICE(mysql);
