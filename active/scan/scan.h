/*
 * A stateless scan: one packet to each of many addresses, and who answers.
 *
 * What was sent is not remembered.  Every probe carries a keyed hash of its target in fields that
 * an answer returns (TCP sequence, source port, ICMP data, a transaction's id); an answer without
 * it is counted and not believed.  The order is a permutation of targets x ports that is computed
 * from the seed, so a scan can be split over machines and resumed at a printed position.
 *
 * The engine asks nobody for permission and reads no configuration: who calls it has a survey's
 * grant and hands in targets without what is refused.  Needs CAP_NET_RAW.  One thread, no clock of
 * the caller's: scan_step() is called until it says that the scan is over.  Times are microseconds.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define SCAN_PORTS_MAX 1024
#define SCAN_PASSES_MAX 4
#define SCAN_SHARDS_MAX 65536
#define SCAN_ADDRESSES_MAX ((uint64_t)1 << 36)
#define SCAN_PAYLOAD_MAX 1200
#define SCAN_PAGE_MAX 64
#define SCAN_RING_BYTES ((size_t)64 << 20)

/* The addresses to ask: prefixes without those that are refused, with a number each. */
struct scan_targets;
/* Both sets are sealed.  ERR_FULL: more than SCAN_ADDRESSES_MAX; ERR_MISSING: none is left. */
int scan_targets_make(struct scan_targets **, const struct prefix_set *wanted,
		      const struct prefix_set *refused, struct fault *);
void scan_targets_done(struct scan_targets *);
uint64_t scan_targets_count(const struct scan_targets *);
struct address scan_targets_at(const struct scan_targets *, uint64_t number);
bool scan_targets_find(const struct scan_targets *, const struct address *, uint64_t *number);
bool scan_targets_have(const struct scan_targets *, bool v4);
/* As prefixes again, in order; 0 or ERR_MEMORY. */
int scan_targets_prefixes(const struct scan_targets *, struct prefix_set *into);
/* Addresses and prefixes, one a line, `#` begins a comment; not sealed afterwards. */
int scan_targets_read(struct bytes text, const char *name, struct prefix_set *into, struct fault *);

enum scan_protocol { SCAN_TCP, SCAN_UDP, SCAN_ICMP, SCAN_PROTOCOLS };

enum scan_way {
	SCAN_WAY_ANY,    /* the fastest that works here */
	SCAN_WAY_XDP,    /* AF_XDP in copy mode; Ethernet, by way of one router */
	SCAN_WAY_PACKET, /* a packet socket; the same */
	SCAN_WAY_RAW,    /* a raw IP socket: the kernel routes each packet */
	SCAN_WAYS
};

/* What an answer says; the names are ZMap's where it has one. */
#define SCAN_ANSWERS(X)                                                                           \
	X(SYNACK,       "synack")       /* open */                                                \
	X(RST,          "rst")          /* closed */                                              \
	X(UDP,          "udp")          /* it answered the datagram */                            \
	X(ECHO,         "echoreply")                                                              \
	X(UNREACH,      "unreach")      /* ICMP: nobody, no port, forbidden; the code tells */    \
	X(TIMEXCEEDED,  "timxceed")     /* ICMP: a loop on the way */                             \
	X(PARAMETER,    "paramprob")                                                              \
	X(TOOBIG,       "toobig")       /* ICMPv6 packet too big */                               \
	X(SOURCEQUENCH, "sourcequench")                                                           \
	X(REDIRECT,     "redirect")

enum scan_answer {
#define X(answer, name) SCAN_ANSWER_##answer,
	SCAN_ANSWERS(X)
#undef X
	SCAN_ANSWER_COUNT
};
const char *scan_answer_name(enum scan_answer);
/* In words, as ZMap has them: "port", "admin-prohib", ...; "unknown". */
const char *scan_unreachable_name(bool v4, uint8_t code);

struct scan_hit {
	struct address target, responder, to; /* responder: who sent it, for ICMP perhaps a router */
	uint16_t port, our_port;              /* of the target; 0 with ICMP echo */
	enum scan_answer answer;
	uint8_t ttl, icmp_type, icmp_code;
	uint16_t ip_id, window, icmp_id, icmp_sequence;
	uint32_t sequence, acknowledgement;
	struct bytes payload;   /* of a UDP answer, cut to what was captured */
	uint16_t payload_size;  /* as its header says */
	bool success;           /* open, or an answer: what the scan looks for */
	bool repeat;            /* not the first answer of that target and port */
	bool cooldown;          /* it came when all was sent */
	bool fragment;          /* the first part of a fragmented answer */
	uint64_t time_us;       /* UTC */
};
typedef void scan_hit_f(void *arg, const struct scan_hit *);

