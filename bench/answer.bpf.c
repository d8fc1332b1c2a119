/*
 * A network in which every address of 11.0.0.0/8 answers a SYN with a SYN-ACK, as an XDP program: for
 * bench/scan.sh, where the other side must cost as little as it can.
 *   clang -O2 -target bpf -c bench/answer.bpf.c -o answer.o; ip link set dev wire xdpgeneric obj answer.o sec xdp
 * The section "silence" drops all TCP instead.
 * The frame's options stay as they came, so that the answer is as long as the question.
 */
#include <linux/bpf.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

struct frame {
	u8 to[6], from[6];
	u16 type;
	u8 version, service;
	u16 length, id, fragment;
	u8 hops, protocol;
	u16 ip_sum;
	u32 source, destination;
	u16 source_port, destination_port;
	u32 sequence, acknowledgement;
	u8 offset, flags;
	u16 window, sum, urgent;
} __attribute__((packed));

static u16 folded(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* RFC 1624: the checksum after a word changed from one value to another. */
static u32 changed(u32 sum, u32 from, u32 to)
{
	return sum + (~from & 0xffff) + (~(from >> 16) & 0xffff) + (to & 0xffff) + (to >> 16);
}

__attribute__((section("xdp"), used)) int answer_all(struct xdp_md *context)
{
	struct frame *f = (void *)(long)context->data;
	u8 mac[6];
	if ((void *)(f + 1) > (void *)(long)context->data_end)
		return XDP_PASS;
	if (f->type != 0x0008 || f->version != 0x45 || f->protocol != 6 || (f->destination & 0xff) != 11)
		return XDP_PASS;
	if (f->flags != 2)
		return XDP_DROP; /* a reset of the asker's kernel */
	__builtin_memcpy(mac, f->to, 6);
	__builtin_memcpy(f->to, f->from, 6);
	__builtin_memcpy(f->from, mac, 6);
	const u32 address = f->source, acknowledged = __builtin_bswap32(__builtin_bswap32(f->sequence) + 1);
	const u16 port = f->source_port;
	f->source = f->destination;
	f->destination = address;
	f->source_port = f->destination_port;
	f->destination_port = port;
	u32 sum = (u16)~f->sum;
	sum = changed(sum, f->sequence, f->destination ^ f->sequence);
	sum = changed(sum, f->acknowledgement, acknowledged);
	sum = changed(sum, 2u << 8, 0x12u << 8);
	f->acknowledgement = acknowledged;
	f->sequence ^= f->destination;
	f->flags = 0x12;
	f->sum = folded(sum);
	return XDP_TX;
}

__attribute__((section("silence"), used)) int drop_all(struct xdp_md *context)
{
	const struct frame *f = (void *)(long)context->data;
	return (const void *)(f + 1) <= (const void *)(long)context->data_end && f->type == 0x0008 && f->protocol == 6
		       ? XDP_DROP : XDP_PASS;
}

char license_of_program[] __attribute__((section("license"), used)) = "GPL";
