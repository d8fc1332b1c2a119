/*
 * Batches of Transact-SQL: procedures that attackers call (xp_cmdshell, sp_configure, sp_OACreate,
 * jobs, assemblies), and plain statements.
 */
#include "passive/services/mssql/mssql.h"
#include <time.h>

#define OUTPUT_MAX 8192
#define STATEMENTS_MAX 256 /* of one batch */

static int cut(size_t n)
{
	return (int)(n < 128 ? n : 128);
}

static struct bytes version_text(struct mssql *m)
{
	char text[512];
	unsigned major = 0;
	const struct windows_system *s = m->windows;
	sscanf(m->device->version, "%u", &major);
	const char *year = major >= 15 ? "2019" : major == 14 ? "2017" : major == 13 ? "2016" : major == 12 ? "2014" : "2012";
	snprintf(text, sizeof text,
		 "Microsoft SQL Server %s (RTM) - %s (X64) \n\tCopyright (C) %s Microsoft Corporation\n\tStandard Edition "
		 "(64-bit) on %s <X64> (Build %u: ) (Hypervisor)\n",
		 year, m->device->version, year, s->native, s->build);
	return arena_copy(m->sql.scratch, bytes_of_text(text));
}

static bool hook_variable(void *owner, struct bytes name, struct sql_value *out)
{
	struct mssql *m = owner;
	if (bytes_equal_nocase(name, "@@version"))
		*out = sql_words(version_text(m));
	else if (bytes_equal_nocase(name, "@@servername"))
		*out = sql_words(bytes_of_text(m->host.computer));
	else if (bytes_equal_nocase(name, "@@spid"))
		*out = sql_integer(&m->sql, 53);
	else if (bytes_equal_nocase(name, "@@rowcount") || bytes_equal_nocase(name, "@@error") ||
		 bytes_equal_nocase(name, "@@trancount"))
		*out = sql_integer(&m->sql, 0);
	else if (bytes_equal_nocase(name, "@@language"))
		*out = sql_words(BYTES("us_english"));
	else if (bytes_equal_nocase(name, "@@max_precision"))
		*out = sql_integer(&m->sql, 38);
	else if (bytes_equal_nocase(name, "system_user") || bytes_equal_nocase(name, "session_user") ||
		 bytes_equal_nocase(name, "current_user"))
		*out = name.at[0] == 's' ? sql_words((struct bytes){m->user, m->user_len}) : sql_words(BYTES("dbo"));
	else if (name.len > 1 && name.at[0] == '@' && name.at[1] != '@')
		*out = (struct sql_value){0}; /* declared in the batch, never set */
	else
		return false;
	return true;
}

static struct sql_value property(struct mssql *m, struct bytes name)
{
	if (bytes_equal_nocase(name, "productversion"))
		return sql_words(bytes_of_text(m->device->version));
	if (bytes_equal_nocase(name, "productlevel"))
		return sql_words(BYTES("RTM"));
	if (bytes_equal_nocase(name, "edition"))
		return sql_words(BYTES("Standard Edition (64-bit)"));
	if (bytes_equal_nocase(name, "machinename") || bytes_equal_nocase(name, "servername"))
		return sql_words(bytes_of_text(m->host.computer));
	return (struct sql_value){0};
}

static bool hook_function(void *owner, struct bytes name, const struct sql_value *v, size_t n, struct sql_value *out)
{
	struct mssql *m = owner;
	if (bytes_equal_nocase(name, "db_name"))
		*out = sql_words(m->sql.database);
	else if (bytes_equal_nocase(name, "suser_sname") || bytes_equal_nocase(name, "suser_name"))
		*out = sql_words((struct bytes){m->user, m->user_len});
	else if (bytes_equal_nocase(name, "user_name"))
		*out = sql_words(BYTES("dbo"));
	else if (bytes_equal_nocase(name, "host_name"))
		*out = sql_words(bytes_of_text(m->host.computer));
	else if (bytes_equal_nocase(name, "is_srvrolemember") || bytes_equal_nocase(name, "is_member"))
		*out = sql_integer(&m->sql, 1);
	else if (bytes_equal_nocase(name, "serverproperty") && n)
		*out = property(m, v[0].text);
	else if (bytes_equal_nocase(name, "object_id") || bytes_equal_nocase(name, "db_id"))
		*out = n && bytes_find_nocase(v[0].text, "cmdshell") < v[0].text.len ? sql_integer(&m->sql, 1549964699)
										      : (struct sql_value){0};
	else if (bytes_equal_nocase(name, "getdate")) {
		time_t at = (time_t)(session_time_us(m->session) / 1000000);
		struct tm tm;
		char text[32] = "";
		if (gmtime_r(&at, &tm))
			strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S.000", &tm);
		*out = sql_words(arena_copy(m->sql.scratch, bytes_of_text(text)));
	} else
		return false;
	return true;
}

