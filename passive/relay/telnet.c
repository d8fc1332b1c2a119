#include "passive/relay/telnet.h"
#include "passive/relay/relay.h"

#define SLICE 4096

struct telnet_relay {
	struct telnet_end visitor, backend;
	struct watch watch;
	bool raw, through;
	struct entry entry; /* last: without a plan there is none */
};

struct telnet_relay *telnet_relay_ask(struct session *s, const struct entry_plan *plan)
{
	size_t size = plan ? sizeof(struct telnet_relay) : offsetof(struct telnet_relay, entry);
	struct telnet_relay *t = arena_alloc(session_arena(s), size);
	if (!t || !session_relay(s))
		return NULL;
	memset(t, 0, offsetof(struct telnet_relay, entry));
	t->raw = !plan;
	if (plan)
		entry_start(&t->entry, plan, ENTRY_AT_NAME);
	else
		t->watch.login = WATCH_NAME;
	session_delay(s, RELAY_WAIT_MS);
	return t;
}

static void show(struct session *s, struct telnet_relay *t, struct bytes text)
{
	uint8_t room[2 * SLICE];
	watch_output(&t->watch, s, text);
	while (text.len) {
		struct bytes some = {text.at, text.len < SLICE ? text.len : SLICE};
		struct writer w = writer_of(room, sizeof room);
		telnet_write_text(some, &w);
		session_say_bytes(s, writer_bytes(&w));
		text = (struct bytes){text.at + some.len, text.len - some.len};
	}
}

static enum entry_next enter(struct session *s, struct telnet_relay *t, struct bytes text)
{
	uint8_t room[ENTRY_SAY_MAX];
	struct writer say = writer_of(room, sizeof room);
	struct bytes seen;
	enum entry_next next = entry_take(&t->entry, text, &seen, &say);
	session_relay_say(s, writer_bytes(&say));
	if (next == ENTRY_THROUGH) {
		t->through = true;
		session_relay_begins(s);
		show(s, t, seen);
	}
	return next;
}

static enum telnet_relayed came_text(struct session *s, struct telnet_relay *t, struct bytes came)
{
	uint8_t text_room[SLICE], answer_room[SLICE + 3];
	while (came.len) {
		struct bytes some = {came.at, came.len < SLICE ? came.len : SLICE};
		struct writer text = writer_of(text_room, sizeof text_room), answers = writer_of(answer_room, sizeof answer_room);
		came = (struct bytes){came.at + some.len, came.len - some.len};
		telnet_end_take(&t->backend, some, &text, t->raw ? NULL : &answers);
		session_relay_say(s, writer_bytes(&answers));
		struct bytes b = writer_bytes(&text);
		if (t->raw)
			watch_output(&t->watch, s, b);
		else if (t->through)
			show(s, t, b);
		else if (enter(s, t, b) == ENTRY_SHUT)
			return TELNET_RELAY_FAILED;
	}
	return TELNET_RELAY_ON;
}

enum telnet_relayed telnet_relay_hear(struct session *s, struct telnet_relay *t, enum relay_event what, struct bytes came)
{
	if (what == RELAY_ENDED)
		return t->through ? TELNET_RELAY_OVER : TELNET_RELAY_FAILED;
	if (what == RELAY_OPENED) {
		if (t->raw) {
			t->through = true;
			session_relay_begins(s);
		}
		return TELNET_RELAY_ON;
	}
	if (t->raw)
		session_say_bytes(s, came);
	return came_text(s, t, came);
}

void telnet_relay_input(struct session *s, struct telnet_relay *t, struct bytes input)
{
	uint8_t text_room[SLICE], out_room[2 * SLICE];
	if (t->raw)
		session_relay_say(s, input);
	while (input.len) {
		struct bytes some = {input.at, input.len < SLICE ? input.len : SLICE};
		struct writer text = writer_of(text_room, sizeof text_room), out = writer_of(out_room, sizeof out_room);
		input = (struct bytes){input.at + some.len, input.len - some.len};
		telnet_end_take(&t->visitor, some, &text, NULL);
		watch_input(&t->watch, s, writer_bytes(&text));
		telnet_write_text(writer_bytes(&text), &out);
		if (!t->raw)
			session_relay_say(s, writer_bytes(&out));
	}
}

bool telnet_relay_is_through(const struct telnet_relay *t)
{
	return t && t->through;
}

void telnet_relay_close(struct session *s, struct telnet_relay *t)
{
	watch_end(&t->watch, s);
}
