#include "base/port.h"

bool port_is_valid(uint32_t port) { return port_number(port) && port < 2 * PORT_UDP; }

bool port_parse(struct bytes text, uint32_t *port)
{
	size_t slash = bytes_find(text, "/");
	struct bytes transport = {text.at + slash, text.len - slash};
	bool udp = bytes_equal_text(transport, "/udp");
	uint64_t number;
	if (transport.len && !udp && !bytes_equal_text(transport, "/tcp"))
		return false;
	if (!bytes_number((struct bytes){text.at, slash}, UINT16_MAX, &number) || number == 0)
		return false;
	*port = (uint32_t)number | (udp ? PORT_UDP : 0);
	return true;
}

void port_write(uint32_t port, struct writer *w)
{
	write_fmt(w, "%u%s", (unsigned)port_number(port), port_is_udp(port) ? "/udp" : "");
}

bool ports_hold_udp(const uint32_t *ports, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (port_is_udp(ports[i]))
			return true;
	return false;
}
