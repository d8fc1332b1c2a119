/*
 * Every probe against a hostile host.  The first bytes choose the probe, how much of a
 * connection comes at once, and where what it says is cut: into connections, or, over UDP,
 * into datagrams.
 */
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
	struct bytes answers[SPECIMEN_ROUNDS], all = rest;
	size_t count = 0;
	while (rest.len && count < SPECIMEN_ROUNDS) {
		bool last = cut == 0 || cut >= rest.len || count + 1 == SPECIMEN_ROUNDS;
		struct bytes piece = {rest.at, last ? rest.len : cut};
		answers[count++] = piece;
		rest = (struct bytes){rest.at + piece.len, rest.len - piece.len};
	}
	struct rehearsal out = {
		.asked = writer_of(asked, ROOM),
		.answered = writer_of(answered, ROOM),
		.signals = writer_of(signals, ROOM),
	};
	probe_rehearse(probe, answers, count, all, chunk * chunk, &out);
	if (out.overstated || out.asked.bad || out.answered.bad || out.signals.bad)
		abort();
	return 0;
}
