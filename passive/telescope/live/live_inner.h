/* The live telescope: what the files of its role share. */
#pragma once
#include "bus/process.h"
#include "event/event.h"
#include "passive/telescope/live/ledger.h"
#include "passive/telescope/live/ring.h"
#include "passive/telescope/live/settings.h"
#include "passive/telescope/telescope.h"
#include "passive/telescope/text.h"
#include <net/if.h>

#define LIVE_FD_RING "ring:"             /* … and the interface's name */
#define LIVE_FD_SEND "send:"             /* there only when a prefix is reactive */
#define LIVE_FD_SIGNATURES "signatures:" /* … number and file name */
#define LIVE_FD_LINKS "links"
#define LIVE_FD_LEDGER "ledger"
#define LIVE_FD_HOLD_OUT "hold_out"     /* the key of the held-out addresses; there as LIVE_FD_SEND is */

struct gap { /* packets that were not seen */
	uint64_t since_us, until_us, packets; /* packets 0: none */
};

struct live;
struct live_port { /* one interface */
	struct live *live;
	char name[IF_NAMESIZE];
	unsigned index;    /* the kernel's number of it */
	unsigned number;   /* ours */
	int fd, send_fd;   /* send_fd -1: nothing is ever sent */
	struct ring *ring;
	uv_poll_t poll;
	bool ready;        /* the ring may have a block for us */
	bool down, told_down;
	uint64_t dropped;  /* in all */
	struct gap gap;    /* that goes on */
};

struct live {
	struct process *process;
	struct bus *bus;
	uv_loop_t *loop;
	const struct live_options *options;
	struct signatures *signatures;
	struct watched *watched;
	struct telescope *telescope;
	struct packet_batch batch;
	struct live_port ports[LIVE_INTERFACES_MAX];
	size_t port_count;
	struct ledger *ledger;
	struct answers *answers; /* NULL: no prefix is reactive */
	struct gap before; /* what a predecessor that died had not told */
	uv_timer_t tick;
	uv_poll_t links;   /* the kernel's news of interfaces */
	int links_fd;      /* -1: another worker tells them */
	unsigned ticks;
	bool tick_due, stopping, finishing, held;
	uint64_t stop_by_us, ticked_us;
	uint64_t records, findings;
	uint64_t untold;         /* events that were never taken */
	struct {
		uint64_t sequence, packets;
	} mark;                  /* what has been told up to an event whose acknowledgement is awaited */
	uint64_t packets_told;   /* in records */
	struct event event;      /* the one being made: too large for a stack */
	struct shape_texts *texts;
};

/* prepare.c: in the parent. */
int live_prepare(struct preparation *, struct fault *);

/*
 * tell.c: what becomes an event.  They wait in the loop while the bus is full, so they are never
 * called from one of the loop's own callbacks.
 */
void live_record(void *live, const struct record *);
void live_finding(void *live, const struct finding *);
/* Packets were missed; clears the gap. */
void live_tell_gap(struct live *, const char *interface, struct gap *, const char *why);
void live_tell_interface(struct live_port *);
void live_tell_blind(struct live *); /* there is no ring */
void live_publish(struct live *, struct event *);

/* signature_files.c: those of the descriptors that were handed down. */
int live_signatures_open(struct live *, struct fault *);

/* links.c: takes in what the kernel says of interfaces. */
void live_links_read(struct live *);

/*
 * answer.c: the reactive mode's place.  live_answer_batch() is called after each batch, whose
 * packets all came in by that port and have been counted; live_answer_clock() four times a second;
 * live_answer_finish() when nothing is heard any more: handshakes that wait are told.
 */
int live_answer_open(struct live *, struct fault *); /* before the sandbox */
void live_answer_batch(struct live *, struct live_port *, const struct packet_batch *);
void live_answer_clock(struct live *, uint64_t now_us);
void live_answer_finish(struct live *);
void live_answer_close(struct live *);
/* A whole frame out of the port; 0 or ERR_… */
int live_send(struct live_port *, struct bytes frame);
