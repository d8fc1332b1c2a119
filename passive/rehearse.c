/* Runs a service against given bytes, in chunks, with no socket and no clock. */
#include "passive/rehearse.h"
#include "base/options.h"
#include "base/random.h"
#include "passive/room/reflection.h"
#include "passive/room/session_inner.h"
#include <assert.h>
#include <stdlib.h>

#define REHEARSAL_TIME_US 1427846400000000u /* 2015-04-01T00:00:00Z */
#define REHEARSAL_SEED 0x6b616e736f6b75u
#define REHEARSAL_SAID_MAX (64u << 20)
#define OPTIONS_ARENA_MAX (1u << 20)

struct rehearsal {
	struct backend_play *backend; /* NULL: there is no relay */
	struct bytes backend_left;
	bool asked, opened;
	struct stage stage;
	struct random random;
	struct transcript *transcript;
	struct arena options_arena;
};

static void rehearsal_publish(struct stage *g, struct session *s, struct event *e)
{
	(void)s;
	struct rehearsal *r = g->owner;
	event_write_json(e, &r->transcript->events);
	write_text(&r->transcript->events, "\n");
}

static void rehearsal_capture(struct stage *g, struct session *s, const struct capture *c,
                              struct event *e)
{
	(void)c;
	struct rehearsal *r = g->owner;
	r->transcript->captures++;
	rehearsal_publish(g, s, e);
}

static bool rehearsal_open(struct session *s)
{
	struct rehearsal *r = s->stage->owner;
	if (r->asked)
		return false;
	r->asked = true;
	r->opened = false;
	return true;
}

static void rehearsal_hear(struct session *s, struct bytes b)
{
	struct rehearsal *r = s->stage->owner;
	if (r->asked)
		write_span(&r->backend->heard, b);
}

static void rehearsal_drop(struct session *s)
{
	((struct rehearsal *)s->stage->owner)->asked = false;
}

static const struct stage_relay rehearsed_relay = {rehearsal_open, rehearsal_hear, rehearsal_drop};

static const void *default_options(struct rehearsal *r, const struct service *service)
{
	if (!service->options)
		return NULL;
	struct fault fault = {0};
	void *filled = arena_alloc(&r->options_arena, service->options_size);
	if (!filled || options_bind(service->options, NULL, service->name, service->name,
	                            &r->options_arena, filled, &fault) < 0)
		abort(); /* a fallback that does not parse is a defect of the service */
	return filled;
}

/* What the room would send now; more than .output_max at once has ended the session already. */
static void rehearsal_send(struct rehearsal *r)
{
	struct buffer *said = &r->stage.said;
	write_span(&r->transcript->answer, buffer_bytes(said));
	buffer_consume(said, buffer_len(said));
}

/* Lets every delay pass; a service that delays for ever meets its own session limit. */
static bool rehearsal_wait(struct rehearsal *r, struct session *s, uint64_t *waited_ms)
{
	bool on = true;
	while (on && s->delay_ms) {
		*waited_ms += s->delay_ms;
		if (*waited_ms > s->service->session_ms_max)
			return false;
		on = session_wake(s);
		rehearsal_send(r);
	}
	return on;
}

/* The backend says all it has to say; `ends`: and then hangs up. */
static bool rehearsal_relay(struct rehearsal *r, struct session *s, size_t chunk, bool ends)
{
	bool on = true;
	while (on && r->asked && (!r->opened || r->backend_left.len || ends)) {
		bool over = r->backend->refuses || (r->opened && !r->backend_left.len);
		struct bytes some = {r->backend_left.at, r->backend_left.len < chunk ? r->backend_left.len : chunk};
		if (!r->opened || over)
			some.len = 0;
		enum relay_event what = over ? RELAY_ENDED : r->opened ? RELAY_CAME : RELAY_OPENED;
		r->backend_left = (struct bytes){some.at + some.len, r->backend_left.len - some.len};
		r->asked = !over;
		r->opened = true;
		on = session_tell_relay(s, what, some);
		rehearsal_send(r);
	}
	return on;
}

