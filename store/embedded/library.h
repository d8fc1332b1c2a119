/*
 * libchdb.so: ClickHouse in this process, found and opened at run time.
 *
 * The package ships no header, so the few functions that we call are declared
 * here, with the C ABI of chDB 26.7.  The library is opened with dlopen from
 * where the operator says, else from where the lock file put it, so that a
 * build needs nothing of it and a machine with a ClickHouse server can do
 * without.  It cannot be opened by an executable built with ASan or TSan, and
 * opening it replaces standard input by /dev/null: it would take what waits there
 * for rows.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

/* Handles are opaque; chDB hands out pointers to them. */
typedef struct chdb_connection_opaque *chdb_connection;
typedef struct chdb_stream_opaque *chdb_insert_stream;
typedef struct chdb_result_opaque chdb_result;

/* What a statement would do, as ClickHouse's own parser sees it. */
enum chdb_query_class { CHDB_QUERY_READ_ONLY = 0 };

struct chdb_analysis {
	uint32_t struct_size, statement_count, flags, query_class;
};

struct chdb {
	void *opened;
	char path[4096];
	const char *(*version)(void);
	void (*set_signal_handlers_enabled)(int);
	chdb_connection *(*connect)(int, char **);
	void (*close_conn)(chdb_connection *);
	chdb_result *(*query_n)(chdb_connection, const char *, size_t, const char *, size_t);
	chdb_result *(*stream_query_n)(chdb_connection, const char *, size_t, const char *, size_t);
	chdb_result *(*stream_fetch_result)(chdb_connection, chdb_result *);
	void (*stream_cancel_query)(chdb_connection, chdb_result *);
	void (*destroy_query_result)(chdb_result *);
	chdb_insert_stream (*stream_insert_n)(chdb_connection, const char *, size_t, const char *,
					      size_t);
	int (*stream_append)(chdb_insert_stream, const void *, size_t);
	chdb_result *(*stream_done)(chdb_insert_stream);
	const char *(*stream_insert_error)(chdb_insert_stream);
	void (*stream_cancel_insert)(chdb_insert_stream);
	void (*destroy_insert_stream)(chdb_insert_stream);
	char *(*result_buffer)(chdb_result *);
	size_t (*result_length)(chdb_result *);
	const char *(*result_error)(chdb_result *);
	uint64_t (*result_rows_written)(chdb_result *);
	chdb_result *(*backup_database_n)(chdb_connection, const char *, size_t, const char *, size_t,
					  const char *, size_t);
	int (*classify_query_n)(chdb_connection, const char *, size_t, const char *, size_t,
				struct chdb_analysis *);
};

/*
 * Opens the library: `option` when it is not empty, else next to the program
 * (node_modules/@chdb/…), else where the system's linker looks.  ERR_MISSING
 * with a sentence that names the remedy.
 */
int chdb_open(struct chdb *, const char *option, struct fault *);
/* Whether a library would be found, without loading its 500 MB; path may be NULL. */
bool chdb_find(const char *option, char path[4096]);
/*
 * Say it last, when main() is about to return: the process then ends without the library's
 * destructors, which crash.  Everything that counts is synced.
 */
void chdb_leave(void);
