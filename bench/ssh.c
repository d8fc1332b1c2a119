/*
 * What a log-in and a command over SSH cost the decoy, beside the cryptography of its handshake.
 *
 *   ssh PORT PID SECONDS [USER PASSWORD]
 *
 * Clients, six at a time, greet, agree on keys (curve25519, Ed25519, ChaCha20-Poly1305), log
 * in, run `uname -a` and leave, waiting for each answer.  CPU time is that of the process PID
 * (/proc/PID/schedstat).  Meanwhile the cryptography of the same handshake is done alone.  The
 * last line is one JSON object; exit status 1: more than one dialogue of a hundred failed (a decoy
 * turns callers away while its journal is slow).
 */
#include "passive/services/ssh/exchange.h"
#include "passive/services/ssh/peer.h"
#include "passive/services/ssh/ssh.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define ROOM (256 * 1024)
#define ALONE_TIMES 3000
#define GOAL 1.5
#define PARALLEL 6

struct call {
	int fd;
	struct ssh_peer peer;
	uint8_t *got;
	size_t len, at;
};

static double seconds_of(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double process_s(const char *pid)
{
	char path[64];
	unsigned long long ns = 0;
	snprintf(path, sizeof path, "/proc/%s/schedstat", pid);
	FILE *f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &ns) != 1) {
		fprintf(stderr, "ssh: there is no process %s\n", pid);
		exit(2);
	}
	fclose(f);
	return (double)ns / 1e9;
}

static bool send_all(int fd, const struct writer *w)
{
	return !w->bad && send(fd, w->start, writer_used(w), MSG_NOSIGNAL) == (ssize_t)writer_used(w);
}

static bool more(struct call *c)
{
	ssize_t n = c->len < ROOM ? recv(c->fd, c->got + c->len, ROOM - c->len, 0) : 0;
	if (n > 0)
		c->len += (size_t)n;
	return n > 0;
}

/* Reads messages up to and with that one. */
static bool wait_for(struct call *c, uint8_t message)
{
	static uint8_t room[SSH_SEALED_MAX];
	for (;;) {
		struct reader r = reader_of(c->got + c->at, c->len - c->at);
		struct bytes payload;
		enum flow_opened opened = peer_receive(&c->peer, &r, room, &payload);
		c->at = c->len - reader_left(&r);
		if (opened == FLOW_PACKET && payload.at[0] == message)
			return true;
		if (opened == FLOW_BROKEN || (opened == FLOW_MORE && !more(c)))
			return false;
	}
}

static bool say(struct call *c, const struct writer *message, uint8_t answer)
{
	uint8_t b[4096];
	struct writer w = writer_of(b, sizeof b);
	return peer_send(&c->peer, writer_bytes(message), &w) && send_all(c->fd, &w) && wait_for(c, answer);
}

static bool agree(struct call *c)
{
	uint8_t b[4096];
	struct writer w = writer_of(b, sizeof b);
	peer_hello(&c->peer, &w);
	if (!send_all(c->fd, &w))
		return false;
	for (;;) {
		struct reader r = reader_of(c->got, c->len);
		w = writer_of(b, sizeof b);
		int agreed = peer_agree(&c->peer, &r, &w);
		if (agreed) {
			c->at = c->len - reader_left(&r);
			return agreed == 1 && send_all(c->fd, &w);
		}
		if (!more(c))
			return false;
	}
}

static bool dialogue(struct call *c, const char *user, const char *password)
{
	uint8_t b[512];
	struct writer w = writer_of(b, sizeof b);
	if (!agree(c))
		return false;
	peer_write_service(&w);
	if (!say(c, &w, SSH_SERVICE_ACCEPT))
		return false;
	w = writer_of(b, sizeof b);
	peer_write_password(&w, user, password);
	if (!say(c, &w, SSH_AUTH_SUCCESS))
		return false;
	w = writer_of(b, sizeof b);
	peer_write_open(&w);
	if (!say(c, &w, SSH_OPEN_CONFIRMATION))
		return false;
	w = writer_of(b, sizeof b);
	peer_write_exec(&w, "uname -a");
	return say(c, &w, SSH_CHANNEL_CLOSE);
}

static bool visit(uint16_t port, uint8_t *room, const char *user, const char *password)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons(port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct call c = {.fd = socket(AF_INET, SOCK_STREAM, 0),
	                 .peer = {.cipher = "chacha20-poly1305@openssh.com", .mac = "hmac-sha2-256"},
	                 .got = room};
	const struct timeval patience = {.tv_sec = 5};
	int on = 1;
	setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	bool ok = connect(c.fd, (struct sockaddr *)&to, sizeof to) == 0 && dialogue(&c, user, password);
	peer_done(&c.peer);
	close(c.fd);
	return ok;
}

