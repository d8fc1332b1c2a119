/* Statements on tables of the session. */
#include "passive/services/sql/sql.h"

static bool same_name(struct bytes a, struct bytes b)
{
	return a.len == b.len && !strncasecmp((const char *)a.at, (const char *)b.at, a.len);
}

bool sql_database_there(const struct sql *q, struct bytes name)
{
	for (size_t i = 0; i < q->database_count; i++)
		if (same_name(q->databases[i], name))
			return true;
	return false;
}

bool sql_database_add(struct sql *q, struct bytes name)
{
	struct bytes copy = arena_copy(q->arena, name);
	if (!copy.at || q->database_count == SQL_DATABASES_MAX)
		return false;
	q->databases[q->database_count++] = copy;
	q->edits++;
	return true;
}

struct sql_table *sql_table(const struct sql *q, struct bytes database, struct bytes name)
{
	for (struct sql_table *t = q->tables; t; t = t->next)
		if (same_name(t->name, name) && same_name(t->database, database.len ? database : q->database))
			return t;
	return NULL;
}

static bool refuse(struct sql_answer *a, enum sql_outcome outcome, struct bytes subject)
{
	a->outcome = outcome;
	a->subject = subject;
	return false;
}

static bool syntax(struct sql_answer *a, const struct sql_reader *r)
{
	a->near = r->token.from;
	return refuse(a, SQL_SYNTAX, r->token.text);
}

static bool identifier(const struct sql_reader *r)
{
	return r->token.kind == SQL_WORD || r->token.kind == SQL_NAME ||
	       (r->token.kind == SQL_STRING && r->dialect == SQL_TSQL) ||
	       (r->token.kind == SQL_VARIABLE && r->dialect == SQL_TSQL) ||
	       (r->token.kind == SQL_SIGN && r->dialect == SQL_TSQL && r->token.text.at[0] == '#');
}

bool sql_read_name(struct sql_reader *r, struct bytes *database, struct bytes *name)
{
	*database = (struct bytes){0};
	if (!identifier(r))
		return false;
	if (r->token.kind == SQL_SIGN) /* a temporary table's # */
		sql_next(r);
	*name = r->token.text;
	sql_next(r);
	while (sql_take(r, ".")) {
		if (!database->len)
			*database = *name;
		if (sql_at(r, ".")) /* master..sysdatabases */
			continue;
		if (!identifier(r))
			return false;
		*name = r->token.text;
		sql_next(r);
	}
	if (r->dialect == SQL_POSTGRES)
		*database = (struct bytes){0}; /* a schema, of which one session needs one */
	return true;
}

/* The table of a statement; false: it has been answered. */
static bool named_table(struct sql *q, struct sql_reader *r, struct sql_answer *a, struct sql_table **t)
{
	if (!sql_read_name(r, &a->database, &a->from))
		return syntax(a, r);
	if (!a->database.len && !q->database.len)
		return refuse(a, SQL_NOTHING_CHOSEN, a->from);
	*t = sql_table(q, a->database, a->from);
	if (!*t)
		return refuse(a, SQL_NO_TABLE, a->from);
	return true;
}

/* Copies the named columns of a table's rows; "*" is all of them. */
static bool select_rows(struct sql *q, struct sql_answer *a, const struct sql_table *t,
			const struct bytes *names, size_t count, uint64_t limit)
{
	size_t which[SQL_COLUMNS_MAX], n = 0;
	for (size_t i = 0; i < count; i++) {
		bool all = bytes_equal_text(names[i], "*"), found = all;
		for (size_t c = 0; c < t->column_count && n < SQL_COLUMNS_MAX; c++)
			if (all || same_name(t->columns[c].name, names[i])) {
				which[n++] = c;
				found = true;
			}
		if (!found)
			return refuse(a, SQL_NO_COLUMN, names[i]);
	}
	for (size_t i = 0; i < n; i++)
		sql_column_add(q, a, t->columns[which[i]].name, t->columns[which[i]].type);
	for (const struct sql_row *row = t->rows; row && limit; row = row->next, limit--) {
		struct sql_value *values = sql_row_add(q, a);
		for (size_t i = 0; values && i < n; i++)
			values[i] = row->values[which[i]];
	}
	return true;
}

static struct bytes text_between(struct sql *q, const struct sql_reader *r, size_t from, size_t to)
{
	(void)q;
	while (to > from && r->text.at[to - 1] <= ' ')
		to--;
	return (struct bytes){r->text.at + from, to - from};
}

