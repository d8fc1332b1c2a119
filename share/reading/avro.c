/* Avro 1.11, "Object Container Files" and "Binary Encoding". */
#include "share/reading/avro_inner.h"
#include "share/reading/snappy_inner.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define SYNC_BYTES 16
#define NODES_MAX 1024
#define DEPTH_MAX 16
#define BRANCHES_MAX 64
#define READ_BYTES (256u << 10)
#define ITEMS_MAX (1u << 20) /* of one array or map */
#define VARINT_BYTES_MAX 10
#define STEPS_A_BYTE 16
#define STEPS_FREE 4096

enum node_is {
	NODE_NULL, NODE_BOOLEAN, NODE_NUMBER, NODE_FLOAT, NODE_DOUBLE, NODE_BYTES, NODE_FIXED, NODE_RECORD, NODE_UNION, NODE_ARRAY,
	NODE_MAP
};

struct node {
	enum node_is is;
	const char *name;      /* of a field, within the schema's JSON */
	const char *type_name; /* by which others may refer to it */
	size_t size;           /* of fixed */
	uint16_t *parts;       /* of record, union, array, map */
	size_t part_count;
};

struct avro {
	int fd;
	json_t *schema;
	struct node nodes[NODES_MAX];
	size_t node_count;
	enum { CODEC_NULL, CODEC_DEFLATE, CODEC_SNAPPY, CODEC_ZSTD } codec;
	uint8_t sync[SYNC_BYTES];
	struct buffer in;      /* read ahead */
	bool ended;
	uint8_t *packed, *block;
	size_t block_room;
	struct reader left;    /* of the block */
	uint64_t records;      /* that are left of it */
	uint64_t steps;        /* and of the work that it may cause: a schema can name much that takes no bytes */
};

static int bad(struct fault *fault, const char *what) { return fault_set(fault, ERR_BAD, "it is no Avro file: %s", what); }

/* Sees to it that n bytes are there; false: the file ends before, or there is no memory. */
static bool have(struct avro *a, size_t n)
{
	while (buffer_len(&a->in) < n && !a->ended) {
		size_t want = n - buffer_len(&a->in) > READ_BYTES ? n - buffer_len(&a->in) : READ_BYTES;
		uint8_t *room = buffer_room(&a->in, want);
		ssize_t got = room ? read(a->fd, room, want) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		a->ended = got <= 0;
		if (got > 0)
			buffer_grown(&a->in, (size_t)got);
	}
	return buffer_len(&a->in) >= n;
}

/* Zig-zag, seven bits a byte. */
static int64_t read_number(struct reader *r)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
		uint8_t b = read_u8(r);
		v |= (uint64_t)(b & 127) << shift;
		if (!(b & 128))
			return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
	}
	r->bad = true;
	return 0;
}

static struct bytes read_counted(struct reader *r)
{
	int64_t n = read_number(r);
	if (n < 0)
		r->bad = true;
	return read_bytes(r, n < 0 ? 0 : (size_t)n);
}

static int compile(struct avro *, const json_t *type, unsigned depth);

static uint16_t *parts_of(size_t count) { return calloc(count ? count : 1, sizeof(uint16_t)); }

static int compile_parts(struct avro *a, int at, const json_t *types, const char *within, unsigned depth)
{
	size_t count = json_array_size(types);
	struct node *n = &a->nodes[at];
	if (count > (n->is == NODE_UNION ? BRANCHES_MAX : AVRO_FIELDS_MAX) || !(n->parts = parts_of(count)))
		return ERR_BAD;
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(types, i);
		const json_t *type = within ? json_object_get(one, within) : one;
		int part = compile(a, type, depth + 1);
		if (part < 0)
			return ERR_BAD;
		n->parts[n->part_count++] = (uint16_t)part;
	}
	return at;
}

static int compile_only(struct avro *a, int at, const json_t *type, unsigned depth)
{
	struct node *n = &a->nodes[at];
	int part = compile(a, type, depth + 1);
	if (part < 0 || !(n->parts = parts_of(1)))
		return ERR_BAD;
	n->parts[n->part_count++] = (uint16_t)part;
	return at;
}

static int add_node(struct avro *a, enum node_is is)
{
	if (a->node_count == NODES_MAX)
		return ERR_FULL;
	a->nodes[a->node_count] = (struct node){.is = is};
	return (int)a->node_count++;
}

