/*
 * The kernel's filter of one scan, as classic BPF over a packet that begins with its IP header.
 *
 * Jumps name where they lead; the two ends are resolved when all is written.
 */
#include "active/scan/receive_inner.h"
#include <netinet/in.h>

enum { NEXT = 0, ACCEPT = 254, DROP = 255 };

static void emit(struct filter_program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->count < FILTER_MAX)
		p->code[p->count++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct filter_program *p, uint16_t size, uint32_t at) { emit(p, BPF_LD | size | BPF_ABS, at, 0, 0); }

static void load_behind(struct filter_program *p, uint16_t size, uint32_t at)
{
	emit(p, BPF_LD | size | BPF_IND, at, 0, 0);
}

static void jump(struct filter_program *p, uint16_t test, uint32_t k, uint8_t yes, uint8_t no)
{
	emit(p, BPF_JMP | test | BPF_K, k, yes, no);
}

/* X is where the transport header begins. */
static void ports_check(struct filter_program *p, const struct receiver_wanted *w, uint8_t right)
{
	load_behind(p, BPF_H, 2);
	jump(p, BPF_JGE, w->ports.low, NEXT, DROP);
	jump(p, BPF_JGT, (uint32_t)w->ports.low + w->ports.count - 1, DROP, right);
}

static void tcp_check(struct filter_program *p, const struct receiver_wanted *w)
{
	ports_check(p, w, NEXT);
	load_behind(p, BPF_B, 13);
	jump(p, BPF_JSET, 0x04, ACCEPT, NEXT);
	emit(p, BPF_ALU | BPF_AND | BPF_K, 0x12, 0, 0);
	jump(p, BPF_JEQ, 0x12, ACCEPT, DROP);
}

static void types_check(struct filter_program *p, const struct receiver_wanted *w, bool v4)
{
	static const uint8_t four[] = {3, 4, 5, 11, 12}, six[] = {1, 2, 3, 4};
	const uint8_t *types = v4 ? four : six;
	const size_t count = v4 ? sizeof four : sizeof six;
	load_behind(p, BPF_B, 0);
	if (w->protocol == SCAN_ICMP)
		jump(p, BPF_JEQ, v4 ? 0 : 129, ACCEPT, NEXT);
	for (size_t i = 0; i < count; i++)
		jump(p, BPF_JEQ, types[i], ACCEPT, i + 1 < count ? NEXT : DROP);
}

/* The accumulator holds the protocol; other than ICMP and the scan's own one: dropped. */
static void transport_check(struct filter_program *p, const struct receiver_wanted *w, bool v4)
{
	const uint32_t icmp = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	if (w->protocol == SCAN_ICMP) {
		jump(p, BPF_JEQ, icmp, NEXT, DROP);
		types_check(p, w, v4);
		return;
	}
	const unsigned short at = p->count;
	jump(p, BPF_JEQ, icmp, NEXT, NEXT); /* its no leads behind the types */
	types_check(p, w, v4);
	p->code[at].jf = (uint8_t)(p->count - at - 1);
	load(p, BPF_B, v4 ? 9 : 6);
	jump(p, BPF_JEQ, w->protocol == SCAN_TCP ? IPPROTO_TCP : IPPROTO_UDP, NEXT, DROP);
	if (w->protocol == SCAN_TCP)
		tcp_check(p, w);
	else
		ports_check(p, w, ACCEPT);
}

static void v4_check(struct filter_program *p, const struct receiver_wanted *w)
{
	load(p, BPF_W, 16);
	jump(p, BPF_JEQ, address_to_v4(&w->from_v4), NEXT, DROP);
	load(p, BPF_H, 6);
	jump(p, BPF_JSET, 0x1fff, DROP, NEXT); /* later parts of a fragmented packet */
	emit(p, BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0);
	load(p, BPF_B, 9);
	transport_check(p, w, true);
}

static void v6_check(struct filter_program *p, const struct receiver_wanted *w)
{
	for (uint32_t i = 0; i < 4; i++) {
		const uint8_t *b = w->from_v6.b + 4 * i;
		load(p, BPF_W, 24 + 4 * i);
		jump(p, BPF_JEQ, (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3], NEXT, DROP);
	}
	emit(p, BPF_LDX | BPF_W | BPF_IMM, 40, 0, 0);
	load(p, BPF_B, 6);
	transport_check(p, w, false);
}

static void resolve(struct filter_program *p)
{
	const unsigned accept = p->count, drop = p->count + 1u;
	emit(p, BPF_RET | BPF_K, REPLY_SNAP, 0, 0);
	emit(p, BPF_RET | BPF_K, 0, 0, 0);
	for (unsigned i = 0; i < accept; i++) {
		struct sock_filter *c = &p->code[i];
		if (BPF_CLASS(c->code) != BPF_JMP)
			continue;
		c->jt = c->jt == ACCEPT ? (uint8_t)(accept - i - 1) : c->jt == DROP ? (uint8_t)(drop - i - 1) : c->jt;
		c->jf = c->jf == ACCEPT ? (uint8_t)(accept - i - 1) : c->jf == DROP ? (uint8_t)(drop - i - 1) : c->jf;
	}
}

void filter_make(struct filter_program *p, const struct receiver_wanted *w)
{
	const bool v4 = !address_is_zero(&w->from_v4), v6 = !address_is_zero(&w->from_v6);
	p->count = 0;
	load(p, BPF_B, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, 0xf0, 0, 0);
	if (v4) {
		const unsigned short at = p->count;
		jump(p, BPF_JEQ, 0x40, NEXT, v6 ? NEXT : DROP);
		v4_check(p, w);
		if (v6)
			p->code[at].jf = (uint8_t)(p->count - at - 1);
	}
	if (v6) {
		jump(p, BPF_JEQ, 0x60, NEXT, DROP);
		v6_check(p, w);
	}
	resolve(p);
}
