/*
 * TLS of a connection: between the bytes of the wire and those that the service sees.
 *
 * What is recorded are the plain bytes.  A handshake is the dearest thing that a peer can ask
 * for, so it counts as many bytes against its source, and all together may have so many a second.
 */
#include "passive/room/room_inner.h"
#include "passive/device/tls/seal.h"
#include <stdlib.h>

#define READ_MAX 16384
#define WRAPPED_MAX (64u << 10)

FIELD(FIELD_TLS_JA3, "tls.ja3", TEXT, 0, "digest of what the client's hello offers, JA3");
FIELD(FIELD_TLS_JA4, "tls.ja4", TEXT, 0, "the same, JA4");
FIELD(FIELD_TLS_NAME, "tls.name", BYTES, 0, "name of the server that it asked for (SNI)");
FIELD(FIELD_TLS_ALPN, "tls.alpn", BYTES, 0, "protocols that it offers, with commas");
FIELD(FIELD_TLS_VERSION, "tls.version", TEXT, 0, "version agreed on; absent: none was");
FIELD(FIELD_TLS_CIPHER, "tls.cipher", TEXT, 0, "cipher suite agreed on");

static const struct tls_terms *terms_of(const struct session *s)
{
	const struct persona_service *of = s->persona ? persona_service(s->persona, s->service) : NULL;
	if (of && of->tls)
		return of->tls;
	return s->persona ? s->persona->tls : NULL;
}

bool connection_secure_start(struct connection *c)
{
	struct session *s = &c->session;
	struct room *r = connection_room(c);
	struct persona_look look;
	s->secure = SECURE_ON;
	if (!limits_handshake(&r->limits, &c->share, r->stage.mono_us))
		return false;
	session_look(s, &look);
	s->tls = tls_new(&r->tls, terms_of(s), &look, s->service->alpn, s->framing != NULL);
	if (!s->tls)
		return false;
	if (s->unread_len && !s->framing) {
		int bad = tls_hear(s->tls, (struct bytes){s->unread, s->unread_len});
		free(s->unread);
		s->unread = NULL;
		s->unread_len = 0;
		return !bad;
	}
	return true;
}

static void tell_greeting(struct connection *c)
{
	struct session *s = &c->session;
	const struct tls_greeting *g = tls_greeting(s->tls);
	if (!g || !g->whole)
		return;
	struct event *e = session_report(s, EVENT_CLIENT_SEEN);
	s->stage->reporting = NULL;
	event_set_text(e, FIELD_TLS_JA3, g->hello.ja3);
	event_set_text(e, FIELD_TLS_JA4, g->hello.ja4);
	if (g->hello.name.len)
		event_set_bytes(e, FIELD_TLS_NAME, g->hello.name);
	if (g->alpn_len)
		event_set_bytes(e, FIELD_TLS_ALPN, (struct bytes){g->alpn, g->alpn_len});
	if (g->version)
		event_set_text(e, FIELD_TLS_VERSION, g->version);
	if (g->cipher)
		event_set_text(e, FIELD_TLS_CIPHER, g->cipher);
	room_publish(connection_room(c), e);
}

bool connection_wire_flush(struct connection *c, bool shaking)
{
	struct session *s = &c->session;
	struct buffer *wire = &connection_room(c)->tls.wire;
	struct bytes b = buffer_bytes(wire);
	uint8_t *room = NULL;
	bool ok = true;
	if (s->framing && shaking && b.len) {
		struct writer w = writer_of(room = malloc(WRAPPED_MAX), WRAPPED_MAX);
		if (room)
			s->framing->wrap(b, &w);
		ok = room && !w.bad;
		b = writer_bytes(&w);
	}
	ok = ok && connection_deliver(c, b);
	free(room);
	buffer_consume(wire, buffer_len(wire));
	return ok;
}

/* What the service's packets hold is for OpenSSL, one packet at a time; behind the handshake all is. */
static bool unwrap(struct session *s)
{
	struct reader r = reader_of(s->unread, s->unread_len);
	struct bytes b = {0};
	bool ok = true;
	if (tls_state(s->tls) == TLS_OPEN)
		b = read_bytes(&r, reader_left(&r));
	else if (!s->framing->unwrap(&r, &b))
		return true;
	ok = b.len && tls_hear(s->tls, b) == 0;
	size_t left = reader_left(&r);
	if (left)
		memmove(s->unread, r.at, left);
	s->unread_len = (uint32_t)left;
	if (left == 0) {
		free(s->unread);
		s->unread = NULL;
	}
	return ok;
}

/* One step of the handshake; whether the session goes on. */
static bool shake(struct connection *c, bool *more)
{
	struct session *s = &c->session;
	uint32_t wrapped = s->framing ? s->unread_len : 0;
	if (wrapped && !unwrap(s))
		return false;
	tls_shake(s->tls);
	tell_greeting(c);
	bool ok = connection_wire_flush(c, true);
	bool open = tls_state(s->tls) == TLS_OPEN;
	*more = open || (wrapped && s->unread_len < wrapped);
	if (open && s->framing && s->unread_len)
		ok &= unwrap(s);
	return ok && tls_state(s->tls) != TLS_ENDED;
}

/* Plain bytes for the service; *more: there may be others. */
static bool read_plain(struct connection *c, bool *more)
{
	struct session *s = &c->session;
	size_t room = session_appetite(s);
	size_t n = tls_read(s->tls, stage_receive_at(s->stage), room < READ_MAX ? room : READ_MAX);
	bool ok = connection_wire_flush(c, false);
	*more = n > 0;
	if (n == 0)
		return ok && tls_state(s->tls) == TLS_OPEN;
	connection_record(c, RECORDING_PEER, (struct bytes){stage_receive_at(s->stage), n});
	return session_feed(s, n) && ok;
}

bool connection_unseal(struct connection *c)
{
	struct session *s = &c->session;
	bool on = true, more = true;
	while (on && more && !s->delay_ms && !c->wake_ms) {
		if (tls_state(s->tls) != TLS_OPEN)
			on = shake(c, &more);
		else if (!s->begun)
			on = session_begin(s);
		else
			on = read_plain(c, &more);
	}
	if (!on && !s->ended)
		s->ended = SESSION_PEER;
	return on;
}

static bool wrapped_keep(struct session *s, struct bytes b)
{
	uint8_t *grown = b.len + s->unread_len <= 4 * READ_MAX ? realloc(s->unread, s->unread_len + b.len) : NULL;
	if (!grown)
		return false;
	memcpy(grown + s->unread_len, b.at, b.len);
	s->unread = grown;
	s->unread_len += (uint32_t)b.len;
	return true;
}

bool connection_hear_sealed(struct connection *c, struct bytes b)
{
	struct session *s = &c->session;
	bool ok = s->tls || connection_secure_start(c);
	bool wraps = ok && s->framing && tls_state(s->tls) == TLS_WAITING;
	ok = ok && (wraps ? wrapped_keep(s, b) : tls_hear(s->tls, b) == 0);
	if (!ok && !s->ended)
		s->ended = SESSION_LIMIT;
	return ok && connection_unseal(c);
}
