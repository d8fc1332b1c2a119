/*
 * Statements: plain SQL, and what attackers come for: COPY ... FROM PROGRAM, COPY ... TO a file,
 * large objects written to disk, functions in C, and all of that inside DO.
 */
#include "passive/services/postgresql/postgresql.h"

#define OUTPUT_MAX (16 * 1024)

static int cut(size_t n)
{
	return (int)(n < 128 ? n : 128);
}

static unsigned position(const struct sql_reader *r, size_t from)
{
	return (unsigned)(from < r->text.len ? from : r->text.len) + 1;
}

static void answer_syntax(struct postgres *p, const struct sql_reader *r)
{
	struct postgres_error e = {.state = "42601", .file = "scan.l", .line = 1188, .routine = "scanner_yyerror",
				   .position = position(r, r->token.from)};
	size_t len = r->token.to - r->token.from;
	if (r->token.kind == SQL_END)
		postgres_error(p, &e, "syntax error at end of input");
	else
		postgres_error(p, &e, "syntax error at or near \"%.*s\"", cut(len),
			       (const char *)r->text.at + r->token.from);
}

static size_t position_of(const struct sql_reader *r, struct bytes what)
{
	return what.at >= r->text.at && what.at < r->text.at + r->text.len ? (size_t)(what.at - r->text.at) : 0;
}

static void answer_failed(struct postgres *p, const struct sql_reader *r, const struct sql_answer *a)
{
	const char *name = (const char *)a->subject.at;
	int n = cut(a->subject.len);
	struct postgres_error e = {.position = position(r, position_of(r, a->subject))};
	switch (a->outcome) {
	case SQL_NO_TABLE:
		e.state = "42P01";
		if (!strcmp(a->verb, "DROP TABLE")) {
			e = (struct postgres_error){.state = "42P01", .file = "tablecmds.c", .line = 1311,
						    .routine = "DropErrorMsgNonExistent"};
			postgres_error(p, &e, "table \"%.*s\" does not exist", n, name);
			break;
		}
		e.file = "parse_relation.c", e.line = 1392, e.routine = "parserOpenTable";
		postgres_error(p, &e, "relation \"%.*s\" does not exist", n, name);
		break;
	case SQL_NO_COLUMN:
		e.state = "42703", e.file = "parse_relation.c", e.line = 3665, e.routine = "errorMissingColumn";
		postgres_error(p, &e, "column \"%.*s\" does not exist", n, name);
		break;
	case SQL_NO_FUNCTION:
		e.state = "42883", e.file = "parse_func.c", e.line = 629, e.routine = "ParseFuncOrColumn";
		e.hint = "No function matches the given name and argument types. You might need to add explicit type casts.";
		postgres_error(p, &e, "function %.*s() does not exist", n, name);
		break;
	case SQL_NO_DATABASE:
		e = (struct postgres_error){.state = "3D000", .file = "dbcommands.c", .line = 1500, .routine = "dropdb"};
		postgres_error(p, &e, "database \"%.*s\" does not exist", n, name);
		break;
	case SQL_TABLE_EXISTS:
		e = (struct postgres_error){.state = "42P07", .file = "heap.c", .line = 1155,
					    .routine = "heap_create_with_catalog"};
		postgres_error(p, &e, "relation \"%.*s\" already exists", n, name);
		break;
	case SQL_DATABASE_EXISTS:
		e = (struct postgres_error){.state = "42P04", .file = "dbcommands.c", .line = 966, .routine = "createdb"};
		postgres_error(p, &e, "database \"%.*s\" already exists", n, name);
		break;
	case SQL_COUNT_DIFFERS:
		e = (struct postgres_error){.state = "42601", .file = "analyze.c", .line = 980, .routine = "transformInsertRow"};
		postgres_error(p, &e, "INSERT has more expressions than target columns");
		break;
	case SQL_FULL:
		e = (struct postgres_error){.state = "53100", .file = "md.c", .line = 443, .routine = "mdextend",
					    .hint = "Check free disk space."};
		postgres_error(p, &e, "could not extend file \"base/13445/16384\": No space left on device");
		break;
	default:
		answer_syntax(p, r);
	}
}

