/*
 * A browser's side of the proxy: listens where a box lets it, reads where the browser wants to go,
 * and passes bytes on in both directions once the connection stands.
 */
#include "active/visit/handshake_inner.h"
#include "active/visit/proxy_inner.h"
#include "base/clock.h"
#include <stdlib.h>
#include <unistd.h>

#define QUEUED_MAX (256u << 10) /* to be written, before the other side is read no more */
#define PIECE (64u << 10)
#define BACKLOG 64

union stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_tcp_t tcp;
	uv_pipe_t pipe;
};

struct listener {
	LIST_ENTRY(listener) link;
	union stream stream;
	struct proxy_visit *visit;
	struct proxy *proxy;
};

struct served {
	LIST_ENTRY(served) link;
	union stream client;
	uv_tcp_t server;
	struct proxy_visit *visit;
	struct proxy *proxy;
	struct handshake handshake;
	struct reach *reach;      /* under way */
	size_t index, input_len;  /* of the log, once it is connected */
	unsigned handles;
	bool connected, ending, refusing;
	uint64_t body;            /* bytes of the browser's that still go on; UINT64_MAX: all */
	uint8_t input[HANDSHAKE_MAX];
	uint8_t head[HANDSHAKE_MAX];
};

struct writing {
	uv_write_t request;
	struct served *served;
	bool last;
	uint8_t bytes[];
};

