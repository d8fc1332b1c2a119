/* What a service may do with its session, and how its callbacks are called. */
#include "passive/room/session_inner.h"
#include "base/random.h"
#include "passive/relay/pipe.h"
#include "passive/relay/relay.h"
#include "passive/service_options.h"
#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

FIELD(FIELD_LOGIN_PROOF, "login.proof", BYTES, FIELD_PRIVATE,
      "challenge and answer that stand for the password, as crackers read them");

/* What a service, and its device, says where neither the configuration nor a persona does. */
static int defaults_read(struct stage *g, struct fault *fault)
{
	size_t count = 0;
	SERVICES_EACH(it)
		count++;
	g->arena = ARENA(STAGE_DEFAULTS_MAX);
	g->defaults = arena_alloc(&g->arena, (count + 1) * sizeof *g->defaults);
	if (!g->defaults)
		return fault_set(fault, ERR_MEMORY, "passive: no memory to start with");
	SERVICES_EACH(it) {
		struct service_options device, own;
		int bad = service_options_read(*it, (*it)->device, (*it)->device_size, NULL, "", (*it)->name, &g->arena,
					       &device, fault);
		if (!bad)
			bad = service_options_read(*it, (*it)->options, (*it)->options_size, NULL, "", (*it)->name,
						   &g->arena, &own, fault);
		if (bad)
			return bad;
		void *shared = (*it)->shared_size ? arena_alloc(&g->arena, (*it)->shared_size) : NULL;
		if (!shared && (*it)->shared_size)
			return ERR_MEMORY;
		g->defaults[g->default_count++] = (struct stage_default){*it, device.own, own.own, shared};
	}
	return 0;
}

int stage_start(struct stage *g, struct fault *fault)
{
	size_t head = 0;
	SERVICES_EACH(it)
		head = (*it)->input_max > head ? (*it)->input_max : head;
	g->scratch = malloc(head + SESSION_RECEIVE_MAX);
	if (!g->scratch)
		return fault_set(fault, ERR_MEMORY, "passive: no memory to start with");
	int bad = defaults_read(g, fault);
	if (bad)
		return bad;
	g->scratch_head = head;
	return 0;
}

void stage_done(struct stage *g)
{
	free(g->scratch);
	g->scratch = NULL;
	for (size_t i = 0; i < g->default_count; i++)
		if (g->defaults[i].service->shared_done)
			g->defaults[i].service->shared_done(g->defaults[i].shared);
	arena_done(&g->arena);
	g->default_count = 0;
	buffer_done(&g->said);
}

size_t session_size(const struct service *service)
{
	size_t state = service->state_size;
	if (service->hands_over)
		SERVICES_EACH(it)
			state = (*it)->state_size > state ? (*it)->state_size : state;
	return sizeof(struct session) + state;
}

static void session_settle(struct session *s)
{
	struct stage *g = s->stage;
	if (g->reporting == s) {
		if (s->typist && g->report.kind == EVENT_COMMAND_SENT)
			typist_command(s->typist, event_bytes(&g->report, FIELD_COMMAND_LINE),
				       !event_get(&g->report, FIELD_COMMAND_FOUND) ||
					       event_bool(&g->report, FIELD_COMMAND_FOUND));
		session_bait_hear(s, &g->report);
		g->reporting = NULL;
		g->publish(g, s, &g->report);
	}
	session_bait_tell(s);
}

/* A session ends once, for the first reason. */
static void session_stop(struct session *s, enum session_end why)
{
	if (s->ended == SESSION_OPEN)
		s->ended = (uint8_t)why;
}

static uint8_t *session_room(struct session *s, size_t n)
{
	struct stage *g = s->stage;
	size_t queued = s->unsent_len + buffer_len(&g->said);
	uint8_t *room = NULL;
	size_t max = s->service->output_max;
	if (s->relayed && max < 4 * RELAY_WINDOW) /* what comes of it waits here for the peer */
		max = 4 * RELAY_WINDOW;
	if (s->ended == SESSION_OPEN && n <= max && queued <= max - n)
		room = buffer_room(&g->said, n);
	if (!room)
		session_stop(s, SESSION_LIMIT);
	return room;
}

