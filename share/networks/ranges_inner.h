/* Ranges of addresses as tables of networks write them. */
#pragma once
#include "share/format.h"

/* From `first` and a length as its family counts it: host bits are cleared, `last` is set. */
void network_of_prefix(struct network *, uint32_t bits);
/* So many addresses from `first` on, which need be no power of 2; false: they pass the end of IPv4. */
bool network_of_count(struct network *, uint64_t count);
/* Two letters, upper case; empty for what is none, also ZZ and EU's like that name no country. */
void country_read(struct bytes, char out[3]);
/* Words between '|', at most `max`; how many. */
size_t split_at_bars(struct bytes text, struct bytes *out, size_t max);
