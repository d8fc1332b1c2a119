#include "base/prefix_pieces.h"
#include "tests/test.h"

static struct prefix_set set_of(uint32_t count)
{
	struct prefix_set set = {0};
	for (uint32_t i = 0; i < count; i++) {
		struct address a = address_v4(0x0b000000 + i * 2);
		struct prefix p = prefix_of(&a, 128);
		CHECK(prefix_set_add(&set, &p) == 0);
	}
	prefix_set_seal(&set);
	return set;
}

/* Pieces that were passed on. */
static unsigned pass(const struct prefix_set *from, size_t room, struct prefix_pieces *p, struct prefix_set *to)
{
	uint8_t piece[4096];
	unsigned pieces = 0;
	size_t at = 0;
	for (;; pieces++) {
		struct writer w = writer_of(piece, room);
		if (!prefix_pieces_write(from, &at, &w))
			return pieces;
		CHECK(!w.bad && prefix_pieces_read(p, writer_bytes(&w), to) == (at > from->count));
	}
}

TEST(prefix_pieces_carry_a_set_of_any_size)
{
	struct prefix_pieces p = {0};
	struct prefix_set to = {0};
	const uint32_t counts[] = {0, 1, 15, 16, 31, 1000};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct prefix_set from = set_of(counts[i]);
		unsigned pieces = pass(&from, 5 + 15 * 17 + 3, &p, &to);
		CHECK_SAY(pieces == (counts[i] ? (counts[i] + 14) / 15 : 1), "%u pieces of %u", pieces, counts[i]);
		CHECK(to.count == from.count);
		CHECK(!to.count || !memcmp(to.items, from.items, to.count * sizeof *to.items));
		prefix_set_done(&from);
	}
	prefix_set_done(&to);
	prefix_pieces_done(&p);
}

TEST(prefix_pieces_that_break_off_change_nothing)
{
	struct prefix_pieces p = {0};
	struct prefix_set from = set_of(40), other = set_of(2), to = {0};
	uint8_t piece[5 + 15 * 17];
	size_t at = 0;
	CHECK(pass(&other, 4096, &p, &to) == 1 && to.count == 2);
	struct writer w = writer_of(piece, sizeof piece);
	CHECK(prefix_pieces_write(&from, &at, &w) && prefix_pieces_read(&p, writer_bytes(&w), &to) == 0);
	CHECK(to.count == 2);
	CHECK(pass(&other, 4096, &p, &to) == 1 && to.count == 2); /* and begins anew */
	w = writer_of(piece, sizeof piece);
	CHECK(prefix_pieces_write(&from, &at, &w)); /* the second piece, of a set that is forgotten */
	CHECK(prefix_pieces_read(&p, writer_bytes(&w), &to) == ERR_BAD && to.count == 2);
	prefix_set_done(&from);
	prefix_set_done(&other);
	prefix_set_done(&to);
}

TEST(prefix_pieces_refuse_what_is_none)
{
	struct prefix_pieces p = {0};
	struct prefix_set to = {0};
	uint8_t one[5 + 17] = {3, 0, 0, 0, 1, [5 + 16] = 129};
	CHECK(prefix_pieces_read(&p, BYTES(""), &to) == ERR_BAD);
	CHECK(prefix_pieces_read(&p, (struct bytes){one, sizeof one}, &to) == ERR_BAD);
	one[5 + 16] = 128;
	CHECK(prefix_pieces_read(&p, (struct bytes){one, sizeof one - 1}, &to) == ERR_BAD);
	one[4] = 0;
	CHECK(prefix_pieces_read(&p, (struct bytes){one, sizeof one}, &to) == ERR_BAD);
	one[4] = 1;
	CHECK(prefix_pieces_read(&p, (struct bytes){one, sizeof one}, &to) == 1 && to.count == 1);
	prefix_set_done(&to);
	prefix_pieces_done(&p);
}
