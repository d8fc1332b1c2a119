#include "base/clock.h"
#include "bus/link_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLOSE_WAIT_MS 5000
#define CLOSE_CHECK_MS 10

const char *bus_peer_role(const struct bus_peer *p) { return p->role; }
unsigned bus_peer_worker(const struct bus_peer *p) { return p->worker; }
uint32_t bus_peer_maker(const struct bus_peer *p) { return p->maker; }
uint64_t bus_foreign(const struct bus *bus) { return bus->foreign; }

static void acknowledge_flush(struct bus_peer *peer)
{
	if (!peer->acknowledge)
		return;
	struct writer w = message_begin(peer, MESSAGE_ACK, 8);
	write_u64(&w, peer->acknowledge);
	peer->acknowledge = 0;
}

static void peer_flush(struct bus_peer *peer)
{
	acknowledge_flush(peer);
	peer->dirty = peer->urgent = false;
	if (peer->transport_state && buffer_len(&peer->out))
		peer->transport->flush(peer);
}

static void flush_due(uv_timer_t *timer)
{
	struct bus *bus = timer->data;
	for (size_t i = 0; i < bus->peer_count; i++)
		if (bus->peers[i]->dirty)
			peer_flush(bus->peers[i]);
}

static void before_wait(uv_prepare_t *prepare)
{
	struct bus *bus = prepare->data;
	bool later = false;
	for (size_t i = 0; i < bus->peer_count; i++) {
		if (bus->peers[i]->urgent)
			peer_flush(bus->peers[i]);
		later |= bus->peers[i]->dirty;
	}
	if (later && !uv_is_active((uv_handle_t *)&bus->flush))
		uv_timer_start(&bus->flush, flush_due, FLUSH_WAIT_MS, 0);
}

int bus_open(struct bus **out, uv_loop_t *loop, const char *role, unsigned worker, const char *sensor)
{
	struct bus *bus = calloc(1, sizeof *bus);
	if (!bus)
		return ERR_MEMORY;
	bus->loop = loop;
	bus->worker = worker;
	bus->door_fd = -1;
	bus->ids = id_maker_new();
	snprintf(bus->role, sizeof bus->role, "%s", role);
	snprintf(bus->sensor, sizeof bus->sensor, "%s", sensor);
	uv_prepare_init(loop, &bus->prepare);
	uv_timer_init(loop, &bus->close_timer);
	uv_timer_init(loop, &bus->flush);
	bus->prepare.data = bus->close_timer.data = bus->flush.data = bus;
	uv_prepare_start(&bus->prepare, before_wait);
	uv_unref((uv_handle_t *)&bus->prepare);
	*out = bus;
	return 0;
}

void bus_set_hooks(struct bus *bus, const struct bus_hooks *hooks) { bus->hooks = *hooks; }

void bus_subscribe(struct bus *bus, kind_mask kinds)
{
	bus->subscription = kinds;
	for (size_t i = 0; i < bus->peer_count; i++)
		if (bus->peers[i]->transport_state)
			message_hello(bus->peers[i]);
}

void bus_ignore(struct bus *bus, const char *role)
{
	snprintf(bus->ignored, sizeof bus->ignored, "%s", role);
}

static struct bus_peer *peer_find(struct bus *bus, const char *role, unsigned worker)
{
	for (size_t i = 0; i < bus->peer_count; i++) {
		struct bus_peer *p = bus->peers[i];
		if (p->worker == worker && !strcmp(p->role, role) && !p->rights.guest)
			return p;
	}
	return NULL;
}

static struct bus_peer *peer_add(struct bus *bus, const char *role, unsigned worker)
{
	struct bus_peer *p = NULL;
	for (size_t i = 0; i < bus->peer_count && !p; i++)
		if (bus->peers[i]->rights.guest && !bus->peers[i]->transport_state)
			p = bus->peers[i]; /* the place of a guest that left */
	uint64_t instance = p ? p->instance : 0;
	if (!p && bus->peer_count < BUS_LINKS_MAX) {
		p = calloc(1, sizeof *p);
		if (p)
			bus->peers[bus->peer_count++] = p;
	}
	if (!p)
		return NULL;
	*p = (struct bus_peer){.bus = bus, .worker = worker, .instance = instance, .unacked_first = 1,
			       .next_sequence = 1};
	p->in = BUFFER(LINK_IN_MAX);
	p->out = BUFFER(LINK_OUT_MAX);
	p->unacked = BUFFER(BUS_UNACKED_HARD + FRAME_MAX);
	snprintf(p->role, sizeof p->role, "%s", role);
	return p;
}

static void event_message(struct bus_peer *peer, uint64_t sequence, struct bytes frame)
{
	struct writer w = message_begin(peer, MESSAGE_EVENT, 8 + frame.len);
	write_u64(&w, sequence);
	write_span(&w, frame);
}

