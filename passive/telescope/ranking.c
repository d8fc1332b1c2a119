/* The heaviest rows, distinct counts, a rate over time; all bounded. */
#include "passive/telescope/ranking.h"
#include <math.h>
#include <stdlib.h>

#define RATE_WIDTH_FIRST_US 1000
#define REGISTERS 256

int ranking_open(struct ranking *r, size_t row_size, unsigned max)
{
	*r = (struct ranking){.size = row_size, .max = max < RANKING_ROWS_MAX ? max : RANKING_ROWS_MAX};
	r->rows = calloc(r->max + 1, row_size);
	r->weights = calloc(r->max + 1, sizeof *r->weights);
	return r->rows && r->weights ? 0 : ERR_MEMORY;
}

static void lightest_find(struct ranking *r)
{
	r->lightest = 0;
	for (unsigned i = 1; i < r->count; i++)
		if (r->weights[i] < r->weights[r->lightest])
			r->lightest = i;
}

void ranking_offer(struct ranking *r, uint64_t weight, const void *row)
{
	unsigned at = r->count;
	r->offered++;
	if (r->count == r->max) {
		if (r->max == 0 || weight <= r->weights[r->lightest])
			return;
		at = r->lightest;
	} else {
		r->count++;
	}
	memcpy(r->rows + at * r->size, row, r->size);
	r->weights[at] = weight;
	if (r->count == r->max)
		lightest_find(r);
}

void *ranking_find(struct ranking *r, const struct address *address)
{
	for (unsigned i = 0; i < r->count; i++)
		if (!memcmp(r->rows + i * r->size, address, sizeof *address))
			return r->rows + i * r->size;
	return NULL;
}

void ranking_weigh(struct ranking *r, const void *row, uint64_t weight)
{
	r->weights[(size_t)((const uint8_t *)row - r->rows) / r->size] = weight;
	if (r->count == r->max)
		lightest_find(r);
}

static void rows_swap(struct ranking *r, unsigned a, unsigned b)
{
	uint8_t *spare = r->rows + r->max * r->size, *x = r->rows + a * r->size, *y = r->rows + b * r->size;
	memcpy(spare, x, r->size);
	memcpy(x, y, r->size);
	memcpy(y, spare, r->size);
	uint64_t weight = r->weights[a];
	r->weights[a] = r->weights[b];
	r->weights[b] = weight;
}

/* Equal weights go by address, so that the same capture is always told in the same words. */
void ranking_sort(struct ranking *r)
{
	for (unsigned i = 0; i + 1 < r->count; i++) {
		unsigned best = i;
		for (unsigned k = i + 1; k < r->count; k++) {
			bool before = memcmp(ranking_row(r, k), ranking_row(r, best), sizeof(struct address)) < 0;
			if (r->weights[k] > r->weights[best] || (r->weights[k] == r->weights[best] && before))
				best = k;
		}
		if (best != i)
			rows_swap(r, i, best);
	}
}

void ranking_close(struct ranking *r)
{
	free(r->rows);
	free(r->weights);
}

static void register_add(uint8_t *registers, uint32_t hash)
{
	uint32_t rest = hash >> 8 | 1u << 24; /* the last bit ends the run of zeros */
	uint8_t rank = (uint8_t)(__builtin_ctz(rest) + 1);
	uint8_t *at = &registers[hash & 255];
	if (*at < rank)
		*at = rank;
}

static void registers_begin(struct distinct *d)
{
	uint32_t kept[DISTINCT_EXACT];
	memcpy(kept, d->room, sizeof kept);
	memset(d->room, 0, REGISTERS);
	for (int i = 0; i < DISTINCT_EXACT; i++)
		register_add((uint8_t *)d->room, kept[i]);
	d->exact = DISTINCT_EXACT + 1;
}

bool distinct_add(struct distinct *d, uint64_t hash)
{
	uint32_t h = (uint32_t)(hash ^ hash >> 32);
	if (!d->room && !(d->room = calloc(1, REGISTERS)))
		return false;
	if (d->exact <= DISTINCT_EXACT) {
		for (unsigned i = 0; i < d->exact; i++)
			if (d->room[i] == h)
				return true;
		if (d->exact < DISTINCT_EXACT) {
			d->room[d->exact++] = h;
			return true;
		}
		registers_begin(d);
	}
	register_add((uint8_t *)d->room, h);
	return true;
}

/* Flajolet and others 2007, with linear counting where many registers are empty. */
uint64_t distinct_count(const struct distinct *d)
{
	if (d->exact <= DISTINCT_EXACT)
		return d->exact;
	const uint8_t *registers = (const uint8_t *)d->room;
	double sum = 0;
	unsigned empty = 0;
	for (int i = 0; i < REGISTERS; i++) {
		sum += ldexp(1, -registers[i]);
		empty += registers[i] == 0;
	}
	double estimate = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * REGISTERS / sum;
	if (estimate <= 2.5 * REGISTERS && empty)
		estimate = REGISTERS * log((double)REGISTERS / empty);
	double hashes = 4294967296.0; /* of 32 bits, of which two may be equal */
	if (estimate > hashes / 30 && estimate < hashes)
		estimate = -hashes * log(1 - estimate / hashes);
	return (uint64_t)(estimate + 0.5);
}

void distinct_close(struct distinct *d) { free(d->room); }

static void rate_fold(struct rate *r)
{
	for (unsigned i = 0; i < RATE_BINS / 2; i++)
		r->bins[i] = r->bins[2 * i] + r->bins[2 * i + 1];
	memset(r->bins + RATE_BINS / 2, 0, sizeof r->bins / 2);
	r->width_us *= 2;
	r->used = (r->used + 1) / 2;
}

void rate_count(struct rate *r, uint64_t time_us)
{
	if (time_us - r->low_us < r->high_us - r->low_us) {
		r->bins[r->bin]++;
		return;
	}
	if (r->width_us == 0) {
		r->begin_us = time_us;
		r->width_us = RATE_WIDTH_FIRST_US;
	}
	/* What comes late and is older than the beginning counts as the beginning. */
	uint64_t since = time_us > r->begin_us ? time_us - r->begin_us : 0;
	while (since / r->width_us >= RATE_BINS)
		rate_fold(r);
	r->bin = (unsigned)(since / r->width_us);
	r->low_us = r->begin_us + r->bin * r->width_us;
	r->high_us = r->low_us + r->width_us;
	if (r->bin + 1 > r->used)
		r->used = r->bin + 1;
	r->bins[r->bin]++;
}
