/*
 * FlowTuple 3, CAIDA's Avro records of dark traffic: one for each account of packets.
 *
 * corsaro counts tuples of one packet's properties in a minute; our accounts hold a source, a port and flags over an
 * interval, so what an account does not know is 0: source port, length, window, and the destination unless there was one
 * and the recipient may see it.  `time` is the minute of the first packet.  `is_spoofed` and `is_masscan` are our own
 * verdicts (class and tool).  IPv4 only, as the format; continents and countries that nobody looked up are "??".
 *
 * The container (Avro 1.11, object container files) is written here, since the library draws its sync marker at
 * random and an export must come out the same again.
 */
#include "share/output.h"
#include <openssl/sha.h>
#include <stdlib.h>
#include <zlib.h>

#define BLOCK_BYTES (192u << 10)
#define RECORD_BYTES_MAX 160
#define SYNC_BYTES 16
#define MINUTE_US 60000000u

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMP6 = 58 };

static const char schema[] =
	"{\"type\":\"record\",\"namespace\":\"org.caida.corsaro\",\"name\":\"flowtuple\",\"fields\":["
	"{\"name\":\"time\",\"type\":\"long\"},{\"name\":\"src_ip\",\"type\":\"long\"},"
	"{\"name\":\"dst_ip\",\"type\":\"long\"},{\"name\":\"src_port\",\"type\":\"int\"},"
	"{\"name\":\"dst_port\",\"type\":\"int\"},{\"name\":\"protocol\",\"type\":\"int\"},"
	"{\"name\":\"ttl\",\"type\":\"int\"},{\"name\":\"tcp_flags\",\"type\":\"int\"},"
	"{\"name\":\"ip_len\",\"type\":\"int\"},{\"name\":\"tcp_synlen\",\"type\":\"int\"},"
	"{\"name\":\"tcp_synwinlen\",\"type\":\"int\"},{\"name\":\"packet_cnt\",\"type\":\"long\"},"
	"{\"name\":\"is_spoofed\",\"type\":\"int\"},{\"name\":\"is_masscan\",\"type\":\"int\"},"
	"{\"name\":\"maxmind_continent\",\"type\":\"string\"},{\"name\":\"maxmind_country\",\"type\":\"string\"},"
	"{\"name\":\"netacq_continent\",\"type\":\"string\"},{\"name\":\"netacq_country\",\"type\":\"string\"},"
	"{\"name\":\"prefix2asn\",\"type\":\"long\"}]}";

struct flowtuple {
	uint8_t sync[SYNC_BYTES];
	uint64_t records; /* of the block */
	size_t used;
	uint8_t block[BLOCK_BYTES];
};

/* Avro's variable-length zig-zag numbers; none of ours is negative. */
static void write_avro(struct writer *w, uint64_t v)
{
	for (v <<= 1; v > 127; v >>= 7)
		write_u8(w, (uint8_t)(v | 128));
	write_u8(w, (uint8_t)v);
}

static void write_avro_text(struct writer *w, const char *text)
{
	write_avro(w, strlen(text));
	write_text(w, text);
}

static int begin(struct output_run *run)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char of[512];
	const struct output_about *about = output_about(run);
	struct flowtuple *f = *output_state(run) = calloc(1, sizeof *f);
	struct writer w = output_room(run, sizeof schema + 256);
	if (!f)
		return output_fail(run, ERR_MEMORY, "no memory for a block");
	snprintf(of, sizeof of, "%s %llu", about->collection, (unsigned long long)about->from_us);
	SHA256((const uint8_t *)of, strlen(of), digest);
	memcpy(f->sync, digest, SYNC_BYTES);
	write_span(&w, BYTES("Obj\x01"));
	write_avro(&w, 2);
	write_avro_text(&w, "avro.schema");
	write_avro_text(&w, schema);
	write_avro_text(&w, "avro.codec");
	write_avro_text(&w, "deflate");
	write_avro(&w, 0);
	write_bytes(&w, f->sync, SYNC_BYTES);
	return output_wrote(run, &w);
}