static void complete(struct postgres *p, const struct sql_answer *a)
{
	char tag[64];
	bool counted = !strcmp(a->verb, "DELETE") || !strcmp(a->verb, "UPDATE");
	if (!strcmp(a->verb, "INSERT"))
		snprintf(tag, sizeof tag, "INSERT 0 %llu", (unsigned long long)a->affected);
	else if (a->outcome == SQL_ROWS && !strcmp(a->verb, "SELECT"))
		snprintf(tag, sizeof tag, "SELECT %zu", a->row_count);
	else if (counted)
		snprintf(tag, sizeof tag, "%s %llu", a->verb, (unsigned long long)a->affected);
	else
		snprintf(tag, sizeof tag, "%s", a->verb);
	postgres_complete(p, tag);
}

static void run_command(struct postgres *p, struct bytes line, struct writer *out)
{
	struct event *e = session_report(p->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, line);
	command_run(p->session, &p->shell, line, out);
}

/* Lines of a program's output become rows, columns parted by tabs. */
static uint32_t rows_of_lines(struct postgres *p, struct sql_table *t, struct bytes text)
{
	struct reader r = reader_of_bytes(text);
	uint32_t n = 0;
	while (reader_left(&r) && p->sql.row_count < SQL_ROWS_MAX) {
		struct bytes line;
		if (!read_line(&r, &line))
			line = read_rest(&r);
		struct sql_row *row = arena_alloc(p->sql.arena, sizeof *row);
		if (!row || !(row->values = arena_alloc(p->sql.arena, (t->column_count + 1) * sizeof *row->values)))
			break;
		for (size_t c = 0; c < t->column_count; c++) {
			const uint8_t *tab = c + 1 < t->column_count ? memchr(line.at, '\t', line.len) : NULL;
			size_t len = tab ? (size_t)(tab - line.at) : line.len;
			row->values[c] = sql_words(arena_copy(p->sql.arena, (struct bytes){line.at, len}));
			len += tab != NULL;
			line = (struct bytes){line.at + len, line.len - len};
		}
		*t->rows_end = row;
		t->rows_end = &row->next;
		t->row_count++;
		p->sql.row_count++;
		p->sql.edits++;
		n++;
	}
	return n;
}

static void copy_out(struct postgres *p, struct sql_reader *r, const struct sql_answer *a)
{
	size_t len = 0;
	for (const struct sql_row *row = a->rows; row; row = row->next)
		for (size_t i = 0; i < a->column_count; i++)
			len += row->values[i].text.len + 1;
	uint8_t *room = arena_alloc(p->sql.scratch, len + 1);
	struct writer w = writer_of(room, room ? len : 0);
	for (const struct sql_row *row = a->rows; row; row = row->next)
		for (size_t i = 0; i < a->column_count; i++) {
			write_span(&w, row->values[i].text);
			write_text(&w, i + 1 < a->column_count ? "\t" : "\n");
		}
	char tag[32];
	snprintf(tag, sizeof tag, "COPY %zu", a->row_count);
	if (sql_take(r, "program"))
		run_command(p, r->token.text, &(struct writer){0});
	else if (r->token.kind == SQL_STRING)
		session_capture(p->session, writer_bytes(&w), r->token.text, (struct bytes){0}, "copy");
	postgres_complete(p, tag);
}

