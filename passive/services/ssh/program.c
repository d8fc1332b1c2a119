/* What a session channel runs: the device's shell, one command, or a file transfer. */
#include "passive/services/ssh/connection.h"
#include "passive/services/ssh/relay.h"
#include "passive/services/ssh/scp.h"
#include "passive/services/ssh/sftp.h"

#define PTY_MAX 1024 /* of a request for a terminal, with its modes */

static const struct persona *persona_of(const struct session *s)
{
	const struct persona *p = session_persona(s);
	return p && p->root ? p : &persona_plain;
}

/* LF becomes CR LF where there is a terminal. */
static void say_text(struct ssh *h, struct ssh_channel *c, struct bytes b)
{
	size_t from = 0;
	for (size_t i = 0; c->terminal_asked && i < b.len; i++) {
		if (b.at[i] != '\n')
			continue;
		channel_say(h, c, (struct bytes){b.at + from, i - from});
		channel_say(h, c, BYTES("\r\n"));
		from = i + 1;
	}
	channel_say(h, c, (struct bytes){b.at + from, b.len - from});
	if (!h->connection->quiet)
		session_record(h->session, true, b);
}

static void hook_say(void *owner, struct bytes b)
{
	struct ssh_connection *k = owner;
	if (k->speaking)
		say_text(k->ssh, k->speaking, b);
}

static void hook_fetched(void *owner, struct bytes url, struct bytes name, const char *how)
{
	struct ssh_connection *k = owner;
	k->told_more = true;
	session_name_file(k->ssh->session, url, name, how);
}

static void hook_captured(void *owner, struct bytes content, struct bytes name, const char *how)
{
	struct ssh_connection *k = owner;
	k->told_more = true;
	session_capture(k->ssh->session, content, name, (struct bytes){0}, how);
}

static void hook_delayed(void *owner, uint32_t delay_ms)
{
	struct ssh_connection *k = owner;
	k->delayed = true;
	k->ssh->waiting = SSH_WAITS_PROGRAM;
	session_delay(k->ssh->session, delay_ms);
}

static uint64_t hook_time(void *owner)
{
	return session_time_us(((struct ssh_connection *)owner)->ssh->session);
}

static uint64_t hook_random(void *owner)
{
	return session_random(((struct ssh_connection *)owner)->ssh->session);
}

static bool hook_files(void *owner, struct vfs *out)
{
	return session_files(((struct ssh_connection *)owner)->ssh->session, out, NULL);
}

static const struct shell_hooks hooks = {hook_say,  hook_fetched, hook_captured, hook_delayed,
                                         hook_time, hook_random,  hook_files};

/* One shell serves all programs of a connection, each from the home directory on. */
static struct shell *shell_of(struct ssh *h)
{
	struct ssh_connection *k = h->connection;
	const struct persona *p = persona_of(h->session);
	if (!k->shell_started)
		shell_start(&k->shell, p, session_local(h->session), session_device_seed(h->session),
		            session_arena(h->session), &hooks, k);
	else
		vfs_change_directory(&k->shell.vfs, bytes_of_text(p->home));
	k->shell_started = true;
	return &k->shell;
}

struct vfs *program_files(struct ssh *h)
{
	return &(h->connection->shell_started ? &h->connection->shell : shell_of(h))->vfs;
}

static bool start_shell(struct ssh *h, struct ssh_channel *c)
{
	struct shell *sh = shell_of(h);
	h->connection->speaking = c;
	c->program = SSH_RUNS_SHELL;
	c->terminal.plain = !c->terminal_asked;
	if (c->terminal_asked) {
		shell_greet(sh);
		shell_prompt(sh);
	}
	return true;
}

/* Runs a line whose answer may be taken back; true: the backend answers it instead. */
static bool handed_over(struct ssh *h, struct ssh_channel *c, struct bytes line, bool exec, enum shell_next *next)
{
	struct ssh_connection *k = h->connection;
	size_t said = c->pending_len;
	k->quiet = ssh_relay_may_hand_over(h);
	k->shell.unknown = false;
	*next = exec ? shell_command(&k->shell, line) : shell_line(&k->shell, line);
	if (!k->quiet)
		return false;
	k->quiet = false;
	if (*next != SHELL_HALT && !shell_waits(&k->shell) && ssh_relay_hand_over(h, c, line, said, exec))
		return true;
	if (c->pending_len > said)
		session_record(h->session, true, (struct bytes){c->pending + c->pending_at + said, c->pending_len - said});
	return false;
}

