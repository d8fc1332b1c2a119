/*
 * Bounded tables for "the most of": the heaviest rows, distinct counts, a rate over time.
 */
#pragma once
#include "base/error.h"
#include "passive/telescope/record.h"

/*
 * The heaviest rows.  A row begins with its address; offering the same address again is for the
 * caller to merge (ranking_find()).  Exact as long as every address is offered once with its final
 * weight, since what is pushed out is never heavier than what stays.
 */
#define RANKING_ROWS_MAX 1024
struct ranking {
	uint8_t *rows;
	uint64_t *weights;
	size_t size;      /* of a row */
	unsigned count, max;
	unsigned lightest;
	uint64_t offered; /* in all, also those that did not stay */
};
int ranking_open(struct ranking *, size_t row_size, unsigned max); /* 0 or ERR_MEMORY */
void ranking_offer(struct ranking *, uint64_t weight, const void *row);
/* The row with this address, or NULL; after changing it, ranking_weigh(). */
void *ranking_find(struct ranking *, const struct address *);
void ranking_weigh(struct ranking *, const void *row, uint64_t weight);
void ranking_sort(struct ranking *); /* heaviest first; nothing is offered afterwards */
static inline const void *ranking_row(const struct ranking *r, unsigned i) { return r->rows + i * r->size; }
void ranking_close(struct ranking *);

/*
 * How many distinct things, from their hashes: exact up to DISTINCT_EXACT (but for two hashes of
 * 32 bits that are equal), then a HyperLogLog of 256 registers in the same 256 bytes, whose
 * standard error is DESTINATIONS_ERROR.
 */
#define DISTINCT_EXACT 64
struct distinct {
	uint32_t *room;  /* 256 bytes, taken with the first thing */
	uint16_t exact;  /* things in it; DISTINCT_EXACT + 1: registers */
};
bool distinct_add(struct distinct *, uint64_t hash); /* false: no memory */
uint64_t distinct_count(const struct distinct *);
static inline bool distinct_is_exact(const struct distinct *d) { return d->exact <= DISTINCT_EXACT; }
void distinct_close(struct distinct *);

/* Packets over time in bins that double in width whenever time outgrows them. */
#define RATE_BINS 512
struct rate {
	uint64_t begin_us, width_us; /* width 0: nothing yet */
	uint64_t low_us, high_us;    /* of the bin that was last counted into */
	unsigned bin, used;
	uint64_t bins[RATE_BINS];
};
void rate_count(struct rate *, uint64_t time_us);
