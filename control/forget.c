/*
 * What is known of sources that the operator erases goes, too: all that was learned of them, and
 * whether they are steered.  That an address had its look of the day stays until the day is over.
 */
#include "base/error.h"
#include "control/room_inner.h"
#include <stdlib.h>

enum erase { ERASE_ADDRESS = 1, ERASE_TEXT, ERASE_RANGE };

struct range {
	struct control *control;
	uint64_t from_us, to_us;
	struct address *found;
	size_t count, room;
};

static void add(struct range *r, const struct address *a)
{
	if (r->count == r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		struct address *larger = realloc(r->found, room * sizeof *larger);
		if (!larger)
			return;
		r->found = larger;
		r->room = room;
	}
	r->found[r->count++] = *a;
}

static void add_source(void *arg, const struct source *s)
{
	struct range *r = arg;
	if (s->seen_us >= r->from_us && s->seen_us < r->to_us)
		add(r, &s->address);
}

static void add_steer(void *arg, const struct steer *s)
{
	struct range *r = arg;
	const uint64_t age_us = r->control->settings.control->steering_ms * 1000;
	const uint64_t set_us = s->expires_us > age_us ? s->expires_us - age_us : 0;
	if (set_us >= r->from_us && set_us < r->to_us)
		add(r, &s->source);
}

static void add_followed(void *arg, const struct followed *f)
{
	struct range *r = arg;
	const uint64_t seen_us = f->heard_us > f->looked_us ? f->heard_us : f->looked_us;
	if (seen_us >= r->from_us && seen_us < r->to_us)
		add(r, &f->address);
}

static bool forget_one(struct control *c, const struct address *a)
{
	struct source *s = c->sources ? sources_find(c->sources, a) : NULL;
	bool known = steers_forget(c->steers, a) || s;
	known |= control_follow_forget(c, a);
	if (s)
		sources_forget(c->sources, s);
	if (c->campaigns)
		campaigns_forget(c->campaigns, a);
	return known;
}

uint64_t control_forget(struct control *c, struct bytes erasure, uint64_t now_us)
{
	struct reader in = reader_of_bytes(erasure);
	struct range r = {.control = c};
	struct address one;
	uint64_t known = 0;
	const enum erase type = read_u8(&in);
	read_u8(&in);
	struct bytes address = read_bytes(&in, sizeof one.b);
	r.from_us = read_u64(&in);
	r.to_us = read_u64(&in);
	if (!reader_ok(&in))
		return 0;
	memcpy(one.b, address.at, sizeof one.b);
	c->now_us = now_us;
	if (type == ERASE_ADDRESS)
		add(&r, &one);
	if (type == ERASE_RANGE && c->sources)
		sources_each(c->sources, add_source, &r);
	if (type == ERASE_RANGE)
		steers_each(c->steers, add_steer, &r);
	if (type == ERASE_RANGE)
		control_follow_each(c, add_followed, &r);
	for (size_t i = 0; i < r.count; i++)
		known += forget_one(c, &r.found[i]);
	known += control_approval_forget(c, type == ERASE_ADDRESS ? &one : NULL, type == ERASE_RANGE ? r.from_us : 1,
					 type == ERASE_RANGE ? r.to_us : 0);
	known += servers_forget(&c->servers, type == ERASE_ADDRESS ? &one : NULL, type == ERASE_RANGE ? r.from_us : 1,
				type == ERASE_RANGE ? r.to_us : 0);
	free(r.found);
	if (known)
		control_compact(c, NULL);
	return known;
}
