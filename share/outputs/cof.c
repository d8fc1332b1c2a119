/*
 * Passive DNS in the Common Output Format: a JSON object a line, for records of names that partners gave.
 *
 * Names and data end in a dot where they are names, as DNSDB writes them; times are seconds. What was seen in a zone's file
 * and not on the wire has zone_time_… instead.
 */
#include "share/output.h"

FIELD(dns_type, "dns.type", BYTES, 0, "type of a DNS record: A, AAAA, CNAME, …");
FIELD(dns_data, "dns.data", BYTES, 0, "what a DNS record says, a line each");
FIELD(dns_bailiwick, "dns.bailiwick", BYTES, 0, "zone of the server that said it");
FIELD(record_first, "record.first", TIME, 0, "when it was seen first, by its source");
FIELD(record_last, "record.last", TIME, 0, "when it was seen last, by its source");
FIELD(record_class, "record.class", BYTES, 0, "sort of observation, as its source files it");

#define LINE_MAX_BYTES (6 * EVENT_BYTES_MAX + 4096)

static void write_name(struct writer *w, struct bytes name)
{
	write_json_string(w, name);
	if (!w->bad && name.len && name.at[name.len - 1] != '.') {
		w->at--;
		write_text(w, ".\"");
	}
}

/* Those types whose data is one name. */
static bool is_of_names(struct bytes type)
{
	static const char *const types[] = {"NS", "CNAME", "PTR", "DNAME"};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (bytes_equal_nocase(type, types[i]))
			return true;
	return false;
}

static void write_data(struct writer *w, struct bytes data, bool names)
{
	const char *before = "[";
	write_text(w, ",\"rdata\":");
	for (size_t at = 0; at < data.len;) {
		struct bytes rest = {data.at + at, data.len - at};
		struct bytes line = {rest.at, bytes_find(rest, "\n")};
		write_text(w, before);
		before = ",";
		if (names)
			write_name(w, line);
		else
			write_json_string(w, line);
		at += line.len + 1;
	}
	write_text(w, *before == '[' ? "[]" : "]");
}

static void write_time(struct writer *w, const char *zone, const char *name, uint64_t us)
{
	if (us)
		write_fmt(w, ",\"%s%s\":%llu", zone, name, (unsigned long long)(us / 1000000));
}

static int event(struct output_run *run, const struct event *e)
{
	struct bytes name = event_bytes(e, FIELD_INDICATOR_VALUE), type = event_bytes(e, dns_type);
	struct bytes data = event_bytes(e, dns_data), zone = event_bytes(e, dns_bailiwick);
	if (!name.len || !type.len || !data.len)
		return output_skip(run);
	const char *where = bytes_equal_text(event_bytes(e, record_class), "zone") ? "zone_" : "";
	struct writer w = output_room(run, LINE_MAX_BYTES);
	write_text(&w, "{\"rrname\":");
	write_name(&w, name);
	write_text(&w, ",\"rrtype\":");
	write_json_string(&w, type);
	write_data(&w, data, is_of_names(type));
	write_time(&w, where, "time_first", event_number(e, record_first, event_number(e, record_last, 0)));
	write_time(&w, where, "time_last", event_number(e, record_last, event_number(e, record_first, 0)));
	write_fmt(&w, ",\"count\":%llu", (unsigned long long)event_number(e, FIELD_COUNT, 1));
	if (zone.len) {
		write_text(&w, ",\"bailiwick\":");
		write_name(&w, zone);
	}
	write_text(&w, "}\n");
	return output_wrote(run, &w);
}

static const struct output_specimen specimens[] = {
	{"an address, a zone's servers, and what is no record of a name",
	 "{\"kind\":\"record.imported\",\"indicator.type\":\"name\",\"indicator.value\":\"bad-name.example\",\"dns.type\":\"A\","
	 "\"dns.data\":\"203.0.113.9\\u000a203.0.113.10\",\"count\":12,\"record.first\":\"2015-06-01T00:00:00Z\","
	 "\"record.last\":\"2015-06-02T00:00:00Z\",\"dns.bailiwick\":\"example\"}\n"
	 "{\"kind\":\"record.imported\",\"indicator.type\":\"name\",\"indicator.value\":\"b.example\",\"dns.type\":\"NS\","
	 "\"dns.data\":\"ns.c.example\",\"record.first\":\"2015-06-01T00:00:00Z\",\"record.class\":\"zone\"}\n"
	 "{\"kind\":\"record.imported\",\"indicator.type\":\"url\",\"indicator.value\":\"http://203.0.113.9/\"}\n",
	 "{\"rrname\":\"bad-name.example.\",\"rrtype\":\"A\",\"rdata\":[\"203.0.113.9\",\"203.0.113.10\"],\"time_first\":1433116800,"
	 "\"time_last\":1433203200,\"count\":12,\"bailiwick\":\"example.\"}\n"
	 "{\"rrname\":\"b.example.\",\"rrtype\":\"NS\",\"rdata\":[\"ns.c.example.\"],\"zone_time_first\":1433116800,"
	 "\"zone_time_last\":1433116800,\"count\":1}\n", NULL},
	{0},
};

static const struct output cof = {
	.name = "cof",
	.summary = "passive DNS that partners gave, as dnsdbq and other tools read it",
	.reference = "draft-dulaunoy-dnsop-passive-dns-cof; DNSDB's API",
	.media_type = "application/x-ndjson",
	.extension = "jsonl",
	.kinds = KIND_MASK(EVENT_RECORD_IMPORTED),
	.event = event,
	.specimens = specimens,
};
OUTPUT(cof);
