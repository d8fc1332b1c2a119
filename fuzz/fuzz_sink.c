/*
 * The sink: the first byte chooses a protocol, the second how large the pieces are; the rest is what a
 * sample says, what a frame on its link is, and what a sink that went bad wrote into shared memory.
 */
#include "lab/run/sink/pack.h"
#include "lab/run/sink/watch.h"
#include "lab/run/sink_rehearse.h"

#define SAID_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
	static uint8_t heard[SAID_MAX], told[SAID_MAX];
	struct sink_rehearsal r = {.heard = writer_of(heard, sizeof heard), .told = writer_of(told, sizeof told)};
	struct packet_seen seen = {0};
	struct arena arena = ARENA(64u << 20);
	struct run_sink_findings findings;
	size_t count = 0, number = 0;
	if (len < 2)
		return 0;
	SINK_PROTOCOLS_EACH(it)
		count += *it != NULL;
	SINK_PROTOCOLS_EACH(it)
		if (number++ == at[0] % count)
			sink_rehearse(*it, (struct bytes){at + 2, len - 2}, at[1] + 1u, &r);
	watch_parse((struct bytes){at, len}, len, &seen);
	pack_read((struct bytes){at, len}, &arena, &findings);
	arena_done(&arena);
	return 0;
}
