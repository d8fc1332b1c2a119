/* One COM_QUERY: its statements run, files and functions that they make, and errors in words. */
#include "passive/services/mysql/mysql.h"

#define MULTI_STATEMENTS (1u << 16)
#define NEAR_MAX 80 /* bytes of the statement that a syntax error repeats */

bool mysql_choose(struct mysql *m, struct bytes database)
{
	for (size_t i = 0; i < m->sql.database_count; i++)
		if (bytes_equal(m->sql.databases[i], database)) {
			m->sql.database = m->sql.databases[i];
			return true;
		}
	return false;
}

static int cut(size_t n)
{
	return (int)(n < 128 ? n : 128);
}

static void answer_syntax(struct mysql *m, const struct sql_reader *r, size_t near)
{
	struct bytes text = {r->text.at + near, r->text.len - near};
	unsigned line = 1;
	for (size_t i = 0; i < near; i++)
		line += r->text.at[i] == '\n';
	text.len = text.len < NEAR_MAX ? text.len : NEAR_MAX;
	mysql_error(m, 1064, "42000",
		    "You have an error in your SQL syntax; check the manual that corresponds to your %s server version "
		    "for the right syntax to use near '%.*s' at line %u",
		    m->device->flavour == MYSQL_MARIADB ? "MariaDB" : "MySQL", (int)text.len, (const char *)text.at, line);
}

static void answer_failed(struct mysql *m, const struct sql_reader *r, const struct sql_answer *a)
{
	const char *name = (const char *)a->subject.at;
	struct bytes database = a->database.len ? a->database : m->sql.database;
	int n = cut(a->subject.len), d = cut(database.len);
	switch (a->outcome) {
	case SQL_NO_TABLE:
		if (!strcmp(a->verb, "DROP TABLE"))
			mysql_error(m, 1051, "42S02", "Unknown table '%.*s.%.*s'", d, (const char *)database.at, n, name);
		else
			mysql_error(m, 1146, "42S02", "Table '%.*s.%.*s' doesn't exist", d, (const char *)database.at, n, name);
		break;
	case SQL_NO_DATABASE:
		if (!strcmp(a->verb, "DROP DATABASE"))
			mysql_error(m, 1008, "HY000", "Can't drop database '%.*s'; database doesn't exist", n, name);
		else
			mysql_error(m, 1049, "42000", "Unknown database '%.*s'", n, name);
		break;
	case SQL_NO_FUNCTION:
		if (database.len)
			mysql_error(m, 1305, "42000", "FUNCTION %.*s.%.*s does not exist", d, (const char *)database.at, n, name);
		else
			mysql_error(m, 1305, "42000", "FUNCTION %.*s does not exist", n, name);
		break;
	case SQL_NO_COLUMN:
		mysql_error(m, 1054, "42S22", "Unknown column '%.*s' in '%s'", n, name,
			    m->device->flavour == MYSQL_MARIADB ? "SELECT" : "field list");
		break;
	case SQL_NO_VARIABLE:
		mysql_error(m, 1193, "HY000", "Unknown system variable '%.*s'", n > 2 ? n - 2 : n, n > 2 ? name + 2 : name);
		break;
	case SQL_TABLE_EXISTS:
		mysql_error(m, 1050, "42S01", "Table '%.*s' already exists", n, name);
		break;
	case SQL_DATABASE_EXISTS:
		mysql_error(m, 1007, "HY000", "Can't create database '%.*s'; database exists", n, name);
		break;
	case SQL_NOTHING_CHOSEN:
		mysql_error(m, 1046, "3D000", "No database selected");
		break;
	case SQL_COUNT_DIFFERS:
		mysql_error(m, 1136, "21S01", "Column count doesn't match value count at row 1");
		break;
	case SQL_FULL:
		mysql_error(m, 1114, "HY000", "The table '%.*s' is full", n, name);
		break;
	default:
		answer_syntax(m, r, a->near);
		break;
	}
}

/* The rows as a file: as they are (DUMPFILE, one row), or as lines with tabs (OUTFILE). */
static void write_file(struct mysql *m, const struct sql_answer *a)
{
	size_t len = 0;
	bool dump = bytes_equal_text(a->file_how, "dumpfile");
	for (const struct sql_row *r = a->rows; r; r = r->next)
		for (size_t i = 0; i < a->column_count; i++)
			len += r->values[i].text.len + 1;
	uint8_t *room = arena_alloc(m->sql.scratch, len + 1);
	struct writer w = writer_of(room, room ? len : 0);
	for (const struct sql_row *r = a->rows; r; r = r->next)
		for (size_t i = 0; i < a->column_count; i++) {
			write_span(&w, r->values[i].text);
			if (!dump)
				write_u8(&w, i + 1 < a->column_count ? '\t' : '\n');
		}
	session_capture(m->session, writer_bytes(&w), a->file, (struct bytes){0}, dump ? "dumpfile" : "outfile");
	if (m->file_count < MYSQL_FILES_MAX)
		m->files[m->file_count++] = arena_copy(m->sql.arena, a->file);
	mysql_ok(m, a->row_count);
}

