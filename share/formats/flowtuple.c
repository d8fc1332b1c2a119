/*
 * FlowTuple of CAIDA's telescope, versions 3 and 4, in Avro: packets of a minute by source, port and protocol.
 *
 * Version 3 has a record for each combination of all its fields, version 4 one for each source, /24 of the telescope
 * and port, with what is most common of the rest.  Fields are found by the names in the file's own schema, so that the
 * variants of both (with MaxMind's or Digital Element's countries, or none) are read alike.  Addresses are numbers;
 * the type and code of ICMP stand in the ports: in the destination's both, in version 4.
 */
#include "share/reading/avro_inner.h"
#include "share/format.h"
#include "share/reading/words_inner.h"

FIELD(field_net, "flowtuple.network", ADDRESS, 0, "the /24 of the telescope that was met");
FIELD(field_spoofed, "flowtuple.spoofed", NUMBER, 0, "packets that look forged");
FIELD(field_masscan, "flowtuple.masscan", NUMBER, 0, "packets that look like masscan's");
FIELD(field_syn_length, "flowtuple.syn_length", NUMBER, 0, "length of the first SYN");
FIELD(field_syn_window, "flowtuple.syn_window", NUMBER, 0, "window of the first SYN");

#define CONFIDENCE_SEEN 90
#define MINUTE_US UINT64_C(60000000)
#define TEXT_BYTES 128

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17 };

enum place {
	TIME, SOURCE, TARGET, NETWORK, SOURCE_PORT, PORT, PROTO, TTL, TTLS, FLAGS, FLAG_SETS, SYN_LENGTH, SYN_WINDOW, PACKETS, TARGETS,
	SPOOFED, MASSCAN, SPOOFED_PACKETS, MASSCAN_PACKETS, COUNTRY, COUNTRY_OTHER, AS, LENGTH, PLACES
};

static const struct { const char *name; enum place place; } words[] = {
	{"time", TIME}, {"src_ip", SOURCE}, {"dst_ip", TARGET}, {"dst_net", NETWORK}, {"src_port", SOURCE_PORT}, {"dst_port", PORT},
	{"protocol", PROTO}, {"ttl", TTL}, {"common_ttls", TTLS}, {"tcp_flags", FLAGS}, {"common_tcpflags", FLAG_SETS},
	{"tcp_synlen", SYN_LENGTH}, {"first_syn_length", SYN_LENGTH}, {"tcp_synwinlen", SYN_WINDOW}, {"first_tcp_rwin", SYN_WINDOW},
	{"packet_cnt", PACKETS}, {"uniq_dst_ips", TARGETS}, {"is_spoofed", SPOOFED}, {"is_masscan", MASSCAN},
	{"spoofed_packet_cnt", SPOOFED_PACKETS}, {"masscan_packet_cnt", MASSCAN_PACKETS}, {"maxmind_country", COUNTRY},
	{"netacq_country", COUNTRY_OTHER}, {"prefix2asn", AS}, {"ip_len", LENGTH},
};

static bool has(const struct avro_value *v) { return v->is == AVRO_NUMBER || v->is == AVRO_NUMBERS; }

static bool whole(const struct avro_value *v, int64_t max, uint64_t *out)
{
	*out = (uint64_t)v->number;
	return has(v) && v->number >= 0 && v->number <= max;
}

static void add(struct record *r, uint16_t field, const struct avro_value *v, int64_t max)
{
	uint64_t number;
	if (whole(v, max, &number) && number)
		record_number(r, field, number);
}

/* "??" is nobody's. */
static void add_country(struct record *r, const struct avro_value *places)
{
	const enum place order[] = {COUNTRY, COUNTRY_OTHER};
	for (size_t i = 0; i < 2; i++) {
		const struct avro_value *v = &places[order[i]];
		if (v->is == AVRO_BYTES && v->bytes.len == 2 && v->bytes.at[0] != '?') {
			record_bytes(r, word_country, v->bytes);
			return;
		}
	}
}

static void add_ports(struct record *r, const struct avro_value *places, uint64_t proto)
{
	uint64_t sport = 0, port = 0;
	const bool has_sport = whole(&places[SOURCE_PORT], UINT16_MAX, &sport);
	whole(&places[PORT], UINT16_MAX, &port);
	if (proto == PROTO_ICMP && !has_sport) {
		sport = port >> 8;
		port &= 255;
	}
	r->port = (uint32_t)port;
	record_text(r, FIELD_PROTO, proto == PROTO_TCP ? "tcp" : proto == PROTO_UDP ? "udp" : proto == PROTO_ICMP ? "icmp" : NULL);
	if (has_sport || proto == PROTO_ICMP)
		record_number(r, FIELD_SPORT, sport);
}