static int compile_name(struct avro *a, const char *name)
{
	static const struct { const char *name; enum node_is is; } simple[] = {
		{"null", NODE_NULL}, {"boolean", NODE_BOOLEAN}, {"int", NODE_NUMBER}, {"long", NODE_NUMBER}, {"float", NODE_FLOAT},
		{"double", NODE_DOUBLE}, {"bytes", NODE_BYTES}, {"string", NODE_BYTES},
	};
	for (size_t i = 0; i < sizeof simple / sizeof *simple; i++)
		if (!strcmp(name, simple[i].name))
			return add_node(a, simple[i].is);
	for (size_t i = 0; i < a->node_count; i++)
		if (a->nodes[i].type_name && !strcmp(a->nodes[i].type_name, name))
			return (int)i;
	return ERR_BAD;
}

static int compile_object(struct avro *a, const json_t *type, unsigned depth)
{
	const json_t *inner = json_object_get(type, "type");
	const char *word = json_string_value(inner), *name = json_string_value(json_object_get(type, "name"));
	if (!word)
		return compile(a, inner, depth + 1);
	const enum node_is is = !strcmp(word, "record")	 ? NODE_RECORD
				: !strcmp(word, "array") ? NODE_ARRAY
				: !strcmp(word, "map")	 ? NODE_MAP
				: !strcmp(word, "fixed") ? NODE_FIXED
				: !strcmp(word, "enum")	 ? NODE_NUMBER : NODE_NULL;
	if (is == NODE_NULL)
		return compile_name(a, word);
	int at = add_node(a, is);
	if (at < 0)
		return at;
	struct node *n = &a->nodes[at];
	n->type_name = is == NODE_RECORD || is == NODE_FIXED || is == NODE_NUMBER ? name : NULL;
	json_int_t size = json_integer_value(json_object_get(type, "size"));
	if (is == NODE_FIXED)
		n->size = size >= 0 && size <= AVRO_BLOCK_MAX ? (size_t)size : AVRO_BLOCK_MAX;
	if (is == NODE_RECORD)
		return compile_parts(a, at, json_object_get(type, "fields"), "type", depth);
	if (is == NODE_ARRAY || is == NODE_MAP)
		return compile_only(a, at, json_object_get(type, is == NODE_ARRAY ? "items" : "values"), depth);
	return at;
}

static int compile(struct avro *a, const json_t *type, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return ERR_BAD;
	if (json_is_string(type))
		return compile_name(a, json_string_value(type));
	if (json_is_object(type))
		return compile_object(a, type, depth);
	int at = json_is_array(type) ? add_node(a, NODE_UNION) : ERR_BAD;
	return at < 0 ? at : compile_parts(a, at, type, NULL, depth);
}

static int read_schema(struct avro *a, struct bytes text, struct fault *fault)
{
	a->schema = json_loadb((const char *)text.at, text.len, 0, NULL);
	if (!a->schema)
		return bad(fault, "its schema is no JSON");
	if (compile(a, a->schema, 0) < 0)
		return bad(fault, "its schema is none, or larger than what is read here");
	return a->nodes[0].is == NODE_RECORD ? 0 : bad(fault, "its schema is no record");
}

static int set_codec(struct avro *a, struct bytes name, struct fault *fault)
{
	static const char *const codecs[] = {"null", "deflate", "snappy", "zstandard"};
	for (unsigned i = 0; i < sizeof codecs / sizeof *codecs; i++)
		if (bytes_equal_text(name, codecs[i])) {
			a->codec = i;
			return 0;
		}
	return bad(fault, "it is packed in a way that is not read here; null, deflate, snappy and zstandard are");
}

static int read_header(struct avro *a, struct fault *fault)
{
	have(a, AVRO_HEADER_MAX); /* or as much as there is */
	struct reader r = reader_of_bytes(buffer_bytes(&a->in));
	bool schema = false;
	int wrong = 0;
	if (!bytes_equal(read_bytes(&r, 4), BYTES("Obj\1")))
		return bad(fault, "its first bytes are not Obj and 1");
	for (int64_t count; !wrong && (count = read_number(&r)) != 0 && reader_ok(&r);) {
		if (count < 0) {
			read_number(&r); /* how long the block is */
			count = count == INT64_MIN ? 0 : -count;
		}
		for (; count > 0 && !wrong && reader_ok(&r); count--) {
			struct bytes key = read_counted(&r), value = read_counted(&r);
			if (bytes_equal_text(key, "avro.schema") && !schema) {
				wrong = read_schema(a, value, fault);
				schema = true;
			} else if (bytes_equal_text(key, "avro.codec")) {
				wrong = set_codec(a, value, fault);
			}
		}
	}
	if (wrong)
		return wrong;
	struct bytes sync = read_bytes(&r, SYNC_BYTES);
	if (!reader_ok(&r) || !schema)
		return bad(fault, "its header is cut, or has no schema");
	memcpy(a->sync, sync.at, SYNC_BYTES);
	buffer_consume(&a->in, buffer_len(&a->in) - reader_left(&r));
	return 0;
}

