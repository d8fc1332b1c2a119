#include "event/recording.h"
#include "event/event.h"
#include <stdlib.h>

#define VERSION 1
#define NUMBER_BYTES_MAX 10
#define GROWTH_MIN 96

static size_t number_encode(uint64_t n, uint8_t out[NUMBER_BYTES_MAX])
{
	size_t len = 0;
	for (; n >= 0x80; n >>= 7)
		out[len++] = (uint8_t)(n | 0x80);
	out[len++] = (uint8_t)n;
	return len;
}

static uint64_t number_read(struct reader *r)
{
	uint64_t n = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = read_u8(r);
		n |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return n;
	}
	r->bad = true;
	return 0;
}

/* A quarter more than asked for: few copies, little waste in the many that stay short. */
static bool recording_grow(struct recording *r, size_t n, size_t max, size_t *pool)
{
	if (r->size - r->used >= n)
		return true;
	size_t size = r->used + n + r->used / 4 + GROWTH_MIN / 2;
	if (size < GROWTH_MIN)
		size = GROWTH_MIN;
	if (size > max)
		size = max;
	if (size < r->used + n || size - r->size > *pool)
		return false;
	uint8_t *grown = realloc(r->store, size);
	if (!grown)
		return false;
	*pool -= size - r->size;
	r->store = grown;
	r->size = (uint32_t)size;
	return true;
}

static void recording_put(struct recording *r, const void *p, size_t n)
{
	memcpy(r->store + r->used, p, n);
	r->used += (uint32_t)n;
}

static void record_put(struct recording *r, uint32_t since_open_ms, enum recording_side side,
                       uint64_t number, struct bytes said, size_t max, size_t *pool)
{
	static const uint8_t version = VERSION;
	uint8_t head[2 * NUMBER_BYTES_MAX];
	if (r->cut || max < GROWTH_MIN || max > UINT32_MAX)
		return;
	uint32_t passed = since_open_ms > r->last_ms ? since_open_ms - r->last_ms : 0;
	size_t head_len = number_encode((uint64_t)passed << 2 | side, head);
	head_len += number_encode(number, head + head_len);

	/* Room for the mark of a cut is kept free at all times. */
	size_t need = head_len + said.len + (r->used == 0);
	if (need <= max && recording_grow(r, need + NUMBER_BYTES_MAX, max, pool)) {
		if (r->used == 0)
			recording_put(r, &version, 1);
		recording_put(r, head, head_len);
		if (said.len)
			recording_put(r, said.at, said.len);
		r->last_ms += passed;
		return;
	}
	r->cut = true;
	if (r->used)
		recording_put(r, head, number_encode((uint64_t)passed << 2 | RECORDING_CUT, head));
}

void recording_add(struct recording *r, uint32_t since_open_ms, enum recording_side side,
                   struct bytes said, size_t max, size_t *pool)
{
	if (said.len)
		record_put(r, since_open_ms, side, said.len, said, max, pool);
}

void recording_omit(struct recording *r, uint32_t since_open_ms, uint64_t n, size_t max, size_t *pool)
{
	record_put(r, since_open_ms, RECORDING_OMITTED, n, (struct bytes){0}, max, pool);
}

struct bytes recording_bytes(const struct recording *r)
{
	return (struct bytes){r->store, r->used};
}

void recording_done(struct recording *r, size_t *pool)
{
	*pool += r->size;
	free(r->store);
	*r = (struct recording){0};
}

bool recording_open(struct bytes b, struct reader *r)
{
	*r = reader_of_bytes(b);
	return read_u8(r) == VERSION && reader_ok(r);
}

bool recording_next(struct reader *r, struct recording_record *record)
{
	if (!reader_ok(r) || reader_left(r) == 0)
		return false;
	uint64_t head = number_read(r);
	record->time_ms += head >> 2;
	record->side = head & 3;
	record->said = (struct bytes){0};
	record->omitted = record->side == RECORDING_OMITTED ? number_read(r) : 0;
	if (record->side == RECORDING_PEER || record->side == RECORDING_OURS)
		record->said = read_bytes(r, number_read(r));
	return reader_ok(r);
}

void recording_write_asciicast(struct bytes recording, uint64_t opened_us, unsigned width,
                               unsigned height, struct writer *w)
{
	struct reader r;
	struct recording_record record = {0};
	write_fmt(w, "{\"version\":2,\"width\":%u,\"height\":%u,\"timestamp\":%llu}\n",
	          width ? width : 80, height ? height : 24,
	          (unsigned long long)(opened_us / 1000000));
	if (!recording_open(recording, &r))
		return;
	while (recording_next(&r, &record) && record.side != RECORDING_CUT) {
		write_fmt(w, "[%llu.%03u,\"%s\",", (unsigned long long)(record.time_ms / 1000),
		          (unsigned)(record.time_ms % 1000),
		          record.side == RECORDING_PEER ? "i" : "o");
		if (record.side == RECORDING_OMITTED)
			write_fmt(w, "\"[%llu bytes left out]\"", (unsigned long long)record.omitted);
		else
			write_json_string(w, record.said);
		write_text(w, "]\n");
	}
}