static void run_command(struct ssh *h, struct ssh_channel *c, struct bytes line)
{
	struct shell *sh = shell_of(h);
	h->connection->speaking = c;
	c->program = SSH_RUNS_COMMAND;
	c->terminal.plain = true;
	enum shell_next next;
	if (handed_over(h, c, line, true, &next))
		return;
	if (next == SHELL_HALT || !shell_waits(sh))
		channel_end(c, sh->status & 255);
}

static bool start_command(struct ssh *h, struct ssh_channel *c, struct reader *r)
{
	struct bytes line = read_string(r);
	if (!reader_ok(r))
		return false;
	struct event *e = session_report(h->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, line);
	if (scp_claims(line))
		return scp_start(h, c, line);
	if (sftp_claims(line))
		return sftp_start(h, c);
	session_record(h->session, false, line);
	session_record(h->session, false, BYTES("\n"));
	run_command(h, c, line);
	return true;
}

static bool start_subsystem(struct ssh *h, struct ssh_channel *c, struct reader *r)
{
	struct bytes name = read_string(r);
	if (!reader_ok(r) || !bytes_equal_text(name, "sftp") || !h->device || !h->device->sftp)
		return false;
	struct event *e = session_report(h->session, EVENT_COMMAND_SENT);
	event_set_bytes(e, FIELD_COMMAND_LINE, BYTES("subsystem sftp"));
	return sftp_start(h, c);
}

/* sshd of Debian takes these of the environment (AcceptEnv), Dropbear none. */
static bool takes_variable(const struct ssh *h, struct reader *r)
{
	struct bytes name = read_string(r);
	return h->software->family != SSH_DROPBEAR &&
	       (bytes_equal_text(name, "LANG") || bytes_start_with(name, "LC_"));
}

static bool take_terminal(struct ssh *h, struct ssh_channel *c, struct reader *r)
{
	struct bytes pty = read_rest(r);
	c->terminal_asked = true;
	c->pty = arena_copy(session_arena(h->session), pty.len <= PTY_MAX ? pty : (struct bytes){0});
	return true;
}

bool program_request(struct ssh *h, struct ssh_channel *c, struct bytes type, struct reader *r)
{
	bool fresh = c->program == SSH_RUNS_NOTHING;
	if (bytes_equal_text(type, "env"))
		return fresh && takes_variable(h, r);
	if (bytes_equal_text(type, "pty-req"))
		return fresh && !c->terminal_asked && take_terminal(h, c, r);
	if (bytes_equal_text(type, "window-change") || bytes_equal_text(type, "signal"))
		return !fresh;
	if (bytes_equal_text(type, "auth-agent-req@openssh.com"))
		return h->software->family != SSH_DROPBEAR;
	if (!fresh)
		return false;
	c->tells_status = true;
	if (bytes_equal_text(type, "shell"))
		return start_shell(h, c);
	if (bytes_equal_text(type, "exec"))
		return start_command(h, c, r);
	if (bytes_equal_text(type, "subsystem"))
		return start_subsystem(h, c, r);
	return false;
}

static enum service_next line_ended(struct ssh *h, struct ssh_channel *c, struct bytes line)
{
	struct shell *sh = &h->connection->shell;
	bool secret = shell_hides_input(sh);
	struct event *e = line.len ? session_report(h->session, EVENT_COMMAND_SENT) : NULL;
	if (e)
		event_set_bytes(e, secret ? FIELD_LOGIN_SECRET : FIELD_COMMAND_LINE, line);
	h->connection->told_more = false;
	if (c->terminal_asked)
		channel_say(h, c, BYTES("\r\n"));
	enum shell_next next;
	if (handed_over(h, c, line, false, &next))
		return SERVICE_CONTINUE;
	if (e && !h->connection->told_more && !secret) /* still the event of this line */
		event_set_bool(e, FIELD_COMMAND_FOUND, sh->status != 127);
	if (next == SHELL_HALT)
		return SERVICE_CLOSE;
	if (next == SHELL_EXIT)
		channel_end(c, sh->status & 255);
	else if (c->terminal_asked)
		shell_prompt(sh);
	return SERVICE_CONTINUE;
}

