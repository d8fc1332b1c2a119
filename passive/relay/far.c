/* Connections to backends: bytes both ways, bounded, without a look at them. */
#include "base/log.h"
#include "passive/relay/relay_inner.h"
#include <stdlib.h>

#define ENDING_MS_MAX 30000
#define SWEEP_MS 5000

struct far {
	LIST_ENTRY(far) all;
	struct relay *relay;
	struct relay_backend *backend;
	struct bus_request *open; /* answered in parts; NULL: its last part has gone */
	struct bus_peer *peer;
	uint32_t channel;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_shutdown_t shutdown;
	size_t untaken, unwritten;
	uint64_t bytes, ending_ms;
	bool connected, reading, ending, closing;
	uint8_t room[RELAY_PART_MAX];
};

struct saying { /* bytes on their way to a backend */
	uv_write_t write;
	struct far *far;
	struct bus_request *request;
	size_t len;
	uint8_t bytes[];
};

static void far_name(const struct relay_backend *b, char *text, size_t size)
{
	char address[ADDRESS_TEXT_MAX];
	address_format(&b->is->address, address);
	snprintf(text, size, "%s's %s at %s port %llu", b->persona, b->service, address,
	         (unsigned long long)b->is->port);
}

/* A backend that goes away or comes back is told once. */
static void tell(struct relay *r, struct relay_backend *b, bool down, const char *why)
{
	char detail[256];
	struct event e;
	if (b->down == down)
		return;
	b->down = down;
	far_name(b, detail, sizeof detail);
	if (down)
		log_warning("relay: %s: %s; the emulator serves", detail, why);
	else
		log_info("relay: %s answers again", detail);
	event_begin(&e, EVENT_SENSOR_CHANGED);
	event_set_text(&e, FIELD_STATE, down ? "backend down" : "backend up");
	event_set_text(&e, FIELD_REASON, why);
	event_set_text(&e, FIELD_DETAIL, detail);
	bus_publish(r->process->bus, &e);
}

static void far_answer_last(struct far *f, int status)
{
	if (f->open)
		bus_answer(f->open, status, (struct bytes){0}, false);
	f->open = NULL;
}

static void on_closed(uv_handle_t *h)
{
	struct far *f = h->data;
	f->backend->connections--;
	f->relay->far_count--;
	LIST_REMOVE(f, all);
	free(f);
}

