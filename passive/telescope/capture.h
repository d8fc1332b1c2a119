/*
 * Captures in files: pcap and pcapng, plain, .gz or .zst, or from standard input ("-").
 *
 * The kind is told by the first bytes, not by the name.  All is read through a window that moves
 * over the file, so that a file that is cut while it is read does no harm.  Files are hostile: a
 * lying length ends the reading with a sentence that says at which byte, and what was read before
 * stays good.  A file that ends within a frame is read up to that frame and `torn` says so; it is
 * no error, since a capture that is still being written ends so.
 */
#pragma once
#include "base/bytes.h"
#include "base/error.h"

#define CAPTURE_FRAME_MAX (256u << 10)  /* a longer captured length is a lie */
#define CAPTURE_BLOCK_MAX (16u << 20)   /* of one block of a pcapng file */
#define CAPTURE_INTERFACES_MAX 4096     /* of one section of a pcapng file */

struct capture;
struct capture_frame {
	struct bytes frame;   /* as captured; valid until the next capture_read() */
	uint64_t time_us;
	uint32_t wire_length;
	uint16_t link;        /* enum link_type or another LINKTYPE_ value */
};
struct capture_status {
	uint64_t frames;
	uint64_t dropped;     /* that the capturing system says it missed (pcapng's statistics) */
	bool torn;            /* ended within a frame or block */
	uint64_t at;          /* bytes read (of a compressed file: of what it holds) */
	uint64_t read, size;  /* of the file itself, for progress; size 0: not known */
	const char *format;   /* "pcap", "pcapng" */
	const char *packing;  /* "", "gzip", "zstd" */
};

int capture_open(struct capture **, const char *path, struct fault *);
/* The same from a descriptor that it owns from now on. */
int capture_open_fd(struct capture **, int fd, const char *name, struct fault *);
/* Up to max frames; 0 at the end; ERR_… with a sentence when the file lies. */
int capture_read(struct capture *, struct capture_frame *, unsigned max, struct fault *);
struct capture_status capture_status(const struct capture *);
void capture_close(struct capture *);

/* Writing pcap (microseconds): for slices.  The link type is that of the first frame. */
struct capture_writer;
int capture_create(struct capture_writer **, const char *path, uint16_t link, struct fault *);
int capture_write(struct capture_writer *, const struct capture_frame *); /* 0, ERR_BAD (other link), ERR_SYSTEM */
int capture_finish(struct capture_writer *, struct fault *);
