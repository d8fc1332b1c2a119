#include "passive/telescope/live/filter.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define V4_SOURCE 12
#define V4_DESTINATION 16
#define V6_SOURCE 8
#define V6_DESTINATION 24
#define MAPPED_BITS 96
#define LOAD_WORD (BPF_LD | BPF_W | BPF_IND) /* from X on, where the IP header is */
#define LOAD_TYPE (BPF_LD | BPF_H | BPF_ABS)
#define IF_EQUAL (BPF_JMP | BPF_JEQ | BPF_K)

static void put(struct filter *f, uint16_t code, uint32_t k)
{
	f->code[f->count++] = (struct sock_filter){.code = code, .k = k};
}

static void put_if(struct filter *f, uint32_t k, uint8_t yes, uint8_t no)
{
	f->code[f->count++] = (struct sock_filter){IF_EQUAL, yes, no, k};
}

/* Leaves the type of what follows in A, and in X how far behind link_header its header begins. */
static void step_over_tags(struct filter *f, unsigned link_header)
{
	put(f, BPF_LDX | BPF_IMM, 0);
	put(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
	put_if(f, ETH_P_8021Q, 1, 0);
	put_if(f, ETH_P_8021AD, 0, 6);
	put(f, BPF_LDX | BPF_IMM, 4);
	put(f, LOAD_TYPE, link_header + 2);
	put_if(f, ETH_P_8021Q, 1, 0);
	put_if(f, ETH_P_8021AD, 0, 2);
	put(f, BPF_LDX | BPF_IMM, 8);
	put(f, LOAD_TYPE, link_header + 6);
}

static uint32_t word_of(const struct prefix *p, unsigned word)
{
	const uint8_t *b = p->base.b + 4 * word;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Takes the packet when its address at `offset` lies in the prefix, whose words begin at `first`. */
static void take_if_in(struct filter *f, const struct prefix *p, unsigned first, unsigned offset)
{
	uint16_t tests[4];
	unsigned count = 0;
	for (unsigned word = first; word < 4 && p->bits > 32 * word; word++) {
		unsigned bits = p->bits - 32 * word;
		put(f, LOAD_WORD, offset + 4 * (word - first));
		if (bits < 32)
			put(f, BPF_ALU | BPF_AND | BPF_K, UINT32_MAX << (32 - bits));
		tests[count++] = f->count;
		put_if(f, word_of(p, word), 0, 0);
	}
	put(f, BPF_RET | BPF_K, FILTER_SNAP);
	for (unsigned i = 0; i < count; i++)
		f->code[tests[i]].jf = (uint8_t)(f->count - tests[i] - 1);
}

static bool holds_v4(const struct prefix *p)
{
	const struct address mapped = address_v4(0);
	return p->bits >= MAPPED_BITS ? address_is_v4(&p->base) : prefix_holds(p, &mapped);
}

static bool holds_v6(const struct prefix *p) { return p->bits < MAPPED_BITS || !address_is_v4(&p->base); }

void filter_nothing(struct filter *f)
{
	f->count = 0;
	put(f, BPF_RET | BPF_K, 0);
}

void filter_watch(struct filter *f, const struct prefix *prefixes, size_t count, unsigned link_header,
		  bool others)
{
	const struct prefix all = {.bits = 0};
	if (count > FILTER_PREFIXES_MAX || count == 0) {
		prefixes = &all;
		count = 1;
	}
	f->count = 0;
	put(f, BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
	put_if(f, PACKET_OUTGOING, 1, 0);
	put_if(f, others ? PACKET_OUTGOING : PACKET_OTHERHOST, 0, 1);
	put(f, BPF_RET | BPF_K, 0);
	step_over_tags(f, link_header);
	put_if(f, ETH_P_IP, 1, 0);
	uint16_t far = f->count;
	put(f, BPF_JMP | BPF_JA, 0);
	for (size_t i = 0; i < count; i++)
		if (holds_v4(&prefixes[i]))
			take_if_in(f, &prefixes[i], 3, link_header + V4_DESTINATION);
	put(f, BPF_RET | BPF_K, 0);
	f->code[far].k = f->count - far - 1u;
	put_if(f, ETH_P_IPV6, 1, 0);
	put(f, BPF_RET | BPF_K, 0);
	for (size_t i = 0; i < count; i++)
		if (holds_v6(&prefixes[i]))
			take_if_in(f, &prefixes[i], 0, link_header + V6_DESTINATION);
	put(f, BPF_RET | BPF_K, 0);
}

/* At this point the kernel has not put the link header back, so offsets begin at the IP header. */
void filter_spread(struct filter *f)
{
	f->count = 0;
	step_over_tags(f, 0);
	put_if(f, ETH_P_IP, 0, 2);
	put(f, LOAD_WORD, V4_SOURCE);
	put(f, BPF_JMP | BPF_JA, 7);
	put_if(f, ETH_P_IPV6, 1, 0);
	put(f, BPF_RET | BPF_K, 0);
	put(f, LOAD_WORD, V6_SOURCE);
	put(f, BPF_ST, 0);
	put(f, LOAD_WORD, V6_SOURCE + 4);
	put(f, BPF_LDX | BPF_MEM, 0);
	put(f, BPF_ALU | BPF_XOR | BPF_X, 0);
	put(f, BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1);
	put(f, BPF_ALU | BPF_RSH | BPF_K, 16);
	put(f, BPF_RET | BPF_A, 0);
}
