/* Looks of TCP/IP stacks: their numbers, and layouts that fit into what Linux sends. */
#include "passive/room/stack/stack.h"
#include "tests/test.h"

/* Of options in a SYN-ACK, by what both sides have: none, T, S, ST, W, WT, WS, WST. */
static const uint8_t linux_sizes[STACK_COMBINATIONS] = {4, 16, 8, 16, 8, 20, 12, 20};

TEST(stack_layouts_fit)
{
	struct stack_look looks[STACK_LOOKS_MAX];
	size_t count = stack_looks(looks);
	CHECK(count > 0);
	for (size_t i = 0; i < count; i++)
		for (unsigned have = 0; have < STACK_COMBINATIONS; have++) {
			const struct stack_layout *l = &looks[i].layouts[have];
			if (l->size == 0)
				continue;
			CHECK(l->size == linux_sizes[have]);
			CHECK(l->mss_at != 0);
			CHECK((l->times_at != 0) == ((have & STACK_TIMES) != 0));
			CHECK((l->scale_at != 0) == ((have & STACK_SCALE) != 0));
		}
}

/* What a device does not know is stripped, so Linux never has it; all else must have its layout. */
TEST(stack_layouts_are_whole)
{
	struct stack_look looks[STACK_LOOKS_MAX];
	size_t count = stack_looks(looks);
	for (size_t i = 0; i < count; i++)
		for (unsigned have = 0; have < STACK_COMBINATIONS; have++)
			if (!(have & looks[i].strip))
				CHECK(looks[i].layouts[have].size == linux_sizes[have]);
}

TEST(stack_order_of_windows)
{
	static const uint8_t wanted[] = {2, 4, 0, 0, 1, 3, 3, 0, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
	struct stack_look looks[STACK_LOOKS_MAX];
	stack_looks(looks);
	const struct stack_layout *l =
		&looks[stack_number("windows-7")].layouts[STACK_TIMES | STACK_SACK | STACK_SCALE];
	CHECK(!memcmp(l->bytes, wanted, sizeof wanted));
	CHECK(l->scale_at == 7);
	CHECK(l->times_at == 12);
}

TEST(stack_names_are_known)
{
	char all[512];
	struct writer w = writer_of(all, sizeof all);
	stack_names(&w);
	CHECK(bytes_find(writer_bytes(&w), " linux-2.6") < writer_used(&w));
	CHECK(stack_known("linux-2.6"));
	CHECK(!stack_known("linux"));
	CHECK(stack_number(NULL) == STACK_NO_LOOK);
}