/* What the process that died had not acknowledged goes to its successor. */
static void unacked_resend(struct bus_peer *peer)
{
	struct reader frames = reader_of_bytes(buffer_bytes(&peer->unacked));
	struct bytes frame;
	for (uint64_t sequence = peer->unacked_first; frame_take(&frames, &frame) == 0; sequence++)
		event_message(peer, sequence, frame);
}

static int peer_attach(struct bus_peer *peer, int fd, const struct bus_rights *rights)
{
	peer->rights = *rights;
	peer->transport = &transport_local;
	peer->greeted = peer->clean = false;
	peer->maker = 0;
	peer->seen = peer->acknowledge = 0;
	peer->instance++;
	int bad = peer->transport->attach(peer, peer->bus->loop, fd);
	if (bad)
		return bad;
	message_hello(peer);
	unacked_resend(peer);
	return 0;
}

int bus_link(struct bus *bus, int fd, const char *role, unsigned worker, const struct bus_rights *rights)
{
	struct bus_peer *peer = peer_find(bus, role, worker);
	if (peer && peer->transport_state)
		link_lost(peer); /* the parent knows better than our socket does */
	if (!peer)
		peer = peer_add(bus, role, worker);
	return peer ? peer_attach(peer, fd, rights) : ERR_FULL;
}

bool bus_linked(const struct bus *bus)
{
	for (size_t i = 0; i < bus->peer_count; i++)
		if (!bus->peers[i]->rights.guest && !bus->peers[i]->greeted)
			return false;
	return true;
}

void bus_peer_unlink(struct bus_peer *peer)
{
	struct bus *bus = peer->bus;
	if (peer->transport_state)
		peer->transport->detach(peer);
	buffer_done(&peer->in);
	buffer_done(&peer->out);
	peer->dirty = false;
	peer->acknowledge = 0;
	for (struct bus_pending **at = &bus->pending; *at;) {
		struct bus_pending *p = *at;
		if (p->peer != peer) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		if (p->answer)
			p->answer(p->arg, ERR_GONE, (struct bytes){0}, false);
		free(p);
		at = &bus->pending; /* the callback may have asked again */
	}
}

void link_lost(struct bus_peer *peer)
{
	bool was_greeted = peer->greeted;
	bus_peer_unlink(peer);
	struct bus *bus = peer->bus;
	if (was_greeted && bus->hooks.unlinked && !peer->rights.guest)
		bus->hooks.unlinked(bus->hooks.arg, peer, peer->clean);
	if (peer->rights.guest)
		buffer_done(&peer->unacked);
}

void link_received(struct bus_peer *peer)
{
	if (messages_read(peer) && peer->transport_state)
		link_lost(peer);
}

size_t bus_unacknowledged(const struct bus *bus)
{
	size_t most = 0;
	for (size_t i = 0; i < bus->peer_count; i++) {
		size_t n = buffer_len(&bus->peers[i]->unacked);
		most = n > most ? n : most;
	}
	return most;
}

uint64_t bus_published(const struct bus *bus, const char *role)
{
	for (size_t i = 0; i < bus->peer_count; i++)
		if (!strcmp(bus->peers[i]->role, role))
			return bus->peers[i]->next_sequence - 1;
	return 0;
}

bool bus_congested(const struct bus *bus) { return bus_unacknowledged(bus) > BUS_UNACKED_SOFT; }
bool bus_full(const struct bus *bus) { return bus_unacknowledged(bus) > BUS_UNACKED_HARD; }

void bus_relief_check(struct bus *bus)
{
	/* With a margin, so that a room does not stop and go at every frame. */
	if (!bus->congested || bus_unacknowledged(bus) > BUS_UNACKED_SOFT / 2)
		return;
	bus->congested = false;
	if (bus->hooks.relief)
		bus->hooks.relief(bus->hooks.arg);
}

struct event_id bus_id(struct bus *bus, uint64_t time_us) { return id_make(&bus->ids, time_us); }

int bus_publish(struct bus *bus, struct event *e)
{
	if (bus_full(bus)) {
		bus->congested = true;
		return ERR_FULL;
	}
	if (!e->time_us)
		e->time_us = clock_utc_us();
	if (id_is_zero(&e->id))
		e->id = bus_id(bus, e->time_us);
	struct writer w = writer_of(bus->scratch, sizeof bus->scratch);
	frame_encode(e, &w);
	if (w.bad)
		return ERR_BAD;
	struct bytes frame = writer_bytes(&w);
	for (size_t i = 0; i < bus->peer_count; i++) {
		struct bus_peer *peer = bus->peers[i];
		if (!(peer->wants & KIND_MASK(e->kind)))
			continue;
		if (buffer_append(&peer->unacked, frame.at, frame.len))
			return ERR_MEMORY;
		uint64_t sequence = peer->next_sequence++;
		if (!peer->transport_state)
			continue;
		event_message(peer, sequence, frame);
		if (buffer_len(&peer->out) > LINK_FLUSH_BYTES)
			peer->transport->flush(peer);
	}
	bus->congested |= bus_congested(bus);
	return 0;
}

