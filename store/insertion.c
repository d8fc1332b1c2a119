#include "store/insertion.h"
#include <stdlib.h>

int insertion_open(struct insertion *i)
{
	*i = (struct insertion){.events = BUFFER(ROWS_BYTES_MAX), .private_values = BUFFER(ROWS_BYTES_MAX)};
	i->event = malloc(sizeof *i->event);
	return i->event ? 0 : ERR_MEMORY;
}

void insertion_close(struct insertion *i)
{
	buffer_done(&i->events);
	buffer_done(&i->private_values);
	free(i->event);
	*i = (struct insertion){0};
}

struct encoding {
	const struct dictionary *dictionary;
	uint32_t rows, rows_private, refused;
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
		int bad = row_write(&i->plan, &i->events, &i->private_values, i->event, &n->rows_private);
		if (bad)
			return bad;
		n->rows++;
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

static int table_insert(struct engine *e, struct buffer *rows,
			void (*statement)(struct writer *, const char *), const char *token,
			struct fault *fault)
{
	char sql[SCHEMA_SQL_MAX];
	struct writer w = writer_of(sql, sizeof sql);
	statement(&w, token);
	if (!buffer_len(rows))
		return 0;
	return engine_insert(e, writer_bytes(&w), buffer_bytes(rows), fault);
}

int insertion_run(struct insertion *i, struct engine *e, const struct batch *b, struct bytes head,
		  struct bytes groups, struct fault *fault)
{
	struct encoding n = {0};
	char token[BATCH_NAME_MAX];
	buffer_consume(&i->events, buffer_len(&i->events));
	buffer_consume(&i->private_values, buffer_len(&i->private_values));
	batch_name(b, token);
	int bad = batch_encode(i, b, head, groups, &n, fault);
	/* Private values first: an event whose password is missing would be a loss that shows late. */
	bad = bad ? bad : table_insert(e, &i->private_values, schema_insert_private, token, fault);
	bad = bad ? bad : table_insert(e, &i->events, schema_insert_events, token, fault);
	if (bad)
		return bad;
	i->rows += n.rows;
	i->rows_private += n.rows_private;
	i->refused += n.refused;
	return 0;
}
