/*
 * The newer format (draft-ietf-opsawg-pcapng): blocks that say their length before and behind.
 *
 * A file has sections, each in a byte order of its own and with a list of interfaces of its own;
 * an interface says its link type and what a tick of its time stamps is.
 */
#include "passive/telescope/capture_inner.h"
#include <stdlib.h>

#define BLOCK_HEADER 8
#define BLOCK_MIN 12
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

enum block { BLOCK_INTERFACE = 1, BLOCK_OLD_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_STATISTICS = 5, BLOCK_ENHANCED = 6 };
enum option { OPTION_END = 0, EPB_DROPCOUNT = 4, IF_TSRESOL = 9, IF_TSOFFSET = 14, ISB_IFDROP = 5, ISB_OSDROP = 7 };

struct interface {
	uint16_t link;
	uint8_t resolution;  /* if_tsresol */
	uint32_t frame_max;  /* 0: no limit */
	uint64_t offset_us;
	uint64_t dropped;    /* by its latest statistics */
};

struct pcapng {
	bool swapped;
	unsigned count;
	uint64_t time_us;        /* of the frame before */
	uint64_t dropped_before; /* by the statistics of sections that are over */
	uint64_t dropped_between;/* as frames say */
	struct interface interfaces[CAPTURE_INTERFACES_MAX];
};

/* A block's body. */
struct block_reader {
	const uint8_t *at, *end;
	bool swapped;
};

static uint32_t take_u32(struct block_reader *b)
{
	if (b->end - b->at < 4)
		return b->at = b->end, 0;
	b->at += 4;
	return capture_u32(b->at - 4, b->swapped);
}

static uint16_t take_u16(struct block_reader *b)
{
	if (b->end - b->at < 2)
		return b->at = b->end, 0;
	b->at += 2;
	return capture_u16(b->at - 2, b->swapped);
}

static uint64_t word64(const uint8_t *p, bool swapped)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return swapped ? __builtin_bswap64(v) : v;
}

/* The next option with its value; false at the end.  One that reaches out of its block ends the list. */
static bool option_next(struct block_reader *b, uint16_t *code, struct bytes *value)
{
	if (b->end - b->at < 4)
		return false;
	*code = take_u16(b);
	size_t length = take_u16(b), padded = (length + 3) & ~(size_t)3;
	if (*code == OPTION_END || (size_t)(b->end - b->at) < padded)
		return false;
	*value = (struct bytes){b->at, length};
	b->at += padded;
	return true;
}

int pcapng_open(struct pcapng **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : ERR_MEMORY;
}

void pcapng_close(struct pcapng *p) { free(p); }

uint64_t pcapng_dropped(const struct pcapng *p)
{
	uint64_t by_statistics = p->dropped_before;
	for (unsigned i = 0; i < p->count; i++)
		by_statistics += p->interfaces[i].dropped;
	/* Where both are told they tell the same losses. */
	return by_statistics > p->dropped_between ? by_statistics : p->dropped_between;
}

static uint64_t ticks_to_us(const struct interface *i, uint64_t ticks)
{
	unsigned n = i->resolution & 0x7f;
	uint64_t us;
	if (i->resolution == 6) {
		us = ticks;
	} else if (i->resolution == 9) {
		us = ticks / 1000;
	} else if (i->resolution & 0x80) {
		us = (uint64_t)((unsigned __int128)ticks * 1000000 >> n);
	} else {
		us = ticks;
		for (; n < 6; n++)
			us *= 10;
		for (; n > 6 && us; n--)
			us /= 10;
	}
	return us + i->offset_us;
}

static int interface_add(struct pcapng *p, struct source *s, struct block_reader b, struct fault *fault)
{
	uint16_t code;
	struct bytes value;
	if (b.end - b.at < 8)
		return source_fault(s, fault, "an interface's block is too short for one");
	if (p->count == CAPTURE_INTERFACES_MAX)
		return source_fault(s, fault, "more than %u interfaces in one section", CAPTURE_INTERFACES_MAX);
	struct interface i = {.link = take_u16(&b), .resolution = 6};
	take_u16(&b);
	i.frame_max = take_u32(&b);
	while (option_next(&b, &code, &value)) {
		if (code == IF_TSRESOL && value.len == 1)
			i.resolution = value.at[0];
		if (code == IF_TSOFFSET && value.len == 8)
			i.offset_us = word64(value.at, p->swapped) * 1000000;
	}
	p->interfaces[p->count++] = i;
	return 0;
}

static void statistics_take(struct pcapng *p, struct block_reader b)
{
	uint16_t code;
	struct bytes value;
	uint64_t dropped = 0;
	uint32_t i = take_u32(&b);
	take_u32(&b);
	take_u32(&b);
	while (option_next(&b, &code, &value))
		if ((code == ISB_IFDROP || code == ISB_OSDROP) && value.len == 8)
			dropped += word64(value.at, p->swapped);
	if (i < p->count)
		p->interfaces[i].dropped = dropped;
}

