/*
 * What a protocol of the sink is: one way to answer a sample so that it goes on.
 *
 * One file in lab/run/sinks/ defines a `struct sink_protocol` and ends with SINK_PROTOCOL(it).  Nothing
 * else in the tree names it: tests and the fuzz target follow from the struct.
 *
 * A protocol does no I/O, keeps no clock and calls no malloc; its state is zeroed memory of state_size.
 * The sample is welcome: whatever it asks succeeds as far as that costs nothing, and what it said is
 * told (talk_tell) with the thing that an analyst looks for as its subject.
 *
 * The way of one connection: its first bytes choose the protocol (recognises(), those of its port
 * first).  When none came for a while the protocol of its port that greets is opened and speaks.
 * What no protocol recognises is listened to in silence; it is kept as a hello all the same.
 * Over UDP each datagram is a talk of its own, unless the protocol says that it lasts.
 */
#pragma once
#include "base/address.h"
#include "base/registry.h"

#define TALK_INPUT_MAX 65536   /* bytes that wait for the rest of a message */
#define TALK_OUTPUT_MAX 262144 /* besides what is fetched */
#define TALK_STATE_MAX 4096
#define SINK_PORTS_MAX 12

enum talk_next { TALK_ON, TALK_END };

struct talk; /* one connection or one datagram, owned by the sink */

/* What does not fit ends the talk. */
void talk_say(struct talk *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void talk_say_bytes(struct talk *, struct bytes);
/* What it asked or did; both are copied and cut.  The same again is counted, not kept. */
void talk_tell(struct talk *, const char *kind, struct bytes subject, struct bytes said);
/*
 * Asks for what is behind a URL; fetched() is called once, maybe within this call.  Input waits
 * until then.
 */
void talk_fetch(struct talk *, struct bytes url);
/* The content given to fetched(), said behind what was said so far. */
void talk_say_fetched(struct talk *, size_t from, size_t count);
/* What follows is another protocol, recognised anew; a name and port when it means another server. */
void talk_switch(struct talk *);
void talk_mean(struct talk *, struct bytes host, uint16_t port);

/* The address that stands for a name from now on; the same for the same name, zero when there are too many. */
struct address talk_name(struct talk *, struct bytes name, const char *type);
/* The name that an address stands for, or nothing. */
struct bytes talk_name_of(const struct talk *, const struct address *);

bool talk_is_secure(const struct talk *);   /* within TLS */
bool talk_is_datagram(const struct talk *);
uint16_t talk_port(const struct talk *);
const struct address *talk_address(const struct talk *); /* to which it talks */
const char *talk_endpoint(const struct talk *); /* the same as text, by name where it has one */

/* What the sample says, what it hears, what is told of it: unit test, fuzz seed and manual in one. */
struct sink_exchange {
	const char *title;
	struct bytes said;
	struct bytes heard; /* all of it; where it may differ, only its beginning: see `begins` */
	bool begins;
	const char *told;   /* "kind subject" lines */
};

struct sink_protocol {
	const char *name, *summary;
	const char *reference;
	const char *secure_name;  /* within TLS; NULL: as `name` */
	bool datagrams;           /* over UDP, else over TCP */
	bool lasts;               /* over UDP: later datagrams of the same two ends go on with this talk */
	bool question;            /* its first message asks for something and enlists nobody */
	bool greets;              /* on its ports it speaks first when the sample does not */
	bool whole_messages;      /* recognised only when the first message came in one piece, as such clients send it */
	uint16_t ports[SINK_PORTS_MAX]; /* zero ends the list */
	/* Whether first bytes are of this protocol; on one of its ports less will do. */
	bool (*recognises)(struct bytes first, bool on_its_port);
	size_t state_size;
	enum talk_next (*open)(struct talk *, void *state); /* NULL: says nothing at first */
	enum talk_next (*input)(struct talk *, void *state, struct reader *); /* unread bytes stay */
	/* `found` is false where nobody captured it; count is its size. */
	enum talk_next (*fetched)(struct talk *, void *state, bool found, struct bytes content);
	const struct sink_exchange *exchanges; /* ended by one without a title */
};

#define SINK_PROTOCOL(p) REGISTER(sink_protocols, struct sink_protocol, p)
REGISTRY(sink_protocols, struct sink_protocol);
#define SINK_PROTOCOLS_EACH(it) REGISTRY_EACH(sink_protocols, struct sink_protocol, it)
