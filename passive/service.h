/*
 * What an emulated service is.
 *
 * One file in passive/services/ defines one `struct service` and ends with
 * SERVICE(it).  Nothing else in the tree names it: configuration, help, fields,
 * tests, fuzz target and documentation follow from the struct.
 *
 * A service does no I/O, keeps no clock and calls no malloc.  The room gives it a
 * zeroed `state`, hands it whatever bytes have arrived and sends what it says; so
 * the same code runs under tests (passive/rehearse.h) and fuzzers unchanged.
 *
 * The way of a session: open() once (TCP after the handshake; UDP before the first
 * datagram), input() whenever bytes have come (TCP: unread bytes stay in front of
 * the next; UDP: one call is one datagram, what is said is one answer), tick()
 * when the delay that session_delay() asked for has passed, close() once at the end
 * however it came.  While a delay runs no input() is called: the peer waits; session_remind()
 * asks for a tick() beside input().
 */
#pragma once
#include "base/arena.h"
#include "base/registry.h"
#include "event/event.h"

enum transport { TRANSPORT_TCP = 1, TRANSPORT_UDP = 2 };

enum service_next {
	SERVICE_CONTINUE, /* more input is welcome; unread bytes stay */
	SERVICE_CLOSE,    /* send what was said, then hang up */
};

struct session; /* owned by the room */
struct service;
struct persona; /* passive/persona.h */
struct vfs;     /* passive/device/vfs/vfs.h */