int avro_open(struct avro **out, int fd, struct fault *fault)
{
	struct avro *a = calloc(1, sizeof *a);
	if (!a)
		return fault_set(fault, ERR_MEMORY, "no memory to read an Avro file");
	a->fd = fd;
	a->in = BUFFER(AVRO_BLOCK_MAX + AVRO_HEADER_MAX + READ_BYTES);
	int wrong = read_header(a, fault);
	if (wrong)
		avro_close(a);
	else
		*out = a;
	return wrong;
}

void avro_close(struct avro *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->node_count; i++)
		free(a->nodes[i].parts);
	json_decref(a->schema);
	buffer_done(&a->in);
	free(a->packed);
	free(a->block);
	free(a);
}

static const json_t *field_of(const struct avro *a, size_t i)
{
	return json_array_get(json_object_get(a->schema, "fields"), i);
}

size_t avro_fields(const struct avro *a) { return a->nodes[0].part_count; }

const char *avro_field(const struct avro *a, size_t i)
{
	const char *name = json_string_value(json_object_get(field_of(a, i), "name"));
	return name ? name : "";
}

const char *avro_schema(const struct avro *a)
{
	const char *name = json_string_value(json_object_get(a->schema, "name"));
	return name ? name : "";
}

/* Doubles up to the maximum: what a block unpacks to is not said before. */
static bool inflate_block(struct avro *a, struct bytes packed, size_t *n)
{
	z_stream z = {0};
	int status = Z_OK;
	if (inflateInit2(&z, -15) != Z_OK)
		return false;
	z.next_in = (uint8_t *)(uintptr_t)packed.at;
	z.avail_in = (unsigned)packed.len;
	while (status == Z_OK) {
		if (z.total_out == a->block_room) {
			size_t room = a->block_room ? 2 * a->block_room : READ_BYTES;
			uint8_t *grown = room <= AVRO_BLOCK_MAX ? realloc(a->block, room) : NULL;
			if (!grown)
				break;
			a->block = grown;
			a->block_room = room;
		}
		z.next_out = a->block + z.total_out;
		z.avail_out = (unsigned)(a->block_room - z.total_out);
		status = inflate(&z, Z_NO_FLUSH);
	}
	*n = z.total_out;
	inflateEnd(&z);
	return status == Z_STREAM_END;
}

static bool make_room(struct avro *a, size_t n)
{
	if (n > AVRO_BLOCK_MAX)
		return false;
	if (n <= a->block_room)
		return true;
	uint8_t *grown = realloc(a->block, n);
	if (!grown)
		return false;
	a->block = grown;
	a->block_room = n;
	return true;
}

static bool unzstd_block(struct avro *a, struct bytes packed, size_t *n)
{
	unsigned long long size = ZSTD_getFrameContentSize(packed.at, packed.len);
	if (size == ZSTD_CONTENTSIZE_ERROR)
		return false;
	if (!make_room(a, size == ZSTD_CONTENTSIZE_UNKNOWN ? AVRO_BLOCK_MAX : size > AVRO_BLOCK_MAX ? SIZE_MAX : (size_t)size))
		return false;
	*n = ZSTD_decompress(a->block, a->block_room, packed.at, packed.len);
	return !ZSTD_isError(*n);
}

/* Snappy's block, and the CRC-32 of what it holds behind it. */
static bool unsnappy_block(struct avro *a, struct bytes packed, size_t *n)
{
	if (packed.len < 4)
		return false;
	struct reader crc = reader_of(packed.at + packed.len - 4, 4);
	packed.len -= 4;
	if (!snappy_size(packed, AVRO_BLOCK_MAX, n) || !make_room(a, *n) || !snappy_decode(packed, a->block, *n))
		return false;
	return crc32(0, a->block, (unsigned)*n) == read_u32(&crc);
}

static bool unpack_block(struct avro *a, struct bytes packed, size_t *n)
{
	switch (a->codec) {
	case CODEC_DEFLATE: return inflate_block(a, packed, n);
	case CODEC_SNAPPY: return unsnappy_block(a, packed, n);
	case CODEC_ZSTD: return unzstd_block(a, packed, n);
	case CODEC_NULL: break;
	}
	*n = packed.len;
	if (!make_room(a, packed.len))
		return false;
	if (packed.len)
		memcpy(a->block, packed.at, packed.len);
	return true;
}

