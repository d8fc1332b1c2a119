/*
 * Any table: its columns mean what the operator says (`--map`, or `map` of a source), what a comment in its first lines
 * says ("# map: src=ip,time=seen"), or what their names suggest.
 *
 * A row is a record of the thing that it names: a value with its type, else a URL, a name, a digest or an address.
 * What a cell holds that its field cannot hold is told with the row, and the row comes in without it.
 */
#include "share/reading/mapping_inner.h"
#include "share/reading/named_inner.h"

#define CONFIDENCE_TABLE 70
#define TEXT_MAX 256

struct table {
	struct rows rows;
	struct mapping mapping;
	struct column_use uses[ROWS_COLUMNS_MAX];
	bool told, mapped, wrong; /* the first line came; there is a map; it is wrong, so that nothing can be read */
};

struct row {
	struct record record;
	struct bytes by_use[USES];
	const char *wrong; /* the first cell that did not fit */
	struct bytes wrong_cell;
};

static void read_map(struct intake *in, struct table *t, struct bytes text)
{
	struct fault fault = {0};
	if (mapping_read(&t->mapping, text, &fault)) {
		intake_bad(in, "%s", fault.text);
		t->wrong = true;
	}
	t->mapped = true;
	if (t->mapping.separator)
		t->rows.separator = t->mapping.separator;
}

static bool is_map(struct bytes text, struct bytes *map)
{
	struct bytes rest = bytes_trim((struct bytes){text.at + 1, text.len - 1});
	if (text.at[0] != '#' || !bytes_start_with(rest, "map:"))
		return false;
	*map = (struct bytes){rest.at + 4, rest.len - 4};
	return true;
}

static void begin(struct intake *in, struct table *t, const struct cells *cells)
{
	struct fault fault = {0};
	if (!rows_begin(&t->rows, in, cells))
		return;
	if (!t->wrong && mapping_columns(&t->mapping, &t->rows, t->uses, &fault)) {
		intake_bad(in, "%s", fault.text);
		t->wrong = true;
	}
	t->rows.count = t->wrong ? 0 : t->rows.count;
}

static bool is_plain(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] < ' ' || b.at[i] == 0x7f)
			return false;
	return b.len <= TEXT_MAX && bytes_is_utf8(b);
}

static bool is_yes(struct bytes b)
{
	return bytes_equal_text(b, "1") || bytes_equal_nocase(b, "true") || bytes_equal_nocase(b, "yes");
}

static bool is_no(struct bytes b)
{
	return bytes_equal_text(b, "0") || bytes_equal_nocase(b, "false") || bytes_equal_nocase(b, "no");
}

/* NULL, or why the cell cannot be that field. */
static const char *set_field(const struct table *t, struct record *r, uint16_t field, struct bytes cell)
{
	struct address address;
	uint64_t number;
	switch (field_definition(field)->type) {
	case FIELD_NUMBER:
		if (!cell_number(cell, UINT64_MAX, &number))
			return "is no whole number";
		record_number(r, field, number);
		return NULL;
	case FIELD_TIME:
		if (!cell_time(cell, t->mapping.zone_s, &number))
			return "is no time";
		record_number(r, field, number);
		return NULL;
	case FIELD_BOOL:
		if (!is_yes(cell) && !is_no(cell))
			return "is neither yes nor no";
		record_number(r, field, is_yes(cell));
		return NULL;
	case FIELD_ADDRESS:
		if (!address_parse(cell, &address))
			return "is no address";
		record_address(r, field, &address);
		return NULL;
	case FIELD_TEXT:
		if (field == FIELD_PROTO && cell_proto(cell))
			cell = bytes_of_text(cell_proto(cell));
		if (!is_plain(cell))
			return "is no short text";
		record_bytes(r, field, cell);
		return NULL;
	case FIELD_BYTES:
		record_bytes(r, field, (struct bytes){cell.at, cell.len < RECORD_TEXT_MAX ? cell.len : RECORD_TEXT_MAX});
		return NULL;
	case FIELD_ID:
		break;
	}
	return "cannot be given";
}

static void take_cell(const struct table *t, struct row *row, struct column_use use, struct bytes cell)
{
	const char *wrong = NULL;
	if (!cell.len)
		return;
	if (use.use == USE_FIELD)
		wrong = set_field(t, &row->record, use.field, cell);
	else if (!row->by_use[use.use].len)
		row->by_use[use.use] = cell;
	if (wrong && !row->wrong) {
		row->wrong = wrong;
		row->wrong_cell = cell;
	}
}

static const char *word_in(const char *const *words, struct bytes cell)
{
	for (; *words; words++)
		if (bytes_equal_nocase(cell, *words))
			return *words;
	return NULL;
}

static const char *kind_in(struct bytes cell)
{
	int kind = event_kind_find(cell);
	return kind >= 0 ? event_kind_name((enum event_kind)kind) : NULL;
}

