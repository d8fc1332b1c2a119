/*
 * Comma-separated values (RFC 4180, lines end in LF): one line of names, then one line an event.
 *
 * `csv` is for programs: every byte can be had back.  What is no UTF-8, or a control character, is \xHH, and
 * a backslash is two.  `sheet` is for people with a spreadsheet: with a byte order mark and CRLF, and a cell that
 * a spreadsheet would take for a formula has an apostrophe before it, since attackers choose their names
 * (CWE-1236).
 */
#include "share/exporting/columns_inner.h"
#include "share/output.h"
#include <stdlib.h>

#define LINE_MAX_BYTES (12 * EVENT_BYTES_MAX + 32768)

struct csv {
	struct columns columns;
	bool sheet;
};

static bool is_formula(struct bytes b) { return b.len && memchr("=+-@\t\r", b.at[0], 6); }

/* Length of the UTF-8 character there that may stand in a cell as it is; 0: it is to be escaped. */
static size_t plain_character(struct bytes b, size_t i)
{
	size_t n = b.at[i] < 0x80 ? 1 : b.at[i] < 0xe0 ? 2 : b.at[i] < 0xf0 ? 3 : 4;
	if (n == 1)
		return (b.at[i] >= 0x20 && b.at[i] != 0x7f) || b.at[i] == '\n' || b.at[i] == '\t';
	return i + n <= b.len && bytes_is_utf8((struct bytes){b.at + i, n}) ? n : 0;
}

static void write_escaped(struct writer *w, struct bytes b)
{
	for (size_t i = 0, n; i < b.len; i += n ? n : 1) {
		n = plain_character(b, i);
		if (!n)
			write_fmt(w, "\\x%02x", b.at[i]);
		else if (b.at[i] == '"' || b.at[i] == '\\')
			write_bytes(w, (uint8_t[]){b.at[i], b.at[i]}, 2);
		else
			write_bytes(w, b.at + i, n);
	}
}

static void write_words(const struct csv *c, struct writer *w, struct bytes b)
{
	bool guard = c->sheet && is_formula(b), plain = !guard;
	for (size_t i = 0; i < b.len && plain; i++)
		plain = b.at[i] >= 0x20 && b.at[i] < 0x7f && b.at[i] != '"' && b.at[i] != ',' && b.at[i] != '\\';
	if (plain) {
		write_span(w, b);
		return;
	}
	write_text(w, guard ? "\"'" : "\"");
	write_escaped(w, b);
	write_u8(w, '"');
}

static void write_value(const struct csv *c, struct writer *w, const struct event_value *v)
{
	char text[TIME_TEXT_MAX + ADDRESS_TEXT_MAX + EVENT_ID_TEXT];
	struct address a;
	struct event_id id;
	switch (v->type) {
	case FIELD_NUMBER:
		write_fmt(w, "%llu", (unsigned long long)v->number);
		break;
	case FIELD_BOOL:
		write_text(w, v->number ? "true" : "false");
		break;
	case FIELD_TIME:
		write_text(w, time_format(v->number, text));
		break;
	case FIELD_ADDRESS:
		memcpy(a.b, v->bytes.at, sizeof a.b);
		write_text(w, address_format(&a, text));
		break;
	case FIELD_ID:
		memcpy(id.b, v->bytes.at, sizeof id.b);
		write_text(w, id_format(&id, text));
		break;
	case FIELD_TEXT:
	case FIELD_BYTES:
		write_words(c, w, v->bytes);
		break;
	}
}

static int begin_table(struct output_run *run, bool sheet)
{
	struct csv *c = *output_state(run) = calloc(1, sizeof *c);
	if (!c)
		return output_fail(run, ERR_MEMORY, "no memory for the columns");
	columns_make(&c->columns);
	c->sheet = sheet;
	struct writer w = output_room(run, LINE_MAX_BYTES);
	write_text(&w, sheet ? "\xef\xbb\xbf" : "");
	for (size_t i = 0; i < c->columns.count; i++)
		write_fmt(&w, "%s%s", i ? "," : "", c->columns.list[i].name);
	write_text(&w, sheet ? "\r\n" : "\n");
	return output_wrote(run, &w);
}

static int begin_csv(struct output_run *run) { return begin_table(run, false); }
static int begin_sheet(struct output_run *run) { return begin_table(run, true); }

