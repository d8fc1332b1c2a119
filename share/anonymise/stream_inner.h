/*
 * A file as a window that moves over it, changed where it stands and written from there: what goes out is never
 * longer than what came in before it.
 */
#pragma once
#include "share/view.h"

#define STREAM_WINDOW (1u << 20)

struct stream {
	int in, out;
	const char *name;
	uint8_t *window;
	size_t done, at, end; /* window[0..done): ready to be written; [at..end): not yet looked at */
	uint64_t place;       /* in the file, of `at` */
	bool ended;
};

int stream_open(struct stream *, const struct view_file *, struct fault *);
void stream_close(struct stream *);
/* 1: n bytes stand at `at` (n is at most a quarter of the window); 0: the file ends before; ERR_… */
int stream_need(struct stream *, size_t n, struct fault *);
static inline uint8_t *stream_bytes(struct stream *s) { return s->window + s->at; }
static inline size_t stream_left(const struct stream *s) { return s->end - s->at; }
/* The next n bytes go out as they are now, or not at all. */
void stream_keep(struct stream *, size_t n);
void stream_skip(struct stream *, size_t n);
int stream_flush(struct stream *, struct fault *);
int stream_add(struct stream *, struct bytes, struct fault *); /* what did not stand in the window; after a flush */
int stream_fault(const struct stream *, struct fault *, const char *what);

int capture_view(struct view *, struct stream *, struct view_file_counts *, struct fault *);
bool capture_begins(const uint8_t *at); /* by its first four bytes */
int table_view(struct view *, struct stream *, const struct view_file *, struct view_file_counts *, struct fault *);
int text_view(struct view *, struct stream *, struct view_file_counts *, struct fault *);
