/*
 * SYNs to dark addresses as fast as an interface takes them, and no more than asked for:
 *   flood INTERFACE ROUTER_MAC PACKETS SOURCES
 * Sources come from 203.0.0.0/8 by turns, destinations lie in 198.18.0.0/24.  Prints packets,
 * seconds and packets a second.  For bench/telescope_live.sh, in a network of its own.
 */
#include "base/bytes.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define FRAME 60
#define PACKETS_MAX 50000000ul

struct frames {
	uint8_t bytes[BATCH][FRAME];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void frame_write(uint8_t *at, const uint8_t router[6], unsigned long number, unsigned long sources)
{
	struct writer w = writer_of(at, FRAME);
	uint32_t mixed = (uint32_t)number * 0x9e3779b1u;
	write_bytes(&w, router, 6);
	write_bytes(&w, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
	write_u16(&w, ETH_P_IP);
	write_u32(&w, 0x45000000 | 40);
	write_u32(&w, mixed & 0xffff0000);
	write_u32(&w, 57u << 24 | 6u << 16);
	write_u32(&w, 203u << 24 | (uint32_t)(number % sources));
	write_u32(&w, 0xc6120000 | (mixed >> 24));
	write_u32(&w, 40000u << 16 | 23);
	write_u32(&w, mixed);
	write_u32(&w, 0);
	write_u32(&w, 0x50020000 | 1024);
	write_u32(&w, 0);
	write_zero(&w, writer_left(&w));
}

static int sender_open(const char *interface)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	const int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (const struct sockaddr *)&at, sizeof at))
		return -1;
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
	return fd;
}

static int usage(void)
{
	fputs("flood INTERFACE ROUTER_MAC PACKETS SOURCES\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static struct frames f;
	unsigned m[6];
	uint8_t router[6];
	uint64_t packets, sources;
	if (argc != 5 || sscanf(argv[2], "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6 ||
	    !bytes_number(bytes_of_text(argv[3]), PACKETS_MAX, &packets) ||
	    !bytes_number(bytes_of_text(argv[4]), 1 << 24, &sources) || sources == 0)
		return usage();
	for (unsigned i = 0; i < 6; i++)
		router[i] = (uint8_t)m[i];
	int fd = sender_open(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (unsigned i = 0; i < BATCH; i++) {
		f.parts[i] = (struct iovec){f.bytes[i], FRAME};
		f.messages[i].msg_hdr = (struct msghdr){.msg_iov = &f.parts[i], .msg_iovlen = 1};
	}
	double began = now();
	for (uint64_t sent = 0; sent < packets;) {
		unsigned n = packets - sent < BATCH ? (unsigned)(packets - sent) : BATCH, done = 0;
		for (unsigned i = 0; i < n; i++)
			frame_write(f.bytes[i], router, sent + i, sources);
		while (done < n) {
			int taken = sendmmsg(fd, f.messages + done, n - done, 0);
			if (taken < 0 && errno != ENOBUFS && errno != EAGAIN) {
				fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
				return 1;
			}
			done += taken > 0 ? (unsigned)taken : 0;
		}
		sent += n;
	}
	double seconds = now() - began;
	printf("%llu %.3f %.0f\n", (unsigned long long)packets, seconds, (double)packets / seconds);
	return 0;
}
