/*
 * What came back, from the IP header on: a TCP, UDP or ICMP packet, also one that an ICMP error
 * quotes.  Every byte is a stranger's; what is cut or breaks its format is refused.
 */
#pragma once
#include "active/scan/packet_inner.h"

#define REPLY_SNAP 128 /* bytes of a packet that are captured; a UDP answer may be longer */

struct reply {
	struct address from, to;
	uint8_t ttl, protocol; /* IPPROTO_TCP, _UDP, _ICMP, _ICMPV6 */
	uint16_t ip_id;        /* IPv6: the lower bits of the flow label */
	bool v4, fragment;
	uint16_t sport, dport, window, payload_size;
	uint32_t sequence, acknowledgement;
	uint8_t flags, icmp_type, icmp_code;
	uint16_t icmp_id, icmp_sequence;
	struct bytes payload;
	bool quotes; /* an ICMP error; `quoted` is the packet that it is about */
	struct quoted {
		struct address from, to;
		uint8_t protocol;
		uint16_t ip_id, sport, dport;
		uint32_t sequence; /* of TCP; id and sequence of an ICMP echo */
	} quoted;
};

bool reply_read(struct bytes packet, struct reply *);

struct validation {
	struct siphash_key key;
	enum scan_protocol protocol;
	struct source_ports ports;
	const struct scan_question *(*question)(void *arg, uint16_t port); /* of the target's port; UDP */
	void *arg;
	struct bytes uri; /* ICMP */
};
enum verdict { REPLY_OURS, REPLY_FORGED, REPLY_OTHER }; /* other: not what a scan waits for */
/* Fills in all of the hit but repeat, cooldown and time. */
enum verdict reply_judge(const struct reply *, const struct validation *, struct scan_hit *);
