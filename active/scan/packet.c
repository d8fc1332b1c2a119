#include "active/scan/packet_inner.h"
#include <net/ethernet.h>
#include <netinet/in.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 40 /* with the options below */
#define UDP_HEADER 8
#define ICMP_HEADER 8
#define COOKIE_BYTES 8
#define HOPS 64

/*
 * Linux's own SYN: 64240 bytes of window, then MSS, SACK, timestamps, nop, a scale of 7.  Hosts and
 * what stands before them answer it as they answer their users; a bare SYN is often dropped.
 */
#define SYN_WINDOW 64240
static const uint8_t syn_options[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7};

enum { TCP_TIMESTAMP = 28 }; /* where the timestamp's value stands */

static uint32_t sum_of(const uint8_t *at, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return n & 1 ? sum + ((uint32_t)at[n - 1] << 8) : sum;
}

/* As above for what stands at any offset: at an odd one each byte is in the other half of its word. */
static uint32_t sum_at(const uint8_t *at, size_t n, size_t offset)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (offset + i) & 1 ? at[i] : (uint32_t)at[i] << 8;
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_u16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static void put_u32(uint8_t *at, uint32_t v)
{
	put_u16(at, (uint16_t)(v >> 16));
	put_u16(at + 2, (uint16_t)v);
}

static uint32_t words_of(uint32_t v) { return (v >> 16) + (v & 0xffff); }

static uint8_t protocol_number(const struct template_wanted *w, bool v4)
{
	static const uint8_t numbers[2][SCAN_PROTOCOLS] = {{IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6},
							   {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP}};
	return numbers[v4][w->protocol];
}

static size_t transport_length(const struct template_wanted *w)
{
	switch (w->protocol) {
	case SCAN_TCP:
		return TCP_HEADER;
	case SCAN_UDP:
		return UDP_HEADER + w->payload.len;
	default:
		return ICMP_HEADER + w->payload.len + (w->payload.len > 0) + COOKIE_BYTES;
	}
}

static void ip_write(struct writer *w, const struct template_wanted *wanted, bool v4, uint16_t length)
{
	if (v4) {
		write_u16(w, 0x4500);
		write_u16(w, (uint16_t)(IPV4_HEADER + length));
		write_u16(w, 0);      /* id: the cookie's */
		write_u16(w, 0x4000); /* don't fragment */
		write_u8(w, HOPS);
		write_u8(w, protocol_number(wanted, true));
		write_u16(w, 0);
		write_bytes(w, wanted->from.b + 12, 4);
		write_zero(w, 4);
		return;
	}
	write_u32(w, 0x60000000);
	write_u16(w, length);
	write_u8(w, protocol_number(wanted, false));
	write_u8(w, HOPS);
	write_bytes(w, wanted->from.b, 16);
	write_zero(w, 16);
}

static void transport_write(struct writer *w, const struct template_wanted *wanted, bool v4, uint16_t length)
{
	switch (wanted->protocol) {
	case SCAN_TCP:
		write_zero(w, 12); /* ports, sequence, acknowledgement */
		write_u16(w, TCP_HEADER / 4 << 12 | 0x02);
		write_u16(w, SYN_WINDOW);
		write_zero(w, 4);
		write_bytes(w, syn_options, sizeof syn_options);
		return;
	case SCAN_UDP:
		write_zero(w, 4);
		write_u16(w, length);
		write_zero(w, 2);
		write_span(w, wanted->payload);
		return;
	default:
		write_u16(w, v4 ? 0x0800 : 0x8000); /* echo request */
		write_zero(w, 6);
		write_span(w, wanted->payload);
		write_zero(w, (wanted->payload.len > 0) + COOKIE_BYTES);
	}
}

