/* The worker's side of the relay: one channel for each session that goes on at a backend. */
#include "passive/relay/relay.h"
#include "passive/room/room_inner.h"
#include <stdlib.h>

struct relay_channel {
	LIST_ENTRY(relay_channel) all;
	struct room *room;
	struct connection *owner; /* NULL: the session is over, or gave it up */
	uint32_t number;
	bool over;         /* the relay has said its last */
	unsigned saying;   /* requests that are not answered yet */
	size_t unanswered; /* bytes of them */
	size_t untold;     /* of the backend's bytes, those that are not reported as taken */
	bool late_open, late_end;
	struct buffer late; /* came while the room was frozen */
};

struct said {
	struct relay_channel *channel;
	size_t len;
};

static void channel_free_when_done(struct relay_channel *ch)
{
	if (ch->owner || !ch->over || ch->saying)
		return;
	LIST_REMOVE(ch, all);
	buffer_done(&ch->late);
	free(ch);
}

static void tell(struct relay_channel *ch, enum relay_event what, struct bytes came)
{
	struct connection *c = ch->owner;
	struct session *s = &c->session;
	room_now(ch->room);
	c->heard_ms = (uint32_t)(session_age_us(s) / 1000);
	ch->untold += came.len;
	if (what == RELAY_ENDED)
		relay_drop(c);
	bool on = session_tell_relay(s, what, came);
	connection_after(c, on && s->tls ? connection_unseal(c) : on);
}

static void on_part(void *arg, int status, struct bytes payload, bool more)
{
	struct relay_channel *ch = arg;
	ch->over = !more;
	if (!ch->owner) {
		channel_free_when_done(ch);
		return;
	}
	if (ch->room->frozen) {
		ch->late_open |= more && payload.len == 0;
		ch->late_end |= !more;
		if (buffer_append(&ch->late, payload.at, payload.len))
			ch->late_end = true;
		return;
	}
	(void)status;
	tell(ch, !more ? RELAY_ENDED : payload.len ? RELAY_CAME : RELAY_OPENED, payload);
}

/* The next thing that came late; afterwards nothing is sure but the list. */
static bool tell_late(struct room *r)
{
	struct relay_channel *ch;
	LIST_FOREACH(ch, &r->relays, all) {
		if (ch->owner && ch->late_open) {
			ch->late_open = false;
			tell(ch, RELAY_OPENED, (struct bytes){0});
			return true;
		}
		if (ch->owner && buffer_len(&ch->late)) {
			struct buffer late = ch->late;
			ch->late = BUFFER(2 * RELAY_WINDOW);
			tell(ch, RELAY_CAME, buffer_bytes(&late));
			buffer_done(&late);
			return true;
		}
		if (ch->owner && ch->late_end) {
			tell(ch, RELAY_ENDED, (struct bytes){0});
			return true;
		}
	}
	return false;
}

void relay_thaw(struct room *r)
{
	while (!r->frozen && tell_late(r))
		;
}

static int ask(struct relay_channel *ch, const char *topic, struct bytes more, bus_answer_f *answer, void *arg)
{
	struct buffer all = BUFFER(4 + BUS_PAYLOAD_MAX);
	uint8_t *room = buffer_room(&all, 4 + more.len);
	if (!room)
		return ERR_MEMORY;
	struct writer w = writer_of(room, 4 + more.len);
	write_u32(&w, ch->number);
	write_span(&w, more);
	int bad = bus_request(ch->room->bus, "relay", topic, writer_bytes(&w), answer, arg);
	buffer_done(&all);
	return bad;
}

bool relay_open(struct connection *c)
{
	struct room *r = connection_room(c);
	struct session *s = &c->session;
	uint8_t names[128];
	struct writer w = writer_of(names, sizeof names);
	struct relay_channel *ch = c->relay ? NULL : calloc(1, sizeof *ch);
	if (!ch)
		return false;
	*ch = (struct relay_channel){.room = r, .owner = c, .number = ++r->relay_number,
	                             .late = BUFFER(2 * RELAY_WINDOW)};
	write_u8(&w, (uint8_t)strlen(s->persona->name));
	write_text(&w, s->persona->name);
	write_text(&w, s->service->name);
	if (w.bad || ask(ch, "relay.open", writer_bytes(&w), on_part, ch)) {
		free(ch);
		return false;
	}
	LIST_INSERT_HEAD(&r->relays, ch, all);
	c->relay = ch;
	return true;
}

static void on_said(void *arg, int status, struct bytes payload, bool more)
{
	struct said *said = arg;
	struct relay_channel *ch = said->channel;
	(void)status; /* a backend that is gone is told by the last part */
	(void)payload;
	if (more)
		return;
	bool was_full = ch->unanswered >= RELAY_WINDOW;
	ch->saying--;
	ch->unanswered -= said->len;
	free(said);
	if (ch->owner && was_full && ch->unanswered < RELAY_WINDOW && !ch->room->frozen)
		connection_after(ch->owner, true); /* the visitor is read again */
	else
		channel_free_when_done(ch);
}

void relay_say(struct connection *c, struct bytes b)
{
	struct relay_channel *ch = c->relay;
	while (ch && !ch->over && b.len) {
		struct bytes part = {b.at, b.len < RELAY_PART_MAX ? b.len : RELAY_PART_MAX};
		struct said *said = malloc(sizeof *said);
		if (!said)
			return;
		*said = (struct said){ch, part.len};
		if (ask(ch, "relay.say", part, on_said, said)) {
			free(said);
			return;
		}
		ch->saying++;
		ch->unanswered += part.len;
		b.at += part.len;
		b.len -= part.len;
	}
}

bool relay_full(const struct connection *c)
{
	return c->relay && c->relay->unanswered >= RELAY_WINDOW;
}

void relay_settle(struct connection *c)
{
	struct relay_channel *ch = c->relay;
	uint8_t count[4];
	struct writer w = writer_of(count, sizeof count);
	if (!ch || ch->untold == 0 || c->session.unsent_len || c->session.relay_held)
		return;
	write_u32(&w, (uint32_t)ch->untold);
	if (ask(ch, "relay.took", writer_bytes(&w), NULL, NULL) == 0)
		ch->untold = 0;
}

void relay_drop(struct connection *c)
{
	struct relay_channel *ch = c->relay;
	if (!ch)
		return;
	c->relay = NULL;
	ch->owner = NULL;
	if (!ch->over)
		ask(ch, "relay.end", (struct bytes){0}, NULL, NULL);
	channel_free_when_done(ch);
}
