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

TEST(arena_serves_one_large_allocation)
{
	struct arena a = ARENA(1 << 20);
	uint8_t *p = arena_alloc(&a, 300000);
	CHECK(p && p[0] == 0 && p[299999] == 0);
	CHECK(!arena_alloc(&a, SIZE_MAX));
	arena_done(&a);
}
