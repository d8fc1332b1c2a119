/*
 * A telescope for the tests: packets described in a few words go in as frames, what it hands out
 * is kept.  Addresses are 32-bit numbers; with `v6` they become the last bits of 2001:db8::/32.
 */
#pragma once
#include "base/random.h"
#include "passive/telescope/telescope.h"

#define SECOND UINT64_C(1000000)
#define MINUTE (60 * SECOND)
#define DARK_START (UINT64_C(1700000000) * SECOND)
#define DARK_FRAME 256

/* Sanitized builds are slower by an order of magnitude; what is large there is less large. */
#if defined(__SANITIZE_ADDRESS__)
#define DARK_SHRINK 25
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DARK_SHRINK 25
#endif
#endif
#ifndef DARK_SHRINK
#define DARK_SHRINK 1
#endif

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct sent {
	uint64_t at_us;
	uint32_t from, to;
	uint16_t sport, dport;  /* ICMP: type and code */
	uint8_t proto;          /* 0: TCP */
	uint8_t flags, ttl;     /* flags 0: SYN, unless `flagless`; ttl 0: 64 */
	bool flagless, df, v6;
	uint16_t ipid, window;  /* window 0: 64240 */
	uint16_t fragment;      /* flags and offset as in the header; IPv6: a fragment header */
	uint32_t seq, ack;
	struct bytes options;   /* of TCP; a multiple of 4 bytes */
	struct bytes payload;
};

struct dark_record {
	struct record r;
	struct tcp_shape shape;
	uint8_t payload[PAYLOAD_SAMPLE];
};

struct dark {
	struct telescope *telescope;
	struct watched *watched;
	bool keep_records;     /* off: they are only summed up */
	struct dark_record *records;
	size_t record_count, record_room;
	struct finding *findings;
	size_t finding_count, finding_room;
	struct source_sum *sources;
	size_t source_count, source_room;
	uint64_t packets, bytes, told; /* summed over all records; told: how many */
	uint64_t packets_most;         /* of one record */
	uint64_t newest_us[RECORD_ENDS]; /* last time of all that ended so */
	uint64_t sent_packets, sent_bytes;
	struct sums sums;      /* after dark_finish() */
	struct packet_batch batch;
	uint8_t frames[PACKET_BATCH][DARK_FRAME];
};

/* prefix: what is watched, or NULL for everything; options may be NULL. */
struct dark *dark_open(const struct telescope_options *options, const char *prefix);
struct signatures *dark_signatures(void); /* the shipped ones */
size_t dark_frame(const struct sent *, uint8_t frame[DARK_FRAME]);
void dark_send(struct dark *, const struct sent *);
void dark_pass(struct dark *);   /* what was sent so far reaches the telescope */
void dark_clock(struct dark *, uint64_t now_us);
void dark_finish(struct dark *); /* checks that nothing was lost */
void dark_close(struct dark *);

#define SEND(d, ...) dark_send(d, &(struct sent){__VA_ARGS__})

struct address dark_address(uint32_t, bool v6, bool of_ours);
size_t dark_found(const struct dark *, enum finding_kind);
/* The only finding of that kind. */
const struct finding *dark_finding(const struct dark *, enum finding_kind);
const struct source_sum *dark_source(const struct dark *, uint32_t from);
uint64_t dark_rss(void); /* bytes that this process has resident */
