#include "lab/nrv.h"
#include "base/little.h"

#define OFFSET_MAX (1u << 30)

struct nrv_stream {
	struct reader in;
	unsigned word_bytes, left; /* bits of the word that are not yet taken */
	uint32_t word;
	uint8_t *out;
	size_t used, room;
	bool bad;
};

static unsigned bit(struct nrv_stream *s)
{
	if (!s->left) {
		s->word = (uint32_t)read_little(&s->in, s->word_bytes);
		s->left = 8 * s->word_bytes;
		s->bad |= !reader_ok(&s->in);
	}
	return s->word >> --s->left & 1;
}

/* A number in which every second bit says whether it ends; 2B's form. */
static uint32_t gamma_plain(struct nrv_stream *s)
{
	uint32_t v = 1;
	do {
		v = v * 2 + bit(s);
		s->bad |= v > OFFSET_MAX;
	} while (!s->bad && !bit(s));
	return v;
}

/* The form of 2D and 2E, which subtracts one at each step. */
static uint32_t gamma_stepped(struct nrv_stream *s)
{
	uint32_t v = 1;
	for (;;) {
		v = v * 2 + bit(s);
		s->bad |= v > OFFSET_MAX;
		if (s->bad || bit(s))
			return v;
		v = (v - 1) * 2 + bit(s);
	}
}

static void copy(struct nrv_stream *s, uint32_t offset, uint32_t len)
{
	if (offset > s->used || len > s->room - s->used) {
		s->bad = true;
		return;
	}
	for (; len; len--, s->used++)
		s->out[s->used] = s->out[s->used - offset];
}

static uint32_t length_rest(struct nrv_stream *s, uint32_t add)
{
	return gamma_plain(s) + add;
}

/* Offsets are kept, since "the same again" is a short code; false at the end mark. */
static bool match(struct nrv_stream *s, enum nrv kind, uint32_t *last)
{
	uint32_t offset = kind == NRV2B ? gamma_plain(s) : gamma_stepped(s), len = 0;
	if (offset == 2) {
		offset = *last;
		len = kind == NRV2B ? 0 : bit(s);
	} else {
		offset = (offset - 3) * 256 + read_u8(&s->in);
		if (offset == UINT32_MAX || !reader_ok(&s->in))
			return false;
		if (kind != NRV2B) {
			len = (offset ^ UINT32_MAX) & 1;
			offset >>= 1;
		}
		*last = ++offset;
	}
	if (kind == NRV2E) {
		if (len)
			len = 1 + bit(s);
		else if (bit(s))
			len = 3 + bit(s);
		else
			len = length_rest(s, 3);
	} else {
		if (kind == NRV2B)
			len = bit(s);
		len = len * 2 + bit(s);
		if (!len)
			len = length_rest(s, 2);
	}
	len += offset > (kind == NRV2B ? 0xd00u : 0x500u);
	if (!s->bad)
		copy(s, offset, len + 1);
	return !s->bad;
}

long nrv_unpack(enum nrv kind, unsigned word_bits, struct bytes packed, uint8_t *out, size_t room)
{
	struct nrv_stream s = {.in = reader_of_bytes(packed), .word_bytes = word_bits / 8, .out = out, .room = room};
	uint32_t last = 1;
	while (!s.bad) {
		while (bit(&s) && !s.bad) {
			if (s.used == room)
				return -1;
			out[s.used++] = read_u8(&s.in);
			s.bad |= !reader_ok(&s.in);
		}
		if (s.bad || !match(&s, kind, &last))
			break;
	}
	return s.bad || !reader_ok(&s.in) ? -1 : (long)s.used;
}
