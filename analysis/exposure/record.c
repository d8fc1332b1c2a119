#include "analysis/exposure/record_inner.h"

void record_write_head(struct writer *w, const struct record_head *h)
{
	write_u64(w, h->modified_us);
	write_u64(w, h->published_us);
	write_u8(w, h->score);
	write_u8(w, h->cvss);
	write_u8(w, h->flags);
	write_u16(w, (uint16_t)h->summary.len);
	write_span(w, h->summary);
	write_u16(w, (uint16_t)h->configurations);
}

bool record_read_head(struct reader *r, struct record_head *h)
{
	h->modified_us = read_u64(r);
	h->published_us = read_u64(r);
	h->score = read_u8(r);
	h->cvss = read_u8(r);
	h->flags = read_u8(r);
	h->summary = read_bytes(r, read_u16(r));
	h->configurations = read_u16(r);
	return reader_ok(r);
}

void record_write_match(struct writer *w, const struct record_match *m, const struct record_match *before)
{
	size_t shared = 0;
	while (before && shared < 255 && shared < m->name_len && shared < before->name_len &&
	       m->name[shared] == before->name[shared])
		shared++;
	write_u8(w, m->flags);
	write_u8(w, (uint8_t)shared);
	write_u16(w, (uint16_t)(m->name_len - shared));
	write_bytes(w, m->name + shared, m->name_len - shared);
	for (unsigned i = 0; i < MATCH_BOUNDS; i++)
		if (m->flags & MATCH_FROM << i) {
			write_u8(w, (uint8_t)m->bounds[i].len);
			write_span(w, m->bounds[i]);
		}
}

bool record_read_match(struct reader *r, struct record_match *m)
{
	m->flags = read_u8(r);
	size_t shared = read_u8(r);
	struct bytes rest = read_bytes(r, read_u16(r));
	if (!reader_ok(r) || shared > m->name_len || shared + rest.len > sizeof m->name) {
		r->bad = true;
		return false;
	}
	if (rest.len)
		memcpy(m->name + shared, rest.at, rest.len);
	m->name_len = shared + rest.len;
	for (unsigned i = 0; i < MATCH_BOUNDS; i++)
		m->bounds[i] = m->flags & MATCH_FROM << i ? read_bytes(r, read_u8(r)) : (struct bytes){0};
	return reader_ok(r);
}

struct bytes record_product(const struct record_match *m)
{
	size_t colons = 0, from = 0, i = 0;
	for (; i < m->name_len; i++) {
		if (m->name[i] == '\\')
			i++;
		else if (m->name[i] == ':' && ++colons == 1)
			from = i + 1;
		else if (m->name[i] == ':' && colons == 3)
			break;
	}
	i = i < m->name_len ? i : m->name_len;
	return colons < 2 ? (struct bytes){0} : (struct bytes){(const uint8_t *)m->name + from, i - from};
}
