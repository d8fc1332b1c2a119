/*
 * Between the files that read a packet: link.c, ip.c, tcp.c, packet.c and watched.c.
 *
 * packet_take() reads what nearly every frame is by itself and leaves all others to
 * packet_take_checked(), which reads any frame; where both can read, both say the same.
 */
#pragma once
#include "base/address.h"
#include "passive/telescope/packet.h"

enum transport { TRANSPORT_ICMP = 1, TRANSPORT_TCP = 6, TRANSPORT_UDP = 17, TRANSPORT_ICMP6 = 58 };
enum network { NETWORK_OTHER, NETWORK_IPV4, NETWORK_IPV6, NETWORK_EITHER };

#define ETHERNET_HEADER 14
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define VLAN_TAGS_MAX 8       /* that may be stacked; deeper is no network that anyone runs */
#define IPV6_EXTENSIONS_MAX 8 /* that may be chained; RFC 8200 4.1 knows of no more */

/* What the IP headers say, and what is behind them. */
struct packet_head {
	struct address src, dst;
	uint32_t length;     /* COLUMN_LENGTH */
	uint32_t id, quirks; /* quirks: those that the IP header tells */
	uint8_t version, proto, ttl, tos;
	unsigned options;    /* bytes of options or extension headers */
	bool df, fragment;   /* fragment: not the first */
	bool part;           /* a fragment, first ones included */
	bool cut;            /* extension headers that end nowhere */
	struct bytes rest;   /* captured bytes behind the headers, without the link's padding */
	uint32_t rest_length;/* how many the headers say */
};

/* Takes off the link's headers; r stands on the IP header then.  A reader gone bad: cut. */
enum network link_strip(uint16_t link, struct reader *r);
/* false: cut or lying. */
bool ip_read(enum network, struct reader *r, struct packet_head *);

/*
 * Reads a SYN's fixed header of TCP_HEADER bytes and its options into the lane's columns and shape.
 * The shape's window, version, ip_options, payload and flags, and the columns of the header, stand
 * already.  walk: go over the options one by one, also where their layout is a common one.
 */
void tcp_syn_read(struct packet_batch *, unsigned lane, const uint8_t *header, struct bytes options, bool walk,
		  uint32_t quirks);

bool packet_take_checked(struct packet_batch *, struct packet_counts *, const struct watched *,
			 uint16_t link, struct bytes frame, uint32_t wire_length, uint64_t time_us);

/*
 * IPv4 in up to three steps: a /16 that is watched as a whole or not at all takes one look, and so
 * on to the single address.  Memory is bounded by the number of prefixes, since each one can
 * leave only one /16 and one /24 in part.
 */
#define WATCHED_NONE 0u
#define WATCHED_WHOLE 1u /* 2 and more: 2 + index of a page */
struct watched_page { uint32_t of[256]; };  /* by the third byte; 2 and more: 2 + index of a leaf */
struct watched_leaf { uint64_t bits[4]; };  /* by the last byte */
struct watched {
	struct watched_page *pages;
	struct watched_leaf *leaves;
	size_t pages_count, leaves_count;
	struct prefix_set prefixes;
	double size;
	uint32_t nets[65536];
};

static inline bool watched_holds_v4(const struct watched *w, uint32_t v4)
{
	uint32_t net = w->nets[v4 >> 16];
	if (__builtin_expect(net <= WATCHED_WHOLE, 1))
		return net;
	uint32_t subnet = w->pages[net - 2].of[v4 >> 8 & 0xff];
	if (subnet <= WATCHED_WHOLE)
		return subnet;
	return w->leaves[subnet - 2].bits[v4 >> 6 & 3] >> (v4 & 63) & 1;
}
