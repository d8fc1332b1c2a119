/*
 * Apache Parquet: the columns of share/exporting/columns_inner.h, typed, packed by zstd, in groups of rows.
 *
 * Written by hand since the format's own library is C++: version 1 pages, plain values, definition levels of one
 * bit (parquet-format, README.md and parquet.thrift).  What comes from outside is a byte array without a type, so
 * that no reader takes hostile bytes for text; our own words are strings, times are microseconds of UTC.
 */
#include "base/little.h"
#include "share/exporting/columns_inner.h"
#include "share/output.h"
#include "share/outputs/parquet/thrift_inner.h"
#include <stdlib.h>
#include <zstd.h>

#define GROUP_ROWS_MAX 65536
#define GROUP_BYTES_MAX (16u << 20)
#define COLUMN_BYTES_MAX (GROUP_BYTES_MAX + 32 * EVENT_BYTES_MAX)
#define FOOTER_MAX (32u << 20)
#define HEADER_MAX 128
#define MORE_MAX (6 * EVENT_BYTES_MAX)
#define LEVEL 3

enum physical { PHYSICAL_BOOL = 0, PHYSICAL_INT64 = 2, PHYSICAL_BYTES = 6 };
enum { OPTIONAL = 1, ENCODING_PLAIN = 0, ENCODING_RLE = 3, CODEC_ZSTD = 6, DATA_PAGE = 0 };
enum { CONVERTED_UTF8 = 0, CONVERTED_MICROS = 10, CONVERTED_UINT64 = 14 };

struct parquet {
	struct columns columns;
	size_t rows, bytes, groups; /* of the group that is being filled; groups that are written */
	uint64_t rows_all, offset;  /* of the file */
	struct parquet_column {
		uint8_t present[GROUP_ROWS_MAX / 8]; /* a bit a row, lowest first */
		uint64_t count;                      /* of those */
		struct buffer values;
	} column[COLUMNS_MAX];
	struct buffer page, packed, footer; /* footer: the groups as the metadata lists them */
};

static void parquet_done(void *state)
{
	struct parquet *p = state;
	for (size_t i = 0; i < COLUMNS_MAX; i++)
		buffer_done(&p->column[i].values);
	buffer_done(&p->page);
	buffer_done(&p->packed);
	buffer_done(&p->footer);
	free(p);
}

static int put(struct output_run *run, struct parquet *p, struct bytes b)
{
	p->offset += b.len;
	return output_write(run, b);
}

static int begin(struct output_run *run)
{
	struct parquet *p = *output_state(run) = calloc(1, sizeof *p);
	if (!p)
		return output_fail(run, ERR_MEMORY, "no memory for a table");
	columns_make(&p->columns);
	for (size_t i = 0; i < COLUMNS_MAX; i++)
		p->column[i].values = BUFFER(COLUMN_BYTES_MAX);
	p->page = BUFFER(COLUMN_BYTES_MAX + GROUP_ROWS_MAX);
	p->packed = BUFFER(ZSTD_COMPRESSBOUND(COLUMN_BYTES_MAX + GROUP_ROWS_MAX));
	p->footer = BUFFER(FOOTER_MAX);
	return put(run, p, BYTES("PAR1"));
}

static enum physical physical_of(const struct column *c)
{
	return c->type == FIELD_BOOL ? PHYSICAL_BOOL
	       : c->type == FIELD_NUMBER || c->type == FIELD_TIME ? PHYSICAL_INT64 : PHYSICAL_BYTES;
}

/* Definition levels: a run where all rows are alike, else a bit a row; behind their length. */
static int page_levels(struct parquet *p, const struct parquet_column *c)
{
	bool alike = !c->count || c->count == p->rows;
	size_t groups = (p->rows + 7) / 8, n = 16 + (alike ? 0 : groups);
	uint8_t *room = buffer_room(&p->page, n);
	if (!room)
		return ERR_MEMORY;
	struct writer w = writer_of(room, n);
	write_le32(&w, 0);
	write_leb128(&w, alike ? p->rows << 1 : groups << 1 | 1);
	if (alike)
		write_u8(&w, c->count > 0);
	else
		write_bytes(&w, c->present, groups);
	write_little_at(&w, 0, writer_used(&w) - 4, 4);
	buffer_grown(&p->page, writer_used(&w));
	return w.bad ? ERR_FULL : 0;
}

