/*
 * As much of SQL as clients and attackers send to a database that nobody uses.
 *
 * A tokenizer for three dialects, constant expressions, and the plain forms of SELECT, INSERT,
 * CREATE, DROP, DELETE, TRUNCATE and UPDATE on tables that the device remembers.  What a
 * product answers in its own way (variables, functions, catalogues) comes through hooks, and what
 * goes over the wire is its service's business.  All is bounded; no text is looked at twice.
 */
#pragma once
#include "base/arena.h"

#define SQL_DEPTH_MAX 16     /* parentheses and calls in each other */
#define SQL_COLUMNS_MAX 64   /* of a table or a result */
#define SQL_ARGUMENTS_MAX 16 /* of a call */
#define SQL_TABLES_MAX 32    /* of a session */
#define SQL_DATABASES_MAX 24
#define SQL_ROWS_MAX 512     /* of a session */
#define SQL_LENGTH_MAX (256 * 1024) /* of a value that is worked out */

enum sql_dialect { SQL_MYSQL, SQL_POSTGRES, SQL_TSQL };

enum sql_token_kind {
	SQL_END,        /* of the text or, as ';', of the statement */
	SQL_WORD,
	SQL_NAME,       /* an identifier in quotes */
	SQL_STRING,
	SQL_NUMBER,
	SQL_HEX,        /* text: its bytes */
	SQL_VARIABLE,   /* text: with its @ or @@ */
	SQL_PARAMETER,  /* $1 */
	SQL_SIGN,
};

struct sql_token {
	enum sql_token_kind kind;
	struct bytes text; /* quotes and escapes undone */
	size_t from, to;   /* where it stands in the statement's text */
};

struct sql_reader {
	struct bytes text;
	size_t at;
	enum sql_dialect dialect;
	struct arena *arena; /* for what is undone */
	struct sql_token token;
	bool open; /* a quote or comment did not end */
};

void sql_open(struct sql_reader *, struct bytes text, enum sql_dialect, struct arena *);
void sql_next(struct sql_reader *);
bool sql_at(const struct sql_reader *, const char *word_or_sign);
bool sql_take(struct sql_reader *, const char *word_or_sign); /* and go on, when it is there */
/* Several words in a row, parted by blanks: all or none. */
bool sql_take_words(struct sql_reader *, const char *words);
/* To the end of this statement; true: another one follows. */
bool sql_skip_statement(struct sql_reader *);

enum sql_type { SQL_NULL, SQL_INTEGER, SQL_TEXT, SQL_BINARY, SQL_BOOLEAN, SQL_TIME };

struct sql_value {
	enum sql_type type;
	struct bytes text;
};

struct sql_column {
	struct bytes name;
	enum sql_type type;
};

struct sql_row {
	struct sql_row *next;
	struct sql_value *values;
};

struct sql_table {
	struct sql_table *next;
	struct bytes database, name;
	struct sql_column *columns;
	struct sql_row *rows, **rows_end;
	uint32_t column_count, row_count;
};

enum sql_outcome {
	SQL_DONE,
	SQL_ROWS,
	SQL_SYNTAX,       /* at `near` */
	SQL_NO_TABLE,     /* subject names it */
	SQL_NO_DATABASE,
	SQL_NO_FUNCTION,
	SQL_NO_COLUMN,
	SQL_NO_VARIABLE,
	SQL_TABLE_EXISTS,
	SQL_DATABASE_EXISTS,
	SQL_NOTHING_CHOSEN, /* no database */
	SQL_COUNT_DIFFERS,  /* of columns and values */
	SQL_FULL,
	SQL_OTHER,          /* not one of the plain forms: the product decides */
};

struct sql_answer {
	enum sql_outcome outcome;
	const char *verb; /* "SELECT", "INSERT", "CREATE TABLE", ... */
	struct sql_column *columns;
	size_t column_count;
	struct sql_row *rows, **rows_end;
	size_t row_count;
	uint64_t affected;
	struct bytes database, subject;
	size_t near;               /* offset of what was not understood */
	struct bytes file, file_how; /* INTO OUTFILE or DUMPFILE */
	struct bytes from;         /* table that rows came from; empty: none */
};

struct sql_hooks {
	bool (*variable)(void *owner, struct bytes name, struct sql_value *out);
	bool (*function)(void *owner, struct bytes name, const struct sql_value *, size_t count,
			 struct sql_value *out);
	/* A catalogue's columns and rows by sql_column_add() and sql_row_add(). */
	bool (*table)(void *owner, struct bytes database, struct bytes name, struct sql_answer *);
};

struct sql {
	enum sql_dialect dialect;
	const struct sql_hooks *hooks;
	void *owner;
	struct arena *arena;   /* the session's: tables */
	struct arena *scratch; /* of this statement */
	struct bytes databases[SQL_DATABASES_MAX];
	size_t database_count;
	struct bytes database; /* chosen; empty: none */
	struct sql_table *tables;
	uint32_t table_count, row_count;
	uint32_t edits, kept; /* changes; as of the last sql_remember() */
};

/* Runs the statement that the reader stands at; it need not be at its end afterwards. */
void sql_run(struct sql *, struct sql_reader *, struct sql_answer *);
/* A constant expression; false: answer says why not. */
bool sql_expression(struct sql *, struct sql_reader *, struct sql_value *, struct sql_answer *);
/* name or database.name (with [dbo]. between, for T-SQL). */
bool sql_read_name(struct sql_reader *, struct bytes *database, struct bytes *name);
bool sql_database_add(struct sql *, struct bytes name);
bool sql_database_there(const struct sql *, struct bytes name);
struct sql_table *sql_table(const struct sql *, struct bytes database, struct bytes name);

void sql_answer_begin(struct sql *, struct sql_answer *, const char *verb); /* no columns, no rows */
void sql_column_add(struct sql *, struct sql_answer *, struct bytes name, enum sql_type);
/* A row of NULLs, or NULL beyond the limit. */
struct sql_value *sql_row_add(struct sql *, struct sql_answer *);
struct sql_value sql_words(struct bytes);
struct sql_value sql_integer(struct sql *, int64_t);
/* LIKE, without regard to case. */
bool sql_like(struct bytes pattern, struct bytes text);

/* passive/services/sql/memory.c: under that name, databases and tables of this visitor; and when they changed. */
struct session;
void sql_recall(struct session *, struct sql *, const char *name);
void sql_remember(struct session *, struct sql *, const char *name);

bool sql_function(struct sql *, struct bytes name, const struct sql_value *, size_t, struct sql_value *);
