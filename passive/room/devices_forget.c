/* Whose devices are forgotten, and why. */
#include "passive/room/devices.h"
#include <string.h>

struct reset {
	struct address source, local;
};

static bool is_any(const struct address *a) { return address_equal(a, &(struct address){0}); }

static bool reset_matches(void *arg, const struct device *v, struct bytes packed)
{
	const struct reset *q = arg;
	(void)packed;
	return (is_any(&q->source) || address_equal(&q->source, &v->source)) &&
	       (is_any(&q->local) || address_equal(&q->local, &v->local));
}

static bool read_address(struct reader *r, struct address *out)
{
	struct bytes b = read_bytes(r, sizeof out->b);
	if (b.len)
		memcpy(out->b, b.at, b.len);
	return b.len > 0;
}

uint64_t devices_reset(struct devices *d, struct bytes payload)
{
	struct reset q;
	struct reader r = reader_of_bytes(payload);
	if (!read_address(&r, &q.source) || !read_address(&r, &q.local) || reader_left(&r))
		return 0;
	return devices_forget(d, reset_matches, &q);
}

enum { ERASE_ADDRESS = 1, ERASE_TEXT, ERASE_RANGE };

struct erasing {
	uint8_t type;
	struct address address;
	uint64_t from_us, to_us;
	char text[256];
};

static bool erase_matches(void *arg, const struct device *v, struct bytes packed)
{
	const struct erasing *e = arg;
	if (e->type == ERASE_RANGE)
		return v->first_s * UINT64_C(1000000) < e->to_us && v->seen_s * UINT64_C(1000000) + 999999 >= e->from_us;
	if (e->type == ERASE_ADDRESS &&
	    (address_equal(&v->source, &e->address) || address_equal(&v->local, &e->address)))
		return true;
	return packed.len && bytes_find_nocase(packed, e->text) < packed.len;
}

uint64_t devices_erase(struct devices *d, struct bytes payload)
{
	struct erasing e;
	struct reader r = reader_of_bytes(payload);
	e.type = read_u8(&r);
	read_u8(&r);
	bool whole = read_address(&r, &e.address);
	e.from_us = read_u64(&r);
	e.to_us = read_u64(&r);
	whole &= bytes_copy_text(read_rest(&r), e.text, sizeof e.text) && reader_ok(&r);
	if (e.type == ERASE_ADDRESS)
		address_format(&e.address, e.text);
	if (!whole || e.type < ERASE_ADDRESS || e.type > ERASE_RANGE || (e.type != ERASE_RANGE && !e.text[0]))
		return 0;
	return devices_forget(d, erase_matches, &e);
}
