#include "tests/unit/passive/telescope/dark.h"
#include "base/place.h"
#include "tests/test.h"
#include <stdlib.h>
#include <unistd.h>

static void *room_for_one_more(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : 64;
	void *larger = realloc(items, *room * size);
	if (!larger)
		abort();
	return larger;
}

static void keep_record(void *arg, const struct record *r)
{
	struct dark *d = arg;
	d->packets += r->packets;
	d->bytes += r->bytes;
	d->told++;
	if (r->packets > d->packets_most)
		d->packets_most = r->packets;
	if (r->last_us > d->newest_us[r->end])
		d->newest_us[r->end] = r->last_us;
	if (!d->keep_records)
		return;
	d->records = room_for_one_more(d->records, d->record_count, &d->record_room, sizeof *d->records);
	struct dark_record *kept = &d->records[d->record_count++];
	*kept = (struct dark_record){.r = *r};
	if (r->shape)
		kept->shape = *r->shape;
	if (r->payload.len)
		memcpy(kept->payload, r->payload.at, r->payload.len);
	/* What they point at is gone after the call, and what is kept here may yet move. */
	kept->r.payload.at = NULL;
}

static void keep_finding(void *arg, const struct finding *f)
{
	struct dark *d = arg;
	d->findings = room_for_one_more(d->findings, d->finding_count, &d->finding_room, sizeof *d->findings);
	d->findings[d->finding_count++] = *f;
}

static void keep_source(void *arg, const struct source_sum *s)
{
	struct dark *d = arg;
	if (!d->keep_records)
		return;
	d->sources = room_for_one_more(d->sources, d->source_count, &d->source_room, sizeof *d->sources);
	d->sources[d->source_count++] = *s;
}

struct dark *dark_open(const struct telescope_options *given, const char *prefix)
{
	struct dark *d = aligned_alloc(_Alignof(struct dark), sizeof *d);
	CHECK(d != NULL);
	memset(d, 0, sizeof *d);
	d->keep_records = true;
	struct prefix p;
	CHECK(!prefix || prefix_parse(bytes_of_text(prefix), &p));
	CHECK(watched_open(&d->watched, &p, prefix ? 1 : 0) == 0);
	struct telescope_options options = given ? *given : (struct telescope_options){.keep_sources = true};
	options.watched = watched_size(d->watched);
	const struct telescope_hooks hooks = {d, keep_record, keep_finding, keep_source};
	struct fault fault = {0};
	int bad = telescope_open(&d->telescope, &options, &hooks, &fault);
	CHECK_SAY(!bad, "%s", fault.text);
	return d;
}

struct signatures *dark_signatures(void)
{
	static const char *const names[] = {"tools.yaml", "payloads.yaml"};
	char path[PLACE_PATH_MAX + 32];
	struct signatures *s;
	CHECK(signatures_open(&s) == 0);
	CHECK(place_find("fingerprints/telescope", path) == 0);
	size_t length = strlen(path);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path + length, sizeof path - length, "/%s", names[i]);
		struct fault fault = {0};
		FILE *f = fopen(path, "r");
		char *text = calloc(1, SIGNATURE_FILE_MAX);
		CHECK(f && text);
		size_t n = fread(text, 1, SIGNATURE_FILE_MAX, f);
		fclose(f);
		int bad = signatures_add(s, (struct bytes){(uint8_t *)text, n}, path, &fault);
		CHECK_SAY(!bad, "%s", fault.text);
		free(text);
	}
	return s;
}

struct address dark_address(uint32_t number, bool v6, bool of_ours)
{
	if (!v6)
		return address_v4(number);
	struct address a = {{0x20, 1, 0xd, 0xb8, 0, of_ours}};
	struct writer w = writer_of(a.b + 12, 4);
	write_u32(&w, number);
	return a;
}

static void write_ipv4(struct writer *w, const struct sent *s, size_t transport)
{
	write_u16(w, 0x0800);
	write_u16(w, 0x4500);
	write_u16(w, (uint16_t)(20 + transport));
	write_u16(w, s->ipid);
	write_u16(w, s->fragment | (s->df ? 0x4000 : 0));
	write_u8(w, s->ttl ? s->ttl : 64);
	write_u8(w, s->proto ? s->proto : 6);
	write_u16(w, 0);
	write_u32(w, s->from);
	write_u32(w, s->to);
}

static void write_ipv6(struct writer *w, const struct sent *s, size_t transport)
{
	const struct address from = dark_address(s->from, true, false), to = dark_address(s->to, true, true);
	uint8_t proto = s->proto ? s->proto : 6;
	write_u16(w, 0x86dd);
	write_u32(w, 0x60000000);
	write_u16(w, (uint16_t)(transport + (s->fragment ? 8 : 0)));
	write_u8(w, s->fragment ? 44 : proto);
	write_u8(w, s->ttl ? s->ttl : 64);
	write_bytes(w, from.b, sizeof from.b);
	write_bytes(w, to.b, sizeof to.b);
	if (!s->fragment)
		return;
	write_u16(w, (uint16_t)(proto << 8));
	write_u16(w, s->fragment);
	write_u32(w, s->ipid);
}

