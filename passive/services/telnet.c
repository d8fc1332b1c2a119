/*
 * Telnet to a device that runs BusyBox: telnetd, login, and ash behind them.
 *
 * Bots wait for option bytes before anything else, so those of BusyBox's telnetd come
 * first; it never answers an option (it only skips what comes), and neither do we, so no
 * negotiation can loop or hang.  Its terminal echoes in any case, but not the password.
 * After three failed tries login ends.  What is typed then goes to the persona's shell
 * (passive/shell), one line at a time, and is recorded line by line.  Where the persona names a
 * backend its shell takes over: from the beginning, from the log-in on, or from the first
 * command on that ours does not know.
 */
#include "base/options.h"
#include "passive/relay/relay.h"
#include "passive/relay/telnet.h"
#include "passive/service.h"
#include "passive/device/shell/shell.h"
#include "passive/services/telnet/exchanges.h"

#define USER_MAX 63            /* login keeps no more either */
#define TRIES_MAX 3            /* login.c: count == 3 exits */
#define EMPTY_NAMES_MAX 10     /* login.c: EMPTY_USERNAME_COUNT */
#define LINE_ROOM_FIRST 120    /* most lines fit; longer ones grow on the session's arena */
#define SUBNEGOTIATION_MAX 256 /* beyond this it is data of a peer that speaks no Telnet */

enum { IAC = 255, SE = 240, IP = 244, EC = 247, EL = 248, SB = 250, WILL = 251, DONT = 254 };

enum phase { PHASE_NAME, PHASE_SECRET, PHASE_SHELL };

enum waiting { WAITS_NOT, WAITS_GREETING, WAITS_SHELL, WAITS_COMMAND }; /* for the backend, with that */

enum reading { /* where in a command (RFC 854) or escape sequence the input stands */
	       READ_BYTES,
	       READ_COMMAND,
	       READ_OPTION,
	       READ_SUBNEGOTIATION,
	       READ_SUBNEGOTIATION_IAC,
	       READ_ESCAPE,
	       READ_ESCAPE_BRACKET,
};

enum after_delay { AFTER_NOTHING, AFTER_REFUSAL, AFTER_COMMAND };

struct telnet_options {
	uint64_t refusal_delay_ms;
};

struct telnet {
	struct shell shell;
	struct session *session; /* while a callback runs: the hooks need it */
	uint8_t *line;
	uint16_t line_len, line_room, subnegotiated;
	uint8_t phase, reading, after, tries, empty_names;
	bool after_return; /* the LF or NUL behind a CR is part of it */
	bool delayed;
	bool told_more; /* this line has caused events of its own */
	bool alone;     /* there is no backend, or it could not be had */
	uint8_t waits;  /* of enum waiting */
	struct telnet_relay *relay; /* NULL: the backend was not asked for */
	struct bytes unsaid;        /* our answer to the line that waits */
	uint8_t user_len;
	uint8_t user[USER_MAX];
};

static const struct persona *persona_of(const struct session *s)
{
	const struct persona *p = session_persona(s);
	return p && p->root ? p : &persona_plain;
}

/* LF becomes CR LF as the terminal does it, and IAC is doubled (RFC 854). */
static void say_lines(struct session *s, struct bytes b)
{
	static const uint8_t line_end[] = {'\r', '\n'}, twice[] = {IAC, IAC};
	size_t from = 0;
	for (size_t i = 0; i < b.len; i++) {
		if (b.at[i] != '\n' && b.at[i] != IAC)
			continue;
		session_say_bytes(s, (struct bytes){b.at + from, i - from});
		session_say_bytes(s, (struct bytes){b.at[i] == IAC ? twice : line_end, 2});
		from = i + 1;
	}
	session_say_bytes(s, (struct bytes){b.at + from, b.len - from});
}

static void hook_say(void *owner, struct bytes b)
{
	say_lines(((struct telnet *)owner)->session, b);
}

static void hook_fetched(void *owner, struct bytes url, struct bytes name, const char *how)
{
	struct telnet *t = owner;
	t->told_more = true;
	session_name_file(t->session, url, name, how);
}

static void hook_captured(void *owner, struct bytes content, struct bytes name, const char *how)
{
	struct telnet *t = owner;
	t->told_more = true;
	session_capture(t->session, content, name, (struct bytes){0}, how);
}

static void hook_delayed(void *owner, uint32_t delay_ms)
{
	struct telnet *t = owner;
	t->delayed = true;
	session_delay(t->session, delay_ms);
}

