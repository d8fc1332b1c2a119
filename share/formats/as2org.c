/*
 * CAIDA's AS to organisation tables: lines of words between '|', whose order a comment "# format:" names, or JSON
 * lines.  Organisations and AS numbers stand in one file, in either order, so it is read twice.
 */
#include "share/format.h"
#include "share/networks/ranges_inner.h"
#include <jansson.h>
#include <xxhash.h>

#define COLUMNS_MAX 12
#define NAME_MAX_BYTES 400

struct organisation {
	struct bytes id, name;
	char country[3];
};

struct organisations { /* by id; in the import's arena */
	struct organisation *slots;
	size_t count; /* of slots, a power of 2 */
};

struct columns { /* of the lines that follow; -1: not there */
	int id, as, as_name, name, country;
};

struct row { /* either an organisation or an AS */
	struct bytes id, name, country;
	uint64_t as;
	bool is_as;
};

static struct organisation *slot_of(const struct organisations *all, struct bytes id)
{
	size_t at = XXH3_64bits(id.at, id.len) & (all->count - 1);
	while (all->slots[at].id.len && !bytes_equal(all->slots[at].id, id))
		at = (at + 1) & (all->count - 1);
	return &all->slots[at];
}

static struct columns read_columns(struct bytes names)
{
	struct columns c = {-1, -1, -1, -1, -1};
	struct bytes words[COLUMNS_MAX];
	size_t count = split_at_bars(bytes_trim(names), words, COLUMNS_MAX);
	for (int i = 0; i < (int)count; i++) {
		if (bytes_equal_text(words[i], "org_id"))
			c.id = i;
		else if (bytes_equal_text(words[i], "aut"))
			c.as = i;
		else if (bytes_equal_text(words[i], "aut_name"))
			c.as_name = i;
		else if (bytes_equal_text(words[i], "org_name"))
			c.name = i;
		else if (bytes_equal_text(words[i], "country"))
			c.country = i;
	}
	return c;
}

static struct bytes cell(const struct bytes *words, size_t count, int at)
{
	return at >= 0 && (size_t)at < count ? bytes_trim(words[at]) : (struct bytes){0};
}

static bool read_words(struct bytes line, const struct columns *c, struct row *row)
{
	struct bytes words[COLUMNS_MAX];
	size_t count = split_at_bars(line, words, COLUMNS_MAX);
	*row = (struct row){.id = cell(words, count, c->id), .is_as = c->as >= 0, .country = cell(words, count, c->country)};
	row->name = cell(words, count, row->is_as ? c->as_name : c->name);
	return row->is_as ? bytes_number(cell(words, count, c->as), UINT32_MAX, &row->as) : c->name >= 0 && row->id.len;
}

static struct bytes member(const json_t *object, const char *name, struct arena *arena)
{
	const char *text = json_string_value(json_object_get(object, name));
	const char *copy = text ? arena_text(arena, bytes_of_text(text)) : NULL;
	return copy ? bytes_of_text(copy) : (struct bytes){0};
}

static bool read_json(struct bytes line, struct arena *arena, struct row *row)
{
	json_t *object = json_loadb((const char *)line.at, line.len, 0, NULL);
	struct bytes as = member(object, "asn", arena);
	*row = (struct row){.id = member(object, "organizationId", arena), .name = member(object, "name", arena),
			    .country = member(object, "country", arena), .is_as = as.len > 0};
	json_decref(object);
	return row->is_as ? bytes_number(as, UINT32_MAX, &row->as) : row->id.len > 0;
}

static void name_as(struct intake *in, const struct organisations *all, const struct row *row)
{
	char text[NAME_MAX_BYTES], country[3] = "";
	struct writer w = writer_of(text, sizeof text);
	const struct organisation *o = row->id.len ? slot_of(all, row->id) : NULL;
	write_span(&w, row->name);
	if (o && o->name.len && !bytes_equal(o->name, row->name)) {
		write_text(&w, row->name.len ? ", " : "");
		write_span(&w, o->name);
	}
	if (o)
		memcpy(country, o->country, sizeof country);
	intake_as(in, (uint32_t)row->as, w.bad ? row->name : writer_bytes(&w), country);
}

