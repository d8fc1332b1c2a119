/*
 * How facts and questions travel between processes.
 *
 * Every process has one bus with a link to each process that it talks with (a socket
 * pair handed over by the parent, or a broker's subject: bus/transport.h).  Over a link
 * go, in both directions:
 *
 *   events    published once, delivered to each link whose far end subscribed to the
 *             kind, kept by the sender until the far end acknowledged them, and sent
 *             again when a process that died is linked again;
 *   requests  with a topic and a payload, answered in one or more parts.
 *
 * Nothing is dropped silently.  Unacknowledged bytes are bounded: beyond the soft limit
 * bus_congested() says so and sensors refuse new work (and count it); beyond the hard
 * limit bus_publish() answers ERR_FULL and the caller must stop taking input until the
 * relief callback.  The receiving bus checks that the far role may send the kind at all
 * (struct role .sends), counts and drops what it may not, and stamps process and time.
 */
#pragma once
#include "event/frame.h"
#include <uv.h>

struct bus;

#define BUS_TOPIC_MAX 32
#define BUS_PAYLOAD_MAX (1u << 20) /* of one request or one part of an answer */
#define BUS_UNACKED_SOFT (8u << 20)
#define BUS_UNACKED_HARD (64u << 20)
#define BUS_LINKS_MAX 64

typedef uint64_t kind_mask;
#define KIND_MASK(kind) ((kind_mask)1 << (kind))
#define KIND_MASK_ALL (KIND_MASK(EVENT_KIND_COUNT) - 1)

struct bus_peer; /* the far end of one link */
const char *bus_peer_role(const struct bus_peer *);
unsigned bus_peer_worker(const struct bus_peer *);
/* What its ids have as maker: differs at each of its starts.  0 before it said hello. */
uint32_t bus_peer_maker(const struct bus_peer *);

struct bus_delivery {
	struct bus_peer *peer;
	enum event_kind kind;
	struct bytes frame; /* in our numbers, stamped; valid during the callback */
	uint64_t sequence;  /* acknowledge with this */
};

struct bus_request;

/* Parts of an answer: status 0 or ERR_…; `more` says that another part follows. */
typedef void bus_answer_f(void *arg, int status, struct bytes payload, bool more);
typedef void bus_request_f(void *arg, struct bus_request *, struct bytes payload);
typedef void bus_event_f(void *arg, const struct bus_delivery *);

struct bus_hooks {
	void *arg;
	bus_event_f *event;                              /* what we subscribed to */
	void (*linked)(void *arg, struct bus_peer *);    /* a process came (again) */
	/* It went; `clean`: it had said that it was stopping. */
	void (*unlinked)(void *arg, struct bus_peer *, bool clean);
	void (*relief)(void *arg);                       /* no longer congested */
	void (*acknowledged)(void *arg, struct bus_peer *, uint64_t sequence);
	void (*stop)(void *arg);                         /* the parent asks for an orderly end */
};

/* What this process wants to hear; told to every peer, now and later. */
void bus_subscribe(struct bus *, kind_mask);
/* Nothing from processes of that role: who hears the sensors need not hear the journal relay them. */
void bus_ignore(struct bus *, const char *role); /* before the links are made; one role */

/*
 * Fills id and time when they are not set, and sends.  0, ERR_FULL (nothing was taken;
 * wait for relief) or ERR_BAD (the event does not fit a frame).
 */
int bus_publish(struct bus *, struct event *);
/* An id as bus_publish() makes it, for an event that others name before it is sent. */
struct event_id bus_id(struct bus *, uint64_t time_us);
/*
 * Passes a delivered frame on to whoever is linked now and wants its kind (live views).  It is
 * not kept: a viewer that is not there or does not keep up misses it, and bus_missed() counts.
 */
void bus_relay(struct bus *, enum event_kind, struct bytes frame);
uint64_t bus_missed(const struct bus *);
bool bus_wanted(const struct bus *, enum event_kind); /* does anyone who is linked want it? */
bool bus_congested(const struct bus *);
bool bus_full(const struct bus *);
size_t bus_unacknowledged(const struct bus *); /* bytes, over all links */
/* The sequence of the last event sent to the process of that role, as its acknowledgements name it. */
uint64_t bus_published(const struct bus *, const char *role);
/* Everything up to and including this sequence of that peer is safe. */
void bus_acknowledge(struct bus *, struct bus_peer *, uint64_t sequence);

/* Asks the process of that role; the callback comes exactly with the last part, or ERR_GONE. */
int bus_request(struct bus *, const char *role, const char *topic, struct bytes payload,
		bus_answer_f *, void *arg);
/* Asks each linked process of that role and wants no answer (tables, revocations). */
int bus_tell_each(struct bus *, const char *role, const char *topic, struct bytes payload);
/*
 * Asks each linked process of that role for a number (u64) and gives the sum, or the first
 * failure, to `done`, which is called exactly once: at once when none is there.
 */
typedef void bus_sum_f(void *arg, int status, uint64_t sum);
void bus_sum_each(struct bus *, const char *role, const char *topic, struct bytes payload, bus_sum_f *done,
		  void *arg);
void bus_on_request(struct bus *, const char *topic, bus_request_f *, void *arg); /* topic is kept */
/* Answers now or later; with more == false the request is freed. */
void bus_answer(struct bus_request *, int status, struct bytes payload, bool more);
struct bus_peer *bus_request_peer(struct bus_request *);
/* Bytes on their way to the asker, for whoever answers in many parts; ERR_GONE: it went away. */
long bus_request_unsent(const struct bus_request *);

/* What the far end of a link may do, as its role says; an unknown role may do nothing. */
struct bus_rights {
	kind_mask sends; /* kinds it may send */
	bool relays;     /* it passes on what others sent: their stamps stay */
	bool guest;      /* a command line at the door: only the topics opened to guests */
};

/*
 * process.c opens the bus before a role's run(), so that it can subscribe and name its topics;
 * process_enter() adds the hooks and the links.  Tests use these directly.
 */
int bus_open(struct bus **, uv_loop_t *, const char *role, unsigned worker, const char *sensor);
void bus_set_hooks(struct bus *, const struct bus_hooks *);
/* Takes over a connected stream socket to that process; again when that process came back. */
int bus_link(struct bus *, int fd, const char *role, unsigned worker, const struct bus_rights *);
bool bus_linked(const struct bus *); /* every link has said hello, and with it what it wants to hear */
/* Command lines may connect here (a listening Unix socket) and ask what bus_open_to_guests() names. */
int bus_door(struct bus *, int listening_fd);
void bus_open_to_guests(struct bus *, const char *topic);
uint64_t bus_foreign(const struct bus *); /* frames dropped because the role may not send them */
/* Ends: says so to the peers, flushes; `done` when all is acknowledged, or after five seconds. */
void bus_close(struct bus *, void (*done)(void *arg), void *arg);
void bus_free(struct bus *); /* the loop must run once more for libuv to let go */