struct scan_options {
	enum scan_protocol protocol;
	const struct scan_targets *targets; /* must outlive the scan */
	const uint16_t *ports;              /* copied; none for ICMP */
	size_t port_count;
	uint64_t seed;
	uint64_t shard, shards;   /* this machine's part; shards 0 is taken as 1 */
	uint64_t position;        /* to go on at, within the shard; counts over all passes */
	uint64_t passes;          /* 2: those that did not answer are asked once more */
	uint64_t pass_delay_us;   /* from the last packet of a pass to the next pass */
	uint64_t rate;            /* packets a second; 0: as fast as it goes */
	uint64_t packets_max;     /* 0: no bound */
	uint64_t cooldown_us;     /* how long answers are waited for at the end */
	uint64_t network_gap_us;  /* between two packets to one /24 of IPv4, /48 of IPv6; 0: none */
	uint64_t target_gap_us;   /* between two packets to one address; 0: none */
	const char *interface;    /* NULL: where the route to the targets leads */
	struct address from_v4, from_v6; /* zero: the route's */
	uint16_t source_low, source_high; /* source ports of its own, all dropped by the kernel */
	const uint8_t *router;    /* 6 bytes of MAC; NULL: asked of the kernel */
	enum scan_way way;
	struct bytes payload;     /* UDP; none: by port, where a question is known */
	const char *page;         /* ICMP echo says it (RFC 9511 3); NULL: nothing */
	size_t ring_bytes;        /* of the receiver; 0: SCAN_RING_BYTES */
	scan_hit_f *hit;
	void *arg;
};

struct scan_counts {
	uint64_t sent, failed;      /* packets; failed: the kernel refused them */
	uint64_t skipped;           /* not sent: it answered an earlier pass */
	uint64_t refused;           /* not sent: refused since the scan began */
	uint64_t deferred;          /* waited because of its network's or its own limit */
	uint64_t received;          /* packets that passed the kernel's filter */
	uint64_t dropped;           /* packets that found the receiver's ring full */
	uint64_t malformed, forged; /* forged: the hash is not ours; a stranger, or an old scan's */
	uint64_t hits, repeats;     /* targets and ports with success; repeated answers of any kind */
	uint64_t answers[SCAN_ANSWER_COUNT];
	uint64_t position, positions; /* of this shard, over all passes; all before it was sent */
	uint64_t taken;               /* nothing from here on was sent */
};

enum scan_phase { SCAN_SENDING, SCAN_BETWEEN, SCAN_COOLDOWN, SCAN_OVER };

/* Whether scan_open() would take them, as far as that can be said without opening anything. */
int scan_check(const struct scan_options *, struct fault *);
struct scan;
int scan_open(struct scan **, const struct scan_options *, struct fault *);
/* Sends and receives for at most some 50 ms.  The phase, or a negative error. */
int scan_step(struct scan *, struct fault *);
void scan_stop(struct scan *); /* sends no more; answers are still waited for */
/* Addresses that are refused from now on, sealed; stays the caller's and may change between steps. */
void scan_refuse(struct scan *, const struct prefix_set *);
const struct scan_counts *scan_counts(struct scan *);
uint64_t scan_time_left_us(const struct scan *); /* as the rate of now has it; 0: not known */
/* The addresses that it sends from; how many. */
size_t scan_sources(const struct scan *, struct address out[2]);
/* How it sends: "xdp", "packet" or "raw", interface and source addresses, for people. */
void scan_describe(const struct scan *, struct writer *);
void scan_close(struct scan *);

/*
 * The kernel answers what comes to the scan's ports with RST and ICMP, which costs it and tells
 * more packets to the target than the survey promised.  A table of nftables drops them before it
 * sees them.  The table belongs to a child process and vanishes with it, also when we are killed.
 */
struct scan_quiet;
/* ERR_MISSING: there is no nft; ERR_DENIED and others: it did not work, the fault says why. */
int scan_quiet_begin(struct scan_quiet **, const struct address *from, size_t count, uint16_t low,
		     uint16_t high, struct fault *);
void scan_quiet_end(struct scan_quiet *);

/* Which question a UDP port would get; empty: an empty datagram. */
struct bytes scan_payload_of(uint16_t port);
/* Ports of industrial protocols: nothing but their own question may be sent there. */
bool scan_port_is_industrial(uint16_t port);
/* The order without a scan: how many positions there are, and what is asked at one of them. */
uint64_t scan_plan_positions(const struct scan_options *);
void scan_plan_at(const struct scan_options *, uint64_t position, struct address *, uint16_t *port);
/* The position at which that target's port has its turn: when was it asked, and was it at all? */
bool scan_place_of(const struct scan_options *, const struct address *, uint16_t port, uint64_t *position);