/* The library was written by this session when a file of that name was. */
static bool library_there(const struct mysql *m, struct bytes name)
{
	for (size_t i = 0; i < m->file_count; i++) {
		struct bytes file = m->files[i];
		if (file.len >= name.len && !memcmp(file.at + file.len - name.len, name.at, name.len))
			return true;
	}
	return false;
}

static bool create_function(struct mysql *m, struct sql_reader *r)
{
	struct sql_reader before = *r;
	if (!sql_take(r, "create") || (sql_take(r, "aggregate"), !sql_take(r, "function"))) {
		*r = before;
		return false;
	}
	struct bytes name = r->token.text;
	while (r->token.kind != SQL_END && !sql_at(r, "soname"))
		sql_next(r);
	sql_take(r, "soname");
	struct bytes library = r->token.text;
	int n = cut(library.len);
	if (r->token.kind != SQL_STRING || !library.len) {
		answer_syntax(m, r, r->token.from);
		return true;
	}
	session_name_file(m->session, (struct bytes){0}, library, "udf");
	if (!library_there(m, library))
		mysql_error(m, 1126, "HY000",
			    m->device->flavour == MYSQL_MARIADB
				    ? "Can't open shared library '%.*s' (errno: 2, cannot open shared object file: No such "
				      "file or directory)"
				    : "Can't open shared library '%.*s' (errno: 2 cannot open shared object file: No such file "
				      "or directory)",
			    n, (const char *)library.at);
	else {
		if (m->function_count < MYSQL_FUNCTIONS_MAX)
			m->functions[m->function_count++] = arena_copy(m->sql.arena, name);
		mysql_ok(m, 0);
	}
	return true;
}

/* What is done without rows and changes nothing that anyone sees. */
static bool taken_silently(struct sql_reader *r)
{
	static const char *const words[] = {"set", "begin", "commit", "rollback", "start", "flush", "lock", "unlock",
					    "grant", "revoke", "alter", "create", "install", "analyze", "kill", "do", "drop"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (sql_at(r, words[i]))
			return true;
	return false;
}

static void run_one(struct mysql *m, struct sql_reader *r)
{
	struct sql_answer a;
	if (sql_at(r, "show")) {
		size_t at = r->token.from;
		if (!mysql_show(m, r, &a)) {
			answer_syntax(m, r, at);
			return;
		}
	} else if (create_function(m, r)) {
		return;
	} else if (sql_take_words(r, "load data")) {
		/* A server may ask a client for a file here; this one never does. */
		mysql_error(m, 1148, "42000", "The used command is not allowed with this %s version",
			    m->device->flavour == MYSQL_MARIADB ? "MariaDB" : "MySQL");
		return;
	} else {
		sql_run(&m->sql, r, &a);
	}
	if (a.outcome == SQL_OTHER && taken_silently(r))
		mysql_ok(m, 0);
	else if (a.outcome == SQL_ROWS && a.file.len)
		write_file(m, &a);
	else if (a.outcome == SQL_ROWS)
		mysql_rows(m, &a);
	else if (a.outcome == SQL_DONE)
		mysql_ok(m, a.affected);
	else
		answer_failed(m, r, &a);
}

static bool another_follows(struct sql_reader ahead)
{
	return sql_skip_statement(&ahead);
}

void mysql_query(struct mysql *m, struct bytes text)
{
	struct arena scratch = ARENA(MYSQL_SCRATCH_MAX);
	struct sql_reader r;
	/* Only clients that asked for it may send several; the others get the first one answered. */
	bool several = m->capabilities & MULTI_STATEMENTS;
	m->sql.scratch = &scratch;
	m->questions++;
	m->failed = false;
	sql_open(&r, text, SQL_MYSQL, &scratch);
	if (r.token.kind == SQL_END)
		mysql_error(m, 1065, "42000", "Query was empty");
	while (!m->failed) {
		m->more = several && another_follows(r);
		run_one(m, &r);
		if (!several || !sql_skip_statement(&r))
			break;
	}
	m->more = false;
	arena_done(&scratch);
	m->sql.scratch = NULL;
}
