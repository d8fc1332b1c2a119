/* The RSDoS rule at its edges, and who is not a victim. */
#include "tests/unit/passive/telescope/dark.h"
#include "tests/test.h"

#define OURS 0xc0000200u
#define VICTIM 0xc6336407u

/* A multiple of the slide, so that the slides begin with the test. */
#define START (UINT64_C(1700000000) * SECOND)

/* Answers at these moments; how often a victim was found. */
static size_t fulfilled(const uint64_t *at_us, unsigned n)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < n; i++)
		SEND(d, START + at_us[i], VICTIM, OURS + i, .sport = 80, .flags = TCP_SYN | TCP_ACK);
	dark_finish(d);
	size_t found = dark_found(d, FINDING_VICTIM);
	CHECK(dark_source(d, VICTIM)->victim == (found != 0));
	dark_close(d);
	return found;
}

/* `burst` packets at once at the start, then one more. */
static size_t fulfilled_after(unsigned burst, uint64_t last_us)
{
	uint64_t at[200] = {0};
	CHECK(burst < 200);
	at[burst] = last_us;
	return fulfilled(at, burst + 1);
}

TEST(victim_needs_sixty_seconds)
{
	CHECK(fulfilled_after(40, 60 * SECOND - 1) == 0);
	CHECK(fulfilled_after(40, 60 * SECOND) == 1);
	CHECK(fulfilled_after(40, 600 * SECOND) == 1);
	CHECK(fulfilled_after(40, 625 * SECOND) == 0); /* another attack */
}

TEST(victim_needs_thirty_packets_in_a_minute)
{
	CHECK(fulfilled_after(29, 60 * SECOND) == 0);
	CHECK(fulfilled_after(29, 59 * SECOND) == 0);
	CHECK(fulfilled_after(30, 60 * SECOND) == 1);
	CHECK(fulfilled_after(24, 70 * SECOND) == 0);
	CHECK(fulfilled_after(25, 70 * SECOND) == 0); /* 25 packets, but too slowly */
	uint64_t at[600];
	for (unsigned i = 0; i < 600; i++)
		at[i] = i * UINT64_C(2100000);
	CHECK(fulfilled(at, 600) == 0); /* 29 a minute for 21 minutes */
	for (unsigned i = 0; i < 600; i++)
		at[i] = i * UINT64_C(2000000);
	CHECK(fulfilled(at, 600) == 1);
}

TEST(victims_minute_slides_by_ten_seconds)
{
	uint64_t at[31];
	/* 15 packets in the slide before a whole minute's border, 15 behind it: one minute holds both. */
	for (unsigned i = 0; i < 30; i++)
		at[i] = (i < 15 ? 55 : 65) * SECOND + i;
	at[30] = 130 * SECOND;
	CHECK(fulfilled(at, 31) == 1);
	/* In slides 0 and 5 they are in one minute, in slides 0 and 6 they are not. */
	for (unsigned i = 0; i < 30; i++)
		at[i] = (i < 15 ? 0 : 59) * SECOND + i;
	CHECK(fulfilled(at, 31) == 1);
	for (unsigned i = 0; i < 30; i++)
		at[i] = (i < 15 ? 0 : 60) * SECOND + i;
	at[30] = 190 * SECOND;
	CHECK(fulfilled(at, 31) == 0);
}

TEST(victim_is_not_made_by_time_that_goes_backwards)
{
	uint64_t at[200];
	/* Each packet is ten minutes older than the one before or after it. */
	for (unsigned i = 0; i < 200; i++)
		at[i] = i % 2 ? i * SECOND / 100 : 600 * SECOND + i * SECOND / 100;
	for (unsigned i = 0; i < 58; i++)
		at[i] = i % 2 ? 0 : 600 * SECOND;
	CHECK(fulfilled(at, 58) == 0); /* 29 here, 29 there */
	CHECK(fulfilled(at, 200) <= 1);
	for (unsigned i = 0; i < 100; i++)
		at[i] = 1000 * SECOND;
	at[100] = 0; /* one of another time does not make 100 at once last long */
	CHECK(fulfilled(at, 101) == 0);
}

TEST(victims_are_told_apart)
{
	enum { N = 3000 };
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 40; i++)
		for (unsigned k = 0; k < N; k++) /* every third is too slow */
			SEND(d, START + i * (k % 3 ? 2 : 3) * SECOND, VICTIM + k, OURS + k * 64 + i, .sport = 80,
			     .flags = TCP_SYN | TCP_ACK);
	dark_finish(d);
	CHECK(d->finding_count == N / 3 * 2 && d->source_count == N);
	for (unsigned k = 0; k < N; k += 7)
		CHECK(dark_source(d, VICTIM + k)->victim == (k % 3 != 0));
	dark_close(d);
}

