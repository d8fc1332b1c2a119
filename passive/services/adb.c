/*
 * The Android Debug Bridge of a box that was sold with it open: who connects is let in, as shell
 * or root, without a key.  Worms come this way, push a file, change its mode and start it.
 *
 * The old shell protocol is spoken (no shell_v2 among the features), which every client knows: the
 * output of a command as it is, a terminal when no command is named.
 */
#include "base/options.h"
#include "passive/services/adb/adb_inner.h"

#define WORD(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define LINE_MAX 4096
#define VERSION_FIRST 0x01000000 /* with checksums; 0x01000001 and later without */
#define ARENA_MAX (12u << 20)

enum adb_word {
	CNXN = WORD('C', 'N', 'X', 'N'), OPEN = WORD('O', 'P', 'E', 'N'), OKAY = WORD('O', 'K', 'A', 'Y'),
	CLSE = WORD('C', 'L', 'S', 'E'), WRTE = WORD('W', 'R', 'T', 'E'), AUTH = WORD('A', 'U', 'T', 'H'),
};

#define AT(member) offsetof(struct adb_device, member)
static const struct option device[] = {
	{.name = "banner", .type = OPTION_TEXT, .offset = AT(banner),
	 .fallback = "ro.product.name=p201;ro.product.model=MXQ;ro.product.device=p201;",
	 .summary = "properties that the device says of itself"},
	{.name = "root", .type = OPTION_TEXT, .offset = AT(root), .fallback = "root@p201:/ # ",
	 .summary = "prompt of its shell"},
	{0},
};

static void say_message(struct session *s, uint32_t word, uint32_t first, uint32_t second, struct bytes body)
{
	uint8_t head[ADB_HEADER];
	struct writer w = writer_of(head, sizeof head);
	uint32_t sum = 0;
	for (size_t i = 0; i < body.len; i++)
		sum += body.at[i];
	const uint32_t words[] = {word, first, second, (uint32_t)body.len, sum, word ^ 0xffffffff};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		adb_write_u32(&w, words[i]);
	session_say_bytes(s, writer_bytes(&w));
	session_say_bytes(s, body);
}

static uint32_t number_of(const struct adb *a, const struct adb_stream *t)
{
	return (uint32_t)(t - a->streams) + 1;
}

/* One message at a time may be under way on a stream. */
static void stream_go_on(struct session *s, struct adb *a, struct adb_stream *t)
{
	if (t->kind == ADB_FREE || t->waits)
		return;
	if (t->unsent.len) {
		size_t n = t->unsent.len < a->data_max ? t->unsent.len : a->data_max;
		say_message(s, WRTE, number_of(a, t), t->remote, (struct bytes){t->unsent.at, n});
		t->unsent = (struct bytes){t->unsent.at + n, t->unsent.len - n};
		t->waits = true;
	} else if (t->ends) {
		say_message(s, CLSE, number_of(a, t), t->remote, (struct bytes){0});
		*t = (struct adb_stream){0};
	}
}

void adb_say(struct session *s, struct adb *a, struct adb_stream *t, struct bytes b)
{
	(void)a;
	if (!b.len)
		return;
	uint8_t *room = t->unsent.len + b.len <= ADB_OUTPUT_MAX * 2 ? arena_alloc(session_arena(s), t->unsent.len + b.len)
								    : NULL;
	if (!room) {
		t->ends = true;
		return;
	}
	if (t->unsent.len)
		memcpy(room, t->unsent.at, t->unsent.len);
	memcpy(room + t->unsent.len, b.at, b.len);
	t->unsent = (struct bytes){room, t->unsent.len + b.len};
}

bool adb_hold(struct session *s, struct adb_stream *t, struct bytes b, uint32_t most)
{
	if (b.len > most - t->held_len)
		return false;
	if (t->held_len + b.len > t->held_room) {
		uint32_t room = (t->held_len + (uint32_t)b.len) * 2 + 64;
		uint8_t *larger = arena_alloc(session_arena(s), room);
		if (!larger)
			return false;
		if (t->held_len)
			memcpy(larger, t->held, t->held_len);
		t->held = larger;
		t->held_room = room;
	}
	if (b.len)
		memcpy(t->held + t->held_len, b.at, b.len);
	t->held_len += (uint32_t)b.len;
	return true;
}

/* What the device's shell answers, with the line ends of a terminal where there is one. */
static void run_line(struct session *s, struct adb *a, struct adb_stream *t, struct bytes line)
{
	struct arena scratch = ARENA(3 * ADB_OUTPUT_MAX + 4096);
	uint8_t *room = arena_alloc(&scratch, ADB_OUTPUT_MAX), *lines = arena_alloc(&scratch, 2 * ADB_OUTPUT_MAX);
	struct event *e = session_report(s, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, line);
	if (room && lines) {
		struct writer out = writer_of(room, ADB_OUTPUT_MAX), w = writer_of(lines, 2 * ADB_OUTPUT_MAX);
		command_run(s, &a->shell, line, &out);
		for (const uint8_t *p = out.start; p < out.at; p++) {
			if (*p == '\n' && t->kind == ADB_TERMINAL)
				write_u8(&w, '\r');
			write_u8(&w, *p);
		}
		adb_say(s, a, t, writer_bytes(&w));
	}
	arena_done(&scratch);
}

