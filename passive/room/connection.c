/*
 * A TCP session in the room: bytes in and out, deadlines, the end.
 *
 * While something is unsent nothing is read, as in the simple servers that we play, so a
 * peer that does not read cannot make us keep more than one answer.  While a delay runs
 * nothing is read either, and the kernel's buffers hold the peer back.
 */
#include "passive/room/room_inner.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_MAX 16384 /* at once, so that one busy peer does not keep the others waiting */
#define RECORDING_INLINE_MAX (EVENT_BYTES_MAX - 1024) /* beyond it travels as a blob */

FIELD(FIELD_RECORDING_SHA256, "recording.sha256", TEXT, FIELD_PRIVATE,
      "blob that holds a recording too large for its event");

static uint32_t age_ms(const struct connection *c)
{
	return (uint32_t)(session_age_us(&c->session) / 1000);
}

static uint32_t least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

/* Since the opening, in milliseconds. */
static uint64_t next_due_ms(const struct connection *c, const struct passive_options *o)
{
	const struct service *service = c->session.service;
	uint64_t due = least(o->session_ms, service->session_ms_max);
	uint64_t idle = (uint64_t)c->heard_ms + least(o->idle_ms, service->idle_ms_max);
	if (c->wake_ms)
		idle = c->wake_ms;
	else if (c->session.unsent_len)
		idle = c->sent_ms + o->stalled_ms;
	else if (c->remind_ms && c->remind_ms < idle)
		idle = c->remind_ms;
	return idle < due ? idle : due;
}

static void due_set(struct connection *c)
{
	struct room *r = connection_room(c);
	uint64_t due = next_due_ms(c, r->settings.options);
	wheel_set(&r->wheel, &c->due, c->session.opened_mono_us / 1000 + due);
	room_wheel_changed(r);
}

static void interest_set(struct connection *c)
{
	struct session *s = &c->session;
	uint32_t want = s->unsent_len ? EPOLLOUT : 0;
	if (!want && !c->closing && c->wake_ms == 0 && !relay_full(c) && (s->secure || session_appetite(s)))
		want = EPOLLIN;
	if (c->fd < 0 || want == c->interest)
		return;
	struct epoll_event e = {.events = want, .data.ptr = c};
	epoll_ctl(connection_room(c)->epoll, EPOLL_CTL_MOD, c->fd, &e);
	c->interest = (uint8_t)want;
}

void connection_record(struct connection *c, enum recording_side side, struct bytes said)
{
	struct room *r = connection_room(c);
	const struct passive_options *o = r->settings.options;
	if (!o->record)
		return;
	size_t whole = said.len;
	if (side == RECORDING_OURS && said.len > o->recording_answer_bytes)
		said.len = o->recording_answer_bytes;
	recording_add(&c->recording, age_ms(c), side, said, o->recording_bytes, &r->recordings_left);
	if (said.len < whole)
		recording_omit(&c->recording, age_ms(c), whole - said.len, o->recording_bytes,
		               &r->recordings_left);
}

static bool spend(struct connection *c, size_t n)
{
	struct room *r = connection_room(c);
	return limits_spend(&r->limits, &c->share, n, r->stage.mono_us);
}

