#include "base/prefix_pieces.h"

#define FIRST 1u
#define LAST 2u
#define HEADER (1 + 4)
#define PREFIX_WIRE (sizeof(struct address) + 1)

bool prefix_pieces_write(const struct prefix_set *set, size_t *at, struct writer *w)
{
	size_t left = set->count - (*at < set->count ? *at : set->count);
	size_t room = writer_left(w) > HEADER ? (writer_left(w) - HEADER) / PREFIX_WIRE : 0;
	size_t count = left < room ? left : room;
	if (*at > set->count || (left && !room))
		return false;
	write_u8(w, (uint8_t)((*at == 0 ? FIRST : 0) | (count == left ? LAST : 0)));
	write_u32(w, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		const struct prefix *p = &set->items[*at + i];
		write_bytes(w, p->base.b, sizeof p->base.b);
		write_u8(w, p->bits);
	}
	*at = count == left ? set->count + 1 : *at + count;
	return true;
}

void prefix_pieces_done(struct prefix_pieces *p)
{
	prefix_set_done(&p->set);
	*p = (struct prefix_pieces){0};
}

static int read_prefixes(struct prefix_pieces *p, struct reader *r, uint32_t count)
{
	if (p->set.count + count > PREFIX_PIECES_MAX)
		return ERR_FULL;
	for (uint32_t i = 0; i < count; i++) {
		struct address base;
		struct bytes b = read_bytes(r, sizeof base.b);
		uint8_t bits = read_u8(r);
		if (!reader_ok(r) || bits > 128)
			return ERR_BAD;
		memcpy(base.b, b.at, sizeof base.b);
		struct prefix one = prefix_of(&base, bits);
		if (prefix_set_add(&p->set, &one))
			return ERR_MEMORY;
	}
	return reader_left(r) ? ERR_BAD : 0;
}

int prefix_pieces_read(struct prefix_pieces *p, struct bytes piece, struct prefix_set *out)
{
	struct reader r = reader_of_bytes(piece);
	uint8_t flags = read_u8(&r);
	uint32_t count = read_u32(&r);
	if (flags & FIRST) {
		prefix_pieces_done(p);
		p->begun = true;
	}
	int bad = reader_ok(&r) && p->begun ? read_prefixes(p, &r, count) : ERR_BAD;
	if (bad) {
		prefix_pieces_done(p);
		return bad;
	}
	if (!(flags & LAST))
		return 0;
	prefix_set_seal(&p->set);
	prefix_set_done(out);
	*out = p->set;
	*p = (struct prefix_pieces){0};
	return 1;
}
