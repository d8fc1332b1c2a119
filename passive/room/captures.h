/*
 * Files that peers left, on their way to the journal.
 *
 * A file goes as a blob in pieces (request "blob.put" to the journal: sha256 (32 bytes),
 * offset u64, total u64, at most 64 KiB), one piece at a time, answered by how much of the
 * file is there (u64); the event that names it
 * (file.captured, session.closed with a long recording) follows when the last is acknowledged. What
 * was stored lately is not sent again.  What waits is bounded in bytes and number: beyond it the
 * event goes out at once and says "unstored". A journal that went away is asked again from the
 * beginning of the file.
 */
#pragma once
#include "bus/bus.h"
#include "passive/room/table.h"
#include <sys/queue.h>

#define CAPTURE_PIECE_MAX 65536
#define CAPTURES_WAITING_MAX 4096
#define CAPTURES_REMEMBERED_MAX 4096
#define CAPTURE_EVENTS_MAX 4096 /* that wait for one file */
#define CAPTURE_RETRY_MS 1000
#define CAPTURE_TRIES_MAX 600  /* while the journal is away */
#define CAPTURE_REFUSALS_MAX 5 /* by a journal that is there: it is full, or the file too large */

struct captured; /* one file that waits */
TAILQ_HEAD(captured_queue, captured);

struct captures {
	struct bus *bus;
	void (*publish)(void *arg,
	                struct event *); /* never fails: the room keeps what does not fit */
	void *arg;
	uv_timer_t retry;
	struct captured_queue waiting;
	struct table remembered, waiting_index;
	struct digest_queue *order; /* of the remembered, latest first */
	struct captures_scratch *scratch;
	uint64_t key;
	size_t bytes, bytes_max, count;
	bool asking; /* a piece of the first in the queue is on its way */
	uint64_t unstored;
};

int captures_open(struct captures *, uv_loop_t *, struct bus *, size_t bytes_max,
                  void (*publish)(void *, struct event *), void *arg);
void captures_done(struct captures *);
/* Stores the content under its digest; the event follows when it is safe. */
void captures_add(struct captures *, const uint8_t sha256[32], struct bytes content,
                  struct event *);
static inline bool captures_waiting(const struct captures *c)
{
	return c->count > 0;
}
