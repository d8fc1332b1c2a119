/* Channels, windows and requests (RFC 4254), bounded on our side whatever the peer grants. */
#include "passive/services/ssh/connection.h"
#include "passive/services/ssh/host_key.h"
#include "passive/services/ssh/relay.h"

#define DATA_MAX 16384 /* bytes of one packet of ours */
#define KEYS_MAX 4096

FIELD(FIELD_SSH_FORWARD, "ssh.forward", TEXT, 0, "what was to be forwarded: direct-tcpip, tcpip-forward");

enum open_failure { FAIL_PROHIBITED = 1, FAIL_CONNECT = 2, FAIL_UNKNOWN_TYPE = 3, FAIL_SHORTAGE = 4 };

size_t channel_room(const struct ssh_channel *c)
{
	return SSH_PENDING_MAX - c->pending_len;
}

/* What is still to be sent moves to the front, of a larger room where it has to. */
static bool pending_grow(struct ssh *h, struct ssh_channel *c, size_t more)
{
	size_t need = c->pending_len + more, room = c->pending_room ? c->pending_room : 1024;
	while (room < need)
		room *= 2;
	uint8_t *at = c->pending;
	if (room > c->pending_room) {
		at = arena_alloc(session_arena(h->session), room);
		if (!at)
			return false;
	}
	if (c->pending_len)
		memmove(at, c->pending + c->pending_at, c->pending_len);
	c->pending = at;
	c->pending_at = 0;
	c->pending_room = room;
	return true;
}

void channel_say(struct ssh *h, struct ssh_channel *c, struct bytes b)
{
	if (b.len > channel_room(c))
		b.len = channel_room(c);
	if (b.len == 0 || c->ending || c->close_sent)
		return;
	if (c->pending_at + c->pending_len + b.len > c->pending_room && !pending_grow(h, c, b.len))
		return;
	memcpy(c->pending + c->pending_at + c->pending_len, b.at, b.len);
	c->pending_len += b.len;
}

void channel_end(struct ssh_channel *c, uint32_t status)
{
	c->ending = true;
	c->status = status;
}

static void send_about(struct ssh *h, enum ssh_message message, const struct ssh_channel *c)
{
	ssh_send_number(h, message, c->theirs);
}

static void send_data(struct ssh *h, struct ssh_channel *c, size_t n)
{
	uint8_t b[DATA_MAX + 16];
	struct writer w = writer_of(b, sizeof b);
	write_u8(&w, SSH_CHANNEL_DATA);
	write_u32(&w, c->theirs);
	write_string(&w, (struct bytes){c->pending + c->pending_at, n});
	ssh_send(h, writer_bytes(&w));
	c->pending_at += n;
	c->pending_len -= n;
	c->window_out -= (uint32_t)n;
	h->connection->budget -= n;
}

static void send_end(struct ssh *h, struct ssh_channel *c)
{
	uint8_t b[64];
	struct writer w = writer_of(b, sizeof b);
	if (!c->eof_sent)
		send_about(h, SSH_CHANNEL_EOF, c);
	c->eof_sent = true;
	if (c->tells_status) {
		write_u8(&w, SSH_CHANNEL_REQUEST);
		write_u32(&w, c->theirs);
		write_string_text(&w, "exit-status");
		write_u8(&w, 0);
		write_u32(&w, c->status);
		ssh_send(h, writer_bytes(&w));
	}
	send_about(h, SSH_CHANNEL_CLOSE, c);
	c->close_sent = true;
}

void channel_flush(struct ssh *h, struct ssh_channel *c)
{
	struct ssh_connection *k = h->connection;
	/* Between our KEXINIT and our NEWKEYS only the exchange may speak (RFC 4253 7.1). */
	if (!c->open || c->close_sent || k->delayed || (h->kex.ours && !h->kex.answered))
		return;
	while (c->pending_len && c->window_out) {
		size_t n = c->pending_len < DATA_MAX ? c->pending_len : DATA_MAX;
		if (n > c->window_out)
			n = c->window_out;
		if (n > c->packet_out)
			n = c->packet_out;
		if (n > k->budget) { /* the rest goes when this has gone */
			h->waiting = SSH_WAITS_PROGRAM;
			session_delay(h->session, 1);
			return;
		}
		send_data(h, c, n);
	}
	if (c->pending_len == 0)
		c->pending_at = 0;
	if (c->ending && c->pending_len == 0)
		send_end(h, c);
}

