/* The shell as its service sees it: lines in, prompts out, and who waits for input. */
#include "passive/device/shell/shell_inner.h"

#define FILE_KEPT_MIN 64 /* a removed file smaller than this was only a test for writability */

void shell_start(struct shell *sh, const struct persona *p, const struct address *local,
                 uint64_t seed, struct arena *arena, const struct shell_hooks *hooks, void *owner)
{
	*sh = (struct shell){.persona = p,
	                     .local = local,
	                     .hooks = hooks,
	                     .owner = owner,
	                     .arena = arena,
	                     .seed = seed};
	if (!hooks->files || !hooks->files(owner, &sh->vfs))
		vfs_start(&sh->vfs, p->root, arena);
	if (strcmp(p->home, "/"))
		vfs_change_directory(&sh->vfs, bytes_of_text(p->home));
}

static void say_text(struct shell *sh, const char *text)
{
	sh->hooks->say(sh->owner, bytes_of_text(text));
}

static void greet_shell(struct shell *sh)
{
	char text[256];
	struct writer w = writer_of(text, sizeof text);
	write_fmt(&w,
	          "\n\nBusyBox %s (%s) built-in shell (ash)\n"
	          "Enter 'help' for a list of built-in commands.\n\n",
	          sh->persona->busybox, sh->persona->busybox_date);
	sh->hooks->say(sh->owner, writer_bytes(&w));
}

void shell_greet(struct shell *sh)
{
	if (sh->persona->motd.len) {
		char text[2048];
		struct persona_look look;
		struct writer w = writer_of(text, sizeof text);
		persona_look(sh->persona, sh->seed, sh->local, sh->hooks->time_us(sh->owner),
		             &look);
		persona_expand(&look, sh->persona->motd, &w);
		sh->hooks->say(sh->owner, writer_bytes(&w));
	}
	greet_shell(sh);
}

bool shell_hides_input(const struct shell *sh)
{
	return sh->waiting == WAITING_SECRET || sh->waiting == WAITING_SECRET_2;
}

/* PS1 with the escapes of BusyBox's line editing: \w \h \u \$ */
static void write_directory(struct shell *sh, bool elsewhere, struct writer *w)
{
	const char *home = sh->persona->home;
	if (elsewhere)
		write_text(w, "\\w");
	else if (bytes_equal_text(vfs_cwd(&sh->vfs), home) && strcmp(home, "/"))
		write_u8(w, '~');
	else
		write_span(w, vfs_cwd(&sh->vfs));
}

static void write_prompt(struct shell *sh, struct bytes ps, bool elsewhere, struct writer *w)
{
	for (size_t i = 0; i < ps.len; i++) {
		uint8_t c = ps.at[i];
		if (c != '\\' || i + 1 == ps.len) {
			write_u8(w, c);
			continue;
		}
		c = ps.at[++i];
		if (c == 'w') {
			write_directory(sh, elsewhere, w);
		} else if (c == 'h') {
			struct persona_look look;
			persona_look(sh->persona, sh->seed, sh->local, 0, &look);
			write_text(w, look.hostname);
		} else if (c == 'u') {
			write_text(w, "root");
		} else {
			write_u8(w, c == '$' ? '#' : c);
		}
	}
}

void shell_write_prompt(struct shell *sh, struct writer *w)
{
	bool set;
	write_prompt(sh, variable_get(sh, BYTES("PS1"), &set), true, w);
}

void shell_prompt(struct shell *sh)
{
	char text[VFS_PATH_MAX + 128];
	struct writer w = writer_of(text, sizeof text);
	bool set;
	if (sh->waiting)
		return;
	write_prompt(sh, variable_get(sh, sh->pending_len ? BYTES("PS2") : BYTES("PS1"), &set), false, &w);
	sh->hooks->say(sh->owner, writer_bytes(&w));
}

