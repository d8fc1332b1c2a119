#include "active/visit/outbox_inner.h"
#include <stdlib.h>
#include <sys/queue.h>

#define TOPIC "blob.put"
#define PIECE_MAX (64u << 10)
#define RETRY_MS 1000
#define TRIES_MAX 60  /* while the journal is away */
#define REFUSALS_MAX 3

struct outgoing {
	STAILQ_ENTRY(outgoing) link;
	bool is_file;
	unsigned tries;
	uint64_t offset;
	uint8_t sha256[32];
	size_t len;
	uint8_t bytes[]; /* of the file, or the event's frame */
};

struct outbox {
	struct bus *bus;
	uv_timer_t retry;
	STAILQ_HEAD(, outgoing) items;
	size_t bytes;
	bool asking, unstored, closed;
	struct event event;
	uint8_t piece[32 + 16 + PIECE_MAX];
	uint8_t frame[FRAME_MAX];
};

static void send_next(struct outbox *o);

static void drop_first(struct outbox *o)
{
	struct outgoing *item = STAILQ_FIRST(&o->items);
	STAILQ_REMOVE_HEAD(&o->items, link);
	o->bytes -= item->len;
	free(item);
}

static void on_retry(uv_timer_t *timer) { send_next(timer->data); }

static void on_answer(void *arg, int status, struct bytes payload, bool more)
{
	struct outbox *o = arg;
	struct outgoing *item = STAILQ_FIRST(&o->items);
	struct reader r = reader_of_bytes(payload);
	if (more)
		return;
	o->asking = false;
	if (o->closed)
		return;
	const uint64_t there = read_u64(&r);
	if (status == 0 && (!reader_ok(&r) || there > item->len || (there <= item->offset && item->len)))
		status = ERR_BAD;
	if (status == 0) {
		item->offset = there;
		if (there == item->len)
			drop_first(o);
		send_next(o);
		return;
	}
	item->offset = 0;
	if (++item->tries >= (status == ERR_GONE ? TRIES_MAX : REFUSALS_MAX)) {
		o->unstored = true;
		drop_first(o);
		send_next(o);
	} else {
		uv_timer_start(&o->retry, on_retry, RETRY_MS, 0);
	}
}

static bool send_piece(struct outbox *o, const struct outgoing *item)
{
	struct writer w = writer_of(o->piece, sizeof o->piece);
	const size_t left = item->len - (size_t)item->offset;
	write_bytes(&w, item->sha256, sizeof item->sha256);
	write_u64(&w, item->offset);
	write_u64(&w, item->len);
	write_bytes(&w, item->bytes + item->offset, left < PIECE_MAX ? left : PIECE_MAX);
	o->asking = bus_request(o->bus, "journal", TOPIC, writer_bytes(&w), on_answer, o) == 0;
	return o->asking;
}

/* False: the bus is full, or the event cannot be told. */
static bool send_event(struct outbox *o, const struct outgoing *item)
{
	if (frame_decode((struct bytes){item->bytes, item->len}, NULL, &o->event))
		return true;
	if (o->unstored && event_bytes(&o->event, FIELD_FILE_SHA256).len)
		event_set_text(&o->event, FIELD_STATE, "unstored");
	return bus_publish(o->bus, &o->event) != ERR_FULL;
}

static void send_next(struct outbox *o)
{
	struct outgoing *item;
	while (!o->asking && (item = STAILQ_FIRST(&o->items))) {
		if (item->is_file ? !send_piece(o, item) : !send_event(o, item)) {
			uv_timer_start(&o->retry, on_retry, RETRY_MS, 0);
			return;
		}
		if (item->is_file)
			return;
		drop_first(o);
		o->unstored &= !STAILQ_EMPTY(&o->items);
	}
}

static struct outgoing *put(struct outbox *o, struct bytes bytes)
{
	struct outgoing *item = o->bytes + bytes.len > OUTBOX_BYTES_MAX ? NULL : malloc(sizeof *item + bytes.len);
	if (!item)
		return NULL;
	*item = (struct outgoing){.len = bytes.len};
	if (bytes.len)
		memcpy(item->bytes, bytes.at, bytes.len);
	STAILQ_INSERT_TAIL(&o->items, item, link);
	o->bytes += bytes.len;
	return item;
}

int outbox_put_file(struct outbox *o, const uint8_t sha256[32], struct bytes bytes)
{
	struct outgoing *item = put(o, bytes);
	if (!item)
		return ERR_FULL;
	item->is_file = true;
	memcpy(item->sha256, sha256, sizeof item->sha256);
	send_next(o);
	return 0;
}

int outbox_put_event(struct outbox *o, const struct event *e)
{
	struct writer w = writer_of(o->frame, sizeof o->frame);
	frame_encode(e, &w);
	if (w.bad)
		return ERR_BAD;
	if (!put(o, writer_bytes(&w)))
		return ERR_FULL;
	send_next(o);
	return 0;
}

bool outbox_is_empty(const struct outbox *o) { return STAILQ_EMPTY(&o->items); }

int outbox_open(struct outbox **out, uv_loop_t *loop, struct bus *bus)
{
	struct outbox *o = calloc(1, sizeof *o);
	if (!o)
		return ERR_MEMORY;
	o->bus = bus;
	STAILQ_INIT(&o->items);
	uv_timer_init(loop, &o->retry);
	o->retry.data = o;
	*out = o;
	return 0;
}

static void on_closed(uv_handle_t *handle) { free(handle->data); }

void outbox_close(struct outbox *o)
{
	o->closed = true;
	while (!STAILQ_EMPTY(&o->items))
		drop_first(o);
	uv_close((uv_handle_t *)&o->retry, on_closed);
}
