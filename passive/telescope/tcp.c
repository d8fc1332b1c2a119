/*
 * What a SYN tells of its maker: quirks and options, read as p0f 3 reads them, which goes on after
 * an option of the wrong length where its kind says how long it ought to be.
 */
#include "passive/telescope/packet_inner.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

enum option { TCP_EOL = 0, TCP_NOP = 1, TCP_MSS = 2, TCP_WS = 3, TCP_SACK_OK = 4, TCP_SACK = 5, TCP_TS = 8 };
enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_PSH = 8, FLAG_ACK = 16, FLAG_URG = 32, FLAG_ECN = 64 + 128 };

_Static_assert(SHAPE_OPTIONS_MAX == 24, "kinds are kept in three words");

static inline uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Of the fixed header. */
static inline uint32_t header_quirks(const uint8_t *h)
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

/* Kinds stand one a byte in words: to read as words what was just written as bytes makes a processor wait. */
struct options {
	uint32_t quirks, layout, tsval;
	uint16_t mss, wscale;
	uint8_t count, padding;
	uint64_t kinds; /* the first eight */
};
struct more_kinds {
	uint64_t to_16, to_24;
};

static void option_kept(struct options *o, struct more_kinds *more, uint8_t kind)
{
	uint64_t *kinds = o->count < 8 ? &o->kinds : o->count < 16 ? &more->to_16 : &more->to_24;
	*kinds |= (uint64_t)kind << o->count % 8 * 8;
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

static void options_read(struct options *o, struct more_kinds *more, const uint8_t *at, const uint8_t *end, bool answers)
{
	while (at < end && o->count < SHAPE_OPTIONS_MAX) {
		uint8_t kind = *at++;
		option_kept(o, more, kind);
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

/*
 * Layouts that nearly all SYNs have: ordinary stacks and the scanners that imitate them.  They all
 * begin with the MSS; to compare a layout and to take values from fixed places spares the walk
 * over the options, whose branches no processor foresees.  The walk says the same of them.
 */
struct layout {
	uint8_t bytes[24], mask[24]; /* mask: where the bytes are part of the layout */
	uint8_t length, scale_at, stamp_at, padding; /* 0: no such option */
	uint8_t count;
	uint8_t kinds[8];
	uint32_t codes;
};

#define MSS_BYTES TCP_MSS, 4, 0, 0
#define MSS_MASK 255, 255, 0, 0
#define WS_BYTES TCP_WS, 3, 0
#define WS_MASK 255, 255, 0
#define TS_BYTES TCP_TS, 10, 0, 0, 0, 0, 0, 0, 0, 0
#define TS_MASK 255, 255, 0, 0, 0, 0, 0, 0, 0, 0

static const struct layout layout_mss = { /* nmap, masscan of 2026, Mirai's heirs */
	.bytes = {MSS_BYTES}, .mask = {MSS_MASK}, .length = 4, .count = 1, .kinds = {2}, .codes = 0x30000000,
};
static const struct layout layout_old_windows = {
	.bytes = {MSS_BYTES, TCP_NOP, TCP_NOP, TCP_SACK_OK, 2}, .mask = {MSS_MASK, 255, 255, 255, 255},
	.length = 8, .count = 4, .kinds = {2, 1, 1, 4}, .codes = 0x32250000,
};
static const struct layout layout_windows = { /* and ZMap from 4.0 on */
	.bytes = {MSS_BYTES, TCP_NOP, WS_BYTES, TCP_NOP, TCP_NOP, TCP_SACK_OK, 2},
	.mask = {MSS_MASK, 255, WS_MASK, 255, 255, 255, 255},
	.length = 12, .scale_at = 7, .count = 6, .kinds = {2, 1, 3, 1, 1, 4}, .codes = 0x32422500,
};
static const struct layout layout_linux = {
	.bytes = {MSS_BYTES, TCP_SACK_OK, 2, TS_BYTES, TCP_NOP, WS_BYTES},
	.mask = {MSS_MASK, 255, 255, TS_MASK, 255, WS_MASK},
	.length = 20, .scale_at = 19, .stamp_at = 8, .count = 5, .kinds = {2, 4, 8, 1, 3}, .codes = 0x35724000,
};
static const struct layout layout_freebsd = {
	.bytes = {MSS_BYTES, TCP_NOP, WS_BYTES, TCP_SACK_OK, 2, TS_BYTES},
	.mask = {MSS_MASK, 255, WS_MASK, 255, 255, TS_MASK},
	.length = 20, .scale_at = 7, .stamp_at = 12, .count = 5, .kinds = {2, 1, 3, 4, 8}, .codes = 0x32457000,
};
static const struct layout layout_macos = {
	.bytes = {MSS_BYTES, TCP_NOP, WS_BYTES, TCP_NOP, TCP_NOP, TS_BYTES, TCP_SACK_OK, 2, TCP_EOL, 0},
	.mask = {MSS_MASK, 255, WS_MASK, 255, 255, TS_MASK, 255, 255, 255, 255},
	.length = 24, .scale_at = 7, .stamp_at = 12, .padding = 1, .count = 8, .kinds = {2, 1, 3, 1, 1, 8, 4, 0},
	.codes = 0x32422751,
};

/* l is known where this is inlined, so that only loads and comparisons are left of it. */
static inline __attribute__((always_inline)) bool layout_read(struct options *o, const struct layout *l,
							      const uint8_t *at, bool answers)
{
	uint32_t other = 0;
	for (unsigned k = 0; k < l->length; k += 4)
		other |= (be32(at + k) ^ be32(l->bytes + k)) & be32(l->mask + k);
	if (other)
		return false;
	for (unsigned k = 0; k < 8; k++)
		o->kinds |= (uint64_t)l->kinds[k] << 8 * k;
	o->layout = l->codes;
	o->count = l->count;
	o->padding = l->padding;
	o->mss = be16(at + 2);
	if (l->scale_at) {
		o->wscale = at[l->scale_at];
		o->quirks |= o->wscale > 14 ? QUIRK_EXWS : 0;
	}
	if (l->stamp_at) {
		o->tsval = be32(at + l->stamp_at);
		o->quirks |= (o->tsval ? 0 : QUIRK_TS1_MINUS) |
			     (!answers && be32(at + l->stamp_at + 4) ? QUIRK_TS2_PLUS : 0);
	}
	return true;
}

static inline __attribute__((always_inline)) bool layout_common(struct options *o, const uint8_t *at, size_t n, bool answers)
{
	switch (n) {
	case 0:
		return true;
	case 4:
		return layout_read(o, &layout_mss, at, answers);
	case 8:
		return layout_read(o, &layout_old_windows, at, answers);
	case 12:
		return layout_read(o, &layout_windows, at, answers);
	case 20:
		return layout_read(o, &layout_linux, at, answers) || layout_read(o, &layout_freebsd, at, answers);
	case 24:
		return layout_read(o, &layout_macos, at, answers);
	default:
		return false;
	}
}

static inline __attribute__((always_inline)) void shape_fill(struct tcp_shape *s, const struct options *o,
							     struct more_kinds more)
{
	s->quirks = o->quirks;
	s->mss = o->mss;
	s->wscale = o->wscale;
	s->eol_padding = o->padding;
	s->option_count = o->count;
	uint64_t to_8 = htole64(o->kinds), to_16 = htole64(more.to_16), to_24 = htole64(more.to_24);
	memcpy(s->options, &to_8, 8);
	memcpy(s->options + 8, &to_16, 8);
	memcpy(s->options + 16, &to_24, 8);
}

/* Of the shape's values rather than of its memory, for the same reason. */
static inline __attribute__((always_inline)) uint32_t shape_hash(const struct tcp_shape *s, const struct options *o,
								 struct more_kinds more)
{
	const uint64_t words[] = {
		o->quirks | (uint64_t)s->window << 32 | (uint64_t)o->mss << 48,
		o->wscale | (uint64_t)s->version << 16 | (uint64_t)s->ip_options << 24 | (uint64_t)o->padding << 32 |
			(uint64_t)s->payload << 40 | (uint64_t)o->count << 48 | (uint64_t)s->flags << 56,
		o->kinds, more.to_16, more.to_24,
	};
	uint32_t hash = (uint32_t)XXH3_64bits(words, sizeof words);
	return hash ? hash : 1;
}

static inline __attribute__((always_inline)) void syn_keep(struct packet_batch *b, unsigned i, const struct options *o,
							   struct more_kinds more)
{
	shape_fill(&b->shape[i], o, more);
	b->column[COLUMN_MSS][i] = o->mss;
	b->column[COLUMN_WSCALE][i] = o->wscale;
	b->column[COLUMN_OPTIONS][i] = o->layout;
	b->column[COLUMN_TSVAL][i] = o->tsval;
	b->column[COLUMN_SHAPE][i] = shape_hash(&b->shape[i], o, more);
}

/* Apart, so that the options of a common layout never leave the registers. */
static __attribute__((noinline)) void syn_walk(struct packet_batch *b, unsigned i, struct bytes options,
					       uint32_t quirks)
{
	struct options o = {.quirks = quirks, .wscale = NO_WSCALE};
	struct more_kinds more = {0};
	options_read(&o, &more, options.at, options.at + options.len, b->shape[i].flags & FLAG_ACK);
	syn_keep(b, i, &o, more);
}

void tcp_syn_read(struct packet_batch *b, unsigned i, const uint8_t *header, struct bytes options, bool walk,
		  uint32_t quirks)
{
	struct options o = {.quirks = quirks | header_quirks(header), .wscale = NO_WSCALE};
	if (walk || !layout_common(&o, options.at, options.len, header[13] & FLAG_ACK))
		syn_walk(b, i, options, quirks | header_quirks(header));
	else
		syn_keep(b, i, &o, (struct more_kinds){0});
}
