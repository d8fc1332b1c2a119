/* What makes one record: key, interval, time-outs, sums; against a model that is too simple to be wrong. */
#include "tests/unit/passive/telescope/dark.h"
#include "tests/test.h"
#include <stdlib.h>

#define OURS 0xc0000200u /* 192.0.2.0 */
#define THEIRS 0xc6336407u
#define TIMEOUT (624 * SECOND)

static const struct record *only_record(const struct dark *d)
{
	CHECK_SAY(d->record_count == 1, "%zu records", d->record_count);
	return &d->records[0].r;
}

TEST(account_is_one_source_protocol_port_and_flags)
{
	struct dark *d = dark_open(NULL, NULL);
	for (int round = 0; round < 3; round++) {
		uint64_t at = DARK_START + (uint64_t)round * SECOND;
		SEND(d, at, THEIRS, OURS, .sport = 1000, .dport = 23);
		SEND(d, at, THEIRS, OURS + 1, .sport = 1001, .dport = 23); /* the same account */
		SEND(d, at, THEIRS, OURS, .dport = 24);
		SEND(d, at, THEIRS, OURS, .dport = 23, .flags = TCP_ACK);
		SEND(d, at, THEIRS, OURS, .dport = 23, .flagless = true);
		SEND(d, at, THEIRS + 1, OURS, .dport = 23);
		SEND(d, at, THEIRS, OURS, .proto = 17, .sport = 40000, .dport = 23);
		SEND(d, at, THEIRS, OURS, .proto = 1, .sport = 8);
		SEND(d, at, THEIRS, OURS, .proto = 1, .sport = 3, .dport = 1);
		SEND(d, at, THEIRS, OURS, .proto = 1, .sport = 3, .dport = 3);
		SEND(d, at, THEIRS, OURS, .proto = 47);
		SEND(d, at, THEIRS, OURS, .v6 = true, .dport = 23);
	}
	dark_finish(d);
	CHECK(d->record_count == 11);
	for (size_t i = 0; i < d->record_count; i++) {
		const struct record *r = &d->records[i].r;
		bool both = r->proto == 6 && r->flags == TCP_SYN && r->port == 23 && r->destinations == 2;
		CHECK(r->packets == (both ? 6 : 3) && r->end == RECORD_END);
		CHECK(r->destinations == (both ? 2 : 1));
		CHECK(r->first_us == DARK_START && r->last_us == DARK_START + 2 * SECOND);
	}
	CHECK(d->sums.sources == 3 && d->source_count == 3 && !d->sums.sources_estimated);
	CHECK(dark_source(d, THEIRS)->records == 9 && dark_source(d, THEIRS)->packets == 30);
	dark_close(d);
}

TEST(account_of_answers_has_the_port_of_its_source)
{
	struct dark *d = dark_open(NULL, NULL);
	for (uint16_t i = 0; i < 4; i++) {
		SEND(d, DARK_START, THEIRS, OURS + i, .sport = 80, .dport = 2000 + i, .flags = TCP_SYN | TCP_ACK);
		SEND(d, DARK_START, THEIRS, OURS + i, .sport = 80, .dport = 2000 + i, .flags = TCP_RST);
		SEND(d, DARK_START, THEIRS, OURS + i, .proto = 17, .sport = 53, .dport = 2000 + i,
		     .payload = BYTES("\1\2\x81\x80"));
	}
	dark_finish(d);
	CHECK(d->record_count == 3);
	for (size_t i = 0; i < 3; i++) {
		const struct record *r = &d->records[i].r;
		CHECK(r->answer && r->packets == 4 && r->destinations == 4 && r->class == CLASS_BACKSCATTER);
		CHECK(r->port == (r->proto == 17 ? 53 : 80));
	}
	dark_close(d);
}

TEST(account_ends_after_quiet_and_not_before)
{
	struct dark *d = dark_open(NULL, NULL);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 22);
	SEND(d, DARK_START + TIMEOUT, THEIRS, OURS, .dport = 22);
	SEND(d, DARK_START + 2 * TIMEOUT + 1, THEIRS, OURS, .dport = 22);
	dark_finish(d);
	CHECK(d->record_count == 2 && d->sums.ends[RECORD_QUIET] == 1 && d->sums.ends[RECORD_END] == 1);
	CHECK(d->records[0].r.packets == 2 && d->records[0].r.end == RECORD_QUIET);
	CHECK(d->records[0].r.last_us == DARK_START + TIMEOUT);
	CHECK(d->records[1].r.packets == 1 && d->records[1].r.first_us == DARK_START + 2 * TIMEOUT + 1);
	dark_close(d);
}

