#include "active/followers.h"

static struct follower *follower_of(struct followers *f, const struct event_id *lease)
{
	for (size_t i = 0; i < FOLLOWERS_MAX; i++)
		if (id_equal(&f->items[i].lease, lease))
			return &f->items[i];
	return NULL;
}

static void follower_forget(struct follower *one)
{
	buffer_done(&one->kept);
	*one = (struct follower){0};
}

/* A free place, or that of the oldest look that nobody watches; NULL: all are watched. */
static struct follower *follower_place(struct followers *f)
{
	struct follower *oldest = NULL;
	for (size_t i = 0; i < FOLLOWERS_MAX; i++) {
		struct follower *one = &f->items[i];
		/* Places of command lines that went away are given to the next. */
		if (one->request && bus_request_unsent(one->request) < 0) {
			bus_answer(one->request, ERR_GONE, (struct bytes){0}, false);
			follower_forget(one);
		}
		if (!one->request && (!oldest || one->since < oldest->since))
			oldest = one;
	}
	return oldest;
}

static struct follower *follower_begin(struct followers *f, const struct event_id *lease)
{
	struct follower *one = follower_place(f);
	if (!one)
		return NULL;
	follower_forget(one);
	one->lease = *lease;
	one->since = ++f->count;
	one->kept = BUFFER(FOLLOWERS_KEPT_MAX);
	return one;
}

void followers_expect(struct followers *f, const struct event_id *lease)
{
	if (!follower_of(f, lease))
		follower_begin(f, lease);
}

static void follower_catch_up(struct follower *one)
{
	struct reader r = reader_of_bytes(buffer_bytes(&one->kept));
	while (reader_left(&r)) {
		struct bytes part = read_bytes(&r, read_u32(&r));
		bus_answer(one->request, 0, part, true);
	}
	buffer_done(&one->kept);
}

static void follower_end(struct follower *one, int status)
{
	if (one->request) {
		bus_answer(one->request, status, (struct bytes){0}, false);
		follower_forget(one);
	} else {
		one->ended = true;
	}
}

void followers_add(struct followers *f, struct bus_request *request, struct bytes payload)
{
	struct event_id lease;
	if (payload.len != sizeof lease.b) {
		bus_answer(request, ERR_BAD, BYTES("look.follow: 16 bytes of a lease's id would be right"), false);
		return;
	}
	memcpy(lease.b, payload.at, sizeof lease.b);
	struct follower *one = follower_of(f, &lease);
	if (!one)
		one = follower_begin(f, &lease);
	if (!one || one->request) {
		bus_answer(request, ERR_FULL, BYTES("too many follow looks already"), false);
		return;
	}
	one->request = request;
	follower_catch_up(one);
	if (one->ended)
		follower_end(one, 0);
}

static void follower_keep(struct follower *one, struct bytes json)
{
	uint8_t length[4];
	struct writer w = writer_of(length, sizeof length);
	write_u32(&w, (uint32_t)json.len);
	if (buffer_len(&one->kept) + sizeof length + json.len <= FOLLOWERS_KEPT_MAX &&
	    buffer_append(&one->kept, length, sizeof length) == 0 &&
	    buffer_append(&one->kept, json.at, json.len) < 0)
		buffer_done(&one->kept); /* no memory: rather nothing than half a part */
}

void followers_tell(struct followers *f, const struct event *e)
{
	struct event_id lease;
	struct follower *one = NULL;
	if (f->count && event_id_of(e, FIELD_LEASE, &lease))
		one = follower_of(f, &lease);
	if (!one)
		return;
	struct writer w = writer_of(f->json, sizeof f->json);
	event_write_json(e, &w);
	if (w.bad)
		return;
	if (one->request)
		bus_answer(one->request, 0, writer_bytes(&w), true);
	else
		follower_keep(one, writer_bytes(&w));
}

void followers_end(struct followers *f, const struct event_id *lease)
{
	struct follower *one = f->count ? follower_of(f, lease) : NULL;
	if (one)
		follower_end(one, 0);
}

void followers_end_all(struct followers *f)
{
	for (size_t i = 0; i < FOLLOWERS_MAX; i++) {
		if (f->items[i].request)
			bus_answer(f->items[i].request, ERR_GONE, BYTES("the prober is stopping"), false);
		follower_forget(&f->items[i]);
	}
}
