#include "passive/relay/watch.h"
#include "passive/device/shell/shell.h"

static bool asks_secret(const struct watch *w)
{
	struct bytes tail = {w->tail, w->tail_len};
	return bytes_find_nocase(tail, "assword") < tail.len || bytes_find_nocase(tail, "assphrase") < tail.len;
}

static uint8_t keep(uint8_t room[WATCH_USER_MAX], struct bytes b)
{
	uint8_t n = (uint8_t)(b.len < WATCH_USER_MAX ? b.len : WATCH_USER_MAX);
	memcpy(room, b.at, n);
	return n;
}

static void line_typed(struct watch *w, struct session *s, struct bytes line)
{
	bool secret = asks_secret(w);
	w->tail_len = 0;
	if (w->login == WATCH_NAME && line.len) {
		w->user_len = keep(w->user, line);
		w->login = WATCH_SECRET;
	} else if (w->login == WATCH_SECRET) {
		w->secret_len = keep(w->secret, line);
		w->login = WATCH_DECISION;
	} else if (line.len) {
		struct event *e = session_report(s, EVENT_COMMAND_SENT);
		event_set_bytes(e, secret ? FIELD_LOGIN_SECRET : FIELD_COMMAND_LINE, line);
	}
}

void watch_input(struct watch *w, struct session *s, struct bytes text)
{
	struct reader r = reader_of_bytes(text);
	struct bytes line;
	session_typed(s, text);
	while (reader_left(&r)) {
		enum terminal_key key =
		        terminal_take(&w->terminal, session_arena(s), &r, (struct terminal_echo){0}, SHELL_LINE_MAX, &line);
		if (key != TERMINAL_LINE) {
			if (key == TERMINAL_INTERRUPT)
				w->terminal.len = 0;
			continue;
		}
		/* The LF or NUL behind a CR is part of it. */
		bool returned = r.at > text.at && r.at[-1] == '\r';
		if (returned && reader_left(&r) && (*r.at == '\n' || *r.at == 0))
			r.at++;
		line_typed(w, s, line);
	}
}

static void decide(struct watch *w, struct session *s, bool accepted)
{
	session_login_decided(s, (struct bytes){w->user, w->user_len}, (struct bytes){w->secret, w->secret_len},
	                      (struct bytes){0}, accepted);
	w->login = accepted ? WATCH_INSIDE : WATCH_NAME;
}

void watch_output(struct watch *w, struct session *s, struct bytes text)
{
	size_t n = text.len < sizeof w->tail ? text.len : sizeof w->tail;
	size_t old = sizeof w->tail - n < w->tail_len ? sizeof w->tail - n : w->tail_len;
	memmove(w->tail, w->tail + w->tail_len - old, old);
	if (n)
		memcpy(w->tail + old, text.at + text.len - n, n);
	w->tail_len = (uint8_t)(old + n);
	if (w->login != WATCH_DECISION)
		return;
	struct bytes end = bytes_trim((struct bytes){w->tail, w->tail_len});
	if (bytes_find_nocase(text, "ncorrect") < text.len || bytes_find_nocase(end, "ogin:") < end.len)
		decide(w, s, false);
	else if (end.len && memchr("$#>%", end.at[end.len - 1], 4))
		decide(w, s, true);
}

void watch_end(struct watch *w, struct session *s)
{
	if (w->login == WATCH_DECISION)
		decide(w, s, false);
}
