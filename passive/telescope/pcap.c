/*
 * The classic format (draft-ietf-opsawg-pcap): a header of 24 bytes, then a header of 16 before
 * each frame, all in the byte order of the machine that wrote it.
 */
#include "passive/telescope/capture_inner.h"

#define PCAP_HEADER 24
#define RECORD_HEADER 16

bool pcap_magic(uint32_t word, struct pcap *p)
{
	for (unsigned swapped = 0; swapped < 2; swapped++, word = __builtin_bswap32(word))
		if (word == 0xa1b2c3d4 || word == 0xa1b23c4d) {
			*p = (struct pcap){.swapped = swapped, .nanoseconds = word == 0xa1b23c4d};
			return true;
		}
	return false;
}

int pcap_begin(struct pcap *p, struct source *s, struct fault *fault)
{
	int got = source_need(s, PCAP_HEADER, fault);
	if (got < 0)
		return got;
	if (!got)
		return source_fault(s, fault, "the file ends within the header of 24 bytes");
	const uint8_t *h = source_bytes(s);
	uint16_t major = capture_u16(h + 4, p->swapped), minor = capture_u16(h + 6, p->swapped);
	if (major != 2 || minor < 3)
		return source_fault(s, fault, "version %u.%u of pcap is not read here; 2.4 would be right", major, minor);
	/* Above the 16 bits it says how long the frame check sequences are, which are no payload anyway. */
	p->link = (uint16_t)capture_u32(h + 20, p->swapped);
	s->at += PCAP_HEADER;
	return 0;
}

static inline int records_read(const struct pcap *p, struct source *s, struct capture_frame *frames,
			       unsigned max, size_t *need, bool swapped, bool nanoseconds)
{
	const uint8_t *at = source_bytes(s), *end = s->window + s->end;
	unsigned n = 0;
	*need = RECORD_HEADER;
	while (n < max && (size_t)(end - at) >= RECORD_HEADER) {
		uint32_t fraction = capture_u32(at + 4, swapped), length = capture_u32(at + 8, swapped);
		*need = RECORD_HEADER + (size_t)length;
		if ((size_t)(end - at) < *need || length > CAPTURE_FRAME_MAX)
			break;
		frames[n++] = (struct capture_frame){
			.frame = {at + RECORD_HEADER, length},
			.time_us = capture_u32(at, swapped) * UINT64_C(1000000) + (nanoseconds ? fraction / 1000 : fraction),
			.wire_length = capture_u32(at + 12, swapped),
			.link = p->link,
		};
		at += *need;
		*need = RECORD_HEADER;
	}
	s->at = (size_t)(at - s->window);
	return (int)n;
}

int pcap_read(const struct pcap *p, struct source *s, struct capture_frame *frames, unsigned max,
	      size_t *need, struct fault *fault)
{
	int n;
	if (!p->swapped && !p->nanoseconds)
		n = records_read(p, s, frames, max, need, false, false);
	else
		n = records_read(p, s, frames, max, need, p->swapped, p->nanoseconds);
	if (n == 0 && *need > RECORD_HEADER + CAPTURE_FRAME_MAX)
		return source_fault(s, fault, "a frame of %zu bytes; %u are the most that a frame can have",
				    *need - RECORD_HEADER, CAPTURE_FRAME_MAX);
	return n;
}