/* What an unnamed column is called differs: MySQL takes its text, PostgreSQL the function's name. */
static struct bytes column_name(struct sql *q, const struct sql_reader *r, const struct sql_token *first, size_t from,
				size_t to)
{
	struct bytes text = text_between(q, r, from, to);
	if (q->dialect == SQL_MYSQL && bytes_equal_nocase(text, "null"))
		return BYTES("NULL");
	if (q->dialect == SQL_MYSQL)
		return first->kind == SQL_STRING ? first->text : text;
	if (q->dialect == SQL_TSQL)
		return (struct bytes){0};
	if (first->kind == SQL_WORD && !bytes_equal_nocase(first->text, "null"))
		return first->text;
	return BYTES("?column?");
}

static bool into_file(struct sql_reader *r, struct sql_answer *a)
{
	if (!sql_take(r, "into"))
		return true;
	bool dump = sql_take(r, "dumpfile");
	if (!dump && !sql_take(r, "outfile"))
		return false;
	if (r->token.kind != SQL_STRING)
		return syntax(a, r);
	a->file = r->token.text;
	a->file_how = dump ? BYTES("dumpfile") : BYTES("outfile");
	sql_next(r);
	return true;
}

/* What stands behind the table: a limit, a file; conditions are passed over. */
static uint64_t read_tail(struct sql_reader *r, struct sql_answer *a)
{
	uint64_t n = UINT64_MAX;
	while (r->token.kind != SQL_END)
		if (sql_at(r, "into") && into_file(r, a) && a->file.len)
			continue;
		else if (sql_take(r, "limit") && r->token.kind == SQL_NUMBER)
			bytes_number(r->token.text, UINT64_MAX, &n);
		else
			sql_next(r);
	return n;
}

/* Columns that a table is asked for: names, or count(*); what is more is not worked out. */
struct chosen {
	struct bytes names[SQL_COLUMNS_MAX];
	size_t count;
	bool counted;
};

/* Of a catalogue only the columns that were asked for, when it has them all. */
static void narrow(struct sql *q, struct sql_answer *a, const struct chosen *c)
{
	size_t which[SQL_COLUMNS_MAX], n = 0;
	for (size_t i = 0; i < c->count; i++) {
		size_t at = 0;
		while (at < a->column_count && !same_name(a->columns[at].name, c->names[i]))
			at++;
		if (at == a->column_count || n == SQL_COLUMNS_MAX)
			return;
		which[n++] = at;
	}
	struct sql_column *columns = arena_alloc(q->scratch, SQL_COLUMNS_MAX * sizeof *columns);
	struct sql_value *values = arena_alloc(q->scratch, SQL_COLUMNS_MAX * sizeof *values);
	if (!columns || !values)
		return;
	for (size_t i = 0; i < n; i++)
		columns[i] = a->columns[which[i]];
	for (struct sql_row *row = a->rows; row; row = row->next) {
		for (size_t i = 0; i < n; i++)
			values[i] = row->values[which[i]];
		/* Some column may be asked for twice: a row has room for all that it had. */
		memcpy(row->values, values, (n < a->column_count ? n : a->column_count) * sizeof *values);
	}
	a->columns = columns;
	a->column_count = n < a->column_count ? n : a->column_count;
}

static bool select_from(struct sql *q, struct sql_reader *r, struct sql_answer *a, const struct chosen *c)
{
	struct sql_table *t = NULL;
	if (!sql_read_name(r, &a->database, &a->from))
		return syntax(a, r);
	if (!sql_table(q, a->database, a->from) && q->hooks->table(q->owner, a->database, a->from, a)) {
		if (c->counted && a->outcome == SQL_ROWS) {
			int64_t n = (int64_t)a->row_count;
			sql_answer_begin(q, a, "SELECT");
			sql_column_add(q, a, BYTES("count"), SQL_INTEGER);
			struct sql_value *v = sql_row_add(q, a);
			if (v)
				v[0] = sql_integer(q, n);
		} else if (a->outcome == SQL_ROWS) {
			narrow(q, a, c);
		}
		return true;
	}
	t = sql_table(q, a->database, a->from);
	if (!t && !a->database.len && !q->database.len)
		return refuse(a, SQL_NOTHING_CHOSEN, a->from);
	if (!t)
		return refuse(a, SQL_NO_TABLE, a->from);
	if (!c->counted)
		return select_rows(q, a, t, c->names, c->count, read_tail(r, a));
	sql_column_add(q, a, BYTES("count(*)"), SQL_INTEGER);
	struct sql_value *v = sql_row_add(q, a);
	if (v)
		v[0] = sql_integer(q, t->row_count);
	return true;
}

