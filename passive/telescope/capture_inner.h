/*
 * Between the files that read captures: capture.c, source.c, pcap.c and pcapng.c.
 *
 * A source is what a capture holds, unpacked, as a window that moves over it.  Files are read into
 * the window and not mapped: a mapping costs a page fault for each page that it touches, which
 * came to the same speed when both were measured, and a file that somebody cuts while it is mapped
 * would end the process by SIGBUS.
 */
#pragma once
#include "passive/telescope/capture.h"

#define SOURCE_WINDOW (256u << 10)     /* stays in a core's own cache */
#define SOURCE_ZSTD_WINDOW_LOG_MAX 27  /* 128 MiB, which is zstd's own default of what to accept */

struct unpacker;
struct source {
	int fd;
	char name[256];       /* as sentences call it */
	uint8_t *window;
	size_t at, end, capacity;
	uint64_t base;        /* where window[0] is in what the file holds */
	uint64_t read, size;  /* of the file; size 0: not known */
	bool ended;           /* nothing comes behind the window */
	bool torn;            /* and it ended within a compressed stream */
	struct unpacker *unpacker; /* NULL: plain */
	const char *packing;
};

/* Owns fd from now on, unless it is standard input; takes the name as it is called in sentences. */
int source_open(struct source *, int fd, const char *name, struct fault *);
void source_close(struct source *);
/* 1: n bytes stand in the window from `at` on; 0: it ends before; or ERR_… with a sentence. */
int source_need(struct source *, size_t n, struct fault *);
static inline size_t source_left(const struct source *s) { return s->end - s->at; }
static inline const uint8_t *source_bytes(const struct source *s) { return s->window + s->at; }
static inline uint64_t source_place(const struct source *s) { return s->base + s->at; }
/* "NAME: at byte N: …" */
int source_fault(const struct source *, struct fault *, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static inline uint32_t capture_u32(const uint8_t *p, bool swapped)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return swapped ? __builtin_bswap32(v) : v;
}

static inline uint16_t capture_u16(const uint8_t *p, bool swapped)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return swapped ? __builtin_bswap16(v) : v;
}

struct pcap {
	bool swapped, nanoseconds;
	uint16_t link;
};
bool pcap_magic(uint32_t word, struct pcap *); /* word: the first four bytes, in host order */
int pcap_begin(struct pcap *, struct source *, struct fault *);
/* Frames, or 0 when the window must move on to hold `*need` bytes, or ERR_… */
int pcap_read(const struct pcap *, struct source *, struct capture_frame *, unsigned max, size_t *need,
	      struct fault *);

struct pcapng;
#define PCAPNG_SECTION 0x0a0d0d0au /* reads the same in both byte orders */
int pcapng_open(struct pcapng **);
void pcapng_close(struct pcapng *);
int pcapng_read(struct pcapng *, struct source *, struct capture_frame *, unsigned max, size_t *need,
		struct fault *);
uint64_t pcapng_dropped(const struct pcapng *);