/* What is said is queued and sent after the callback; beyond .output_max the room hangs up. */
void session_say(struct session *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void session_say_bytes(struct session *, struct bytes);
/* A text of the persona, %{names} filled in for this address. */
void session_say_template(struct session *, const char *text);
/* The same into a buffer of the caller, ended with a NUL. */
void session_expand(const struct session *, const char *text, char *out, size_t size);

/* How much was said in this callback; and what was said behind that is taken back. */
size_t session_said(const struct session *);
struct bytes session_said_since(const struct session *, size_t said);
void session_unsay(struct session *, size_t said);

/*
 * Begins an event with session, addresses, service, persona and cause filled in; it is
 * sent when the callback returns or the next one begins.
 */
struct event *session_report(struct session *, enum event_kind);

/*
 * Keeps bytes that the peer left as a file: the room stores them under their digest and
 * sends file.captured after the store has them.  `name` and `url` may be empty; `how` is a
 * word ("upload", "echo").  Bytes beyond the room's limit are cut and marked.
 */
void session_capture(struct session *, struct bytes content, struct bytes name, struct bytes url,
		     const char *how);

/* Reports login.tried and says whether this device lets them in. */
bool session_login(struct session *, struct bytes user, struct bytes secret);

/*
 * The same for a service that has decided by itself: by accounts of its own, or by an answer to
 * a challenge.  `secret` is empty while nobody knows it; `proof` (empty: none) is challenge and
 * answer in the form that password crackers read.
 */
void session_login_decided(struct session *, struct bytes user, struct bytes secret,
			   struct bytes proof, bool accepted);

/*
 * Bait (passive/bait): whether these credentials were planted as a pair for this device, for a
 * service that decides by itself; session_login() and the functions of accounts.h ask by themselves.
 */
bool session_bait_opens(const struct session *, struct bytes user, struct bytes secret);
/*
 * Words of the peer that stand in no field of the event that was just begun (header fields):
 * tokens of the ledger are looked for in them too.
 */
void session_mentions(struct session *, struct bytes);

/*
 * For a service with .records_itself, whose bytes on the wire say nothing (they are encrypted by
 * itself): what is to stand in the session's recording, as a terminal would show it.
 */
void session_record(struct session *, bool ours, struct bytes);

/* The peer named a file to fetch: file.captured with its URL and no digest. */
void session_name_file(struct session *, struct bytes url, struct bytes name, const char *how);

/*
 * From here on the session is that service's, as if it had been from the beginning: it is opened,
 * and offered what its predecessor left unread.  To be returned from the callback.
 */
enum service_next session_become(struct session *, const struct service *);

/*
 * The files of the device as this attacker finds them: what it changed there, in any service and
 * at any earlier visit, lies over the persona's own.  The look stays good as long as the session;
 * the persona is the one whose tree it is (persona_plain where the session's has none).
 * False: no memory.
 */
bool session_files(struct session *, struct vfs *out, const struct persona **);
/* The bytes of one of them as this device shows it, %{names} filled in: 0 or a negative errno. */
struct vfs_node;
int session_content(struct session *, struct vfs_node, struct arena *into, struct bytes *out);
/* vfs_stat(), with the size that those have. */
struct vfs_status;
void session_stat(struct session *, struct vfs_node, struct vfs_status *out);

/*
 * What the device keeps of this attacker beside its files (registers that were written, the keys of
 * a database): bytes under a name of at most 15 characters, as any session of this attacker with the
 * device left them last, those that go on and those before a restart among them.  Empty: nothing
 * yet.  They lie there until the next session_remember().  A device has at most 8, of at most
 * 64 KiB (passive/room/devices.h); false: it is not kept, and what was stays.  Over UDP, where sources
 * may be forged, and in rehearsals nothing is remembered.
 */
struct bytes session_recall(struct session *, const char *name);
bool session_remember(struct session *, const char *name, struct bytes);

/*
 * What came from a terminal, as it came and before it is understood, one call for each piece: who
 * types is told from it when the session ends (passive/room/typist.h).  Nothing of it is kept.
 */
void session_typed(struct session *, struct bytes piece);

/*
 * A connection beside the session's own, which the peer is told to make (FTP's data connections).
 * Only this peer can, to the same address of ours; we never connect.  There is at most one: who
 * expects another gives up the one before.  The service's data() hears of it.
 */
enum data_event {
	DATA_OPENED, /* the peer has come */
	DATA_DONE,   /* all that was said is sent, or the peer ended it: what came is whole */
	DATA_BROKEN, /* nobody came within a minute, or it broke off */
};
uint16_t session_expect(struct session *);               /* the port; 0: none is free */
void session_data_say(struct session *, struct bytes);
void session_data_end(struct session *);  /* when all that was said is sent */
void session_data_take(struct session *); /* from here on, to the end, what comes is kept */
void session_data_drop(struct session *); /* gives it up, without an event */

/*
 * A real machine behind the decoy (docs/high_interaction.md).  session_backend() is what the
 * persona says of it; NULL: there is none, or nobody who could connect to it.  A service with
 * relayed() asks for it by session_relay() and hears what comes of that; of other services, and
 * only when it is to take over at once, the room passes all bytes on and no callback is called.
 * session_relay_begins(): from here on the session is the backend's, which is told.
 */
enum relay_event {
	RELAY_OPENED, /* it is connected */
	RELAY_CAME,   /* bytes of the backend */
	RELAY_ENDED,  /* it hung up, or there is none after all */
};
struct backend; /* passive/relay/backend.h */
const struct backend *session_backend(const struct session *);
bool session_relay(struct session *); /* false: it cannot be had */
void session_relay_say(struct session *, struct bytes);
void session_relay_end(struct session *); /* without an event; what was said still goes out */
void session_relay_begins(struct session *);
/* While held the backend is not read beyond what one window takes. */
void session_relay_hold(struct session *, bool);

/*
 * When it ends, it ends with a reset and not with a FIN: what the kernel does for a server that
 * closes with bytes unread in its socket.  For servers that read byte by byte.
 */
void session_reset_at_end(struct session *);

void session_delay(struct session *, uint32_t delay_ms); /* tick() after that; at most 60 s */
/* The same, but input() goes on meanwhile: for what a service says unasked.  Of TCP; the last call counts. */
void session_remind(struct session *, uint32_t delay_ms);
void session_delay_over(struct session *); /* what it waited for has come: no tick() */

/*
 * Over UDP a source may be forged, so an answer may be no longer than this, now and to this
 * source (passive/room/reflection.h); a longer one is not sent.  Over TCP there is no bound.
 */
size_t session_answer_max(const struct session *);
/* The whole answer, when less of it or nothing is said: what an attack would have gained. */
void session_would_say(struct session *, size_t bytes);

/*
 * TLS, which the room speaks; the service goes on with plain bytes (passive/tls).
 *
 * On its `secure_ports` TLS begins at once: open() comes after the handshake.  Elsewhere a service
 * calls session_secure() when it and the peer have agreed on it (STARTTLS of SMTP, IMAP and LDAP,
 * SSLRequest of PostgreSQL and MySQL, X.224 of RDP).  What was said before, also in the same
 * callback, goes out in plain; what is left unread in the reader, and all that comes, is TLS; what
 * is said after it waits for the handshake.  A service that is to forget what came in plain behind
 * its STARTTLS (it should, RFC 3207 4.2) reads it away.  How a device speaks TLS and what its
 * certificate says stands in the persona (`tls`), or in its entry of the service.  In a rehearsal
 * there is no TLS: session_secure() only switches session_is_secure() on, and the exchange goes on
 * in plain.
 */
void session_secure(struct session *);
bool session_is_secure(const struct session *); /* the handshake is through, or never was in plain */
/* The name that the peer asked for (SNI); empty: none. */
struct bytes session_secure_name(struct session *);
/* Our certificate as it is shown, DER, for channel bindings; empty in plain and in rehearsals. */
struct bytes session_secure_certificate(struct session *);

/*
 * For protocols that carry the handshake in packets of their own and go on in plain TLS records
 * after it (TDS).  No version beyond 1.2 is spoken then.
 */
struct secure_framing {
	/* Takes one whole packet off the front; false: it is not whole yet.  *tls empty: not one of ours, end. */
	bool (*unwrap)(struct reader *, struct bytes *tls);
	/* Writes the bytes of a flight as packets: at most four times as many and 4 KiB. */
	void (*wrap)(struct bytes tls, struct writer *);
};
void session_secure_within(struct session *, const struct secure_framing *);

struct arena *session_arena(struct session *);           /* lives as long as the session */
const struct persona *session_persona(const struct session *);
const void *session_options(const struct session *);     /* the service's own, filled from YAML */
/* What the persona's file says of this service, else the defaults of its table. */
const void *session_device(const struct session *);
uint64_t session_time_us(const struct session *);        /* UTC */
uint64_t session_age_us(const struct session *);
const struct address *session_local(const struct session *); /* address of ours, names the device */
const struct address *session_peer(const struct session *);
uint16_t session_peer_port(const struct session *);
uint16_t session_local_port(const struct session *);
enum transport session_transport(const struct session *);
/* The same number for the same local address for ever: for serials, uptimes, host names. */
uint64_t session_device_seed(const struct session *);
uint64_t session_random(struct session *);
/*
 * Bytes for a purpose that nobody outside can guess, the same for ever: of this device, or with
 * `shared` of all decoys of this installation.  For keys; what is shown comes from the seed.
 */
void session_secret(const struct session *, const char *purpose, bool shared, uint8_t out[32]);
/* Memory of .shared_size, zeroed at start, of all sessions of the service in this process. */
void *session_shared(const struct session *);

/* A conversation as data: unit test, fuzz seed and manual in one. */
struct exchange {
	const char *title;
	struct bytes peer_sends; /* BYTES("...") */
	struct bytes we_answer;  /* all that is said from open to the end of input */
	/*
	 * One JSON object a line for each event, in order, with only the fields the test is
	 * about: each must be in the event.  "": no event; NULL: the test is not about events.
	 */
	const char *events;
};

struct option; /* base/options.h */

struct service {
	const char *name;
	const char *summary;
	const char *reference;     /* RFC or the product whose behaviour this is */
	unsigned transports;       /* of enum transport */
	uint16_t ports[8];         /* usual ports; zero ends the list */
	uint16_t secure_ports[8];  /* usual ports where TLS begins at once; zero ends the list */
	const char *alpn;          /* its name there (RFC 7301); NULL: none is ever agreed on */
	size_t state_size;
	size_t input_max;          /* unread bytes kept for one session */
	size_t output_max;         /* unsent bytes kept for one session */
	size_t arena_max;
	uint32_t idle_ms_max;      /* without a byte from the peer; the room's limit may be lower */
	uint32_t session_ms_max;
	const struct option *options; /* of the struct that session_options() gives; NULL: none */
	size_t options_size;
	const struct option *device; /* what a persona says of it: session_device(); NULL: nothing */
	size_t device_size;
	enum service_next (*open)(struct session *, void *state);
	enum service_next (*input)(struct session *, void *state, struct reader *);
	enum service_next (*tick)(struct session *, void *state);
	void (*close)(struct session *, void *state);
	bool records_itself;        /* see session_record() */
	size_t shared_size;         /* for what is dear to make and the same for all sessions */
	void (*shared_done)(void *shared); /* at the end of the process; may be NULL */
	/* `came`: what was taken, with DATA_DONE and DATA_BROKEN; it must copy what it keeps. */
	enum service_next (*data)(struct session *, void *state, enum data_event, struct bytes came);
	/* A backend's; NULL: the room passes bytes on where it takes over at once, see session_relay(). */
	enum service_next (*relayed)(struct session *, void *state, enum relay_event, struct bytes came);
	/*
	 * Whether these are the first bytes of a peer that speaks this protocol, sent unasked; NULL:
	 * in this protocol the server speaks first.  For ports where anything may be asked.
	 */
	bool (*claims)(struct bytes first);
	bool (*claims_datagram)(struct bytes first); /* the same over UDP; NULL: it cannot be told */
	bool hands_over; /* session_become() is for it: there is room for the state of any other */
	const struct exchange *exchanges; /* over TCP where there is it, else each is one datagram */
	const struct exchange *exchanges_udp; /* of a service of both: one datagram each */
};

#define SERVICE(s) REGISTER(services, struct service, s)
REGISTRY(services, struct service);
#define SERVICES_EACH(it) REGISTRY_EACH(services, struct service, it)