/* Whether a FROM stands in this statement outside parentheses: then the list is of its columns. */
static bool has_from(struct sql_reader ahead)
{
	unsigned depth = 0;
	for (; ahead.token.kind != SQL_END; sql_next(&ahead)) {
		if (ahead.token.kind == SQL_SIGN && ahead.token.text.at[0] == '(')
			depth++;
		if (ahead.token.kind == SQL_SIGN && ahead.token.text.at[0] == ')' && depth)
			depth--;
		if (!depth && sql_at(&ahead, "from"))
			return true;
	}
	return false;
}

static bool read_chosen(struct sql_reader *r, struct chosen *c)
{
	unsigned depth = 0;
	struct bytes last = {0};
	for (; r->token.kind != SQL_END && (depth || !sql_at(r, "from")); sql_next(r)) {
		if (r->token.kind == SQL_SIGN && r->token.text.at[0] == '(')
			depth++;
		else if (r->token.kind == SQL_SIGN && r->token.text.at[0] == ')' && depth)
			depth--;
		else if (sql_at(r, "count"))
			c->counted = true;
		else if (!depth && sql_at(r, ",")) {
			if (c->count < SQL_COLUMNS_MAX)
				c->names[c->count++] = last;
		} else if (!depth) {
			last = r->token.text;
		}
	}
	if (c->count < SQL_COLUMNS_MAX)
		c->names[c->count++] = last;
	return true;
}

static bool run_select(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	struct sql_value values[SQL_COLUMNS_MAX];
	size_t n = 0;
	sql_take(r, "distinct");
	sql_take(r, "all");
	if (q->dialect == SQL_TSQL && sql_take(r, "top"))
		sql_next(r);
	if (has_from(*r)) {
		struct chosen c = {.count = 0};
		return read_chosen(r, &c) && (sql_next(r), select_from(q, r, a, &c));
	}
	do {
		struct sql_token first = r->token;
		size_t to;
		if (n == SQL_COLUMNS_MAX || !sql_expression(q, r, &values[n], a))
			return false;
		to = r->token.from;
		struct bytes name = column_name(q, r, &first, first.from, to);
		bool named = sql_take(r, "as");
		if (named || r->token.kind == SQL_NAME ||
		    (r->token.kind == SQL_WORD && !sql_at(r, "into") && !sql_at(r, "limit") && !sql_at(r, "where") &&
		     !sql_at(r, "union") && !sql_at(r, "order"))) {
			name = r->token.text;
			sql_next(r);
		}
		sql_column_add(q, a, name, values[n].type);
		n++;
	} while (sql_take(r, ","));
	struct sql_value *row = sql_row_add(q, a);
	if (row)
		memcpy(row, values, n * sizeof *row);
	if (!into_file(r, a))
		return a->outcome == SQL_SYNTAX ? false : syntax(a, r);
	if (sql_at(r, "limit") || sql_at(r, "where") || sql_at(r, "union") || sql_at(r, "order") ||
	    sql_at(r, "fields") || sql_at(r, "lines"))
		return true;
	return r->token.kind == SQL_END || r->dialect == SQL_TSQL || syntax(a, r);
}

static enum sql_type declared_type(struct bytes name)
{
	return bytes_find_nocase(name, "int") < name.len ? SQL_INTEGER
	       : bytes_find_nocase(name, "blob") < name.len || bytes_find_nocase(name, "bin") < name.len ||
			       bytes_equal_nocase(name, "bytea")
		       ? SQL_BINARY
		       : SQL_TEXT;
}

/* What stands behind a column's type, up to its comma. */
static void skip_column(struct sql_reader *r)
{
	unsigned depth = 0;
	while (r->token.kind != SQL_END && (depth || !(sql_at(r, ",") || sql_at(r, ")")))) {
		depth += sql_at(r, "(");
		depth -= sql_at(r, ")");
		sql_next(r);
	}
}

