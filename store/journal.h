/*
 * The journal: what is acknowledged is on disk, once, until the store has it.
 *
 * Frames are added, then committed together with one fdatasync; only after that may
 * they be acknowledged.  The store takes them as batches: a batch is a range of a
 * segment, cut once, durably, and named by it, so that an insert that is repeated after
 * a crash carries the same name and the same rows and counts once.  Segments are
 * forgotten some time after all their batches were inserted.
 *
 * A library without threads and without a clock: the process around it calls.  It works
 * in one directory, given as a descriptor.
 */
#pragma once
#include "store/segment.h"

struct journal;

#define BATCH_BYTES_MAX (4u << 20)
#define BATCH_NAME_MAX 64
#define BATCHES_OUT_MAX 4       /* handed out and not yet inserted */
#define JOURNAL_PENDING_MAX (256u << 20) /* added and not yet committed (a full disk) */
#define JOURNAL_SEGMENTS_MAX 4096

/* Told of every frame that is kept, and at the start of every one that is found. */
typedef void journal_seen_f(void *arg, struct bytes frame, const struct dictionary *);

struct journal_limits {
	uint64_t segment_bytes; /* a new segment begins beyond this */
	uint64_t segment_age_us;
	uint64_t keep_us;       /* how long inserted segments stay */
	uint32_t batch_frames;  /* about */
	journal_seen_f *seen;   /* or NULL */
	void *seen_arg;
};

struct journal_report { /* what journal_open() met */
	uint64_t torn_bytes;    /* tail that a crash left behind, cut off */
	uint64_t damaged_bytes; /* lost in the middle of segments; 0 unless the disk lies */
	uint64_t frames_waiting; /* not yet in the store */
	uint32_t segments, segments_unreadable;
};

struct batch {
	uint64_t segment, from, to;
	uint32_t frames;
};

/* Takes the directory's lock: ERR_DENIED when another process has it. */
int journal_open(struct journal **, int directory, const struct journal_limits *, uint64_t now_us,
		 struct journal_report *, struct fault *);
void journal_close(struct journal *); /* what is not committed is gone */

/* 0; 1: its id came before; ERR_FULL beyond JOURNAL_PENDING_MAX; ERR_BAD; ERR_MEMORY. */
int journal_add(struct journal *, struct bytes frame);
size_t journal_pending(const struct journal *);
/*
 * Writes and syncs all that was added.  ERR_SYSTEM (a full disk): nothing is lost, call it
 * again later.  ERR_BAD: the file is in an unknown state; end, and open the journal anew.
 */
int journal_commit(struct journal *, uint64_t now_us, struct fault *);

/*
 * The next batch for the store: one that was handed out before journal_rewind(), else a
 * new one.  ERR_MISSING: nothing is waiting.  ERR_FULL: BATCHES_OUT_MAX are out.
 */
int journal_batch(struct journal *, struct batch *out, struct fault *);
uint64_t journal_waiting(const struct journal *); /* bytes committed and not handed out */
/* Copies the batch's head (of its segment) and groups into the buffer. */
int journal_batch_read(struct journal *, const struct batch *, struct buffer *head,
		       struct buffer *groups, struct fault *);
int journal_batch_done(struct journal *, const struct batch *, struct fault *); /* in their order */
void journal_rewind(struct journal *); /* the store went away: hand out again what was not done */
char *batch_name(const struct batch *, char text[BATCH_NAME_MAX]);

/* Removes segments that were inserted and whose time is over; how many. */
unsigned journal_forget(struct journal *, uint64_t now_us);

/*
 * Replaces the frames that `match` wants gone in all segments, in copies that take the
 * segments' places; positions and names stay.  Commits first.
 */
typedef bool journal_match_f(void *arg, const struct event *);
int journal_erase(struct journal *, journal_match_f *, void *arg, bool dry_run, uint64_t now_us,
		  uint64_t *frames, struct fault *);
