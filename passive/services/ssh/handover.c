/*
 * A channel of the emulator that goes on at the backend, from a command on that the emulator does
 * not know: a shell at a terminal, which is brought to where ours stands, or a command alone.
 */
#include "passive/services/ssh/relay_inner.h"

static void send_request(struct ssh *h, const char *type, bool answer, struct bytes rest)
{
	uint8_t room[8192];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, SSH_CHANNEL_REQUEST);
	write_u32(&w, h->relay->handover.backend);
	write_string_text(&w, type);
	write_u8(&w, answer);
	write_span(&w, rest);
	if (!w.bad)
		relay_say_backend(h, writer_bytes(&w));
}

bool ssh_relay_may_hand_over(const struct ssh *h)
{
	const struct backend *b = session_backend(h->session);
	return b && b->after == BACKEND_UNKNOWN && !h->relay;
}

bool ssh_relay_hand_over(struct ssh *h, struct ssh_channel *c, struct bytes line, size_t said, bool exec)
{
	struct ssh_connection *k = h->connection;
	struct arena *arena = session_arena(h->session);
	struct entry_plan plan = {.mark = session_random(h->session)};
	char prompt[256];
	struct writer w = writer_of(prompt, sizeof prompt);
	bool unknown = k->shell.unknown && !k->shell.pending_len && said <= c->pending_len;
	if (!unknown || (!exec && !c->terminal_asked) || !ssh_relay_ask(h, BACKEND_UNKNOWN))
		return false;
	struct handover *o = &h->relay->handover;
	shell_write_prompt(&k->shell, &w);
	plan.prompt = arena_copy(arena, w.bad ? BYTES("# ") : writer_bytes(&w));
	plan.directory = arena_copy(arena, vfs_cwd(&k->shell.vfs));
	plan.command = o->line = arena_copy(arena, line);
	entry_start(&o->entry, &plan, ENTRY_AT_SHELL);
	o->unsaid = arena_copy(arena, (struct bytes){c->pending + c->pending_at + said, c->pending_len - said});
	o->channel = c;
	o->exec = exec;
	c->pending_len = said;
	return true;
}

void ssh_relay_keep_rest(struct ssh *h, struct bytes rest)
{
	if (h->relay && h->relay->handover.channel)
		h->relay->handover.rest = arena_copy(session_arena(h->session), rest);
}

void handover_open(struct ssh *h)
{
	const struct ssh_channel *c = h->relay->handover.channel;
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, SSH_CHANNEL_OPEN);
	write_string_text(&w, "session");
	write_u32(&w, HANDOVER_NAME);
	write_u32(&w, c->window_out);
	write_u32(&w, c->packet_out < RELAY_PACKET_MAX ? c->packet_out : RELAY_PACKET_MAX);
	relay_say_backend(h, writer_bytes(&w));
}

/* A terminal like the visitor's, then the shell or the command. */
static void start(struct ssh *h)
{
	struct handover *o = &h->relay->handover;
	uint8_t room[SHELL_LINE_MAX + 64];
	struct writer w = writer_of(room, sizeof room);
	if (o->channel->terminal_asked)
		send_request(h, "pty-req", false, o->channel->pty);
	write_string(&w, o->line);
	send_request(h, o->exec ? "exec" : "shell", true, o->exec ? writer_bytes(&w) : (struct bytes){0});
}

static void say(struct ssh *h, struct bytes b)
{
	uint8_t room[ENTRY_SAY_MAX + 16];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, SSH_CHANNEL_DATA);
	write_u32(&w, h->relay->handover.backend);
	write_string(&w, b);
	h->relay->handover.used += (uint32_t)b.len;
	if (b.len)
		relay_say_backend(h, writer_bytes(&w));
}

