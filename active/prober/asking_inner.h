/*
 * One conversation of a probe, without sockets and clocks: what the prober and the
 * rehearsal drive.
 *
 * Begin with asking_begin(); for each connection call asking_open(), asking_hear() for
 * bytes from the peer and asking_quiet() when it was silent; send what asking_unsent()
 * holds; end with asking_finish(), which says whether another connection is wanted.
 */
#pragma once
#include "active/probe.h"
#include "active/prober/secure_inner.h"
#include "control/policy.h"

/* What a target has told over all its ports, for identification. */
struct signals {
	struct buffer text; /* "key\0value" each, one after the other */
	struct signal {
		uint16_t key, key_len, value, value_len; /* within text; a NUL follows the key */
		uint16_t port;
	} items[SIGNALS_MAX];
	size_t count;
	size_t reported; /* of them, in the events of earlier connections */
	struct signals_port { /* every port that was asked, as its last connection found it */
		uint16_t port;
		bool open;
		uint16_t window; /* of its SYN-ACK; 0: not heard */
		uint8_t ttl;
		bool linux_options; /* MSS, SACK, timestamps, filler, scale: as Linux orders them */
	} ports[LEASE_PORTS_MAX];
	size_t port_count;
};

#define SIGNALS_BYTES_MAX 16384
#define SIGNALS_REPORT_MAX 6144 /* bytes of them in the event of one connection */
#define SIGNALS_SHOWN_MAX 1024  /* bytes of one value there */

/*
 * Those that came since the last call, as lines of KEY: VALUE with C's escapes, so that a rule that
 * is written later can be tried on them.
 */
void signals_report(struct signals *, struct writer *);

struct asking {
	const struct probe *probe;
	const struct probe_settings *settings;
	struct secure_context *tls; /* NULL only when the probe is not secure */
	struct signals *signals;
	struct writer scratch;      /* of the driver, PROBE_ANSWER_MAX bytes */
	struct address target;
	uint16_t port;
	unsigned round;
	unsigned tier_max;            /* of probes that it may be handed over to */
	const struct probe *expected; /* what the port's number says, where the host spoke otherwise */
	const struct probe *instead;  /* asks in the next connection: the host spoke its protocol */
	bool glance;     /* TLS was begun for the certificate alone */
	bool waits;      /* open() only after the host had its time to speak */
	bool waiting;    /* it still has */
	bool repeated;   /* the last question, which nobody answered */
	bool opened;     /* the probe's open() was called in this connection */
	bool ended;      /* the peer ended the connection */
	bool again;      /* finish() wants another connection */
	bool overstated; /* the probe wanted to say more than it declares */
	bool overheard;  /* the peer said more than answer_max */
	bool failed;     /* no memory, or TLS could not start */
	bool rehearsed;  /* no TLS handshake: the certificate below was shown */
	struct bytes certificate;
	size_t asked, heard; /* bytes on the wire in this connection */
	size_t asked_max;    /* the question_max of those who asked in it */
	/* Of UDP every question in unsent stands behind its length (u16); last is repeated. */
	struct buffer unread, unsent, last;
	struct secure *secure;
	void *state;
};

/* `scratch` must have room for PROBE_ANSWER_MAX bytes and outlive the asking.  0 or ERR_MEMORY. */
int asking_begin(struct asking *, const struct probe *, const struct probe_settings *,
		 struct secure_context *, struct signals *, struct writer scratch);
enum probe_next asking_open(struct asking *);
/* Bytes as they came off the wire; those beyond answer_max are not looked at. */
enum probe_next asking_hear(struct asking *, struct bytes);
enum probe_next asking_quiet(struct asking *);
void asking_ended(struct asking *); /* the peer closed */
/* Of TCP all that waits, of UDP the first datagram; asking_sent() takes it away. */
struct bytes asking_unsent(const struct asking *);
void asking_sent(struct asking *, size_t n);
/*
 * Fills the answer and forgets the connection; true: open another one with the same state.
 * `instead` may have been set: then another probe should ask on this port.
 */
bool asking_finish(struct asking *, struct event *answer);
void asking_done(struct asking *); /* frees all but the signals */

struct bytes signal_key(const struct signals *, size_t i);
struct bytes signal_value(const struct signals *, size_t i);
/* That port's entry, made when it is new; NULL when there are too many. */
struct signals_port *signals_port(struct signals *, uint16_t port);
void signals_done(struct signals *);
