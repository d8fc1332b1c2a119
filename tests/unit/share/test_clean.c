/* Text in which nothing of ours is left, in whatever spelling; and text of others that stays as it is. */
#include "share/anonymise/clean_inner.h"
#include "share/view.h"
#include "tests/test.h"

static struct address nothing(void *arg, const struct address *a)
{
	(void)arg;
	return address_is_v4(a) ? address_v4(0) : (struct address){{0}};
}

struct fixture {
	struct own own;
	struct hidden hidden;
	struct arena arena;
	bool failed;
};

static void begin(struct fixture *f)
{
	struct prefix p;
	*f = (struct fixture){.arena = ARENA(4u << 20)};
	CHECK(prefix_parse(BYTES("192.0.2.0/24"), &p) && own_add_prefix(&f->own, &p) == 0);
	CHECK(prefix_parse(BYTES("2001:db8:5::/48"), &p) && own_add_prefix(&f->own, &p) == 0);
	CHECK(own_add_name(&f->own, "Decoy.example.net") == 0);
	own_seal(&f->own);
	f->hidden = (struct hidden){.own = &f->own, .becomes = nothing, .failed = &f->failed};
}

static void end(struct fixture *f)
{
	own_done(&f->own);
	arena_done(&f->arena);
}

#define CLEANED(from, to) {BYTES(from), BYTES(to)}

TEST(cleaning_finds_every_spelling)
{
	static const struct {
		struct bytes from, to;
	} rows[] = {
		CLEANED("192.0.2.77", "0.0.0.0"),
		CLEANED("x192.0.2.77:80, 1.192.0.2.77", "x0.0.0.0:80, 1.0.0.0.0"),
		CLEANED("http://0xC0.0x0.0x2.0x4d/", "http://0.0.0.0/"),
		CLEANED("http://0300.0.02.0115/", "http://0.0.0.0/"),
		CLEANED("http://192.0.589/ //192.589", "http://0.0.0.0/ //0.0.0.0"),
		CLEANED("http://3221226061/ 1291976896", "http://0/ 0"),
		CLEANED("0xc000024d 0x4D0200C0", "0x00000000 0x00000000"),
		CLEANED("030000001115", "00"),
		CLEANED("77.2.0.192.in-addr.arpa", "0.0.0.0.in-addr.arpa"),
		CLEANED("ec2-192-0-2-77.example.com", "ec2-0-0-0-0.example.com"),
		CLEANED("PORT 192,0,2,77,4,1", "PORT 0,0,0,0,4,1"),
		CLEANED("[2001:db8:5::1]:80", "[::]:80"),
		CLEANED("2001:0DB8:0005:0000:0000:0000:0000:0001.", "0000:0000:0000:0000:0000:0000:0000:0000."),
		CLEANED("2001:db8:5:0:0:0:0:1.", "::."),
		CLEANED("::ffff:192.0.2.77 64:ff9b::c000:24d 2002:c000:24d::1", "0.0.0.0 :: ::"),
		CLEANED("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.5.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
			"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa"),
		CLEANED("ssh root@DECOY.example.net", "ssh root@own.invalid"),
		CLEANED("%31%39%32.0.2.77", "%30%2e%30.0.0000"),
		CLEANED("192[.]0[.]2[.]77", "0.0[.]0[.]0[.]00"),
		CLEANED("\\x31\\x39\\x32.0.2.77 \\061\\071\\062.0.2.77", "\\x30\\x2e\\x30.0.0000 \\060\\056\\060.0.0000"),
		CLEANED("&#49;&#x39;2.0.2.77", "&#48;&#x2e;0.0.0000"),
		CLEANED("c000024d", "00000000"),
		CLEANED("\\xc0\\x00\\x02\\x4d", "\\x00\\x00\\x00\\x00"),
		CLEANED("{0xc0, 0x00, 0x02, 0x4d}", "{0x00, 0x00, 0x00, 0x00}"),
		CLEANED("3139322e302e322e3737", "302e302e302e30303030"),
		CLEANED("MTkyLjAuMi43Nw==", "MC4wLjAuMDAwMA=="),
		CLEANED("aHR0cDovLzE5Mi4wLjIuNzcveA", "aHR0cDovLzAuMC4wLjAwMDAveA"),
		CLEANED("wAACTQ==", "AAAAAA=="),
		CLEANED("1\0009\0002\0.\0000\0.\0002\0.\0007\0007\0", "0\0.\0000\0.\0000\0.\0000\0000\0000\0000\0"),
		CLEANED("\x05\x01\x00\x01\xc0\x00\x02\x4d\x00\x50", "\x05\x01\x00\x01\x00\x00\x00\x00\x00\x50"),
		CLEANED("\x02" "77" "\x01" "2" "\x01" "0" "\x03" "192" "\x07in-addr", "\x02" "00" "\x01" "0" "\x01" "0" "\x03" "000" "\x07in-addr"),
	};
	struct fixture f;
	begin(&f);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct bytes now = clean_text(&f.hidden, rows[i].from, &f.arena);
		CHECK_SAY(bytes_equal(now, rows[i].to), "%zu: %.*s became %.*s", i, (int)rows[i].from.len, rows[i].from.at, (int)now.len,
			  now.at);
	}
	end(&f);
}

TEST(cleaning_keeps_lengths_in_place)
{
	static const char *const texts[] = {
		"GET / HTTP/1.1\r\nHost: 192.0.2.77\r\n\r\n", "Via: SIP/2.0/UDP [2001:db8:5:1:2:3:4:5]:5060", "decoy.example.net",
		"0xc000024d", "030000001115", "MTkyLjAuMi43Nw==", "http://192.0.589/", "2001:db8:5::", NULL,
	};
	struct fixture f;
	begin(&f);
	for (size_t i = 0; texts[i]; i++) {
		uint8_t room[128];
		const size_t len = strlen(texts[i]);
		memcpy(room, texts[i], len);
		CHECK_SAY(clean_in_place(&f.hidden, room, len, &f.arena), "%s", texts[i]);
		CHECK_SAY(!clean_in_place(&f.hidden, room, len, &f.arena), "%s left %.*s", texts[i], (int)len, room);
	}
	end(&f);
}

TEST(cleaning_leaves_others_alone)
{
	static const char *const texts[] = {
		"192.0.3.77", "192.0.20.77", "192.0.2", "192.0.2.777", "version 1.92.0.2", "2001:db8:6::1", "decoy.example.network",
		"mydecoy.example.net-x", "0xc0000300", "c000034d", "MTkyLjAuMy43Nw==", "3221226317", "%31%39%32.0.3.77", "",
		"aa:bb:cc:dd:ee:ff", "12:34:56", "::", "a = b & c", "2024-01-02-03", "\xc0\x03\x02\x4d", NULL,
	};
	struct fixture f;
	begin(&f);
	for (size_t i = 0; texts[i]; i++) {
		const struct bytes text = bytes_of_text(texts[i]), now = clean_text(&f.hidden, text, &f.arena);
		CHECK_SAY(bytes_equal(text, now), "%s became %.*s", texts[i], (int)now.len, now.at);
	}
	end(&f);
}

TEST(cleaning_without_memory_lets_nothing_through)
{
	struct fixture f;
	uint8_t room[] = "MTkyLjAuMi43Nw==";
	begin(&f);
	f.arena = ARENA(32);
	CHECK(clean_in_place(&f.hidden, room, sizeof room - 1, &f.arena));
	CHECK(room[0] == 0 && room[sizeof room - 2] == 0);
	end(&f);
}
