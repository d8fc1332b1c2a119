/* Packets whose addresses and payload changed: checksums, quotes, what is cut, what nobody understands. */
#include "share/anonymise/sum_inner.h"
#include "share/view.h"
#include "tests/test.h"

static struct view *view_of(const char *const *rules, size_t count, bool own)
{
	struct view *v;
	struct prefix p;
	struct fault fault = {0};
	struct view_about about = {.policy = "default", .lasting = true, .rules = rules, .rule_count = count, .own = &p, .own_count = own};
	CHECK(event_start(&fault) == 0 && prefix_parse(BYTES("192.0.2.0/24"), &p));
	CHECK_SAY(view_open(&v, &about, &fault) == 0, "%s", fault.text);
	return v;
}

#define PACKET_MAX 256

static size_t udp_packet(uint8_t *at, uint32_t src, uint32_t dst, const char *payload)
{
	struct writer w = writer_of(at, PACKET_MAX);
	const size_t len = strlen(payload);
	write_be(&w, 0x4500, 2);
	write_u16(&w, (uint16_t)(28 + len));
	write_u32(&w, 0x12344000);
	write_be(&w, 0x40110000, 4);
	write_u32(&w, src);
	write_u32(&w, dst);
	write_be(&w, 0x13c413c4, 4);
	write_u16(&w, (uint16_t)(8 + len));
	write_u16(&w, 0);
	write_text(&w, payload);
	uint64_t sum = sum_of(at + 12, 8) + 17 + 8 + len + (uint64_t)sum_of(at + 20, 8 + len);
	const uint16_t header = (uint16_t)~sum_of(at, 20), whole = (uint16_t)~sum_fold(sum);
	at[10] = (uint8_t)(header >> 8);
	at[11] = (uint8_t)header;
	at[26] = (uint8_t)(whole >> 8);
	at[27] = (uint8_t)whole;
	return 28 + len;
}

static uint16_t udp_sum(const uint8_t *at, size_t len)
{
	return sum_fold(sum_of(at + 12, 8) + 17 + (len - 20) + (uint64_t)sum_of(at + 20, len - 20));
}

#define THEM 0xcb007105 /* 203.0.113.5 */
#define OURS 0xc000024d /* 192.0.2.77 */

TEST(packets_keep_checksums_right_and_wrong_ones_wrong)
{
	static const char *const rules[] = {"src=crypto-pan", "dst=crypto-pan"};
	struct view *v = view_of(rules, 2, true);
	uint8_t right[PACKET_MAX], wrong[PACKET_MAX], none[PACKET_MAX];
	const size_t n = udp_packet(right, THEM, OURS, "to 192.0.2.77 from 203.0.113.5!");
	memcpy(wrong, right, n);
	memcpy(none, right, n);
	wrong[26] ^= 0x55;
	none[26] = none[27] = 0;
	CHECK(udp_sum(right, n) == 0xffff);
	view_packet(v, 101, right, n);
	view_packet(v, 101, wrong, n);
	view_packet(v, 101, none, n);
	CHECK(sum_of(right, 20) == 0xffff && udp_sum(right, n) == 0xffff && udp_sum(wrong, n) != 0xffff);
	CHECK(none[26] == 0 && none[27] == 0);
	CHECK_SAY(!memcmp(right + 28, "to 0.0.0.0000 from 0.0.0.00000!", n - 28),
		  "%.*s", (int)(n - 28), right + 28);
	view_close(v);
}

TEST(packets_cut_anywhere_change_only_what_is_there)
{
	static const char *const rules[] = {"src=crypto-pan", "dst=drop"};
	struct view *v = view_of(rules, 2, true);
	uint8_t whole[PACKET_MAX], seen[PACKET_MAX];
	const size_t n = udp_packet(whole, THEM, OURS, "Host: 192.0.2.77");
	for (size_t cut = 0; cut <= n; cut++) {
		memcpy(seen, whole, n);
		memset(seen + cut, 0xee, sizeof seen - cut);
		view_packet(v, 101, seen, cut);
		for (size_t i = cut; i < sizeof seen; i++)
			CHECK(seen[i] == 0xee);
		if (cut >= 20)
			CHECK(!memcmp(seen + 16, "\0\0\0", 4) && memcmp(seen + 12, whole + 12, 4) && sum_of(seen, 20) == 0xffff);
	}
	view_close(v);
}

TEST(packets_quote_what_we_sent_the_other_way_round)
{
	static const char *const rules[] = {"src=pass", "dst=drop"};
	for (int own = 0; own < 2; own++) {
		struct view *v = view_of(rules, 2, own);
		uint8_t at[PACKET_MAX] = {0}, quote[PACKET_MAX];
		const size_t n = udp_packet(quote, OURS, THEM, "probe"), len = 28 + n;
		udp_packet(at, THEM, OURS, "");
		at[2] = 0;
		at[3] = (uint8_t)len;
		at[9] = 1;
		memset(at + 20, 0, 8);
		at[20] = at[21] = 3;
		memcpy(at + 28, quote, n);
		const uint16_t sum = (uint16_t)~sum_of(at + 20, len - 20);
		at[22] = (uint8_t)(sum >> 8);
		at[23] = (uint8_t)sum;
		view_packet(v, 101, at, len);
		CHECK(!memcmp(at + 16, "\0\0\0", 4) && !memcmp(at + 12, quote + 16, 4));
		CHECK(!memcmp(at + 28 + 12, "\0\0\0", 4) && !memcmp(at + 28 + 16, quote + 16, 4));
		CHECK(sum_of(at + 20, len - 20) == 0xffff && sum_of(at + 28, 20) == 0xffff);
		view_close(v);
	}
}

TEST(packets_that_nobody_understands_are_emptied)
{
	struct view *v = view_of(NULL, 0, true);
	static const unsigned links[] = {1, 101, 113, 276, 0, 147, 250};
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		uint8_t at[64];
		memset(at, 0xa5, sizeof at);
		view_packet(v, links[i], at, sizeof at);
		CHECK(at[40] == 0 && at[63] == 0);
	}
	view_close(v);
}
