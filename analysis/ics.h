/*
 * Industrial systems that seem to attack: what the TTLs of their answers and of dark traffic say.
 *
 * A row is an address at which an industrial protocol answers and from which dark addresses were asked.
 * Of it is worked out how many machines answer there at least, what systems are expected, and whether the
 * attacker can be the controller.
 *
 * - Every system begins with one of few TTLs and every router takes one away.  A received TTL is read as each
 *   initial value from which it is at most TTL_HOPS_MAX routers away; a reading is no more than that.
 * - 64, 128 and 255 are what common systems begin with.  30, 32, 60 and 100 are rare, and devices that have
 *   them are known to have several stacks in one case (a processor for the protocol, one for the pages), so
 *   they hint at machines and do not count them.
 * - Hops are compared within one vantage.  Between two of them only once both were calibrated against each
 *   other, and then within what the calibration leaves open.
 * - TTLs can show that two are not one machine.  They never prove that two are: what stands behind one
 *   gateway is as far away as the gateway's other machines.
 * - Addresses change hands.  A look a day or more after the attack may have met somebody else: then nothing is
 *   likely, and the attacker is not counted among the machines.
 * - A tool that makes its own packets chooses their TTL.  Only what has the shape of a system's own SYN says
 *   which system sent it.
 *
 * Everything here is pure: no store, no clock.
 */
#pragma once
#include "base/address.h"
#include "base/error.h"

#define TTL_HOPS_MAX 35     /* p0f, too, holds no host to be farther */
#define TTL_READINGS_MAX 4
#define ICS_ANSWERS_MAX 24
#define ICS_DARK_MAX 8
#define ICS_TEXT_MAX 64
#define ICS_REASON_MAX 1024
#define ICS_SAME_HOPS 2     /* paths of one machine differ by so many, for flows take several ways */
#define ICS_APART_MAX 24    /* hours */
#define ICS_SPREAD_MAX 3    /* a calibration that varies more says nothing */

struct ttl_reading {
	uint8_t initial, hops;
	bool common; /* 64, 128, 255 */
};

/* All readings of a TTL as received, nearest first; returns how many.  0: no known system, or TTL 0. */
size_t ttl_readings(uint8_t ttl, struct ttl_reading out[TTL_READINGS_MAX]);
/* The likeliest: a common system's where there is one; false: there is no reading at all. */
bool ttl_expected(uint8_t ttl, struct ttl_reading *out);
/* What begins with it, in words for people: "Windows". */
const char *ttl_system(uint8_t initial);

struct ics_protocol {
	const char *name;      /* "Siemens S7" */
	const char *probe;     /* module that asks for it: "s7" */
	const char *const *words; /* other names that others give it; ended by NULL */
	uint16_t ports[4];     /* ended by 0; `probe` asks at the first of them */
	bool udp;
};
/*
 * Whether a probe of ours asks for it at that port.  Where none does nothing is asked: controllers have stopped
 * at protocols that they did not know.
 */
bool ics_protocol_is_asked(const struct ics_protocol *, uint16_t port);
const struct ics_protocol *ics_protocol_find(struct bytes word); /* by any of its names, any case; NULL: none */
const struct ics_protocol *ics_protocol_at_port(uint16_t port, bool udp);
const struct ics_protocol *ics_protocol_at(size_t i); /* NULL beyond the last */

struct ics_answer { /* an open port, as one look found it */
	uint16_t port;
	bool udp;
	uint8_t ttl; /* 0: not known */
};

struct ics_dark { /* what dark addresses were asked */
	uint16_t port;
	bool udp, icmp;
	uint8_t ttl; /* the highest as received: a flow's lower ones took longer ways */
	bool own_stack; /* its SYN has the shape of a system's own, not of a tool's */
};

struct ics_vantages {
	bool one;      /* answers and dark traffic were received at one place */
	bool calibrated;
	int offset;    /* hops of dark traffic less hops of answers of the same machines, the median */
	int spread;    /* half of the range that nine in ten of them lie in */
	size_t hosts;  /* from which it is known */
};

struct ics_row {
	char name[ICS_TEXT_MAX];    /* "A", or an address */
	char country[8];
	char protocol[ICS_TEXT_MAX];
	struct ics_answer answers[ICS_ANSWERS_MAX];
	size_t answer_count;
	struct ics_dark dark[ICS_DARK_MAX];
	size_t dark_count;
	struct ics_vantages vantages;
	unsigned apart_h; /* hours between the dark traffic and the look; over ICS_APART_MAX the address may be another's */
};

enum ics_same { ICS_UNDECIDED, ICS_DIFFERENT, ICS_LIKELY, ICS_SAMES };
const char *ics_same_word(enum ics_same); /* "undecided", "different", "likely" */

struct ics_verdict {
	unsigned machines_least; /* that answer or attack there, as far as common systems show it */
	unsigned machines_seem;  /* with what only hints at another one; never below machines_least */
	enum ics_same same;      /* attacker and controller */
	uint8_t controller_initial, attacker_initial; /* expected; 0: not known */
	char reason[ICS_REASON_MAX];
};

void ics_judge(const struct ics_row *, struct ics_verdict *out);

/*
 * A row as people print it, five columns with semicolons between them:
 *
 *   C; VE; 502, 8080/TCP (45) and 3389/TCP (109); Modbus; 445/TCP (110)
 *
 * A TTL in brackets is that of all ports before it which have none; a port without /UDP is TCP.  Further
 * columns may be "syn=system" (dark SYNs have a system's own shape), "vantage=one", "offset=3" (calibrated) with
 * "spread=1", "apart=48" (hours between the attack and the look).
 * ERR_BAD with a sentence.
 */
int ics_row_read(struct bytes line, struct ics_row *out, struct fault *);
/* Columns of the same notation. */
void ics_ports_write(const struct ics_row *, struct writer *);
void ics_dark_write(const struct ics_row *, struct writer *);