static bool pending_add(struct shell *sh, struct bytes more)
{
	size_t need = sh->pending_len + more.len + 1;
	if (need > SHELL_PENDING_MAX)
		return false;
	if (need > sh->pending_room) {
		size_t room = sh->pending_room ? 2 * sh->pending_room : 128;
		while (room < need)
			room *= 2;
		char *at = arena_alloc(sh->arena, room);
		if (!at)
			return false;
		if (sh->pending_len)
			memcpy(at, sh->pending, sh->pending_len);
		sh->pending = at;
		sh->pending_room = (uint32_t)room;
	}
	memcpy(sh->pending + sh->pending_len, more.at, more.len);
	sh->pending_len += (uint32_t)more.len;
	sh->pending[sh->pending_len++] = '\n';
	return true;
}

static void run_begin(struct shell *sh, struct shell_run *run, struct arena *arena,
                      const char *name)
{
	*run = (struct shell_run){.arena = arena,
	                          .steps = SHELL_STEPS_MAX,
	                          .output = SHELL_OUTPUT_MAX,
	                          .output_command = SHELL_COMMAND_OUTPUT_MAX,
	                          .name = name};
	sh->vfs.now_s = (uint32_t)(sh->hooks->time_us(sh->owner) / 1000000);
	sh->run = run;
}

/* Removed files that were more than a test are handed over before they are gone. */
static void run_end(struct shell *sh, struct shell_run *run)
{
	for (struct vfs_change *c = NULL; sh->vfs.overlay->removed && vfs_next_written(&sh->vfs, &c);) {
		struct vfs_status status;
		bool gone = false;
		vfs_stat(vfs_node_of(c), &status);
		for (struct vfs_change *r = sh->vfs.overlay->removed; r && !gone; r = vfs_next_removed(r))
			gone = r == c;
		if (gone && status.size >= FILE_KEPT_MIN)
			file_take(sh, c, vfs_name(vfs_node_of(c)));
	}
	vfs_settle(&sh->vfs);
	size_t spent = SHELL_STEPS_MAX - run->steps;
	uint32_t delay_ms = run->delay_ms;
	if (spent > SHELL_BUSY_STEPS)
		delay_ms += (uint32_t)(spent / SHELL_STEPS_PER_MS);
	if (delay_ms)
		sh->hooks->delayed(sh->owner,
		                   delay_ms < SHELL_DELAY_MS_MAX ? delay_ms : SHELL_DELAY_MS_MAX);
	sh->run = NULL;
	arena_done(run->arena);
}

static enum shell_next run_next(struct shell *sh, const struct shell_run *run)
{
	if (sh->halted)
		return SHELL_HALT;
	if (run->flow != FLOW_EXIT)
		return SHELL_CONTINUE;
	if (sh->nested == 0)
		return SHELL_EXIT;
	sh->nested--;
	return SHELL_CONTINUE;
}

static enum shell_next run_line(struct shell *sh, struct bytes line)
{
	struct shell_run run;
	struct arena arena = ARENA(SHELL_SCRATCH_MAX);
	struct stream terminal = {.kind = STREAM_TERMINAL};
	const struct fds fds = {{&terminal, &terminal, &terminal}};
	struct bytes text = line;
	run_begin(sh, &run, &arena, sh->nested ? "sh" : "-sh");
	if (sh->pending_len) { /* copied: a command that waits for input writes to `pending` */
		if (!pending_add(sh, line))
			run.flow = FLOW_STOP;
		text = arena_copy(&arena,
		                  (struct bytes){(const uint8_t *)sh->pending, sh->pending_len});
	}
	uint32_t unfinished = sh->pending_len;
	uint8_t nested = sh->nested;
	sh->pending_len = 0;
	if (shell_run_text(sh, text, &fds, true) < 0) {
		sh->pending_len = unfinished;
		if (!unfinished)
			pending_add(sh, line);
	}
	enum shell_next next = run_next(sh, &run);
	if (sh->nested > nested)
		greet_shell(sh);
	run_end(sh, &run);
	return next;
}

static void copy_input(struct shell *sh, struct bytes input, struct bytes end)
{
	struct stream s = {.kind = STREAM_TERMINAL};
	struct shell_run run;
	struct arena arena = ARENA(SHELL_SCRATCH_MAX);
	struct bytes path = {(const uint8_t *)sh->pending, sh->pending_len};
	run_begin(sh, &run, &arena, "cat");
	if (path.len == 0 || stream_open_write(sh, path, true, &s) == 0) {
		stream_write(sh, &s, input);
		stream_write(sh, &s, end);
	}
	run_end(sh, &run);
}

