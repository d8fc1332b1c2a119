#include "active/prober/synack_inner.h"
#include "base/random.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE_SIZE 16384 /* power of two */
#define BATCH 32
#define BATCHES_MAX 64   /* per call, so that a flood cannot hold the loop */
#define RECEIVE_BUFFER (4 << 20)
#define FLAGS_MASK 0x17  /* FIN, SYN, RST, ACK */
#define FLAGS_SYNACK 0x12

enum { OPTION_EOL = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_WS = 3, OPTION_SOK = 4, OPTION_TS = 8 };

struct synacks {
	int fds[2];
	uint64_t key;
	struct synack table[TABLE_SIZE];
	uint8_t packets[BATCH][SYNACK_SNAP];
};

/* The range that the kernel draws our source ports from. */
static void port_range(uint16_t *low, uint16_t *high)
{
	unsigned from = 1024, to = 65535;
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	if (f) {
		if (fscanf(f, "%u %u", &from, &to) != 2 || from > to || to > 65535) {
			from = 1024;
			to = 65535;
		}
		fclose(f);
	}
	*low = (uint16_t)from;
	*high = (uint16_t)to;
}

/* The packet begins with its IP header (SOCK_DGRAM). */
static int filter_attach(int fd, int family)
{
	uint16_t low, high;
	port_range(&low, &high);
	struct sock_filter v4[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 9),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 7, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FLAGS_MASK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FLAGS_SYNACK, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, low, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, high, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, SYNACK_SNAP),
	};
	struct sock_filter v6[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40 + 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, FLAGS_MASK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FLAGS_SYNACK, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 40 + 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, low, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, high, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, SYNACK_SNAP),
	};
	struct sock_fprog program = {
		.len = (unsigned short)(family == AF_INET ? sizeof v4 / sizeof v4[0] : sizeof v6 / sizeof v6[0]),
		.filter = family == AF_INET ? v4 : v6,
	};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int synack_socket(int family, struct fault *fault)
{
	/* Protocol 0 first: nothing is received before the filter stands. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fault_set(fault, errno == EPERM ? ERR_DENIED : ERR_SYSTEM,
				 "prober: a packet socket: %s; with CAP_NET_RAW the fields tcp.* of an "
				 "answer would be filled", strerror(errno));
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(family == AF_INET ? ETH_P_IP : ETH_P_IPV6),
	};
	int room = RECEIVE_BUFFER;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	if (filter_attach(fd, family) == 0 && bind(fd, (struct sockaddr *)&all, sizeof all) == 0)
		return fd;
	int code = fault_set(fault, ERR_SYSTEM, "prober: a packet socket: %s", strerror(errno));
	close(fd);
	return code;
}

static void options_read(struct bytes b, struct writer *w)
{
	struct reader r = reader_of_bytes(b);
	while (reader_left(&r) && !w->bad) {
		uint8_t kind = read_u8(&r);
		if (writer_used(w))
			write_u8(w, ',');
		if (kind == OPTION_EOL) {
			write_fmt(w, "eol+%zu", reader_left(&r));
			return;
		}
		if (kind == OPTION_NOP) {
			write_text(w, "nop");
			continue;
		}
		uint8_t length = read_u8(&r);
		struct bytes value = read_bytes(&r, length >= 2 ? length - 2u : reader_left(&r) + 1);
		if (!reader_ok(&r)) {
			write_text(w, "bad");
			return;
		}
		struct reader v = reader_of_bytes(value);
		if (kind == OPTION_MSS && value.len == 2)
			write_fmt(w, "mss:%u", read_u16(&v));
		else if (kind == OPTION_WS && value.len == 1)
			write_fmt(w, "ws:%u", read_u8(&v));
		else if (kind == OPTION_SOK)
			write_text(w, "sok");
		else if (kind == OPTION_TS)
			write_text(w, "ts");
		else
			write_fmt(w, "?%u", kind);
	}
}

static bool ip_read(struct reader *r, struct synack *s)
{
	uint8_t first = read_u8(r);
	if (first >> 4 == 4) {
		read_bytes(r, 7);
		s->ttl = read_u8(r);
		uint8_t protocol = read_u8(r);
		read_u16(r);
		s->from = address_v4(read_u32(r));
		read_u32(r);
		size_t header = (first & 15u) * 4;
		if (header < 20 || protocol != IPPROTO_TCP)
			return false;
		read_bytes(r, header - 20);
	} else if (first >> 4 == 6) {
		read_bytes(r, 5);
		uint8_t next = read_u8(r);
		s->ttl = read_u8(r);
		struct bytes from = read_bytes(r, 16);
		read_bytes(r, 16);
		if (!reader_ok(r) || next != IPPROTO_TCP)
			return false;
		memcpy(s->from.b, from.at, 16);
	} else {
		return false;
	}
	return reader_ok(r);
}

bool synack_read(struct bytes packet, struct synack *out)
{
	struct reader r = reader_of_bytes(packet);
	struct synack s = {0};
	if (!ip_read(&r, &s))
		return false;
	s.port = read_u16(&r);
	read_bytes(&r, 2 + 4 + 4); /* our port, sequence, acknowledgement */
	size_t header = (read_u8(&r) >> 4) * 4u;
	uint8_t flags = read_u8(&r);
	s.window = read_u16(&r);
	read_bytes(&r, 4); /* checksum, urgent pointer */
	if (header < 20 || (flags & FLAGS_MASK) != FLAGS_SYNACK)
		return false;
	struct bytes options = read_bytes(&r, header - 20);
	if (!reader_ok(&r))
		return false;
	struct writer w = writer_of(s.options, sizeof s.options - 1);
	options_read(options, &w);
	*out = s;
	return true;
}

int synacks_open(struct synacks **out, const int fds[2])
{
	struct synacks *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_MEMORY;
	s->fds[0] = fds[0];
	s->fds[1] = fds[1];
	s->key = random_secret();
	*out = s;
	return 0;
}

static struct synack *place_of(struct synacks *s, const struct address *from, uint16_t port)
{
	return &s->table[address_hash(from, s->key ^ port) & (TABLE_SIZE - 1)];
}

static int batch_read(struct synacks *s, int fd, uint64_t now_us)
{
	struct iovec at[BATCH];
	struct mmsghdr messages[BATCH] = {0};
	for (size_t i = 0; i < BATCH; i++) {
		at[i] = (struct iovec){s->packets[i], SYNACK_SNAP};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &at[i], .msg_iovlen = 1};
	}
	int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct synack seen;
		if (!synack_read((struct bytes){s->packets[i], messages[i].msg_len}, &seen))
			continue;
		seen.seen_us = now_us;
		*place_of(s, &seen.from, seen.port) = seen;
	}
	return n;
}

void synacks_drain(struct synacks *s, uint64_t now_us)
{
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; s->fds[i] >= 0 && k < BATCHES_MAX; k++)
			if (batch_read(s, s->fds[i], now_us) < BATCH)
				break;
}

const struct synack *synacks_find(const struct synacks *s, const struct address *from, uint16_t port,
				  uint64_t since_us)
{
	const struct synack *found = place_of((struct synacks *)s, from, port);
	bool ours = found->seen_us >= since_us && found->port == port && address_equal(&found->from, from);
	return ours && found->seen_us ? found : NULL;
}

void synacks_close(struct synacks *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < 2; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	free(s);
}
