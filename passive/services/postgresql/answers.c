/* Functions, settings and catalogues. */
#include "passive/services/postgresql/postgresql.h"
#include "base/base64.h"
#include <time.h>

#define OUTPUT_MAX 8192

static struct bytes version_text(struct postgres *p)
{
	char text[256];
	snprintf(text, sizeof text, "PostgreSQL %s (%s) on x86_64-pc-linux-gnu, compiled by %s, 64-bit", p->device->version,
		 p->device->package, p->device->compiler);
	return arena_copy(p->sql.scratch, bytes_of_text(text));
}

static struct bytes now(struct postgres *p)
{
	time_t at = (time_t)(session_time_us(p->session) / 1000000);
	struct tm tm;
	char day[32] = "", text[64];
	if (gmtime_r(&at, &tm))
		strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(text, sizeof text, "%s.%06u+00", day, (unsigned)(session_time_us(p->session) % 1000000));
	return arena_copy(p->sql.scratch, bytes_of_text(text));
}

bool postgres_setting(struct postgres *p, struct bytes name, struct bytes *out)
{
	static const struct {
		const char *name, *value;
	} settings[] = {
		{"server_encoding", "UTF8"}, {"client_encoding", "UTF8"},
		{"data_directory", "/var/lib/postgresql/13/main"}, {"config_file", "/etc/postgresql/13/main/postgresql.conf"},
		{"hba_file", "/etc/postgresql/13/main/pg_hba.conf"}, {"is_superuser", "on"}, {"max_connections", "100"},
		{"listen_addresses", "*"}, {"port", "5432"}, {"ssl", "off"}, {"password_encryption", "md5"},
		{"timezone", "Etc/UTC"}, {"log_directory", "log"}, {"shared_preload_libraries", ""},
		{"dynamic_library_path", "$libdir"}, {"standard_conforming_strings", "on"}, {"datestyle", "ISO, MDY"},
		{"transaction_isolation", "read committed"}, {"search_path", "\"$user\", public"}, {"lc_collate", "C.UTF-8"},
	};
	char text[128];
	if (bytes_equal_nocase(name, "server_version")) {
		snprintf(text, sizeof text, "%s (%s)", p->device->version, p->device->package);
		*out = arena_copy(p->sql.scratch, bytes_of_text(text));
		return true;
	}
	if (bytes_equal_nocase(name, "server_version_num")) {
		unsigned major = 0, minor = 0;
		sscanf(p->device->version, "%u.%u", &major, &minor);
		snprintf(text, sizeof text, "%u", major * 10000 + minor);
		*out = arena_copy(p->sql.scratch, bytes_of_text(text));
		return true;
	}
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (bytes_equal_nocase(name, settings[i].name)) {
			*out = bytes_of_text(settings[i].value);
			return true;
		}
	return false;
}

static bool hook_variable(void *owner, struct bytes name, struct sql_value *out)
{
	struct postgres *p = owner;
	uint64_t n;
	if (name.len > 1 && name.at[0] == '$' &&
	    bytes_number((struct bytes){name.at + 1, name.len - 1}, POSTGRES_PARAMETERS_MAX, &n)) {
		bool there = n && n <= p->parameter_count && p->parameters[n - 1].at;
		*out = there ? sql_words(p->parameters[n - 1]) : (struct sql_value){0};
		return true;
	}
	if (bytes_equal_nocase(name, "current_user") || bytes_equal_nocase(name, "user") ||
	    bytes_equal_nocase(name, "session_user"))
		*out = sql_words((struct bytes){p->user, p->user_len});
	else if (bytes_equal_nocase(name, "current_catalog"))
		*out = sql_words(p->database);
	else if (bytes_equal_nocase(name, "current_schema"))
		*out = sql_words(BYTES("public"));
	else if (bytes_equal_nocase(name, "current_timestamp"))
		*out = (struct sql_value){SQL_TIME, now(p)};
	else
		return false;
	return true;
}

static struct sql_value decoded(struct postgres *p, struct bytes text, struct bytes how)
{
	if (bytes_equal_nocase(how, "hex")) {
		struct sql_value hex = {0};
		const struct sql_value in[1] = {sql_words(text)};
		sql_function(&p->sql, BYTES("unhex"), in, 1, &hex);
		return hex;
	}
	uint8_t *room = arena_alloc(p->sql.scratch, text.len + 4);
	struct writer w = writer_of(room, room ? text.len + 3 : 0);
	if (bytes_equal_nocase(how, "base64"))
		base64_decode(text, &w);
	else
		write_span(&w, text);
	return (struct sql_value){SQL_BINARY, writer_bytes(&w)};
}

