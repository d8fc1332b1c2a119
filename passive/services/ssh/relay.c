#include "passive/services/ssh/relay_inner.h"

#define HELD_MAX (512u << 10) /* of the backend, while the visitor's keys are changed */
#define STDIN_MAX (1u << 20)  /* of one channel, kept as a file */
#define STDIN_FIRST 4096
#define HELLO_MAX 4096

void relay_say_backend(struct ssh *h, struct bytes payload)
{
	uint8_t sealed[SSH_SEALED_MAX];
	struct writer w = writer_of(sealed, sizeof sealed);
	if (peer_send(&h->relay->peer, payload, &w))
		session_relay_say(h->session, writer_bytes(&w));
}

bool ssh_relay_is_through(const struct ssh *h)
{
	return h->relay && h->relay->way == RELAY_THROUGH;
}

bool ssh_relay_ask(struct ssh *h, enum backend_after after)
{
	const struct backend *b = session_backend(h->session);
	/* There is no byte of SSH before the log-in that a backend could be asked for. */
	bool wanted = b && !h->relay && (b->after == BACKEND_UNKNOWN) == (after == BACKEND_UNKNOWN);
	struct ssh_relay *k = wanted ? arena_alloc(session_arena(h->session), sizeof *k) : NULL;
	if (!k || !session_relay(h->session))
		return false;
	*k = (struct ssh_relay){.came = BUFFER(HELD_MAX),
	                        .peer = {.cipher = "aes128-ctr", .mac = "hmac-sha2-256", .secret = k->secret}};
	ssh_random(h, k->secret, sizeof k->secret);
	if (!bytes_copy_text(h->version, k->version, sizeof k->version))
		snprintf(k->version, sizeof k->version, "SSH-2.0-OpenSSH_9.2p1");
	k->peer.version = k->version;
	h->relay = k;
	h->waiting = SSH_WAITS_BACKEND;
	session_delay(h->session, 2 * RELAY_WAIT_MS);
	return true;
}

enum service_next ssh_relay_give_up(struct ssh *h)
{
	session_relay_end(h->session);
	session_delay_over(h->session);
	h->waiting = SSH_WAITS_NOT;
	h->relay->way = RELAY_AT_KEYS;
	return h->relay->handover.channel ? handover_give_up(h) : SERVICE_CONTINUE;
}

static void log_in(struct ssh *h)
{
	const struct backend *b = session_backend(h->session);
	uint8_t room[512];
	struct writer w = writer_of(room, sizeof room);
	peer_write_service(&w);
	relay_say_backend(h, writer_bytes(&w));
	w = writer_of(room, sizeof room);
	peer_write_password(&w, b->user, b->password);
	relay_say_backend(h, writer_bytes(&w));
	h->relay->way = RELAY_AT_LOGIN;
}

/* 1: a step was made, 0: more must come, -1: it is no server that we can speak with. */
static int agree(struct ssh *h, struct reader *r)
{
	uint8_t room[HELLO_MAX];
	struct writer w = writer_of(room, sizeof room);
	int agreed = peer_agree(&h->relay->peer, r, &w);
	session_relay_say(h->session, writer_bytes(&w));
	if (agreed == 1)
		log_in(h);
	return agreed;
}

static int logged_in(struct ssh *h, struct bytes payload)
{
	switch (payload.len ? payload.at[0] : 0) {
	case SSH_AUTH_SUCCESS:
		h->relay->way = RELAY_THROUGH;
		if (h->relay->handover.channel) {
			handover_open(h);
			return 1;
		}
		h->waiting = SSH_WAITS_NOT;
		session_relay_begins(h->session);
		return 1;
	case SSH_AUTH_FAILURE:
	case SSH_DISCONNECT:
		return -1;
	default: /* banners, EXT_INFO, that the service is there */
		return 1;
	}
}

/* Channel messages begin with the recipient's number. */
static void pass_on(struct ssh *h, bool to_visitor, struct bytes payload, uint32_t recipient)
{
	uint8_t room[SSH_PAYLOAD_MAX];
	struct writer w = writer_of(room, sizeof room);
	write_bytes(&w, payload.at, 1);
	write_u32(&w, recipient);
	write_bytes(&w, payload.at + 5, payload.len - 5);
	if (w.bad)
		return;
	if (to_visitor)
		ssh_send(h, writer_bytes(&w));
	else
		relay_say_backend(h, writer_bytes(&w));
}

