#include "passive/room/steering.h"
#include "tests/test.h"
#include <stdlib.h>

static const char two_personas[] = "camera", other_persona[] = "router";

static struct persona_set personas(void)
{
	static const struct persona camera = {.name = two_personas},
	                            router = {.name = other_persona};
	return (struct persona_set){.items = {&camera, &router}, .count = 2};
}

static struct steering steering_with(const struct persona_set *set, size_t entries, size_t visits)
{
	struct steering st;
	if (steering_open(&st, set, entries, visits, 60000) < 0)
		abort();
	TAILQ_INIT(&st.visits); /* the struct moves */
	return st;
}

static void write_entry(struct writer *w, uint32_t source, const char *persona)
{
	struct address a = address_v4(source);
	struct event_id cause = {{7}};
	write_bytes(w, a.b, sizeof a.b);
	write_bytes(w, cause.b, sizeof cause.b);
	write_u8(w, (uint8_t)strlen(persona));
	write_text(w, persona);
	write_be(w, 0, 3); /* arm, rule and reasons: none is told */
}

static int tell(struct steering *st, uint64_t version, uint8_t flags, uint32_t source,
                const char *persona)
{
	uint8_t table[256];
	struct writer w = writer_of(table, sizeof table);
	write_u64(&w, version);
	write_u8(&w, flags);
	write_u32(&w, 1);
	write_entry(&w, source, persona);
	return steering_update(st, writer_bytes(&w));
}

static const char *met(struct steering *st, uint32_t source, uint64_t now_ms)
{
	struct address a = address_v4(source), local = address_v4(0xc0000201);
	bool fresh;
	struct visit *v = steering_enter(st, &a, &local, now_ms, &fresh);
	const char *name = v && v->persona ? v->persona->name : "";
	steering_leave(st, &a, &local, now_ms);
	return name;
}

TEST(steering_holds_for_a_visit_and_changes_with_the_next)
{
	struct persona_set set = personas();
	struct steering st = steering_with(&set, 100, 100);
	CHECK(!strcmp(met(&st, 1, 1000), ""));
	CHECK(tell(&st, 1, 0, 1, "camera") == 0);
	CHECK(!strcmp(met(&st, 1, 2000), "")); /* the visit began before the table came */
	CHECK(!strcmp(met(&st, 1, 62001), "camera"));
	CHECK(tell(&st, 2, 0, 1, "router") == 0);
	CHECK(!strcmp(met(&st, 1, 62500), "camera"));
	CHECK(!strcmp(met(&st, 1, 122501), "router"));
	CHECK(!strcmp(met(&st, 2, 122501), ""));
	CHECK(tell(&st, 3, 0, 1, "") == 0);
	CHECK(!strcmp(met(&st, 1, 300000), ""));
	CHECK(steering_count(&st) == 0);
	steering_done(&st);
}

TEST(steering_never_changes_under_an_open_session)
{
	struct persona_set set = personas();
	struct steering st = steering_with(&set, 100, 100);
	struct address a = address_v4(1), local = address_v4(2);
	bool fresh;
	CHECK(steering_enter(&st, &a, &local, 0, &fresh) && fresh);
	CHECK(tell(&st, 1, 0, 1, "camera") == 0);
	struct visit *v = steering_enter(&st, &a, &local, 10000000, &fresh);
	CHECK(v && !fresh && !v->persona);
	steering_leave(&st, &a, &local, 10000000);
	steering_leave(&st, &a, &local, 10000000);
	v = steering_enter(&st, &a, &local, 10060001, &fresh);
	CHECK(v && fresh && v->persona && v->version == 1 && v->cause.b[0] == 7);
	steering_done(&st);
}

TEST(steering_refuses_what_is_malformed_old_or_unknown)
{
	struct persona_set set = personas();
	struct steering st = steering_with(&set, 2, 100);
	CHECK(tell(&st, 5, 0, 1, "camera") == 0);
	CHECK(tell(&st, 5, 0, 2, "camera") == 0);
	CHECK(steering_count(&st) == 1); /* that version was known */
	CHECK(tell(&st, 6, 0, 2, "toaster") == 0 && st.refused == 1);
	CHECK(tell(&st, 7, 0, 2, "router") == 0 && tell(&st, 8, 0, 3, "router") == 0);
	CHECK(steering_count(&st) == 2 && st.refused == 2);
	CHECK(tell(&st, 1, STEER_FLAG_FULL, 9, "router") == 0);
	CHECK(steering_count(&st) == 1 && st.version == 1);

	uint8_t table[256];
	struct writer w = writer_of(table, sizeof table);
	write_u64(&w, 99);
	write_u8(&w, STEER_FLAG_FULL);
	write_u32(&w, 2);
	write_entry(&w, 4, "camera");
	for (size_t n = 0; n <= writer_used(&w); n++)
		CHECK(steering_update(&st, (struct bytes){table, n}) == ERR_BAD);
	CHECK(steering_count(&st) == 1 && st.version == 1);
	steering_done(&st);
}

TEST(steering_forgets_the_oldest_visit_beyond_its_limit)
{
	struct persona_set set = personas();
	struct steering st = steering_with(&set, 10, 3);
	for (uint32_t i = 1; i <= 4; i++)
		met(&st, i, i);
	CHECK(st.visited.count == 3);
	struct address first = address_v4(1), second = address_v4(2),
	               local = address_v4(0xc0000201);
	bool fresh;
	CHECK(steering_enter(&st, &second, &local, 10, &fresh) && !fresh);
	CHECK(steering_enter(&st, &first, &local, 10, &fresh) && fresh);
	steering_done(&st);
}

TEST(steering_knows_the_decoys_that_never_steer)
{
	struct persona_set set = {.count = 0};
	struct steering st = steering_with(&set, 10, 10);
	uint8_t wire[16];
	unsigned silent = 0;
	struct writer w = writer_of(wire, sizeof wire);
	write_u64(&w, 77);
	write_u64(&w, (uint64_t)(0.25 * 0x1p53));
	for (uint32_t i = 0; i < 1000; i++)
		CHECK(!steering_is_silent(&st, &(struct address){{[14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}}));
	CHECK(steering_silence(&st, (struct bytes){wire, 15}) == ERR_BAD);
	CHECK(steering_silence(&st, writer_bytes(&w)) == 0);
	for (uint32_t i = 0; i < 1000; i++) {
		struct address local = address_v4(0xc0000200 + i);
		silent += steering_is_silent(&st, &local);
	}
	CHECK(silent > 200 && silent < 300);
	steering_done(&st);
}
