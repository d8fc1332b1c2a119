/*
 * Erasing rows.  The ids are found first and kept in a table in memory, so that events and
 * their private values go together, and so that what was erased does not stand in the text
 * of a mutation, which ClickHouse keeps in a file.
 */
#include "store/store_room_inner.h"
#include <stdlib.h>
#include <unistd.h>

#define GONE_TRIES 120
#define GONE_WAIT_US 500000

static const char chosen[] = "id IN (SELECT id FROM kansoku.erasing)";

static int find_ids(struct engine *e, const struct erasure *what, struct fault *fault)
{
	char *sql = malloc(SCHEMA_SQL_MAX);
	if (!sql)
		return fault_set(fault, ERR_MEMORY, "erase: out of memory");
	int bad = engine_run_text(e, "DROP TABLE IF EXISTS kansoku.erasing", NULL, fault);
	if (!bad)
		bad = engine_run_text(e, "CREATE TABLE kansoku.erasing (id FixedString(16)) ENGINE = Memory",
				      NULL, fault);
	for (enum table t = 0; t <= TABLES && !bad; t++) {
		struct writer w = writer_of(sql, SCHEMA_SQL_MAX);
		write_fmt(&w, "INSERT INTO kansoku.erasing SELECT id FROM kansoku.%s WHERE ",
			  t < TABLES ? table_name(t) : "private");
		if (t < TABLES)
			erasure_condition(&w, what, t);
		else
			erasure_condition_private(&w, what);
		bad = w.bad ? fault_set(fault, ERR_FULL, "erase: the condition exceeds %d bytes", SCHEMA_SQL_MAX)
			    : engine_run(e, writer_bytes(&w), NULL, fault);
	}
	free(sql);
	return bad;
}

static int count_in(struct engine *e, const char *table, uint64_t *out, struct fault *fault)
{
	char sql[160];
	struct buffer answer = BUFFER(4096);
	snprintf(sql, sizeof sql, "SELECT count() FROM kansoku.%s WHERE %s", table, chosen);
	int bad = engine_run_text(e, sql, &answer, fault);
	if (!bad && !bytes_number(bytes_trim(buffer_bytes(&answer)), UINT64_MAX, out))
		bad = fault_set(fault, ERR_BAD, "erase: ClickHouse does not count");
	buffer_done(&answer);
	return bad;
}

/* Digests of files that only erased events name. */
static int find_blobs(struct engine *e, struct erasing *out, struct fault *fault)
{
	struct buffer answer = BUFFER((size_t)ERASING_BLOBS_MAX * 80);
	int bad = engine_run_text(
		e, "SELECT DISTINCT file_sha256 FROM kansoku.events WHERE "
		   "id IN (SELECT id FROM kansoku.erasing) AND length(file_sha256) = 64 AND file_sha256 NOT IN "
		   "(SELECT file_sha256 FROM kansoku.events WHERE id NOT IN (SELECT id FROM kansoku.erasing) "
		   "AND length(file_sha256) = 64)", &answer, fault);
	struct reader r = reader_of_bytes(buffer_bytes(&answer));
	out->blobs = bad ? NULL : calloc(buffer_len(&answer) / 65 + 1, 32);
	for (struct bytes line; out->blobs && read_line(&r, &line);) {
		struct event_id half[2];
		if (line.len == 64 && id_parse((struct bytes){line.at, 32}, &half[0]) &&
		    id_parse((struct bytes){line.at + 32, 32}, &half[1]))
			memcpy(out->blobs[out->blobs_count++], half, 32);
	}
	buffer_done(&answer);
	return bad;
}

/* Parts that a mutation replaced stay on disk for a moment; erased means that they are gone. */
static int wait_gone(struct engine *e, struct fault *fault)
{
	for (int i = 0; i < GONE_TRIES; i++) {
		struct buffer answer = BUFFER(4096);
		int bad = engine_run_text(e, "SELECT count() FROM system.parts WHERE database = 'kansoku' "
					     "AND active = 0", &answer, fault);
		bool none = bytes_equal_text(bytes_trim(buffer_bytes(&answer)), "0");
		buffer_done(&answer);
		if (bad || none)
			return bad;
		usleep(GONE_WAIT_US);
	}
	return fault_set(fault, ERR_TIMEOUT, "erase: the rows are gone, but old parts still lie on disk after "
					     "a minute; run it again");
}

/* A mutation looks at every part, so there is none where nothing is to go. */
static int delete_from(struct engine *e, const char *table, uint64_t rows, struct fault *fault)
{
	char sql[160];
	if (!rows)
		return 0;
	snprintf(sql, sizeof sql, "ALTER TABLE kansoku.%s DELETE WHERE %s", table, chosen);
	return engine_run_text(e, sql, NULL, fault);
}

int engine_erase(struct engine *e, struct erasing *out, struct fault *fault)
{
	int bad = find_ids(e, out->what, fault);
	for (enum table t = 0; t < TABLES && !bad; t++)
		bad = count_in(e, table_name(t), &out->rows[t], fault);
	bad = bad ? bad : count_in(e, "private", &out->private_values, fault);
	if (!bad && !out->what->dry_run && out->rows[TABLE_EVENTS] + out->rows[TABLE_FLOWS] + out->private_values) {
		bad = find_blobs(e, out, fault);
		bad = bad ? bad : delete_from(e, "private", out->private_values, fault);
		for (enum table t = 0; t < TABLES && !bad; t++)
			bad = delete_from(e, table_name(t), out->rows[t], fault);
		bad = bad ? bad : wait_gone(e, fault);
	}
	struct fault ignored;
	engine_run_text(e, "DROP TABLE IF EXISTS kansoku.erasing", NULL, &ignored);
	return bad;
}