static void write_page_header(struct writer *w, const struct parquet *p)
{
	struct thrift t = {.w = w};
	thrift_number(&t, 1, THRIFT_I32, DATA_PAGE);
	thrift_number(&t, 2, THRIFT_I32, (int64_t)buffer_len(&p->page));
	thrift_number(&t, 3, THRIFT_I32, (int64_t)buffer_len(&p->packed));
	thrift_begin(&t, 5);
	thrift_number(&t, 1, THRIFT_I32, (int64_t)p->rows);
	thrift_number(&t, 2, THRIFT_I32, ENCODING_PLAIN);
	thrift_number(&t, 3, THRIFT_I32, ENCODING_RLE);
	thrift_number(&t, 4, THRIFT_I32, ENCODING_RLE);
	thrift_end(&t);
	thrift_end(&t);
}

static void describe_chunk(struct thrift *t, const struct parquet *p, const struct column *column, size_t header)
{
	thrift_item(t);
	thrift_number(t, 2, THRIFT_I64, (int64_t)p->offset);
	thrift_begin(t, 3);
	thrift_number(t, 1, THRIFT_I32, physical_of(column));
	thrift_list(t, 2, THRIFT_I32, 2);
	thrift_item_number(t, ENCODING_PLAIN);
	thrift_item_number(t, ENCODING_RLE);
	thrift_list(t, 3, THRIFT_BINARY, 1);
	thrift_item_text(t, bytes_of_text(column->name));
	thrift_number(t, 4, THRIFT_I32, CODEC_ZSTD);
	thrift_number(t, 5, THRIFT_I64, (int64_t)p->rows);
	thrift_number(t, 6, THRIFT_I64, (int64_t)(header + buffer_len(&p->page)));
	thrift_number(t, 7, THRIFT_I64, (int64_t)(header + buffer_len(&p->packed)));
	thrift_number(t, 9, THRIFT_I64, (int64_t)p->offset);
	thrift_end(t);
	thrift_end(t);
}

static int write_chunk(struct output_run *run, struct parquet *p, size_t i, struct thrift *group, uint64_t *bytes)
{
	struct parquet_column *c = &p->column[i];
	uint8_t room[HEADER_MAX];
	struct writer header = writer_of(room, sizeof room);
	buffer_consume(&p->page, buffer_len(&p->page));
	buffer_consume(&p->packed, buffer_len(&p->packed));
	struct bytes values = buffer_bytes(&c->values);
	if (page_levels(p, c) || buffer_append(&p->page, values.at, values.len))
		return output_fail(run, ERR_MEMORY, "no memory for a column");
	struct bytes page = buffer_bytes(&p->page);
	size_t bound = ZSTD_compressBound(page.len);
	uint8_t *to = buffer_room(&p->packed, bound);
	size_t n = to ? ZSTD_compress(to, bound, page.at, page.len, LEVEL) : 0;
	if (!to || ZSTD_isError(n))
		return output_fail(run, ERR_MEMORY, "a column could not be packed");
	buffer_grown(&p->packed, n);
	write_page_header(&header, p);
	describe_chunk(group, p, &p->columns.list[i], writer_used(&header));
	*bytes += writer_used(&header) + page.len;
	put(run, p, writer_bytes(&header));
	buffer_consume(&c->values, buffer_len(&c->values));
	memset(c->present, 0, sizeof c->present);
	c->count = 0;
	return put(run, p, buffer_bytes(&p->packed));
}

static int write_group(struct output_run *run, struct parquet *p)
{
	size_t room_max = 256 * p->columns.count;
	uint64_t bytes = 0;
	uint8_t *room = buffer_room(&p->footer, room_max);
	if (!room)
		return output_fail(run, ERR_FULL, "the table has more groups than its end has room for");
	struct writer w = writer_of(room, room_max);
	struct thrift group = {.w = &w};
	/* An item of the list of groups, in the field numbers of RowGroup. */
	thrift_list(&group, 1, THRIFT_STRUCT, p->columns.count);
	for (size_t i = 0; i < p->columns.count; i++) {
		int bad = write_chunk(run, p, i, &group, &bytes);
		if (bad)
			return bad;
	}
	thrift_number(&group, 2, THRIFT_I64, (int64_t)bytes);
	thrift_number(&group, 3, THRIFT_I64, (int64_t)p->rows);
	thrift_end(&group);
	buffer_grown(&p->footer, writer_used(&w));
	p->rows_all += p->rows;
	p->groups++;
	p->rows = p->bytes = 0;
	return w.bad ? output_fail(run, ERR_FULL, "a group's description is too long") : 0;
}

