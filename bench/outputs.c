/*
 * What outputs cost: events and megabytes a CPU-second, of two accounts of dark traffic and one log-in in three.
 *
 *   make build/plain/program/bench/outputs && build/plain/program/bench/outputs [EVENTS [LINES]]
 *
 * LINES: a file for the same events as JSON lines, for a peer to read; how fast we read them is said, too.
 */
#include "share/output.h"
#include <stdlib.h>
#include <time.h>

#define EVENTS 300000
#define DIFFERENT 8192
#define FIRST_US UINT64_C(1433116800000000)

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make(struct event *e, unsigned i)
{
	struct address src = address_v4(0xcb000000u | ((unsigned)rand() & 0xffffff));
	event_begin(e, i % 3 ? EVENT_FLOW_COUNTED : EVENT_LOGIN_TRIED);
	e->time_us = FIRST_US + i * 1000003u;
	for (size_t b = 0; b < sizeof e->id.b; b++)
		e->id.b[b] = (uint8_t)rand();
	event_set_address(e, FIELD_SRC, &src);
	event_set_text(e, FIELD_PROTO, "tcp");
	event_set_number(e, FIELD_DPORT, i % 5 ? 23 : 445);
	if (e->kind == EVENT_LOGIN_TRIED) {
		event_set_number(e, FIELD_SPORT, (unsigned)rand() & 0xffff);
		event_set_text(e, FIELD_SERVICE, "telnet");
		event_set_bytes(e, FIELD_LOGIN_USER, BYTES("root"));
		event_set_bool(e, FIELD_LOGIN_ACCEPTED, false);
		event_set_id(e, FIELD_SESSION, &e->id);
		return;
	}
	event_set_number(e, FIELD_FLOW_FIRST, e->time_us - 40000000);
	event_set_number(e, FIELD_FLOW_PACKETS, 1 + (unsigned)rand() % 9);
	event_set_number(e, FIELD_FLOW_BYTES, 40 + (unsigned)rand() % 400);
	event_set_number(e, FIELD_FLOW_FLAGS, 2);
	event_set_number(e, FIELD_FLOW_TTL_MAX, 30 + (unsigned)rand() % 90);
	event_set_text(e, FIELD_FLOW_CLASS, "scan");
	event_set_text(e, FIELD_FLOW_JA4T, "1024_00_00_00");
}

static int sink(void *arg, struct bytes b)
{
	*(size_t *)arg += b.len;
	return 0;
}

static void run(const struct output *o, const struct event *events, unsigned count)
{
	const struct output_about about = {.collection = "bench", .title = "Bench", .producer = "bench", .marking = "GREEN",
					   .from_us = FIRST_US, .to_us = FIRST_US + UINT64_C(1000000000000)};
	struct output_run *one;
	struct fault fault = {0};
	size_t bytes = 0;
	double begun = cpu_s();
	int bad = output_open(&one, o, &about, sink, &bytes, &fault);
	for (unsigned i = 0; i < count && !bad; i++)
		bad = output_event(one, &events[i % DIFFERENT]);
	unsigned long long written = bad ? 0 : output_written(one);
	if (bad || output_close(one, true, &fault)) {
		printf("%-12s failed: %s\n", o->name, fault.text);
		return;
	}
	double s = cpu_s() - begun;
	printf("%-12s %9.0f events/s %8.1f MB/s %9.1f bytes an event\n", o->name, (double)written / s, (double)bytes / s / 1e6,
	       written ? (double)bytes / (double)written : 0);
}

static int to_file(void *arg, struct bytes b) { return fwrite(b.at, 1, b.len, arg) == b.len ? 0 : ERR_SYSTEM; }

static void write_lines(const char *path, const struct event *events, unsigned count)
{
	const struct output_about about = {.collection = "bench"};
	struct output_run *one;
	FILE *f = fopen(path, "wbe");
	if (!f || output_open(&one, output_find("jsonl"), &about, to_file, f, NULL))
		return;
	for (unsigned i = 0; i < count; i++)
		output_event(one, &events[i % DIFFERENT]);
	output_close(one, true, NULL);
	fclose(f);
}

static void read_lines(const struct event *events, unsigned count)
{
	static uint8_t line[65536], room[65536];
	static struct event back;
	size_t bytes = 0;
	double spent = 0;
	for (unsigned i = 0; i < count; i++) {
		struct writer w = writer_of(line, sizeof line);
		event_write_json(&events[i % DIFFERENT], &w);
		double begun = cpu_s();
		if (output_read_event(writer_bytes(&w), room, &back, NULL))
			printf("an event does not come back\n");
		spent += cpu_s() - begun;
		bytes += writer_used(&w);
	}
	printf("%-12s %9.0f events/s %8.1f MB/s\n", "reading", count / spent, (double)bytes / spent / 1e6);
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : EVENTS;
	struct event *events = calloc(DIFFERENT, sizeof *events);
	if (!events || event_start(NULL))
		return 1;
	srand(1);
	for (unsigned i = 0; i < DIFFERENT; i++)
		make(&events[i], i);
	OUTPUTS_EACH(o)
		run(*o, events, count);
	if (argc > 2)
		write_lines(argv[2], events, count);
	read_lines(events, count / 10);
	free(events);
	return 0;
}
