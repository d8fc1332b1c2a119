/*
 * Captures, changed where they stand.  Only packets and what is needed to read them go through: a pcapng file also
 * holds names of interfaces and hosts, filters, comments, and the secrets of sessions.
 */
#include "share/anonymise/stream_inner.h"
#include "share/anonymise/view_inner.h"
#include <stdlib.h>

#define PACKET_MAX (256u << 10) /* a longer captured length is a lie */
#define BLOCK_MAX (STREAM_WINDOW / 4)
#define INTERFACES_MAX 4096
#define MAGIC_US 0xa1b2c3d4
#define MAGIC_NS 0xa1b23c4d
#define MAGIC_SECTION 0x0a0d0d0a
#define MAGIC_ORDER 0x1a2b3c4d

enum block { BLOCK_INTERFACE = 1, BLOCK_OLD_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6 };

struct interface {
	uint16_t link;
	uint64_t units; /* of time, in a second */
};

struct reading {
	struct view *view;
	struct stream *s;
	struct view_file_counts *counts;
	struct fault *fault;
	bool swapped;
	struct view_rule time;
	size_t interface_count;
	struct interface interfaces[INTERFACES_MAX];
};

static uint32_t get(const struct reading *r, const uint8_t *at)
{
	uint32_t v;
	memcpy(&v, at, sizeof v);
	return r->swapped ? __builtin_bswap32(v) : v;
}

static void put(const struct reading *r, uint8_t *at, uint32_t v)
{
	v = r->swapped ? __builtin_bswap32(v) : v;
	memcpy(at, &v, sizeof v);
}

static uint16_t get_short(const struct reading *r, const uint8_t *at)
{
	uint16_t v;
	memcpy(&v, at, sizeof v);
	return r->swapped ? __builtin_bswap16(v) : v;
}

static bool is(const uint8_t *at, uint32_t magic, bool *swapped)
{
	uint32_t v;
	memcpy(&v, at, sizeof v);
	*swapped = v == __builtin_bswap32(magic);
	return v == magic || *swapped;
}

bool capture_begins(const uint8_t *at)
{
	bool swapped;
	return is(at, MAGIC_US, &swapped) || is(at, MAGIC_NS, &swapped) || is(at, MAGIC_SECTION, &swapped);
}

/* A time in parts of a second, as the recipient may know it; the key is its period's. */
static uint64_t see_time(const struct reading *r, uint64_t time, uint64_t units)
{
	const uint64_t us = (uint64_t)((unsigned __int128)time * 1000000 / units);
	view_period(r->view, us);
	if (r->time.action == VIEW_DROP)
		return 0;
	if (r->time.action != VIEW_BUCKET)
		return time;
	return (uint64_t)((unsigned __int128)(us - us % r->time.argument) * units / 1000000);
}

static int pcap_view(struct reading *r)
{
	struct stream *s = r->s;
	bool nanoseconds = is(stream_bytes(s), MAGIC_NS, &r->swapped);
	if (!nanoseconds)
		is(stream_bytes(s), MAGIC_US, &r->swapped);
	const uint64_t units = nanoseconds ? 1000000000 : 1000000;
	int more = stream_need(s, 24, r->fault);
	if (more <= 0)
		return more ? more : stream_fault(s, r->fault, "the file ends within its header");
	/* Above the type stands whether frames have a checksum of their own, which is emptied with what pads them. */
	const unsigned link = get(r, stream_bytes(s) + 20) & 0xffff;
	memset(stream_bytes(s) + 8, 0, 8); /* zone and accuracy, which nobody uses */
	stream_keep(s, 24);
	while ((more = stream_need(s, 16, r->fault)) > 0) {
		uint8_t *head = stream_bytes(s);
		const uint32_t len = get(r, head + 8);
		if (len > PACKET_MAX)
			return stream_fault(s, r->fault, "a packet longer than packets are");
		more = stream_need(s, 16 + (size_t)len, r->fault);
		if (more <= 0)
			break;
		head = stream_bytes(s);
		const uint64_t time = see_time(r, get(r, head) * units + get(r, head + 4) % units, units);
		put(r, head, (uint32_t)(time / units));
		put(r, head + 4, (uint32_t)(time % units));
		view_packet(r->view, link, head + 16, len);
		stream_keep(s, 16 + len);
		r->counts->packets++;
	}
	r->counts->torn = more == 0 && stream_left(s) > 0;
	return more;
}

/* if_tsresol: a power of ten, or of two where the highest bit is set. */
static uint64_t units_of(uint8_t resolution)
{
	const unsigned power = resolution & 0x7f;
	uint64_t units = 1;
	if (resolution & 0x80)
		return power < 63 ? UINT64_C(1) << power : 0;
	for (unsigned i = 0; i < power && power < 19; i++)
		units *= 10;
	return power < 19 ? units : 0;
}

static void block_keep(struct reading *r, size_t whole, size_t kept)
{
	uint8_t *at = stream_bytes(r->s);
	put(r, at + 4, (uint32_t)kept);
	put(r, at + kept - 4, (uint32_t)kept);
	stream_keep(r->s, kept);
	stream_skip(r->s, whole - kept);
}

