/*
 * Any bytes as a frame, the first of them as its link type: both ways of reading it stay within
 * it and say the same.
 */
#include "passive/telescope/packet_inner.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void require(bool right)
{
	if (!right)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static const uint16_t links[] = {1, 1, 1, 0, 12, 101, 108, 113, 147, 228, 229, 276};
	static struct watched *all;
	if (n == 0 || (!all && watched_open(&all, NULL, 0) < 0))
		return 0;
	uint16_t link = links[at[0] % (sizeof links / sizeof *links)];
	struct bytes frame = {at + 1, n - 1};
	struct packet_batch a = {0}, b = {0};
	struct packet_counts c = {0}, d = {0};
	bool took = packet_take(&a, &c, all, link, frame, (uint32_t)n, 1);
	require(took == packet_take_checked(&b, &d, all, link, frame, (uint32_t)n, 1));
	require(!memcmp(&c, &d, sizeof c) && !memcmp(a.column, b.column, sizeof a.column));
	require(c.frames == c.not_ip + c.malformed + c.elsewhere + c.taken);
	if (!took)
		return 0;
	struct bytes payload = a.payload[0];
	require(bytes_equal(payload, b.payload[0]) && payload.len <= a.column[COLUMN_PAYLOAD][0]);
	require(payload.len == 0 || (payload.at >= frame.at && payload.at + payload.len <= frame.at + frame.len));
	if (a.column[COLUMN_SHAPE][0]) {
		char text[SHAPE_TEXT_MAX];
		require(!memcmp(&a.shape[0], &b.shape[0], sizeof a.shape[0]));
		require(strlen(shape_p0f(&a.shape[0], (uint8_t)a.column[COLUMN_TTL][0], text)) < sizeof text);
		require(strlen(shape_ja4t(&a.shape[0], text)) < sizeof text);
	}
	return 0;
}
