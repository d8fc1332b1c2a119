#include "base/bytes.h"
#include "base/error.h"
#include "tests/test.h"

TEST(bytes_reader_errors_stick)
{
	struct reader r = reader_of("\x01\x02\x03", 3);
	CHECK(read_u16(&r) == 0x0102);
	CHECK(read_u16(&r) == 0 && !reader_ok(&r));
	CHECK(read_u8(&r) == 0);
}

TEST(bytes_lines_end_in_lf_or_crlf)
{
	struct reader r = reader_of("a\r\nb\nc", 6);
	struct bytes line;
	CHECK(read_line(&r, &line) && bytes_equal_text(line, "a"));
	CHECK(read_line(&r, &line) && bytes_equal_text(line, "b"));
	CHECK(!read_line(&r, &line) && reader_left(&r) == 1);
}

TEST(bytes_numbers_refuse_what_is_not_one)
{
	uint64_t v = 7;
	CHECK(bytes_number(BYTES("65535"), 65535, &v) && v == 65535);
	CHECK(!bytes_number(BYTES("65536"), 65535, &v) && v == 65535);
	CHECK(!bytes_number(BYTES(""), 9, &v) && !bytes_number(BYTES("1x"), 9, &v));
	CHECK(!bytes_number(BYTES("18446744073709551616"), UINT64_MAX, &v));
}

TEST(bytes_utf8_is_rfc3629)
{
	CHECK(bytes_is_utf8(BYTES("観測 ok")));
	CHECK(!bytes_is_utf8(BYTES("\xc0\xaf")) && !bytes_is_utf8(BYTES("\xed\xa0\x80")));
	CHECK(!bytes_is_utf8(BYTES("\xf4\x90\x80\x80")) && !bytes_is_utf8(BYTES("\xe8\xa6")));
}

TEST(bytes_buffer_keeps_its_limit)
{
	struct buffer b = BUFFER(600);
	uint8_t block[300] = {1};
	CHECK(buffer_append(&b, block, 300) == 0 && buffer_append(&b, block, 300) == 0);
	CHECK(buffer_append(&b, block, 1) == ERR_FULL && buffer_len(&b) == 600);
	buffer_consume(&b, 500);
	CHECK(buffer_append(&b, block, 300) == 0 && buffer_len(&b) == 400);
	buffer_done(&b);
}

TEST(bytes_writer_does_not_overrun)
{
	uint8_t room[4];
	struct writer w = writer_of(room, sizeof room);
	write_u32(&w, 0x01020304);
	CHECK(!w.bad && room[3] == 4);
	write_u8(&w, 5);
	CHECK(w.bad && writer_used(&w) == 4);
}
