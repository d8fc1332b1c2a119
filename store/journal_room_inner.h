/* The journal's process: its one struct, shared by its two files. */
#pragma once
#include "bus/process.h"
#include "store/blob.h"
#include "store/crashes.h"
#include "store/erasure.h"
#include "store/journal.h"

#define BATCH_FRAMES 30000 /* fewer, larger parts need fewer merges; a trickle goes by its linger */

struct room_ack {
	struct bus_peer *peer;
	uint64_t sequence;
};

struct journal_room {
	struct process *process;
	const struct store_options *options;
	struct fault *fault; /* why the process ends, for the parent */
	int ended;
	int journal_fd, blobs_fd;
	struct journal *journal; /* NULL until the first event, or until all are linked */
	struct tombstones tombstones;
	struct blobs blobs;
	struct event *event;

	uv_timer_t commit_timer, offer_timer, house_timer;
	bool commit_due, stuck;
	struct room_ack acks[BUS_LINKS_MAX]; /* what the next commit makes safe */
	size_t acks_count;

	struct bus_request *waiting; /* the store asked for a batch and there was none */
	bool offer_due;
	uint64_t events, repeated;

	struct crashes *crashes;
	struct bus_peer *decoys[BUS_LINKS_MAX]; /* decoy processes that are linked */
	size_t decoy_count;
	struct id_maker ids;
};

void room_commit(struct journal_room *);
void room_commit_timer(uv_timer_t *);

/* journal_topics.c */
void room_topics(struct journal_room *);
void room_batch_offer(struct journal_room *);  /* something was committed */
void room_batch_forget(struct journal_room *); /* the store went away */