/* What was held back for want of room goes on when there is room again. */
static void channel_go_on(struct ssh *h, struct ssh_channel *c)
{
	channel_flush(h, c);
	while (c->open && c->program == SSH_RUNS_SFTP && !c->ending && c->pending_len == 0) {
		program_input(h, c, (struct bytes){0});
		bool said = c->pending_len > 0;
		channel_flush(h, c);
		if (!said)
			break;
	}
}

static struct ssh_channel *channel_of(struct ssh *h, struct reader *r)
{
	uint32_t number = read_u32(r);
	struct ssh_channel *c = number < SSH_CHANNELS_MAX ? h->connection->channels[number] : NULL;
	return reader_ok(r) && c && c->open ? c : NULL;
}

static struct ssh_channel *channel_make(struct ssh *h)
{
	struct ssh_channel **all = h->connection->channels;
	for (uint32_t i = 0; i < SSH_CHANNELS_MAX; i++) {
		if (!all[i])
			all[i] = arena_alloc(session_arena(h->session), sizeof **all);
		if (!all[i] || all[i]->open)
			continue;
		struct ssh_channel *c = all[i];
		/* Its rooms are used again. */
		*c = (struct ssh_channel){.ours = i,
		                          .open = true,
		                          .pending = c->pending,
		                          .pending_room = c->pending_room,
		                          .sftp = c->sftp,
		                          .scp = c->scp,
		                          .terminal = {.line = c->terminal.line, .room = c->terminal.room}};
		return c;
	}
	return NULL;
}

static void send_open_failure(struct ssh *h, uint32_t theirs, enum open_failure why, const char *words)
{
	uint8_t b[128];
	struct writer w = writer_of(b, sizeof b);
	write_u8(&w, SSH_OPEN_FAILURE);
	write_u32(&w, theirs);
	write_u32(&w, why);
	write_string_text(&w, words);
	write_string_text(&w, "");
	ssh_send(h, writer_bytes(&w));
}

static void tell_forward(struct ssh *h, const char *what, const char *target, struct bytes body)
{
	struct event *e = session_report(h->session, EVENT_REQUEST_SEEN);
	event_set_text(e, FIELD_SSH_FORWARD, what);
	event_set_bytes(e, FIELD_TARGET, bytes_of_text(target));
	if (body.len)
		event_set_bytes(e, FIELD_BODY, body);
}

void ssh_tell_forward(struct ssh *h, const char *what, struct reader *r)
{
	char target[160];
	struct bytes host = read_string(r);
	uint32_t port = read_u32(r);
	snprintf(target, sizeof target, "%.*s:%u", (int)(host.len < 140 ? host.len : 140),
	         host.at ? (const char *)host.at : "", port);
	if (reader_ok(r))
		tell_forward(h, what, target, (struct bytes){0});
}

/* The connection to be forwarded is taken and goes nowhere: nothing is ever connected. */
static bool open_sink(struct ssh *h, struct ssh_channel *c, struct reader *r)
{
	struct bytes host = read_string(r);
	uint32_t port = read_u32(r);
	read_string(r);
	read_u32(r);
	if (!reader_ok(r))
		return false;
	snprintf(c->target, sizeof c->target, "%.*s:%u", (int)(host.len < 140 ? host.len : 140),
	         host.at ? (const char *)host.at : "", port);
	c->program = SSH_SINKS;
	c->window_in = h->software->window_more ? h->software->window_more : h->software->window;
	tell_forward(h, "direct-tcpip", c->target, (struct bytes){0});
	return true;
}