static void add_ttls(struct record *r, const struct avro_value *places)
{
	const struct avro_value *v = has(&places[TTL]) ? &places[TTL] : &places[TTLS];
	const int64_t least = v->is == AVRO_NUMBERS ? v->least : v->number, most = v->is == AVRO_NUMBERS ? v->most : v->number;
	if (!has(v) || least < 0 || most > UINT8_MAX)
		return;
	record_number(r, FIELD_FLOW_TTL_MIN, (uint64_t)least);
	record_number(r, FIELD_FLOW_TTL_MAX, (uint64_t)most);
}

static void add_marks(struct record *r, const struct avro_value *places)
{
	add(r, field_spoofed, &places[SPOOFED_PACKETS], INT64_MAX);
	add(r, field_masscan, &places[MASSCAN_PACKETS], INT64_MAX);
	if (has(&places[SPOOFED]) && places[SPOOFED].number)
		add(r, field_spoofed, &places[PACKETS], INT64_MAX);
	if (has(&places[MASSCAN]) && places[MASSCAN].number)
		add(r, field_masscan, &places[PACKETS], INT64_MAX);
}

/* What tells one tuple of a minute from the next of the same source. */
static struct bytes key_of(const struct avro_value *places, uint8_t room[TEXT_BYTES])
{
	static const enum place parts[] = {TARGET, NETWORK, SOURCE_PORT, PORT, PROTO, TTL, FLAGS, LENGTH};
	struct writer w = writer_of(room, TEXT_BYTES);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		write_fmt(&w, "%llx.", (unsigned long long)places[parts[i]].number);
	return writer_bytes(&w);
}

static void take(struct intake *in, const struct avro_value *places)
{
	struct record r = {.type = "address", .kind = "flow.counted", .confidence = CONFIDENCE_SEEN, .has_address = true};
	char text[ADDRESS_TEXT_MAX];
	uint8_t key[TEXT_BYTES];
	uint64_t source, target, proto, time, packets, length;
	if (!whole(&places[SOURCE], UINT32_MAX, &source) || !whole(&places[TIME], UINT32_MAX, &time) ||
	    !whole(&places[PROTO], UINT8_MAX, &proto)) {
		intake_bad(in, "a tuple has no source, time or protocol");
		return;
	}
	r.address = address_v4((uint32_t)source);
	r.value = bytes_of_text(address_format(&r.address, text));
	r.time_us = time * 1000000 + MINUTE_US; /* of the last packet, at the latest */
	r.version = key_of(places, key);
	add_ports(&r, places, proto);
	record_number(&r, FIELD_FLOW_FIRST, time * 1000000);
	add(&r, FIELD_FLOW_PACKETS, &places[PACKETS], INT64_MAX);
	if (whole(&places[LENGTH], UINT16_MAX, &length) && whole(&places[PACKETS], UINT32_MAX, &packets))
		record_number(&r, FIELD_FLOW_BYTES, length * packets);
	add(&r, FIELD_FLOW_FLAGS, has(&places[FLAGS]) ? &places[FLAGS] : &places[FLAG_SETS], UINT8_MAX);
	add_ttls(&r, places);
	if (whole(&places[TARGET], UINT32_MAX, &target)) {
		const struct address dst = address_v4((uint32_t)target);
		record_address(&r, FIELD_DST, &dst);
		record_number(&r, FIELD_FLOW_DESTINATIONS, 1);
	}
	if (whole(&places[NETWORK], UINT32_MAX, &target)) {
		const struct address net = address_v4((uint32_t)target & ~UINT32_C(255));
		record_address(&r, field_net, &net);
		add(&r, FIELD_FLOW_DESTINATIONS, &places[TARGETS], UINT32_MAX);
	}
	add_marks(&r, places);
	add(&r, field_syn_length, &places[SYN_LENGTH], UINT16_MAX);
	add(&r, field_syn_window, &places[SYN_WINDOW], UINT16_MAX);
	add_country(&r, places);
	add(&r, word_as, &places[AS], UINT32_MAX);
	intake_record(in, &r);
}

/* The place of each field of the file; PLACES: nothing of ours.  False: it is no FlowTuple. */
static bool find_places(const struct avro *a, uint8_t place_of[AVRO_FIELDS_MAX])
{
	bool there[PLACES] = {0};
	for (size_t i = 0; i < avro_fields(a); i++) {
		place_of[i] = PLACES;
		for (size_t w = 0; w < sizeof words / sizeof *words; w++)
			if (!strcmp(words[w].name, avro_field(a, i)))
				place_of[i] = (uint8_t)words[w].place;
		if (place_of[i] < PLACES)
			there[place_of[i]] = true;
	}
	return there[SOURCE] && there[TIME] && there[PROTO] && there[PACKETS];
}

