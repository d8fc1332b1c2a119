/*
 * Passive DNS in the Common Output Format, a JSON object a line, and DNSDB's framing of it (API version 2).
 *
 * A framed answer that does not end in "succeeded" is not whole: it was limited by its server, failed, or was cut on
 * the way.  Each is said, since who reads "nothing more is known" out of a cut answer is wrong.
 */
#include "share/reading/named_inner.h"
#include "share/reading/pick_inner.h"
#include "share/reading/words_inner.h"
#include <xxhash.h>

FIELD(cof_type, "dns.type", BYTES, 0, "type of a DNS record: A, AAAA, CNAME, …");
FIELD(cof_data, "dns.data", BYTES, 0, "what a DNS record says, a line each");
FIELD(cof_bailiwick, "dns.bailiwick", BYTES, 0, "zone of the server that said it");

#define CONFIDENCE_SEEN 80
#define TYPE_MAX 65535

struct framing {
	bool framed, ended;
};

enum place { COND, MESSAGE, NAME, TYPE, DATA, FIRST, LAST, ZONE_FIRST, ZONE_LAST, COUNT, BAILIWICK, PLACES };

#define RECORD_PICKS                                                                                            \
	PICK("rrname", NAME), PICK("rrtype", TYPE), PICK("rdata", DATA), PICK("time_first", FIRST), PICK("time_last", LAST), \
	PICK("zone_time_first", ZONE_FIRST), PICK("zone_time_last", ZONE_LAST), PICK("count", COUNT), PICK("bailiwick", BAILIWICK)
static const struct pick record_picks[] = {RECORD_PICKS, PICK_END};
static const struct pick picks[] = {PICK("cond", COND), PICK("msg", MESSAGE), PICK_WITHIN("obj", record_picks), RECORD_PICKS, PICK_END};

/* Draft-dulaunoy-dnsop-passive-dns-cof says that the type may be its number. */
static struct bytes type_of(struct intake *in, const struct json_value *v)
{
	static const struct { uint16_t number; const char *name; } types[] = {
		{1, "A"}, {2, "NS"}, {5, "CNAME"}, {6, "SOA"}, {12, "PTR"}, {15, "MX"}, {16, "TXT"}, {28, "AAAA"}, {33, "SRV"},
		{35, "NAPTR"}, {43, "DS"}, {46, "RRSIG"}, {47, "NSEC"}, {48, "DNSKEY"}, {50, "NSEC3"}, {52, "TLSA"}, {64, "SVCB"},
		{65, "HTTPS"}, {99, "SPF"}, {257, "CAA"}};
	uint64_t number;
	char *text;
	if (!json_whole(v, TYPE_MAX, &number))
		return pick_text(in, v);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].number == number)
			return bytes_of_text(types[i].name);
	text = arena_alloc(intake_arena(in), 16);
	return text ? (snprintf(text, 16, "TYPE%u", (unsigned)number), bytes_of_text(text)) : (struct bytes){0}; /* RFC 3597 5 */
}

/* One string, or a list of them; each becomes a line. */
static struct bytes data_of(struct intake *in, const struct json_value *v)
{
	struct json_value item;
	struct json_reader j = json_of(v->raw);
	if (v->type != VALUE_ARRAY)
		return pick_text(in, v);
	uint8_t *room = arena_alloc(intake_arena(in), RECORD_TEXT_MAX);
	struct writer w = writer_of(room, room ? RECORD_TEXT_MAX : 0);
	json_enter_array(&j);
	while (json_item(&j) && json_take(&j, &item)) {
		struct bytes text = pick_text(in, &item);
		if (text.len + 1 > writer_left(&w))
			break;
		write_text(&w, writer_used(&w) ? "\n" : "");
		write_span(&w, text);
	}
	return writer_bytes(&w);
}

