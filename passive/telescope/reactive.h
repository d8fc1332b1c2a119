/*
 * The reactive telescope: answers a SYN to dark space without keeping it, and takes what comes
 * first.
 *
 * A SYN to a reactive address is answered with one SYN+ACK whose sequence number is a cookie: a
 * keyed hash of both ends and a slot of time.  Who acknowledges it has received it, so the source
 * is no forgery.  What the peer then says first is taken and one RST closes the conversation.
 * Nothing is ever sent again, and nothing is sent that is longer than what caused it; so a forged
 * SYN makes no more of us than a smaller echo, and bounds for each network and for all hold these
 * down further.
 *
 * The engine does no I/O: batches go in, frames come out through a hook.  Its memory is fixed and
 * is made at the start; only a completed handshake takes a place, for at most two slots, and
 * everything about SYNs is kept in sketches that forget and collide towards sending less.  One
 * instance belongs to one thread, which sees all packets of the sources that it sees.
 */
#pragma once
#include "base/error.h"
#include "base/siphash.h"
#include "event/event.h"
#include "passive/telescope/packet.h"

#define REACTIVE_SLOT_US 64000000u      /* a cookie is good in its slot and the next one */
#define REACTIVE_ANSWER_MAX 96          /* bytes of a frame of ours: link header, IP, TCP and its MSS */
#define REACTIVE_PAYLOAD_MAX 2048       /* taken of the first payload */
#define REACTIVE_HANDSHAKES_MAX 8192    /* that are remembered at once */
#define REACTIVE_SKETCH 65536           /* places in each sketch; a power of two */
#define REACTIVE_TWO_PHASE_US 600000000u /* between an irregular SYN and the handshake */
#define REACTIVE_SPOOFED_S 86400        /* a source that a flood forges is answered once in this time */

enum reactive_refusal { /* why a SYN to a reactive address was not answered */
	REACTIVE_HELD_OUT,  /* that address stays silent, for comparison */
	REACTIVE_FRAME,     /* it cannot be turned around: a group address, a fragment, another link */
	REACTIVE_NO_HOST,   /* nobody can be at that source address or port */
	REACTIVE_OURS,      /* the source address is watched itself */
	REACTIVE_SPECIAL,   /* the source lies in a special range, which is not allowed */
	REACTIVE_OPTED_OUT, /* its owner does not want packets of ours */
	REACTIVE_SPOOFED,   /* somebody forges that source, and it was answered before */
	REACTIVE_NETWORK,   /* its /24 or /64 has had its share */
	REACTIVE_RATE,      /* all together have */
	REACTIVE_UNSENT,    /* the link would not take it */
	REACTIVE_REFUSALS
};
extern const char *const reactive_refusal_names[REACTIVE_REFUSALS];

struct reactive_counts {
	uint64_t syns;        /* to reactive addresses; answered + the sum of refused */
	uint64_t answered;
	uint64_t refused[REACTIVE_REFUSALS];
	uint64_t acks;        /* to reactive addresses; proofs + repeated + wrong + unheard */
	uint64_t repeated;    /* right, of a handshake that is known */
	uint64_t wrong;       /* no cookie of ours, or too old */
	uint64_t unheard;     /* not looked at, since too many wrong ones came before */
	uint64_t proofs;      /* handshakes that were told */
	uint64_t payloads;    /* of these with a payload */
	uint64_t two_phase;
	uint64_t resets;      /* sent */
	uint64_t sent_packets, sent_bytes; /* IP lengths of SYN+ACKs and RSTs */
	uint64_t caused_bytes;             /* IP lengths of the packets that they answer */
};

enum reactive_sign { /* what made a SYN irregular (Spoki's rules, and signatures) */
	SIGN_IPID = 1,       /* 54321 */
	SIGN_TTL = 2,        /* above 200 */
	SIGN_NO_OPTIONS = 4,
	SIGN_TOOL = 8,       /* a signature knows its maker */
};

enum reactive_end { /* what ended the waiting for the first payload */
	REACTIVE_PAYLOAD, REACTIVE_CLOSED, REACTIVE_SILENT, REACTIVE_NO_ROOM, REACTIVE_ENDS
};
extern const char *const reactive_end_names[REACTIVE_ENDS];

/* A completed handshake; told once, with the first payload or when none came. */
struct reactive_proof {
	struct address source, destination;
	uint16_t source_port, port;
	uint64_t proved_us;       /* when the cookie came back */
	uint64_t time_us;         /* when the waiting ended */
	uint8_t ttl;              /* as received */
	bool irregular;           /* the SYN of this handshake was */
	bool two_phase;           /* an irregular SYN came first, a regular one completed it */
	uint64_t phase_gap_us;    /* between these two */
	unsigned signs;           /* of the irregular SYN, this one or that of phase one */
	unsigned tool;            /* that made it, as the hook `tools` numbered it; 0: not known */
	enum reactive_end end;
	struct bytes payload;     /* valid during the call; empty unless end is REACTIVE_PAYLOAD */
};

struct reactive_options {
	const struct watched *prefixes;       /* reactive ones; NULL: none, so nothing is answered */
	const struct watched *own;            /* all that is ours; NULL: only `prefixes` */
	bool special;                         /* sources in special ranges are answered (laboratories) */
	double hold_out;                      /* share of reactive addresses that stays silent */
	struct siphash_key hold_out_key;      /* the same at every start, so that the share stays */
	struct siphash_key cookie_key;        /* drawn at start */
	uint64_t network_rate, network_burst; /* answers a second to a /24 or /64; 0: 32 and 512 */
	uint64_t rate, burst;                 /* to all; 0: 5,000 and as many */
	uint64_t patience_us;                 /* a silent peer is waited for so long; 0: 10 s */
};

struct reactive_hooks {
	void *arg;
	/* A frame for the interface on which the one that caused it came; negative: it could not leave. */
	int (*send)(void *arg, unsigned interface, struct bytes frame);
	void (*proof)(void *arg, const struct reactive_proof *);
	/* The two below may be NULL.  True: somebody forges this source (telescope_source_spoofed()). */
	bool (*spoofed)(void *arg, const struct address *);
	/* Tools that made these packets, as numbers up to 255; asked when a batch has SYNs for us. */
	void (*tools)(void *arg, const struct packet_batch *, uint8_t tool[PACKET_BATCH]);
};

struct reactive;
int reactive_open(struct reactive **, const struct reactive_options *, const struct reactive_hooks *,
		  struct fault *);
/*
 * What of these packets asks or answers us; they all came on that interface, a number of the
 * caller's below 256.  Other packets cost one look.
 */
void reactive_take(struct reactive *, const struct packet_batch *, unsigned interface);
/* It is that late: ends the waiting for silent peers.  Call it a few times a second. */
void reactive_clock(struct reactive *, uint64_t now_us);
/* Tells all handshakes that still wait; sends nothing. */
void reactive_finish(struct reactive *);
const struct reactive_counts *reactive_counts(const struct reactive *);
/* Who opted out; the set belongs to the caller and stays until the next call.  NULL: nobody. */
void reactive_opt_outs(struct reactive *, const struct prefix_set *);
bool reactive_held_out(const struct reactive *, const struct address *);
void reactive_close(struct reactive *);

/*
 * A scan.seen with state "answered", which control takes as an answered cookie.  `tool` is the name
 * of proof->tool, `asks` what a signature says of the payload; NULL: nothing.
 */
void reactive_event(const struct reactive_proof *, const char *tool, const char *asks, struct event *);
