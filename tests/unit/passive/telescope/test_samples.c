/* Samples that are shared, counted, given back; and a table that is full. */
#include "base/random.h"
#include "passive/telescope/accounts/samples.h"
#include "tests/unit/passive/telescope/dark.h"
#include "tests/test.h"

static void samples_begin(struct samples *s) { CHECK(samples_open(s, PAYLOAD_SAMPLE, 0x1234567) == 0); }

static struct bytes text_of(char text[16], unsigned n)
{
	snprintf(text, 16, "sample %u", n);
	return bytes_of_text(text);
}

TEST(samples_are_kept_once)
{
	struct samples s;
	samples_begin(&s);
	uint16_t a = samples_use(&s, BYTES("a"), 7), b = samples_use(&s, BYTES("b"), 7);
	CHECK(a && b && a != b && samples_use(&s, BYTES("a"), 7) == a);
	CHECK(sample_of(&s, a)->users == 2 && sample_of(&s, a)->len == 1 && sample_of(&s, a)->bytes[0] == 'a');
	sample_of(&s, a)->note = 9;
	samples_leave(&s, a);
	CHECK(samples_use(&s, BYTES("a"), 7) == a && sample_of(&s, a)->note == 9);
	samples_leave(&s, a);
	samples_leave(&s, a);
	samples_leave(&s, 0);
	CHECK(samples_use(&s, BYTES("b"), 7) == b); /* it was behind the other in its row */
	CHECK(samples_use(&s, BYTES("c"), 7) == a && sample_of(&s, a)->note == 0 && sample_of(&s, a)->users == 1);
	samples_close(&s);
}

TEST(samples_are_cut_and_may_hold_a_struct)
{
	uint8_t longer[PAYLOAD_SAMPLE + 50] = {0};
	struct samples s;
	samples_begin(&s);
	uint16_t a = samples_use(&s, (struct bytes){longer, sizeof longer}, 1);
	longer[PAYLOAD_SAMPLE] = 1; /* behind the cut */
	CHECK(samples_use(&s, (struct bytes){longer, sizeof longer}, 1) == a);
	CHECK(sample_of(&s, a)->len == PAYLOAD_SAMPLE);
	CHECK((uintptr_t)sample_of(&s, a)->bytes % 8 == 0);
	CHECK(sizeof(struct tcp_shape) <= PAYLOAD_SAMPLE);
	samples_close(&s);
}

TEST(samples_that_are_too_many_are_counted)
{
	struct samples s;
	char text[16];
	samples_begin(&s);
	for (unsigned i = 0; i < SAMPLES_MAX + 100; i++) {
		uint16_t n = samples_use(&s, text_of(text, i), (uint32_t)random_mix(i));
		CHECK((n != 0) == (i < SAMPLES_MAX));
	}
	CHECK(s.unkept == 100);
	uint16_t again = samples_use(&s, text_of(text, 5), (uint32_t)random_mix(5));
	CHECK(again && s.unkept == 100);
	samples_leave(&s, again);
	samples_leave(&s, again);
	CHECK(samples_use(&s, text_of(text, SAMPLES_MAX + 5), (uint32_t)random_mix(SAMPLES_MAX + 5)) == again);
	for (unsigned i = 6; i < SAMPLES_MAX; i++) {
		const struct sample *it = sample_of(&s, (uint16_t)(i + 1));
		CHECK(bytes_equal((struct bytes){it->bytes, it->len}, text_of(text, i)));
	}
	samples_close(&s);
}

/* Comings and goings in a few rows, so that gaps are filled by what follows. */
TEST(samples_are_found_after_others_left)
{
	enum { N = 300 };
	struct samples s;
	struct random r = random_seeded(3);
	uint16_t numbers[N] = {0};
	unsigned users[N] = {0};
	char text[16];
	samples_begin(&s);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned k = (unsigned)random_below(&r, N);
		if (users[k] && random_below(&r, 2)) {
			samples_leave(&s, numbers[k]);
			users[k]--;
			continue;
		}
		uint32_t hash = k % 3 ? k / 10 : UINT32_MAX - k / 10;
		uint16_t n = samples_use(&s, text_of(text, k), hash);
		CHECK(n && (!users[k] || n == numbers[k]));
		numbers[k] = n;
		users[k]++;
		CHECK(sample_of(&s, n)->users == users[k]);
	}
	samples_close(&s);
}

TEST(telescope_counts_samples_without_room)
{
	const unsigned extra = 500, all = SAMPLES_MAX + extra;
	struct dark *d = dark_open(NULL, NULL);
	for (unsigned i = 0; i < all; i++) {
		uint8_t payload[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		SEND(d, DARK_START + i, 0x0a000000 + i, 0xc0000201, .proto = 17, .sport = 4000, .dport = 9999,
		     .payload = {payload, 4});
		SEND(d, DARK_START + i, 0x0a000000 + i, 0xc0000201, .dport = 80, .window = (uint16_t)(1 + i % 60000),
		     .options = i < 60000 ? BYTES("\2\4\5\xb4") : BYTES("\2\4\2\0"));
	}
	dark_finish(d);
	CHECK(d->sums.payloads_unkept == extra && d->sums.shapes_unkept == extra);
	unsigned without = 0, shapeless = 0;
	for (size_t i = 0; i < d->record_count; i++) {
		without += d->records[i].r.proto == 17 && !d->records[i].r.payload.len;
		shapeless += d->records[i].r.proto == 6 && !d->records[i].r.shape;
	}
	CHECK(without == extra && shapeless == extra);
	dark_close(d);
}