static void rehearsal_play(struct rehearsal *r, struct session *s, struct bytes sent, size_t chunk)
{
	uint64_t waited_ms = 0;
	bool on = session_begin(s);
	rehearsal_send(r);
	on = on && rehearsal_relay(r, s, chunk, false) && rehearsal_wait(r, s, &waited_ms);
	while (on && sent.len) {
		size_t n = sent.len < chunk ? sent.len : chunk, appetite = session_appetite(s);
		if (n > appetite)
			n = appetite;
		memcpy(stage_receive_at(&r->stage), sent.at, n);
		sent.at += n;
		sent.len -= n;
		on = session_feed(s, n);
		rehearsal_send(r);
		on = on && rehearsal_relay(r, s, chunk, false) && rehearsal_wait(r, s, &waited_ms);
	}
	if (on)
		rehearsal_relay(r, s, chunk, true);
	session_end(s);
	rehearsal_send(r);
}

void service_rehearse(const struct service *service, const struct persona *persona,
                      struct bytes peer_sends, size_t chunk, struct transcript *out)
{
	service_rehearse_over(service, 0, persona, peer_sends, chunk, out);
}

static void rehearse(const struct service *service, enum transport transport, struct devices *devices,
		     struct backend_play *backend, const struct persona *persona, struct bytes peer_sends, size_t chunk, struct transcript *out)
{
	assert(chunk > 0);
	if (!transport)
		transport = service->transports & TRANSPORT_TCP ? TRANSPORT_TCP : TRANSPORT_UDP;
	struct rehearsal r = {
	        .stage = {.utc_us = REHEARSAL_TIME_US,
	                  .mono_us = REHEARSAL_TIME_US,
	                  .device_key = REHEARSAL_SEED,
	                  .devices = devices,
	                  .capture_max = SESSION_CAPTURE_MAX,
	                  .said = BUFFER(REHEARSAL_SAID_MAX),
	                  .publish = rehearsal_publish,
	                  .capture = rehearsal_capture},
	        .random = random_seeded(REHEARSAL_SEED),
	        .transcript = out,
	        .options_arena = ARENA(OPTIONS_ARENA_MAX),
	};
	r.stage.owner = &r;
	if (backend) {
		r.backend = backend;
		r.backend_left = backend->sends;
		r.stage.relay = &rehearsed_relay;
	}
	r.stage.random = &r.random;
	struct session *s = calloc(1, session_size(service));
	struct fault fault = {0};
	if (!s || stage_start(&r.stage, &fault) < 0) {
		fprintf(stderr, "%s\n", fault.text);
		abort();
	}
	*s = (struct session){
	        .stage = &r.stage,
	        .service = service,
	        .persona = persona,
	        .options = default_options(&r, service),
	        .peer = address_v4(0xc6336407),  /* 198.51.100.7 */
	        .local = address_v4(0xc0000217), /* 192.0.2.23 */
	        .peer_port = 40000,
	        .local_port = service->ports[0],
	        .transport = (uint8_t)transport,
	        .answer_max = transport == TRANSPORT_UDP ? REFLECTION_ANSWER_MAX : SIZE_MAX,
	        .opened_mono_us = REHEARSAL_TIME_US,
	        .arena = ARENA(service->arena_max),
	};
	s->id.b[0] = 1;
	if (chunk > SESSION_RECEIVE_MAX)
		chunk = SESSION_RECEIVE_MAX;
	rehearsal_play(&r, s, peer_sends, chunk);
	free(s);
	stage_done(&r.stage);
	arena_done(&r.options_arena);
}

void service_rehearse_over(const struct service *service, enum transport transport,
                           const struct persona *persona, struct bytes peer_sends, size_t chunk,
                           struct transcript *out)
{
	rehearse(service, transport, NULL, NULL, persona, peer_sends, chunk, out);
}

void service_rehearse_again(const struct service *service, struct devices *devices,
			    const struct persona *persona, struct bytes peer_sends, size_t chunk,
			    struct transcript *out)
{
	rehearse(service, TRANSPORT_TCP, devices, NULL, persona, peer_sends, chunk, out);
}

void service_rehearse_behind(const struct service *service, const struct persona *persona, struct bytes peer_sends,
			     size_t chunk, struct backend_play *backend, struct transcript *out)
{
	rehearse(service, TRANSPORT_TCP, NULL, backend, persona, peer_sends, chunk, out);
}