static struct relayed_channel *channel_of(struct ssh *h, bool of_visitor, uint32_t number)
{
	for (size_t i = 0; i < SSH_CHANNELS_MAX; i++) {
		struct relayed_channel *c = &h->relay->channels[i];
		if (c->open && (of_visitor ? c->confirmed && c->shown == number : c->named == number))
			return c;
	}
	return NULL;
}

static void channel_over(struct ssh *h, struct relayed_channel *c)
{
	if (c->how && c->input_len)
		session_capture(h->session, (struct bytes){c->input, c->input_len}, (struct bytes){0}, (struct bytes){0}, c->how);
	c->input_len = 0;
	c->how = NULL;
	c->open = false;
}

static void keep_input(struct ssh *h, struct relayed_channel *c, struct bytes b)
{
	size_t left = STDIN_MAX - c->input_len, n = b.len < left ? b.len : left, room = c->input_room ? c->input_room : STDIN_FIRST;
	while (room < c->input_len + n)
		room *= 2;
	if (room > c->input_room) {
		uint8_t *at = arena_alloc(session_arena(h->session), room);
		if (!at)
			return;
		if (c->input_len)
			memcpy(at, c->input, c->input_len);
		c->input = at;
		c->input_room = room;
	}
	memcpy(c->input + c->input_len, b.at, n);
	c->input_len += n;
}

static void refuse_open(struct ssh *h, bool to_visitor, uint32_t number)
{
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, SSH_OPEN_FAILURE);
	write_u32(&w, number);
	write_u32(&w, 1); /* administratively prohibited */
	write_string_text(&w, "open failed");
	write_string_text(&w, "");
	if (to_visitor)
		ssh_send(h, writer_bytes(&w));
	else
		relay_say_backend(h, writer_bytes(&w));
}

/* What it is to forward goes nowhere: it might lead to other backends. */
static void open_asked(struct ssh *h, struct bytes payload)
{
	struct reader r = reader_of(payload.at + 1, payload.len - 1);
	struct bytes type = read_string(&r);
	uint32_t number = read_u32(&r), window = read_u32(&r), packet = read_u32(&r);
	struct relayed_channel *c = NULL;
	for (size_t i = 0; i < SSH_CHANNELS_MAX && !c; i++)
		if (!h->relay->channels[i].open)
			c = &h->relay->channels[i];
	if (!reader_ok(&r))
		return;
	if (bytes_equal_text(type, "direct-tcpip"))
		ssh_tell_forward(h, "direct-tcpip", &r);
	if (!c || !bytes_equal_text(type, "session") || channel_of(h, false, number)) {
		refuse_open(h, true, number);
		return;
	}
	const struct backend *b = session_backend(h->session);
	bool renamed = b && b->after == BACKEND_UNKNOWN;
	*c = (struct relayed_channel){.open = true, .visitor = number, .named = number, .renamed = renamed,
	                              .shown = (uint32_t)(SSH_CHANNELS_MAX + (c - h->relay->channels)), .input = c->input,
	                              .input_room = c->input_room, .watch = {.terminal = {.line = c->watch.terminal.line,
	                              .room = c->watch.terminal.room}}};
	uint8_t room[64];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, SSH_CHANNEL_OPEN);
	write_string(&w, type);
	write_u32(&w, number);
	write_u32(&w, window);
	write_u32(&w, packet < RELAY_PACKET_MAX ? packet : RELAY_PACKET_MAX);
	relay_say_backend(h, writer_bytes(&w));
}

static void program_asked(struct ssh *h, struct relayed_channel *c, struct bytes payload)
{
	struct reader r = reader_of(payload.at + 5, payload.len - 5);
	struct bytes type = read_string(&r);
	read_flag(&r);
	bool exec = bytes_equal_text(type, "exec"), subsystem = bytes_equal_text(type, "subsystem");
	struct bytes what = exec || subsystem ? read_string(&r) : (struct bytes){0};
	if (bytes_equal_text(type, "shell"))
		c->shell = true;
	if (bytes_equal_text(type, "pty-req"))
		c->watch.terminal.plain = false;
	if (!reader_ok(&r) || (!exec && !subsystem))
		return;
	char line[512];
	snprintf(line, sizeof line, "subsystem %.*s", (int)(what.len < 256 ? what.len : 256), (const char *)what.at);
	struct event *e = session_report(h->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, exec ? what : bytes_of_text(line));
	session_record(h->session, false, exec ? what : bytes_of_text(line));
	session_record(h->session, false, BYTES("\n"));
	c->how = exec ? "stdin" : "sftp";
}