TEST(account_of_a_quiet_network_ends_by_the_clock)
{
	struct dark *d = dark_open(&(struct telescope_options){0}, NULL);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 22);
	dark_clock(d, DARK_START + TIMEOUT);
	CHECK(d->record_count == 0);
	for (unsigned quarter = 1; quarter <= 5; quarter++)
		dark_clock(d, DARK_START + TIMEOUT + quarter * TIMEOUT / 4 + quarter * SECOND);
	CHECK(only_record(d)->end == RECORD_QUIET);
	CHECK(d->source_count == 1); /* nobody keeps it */
	dark_finish(d);
	CHECK(d->record_count == 1 && d->source_count == 1);
	dark_close(d);
}

TEST(account_is_cut_at_the_interval)
{
	const struct telescope_options options = {.interval_us = 300 * SECOND, .keep_sources = true};
	struct dark *d = dark_open(&options, NULL);
	for (unsigned i = 0; i <= 900; i++)
		SEND(d, DARK_START + i * SECOND, THEIRS, OURS + i % 4, .dport = 22);
	dark_finish(d);
	CHECK(d->record_count == 3 && d->sums.ends[RECORD_INTERVAL] == 2);
	for (size_t i = 0; i < 3; i++) {
		const struct record *r = &d->records[i].r;
		CHECK(r->last_us - r->first_us <= 300 * SECOND && r->destinations == 4);
		CHECK(r->shape && !r->shapes);
	}
	CHECK(d->records[0].r.packets == 301 && d->records[2].r.packets == 299);
	dark_close(d);
}

TEST(account_is_cut_before_its_bytes_overflow)
{
	struct dark *d = dark_open(NULL, NULL);
	uint8_t frame[DARK_FRAME];
	/* A frame of which little was captured says that it had 65,535 bytes. */
	size_t n = dark_frame(&(struct sent){0, THEIRS, OURS, .proto = 47}, frame);
	frame[14 + 2] = frame[14 + 3] = 0xff;
	const unsigned fit = UINT32_MAX / 65535, all = fit + 10;
	for (unsigned i = 0; i < all; i++) {
		CHECK(packet_take(&d->batch, telescope_counts(d->telescope), d->watched, LINK_ETHERNET,
				  (struct bytes){frame, n}, 65549, DARK_START + i));
		d->sent_packets++;
		d->sent_bytes += 65535;
		if (d->batch.count == PACKET_BATCH)
			dark_pass(d);
	}
	dark_finish(d);
	CHECK(d->record_count == 2 && d->records[0].r.end == RECORD_FULL);
	CHECK(d->records[0].r.packets == fit && d->records[1].r.packets == 10);
	dark_close(d);
}

TEST(account_begins_earlier_when_time_goes_backwards)
{
	struct dark *d = dark_open(NULL, NULL);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 22);
	SEND(d, DARK_START - 10 * SECOND, THEIRS, OURS, .dport = 22);
	SEND(d, DARK_START + 5 * SECOND, THEIRS, OURS, .dport = 22);
	SEND(d, DARK_START - 3 * SECOND, THEIRS, OURS, .dport = 22);
	dark_finish(d);
	const struct record *r = only_record(d);
	CHECK(r->first_us == DARK_START - 10 * SECOND && r->last_us == DARK_START + 5 * SECOND && r->packets == 4);
	CHECK(d->sums.time_backwards == 0);
	CHECK(d->sums.first_us == r->first_us && d->sums.last_us == r->last_us);
	const struct source_sum *s = dark_source(d, THEIRS);
	CHECK(s->first_us <= r->first_us && s->last_us == DARK_START + 5 * SECOND);
	dark_close(d);
}