static uint64_t hook_time(void *owner)
{
	return session_time_us(((struct telnet *)owner)->session);
}
static uint64_t hook_random(void *owner)
{
	return session_random(((struct telnet *)owner)->session);
}

static bool hook_files(void *owner, struct vfs *out)
{
	return session_files(((struct telnet *)owner)->session, out, NULL);
}

static const struct shell_hooks hooks = {hook_say,  hook_fetched, hook_captured, hook_delayed,
                                         hook_time, hook_random,  hook_files};

static void ask_name(struct session *s, struct telnet *t)
{
	struct persona_look look;
	persona_look(persona_of(s), session_device_seed(s), session_local(s), session_time_us(s),
	             &look);
	session_say(s, "%s login: ", look.hostname);
	t->phase = PHASE_NAME;
}

/* Whether this backend, if there is one, takes over then; each session asks once. */
static bool backend_after(struct session *s, const struct telnet *t, enum backend_after after)
{
	const struct backend *b = session_backend(s);
	return b && b->after == (int)after && !t->relay && !t->alone;
}

static struct bytes kept_text(struct session *s, struct writer *w)
{
	return w->bad ? BYTES("# ") : arena_copy(session_arena(s), writer_bytes(w));
}

/* `command`: what its shell is to go on with, where ours stands; at NULL: it begins. */
static bool ask_backend(struct session *s, struct telnet *t, enum waiting waits, struct bytes command)
{
	const struct backend *b = session_backend(s);
	struct entry_plan plan = {.user = b->user, .password = b->password, .mark = session_random(s)};
	char prompt[256];
	struct writer w = writer_of(prompt, sizeof prompt);
	if (command.at) {
		shell_write_prompt(&t->shell, &w);
		plan.prompt = kept_text(s, &w);
		plan.directory = arena_copy(session_arena(s), vfs_cwd(&t->shell.vfs));
		plan.command = arena_copy(session_arena(s), command);
	}
	t->relay = telnet_relay_ask(s, waits == WAITS_GREETING ? NULL : &plan);
	t->alone = !t->relay;
	t->waits = t->relay ? waits : WAITS_NOT;
	return t->relay;
}

static enum service_next greet(struct session *s, void *state)
{
	static const uint8_t greeting[] = {IAC, 253, 1, IAC, 253, 31, IAC, WILL, 1, IAC, WILL, 3};
	const struct persona *p = persona_of(s);
	session_say_bytes(s, (struct bytes){greeting, sizeof greeting});
	session_say(s, "\r\r\n"); /* login_issue begins with puts("\r") */
	if (p->login_banner.len) {
		char text[1024];
		struct writer w = writer_of(text, sizeof text);
		struct persona_look look;
		persona_look(p, session_device_seed(s), session_local(s), session_time_us(s),
		             &look);
		persona_expand(&look, p->login_banner, &w);
		say_lines(s, writer_bytes(&w));
	}
	ask_name(s, state);
	return SERVICE_CONTINUE;
}

static enum service_next telnet_open(struct session *s, void *state)
{
	struct telnet *t = state;
	t->session = s;
	if (backend_after(s, t, BACKEND_ALWAYS) && ask_backend(s, t, WAITS_GREETING, (struct bytes){0}))
		return SERVICE_CONTINUE;
	return greet(s, state);
}

static void start_shell(struct session *s, struct telnet *t)
{
	shell_start(&t->shell, persona_of(s), session_local(s), session_device_seed(s), session_arena(s), &hooks, t);
	t->phase = PHASE_SHELL;
	shell_greet(&t->shell);
	shell_prompt(&t->shell);
}

static enum service_next name_line(struct session *s, struct telnet *t, struct bytes line)
{
	line = bytes_trim(line);
	if (line.len == 0) {
		if (++t->empty_names >= EMPTY_NAMES_MAX)
			return SERVICE_CLOSE;
		ask_name(s, t);
		return SERVICE_CONTINUE;
	}
	t->user_len = (uint8_t)(line.len < USER_MAX ? line.len : USER_MAX);
	memcpy(t->user, line.at, t->user_len);
	t->phase = PHASE_SECRET;
	session_say(s, "Password: ");
	return SERVICE_CONTINUE;
}

static enum service_next secret_line(struct session *s, struct telnet *t, struct bytes secret)
{
	const struct telnet_options *options = session_options(s);
	bool accepted = session_login(s, (struct bytes){t->user, t->user_len}, secret);
	if (!accepted) {
		t->tries++;
		t->after = AFTER_REFUSAL;
		session_delay(s, options ? (uint32_t)options->refusal_delay_ms : 1);
		return SERVICE_CONTINUE;
	}
	if (!backend_after(s, t, BACKEND_LOGIN) || !ask_backend(s, t, WAITS_SHELL, (struct bytes){0}))
		start_shell(s, t);
	return SERVICE_CONTINUE;
}

