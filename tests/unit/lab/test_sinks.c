/* Every protocol of the sink, by its own exchanges: whole, in sevens, byte by byte. */
#include "lab/run/sink_rehearse.h"
#include "tests/test.h"

static void check_exchange(const struct sink_protocol *p, const struct sink_exchange *e, size_t chunk)
{
	static uint8_t heard[65536], told[65536];
	struct sink_rehearsal r = {.heard = writer_of(heard, sizeof heard), .told = writer_of(told, sizeof told)};
	sink_rehearse(p, e->said, chunk, &r);
	struct bytes h = writer_bytes(&r.heard), t = writer_bytes(&r.told);
	CHECK_SAY(!r.heard.bad && !r.told.bad, "%s: %s: too much", p->name, e->title);
	if (e->begins && h.len > e->heard.len)
		h.len = e->heard.len;
	CHECK_SAY(bytes_equal(h, e->heard), "%s: %s (by %zu): heard \"%.*s\"", p->name, e->title, chunk, (int)h.len,
		  (const char *)h.at);
	CHECK_SAY(bytes_equal_text(t, e->told ? e->told : ""), "%s: %s (by %zu): told \"%.*s\"", p->name, e->title,
		  chunk, (int)t.len, (const char *)t.at);
}

TEST(sink_protocols_hold_their_exchanges)
{
	size_t played = 0;
	SINK_PROTOCOLS_EACH(it) {
		const struct sink_protocol *p = *it;
		CHECK_SAY(p->summary && p->reference && p->input, "%s lacks a word about itself", p->name);
		CHECK_SAY(p->state_size <= TALK_STATE_MAX, "%s: its state is too large", p->name);
		CHECK_SAY(p->exchanges && p->exchanges[0].title, "%s has no exchange", p->name);
		for (const struct sink_exchange *e = p->exchanges; e->title; e++, played++) {
			check_exchange(p, e, e->said.len ? e->said.len : 1);
			if (p->whole_messages)
				continue;
			check_exchange(p, e, 7);
			check_exchange(p, e, 1);
		}
	}
	CHECK(played >= 15);
}

TEST(sink_protocols_have_names_of_their_own)
{
	SINK_PROTOCOLS_EACH(a)
		SINK_PROTOCOLS_EACH(b)
			CHECK_SAY(a == b || strcmp((*a)->name, (*b)->name), "two are called %s", (*a)->name);
}
