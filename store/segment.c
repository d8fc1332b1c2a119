#include "store/segment.h"
#include <xxhash.h>

#define VERSION 1

static const char segment_magic[8] = {'k', 'a', 'n', 's', 'o', 'k', 'u', 'J'};
static const char group_magic[4] = {'G', 'R', 'P', '1'};

static uint64_t sum_of(struct bytes b, uint64_t key) { return XXH3_64bits_withSeed(b.at, b.len, key); }

static uint64_t group_key(const struct segment_head *h, uint64_t at)
{
	return h->key ^ (at * 0x9e3779b97f4a7c15u);
}

void segment_head_write(struct writer *w, uint64_t number, uint64_t key, struct bytes dictionary)
{
	uint8_t *start = w->at;
	write_bytes(w, segment_magic, sizeof segment_magic);
	write_u32(w, VERSION);
	write_u32(w, (uint32_t)(SEGMENT_HEAD_FIXED + dictionary.len + 8));
	write_u64(w, number);
	write_u64(w, key);
	write_span(w, dictionary);
	if (!w->bad)
		write_u64(w, sum_of((struct bytes){start, (size_t)(w->at - start)}, key));
}

int segment_head_read(struct bytes file, struct segment_head *out)
{
	struct reader r = reader_of_bytes(file);
	struct bytes magic = read_bytes(&r, sizeof segment_magic);
	uint32_t version = read_u32(&r), length = read_u32(&r);
	struct segment_head h = {.number = read_u64(&r), .key = read_u64(&r), .length = length};
	if (!reader_ok(&r) || memcmp(magic.at, segment_magic, sizeof segment_magic) ||
	    version != VERSION || length < SEGMENT_HEAD_FIXED + 8 || length > SEGMENT_HEAD_MAX)
		return ERR_BAD;
	h.dictionary = read_bytes(&r, length - SEGMENT_HEAD_FIXED - 8);
	uint64_t sum = read_u64(&r);
	if (!reader_ok(&r) || sum != sum_of((struct bytes){file.at, length - 8}, h.key))
		return ERR_BAD;
	*out = h;
	return 0;
}

/* The sum covers length and count too, so that a header cannot lie about its payload. */
static uint64_t group_sum(const struct segment_head *h, uint64_t at, const uint8_t *start, size_t len)
{
	uint64_t header = sum_of((struct bytes){start + 4, 8}, group_key(h, at));
	return sum_of((struct bytes){start + GROUP_HEADER, len}, header);
}

void group_seal(const struct segment_head *h, uint64_t at, uint8_t *start, size_t len, uint32_t frames)
{
	struct writer w = writer_of(start, GROUP_HEADER);
	write_bytes(&w, group_magic, sizeof group_magic);
	write_u32(&w, (uint32_t)len);
	write_u32(&w, frames);
	write_u64(&w, group_sum(h, at, start, len));
}

struct segment_walk segment_walk(const struct segment_head *h, struct bytes b, uint64_t base)
{
	return (struct segment_walk){.head = h, .bytes = b, .base = base, .at = base};
}

static bool group_at(const struct segment_walk *w, uint64_t at, struct group *out)
{
	size_t skip = (size_t)(at - w->base);
	struct reader r = reader_of(w->bytes.at + skip, w->bytes.len - skip);
	const uint8_t *start = r.at;
	struct bytes magic = read_bytes(&r, sizeof group_magic);
	uint32_t length = read_u32(&r), frames = read_u32(&r);
	uint64_t sum = read_u64(&r);
	if (!reader_ok(&r) || memcmp(magic.at, group_magic, sizeof group_magic) ||
	    length > GROUP_PAYLOAD_MAX)
		return false;
	struct bytes payload = read_bytes(&r, length);
	if (!reader_ok(&r) || sum != group_sum(w->head, at, start, length))
		return false;
	*out = (struct group){at, GROUP_HEADER + length, frames, payload};
	return true;
}

bool segment_next(struct segment_walk *w, struct group *out)
{
	uint64_t at = w->at, end = w->base + w->bytes.len;
	while (at < end) {
		if (group_at(w, at, out)) {
			w->damaged += at - w->at;
			w->at = at + out->size;
			return true;
		}
		/* Damaged here: the next group begins where its magic and sum are right. */
		const uint8_t *from = w->bytes.at + (at - w->base) + 1;
		const uint8_t *hit = memmem(from, (size_t)(end - at - 1), group_magic, sizeof group_magic);
		at = hit ? w->base + (uint64_t)(hit - w->bytes.at) : end;
	}
	return false;
}

bool group_frame(struct reader *payload, struct bytes *frame, bool *erased)
{
	if (frame_take(payload, frame) != 0)
		return false;
	*erased = frame->at[4] == 0xff && frame->at[5] == 0xff;
	return true;
}