void postgres_library(struct postgres *p)
{
	struct sql_reader r;
	struct sql_answer a;
	if (sql_table(&p->sql, (struct bytes){0}, BYTES("pg_largeobject")))
		return;
	sql_open(&r, BYTES("create table pg_largeobject (loid int, pageno int, data bytea)"), SQL_POSTGRES, p->sql.scratch);
	sql_run(&p->sql, &r, &a);
}

/* Adds a piece to the one large object that a session has. */
static void large_add(struct postgres *p, struct bytes data)
{
	postgres_library(p);
	struct sql_table *t = sql_table(&p->sql, (struct bytes){0}, BYTES("pg_largeobject"));
	struct sql_row *row = t && p->sql.row_count < SQL_ROWS_MAX ? arena_alloc(p->sql.arena, sizeof *row) : NULL;
	if (!row || !(row->values = arena_alloc(p->sql.arena, 3 * sizeof *row->values)))
		return;
	row->values[2] = (struct sql_value){SQL_BINARY, arena_copy(p->sql.arena, data)};
	*t->rows_end = row;
	t->rows_end = &row->next;
	t->row_count++;
	p->sql.row_count++;
	p->sql.edits++;
}

static void large_export(struct postgres *p, struct bytes path)
{
	const struct sql_table *t = sql_table(&p->sql, (struct bytes){0}, BYTES("pg_largeobject"));
	size_t len = 0;
	for (const struct sql_row *row = t ? t->rows : NULL; row; row = row->next)
		len += row->values[2].text.len;
	uint8_t *room = arena_alloc(p->sql.scratch, len + 1);
	struct writer w = writer_of(room, room ? len : 0);
	for (const struct sql_row *row = t ? t->rows : NULL; row; row = row->next)
		write_span(&w, row->values[2].text);
	session_capture(p->session, writer_bytes(&w), path, (struct bytes){0}, "lo_export");
}

static struct sql_value file_content(struct postgres *p, const char *program, struct bytes path)
{
	char line[300];
	uint8_t *room = arena_alloc(p->sql.scratch, OUTPUT_MAX);
	struct writer w = writer_of(room, room ? OUTPUT_MAX : 0);
	if (path.len > 255 || memchr(path.at, '\'', path.len) || memchr(path.at, 0, path.len))
		return (struct sql_value){0};
	snprintf(line, sizeof line, "%s '%.*s'", program, (int)path.len, (const char *)path.at);
	command_run(p->session, &p->shell, bytes_of_text(line), &w);
	return sql_words(writer_bytes(&w));
}

static bool loaded_function(struct postgres *p, struct bytes name, const struct sql_value *v, size_t n,
			    struct sql_value *out)
{
	for (size_t i = 0; i < p->function_count; i++) {
		if (!bytes_equal(name, p->functions[i]))
			continue;
		uint8_t *room = arena_alloc(p->sql.scratch, OUTPUT_MAX);
		struct writer w = writer_of(room, room ? OUTPUT_MAX : 0);
		if (n) {
			struct event *e = session_report(p->session, EVENT_COMMAND_SENT);
			event_set_bytes(e, FIELD_COMMAND_LINE, v[0].text);
			command_run(p->session, &p->shell, v[0].text, &w);
		}
		*out = bytes_find_nocase(name, "eval") < name.len ? sql_words(writer_bytes(&w))
								    : sql_integer(&p->sql, 0);
		return true;
	}
	return false;
}

static bool large_function(struct postgres *p, struct bytes name, const struct sql_value *v, size_t n,
			   struct sql_value *out)
{
	if (!bytes_start_with(name, "lo_"))
		return false;
	*out = sql_integer(&p->sql, 16403);
	if (bytes_equal_nocase(name, "lo_from_bytea") && n == 2)
		large_add(p, v[1].text);
	else if (bytes_equal_nocase(name, "lo_put") && n == 3)
		large_add(p, v[2].text);
	else if (bytes_equal_nocase(name, "lo_export") && n == 2) {
		large_export(p, v[1].text);
		*out = sql_integer(&p->sql, 1);
	}
	return true;
}

