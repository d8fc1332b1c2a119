/* The device's shell behind another service. */
#include "passive/command.h"

struct command_shell {
	struct shell shell;
	struct session *session; /* while a command runs: the hooks need it */
	struct writer *out;
};

static void command_say(void *owner, struct bytes b)
{
	struct command_shell *c = owner;
	if (c->out && b.len > writer_left(c->out))
		b.len = writer_left(c->out);
	if (c->out)
		write_span(c->out, b);
}

static void command_fetched(void *owner, struct bytes url, struct bytes name, const char *how)
{
	session_name_file(((struct command_shell *)owner)->session, url, name, how);
}

static void command_captured(void *owner, struct bytes content, struct bytes name, const char *how)
{
	session_capture(((struct command_shell *)owner)->session, content, name, (struct bytes){0},
			how);
}

/* The protocol around it answers when the command has ended; that it took its time shows in none. */
static void command_delayed(void *owner, uint32_t delay_ms)
{
	(void)owner;
	(void)delay_ms;
}

static uint64_t command_time(void *owner)
{
	return session_time_us(((struct command_shell *)owner)->session);
}

static uint64_t command_random(void *owner)
{
	return session_random(((struct command_shell *)owner)->session);
}

static bool command_files(void *owner, struct vfs *out)
{
	return session_files(((struct command_shell *)owner)->session, out, NULL);
}

static const struct shell_hooks command_hooks = {command_say,     command_fetched, command_captured,
						 command_delayed, command_time,    command_random,
						 command_files};

void command_run(struct session *s, struct command_shell **at, struct bytes line, struct writer *out)
{
	if (!*at) {
		const struct persona *p = session_persona(s);
		if (!p || !p->root)
			p = &persona_plain;
		*at = arena_alloc(session_arena(s), sizeof **at);
		if (!*at)
			return;
		(*at)->session = s;
		shell_start(&(*at)->shell, p, session_local(s), session_device_seed(s),
			    session_arena(s), &command_hooks, *at);
	}
	if (line.len > SHELL_LINE_MAX)
		line.len = SHELL_LINE_MAX;
	/* Who reads from popen() sees nothing of what goes to the error output. */
	uint8_t script[SHELL_LINE_MAX + 32];
	struct writer w = writer_of(script, sizeof script);
	write_text(&w, "{ ");
	write_span(&w, line);
	write_text(&w, "\n} 2>/dev/null");
	(*at)->session = s;
	(*at)->out = out;
	shell_script(&(*at)->shell, writer_bytes(&w));
	(*at)->out = NULL;
}

void command_finish(struct session *s, struct command_shell *c)
{
	if (!c)
		return;
	c->session = s;
	shell_finish(&c->shell);
}
