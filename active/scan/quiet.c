/*
 * The kernel's silence on our source ports: a table of nftables that a child, `nft -i`, owns.
 *
 * A table with the flag "owner" (Linux 5.12, nftables 1.0) goes when its owner's socket closes.  The
 * child reads commands from a pipe of ours; when we end, however we do, it reads the end and ends, too.
 */
#include "active/scan/scan.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMANDS_MAX 4096
#define NAME_MAX_BYTES 48
#define CHECKS_MAX 60
#define CHECK_MS 50
#define ALIVE_AT 9 /* in the child; above what nft opens first, so that it is closed after its sockets */

struct scan_quiet {
	pid_t child;
	int pipe;  /* its commands */
	int alive; /* hangs up when it has ended; a process without the right to wait sees that, too */
};

static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", "/usr/local/sbin/nft"};

static const char *nft_find(void)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* Signals for us, from a terminal, do not reach it: its table must stand until the last answer. */
static pid_t nft_start(const char *nft, char *const arguments[], int input, int alive)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	int nothing = open("/dev/null", O_RDWR);
	setsid();
	dup2(input >= 0 ? input : nothing, 0);
	dup2(nothing, 1);
	dup2(nothing, 2);
	if (alive >= 0)
		dup2(alive, ALIVE_AT);
	execv(nft, arguments);
	_exit(127);
}

static bool table_stands(const char *nft, const char *name)
{
	char table[NAME_MAX_BYTES], ready[] = "ready"; /* the last that is made */
	snprintf(table, sizeof table, "%s", name);
	char *const arguments[] = {"nft", "list", "chain", "inet", table, ready, NULL};
	pid_t child = nft_start(nft, arguments, -1, -1);
	int status = -1;
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void commands_write(struct writer *w, const char *name, const struct address *from, size_t count, uint16_t low,
			   uint16_t high)
{
	char text[ADDRESS_TEXT_MAX];
	write_fmt(w, "add table inet %s { flags owner; }\n", name);
	write_fmt(w, "add chain inet %s in { type filter hook prerouting priority raw; }\n", name);
	for (size_t i = 0; i < count; i++)
		write_fmt(w, "add rule inet %s in %s daddr %s meta l4proto { tcp, udp } th dport %u-%u drop\n", name,
			  address_is_v4(&from[i]) ? "ip" : "ip6", address_format(&from[i], text), low, high);
	write_fmt(w, "add chain inet %s ready\n", name);
}

static bool write_whole(int fd, struct bytes b)
{
	while (b.len) {
		ssize_t n = write(fd, b.at, b.len);
		if (n <= 0)
			return false;
		b.at += n;
		b.len -= (size_t)n;
	}
	return true;
}

void scan_quiet_end(struct scan_quiet *q)
{
	if (!q)
		return;
	close(q->pipe);
	struct pollfd ended = {.fd = q->alive};
	if (poll(&ended, 1, CHECKS_MAX * CHECK_MS) == 0)
		kill(q->child, SIGKILL);
	close(q->alive);
	while (waitpid(q->child, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(q);
}

static int begin(struct scan_quiet *q, const char *nft, struct bytes commands)
{
	char *const arguments[] = {"nft", "-i", NULL};
	int ends[2], alive[2];
	if (pipe2(ends, O_CLOEXEC))
		return ERR_SYSTEM;
	if (pipe2(alive, O_CLOEXEC)) {
		close(ends[0]);
		close(ends[1]);
		return ERR_SYSTEM;
	}
	q->child = nft_start(nft, arguments, ends[0], alive[1]);
	q->pipe = ends[1];
	q->alive = alive[0];
	close(ends[0]);
	close(alive[1]);
	if (q->child < 0) {
		close(ends[1]);
		close(alive[0]);
		return ERR_SYSTEM;
	}
	/* A child that ended at once must not end us by SIGPIPE. */
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	sigaction(SIGPIPE, &ignore, &before);
	bool written = write_whole(q->pipe, commands);
	sigaction(SIGPIPE, &before, NULL);
	return written ? 0 : ERR_SYSTEM;
}

int scan_quiet_begin(struct scan_quiet **out, const struct address *from, size_t count, uint16_t low, uint16_t high,
		     struct fault *fault)
{
	const char *nft = nft_find();
	char name[NAME_MAX_BYTES], commands[COMMANDS_MAX];
	struct writer w = writer_of(commands, sizeof commands);
	if (!nft)
		return fault_set(fault, ERR_MISSING, "nft is missing: the kernel resets what answers; with the package "
				 "nftables it would be silent");
	struct scan_quiet *q = calloc(1, sizeof *q);
	if (!q)
		return fault_set(fault, ERR_MEMORY, "no memory for a table of nftables");
	snprintf(name, sizeof name, "kansoku_scan_%d", (int)getpid());
	commands_write(&w, name, from, count, low, high);
	int bad = w.bad ? ERR_FULL : begin(q, nft, writer_bytes(&w));
	if (bad) {
		free(q);
		return fault_set(fault, bad, "nft did not start: %s", strerror(errno));
	}
	for (int i = 0; i < CHECKS_MAX; i++) {
		if (table_stands(nft, name)) {
			*out = q;
			return 0;
		}
		poll(NULL, 0, CHECK_MS);
	}
	scan_quiet_end(q);
	return fault_set(fault, ERR_DENIED, "nft made no table; it needs root, Linux 5.12 and nftables 1.0");
}