TEST(victim_is_told_once_with_its_numbers)
{
	struct dark *d = dark_open(NULL, "192.0.2.0/24");
	for (unsigned i = 0; i < 600; i++) /* a packet in 200 ms for two minutes: 300 a minute */
		SEND(d, START + i * SECOND / 5, VICTIM, OURS + i % 200, .sport = 443, .dport = 1000,
		     .flags = TCP_SYN | TCP_ACK);
	dark_finish(d);
	const struct finding *f = dark_finding(d, FINDING_VICTIM);
	const struct address victim = address_v4(VICTIM);
	CHECK(d->finding_count == 1 && address_equal(&f->address, &victim));
	CHECK(f->first_us == START && f->last_us == START + 60 * SECOND && f->packets == 301);
	CHECK(f->proto == 6 && f->flags == (TCP_SYN | TCP_ACK) && f->port == 443);
	CHECK(f->rate > 4.9 && f->rate < 5.1);
	CHECK(f->count > 150 && f->count < 250);
	const struct source_sum *s = dark_source(d, VICTIM);
	CHECK(s->victim && s->classes == 1u << CLASS_BACKSCATTER);
	CHECK(d->sums.findings[FINDING_VICTIM] == 1 && d->sums.classes[CLASS_BACKSCATTER].sources == 1);
	dark_close(d);
}

TEST(victim_may_answer_in_many_ways)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t at = START + i * SECOND / 2;
		SEND(d, at, VICTIM, OURS + i, .proto = 1, .sport = 3, .dport = 3);
		SEND(d, at, VICTIM + 1, OURS + i, .proto = 1, .sport = 0);
		SEND(d, at, VICTIM + 2, OURS + i, .flags = TCP_RST | TCP_ACK, .sport = (uint16_t)(1000 + i));
		SEND(d, at, VICTIM + 3, OURS + i, .proto = 58, .sport = 1, .v6 = true);
		SEND(d, at, VICTIM + 4, OURS + i, .proto = 17, .sport = 53, .dport = 4000 + i,
		     .payload = BYTES("\1\2\x81\x80"));
		SEND(d, at, VICTIM + 5, OURS + i, .proto = 1, .sport = 8);      /* asks */
		SEND(d, at, VICTIM + 6, OURS + i, .dport = 80);                 /* scans */
	}
	dark_finish(d);
	CHECK(dark_found(d, FINDING_VICTIM) == 5);
	CHECK(!dark_source(d, VICTIM + 5)->victim && !dark_source(d, VICTIM + 6)->victim);
	dark_close(d);
}

TEST(reflectors_are_not_victims)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 90; i++)
		for (unsigned k = 0; k < 30; k++) {
			SEND(d, START + i * SECOND, VICTIM + k, OURS, .proto = 17, .sport = 53, .dport = 4000,
			     .payload = BYTES("\1\2\x81\x80"));
			SEND(d, START + i * SECOND, VICTIM + 100 + k, OURS + 1, .sport = 80, .dport = 4000,
			     .flags = TCP_SYN | TCP_ACK);
		}
	/* One alone that answers one address of ours with datagrams reflects as well. */
	for (unsigned i = 0; i < 90; i++)
		SEND(d, START + i * SECOND, VICTIM + 200, OURS + 2, .proto = 17, .sport = 123, .dport = 4000,
		     .payload = BYTES("\xd7\0\3\x2a"));
	dark_finish(d);
	CHECK(dark_found(d, FINDING_REFLECTION) == 2);
	CHECK_SAY(dark_found(d, FINDING_VICTIM) == 0, "%zu victims", dark_found(d, FINDING_VICTIM));
	CHECK(d->sums.classes[CLASS_REFLECTION].sources == 61 && d->sums.classes[CLASS_BACKSCATTER].sources == 0);
	dark_close(d);
}

/* A scanner whose own system resets what answers it, as behind a reactive telescope. */
TEST(who_resets_what_it_asked_for_is_no_victim)
{
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < 400; i++) {
		SEND(d, START + i * SECOND / 4, VICTIM, OURS + i % 4, .sport = (uint16_t)(30000 + i), .dport = 22);
		SEND(d, START + i * SECOND / 4 + 1, VICTIM, OURS + i % 4, .sport = (uint16_t)(30000 + i), .dport = 22,
		     .flags = TCP_RST);
	}
	SEND(d, START + 101 * SECOND, VICTIM, OURS, .sport = 30000, .dport = 23);
	dark_finish(d);
	CHECK(d->finding_count == 0); /* four addresses on one port and one on another */
	CHECK(d->record_count == 3 && dark_source(d, VICTIM)->classes == 1u << CLASS_SCAN);
	for (size_t i = 0; i < 3; i++)
		CHECK(!d->records[i].r.answer && d->records[i].r.port == (d->records[i].r.packets == 1 ? 23 : 22));
	dark_close(d);
}