static void say_prompt(struct session *s, struct adb *a, struct adb_stream *t)
{
	char prompt[128];
	session_expand(s, ((const struct adb_device *)session_device(s))->root, prompt, sizeof prompt);
	adb_say(s, a, t, bytes_of_text(prompt));
}

/* A terminal echoes what is typed, and runs a line at its end. */
static void type_at(struct session *s, struct adb *a, struct adb_stream *t, struct bytes typed)
{
	for (size_t i = 0; i < typed.len && !t->ends; i++) {
		uint8_t c = typed.at[i];
		if (c == 4 && t->held_len == 0) { /* ^D */
			t->ends = true;
		} else if (c == '\r' || c == '\n') {
			struct bytes line = {t->held, t->held_len};
			adb_say(s, a, t, BYTES("\r\n"));
			t->held_len = 0;
			if (bytes_equal_text(line, "exit")) {
				t->ends = true;
				return;
			}
			if (line.len)
				run_line(s, a, t, line);
			say_prompt(s, a, t);
		} else if (c == 8 || c == 127) {
			if (t->held_len) {
				t->held_len--;
				adb_say(s, a, t, BYTES("\b \b"));
			}
		} else if (c >= ' ' && adb_hold(s, t, (struct bytes){&c, 1}, LINE_MAX)) {
			adb_say(s, a, t, (struct bytes){&c, 1});
		}
	}
}

static struct bytes without_nul(struct bytes b)
{
	while (b.len && b.at[b.len - 1] == 0)
		b.len--;
	return b;
}

static bool begins(struct bytes *what, const char *word)
{
	if (!bytes_start_with(*what, word))
		return false;
	*what = (struct bytes){what->at + strlen(word), what->len - strlen(word)};
	return true;
}

static void stream_begin(struct session *s, struct adb *a, struct adb_stream *t, struct bytes what)
{
	bool command = begins(&what, "shell:") || begins(&what, "exec:");
	if (command && what.len) {
		t->kind = ADB_COMMAND;
		run_line(s, a, t, what);
		t->ends = true;
	} else if (command) {
		t->kind = ADB_TERMINAL;
		say_prompt(s, a, t);
	} else if (begins(&what, "sync:")) {
		t->kind = ADB_SYNC;
	} else {
		/* root:, remount:, tcpip: and the like answer with a sentence; forwards reach nobody. */
		struct event *e = session_report(s, EVENT_COMMAND_SENT);
		event_set_bytes(e, FIELD_COMMAND_LINE, what);
		t->kind = ADB_SINK;
		if (begins(&what, "root:"))
			adb_say(s, a, t, BYTES("adbd is already running as root\n"));
		else if (begins(&what, "remount:"))
			adb_say(s, a, t, BYTES("remount succeeded\n"));
		t->ends = true;
	}
}

static void on_open(struct session *s, struct adb *a, uint32_t remote, struct bytes what)
{
	struct adb_stream *t = NULL;
	for (size_t i = 0; i < ADB_STREAMS && !t; i++)
		if (a->streams[i].kind == ADB_FREE)
			t = &a->streams[i];
	if (!t || bytes_start_with(what, "tcp:") || bytes_start_with(what, "local")) {
		if (t) {
			struct event *e = session_report(s, EVENT_COMMAND_SENT);
			event_set_bytes(e, FIELD_COMMAND_LINE, without_nul(what));
		}
		say_message(s, CLSE, 0, remote, (struct bytes){0});
		return;
	}
	*t = (struct adb_stream){.kind = ADB_SINK, .remote = remote};
	say_message(s, OKAY, number_of(a, t), remote, (struct bytes){0});
	stream_begin(s, a, t, without_nul(what));
	stream_go_on(s, a, t);
}

static void on_connect(struct session *s, struct adb *a, uint32_t version, uint32_t data_max)
{
	char banner[512], properties[400];
	session_expand(s, ((const struct adb_device *)session_device(s))->banner, properties, sizeof properties);
	int n = snprintf(banner, sizeof banner, "device::%s", properties);
	a->connected = true;
	a->data_max = data_max < ADB_DATA_LEAST ? ADB_DATA_LEAST : data_max < ADB_OUTPUT_MAX ? data_max : ADB_OUTPUT_MAX;
	say_message(s, CNXN, version <= VERSION_FIRST ? version : VERSION_FIRST, ADB_DATA_MAX,
		    (struct bytes){(const uint8_t *)banner, (size_t)n + 1});
}

static struct adb_stream *stream_of(struct adb *a, uint32_t number)
{
	struct adb_stream *t = number && number <= ADB_STREAMS ? &a->streams[number - 1] : NULL;
	return t && t->kind != ADB_FREE ? t : NULL;
}