static void take_all(struct intake *in, struct avro *a)
{
	static const struct avro_value nothing[PLACES];
	uint8_t place_of[AVRO_FIELDS_MAX];
	struct avro_value values[AVRO_FIELDS_MAX], places[PLACES + 1];
	struct fault fault = {0};
	int more;
	if (!find_places(a, place_of)) {
		intake_bad(in, "its records (%.60s) are no FlowTuple: src_ip, time, protocol and packet_cnt are missing", avro_schema(a));
		return;
	}
	while ((more = avro_next(a, values, &fault)) > 0) {
		memcpy(places, nothing, sizeof nothing);
		for (size_t i = 0; i < avro_fields(a); i++)
			places[place_of[i]] = values[i];
		take(in, places);
	}
	if (more < 0)
		intake_bad(in, "%s", fault.text);
}

static void file(struct intake *in, int fd)
{
	struct avro *a;
	struct fault fault = {0};
	if (avro_open(&a, fd, &fault)) {
		intake_bad(in, "%s", fault.text);
		return;
	}
	take_all(in, a);
	avro_close(a);
}

#define LONG(name) "{\"name\":\"" name "\",\"type\":\"long\"}"
#define LONGS(name) "{\"name\":\"" name "\",\"type\":{\"type\":\"array\",\"items\":\"long\"}}"
#define SCHEMA_3 "{\"type\":\"record\",\"name\":\"flowtuple\",\"fields\":[" LONG("time") "," LONG("src_ip") "," LONG("dst_ip") "," \
	LONG("src_port") "," LONG("dst_port") "," LONG("protocol") "," LONG("ttl") "," LONG("packet_cnt") "," \
	"{\"name\":\"netacq_country\",\"type\":\"string\"}]}"
#define SCHEMA_4 "{\"type\":\"record\",\"name\":\"flowtuple4\",\"fields\":[" LONG("time") "," LONG("src_ip") "," LONG("dst_net") "," \
	LONG("dst_port") "," LONG("protocol") "," LONG("packet_cnt") "," LONG("uniq_dst_ips") "," LONGS("common_ttls") "]}"
#define SYNC "0123456789abcdef"

static const struct format_specimen specimens[] = {
	/* A header of one pair, without a codec; a block of one record; the second as if it were cut. */
	{"version 3, plain",
	 BYTES("Obj\001\002\026avro.schema\274\005" SCHEMA_3 "\000" SYNC
	       "\002\064"
	       "\240\376\353\326\012\222\304\203\260\031\232\211\200\200\030\316\111\372\006\014\336\001\006\004"
	       "\112\120"
	       SYNC "\002\004"),
	 "address 203.0.113.9\n  kind flow.counted\n  time 2015-06-02T10:05:00.000000Z\n  port 445\n  sport 4711\n  proto tcp\n"
	 "  flow.first 2015-06-02T10:04:00.000000Z\n  flow.packets 3\n  dst 192.0.2.77\n  flow.destinations 1\n  flow.ttl.min 111\n"
	 "  flow.ttl.max 111\n  record.country JP\nbad it is no Avro file: it is cut within a block\n"},
	{"version 4, packed by snappy: type and code of ICMP in one port",
	 BYTES("Obj\001\004\026avro.schema\266\005" SCHEMA_4 "\024avro.codec\014snappy\000" SYNC
	       "\002\076"
	       "\031\140\240\376\353\326\012\222\304\203\260\031\200\210\200\200\030\200\040\002\120\016\004\144"
	       "\336\001\000\320\343\374\265"
	       SYNC),
	 "address 203.0.113.9\n  sport 8\n  proto icmp\n  flow.packets 40\n  flow.destinations 7\n  flow.ttl.min 50\n"
	 "  flow.ttl.max 111\n  flowtuple.network 192.0.2.0\n"},
	{"what is none", BYTES("Obj\2"), "bad it is no Avro file: its first bytes\n"},
	{0},
};

static const struct format flowtuple = {
	.name = "flowtuple",
	.summary = "FlowTuple of CAIDA's telescope, versions 3 and 4",
	.reference = "CAIDA, Corsaro 3: FlowTuple; Apache Avro 1.11, object container files",
	.shape = FORMAT_FILE,
	.file = file,
	.specimens = specimens,
};
FORMAT(flowtuple);