/* What the emulator said of a command that it does not know is kept, should the backend fail. */
static bool hand_over(struct session *s, struct telnet *t, struct bytes line, size_t before)
{
	struct bytes said = session_said_since(s, before);
	if (!t->shell.unknown || t->shell.pending_len || !backend_after(s, t, BACKEND_UNKNOWN))
		return false;
	t->unsaid = arena_copy(session_arena(s), said);
	if (!ask_backend(s, t, WAITS_COMMAND, line))
		return false;
	session_unsay(s, before);
	return true;
}

/* There is no backend after all: the emulator goes on where it was, and it was said so. */
static enum service_next go_on_alone(struct session *s, struct telnet *t)
{
	enum waiting waits = t->waits;
	session_relay_end(s);
	session_delay_over(s);
	t->waits = WAITS_NOT;
	t->relay = NULL;
	t->alone = true;
	if (waits == WAITS_GREETING)
		return greet(s, t);
	if (waits == WAITS_SHELL)
		start_shell(s, t);
	if (waits != WAITS_COMMAND)
		return SERVICE_CONTINUE;
	session_say_bytes(s, t->unsaid);
	shell_prompt(&t->shell);
	return SERVICE_CONTINUE;
}

static enum service_next telnet_relayed(struct session *s, void *state, enum relay_event what, struct bytes came)
{
	struct telnet *t = state;
	t->session = s;
	if (!t->relay)
		return SERVICE_CONTINUE;
	switch (telnet_relay_hear(s, t->relay, what, came)) {
	case TELNET_RELAY_FAILED:
		return go_on_alone(s, t);
	case TELNET_RELAY_OVER:
		return SERVICE_CLOSE;
	default:
		if (telnet_relay_is_through(t->relay))
			t->waits = WAITS_NOT;
		return SERVICE_CONTINUE;
	}
}

static enum service_next shell_line_end(struct session *s, struct telnet *t, struct bytes line)
{
	/* The event goes first, so that what the line causes stands behind it. */
	struct event *e = line.len ? session_report(s, EVENT_COMMAND_SENT) : NULL;
	bool secret = shell_hides_input(&t->shell);
	if (e)
		event_set_bytes(e, secret ? FIELD_LOGIN_SECRET : FIELD_COMMAND_LINE, line);
	t->told_more = false;
	size_t before = session_said(s);
	t->shell.unknown = false;
	enum shell_next next = shell_line(&t->shell, line);
	if (next != SHELL_HALT && hand_over(s, t, line, before))
		return SERVICE_CONTINUE;
	if (e && !t->told_more && !secret) /* still the event of this line */
		event_set_bool(e, FIELD_COMMAND_FOUND, t->shell.status != 127);
	if (next == SHELL_EXIT || next == SHELL_HALT)
		return SERVICE_CLOSE;
	if (t->delayed)
		t->after = AFTER_COMMAND;
	else
		shell_prompt(&t->shell);
	return SERVICE_CONTINUE;
}

static enum service_next line_typed(struct session *s, struct telnet *t, struct bytes line)
{
	session_say(s, "\r\n");
	switch (t->phase) {
	case PHASE_NAME:
		return name_line(s, t, line);
	case PHASE_SECRET:
		return secret_line(s, t, line);
	default:
		return shell_line_end(s, t, line);
	}
}

static enum service_next line_ended(struct session *s, struct telnet *t)
{
	struct bytes line = {t->line ? t->line : (const uint8_t *)"", t->line_len};
	t->line_len = 0;
	return line_typed(s, t, line);
}

static enum service_next telnet_tick(struct session *s, void *state)
{
	struct telnet *t = state;
	enum after_delay after = t->after;
	t->session = s;
	t->after = AFTER_NOTHING;
	t->delayed = false;
	if (t->waits)
		return go_on_alone(s, t);
	if (after == AFTER_COMMAND)
		shell_prompt(&t->shell);
	if (after != AFTER_REFUSAL)
		return SERVICE_CONTINUE;
	session_say(s, "Login incorrect\r\n");
	if (t->tries >= TRIES_MAX)
		return SERVICE_CLOSE;
	ask_name(s, t);
	return SERVICE_CONTINUE;
}

