#include "bus/errand.h"

static void write_id(struct writer *w, const struct event_id *id) { write_bytes(w, id->b, sizeof id->b); }

static void read_id(struct reader *r, struct event_id *out)
{
	struct bytes id = read_bytes(r, sizeof out->b);
	if (id.len)
		memcpy(out->b, id.at, sizeof out->b);
}

void errand_write(const struct errand *errand, struct writer *w)
{
	const size_t name = strnlen(errand->rule, ERRAND_RULE_MAX);
	write_id(w, &errand->cause);
	write_id(w, &errand->root);
	write_u64(w, errand->depth);
	write_u8(w, (uint8_t)name);
	write_bytes(w, errand->rule, name);
	write_span(w, errand->frame);
}

bool errand_read(struct bytes payload, struct errand *out)
{
	struct errand read = {0};
	struct reader r = reader_of_bytes(payload);
	read_id(&r, &read.cause);
	read_id(&r, &read.root);
	read.depth = read_u64(&r);
	struct bytes rule = read_bytes(&r, read_u8(&r));
	if (!reader_ok(&r) || rule.len > ERRAND_RULE_MAX || memchr(rule.at, 0, rule.len))
		return false;
	memcpy(read.rule, rule.at, rule.len);
	if (frame_take(&r, &read.frame) || reader_left(&r))
		return false;
	*out = read;
	return true;
}