/* 1: a block is there; 0: the file is at its end. */
static int next_block(struct avro *a, struct fault *fault)
{
	size_t n = 0;
	have(a, 2 * VARINT_BYTES_MAX);
	if (!buffer_len(&a->in))
		return 0;
	struct reader r = reader_of_bytes(buffer_bytes(&a->in));
	int64_t count = read_number(&r), size = read_number(&r);
	if (!reader_ok(&r) || count < 0 || size < 0 || size > AVRO_BLOCK_MAX)
		return bad(fault, "a block lies about its size");
	buffer_consume(&a->in, buffer_len(&a->in) - reader_left(&r));
	if (!have(a, (size_t)size + SYNC_BYTES))
		return bad(fault, "it is cut within a block");
	struct bytes all = buffer_bytes(&a->in);
	if (memcmp(all.at + size, a->sync, SYNC_BYTES))
		return bad(fault, "what ends a block is not what the header says");
	if (!unpack_block(a, (struct bytes){all.at, (size_t)size}, &n))
		return bad(fault, "a block cannot be unpacked");
	buffer_consume(&a->in, (size_t)size + SYNC_BYTES);
	a->left = reader_of(a->block, n);
	a->records = (uint64_t)count;
	a->steps = STEPS_FREE + STEPS_A_BYTE * n;
	/* A record of nothing takes no bytes; there is no file with many of them. */
	if (a->records > n)
		return bad(fault, "a block has more records than bytes");
	return 1;
}

static void decode(struct avro *, size_t node, struct reader *, struct avro_value *, unsigned depth);

static void add_item(struct avro_value *all, const struct avro_value *item)
{
	if (item->is != AVRO_NUMBER)
		return;
	if (!all->items++) {
		all->is = AVRO_NUMBERS;
		all->number = all->least = all->most = item->number;
	}
	all->least = item->number < all->least ? item->number : all->least;
	all->most = item->number > all->most ? item->number : all->most;
}

static void decode_items(struct avro *a, const struct node *n, struct reader *r, struct avro_value *v, unsigned depth)
{
	uint64_t total = 0;
	for (int64_t count; (count = read_number(r)) != 0 && reader_ok(r);) {
		if (count < 0) {
			read_number(r);
			count = count == INT64_MIN ? INT64_MAX : -count;
		}
		if ((total += (uint64_t)count) > ITEMS_MAX) {
			r->bad = true;
			return;
		}
		for (; count > 0 && reader_ok(r); count--) {
			struct avro_value item = {0};
			if (n->is == NODE_MAP)
				read_counted(r);
			decode(a, n->parts[0], r, &item, depth + 1);
			add_item(v, &item);
		}
	}
}

static void decode_union(struct avro *a, const struct node *n, struct reader *r, struct avro_value *v, unsigned depth)
{
	int64_t branch = read_number(r);
	if (branch < 0 || (uint64_t)branch >= n->part_count)
		r->bad = true;
	else
		decode(a, n->parts[branch], r, v, depth + 1);
}

static void decode(struct avro *a, size_t node, struct reader *r, struct avro_value *v, unsigned depth)
{
	const struct node *n = &a->nodes[node];
	if (depth > DEPTH_MAX || !a->steps)
		r->bad = true;
	if (r->bad)
		return;
	a->steps--;
	switch (n->is) {
	case NODE_NULL: return;
	case NODE_BOOLEAN: *v = (struct avro_value){.is = AVRO_NUMBER, .number = read_u8(r)}; return;
	case NODE_NUMBER: *v = (struct avro_value){.is = AVRO_NUMBER, .number = read_number(r)}; return;
	case NODE_FLOAT: read_bytes(r, 4); return;
	case NODE_DOUBLE: read_bytes(r, 8); return;
	case NODE_BYTES: *v = (struct avro_value){.is = AVRO_BYTES, .bytes = read_counted(r)}; return;
	case NODE_FIXED: *v = (struct avro_value){.is = AVRO_BYTES, .bytes = read_bytes(r, n->size)}; return;
	case NODE_UNION: decode_union(a, n, r, v, depth); return;
	case NODE_ARRAY:
	case NODE_MAP: decode_items(a, n, r, v, depth); return;
	case NODE_RECORD:
		for (size_t i = 0; i < n->part_count && !r->bad; i++) {
			struct avro_value passed = {0};
			decode(a, n->parts[i], r, &passed, depth + 1);
		}
	}
}

int avro_next(struct avro *a, struct avro_value values[AVRO_FIELDS_MAX], struct fault *fault)
{
	while (!a->records) {
		int more = next_block(a, fault);
		if (more <= 0)
			return more;
	}
	const struct node *top = &a->nodes[0];
	for (size_t i = 0; i < top->part_count; i++) {
		values[i] = (struct avro_value){0};
		decode(a, top->parts[i], &a->left, &values[i], 1);
	}
	a->records--;
	return a->left.bad ? bad(fault, "a record is cut within its block") : 1;
}
