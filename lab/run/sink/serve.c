#include "lab/run/sink/serve.h"
#include "lab/run/sink/pack.h"
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 64
#define SWEEP_MS 100

/* What an event is of: a connection, or one of these. */
enum { OF_CONTROL = 1, OF_WATCH, OF_TCP, OF_TCP6, OF_UDP, OF_UDP6, OF_EGRESS };

static void wait_for(struct server *s, int fd, uint64_t what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = what};
	if (fd >= 0)
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e);
}

static void control_event(struct server *s)
{
	char letter = 0;
	struct sink_content came = {0};
	ssize_t n = message_receive(s->control, &letter, &came, sizeof came, NULL, 0);
	if (n < 0 || letter == 'S')
		s->stopping = true;
	else if (letter == 'C' && n == sizeof came)
		download_came(s, &came);
}

static void event(struct server *s, const struct epoll_event *e)
{
	switch (e->data.u64) {
	case OF_CONTROL:
		control_event(s);
		return;
	case OF_WATCH:
		watch_turn(&s->watch);
		return;
	case OF_EGRESS:
		leave_event(s);
		return;
	case OF_TCP:
	case OF_TCP6:
		caller_accept(s, s->land.tcp[e->data.u64 - OF_TCP]);
		return;
	case OF_UDP:
	case OF_UDP6:
		datagrams_event(s, s->land.udp[e->data.u64 - OF_UDP]);
		return;
	}
	caller_event(s, e->data.ptr, e->events);
}

static void conclude(struct server *s)
{
	while (s->count)
		caller_close(s, s->connections[s->count - 1]), callers_bury(s);
	/* The last block is handed over when it is full or its time is up. */
	poll(NULL, 0, 2 * WATCH_BLOCK_MS);
	while (watch_turn(&s->watch))
		;
	watch_missed(&s->watch);
	server_now_ms(s);
	struct run_sink_findings f;
	world_conclude(&s->world, &f);
	struct writer w = writer_of(s->shared, SHARED_FINDINGS);
	pack_write(&w, &f);
	struct bytes secrets = veil_side_secrets(s->secure);
	if (secrets.len)
		memcpy(s->shared + SHARED_FINDINGS + SHARED_CAPTURE, secrets.at, secrets.len);
	const struct sink_ended ended = {.findings = w.bad ? 0 : writer_used(&w),
					 .capture = writer_used(&s->watch.pcap), .secrets = secrets.len};
	message_send(s->control, 'E', &ended, sizeof ended, NULL, 0);
}

void serve(struct server *s)
{
	wait_for(s, s->control, OF_CONTROL);
	wait_for(s, s->watch.fd, OF_WATCH);
	wait_for(s, s->egress, OF_EGRESS);
	for (int six = 0; six < 2; six++) {
		wait_for(s, s->land.tcp[six], OF_TCP + (uint64_t)six);
		wait_for(s, s->land.udp[six], OF_UDP + (uint64_t)six);
	}
	uint64_t swept = 0;
	while (!s->stopping && server_now_ms(s) < s->time_ms) {
		struct epoll_event events[EVENTS_MAX];
		int n = epoll_wait(s->epoll, events, EVENTS_MAX, SWEEP_MS);
		server_now_ms(s);
		for (int i = 0; i < n; i++) {
			event(s, &events[i]);
			server_now_ms(s); /* the capture sets it to the time of its packets */
		}
		if (s->world.now_ms - swept >= SWEEP_MS) {
			swept = s->world.now_ms;
			caller_sweep(s);
		}
		callers_bury(s);
	}
	if (!s->stopping)
		world_limit(&s->world, "sink.time");
	conclude(s);
}