static void copy_in(struct postgres *p, struct sql_reader *r, struct sql_table *t)
{
	char tag[32];
	uint8_t *room = arena_alloc(p->sql.scratch, OUTPUT_MAX);
	struct writer w = writer_of(room, room ? OUTPUT_MAX : 0);
	if (sql_take(r, "stdin")) {
		p->copying = true;
		postgres_message(p, 'G', BYTES("\0\0\1\0\0"));
		return;
	}
	if (sql_take(r, "program")) {
		run_command(p, r->token.text, &w);
	} else {
		const struct postgres_error e = {.state = "58P01", .file = "copyfrom.c", .line = 1634,
						 .routine = "BeginCopyFrom",
						 .hint = "COPY FROM instructs the PostgreSQL server process to read a file. You "
							 "may want a client-side facility such as psql's \\copy."};
		postgres_error(p, &e, "could not open file \"%.*s\" for reading: No such file or directory",
			       cut(r->token.text.len), (const char *)r->token.text.at);
		return;
	}
	snprintf(tag, sizeof tag, "COPY %u", rows_of_lines(p, t, writer_bytes(&w)));
	postgres_complete(p, tag);
}

static void run_copy(struct postgres *p, struct sql_reader *r)
{
	struct sql_answer a;
	struct bytes database, name;
	struct sql_table *t = NULL;
	sql_answer_begin(&p->sql, &a, "SELECT");
	if (sql_take(r, "(")) {
		struct sql_reader inner = *r; /* up to the parenthesis that closes it */
		unsigned depth = 1;
		size_t from = r->token.from;
		while (depth && r->token.kind != SQL_END) {
			depth += sql_at(r, "(");
			depth -= sql_at(r, ")");
			if (depth)
				sql_next(r);
		}
		sql_open(&inner, (struct bytes){r->text.at + from, r->token.from - from}, SQL_POSTGRES, r->arena);
		sql_take(r, ")");
		sql_run(&p->sql, &inner, &a);
		if (a.outcome != SQL_ROWS) {
			answer_failed(p, &inner, &a);
			return;
		}
	} else {
		if (!sql_read_name(r, &database, &name)) {
			answer_syntax(p, r);
			return;
		}
		t = sql_table(&p->sql, (struct bytes){0}, name);
		if (!t) {
			a.outcome = SQL_NO_TABLE;
			a.subject = name;
			answer_failed(p, r, &a);
			return;
		}
		a.column_count = t->column_count;
		a.rows = t->rows;
		a.row_count = t->row_count;
	}
	while (r->token.kind != SQL_END && !sql_at(r, "from") && !sql_at(r, "to"))
		sql_next(r);
	if (sql_take(r, "to"))
		copy_out(p, r, &a);
	else if (t && sql_take(r, "from"))
		copy_in(p, r, t);
	else
		answer_syntax(p, r);
}

/* A block of PL/pgSQL is not run, but a program that it starts by COPY is seen. */
static void run_do(struct postgres *p, struct sql_reader *r)
{
	uint8_t *room = arena_alloc(p->sql.scratch, OUTPUT_MAX);
	struct writer w = writer_of(room, room ? OUTPUT_MAX : 0);
	struct sql_reader inner;
	sql_next(r);
	if (sql_take(r, "language"))
		sql_next(r);
	sql_open(&inner, r->token.text, SQL_POSTGRES, r->arena);
	size_t at = bytes_find_nocase(inner.text, "program");
	if (at < inner.text.len) {
		struct bytes line = bytes_trim((struct bytes){inner.text.at + at + 7, inner.text.len - at - 7});
		/* Inside EXECUTE '...' its quotes are doubled. */
		bool doubled = bytes_start_with(line, "''");
		sql_open(&inner, line, SQL_POSTGRES, r->arena);
		struct bytes command = inner.token.text;
		if (doubled)
			command = (struct bytes){line.at + 2, line.len - 2};
		if (doubled)
			command.len = bytes_find(command, "''");
		if (inner.token.kind == SQL_STRING)
			run_command(p, command, &w);
	}
	postgres_complete(p, "DO");
}