/* A bit a value, lowest first, of those that are there. */
static int put_bool(struct parquet_column *c, uint64_t at, bool b)
{
	if (at % 8 == 0 && buffer_append(&c->values, &(uint8_t){0}, 1))
		return ERR_MEMORY;
	if (b)
		c->values.store[c->values.end - 1] |= (uint8_t)(1u << at % 8);
	return 0;
}

static int put_value(struct parquet *p, size_t i, uint64_t number, struct bytes b)
{
	struct parquet_column *c = &p->column[i];
	uint8_t fixed[8];
	enum physical physical = physical_of(&p->columns.list[i]);
	c->present[p->rows / 8] |= (uint8_t)(1u << p->rows % 8);
	c->count++;
	if (physical == PHYSICAL_BOOL)
		return put_bool(c, c->count - 1, number);
	little_put(fixed, physical == PHYSICAL_INT64 ? number : b.len, 8);
	size_t n = physical == PHYSICAL_INT64 ? 8 : 4;
	p->bytes += n + b.len;
	return buffer_append(&c->values, fixed, n) || (b.len && buffer_append(&c->values, b.at, b.len)) ? ERR_MEMORY : 0;
}

static int put_field(struct parquet *p, size_t i, const struct event_value *v)
{
	char text[ADDRESS_TEXT_MAX + EVENT_ID_TEXT];
	struct address a;
	struct event_id id;
	struct bytes b = v->bytes;
	if (v->type == FIELD_ADDRESS) {
		memcpy(a.b, v->bytes.at, sizeof a.b);
		b = bytes_of_text(address_format(&a, text));
	} else if (v->type == FIELD_ID) {
		memcpy(id.b, v->bytes.at, sizeof id.b);
		b = bytes_of_text(id_format(&id, text));
	} else if (v->type != FIELD_TEXT && v->type != FIELD_BYTES) {
		b = (struct bytes){0};
	}
	return put_value(p, i, v->number, b);
}

static int put_more(struct parquet *p, size_t i, const struct event *e)
{
	uint8_t room[MORE_MAX];
	struct writer w = writer_of(room, sizeof room);
	columns_write_more(&p->columns, e, &w);
	if (w.bad)
		return ERR_FULL;
	return writer_used(&w) ? put_value(p, i, 0, writer_bytes(&w)) : 0;
}

static int event(struct output_run *run, const struct event *e)
{
	struct parquet *p = *output_state(run);
	const struct event_value *row[COLUMNS_MAX];
	char text[EVENT_ID_TEXT];
	int bad = 0;
	columns_place(&p->columns, e, row);
	for (size_t i = 0; i < p->columns.count && !bad; i++) {
		enum column_from from = p->columns.list[i].from;
		if (from == COLUMN_KIND)
			bad = put_value(p, i, 0, bytes_of_text(event_kind_name(e->kind)));
		else if (from == COLUMN_ID && !id_is_zero(&e->id))
			bad = put_value(p, i, 0, bytes_of_text(id_format(&e->id, text)));
		else if (from == COLUMN_TIME && e->time_us)
			bad = put_value(p, i, e->time_us, (struct bytes){0});
		else if (from == COLUMN_MORE)
			bad = put_more(p, i, e);
		else if (row[i])
			bad = put_field(p, i, row[i]);
	}
	if (bad)
		return output_fail(run, bad, "an event does not fit its row");
	p->rows++;
	return p->rows == GROUP_ROWS_MAX || p->bytes >= GROUP_BYTES_MAX ? write_group(run, p) : 0;
}

