/*
 * Frames as the telescope reads them: a batch of packets in columns.
 *
 * A batch holds up to PACKET_BATCH packets that are addressed to what is watched.  What a
 * signature may name (passive/telescope/signatures.h) stands in `column`, one lane a packet, so
 * that a condition is worked out for the whole batch at once.  The batch points into the frames
 * that it was made from and is valid as long as they are.  Nothing is believed: lengths are
 * checked against what was captured, and whatever is not a whole IP header is counted, not taken.
 */
#pragma once
#include "base/address.h"

#define PACKET_BATCH 32

/* Link types as pcap files number them (the registry of LINKTYPE_ values). */
enum link_type {
	LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_OLD = 12, LINK_RAW = 101, LINK_LOOP = 108,
	LINK_LINUX_COOKED = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_LINUX_COOKED2 = 276,
};

enum column {
	COLUMN_VERSION,  /* 4 or 6 */
	COLUMN_PROTO,    /* of the last header that was found: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6, others */
	COLUMN_TTL,      /* or hop limit, as received */
	COLUMN_TOS,      /* or traffic class */
	COLUMN_IPID,     /* identification; 0 in IPv6 without a fragment header */
	COLUMN_DF,       /* 1: don't fragment */
	COLUMN_FRAGMENT, /* 1: a fragment that is not the first, so without ports */
	COLUMN_LENGTH,   /* whole length that the IP header says, header included (IPv6: 40 + payload) */
	COLUMN_SRC,      /* the last 32 bits of the address, in host order */
	COLUMN_DST,
	COLUMN_SPORT,    /* ICMP: type */
	COLUMN_DPORT,    /* ICMP: code */
	COLUMN_FLAGS,    /* of TCP, as in the header: FIN 1 SYN 2 RST 4 PSH 8 ACK 16 URG 32 ECE 64 CWR 128 */
	COLUMN_SEQ,
	COLUMN_ACK,
	COLUMN_WINDOW,
	COLUMN_MSS,      /* option of a SYN; 0: absent */
	COLUMN_WSCALE,   /* option of a SYN, 0..255; NO_WSCALE: absent */
	COLUMN_OPTIONS,  /* layout of a SYN's options: 4 bits each, first in the highest (enum option_code): MSS
	                    alone is 0x30000000; 0: none */
	COLUMN_TSVAL,    /* timestamp option of a SYN; 0: absent */
	COLUMN_PAYLOAD,  /* bytes of payload as the headers say, which may be more than was captured */
	COLUMN_SHAPE,    /* hash of `shape`, never 0 for a SYN; 0: no SYN */
	/* Of the same source's SYN before this one, filled in by the accounts; 0 when there was none. */
	COLUMN_PAIR,     /* 1: there was one, and it was not the same packet again */
	COLUMN_LAST_SEQ,
	COLUMN_LAST_DST,
	COLUMN_LAST_SPORT,
	COLUMN_LAST_DPORT,
	COLUMNS
};
#define NO_WSCALE 256

enum option_code { /* in COLUMN_OPTIONS; eight options at most are told */
	OPTION_EOL = 1, OPTION_NOP = 2, OPTION_MSS = 3, OPTION_WS = 4, OPTION_SACK_OK = 5,
	OPTION_SACK = 6, OPTION_TS = 7, OPTION_OTHER = 15,
};

/*
 * What a SYN (or SYN+ACK) tells of the system that made it, free of addresses, ports and numbers
 * that change from packet to packet.  Quirks as p0f 3 names them.
 */
