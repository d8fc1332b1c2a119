/*
 * A bounded attacker for tests: logs in by telnet, says a word, leaves, and counts.
 *
 *    intrude ADDRESS PORT SESSIONS PARALLEL [RATE]
 *
 * RATE is how many begin in a second, over all; without it each begins when one before it ended.
 * Each session comes from an address of its own in 127.64.0.0/10.  Prints
 * {"completed":N,"failed":N}: a session is completed when the login was accepted, the word
 * came back and the other side closed; it must then be in the store.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S 20
#define HEARD_MAX 8192

struct talk {
	int fd;
	char heard[HEARD_MAX];
	size_t len;
};

/* Reads until the text was heard; what came before it is forgotten. */
static bool await(struct talk *t, const char *text)
{
	for (;;) {
		char *hit = memmem(t->heard, t->len, text, strlen(text));
		if (hit) {
			size_t used = (size_t)(hit - t->heard) + strlen(text);
			memmove(t->heard, t->heard + used, t->len - used);
			t->len -= used;
			return true;
		}
		if (t->len == sizeof t->heard)
			return false;
		ssize_t n = recv(t->fd, t->heard + t->len, sizeof t->heard - t->len, 0);
		if (n <= 0)
			return false;
		t->len += (size_t)n;
	}
}

static bool say(struct talk *t, const char *text)
{
	return send(t->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static bool intrude(const struct sockaddr_in *to, unsigned number)
{
	struct talk t = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
	const struct timeval wait = {.tv_sec = WAIT_S};
	struct sockaddr_in from = {.sin_family = AF_INET};
	from.sin_addr.s_addr = htonl(0x7f400000u + 1 + number);
	setsockopt(t.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	bool done = bind(t.fd, (struct sockaddr *)&from, sizeof from) == 0 &&
		    connect(t.fd, (const struct sockaddr *)to, sizeof *to) == 0 && await(&t, "ogin: ") &&
		    say(&t, "root\r\n") && await(&t, "assword: ") && say(&t, "xc3511\r\n") &&
		    await(&t, "# ") && say(&t, "echo wo'r'd\r\n") && await(&t, "word") &&
		    say(&t, "exit\r\n");
	char rest[512];
	ssize_t n = -1;
	while (done && (n = recv(t.fd, rest, sizeof rest, 0)) > 0)
		;
	close(t.fd);
	return done && n == 0;
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void wait_until(double when_s)
{
	double left = when_s - now_s();
	if (left > 0)
		usleep((useconds_t)(left * 1e6));
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	if ((argc != 5 && argc != 6) || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "usage: intrude ADDRESS PORT SESSIONS PARALLEL [RATE]\n");
		return 2;
	}
	to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	unsigned sessions = (unsigned)strtoul(argv[3], NULL, 10);
	unsigned parallel = (unsigned)strtoul(argv[4], NULL, 10);
	double rate = argc == 6 ? strtod(argv[5], NULL) : 0, start_s = now_s();
	int results[2];
	if (parallel == 0 || parallel > 256 || sessions > 1000000 || pipe(results))
		return 2;
	for (unsigned p = 0; p < parallel; p++) {
		if (fork())
			continue;
		unsigned counts[2] = {0, 0};
		for (unsigned i = p; i < sessions; i += parallel) {
			if (rate > 0)
				wait_until(start_s + i / rate);
			counts[intrude(&to, i) ? 0 : 1]++;
		}
		if (write(results[1], counts, sizeof counts) < 0)
			_exit(1);
		_exit(0);
	}
	close(results[1]);
	unsigned counts[2], completed = 0, failed = 0;
	while (read(results[0], counts, sizeof counts) == sizeof counts) {
		completed += counts[0];
		failed += counts[1];
	}
	while (wait(NULL) > 0)
		;
	printf("{\"completed\":%u,\"failed\":%u}\n", completed, failed);
	return 0;
}