static bool peer_views(const struct bus_peer *peer, enum event_kind kind)
{
	return peer->transport_state && (peer->wants & KIND_MASK(kind));
}

void bus_relay(struct bus *bus, enum event_kind kind, struct bytes frame)
{
	for (size_t i = 0; i < bus->peer_count; i++) {
		struct bus_peer *peer = bus->peers[i];
		if (!peer_views(peer, kind))
			continue;
		if (buffer_len(&peer->out) > RELAY_OUT_MAX)
			bus->missed++;
		else
			event_message(peer, 0, frame);
	}
}

bool bus_wanted(const struct bus *bus, enum event_kind kind)
{
	for (size_t i = 0; i < bus->peer_count; i++)
		if (peer_views(bus->peers[i], kind))
			return true;
	return false;
}

uint64_t bus_missed(const struct bus *bus) { return bus->missed; }

void bus_acknowledge(struct bus *bus, struct bus_peer *peer, uint64_t sequence)
{
	(void)bus;
	/* An acknowledgement for frames of an earlier link means nothing to this one. */
	if (!peer->transport_state || sequence > peer->seen)
		return;
	peer->acknowledge = sequence > peer->acknowledge ? sequence : peer->acknowledge;
	peer->dirty = true;
}

static void door_event(uv_poll_t *poll, int status, int events)
{
	(void)events;
	struct bus *bus = poll->data;
	if (status < 0)
		return;
	int fd = accept4(bus->door_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	const struct bus_rights rights = {.guest = true};
	struct bus_peer *peer = peer_add(bus, "guest", 0);
	if (!peer || peer_attach(peer, fd, &rights))
		close(fd); /* all places are taken: the command line reads the end and says so */
}

int bus_door(struct bus *bus, int listening_fd)
{
	bus->door_fd = listening_fd;
	bus->door.data = bus;
	if (uv_poll_init(bus->loop, &bus->door, listening_fd))
		return ERR_SYSTEM;
	return uv_poll_start(&bus->door, UV_READABLE, door_event) ? ERR_SYSTEM : 0;
}

static bool something_left(const struct bus *bus)
{
	for (size_t i = 0; i < bus->peer_count; i++) {
		const struct bus_peer *p = bus->peers[i];
		if (p->transport_state && (buffer_len(&p->out) || buffer_len(&p->unacked)))
			return true;
	}
	return false;
}

static void close_check(uv_timer_t *timer)
{
	struct bus *bus = timer->data;
	if (something_left(bus) && clock_mono_us() < bus->close_deadline_us)
		return;
	uv_timer_stop(timer);
	for (size_t i = 0; i < bus->peer_count; i++)
		bus_peer_unlink(bus->peers[i]);
	if (bus->door_fd >= 0)
		uv_poll_stop(&bus->door);
	uv_prepare_stop(&bus->prepare);
	if (bus->closed)
		bus->closed(bus->closed_arg);
}

void bus_close(struct bus *bus, void (*done)(void *arg), void *arg)
{
	if (bus->close_deadline_us)
		return;
	bus->closed = done;
	bus->closed_arg = arg;
	bus->close_deadline_us = clock_mono_us() + CLOSE_WAIT_MS * 1000;
	for (size_t i = 0; i < bus->peer_count; i++)
		if (bus->peers[i]->transport_state)
			message_begin(bus->peers[i], MESSAGE_STOPPING, 0);
	uv_timer_start(&bus->close_timer, close_check, 0, CLOSE_CHECK_MS);
}

static void handle_gone(uv_handle_t *handle)
{
	struct bus *bus = handle->data;
	if (--bus->handles)
		return;
	for (size_t i = 0; i < bus->peer_count; i++) {
		buffer_done(&bus->peers[i]->unacked);
		free(bus->peers[i]);
	}
	free(bus);
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	for (size_t i = 0; i < bus->peer_count; i++)
		bus_peer_unlink(bus->peers[i]);
	bus->handles = 3;
	uv_close((uv_handle_t *)&bus->flush, handle_gone);
	uv_close((uv_handle_t *)&bus->prepare, handle_gone);
	uv_close((uv_handle_t *)&bus->close_timer, handle_gone);
	if (bus->door_fd < 0)
		return;
	bus->handles++;
	uv_close((uv_handle_t *)&bus->door, handle_gone);
}