/* CREATE FUNCTION name(...) ... AS '/tmp/x.so', 'symbol' LANGUAGE C. */
static void create_function(struct postgres *p, struct sql_reader *r)
{
	struct bytes database, name = {0}, library = {0};
	bool in_c = false;
	sql_read_name(r, &database, &name);
	for (; r->token.kind != SQL_END; sql_next(r)) {
		if (sql_take(r, "as") && r->token.kind == SQL_STRING)
			library = r->token.text;
		if (sql_take(r, "language"))
			in_c |= r->token.text.len == 1 && (r->token.text.at[0] | 32) == 'c';
	}
	if (in_c && library.len) {
		session_name_file(p->session, (struct bytes){0}, library, "function");
		if (p->function_count < POSTGRES_FUNCTIONS_MAX)
			p->functions[p->function_count++] = arena_copy(p->sql.arena, name);
	}
	postgres_complete(p, "CREATE FUNCTION");
}

static void run_show(struct postgres *p, struct sql_reader *r)
{
	struct sql_answer a;
	struct bytes value, name = r->token.text;
	if (!postgres_setting(p, name, &value)) {
		const struct postgres_error e = {.state = "42704", .file = "guc.c", .line = 5784, .routine = "find_option"};
		postgres_error(p, &e, "unrecognized configuration parameter \"%.*s\"", cut(name.len), (const char *)name.at);
		return;
	}
	sql_answer_begin(&p->sql, &a, "SHOW");
	sql_column_add(&p->sql, &a, name, SQL_TEXT);
	struct sql_value *v = sql_row_add(&p->sql, &a);
	if (v)
		v[0] = sql_words(value);
	if (!p->quiet)
		postgres_columns(p, &a);
	postgres_rows(p, &a);
	postgres_complete(p, "SHOW");
}

/* What has no rows: its tag is the first word or two. */
static bool taken_silently(struct postgres *p, struct sql_reader *r)
{
	static const struct {
		const char *words, *tag;
	} known[] = {
		{"begin", "BEGIN"}, {"start transaction", "START TRANSACTION"}, {"commit", "COMMIT"}, {"end", "COMMIT"},
		{"rollback", "ROLLBACK"}, {"abort", "ROLLBACK"}, {"set", "SET"}, {"reset", "RESET"},
		{"create user", "CREATE ROLE"}, {"create role", "CREATE ROLE"}, {"alter user", "ALTER ROLE"},
		{"alter role", "ALTER ROLE"}, {"alter table", "ALTER TABLE"}, {"alter system", "ALTER SYSTEM"},
		{"alter database", "ALTER DATABASE"}, {"create extension", "CREATE EXTENSION"},
		{"create language", "CREATE LANGUAGE"}, {"create index", "CREATE INDEX"}, {"create schema", "CREATE SCHEMA"},
		{"drop function", "DROP FUNCTION"}, {"drop role", "DROP ROLE"}, {"drop user", "DROP ROLE"},
		{"drop schema", "DROP SCHEMA"}, {"drop extension", "DROP EXTENSION"}, {"grant", "GRANT"}, {"revoke", "REVOKE"},
		{"vacuum", "VACUUM"}, {"analyze", "ANALYZE"}, {"listen", "LISTEN"}, {"discard", "DISCARD ALL"},
		{"deallocate", "DEALLOCATE"}, {"lock", "LOCK TABLE"}, {"load", "LOAD"}, {"checkpoint", "CHECKPOINT"},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!sql_take_words(r, known[i].words))
			continue;
		bool begins = known[i].tag[0] == 'B' || !strncmp(known[i].tag, "START", 5);
		bool ends = !strcmp(known[i].tag, "COMMIT") || !strcmp(known[i].tag, "ROLLBACK");
		postgres_complete(p, p->broken && !strcmp(known[i].tag, "COMMIT") ? "ROLLBACK" : known[i].tag);
		p->in_transaction = (p->in_transaction || begins) && !ends;
		p->broken = p->broken && !ends;
		return true;
	}
	return false;
}