static enum service_next take_open(struct ssh *h, struct reader *r)
{
	uint8_t b[32];
	struct writer w = writer_of(b, sizeof b);
	struct bytes type = read_string(r);
	uint32_t theirs = read_u32(r), window = read_u32(r), packet = read_u32(r);
	bool session = bytes_equal_text(type, "session");
	if (!reader_ok(r) || packet == 0)
		return SERVICE_CLOSE;
	if (!session && !bytes_equal_text(type, "direct-tcpip")) {
		send_open_failure(h, theirs, FAIL_UNKNOWN_TYPE, "unknown channel type");
		return SERVICE_CONTINUE;
	}
	struct ssh_channel *c = channel_make(h);
	if (c && !session && !open_sink(h, c, r)) {
		c->open = false;
		c = NULL;
	}
	if (!c) {
		send_open_failure(h, theirs, FAIL_CONNECT, "open failed");
		return SERVICE_CONTINUE;
	}
	c->theirs = theirs;
	c->window_out = window;
	c->packet_out = packet;
	if (session)
		c->window_in = h->software->window;
	write_u8(&w, SSH_OPEN_CONFIRMATION);
	write_u32(&w, theirs);
	write_u32(&w, c->ours);
	write_u32(&w, c->window_in);
	write_u32(&w, h->software->packet_max);
	ssh_send(h, writer_bytes(&w));
	return SERVICE_CONTINUE;
}

static void send_adjust(struct ssh *h, struct ssh_channel *c, uint32_t more)
{
	uint8_t b[9];
	struct writer w = writer_of(b, sizeof b);
	write_u8(&w, SSH_WINDOW_ADJUST);
	write_u32(&w, c->theirs);
	write_u32(&w, more);
	ssh_send(h, writer_bytes(&w));
	c->window_in += more;
}

static enum service_next take_request(struct ssh *h, struct ssh_channel *c, struct reader *r)
{
	struct bytes type = read_string(r);
	bool answer = read_flag(r), began = c->program != SSH_RUNS_NOTHING;
	if (!reader_ok(r))
		return SERVICE_CLOSE;
	bool good = program_request(h, c, type, r);
	/* sshd opens the window when there is a program to read what comes. */
	if (!began && c->program != SSH_RUNS_NOTHING && h->software->window_more)
		send_adjust(h, c, h->software->window_more);
	if (answer)
		send_about(h, good ? SSH_CHANNEL_SUCCESS : SSH_CHANNEL_FAILURE, c);
	return SERVICE_CONTINUE;
}

static enum service_next sink_data(struct ssh *h, struct ssh_channel *c, struct bytes input)
{
	if (c->sunk || input.len == 0)
		return SERVICE_CONTINUE;
	if (input.len > SSH_SINK_MAX)
		input.len = SSH_SINK_MAX;
	tell_forward(h, "direct-tcpip", c->target, input);
	c->sunk = true; /* only the first data is kept */
	return SERVICE_CONTINUE;
}

static enum service_next take_data(struct ssh *h, struct ssh_channel *c, struct reader *r, bool extended)
{
	if (extended)
		read_u32(r);
	struct bytes input = read_string(r);
	uint32_t whole = h->software->window_more ? h->software->window_more : h->software->window;
	if (!reader_ok(r))
		return SERVICE_CLOSE;
	if (extended || c->input_ended || input.len > c->window_in)
		return SERVICE_CONTINUE;
	c->window_in -= (uint32_t)input.len;
	enum service_next next = SERVICE_CONTINUE;
	if (c->program == SSH_SINKS)
		next = sink_data(h, c, input);
	else if (c->program != SSH_RUNS_NOTHING)
		next = program_input(h, c, input);
	if (c->window_in < whole / 2 && !c->close_sent)
		send_adjust(h, c, whole - c->window_in);
	return next;
}

static void channel_close(struct ssh *h, struct ssh_channel *c)
{
	program_gone(h, c);
	if (!c->close_sent)
		send_about(h, SSH_CHANNEL_CLOSE, c);
	c->open = false;
}

