/*
 * The passive room: what its files share.  One process, one loop, no threads.
 *
 *   room.c        the whole: start, back-pressure, events, the end
 *   role.c        the room as a process
 *   door.c        accept, who may come in, who is turned away
 *   connection.c  a TCP session: bytes in and out, deadlines, the end
 *   connection_secure.c  TLS under it
 *   data.c        connections beside a session's own
 *   relay/        sessions that go on at a real machine
 *   datagram.c    UDP
 *   reflection.c  what may be answered there, and the attacks through us
 *   sockets.c     in the parent: listening sockets, routes
 *
 * Sessions are watched by an epoll set of our own, itself watched by the loop: a handle of
 * the loop per session would cost more memory than the session.
 */
#pragma once
#include "base/random.h"
#include "bus/process.h"
#include "event/recording.h"
#include "passive/device/bait/bait.h"
#include "passive/room/captures.h"
#include "passive/room/limits.h"
#include "passive/room/reflection.h"
#include "passive/relay/relay.h"
#include "passive/room/session_inner.h"
#include "passive/room/settings.h"
#include "passive/room/steering.h"
#include "passive/room/wheel.h"
#include <sys/queue.h>

#define ROOM_EPOLL_BATCH 256
#define ROOM_ACCEPT_BATCH 128 /* then the sessions have their turn */
#define ROOM_DATAGRAM_BATCH 64
#define ROOM_LISTENERS_MAX PASSIVE_PORTS_MAX
#define ROOM_DESCRIPTORS_SPARE 128 /* for the bus, the loop and what was handed down */
#define ROOM_RETRY_MS 100          /* accept again after the system ran out of something */
#define ROOM_TABLE_MS 2000         /* the door waits so long for the first steering table */
#define ROOM_REPORT_MS 1000        /* refusals are told at most this often */
#define STEERED_FD "steered"    /* struct ports_sources, for one worker: all are told who is steered */
#define ANSWERS_FD "answers:" /* and 4 or 6: raw, for answers from ports that no socket has */
#define DEVICES_FD "devices"    /* the file of what attackers left, handed down */
#define LEDGER_FD "bait.ledger" /* bait/ledger.h */
#define SIGHTS_FD "bait.sights" /* passive/device/bait/sights.h */
#define ROOM_STOP_MS_MAX 10000     /* for files and events that are still on their way */

struct room;

struct data_channel;
struct data_port;

struct connection {
	struct wheel_entry due;
	LIST_ENTRY(connection) all;
	struct limits_share share;
	struct recording recording;
	struct table_node node; /* UDP: in room->datagrams */
	struct listener *listener;
	struct data_channel *data; /* beside it; NULL: none */
	struct relay_channel *relay; /* to its backend; NULL: none */
	size_t held;                         /* bytes of it in room->held_bytes */
	int fd;                              /* -1: UDP */
	uint8_t interest;                    /* what epoll watches now: EPOLLIN, EPOLLOUT */
	bool closing;                        /* only what is unsent keeps it */
	uint32_t heard_ms, sent_ms, wake_ms; /* since the opening; wake 0: no delay runs */
	uint32_t remind_ms;                  /* the same; 0: nobody asked for it */
	struct session session;              /* last: the service's state follows */
};

LIST_HEAD(connections, connection);

struct listener {
	struct room *room;
	uv_poll_t poll;
	int fd;
	const struct offered_port *offered;
	bool v4; /* an AF_INET socket: this machine has no IPv6 */
};

struct kept_event { /* could not be published: the bus was full */
	STAILQ_ENTRY(kept_event) order;
	size_t len;
	uint8_t frame[];
};

#define DATA_PORTS 8 /* of one worker */
#define DATA_FD "data:"

struct data_room {
	int epoll;
	uv_poll_t poll;
	struct data_port *ports;
	size_t port_count, count, bytes; /* bytes: that came and are kept */
	LIST_HEAD(, data_channel) channels;
};