static bool hook_table(void *owner, struct bytes database, struct bytes name, struct sql_answer *a)
{
	struct mssql *m = owner;
	(void)database;
	if (bytes_equal_nocase(name, "sysdatabases") || bytes_equal_nocase(name, "databases")) {
		sql_column_add(&m->sql, a, BYTES("name"), SQL_TEXT);
		for (size_t i = 0; i < m->sql.database_count; i++) {
			struct sql_value *v = sql_row_add(&m->sql, a);
			if (v)
				v[0] = sql_words(m->sql.databases[i]);
		}
		return true;
	}
	if (bytes_equal_nocase(name, "syslogins") || bytes_equal_nocase(name, "sql_logins") ||
	    bytes_equal_nocase(name, "server_principals")) {
		sql_column_add(&m->sql, a, BYTES("name"), SQL_TEXT);
		struct sql_value *v = sql_row_add(&m->sql, a);
		if (v)
			v[0] = sql_words(BYTES("sa"));
		return true;
	}
	if (bytes_start_with(name, "sys") || bytes_find_nocase(database, "sys") < database.len) {
		sql_column_add(&m->sql, a, BYTES("name"), SQL_TEXT);
		return true;
	}
	return false;
}

const struct sql_hooks mssql_hooks = {hook_variable, hook_function, hook_table};

static void answer_failed(struct mssql *m, const struct sql_answer *a)
{
	const char *name = (const char *)a->subject.at;
	int n = cut(a->subject.len);
	switch (a->outcome) {
	case SQL_NO_TABLE:
		if (!strcmp(a->verb, "DROP TABLE"))
			mssql_say(m, true, 3701, 11, 5, "Cannot drop the table '%.*s', because it does not exist or you do not have "
							"permission.", n, name);
		else
			mssql_say(m, true, 208, 16, 1, "Invalid object name '%.*s'.", n, name);
		break;
	case SQL_NO_DATABASE:
		mssql_say(m, true, 911, 16, 1, "Database '%.*s' does not exist. Make sure that the name is entered correctly.",
			  n, name);
		break;
	case SQL_NO_COLUMN:
		mssql_say(m, true, 207, 16, 1, "Invalid column name '%.*s'.", n, name);
		break;
	case SQL_NO_FUNCTION:
		mssql_say(m, true, 195, 15, 10, "'%.*s' is not a recognized built-in function name.", n, name);
		break;
	case SQL_TABLE_EXISTS:
		mssql_say(m, true, 2714, 16, 6, "There is already an object named '%.*s' in the database.", n, name);
		break;
	case SQL_DATABASE_EXISTS:
		mssql_say(m, true, 1801, 16, 3, "Database '%.*s' already exists. Choose a different database name.", n, name);
		break;
	case SQL_FULL:
		mssql_say(m, true, 1105, 17, 2, "Could not allocate space for object '%.*s' in database 'master' because the "
						"'PRIMARY' filegroup is full.", n, name);
		break;
	default:
		mssql_say(m, true, 102, 15, 1, "Incorrect syntax near '%.*s'.", n, name);
	}
}

/* Its output line by line, and a NULL behind it, as xp_cmdshell gives them. */
static void run_shell(struct mssql *m, struct bytes line)
{
	uint8_t *room = arena_alloc(m->sql.scratch, OUTPUT_MAX);
	struct writer w = writer_of(room, room ? OUTPUT_MAX : 0);
	struct sql_answer a;
	if (!m->cmdshell) {
		mssql_say(m, true, 15281, 16, 1,
			  "SQL Server blocked access to procedure 'sys.xp_cmdshell' of component 'xp_cmdshell' because this component "
			  "is turned off as part of the security configuration for this server. A system administrator can enable the "
			  "use of 'xp_cmdshell' by using sp_configure. For more information about enabling 'xp_cmdshell', search for "
			  "'xp_cmdshell' in SQL Server Books Online.");
		return;
	}
	struct event *e = session_report(m->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, line);
	mssql_command(m, line, &w);
	sql_answer_begin(&m->sql, &a, "EXEC");
	sql_column_add(&m->sql, &a, BYTES("output"), SQL_TEXT);
	struct reader r = reader_of_bytes(writer_bytes(&w));
	struct bytes one;
	while (read_line(&r, &one)) {
		struct sql_value *v = sql_row_add(&m->sql, &a);
		if (v && one.len)
			v[0] = sql_words(one);
	}
	sql_row_add(&m->sql, &a);
	mssql_rows(m, &a);
	mssql_done(m, 0xff, 1, a.row_count);
}