void session_say_bytes(struct session *s, struct bytes b)
{
	uint8_t *room = b.len ? session_room(s, b.len) : NULL;
	if (!room)
		return;
	memcpy(room, b.at, b.len);
	buffer_grown(&s->stage->said, b.len);
}

void session_say(struct session *s, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < (int)sizeof line) {
		if (n > 0)
			session_say_bytes(s, (struct bytes){(const uint8_t *)line, (size_t)n});
		return;
	}
	/* vsnprintf wants room for its NUL, which is then not said. */
	uint8_t *room = session_room(s, (size_t)n + 1);
	if (!room)
		return;
	va_start(ap, fmt);
	vsnprintf((char *)room, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buffer_grown(&s->stage->said, (size_t)n);
}

void session_mark(const struct session *s, struct event *e)
{
	event_set_id(e, FIELD_SESSION, &s->id);
	event_set_address(e, FIELD_SRC, &s->peer);
	event_set_number(e, FIELD_SPORT, s->peer_port);
	event_set_address(e, FIELD_DST, &s->local);
	event_set_number(e, FIELD_DPORT, s->local_port);
	event_set_text(e, FIELD_PROTO, s->transport == TRANSPORT_UDP ? "udp" : "tcp");
	event_set_text(e, FIELD_SERVICE, s->service->name);
	if (s->persona)
		event_set_text(e, FIELD_PERSONA, s->persona->name);
	e->time_us = s->stage->utc_us;
}

struct event *session_report(struct session *s, enum event_kind kind)
{
	struct stage *g = s->stage;
	session_settle(s);
	s->logins += kind == EVENT_LOGIN_TRIED;
	s->commands += kind == EVENT_COMMAND_SENT;
	event_begin(&g->report, kind);
	session_mark(s, &g->report);
	event_set_chain(&g->report, &s->id, &s->root, s->depth);
	g->reporting = s;
	return &g->report;
}