static void on_client(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);
static void on_server(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void on_closed(uv_handle_t *handle)
{
	struct served *s = handle->data;
	proxy_handle_closed(s->proxy);
	if (--s->handles == 0)
		free(s);
}

static void served_end(struct served *s, const char *reason)
{
	if (s->ending)
		return;
	s->ending = true;
	LIST_REMOVE(s, link);
	if (s->reach)
		reach_stop(s->reach);
	s->reach = NULL;
	if (s->connected) {
		visit_log_end(s->visit, s->index, reason);
		uv_close((uv_handle_t *)&s->server, on_closed);
	}
	uv_close(&s->client.handle, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	(void)handle, (void)wanted;
	struct writing *w = malloc(sizeof *w + PIECE);
	*buf = w ? uv_buf_init((char *)w->bytes, PIECE) : uv_buf_init(NULL, 0);
}

static struct writing *writing_of(const uv_buf_t *buf)
{
	return buf->base ? (struct writing *)(buf->base - offsetof(struct writing, bytes)) : NULL;
}

static bool is_client(const struct served *s, const uv_stream_t *stream) { return stream == &s->client.stream; }

static void on_written(uv_write_t *request, int status)
{
	struct writing *w = (struct writing *)request;
	struct served *s = w->served;
	const bool last = w->last;
	uv_stream_t *to = request->handle;
	free(w);
	if (s->ending)
		return;
	if (status < 0 || last) {
		served_end(s, NULL);
		return;
	}
	if (s->connected && uv_stream_get_write_queue_size(to) < QUEUED_MAX / 2) {
		if (is_client(s, to))
			uv_read_start((uv_stream_t *)&s->server, on_alloc, on_server);
		else
			uv_read_start(&s->client.stream, on_alloc, on_client);
	}
}

/* Takes `w` over, whose first n bytes go there. */
static void send_piece(struct served *s, uv_stream_t *to, struct writing *w, size_t n)
{
	uv_buf_t buf = uv_buf_init((char *)w->bytes, (unsigned)n);
	w->served = s;
	if (uv_write(&w->request, to, &buf, 1, on_written)) {
		free(w);
		served_end(s, NULL);
		return;
	}
	if (uv_stream_get_write_queue_size(to) > QUEUED_MAX)
		uv_read_stop(is_client(s, to) ? (uv_stream_t *)&s->server : &s->client.stream);
}

static void say(struct served *s, uv_stream_t *to, struct bytes bytes, bool last)
{
	struct writing *w = malloc(sizeof *w + bytes.len);
	if (!w) {
		served_end(s, NULL);
		return;
	}
	memcpy(w->bytes, bytes.at, bytes.len);
	w->last = last;
	send_piece(s, to, w, bytes.len);
}

/* What the browser sent goes on, as far as it belongs to its one request. */
static void forward(struct served *s, struct writing *w, size_t n)
{
	if (n > s->body) {
		free(w);
		served_end(s, NULL);
		return;
	}
	if (s->body != UINT64_MAX)
		s->body -= n;
	w->last = false;
	if (!visit_take(s->visit, s->index, 0, n)) {
		free(w);
		served_end(s, "budget");
		return;
	}
	send_piece(s, (uv_stream_t *)&s->server, w, n);
}

static void on_server(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct served *s = stream->data;
	struct writing *w = writing_of(buf);
	if (s->ending || n <= 0 || !w) {
		free(w);
		if (n < 0 && !s->ending) {
			/* All that came has to arrive first. */
			uv_read_stop(stream);
			say(s, &s->client.stream, (struct bytes){(const uint8_t *)"", 0}, true);
		}
		return;
	}
	w->last = false;
	if (visit_take(s->visit, s->index, (uint64_t)n, 0)) {
		send_piece(s, &s->client.stream, w, (size_t)n);
	} else {
		free(w);
		served_end(s, "budget");
	}
}

static void go_on(struct served *s)
{
	const struct bytes answer = handshake_answer(&s->handshake, "ok");
	uv_stream_t *server = (uv_stream_t *)&s->server;
	if (answer.len)
		say(s, &s->client.stream, answer, false);
	s->body = UINT64_MAX;
	if (s->handshake.kind == HANDSHAKE_REQUEST) {
		s->body = s->handshake.body;
		visit_take(s->visit, s->index, 0, s->handshake.head_len);
		if (!s->ending)
			say(s, server, (struct bytes){s->head, s->handshake.head_len}, false);
	}
	if (!s->ending && s->input_len) {
		struct writing *w = malloc(sizeof *w + s->input_len);
		if (w) {
			memcpy(w->bytes, s->input, s->input_len);
			forward(s, w, s->input_len);
		} else {
			served_end(s, NULL);
		}
	}
	if (!s->ending)
		uv_read_start(server, on_alloc, on_server);
	if (!s->ending)
		uv_read_start(&s->client.stream, on_alloc, on_client);
}

static void on_reached(void *arg, int fd, size_t index)
{
	struct served *s = arg;
	s->reach = NULL;
	s->index = index;
	if (fd < 0) {
		const char *reason = index == SIZE_MAX ? "budget" : s->visit->log[index].reason;
		s->refusing = true;
		say(s, &s->client.stream, handshake_answer(&s->handshake, reason), true);
		return;
	}
	uv_tcp_init(s->proxy->loop, &s->server);
	s->server.data = s;
	s->handles++;
	s->proxy->handles++;
	s->connected = true;
	if (uv_tcp_open(&s->server, fd)) {
		close(fd);
		served_end(s, "unreachable");
		return;
	}
	go_on(s);
}

/* The input begins behind what was read. */
static void input_consume(struct served *s)
{
	s->input_len -= s->handshake.used;
	memmove(s->input, s->input + s->handshake.used, s->input_len);
}

static void take_handshake(struct served *s)
{
	for (;;) {
		const struct bytes input = {s->input, s->input_len};
		switch (handshake_read(&s->handshake, input, s->head)) {
		case HANDSHAKE_MORE:
			if (s->input_len == sizeof s->input)
				served_end(s, NULL);
			return;
		case HANDSHAKE_GREET:
			input_consume(s);
			say(s, &s->client.stream, s->handshake.answer, false);
			if (s->ending)
				return;
			break;
		case HANDSHAKE_REFUSE:
			uv_read_stop(&s->client.stream);
			s->refusing = true;
			say(s, &s->client.stream, s->handshake.answer, true);
			return;
		case HANDSHAKE_GO:
			input_consume(s);
			uv_read_stop(&s->client.stream);
			s->reach = reach_begin(s->visit, s->handshake.host, s->handshake.port, on_reached, s);
			if (!s->reach)
				served_end(s, NULL);
			return;
		}
	}
}

static void on_client(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct served *s = stream->data;
	struct writing *w = writing_of(buf);
	if (s->ending || s->refusing || n <= 0 || !w) {
		free(w);
		if (n < 0 && !s->ending && !s->refusing)
			served_end(s, NULL);
		return;
	}
	if (s->connected) {
		forward(s, w, (size_t)n);
		return;
	}
	const size_t room = sizeof s->input - s->input_len;
	const bool fits = (size_t)n <= room;
	if (fits)
		memcpy(s->input + s->input_len, w->bytes, (size_t)n);
	free(w);
	if (!fits) {
		served_end(s, NULL);
		return;
	}
	s->input_len += (size_t)n;
	take_handshake(s);
}

static void on_accept_failed(uv_handle_t *handle)
{
	struct served *s = handle->data;
	proxy_handle_closed(s->proxy);
	free(s);
}

static int stream_init(uv_loop_t *loop, union stream *stream, bool local)
{
	return local ? uv_pipe_init(loop, &stream->pipe, 0) : uv_tcp_init(loop, &stream->tcp);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct listener *l = stream->data;
	struct served *s = status < 0 ? NULL : calloc(1, sizeof *s);
	if (!s)
		return;
	s->visit = l->visit;
	s->proxy = l->proxy;
	s->index = SIZE_MAX;
	stream_init(l->proxy->loop, &s->client, stream->type == UV_NAMED_PIPE);
	s->client.handle.data = s;
	s->handles = 1;
	s->proxy->handles++;
	if (uv_accept(stream, &s->client.stream) || visit_is_over(l->visit)) {
		uv_close(&s->client.handle, on_accept_failed);
		return;
	}
	LIST_INSERT_HEAD(&l->visit->served, s, link);
	uv_read_start(&s->client.stream, on_alloc, on_client);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;
	proxy_handle_closed(l->proxy);
	free(l);
}

int serve_listen(struct proxy_visit *v, int fd)
{
	struct sockaddr_storage here;
	socklen_t len = sizeof here;
	const int bad_socket = v->listener_count == PROXY_LISTENERS_MAX ? ERR_FULL : getsockname(fd, (struct sockaddr *)&here, &len) ? ERR_SYSTEM : 0;
	struct listener *l = bad_socket ? NULL : calloc(1, sizeof *l);
	if (!l) {
		close(fd);
		return bad_socket ? bad_socket : ERR_MEMORY;
	}
	const bool local = here.ss_family == AF_UNIX;
	l->visit = v;
	l->proxy = v->proxy;
	stream_init(v->proxy->loop, &l->stream, local);
	l->stream.handle.data = l;
	v->proxy->handles++;
	int bad = local ? uv_pipe_open(&l->stream.pipe, fd) : uv_tcp_open(&l->stream.tcp, fd);
	if (bad)
		close(fd);
	if (bad || uv_listen(&l->stream.stream, BACKLOG, on_connection)) {
		uv_close(&l->stream.handle, on_listener_closed);
		return ERR_SYSTEM;
	}
	LIST_INSERT_HEAD(&v->listeners, l, link);
	v->listener_count++;
	return 0;
}

void serve_stop(struct proxy_visit *v)
{
	struct listener *l;
	struct served *s;
	while ((l = LIST_FIRST(&v->listeners))) {
		LIST_REMOVE(l, link);
		uv_close(&l->stream.handle, on_listener_closed);
	}
	v->listener_count = 0;
	while ((s = LIST_FIRST(&v->served)))
		served_end(s, "budget");
}

void serve_revoke(struct proxy_visit *v, const struct prefix *prefix)
{
	struct served *next;
	for (struct served *s = LIST_FIRST(&v->served); s; s = next) {
		next = LIST_NEXT(s, link);
		if (s->connected && prefix_holds(prefix, &v->log[s->index].address))
			served_end(s, "revoked");
	}
}
