#include "bus/check.h"

const char *server_state_name(enum server_state s)
{
	static const char *const names[SERVER_STATES] = {"unknown",    "live",   "likely", "service", "everything",
							 "silent",     "open",   "closed", "filtered"};
	return (unsigned)s < SERVER_STATES ? names[s] : names[SERVER_UNKNOWN];
}

static void write_short(struct writer *w, const char *text)
{
	write_u8(w, (uint8_t)strlen(text));
	write_text(w, text);
}

static void read_short(struct reader *r, char *text, size_t n)
{
	if (!bytes_copy_text(read_bytes(r, read_u8(r)), text, n))
		r->bad = true;
}

static void write_long(struct writer *w, struct bytes b, size_t max)
{
	write_u16(w, (uint16_t)b.len);
	write_span(w, b);
	w->bad |= b.len > max;
}

static struct bytes read_long(struct reader *r, size_t max)
{
	struct bytes b = read_bytes(r, read_u16(r));
	r->bad |= b.len > max;
	return b;
}

void check_order_write(const struct check_order *o, struct writer *w)
{
	write_u8(w, o->steps);
	write_u8(w, o->banner_known);
	write_long(w, o->hello, CHECK_HELLO_MAX);
	write_long(w, o->banner, CHECK_ANSWER_MAX);
	write_short(w, o->sample);
	write_short(w, o->family);
}

bool check_order_read(struct reader *r, struct check_order *out)
{
	struct check_order o = {.steps = read_u8(r)};
	o.banner_known = read_u8(r) != 0;
	o.hello = read_long(r, CHECK_HELLO_MAX);
	o.banner = read_long(r, CHECK_ANSWER_MAX);
	read_short(r, o.sample, sizeof o.sample);
	read_short(r, o.family, sizeof o.family);
	if (!reader_ok(r) || o.steps == 0 || o.steps & ~CHECK_ALL || (o.steps & ~CHECK_BANNER && o.hello.len == 0))
		return false;
	*out = o;
	return true;
}

void check_result_write(const struct check_result *c, struct writer *w)
{
	write_bytes(w, c->lease.b, sizeof c->lease.b);
	write_u8(w, c->steps);
	write_u8(w, (uint8_t)c->state);
	write_u8(w, c->certainty);
	write_long(w, c->banner, CHECK_ANSWER_MAX);
	write_short(w, c->fingerprint);
}

bool check_result_read(struct reader *r, struct check_result *out)
{
	struct check_result c = {.steps = 0};
	struct bytes id = read_bytes(r, sizeof c.lease.b);
	c.steps = read_u8(r);
	const uint8_t state = read_u8(r);
	c.certainty = read_u8(r);
	c.banner = read_long(r, CHECK_ANSWER_MAX);
	read_short(r, c.fingerprint, sizeof c.fingerprint);
	if (!reader_ok(r) || state >= SERVER_STATES || c.certainty > 100)
		return false;
	memcpy(c.lease.b, id.at, sizeof c.lease.b);
	c.state = (enum server_state)state;
	*out = c;
	return true;
}
