#include "store/embedded/engine.h"
#include "store/embedded/guard.h"
#include "store/schema.h"
#include <stdlib.h>
#include <unistd.h>

#define PART_MAX (256u << 10)

struct engine {
	const struct chdb *chdb;
	char path[4096];
	struct engine_limits limits;
	chdb_connection *connection;
	struct guard guard;
};

struct engine_reader {
	struct engine *engine;
	chdb_connection *connection;
};

static const struct {
	const char *name, *chdb;
} formats[ANSWER_FORMATS] = {
	[ANSWER_LINES] = {"lines", "JSONEachRow"},     [ANSWER_JSON] = {"json", "JSON"},
	[ANSWER_CSV] = {"csv", "CSVWithNames"},        [ANSWER_TSV] = {"tsv", "TabSeparated"},
	[ANSWER_PARQUET] = {"parquet", "Parquet"},     [ANSWER_PRETTY] = {"pretty", "PrettyCompactMonoBlock"},
};

const char *answer_format_name(enum answer_format f) { return formats[f].name; }

int answer_format_find(const char *name)
{
	for (int f = 0; f < ANSWER_FORMATS; f++)
		if (!strcmp(name, formats[f].name))
			return f;
	return ERR_MISSING;
}

/* ClickHouse's sentence on one line; its codes tell whose fault it was. */
static int fault_from(struct fault *fault, const char *what, const char *sentence)
{
	int code = strstr(sentence, "(READONLY)")               ? ERR_DENIED
		   : strstr(sentence, "(TIMEOUT_EXCEEDED)")     ? ERR_TIMEOUT
		   : strstr(sentence, "(MEMORY_LIMIT_EXCEEDED)") ? ERR_MEMORY
		   : strstr(sentence, "(TOO_MANY_ROWS_OR_BYTES)") ? ERR_FULL
		   : strstr(sentence, "(NOT_ENOUGH_SPACE)")     ? ERR_SYSTEM
								: ERR_BAD;
	fault_set(fault, code, "%s: %.480s", what, sentence);
	for (char *c = fault->text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return code;
}

/* Runs a statement whose whole result stays here; an answer is appended when it is wanted. */
static int run_on(const struct chdb *c, chdb_connection connection, struct bytes sql,
		  const char *format, struct buffer *answer, struct fault *fault)
{
	chdb_result *r = c->query_n(connection, (const char *)sql.at, sql.len, format, strlen(format));
	const char *wrong = r ? c->result_error(r) : "no result";
	int bad = wrong ? fault_from(fault, "store", wrong) : 0;
	if (!bad && answer && c->result_length(r) &&
	    buffer_append(answer, c->result_buffer(r), c->result_length(r)))
		bad = fault_set(fault, ERR_FULL, "store: the answer exceeds %zu bytes", answer->max);
	if (r)
		c->destroy_query_result(r);
	return bad;
}

int engine_run(struct engine *e, struct bytes sql, struct buffer *answer, struct fault *fault)
{
	return run_on(e->chdb, *e->connection, sql, "TSV", answer, fault);
}

int engine_run_text(struct engine *e, const char *sql, struct buffer *answer, struct fault *fault)
{
	return engine_run(e, bytes_of_text(sql), answer, fault);
}

/* Words that look outside although they are no table functions, and tables that are harmless. */
static const char *const also_refused[] = {"aigenerate", "aiclassify", "aiembed", "aiextract",
					   "aitranslate", "catboostevaluate", "remote", "file"};
#define HARMLESS                                                                                  \
	"'numbers','numbers_mt','zeros','zeros_mt','values','null','view','format',"              \
	"'generateRandom','generateSeries','generate_series','primes'"

static int guard_learn(struct engine *e, struct fault *fault)
{
	struct buffer names = BUFFER(1 << 16);
	int bad = engine_run_text(
		e, "SELECT name FROM system.table_functions WHERE name NOT IN (" HARMLESS ")", &names, fault);
	struct reader r = reader_of_bytes(buffer_bytes(&names));
	for (struct bytes line; !bad && read_line(&r, &line);)
		bad = guard_add(&e->guard, line);
	for (size_t i = 0; !bad && i < sizeof also_refused / sizeof *also_refused; i++)
		bad = guard_add(&e->guard, bytes_of_text(also_refused[i]));
	guard_seal(&e->guard);
	buffer_done(&names);
	if (!bad && e->guard.count < 20)
		bad = ERR_BAD;
	return bad ? fault_set(fault, bad, "store: this libchdb does not list its table functions; "
					   "chDB 26.7 is needed") : 0;
}

int engine_open(struct engine **out, const struct chdb *chdb, const char *path,
		const struct engine_limits *limits, struct fault *fault)
{
	if (path[0] != '/' || strlen(path) > 4000)
		return fault_set(fault, ERR_BAD, "store: %s is not an absolute path", path);
	struct engine *e = calloc(1, sizeof *e);
	if (!e)
		return fault_set(fault, ERR_MEMORY, "store: out of memory");
	*e = (struct engine){.chdb = chdb, .limits = *limits};
	snprintf(e->path, sizeof e->path, "%s", path);
	char place[4200], backups[4200];
	snprintf(place, sizeof place, "--path=%s", path);
	snprintf(backups, sizeof backups, "--backups.allowed_path=%s/backups", path);
	char *words[] = {(char[]){"clickhouse"}, place, backups, (char[]){"--async_insert=0"},
			 (char[]){"--mutations_sync=2"}, (char[]){"--alter_sync=2"},
			 (char[]){"--max_insert_threads=1"}, (char[]){"--session_timezone=UTC"}};
	e->connection = chdb->connect(sizeof words / sizeof *words, words);
	if (!e->connection) {
		free(e);
		return fault_set(fault, ERR_BAD, "store: chDB cannot open %s; another process may use it, "
						 "or it is not writable", path);
	}
	int bad = guard_learn(e, fault);
	if (bad) {
		engine_close(e);
		return bad;
	}
	*out = e;
	return 0;
}

void engine_close(struct engine *e)
{
	e->chdb->close_conn(e->connection);
	free(e);
}

int engine_insert(struct engine *e, struct bytes statement, struct bytes rows, struct fault *fault)
{
	const struct chdb *c = e->chdb;
	chdb_insert_stream s = c->stream_insert_n(*e->connection, (const char *)statement.at,
						  statement.len, "RowBinary", strlen("RowBinary"));
	const char *wrong = c->stream_insert_error(s);
	int bad = wrong ? fault_from(fault, "store", wrong) : 0;
	if (!bad && c->stream_append(s, rows.at, rows.len)) {
		wrong = c->stream_insert_error(s);
		bad = fault_from(fault, "store", wrong ? wrong : "the insert was refused");
	}
	if (bad) {
		c->stream_cancel_insert(s);
	} else {
		chdb_result *r = c->stream_done(s);
		wrong = r ? c->result_error(r) : "no result";
		bad = wrong ? fault_from(fault, "store", wrong) : 0;
		if (r)
			c->destroy_query_result(r);
	}
	c->destroy_insert_stream(s);
	return bad;
}

static int statement_run(struct engine *e, unsigned statement, struct fault *fault)
{
	char sql[SCHEMA_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql);
	schema_create(&w, statement);
	return w.bad ? fault_set(fault, ERR_BAD, "store: a statement of the schema exceeds %d bytes",
				 SCHEMA_SQL_MAX)
		     : engine_run(e, writer_bytes(&w), NULL, fault);
}

/* The type that the table has for the column, as "name<TAB>type" lines tell; empty when it has none. */
static struct bytes type_of(struct bytes columns, const char *name)
{
	struct reader r = reader_of_bytes(columns);
	size_t n = strlen(name);
	for (struct bytes line; read_line(&r, &line);)
		if (bytes_start_with(line, name) && line.len > n && line.at[n] == '\t')
			return (struct bytes){line.at + n + 1, line.len - n - 1};
	return (struct bytes){0};
}

/* DateTime('UTC') comes with its quotes escaped. */
static bool same_type(struct bytes has, const char *wanted)
{
	return bytes_equal_text(has, wanted) ||
	       (bytes_start_with(has, "DateTime") && !strncmp(wanted, "DateTime", 8));
}

static int column_add(struct engine *e, enum table t, const struct column *c, struct fault *fault)
{
	char sql[768];
	snprintf(sql, sizeof sql, "ALTER TABLE kansoku.%s ADD COLUMN IF NOT EXISTS `%s` %s%s%s%s%s%s",
		 table_name(t), c->name, c->type, *c->fallback ? " DEFAULT " : "", c->fallback,
		 *c->codec ? " CODEC(" : "", c->codec, *c->codec ? ")" : "");
	return engine_run_text(e, sql, NULL, fault);
}

static int columns_add(struct engine *e, enum table t, struct fault *fault)
{
	struct buffer columns = BUFFER(1 << 16);
	struct column c;
	char sql[256];
	snprintf(sql, sizeof sql, "SELECT name, type FROM system.columns WHERE database = 'kansoku' "
				  "AND table = '%s'", table_name(t));
	int bad = engine_run_text(e, sql, &columns, fault);
	for (unsigned i = 0; !bad && schema_column(t, i, &c); i++) {
		struct bytes has = type_of(buffer_bytes(&columns), c.name);
		if (has.len && !same_type(has, c.type))
			bad = fault_set(fault, ERR_BAD,
					"store: column %s of %s is %.*s, and this version needs %s; a field's "
					"type never changes", c.name, table_name(t), (int)has.len,
					(const char *)has.at, c.type);
		else if (!has.len)
			bad = column_add(e, t, &c, fault);
	}
	buffer_done(&columns);
	return bad;
}

int engine_prepare(struct engine *e, struct fault *fault)
{
	int bad = 0;
	for (unsigned i = 0; i < SCHEMA_STATEMENTS && !bad; i++) {
		for (enum table t = 0; t < TABLES && i == SCHEMA_VIEWS && !bad; t++)
			bad = columns_add(e, t, fault);
		bad = bad ? bad : statement_run(e, i, fault);
	}
	return bad;
}

int engine_backup(struct engine *e, const char *file, struct fault *fault)
{
	static const char database[] = "kansoku";
	chdb_result *r = e->chdb->backup_database_n(*e->connection, database, strlen(database), file,
						    strlen(file), NULL, 0);
	const char *wrong = r ? e->chdb->result_error(r) : "no result";
	int bad = wrong ? fault_from(fault, "backup", wrong) : 0;
	if (r)
		e->chdb->destroy_query_result(r);
	return bad;
}

int engine_reader_open(struct engine_reader **out, struct engine *e, struct fault *fault)
{
	char place[4200], time[64], memory[64], result[64], threads[64];
	const struct engine_limits *l = &e->limits;
	snprintf(place, sizeof place, "--path=%s", e->path);
	snprintf(time, sizeof time, "--max_execution_time=%llu.%03llu",
		 (unsigned long long)l->query_ms_max / 1000, (unsigned long long)l->query_ms_max % 1000);
	snprintf(memory, sizeof memory, "--max_memory_usage=%llu", (unsigned long long)l->query_memory_max);
	snprintf(result, sizeof result, "--max_result_bytes=%llu", (unsigned long long)l->query_result_max);
	snprintf(threads, sizeof threads, "--max_threads=%u", l->query_threads);
	char *words[] = {(char[]){"clickhouse"}, place, time, memory, result, threads,
			 (char[]){"--max_block_size=8192"}, (char[]){"--session_timezone=UTC"},
			 (char[]){"--output_format_json_escape_forward_slashes=0"},
			 (char[]){"--output_format_pretty_row_numbers=0"}};
	struct engine_reader *r = calloc(1, sizeof *r);
	if (!r)
		return fault_set(fault, ERR_MEMORY, "store: out of memory");
	*r = (struct engine_reader){.engine = e};
	r->connection = e->chdb->connect(sizeof words / sizeof *words, words);
	int bad = r->connection ? 0 : fault_set(fault, ERR_BAD, "store: chDB gives no connection to readers");
	bad = bad ? bad : run_on(e->chdb, *r->connection, BYTES("USE kansoku"), "TSV", NULL, fault);
	bad = bad ? bad : run_on(e->chdb, *r->connection, BYTES("SET readonly = 1"), "TSV", NULL, fault);
	if (bad) {
		engine_reader_close(r);
		return bad;
	}
	*out = r;
	return 0;
}

void engine_reader_close(struct engine_reader *r)
{
	if (r->connection)
		r->engine->chdb->close_conn(r->connection);
	free(r);
}

struct answer {
	answer_sink_f *sink;
	void *arg;
	bool json; /* bytes that are not UTF-8 become \u00XX */
	uint64_t sent, max;
};

static int answer_send(struct answer *a, struct bytes b)
{
	a->sent += b.len;
	if (a->sent > a->max)
		return ERR_FULL;
	int bad = 0;
	while (b.len && !bad) {
		struct bytes part = {b.at, b.len < PART_MAX ? b.len : PART_MAX};
		bad = a->sink(a->arg, part);
		b.at += part.len;
		b.len -= part.len;
	}
	return bad;
}

/* Length of the longest UTF-8 sequence at the start; 0 where there is none. */
static size_t utf8_length(struct bytes b)
{
	for (size_t n = 1; n <= 4 && n <= b.len; n++)
		if (bytes_is_utf8((struct bytes){b.at, n}))
			return n;
	return 0;
}

/*
 * ClickHouse writes strings into JSON as they are; ours hold whatever attackers sent.  All
 * structure is ASCII, so each byte that is not UTF-8 lies in a string and can be escaped.
 */
static int answer_json(struct answer *a, struct bytes b)
{
	while (b.len) {
		size_t fine = 0, step;
		while (fine < b.len &&
		       (b.at[fine] < 0x80 ? (step = 1)
					  : (step = utf8_length((struct bytes){b.at + fine, b.len - fine}))))
			fine += step;
		int bad = answer_send(a, (struct bytes){b.at, fine});
		if (bad || fine == b.len)
			return bad;
		char escape[8];
		snprintf(escape, sizeof escape, "\\u%04x", b.at[fine]);
		bad = answer_send(a, bytes_of_text(escape));
		if (bad)
			return bad;
		b.at += fine + 1;
		b.len -= fine + 1;
	}
	return 0;
}

static int answer_part(struct answer *a, struct bytes b)
{
	return a->json ? answer_json(a, b) : answer_send(a, b);
}

/* One row a line can be sent while the query runs; other formats only as a whole. */
static int ask_streaming(struct engine_reader *r, struct bytes sql, struct answer *a,
			 struct fault *fault)
{
	const struct chdb *c = r->engine->chdb;
	const char *format = formats[ANSWER_LINES].chdb;
	chdb_result *query = c->stream_query_n(*r->connection, (const char *)sql.at, sql.len, format,
					       strlen(format));
	const char *wrong = query ? c->result_error(query) : "no result";
	int bad = wrong ? fault_from(fault, "query", wrong) : 0;
	for (bool more = !bad; more;) {
		chdb_result *part = c->stream_fetch_result(*r->connection, query);
		wrong = part ? c->result_error(part) : "no result";
		size_t n = wrong ? 0 : c->result_length(part);
		if (wrong)
			bad = fault_from(fault, "query", wrong);
		else if (n)
			bad = answer_part(a, (struct bytes){(const uint8_t *)c->result_buffer(part), n});
		more = n && !bad;
		if (part)
			c->destroy_query_result(part);
	}
	if (query && bad)
		c->stream_cancel_query(*r->connection, query);
	if (query)
		c->destroy_query_result(query);
	return bad;
}

static int ask_whole(struct engine_reader *r, struct bytes sql, enum answer_format f,
		     struct answer *a, struct fault *fault)
{
	const struct chdb *c = r->engine->chdb;
	chdb_result *whole = c->query_n(*r->connection, (const char *)sql.at, sql.len, formats[f].chdb,
					strlen(formats[f].chdb));
	const char *wrong = whole ? c->result_error(whole) : "no result";
	int bad = wrong ? fault_from(fault, "query", wrong) : 0;
	if (!bad && c->result_length(whole))
		bad = answer_part(a, (struct bytes){(const uint8_t *)c->result_buffer(whole),
						    c->result_length(whole)});
	if (whole)
		c->destroy_query_result(whole);
	return bad;
}

static int only_one_question(const struct engine_reader *r, struct bytes sql, struct fault *fault)
{
	struct chdb_analysis a = {.struct_size = sizeof a};
	if (r->engine->chdb->classify_query_n(*r->connection, (const char *)sql.at, sql.len, NULL, 0, &a))
		return fault_set(fault, ERR_BAD, "query: ClickHouse's parser refuses to look at it");
	if (a.statement_count > 1)
		return fault_set(fault, ERR_DENIED, "query: %u statements; one at a time is right",
				 a.statement_count);
	/* What does not parse is run, for ClickHouse's own message; it cannot do anything. */
	if (a.statement_count == 1 && a.query_class != CHDB_QUERY_READ_ONLY)
		return fault_set(fault, ERR_DENIED, "query: only statements that read are allowed "
						    "(SELECT, SHOW, DESCRIBE, EXPLAIN)");
	return 0;
}

int engine_ask(struct engine_reader *r, struct bytes sql, enum answer_format f, bool private_too,
	       answer_sink_f *sink, void *arg, struct fault *fault)
{
	int bad = guard_check(&r->engine->guard, sql, private_too, fault);
	bad = bad ? bad : only_one_question(r, sql, fault);
	if (bad)
		return bad;
	struct answer a = {sink, arg, f == ANSWER_LINES || f == ANSWER_JSON, 0,
			   r->engine->limits.query_result_max};
	fault->text[0] = '\0';
	bad = f == ANSWER_LINES ? ask_streaming(r, sql, &a, fault) : ask_whole(r, sql, f, &a, fault);
	if (bad == ERR_FULL && !fault->text[0])
		fault_set(fault, bad, "query: the answer exceeds %llu bytes; ask for less, or add LIMIT",
			  (unsigned long long)a.max);
	else if (bad && !fault->text[0])
		fault_set(fault, bad, "query: the asker went away");
	return bad;
}
