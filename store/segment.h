/*
 * How a journal's segment looks on disk.  Pure: bytes in, bytes out.
 *
 *    head:   | "kansokuJ" | version u32 | length u32 | number u64 | key u64 | dictionary | sum u64 |
 *    group:  | "GRP1" | length u32 | frames u32 | sum u64 | frames back to back |
 *
 * Big-endian.  A group is what one fdatasync made safe.  Its sum (XXH3) is keyed with
 * a random key of the segment and the group's place, so that bytes which an attacker
 * sent, and which lie in a frame, never pass for a group of their own.  An erased frame
 * keeps its length and has the kind FRAME_ERASED; its rest is zero.
 */
#pragma once
#include "event/frame.h"

#define SEGMENT_HEAD_FIXED 32
#define SEGMENT_HEAD_MAX (SEGMENT_HEAD_FIXED + DICTIONARY_MAX + 8)
#define SEGMENT_BYTES_MAX ((uint64_t)1 << 30)
#define GROUP_HEADER 20
#define GROUP_PAYLOAD_MAX (1u << 20)
#define FRAME_ERASED 0xffff

struct segment_head {
	uint64_t number, key;
	struct bytes dictionary;
	size_t length; /* where the groups begin */
};

struct group {
	uint64_t at;  /* offset of its header in the segment */
	size_t size;  /* header and payload */
	uint32_t frames;
	struct bytes payload;
};

struct segment_walk {
	const struct segment_head *head;
	struct bytes bytes;   /* of the file, from offset `base` on */
	uint64_t base, at;    /* at: offset in the file of the next group */
	uint64_t damaged;     /* bytes that belong to no valid group */
};

void segment_head_write(struct writer *, uint64_t number, uint64_t key, struct bytes dictionary);
int segment_head_read(struct bytes file, struct segment_head *out); /* 0 or ERR_BAD */

/* `payload` was written behind a gap of GROUP_HEADER bytes, which this fills. */
void group_seal(const struct segment_head *, uint64_t at, uint8_t *start, size_t payload_len,
		uint32_t frames);

struct segment_walk segment_walk(const struct segment_head *, struct bytes, uint64_t base);
/*
 * The next group, skipping what is damaged.  False at the end; then `at` is behind the
 * last valid group and what follows it (a torn tail) is not counted as damaged.
 */
bool segment_next(struct segment_walk *, struct group *out);

/* Takes one frame off a group's payload; false at its end, or where it breaks its format. */
bool group_frame(struct reader *payload, struct bytes *frame, bool *erased);