struct room {
	uv_loop_t *loop;
	struct bus *bus;
	struct settings settings;
	struct persona_set personas;
	struct stage stage;
	struct tls_room tls;
	struct random random;
	struct limits limits;
	struct reflection reflection;
	struct steering steering;
	struct captures captures;
	struct devices devices;
	struct bait bait;
	int answers_v4, answers_v6; /* -1: none */
	struct data_room data;
	struct wheel wheel;
	uv_timer_t wheel_timer, report_timer, retry_timer, stop_timer, reflection_timer, devices_timer;
	uv_poll_t epoll_poll;
	int epoll, reserve;
	struct connections connections;
	struct table datagrams;
	LIST_HEAD(, relay_channel) relays;
	uint32_t relay_number; /* of the last one */
	size_t connection_count, datagram_count, recordings_left;
	size_t held_bytes; /* what all sessions keep: unread, unsent and on their arenas */
	size_t listener_count;
	unsigned workers; /* that share what is allowed in total */
	struct listener listeners[ROOM_LISTENERS_MAX];
	STAILQ_HEAD(, kept_event) kept;
	uint64_t refused[REFUSALS]; /* since the last report */
	uint64_t told[REFUSALS];    /* before it */
	uint64_t wheel_due_ms;
	size_t descriptors_max; /* sessions beyond it would leave none to work with */
	void (*on_report)(uv_timer_t *), (*on_retry)(uv_timer_t *);
	bool relay;   /* there is a process that connects to backends */
	bool frozen;  /* the bus is full: nothing is read or accepted */
	bool resting; /* accept waits for the retry timer */
	bool started;
	bool awaits_table; /* at the start, until control told who is steered: nobody meets another device for that */
	bool stopping;
	uint64_t stop_by_ms;
	void (*left)(void *arg); /* after an orderly end */
	void *left_arg;
};

/* room.c */
int room_open(struct room *, struct process *, struct fault *);
void room_start(struct room *); /* begins to listen, after process_enter() */
void room_stop(struct room *, void (*left)(void *), void *arg);
void room_close(struct room *); /* then the loop must run once more */
struct bus_hooks room_hooks(struct room *);
void room_now(struct room *); /* sets the stage's clocks */
static inline uint64_t room_ms(const struct room *r)
{
	return r->stage.mono_us / 1000;
}
void room_publish(struct room *, struct event *);
void room_wheel_changed(struct room *);

/* door.c */
int door_open(struct room *, const struct process *, struct fault *);
void door_listen(struct room *);
void door_shut(struct room *); /* stops listening, for a while or for good */
void door_refuse(struct room *, enum refusal);
void door_report(struct room *);
/*
 * Makes the connection of an admitted peer and tells its opening, or answers why not.
 * The caller closes the descriptor of one that is refused.
 */
enum refusal door_admit(struct room *, struct listener *, int fd, const struct address *peer,
                        uint16_t peer_port, const struct address *local, uint16_t local_port,
			struct connection **out);

/* connection.c */
void connection_start(struct connection *);
void connection_ready(struct connection *, uint32_t events);
void connection_due(struct connection *);
void connection_after(struct connection *, bool on); /* a callback returned: sends, waits or ends */
void connection_close(struct connection *, enum session_end why);
void connection_hear(struct connection *, size_t n); /* n bytes lie in the receive buffer */
bool connection_deliver(struct connection *, struct bytes); /* sends or keeps; false: too much */
void connection_record(struct connection *, enum recording_side, struct bytes);

/* connection_secure.c: each says whether the session goes on; else s->ended says why not. */
bool connection_secure_start(struct connection *); /* the next bytes of the peer are TLS */
bool connection_hear_sealed(struct connection *, struct bytes);
/* Goes on with what has come of the handshake and of sealed bytes. */
bool connection_unseal(struct connection *);
/* Sends what TLS wants sent; `shaking`: as part of the handshake. */
bool connection_wire_flush(struct connection *, bool shaking);

static inline struct connection *connection_of(struct session *s)
{
	return (struct connection *)((char *)s - offsetof(struct connection, session));
}
static inline struct room *connection_room(struct connection *c)
{
	return c->session.stage->owner;
}

/* data.c: the connection that a session may have beside its own. */
int data_open(struct room *, const struct process *, struct fault *);
void data_done(struct room *);
void data_listen(struct room *);
void data_shut(struct room *);
void data_sweep(struct room *); /* gives up those that nobody came to */
uint16_t data_expect(struct connection *);
void data_say(struct connection *, struct bytes);
void data_end(struct connection *);
void data_take(struct connection *);
void data_drop(struct connection *);
void data_break(struct connection *); /* the session ends: what came is told, nothing goes on */

/* datagram.c */
void datagram_listen(uv_poll_t *, int status, int events);
/* What a callback said in answer to a datagram, also when that is nothing. */
void datagram_say(struct connection *, struct bytes);
int datagram_open(struct room *);
void datagram_settle(struct room *, bool all); /* tells the attacks that have ended */

/* sockets.c */
int sockets_prepare(struct preparation *, struct fault *);
/* Opens one listening socket of a worker; the descriptor, or ERR_…. */
int socket_open(const struct offered_port *, unsigned workers, bool loopback_only, struct fault *);
void socket_name(const struct offered_port *, char name[PROCESS_NAME_MAX]);
/* Opens the personas' files, "persona:NAME". */
int sockets_give_personas(struct preparation *, const char *directory, struct fault *);

/* routes.c: makes whole prefixes local (AnyIP), until the parent ends. */
int routes_add(const struct settings *, struct fault *);
