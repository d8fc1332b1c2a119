/*
 * A request's body, by length or in chunks (RFC 9112 6, 7.1), as it comes.
 *
 * What is kept grows in the session's arena up to a limit; the rest is read,
 * counted and dropped, so that an upload of gigabytes costs its sender only.
 */
#pragma once
#include "base/arena.h"
#include "passive/services/http/request.h"

enum body_next { BODY_MORE, BODY_DONE, BODY_BAD };

struct body {
	uint8_t *kept;
	size_t len, capacity; /* the room is used again for the session's next body */
	uint64_t left;        /* of the length, or of the chunk */
	uint64_t seen;        /* bytes of content that came */
	uint8_t state;
	bool cut; /* more came than was kept */
};

void body_begin(struct body *, const struct request *);
enum body_next body_feed(struct body *, struct arena *, size_t keep_max, struct reader *);

static inline struct bytes body_bytes(const struct body *b)
{
	return (struct bytes){b->kept, b->len};
}
