/*
 * What a SYN tells of its maker: quirks and options, read as p0f 3 reads them, which goes on after
 * an option of the wrong length where its kind says how long it ought to be.
 */
#include "passive/telescope/packet_inner.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

enum option { TCP_EOL = 0, TCP_NOP = 1, TCP_MSS = 2, TCP_WS = 3, TCP_SACK_OK = 4, TCP_SACK = 5, TCP_TS = 8 };
enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_PSH = 8, FLAG_ACK = 16, FLAG_URG = 32, FLAG_ECN = 64 + 128 };

_Static_assert(sizeof(struct tcp_shape) == 16 + SHAPE_OPTIONS_MAX, "the hash takes in no padding");

static inline uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint32_t tcp_quirks(const uint8_t *h)
{
	uint8_t flags = h[13];
	uint32_t ack = be32(h + 8);
	return (flags & FLAG_ECN || h[12] & 1 ? QUIRK_ECN : 0) | (be32(h + 4) ? 0 : QUIRK_SEQ_MINUS) |
	       (flags & FLAG_ACK ? (ack ? 0 : QUIRK_ACK_MINUS) : (ack ? QUIRK_ACK_PLUS : 0)) |
	       (flags & FLAG_URG ? QUIRK_URGF_PLUS : (be16(h + 18) ? QUIRK_UPTR_PLUS : 0)) |
	       (flags & FLAG_PSH ? QUIRK_PUSHF_PLUS : 0);
}

/* How many bytes follow an option's kind, its length included; -1: the rest cannot be read. */
static int option_size(uint8_t kind, const uint8_t *at, const uint8_t *end, uint32_t *quirks)
{
	static const uint8_t fixed[] = {0, 0, 4, 3, 2, 0, 0, 0, 10};
	int left = (int)(end - at), size = kind < sizeof fixed ? fixed[kind] : 0;
	if (size) {
		if (left < size - 1)
			return -1;
		if (at[0] != size)
			*quirks |= QUIRK_BAD;
		return size - 1;
	}
	if (left == 0)
		return -1;
	size = at[0];
	bool wrong = kind == TCP_SACK ? size < 10 || size > 34 : size < 2 || size > 40;
	return wrong || size - 1 > left ? -1 : size - 1;
}

static inline uint32_t option_code(uint8_t kind)
{
	static const uint8_t codes[] = {OPTION_EOL, OPTION_NOP, OPTION_MSS, OPTION_WS, OPTION_SACK_OK,
					OPTION_SACK, OPTION_OTHER, OPTION_OTHER, OPTION_TS};
	return kind < sizeof codes ? codes[kind] : OPTION_OTHER;
}

struct options {
	uint32_t quirks, layout, tsval;
	uint16_t mss, wscale;
	uint8_t count, padding;
	uint64_t kinds[SHAPE_OPTIONS_MAX / 8]; /* one a byte, so that the shape is written in words */
};

static void option_kept(struct options *o, uint8_t kind)
{
	o->kinds[o->count / 8] |= (uint64_t)kind << o->count % 8 * 8;
	if (o->count < 8)
		o->layout |= option_code(kind) << (28 - 4 * o->count);
	o->count++;
}

static void option_taken(struct options *o, uint8_t kind, const uint8_t *at, bool answers)
{
	if (kind == TCP_MSS) {
		o->mss = be16(at + 1);
	} else if (kind == TCP_WS) {
		o->wscale = at[1];
		o->quirks |= at[1] > 14 ? QUIRK_EXWS : 0;
	} else if (kind == TCP_TS) {
		o->tsval = be32(at + 1);
		o->quirks |= o->tsval ? 0 : QUIRK_TS1_MINUS;
		o->quirks |= !answers && be32(at + 5) ? QUIRK_TS2_PLUS : 0;
	}
}

static void options_read(struct options *o, const uint8_t *at, const uint8_t *end, bool answers)
{
	while (at < end && o->count < SHAPE_OPTIONS_MAX) {
		uint8_t kind = *at++;
		option_kept(o, kind);
		if (kind == TCP_EOL) {
			o->padding = (uint8_t)(end - at);
			for (; at < end; at++)
				o->quirks |= *at ? QUIRK_OPT_PLUS : 0;
		} else if (kind != TCP_NOP) {
			int size = option_size(kind, at, end, &o->quirks);
			if (size < 0)
				break;
			option_taken(o, kind, at, answers);
			at += size;
		}
	}
	if (at != end)
		o->quirks |= QUIRK_BAD;
}

void tcp_syn_read(struct packet_batch *b, unsigned i, const uint8_t *at, const uint8_t *end, uint32_t quirks)
{
	struct tcp_shape *s = &b->shape[i];
	struct options o = {.quirks = quirks, .wscale = NO_WSCALE};
	options_read(&o, at, end, s->flags & FLAG_ACK);
	s->quirks = o.quirks;
	s->mss = o.mss;
	s->wscale = o.wscale;
	s->eol_padding = o.padding;
	s->option_count = o.count;
	for (unsigned k = 0; k < SHAPE_OPTIONS_MAX / 8; k++) {
		uint64_t word = htole64(o.kinds[k]);
		memcpy(s->options + 8 * k, &word, sizeof word);
	}
	b->column[COLUMN_MSS][i] = o.mss;
	b->column[COLUMN_WSCALE][i] = o.wscale;
	b->column[COLUMN_OPTIONS][i] = o.layout;
	b->column[COLUMN_TSVAL][i] = o.tsval;
	uint32_t hash = (uint32_t)XXH3_64bits(s, sizeof *s);
	b->column[COLUMN_SHAPE][i] = hash ? hash : 1;
}