static bool hook_function(void *owner, struct bytes name, const struct sql_value *v, size_t n,
			  struct sql_value *out)
{
	struct postgres *p = owner;
	struct bytes text;
	if (bytes_equal_nocase(name, "version"))
		*out = sql_words(version_text(p));
	else if (bytes_equal_nocase(name, "current_database"))
		*out = sql_words(p->database);
	else if (bytes_equal_nocase(name, "current_setting") && n) {
		*out = postgres_setting(p, v[0].text, &text) ? sql_words(text) : (struct sql_value){0};
	} else if (bytes_equal_nocase(name, "pg_backend_pid"))
		*out = sql_integer(&p->sql, p->pid);
	else if (bytes_equal_nocase(name, "now") || bytes_equal_nocase(name, "clock_timestamp"))
		*out = (struct sql_value){SQL_TIME, now(p)};
	else if (bytes_equal_nocase(name, "pg_sleep") || bytes_equal_nocase(name, "set_config"))
		*out = sql_words((struct bytes){0});
	else if (bytes_equal_nocase(name, "decode") && n == 2)
		*out = decoded(p, v[0].text, v[1].text);
	else if (bytes_equal_nocase(name, "pg_read_file") && n)
		*out = file_content(p, "cat", v[0].text);
	else if (bytes_equal_nocase(name, "pg_ls_dir") && n)
		*out = file_content(p, "ls", v[0].text);
	else if (bytes_equal_nocase(name, "inet_server_addr") || bytes_equal_nocase(name, "inet_client_addr")) {
		char address[ADDRESS_TEXT_MAX];
		address_format(name.at[5] == 's' ? session_local(p->session) : session_peer(p->session), address);
		*out = sql_words(arena_copy(p->sql.scratch, bytes_of_text(address)));
	} else
		return large_function(p, name, v, n, out) || loaded_function(p, name, v, n, out);
	return true;
}

static void row_of(struct postgres *p, struct sql_answer *a, const struct bytes *texts, size_t n)
{
	struct sql_value *v = sql_row_add(&p->sql, a);
	for (size_t i = 0; v && i < n; i++)
		v[i] = texts[i].at ? sql_words(texts[i]) : (struct sql_value){0};
}

static void list_databases(struct postgres *p, struct sql_answer *a)
{
	static const char *const columns[] = {"datname", "Name", "Owner", "Encoding", "Collate", "Ctype",
					      "ICU Locale", "Locale Provider", "Access privileges", "datistemplate"};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		sql_column_add(&p->sql, a, bytes_of_text(columns[i]), SQL_TEXT);
	for (size_t i = 0; i < p->sql.database_count; i++) {
		struct bytes name = p->sql.databases[i];
		bool template = bytes_start_with(name, "template");
		const struct bytes texts[] = {name, name, BYTES("postgres"), BYTES("UTF8"), BYTES("C.UTF-8"),
					      BYTES("C.UTF-8"), {0}, BYTES("libc"),
					      template ? BYTES("=c/postgres\npostgres=CTc/postgres") : (struct bytes){0},
					      template ? BYTES("t") : BYTES("f")};
		row_of(p, a, texts, sizeof texts / sizeof *texts);
	}
}

static void list_tables(struct postgres *p, struct sql_answer *a)
{
	static const char *const columns[] = {"tablename", "table_name", "relname", "Name", "schemaname", "table_schema",
					      "Schema", "Type", "Owner", "tableowner"};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		sql_column_add(&p->sql, a, bytes_of_text(columns[i]), SQL_TEXT);
	for (const struct sql_table *t = p->sql.tables; t; t = t->next) {
		const struct bytes texts[] = {t->name, t->name, t->name, t->name, BYTES("public"), BYTES("public"),
					      BYTES("public"), BYTES("table"), BYTES("postgres"), BYTES("postgres")};
		if (!bytes_start_with(t->name, "pg_"))
			row_of(p, a, texts, sizeof texts / sizeof *texts);
	}
}

static void list_users(struct postgres *p, struct sql_answer *a)
{
	static const char *const columns[] = {"usename", "rolname", "usesysid", "usecreatedb", "usesuper", "passwd",
					      "rolpassword"};
	static const struct bytes texts[] = {BYTES("postgres"), BYTES("postgres"), BYTES("10"), BYTES("t"), BYTES("t"),
					     BYTES("********"), BYTES("********")};
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		sql_column_add(&p->sql, a, bytes_of_text(columns[i]), SQL_TEXT);
	row_of(p, a, texts, sizeof texts / sizeof *texts);
}

static bool hook_table(void *owner, struct bytes database, struct bytes name, struct sql_answer *a)
{
	struct postgres *p = owner;
	(void)database;
	if (bytes_equal_nocase(name, "pg_database"))
		list_databases(p, a);
	else if (bytes_equal_nocase(name, "pg_tables") || bytes_equal_nocase(name, "tables") ||
		 bytes_equal_nocase(name, "pg_class"))
		list_tables(p, a);
	else if (bytes_equal_nocase(name, "pg_shadow") || bytes_equal_nocase(name, "pg_user") ||
		 bytes_equal_nocase(name, "pg_roles") || bytes_equal_nocase(name, "pg_authid"))
		list_users(p, a);
	else if (bytes_start_with(name, "pg_") && !bytes_equal_text(name, "pg_largeobject"))
		sql_column_add(&p->sql, a, BYTES("oid"), SQL_INTEGER); /* a catalogue with nothing that anyone looks for */
	else
		return false;
	return true;
}

const struct sql_hooks postgres_hooks = {hook_variable, hook_function, hook_table};
