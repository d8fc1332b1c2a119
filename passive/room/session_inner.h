/*
 * A conversation between a peer and a service, as the room and the rehearsal share it.
 *
 * The stage is where sessions are played: it holds what is needed only while a callback
 * runs (the event being written, what is being said, the receive buffer), once for all
 * sessions, so that an idle session costs little more than this struct and its service's
 * state.  Whoever owns the stage sets its clocks before each call and sends stage->said
 * after it.
 */
#pragma once
#include "passive/room/devices.h"
#include "passive/persona.h"
#include "passive/service.h"
#include "passive/room/typist.h"
#include "passive/device/tls/seal.h"

#define SESSION_RECEIVE_MAX 65536       /* bytes handed in at once; one UDP datagram at most */
#define SESSION_CAPTURE_MAX (16u << 20) /* of one file; more is cut and marked */
#define SESSION_DELAY_MS_MAX 60000
#define SESSION_TEMPLATE_MAX 65536 /* of one text of a persona, filled in */
#define STAGE_DEFAULTS_MAX (4u << 20)

struct bait;         /* passive/device/bait/bait.h */
struct session_bait; /* passive/room/session_bait.c */

struct capture { /* one file that a peer left */
	struct bytes content;
	uint8_t sha256[32];
};
#define DIGEST_TEXT 65
void digest_sha256(struct bytes, uint8_t digest[32], char text[DIGEST_TEXT]); /* lower-case hex */

struct stage_default {
	const struct service *service;
	const void *device, *options;
	void *shared;
};

struct stage {
	void *owner;
	uint64_t utc_us, mono_us; /* now, as far as services can tell */
	uint64_t device_key;
	struct random *random;
	struct devices *devices; /* NULL: what a session changes ends with it */
	struct bait *bait;       /* NULL: there is none */
	size_t capture_max;
	struct buffer said;        /* by the callback that runs or just ran */
	struct session *reporting; /* whose event `report` is; NULL: none is begun */
	struct event report;
	struct arena arena; /* of the defaults */
	struct stage_default *defaults; /* of each service */
	size_t default_count;
	uint8_t *scratch; /* scratch_head bytes for unread ones, then the receive buffer */
	size_t scratch_head;
	struct tls_room *tls; /* NULL: a rehearsal */
	/* Takes a finished event; may fill in its id. */
	void (*publish)(struct stage *, struct session *, struct event *);
	/* Data connections; NULL: there are none. */
	const struct stage_data *data;
	/* Backends; NULL: there is no relay. */
	const struct stage_relay *relay;
	/* Adds to the session's recording; NULL: there is none. */
	void (*record)(struct stage *, struct session *, bool ours, struct bytes);
	/* Keeps the content; the event follows when it is safe.  The event is the stage's report.
	 */
	void (*capture)(struct stage *, struct session *, const struct capture *, struct event *);
};

struct stage_data {
	uint16_t (*expect)(struct session *);
	void (*say)(struct session *, struct bytes);
	void (*end)(struct session *);
	void (*take)(struct session *);
	void (*drop)(struct session *);
};

struct stage_relay {
	bool (*open)(struct session *);
	void (*say)(struct session *, struct bytes);
	void (*drop)(struct session *);
};

enum session_end { /* close.reason */
	           SESSION_OPEN,
	           SESSION_PEER,
	           SESSION_SERVER,
	           SESSION_IDLE,
	           SESSION_LIMIT,
};

struct session_verdict { /* at the end of a session */
	bool judged;
	struct typist_verdict typist;
	uint32_t visits; /* to the device, this one too; 0: it did not look at its files */
	uint8_t human;   /* the highest score of them all */
};

enum session_secure {
	SECURE_NOT,
	SECURE_ASKED, /* by the callback that runs or just ran */
	SECURE_ON,
};

struct session {
	struct stage *stage;
	const struct service *service;
	const struct persona *persona; /* NULL: none */
	struct tls *tls;                       /* NULL: plain, or nothing has come yet */
	const struct secure_framing *framing;  /* of the handshake; NULL: none */
	const void *options;
	struct address peer, local;
	uint16_t peer_port, local_port;
	uint8_t transport;        /* of enum transport */
	uint8_t ended;            /* of enum session_end */
	bool resets;              /* the room ends it with a reset */
	uint8_t secure;           /* of enum session_secure */
	bool begun;               /* the service's open() was called */
	bool piped;               /* the backend's altogether: passive/relay/pipe.h */
	bool relayed;             /* it has become the backend's */
	bool relay_held;          /* the service does not take what comes of it */
	uint32_t plain_len;       /* while SECURE_ASKED: of what is said, the part before TLS */
	uint32_t delay_ms;        /* asked for by the last callback; input() waits */
	uint32_t remind_ms;       /* asked for by the last callback; input() goes on */
	struct event_id id, root; /* of session.opened; the first of its chain, zero: itself */
	uint32_t depth;           /* of session.opened in its chain */
	uint32_t unread_len, unsent_len;
	uint8_t *unread, *unsent; /* NULL when there is none, so that waiting costs nothing */
	uint64_t opened_mono_us;
	uint64_t bytes_in, bytes_out;
	uint32_t logins, commands;
	struct session_verdict verdict; /* after session_end() */
	size_t answer_max, asked, would_say; /* bytes; `asked` by the last datagram */
	struct typist *typist;     /* once something was typed */
	struct session_bait *bait; /* once a token was shown or used */
	struct device *device;     /* once the session looked at its files */
	struct vfs_overlay *files; /* of it, or the session's own */
	struct arena arena;
	_Alignas(max_align_t) uint8_t state[];
};

/* Scratch for all registered services, and what they say by default; 0 or ERR_…. */
int stage_start(struct stage *, struct fault *);
void stage_done(struct stage *);
static inline uint8_t *stage_receive_at(struct stage *g)
{
	return g->scratch + g->scratch_head;
}

size_t session_size(const struct service *);

/*
 * Each calls the service and settles its events; false: the session is to end, s->ended
 * says why.  session_feed() takes what has arrived at stage_receive_at(); nothing has when
 * `arrived` is 0 and unread bytes are to be offered again after a delay.
 */
bool session_begin(struct session *);
/* How many bytes may be handed in now; 0 only while a delay runs. */
size_t session_appetite(const struct session *);
bool session_feed(struct session *, size_t arrived);
bool session_wake(struct session *);
bool session_tell_data(struct session *, enum data_event, struct bytes came);
bool session_tell_relay(struct session *, enum relay_event, struct bytes came);
/* Who typed is remembered with what they left, also when that is nothing; the device is left. */
void session_judge(struct session *);
void session_end(struct session *); /* frees what the session holds, but not the struct */

void session_look(const struct session *, struct persona_look *); /* of its device, now */
/* session_bait.c: tokens in an event that goes out; and tells those, and those that were shown. */
void session_bait_hear(struct session *, const struct event *);
void session_bait_tell(struct session *);

/* Fills in what every event of a session says; for the room's own events too. */
void session_mark(const struct session *, struct event *);
