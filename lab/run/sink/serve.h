/*
 * The sink's process: sockets, connections and the loop around them.
 *
 * With whoever started it, it speaks over a socket that keeps messages apart, a letter first:
 *   R  (with the descriptor of the shared memory) it answers      D url   it asks for a download
 *   F sentence  it could not begin                                 E length  it ended, the findings stand
 * and it is told   C found length  the download lies in shared memory        S  stop
 */
#pragma once
#include "lab/run/egress.h"
#include "lab/run/sink/land.h"
#include "lab/run/sink/veil.h"
#include "lab/run/sink/talk.h"
#include "lab/run/sink/watch.h"

#define CONNECTIONS_MAX 512
#define CONTENT_BYTES_MAX (128u << 20) /* of downloads that are under way */
#define GREET_MS 300                   /* after so long without a word of the sample a server greets */
#define FETCH_MS_MAX 5000              /* then a download is as if nobody had it */
#define LASTING_MS_MAX 60000           /* without a datagram such a talk ends */
#define WIRE_MAX (1u << 20)

/* Shared memory, in this order. */
#define SHARED_FINDINGS (24u << 20)
#define SHARED_CAPTURE SINK_CAPTURE_MAX
#define SHARED_SECRETS VEIL_SECRETS_MAX
#define SHARED_DOWNLOAD SINK_DOWNLOAD_MAX
#define SHARED_SIZE ((size_t)SHARED_FINDINGS + SHARED_CAPTURE + SHARED_SECRETS + SHARED_DOWNLOAD)

struct sink_ended { /* behind the letter E */
	uint64_t findings, capture, secrets; /* bytes of each */
};

struct sink_content { /* behind the letter C */
	uint64_t found, size;
};

#define SINK_MESSAGE_MAX 2048

struct download { /* a download; kept while somebody sends it, and until the next one is asked for */
	unsigned users;
	char url[TALK_URL_MAX + 1];
	struct bytes bytes;
};

struct caller {
	int fd;                /* -1: a lasting talk over UDP */
	struct talk talk;
	struct veil *secure; /* NULL: in the clear */
	struct download *content;
	struct sink_flow *flow;
	struct buffer wire, plain;
	uint64_t began_ms, last_ms, asked_ms;
	uint32_t events;       /* of epoll */
	bool watched;          /* epoll knows it */
	bool closed;           /* freed when the events at hand are done */
	bool asks;             /* for a download */
	bool first;            /* nothing has come yet */
	struct address peer;   /* of UDP: who asks */
	uint16_t peer_port;
};

struct server {
	struct world world;
	struct land land;
	struct watch watch;
	struct veil_side *secure;
	int epoll, control;
	int egress;                /* to its process; -1: nothing leaves */
	const struct egress_plan *leaves;
	struct caller *connections[CONNECTIONS_MAX];
	size_t count;
	struct caller *asking; /* whose question is out; NULL: nobody's, or of one that is gone */
	bool pending;              /* a question is out */
	struct caller *dead[CONNECTIONS_MAX];
	size_t dead_count;
	struct download *last;
	uint64_t content_bytes;
	uint8_t *shared;
	bool served;               /* somebody can be asked for downloads */
	bool stopping;
	uint64_t began_us, began_mono_us, time_ms;
};

uint64_t server_now_ms(struct server *); /* and sets the world's */

/* caller.c */
void caller_accept(struct server *, int door);
void caller_event(struct server *, struct caller *, uint32_t events);
void caller_close(struct server *, struct caller *);
void callers_bury(struct server *);
struct caller *caller_open(struct server *, int fd, uint8_t transport, const struct address *, uint16_t port);
/* Sends what is to be sent; may close it: false. */
bool caller_pump(struct server *, struct caller *);
void caller_sweep(struct server *);

/* download.c */
void download_ask(struct server *, struct caller *);
/* Nobody answered in time: as if nobody had it. */
void download_give_up(struct server *, struct caller *);
void download_came(struct server *, const struct sink_content *);
void download_leave(struct server *, struct download *);

/* datagram.c */
void datagrams_event(struct server *, int door);
void datagrams_say(struct server *, struct caller *);

/*
 * leave.c: hands a connection to the egress when the plan has a place for it: true, and the descriptor
 * is gone.  Then takes word of those that ended.
 */
bool leave_offer(struct server *, int fd, const struct address *, uint16_t port, struct sink_flow *);
void leave_event(struct server *);

/* serve.c: until told to stop, or its time is over. */
void serve(struct server *);

/* process.c: what the forked process does; never returns. */
struct sink_order { /* from whoever asks for it */
	uint64_t time_ms;
	bool served, leaves;
	struct egress_plan egress; /* when it leaves */
};
_Noreturn void sink_process(int control, int netns, int egress, const struct sink_order *, const struct veil_key *);
int message_send(int fd, char letter, const void *body, size_t len, const int *fds, size_t count);
/* Bytes behind the letter, or -1; descriptors that did not come are -1. */
ssize_t message_receive(int fd, char *letter, void *body, size_t size, int *fds, size_t count);