static void set_words(const struct table *t, struct row *row)
{
	static const char *const tlp[] = {"RED", "AMBER+STRICT", "AMBER", "GREEN", "CLEAR", NULL};
	static const char *const pap[] = {"RED", "AMBER", "GREEN", "CLEAR", NULL};
	static const char *const roles[] = {"command", "download", "report", "victim", "peer", "check", NULL};
	const struct bytes *cells = row->by_use;
	struct record *r = &row->record;
	uint64_t number = CONFIDENCE_TABLE;
	r->id = cells[USE_ID];
	r->link = cells[USE_LINK];
	r->title = cells[USE_TITLE];
	r->author = cells[USE_AUTHOR];
	r->labels = cells[USE_LABELS];
	r->kind = kind_in(cells[USE_KIND]);
	r->role = word_in(roles, cells[USE_ROLE]);
	/* A marking that nobody knows is taken for the strictest. */
	r->tlp = cells[USE_TLP].len ? word_in(tlp, cells[USE_TLP]) : NULL;
	r->tlp = cells[USE_TLP].len && !r->tlp ? "RED" : r->tlp;
	r->pap = cells[USE_PAP].len ? word_in(pap, cells[USE_PAP]) : NULL;
	r->pap = cells[USE_PAP].len && !r->pap ? "RED" : r->pap;
	r->confidence = cell_number(cells[USE_CONFIDENCE], 100, &number) ? (unsigned)number : CONFIDENCE_TABLE;
	if (cells[USE_TIME].len && !cell_time(cells[USE_TIME], t->mapping.zone_s, &r->time_us) && !row->wrong) {
		row->wrong = "is no time";
		row->wrong_cell = cells[USE_TIME];
	}
}

