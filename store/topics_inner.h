/* What only journal and store say to each other. */
#pragma once
#include "store/journal.h"

#define TOPIC_BATCH "journal.batch"      /* u8: 1 from a store that has just begun */
#define TOPIC_BATCH_DONE "journal.done"  /* the batch */
#define TOPIC_JOURNAL_ERASE "journal.erase" /* struct erasure; answered with frames u64 */
#define TOPIC_BLOB_ERASE "blob.erase"    /* sha256 */

#define BATCH_WIRE 28

static inline void batch_write(struct writer *w, const struct batch *b)
{
	write_u64(w, b->segment);
	write_u64(w, b->from);
	write_u64(w, b->to);
	write_u32(w, b->frames);
}

static inline void batch_read(struct reader *r, struct batch *b)
{
	b->segment = read_u64(r);
	b->from = read_u64(r);
	b->to = read_u64(r);
	b->frames = read_u32(r);
}