/*
 * Seconds of CPU for the cryptography of one handshake: the exchange, its hash, a signature with
 * the key at hand, and both directions keyed.
 */
static double alone_s(void)
{
	static const uint8_t base[32] = {9}, seed[32] = {1, 2, 3}, said[2048];
	uint8_t random[EXCHANGE_RANDOM] = {1}, ours[64], shared[64], signature[64], hash[32];
	const struct ssh_exchange *x = ssh_exchange_named(BYTES("curve25519-sha256"));
	const struct ssh_cipher *cipher = ssh_cipher_named(BYTES("chacha20-poly1305@openssh.com"));
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
	double from = seconds_of(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < ALONE_TIMES; i++) {
		struct writer o = writer_of(ours, sizeof ours), s = writer_of(shared, sizeof shared);
		struct ssh_flow flows[2] = {0};
		struct ssh_secrets secrets[2];
		const struct bytes h = {hash, sizeof hash};
		EVP_MD_CTX *c = EVP_MD_CTX_new();
		size_t n = sizeof signature;
		random[0] = (uint8_t)i;
		bool ok = exchange_answer(x, 0, random, (struct bytes){base, 32}, &o, &s) &&
		          EVP_Digest(said, sizeof said, hash, NULL, EVP_sha256(), NULL) &&
		          EVP_DigestSignInit(c, NULL, NULL, NULL, key) &&
		          EVP_DigestSign(c, signature, &n, hash, sizeof hash);
		for (int k = 0; ok && k < 2; k++)
			ok = ssh_derive(x, writer_bytes(&s), h, h, k, &secrets[k]) &&
			     flow_key(&flows[k], cipher, NULL, &secrets[k], k, NULL);
		flow_done(&flows[0]);
		flow_done(&flows[1]);
		EVP_MD_CTX_free(c);
		if (!ok)
			exit(2);
	}
	double took = seconds_of(CLOCK_THREAD_CPUTIME_ID) - from;
	EVP_PKEY_free(key);
	return took / ALONE_TIMES;
}

struct tally {
	unsigned done, failed;
};

static void visits(uint16_t port, const char *user, const char *password, double seconds, struct tally *t)
{
	uint8_t *room = malloc(ROOM);
	double until = seconds_of(CLOCK_MONOTONIC) + seconds;
	while (room && seconds_of(CLOCK_MONOTONIC) < until && t->failed < 10) {
		t->done++;
		t->failed += !visit(port, room, user, password);
	}
	free(room);
}

/* So many at once that the decoy seldom waits: what waking it costs is not its own. */
static double visit_in_parallel(uint16_t port, const char *user, const char *password, double seconds,
                                struct tally *all)
{
	int ends[2];
	if (pipe(ends))
		exit(2);
	for (int i = 0; i < PARALLEL; i++)
		if (fork() == 0) {
			struct tally t = {0};
			visits(port, user, password, seconds, &t);
			_exit(write(ends[1], &t, sizeof t) != sizeof t);
		}
	double alone = alone_s(); /* while the machine is as busy */
	for (int i = 0; i < PARALLEL; i++) {
		struct tally t;
		if (read(ends[0], &t, sizeof t) != sizeof t)
			exit(2);
		all->done += t.done;
		all->failed += t.failed;
	}
	return alone;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: ssh PORT PID SECONDS [USER PASSWORD]\n");
		return 2;
	}
	const char *user = argc > 5 ? argv[4] : "root", *password = argc > 5 ? argv[5] : "root";
	uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
	struct tally all = {0};
	visits(port, user, password, 0.5, &all); /* warms up */
	all = (struct tally){0};
	double before = process_s(argv[2]);
	double alone = visit_in_parallel(port, user, password, strtod(argv[3], NULL), &all);
	unsigned done = all.done, failed = all.failed;
	double each = done ? (process_s(argv[2]) - before) / done : 0;
	printf("%u log-ins with a command, %u failed: %.0f us of the decoy each; its handshake's "
	       "cryptography alone %.0f us; ratio %.2f (target: %.1f)\n",
	       done, failed, each * 1e6, alone * 1e6, each / alone, GOAL);
	printf("{\"bench\":\"ssh\",\"sessions\":%u,\"failed\":%u,\"each_us\":%.1f,\"alone_us\":%.1f,\"ratio\":%.3f}\n",
	       done, failed, each * 1e6, alone * 1e6, each / alone);
	return failed * 100 > done || !done;
}
