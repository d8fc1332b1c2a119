/*
 * The inside of the telescope: tables of accounts and sources, and what they share.
 */
#pragma once
#include "passive/telescope/accounts/destinations.h"
#include "passive/telescope/accounts/index.h"
#include "passive/telescope/accounts/samples.h"
#include "passive/telescope/accounts/fanin.h"
#include "passive/telescope/accounts/victims.h"
#include "passive/telescope/telescope.h"

enum account_bits {
	ACCOUNT_SHAPES = 1, /* SYNs of other shapes than the first */
	ACCOUNT_TOLD = 2,   /* its scan was told */
	ACCOUNT_V6 = 4,     /* its destination is a hash */
	ACCOUNT_ANSWERS = 8,/* as in its key */
};

/* Flags of an account that is not TCP.  Headless: a later fragment, or a header that is not whole. */
enum { ASKED = 0, ANSWERED = 1, HEADLESS = 2 };

/* 44 bytes; millions of them. */
struct account {
	uint32_t packets; /* 0: free */
	uint32_t duration_us;
	uint64_t first_us;
	uint32_t source;
	uint32_t bytes;
	uint16_t port;
	uint8_t proto, flags;
	uint32_t destinations_at;
	uint16_t payload, shape; /* numbers of samples */
	uint8_t ttl_min, ttl_max;
	uint8_t rule, votes;     /* of most of its packets (Boyer and Moore's majority vote) */
	uint8_t destinations;    /* as in struct destinations */
	uint8_t bits;
	uint8_t shape_tag;       /* of the shape's hash, so that other shapes are seen without a look at it */
} __attribute__((packed, aligned(4)));

enum source_bits {
	SOURCE_SYN = 1,     /* last_… hold a SYN */
	SOURCE_PORTS_TOLD = 2,
	SOURCE_SPOOFED = 4,
	SOURCE_VICTIM = 8,
	SOURCE_V6 = 16,     /* its address is elsewhere */
};

#define SOURCE_RULES 4
#define SOURCE_HOSTS 3

/* A line of a processor's cache; each packet needs one. */
struct source {
	uint32_t packets; /* 0: free; stays at the most */
	uint32_t accounts; /* now */
	uint32_t address; /* of IPv4; else its number in addresses6 */
	uint32_t last_account; /* of its packet before, which often is the account of the next one */
	uint16_t last_key; /* of that, so that most others are not looked at */
	uint16_t last_sport, last_dport;
	uint16_t destinations; /* the most on one port, stays at the most */
	uint32_t last_seq, last_dst;
	uint32_t first_s, last_s;
	uint32_t records; /* accounts that it had, with those of now */
	uint32_t victim; /* its number among the victims; 0: it never answered */
	uint16_t hosts[SOURCE_HOSTS]; /* initial TTL, hops and shape of systems told apart; 0: none */
	struct {
		uint8_t rule, count; /* stays at the most */
	} evidence[SOURCE_RULES];
	uint8_t classes, bits;
};
_Static_assert(sizeof(struct source) == 64, "a source fills a line");

struct telescope {
	struct telescope_options options;
	struct telescope_hooks hooks;
	struct pool accounts, sources, addresses6, victims;
	struct index account_index, source_index;
	struct destination_pools destinations;
	struct samples shapes, payloads;
	struct fanin fanin;
	uint64_t key[2];
	uint64_t now_us;                  /* time of the newest packet or of the clock */
	uint64_t swept_us, aged_us;       /* until when the hands have moved; when targets were aged */
	uint64_t aged_packets;
	uint32_t account_hand, source_hand;
	uint16_t *sources_sketch;          /* of all sources there were */
	struct sums sums;
	uint8_t udp_answer_port[65536 / 8];
};
#define SOURCES_SKETCH_BITS 14
#define SOURCES_SKETCH_BYTES (SKETCH_WORDS(1u << SOURCES_SKETCH_BITS) * sizeof(uint16_t))

/* Which account a packet belongs to. */
struct account_key {
	uint32_t source;
	uint16_t port;
	uint8_t proto, flags;
	bool answer; /* not of the key itself: of who begins the account */
};

static inline bool account_answers(const struct account *a) { return a->bits & ACCOUNT_ANSWERS; }
uint64_t account_hash(const struct telescope *, const struct account_key *);
uint64_t source_hash(const struct telescope *, const struct address *);
struct account_key packet_key(const struct telescope *, const struct packet_batch *, unsigned lane,
			      uint32_t source);

struct address source_address(const struct telescope *, const struct source *);
uint32_t source_find(const struct telescope *, const struct address *, uint64_t hash);
uint32_t account_find(const struct telescope *, const struct account_key *, uint64_t hash);
bool source_is(const struct telescope *, uint32_t source, const struct address *);
bool account_is(const struct telescope *, uint32_t account, const struct account_key *);
/* New ones; 0 when a pool is full, which accounts_relieve() is there to prevent. */
uint32_t source_begin(struct telescope *, const struct address *, uint64_t hash, uint64_t time_us);
uint32_t account_begin(struct telescope *, const struct account_key *, uint64_t hash);

/* The account becomes a record. */
void account_tell(struct telescope *, struct account *, enum record_end);
void account_empty(struct telescope *, struct account *); /* gives back its samples and destinations */
void account_end(struct telescope *, uint32_t account, enum record_end);
void source_tell(struct telescope *, const struct source *);
void source_end(struct telescope *, uint32_t source);
uint32_t account_destinations(const struct telescope *, const struct account *);
bool account_target_key(const struct account *, struct target_key *); /* false: many destinations */
enum traffic_class account_class(const struct telescope *, const struct account *, unsigned tool);

/* The tool of an account, as a number, when its source has shown enough for it; else 0. */
unsigned account_tool(const struct telescope *, const struct account *, const struct source *);
void source_evidence(struct source *, uint8_t rule);
uint64_t source_tools(const struct telescope *, const struct source *);

/* Findings, each told once. */
void find_scan(struct telescope *, struct account *, struct source *);
void find_ports(struct telescope *, const struct account *, struct source *);
void find_target(struct telescope *, struct target *);
void find_victim(struct telescope *, const struct account *, struct source *, const struct victim *);

/* Moves the hands: what has been quiet ends.  With memory short, what has been quiet longest. */
void accounts_sweep(struct telescope *);
void accounts_relieve(struct telescope *);
uint64_t accounts_memory(const struct telescope *);