static void take_window(struct ssh_channel *c, struct reader *r)
{
	uint32_t more = read_u32(r);
	if (reader_ok(r))
		c->window_out = more > UINT32_MAX - c->window_out ? UINT32_MAX : c->window_out + more;
}

static enum service_next take_channel(struct ssh *h, uint8_t message, struct reader *r)
{
	struct ssh_channel *c = channel_of(h, r);
	enum service_next next = SERVICE_CONTINUE;
	if (!c) { /* sshd: a channel that is not there is the end */
		return ssh_disconnect(h, "Received packet for nonexistent channel");
	}
	switch (message) {
	case SSH_WINDOW_ADJUST:
		take_window(c, r);
		break;
	case SSH_CHANNEL_DATA:
	case SSH_CHANNEL_EXTENDED:
		next = take_data(h, c, r, message == SSH_CHANNEL_EXTENDED);
		break;
	case SSH_CHANNEL_EOF:
		if (!c->input_ended)
			next = program_input_end(h, c);
		c->input_ended = true;
		break;
	case SSH_CHANNEL_REQUEST:
		next = take_request(h, c, r);
		break;
	case SSH_CHANNEL_CLOSE:
		channel_close(h, c);
		return SERVICE_CONTINUE;
	}
	channel_go_on(h, c);
	return next;
}

/* The keys that OpenSSH announces and proves (PROTOCOL 2.5): one of each kind, in its order. */
static size_t host_key_kinds(const struct ssh *h, struct bytes kinds[4])
{
	struct bytes list = bytes_of_text(h->software->host_keys), one;
	size_t n = 0;
	bool rsa = false;
	while (n < 4 && list_next(&list, &one)) {
		bool is_rsa = bytes_start_with(one, "rsa-") || bytes_equal_text(one, "ssh-rsa");
		if (!is_rsa || !rsa)
			kinds[n++] = one;
		rsa |= is_rsa;
	}
	return n;
}

static void announce_keys(struct ssh *h)
{
	uint8_t b[KEYS_MAX], blob[SSH_KEY_BLOB_MAX];
	struct writer w = writer_of(b, sizeof b);
	struct bytes kinds[4];
	size_t n = host_key_kinds(h, kinds);
	write_u8(&w, SSH_GLOBAL_REQUEST);
	write_string_text(&w, "hostkeys-00@openssh.com");
	write_u8(&w, 0);
	for (size_t i = 0; i < n; i++) {
		struct writer k = writer_of(blob, sizeof blob);
		if (host_key_blob(h->session, kinds[i], h->software->rsa_bits, &k))
			write_string(&w, writer_bytes(&k));
	}
	if (!w.bad)
		ssh_send(h, writer_bytes(&w));
}

/* Signs the session's id with each key asked for; false: one is not ours. */
static bool prove_keys(struct ssh *h, struct reader *r, struct writer *w)
{
	uint8_t blob[SSH_KEY_BLOB_MAX], text[SSH_KEY_BLOB_MAX + 256], made[SSH_SIGNATURE_MAX];
	struct bytes kinds[4];
	size_t n = host_key_kinds(h, kinds);
	for (size_t asked = 0; reader_left(r); asked++) {
		struct bytes key = read_string(r);
		struct bytes kind = {0};
		for (size_t i = 0; i < n && !kind.len; i++) {
			struct writer k = writer_of(blob, sizeof blob);
			if (host_key_blob(h->session, kinds[i], h->software->rsa_bits, &k) &&
			    bytes_equal(writer_bytes(&k), key))
				kind = kinds[i];
		}
		if (!reader_ok(r) || !kind.len || asked >= n)
			return false;
		struct writer t = writer_of(text, sizeof text), s = writer_of(made, sizeof made);
		write_string_text(&t, "hostkeys-prove-00@openssh.com");
		write_string(&t, (struct bytes){h->id, h->id_len});
		write_string(&t, key);
		if (!host_key_sign(h->session, kind, h->software->rsa_bits, writer_bytes(&t), &s))
			return false;
		write_string(w, writer_bytes(&s));
	}
	return !w->bad;
}

