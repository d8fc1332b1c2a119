#include "passive/room/captures.h"
#include "base/random.h"
#include <stdlib.h>
#include <xxhash.h>

struct digest {
	uint8_t b[32];
};

struct remembered {
	struct table_node node;
	TAILQ_ENTRY(remembered) order;
	struct digest digest;
};

TAILQ_HEAD(digest_queue, remembered);

struct waiting_event { /* kept as a frame: an event in memory is large */
	struct waiting_event *next;
	size_t len;
	uint8_t frame[];
};

struct captured {
	struct table_node node;
	TAILQ_ENTRY(captured) order;
	struct captures *owner;
	struct digest digest;
	struct waiting_event *events, **last_event;
	unsigned events_count, tries;
	size_t total, offset;
	uint8_t content[];
};

/* What only one call at a time needs, kept off the stack for its size. */
struct captures_scratch {
	struct event event;
	uint8_t frame[FRAME_MAX];
	uint8_t piece[32 + 16 + CAPTURE_PIECE_MAX];
};

int captures_open(struct captures *c, uv_loop_t *loop, struct bus *bus, size_t bytes_max,
                  void (*publish)(void *, struct event *), void *arg)
{
	*c = (struct captures){.bus = bus,
	                       .publish = publish,
	                       .arg = arg,
	                       .key = random_secret(),
	                       .bytes_max = bytes_max};
	TAILQ_INIT(&c->waiting);
	c->order = calloc(1, sizeof *c->order);
	c->scratch = calloc(1, sizeof *c->scratch);
	if (!c->order || !c->scratch || table_open(&c->remembered, CAPTURES_REMEMBERED_MAX) < 0 ||
	    table_open(&c->waiting_index, CAPTURES_WAITING_MAX) < 0) {
		free(c->order);
		free(c->scratch);
		return ERR_MEMORY;
	}
	TAILQ_INIT(c->order);
	uv_timer_init(loop, &c->retry);
	c->retry.data = c;
	return 0;
}

static struct remembered *remembered_of(const struct captures *c, const struct digest *d)
{
	uint64_t hash = XXH64(d->b, sizeof d->b, c->key);
	for (struct table_node *n = table_first(&c->remembered, hash); n; n = table_next(n)) {
		struct remembered *r = TABLE_OWNER(n, struct remembered, node);
		if (!memcmp(r->digest.b, d->b, sizeof d->b))
			return r;
	}
	return NULL;
}

static void remember(struct captures *c, const struct digest *d)
{
	struct remembered *r = NULL;
	if (c->remembered.count < CAPTURES_REMEMBERED_MAX) {
		r = calloc(1, sizeof *r);
	} else {
		r = TAILQ_LAST(c->order, digest_queue);
		table_remove(&c->remembered, &r->node);
		TAILQ_REMOVE(c->order, r, order);
	}
	if (!r)
		return; /* the file is sent once more another time */
	r->digest = *d;
	table_add(&c->remembered, &r->node, XXH64(d->b, sizeof d->b, c->key));
	TAILQ_INSERT_HEAD(c->order, r, order);
}

static void captured_free(struct captured *f)
{
	struct captures *c = f->owner;
	TAILQ_REMOVE(&c->waiting, f, order);
	table_remove(&c->waiting_index, &f->node);
	c->bytes -= f->total;
	c->count--;
	while (f->events) {
		struct waiting_event *next = f->events->next;
		free(f->events);
		f->events = next;
	}
	free(f);
}

static void mark_unstored(struct captures *c, struct event *e)
{
	c->unstored++;
	event_set_text(e, FIELD_STATE, "unstored");
}

/* Its fate is known: all its events go out. */
static void captured_settle(struct captured *f, bool stored)
{
	struct captures *c = f->owner;
	struct event *e = &c->scratch->event;
	for (struct waiting_event *w = f->events; w; w = w->next) {
		if (frame_decode((struct bytes){w->frame, w->len}, NULL, e) < 0)
			continue;
		if (!stored)
			mark_unstored(c, e);
		c->publish(c->arg, e);
	}
	if (stored)
		remember(c, &f->digest);
	captured_free(f);
}

static void ask_next(struct captures *c);

static void on_retry(uv_timer_t *t)
{
	ask_next(t->data);
}

/* The journal went away or cannot take it now: others go first, it is tried again later. */
static void piece_failed(struct captures *c, struct captured *f, int status)
{
	unsigned tries_max = status == ERR_GONE ? CAPTURE_TRIES_MAX : CAPTURE_REFUSALS_MAX;
	f->offset = 0;
	if (++f->tries >= tries_max) {
		captured_settle(f, false);
	} else {
		TAILQ_REMOVE(&c->waiting, f, order);
		TAILQ_INSERT_TAIL(&c->waiting, f, order);
	}
	uv_timer_start(&c->retry, on_retry, CAPTURE_RETRY_MS, 0);
}