static void describe_type(struct thrift *t, const struct column *c)
{
	bool text = c->type != FIELD_BYTES && physical_of(c) == PHYSICAL_BYTES;
	if (c->type == FIELD_BOOL || c->type == FIELD_BYTES)
		return;
	thrift_number(t, 6, THRIFT_I32, text ? CONVERTED_UTF8 : c->type == FIELD_TIME ? CONVERTED_MICROS : CONVERTED_UINT64);
	thrift_begin(t, 10); /* the same as a LogicalType */
	if (text) {
		thrift_begin(t, 1);
	} else if (c->type == FIELD_TIME) {
		thrift_begin(t, 8);
		thrift_bool(t, 1, true); /* UTC */
		thrift_begin(t, 2);
		thrift_begin(t, 2); /* microseconds */
		thrift_end(t);
		thrift_end(t);
	} else {
		thrift_begin(t, 10);
		thrift_number(t, 1, THRIFT_I8, 64);
		thrift_bool(t, 2, false);
	}
	thrift_end(t);
	thrift_end(t);
}

static void describe_columns(struct thrift *t, const struct columns *columns)
{
	thrift_list(t, 2, THRIFT_STRUCT, columns->count + 1);
	thrift_item(t);
	thrift_text(t, 4, BYTES("events"));
	thrift_number(t, 5, THRIFT_I32, (int64_t)columns->count);
	thrift_end(t);
	for (size_t i = 0; i < columns->count; i++) {
		thrift_item(t);
		thrift_number(t, 1, THRIFT_I32, physical_of(&columns->list[i]));
		thrift_number(t, 3, THRIFT_I32, OPTIONAL);
		thrift_text(t, 4, bytes_of_text(columns->list[i].name));
		describe_type(t, &columns->list[i]);
		thrift_end(t);
	}
}

static void describe_words(struct thrift *t, const struct output_about *about)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
	const char *const words[][2] = {
		{"collection", about->collection}, {"title", about->title}, {"producer", about->producer}, {"tlp", about->marking},
		{"from", time_format(about->from_us, from)}, {"to", time_format(about->to_us, to)},
	};
	thrift_list(t, 5, THRIFT_STRUCT, sizeof words / sizeof *words);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		thrift_item(t);
		thrift_text(t, 1, bytes_of_text(words[i][0]));
		thrift_text(t, 2, bytes_of_text(words[i][1] ? words[i][1] : ""));
		thrift_end(t);
	}
}

static int end(struct output_run *run)
{
	struct parquet *p = *output_state(run);
	int bad = p->rows ? write_group(run, p) : 0;
	struct bytes groups = buffer_bytes(&p->footer);
	struct writer w = output_room(run, OUTPUT_ROOM_MAX);
	struct thrift t = {.w = &w};
	if (bad)
		return bad;
	thrift_number(&t, 1, THRIFT_I32, 1);
	describe_columns(&t, &p->columns);
	thrift_number(&t, 3, THRIFT_I64, (int64_t)p->rows_all);
	thrift_list(&t, 4, THRIFT_STRUCT, p->groups);
	size_t length = writer_used(&w);
	bad = output_wrote(run, &w);
	bad = bad ? bad : output_write(run, groups);
	w = output_room(run, OUTPUT_ROOM_MAX / 2);
	describe_words(&t, output_about(run));
	thrift_text(&t, 6, BYTES("kansoku"));
	thrift_end(&t);
	length += groups.len + writer_used(&w);
	write_le32(&w, (uint32_t)length);
	write_text(&w, "PAR1");
	return bad ? bad : output_wrote(run, &w);
}

static const struct output_specimen specimens[] = {
	{"a login and a flow",
	 "{\"kind\":\"login.tried\",\"time\":\"2015-03-05T10:20:30.000004Z\",\"src\":\"203.0.113.9\",\"sport\":4711,"
	 "\"login.user\":\"ro\\u00ff\",\"login.accepted\":true,\"depth\":2}\n"
	 "{\"kind\":\"flow.counted\",\"time\":\"2015-03-05T10:21:30Z\",\"src\":\"2001:db8::9\",\"flow.packets\":\"18446744073709551615\","
	 "\"flow.first\":\"2015-03-05T10:20:31Z\"}\n",
	 NULL, NULL},
	{"nothing", "", NULL, NULL},
	{0},
};

static const struct output parquet = {
	.name = "parquet",
	.summary = "columns for analysis programs, typed and packed",
	.reference = "Apache Parquet, format 2.x, pages of version 1; zstd",
	.media_type = "application/vnd.apache.parquet",
	.extension = "parquet",
	.kinds = KIND_MASK_ALL,
	.whole = true,
	.begin = begin,
	.event = event,
	.end = end,
	.done = parquet_done,
	.specimens = specimens,
};
OUTPUT(parquet);
