#include "base/port.h"
#include "tests/test.h"

TEST(port_text_names_number_and_transport)
{
	uint32_t port = 7;
	CHECK(port_parse(BYTES("23"), &port) && port == 23 && !port_is_udp(port));
	CHECK(port_parse(BYTES("443/tcp"), &port) && port == 443);
	CHECK(port_parse(BYTES("161/udp"), &port) && port_is_udp(port) && port_number(port) == 161);
	static const char *const bad[] = {"", "0", "65536", "/udp", "23/", "23/sctp", "-1", "23 ", "161/udp2"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		port = 7;
		CHECK_SAY(!port_parse(bytes_of_text(bad[i]), &port) && port == 7, "%s", bad[i]);
	}
}

TEST(port_is_written_as_it_is_read)
{
	static const uint32_t ports[] = {1, 65535, PORT_UDP | 1, PORT_UDP | 65535};
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
		char text[PORT_TEXT_MAX];
		uint32_t back = 0;
		struct writer w = writer_of(text, sizeof text);
		port_write(ports[i], &w);
		CHECK(!w.bad && port_parse(writer_bytes(&w), &back) && back == ports[i]);
		CHECK(port_is_valid(ports[i]));
	}
	CHECK(!port_is_valid(0) && !port_is_valid(PORT_UDP) && !port_is_valid(2 * PORT_UDP + 1));
}