void digest_sha256(struct bytes b, uint8_t digest[32], char text[DIGEST_TEXT])
{
	if (!EVP_Digest(b.at, b.len, digest, NULL, EVP_sha256(), NULL))
		abort(); /* a file without its digest could never be found again */
	for (size_t i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

void session_capture(struct session *s, struct bytes content, struct bytes name, struct bytes url,
                     const char *how)
{
	struct stage *g = s->stage;
	struct event *e = session_report(s, EVENT_FILE_CAPTURED);
	if (content.len > g->capture_max) {
		content.len = g->capture_max;
		e->cut = true;
	}
	struct capture c = {.content = content};
	char text[DIGEST_TEXT];
	digest_sha256(content, c.sha256, text);
	event_set_text(e, FIELD_FILE_SHA256, text);
	event_set_number(e, FIELD_FILE_SIZE, content.len);
	if (name.len)
		event_set_bytes(e, FIELD_FILE_NAME, name);
	if (url.len)
		event_set_bytes(e, FIELD_FILE_URL, url);
	event_set_text(e, FIELD_FILE_HOW, how);
	g->reporting = NULL;
	g->capture(g, s, &c, e);
}

void session_record(struct session *s, bool ours, struct bytes b)
{
	if (s->stage->record && b.len)
		s->stage->record(s->stage, s, ours, b);
}

void session_name_file(struct session *s, struct bytes url, struct bytes name, const char *how)
{
	struct event *e = session_report(s, EVENT_FILE_CAPTURED);
	event_set_bytes(e, FIELD_FILE_URL, url);
	if (name.len)
		event_set_bytes(e, FIELD_FILE_NAME, name);
	event_set_text(e, FIELD_FILE_HOW, how);
	session_settle(s);
}

void session_reset_at_end(struct session *s)
{
	s->resets = true;
}

void session_remind(struct session *s, uint32_t delay_ms)
{
	s->remind_ms = delay_ms == 0 ? 1 : delay_ms < SESSION_DELAY_MS_MAX ? delay_ms : SESSION_DELAY_MS_MAX;
}

void session_delay(struct session *s, uint32_t delay_ms)
{
	/* Zero would mean that no delay was asked for, and tick() would never come. */
	s->delay_ms = delay_ms == 0                     ? 1
	              : delay_ms < SESSION_DELAY_MS_MAX ? delay_ms
	                                                : SESSION_DELAY_MS_MAX;
}

void session_delay_over(struct session *s)
{
	s->delay_ms = 0;
}

size_t session_answer_max(const struct session *s)
{
	return s->answer_max;
}

void session_would_say(struct session *s, size_t bytes)
{
	s->would_say = bytes;
}

void session_secure_within(struct session *s, const struct secure_framing *framing)
{
	if (s->secure != SECURE_NOT || s->transport == TRANSPORT_UDP)
		return;
	s->secure = s->stage->tls ? SECURE_ASKED : SECURE_ON;
	s->plain_len = (uint32_t)buffer_len(&s->stage->said);
	s->framing = framing;
}

void session_secure(struct session *s)
{
	session_secure_within(s, NULL);
}

bool session_is_secure(const struct session *s)
{
	return s->secure == SECURE_ON;
}

struct bytes session_secure_name(struct session *s)
{
	return s->tls ? tls_name(s->tls) : (struct bytes){0};
}

struct bytes session_secure_certificate(struct session *s)
{
	return s->tls ? tls_certificate(s->tls, &s->arena) : (struct bytes){0};
}

struct arena *session_arena(struct session *s)
{
	return &s->arena;
}
const struct persona *session_persona(const struct session *s)
{
	return s->persona;
}
const void *session_options(const struct session *s)
{
	return s->options;
}
uint64_t session_time_us(const struct session *s)
{
	return s->stage->utc_us;
}
const struct address *session_local(const struct session *s)
{
	return &s->local;
}
const struct address *session_peer(const struct session *s)
{
	return &s->peer;
}
uint16_t session_peer_port(const struct session *s)
{
	return s->peer_port;
}
uint16_t session_local_port(const struct session *s)
{
	return s->local_port;
}
enum transport session_transport(const struct session *s)
{
	return s->transport;
}
uint64_t session_random(struct session *s)
{
	return random_next(s->stage->random);
}

uint64_t session_age_us(const struct session *s)
{
	return s->stage->mono_us - s->opened_mono_us;
}

static const struct stage_default *default_of(const struct stage *g, const struct service *service)
{
	for (size_t i = 0; i < g->default_count; i++)
		if (g->defaults[i].service == service)
			return &g->defaults[i];
	return NULL;
}

enum service_next session_become(struct session *s, const struct service *service)
{
	assert(s->service->hands_over && service->input_max <= s->stage->scratch_head);
	const struct stage_default *usual = default_of(s->stage, service);
	s->service = service;
	s->options = usual ? usual->options : NULL;
	memset(s->state, 0, service->state_size);
	if (!s->device)
		s->files = NULL; /* they lay on the arena */
	arena_done(&s->arena);
	s->arena = ARENA(service->arena_max);
	return service->open ? service->open(s, s->state) : SERVICE_CONTINUE;
}

const void *session_device(const struct session *s)
{
	const struct persona_service *of = s->persona ? persona_service(s->persona, s->service) : NULL;
	if (of)
		return of->device;
	const struct stage_default *usual = default_of(s->stage, s->service);
	return usual ? usual->device : NULL;
}

void session_look(const struct session *s, struct persona_look *look)
{
	persona_look(s->persona ? s->persona : &persona_plain, session_device_seed(s), &s->local, s->stage->utc_us,
		     look);
}

void session_expand(const struct session *s, const char *text, char *out, size_t size)
{
	struct persona_look look;
	struct writer w = writer_of(out, size - 1);
	session_look(s, &look);
	persona_expand(&look, bytes_of_text(text), &w);
	*w.at = '\0';
}

void session_say_template(struct session *s, const char *text)
{
	struct buffer whole = BUFFER(SESSION_TEMPLATE_MAX);
	uint8_t *room = buffer_room(&whole, SESSION_TEMPLATE_MAX);
	if (!room)
		return;
	struct persona_look look;
	struct writer w = writer_of(room, SESSION_TEMPLATE_MAX);
	session_look(s, &look);
	persona_expand(&look, bytes_of_text(text), &w);
	session_say_bytes(s, writer_bytes(&w));
	buffer_done(&whole);
}

void session_login_decided(struct session *s, struct bytes user, struct bytes secret,
			   struct bytes proof, bool accepted)
{
	struct event *e = session_report(s, EVENT_LOGIN_TRIED);
	event_set_bytes(e, FIELD_LOGIN_USER, user);
	if (secret.len || !proof.len)
		event_set_bytes(e, FIELD_LOGIN_SECRET, secret);
	if (proof.len)
		event_set_bytes(e, FIELD_LOGIN_PROOF, proof);
	event_set_bool(e, FIELD_LOGIN_ACCEPTED, accepted);
}

bool session_login(struct session *s, struct bytes user, struct bytes secret)
{
	const struct persona *p = s->persona ? s->persona : &persona_plain;
	bool accepted = persona_accepts(p, session_device_seed(s), user, secret) || session_bait_opens(s, user, secret);
	session_login_decided(s, user, secret, (struct bytes){0}, accepted);
	return accepted;
}

void session_typed(struct session *s, struct bytes piece)
{
	if (!s->typist)
		s->typist = calloc(1, sizeof *s->typist);
	if (s->typist)
		typist_typed(s->typist, piece, s->stage->mono_us);
}

uint16_t session_expect(struct session *s)
{
	const struct stage_data *d = s->stage->data;
	return d && s->transport == TRANSPORT_TCP ? d->expect(s) : 0;
}

void session_data_say(struct session *s, struct bytes b)
{
	if (s->stage->data)
		s->stage->data->say(s, b);
}

void session_data_end(struct session *s)
{
	if (s->stage->data)
		s->stage->data->end(s);
}

void session_data_take(struct session *s)
{
	if (s->stage->data)
		s->stage->data->take(s);
}

void session_data_drop(struct session *s)
{
	if (s->stage->data)
		s->stage->data->drop(s);
}

uint64_t session_device_seed(const struct session *s)
{
	return address_hash(&s->local, s->stage->device_key);
}

void session_secret(const struct session *s, const char *purpose, bool shared, uint8_t out[32])
{
	uint8_t text[128];
	struct writer w = writer_of(text, sizeof text);
	write_u64(&w, s->stage->device_key);
	write_bytes(&w, s->local.b, shared ? 0 : sizeof s->local.b);
	write_text(&w, purpose);
	if (w.bad || !EVP_Digest(text, writer_used(&w), out, NULL, EVP_sha256(), NULL))
		abort(); /* a key that is not secret would be worse than none */
}

void *session_shared(const struct session *s)
{
	for (size_t i = 0; i < s->stage->default_count; i++)
		if (s->stage->defaults[i].service == s->service)
			return s->stage->defaults[i].shared;
	return NULL;
}

/* After a callback: false when the session is to end. */
static bool session_after(struct session *s, enum service_next next)
{
	session_settle(s);
	if (s->device)
		devices_touch(s->stage->devices, s->device);
	if (next == SERVICE_CLOSE)
		session_stop(s, SESSION_SERVER);
	return s->ended == SESSION_OPEN;
}

bool session_begin(struct session *s)
{
	const struct service *service = s->service;
	assert(service->input_max <= s->stage->scratch_head);
	s->begun = true;
	if (pipe_begins(s))
		return true;
	return session_after(s, service->open ? service->open(s, s->state) : SERVICE_CONTINUE);
}

size_t session_appetite(const struct session *s)
{
	return s->transport == TRANSPORT_UDP ? SESSION_RECEIVE_MAX
	                                     : s->service->input_max - s->unread_len;
}

/* Keeps what the service left unread, exactly: most sessions wait with nothing. */
static bool unread_keep(struct session *s, struct bytes left)
{
	/* Full, and not because of a delay: a message that would never be complete. */
	if (left.len >= s->service->input_max && s->delay_ms == 0 && s->secure != SECURE_ASKED) {
		session_stop(s, SESSION_LIMIT);
		left.len = 0;
	}
	if (left.len == 0) {
		free(s->unread);
		s->unread = NULL;
		s->unread_len = 0;
		return s->ended == SESSION_OPEN;
	}
	uint8_t *kept = left.len == s->unread_len ? s->unread : realloc(s->unread, left.len);
	if (!kept) {
		session_stop(s, SESSION_LIMIT);
		return false;
	}
	memcpy(kept, left.at, left.len);
	s->unread = kept;
	s->unread_len = (uint32_t)left.len;
	return true;
}

bool session_feed(struct session *s, size_t arrived)
{
	assert(arrived <= session_appetite(s));
	/* Unread bytes go in front of the new ones, so that the service sees one piece. */
	uint8_t *from = stage_receive_at(s->stage) - s->unread_len;
	if (s->unread_len)
		memcpy(from, s->unread, s->unread_len);
	struct reader r = reader_of(from, s->unread_len + arrived);
	bool on, plain;
	const struct service *service;
	/* Again, when it has become another service's, or in a rehearsal TLS, which is through at once. */
	do {
		service = s->service;
		plain = s->secure == SECURE_NOT;
		on = session_after(s, s->piped         ? pipe_input(s, &r)
		                      : service->input ? service->input(s, s->state, &r)
		                                       : SERVICE_CLOSE);
		assert(r.at >= from && r.at <= r.end);
	} while (on && s->delay_ms == 0 && r.at < r.end && s->secure != SECURE_ASKED &&
	         (s->service != service || (plain && s->secure == SECURE_ON)));
	struct bytes left = {r.at, (size_t)(r.end - r.at)};
	if (s->transport == TRANSPORT_UDP)
		left.len = 0; /* what a datagram says too much is gone with it */
	return unread_keep(s, left) && on;
}

bool session_wake(struct session *s)
{
	const struct service *service = s->service;
	s->delay_ms = 0;
	bool on = session_after(s, s->piped ? pipe_tick(s) : service->tick ? service->tick(s, s->state) : SERVICE_CONTINUE);
	/* What came before the delay is still to be read. */
	if (on && s->delay_ms == 0 && s->unread_len && s->secure != SECURE_ASKED)
		on = session_feed(s, 0);
	return on;
}

bool session_tell_data(struct session *s, enum data_event what, struct bytes came)
{
	const struct service *service = s->service;
	bool on = session_after(s, service->data ? service->data(s, s->state, what, came) : SERVICE_CONTINUE);
	if (on && s->delay_ms == 0 && s->unread_len)
		on = session_feed(s, 0);
	return on;
}

bool session_tell_relay(struct session *s, enum relay_event what, struct bytes came)
{
	const struct service *service = s->service;
	enum service_next next = s->piped || !service->relayed ? pipe_relayed(s, what, came)
	                                                       : service->relayed(s, s->state, what, came);
	bool on = session_after(s, next);
	if (on && s->delay_ms == 0 && s->unread_len)
		on = session_feed(s, 0);
	return on;
}

void session_end(struct session *s)
{
	if (s->begun && !s->piped && s->service->close)
		s->service->close(s, s->state);
	session_settle(s);
	tls_free(s->tls);
	s->tls = NULL;
	session_judge(s);
	free(s->bait);
	free(s->unread);
	free(s->unsent);
	s->bait = NULL;
	s->unread = s->unsent = NULL;
	s->unread_len = s->unsent_len = 0;
	arena_done(&s->arena);
}
