#include "active/prober/synack_inner.h"
#include "tests/test.h"

#define IP4 "\x45\0\0\x3c\0\0\x40\0\x40\x06\0\0\xc0\0\x02\x01\xc6\x33\x64\x01"
#define TCP(offset, flags) "\0\x17\x80\x01\0\0\0\1\0\0\0\1" offset flags "\x16\xa0\0\0\0\0"
#define OPTIONS "\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\0\0\0\0\0\x01\x03\x03\x07"

TEST(synack_tells_ttl_window_and_options_in_order)
{
	struct synack s;
	CHECK(synack_read(BYTES(IP4 TCP("\xa0", "\x12") OPTIONS), &s));
	CHECK(s.ttl == 64 && s.port == 23 && s.window == 5792);
	CHECK(address_is_v4(&s.from) && address_to_v4(&s.from) == 0xc0000201);
	CHECK(!strcmp(s.options, "mss:1460,sok,ts,nop,ws:7"));
	CHECK(synack_read(BYTES(IP4 TCP("\x50", "\x52")), &s) && s.options[0] == '\0');
	CHECK(synack_read(BYTES(IP4 TCP("\x70", "\x12") "\x09\x03\x01\0\0\0\0\0"), &s));
	CHECK(!strcmp(s.options, "?9,eol+4"));
	CHECK(synack_read(BYTES(IP4 TCP("\x60", "\x12") "\x02\x01\x01\x01"), &s));
	CHECK(!strcmp(s.options, "bad"));
	CHECK(synack_read(BYTES("\x60\0\0\0\0\x14\x06\x39"
				"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2" TCP("\x50", "\x12")), &s));
	CHECK(s.ttl == 57 && !address_is_v4(&s.from));
}

TEST(synack_is_nothing_else)
{
	struct synack s;
	CHECK(!synack_read(BYTES(IP4 TCP("\x50", "\x02")), &s));
	CHECK(!synack_read(BYTES(IP4 TCP("\x50", "\x14")), &s));
	CHECK(!synack_read(BYTES(IP4 TCP("\xa0", "\x12")), &s));
	CHECK(!synack_read(BYTES(IP4 TCP("\x40", "\x12")), &s));
	CHECK(!synack_read(BYTES(IP4), &s) && !synack_read(BYTES(""), &s));
	CHECK(!synack_read(BYTES("\x75\0\0\x3c"), &s));
}
