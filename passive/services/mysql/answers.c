/* Variables, functions, and SHOW: what the three products say of themselves. */
#include "passive/services/mysql/mysql.h"
#include "base/random.h"
#include "passive/persona.h"
#include <time.h>

#define OUTPUT_MAX 8192

struct variable {
	const char *name, *value; /* NULL: by the device */
};

static const struct variable variables[] = {
	{"auto_increment_increment", "1"},   {"autocommit", "ON"},
	{"basedir", "/usr/"},                {"bind_address", "0.0.0.0"},
	{"character_set_client", "utf8mb4"}, {"character_set_connection", "utf8mb4"},
	{"character_set_database", "utf8mb4"}, {"character_set_results", "utf8mb4"},
	{"character_set_server", "utf8mb4"}, {"character_set_system", "utf8"},
	{"collation_connection", "utf8mb4_general_ci"}, {"collation_server", "utf8mb4_general_ci"},
	{"datadir", NULL},                   {"general_log", "OFF"},
	{"general_log_file", NULL},          {"have_ssl", "DISABLED"},
	{"hostname", NULL},                  {"init_connect", ""},
	{"innodb_version", NULL},            {"interactive_timeout", "28800"},
	{"license", "GPL"},                  {"local_infile", "ON"},
	{"log_bin", "OFF"},                  {"log_error", ""},
	{"lower_case_table_names", "0"},     {"max_allowed_packet", "16777216"},
	{"max_connections", "151"},          {"net_write_timeout", "60"},
	{"performance_schema", "OFF"},       {"pid_file", "/run/mysqld/mysqld.pid"},
	{"plugin_dir", NULL},                {"port", "3306"},
	{"protocol_version", "10"},          {"query_cache_size", "1048576"},
	{"query_cache_type", "OFF"},         {"read_only", "OFF"},
	{"secure_file_priv", NULL},          {"server_id", "1"},
	{"skip_networking", "OFF"},          {"slow_query_log", "OFF"},
	{"socket", "/run/mysqld/mysqld.sock"},
	{"sql_mode", "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION"},
	{"system_time_zone", "UTC"},         {"time_zone", "SYSTEM"},
	{"tmpdir", "/tmp"},                  {"transaction_isolation", "REPEATABLE-READ"},
	{"tx_isolation", "REPEATABLE-READ"}, {"version", NULL},
	{"version_comment", NULL},           {"version_compile_machine", "x86_64"},
	{"version_compile_os", NULL},        {"wait_timeout", "28800"},
};

static struct bytes host_name(struct mysql *m)
{
	char text[64];
	session_expand(m->session, "%{hostname}", text, sizeof text);
	return arena_copy(m->sql.scratch, bytes_of_text(text));
}

static struct bytes variable_value(struct mysql *m, const struct variable *v)
{
	const struct mysql_device *d = m->device;
	if (v->value)
		return bytes_of_text(v->value);
	if (!strcmp(v->name, "datadir"))
		return bytes_of_text(d->data_directory);
	if (!strcmp(v->name, "plugin_dir"))
		return bytes_of_text(d->plugin_directory);
	if (!strcmp(v->name, "secure_file_priv"))
		return bytes_of_text(d->secure_file_priv);
	if (!strcmp(v->name, "version_comment"))
		return bytes_of_text(d->comment);
	if (!strcmp(v->name, "version_compile_os"))
		return d->flavour == MYSQL_MARIADB ? BYTES("debian-linux-gnu") : BYTES("Linux");
	if (!strcmp(v->name, "hostname"))
		return host_name(m);
	if (!strcmp(v->name, "general_log_file")) {
		char text[80];
		session_expand(m->session, "%{hostname}.log", text, sizeof text);
		return arena_copy(m->sql.scratch, bytes_of_text(text));
	}
	return bytes_of_text(d->version);
}

bool mysql_variable(struct mysql *m, struct bytes name, struct sql_value *out)
{
	static const char *const scopes[] = {"@@global.", "@@session.", "@@local.", "@@"};
	for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
		size_t n = strlen(scopes[i]);
		if (name.len > n && !strncasecmp((const char *)name.at, scopes[i], n)) {
			name = (struct bytes){name.at + n, name.len - n};
			break;
		}
	}
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		if (bytes_equal_nocase(name, variables[i].name)) {
			struct bytes value = variable_value(m, &variables[i]);
			uint64_t n;
			*out = (struct sql_value){bytes_number(value, UINT64_MAX, &n) ? SQL_INTEGER : SQL_TEXT,
						  value};
			if (bytes_equal_text(value, "ON") || bytes_equal_text(value, "OFF"))
				*out = sql_integer(&m->sql, value.len == 2);
			return true;
		}
	return false;
}