static void far_close(struct far *f, int status)
{
	far_answer_last(f, status);
	if (f->closing)
		return;
	f->closing = true;
	uv_close((uv_handle_t *)&f->tcp, on_closed);
}

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buffer)
{
	struct far *f = h->data;
	(void)suggested;
	*buffer = uv_buf_init((char *)f->room, sizeof f->room);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static void far_read(struct far *f)
{
	bool wanted = f->connected && !f->closing && !f->ending && f->untaken < RELAY_WINDOW;
	if (wanted == f->reading)
		return;
	f->reading = wanted;
	if (wanted)
		uv_read_start((uv_stream_t *)&f->tcp, on_room, on_read);
	else
		uv_read_stop((uv_stream_t *)&f->tcp);
}

static bool far_spend(struct far *f, size_t n)
{
	f->bytes += n;
	return f->bytes <= f->backend->is->bytes;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct far *f = stream->data;
	if (n == 0)
		return;
	if (n < 0 || !far_spend(f, (size_t)n)) {
		far_close(f, n < 0 ? 0 : ERR_FULL);
		return;
	}
	f->untaken += (size_t)n;
	bus_answer(f->open, 0, (struct bytes){(const uint8_t *)buffer->base, (size_t)n}, true);
	far_read(f);
}

static void on_connected(uv_connect_t *c, int status)
{
	struct far *f = c->data;
	if (f->closing)
		return;
	tell(f->relay, f->backend, status < 0, status < 0 ? uv_strerror(status) : "connected");
	if (status < 0) {
		far_close(f, ERR_GONE);
		return;
	}
	f->connected = true;
	bus_answer(f->open, 0, (struct bytes){0}, true);
	far_read(f);
}

static struct far *far_of(struct relay *r, struct bus_request *request, struct reader *in)
{
	struct bus_peer *peer = bus_request_peer(request);
	uint32_t channel = read_u32(in);
	struct far *f;
	LIST_FOREACH(f, &r->fars, all)
		if (f->peer == peer && f->channel == channel && !f->closing && reader_ok(in))
			return f;
	return NULL;
}

static struct relay_backend *backend_of(struct relay *r, struct bytes persona, struct bytes service)
{
	for (size_t i = 0; i < r->backend_count; i++)
		if (bytes_equal_text(persona, r->backends[i].persona) &&
		    bytes_equal_text(service, r->backends[i].service))
			return &r->backends[i];
	return NULL;
}

static bool far_start(struct far *f)
{
	f->tcp.data = f->connect.data = f;
	if (uv_tcp_init(f->relay->process->loop, &f->tcp))
		return false;
	uv_tcp_nodelay(&f->tcp, 1);
	return true;
}

static void on_open(void *arg, struct bus_request *request, struct bytes payload)
{
	struct relay *r = arg;
	struct reader in = reader_of_bytes(payload);
	uint32_t channel = read_u32(&in);
	struct bytes persona = read_bytes(&in, read_u8(&in));
	struct bytes service = read_rest(&in);
	struct relay_backend *b = reader_ok(&in) ? backend_of(r, persona, service) : NULL;
	bool full = b && (b->connections >= b->is->connections || r->far_count >= r->options->connections);
	struct far *f = b && !full ? calloc(1, sizeof *f) : NULL;
	if (f)
		*f = (struct far){.relay = r, .backend = b, .open = request, .peer = bus_request_peer(request),
		                  .channel = channel};
	if (!f || !far_start(f)) {
		free(f);
		bus_answer(request, full ? ERR_FULL : ERR_MISSING, (struct bytes){0}, false);
		return;
	}
	LIST_INSERT_HEAD(&r->fars, f, all);
	b->connections++;
	r->far_count++;
	struct sockaddr_storage at;
	address_to_sockaddr(&b->is->address, (uint16_t)b->is->port, false, &at);
	int bad = uv_tcp_connect(&f->connect, &f->tcp, (struct sockaddr *)&at, on_connected);
	if (bad) {
		tell(r, b, true, uv_strerror(bad));
		far_close(f, ERR_GONE);
	}
}

static void on_written(uv_write_t *w, int status)
{
	struct saying *s = w->data;
	s->far->unwritten -= s->len;
	bus_answer(s->request, status < 0 ? ERR_GONE : 0, (struct bytes){0}, false);
	if (status < 0)
		far_close(s->far, 0);
	free(s);
}

/* A worker keeps within the window; one that does not has been taken over. */
static void on_say(void *arg, struct bus_request *request, struct bytes payload)
{
	struct reader in = reader_of_bytes(payload);
	struct far *f = far_of(arg, request, &in);
	struct bytes b = read_rest(&in);
	bool fits = f && f->connected && !f->ending && f->unwritten + b.len <= 8 * RELAY_WINDOW && far_spend(f, b.len);
	struct saying *s = fits ? malloc(sizeof *s + b.len) : NULL;
	if (!s) {
		bus_answer(request, ERR_GONE, (struct bytes){0}, false);
		if (f)
			far_close(f, ERR_FULL);
		return;
	}
	*s = (struct saying){.far = f, .request = request, .len = b.len};
	memcpy(s->bytes, b.at, b.len);
	s->write.data = s;
	f->unwritten += b.len;
	uv_buf_t buffer = uv_buf_init((char *)s->bytes, (unsigned)b.len);
	if (uv_write(&s->write, (uv_stream_t *)&f->tcp, &buffer, 1, on_written)) {
		f->unwritten -= b.len;
		bus_answer(request, ERR_GONE, (struct bytes){0}, false);
		free(s);
		far_close(f, ERR_GONE);
	}
}

static void on_took(void *arg, struct bus_request *request, struct bytes payload)
{
	struct reader in = reader_of_bytes(payload);
	struct far *f = far_of(arg, request, &in);
	uint32_t n = read_u32(&in);
	if (f && reader_ok(&in) && n <= f->untaken) {
		f->untaken -= n;
		far_read(f);
	}
	bus_answer(request, 0, (struct bytes){0}, false);
}

static void on_shut(uv_shutdown_t *s, int status)
{
	(void)status;
	far_close(s->data, 0);
}

/* The visitor has gone: what it said last is still to arrive. */
static void far_end(struct far *f)
{
	if (f->closing || f->ending)
		return;
	f->ending = true;
	f->ending_ms = uv_now(f->relay->process->loop);
	far_read(f);
	far_answer_last(f, 0);
	f->shutdown.data = f;
	if (!f->connected || uv_shutdown(&f->shutdown, (uv_stream_t *)&f->tcp, on_shut))
		far_close(f, 0);
}

static void on_end(void *arg, struct bus_request *request, struct bytes payload)
{
	struct reader in = reader_of_bytes(payload);
	struct far *f = far_of(arg, request, &in);
	if (f)
		far_end(f);
	bus_answer(request, 0, (struct bytes){0}, false);
}

void relay_end_all(struct relay *r, const struct bus_peer *peer)
{
	struct far *f;
	LIST_FOREACH(f, &r->fars, all)
		if (!peer || f->peer == peer) {
			/* Requests of a worker that is gone are answered nowhere, and freed. */
			far_close(f, ERR_GONE);
		}
}

/* A backend that reads nothing would keep the visitor's last words for ever. */
static void on_sweep(uv_timer_t *t)
{
	struct relay *r = t->data;
	struct far *f;
	LIST_FOREACH(f, &r->fars, all)
		if (f->ending && uv_now(t->loop) - f->ending_ms > ENDING_MS_MAX)
			far_close(f, 0);
}

void relay_sweep_start(struct relay *r)
{
	uv_timer_init(r->process->loop, &r->sweep);
	r->sweep.data = r;
	uv_timer_start(&r->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

void relay_topics(struct relay *r)
{
	struct bus *bus = r->process->bus;
	bus_on_request(bus, "relay.open", on_open, r);
	bus_on_request(bus, "relay.say", on_say, r);
	bus_on_request(bus, "relay.took", on_took, r);
	bus_on_request(bus, "relay.end", on_end, r);
}