/* A port to be forwarded from is promised and never opened. */
static bool forward_listen(struct ssh *h, struct reader *r, struct writer *w)
{
	char target[160];
	struct bytes host = read_string(r);
	uint32_t port = read_u32(r);
	if (!reader_ok(r) || port > 65535)
		return false;
	snprintf(target, sizeof target, "%.*s:%u", (int)(host.len < 140 ? host.len : 140),
	         host.at ? (const char *)host.at : "", port);
	tell_forward(h, "tcpip-forward", target, (struct bytes){0});
	if (port == 0)
		write_u32(w, 32768 + (uint32_t)(session_random(h->session) % 28232));
	return true;
}

static enum service_next take_global(struct ssh *h, struct reader *r)
{
	uint8_t b[KEYS_MAX];
	struct writer w = writer_of(b, sizeof b);
	struct bytes type = read_string(r);
	bool answer = read_flag(r), good = false;
	if (!reader_ok(r))
		return SERVICE_CLOSE;
	write_u8(&w, SSH_REQUEST_SUCCESS);
	if (bytes_equal_text(type, "hostkeys-prove-00@openssh.com") && h->software->announces_keys)
		good = prove_keys(h, r, &w);
	else if (bytes_equal_text(type, "tcpip-forward"))
		good = forward_listen(h, r, &w);
	else if (bytes_equal_text(type, "cancel-tcpip-forward") ||
	         bytes_equal_text(type, "no-more-sessions@openssh.com"))
		good = true;
	if (answer)
		ssh_send(h, good ? writer_bytes(&w) : BYTES("\x52"));
	return SERVICE_CONTINUE;
}

void ssh_connection_start(struct ssh *h)
{
	h->connection = arena_alloc(session_arena(h->session), sizeof *h->connection);
	if (!h->connection)
		return;
	h->connection->ssh = h;
	h->connection->budget = SSH_FLUSH_MAX;
	if (h->software->announces_keys)
		announce_keys(h);
}

enum service_next ssh_connection_take(struct ssh *h, uint8_t message, struct reader *r)
{
	switch (message) {
	case SSH_GLOBAL_REQUEST:
		return take_global(h, r);
	case SSH_CHANNEL_OPEN:
		return take_open(h, r);
	case SSH_REQUEST_SUCCESS:
	case SSH_REQUEST_FAILURE:
	case SSH_AUTH_REQUEST: /* one that was on its way when another was accepted (RFC 4252 5.3) */
		return SERVICE_CONTINUE;
	case SSH_SERVICE_REQUEST:
		return ssh_service_request(h, r);
	}
	if (message >= SSH_WINDOW_ADJUST && message <= SSH_CHANNEL_REQUEST)
		return take_channel(h, message, r);
	if (message == SSH_CHANNEL_SUCCESS || message == SSH_CHANNEL_FAILURE)
		return SERVICE_CONTINUE;
	ssh_unimplemented(h);
	return SERVICE_CONTINUE;
}

void ssh_connection_go_on(struct ssh *h)
{
	struct ssh_connection *k = h->connection;
	if (ssh_relay_is_through(h))
		ssh_relay_go_on(h);
	for (size_t i = 0; i < SSH_CHANNELS_MAX; i++)
		if (k->channels[i] && k->channels[i]->open)
			channel_go_on(h, k->channels[i]);
}

enum service_next ssh_connection_tick(struct ssh *h)
{
	h->waiting = SSH_WAITS_NOT;
	h->connection->delayed = false;
	ssh_connection_go_on(h);
	return SERVICE_CONTINUE;
}

void ssh_connection_done(struct ssh *h)
{
	struct ssh_connection *k = h->connection;
	for (size_t i = 0; k && i < SSH_CHANNELS_MAX; i++)
		if (k->channels[i] && k->channels[i]->open)
			program_gone(h, k->channels[i]);
	if (k && k->shell_started)
		shell_finish(&k->shell);
}