static bool hook_variable(void *owner, struct bytes name, struct sql_value *out)
{
	struct mysql *m = owner;
	if (name.len > 1 && name.at[0] == '@' && name.at[1] != '@') {
		*out = (struct sql_value){0}; /* a variable of the user's own that was never set */
		return true;
	}
	if (bytes_equal_nocase(name, "current_user")) {
		*out = sql_words(BYTES("root@%"));
		return true;
	}
	return name.len > 2 && name.at[0] == '@' && mysql_variable(m, name, out);
}

static struct sql_value user_at_host(struct mysql *m)
{
	char peer[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX + MYSQL_USER_MAX + 2];
	address_format(session_peer(m->session), peer);
	snprintf(text, sizeof text, "%.*s@%s", m->user_len, (const char *)m->user, peer);
	return sql_words(arena_copy(m->sql.scratch, bytes_of_text(text)));
}

static struct sql_value now(struct mysql *m)
{
	time_t at = (time_t)(session_time_us(m->session) / 1000000);
	struct tm tm;
	char text[32] = "";
	if (gmtime_r(&at, &tm))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	return (struct sql_value){SQL_TIME, arena_copy(m->sql.scratch, bytes_of_text(text))};
}

/* A function of a library that this session brought: the names they have say what they do. */
static bool loaded_function(struct mysql *m, struct bytes name, const struct sql_value *v, size_t n,
			    struct sql_value *out)
{
	for (size_t i = 0; i < m->function_count; i++) {
		if (!bytes_equal(name, m->functions[i]))
			continue;
		uint8_t *room = arena_alloc(m->sql.scratch, OUTPUT_MAX);
		struct writer w = writer_of(room, room ? OUTPUT_MAX : 0);
		if (n) {
			struct event *e = session_report(m->session, EVENT_COMMAND_SENT);
			event_set_bytes(e, FIELD_COMMAND_LINE, v[0].text);
			command_run(m->session, &m->shell, v[0].text, &w);
		}
		*out = bytes_find_nocase(name, "eval") < name.len ? sql_words(writer_bytes(&w))
								    : sql_integer(&m->sql, 0);
		return true;
	}
	return false;
}

static struct sql_value file_content(struct mysql *m, struct bytes path)
{
	char line[300];
	uint8_t *room = arena_alloc(m->sql.scratch, OUTPUT_MAX);
	struct writer w = writer_of(room, room ? OUTPUT_MAX : 0);
	if (path.len > 255 || memchr(path.at, '\'', path.len) || memchr(path.at, 0, path.len))
		return (struct sql_value){0};
	snprintf(line, sizeof line, "cat '%.*s'", (int)path.len, (const char *)path.at);
	command_run(m->session, &m->shell, bytes_of_text(line), &w);
	return writer_used(&w) ? sql_words(writer_bytes(&w)) : (struct sql_value){0};
}

static bool hook_function(void *owner, struct bytes name, const struct sql_value *v, size_t n,
			  struct sql_value *out)
{
	struct mysql *m = owner;
	if (bytes_equal_nocase(name, "version"))
		*out = sql_words(bytes_of_text(m->device->version));
	else if (bytes_equal_nocase(name, "user") || bytes_equal_nocase(name, "current_user") ||
		 bytes_equal_nocase(name, "session_user") || bytes_equal_nocase(name, "system_user"))
		*out = user_at_host(m);
	else if (bytes_equal_nocase(name, "database") || bytes_equal_nocase(name, "schema"))
		*out = m->sql.database.len ? sql_words(m->sql.database) : (struct sql_value){0};
	else if (bytes_equal_nocase(name, "connection_id"))
		*out = sql_integer(&m->sql, m->thread);
	else if (bytes_equal_nocase(name, "now") || bytes_equal_nocase(name, "sysdate") ||
		 bytes_equal_nocase(name, "current_timestamp"))
		*out = now(m);
	else if (bytes_equal_nocase(name, "unix_timestamp"))
		*out = sql_integer(&m->sql, (int64_t)(session_time_us(m->session) / 1000000));
	else if (bytes_equal_nocase(name, "sleep") || bytes_equal_nocase(name, "benchmark") ||
		 bytes_equal_nocase(name, "row_count") || bytes_equal_nocase(name, "last_insert_id"))
		*out = sql_integer(&m->sql, 0);
	else if (bytes_equal_nocase(name, "load_file") && n == 1)
		*out = file_content(m, v[0].text);
	else
		return loaded_function(m, name, v, n, out);
	return true;
}