static bool ends_transaction(const struct sql_reader *r)
{
	return sql_at(r, "rollback") || sql_at(r, "abort") || sql_at(r, "commit") || sql_at(r, "end");
}

static void run_one(struct postgres *p, struct sql_reader *r)
{
	struct sql_answer a;
	if (p->broken && !ends_transaction(r)) {
		const struct postgres_error e = {.state = "25P02", .file = "postgres.c", .line = 1104,
						 .routine = "exec_simple_query"};
		postgres_error(p, &e, "current transaction is aborted, commands ignored until end of transaction block");
		return;
	}
	if (sql_take(r, "copy")) {
		run_copy(p, r);
	} else if (sql_take(r, "show")) {
		run_show(p, r);
	} else if (sql_at(r, "do")) {
		run_do(p, r);
	} else if (sql_take_words(r, "create or replace function") || sql_take_words(r, "create function")) {
		create_function(p, r);
	} else if (!taken_silently(p, r)) {
		if (sql_at(r, "insert"))
			postgres_library(p);
		sql_run(&p->sql, r, &a);
		if (a.outcome == SQL_ROWS && !p->quiet)
			postgres_columns(p, &a);
		if (a.outcome == SQL_ROWS)
			postgres_rows(p, &a);
		if (a.outcome == SQL_ROWS || a.outcome == SQL_DONE)
			complete(p, &a);
		else
			answer_failed(p, r, &a);
	}
}

void postgres_query(struct postgres *p, struct bytes text)
{
	struct arena scratch = ARENA(POSTGRES_SCRATCH_MAX);
	struct sql_reader r;
	p->sql.scratch = &scratch;
	p->skipping = p->quiet = false;
	sql_open(&r, text, SQL_POSTGRES, &scratch);
	bool any = r.token.kind != SQL_END || sql_skip_statement(&r);
	if (!any)
		postgres_message(p, 'I', (struct bytes){0});
	while (any && !p->skipping) {
		run_one(p, &r);
		any = sql_skip_statement(&r);
	}
	p->skipping = false;
	if (!p->copying)
		postgres_ready(p);
	arena_done(&scratch);
	p->sql.scratch = NULL;
}

void postgres_execute(struct postgres *p, struct bytes text)
{
	struct arena scratch = ARENA(POSTGRES_SCRATCH_MAX);
	struct sql_reader r;
	p->sql.scratch = &scratch;
	p->quiet = true;
	sql_open(&r, text, SQL_POSTGRES, &scratch);
	if (r.token.kind == SQL_END)
		postgres_message(p, 'I', (struct bytes){0});
	else
		run_one(p, &r);
	p->quiet = false;
	arena_done(&scratch);
	p->sql.scratch = NULL;
}

/* The columns that a statement would have: a SELECT changes nothing, so it is run for them. */
void postgres_describe(struct postgres *p, struct bytes text)
{
	struct arena scratch = ARENA(POSTGRES_SCRATCH_MAX);
	struct sql_reader r;
	struct sql_answer a;
	p->sql.scratch = &scratch;
	sql_open(&r, text, SQL_POSTGRES, &scratch);
	sql_answer_begin(&p->sql, &a, "SELECT");
	if (sql_take(&r, "show"))
		sql_column_add(&p->sql, &a, r.token.text, SQL_TEXT);
	else if (sql_at(&r, "select") && bytes_find_nocase(text, "lo_") == text.len && !p->function_count)
		sql_run(&p->sql, &r, &a);
	if (a.outcome == SQL_ROWS)
		postgres_columns(p, &a);
	else if (a.outcome == SQL_DONE)
		postgres_message(p, 'n', (struct bytes){0});
	else
		answer_failed(p, &r, &a);
	arena_done(&scratch);
	p->sql.scratch = NULL;
}