TEST(time_far_backwards_is_counted_and_loses_nothing)
{
	struct dark *d = dark_open(NULL, NULL);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 22);
	SEND(d, DARK_START - TIMEOUT, THEIRS, OURS, .dport = 22);
	SEND(d, DARK_START - 3 * TIMEOUT, THEIRS, OURS, .dport = 22);
	SEND(d, DARK_START - 3 * TIMEOUT + SECOND, THEIRS, OURS + 1, .dport = 22);
	SEND(d, 0, THEIRS, OURS, .dport = 22);
	SEND(d, UINT64_MAX, THEIRS, OURS, .dport = 22);
	SEND(d, UINT64_MAX - 5, THEIRS + 1, OURS, .dport = 22);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 22);
	dark_finish(d);
	CHECK(d->sums.time_backwards >= 3);
	dark_close(d);
}

TEST(first_payload_is_kept_and_cut)
{
	static const uint8_t longer[150] = {'f', 'i', 'r', 's', 't', [127] = 'x', [128] = 'y'};
	struct dark *d = dark_open(NULL, NULL);
	SEND(d, DARK_START, THEIRS, OURS, .proto = 17, .sport = 4000, .dport = 9999);
	SEND(d, DARK_START, THEIRS, OURS, .proto = 17, .sport = 4000, .dport = 9999,
	     .payload = {longer, sizeof longer});
	SEND(d, DARK_START, THEIRS, OURS, .proto = 17, .sport = 4000, .dport = 9999, .payload = BYTES("second"));
	dark_finish(d);
	CHECK(only_record(d)->payload.len == PAYLOAD_SAMPLE);
	CHECK(!memcmp(d->records[0].payload, longer, PAYLOAD_SAMPLE));
	CHECK(!d->records[0].r.payload_name && !d->records[0].r.amplifies);
	CHECK(!d->sums.payloads_unkept);
	dark_close(d);
}

TEST(payload_is_named_by_the_signatures)
{
	struct signatures *s = dark_signatures();
	struct dark *d = dark_open(&(struct telescope_options){.signatures = s, .keep_sources = true}, NULL);
	SEND(d, DARK_START, THEIRS, OURS, .proto = 17, .sport = 4000, .dport = 123,
	     .payload = BYTES("\x17\x00\x03\x2a\x00\x00\x00\x00"));
	dark_finish(d);
	const struct record *r = only_record(d);
	CHECK(r->payload_name && !strcmp(r->payload_name, "ntp.monlist") && r->amplifies);
	dark_close(d);
	signatures_close(s);
}

TEST(shape_is_of_the_first_syn)
{
	struct dark *d = dark_open(NULL, NULL);
	const struct bytes linux_options = BYTES("\2\4\5\xb4\4\2\10\12\0\0\0\1\0\0\0\0\1\3\3\7");
	SEND(d, DARK_START, THEIRS, OURS, .dport = 22, .options = linux_options, .df = true, .window = 29200);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 22, .options = BYTES("\2\4\2\0"), .window = 1024);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 80, .options = linux_options, .df = true);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 80, .options = linux_options, .df = true);
	SEND(d, DARK_START, THEIRS, OURS, .dport = 80, .flags = TCP_ACK);
	dark_finish(d);
	CHECK(d->record_count == 3);
	CHECK(d->records[0].r.shape && d->records[0].shape.window == 29200 && d->records[0].shape.wscale == 7);
	CHECK(d->records[0].r.shapes);
	CHECK(d->records[1].r.shape && !d->records[1].r.shapes && d->records[1].shape.mss == 1460);
	CHECK(!d->records[2].r.shape);
	dark_close(d);
}

TEST(initial_ttl_and_hops_are_guessed)
{
	static const struct { uint8_t ttl, initial, hops; } cases[] = {
		{1, 32, 31}, {32, 32, 0}, {33, 64, 31}, {57, 64, 7}, {64, 64, 0},
		{65, 128, 63}, {128, 128, 0}, {129, 255, 126}, {250, 255, 5}, {255, 255, 0}};
	const unsigned n = sizeof cases / sizeof *cases;
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < n; i++) {
		SEND(d, DARK_START, THEIRS + i, OURS, .dport = 22, .ttl = cases[i].ttl);
		if (cases[i].ttl > 1)
			SEND(d, DARK_START, THEIRS + i, OURS, .dport = 22, .ttl = cases[i].ttl - 1);
	}
	dark_finish(d);
	CHECK(d->record_count == n);
	for (unsigned i = 0; i < n; i++) {
		const struct record *r = &d->records[i].r;
		CHECK(r->ttl_max == cases[i].ttl && r->ttl_min == cases[i].ttl - (cases[i].ttl > 1));
		CHECK(r->ttl_initial == cases[i].initial && r->hops == cases[i].hops);
	}
	dark_close(d);
}

