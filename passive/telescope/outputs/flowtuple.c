/*
 * FlowTuple 3 as corsaro 3 writes it: an Avro file of records org.caida.corsaro.flowtuple, one for
 * each (source, destination, ports, protocol, TTL, TCP flags, length) of a minute of packet time.
 *
 * Fields mean what they mean to corsaro's readers: `is_spoofed` and `is_masscan` follow corsaro's
 * own rules for single packets and not our verdict, so that old and new files can be compared;
 * ICMP type and code stand in the ports; continents and countries that nobody looked up are "??"
 * (corsaroftmerge asserts two characters) and `prefix2asn` is 0.  IPv4 only, as the format.
 *
 * A minute's tuples are kept until the minute ends, or until there are TUPLES_MAX of them: then
 * they are written early, and a tuple that comes again in that minute has a second record.
 */
#include "base/random.h"
#include "passive/telescope/output.h"
#include <avro.h>
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#define TUPLES_MAX (1u << 20)
#define SLOTS (TUPLES_MAX * 2)
#define MINUTE_US 60000000u
#define BLOCK_BYTES (256u << 10)
#define RECORD_BYTES_MAX 128
#define ICMP 1
#define TCP 6
#define UDP 17

enum tcp_flag { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

static const char flowtuple_schema[] =
	"{\"type\":\"record\",\"namespace\":\"org.caida.corsaro\",\"name\":\"flowtuple\","
	"\"doc\":\"A Corsaro FlowTuple record. All byte fields are in network byte order.\",\"fields\":["
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

struct tuple {
	struct tuple_key {
		uint32_t src, dst;
		uint16_t sport, dport;
		uint8_t proto, ttl, flags, zero;
		uint16_t length, zeroes;
	} key;
	uint16_t syn_length, syn_window;
	bool spoofed, masscan;
	uint32_t slot;
	uint32_t packets;
};

struct flowtuple {
	const char *path;
	struct output_context context;
	FILE *file;
	avro_file_writer_t writer;
	uint64_t secret;       /* so that nobody can send tuples that collide */
	uint64_t minute;       /* of the tuples held */
	uint32_t count;
	struct tuple *tuples;  /* in the order in which they came */
	uint32_t *slots;       /* 1 + index into tuples, by hash; 0 is free */
	uint64_t records, early, v6;
};

/* Combinations that corsaro takes for normal; RST with ACK is none of them. */
static bool flags_normal(uint32_t flags)
{
	switch (flags & (FIN | SYN | RST | PSH | ACK | URG)) {
	case SYN:
	case ACK:
	case RST:
	case FIN:
	case SYN | FIN:
	case SYN | ACK:
	case FIN | ACK:
	case ACK | PSH:
	case FIN | ACK | PSH:
		return true;
	}
	return false;
}

/* Length of a TCP header without a look at it: what the IP header says less all else. */
static uint32_t tcp_header_length(const struct packet_batch *b, unsigned i)
{
	uint32_t rest = b->column[COLUMN_PAYLOAD][i] + 20 + b->shape[i].ip_options;
	return b->column[COLUMN_LENGTH][i] > rest ? b->column[COLUMN_LENGTH][i] - rest : 0;
}

/* corsaro's large-scale scan: high TTL, window 1024, no options, which is what masscan sent. */
static bool is_masscan(const struct packet_batch *b, unsigned i)
{
	return b->column[COLUMN_PROTO][i] == TCP && (b->column[COLUMN_FLAGS][i] & (SYN | ACK)) == SYN &&
	       b->column[COLUMN_TTL][i] >= 200 && b->column[COLUMN_WINDOW][i] == 1024 &&
	       b->column[COLUMN_OPTIONS][i] == 0 && tcp_header_length(b, i) == 20;
}

static bool is_spoofed(const struct packet_batch *b, unsigned i)
{
	uint32_t proto = b->column[COLUMN_PROTO][i], last = b->column[COLUMN_SRC][i] & 255;
	bool ports = proto == TCP || proto == UDP;
	if (proto == TCP && !flags_normal(b->column[COLUMN_FLAGS][i]))
		return true;
	if (!ports && proto != ICMP && proto != 41)
		return true;
	if (proto != ICMP && b->column[COLUMN_TTL][i] >= 200 && !is_masscan(b, i))
		return true;
	if (b->column[COLUMN_FRAGMENT][i] || last == 0 || last == 255)
		return true;
	if (b->column[COLUMN_SRC][i] == b->column[COLUMN_DST][i])
		return true;
	if (ports && (b->column[COLUMN_SPORT][i] == 0 || b->column[COLUMN_DPORT][i] == 0))
		return true;
	return proto == UDP && b->column[COLUMN_DPORT][i] == 80;
}

/* Avro's variable-length zig-zag numbers; none of ours is negative. */
static void write_avro_number(struct writer *w, uint64_t v)
{
	for (v <<= 1; v > 127; v >>= 7)
		write_u8(w, (uint8_t)(v | 128));
	write_u8(w, (uint8_t)v);
}

static void write_tuple(struct writer *w, const struct tuple *t, uint64_t minute)
{
	const uint64_t numbers[] = {
		minute * 60, t->key.src, t->key.dst, t->key.sport, t->key.dport, t->key.proto, t->key.ttl,
		t->key.flags, t->key.length, t->syn_length, t->syn_window, t->packets, t->spoofed, t->masscan,
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		write_avro_number(w, numbers[i]);
	for (int i = 0; i < 4; i++)
		write_span(w, BYTES("\x04??")); /* a string of two characters */
	write_avro_number(w, 0);
}

static int tuples_write(struct flowtuple *f, struct fault *fault)
{
	for (uint32_t i = 0; i < f->count; i++) {
		uint8_t room[RECORD_BYTES_MAX];
		struct writer w = writer_of(room, sizeof room);
		write_tuple(&w, &f->tuples[i], f->minute);
		f->slots[f->tuples[i].slot] = 0;
		errno = 0;
		if (avro_file_writer_append_encoded(f->writer, room, (int64_t)writer_used(&w)))
			return fault_set(fault, ERR_SYSTEM, "%s: %s", f->path,
					 errno ? strerror(errno) : avro_strerror());
	}
	f->records += f->count;
	f->count = 0;
	return 0;
}

static struct tuple *tuple_find(struct flowtuple *f, const struct tuple_key *key)
{
	uint32_t slot = (uint32_t)(XXH3_64bits_withSeed(key, sizeof *key, f->secret) % SLOTS);
	for (; f->slots[slot]; slot = (slot + 1) % SLOTS) {
		struct tuple *t = &f->tuples[f->slots[slot] - 1];
		if (!memcmp(&t->key, key, sizeof *key))
			return t;
	}
	struct tuple *t = &f->tuples[f->count++];
	f->slots[slot] = f->count;
	*t = (struct tuple){.key = *key, .slot = slot};
	return t;
}

static void packet_count(struct flowtuple *f, const struct packet_batch *b, unsigned i)
{
	const struct tuple_key key = {
		.src = b->column[COLUMN_SRC][i],
		.dst = b->column[COLUMN_DST][i],
		.sport = (uint16_t)b->column[COLUMN_SPORT][i],
		.dport = (uint16_t)b->column[COLUMN_DPORT][i],
		.proto = (uint8_t)b->column[COLUMN_PROTO][i],
		.ttl = (uint8_t)b->column[COLUMN_TTL][i],
		.flags = (uint8_t)b->column[COLUMN_FLAGS][i],
		.length = (uint16_t)b->column[COLUMN_LENGTH][i],
	};
	struct tuple *t = tuple_find(f, &key);
	if (t->packets++)
		return;
	t->spoofed = is_spoofed(b, i);
	t->masscan = is_masscan(b, i);
	if (key.proto == TCP && key.flags == SYN) {
		t->syn_length = (uint16_t)tcp_header_length(b, i);
		t->syn_window = (uint16_t)b->column[COLUMN_WINDOW][i];
	}
}

static int flowtuple_packets(void *state, const struct packet_batch *b, struct fault *fault)
{
	struct flowtuple *f = state;
	for (unsigned i = 0; i < b->count; i++) {
		if (b->column[COLUMN_VERSION][i] != 4) {
			f->v6++;
			continue;
		}
		uint64_t minute = b->time_us[i] / MINUTE_US;
		bool full = f->count == TUPLES_MAX;
		f->early += full && minute == f->minute;
		if (full || minute != f->minute) {
			int bad = tuples_write(f, fault);
			if (bad)
				return bad;
		}
		f->minute = minute;
		packet_count(f, b, i);
	}
	return 0;
}

static int flowtuple_begin(void *state, const struct output_context *context, struct fault *fault)
{
	struct flowtuple *f = state;
	avro_schema_t schema;
	f->context = *context;
	f->secret = random_secret();
	f->path = context->flag(context->arg, "flowtuple");
	f->tuples = malloc(TUPLES_MAX * sizeof *f->tuples);
	f->slots = calloc(SLOTS, sizeof *f->slots);
	if (!f->tuples || !f->slots)
		return fault_set(fault, ERR_MEMORY, "%s: no memory for the tuples of a minute", f->path);
	f->file = fopen(f->path, "wb");
	if (!f->file)
		return fault_set(fault, ERR_SYSTEM, "%s: %s", f->path, strerror(errno));
	if (avro_schema_from_json_length(flowtuple_schema, sizeof flowtuple_schema - 1, &schema))
		return fault_set(fault, ERR_SYSTEM, "%s: %s", f->path, avro_strerror());
	int bad = avro_file_writer_create_with_codec_fp(f->file, f->path, 0, schema, &f->writer, "deflate",
							BLOCK_BYTES);
	avro_schema_decref(schema);
	if (bad) {
		f->writer = NULL;
		return fault_set(fault, ERR_SYSTEM, "%s: %s", f->path, avro_strerror());
	}
	return 0;
}

static void flowtuple_notes(const struct flowtuple *f)
{
	char text[256];
	struct writer w = writer_of(text, sizeof text - 1);
	if (f->v6)
		write_fmt(&w, "%s: %llu packets of IPv6 are not in it, FlowTuple has IPv4 only", f->path,
			  (unsigned long long)f->v6);
	if (f->early)
		write_fmt(&w, "%s%s: %llu times more than %u tuples in a minute, which were written early",
			  f->v6 ? "; " : "", f->v6 ? "it" : f->path, (unsigned long long)f->early, TUPLES_MAX);
	*w.at = '\0';
	if (text[0])
		f->context.note(f->context.arg, text);
}

static int flowtuple_end(void *state, const struct reading_end *end, struct fault *fault)
{
	struct flowtuple *f = state;
	(void)end;
	int bad = tuples_write(f, fault);
	avro_file_writer_t writer = f->writer;
	f->writer = NULL;
	/* The library does not look at what flushing says, so the stream is asked itself. */
	errno = 0;
	bool failed = avro_file_writer_close(writer) != 0;
	failed |= fflush(f->file) != 0 || ferror(f->file);
	if (!bad && failed)
		bad = fault_set(fault, ERR_SYSTEM, "%s: %s", f->path, errno ? strerror(errno) : avro_strerror());
	if (!bad)
		flowtuple_notes(f);
	return bad;
}

static void flowtuple_close(void *state)
{
	struct flowtuple *f = state;
	if (f->writer)
		avro_file_writer_close(f->writer);
	if (f->file)
		fclose(f->file);
	free(f->tuples);
	free(f->slots);
}

static const struct output flowtuple = {
	.name = "flowtuple",
	.summary = "FlowTuple 3 of corsaro, an Avro file with a record for each 5-tuple and minute",
	.flags = {{"flowtuple", "FILE", "also write CAIDA's FlowTuple 3 (Avro, deflate), a record a 5-tuple and minute"}},
	.state_size = sizeof(struct flowtuple),
	.begin = flowtuple_begin,
	.packets = flowtuple_packets,
	.end = flowtuple_end,
	.close = flowtuple_close,
};
OUTPUT(flowtuple);