static struct bytes name_of(struct intake *in, struct bytes name)
{
	uint8_t *room = arena_alloc(intake_arena(in), name.len);
	if (!room)
		return (struct bytes){0};
	for (size_t i = 0; i < name.len; i++)
		room[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (uint8_t)(name.at[i] | 0x20) : name.at[i];
	return (struct bytes){room, name.len > 1 && name.at[name.len - 1] == '.' ? name.len - 1 : name.len};
}

/* The same record that was counted further is another version of it. */
static void set_id(struct intake *in, const struct json_value *v, struct bytes type, struct bytes data, struct record *r)
{
	char *id = arena_alloc(intake_arena(in), r->value.len + type.len + 40), *version = arena_alloc(intake_arena(in), 64);
	struct bytes zone = pick_text(in, &v[BAILIWICK]);
	if (!id || !version)
		return;
	struct writer w = writer_of(id, r->value.len + type.len + 40);
	write_span(&w, r->value);
	write_u8(&w, '/');
	write_span(&w, type);
	write_fmt(&w, "/%016llx", (unsigned long long)(XXH3_64bits(data.at, data.len) ^ XXH3_64bits_withSeed(zone.at, zone.len, 1)));
	r->id = writer_bytes(&w);
	w = writer_of(version, 64);
	write_fmt(&w, "%llu %llu", (unsigned long long)pick_count(&v[COUNT], UINT64_MAX), (unsigned long long)r->time_us);
	r->version = writer_bytes(&w);
}

static void take_record(struct intake *in, const struct json_value *v, struct bytes whole)
{
	struct bytes type = type_of(in, &v[TYPE]), data = data_of(in, &v[DATA]), name = pick_text(in, &v[NAME]);
	struct record r = {.type = "name", .confidence = CONFIDENCE_SEEN, .original = whole};
	uint64_t first = pick_moment(in, &v[FIRST]), last = pick_moment(in, &v[LAST]);
	if (!name.len || !type.len || !data.len) {
		intake_bad(in, "it has no rrname, rrtype or rdata");
		return;
	}
	if (!first && !last) { /* seen in a zone file, and not on the wire */
		first = pick_moment(in, &v[ZONE_FIRST]);
		last = pick_moment(in, &v[ZONE_LAST]);
		if (first || last)
			record_text(&r, word_class, "zone");
	}
	r.value = name_of(in, name);
	r.time_us = last;
	size_t end = bytes_find(data, "\n");
	r.has_address = (bytes_equal_text(type, "A") || bytes_equal_text(type, "AAAA")) &&
			address_parse((struct bytes){data.at, end}, &r.address);
	record_bytes(&r, cof_type, type);
	record_bytes(&r, cof_data, data);
	record_bytes(&r, cof_bailiwick, pick_text(in, &v[BAILIWICK]));
	if (pick_count(&v[COUNT], UINT64_MAX))
		record_number(&r, FIELD_COUNT, pick_count(&v[COUNT], UINT64_MAX));
	if (first)
		record_number(&r, word_first, first);
	if (last)
		record_number(&r, word_last, last);
	set_id(in, v, type, data, &r);
	intake_record(in, &r);
}

static void take_frame(struct intake *in, struct bytes condition, struct bytes message)
{
	struct framing *framing = intake_state(in);
	int shown = (int)(message.len < 120 ? message.len : 120);
	const char *text = message.len ? (const char *)message.at : "";
	bool goes_on = bytes_equal_text(condition, "begin") || bytes_equal_text(condition, "ongoing");
	framing->framed = true;
	framing->ended = !goes_on;
	if (bytes_equal_text(condition, "limited"))
		intake_bad(in, "the answer is not whole: its server limits it: %.*s", shown, text);
	else if (!goes_on && !bytes_equal_text(condition, "succeeded"))
		intake_bad(in, "the answer is not whole: its server failed: %.*s", shown, text);
}

static void line(struct intake *in, struct bytes whole)
{
	struct json_value v[PLACES];
	if (!pick_line(in, whole, picks, v, PLACES))
		return;
	struct bytes condition = pick_text(in, &v[COND]);
	if (condition.len)
		take_frame(in, condition, pick_text(in, &v[MESSAGE]));
	if (v[NAME].type != VALUE_NONE || !condition.len)
		take_record(in, v, whole);
}

static void end(struct intake *in)
{
	const struct framing *framing = intake_state(in);
	if (framing->framed && !framing->ended)
		intake_bad(in, "the answer is not whole: it was cut on its way");
}

static const struct format_specimen specimens[] = {
	{"records, with a type as number and data as a list",
	 BYTES("{\"count\":12,\"time_first\":1380123423,\"time_last\":1427869045,\"rrname\":\"WWW.Example.net.\",\"rrtyp"
	       "e\":\"A\",\"bailiwick\":\"example.net.\",\"rdata\":[\"198.51.100.4\",\"198.51.100.5\"]}\n{\"count\":13,"
	       "\"time_first\":1380123423,\"time_last\":1427869046,\"rrname\":\"www.example.net.\",\"rrtype\":\"A\",\"ba"
	       "iliwick\":\"example.net.\",\"rdata\":[\"198.51.100.4\",\"198.51.100.5\"]}\n{\"count\":13,\"time_first\":"
	       "1380123423,\"time_last\":1427869046,\"rrname\":\"www.example.net.\",\"rrtype\":\"A\",\"bailiwick\":\"exa"
	       "mple.net.\",\"rdata\":[\"198.51.100.4\",\"198.51.100.5\"]}\n{\"zone_time_first\":1380123423,\"zone_time_"
	       "last\":\"2015-04-01T06:17:25Z\",\"rrname\":\"_sip._tcp.example.net.\",\"rrtype\":33,\"rdata\":\"0 5 5060"
	       " sip.example.net.\"}\n{\"rrname\":\".\",\"rrtype\":65280,\"rdata\":\"\\\\# 0\"}\n{\"rrname\":\"a.example"
	       "\"}\n"),
	 "name www.example.net\n"
	 "  id www.example.net/A/59bf11280f10fb34\n"
	 "  address 198.51.100.4\n"
	 "  dns.type A\n"
	 "  dns.bailiwick example.net.\n"
	 "  count 12\n"
	 "  record.first 2013-09-25T15:37:03.000000Z\n"
	 "  record.last 2015-04-01T06:17:25.000000Z\n"
	 "name www.example.net\n"
	 "  count 13\n"
	 "name _sip._tcp.example.net\n"
	 "  dns.type SRV\n"
	 "  dns.data 0 5 5060 sip.example.net.\n"
	 "  record.class zone\n"
	 "  record.last 2015-04-01T06:17:25.000000Z\n"
	 "name .\n"
	 "  dns.type TYPE65280\n"
	 "bad it has no rrname\n"},
	{"a framed answer that its server limits",
	 BYTES("{\"cond\":\"begin\"}\n{\"obj\":{\"count\":1,\"time_first\":1427869044,\"time_last\":1427869045,\"rrname"
	       "\":\"b.example.\",\"rrtype\":\"AAAA\",\"rdata\":[\"2001:db8::1\"]}}\n{\"cond\":\"limited\",\"msg\":\"Res"
	       "ult limit reached\"}\n"),
	 "name b.example\n"
	 "  address 2001:db8::1\n"
	 "bad the answer is not whole: its server limits it: Result limit reached\n"},
	{"a framed answer that was cut",
	 BYTES("{\"cond\":\"begin\"}\n{\"obj\":{\"rrname\":\"c.example.\",\"rrtype\":\"NS\",\"rdata\":\"ns.example.\"}}"
	       "\n"),
	 "name c.example\n"
	 "bad the answer is not whole: it was cut\n"},
	{"a framed answer of nothing",
	 BYTES("{\"cond\":\"begin\"}\n{\"cond\":\"succeeded\"}\n"), ""},
	{0},
};

static const struct format cof = {
	.name = "cof",
	.summary = "passive DNS: which names had which records, and when",
	.reference = "draft-dulaunoy-dnsop-passive-dns-cof; DNSDB's API version 2 with its framing",
	.shape = FORMAT_LINES,
	.line = line,
	.end = end,
	.state_size = sizeof(struct framing),
	.specimens = specimens,
};
FORMAT(cof);
