#include "share/anonymise/stream_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int stream_open(struct stream *s, const struct view_file *f, struct fault *fault)
{
	*s = (struct stream){.in = f->in, .out = f->out, .name = f->name, .window = malloc(STREAM_WINDOW)};
	return s->window ? 0 : fault_set(fault, ERR_MEMORY, "%s: out of memory", f->name);
}

void stream_close(struct stream *s) { free(s->window); }

int stream_fault(const struct stream *s, struct fault *fault, const char *what)
{
	return fault_set(fault, ERR_BAD, "%s: at byte %llu: %s", s->name, (unsigned long long)s->place, what);
}

int stream_add(struct stream *s, struct bytes b, struct fault *fault)
{
	while (b.len) {
		const ssize_t n = write(s->out, b.at, b.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fault_set(fault, ERR_SYSTEM, "%s: cannot be written: %s", s->name, strerror(errno));
		b = (struct bytes){b.at + n, b.len - (size_t)n};
	}
	return 0;
}

int stream_flush(struct stream *s, struct fault *fault)
{
	const int bad = stream_add(s, (struct bytes){s->window, s->done}, fault);
	s->done = 0;
	return bad;
}

int stream_need(struct stream *s, size_t n, struct fault *fault)
{
	if (stream_left(s) >= n)
		return 1;
	if (s->ended || n > STREAM_WINDOW / 4)
		return 0;
	if (s->at + n > STREAM_WINDOW - STREAM_WINDOW / 4) {
		int bad = stream_flush(s, fault);
		if (bad)
			return bad;
		memmove(s->window, s->window + s->at, stream_left(s));
		s->end -= s->at;
		s->at = 0;
	}
	while (stream_left(s) < n) {
		const ssize_t got = read(s->in, s->window + s->end, STREAM_WINDOW - s->end);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set(fault, ERR_SYSTEM, "%s: cannot be read: %s", s->name, strerror(errno));
		if (got == 0) {
			s->ended = true;
			return 0;
		}
		s->end += (size_t)got;
	}
	return 1;
}

void stream_keep(struct stream *s, size_t n)
{
	if (s->done != s->at)
		memmove(s->window + s->done, s->window + s->at, n);
	s->done += n;
	s->at += n;
	s->place += n;
}

void stream_skip(struct stream *s, size_t n)
{
	s->at += n;
	s->place += n;
}

/* What is packed or binary would pass as a table in which nothing is found. */
static int is_readable(const struct stream *s, struct fault *fault)
{
	static const struct {
		const char *first;
		size_t len;
		const char *unpacker;
	} packed[] = {{"\x1f\x8b", 2, "zcat"}, {"\x28\xb5\x2f\xfd", 4, "zstdcat"}, {"BZh", 3, "bzcat"}, {"\xfd" "7zX", 4, "xzcat"}};
	const uint8_t *at = s->window + s->at;
	for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
		if (stream_left(s) >= packed[i].len && !memcmp(at, packed[i].first, packed[i].len))
			return fault_set(fault, ERR_BAD, "%s: is packed; `%s FILE | kansoku anonymise -` would be right", s->name,
					 packed[i].unpacker);
	for (size_t i = 0; i < stream_left(s) && i < 4096; i++)
		if (at[i] == 0)
			return fault_set(fault, ERR_BAD, "%s: is neither a capture (pcap, pcapng) nor text", s->name);
	return 0;
}

static int table_or_text(struct view *v, struct stream *s, const struct view_file *f, struct view_file_counts *counts,
			 struct fault *fault)
{
	int bad = is_readable(s, fault);
	if (bad)
		return bad;
	if (f->text)
		return text_view(v, s, counts, fault);
	if (stream_left(s) && (*stream_bytes(s) == '{' || *stream_bytes(s) == '['))
		return fault_set(fault, ERR_BAD, "%s: is JSON, whose fields are not known here; as lines of text (--text) each address in it "
				 "changes, and nothing else", f->name);
	return table_view(v, s, f, counts, fault);
}

int view_file(struct view *v, const struct view_file *f, struct view_file_counts *counts, struct fault *fault)
{
	struct stream s;
	*counts = (struct view_file_counts){0};
	int bad = stream_open(&s, f, fault);
	if (bad)
		return bad;
	bad = stream_need(&s, 4, fault);
	if (bad > 0 && capture_begins(stream_bytes(&s)))
		bad = capture_view(v, &s, counts, fault);
	else if (bad >= 0)
		bad = table_or_text(v, &s, f, counts, fault);
	const int flushed = stream_flush(&s, bad ? &(struct fault){0} : fault);
	stream_close(&s);
	return bad ? bad : flushed;
}
