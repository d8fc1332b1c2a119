#include "base/base64.h"
#include "tests/test.h"

/* RFC 4648 section 10. */
static const char *const vectors[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
					 {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};

static bool decodes(const char *text, const char *plain, bool whole)
{
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	if (!whole)
		base64_decode(bytes_of_text(text), &w);
	else if (!base64_decode_whole(bytes_of_text(text), &w))
		return false;
	return bytes_equal_text(writer_bytes(&w), plain);
}

TEST(base64_is_rfc4648_both_ways)
{
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		uint8_t room[64];
		struct writer w = writer_of(room, sizeof room);
		base64_encode(bytes_of_text(vectors[i][0]), &w);
		CHECK(bytes_equal_text(writer_bytes(&w), vectors[i][1]));
		CHECK(writer_used(&w) == BASE64_ROOM(strlen(vectors[i][0])));
		CHECK(decodes(vectors[i][1], vectors[i][0], false) && decodes(vectors[i][1], vectors[i][0], true));
	}
}

TEST(base64_keeps_every_byte)
{
	uint8_t all[256], coded[BASE64_ROOM(256)], back[256];
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (uint8_t)i;
	struct writer w = writer_of(coded, sizeof coded), plain = writer_of(back, sizeof back);
	base64_encode((struct bytes){all, sizeof all}, &w);
	CHECK(!w.bad && base64_decode_whole(writer_bytes(&w), &plain));
	CHECK(bytes_equal(writer_bytes(&plain), (struct bytes){all, sizeof all}));
}

TEST(base64_tolerant_and_whole_differ)
{
	CHECK(decodes("Zm9v\r\nYmFy", "foobar", false) && !decodes("Zm9v\r\nYmFy", "foobar", true));
	CHECK(decodes("Zm9vYg", "foob", false) && !decodes("Zm9vYg", "foob", true));
	CHECK(decodes("Zg==Zm9v", "f", false) && !decodes("Zg==Zm9v", "f", true));
	CHECK(!decodes("=", "", true) && !decodes("====", "", true) && !decodes("Z===", "", true));
	CHECK(!decodes("Zm9v=", "foo", true) && !decodes("Zm9v====", "foo", true));
	CHECK(decodes("Pz8_", "???", false) && !decodes("Pz8_", "???", true) && decodes("Pz8/", "???", true));
	CHECK(decodes("Pj4-", ">>>", false) && !decodes("Pj4-", ">>>", true) && base64_digit('=') < 0);
}

TEST(base64_stays_in_its_room)
{
	uint8_t room[8];
	struct writer w = writer_of(room, 2), letters = writer_of(room, 3);
	CHECK(!base64_decode_whole(BYTES("Zm9v"), &w) && w.bad && writer_used(&w) == 2);
	base64_encode(BYTES("foo"), &letters);
	CHECK(letters.bad && writer_used(&letters) == 3);
}

TEST(base64_decodes_over_its_own_text)
{
	uint8_t text[] = "Zm9v\nYmFy";
	struct writer w = writer_of(text, sizeof text);
	base64_decode((struct bytes){text, sizeof text - 1}, &w);
	CHECK(bytes_equal_text(writer_bytes(&w), "foobar"));
}
