/* Text by lines, such as logs: every address becomes what src does, ours what dst does, and the rest is cleaned. */
#include "share/anonymise/clean_inner.h"
#include "share/anonymise/stream_inner.h"
#include "share/anonymise/view_inner.h"

#define LINE_MAX_KEPT (STREAM_WINDOW / 4)
#define LINE_ARENA_MAX (64u << 20)

/* 1: a line, its end included, of that length; 0: the end. */
static int line_next(struct stream *s, size_t *len, struct fault *fault)
{
	for (size_t want = 4096;; want *= 4) {
		const int more = stream_need(s, want < LINE_MAX_KEPT ? want : LINE_MAX_KEPT, fault);
		if (more < 0)
			return more;
		const uint8_t *end = stream_left(s) ? memchr(stream_bytes(s), '\n', stream_left(s)) : NULL;
		*len = end ? (size_t)(end - stream_bytes(s)) + 1 : stream_left(s);
		if (end || more == 0)
			return *len > 0;
		if (want >= LINE_MAX_KEPT)
			return stream_fault(s, fault, "a line without an end");
	}
}

int text_view(struct view *v, struct stream *s, struct view_file_counts *counts, struct fault *fault)
{
	struct arena arena = ARENA(LINE_ARENA_MAX);
	size_t len = 0;
	int more, bad = 0;
	while (!bad && (more = line_next(s, &len, fault)) > 0) {
		view_hide(v);
		v->hidden.every = v->src.action != VIEW_PASS;
		v->every = v->src;
		const struct bytes now = clean_text(&v->hidden, (struct bytes){stream_bytes(s), len}, &arena);
		if (!now.at)
			bad = fault_set(fault, ERR_MEMORY, "%s: a line of %zu bytes is more than there is memory for", s->name, len);
		if (!bad)
			bad = stream_add(s, now, fault);
		arena_done(&arena);
		stream_skip(s, len);
		counts->rows++;
	}
	view_hide(v);
	return bad ? bad : more;
}