static void write_more(const struct csv *c, const struct event *e, struct writer *w)
{
	uint8_t room[6 * EVENT_BYTES_MAX];
	struct writer more = writer_of(room, sizeof room);
	columns_write_more(&c->columns, e, &more);
	w->bad |= more.bad;
	write_words(c, w, writer_bytes(&more));
}

static int event(struct output_run *run, const struct event *e)
{
	const struct csv *c = *output_state(run);
	const struct event_value *row[COLUMNS_MAX];
	char text[TIME_TEXT_MAX + EVENT_ID_TEXT];
	struct writer w = output_room(run, LINE_MAX_BYTES);
	columns_place(&c->columns, e, row);
	for (size_t i = 0; i < c->columns.count; i++) {
		enum column_from from = c->columns.list[i].from;
		if (i)
			write_u8(&w, ',');
		if (from == COLUMN_KIND)
			write_text(&w, event_kind_name(e->kind));
		else if (from == COLUMN_ID && !id_is_zero(&e->id))
			write_text(&w, id_format(&e->id, text));
		else if (from == COLUMN_TIME && e->time_us)
			write_text(&w, time_format(e->time_us, text));
		else if (from == COLUMN_MORE)
			write_more(c, e, &w);
		else if (row[i])
			write_value(c, &w, row[i]);
	}
	write_text(&w, c->sheet ? "\r\n" : "\n");
	return output_wrote(run, &w);
}

#define NAMES                                                                                                          \
	"kind,id,time,sensor,session,src,sport,dst,dport,proto,service,persona,count,login.user,login.accepted,"       \
	"command.line,command.found,close.reason,duration,bytes.in,bytes.out,logins,commands,request.method,"          \
	"request.target,request.host,request.agent,status,file.sha256,file.size,file.name,file.url,file.how,probe,"    \
	"state,banner,tcp.ttl,device.class,device.vendor,device.product,device.version,device.os,confidence,tool,"     \
	"flow.first,flow.packets,flow.bytes,flow.destinations,flow.flags,flow.ttl.min,flow.ttl.max,flow.hops,"         \
	"flow.class,flow.asks,flow.p0f,flow.ja4t,indicator.type,indicator.value,indicator.role,sample.family,"         \
	"intent.verdict,exposure.cve,exposure.severity,record.source,record.kind,record.time,record.tlp,"              \
	"record.labels,more"
/* 53 columns from command.line on, so as many commas. */
#define REST ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"

static const struct output_specimen csv_specimens[] = {
	{"a login by a hostile name",
	 "{\"kind\":\"login.tried\",\"time\":\"2015-03-05T10:20:30.000004Z\",\"src\":\"203.0.113.9\",\"sport\":4711,"
	 "\"dport\":23,\"login.user\":\"=1+1,\\u0022\\u005c\\u0000\\u00ff\",\"login.accepted\":false,\"depth\":2}\n",
	 NAMES "\nlogin.tried,,2015-03-05T10:20:30.000004Z,,,203.0.113.9,4711,,23,,,,,\"=1+1,\"\"\\\\\\x00\\xff\",false" REST
	       ",\"{\"\"depth\"\":2}\"\n",
	 NULL},
	{0},
};

static const struct output_specimen sheet_specimens[] = {
	{"a name that a spreadsheet would run",
	 "{\"kind\":\"login.tried\",\"src\":\"203.0.113.9\",\"login.user\":\"=cmd|' /C calc'!A0\",\"login.accepted\":true}\n",
	 "\xef\xbb\xbf" NAMES "\r\nlogin.tried,,,,,203.0.113.9,,,,,,,,\"'=cmd|' /C calc'!A0\",true" REST ",\r\n", NULL},
	{0},
};

static const struct output csv = {
	.name = "csv",
	.summary = "comma-separated values, a line an event; every byte can be had back",
	.reference = "RFC 4180; what is no text is \\xHH",
	.media_type = "text/csv; charset=utf-8",
	.extension = "csv",
	.kinds = KIND_MASK_ALL,
	.begin = begin_csv,
	.event = event,
	.specimens = csv_specimens,
};
OUTPUT(csv);

static const struct output sheet = {
	.name = "sheet",
	.summary = "the same for spreadsheets, which run no cell of it as a formula",
	.reference = "RFC 4180; CWE-1236",
	.media_type = "text/csv; charset=utf-8",
	.extension = "csv",
	.kinds = KIND_MASK_ALL,
	.begin = begin_sheet,
	.event = event,
	.specimens = sheet_specimens,
};
OUTPUT(sheet);