/* The first time organisations are taken, the second time AS numbers; what is bad is said once. */
static void pass(struct intake *in, struct bytes whole, struct organisations *all, bool second)
{
	struct reader r = reader_of_bytes(whole);
	struct columns columns = {-1, -1, -1, -1, -1};
	struct bytes line;
	size_t number = 0;
	while (read_text_line(&r, &line)) {
		struct row row;
		number++;
		line = bytes_trim(line);
		size_t named = bytes_find(line, "format:");
		if (!line.len || line.at[0] == '#') {
			if (line.len && named < line.len)
				columns = read_columns((struct bytes){line.at + named + 7, line.len - named - 7});
			continue;
		}
		if (!(line.at[0] == '{' ? read_json(line, intake_arena(in), &row) : read_words(line, &columns, &row))) {
			if (second)
				intake_bad(in, "line %zu is neither an organisation nor an AS", number);
		} else if (second && row.is_as) {
			name_as(in, all, &row);
		} else if (!second && !row.is_as) {
			struct organisation *o = slot_of(all, row.id);
			*o = (struct organisation){.id = row.id, .name = row.name};
			country_read(row.country, o->country);
		}
	}
}

static void document(struct intake *in, struct bytes whole)
{
	struct organisations all = {.count = 1024};
	size_t lines = 1;
	for (size_t i = 0; i < whole.len; i++)
		lines += whole.at[i] == '\n';
	while (all.count < 2 * lines)
		all.count *= 2;
	all.slots = arena_alloc(intake_arena(in), all.count * sizeof *all.slots);
	if (!all.slots) {
		intake_bad(in, "there was no memory for %zu organisations", lines);
		return;
	}
	memset(all.slots, 0, all.count * sizeof *all.slots);
	pass(in, whole, &all, false);
	pass(in, whole, &all, true);
}

static const struct format_specimen specimens[] = {
	{"words, the organisations behind",
	 BYTES("# name: AS Org\n# format:aut|changed|aut_name|org_id|opaque_id|source\n1|20120224|LVLT-1|LVLT-ARIN|e5e3b9c1_ARIN|ARIN\n"
	       "# format: org_id|changed|org_name|country|source\nLVLT-ARIN|20120130|Level 3 Communications, Inc.|US|ARIN\n"),
	 "as 1 US LVLT-1, Level 3 Communications, Inc.\n"},
	{"columns in another order",
	 BYTES("# format:org_id|org_name|country\nX|Example|JP\n# format:org_id|aut\nX|64500\nnone|64501\n"),
	 "as 64500 JP Example\nas 64501  \n"},
	{"JSON lines",
	 BYTES("{\"organizationId\":\"X\",\"changed\":\"20121010\",\"name\":\"Example KK\",\"country\":\"JP\",\"source\":\"APNIC\",\"type\":\"Organization\"}\n"
	       "{\"asn\":\"64500\",\"changed\":\"20121010\",\"name\":\"EX-AS\",\"organizationId\":\"X\",\"source\":\"APNIC\",\"type\":\"ASN\"}\n{\n"),
	 "as 64500 JP EX-AS, Example KK\nbad line 3\n"},
	{"lines without a header", BYTES("1|2|3\n4|5|6"), "bad line 1\nbad line 2\n"},
	{0},
};

static const struct format as2org = {
	.name = "as2org",
	.summary = "which organisation an AS belongs to",
	.reference = "CAIDA, Inferred AS to Organization Mapping Dataset",
	.shape = FORMAT_DOCUMENT,
	.document = document,
	.specimens = specimens,
};
FORMAT(as2org);
