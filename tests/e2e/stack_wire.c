/*
 * A wire that loses and reorders: carries Ethernet frames between two interfaces of its network.
 *   stack_wire ONE OTHER LOST HELD      of 1,000 frames so many are lost, and so many overtaken
 * A frame that is held goes after the next three of its direction, or after 3 ms.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 65600
#define HELD_MAX 64
#define HELD_MS 3

struct held {
	unsigned char bytes[FRAME_MAX];
	ssize_t len;
	int left; /* frames that still overtake it */
	long until_ms;
};

struct side {
	int in, out;
	size_t count;
	struct held held[HELD_MAX];
};

static long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int side_open(const char *name)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex(name)};
	struct packet_mreq all = {.mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
	int size = 8 << 20, fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
	return at.sll_ifindex && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 ? fd : -1;
}

static void held_pass(struct side *s, int overtaken)
{
	for (size_t i = 0; i < s->count;) {
		struct held *h = &s->held[i];
		h->left -= overtaken;
		if (h->left > 0 && now_ms() < h->until_ms) {
			i++;
			continue;
		}
		send(s->out, h->bytes, (size_t)h->len, 0);
		*h = s->held[--s->count];
	}
}

static void side_carry(struct side *s, int lost, int held)
{
	static unsigned char frame[FRAME_MAX];
	struct sockaddr_ll from;
	socklen_t len = sizeof from;
	ssize_t n;
	while ((n = recvfrom(s->in, frame, sizeof frame, 0, (struct sockaddr *)&from, &len)) > 0) {
		len = sizeof from;
		int chance = (int)(random() % 1000);
		if (from.sll_pkttype == PACKET_OUTGOING || chance < lost)
			continue;
		if (chance < lost + held && s->count < HELD_MAX) {
			struct held *h = &s->held[s->count++];
			__builtin_memcpy(h->bytes, frame, (size_t)n);
			h->len = n, h->left = 3, h->until_ms = now_ms() + HELD_MS;
			continue;
		}
		send(s->out, frame, (size_t)n, 0);
		held_pass(s, 1);
	}
}

int main(int argc, char **argv)
{
	static struct side sides[2];
	if (argc != 5)
		return 2;
	int one = side_open(argv[1]), other = side_open(argv[2]);
	if (one < 0 || other < 0)
		return 1;
	sides[0].in = sides[1].out = one;
	sides[1].in = sides[0].out = other;
	for (;;) {
		struct pollfd p[2] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
		poll(p, 2, sides[0].count + sides[1].count ? 1 : 1000);
		for (int i = 0; i < 2; i++) {
			side_carry(&sides[i], atoi(argv[3]), atoi(argv[4]));
			held_pass(&sides[i], 0);
		}
	}
}
