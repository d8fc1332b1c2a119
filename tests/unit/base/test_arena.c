#include "base/arena.h"
#include "tests/test.h"

TEST(arena_stays_below_its_limit)
{
	struct arena a = ARENA(1000);
	size_t got = 0;
	while (arena_alloc(&a, 16))
		got += 16;
	CHECK(a.used <= 1000 && got > 700);
	arena_done(&a);
	CHECK(a.used == 0 && arena_alloc(&a, 16));
	arena_done(&a);
}

TEST(arena_fills_what_it_was_lent_first)
{
	_Alignas(max_align_t) uint8_t room[256];
	struct arena a = arena_over(room, sizeof room, 4096);
	uint8_t *p = arena_alloc(&a, 100), *q = arena_alloc(&a, 1000);
	CHECK(p > room && p < room + sizeof room && p[99] == 0);
	CHECK(q && (q < room || q >= room + sizeof room) && a.used <= 4096);
	CHECK(!arena_alloc(&a, 4000));
	arena_done(&a);
	a = arena_over(room, 8, 4096);
	CHECK(arena_alloc(&a, 8));
	arena_done(&a);
}

TEST(arena_serves_one_large_allocation)
{
	struct arena a = ARENA(1 << 20);
	uint8_t *p = arena_alloc(&a, 300000);
	CHECK(p && p[0] == 0 && p[299999] == 0);
	CHECK(!arena_alloc(&a, SIZE_MAX));
	arena_done(&a);
}