static struct sql_table *table_make(struct sql *q, struct bytes database, struct bytes name)
{
	struct sql_table *t = q->table_count < SQL_TABLES_MAX ? arena_alloc(q->arena, sizeof *t) : NULL;
	if (!t || !(t->columns = arena_alloc(q->arena, SQL_COLUMNS_MAX * sizeof *t->columns)))
		return NULL;
	t->database = arena_copy(q->arena, database.len ? database : q->database);
	t->name = arena_copy(q->arena, name);
	t->rows_end = &t->rows;
	t->next = q->tables;
	q->tables = t;
	q->table_count++;
	q->edits++;
	return t;
}

static bool create_table(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	a->verb = "CREATE TABLE";
	bool lenient = sql_take_words(r, "if not exists");
	if (!sql_read_name(r, &a->database, &a->from))
		return syntax(a, r);
	if (!a->database.len && !q->database.len)
		return refuse(a, SQL_NOTHING_CHOSEN, a->from);
	if (a->database.len && !sql_database_there(q, a->database))
		return refuse(a, SQL_NO_DATABASE, a->database);
	if (sql_table(q, a->database, a->from))
		return lenient || refuse(a, SQL_TABLE_EXISTS, a->from);
	struct sql_table *t = table_make(q, a->database, a->from);
	if (!t)
		return refuse(a, SQL_FULL, a->from);
	if (sql_at(r, "as") || sql_at(r, "select"))
		return true;
	if (!sql_take(r, "("))
		return syntax(a, r);
	while (r->token.kind != SQL_END && !sql_at(r, ")")) {
		struct bytes name = arena_copy(q->arena, r->token.text);
		bool key = sql_at(r, "primary") || sql_at(r, "unique") || sql_at(r, "key") || sql_at(r, "constraint") ||
			   sql_at(r, "index");
		sql_next(r);
		if (!key && t->column_count < SQL_COLUMNS_MAX)
			t->columns[t->column_count++] =
				(struct sql_column){name, declared_type(r->token.text)};
		skip_column(r);
		sql_take(r, ",");
	}
	return true;
}

static bool create_database(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	a->verb = "CREATE DATABASE";
	bool lenient = sql_take_words(r, "if not exists");
	struct bytes name = r->token.text;
	if (!identifier(r))
		return syntax(a, r);
	a->affected = 1;
	if (sql_database_there(q, name))
		return lenient || refuse(a, SQL_DATABASE_EXISTS, name);
	return sql_database_add(q, name) || refuse(a, SQL_FULL, name);
}

static void table_remove(struct sql *q, struct sql_table *t)
{
	for (struct sql_table **at = &q->tables; *at; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			q->table_count--;
			q->edits++;
			return;
		}
}

static bool run_drop(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	if (sql_take(r, "database") || sql_take(r, "schema")) {
		a->verb = "DROP DATABASE";
		bool lenient = sql_take_words(r, "if exists");
		for (size_t i = 0; i < q->database_count; i++)
			if (same_name(q->databases[i], r->token.text)) {
				q->databases[i] = q->databases[--q->database_count];
				q->edits++;
				return true;
			}
		return lenient || refuse(a, SQL_NO_DATABASE, r->token.text);
	}
	if (!sql_take(r, "table"))
		return refuse(a, SQL_OTHER, r->token.text);
	a->verb = "DROP TABLE";
	bool lenient = sql_take_words(r, "if exists");
	do {
		struct sql_table *t = NULL;
		if (named_table(q, r, a, &t))
			table_remove(q, t);
		else if (!lenient || a->outcome == SQL_SYNTAX)
			return false;
		a->outcome = SQL_DONE;
	} while (sql_take(r, ","));
	return true;
}

/* One tuple of VALUES, put where the named columns are. */
static bool insert_row(struct sql *q, struct sql_reader *r, struct sql_answer *a, struct sql_table *t,
		       const size_t *which, size_t count)
{
	struct sql_row *row = q->row_count < SQL_ROWS_MAX ? arena_alloc(q->arena, sizeof *row) : NULL;
	size_t n = 0;
	if (row)
		row->values = arena_alloc(q->arena, (t->column_count + 1) * sizeof *row->values);
	if (!row || !row->values)
		return refuse(a, SQL_FULL, t->name);
	if (!sql_take(r, "("))
		return syntax(a, r);
	do {
		struct sql_value v = {0};
		if (!sql_take(r, "default") && !sql_expression(q, r, &v, a))
			return false;
		if (n < count) {
			v.text = arena_copy(q->arena, v.text);
			if (v.type != SQL_NULL)
				v.type = v.text.at || !v.text.len ? t->columns[which[n]].type : SQL_NULL;
			row->values[which[n]] = v;
		}
		n++;
	} while (sql_take(r, ","));
	if (!sql_take(r, ")"))
		return syntax(a, r);
	if (n != count)
		return refuse(a, SQL_COUNT_DIFFERS, t->name);
	*t->rows_end = row;
	t->rows_end = &row->next;
	t->row_count++;
	q->row_count++;
	q->edits++;
	a->affected++;
	return true;
}