/* How much of it the kernel took; -1 when the peer is gone. */
static ssize_t send_some(struct connection *c, struct bytes b)
{
	if (b.len == 0)
		return 0;
	ssize_t n = send(c->fd, b.at, b.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
	c->session.bytes_out += (uint64_t)n;
	c->sent_ms = age_ms(c);
	return n;
}

static bool unsent_keep(struct session *s, struct bytes b)
{
	if (b.len == 0)
		return true;
	uint8_t *grown = realloc(s->unsent, s->unsent_len + b.len);
	if (!grown)
		return false;
	memcpy(grown + s->unsent_len, b.at, b.len);
	s->unsent = grown;
	s->unsent_len += (uint32_t)b.len;
	return true;
}

static void unsent_consume(struct session *s, size_t n)
{
	s->unsent_len -= (uint32_t)n;
	if (s->unsent_len) {
		memmove(s->unsent, s->unsent + n, s->unsent_len);
		return;
	}
	free(s->unsent);
	s->unsent = NULL;
}

bool connection_deliver(struct connection *c, struct bytes b)
{
	struct session *s = &c->session;
	ssize_t n = s->unsent_len ? 0 : send_some(c, b);
	if (n >= 0)
		return unsent_keep(s, (struct bytes){b.at + n, b.len - (size_t)n});
	s->ended = s->ended ? s->ended : SESSION_PEER;
	return true;
}

/* What was said before TLS was agreed on goes out in plain, the rest sealed. */
static bool say_secure(struct connection *c, struct bytes said)
{
	struct session *s = &c->session;
	bool ok = true;
	if (s->secure == SECURE_ASKED) {
		size_t plain = s->plain_len < said.len ? s->plain_len : said.len;
		ok = connection_deliver(c, (struct bytes){said.at, plain});
		said = (struct bytes){said.at + plain, said.len - plain};
		if (!s->ended)
			ok &= connection_secure_start(c);
	}
	if (s->tls && said.len)
		ok &= tls_say(s->tls, said);
	if (s->tls && s->ended == SESSION_SERVER)
		tls_end(s->tls);
	return connection_wire_flush(c, false) && ok;
}

/* Sends what the callback said, or keeps it; false when there is nobody to send it to. */
static bool say(struct connection *c)
{
	struct session *s = &c->session;
	struct buffer *said = &s->stage->said;
	struct bytes b = buffer_bytes(said);
	bool ok = true;
	if (c->fd < 0)
		datagram_say(c, b);
	if (b.len == 0 && s->secure == SECURE_NOT)
		return true;
	if (b.len && !s->service->records_itself)
		connection_record(c, RECORDING_OURS, b);
	ok = spend(c, b.len);
	if (s->secure)
		ok &= say_secure(c, b);
	else if (c->fd >= 0)
		ok &= connection_deliver(c, b);
	buffer_consume(said, b.len);
	if (!ok && !s->ended)
		s->ended = SESSION_LIMIT;
	return !s->ended;
}

/* Counts what it keeps; false when it wants more while all together have their share. */
static bool memory_count(struct connection *c)
{
	struct room *r = connection_room(c);
	const struct session *s = &c->session;
	size_t now = s->arena.used + s->unread_len + s->unsent_len;
	bool more = now > c->held;
	r->held_bytes += now - c->held;
	c->held = now;
	return !more || r->held_bytes <= r->settings.options->memory_bytes;
}

void connection_after(struct connection *c, bool on)
{
	struct session *s = &c->session;
	bool agreed = s->secure == SECURE_ASKED;
	on = say(c) && on;
	if (agreed && on && s->tls) { /* the hello may have come with the request for it */
		on = connection_unseal(c);
		on = say(c) && on;
	}
	if (!memory_count(c)) {
		door_refuse(connection_room(c), REFUSED_MEMORY);
		connection_close(c, SESSION_LIMIT);
		return;
	}
	if (!on && s->ended == SESSION_SERVER && s->unsent_len) {
		c->closing = true; /* the last words are still to be sent */
	} else if (!on) {
		connection_close(c, s->ended);
		return;
	}
	bool sooner = s->unsent_len > 0;
	if (s->remind_ms) {
		c->remind_ms = age_ms(c) + s->remind_ms;
		s->remind_ms = 0;
		sooner = true;
	}
	if (s->delay_ms && !c->closing) {
		c->wake_ms = age_ms(c) + s->delay_ms;
		sooner = true;
	} else {
		c->wake_ms = 0; /* what it waited for has come sooner */
	}
	relay_settle(c);
	if (sooner || !c->due.link)
		due_set(c);
	interest_set(c);
}

void connection_start(struct connection *c)
{
	/* Where TLS begins at once the service begins after it. */
	connection_after(c, c->session.secure || session_begin(&c->session));
}

void connection_hear(struct connection *c, size_t n)
{
	struct session *s = &c->session;
	s->bytes_in += n;
	c->heard_ms = age_ms(c);
	if (!s->secure && !s->service->records_itself)
		connection_record(c, RECORDING_PEER, (struct bytes){stage_receive_at(s->stage), n});
	if (!spend(c, n)) {
		connection_close(c, SESSION_LIMIT);
		return;
	}
	if (s->secure)
		connection_after(c, connection_hear_sealed(c, (struct bytes){stage_receive_at(s->stage), n}));
	else
		connection_after(c, session_feed(s, n));
}

static void connection_read(struct connection *c)
{
	struct session *s = &c->session;
	size_t n = s->secure ? READ_MAX : session_appetite(s);
	ssize_t got =
	        recv(c->fd, stage_receive_at(s->stage), n < READ_MAX ? n : READ_MAX, MSG_DONTWAIT);
	if (got > 0)
		connection_hear(c, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		connection_close(c, SESSION_PEER);
}

static void connection_write(struct connection *c)
{
	struct session *s = &c->session;
	ssize_t n = send_some(c, (struct bytes){s->unsent, s->unsent_len});
	if (n < 0) {
		connection_close(c, SESSION_PEER);
		return;
	}
	if (n > 0)
		unsent_consume(s, (size_t)n);
	relay_settle(c);
	if (c->closing && s->unsent_len == 0)
		connection_close(c, SESSION_SERVER);
	else
		interest_set(c);
}

void connection_ready(struct connection *c, uint32_t events)
{
	room_now(connection_room(c));
	if (events & EPOLLIN && c->interest & EPOLLIN)
		connection_read(c);
	else if (events & (EPOLLERR | EPOLLHUP))
		connection_close(c, SESSION_PEER);
	else if (events & EPOLLOUT)
		connection_write(c);
}

void connection_due(struct connection *c)
{
	struct session *s = &c->session;
	const struct passive_options *o = connection_room(c)->settings.options;
	uint32_t now = age_ms(c);
	if (now < next_due_ms(c, o)) {
		due_set(c);
	} else if (c->wake_ms && now >= c->wake_ms) {
		c->wake_ms = 0;
		bool on = session_wake(s);
		connection_after(c, on && s->tls ? connection_unseal(c) : on);
	} else if (c->remind_ms && now >= c->remind_ms && !c->wake_ms && !s->unsent_len && !c->closing) {
		c->remind_ms = 0;
		bool on = session_wake(s);
		connection_after(c, on && s->tls ? connection_unseal(c) : on);
	} else if (now >= least(o->session_ms, s->service->session_ms_max)) {
		connection_close(c, SESSION_LIMIT);
	} else {
		connection_close(c, SESSION_IDLE);
	}
}

/* Whether the recording went out on its own; its event follows it then. */
static bool recording_send(struct connection *c, struct event *e)
{
	struct room *r = connection_room(c);
	struct bytes b = recording_bytes(&c->recording);
	uint8_t digest[32];
	char text[DIGEST_TEXT];
	if (b.len <= RECORDING_INLINE_MAX) {
		if (b.len)
			event_set_bytes(e, FIELD_RECORDING, b);
		return false;
	}
	digest_sha256(b, digest, text);
	event_set_text(e, FIELD_RECORDING_SHA256, text);
	captures_add(&r->captures, digest, b, e);
	return true;
}

FIELD(FIELD_TYPIST, "typist", TEXT, 0, "who typed: human, bot, unsure");
FIELD(FIELD_TYPIST_SCORE, "typist.score", NUMBER, 0, "0: a program, 100: a human");
FIELD(FIELD_TYPIST_SIGNS, "typist.signs", TEXT, 0, "what speaks for it");
FIELD(FIELD_TYPIST_BEST, "typist.best", NUMBER, 0, "highest score of this source's visits to this device");
FIELD(FIELD_VISITS, "visits", NUMBER, 0, "times that this source has looked at this device's files");

static void tell_verdict(const struct session_verdict *v, struct event *e)
{
	char signs[256];
	struct writer w = writer_of(signs, sizeof signs - 1);
	if (v->judged) {
		typist_write_signs(v->typist.signs, &w);
		*w.at = '\0';
		event_set_text(e, FIELD_TYPIST, typist_name(v->typist.score));
		event_set_number(e, FIELD_TYPIST_SCORE, v->typist.score);
		event_set_text(e, FIELD_TYPIST_SIGNS, signs);
	}
	if (v->visits)
		event_set_number(e, FIELD_VISITS, v->visits);
	if (v->human)
		event_set_number(e, FIELD_TYPIST_BEST, v->human);
}

static void tell_closed(struct connection *c)
{
	static const char *const reasons[] = {[SESSION_OPEN] = "server",
	                                      [SESSION_PEER] = "peer",
	                                      [SESSION_SERVER] = "server",
	                                      [SESSION_IDLE] = "idle",
	                                      [SESSION_LIMIT] = "limit"};
	struct session *s = &c->session;
	struct event *e = session_report(s, EVENT_SESSION_CLOSED);
	s->stage->reporting = NULL;
	event_set_text(e, FIELD_CLOSE_REASON, reasons[s->ended]);
	event_set_number(e, FIELD_DURATION, session_age_us(s));
	event_set_number(e, FIELD_BYTES_IN, s->bytes_in);
	event_set_number(e, FIELD_BYTES_OUT, s->bytes_out);
	event_set_number(e, FIELD_LOGINS, s->logins);
	event_set_number(e, FIELD_COMMANDS, s->commands);
	tell_verdict(&s->verdict, e);
	if (!recording_send(c, e))
		room_publish(connection_room(c), e);
}

void connection_close(struct connection *c, enum session_end why)
{
	struct room *r = connection_room(c);
	struct session *s = &c->session;
	if (s->ended == SESSION_OPEN)
		s->ended = (uint8_t)why;
	data_break(c);
	session_end(s);
	relay_drop(c);
	buffer_consume(&r->stage.said, buffer_len(&r->stage.said)); /* nobody is there to hear it */
	tell_closed(c);
	steering_leave(&r->steering, &s->peer, &s->local, room_ms(r));
	limits_leave(&r->limits, &c->share);
	recording_done(&c->recording, &r->recordings_left);
	wheel_remove(&c->due);
	LIST_REMOVE(c, all);
	r->connection_count--;
	r->held_bytes -= c->held;
	if (c->fd >= 0) {
		const struct linger now = {.l_onoff = 1};
		if (s->resets && s->ended == SESSION_SERVER)
			setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		close(c->fd);
	} else {
		table_remove(&r->datagrams, &c->node);
		r->datagram_count--;
	}
	free(c);
}