static int section_view(struct reading *r, size_t whole)
{
	uint8_t *at = stream_bytes(r->s);
	if (whole < 28)
		return stream_fault(r->s, r->fault, "a section too short for its header");
	memset(at + 16, 0xff, 8); /* its length is another now */
	r->interface_count = 0;
	block_keep(r, whole, 28);
	return 0;
}

/* Of the options only how times are to be read. */
static int interface_view(struct reading *r, size_t whole)
{
	uint8_t *at = stream_bytes(r->s);
	struct interface now = {.units = 1000000};
	size_t kept = 16;
	if (whole < 20 || r->interface_count == INTERFACES_MAX)
		return stream_fault(r->s, r->fault, "an interface too short for its header, or too many");
	now.link = get_short(r, at + 8);
	for (size_t i = 16; i + 4 <= whole - 4;) {
		const size_t code = get_short(r, at + i), len = get_short(r, at + i + 2), step = 4 + (len + 3) / 4 * 4;
		if (code == 0 || step > whole - 4 - i)
			break;
		if (code == 9 && len == 1) { /* at most 8 bytes are kept, of which 4 end the options */
			now.units = units_of(at[i + 4]);
			memmove(at + kept, at + i, 8);
			kept += 8;
		}
		i += step;
		if (kept > 16)
			break;
	}
	if (!now.units)
		return stream_fault(r->s, r->fault, "a resolution of time that nobody has");
	if (kept > 16 && whole >= kept + 8) {
		memset(at + kept, 0, 4);
		kept += 4;
	}
	r->interfaces[r->interface_count++] = now;
	block_keep(r, whole, kept + 4);
	return 0;
}

static int packet_view(struct reading *r, unsigned type, size_t whole)
{
	uint8_t *at = stream_bytes(r->s);
	const size_t header = type == BLOCK_SIMPLE ? 12 : 28;
	if (whole < header + 4)
		return stream_fault(r->s, r->fault, "a packet too short for its header");
	const size_t interface = type == BLOCK_SIMPLE ? 0 : type == BLOCK_ENHANCED ? get(r, at + 8) : get_short(r, at + 8);
	size_t len = type == BLOCK_SIMPLE ? get(r, at + 8) : get(r, at + 20);
	if (interface >= r->interface_count)
		return stream_fault(r->s, r->fault, "a packet of an interface that nobody named");
	if (type == BLOCK_SIMPLE && len > whole - 16) /* cut at a length that only the interface knows */
		len = whole - 16;
	const size_t padded = (len + 3) / 4 * 4;
	if (len > PACKET_MAX || header + padded + 4 > whole)
		return stream_fault(r->s, r->fault, "a packet longer than its block");
	if (type != BLOCK_SIMPLE) {
		const uint64_t time = see_time(r, (uint64_t)get(r, at + 12) << 32 | get(r, at + 16), r->interfaces[interface].units);
		put(r, at + 12, (uint32_t)(time >> 32));
		put(r, at + 16, (uint32_t)time);
	}
	view_packet(r->view, r->interfaces[interface].link, at + header, len);
	memset(at + header + len, 0, padded - len);
	r->counts->packets++;
	block_keep(r, whole, header + padded + 4);
	return 0;
}

static int block_view(struct reading *r, unsigned type, size_t whole)
{
	switch (type) {
	case MAGIC_SECTION:
		return section_view(r, whole);
	case BLOCK_INTERFACE:
		return interface_view(r, whole);
	case BLOCK_OLD_PACKET:
	case BLOCK_SIMPLE:
	case BLOCK_ENHANCED:
		return packet_view(r, type, whole);
	default:
		stream_skip(r->s, whole);
		r->counts->left_out++;
		return 0;
	}
}

static int pcapng_view(struct reading *r)
{
	struct stream *s = r->s;
	int more, bad = 0;
	while (!bad && (more = stream_need(s, 12, r->fault)) > 0) {
		bool swapped;
		const uint8_t *at = stream_bytes(s);
		if (is(at, MAGIC_SECTION, &swapped) && !is(at + 8, MAGIC_ORDER, &r->swapped))
			return stream_fault(s, r->fault, "a section in no order of bytes");
		const size_t whole = get(r, at + 4);
		if (whole < 12 || whole % 4 || whole > BLOCK_MAX)
			return stream_fault(s, r->fault, "a block of a length that no block has");
		more = stream_need(s, whole, r->fault);
		if (more <= 0)
			break;
		at = stream_bytes(s);
		if (get(r, at + whole - 4) != whole)
			return stream_fault(s, r->fault, "a block that ends with another length than it begins with");
		bad = block_view(r, get(r, at), whole);
	}
	if (!bad)
		r->counts->torn = more == 0 && stream_left(s) > 0;
	return bad ? bad : more;
}

int capture_view(struct view *v, struct stream *s, struct view_file_counts *counts, struct fault *fault)
{
	struct reading *r = calloc(1, sizeof *r);
	bool swapped;
	if (!r)
		return fault_set(fault, ERR_MEMORY, "%s: out of memory", s->name);
	*r = (struct reading){.view = v, .s = s, .counts = counts, .fault = fault, .time = v->policy.rules[POLICY_TIME]};
	int bad = is(stream_bytes(s), MAGIC_SECTION, &swapped) ? pcapng_view(r) : pcap_view(r);
	free(r);
	return bad;
}