void relay_visitor_data(struct ssh *h, struct relayed_channel *c, struct bytes b)
{
	uint8_t room[SSH_PAYLOAD_MAX];
	struct writer w = writer_of(room, sizeof room);
	if (c->shell) {
		session_record(h->session, false, b);
		watch_input(&c->watch, h->session, b);
	}
	write_u8(&w, SSH_CHANNEL_DATA);
	write_u32(&w, c->backend);
	write_string(&w, b);
	if (!w.bad)
		relay_say_backend(h, writer_bytes(&w));
}

static void watch_visitor(struct ssh *h, struct relayed_channel *c, uint8_t message, struct bytes payload)
{
	struct reader r = reader_of(payload.at + 5, payload.len - 5);
	if (message == SSH_CHANNEL_REQUEST)
		program_asked(h, c, payload);
	if (message == SSH_CHANNEL_CLOSE)
		c->visitor_closed = true;
	if (message != SSH_CHANNEL_DATA)
		return;
	struct bytes data = read_string(&r);
	if (!reader_ok(&r))
		return;
	if (c->shell) {
		session_record(h->session, false, data);
		watch_input(&c->watch, h->session, data);
	} else if (c->how) {
		keep_input(h, c, data);
	}
}

enum service_next ssh_relay_take(struct ssh *h, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	uint8_t message = read_u8(&r);
	if (message == SSH_CHANNEL_OPEN) {
		open_asked(h, payload);
		return SERVICE_CONTINUE;
	}
	if (message < SSH_WINDOW_ADJUST || message > SSH_CHANNEL_FAILURE)
		return ssh_connection_take(h, message, &r);
	uint32_t number = read_u32(&r);
	struct relayed_channel *c = channel_of(h, true, number);
	if (reader_ok(&r) && !c && number < SSH_CHANNELS_MAX && h->connection->channels[number]) {
		struct reader whole = reader_of(payload.at + 1, payload.len - 1);
		return ssh_connection_take(h, message, &whole); /* the emulator's still */
	}
	if (!reader_ok(&r) || !c)
		return ssh_disconnect(h, "Received packet for nonexistent channel");
	watch_visitor(h, c, message, payload);
	pass_on(h, false, payload, c->backend);
	if (c->visitor_closed && c->backend_closed)
		channel_over(h, c);
	return SERVICE_CONTINUE;
}

static void watch_backend(struct ssh *h, struct relayed_channel *c, uint8_t message, struct reader *r)
{
	if (message == SSH_OPEN_CONFIRMATION) {
		c->backend = read_u32(r);
		c->shown = c->renamed ? c->shown : c->backend;
		c->confirmed = reader_ok(r);
	}
	if (message == SSH_CHANNEL_CLOSE)
		c->backend_closed = true;
	if (message == SSH_CHANNEL_EXTENDED)
		read_u32(r);
	if (message != SSH_CHANNEL_DATA && message != SSH_CHANNEL_EXTENDED)
		return;
	struct bytes data = read_string(r);
	if (!reader_ok(r))
		return;
	if (c->shell)
		watch_output(&c->watch, h->session, data);
	session_record(h->session, true, data);
}

static void pass_confirmation(struct ssh *h, const struct relayed_channel *c, struct reader *r)
{
	uint8_t room[32];
	struct writer w = writer_of(room, sizeof room);
	write_u8(&w, SSH_OPEN_CONFIRMATION);
	write_u32(&w, c->visitor);
	write_u32(&w, c->shown);
	write_span(&w, read_bytes(r, 8)); /* window, packet */
	ssh_send(h, writer_bytes(&w));
}

/* The visitor may already send what the emulator has granted. */
static void pass_grant(struct ssh *h, struct relayed_channel *c, struct reader *r)
{
	uint8_t room[16];
	struct writer w = writer_of(room, sizeof room);
	uint32_t more = read_u32(r), known = more < c->owed ? more : c->owed;
	c->owed -= known;
	write_u8(&w, SSH_WINDOW_ADJUST);
	write_u32(&w, c->visitor);
	write_u32(&w, more - known);
	if (more > known)
		ssh_send(h, writer_bytes(&w));
}