static enum named named_of(struct bytes type, struct bytes value)
{
	static const struct { const char *name; enum named named; } types[] = {
		{"address", NAMED_ADDRESS}, {"ip", NAMED_ADDRESS}, {"endpoint", NAMED_ENDPOINT}, {"domain", NAMED_DOMAIN},
		{"url", NAMED_URL}, {"hash", NAMED_HASH}, {"mail", NAMED_MAIL}, {"agent", NAMED_AGENT}, {"wallet", NAMED_WALLET},
		{"mutex", NAMED_MUTEX}, {"path", NAMED_PATH},
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (bytes_equal_nocase(type, types[i].name))
			return types[i].named;
	return named_guess(value);
}

/* The first thing that the row names; its source's address and port stand beside it. */
static const char *set_value(struct intake *in, struct row *row, struct bytes *named)
{
	static const struct { enum use use; enum named named; } order[] = {
		{USE_URL, NAMED_URL}, {USE_HASH, NAMED_HASH}, {USE_DOMAIN, NAMED_DOMAIN}};
	const struct bytes *cells = row->by_use;
	struct record *r = &row->record;
	uint64_t port = 0;
	struct address source;
	const char *wrong;
	if (cells[USE_PORT].len && !cell_number(cells[USE_PORT], UINT16_MAX, &port)) {
		*named = cells[USE_PORT];
		return "is no port";
	}
	if (cells[USE_VALUE].len) {
		*named = cells[USE_VALUE];
		wrong = named_set(in, r, named_of(cells[USE_TYPE], *named), *named);
	} else if (cells[USE_SRC].len) {
		*named = cells[USE_SRC];
		bool host = r->kind && !strncmp(r->kind, "host.", 5);
		wrong = host ? named_set_at(in, r, *named, port) : named_set(in, r, NAMED_ADDRESS, *named);
	} else {
		wrong = "names nothing: neither value nor address, URL, name or digest";
		for (size_t i = 0; i < sizeof order / sizeof *order; i++)
			if (cells[order[i].use].len) {
				*named = cells[order[i].use];
				wrong = named_set(in, r, order[i].named, *named);
				break;
			}
	}
	if (!wrong && !r->has_address && address_parse(cells[USE_SRC], &source)) {
		r->address = source;
		r->has_address = true;
	}
	r->port = port ? (uint32_t)port : r->port;
	return wrong;
}

/* Columns beside the one that names the row: a URL and a digest of an attack are fields of it. */
static void add_others(struct row *row)
{
	const struct bytes *cells = row->by_use;
	if (cells[USE_URL].len && strcmp(row->record.type, "url"))
		record_bytes(&row->record, FIELD_FILE_URL, cells[USE_URL]);
	if (cells[USE_HASH].len == 64 && strcmp(row->record.type, "hash") && is_plain(cells[USE_HASH]))
		record_bytes(&row->record, FIELD_FILE_SHA256, cells[USE_HASH]);
	if (cells[USE_DOMAIN].len && strcmp(row->record.type, "domain"))
		record_bytes(&row->record, FIELD_HOST_NAME, cells[USE_DOMAIN]);
}

static void take_row(struct intake *in, const struct table *t, struct bytes text, const struct cells *cells)
{
	struct row row = {.record = {.original = text, .version = text}}; /* without an id equal lines are one */
	struct bytes named = {0};
	for (size_t i = 0; i < t->mapping.word_count; i++) {
		const struct mapped_word *w = &t->mapping.words[i];
		take_cell(t, &row, (struct column_use){(uint8_t)w->use, w->field}, bytes_of_text(w->text));
	}
	for (size_t i = 0; i < cells->count; i++)
		take_cell(t, &row, t->uses[i], cells->cell[i]);
	set_words(t, &row);
	if (row.record.id.len)
		row.record.version = (struct bytes){0};
	const char *wrong = set_value(in, &row, &named);
	if (wrong) {
		intake_bad(in, "\"%.*s\" %s", (int)(named.len < 80 ? named.len : 80), (const char *)named.at, wrong);
		return;
	}
	if (row.wrong)
		intake_bad(in, "\"%.*s\" %s; the rest came in", (int)(row.wrong_cell.len < 80 ? row.wrong_cell.len : 80),
			   (const char *)row.wrong_cell.at, row.wrong);
	add_others(&row);
	intake_record(in, &row.record);
}

static void line(struct intake *in, struct bytes text)
{
	struct table *t = intake_state(in);
	struct cells cells;
	struct bytes map;
	if (!t->told && *intake_map(in))
		read_map(in, t, bytes_of_text(intake_map(in)));
	t->told = true;
	if (!t->rows.held_lines && text.at[0] == '#') {
		if (!t->mapped && !t->rows.begun && is_map(text, &map))
			read_map(in, t, map);
		return;
	}
	if (!rows_split(&t->rows, in, text, &cells))
		return;
	if (!t->rows.begun) {
		begin(in, t, &cells);
		if (!t->mapping.no_header)
			return;
	}
	if (rows_fit(&t->rows, in, &cells))
		take_row(in, t, text, &cells);
}

static void end(struct intake *in)
{
	struct table *t = intake_state(in);
	rows_end(&t->rows, in);
}

static const struct format_specimen specimens[] = {
	{"attacks of a partner's honeypot, by a map, in the time of Japan",
	 BYTES("# map: src=Attacker, dport=Port, time=Seen, login.user=User, login.secret=Pass, kind:=login.tried, zone:=+09:00, proto:=TCP\n"
	       "Seen;Attacker;Port;User;Pass;Remark\n2015/6/2 9:04:05;203.0.113.9;23;root;\"a;b\";x\n"
	       "2015-06-02 09:04:05;203.0.113.9;0x17;root;x;x\nnever;203.0.113.9;23;root;x;x\n;nobody;23;;;\n"),
	 "address 203.0.113.9\n  kind login.tried\n  time 2015-06-02T00:04:05.000000Z\n  port 23\n  proto tcp\n  login.user root\n"
	 "  login.secret a;b\nbad \"0x17\" is no port\nbad \"never\" is no time; the rest came in\naddress 203.0.113.9\n"
	 "bad \"nobody\" is no address\n"},
	{"columns that speak for themselves",
	 BYTES("\xef\xbb\xbftimestamp,src_ip,dst_port,login_user,country,SHA256\r\n1433239445,203.0.113.9,445,\"'; DROP TABLE x;--\",JP,\r\n"
	       "1433239446.5,,,,,e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n"),
	 "address 203.0.113.9\n  port 445\n  login.user '; DROP TABLE x;--\n  record.country JP\n  time 2015-06-02T10:04:05.000000Z\n"
	 "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n  time 2015-06-02T10:04:06.500000Z\n"},
	{"no header: columns by number; values of several types",
	 BYTES("#map: header:=no, separator:=tab, value=#2, type=#1, tlp=#3\nip\t198.51.100.7\tgreen\nurl\thttp://203.0.113.8/x\tTLP:X\n"
	       "\tbad-name.net\t\n"),
	 "address 198.51.100.7\n  tlp GREEN\nurl http://203.0.113.8/x\n  tlp RED\ndomain bad-name.net\n"},
	{"a map that is wrong", BYTES("#map: colour=x\na,b\n1,2\n"), "bad the map: \"colour\" is nothing\nbad no header\n"},
	{"a column that is not there", BYTES("#map: src=who\na,b\n1,2\n"), "bad the map names the column \"who\"\nbad no header\n"},
	{"what an import says itself is not a table's", BYTES("#map: src=a,record.source=b\na,b\n1.2.3.4,2\n"),
	 "bad the map: \"record.source\" is nothing\nbad no header\n"},
	{0},
};

static const struct format csv = {
	.name = "csv",
	.summary = "any table: columns as a map says (src=ip,dport=port,time=seen), or as their names suggest",
	.reference = "RFC 4180, also with semicolons, tabs or bars",
	.shape = FORMAT_LINES,
	.line = line,
	.end = end,
	.state_size = sizeof(struct table),
	.specimens = specimens,
};
FORMAT(csv);
