/* What a service may do with the real machine behind its decoy. */
#include "passive/relay/relay.h"
#include "passive/room/session_inner.h"

FIELD(FIELD_BACKEND, "backend", TEXT, 0, "machine behind a decoy that a session was handed to: address, port");
FIELD(FIELD_BACKEND_AFTER, "backend.after", TEXT, 0, "what it was handed over after: always, login, unknown");

const struct backend *session_backend(const struct session *s)
{
	const struct persona_service *of =
		s->persona && s->stage->relay && s->transport == TRANSPORT_TCP ? persona_service(s->persona, s->service) : NULL;
	return of ? of->backend : NULL;
}

bool session_relay(struct session *s)
{
	return session_backend(s) && s->stage->relay->open(s);
}

void session_relay_say(struct session *s, struct bytes b)
{
	if (s->stage->relay && b.len)
		s->stage->relay->say(s, b);
}

void session_relay_end(struct session *s)
{
	if (s->stage->relay)
		s->stage->relay->drop(s);
}

void session_relay_hold(struct session *s, bool held)
{
	s->relay_held = held;
}

void session_relay_begins(struct session *s)
{
	static const char *const afters[] = {"always", "login", "unknown"};
	const struct backend *b = session_backend(s);
	char address[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX + 16];
	s->relayed = true;
	session_delay_over(s);
	if (!b)
		return;
	snprintf(text, sizeof text, "%s port %llu", address_format(&b->address, address), (unsigned long long)b->port);
	struct event *e = session_report(s, EVENT_HOST_STEERED);
	event_set_text(e, FIELD_BACKEND, text);
	event_set_text(e, FIELD_BACKEND_AFTER, afters[b->after]);
}

size_t session_said(const struct session *s)
{
	return buffer_len(&s->stage->said);
}

struct bytes session_said_since(const struct session *s, size_t said)
{
	struct bytes all = buffer_bytes(&s->stage->said);
	return said < all.len ? (struct bytes){all.at + said, all.len - said} : (struct bytes){0};
}

void session_unsay(struct session *s, size_t said)
{
	struct buffer *b = &s->stage->said;
	if (said < buffer_len(b))
		b->end = b->at + said;
}
