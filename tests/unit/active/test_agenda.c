#include "active/prober/agenda_inner.h"
#include "base/random.h"
#include "tests/test.h"

#define ENTRIES 500

TEST(agenda_gives_what_is_due_first)
{
	struct agenda a = {0};
	struct agenda_entry entries[ENTRIES] = {0};
	struct random random = random_seeded(7);
	CHECK(!agenda_first(&a));
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < ENTRIES; i++)
			CHECK(agenda_set(&a, &entries[i], random_below(&random, 1000)) == 0);
	CHECK(a.count == ENTRIES);
	size_t dropped = 0;
	for (size_t i = 0; i < ENTRIES; i += 3, dropped++)
		agenda_drop(&a, &entries[i]);
	agenda_drop(&a, &entries[0]);
	uint64_t last = 0;
	size_t left = 0;
	for (struct agenda_entry *e; (e = agenda_first(&a)); left++) {
		CHECK(e->due_us >= last && (e - entries) % 3 != 0);
		last = e->due_us;
		agenda_drop(&a, e);
		CHECK(e->at == 0);
	}
	CHECK(left == ENTRIES - dropped);
	agenda_done(&a);
}