static void run_configure(struct mssql *m, struct bytes option, struct bytes value)
{
	bool shell = bytes_equal_nocase(option, "xp_cmdshell"), on = value.len && value.at[0] == '1';
	bool was = shell ? m->cmdshell : !on;
	mssql_say(m, false, 15457, 0, 1,
		  "Configuration option '%.*s' changed from %d to %d. Run the RECONFIGURE statement to install.", cut(option.len),
		  (const char *)option.at, was, on);
	if (shell)
		m->cmdshell = on;
}

static bool mentions(struct bytes name, const char *what)
{
	return bytes_find_nocase(name, what) < name.len;
}

/* EXEC name [@parameter =] value, ...; the values are what matters. */
static void run_procedure(struct mssql *m, struct sql_reader *r)
{
	struct bytes database, name, values[4] = {{0}};
	size_t n = 0;
	if (r->token.kind == SQL_SIGN && sql_take(r, "(")) { /* EXEC('...') */
		struct bytes inner = r->token.text;
		sql_next(r);
		sql_take(r, ")");
		struct sql_reader again;
		sql_open(&again, inner, SQL_TSQL, r->arena);
		if (sql_take(&again, "exec") || sql_take(&again, "execute") || mentions(inner, "xp_"))
			run_procedure(m, &again);
		return;
	}
	if (!sql_read_name(r, &database, &name)) {
		struct sql_answer a = {.outcome = SQL_SYNTAX, .subject = r->token.text};
		answer_failed(m, &a);
		return;
	}
	while (n < 4 && (r->token.kind == SQL_STRING || r->token.kind == SQL_NUMBER || r->token.kind == SQL_VARIABLE ||
			 r->token.kind == SQL_HEX)) {
		struct bytes value = r->token.text;
		sql_next(r);
		if (sql_take(r, "=")) {
			value = r->token.text;
			sql_next(r);
		}
		values[n++] = value;
		sql_take(r, "output");
		if (!sql_take(r, ","))
			break;
	}
	if (bytes_equal_nocase(name, "xp_cmdshell"))
		run_shell(m, values[0]);
	else if (bytes_equal_nocase(name, "sp_configure"))
		run_configure(m, values[0], values[1]);
	else if (bytes_equal_nocase(name, "xp_dirtree") || bytes_equal_nocase(name, "xp_fileexist") ||
		 bytes_equal_nocase(name, "xp_subdirs")) {
		if (bytes_start_with(values[0], "\\\\")) /* it would log in there */
			session_name_file(m->session, values[0], (struct bytes){0}, "unc");
	} else if (bytes_equal_nocase(name, "sp_executesql")) {
		struct sql_reader again;
		sql_open(&again, values[0], SQL_TSQL, r->arena);
		if (sql_take(&again, "exec") || sql_take(&again, "execute"))
			run_procedure(m, &again);
	} else if (!bytes_start_with(name, "sp_") && !bytes_start_with(name, "xp_") && !mentions(name, "sp_") &&
		   !mentions(name, "xp_"))
		mssql_say(m, true, 2812, 16, 62, "Could not find stored procedure '%.*s'.", cut(name.len),
			  (const char *)name.at);
}

/* CREATE ASSEMBLY name FROM 0x4D5A...: a library, brought in the statement itself. */
static bool create_assembly(struct mssql *m, struct sql_reader *r)
{
	if (!sql_take_words(r, "create assembly"))
		return false;
	struct bytes name = r->token.text;
	while (r->token.kind != SQL_END && r->token.kind != SQL_HEX)
		sql_next(r);
	if (r->token.kind == SQL_HEX)
		session_capture(m->session, r->token.text, name, (struct bytes){0}, "assembly");
	return true;
}

