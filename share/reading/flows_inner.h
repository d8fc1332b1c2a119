/*
 * Who began what, out of packets: accounts of one source, protocol and port, for captures whose both sides were kept.
 *
 * A capture of a honeypot holds attacks and answers.  Who sends a SYN begins; in other protocols who is heard first.
 * What goes back from the port that was asked is counted with the one who asked; what answers nobody (a SYN-ACK
 * without its SYN, an error of ICMP) is an account of its own, of an answer, under the port that it came from.
 */
#pragma once
#include "base/address.h"
#include "passive/telescope/packet.h"

#define FLOWS_MAX (1u << 18)
#define FLOWS_PAYLOAD_MAX 256
#define FLOWS_SKETCH_BITS 1024

struct flow {
	struct address src, dst; /* dst: the first that was met */
	uint8_t proto;           /* as in the IP header */
	bool answer;
	uint16_t port;           /* asked, or answered from; ICMP: the type */
	uint8_t flags;           /* of TCP, all that were seen */
	uint8_t ttl_least, ttl_most;
	uint64_t first_us, last_us, packets, bytes, packets_back, bytes_back;
	struct tcp_shape shape;  /* of the first SYN; version 0: there was none */
	uint8_t shape_ttl;
	uint16_t payload_len;
	uint8_t payload[FLOWS_PAYLOAD_MAX]; /* of the first packet that had one */
	uint64_t met[FLOWS_SKETCH_BITS / 64];
};

struct flows;
int flows_open(struct flows **); /* 0 or ERR_MEMORY */
/* False: FLOWS_MAX are there; flows_clear() and again. */
bool flows_take(struct flows *, const struct packet_batch *, unsigned lane);
size_t flows_count(const struct flows *);
const struct flow *flows_at(const struct flows *, size_t); /* in the order of their first packets */
void flows_clear(struct flows *);
void flows_close(struct flows *);
/* About how many addresses it met: exact for few, within a tenth up to some thousands, at least so many beyond. */
uint64_t flow_destinations(const struct flow *);