int template_make(struct template *t, const struct template_wanted *wanted)
{
	const bool v4 = address_is_v4(&wanted->from);
	const uint16_t length = (uint16_t)transport_length(wanted);
	struct writer w = writer_of(t->frame, sizeof t->frame);
	if (wanted->router) {
		write_bytes(&w, wanted->router, ETH_ALEN);
		write_bytes(&w, wanted->station, ETH_ALEN);
		write_u16(&w, v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	}
	t->ip = (uint16_t)writer_used(&w);
	ip_write(&w, wanted, v4, length);
	t->transport = (uint16_t)writer_used(&w);
	transport_write(&w, wanted, v4, length);
	if (w.bad)
		return ERR_FULL;
	t->length = (uint16_t)writer_used(&w);
	t->protocol = wanted->protocol;
	t->v4 = v4;
	t->question = wanted->question && wanted->question->mark_length ? wanted->question : NULL;
	t->ip_sum = v4 ? sum_of(t->frame + t->ip, IPV4_HEADER) : 0;
	t->transport_sum = sum_of(t->frame + t->transport, length);
	if (v4 && wanted->protocol == SCAN_ICMP)
		return 0; /* RFC 792: no pseudo header */
	t->transport_sum += sum_of(wanted->from.b + (v4 ? 12 : 0), v4 ? 4 : 16) + length +
			    protocol_number(wanted, v4);
	return 0;
}

static uint32_t tcp_write(uint8_t *at, uint16_t port, uint16_t from, uint64_t cookie)
{
	const uint32_t sequence = cookie_sequence(cookie), stamp = (uint32_t)(cookie >> 20);
	put_u16(at, from);
	put_u16(at + 2, port);
	put_u32(at + 4, sequence);
	put_u32(at + TCP_TIMESTAMP, stamp);
	return (uint32_t)from + port + words_of(sequence) + words_of(stamp);
}

static uint32_t udp_write(const struct template *t, uint8_t *at, uint16_t port, uint16_t from, uint64_t cookie)
{
	put_u16(at, from);
	put_u16(at + 2, port);
	if (!t->question)
		return (uint32_t)from + port;
	const size_t mark = UDP_HEADER + t->question->mark_at;
	uint8_t bytes[8];
	scan_question_mark(cookie, bytes);
	memcpy(at + mark, bytes, t->question->mark_length);
	return (uint32_t)from + port + sum_at(bytes, t->question->mark_length, mark);
}

static uint32_t icmp_write(uint8_t *at, size_t length, uint64_t cookie)
{
	uint8_t bytes[COOKIE_BYTES];
	put_u32(bytes, (uint32_t)(cookie >> 32));
	put_u32(bytes + 4, (uint32_t)cookie);
	put_u32(at + 4, cookie_sequence(cookie)); /* id and sequence */
	memcpy(at + length - COOKIE_BYTES, bytes, COOKIE_BYTES);
	return words_of(cookie_sequence(cookie)) + sum_at(bytes, COOKIE_BYTES, length - COOKIE_BYTES);
}

size_t template_write(const struct template *t, uint8_t *frame, const struct address *target, uint16_t port,
		      uint64_t cookie, struct source_ports ports)
{
	static const uint8_t checksum_at[SCAN_PROTOCOLS] = {16, 6, 2};
	uint8_t *ip = frame + t->ip, *transport = frame + t->transport;
	const size_t bytes = t->v4 ? 4 : 16;
	const uint32_t to = sum_of(target->b + 16 - bytes, bytes);
	memcpy(frame, t->frame, t->length);
	memcpy(ip + (t->v4 ? 16 : 24), target->b + 16 - bytes, bytes);
	if (t->v4) {
		put_u16(ip + 4, cookie_ip_id(cookie));
		put_u16(ip + 10, sum_fold(t->ip_sum + to + cookie_ip_id(cookie)));
	} else {
		put_u16(ip + 2, cookie_ip_id(cookie)); /* the flow label's lower bits */
	}
	const uint16_t from = cookie_port(cookie, ports);
	uint32_t sum = t->transport_sum + (t->v4 && t->protocol == SCAN_ICMP ? 0 : to);
	if (t->protocol == SCAN_TCP)
		sum += tcp_write(transport, port, from, cookie);
	else if (t->protocol == SCAN_UDP)
		sum += udp_write(t, transport, port, from, cookie);
	else
		sum += icmp_write(transport, (size_t)(t->length - t->transport), cookie);
	uint16_t folded = sum_fold(sum);
	/* RFC 768: a checksum that is zero is sent as ones; zero says that there is none. */
	put_u16(transport + checksum_at[t->protocol], t->protocol == SCAN_UDP && !folded ? 0xffff : folded);
	return t->length;
}
