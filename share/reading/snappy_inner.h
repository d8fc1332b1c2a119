/* Snappy's blocks (google/snappy, format_description.txt), without its framing: what Avro packs with it. */
#pragma once
#include "base/bytes.h"

/* How much a block says that it holds; false: more than max, or it is none. */
bool snappy_size(struct bytes packed, size_t max, size_t *size);
/* Unpacks exactly `size` bytes; false: it is damaged. */
bool snappy_decode(struct bytes packed, uint8_t *out, size_t size);
