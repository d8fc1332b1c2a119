#include "store/insertion.h"
#include <stdlib.h>

int insertion_open(struct insertion *i)
{
	*i = (struct insertion){.rows.private_values = BUFFER(ROWS_BYTES_MAX)};
	for (enum table t = 0; t < TABLES; t++)
		i->rows.tables[t] = BUFFER(ROWS_BYTES_MAX);
	i->event = malloc(sizeof *i->event);
	return i->event ? 0 : ERR_MEMORY;
}

void insertion_close(struct insertion *i)
{
	for (enum table t = 0; t < TABLES; t++)
		buffer_done(&i->rows.tables[t]);
	buffer_done(&i->rows.private_values);
	free(i->event);
	*i = (struct insertion){0};
}

struct encoding {
	const struct dictionary *dictionary;
	uint32_t refused;
};

static int group_encode(struct insertion *i, struct encoding *n, const struct group *g)
{
	struct reader r = reader_of_bytes(g->payload);
	struct bytes frame;
	for (bool erased; group_frame(&r, &frame, &erased);) {
		if (erased)
			continue;
		if (frame_decode(frame, n->dictionary, i->event)) {
			n->refused++;
			continue;
		}
		int bad = row_write(&i->plan, &i->rows, i->event);
		if (bad)
			return bad;
	}
	return 0;
}

static int batch_encode(struct insertion *i, const struct batch *b, struct bytes head_bytes,
			struct bytes groups, struct encoding *n, struct fault *fault)
{
	struct segment_head head;
	static struct dictionary dictionary; /* large; one inserter a process */
	if (segment_head_read(head_bytes, &head) || dictionary_read(head.dictionary, &dictionary))
		return fault_set(fault, ERR_BAD, "store: the head of segment %016llx is not valid",
				 (unsigned long long)b->segment);
	if (i->plan.fields != field_count()) /* the dictionary may have taught us names */
		row_plan_make(&i->plan);
	n->dictionary = dictionary.same ? NULL : &dictionary;
	struct segment_walk w = segment_walk(&head, groups, b->from);
	int bad = 0;
	for (struct group g; !bad && segment_next(&w, &g);)
		bad = group_encode(i, n, &g);
	if (!bad && (w.at != b->to || w.damaged))
		return fault_set(fault, ERR_BAD, "store: a batch of segment %016llx is damaged at %llu",
				 (unsigned long long)b->segment, (unsigned long long)w.at);
	return bad ? fault_set(fault, bad, "store: a batch exceeds %zu bytes as rows", ROWS_BYTES_MAX) : 0;
}

static int rows_insert(struct engine *e, const struct buffer *rows, const struct writer *statement,
		       struct fault *fault)
{
	if (!buffer_len(rows))
		return 0;
	return statement->bad ? fault_set(fault, ERR_FULL, "store: an insert exceeds %d bytes", SCHEMA_SQL_MAX)
			      : engine_insert(e, writer_bytes(statement), buffer_bytes(rows), fault);
}

static int private_insert(struct insertion *i, struct engine *e, const char *token, struct fault *fault)
{
	char sql[SCHEMA_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql);
	schema_insert_private(&w, token);
	return rows_insert(e, &i->rows.private_values, &w, fault);
}

static int table_insert(struct insertion *i, struct engine *e, enum table t, const char *token,
			struct fault *fault)
{
	char sql[SCHEMA_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql);
	schema_insert(&w, t, token);
	return rows_insert(e, &i->rows.tables[t], &w, fault);
}

static void rows_clear(struct rows *rows)
{
	for (enum table t = 0; t < TABLES; t++) {
		buffer_consume(&rows->tables[t], buffer_len(&rows->tables[t]));
		rows->counts[t] = 0;
	}
	buffer_consume(&rows->private_values, buffer_len(&rows->private_values));
	rows->private_count = 0;
}

int insertion_run(struct insertion *i, struct engine *e, const struct batch *b, struct bytes head,
		  struct bytes groups, struct fault *fault)
{
	struct encoding n = {0};
	char token[BATCH_NAME_MAX];
	rows_clear(&i->rows);
	batch_name(b, token);
	int bad = batch_encode(i, b, head, groups, &n, fault);
	/* Private values first: an event whose password is missing would be a loss that shows late. */
	bad = bad ? bad : private_insert(i, e, token, fault);
	for (enum table t = 0; t < TABLES && !bad; t++)
		bad = table_insert(i, e, t, token, fault);
	if (bad)
		return bad;
	for (enum table t = 0; t < TABLES; t++)
		i->inserted[t] += i->rows.counts[t];
	i->inserted_private += i->rows.private_count;
	i->refused += n.refused;
	return 0;
}
