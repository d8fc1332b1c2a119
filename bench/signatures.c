/*
 * What the signatures cost: nanoseconds a packet for all rules of tools, and for one payload.
 *
 *   make build/plain/program/bench/signatures && build/plain/program/bench/signatures FILE…
 */
#include "passive/telescope/signatures.h"
#include <stdlib.h>
#include <time.h>

#define ROUNDS 400000
#define BATCHES 256 /* 8,192 packets, so that no branch is learnt by heart */

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void add_file(struct signatures *s, const char *path)
{
	static uint8_t text[SIGNATURE_FILE_MAX];
	struct fault fault = {0};
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(text, 1, sizeof text, f) : 0;
	if (!f || signatures_add(s, (struct bytes){text, n}, path, &fault)) {
		fprintf(stderr, "%s\n", f ? fault.text : path);
		exit(1);
	}
	fclose(f);
}

/* SYNs as dark traffic has them: half of them look like a tool in most of their values. */
static void batch_fill(struct packet_batch *b)
{
	static const uint32_t windows[] = {1024, 1025, 65535, 64240, 29200, 14600, 65535, 1024};
	static const uint32_t layouts[] = {0, 0, 0x30000000, 0x35724000};
	memset(b, 0, sizeof *b);
	b->count = PACKET_BATCH;
	for (unsigned i = 0; i < PACKET_BATCH; i++) {
		unsigned any = (unsigned)rand();
		b->time_us[i] = 1790000000000000ull;
		b->column[COLUMN_VERSION][i] = 4;
		b->column[COLUMN_PROTO][i] = 6;
		b->column[COLUMN_LENGTH][i] = 40;
		b->column[COLUMN_FLAGS][i] = (any & 15) ? 2 : 18;
		b->column[COLUMN_IPID][i] = any >> 8 & 0xffff;
		b->column[COLUMN_WINDOW][i] = windows[any & 7];
		b->column[COLUMN_TTL][i] = 40 + (any >> 4 & 15) * 13;
		b->column[COLUMN_OPTIONS][i] = layouts[any >> 3 & 3];
		b->column[COLUMN_MSS][i] = layouts[any >> 3 & 3] ? 1460 : 0;
		b->column[COLUMN_WSCALE][i] = NO_WSCALE;
		b->column[COLUMN_SEQ][i] = (uint32_t)rand() * 3;
		b->column[COLUMN_DST][i] = 0xc6330000 | (unsigned)(rand() & 0xffff);
		b->column[COLUMN_DPORT][i] = (unsigned)rand() & 0xffff;
		b->column[COLUMN_SPORT][i] = (unsigned)rand() & 0xffff;
		b->column[COLUMN_PAIR][i] = any >> 9 & 1;
		b->column[COLUMN_LAST_SEQ][i] = (uint32_t)rand() * 3;
		b->column[COLUMN_LAST_DST][i] = 0xc6330000;
	}
}

/* As the telescope does it: the columns have just been written, each time with other packets. */
static double rounds_ns(const struct signatures *s, const struct packet_batch *batches, unsigned long *hits)
{
	static struct packet_batch b;
	uint8_t rule[PACKET_BATCH] = {0};
	double begin = now_ns();
	b = batches[0];
	for (unsigned r = 0; r < ROUNDS; r++) {
		memcpy(b.column, batches[r % BATCHES].column, sizeof b.column);
		__asm__ volatile("" : : "r"(&b) : "memory");
		if (s)
			signatures_match(s, &b, rule);
		*hits += rule[r % PACKET_BATCH] != 0;
	}
	return (now_ns() - begin) / ROUNDS / PACKET_BATCH;
}

static void tools_time(const struct signatures *s)
{
	static struct packet_batch batches[BATCHES];
	unsigned long hits = 0;
	for (unsigned i = 0; i < BATCHES; i++)
		batch_fill(&batches[i]);
	double written = rounds_ns(NULL, batches, &hits), both = rounds_ns(s, batches, &hits);
	printf("%u rules of tools: %.2f ns a packet (%lu of %u match)\n", signatures_rules(s), both - written, hits,
	       ROUNDS);
}

static void payload_time(const struct signatures *s, uint8_t proto, uint16_t port, struct bytes payload)
{
	unsigned found = 0, rounds = ROUNDS * 4;
	double begin = now_ns();
	for (unsigned r = 0; r < rounds; r++)
		found = signatures_payload(s, proto, port, payload);
	const char *name = signatures_payload_name(s, found);
	printf("payload to %s %u: %.1f ns (%s)\n", proto == 6 ? "tcp" : "udp", port, (now_ns() - begin) / rounds,
	       name ? name : "unknown");
}

int main(int argc, char **argv)
{
	struct signatures *s;
	if (signatures_open(&s))
		return 1;
	for (int i = 1; i < argc; i++)
		add_file(s, argv[i]);
	tools_time(s);
	uint8_t noise[600];
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(rand() >> 4);
	payload_time(s, 17, 123, (struct bytes){(const uint8_t *)"\x17\x00\x03\x2a\0\0\0\0", 8});
	payload_time(s, 6, 8080, BYTES("GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n"));
	payload_time(s, 17, 40000, (struct bytes){noise, sizeof noise});
	payload_time(s, 6, 40000, (struct bytes){noise, sizeof noise});
	signatures_close(s);
	return 0;
}
