#include "event/recording.h"
#include "base/random.h"
#include "tests/test.h"
#include <stdlib.h>

#define MAX 4096

TEST(recording_gives_back_what_was_said_and_when)
{
	struct recording r = {0};
	size_t pool = 100000;
	recording_add(&r, 0, RECORDING_OURS, BYTES("login: "), MAX, &pool);
	recording_add(&r, 1500, RECORDING_PEER, BYTES("root\r\n"), MAX, &pool);
	recording_add(&r, 1500, RECORDING_OURS, (struct bytes){0}, MAX, &pool);
	recording_add(&r, 900000, RECORDING_PEER, BYTES("x"), MAX, &pool);
	CHECK(r.used < 7 + 6 + 1 + 1 + 3 * 5);
	CHECK(pool == 100000 - r.size);

	struct reader in;
	struct recording_record record = {0};
	CHECK(recording_open(recording_bytes(&r), &in));
	CHECK(recording_next(&in, &record) && record.time_ms == 0 && record.side == RECORDING_OURS);
	CHECK(bytes_equal_text(record.said, "login: "));
	CHECK(recording_next(&in, &record) && record.time_ms == 1500);
	CHECK(record.side == RECORDING_PEER && bytes_equal_text(record.said, "root\r\n"));
	CHECK(recording_next(&in, &record) && record.time_ms == 900000);
	CHECK(!recording_next(&in, &record) && reader_ok(&in));
	recording_done(&r, &pool);
	CHECK(pool == 100000);
}

TEST(recording_is_cut_at_its_limit_and_says_so)
{
	struct recording r = {0};
	size_t pool = 1u << 20;
	for (uint32_t i = 0; i < 1000; i++)
		recording_add(&r, i * 1000, RECORDING_PEER, BYTES("0123456789"), 1000, &pool);
	CHECK(r.cut && r.used <= 1000 && r.used > 900);
	struct reader in;
	struct recording_record record = {0};
	unsigned count = 0;
	CHECK(recording_open(recording_bytes(&r), &in));
	while (recording_next(&in, &record) && record.side == RECORDING_PEER)
		count++;
	CHECK(record.side == RECORDING_CUT && reader_left(&in) == 0);
	CHECK(record.time_ms == count * 1000);
	recording_done(&r, &pool);
}

TEST(recording_stops_when_the_common_pool_is_empty)
{
	struct recording r = {0};
	size_t pool = 200;
	for (uint32_t i = 0; i < 100; i++)
		recording_add(&r, i, RECORDING_PEER, BYTES("0123456789"), MAX, &pool);
	CHECK(r.cut && r.size <= 200);
	recording_done(&r, &pool);
	CHECK(pool == 200);
}

TEST(recording_becomes_an_asciicast)
{
	struct recording r = {0};
	size_t pool = 10000;
	recording_add(&r, 20, RECORDING_OURS, BYTES("a\"\xff\r\n"), MAX, &pool);
	recording_add(&r, 1045, RECORDING_PEER, BYTES("ls\n"), MAX, &pool);
	char text[512];
	struct writer w = writer_of(text, sizeof text);
	recording_write_asciicast(recording_bytes(&r), 1427846400000000u, 0, 0, &w);
	CHECK(bytes_equal_text(
	        writer_bytes(&w),
	        "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1427846400}\n"
	        "[0.020,\"o\",\"a\\u0022\\u00ff\\u000d\\u000a\"]\n"
	        "[1.045,\"i\",\"ls\\u000a\"]\n"));
	recording_done(&r, &pool);
}

TEST(recording_survives_noise)
{
	struct random random = random_seeded(3);
	uint8_t noise[64];
	for (unsigned i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof noise; k++)
			noise[k] = (uint8_t)random_next(&random);
		noise[0] = 1;
		struct reader in;
		struct recording_record record = {0};
		CHECK(recording_open((struct bytes){noise, random_below(&random, 63) + 1}, &in));
		while (recording_next(&in, &record))
			CHECK(record.said.len <= sizeof noise);
	}
}
