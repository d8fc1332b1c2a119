/*
 * Any bytes as a sequence of frames, clock ticks and steps of time: whatever comes, what the
 * records say adds up to what was taken.  The memory is so short that accounts end early.
 */
#include "base/place.h"
#include "passive/telescope/accounts/accounts_inner.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define START (UINT64_C(1700000000) * 1000000)
#define FRAME_MOST 160

struct told {
	uint64_t packets, bytes, records, sources, source_packets, findings;
};

static void require(bool right)
{
	if (!right)
		abort();
}

static void take_record(void *arg, const struct record *r)
{
	struct told *told = arg;
	told->packets += r->packets;
	told->bytes += r->bytes;
	told->records++;
	require(r->packets && r->destinations && r->first_us <= r->last_us && r->ttl_min <= r->ttl_max);
	require(r->packets > DESTINATIONS_EXACT || r->destinations <= r->packets);
	require(r->class < TRAFFIC_CLASSES && r->end < RECORD_ENDS && (r->tool_number == 0) == (r->tool == NULL));
	require(r->payload.len <= PAYLOAD_SAMPLE && (!r->shape || r->shape->option_count <= SHAPE_OPTIONS_MAX));
	require(!r->destination_known || r->destinations == 1);
}

static void take_finding(void *arg, const struct finding *f)
{
	struct told *told = arg;
	told->findings++;
	require(f->kind <= FINDING_FLOOD && f->packets && f->count && f->rate >= 0 && f->internet_rate >= 0);
}

static void take_source(void *arg, const struct source_sum *s)
{
	struct told *told = arg;
	told->sources++;
	told->source_packets += s->packets;
	require(s->packets && s->records && s->hosts && s->first_us <= s->last_us);
}

static struct signatures *shipped(void)
{
	static char text[SIGNATURE_FILE_MAX];
	char path[PLACE_PATH_MAX + 32];
	struct signatures *s;
	struct fault fault;
	if (signatures_open(&s) < 0 || place_find("fingerprints/telescope", path) < 0)
		return NULL;
	snprintf(path + strlen(path), 32, "/tools.yaml");
	FILE *f = fopen(path, "r");
	if (!f)
		return NULL;
	size_t n = fread(text, 1, sizeof text, f);
	fclose(f);
	require(signatures_add(s, (struct bytes){(const uint8_t *)text, n}, path, &fault) == 0);
	return s;
}

/* A frame of a few bytes of input: few sources, destinations and ports, so that they meet. */
static size_t small_frame(struct reader *r, uint8_t frame[FRAME_MOST])
{
	static const uint8_t protos[] = {6, 6, 6, 17, 17, 1, 47, 58};
	struct writer w = writer_of(frame, FRAME_MOST);
	uint8_t what = read_u8(r), proto = protos[what & 7];
	write_zero(&w, 12);
	write_u16(&w, 0x0800);
	write_u16(&w, 0x4500);
	write_u16(&w, 20 + 20 + (what >> 3 & 3));
	write_u16(&w, what & 0x40 ? 54321 : read_u8(r));
	write_u16(&w, what & 0x80 ? read_u8(r) : 0);
	write_u8(&w, what & 0x20 ? read_u8(r) : 64);
	write_u8(&w, proto);
	write_u16(&w, 0);
	write_u32(&w, 0x0a000000u + read_u16(r) % 1021);
	write_u32(&w, 0xc0000200u + read_u8(r));
	if (proto == 6 || proto == 17) {
		write_u16(&w, 50 + read_u8(r) % 8);
		write_u16(&w, read_u8(r));
	} else {
		write_u16(&w, read_u16(r));
		write_u16(&w, 0);
	}
	write_u16(&w, proto == 17 ? 20 : read_u8(r));
	write_u16(&w, read_u8(r));
	write_u32(&w, 0);
	write_u8(&w, 0x50);
	write_u8(&w, proto == 6 ? read_u8(r) : 0);
	write_u16(&w, 1024);
	write_u32(&w, 0);
	write_u32(&w, 0x61626364);
	return reader_ok(r) ? writer_used(&w) : 0;
}

static uint64_t step(struct reader *r, uint64_t now_us)
{
	uint8_t what = read_u8(r);
	if (what < 0xe0)
		return now_us + what * UINT64_C(10000);
	if (what < 0xf0)
		return now_us + (what & 15) * UINT64_C(60000000);
	return what < 0xff ? now_us - (what & 15) * UINT64_C(100000000) : read_u64(r);
}

static void feed(struct telescope *t, const struct watched *all, struct reader *r, uint64_t *taken_bytes)
{
	static struct packet_batch batch;
	static uint8_t frames[PACKET_BATCH][FRAME_MOST];
	uint64_t now_us = START;
	batch.count = 0;
	while (reader_left(r) && !r->bad) {
		uint8_t *frame = frames[batch.count];
		uint8_t what = read_u8(r);
		size_t n = 0;
		now_us = step(r, now_us);
		if (what < 0xd0) {
			n = small_frame(r, frame);
		} else if (what < 0xf0) {
			struct bytes raw = read_bytes(r, read_u8(r) % FRAME_MOST);
			n = raw.len;
			memcpy(frame, n ? raw.at : frame, n);
		}
		uint16_t link = what & 1 && what >= 0xd0 ? LINK_RAW : LINK_ETHERNET;
		if (n && packet_take(&batch, telescope_counts(t), all, link, (struct bytes){frame, n}, (uint32_t)n,
				     now_us))
			*taken_bytes += batch.column[COLUMN_LENGTH][batch.count - 1];
		if (batch.count < PACKET_BATCH && what < 0xf0)
			continue;
		telescope_take(t, &batch);
		batch.count = 0;
		if (what & 1)
			telescope_clock(t, now_us);
	}
	telescope_take(t, &batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static struct watched *all;
	static struct signatures *signatures;
	if (!all) {
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* tables of huge pages take long to clear */
		require(watched_open(&all, NULL, 0) == 0);
		signatures = shipped();
		require(signatures != NULL);
	}
	struct reader r = reader_of(at, n);
	uint8_t mode = read_u8(&r);
	struct told told = {0};
	struct telescope *t;
	struct fault fault;
	const struct telescope_hooks hooks = {&told, take_record, take_finding, take_source};
	const struct telescope_options options = {
		.timeout_us = mode & 1 ? 0 : 2000000, .interval_us = mode & 2 ? 0 : 5000000,
		.scan_destinations = mode & 4 ? 0 : 3, .scan_ports = mode & 8 ? 0 : 4,
		.keep_sources = mode & 16, .signatures = mode & 32 ? NULL : signatures, .watched = 256};
	require(telescope_open(&t, &options, &hooks, &fault) == 0);
	/* Less than anybody may ask for: what is there at the beginning, and a little. */
	if (mode & 64)
		t->options.memory = accounts_memory(t) / 7 * 8 + (mode & 128 ? 4096 : 100);
	uint64_t bytes = 0;
	feed(t, all, &r, &bytes);
	telescope_finish(t);
	struct sums sums;
	telescope_sums(t, &sums);
	require(told.packets == sums.packets.taken && told.bytes == bytes && bytes == sums.packets.ip_bytes);
	require(told.source_packets == told.packets && told.records == sums.records);
	require(sums.sources_estimated || told.sources == sums.sources);
	telescope_close(t);
	return 0;
}