/* One message of the backend, where both are through. */
static enum service_next take_backend(struct ssh *h, struct bytes payload)
{
	struct reader r = reader_of_bytes(payload);
	uint8_t message = read_u8(&r);
	if (message == SSH_GLOBAL_REQUEST) { /* its own host keys are not the device's */
		read_string(&r);
		if (read_flag(&r) && reader_ok(&r))
			relay_say_backend(h, BYTES("\x52"));
		return SERVICE_CONTINUE;
	}
	if (message == SSH_CHANNEL_OPEN) { /* for forwarding that nobody was let have */
		read_string(&r);
		refuse_open(h, false, read_u32(&r));
		return SERVICE_CONTINUE;
	}
	if (message == SSH_DISCONNECT || message == SSH_KEXINIT)
		return SERVICE_CLOSE;
	if (message < SSH_OPEN_CONFIRMATION || message > SSH_CHANNEL_FAILURE)
		return SERVICE_CONTINUE;
	uint32_t number = read_u32(&r);
	if (number == HANDOVER_NAME && h->relay->handover.channel) {
		if (handover_take(h, message, &r))
			return SERVICE_CONTINUE;
		h->relay->way = RELAY_AT_LOGIN; /* not through after all */
		return SERVICE_CLOSE;
	}
	struct relayed_channel *c = channel_of(h, false, number);
	if (!reader_ok(&r) || !c)
		return SERVICE_CONTINUE;
	if (message == SSH_WINDOW_ADJUST && c->owed) {
		pass_grant(h, c, &r);
		return SERVICE_CONTINUE;
	}
	watch_backend(h, c, message, &r);
	if (message == SSH_OPEN_CONFIRMATION && c->renamed)
		pass_confirmation(h, c, &r);
	else
		pass_on(h, true, payload, c->visitor);
	if (message == SSH_OPEN_FAILURE || (c->visitor_closed && c->backend_closed))
		channel_over(h, c);
	return SERVICE_CONTINUE;
}

/* While the visitor's keys are changed nothing else may be said to it (RFC 4253 7.1). */
static bool may_speak(const struct ssh *h)
{
	return h->relay->way != RELAY_THROUGH || !h->kex.ours || h->kex.answered;
}

/* 1: a step was made, 0: more must come, -1: it is over. */
static int step(struct ssh *h, struct reader *r)
{
	uint8_t room[SSH_SEALED_MAX];
	struct bytes payload;
	if (h->relay->way == RELAY_AT_KEYS)
		return agree(h, r);
	enum flow_opened opened = peer_receive(&h->relay->peer, r, room, &payload);
	if (opened != FLOW_PACKET)
		return opened == FLOW_MORE ? 0 : -1;
	if (h->relay->way == RELAY_AT_LOGIN)
		return logged_in(h, payload);
	return take_backend(h, payload) == SERVICE_CLOSE ? -1 : 1;
}

enum service_next ssh_relay_go_on(struct ssh *h)
{
	struct ssh_relay *k = h->relay;
	int made = 1;
	while (made == 1 && buffer_len(&k->came) && may_speak(h)) {
		struct bytes b = buffer_bytes(&k->came);
		struct reader r = reader_of_bytes(b);
		made = step(h, &r);
		buffer_consume(&k->came, (size_t)(r.at - b.at));
	}
	session_relay_hold(h->session, !may_speak(h));
	if (made >= 0)
		return SERVICE_CONTINUE;
	return k->way == RELAY_THROUGH ? SERVICE_CLOSE : ssh_relay_give_up(h);
}

enum service_next ssh_relay_hear(struct ssh *h, enum relay_event what, struct bytes came)
{
	uint8_t hello[HELLO_MAX];
	struct writer w = writer_of(hello, sizeof hello);
	struct ssh_relay *k = h->relay;
	if (!k)
		return SERVICE_CONTINUE;
	if (what == RELAY_OPENED) {
		peer_hello(&k->peer, &w);
		session_relay_say(h->session, writer_bytes(&w));
		return SERVICE_CONTINUE;
	}
	if (what == RELAY_ENDED || buffer_append(&k->came, came.at, came.len))
		return k->way == RELAY_THROUGH ? SERVICE_CLOSE : ssh_relay_give_up(h);
	return ssh_relay_go_on(h);
}

void ssh_relay_done(struct ssh *h)
{
	struct ssh_relay *k = h->relay;
	for (size_t i = 0; k && i < SSH_CHANNELS_MAX; i++)
		if (k->channels[i].open)
			channel_over(h, &k->channels[i]);
	if (!k)
		return;
	buffer_done(&k->came);
	peer_done(&k->peer);
}
