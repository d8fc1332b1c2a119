/* The local transport: a connected Unix stream socket per link, moved by uv_poll. */
#include "bus/link_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_CHUNK (256u << 10)
#define READS_PER_WAKEUP 8 /* then other links get their turn */

struct local {
	uv_poll_t poll;
	struct bus_peer *peer;
	int fd;
	bool waiting; /* for the far end to take more */
};

static void local_event(uv_poll_t *poll, int status, int events);

static void local_watch(struct local *l)
{
	uv_poll_start(&l->poll, UV_READABLE | (l->waiting ? UV_WRITABLE : 0), local_event);
}

/* False: the link is gone. */
static bool local_write(struct local *l)
{
	struct buffer *out = &l->peer->out;
	while (buffer_len(out)) {
		struct bytes b = buffer_bytes(out);
		ssize_t n = send(l->fd, b.at, b.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		buffer_consume(out, (size_t)n);
	}
	bool wait = buffer_len(out) > 0;
	if (wait && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
		return false;
	if (wait != l->waiting) {
		l->waiting = wait;
		local_watch(l);
	}
	return true;
}

static void local_read(struct local *l)
{
	struct bus_peer *peer = l->peer;
	for (int i = 0; i < READS_PER_WAKEUP; i++) {
		uint8_t *room = buffer_room(&peer->in, READ_CHUNK);
		if (!room) {
			link_lost(peer); /* a message beyond its maximum */
			return;
		}
		ssize_t n = recv(l->fd, room, READ_CHUNK, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		if (n <= 0) {
			link_lost(peer);
			return;
		}
		buffer_grown(&peer->in, (size_t)n);
		link_received(peer);
		if (peer->transport_state != l || (size_t)n < READ_CHUNK)
			return;
	}
}

static void local_event(uv_poll_t *poll, int status, int events)
{
	struct local *l = poll->data;
	struct bus_peer *peer = l->peer;
	if (status < 0) {
		link_lost(peer);
		return;
	}
	if ((events & UV_WRITABLE) && !local_write(l)) {
		link_lost(peer);
		return;
	}
	if (events & UV_READABLE)
		local_read(l);
}

static int local_attach(struct bus_peer *peer, uv_loop_t *loop, int fd)
{
	struct local *l = calloc(1, sizeof *l);
	if (!l)
		return ERR_MEMORY;
	l->peer = peer;
	l->fd = fd;
	l->poll.data = l;
	if (uv_poll_init(loop, &l->poll, fd)) {
		free(l);
		return ERR_SYSTEM;
	}
	peer->transport_state = l;
	local_watch(l);
	return 0;
}

static void local_flush(struct bus_peer *peer)
{
	struct local *l = peer->transport_state;
	if (!l->waiting && !local_write(l))
		link_lost(peer);
}

static void local_closed(uv_handle_t *handle)
{
	struct local *l = handle->data;
	close(l->fd);
	free(l);
}

static void local_detach(struct bus_peer *peer)
{
	struct local *l = peer->transport_state;
	peer->transport_state = NULL;
	uv_poll_stop(&l->poll);
	uv_close((uv_handle_t *)&l->poll, local_closed);
}

const struct transport transport_local = {"local", local_attach, local_flush, local_detach};