/* Keeps a byte of the line; what is beyond the terminal's limit is dropped, as tty does. */
static bool line_add(struct session *s, struct telnet *t, uint8_t c)
{
	if (t->line_len >= SHELL_LINE_MAX)
		return false;
	if (t->line_len == t->line_room) {
		size_t room = t->line_room ? 2u * t->line_room : LINE_ROOM_FIRST;
		if (room > SHELL_LINE_MAX)
			room = SHELL_LINE_MAX;
		uint8_t *at = arena_alloc(session_arena(s), room);
		if (!at)
			return false;
		if (t->line_len)
			memcpy(at, t->line, t->line_len);
		t->line = at;
		t->line_room = (uint16_t)room;
	}
	t->line[t->line_len++] = c;
	return true;
}

static bool echoes(const struct telnet *t)
{
	return t->phase != PHASE_SECRET &&
	       !(t->phase == PHASE_SHELL && shell_hides_input(&t->shell));
}

static void line_erase(struct session *s, struct telnet *t, size_t n)
{
	for (; n && t->line_len; n--) {
		t->line_len--;
		if (echoes(t))
			session_say(s, "\b \b");
	}
}

static enum service_next interrupted(struct session *s, struct telnet *t)
{
	session_say(s, "^C\r\n");
	if (t->phase != PHASE_SHELL)
		return SERVICE_CLOSE; /* SIGINT ends login */
	t->line_len = 0;
	shell_interrupt(&t->shell);
	shell_prompt(&t->shell);
	return SERVICE_CONTINUE;
}

static enum service_next input_ended(struct session *s, struct telnet *t)
{
	if (t->line_len)
		return SERVICE_CONTINUE;
	if (t->phase != PHASE_SHELL || shell_end_of_input(&t->shell) != SHELL_CONTINUE)
		return SERVICE_CLOSE;
	session_say(s, "\r\n");
	shell_prompt(&t->shell);
	return SERVICE_CONTINUE;
}

/* A byte for the terminal: its special characters (stty's defaults), or one of the line. */
static enum service_next byte_typed(struct session *s, struct telnet *t, uint8_t c)
{
	bool after_return = t->after_return;
	t->after_return = c == '\r';
	switch (c) {
	case 0:
		return SERVICE_CONTINUE;
	case '\n':
		return after_return ? SERVICE_CONTINUE : line_ended(s, t);
	case '\r':
		return line_ended(s, t);
	case 3: /* ^C */
		return interrupted(s, t);
	case 4: /* ^D */
		return input_ended(s, t);
	case 8:
	case 127:
		line_erase(s, t, 1);
		return SERVICE_CONTINUE;
	case 21: /* ^U */
		line_erase(s, t, t->line_len);
		return SERVICE_CONTINUE;
	case 27:
		t->reading = READ_ESCAPE;
		return SERVICE_CONTINUE;
	}
	if (c >= ' ' && line_add(s, t, c) && echoes(t))
		say_lines(s, (struct bytes){&c, 1});
	return SERVICE_CONTINUE;
}

/* The byte behind an IAC (RFC 854); options are skipped, as telnetd's remove_iacs() does. */
static enum service_next command_byte(struct session *s, struct telnet *t, uint8_t c)
{
	t->reading = READ_BYTES;
	t->subnegotiated = 0;
	if (c == IAC)
		return byte_typed(s, t, c);
	if (c == SB)
		t->reading = READ_SUBNEGOTIATION;
	else if (c >= WILL && c <= DONT)
		t->reading = READ_OPTION;
	else if (c == IP)
		return interrupted(s, t);
	else if (c == EC || c == EL)
		line_erase(s, t, c == EC ? 1 : t->line_len);
	return SERVICE_CONTINUE;
}

static enum service_next one_byte(struct session *s, struct telnet *t, uint8_t c)
{
	switch (t->reading) {
	case READ_COMMAND:
		return command_byte(s, t, c);
	case READ_OPTION:
		t->reading = READ_BYTES;
		return SERVICE_CONTINUE;
	case READ_SUBNEGOTIATION:
		if (c == IAC)
			t->reading = READ_SUBNEGOTIATION_IAC;
		else if (++t->subnegotiated > SUBNEGOTIATION_MAX)
			t->reading = READ_BYTES;
		return SERVICE_CONTINUE;
	case READ_SUBNEGOTIATION_IAC: /* IAC SE ends it; IAC IAC is a byte of it (RFC 855) */
		t->reading = c == IAC ? READ_SUBNEGOTIATION : READ_BYTES;
		return c == IAC || c == SE ? SERVICE_CONTINUE : command_byte(s, t, c);
	case READ_ESCAPE:
		t->reading = c == '[' || c == 'O' ? READ_ESCAPE_BRACKET : READ_BYTES;
		return SERVICE_CONTINUE;
	case READ_ESCAPE_BRACKET:
		if (c >= '@' && c <= '~')
			t->reading = READ_BYTES;
		return SERVICE_CONTINUE;
	}
	if (c == IAC) {
		t->reading = READ_COMMAND;
		return SERVICE_CONTINUE;
	}
	return byte_typed(s, t, c);
}