void shell_wait(struct shell *sh, enum shell_waiting how, struct bytes text)
{
	sh->pending_len = 0;
	if (pending_add(sh, text)) {
		sh->pending_len--; /* without the line end */
		sh->waiting = (uint8_t)how;
	}
}

static void waiting_done(struct shell *sh)
{
	sh->waiting = WAITING_NONE;
	sh->pending_len = 0;
}

static void read_into_variables(struct shell *sh, struct bytes line)
{
	struct shell_run run;
	struct arena arena = ARENA(SHELL_SCRATCH_MAX);
	struct bytes names = {(const uint8_t *)sh->pending, sh->pending_len};
	run_begin(sh, &run, &arena, "sh");
	line = bytes_trim(line);
	while (names.len) {
		struct bytes name = bytes_word(&names);
		struct bytes value = names.len ? bytes_word(&line) : line;
		variable_set(sh, name, value);
	}
	sh->status = 0;
	waiting_done(sh);
	run_end(sh, &run);
}

enum shell_next shell_line(struct shell *sh, struct bytes line)
{
	switch (sh->waiting) {
	case WAITING_COPY:
		copy_input(sh, line, BYTES("\n"));
		return SHELL_CONTINUE;
	case WAITING_READ:
		read_into_variables(sh, line);
		return SHELL_CONTINUE;
	case WAITING_DISCARD:
		return SHELL_CONTINUE;
	case WAITING_SECRET:
		sh->waiting = WAITING_SECRET_2;
		say_text(sh, "Retype password: ");
		return SHELL_CONTINUE;
	case WAITING_SECRET_2:
		say_text(sh, "Password for root changed by root\n");
		waiting_done(sh);
		return SHELL_CONTINUE;
	default:
		return run_line(sh, line);
	}
}

void shell_interrupt(struct shell *sh)
{
	waiting_done(sh);
	sh->status = 130;
}

enum shell_next shell_end_of_input(struct shell *sh)
{
	if (sh->waiting) {
		waiting_done(sh);
		sh->status = 0;
		return SHELL_CONTINUE;
	}
	if (sh->pending_len) {
		say_text(sh, "sh: syntax error: unexpected end of file\n");
		sh->pending_len = 0;
		sh->status = 2;
		return SHELL_CONTINUE;
	}
	if (sh->nested == 0)
		return SHELL_EXIT;
	sh->nested--;
	return SHELL_CONTINUE;
}

void shell_finish(struct shell *sh)
{
	if (!sh->hooks)
		return;
	for (struct vfs_change *c = NULL; vfs_next_written(&sh->vfs, &c);)
		file_take(sh, c, vfs_name(vfs_node_of(c)));
}

static enum shell_next run_script(struct shell *sh, struct bytes text, struct stream *input)
{
	struct shell_run run;
	struct arena arena = ARENA(SHELL_SCRATCH_MAX);
	struct stream terminal = {.kind = STREAM_TERMINAL};
	const struct fds fds = {{input, &terminal, &terminal}};
	run_begin(sh, &run, &arena, "sh");
	shell_run_text(sh, text, &fds, false);
	enum shell_next next = run_next(sh, &run);
	run_end(sh, &run);
	return next;
}

enum shell_next shell_script(struct shell *sh, struct bytes text)
{
	struct stream nowhere = {.kind = STREAM_NOWHERE};
	return run_script(sh, text, &nowhere);
}

enum shell_next shell_command(struct shell *sh, struct bytes text)
{
	struct stream terminal = {.kind = STREAM_TERMINAL};
	return run_script(sh, text, &terminal);
}

bool shell_waits(const struct shell *sh)
{
	return sh->waiting != WAITING_NONE;
}

void shell_feed(struct shell *sh, struct bytes input)
{
	if (sh->waiting == WAITING_COPY && input.len)
		copy_input(sh, input, (struct bytes){0});
}
