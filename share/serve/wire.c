#include "share/serve/serve_inner.h"

static void write_words(struct writer *w, struct bytes b)
{
	write_u16(w, (uint16_t)b.len);
	write_span(w, b);
	w->bad |= b.len > SERVE_TEXT_MAX;
}

static struct bytes read_words(struct reader *r)
{
	size_t n = read_u16(r);
	r->bad |= n > SERVE_TEXT_MAX;
	return read_bytes(r, n);
}

static void write_pairs(struct writer *w, const struct serve_pair *pairs, size_t count)
{
	write_u8(w, (uint8_t)count);
	for (size_t i = 0; i < count; i++) {
		write_words(w, pairs[i].name);
		write_words(w, pairs[i].value);
	}
}

static size_t read_pairs(struct reader *r, struct serve_pair *pairs, size_t max)
{
	size_t count = read_u8(r);
	r->bad |= count > max;
	for (size_t i = 0; i < count && reader_ok(r); i++) {
		pairs[i].name = read_words(r);
		pairs[i].value = read_words(r);
	}
	return reader_ok(r) ? count : 0;
}

void serve_head_write(const struct serve_head *h, struct writer *w)
{
	const struct bytes words[] = {h->method, h->path, h->host, h->accept, h->content_type, h->authorization, h->api_key};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		write_words(w, words[i]);
	write_pairs(w, h->arguments, h->argument_count);
	write_bytes(w, h->from.b, sizeof h->from.b);
	write_u8(w, (uint8_t)(h->secure | h->has_certificate << 1));
	write_bytes(w, h->certificate, sizeof h->certificate);
	write_u64(w, h->body_len);
}

bool serve_head_read(struct reader *r, struct serve_head *h)
{
	*h = (struct serve_head){0};
	struct bytes *const words[] = {&h->method, &h->path, &h->host, &h->accept, &h->content_type, &h->authorization, &h->api_key};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		*words[i] = read_words(r);
	h->argument_count = read_pairs(r, h->arguments, SERVE_ARGUMENTS_MAX);
	struct bytes from = read_bytes(r, sizeof h->from.b);
	uint8_t flags = read_u8(r);
	struct bytes certificate = read_bytes(r, sizeof h->certificate);
	h->body_len = read_u64(r);
	if (!reader_ok(r))
		return false;
	memcpy(h->from.b, from.at, from.len);
	memcpy(h->certificate, certificate.at, certificate.len);
	h->secure = flags & 1;
	h->has_certificate = flags & 2;
	return true;
}

void serve_answer_write(const struct serve_answer_head *a, struct writer *w)
{
	write_u64(w, a->number);
	write_u16(w, a->status);
	write_pairs(w, a->headers, a->header_count);
}

bool serve_answer_read(struct reader *r, struct serve_answer_head *a)
{
	a->number = read_u64(r);
	a->status = read_u16(r);
	a->header_count = read_pairs(r, a->headers, SERVE_HEADERS_MAX);
	return reader_ok(r);
}