/* The visitor knows of `known` bytes that it may send, of which the backend grants so many. */
static void settle_window(struct ssh *h, struct relayed_channel *to, uint64_t granted, uint64_t known)
{
	uint8_t room[16];
	struct writer w = writer_of(room, sizeof room);
	to->owed = known > granted ? (uint32_t)(known - granted) : 0;
	write_u8(&w, SSH_WINDOW_ADJUST);
	write_u32(&w, to->visitor);
	write_u32(&w, (uint32_t)(granted - known));
	if (granted > known)
		ssh_send(h, writer_bytes(&w));
}

/* From here on the visitor and the backend speak with each other. */
static void settle(struct ssh *h, struct bytes seen)
{
	struct ssh_relay *k = h->relay;
	struct handover *o = &k->handover;
	struct ssh_channel *c = o->channel;
	struct relayed_channel *to = &k->channels[0];
	uint8_t room[ENTRY_HELD_MAX + 64];
	struct writer w = writer_of(room, sizeof room);
	*to = (struct relayed_channel){.visitor = c->theirs, .shown = c->ours, .named = HANDOVER_NAME, .backend = o->backend,
	                               .open = true, .confirmed = true, .renamed = true,
	                               .shell = !o->exec, .how = o->exec ? "stdin" : NULL};
	c->open = false;
	o->channel = NULL;
	h->waiting = SSH_WAITS_NOT;
	session_relay_begins(h->session);
	settle_window(h, to, (uint64_t)o->granted, (uint64_t)o->used + c->window_in);
	if (o->came > seen.len) { /* what the visitor never saw took nothing of its window */
		write_u8(&w, SSH_WINDOW_ADJUST);
		write_u32(&w, o->backend);
		write_u32(&w, o->came - (uint32_t)seen.len);
		relay_say_backend(h, writer_bytes(&w));
		w = writer_of(room, sizeof room);
	}
	write_u8(&w, SSH_CHANNEL_DATA);
	write_u32(&w, to->visitor);
	write_string(&w, seen);
	session_record(h->session, true, seen);
	if (seen.len)
		ssh_send(h, writer_bytes(&w));
	if (o->rest.len)
		relay_visitor_data(h, to, o->rest);
}

static bool take_data(struct ssh *h, struct bytes b)
{
	struct handover *o = &h->relay->handover;
	uint8_t room[ENTRY_SAY_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct bytes seen;
	o->came += (uint32_t)b.len;
	enum entry_next next = entry_take(&o->entry, b, &seen, &w);
	say(h, writer_bytes(&w));
	if (next == ENTRY_THROUGH)
		settle(h, seen);
	return next != ENTRY_SHUT;
}

static void granted(struct handover *o, uint32_t more)
{
	o->granted = more > UINT32_MAX - o->granted ? UINT32_MAX : o->granted + more;
}

bool handover_take(struct ssh *h, uint8_t message, struct reader *r)
{
	struct handover *o = &h->relay->handover;
	switch (message) {
	case SSH_OPEN_CONFIRMATION:
		o->backend = read_u32(r);
		granted(o, read_u32(r));
		start(h);
		return reader_ok(r);
	case SSH_WINDOW_ADJUST:
		granted(o, read_u32(r));
		return reader_ok(r);
	case SSH_CHANNEL_SUCCESS:
		if (o->exec)
			settle(h, (struct bytes){0});
		return true;
	case SSH_CHANNEL_DATA: {
		struct bytes b = read_string(r);
		return reader_ok(r) && take_data(h, b);
	}
	default: /* it has ended, or was never there */
		return false;
	}
}

enum service_next handover_give_up(struct ssh *h)
{
	struct handover *o = &h->relay->handover;
	struct ssh_channel *c = o->channel;
	enum service_next next = SERVICE_CONTINUE;
	o->channel = NULL;
	h->connection->speaking = c;
	channel_say(h, c, o->unsaid);
	session_record(h->session, true, o->unsaid);
	if (o->exec)
		channel_end(c, 127);
	else
		shell_prompt(&h->connection->shell);
	if (o->rest.len)
		next = program_input(h, c, o->rest);
	channel_flush(h, c);
	return next;
}