static void on_write(struct session *s, struct adb *a, struct adb_stream *t, struct bytes b)
{
	say_message(s, OKAY, number_of(a, t), t->remote, (struct bytes){0});
	if (t->kind == ADB_SYNC)
		adb_sync(s, a, t, b);
	else if (t->kind == ADB_TERMINAL)
		type_at(s, a, t, b);
	stream_go_on(s, a, t);
}

static enum service_next message_take(struct session *s, struct adb *a, const uint8_t *head, struct bytes body)
{
	uint32_t word = adb_u32(head), first = adb_u32(head + 4), second = adb_u32(head + 8);
	struct adb_stream *t;
	if (word == CNXN) {
		on_connect(s, a, first, second);
		return SERVICE_CONTINUE;
	}
	if (!a->connected)
		return SERVICE_CLOSE;
	switch (word) {
	case OPEN:
		on_open(s, a, first, body);
		break;
	case OKAY:
		t = stream_of(a, second);
		if (t) {
			t->remote = first;
			t->waits = false;
			stream_go_on(s, a, t);
		}
		break;
	case WRTE:
		t = stream_of(a, second);
		if (t)
			on_write(s, a, t, body);
		else
			say_message(s, CLSE, 0, first, (struct bytes){0});
		break;
	case CLSE:
		t = stream_of(a, second);
		if (t)
			*t = (struct adb_stream){0};
		break;
	default:
		break;
	}
	return SERVICE_CONTINUE;
}

static enum service_next adb_input(struct session *s, void *state, struct reader *r)
{
	struct adb *a = state;
	while (reader_left(r) >= ADB_HEADER) {
		const uint8_t *head = r->at;
		uint32_t n = adb_u32(head + 12);
		if ((adb_u32(head) ^ 0xffffffff) != adb_u32(head + 20) || n > ADB_DATA_MAX)
			return SERVICE_CLOSE; /* adbd hangs up on what is no message */
		if (reader_left(r) < ADB_HEADER + n)
			break;
		read_bytes(r, ADB_HEADER);
		enum service_next next = message_take(s, a, head, read_bytes(r, n));
		if (next != SERVICE_CONTINUE)
			return next;
	}
	return SERVICE_CONTINUE;
}

static void adb_close(struct session *s, void *state)
{
	struct adb *a = state;
	if (a->shell)
		command_finish(s, a->shell);
}

static bool adb_claims(struct bytes first)
{
	return bytes_start_with(first, "CNXN");
}

#define HELLO "CNXN\0\0\0\1\0\0\4\0\7\0\0\0\x32\2\0\0\xbc\xb1\xa7\xb1host::\0"
static const struct exchange exchanges[] = {
	{
		.title = "a connection, a command that says who it is",
		.peer_sends = BYTES(HELLO "OPEN\1\0\0\0\0\0\0\0\x0e\0\0\0\0\0\0\0\xb0\xaf\xba\xb1shell:echo hi\0"
				    "OKAY\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\xb0\xb4\xbe\xa6"),
		.we_answer = BYTES("CNXN\0\0\0\1\0\0\4\0\x4a\0\0\0\x24\x1a\0\0\xbc\xb1\xa7\xb1"
				   "device::ro.product.name=p201;ro.product.model=MXQ;ro.product.device=p201;\0"
				   "OKAY\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\xb0\xb4\xbe\xa6"
				   "WRTE\1\0\0\0\1\0\0\0\3\0\0\0\xdb\0\0\0\xa8\xad\xab\xbahi\n"
				   "CLSE\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\xbc\xb3\xac\xba"),
		.events = "{\"kind\":\"command.sent\",\"command.line\":\"echo hi\"}",
	},
	{
		.title = "a forward to elsewhere, which is closed",
		.peer_sends = BYTES(HELLO "OPEN\2\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\xb0\xaf\xba\xb1tcp:80\0"),
		.we_answer = BYTES("CNXN\0\0\0\1\0\0\4\0\x4a\0\0\0\x24\x1a\0\0\xbc\xb1\xa7\xb1"
				   "device::ro.product.name=p201;ro.product.model=MXQ;ro.product.device=p201;\0"
				   "CLSE\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\xbc\xb3\xac\xba"),
		.events = "{\"kind\":\"command.sent\",\"command.line\":\"tcp:80\"}",
	},
	{
		.title = "no message of the bridge",
		.peer_sends = BYTES("GET / HTTP/1.0\r\nHost: x\r\n\r\n"),
		.we_answer = BYTES(""),
		.events = "",
	},
	{0},
};

static const struct service adb = {
	.name = "adb",
	.summary = "Android Debug Bridge, open as on many TV boxes",
	.reference = "Android Open Source Project, adb/protocol.txt and SYNC.TXT",
	.transports = TRANSPORT_TCP,
	.ports = {5555},
	.state_size = sizeof(struct adb),
	.input_max = ADB_DATA_MAX + ADB_HEADER,
	.output_max = 1u << 19,
	.arena_max = ARENA_MAX,
	.idle_ms_max = 300000,
	.session_ms_max = 3600000,
	.device = device,
	.device_size = sizeof(struct adb_device),
	.input = adb_input,
	.close = adb_close,
	.claims = adb_claims,
	.exchanges = exchanges,
};
SERVICE(adb);