static int write_block(struct output_run *run, struct flowtuple *f)
{
	z_stream z = {.next_in = f->block, .avail_in = (unsigned)f->used};
	if (!f->records)
		return 0;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return output_fail(run, ERR_MEMORY, "no memory to pack a block");
	size_t bound = deflateBound(&z, z.avail_in);
	uint8_t *packed = arena_alloc(output_arena(run), bound);
	z.next_out = packed;
	z.avail_out = packed ? (unsigned)bound : 0;
	bool packed_all = packed && deflate(&z, Z_FINISH) == Z_STREAM_END;
	deflateEnd(&z);
	if (!packed_all)
		return output_fail(run, ERR_MEMORY, "a block could not be packed");
	struct writer w = output_room(run, bound + 64);
	write_avro(&w, f->records);
	write_avro(&w, z.total_out);
	write_bytes(&w, packed, z.total_out);
	write_bytes(&w, f->sync, SYNC_BYTES);
	f->records = f->used = 0;
	return output_wrote(run, &w);
}

static unsigned proto_number(struct bytes proto)
{
	uint64_t number = 0;
	if (bytes_equal_text(proto, "tcp"))
		return PROTO_TCP;
	if (bytes_equal_text(proto, "udp"))
		return PROTO_UDP;
	if (bytes_equal_text(proto, "icmp"))
		return PROTO_ICMP;
	if (bytes_equal_text(proto, "icmp6"))
		return PROTO_ICMP6;
	return bytes_number(proto, 255, &number) ? (unsigned)number : 0;
}

static uint32_t v4_of(const struct event *e, uint16_t field)
{
	struct address a;
	return event_address(e, field, &a) && address_is_v4(&a) ? address_to_v4(&a) : 0;
}

static int event(struct output_run *run, const struct event *e)
{
	struct flowtuple *f = *output_state(run);
	struct address src;
	if (!event_address(e, FIELD_SRC, &src) || !address_is_v4(&src))
		return output_skip(run);
	struct writer w = writer_of(f->block + f->used, sizeof f->block - f->used);
	uint64_t first = event_number(e, FIELD_FLOW_FIRST, e->time_us);
	uint64_t packets = event_number(e, FIELD_FLOW_PACKETS, 1), bytes = event_number(e, FIELD_FLOW_BYTES, 0);
	bool even = packets && bytes % packets == 0; /* all of one length, most likely */
	const uint64_t numbers[] = {
		first / MINUTE_US * 60, address_to_v4(&src), v4_of(e, FIELD_DST), event_number(e, FIELD_SPORT, 0) & 0xffff,
		event_number(e, FIELD_DPORT, 0) & 0xffff, proto_number(event_bytes(e, FIELD_PROTO)),
		event_number(e, FIELD_FLOW_TTL_MAX, 0) & 0xff, event_number(e, FIELD_FLOW_FLAGS, 0) & 0xff,
		even ? bytes / packets & 0xffff : 0, 0, 0, packets & INT64_MAX,
		bytes_equal_text(event_bytes(e, FIELD_FLOW_CLASS), "spoofed"),
		bytes_start_with(event_bytes(e, FIELD_TOOL), "masscan"),
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		write_avro(&w, numbers[i]);
	for (int i = 0; i < 4; i++)
		write_avro_text(&w, "??");
	write_avro(&w, 0);
	f->used += writer_used(&w);
	f->records++;
	return sizeof f->block - f->used < RECORD_BYTES_MAX ? write_block(run, f) : 0;
}

static int end(struct output_run *run) { return write_block(run, *output_state(run)); }

static const struct output_specimen specimens[] = {
	{"a scan of one port",
	 "{\"kind\":\"flow.counted\",\"time\":\"2015-06-01T00:01:40Z\",\"src\":\"203.0.113.9\",\"dst\":\"192.0.2.1\","
	 "\"proto\":\"tcp\",\"dport\":23,\"flow.first\":\"2015-06-01T00:00:59Z\",\"flow.packets\":3,\"flow.bytes\":120,"
	 "\"flow.flags\":2,\"flow.ttl.max\":48}\n"
	 "{\"kind\":\"flow.counted\",\"src\":\"2001:db8::9\",\"proto\":\"tcp\",\"dport\":23}\n",
	 NULL, NULL},
	{0},
};

static const struct output flowtuple = {
	.name = "flowtuple",
	.summary = "accounts of dark traffic as FlowTuple 3 in Avro",
	.reference = "CAIDA's corsaro 3, org.caida.corsaro.flowtuple; Avro 1.11",
	.media_type = "application/vnd.apache.avro",
	.extension = "avro",
	.kinds = KIND_MASK(EVENT_FLOW_COUNTED),
	.begin = begin,
	.event = event,
	.end = end,
	.specimens = specimens,
};
OUTPUT(flowtuple);
