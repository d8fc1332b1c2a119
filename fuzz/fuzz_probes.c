/* Every probe against a hostile host; the first bytes choose probe, chunk and connections. */
#include "active/rehearse.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define ROOM (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t n)
{
	static uint8_t asked[ROOM], answered[ROOM], signals[ROOM];
	struct fault fault;
	if (event_start(&fault) < 0)
		abort();
	struct reader r = reader_of(at, n);
	size_t which = read_u8(&r), chunk = read_u8(&r) + 1u, cut = read_u16(&r), probes = 0;
	PROBES_EACH(p)
		probes++;
	const struct probe *probe = __start_probes[which % probes];
	struct bytes rest = read_rest(&r);
	if (!reader_ok(&r) || !rest.len)
		return 0;
	cut = cut < rest.len ? cut : rest.len;
	struct bytes answers[] = {{rest.at, cut}, {rest.at + cut, rest.len - cut}, {rest.at, cut}};
	struct rehearsal out = {
		.asked = writer_of(asked, ROOM),
		.answered = writer_of(answered, ROOM),
		.signals = writer_of(signals, ROOM),
	};
	probe_rehearse(probe, answers, 3, rest, chunk * chunk, &out);
	if (out.overstated || out.asked.bad || out.answered.bad || out.signals.bad)
		abort();
	return 0;
}
