/* The prober's own: its targets and the connection that each may have. */
#pragma once
#include "active/prober/agenda_inner.h"
#include "active/prober/asking_inner.h"
#include "active/prober/prober.h"
#include "active/prober/synack_inner.h"

#define HEARD_AT_ONCE 32768    /* bytes of one recv() */
#define SECURE_MAX 1024        /* TLS connections at once: each takes some 40 KiB */
#define ACTIVE_BUCKETS 16384   /* power of two */
#define POSTPONE_US 200000
#define EXCLUSIVE_WAIT_US 1000000 /* when another lease is at work on the same address */

enum target_place { TARGET_WAITING, TARGET_READY, TARGET_ACTIVE };
enum line_stage { LINE_NONE, LINE_CONNECTING, LINE_OPEN };

struct line { /* what only an active target needs */
	struct asking asking;
	struct signals signals;
	bool begun;             /* asking is */
	bool secure;            /* counted among those that may use TLS */
	enum line_stage stage;
	int fd;
	uint16_t port;          /* that we connect to */
	unsigned reads, datagrams; /* received; sent, of UDP */
	unsigned packets;       /* of the connection that is over, ours */
	uint8_t ttl;            /* of the first datagram heard; 0: none, or not known */
	uint64_t began_us, connected_us, heard_us, ends_us; /* monotonic */
	struct event_id sent, answered;
	bool told;              /* answered names an answer with something in it */
	struct line *next_free;
};

struct target {
	struct agenda_entry when;
	struct target *next, *before; /* of all */
	struct target *next_ready;
	struct target *next_same;     /* of the active ones in a bucket */
	struct lease lease;
	struct event_id root;
	enum target_place place;
	uint8_t port;                 /* index into the lease's */
	uint16_t packets;
	struct line *line;
};

struct prober {
	struct prober_options options;
	struct prober_hooks hooks;
	struct prober_counts counts;
	struct agenda agenda;         /* monotonic */
	struct target *all, *ready_first, *ready_last;
	size_t held, active, secure;
	struct target *buckets[ACTIVE_BUCKETS];
	uint64_t key, now_us;
	struct line *free_lines;
	struct secure_context *tls;
	struct synacks *synacks;
	int epoll;
	bool closing;
	unsigned handles;             /* of libuv, still open */
	void (*closed)(void *arg);
	void *closed_arg;
	uv_loop_t *loop;
	uv_poll_t poll, capture[2];
	uv_timer_t timer;
	struct event event;           /* the one being made */
	uint8_t scratch[PROBE_ANSWER_MAX];
	uint8_t heard[HEARD_AT_ONCE];
};

/* line.c: the connection of a target. */
enum line_end { /* why it is over */
	LINE_DONE,    /* the probe knows what it wanted */
	LINE_PEER,    /* the peer closed */
	LINE_RESET,   /* the peer broke it off */
	LINE_IDLE,    /* nothing more came */
	LINE_LIMIT,   /* time, bytes or packets */
	LINE_REVOKED, /* the lease was taken back or has run out */
	LINE_REFUSED, /* RST to our SYN, or ICMP to our datagram */
	LINE_SILENT,  /* no answer to our SYN, or to a question over UDP */
	LINE_UNREACHABLE,
};

const char *line_end_name(enum line_end);
/*
 * Begins a connection for the asking.  0; ERR_FULL when the machine has no room for it now
 * (nothing was sent); ERR_GONE when there is no way to the target (`why` is its errno).
 */
int line_open(struct prober *, struct target *, int *why);
/* The socket is ready; true: the connection is over, and why. */
bool line_ready(struct prober *, struct target *, uint32_t events, enum line_end *);
/* Its time has come; the same. */
bool line_due(struct prober *, struct target *, enum line_end *);
uint64_t line_deadline(const struct prober *, const struct target *);
/* Closes it and counts its packets. */
void line_close(struct prober *, struct target *, enum line_end);
uint64_t lease_left_us(const struct lease *);
static inline bool line_is_udp(const struct line *l) { return l->asking.probe->transport == PROBE_UDP; }
/* Whether the probe or a limit has ended it, and which. */
bool line_over(struct line *, enum probe_next, enum line_end *);

/* datagrams.c: the same over UDP. */
int datagrams_connect(const struct target *); /* 0, or -1 and errno */
int datagrams_flush(struct prober *, struct target *); /* 0 or ERR_GONE */
bool datagrams_read(struct prober *, struct target *, enum line_end *);

/* story.c: what is published. */
void story_sent(struct prober *, struct target *);
/* Publishes host.answered; true: the probe wants one more connection. */
bool story_answered(struct prober *, struct target *, enum line_end, int why);

/* target.c: the way of one target; each of these may end and free it. */
bool target_is_looked_at(struct prober *, const struct target *); /* by another lease */
int target_begin(struct prober *, struct target *);               /* 0 or ERR_MEMORY */
void target_go_on(struct prober *, struct target *);
void target_due(struct prober *, struct target *);
void target_line_over(struct prober *, struct target *, enum line_end);
void target_revoke(struct prober *, struct target *);
void target_drop(struct prober *, struct target *); /* without telling anyone */