static void interrupted(struct ssh *h, struct ssh_channel *c)
{
	struct shell *sh = &h->connection->shell;
	channel_say(h, c, BYTES("^C\r\n"));
	shell_interrupt(sh);
	shell_prompt(sh);
}

static void input_ended(struct ssh *h, struct ssh_channel *c)
{
	struct shell *sh = &h->connection->shell;
	if (shell_end_of_input(sh) != SHELL_CONTINUE) {
		channel_end(c, sh->status & 255);
		return;
	}
	if (c->terminal_asked)
		channel_say(h, c, BYTES("\r\n"));
	shell_prompt(sh);
}

static void echo(void *owner, struct bytes b)
{
	struct ssh_connection *k = owner;
	channel_say(k->ssh, k->speaking, b);
	session_record(k->ssh->session, true, b);
}

static enum service_next shell_input(struct ssh *h, struct ssh_channel *c, struct bytes input)
{
	struct ssh_connection *k = h->connection;
	struct reader r = reader_of_bytes(input);
	enum service_next next = SERVICE_CONTINUE;
	if (c->terminal_asked)
		session_typed(h->session, input);
	while (next == SERVICE_CONTINUE && reader_left(&r) && !c->ending && h->waiting != SSH_WAITS_BACKEND) {
		struct bytes line;
		if (c->terminal.plain && shell_waits(&k->shell)) { /* it all goes to who reads */
			shell_feed(&k->shell, read_rest(&r));
			break;
		}
		bool shown = !c->terminal.plain && !shell_hides_input(&k->shell);
		struct terminal_echo e = {shown ? echo : NULL, k};
		switch (terminal_take(&c->terminal, session_arena(h->session), &r, e, SHELL_LINE_MAX, &line)) {
		case TERMINAL_LINE:
			next = line_ended(h, c, line);
			break;
		case TERMINAL_INTERRUPT:
			interrupted(h, c);
			break;
		case TERMINAL_END:
			input_ended(h, c);
			break;
		case TERMINAL_MORE:
			break;
		}
	}
	if (h->waiting == SSH_WAITS_BACKEND && reader_left(&r))
		ssh_relay_keep_rest(h, read_rest(&r));
	return next;
}

enum service_next program_input(struct ssh *h, struct ssh_channel *c, struct bytes input)
{
	h->connection->speaking = c;
	switch (c->program) {
	case SSH_RUNS_SHELL:
		session_record(h->session, false, input);
		return shell_input(h, c, input);
	case SSH_RUNS_COMMAND:
		if (!c->ending)
			shell_feed(&h->connection->shell, input);
		break;
	case SSH_RUNS_SFTP:
		sftp_input(h, c, input);
		break;
	case SSH_RUNS_SCP:
		scp_input(h, c, input);
		break;
	}
	return SERVICE_CONTINUE;
}

enum service_next program_input_end(struct ssh *h, struct ssh_channel *c)
{
	struct shell *sh = &h->connection->shell;
	enum service_next next = SERVICE_CONTINUE;
	h->connection->speaking = c;
	if (c->ending)
		return next;
	switch (c->program) {
	case SSH_RUNS_SHELL:
		if (c->terminal.len) { /* the last line without its end */
			struct bytes line = {c->terminal.line, c->terminal.len};
			c->terminal.len = 0;
			next = line_ended(h, c, line);
		}
		if (!c->ending)
			channel_end(c, sh->status & 255);
		break;
	case SSH_RUNS_COMMAND:
		shell_end_of_input(sh);
		channel_end(c, sh->status & 255);
		break;
	case SSH_RUNS_SFTP:
	case SSH_RUNS_SCP:
		channel_end(c, 0);
		break;
	case SSH_SINKS:
		channel_end(c, 0);
		break;
	}
	return next;
}

void program_gone(struct ssh *h, struct ssh_channel *c)
{
	if (c->program == SSH_RUNS_SFTP)
		sftp_gone(h, c);
	else if (c->program == SSH_RUNS_SCP)
		scp_gone(h, c);
	if (h->connection->speaking == c)
		h->connection->speaking = NULL;
}