#define SHAPE_OPTIONS_MAX 24
enum quirk {
	QUIRK_DF = 1, QUIRK_ID_PLUS = 2, QUIRK_ID_MINUS = 4, QUIRK_ECN = 8, QUIRK_ZERO_PLUS = 16,
	QUIRK_FLOW = 32, QUIRK_SEQ_MINUS = 64, QUIRK_ACK_PLUS = 128, QUIRK_ACK_MINUS = 256,
	QUIRK_UPTR_PLUS = 512, QUIRK_URGF_PLUS = 1024, QUIRK_PUSHF_PLUS = 2048, QUIRK_TS1_MINUS = 4096,
	QUIRK_TS2_PLUS = 8192, QUIRK_OPT_PLUS = 16384, QUIRK_EXWS = 32768, QUIRK_BAD = 65536,
};
struct tcp_shape {
	uint32_t quirks;
	uint16_t window, mss;     /* mss 0: absent */
	uint16_t wscale;          /* NO_WSCALE: absent */
	uint8_t version;          /* 4 or 6 */
	uint8_t ip_options;       /* bytes of IPv4 options or IPv6 extension headers */
	uint8_t eol_padding;      /* bytes behind an end-of-options */
	uint8_t payload;          /* 1: it carried some */
	uint8_t option_count;
	uint8_t flags;            /* SYN or SYN|ACK */
	uint8_t options[SHAPE_OPTIONS_MAX]; /* kinds as sent; zero behind the last */
};
#define SHAPE_TEXT_MAX 192
/* p0f 3's "4:64:0:1460:mss*20,7:mss,sok,ts,nop,ws:df,id+:0" for a SYN seen with that TTL. */
char *shape_p0f(const struct tcp_shape *, uint8_t ttl, char text[SHAPE_TEXT_MAX]);
/* JA4T: window_optionkinds_mss_wscale, "64240_2-4-8-1-3_1460_7". */
char *shape_ja4t(const struct tcp_shape *, char text[SHAPE_TEXT_MAX]);

struct packet_batch {
	unsigned count;
	uint64_t time_us[PACKET_BATCH];
	struct bytes frame[PACKET_BATCH];       /* as captured */
	uint32_t wire_length[PACKET_BATCH];     /* of the frame before it was cut */
	uint16_t link[PACKET_BATCH];            /* enum link_type, or another number */
	struct address src[PACKET_BATCH], dst[PACKET_BATCH];
	struct bytes payload[PACKET_BATCH];     /* what was captured of it; of ICMP: all behind the first 4 bytes */
	struct tcp_shape shape[PACKET_BATCH];   /* where COLUMN_SHAPE is not 0 */
	uint32_t column[COLUMNS][PACKET_BATCH];
};

/* Where every frame went: frames == not_ip + malformed + elsewhere + taken. */
struct packet_counts {
	uint64_t frames, bytes;  /* bytes as on the wire, which is what capinfos calls data size */
	uint64_t not_ip;         /* ARP, LLDP, a link type that is not known, … */
	uint64_t malformed;      /* cut or lying before the end of the IP header */
	uint64_t elsewhere;      /* addressed to what is not watched */
	uint64_t taken, ip_bytes;
	uint64_t fragments;      /* of the taken: fragments, first ones included */
	uint64_t short_transport;/* of the taken: a transport header that is cut or lies; ports and flags are 0 */
	uint64_t tcp, udp, icmp, icmp6, other_transport;
	uint64_t v4, v6;
};

/*
 * The addresses that are watched.  An empty one watches all.  Made once, then only read; IPv4 is
 * answered from a table of /16s, so that a packet costs one look.
 */
struct watched;
int watched_open(struct watched **, const struct prefix *, size_t count); /* 0 or ERR_MEMORY */
bool watched_holds(const struct watched *, const struct address *);
double watched_size(const struct watched *); /* addresses; 2^32 when all are watched */
void watched_close(struct watched *);

/*
 * Reads one frame into the next lane: true when the packet was taken.  The caller sees to it that
 * batch->count < PACKET_BATCH.
 */
bool packet_take(struct packet_batch *, struct packet_counts *, const struct watched *,
		 uint16_t link, struct bytes frame, uint32_t wire_length, uint64_t time_us);