TEST(later_fragments_are_neither_questions_nor_answers)
{
	struct dark *d = dark_open(NULL, NULL);
	const struct bytes rest = BYTES("the middle of something");
	for (unsigned i = 0; i < 100; i++) {
		SEND(d, DARK_START + i * SECOND, THEIRS, OURS + i % 3, .proto = 1, .fragment = 185, .payload = rest);
		SEND(d, DARK_START + i * SECOND, THEIRS + 1, OURS, .proto = 17, .fragment = 185, .payload = rest);
		SEND(d, DARK_START + i * SECOND, THEIRS + 2, OURS, .proto = 6, .fragment = 0x2001, .payload = rest);
		SEND(d, DARK_START + i * SECOND, THEIRS + 3, OURS, .v6 = true, .proto = 17, .fragment = 0x50,
		     .payload = rest);
	}
	SEND(d, DARK_START, THEIRS + 4, OURS, .dport = 80, .fragment = 0x2000); /* a first one has ports */
	dark_finish(d);
	CHECK(d->record_count == 5 && d->sums.packets.fragments == 401);
	for (size_t i = 0; i < 5; i++) {
		const struct record *r = &d->records[i].r;
		bool first = r->packets == 1;
		CHECK(r->class == (first ? CLASS_SCAN : CLASS_OTHER) && r->port == (first ? 80 : 0) && !r->answer);
	}
	CHECK(d->finding_count == 0);
	dark_close(d);
}

TEST(icmp_without_a_header_is_no_echo_reply)
{
	struct dark *d = dark_open(NULL, NULL);
	uint8_t frame[DARK_FRAME];
	size_t n = dark_frame(&(struct sent){0, THEIRS, OURS, .proto = 1, .sport = 8}, frame);
	frame[14 + 3] = 20 + 2; /* two bytes of ICMP are no message */
	CHECK(packet_take(&d->batch, telescope_counts(d->telescope), d->watched, LINK_ETHERNET,
			  (struct bytes){frame, n}, (uint32_t)n, DARK_START));
	d->sent_packets++;
	d->sent_bytes += 22;
	/* ICMP of IPv4 in IPv6 is nothing that anybody answers with. */
	SEND(d, DARK_START, THEIRS, OURS, .proto = 1, .sport = 8, .v6 = true);
	dark_finish(d);
	CHECK(d->record_count == 2);
	CHECK(d->records[0].r.class == CLASS_OTHER && !d->records[0].r.answer);
	CHECK(d->records[1].r.class == CLASS_OTHER && !d->records[1].r.answer);
	dark_close(d);
}

TEST(destinations_are_told_when_there_is_one)
{
	struct dark *d = dark_open(NULL, NULL);
	SEND(d, DARK_START, THEIRS, OURS + 9, .dport = 22);
	SEND(d, DARK_START, THEIRS + 1, OURS + 9, .dport = 22);
	SEND(d, DARK_START, THEIRS + 1, OURS + 8, .dport = 22);
	SEND(d, DARK_START, THEIRS, OURS + 9, .dport = 22, .v6 = true);
	dark_finish(d);
	CHECK(d->record_count == 3);
	const struct address nine = address_v4(OURS + 9);
	CHECK(d->records[0].r.destination_known && address_equal(&d->records[0].r.destination, &nine));
	CHECK(!d->records[1].r.destination_known && d->records[1].r.destinations == 2);
	CHECK(!d->records[2].r.destination_known && d->records[2].r.destinations == 1);
	dark_close(d);
}

TEST(what_is_not_watched_is_no_account)
{
	struct dark *d = dark_open(NULL, "192.0.2.0/24");
	SEND(d, DARK_START, THEIRS, OURS + 255, .dport = 22);
	SEND(d, DARK_START, THEIRS, OURS + 256, .dport = 22);
	SEND(d, DARK_START, THEIRS, OURS - 1, .dport = 22);
	dark_finish(d);
	CHECK(only_record(d)->packets == 1 && d->sums.packets.elsewhere == 2 && d->sums.packets.frames == 3);
	dark_close(d);
}