static size_t transport_size(const struct sent *s)
{
	switch (s->proto) {
	case 0: case 6:
		return 20 + s->options.len + s->payload.len;
	case 1: case 17: case 58:
		return 8 + s->payload.len;
	default:
		return s->payload.len;
	}
}

static void write_transport(struct writer *w, const struct sent *s)
{
	switch (s->proto) {
	case 0: case 6:
		write_u16(w, s->sport);
		write_u16(w, s->dport);
		write_u32(w, s->seq);
		write_u32(w, s->ack);
		write_u8(w, (uint8_t)((20 + s->options.len) / 4 << 4));
		write_u8(w, s->flags || s->flagless ? s->flags : TCP_SYN);
		write_u16(w, s->window ? s->window : 64240);
		write_u32(w, 0);
		write_span(w, s->options);
		break;
	case 17:
		write_u16(w, s->sport);
		write_u16(w, s->dport);
		write_u16(w, (uint16_t)(8 + s->payload.len));
		write_u16(w, 0);
		break;
	case 1: case 58:
		write_u8(w, (uint8_t)s->sport);
		write_u8(w, (uint8_t)s->dport);
		write_u16(w, 0);
		write_u32(w, 0);
		break;
	default:
		break;
	}
	write_span(w, s->payload);
}

size_t dark_frame(const struct sent *s, uint8_t frame[DARK_FRAME])
{
	struct writer w = writer_of(frame, DARK_FRAME);
	write_bytes(&w, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	(s->v6 ? write_ipv6 : write_ipv4)(&w, s, transport_size(s));
	write_transport(&w, s);
	if (w.bad)
		abort();
	return writer_used(&w);
}

void dark_send(struct dark *d, const struct sent *s)
{
	uint8_t *frame = d->frames[d->batch.count];
	size_t n = dark_frame(s, frame);
	struct packet_counts *counts = telescope_counts(d->telescope);
	if (!packet_take(&d->batch, counts, d->watched, LINK_ETHERNET, (struct bytes){frame, n}, (uint32_t)n,
			 s->at_us))
		return;
	d->sent_packets++;
	d->sent_bytes += n - 14;
	if (d->batch.count == PACKET_BATCH)
		dark_pass(d);
}

void dark_pass(struct dark *d)
{
	telescope_take(d->telescope, &d->batch);
	d->batch.count = 0;
}

void dark_clock(struct dark *d, uint64_t now_us)
{
	dark_pass(d);
	telescope_clock(d->telescope, now_us);
}

void dark_finish(struct dark *d)
{
	dark_pass(d);
	telescope_finish(d->telescope);
	telescope_sums(d->telescope, &d->sums);
	const struct sums *s = &d->sums;
	uint64_t by_end = 0, by_class = 0, by_tool = 0;
	for (unsigned i = 0; i < RECORD_ENDS; i++)
		by_end += s->ends[i];
	for (unsigned i = 0; i < TRAFFIC_CLASSES; i++)
		by_class += s->classes[i].packets;
	for (unsigned i = 0; i < sizeof s->tools / sizeof *s->tools; i++)
		by_tool += s->tools[i].packets;
	CHECK(d->packets == d->sent_packets && d->bytes == d->sent_bytes);
	CHECK(s->packets.taken == d->sent_packets && s->packets.ip_bytes == d->sent_bytes);
	CHECK(s->records == d->told && by_end == d->told);
	CHECK(by_class == d->packets && by_tool == d->packets);
}

void dark_close(struct dark *d)
{
	telescope_close(d->telescope);
	watched_close(d->watched);
	free(d->records);
	free(d->findings);
	free(d->sources);
	free(d);
}

size_t dark_found(const struct dark *d, enum finding_kind kind)
{
	size_t n = 0;
	for (size_t i = 0; i < d->finding_count; i++)
		n += d->findings[i].kind == kind;
	return n;
}

const struct finding *dark_finding(const struct dark *d, enum finding_kind kind)
{
	const struct finding *found = NULL;
	for (size_t i = 0; i < d->finding_count; i++)
		if (d->findings[i].kind == kind)
			found = &d->findings[i];
	CHECK_SAY(dark_found(d, kind) == 1, "%zu findings of kind %d", dark_found(d, kind), kind);
	return found;
}

const struct source_sum *dark_source(const struct dark *d, uint32_t from)
{
	const struct source_sum *found = NULL;
	const struct address wanted = dark_address(from, false, false);
	for (size_t i = 0; i < d->source_count; i++) {
		if (!address_equal(&d->sources[i].address, &wanted))
			continue;
		CHECK_SAY(!found, "a source was told twice");
		found = &d->sources[i];
	}
	CHECK_SAY(found != NULL, "a source was not told");
	return found;
}

uint64_t dark_rss(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	CHECK(f && fscanf(f, "%*u %llu", &pages) == 1);
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