static bool begins_statement(const struct sql_reader *r)
{
	static const char *const words[] = {"select", "exec", "execute", "use", "insert", "create", "drop", "delete", "update",
					    "declare", "set", "reconfigure", "go", "alter", "print", "truncate", "waitfor", "if"};
	for (size_t i = 0; r->token.kind == SQL_WORD && i < sizeof words / sizeof *words; i++)
		if (sql_at(r, words[i]))
			return true;
	return false;
}

/* One statement; false: it failed, which ends the batch. */
static bool run_one(struct mssql *m, struct sql_reader *r)
{
	struct sql_answer a;
	bool procedure = r->token.kind == SQL_WORD && (bytes_start_with(r->token.text, "xp_") || bytes_start_with(r->token.text, "sp_") ||
						       sql_at(r, "master"));
	if (sql_take(r, "exec") || sql_take(r, "execute") || procedure) {
		run_procedure(m, r);
		return true;
	}
	if (create_assembly(m, r))
		return true;
	sql_run(&m->sql, r, &a);
	if (a.outcome == SQL_ROWS) {
		mssql_rows(m, &a);
		mssql_done(m, 0xfd, 1, a.row_count);
	} else if (a.outcome == SQL_DONE && !strcmp(a.verb, "USE")) {
		char name[64];
		bytes_copy_text(m->sql.database, name, sizeof name);
		mssql_change(m, 1, name, "master");
		mssql_say(m, false, 5701, 0, 1, "Changed database context to '%s'.", name);
	} else if (a.outcome == SQL_DONE) {
		mssql_done(m, 0xfd, 1, a.affected);
	} else if (a.outcome != SQL_OTHER || !begins_statement(r)) {
		if (a.outcome == SQL_OTHER && r->token.kind == SQL_WORD)
			mssql_say(m, true, 2812, 16, 62, "Could not find stored procedure '%.*s'.", cut(r->token.text.len),
				  (const char *)r->token.text.at);
		else
			answer_failed(m, &a);
		return false;
	} else {
		sql_next(r);
	}
	return true;
}

void mssql_query(struct mssql *m, struct bytes text, uint8_t last)
{
	struct sql_reader r;
	bool good = true;
	sql_open(&r, text, SQL_TSQL, m->sql.scratch);
	for (unsigned n = 0; good && n < STATEMENTS_MAX; n++) {
		if (r.token.kind == SQL_END && !sql_skip_statement(&r))
			break;
		size_t before = r.at;
		good = run_one(m, &r);
		/* What is left of it stands before the next word that begins a statement. */
		while (good && r.token.kind != SQL_END && !begins_statement(&r))
			sql_next(&r);
		if (r.at == before && r.token.kind != SQL_END)
			sql_next(&r);
	}
	mssql_done(m, last, good ? 0 : 2, 0);
}

/* sp_executesql and its kin: the statement is the first text among the parameters. */
void mssql_call(struct mssql *m, struct bytes message)
{
	struct reader r = reader_of_bytes(message);
	uint16_t len = mssql_read_u16(&r), id = 0;
	struct bytes name = {0}, text = {0};
	if (len == 0xffff)
		id = mssql_read_u16(&r);
	else
		name = mssql_narrow(m->sql.scratch, read_bytes(&r, 2u * len));
	mssql_read_u16(&r);
	while (reader_left(&r) > 10 && !text.len) {
		uint8_t letters = read_u8(&r);
		read_bytes(&r, 2u * letters + 1);
		uint8_t type = read_u8(&r);
		if (type == 0x26) { /* an integer: the handle that sp_prepexec gives back */
			read_u8(&r);
			read_bytes(&r, read_u8(&r));
			continue;
		}
		if (type != 0xe7)
			break;
		uint16_t most = mssql_read_u16(&r);
		read_bytes(&r, 5);
		size_t n = most == 0xffff ? (read_bytes(&r, 8), mssql_read_u32(&r)) : mssql_read_u16(&r);
		text = mssql_narrow(m->sql.scratch, read_bytes(&r, n < reader_left(&r) ? n : reader_left(&r)));
	}
	struct event *e = session_report(m->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, text.len ? text : name);
	if (bytes_equal_nocase(name, "xp_cmdshell"))
		run_shell(m, text);
	else if (id || mentions(name, "sp_executesql"))
		mssql_query(m, text, 0xff);
	write_bytes(&m->out, "\x79\0\0\0\0", 5);
	mssql_done(m, 0xfe, 0, 0);
}