/* The 64 bits of the length that a section says are not needed: its end shows. */
static int section_begin(struct pcapng *p, struct source *s, struct fault *fault)
{
	const uint8_t *h = source_bytes(s);
	uint32_t order = capture_u32(h + 8, false);
	if (order != BYTE_ORDER_MAGIC && order != __builtin_bswap32(BYTE_ORDER_MAGIC))
		return source_fault(s, fault, "a section whose byte order cannot be told: %08x", order);
	p->swapped = order != BYTE_ORDER_MAGIC;
	for (unsigned i = 0; i < p->count; i++)
		p->dropped_before += p->interfaces[i].dropped;
	p->count = 0;
	uint16_t major = capture_u16(h + 12, p->swapped), minor = capture_u16(h + 14, p->swapped);
	if (major != 1)
		return source_fault(s, fault, "version %u.%u of pcapng is not read here; 1.0 would be right", major, minor);
	return 0;
}

/* 1: *f is a frame; 0: none in there. */
static int packet_read(struct pcapng *p, struct source *s, uint32_t type, struct block_reader b,
		       struct capture_frame *f, struct fault *fault)
{
	uint32_t id = 0, length, drops = 0;
	uint64_t ticks = 0;
	size_t fixed = type == BLOCK_SIMPLE ? 4 : 20;
	if ((size_t)(b.end - b.at) < fixed)
		return source_fault(s, fault, "a packet's block is too short for one");
	if (type == BLOCK_OLD_PACKET) {
		id = take_u16(&b);
		drops = take_u16(&b);
	} else if (type == BLOCK_ENHANCED) {
		id = take_u32(&b);
	}
	if (id >= p->count)
		return source_fault(s, fault, "a packet of interface %u, where %u are described", id, p->count);
	const struct interface *i = &p->interfaces[id];
	if (type == BLOCK_SIMPLE) {
		f->wire_length = take_u32(&b);
		length = i->frame_max && i->frame_max < f->wire_length ? i->frame_max : f->wire_length;
		f->time_us = p->time_us; /* it has no time of its own */
	} else {
		ticks = (uint64_t)take_u32(&b) << 32;
		ticks |= take_u32(&b);
		f->time_us = ticks_to_us(i, ticks);
		length = take_u32(&b);
		f->wire_length = take_u32(&b);
	}
	if (length > CAPTURE_FRAME_MAX || length > (size_t)(b.end - b.at))
		return source_fault(s, fault, "a frame of %u bytes, where its block has room for %zu and a frame for %u",
				    length, (size_t)(b.end - b.at), CAPTURE_FRAME_MAX);
	f->frame = (struct bytes){b.at, length};
	f->link = i->link;
	p->time_us = f->time_us;
	p->dropped_between += drops == 0xffff ? 0 : drops;
	b.at += length;
	if (type == BLOCK_ENHANCED && b.end - b.at > 4) {
		uint16_t code;
		struct bytes value;
		b.at += -length & 3;
		while (option_next(&b, &code, &value))
			if (code == EPB_DROPCOUNT && value.len == 8)
				p->dropped_between += word64(value.at, p->swapped);
	}
	return 1;
}

static int block_take(struct pcapng *p, struct source *s, size_t length, struct capture_frame *f,
		      struct fault *fault)
{
	const uint8_t *at = source_bytes(s);
	uint32_t type = capture_u32(at, p->swapped);
	struct block_reader b = {at + BLOCK_HEADER, at + length - 4, p->swapped};
	if (capture_u32(b.end, p->swapped) != length)
		return source_fault(s, fault, "a block of %zu bytes that ends as one of %u", length,
				    capture_u32(b.end, p->swapped));
	switch (type) {
	case BLOCK_INTERFACE:
		return interface_add(p, s, b, fault);
	case BLOCK_STATISTICS:
		statistics_take(p, b);
		return 0;
	case BLOCK_ENHANCED:
	case BLOCK_SIMPLE:
	case BLOCK_OLD_PACKET:
		return packet_read(p, s, type, b, f, fault);
	default:
		return 0; /* names, secrets, others' own blocks, and the section's header, which was read */
	}
}

/* The length of the block that stands at the window's start; 0: more must be there to tell; or ERR_… */
static int block_length(struct pcapng *p, struct source *s, size_t *need, struct fault *fault)
{
	const uint8_t *at = source_bytes(s);
	bool section = source_left(s) >= 4 && capture_u32(at, false) == PCAPNG_SECTION;
	*need = section ? 28 : BLOCK_MIN;
	if (source_left(s) < *need)
		return 0;
	bool swapped = section ? capture_u32(at + 8, false) == __builtin_bswap32(BYTE_ORDER_MAGIC) : p->swapped;
	uint32_t length = capture_u32(at + 4, swapped);
	if (length < *need || length > CAPTURE_BLOCK_MAX || length % 4)
		return source_fault(s, fault, "a block of %u bytes; %zu to %u and a multiple of 4 would be right", length,
				    *need, CAPTURE_BLOCK_MAX);
	*need = length;
	if (source_left(s) < length)
		return 0;
	int bad = section ? section_begin(p, s, fault) : 0;
	return bad ? bad : (int)length;
}

int pcapng_read(struct pcapng *p, struct source *s, struct capture_frame *frames, unsigned max,
		size_t *need, struct fault *fault)
{
	unsigned n = 0;
	while (n < max) {
		struct fault unused;
		int length = block_length(p, s, need, n ? &unused : fault);
		int got = length > 0 ? block_take(p, s, (size_t)length, &frames[n], n ? &unused : fault) : length;
		if (got < 0)
			return n ? (int)n : got;
		if (length == 0)
			break;
		n += (unsigned)got;
		s->at += (size_t)length;
	}
	return (int)n;
}
