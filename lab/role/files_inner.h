/*
 * Files on their way between the lab and the journal's blobs, a piece at a time.
 *
 * A journal that is away is asked again for a minute; one that is there and says no is believed.
 */
#pragma once
#include "base/bytes.h"
#include "bus/bus.h"

#define FILE_DIGEST 32
#define FILE_HEX (2 * FILE_DIGEST)

typedef void file_done_f(void *arg, int status, struct bytes content);

struct file_transfer { /* one at a time, reused */
	struct bus *bus;
	uv_timer_t retry;
	uint8_t digest[FILE_DIGEST];
	struct buffer content;   /* of a fetch */
	struct bytes given;      /* of a put; the caller's */
	uint64_t offset;
	unsigned tries;
	bool putting, busy, stopped;
	file_done_f *done;
	void *arg;
};

void file_transfer_open(struct file_transfer *, struct bus *, uv_loop_t *);
/* No callback comes any more; what was fetched is freed. */
void file_transfer_stop(struct file_transfer *);
/* `done` gets the whole file, which lives until the next use.  ERR_FULL: it is larger than `max`. */
void file_fetch(struct file_transfer *, const char *sha256, size_t max, file_done_f *done, void *arg);
/* `content` must live until `done`; `sha256` is its digest in hex. */
void file_put(struct file_transfer *, const char *sha256, struct bytes content, file_done_f *done, void *arg);

bool digest_read(const char *hex, uint8_t digest[FILE_DIGEST]);
void digest_of(struct bytes, char hex[FILE_HEX + 1]);