static void one_row(struct mysql *m, struct sql_answer *a, const char *const *texts, size_t n)
{
	struct sql_value *v = sql_row_add(&m->sql, a);
	for (size_t i = 0; v && i < n; i++)
		v[i] = texts[i] ? sql_words(bytes_of_text(texts[i])) : (struct sql_value){0};
}

static bool hook_table(void *owner, struct bytes database, struct bytes name, struct sql_answer *a)
{
	struct mysql *m = owner;
	struct sql *q = &m->sql;
	bool own = bytes_equal_nocase(database.len ? database : q->database, "mysql");
	if (bytes_equal_nocase(name, "schemata")) {
		sql_column_add(q, a, BYTES("SCHEMA_NAME"), SQL_TEXT);
		for (size_t i = 0; i < q->database_count; i++) {
			struct sql_value *v = sql_row_add(q, a);
			if (v)
				v[0] = sql_words(q->databases[i]);
		}
		return true;
	}
	if (own && bytes_equal_nocase(name, "user")) {
		static const char *const columns[] = {"Host", "User", "plugin", "authentication_string"};
		static const char *const rows[][4] = {{"localhost", "root", "unix_socket", "invalid"},
						      {"%", "root", "mysql_native_password", ""}};
		for (size_t i = 0; i < 4; i++)
			sql_column_add(q, a, bytes_of_text(columns[i]), SQL_TEXT);
		for (size_t i = 0; i < 2; i++)
			one_row(m, a, rows[i], 4);
		return true;
	}
	if ((own && bytes_equal_nocase(name, "func")) || bytes_equal_nocase(database, "information_schema")) {
		static const char *const columns[] = {"name", "ret", "dl", "type"};
		for (size_t i = 0; i < 4; i++)
			sql_column_add(q, a, bytes_of_text(columns[i]), SQL_TEXT);
		return true;
	}
	return bytes_equal_nocase(name, "dual");
}

const struct sql_hooks mysql_hooks = {hook_variable, hook_function, hook_table};

/* LIKE 'pattern', or WHERE variable_name = 'pattern'; empty: all. */
static struct bytes read_pattern(struct sql_reader *r)
{
	bool wanted = false;
	for (; r->token.kind != SQL_END; sql_next(r)) {
		if (wanted && r->token.kind == SQL_STRING)
			return r->token.text;
		wanted |= sql_at(r, "like") || sql_at(r, "=");
	}
	return (struct bytes){0};
}

static void show_pairs(struct mysql *m, struct sql_reader *r, struct sql_answer *a, const struct variable *list,
		       size_t count)
{
	struct bytes pattern = read_pattern(r);
	sql_column_add(&m->sql, a, BYTES("Variable_name"), SQL_TEXT);
	sql_column_add(&m->sql, a, BYTES("Value"), SQL_TEXT);
	for (size_t i = 0; i < count; i++) {
		if (pattern.len && !sql_like(pattern, bytes_of_text(list[i].name)))
			continue;
		struct sql_value *v = sql_row_add(&m->sql, a);
		if (!v)
			return;
		v[0] = sql_words(bytes_of_text(list[i].name));
		v[1] = sql_words(variable_value(m, &list[i]));
	}
}

static void show_status(struct mysql *m, struct sql_reader *r, struct sql_answer *a)
{
	char uptime[24], questions[24], threads[24];
	session_expand(m->session, "%{uptime}", uptime, sizeof uptime);
	snprintf(questions, sizeof questions, "%u", m->thread * 7 + m->questions);
	snprintf(threads, sizeof threads, "%u", m->thread);
	const struct variable list[] = {{"Connections", threads}, {"Max_used_connections", "3"},
					{"Questions", questions}, {"Ssl_cipher", ""},
					{"Threads_connected", "1"}, {"Threads_running", "1"},
					{"Uptime", uptime}};
	show_pairs(m, r, a, list, sizeof list / sizeof *list);
	for (struct sql_row *row = a->rows; row; row = row->next)
		row->values[1].text = arena_copy(m->sql.scratch, row->values[1].text);
}