static void on_piece(void *arg, int status, struct bytes payload, bool more)
{
	struct captures *c = arg;
	struct captured *f = TAILQ_FIRST(&c->waiting);
	struct reader r = reader_of_bytes(payload);
	if (more)
		return;
	c->asking = false;
	if (!f)
		return;
	/* How much of it is there: another worker may be sending the same file. */
	uint64_t there = read_u64(&r);
	if (status == 0 && (!reader_ok(&r) || there > f->total || (there <= f->offset && f->total)))
		status = ERR_BAD;
	if (status) {
		piece_failed(c, f, status);
		return;
	}
	f->offset = there;
	if (there == f->total)
		captured_settle(f, true);
	ask_next(c);
}

static void ask_next(struct captures *c)
{
	struct captured *f = TAILQ_FIRST(&c->waiting);
	if (!f || c->asking)
		return;
	struct writer w = writer_of(c->scratch->piece, sizeof c->scratch->piece);
	size_t left = f->total - f->offset;
	write_bytes(&w, f->digest.b, sizeof f->digest.b);
	write_u64(&w, f->offset);
	write_u64(&w, f->total);
	write_bytes(&w, f->content + f->offset,
	            left < CAPTURE_PIECE_MAX ? left : CAPTURE_PIECE_MAX);
	c->asking = true;
	if (bus_request(c->bus, "journal", "blob.put", writer_bytes(&w), on_piece, c) < 0) {
		c->asking = false;
		uv_timer_start(&c->retry, on_retry, CAPTURE_RETRY_MS, 0);
	}
}

static bool event_wait(struct captured *f, const struct event *e)
{
	struct writer w = writer_of(f->owner->scratch->frame, FRAME_MAX);
	frame_encode(e, &w);
	struct waiting_event *kept = f->events_count < CAPTURE_EVENTS_MAX
	                                     ? malloc(sizeof *kept + writer_used(&w))
	                                     : NULL;
	if (w.bad || !kept) {
		free(kept);
		return false;
	}
	*kept = (struct waiting_event){.len = writer_used(&w)};
	memcpy(kept->frame, w.start, kept->len);
	*f->last_event = kept;
	f->last_event = &kept->next;
	f->events_count++;
	return true;
}

static struct captured *captured_of(struct captures *c, const struct digest *d)
{
	uint64_t hash = XXH64(d->b, sizeof d->b, c->key);
	for (struct table_node *n = table_first(&c->waiting_index, hash); n; n = table_next(n)) {
		struct captured *f = TABLE_OWNER(n, struct captured, node);
		if (!memcmp(f->digest.b, d->b, sizeof d->b))
			return f;
	}
	return NULL;
}

static struct captured *captured_new(struct captures *c, const struct digest *d,
                                     struct bytes content)
{
	if (content.len > c->bytes_max || c->bytes > c->bytes_max - content.len ||
	    c->count == CAPTURES_WAITING_MAX)
		return NULL;
	struct captured *f = malloc(sizeof *f + content.len);
	if (!f)
		return NULL;
	*f = (struct captured){.owner = c, .digest = *d, .total = content.len};
	if (content.len)
		memcpy(f->content, content.at, content.len);
	f->last_event = &f->events;
	table_add(&c->waiting_index, &f->node, XXH64(d->b, sizeof d->b, c->key));
	TAILQ_INSERT_TAIL(&c->waiting, f, order);
	c->bytes += content.len;
	c->count++;
	return f;
}

void captures_add(struct captures *c, const uint8_t sha256[32], struct bytes content,
                  struct event *e)
{
	struct digest d;
	memcpy(d.b, sha256, sizeof d.b);
	if (remembered_of(c, &d)) {
		c->publish(c->arg, e);
		return;
	}
	struct captured *f = captured_of(c, &d);
	if (!f)
		f = captured_new(c, &d, content);
	if (!f || !event_wait(f, e)) {
		if (f && f->events_count == 0)
			captured_free(f);
		mark_unstored(c, e);
		c->publish(c->arg, e);
		return;
	}
	ask_next(c);
}

void captures_done(struct captures *c)
{
	struct captured *f;
	while ((f = TAILQ_FIRST(&c->waiting)) != NULL)
		captured_settle(f, false);
	struct remembered *r;
	while ((r = TAILQ_FIRST(c->order)) != NULL) {
		TAILQ_REMOVE(c->order, r, order);
		free(r);
	}
	free(c->order);
	free(c->scratch);
	table_done(&c->remembered);
	table_done(&c->waiting_index);
	uv_close((uv_handle_t *)&c->retry, NULL);
}
