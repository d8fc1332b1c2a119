/*
 * What the telescope hands out: records of accounts, findings, sources, and the sums.
 *
 * An account is what one source sent to one port with one set of flags; it becomes a record when
 * it has been quiet for the time-out, when the interval is over, when a counter would overflow,
 * when memory asks for it (`early`), or at the end.
 */
#pragma once
#include "passive/telescope/packet.h"

enum traffic_class {
	CLASS_SCAN,          /* asks, without an answer having been asked of it */
	CLASS_BACKSCATTER,   /* answers of a host that somebody attacks with our addresses as sources */
	CLASS_REFLECTION,    /* answers of many hosts that somebody asked with one address of ours as source */
	CLASS_SPOOFED,       /* many sources, few TTLs: a flood from one or two places */
	CLASS_MISCONFIGURED, /* one host that keeps asking one address for something that was never there */
	CLASS_OTHER,         /* fragments, odd protocols, what nothing above says */
	TRAFFIC_CLASSES
};
extern const char *const traffic_class_names[TRAFFIC_CLASSES]; /* "scan", "backscatter", … */

enum record_end { RECORD_QUIET, RECORD_INTERVAL, RECORD_FULL, RECORD_EARLY, RECORD_END, RECORD_ENDS };
extern const char *const record_end_names[RECORD_ENDS];

struct record {
	struct address source;
	uint64_t first_us, last_us;
	uint64_t packets, bytes;      /* bytes as the IP headers say */
	uint32_t destinations;        /* distinct; exact up to DESTINATIONS_EXACT, then within DESTINATIONS_ERROR */
	bool destination_known;       /* there was only one, and it is `destination` */
	struct address destination;
	uint8_t proto;
	uint8_t flags;                /* of TCP */
	bool answer;                  /* `port` is the source's: it answers */
	uint16_t port;                /* else the destination's; ICMP: type << 8 | code */
	uint8_t ttl_min, ttl_max;     /* as received */
	uint8_t ttl_initial, hops;    /* guessed from ttl_max: 32, 64, 128 or 255, and the rest */
	enum traffic_class class;
	enum record_end end;
	const char *tool;             /* NULL: none that is known */
	unsigned tool_number;         /* of signatures_tool(); 0: none */
	const struct tcp_shape *shape;/* of its first SYN; NULL: there was none, or no room to keep it */
	bool shapes;                  /* later SYNs had other shapes */
	struct bytes payload;         /* the first, up to PAYLOAD_SAMPLE bytes; empty: none, or no room */
	const char *payload_name;     /* NULL: nothing that is known */
	bool amplifies;               /* that request asks for reflectors */
};
#define DESTINATIONS_EXACT 16
#define DESTINATIONS_ERROR 0.065 /* standard error of the sketch beyond: 1.04 / sqrt(256) */
#define PAYLOAD_SAMPLE 128

enum finding_kind {
	FINDING_SCAN,       /* a source passed the threshold of distinct addresses on a port, or of ports */
	FINDING_VICTIM,     /* backscatter that fulfils the RSDoS rule */
	FINDING_REFLECTION, /* an address of ours is answered by many that it never asked */
	FINDING_FLOOD,      /* an address of ours is flooded with spoofed sources */
};
struct finding {
	enum finding_kind kind;
	struct address address;   /* the scanner; the victim; for the last two the address of ours */
	uint64_t first_us, last_us;
	uint64_t packets;
	uint32_t count;           /* distinct addresses of ours (scan, victim), sources (reflection, flood) */
	uint32_t ports;           /* of a scan over ports: how many; else 0 */
	double rate;              /* packets a second; of a victim the highest in a minute */
	double internet_rate;     /* of a scan: estimated for the whole IPv4 space, from what is watched */
	uint8_t proto, flags;
	uint16_t port;            /* as in struct record; of a scan over ports: the last one */
	uint8_t ttl;              /* last observed; of a flood the commonest */
	unsigned ttls;            /* of a flood: distinct TTLs that make up 95 of 100 sources */
	const char *tool;         /* or NULL */
};

struct source_sum {
	struct address address;
	uint64_t first_us, last_us;
	uint64_t packets;
	uint32_t records;         /* accounts that it had, which is ports × protocols × flags */
	uint32_t destinations;    /* the most on one port */
	uint64_t tools;           /* bit n: tool number n + 1 was believed */
	unsigned classes;         /* bit of each enum traffic_class */
	unsigned hosts;           /* that seem to be behind the address; 1 unless several were told apart */
	bool spoofed;
	bool victim;              /* by the RSDoS rule */
};

struct sums {
	struct packet_counts packets;
	uint64_t records, sources;
	bool sources_estimated;   /* memory was short: sources were forgotten, and the count is a sketch's */
	uint64_t ends[RECORD_ENDS];
	struct { uint64_t packets, sources; } classes[TRAFFIC_CLASSES];
	struct { uint64_t packets, sources; } tools[65]; /* by number; [0] is no tool */
	uint64_t findings[4];
	uint64_t accounts_now, sources_now, memory, memory_peak; /* bytes that the tables take */
	uint64_t time_backwards;  /* packets older than the newest by more than the time-out */
	uint64_t shapes_unkept, payloads_unkept, targets_unkept; /* no room in a table of samples */
	uint64_t first_us, last_us;
};
