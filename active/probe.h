/*
 * What a probe is.
 *
 * One file in active/probes/ defines a `struct probe` and ends with PROBE(it).  Nothing
 * else in the tree names it: options, help, fields, tests, fuzz target and documentation
 * follow from the struct.
 *
 * A probe does no I/O, keeps no clock and calls no malloc.  The prober gives it a zeroed
 * `state`, hands it whatever bytes have come and sends what it says; so the same code
 * runs under tests (active/rehearse.h) and fuzzers unchanged.  Connecting, pacing,
 * leases, limits and retransmission belong to the prober.
 *
 * The way of one look: open() when the connection stands, input() whenever bytes have
 * come (unread ones stay in front of the next), quiet() when nothing came for idle_ms,
 * finish() once at the end however it came, with the bytes that nobody read.  finish()
 * fills the answer and may ask for one more connection to the same host and port with
 * asking_again(): then open() is called again with the same state, if the lease allows.
 *
 * Over UDP the same is one exchange of datagrams: each asking_say() is one datagram, each
 * datagram from the host is one input() with a reader over exactly it (what stays unread is
 * dropped), and the prober repeats a question once that nobody answers, before quiet().
 *
 * A port may speak something else than its number says.  A probe that can tell by a peer's
 * first bytes says so in recognises(); what another one recognises is handed over to it, on
 * the same connection when that protocol's server speaks first.  Where no probe knows a port
 * the fallback asks, but only after the host had its time to speak.
 *
 * Everything that comes in is hostile.  A probe never offers a credential, never writes
 * to a device, and never says more than question_max.
 */
#pragma once
#include "base/port.h"
#include "base/registry.h"
#include "event/event.h"

#define PROBE_ANSWER_MAX 65536   /* bytes of one connection that are read at all */
#define PROBE_QUESTION_MAX 8192  /* bytes of one connection that any probe may send */
#define PROBE_TIME_MS_MAX 10000  /* of one connection, from its first packet */
#define PROBE_CONNECTIONS_MAX 4  /* of one probe to one port, the first included */
#define PROBE_PORTS_MAX 8

#define SIGNALS_MAX 24           /* of one target, over all its ports */
#define SIGNAL_VALUE_MAX 2048    /* longer ones are cut */

enum probe_transport { PROBE_TCP = 1, PROBE_UDP };

enum probe_tier {
	PROBE_DEFAULT = 1, /* what any client of that protocol sends first */
	PROBE_OPT_IN = 2,  /* asks a device for its identity: only where the operator said so */
};

enum probe_next {
	PROBE_CONTINUE, /* more is welcome; unread bytes stay */
	PROBE_DONE,     /* what was wanted is known: hang up */
};

struct asking; /* one connection, owned by the prober */

/* What the operator decided; the same for every look of a process. */
struct probe_settings {
	const char *agent;      /* User-Agent: names the page that explains us (RFC 9511 3) */
	bool favicon;           /* whether a web page's icon is fetched too */
	bool snmp_public;       /* whether SNMP agents are asked with the word "public" */
	uint32_t idle_ms_max;   /* shortens every probe's idle_ms; 0: leaves them */
};

/* What is said is sent after the callback; beyond question_max the connection is cut. */
void asking_say(struct asking *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void asking_say_bytes(struct asking *, struct bytes);

/* Something by which the host can be identified; `key` is one of Recog's match keys. */
void asking_signal(struct asking *, const char *key, struct bytes value);

/*
 * TLS from here on, for protocols that agree on it first: its certificate is reported, then
 * the connection ends without a byte of what it would protect.  Return what this returns.
 * Only of a probe that says `glances`.
 */
enum probe_next asking_certificate(struct asking *);

/* One more connection after this one (only from finish(); at most connections_max). */
void asking_again(struct asking *);
unsigned asking_round(const struct asking *); /* 0 in the first connection */

const struct probe_settings *asking_settings(const struct asking *);
const struct address *asking_target(const struct asking *);
uint16_t asking_port(const struct asking *);
bool asking_is_secure(const struct asking *);
bool asking_is_whole(const struct asking *); /* the peer ended it, nothing was cut by a limit */
/* Room for answer_max bytes, until the callback returns. */
struct writer asking_scratch(struct asking *);

#define SPECIMEN_ROUNDS 12

/* An answer as captured, and what must come out: unit test, fuzz seed and manual in one. */
struct specimen {
	const char *title;
	/* TCP: per connection; no more of them: none is made.  UDP: each is one datagram. */
	struct bytes answers[SPECIMEN_ROUNDS];
	struct bytes certificate;              /* DER, of a secure probe */
	struct bytes asked;                    /* all that must have been said, in order */
	/* One JSON object a connection, a line each, with the fields that the test is about. */
	const char *answered;
	const char *signals; /* "key: value" lines, all of them in order; NULL: none */
};

struct probe {
	const char *name;
	const char *summary;
	const char *reference;      /* RFC, or the product whose behaviour this meets */
	enum probe_transport transport;
	bool secure;                /* TLS first; open() comes after its handshake */
	uint16_t ports[PROBE_PORTS_MAX]; /* usual ports; zero ends the list */
	enum probe_tier tier;
	size_t question_max, answer_max; /* bytes on the wire, of one connection */
	uint32_t time_ms_max;       /* of one connection, from its first packet */
	uint32_t idle_ms;           /* without a byte: then quiet() */
	unsigned connections_max;   /* of one port, the first included */
	bool glances;               /* may ask for the certificate alone: asking_certificate() */
	bool server_first;          /* the host speaks first: it can be handed over while it speaks */
	bool fallback;              /* asks where no probe knows the port; there is one such */
	bool industrial;            /* nothing else is ever said to its ports: it could stop a controller */
	bool guesses;           /* its question holds a well-known word: only where snmp_public says so */
	bool answers_elsewhere;     /* UDP: answers may come from another port of the same address */
	/* Whether a peer's first bytes are this protocol's; NULL: they do not tell. */
	bool (*recognises)(struct bytes first);
	size_t state_size;
	enum probe_next (*open)(struct asking *, void *state);
	enum probe_next (*input)(struct asking *, void *state, struct reader *);
	enum probe_next (*quiet)(struct asking *, void *state); /* NULL: done */
	void (*finish)(struct asking *, void *state, struct bytes unread, struct event *answer);
	const char *const *signals; /* keys that it may give, NULL-terminated */
	const struct specimen *specimens; /* ended by one without a title */
};

#define PROBE(p) REGISTER(probes, struct probe, p)
REGISTRY(probes, struct probe);
#define PROBES_EACH(it) REGISTRY_EACH(probes, struct probe, it)

const struct probe *probe_find(struct bytes name);       /* NULL: no such probe */
const struct probe *probe_for_port(uint32_t port);       /* base/port.h; first by name; NULL: none */
const struct probe *probe_fallback(void);
/* The first by name, of TCP and up to that tier, whose protocol these bytes are; NULL: none. */
const struct probe *probe_recognising(struct bytes first, unsigned tier);
/* Ports at which a question in another protocol can stop a machine: asked by its own probe or not at all. */
bool port_is_industrial(uint32_t port);