static void show_databases(struct mysql *m, struct sql_reader *r, struct sql_answer *a)
{
	struct bytes pattern = read_pattern(r);
	sql_column_add(&m->sql, a, BYTES("Database"), SQL_TEXT);
	for (size_t i = 0; i < m->sql.database_count; i++) {
		struct sql_value *v = NULL;
		if (!pattern.len || sql_like(pattern, m->sql.databases[i]))
			v = sql_row_add(&m->sql, a);
		if (v)
			v[0] = sql_words(m->sql.databases[i]);
	}
}

static void show_tables(struct mysql *m, struct sql_reader *r, struct sql_answer *a)
{
	char title[128];
	struct bytes database = m->sql.database;
	if (sql_take(r, "from") || sql_take(r, "in"))
		database = r->token.text;
	if (!database.len) {
		a->outcome = SQL_NOTHING_CHOSEN;
		return;
	}
	snprintf(title, sizeof title, "Tables_in_%.*s", (int)(database.len < 64 ? database.len : 64),
		 (const char *)database.at);
	sql_column_add(&m->sql, a, arena_copy(m->sql.scratch, bytes_of_text(title)), SQL_TEXT);
	for (struct sql_table *t = m->sql.tables; t; t = t->next) {
		struct sql_value *v = bytes_equal(t->database, database) ? sql_row_add(&m->sql, a) : NULL;
		if (v)
			v[0] = sql_words(t->name);
	}
}

static void show_processes(struct mysql *m, struct sql_answer *a)
{
	static const char *const columns[] = {"Id", "User", "Host", "db", "Command", "Time", "State", "Info"};
	char id[16], peer[ADDRESS_TEXT_MAX + 8], address[ADDRESS_TEXT_MAX], user[MYSQL_USER_MAX + 1];
	address_format(session_peer(m->session), address);
	snprintf(id, sizeof id, "%u", m->thread);
	snprintf(peer, sizeof peer, "%s:%u", address,
		 (unsigned)(32768 + random_mix(m->thread ^ session_device_seed(m->session)) % 28000));
	snprintf(user, sizeof user, "%.*s", m->user_len, (const char *)m->user);
	for (size_t i = 0; i < 8; i++)
		sql_column_add(&m->sql, a, bytes_of_text(columns[i]), SQL_TEXT);
	const char *const texts[] = {id, user, peer, NULL, "Query", "0", m->device->flavour == MYSQL_MARIADB ? "starting" : "init",
				     "show processlist"};
	one_row(m, a, texts, 8);
	for (size_t i = 0; a->rows && i < 8; i++)
		a->rows->values[i].text = arena_copy(m->sql.scratch, a->rows->values[i].text);
}

static void show_grants(struct mysql *m, struct sql_answer *a)
{
	sql_column_add(&m->sql, a, BYTES("Grants for root@%"), SQL_TEXT);
	one_row(m, a, (const char *const[]){"GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"}, 1);
}

bool mysql_show(struct mysql *m, struct sql_reader *r, struct sql_answer *a)
{
	sql_answer_begin(&m->sql, a, "SHOW");
	if (!sql_take(r, "show"))
		return false;
	bool global = sql_take(r, "global") || sql_take(r, "session") || sql_take(r, "full");
	(void)global;
	if (sql_take(r, "databases") || sql_take(r, "schemas"))
		show_databases(m, r, a);
	else if (sql_take(r, "tables"))
		show_tables(m, r, a);
	else if (sql_take(r, "variables"))
		show_pairs(m, r, a, variables, sizeof variables / sizeof *variables);
	else if (sql_take(r, "status"))
		show_status(m, r, a);
	else if (sql_take(r, "processlist"))
		show_processes(m, a);
	else if (sql_take(r, "grants"))
		show_grants(m, a);
	else if (sql_take(r, "warnings") || sql_take(r, "errors")) {
		sql_column_add(&m->sql, a, BYTES("Level"), SQL_TEXT);
		sql_column_add(&m->sql, a, BYTES("Code"), SQL_INTEGER);
		sql_column_add(&m->sql, a, BYTES("Message"), SQL_TEXT);
	} else if (sql_take(r, "slave") || sql_take(r, "master") || sql_take(r, "replica") || sql_take(r, "plugins") ||
		   sql_take(r, "engines") || sql_take(r, "triggers") || sql_take(r, "events") || sql_take(r, "collation")) {
		sql_column_add(&m->sql, a, BYTES("Name"), SQL_TEXT);
	} else {
		return false;
	}
	return true;
}