static bool run_insert(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	struct sql_table *t;
	size_t which[SQL_COLUMNS_MAX], count = 0;
	a->verb = "INSERT";
	sql_take(r, "ignore");
	sql_take(r, "into");
	if (!named_table(q, r, a, &t))
		return false;
	if (sql_take(r, "(")) {
		for (; !sql_at(r, ")") && r->token.kind != SQL_END && count < SQL_COLUMNS_MAX; sql_take(r, ",")) {
			size_t c = 0;
			while (c < t->column_count && !same_name(t->columns[c].name, r->token.text))
				c++;
			if (c == t->column_count)
				return refuse(a, SQL_NO_COLUMN, r->token.text);
			which[count++] = c;
			sql_next(r);
		}
		sql_take(r, ")");
	} else {
		for (; count < t->column_count; count++)
			which[count] = count;
	}
	if (!sql_take(r, "values") && !sql_take(r, "value"))
		return syntax(a, r);
	do {
		if (!insert_row(q, r, a, t, which, count))
			return false;
	} while (sql_take(r, ","));
	return true;
}

static bool empty_table(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	struct sql_table *t;
	if (!named_table(q, r, a, &t))
		return false;
	q->edits++;
	a->affected = t->row_count;
	q->row_count -= t->row_count;
	t->rows = NULL;
	t->rows_end = &t->rows;
	t->row_count = 0;
	return true;
}

/* SET column = value of all rows; a WHERE is not looked at. */
static bool run_update(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	struct sql_table *t;
	if (!named_table(q, r, a, &t))
		return false;
	if (!sql_take(r, "set"))
		return syntax(a, r);
	do {
		struct bytes name = r->token.text;
		struct sql_value v;
		sql_next(r);
		if (!sql_take(r, "="))
			return syntax(a, r);
		if (!sql_expression(q, r, &v, a))
			return false;
		v.text = arena_copy(q->arena, v.text);
		for (size_t c = 0; c < t->column_count; c++)
			for (struct sql_row *row = t->rows; row && same_name(t->columns[c].name, name); row = row->next)
				row->values[c] = v;
	} while (sql_take(r, ","));
	q->edits++;
	a->affected = t->row_count;
	return true;
}

static bool run_use(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	a->verb = "USE";
	for (size_t i = 0; i < q->database_count; i++)
		if (same_name(q->databases[i], r->token.text)) {
			q->database = q->databases[i];
			return true;
		}
	return refuse(a, SQL_NO_DATABASE, r->token.text);
}

void sql_run(struct sql *q, struct sql_reader *r, struct sql_answer *a)
{
	struct sql_reader before = *r;
	sql_answer_begin(q, a, "SELECT");
	if (r->token.kind == SQL_SIGN && r->token.text.at[0] == '(' && q->dialect == SQL_MYSQL)
		sql_next(r);
	if (sql_take(r, "select")) {
		run_select(q, r, a);
	} else if (sql_take(r, "insert") || sql_take(r, "replace")) {
		run_insert(q, r, a);
	} else if (sql_take_words(r, "create table") || sql_take_words(r, "create temporary table") ||
		   sql_take_words(r, "create temp table") || sql_take_words(r, "create unlogged table")) {
		create_table(q, r, a);
	} else if (sql_take_words(r, "create database") || sql_take_words(r, "create schema")) {
		create_database(q, r, a);
	} else if (sql_take(r, "drop")) {
		run_drop(q, r, a);
	} else if (sql_take_words(r, "delete from")) {
		a->verb = "DELETE";
		empty_table(q, r, a);
	} else if (sql_take(r, "truncate")) {
		sql_take(r, "table");
		empty_table(q, r, a);
		a->verb = "TRUNCATE TABLE";
		a->affected = 0;
	} else if (sql_take(r, "update")) {
		a->verb = "UPDATE";
		run_update(q, r, a);
	} else if (sql_take(r, "use")) {
		run_use(q, r, a);
	} else {
		*r = before;
		a->outcome = SQL_OTHER;
		a->near = r->token.from;
		a->subject = r->token.text;
	}
}