/*
 * A whole line of plain characters that has come in one piece, as bots send theirs, is
 * taken as it lies there: nothing has to be kept for it.
 */
static bool whole_line(const struct telnet *t, struct reader *in, struct bytes *line)
{
	const uint8_t *at = in->at;
	if (t->reading != READ_BYTES || t->line_len)
		return false;
	while (at < in->end && *at >= ' ' && *at != 127 && *at != IAC)
		at++;
	*line = (struct bytes){in->at, (size_t)(at - in->at)};
	return line->len && line->len <= SHELL_LINE_MAX && at < in->end &&
	       (*at == '\r' || *at == '\n');
}

static enum service_next take_line(struct session *s, struct telnet *t, struct reader *in,
                                   struct bytes line)
{
	in->at += line.len;
	t->after_return = read_u8(in) == '\r';
	if (echoes(t))
		session_say_bytes(s, line);
	return line_typed(s, t, line);
}

/* A run of plain characters at once: most of all other input. */
static void plain_bytes(struct session *s, struct telnet *t, struct reader *in)
{
	const uint8_t *from = in->at;
	while (t->reading == READ_BYTES && in->at < in->end && *in->at >= ' ' && *in->at != 127 &&
	       *in->at != IAC && line_add(s, t, *in->at))
		in->at++;
	if (in->at > from)
		t->after_return = false;
	if (in->at > from && echoes(t))
		session_say_bytes(s, (struct bytes){from, (size_t)(in->at - from)});
}

static enum service_next telnet_input(struct session *s, void *state, struct reader *in)
{
	struct telnet *t = state;
	enum service_next next = SERVICE_CONTINUE;
	t->session = s;
	if (telnet_relay_is_through(t->relay)) {
		/* The LF or NUL behind the CR that led there. */
		if (t->after_return && reader_left(in) && (*in->at == '\n' || *in->at == 0))
			in->at++;
		t->after_return = false;
		telnet_relay_input(s, t->relay, read_rest(in));
		return next;
	}
	if (reader_left(in) && *in->at != IAC)
		session_typed(s, (struct bytes){in->at, reader_left(in)});
	while (next == SERVICE_CONTINUE && t->after == AFTER_NOTHING && !t->waits && reader_left(in)) {
		struct bytes line;
		if (whole_line(t, in, &line)) {
			next = take_line(s, t, in, line);
			continue;
		}
		plain_bytes(s, t, in);
		if (reader_left(in))
			next = one_byte(s, t, read_u8(in));
	}
	return next;
}

static void telnet_close(struct session *s, void *state)
{
	struct telnet *t = state;
	t->session = s;
	if (t->relay)
		telnet_relay_close(s, t->relay);
	if (t->phase == PHASE_SHELL)
		shell_finish(&t->shell);
}

static const struct option telnet_options[] = {
        {.name = "refusal-delay",
         .type = OPTION_DURATION,
         .offset = offsetof(struct telnet_options, refusal_delay_ms),
         .fallback = "2s",
         .min = 1,
         .max = 10000,
         .summary = "time until a failed login is answered; BusyBox takes three seconds"},
        {0},
};

static const struct service telnet = {
        .name = "telnet",
        .summary = "login and shell of a BusyBox device, nothing of which is executed",
        .reference = "RFC 854, 855, 857; BusyBox telnetd, login and ash 1.16 to 1.20",
        .transports = TRANSPORT_TCP,
        .ports = {23, 2323},
        .state_size = sizeof(struct telnet),
        .input_max = 8192,
        .output_max = 256 * 1024,
        .arena_max = 384 * 1024,
        .idle_ms_max = 180 * 1000,
        .session_ms_max = 900 * 1000,
        .options = telnet_options,
        .options_size = sizeof(struct telnet_options),
        .open = telnet_open,
        .input = telnet_input,
        .tick = telnet_tick,
        .relayed = telnet_relayed,
        .close = telnet_close,
        .exchanges = telnet_exchanges,
};
SERVICE(telnet);
