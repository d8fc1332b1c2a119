/* Running the tree: lists, pipes, loops, redirections, subshells, and the budget. */
#include "passive/device/shell/shell_inner.h"
#include <stdarg.h>

#define COMMAND_STEPS 64

bool shell_spend(struct shell *sh, size_t steps)
{
	struct shell_run *run = sh->run;
	if (steps >= run->steps) {
		run->steps = 0;
		run->flow = FLOW_STOP;
		return false;
	}
	run->steps -= steps;
	return true;
}

struct arena shell_scratch(const struct shell *sh, struct scratch *on)
{
	size_t max = (size_t)SHELL_SCRATCH_MAX >> sh->run->depth / 8;
	return on ? arena_over(on->room, sizeof on->room, max) : ARENA(max);
}

void shell_raise(struct shell *sh)
{
	sh->status = 2;
	if (sh->run->flow == FLOW_NEXT)
		sh->run->flow = FLOW_RAISE;
}

void shell_error(struct shell *sh, const struct fds *fds, const char *fmt, ...)
{
	char text[640];
	struct writer w = writer_of(text, sizeof text - 1);
	va_list ap;
	write_fmt(&w, "%.64s: ", sh->run->name);
	if (sh->run->script)
		write_fmt(&w, "line %u: ", sh->run->line);
	va_start(ap, fmt);
	int n = vsnprintf((char *)w.at, writer_left(&w), fmt, ap);
	va_end(ap);
	if (n > 0)
		w.at += (size_t)n < writer_left(&w) ? (size_t)n : writer_left(&w) - 1;
	*w.at++ = '\n';
	stream_write(sh, fds->fd[2], writer_bytes(&w));
}

void subshell_enter(struct shell *sh, struct subshell *s)
{
	*s = (struct subshell){
	        .variables = sh->variables,
	        .functions = sh->functions,
	        .variable_count = sh->variable_count,
	        .function_count = sh->function_count,
	        .arguments = sh->run->arguments,
	        .argument_count = sh->run->argument_count,
	        .loops = sh->run->loops,
	        .cwd = sh->vfs.cwd,
	        .cwd_room = sh->vfs.cwd_room,
	};
	if (s->cwd) { /* the subshell's cd must not write over ours */
		sh->vfs.cwd = arena_text(sh->run->arena, bytes_of_text(s->cwd));
		sh->vfs.cwd_room = 0;
		if (!sh->vfs.cwd)
			sh->run->flow = FLOW_STOP;
	}
	sh->run->level++;
	sh->run->loops = 0;
}

void subshell_leave(struct shell *sh, const struct subshell *s)
{
	sh->variables = s->variables;
	sh->functions = s->functions;
	sh->variable_count = s->variable_count;
	sh->function_count = s->function_count;
	sh->run->arguments = s->arguments;
	sh->run->argument_count = s->argument_count;
	sh->run->loops = s->loops;
	sh->vfs.cwd = s->cwd;
	sh->vfs.cwd_room = s->cwd_room;
	sh->run->level--;
	if (sh->run->flow != FLOW_STOP)
		sh->run->flow = FLOW_NEXT;
}

/* "1" in "2>&1"; -1 for "-", -2 for what is no descriptor. */
static int copied_descriptor(struct bytes target)
{
	if (bytes_equal_text(target, "-"))
		return -1;
	return target.len == 1 && target.at[0] >= '0' && target.at[0] <= '9' ? target.at[0] - '0'
	                                                                     : -2;
}

static bool redirect_file(struct shell *sh, struct arena *arena, const struct syntax_redirect *r,
                          struct bytes path, struct stream *s, const struct fds *fds)
{
	bool reads = r->kind == REDIRECT_IN;
	struct bytes kept = arena_copy(arena, path);
	int error = !kept.at ? -ENOMEM
	            : reads  ? stream_open_read(sh, arena, kept, s)
	                     : stream_open_write(sh, kept, r->kind != REDIRECT_OUT, s);
	if (!error)
		return true;
	if (reads && error == -EISDIR) { /* opening works, reading does not */
		*s = (struct stream){.kind = STREAM_NOWHERE};
		return true;
	}
	const char *why = error == -ENOENT ? (reads ? "no such file" : "nonexistent directory")
	                                   : strerror(-error);
	shell_error(sh, fds, "can't %s %.*s: %s", reads ? "open" : "create", BYTES_FMT(path), why);
	return false;
}

/* <<-: tabs at the beginnings of lines do not count. */
static struct bytes without_tabs(struct arena *arena, struct bytes text)
{
	uint8_t *at = arena_alloc(arena, text.len + 1);
	size_t n = 0;
	bool begins = true;
	for (size_t i = 0; at && i < text.len; i++) {
		begins &= text.at[i] == '\t';
		if (!begins)
			at[n++] = text.at[i];
		begins |= text.at[i] == '\n';
	}
	return (struct bytes){at, n};
}

/* Applies a command's redirections to a copy of the descriptors; false: one failed. */
static bool redirect(struct shell *sh, struct arena *arena, const struct syntax_redirect *r,
                     struct fds *fds)
{
	for (; r; r = r->next) {
		struct bytes target;
		if (r->kind == REDIRECT_COPY) {
			if (!expand_one(sh, arena, r->raw, fds, &target))
				return false;
			int from = copied_descriptor(target);
			if (from == -2 || (from >= 0 && !fds->fd[from])) {
				shell_error(sh, fds,
				            from == -2 ? "syntax error: bad fd number"
				                       : "%.*s: Bad file descriptor",
				            BYTES_FMT(target));
				return false;
			}
			fds->fd[r->fd] = from == -1 ? NULL : fds->fd[from];
			continue;
		}
		struct stream *s = arena_alloc(arena, sizeof *s);
		if (!s)
			return false;
		if (r->kind == REDIRECT_HERE || r->kind == REDIRECT_LITERAL) {
			s->kind = STREAM_TEXT;
			struct bytes text = r->strip_tabs ? without_tabs(arena, r->text) : r->text;
			s->text = text;
			if (r->kind == REDIRECT_HERE &&
			    !expand_here(sh, arena, text, fds, &s->text))
				return false;
		} else if (!expand_one(sh, arena, r->raw, fds, &target) ||
		           !redirect_file(sh, arena, r, target, s, fds)) {
			return false;
		}
		fds->fd[r->fd] = s;
	}
	return true;
}

static bool assign(struct shell *sh, struct arena *arena, struct bytes raw, const struct fds *fds)
{
	size_t n = syntax_assignment(raw);
	struct bytes name = {raw.at, n}, value;
	if (!expand_one(sh, arena, (struct bytes){raw.at + n + 1, raw.len - n - 1}, fds, &value))
		return false;
	const struct shell_variable *v = variable_find(sh, name);
	if (v && v->readonly) {
		shell_error(sh, fds, "%.*s: is read only", BYTES_FMT(name));
		return false;
	}
	return variable_set(sh, name, value);
}

/* A=b command: one level up for as long as the command runs, which itself sets below. */
static void assign_before(struct shell *sh, struct arena *arena, struct bytes raw,
                          const struct fds *fds, bool kept)
{
	sh->run->level += !kept;
	if (assign(sh, arena, raw, fds) && !kept)
		variable_export(sh, (struct bytes){raw.at, syntax_assignment(raw)});
	sh->run->level -= !kept;
}

static void assigned_drop(struct shell *sh)
{
	for (struct shell_variable **at = &sh->variables; *at;) {
		if ((*at)->level > sh->run->level) {
			*at = (*at)->next;
			sh->variable_count--;
		} else {
			at = &(*at)->next;
		}
	}
}

static int call_function(struct shell *sh, const struct shell_function *f, const struct words *argv,
                         const struct fds *fds)
{
	struct shell_run *run = sh->run;
	const struct bytes *arguments = run->arguments;
	size_t count = run->argument_count;
	unsigned loops = run->loops;
	run->arguments = argv->items + 1;
	run->argument_count = argv->count - 1;
	run->loops = 0;
	int status = shell_run_text(sh, f->body, fds, false);
	if (run->flow == FLOW_RETURN) {
		run->flow = FLOW_NEXT;
		status = (int)sh->status;
	}
	run->arguments = arguments;
	run->argument_count = count;
	run->loops = loops;
	return status;
}

static int run_builtin(struct shell *sh, struct arena *arena, const struct builtin *b,
                       const struct words *argv, const struct fds *fds)
{
	struct call c = {.shell = sh,
	                 .arena = arena,
	                 .name = b->name,
	                 .argv = argv->items,
	                 .argc = argv->count,
	                 .fds = fds};
	return b->run(&c);
}

/* A command with its words expanded. */
static int run_words(struct shell *sh, struct arena *arena, const struct words *argv,
                     const struct fds *fds)
{
	const struct shell_function *f = function_find(sh, argv->items[0]);
	if (f)
		return call_function(sh, f, argv, fds);
	const struct builtin *b = builtin_named(argv->items[0]);
	if (b)
		return run_builtin(sh, arena, b, argv, fds);
	return program_run(sh, arena, argv->items, argv->count, fds);
}

static int eval_simple_in(struct shell *sh, struct arena *arena, const struct syntax *n,
                          const struct fds *outer)
{
	struct words argv = {0};
	struct fds fds = *outer;
	const struct syntax_word *w = n->words;
	sh->run->substituted = false;
	while (w && syntax_assignment(w->raw))
		w = w->next;
	sh->run->output_command = SHELL_COMMAND_OUTPUT_MAX;
	if (!expand_words(sh, arena, w, outer, &argv)) {
		shell_raise(sh);
		return 2;
	}
	if (!redirect(sh, arena, n->redirects, &fds))
		return 1;
	if (argv.count == 0) {
		for (w = n->words; w && syntax_assignment(w->raw); w = w->next)
			if (!assign(sh, arena, w->raw, outer)) {
				shell_raise(sh);
				return 2;
			}
		return sh->run->substituted ? (int)sh->status : 0;
	}
	const struct builtin *b = builtin_named(argv.items[0]);
	bool kept = b && b->special;
	for (const struct syntax_word *a = n->words; a != w; a = a->next)
		assign_before(sh, arena, a->raw, outer, kept);
	int status = run_words(sh, arena, &argv, &fds);
	if (!kept && n->words != w)
		assigned_drop(sh);
	return status;
}

/* Not inlined: its room would lie in the frame of every construct around it. */
__attribute__((noinline)) static int eval_simple(struct shell *sh, const struct syntax *n,
                                                 const struct fds *fds)
{
	struct scratch room;
	struct arena arena = shell_scratch(sh, &room);
	sh->run->line = n->line;
	shell_spend(sh, COMMAND_STEPS);
	int status = eval_simple_in(sh, &arena, n, fds);
	arena_done(&arena);
	return status;
}

/* The stages run one after the other, each in a subshell, over what the one before said. */
static int eval_pipe(struct shell *sh, const struct syntax *n, const struct fds *outer)
{
	struct arena arena = shell_scratch(sh, NULL);
	struct stream *from = outer->fd[0];
	int status = 0;
	for (const struct syntax *c = n->first; c && sh->run->flow == FLOW_NEXT; c = c->next) {
		struct stream *to = outer->fd[1];
		if (c->next) {
			to = arena_alloc(&arena, sizeof *to);
			if (!to)
				break;
			*to = (struct stream){.kind = STREAM_PIPE, .arena = &arena};
		}
		struct fds fds = *outer;
		fds.fd[0] = from;
		fds.fd[1] = to;
		bool alone = n->first == c && !c->next; /* only negated */
		struct subshell saved;
		if (!alone)
			subshell_enter(sh, &saved);
		status = shell_eval(sh, c, &fds);
		if (!alone)
			subshell_leave(sh, &saved);
		if (c->next)
			*to = (struct stream){
			        .kind = STREAM_TEXT,
			        .text = to->len ? (struct bytes){to->collected, to->len}
			                        : BYTES("")};
		from = to;
	}
	arena_done(&arena);
	return n->negated ? !status : status;
}

/* After a body ran: whether the loop goes on. */
static bool loop_goes_on(struct shell *sh)
{
	struct shell_run *run = sh->run;
	if (run->flow == FLOW_NEXT)
		return true;
	if (run->flow != FLOW_BREAK && run->flow != FLOW_CONTINUE)
		return false;
	bool again = run->flow == FLOW_CONTINUE && run->flow_count == 1;
	if (--run->flow_count == 0)
		run->flow = FLOW_NEXT;
	return again;
}

static int eval_while(struct shell *sh, const struct syntax *n, const struct fds *fds)
{
	int status = 0;
	bool wanted = n->kind == SYNTAX_WHILE;
	sh->run->loops++;
	while (shell_spend(sh, 8)) {
		bool yes = shell_eval(sh, n->first, fds) == 0;
		if (sh->run->flow != FLOW_NEXT) {
			if (loop_goes_on(sh))
				continue;
			break;
		}
		if (yes != wanted)
			break;
		status = shell_eval(sh, n->second, fds);
		if (!loop_goes_on(sh))
			break;
	}
	sh->run->loops--;
	return status;
}

static int eval_for(struct shell *sh, const struct syntax *n, const struct fds *fds)
{
	struct arena arena = shell_scratch(sh, NULL);
	struct words list = {(struct bytes *)(uintptr_t)sh->run->arguments, sh->run->argument_count,
	                     0};
	int status = 0;
	if (n->has_list) {
		list = (struct words){0};
		if (!expand_words(sh, &arena, n->words, fds, &list))
			shell_raise(sh);
	}
	sh->run->loops++;
	for (size_t i = 0; i < list.count && sh->run->flow == FLOW_NEXT && shell_spend(sh, 8);
	     i++) {
		if (!variable_set(sh, n->text, list.items[i]))
			break;
		status = shell_eval(sh, n->first, fds);
		if (!loop_goes_on(sh))
			break;
	}
	sh->run->loops--;
	arena_done(&arena);
	return status;
}

static int eval_case(struct shell *sh, const struct syntax *n, const struct fds *fds)
{
	struct arena arena = shell_scratch(sh, NULL);
	struct bytes subject, pattern;
	int status = 0;
	bool found = false;
	if (!expand_one(sh, &arena, n->words->raw, fds, &subject))
		shell_raise(sh);
	for (const struct syntax *item = n->first; item && !found && sh->run->flow == FLOW_NEXT;
	     item = item->next)
		for (const struct syntax_word *w = item->words; w && !found; w = w->next) {
			if (!expand_pattern(sh, &arena, w->raw, fds, &pattern))
				break;
			found = pattern_matches(sh, pattern, subject);
			if (found && item->first)
				status = shell_eval(sh, item->first, fds);
		}
	arena_done(&arena);
	return status;
}

static int eval_subshell(struct shell *sh, const struct syntax *n, const struct fds *fds)
{
	struct subshell saved;
	subshell_enter(sh, &saved);
	int status = shell_eval(sh, n->first, fds);
	if (sh->run->flow != FLOW_NEXT)
		status = (int)sh->status;
	subshell_leave(sh, &saved);
	return status;
}

static int eval_background(struct shell *sh, const struct syntax *n, const struct fds *fds)
{
	struct stream nowhere = {.kind = STREAM_NOWHERE};
	bool before = sh->run->background;
	struct fds own = *fds;
	own.fd[0] = &nowhere; /* POSIX.1 2.9.3: standard input is /dev/null */
	sh->run->background = true;
	sh->background_pid = (uint16_t)(1300 + sh->seed % 911 + sh->background_pid % 7 * 3);
	eval_subshell(sh, n, &own);
	sh->run->background = before;
	return 0;
}

static int eval_and_or(struct shell *sh, const struct syntax *n, const struct fds *fds)
{
	int status = 0;
	for (const struct syntax *c = n->first; c && sh->run->flow == FLOW_NEXT; c = c->next) {
		if (c->join && (c->join == '&') != (status == 0))
			continue;
		status = shell_eval(sh, c, fds);
		sh->status = (uint32_t)status;
	}
	return status;
}

static int eval_kind(struct shell *sh, const struct syntax *n, const struct fds *fds)
{
	int status = 0;
	switch (n->kind) {
	case SYNTAX_PIPE:
		return eval_pipe(sh, n, fds);
	case SYNTAX_AND_OR:
		return eval_and_or(sh, n, fds);
	case SYNTAX_SEQUENCE:
		for (const struct syntax *c = n->first; c && sh->run->flow == FLOW_NEXT;
		     c = c->next)
			status = shell_eval(sh, c, fds);
		return status;
	case SYNTAX_BACKGROUND:
		return eval_background(sh, n, fds);
	case SYNTAX_SUBSHELL:
		return eval_subshell(sh, n, fds);
	case SYNTAX_GROUP:
		return shell_eval(sh, n->first, fds);
	case SYNTAX_IF:
		if (shell_eval(sh, n->first, fds) == 0)
			return sh->run->flow == FLOW_NEXT ? shell_eval(sh, n->second, fds) : 0;
		return n->third && sh->run->flow == FLOW_NEXT ? shell_eval(sh, n->third, fds) : 0;
	case SYNTAX_WHILE:
	case SYNTAX_UNTIL:
		return eval_while(sh, n, fds);
	case SYNTAX_FOR:
		return eval_for(sh, n, fds);
	case SYNTAX_CASE:
		return eval_case(sh, n, fds);
	case SYNTAX_FUNCTION:
		return function_set(sh, n->text, n->words->raw) ? 0 : 2;
	default:
		return eval_simple(sh, n, fds);
	}
}

/* A compound command's redirections hold for all that is in it. */
static int eval_redirected(struct shell *sh, const struct syntax *n, const struct fds *outer)
{
	struct arena arena = shell_scratch(sh, NULL);
	struct fds fds = *outer;
	int status = redirect(sh, &arena, n->redirects, &fds) ? eval_kind(sh, n, &fds) : 1;
	arena_done(&arena);
	return status;
}

int shell_eval(struct shell *sh, const struct syntax *n, const struct fds *fds)
{
	if (sh->run->flow != FLOW_NEXT)
		return (int)sh->status;
	if (++sh->run->depth > SHELL_DEPTH_MAX * 3 || !shell_spend(sh, 4)) {
		sh->run->flow = FLOW_STOP;
		sh->run->depth--;
		return 2;
	}
	int status = n->redirects && n->kind != SYNTAX_SIMPLE ? eval_redirected(sh, n, fds)
	                                                      : eval_kind(sh, n, fds);
	sh->run->depth--;
	if (sh->run->flow == FLOW_NEXT)
		sh->status = (uint32_t)status & 255;
	return (int)sh->status;
}

/*
 * Commands one line after the other.  Returns the last status, or -1 when the text ends
 * inside a construct and more may follow.
 */
int shell_run_text(struct shell *sh, struct bytes text, const struct fds *fds, bool more_may_follow)
{
	struct scratch room;
	struct arena arena = shell_scratch(sh, &room);
	struct syntax_reader r = {.source = text, .line = 1, .arena = &arena};
	int status = 0;
	if (++sh->run->depth > SHELL_DEPTH_MAX * 3)
		sh->run->flow = FLOW_STOP;
	while (sh->run->flow == FLOW_NEXT) {
		struct syntax *tree;
		size_t before = r.at;
		enum syntax_result result = syntax_read(&r, &tree);
		shell_spend(sh, (r.at - before) / 8 + 1);
		if (result == SYNTAX_END)
			break;
		if (result == SYNTAX_PARTIAL && more_may_follow) {
			status = -1;
			break;
		}
		if (result == SYNTAX_FULL) {
			sh->run->flow = FLOW_STOP;
		} else if (result != SYNTAX_DONE &&
		           !strcmp(r.error, "unterminated here-document")) {
			if (tree) /* ash takes what is there */
				status = shell_eval(sh, tree, fds);
		} else if (result != SYNTAX_DONE) {
			sh->run->line = r.line;
			shell_error(sh, fds, "syntax error: %s", r.error);
			sh->status = 2;
			status = 2;
			break;
		} else if (tree) {
			status = shell_eval(sh, tree, fds);
		}
	}
	sh->run->depth--;
	arena_done(&arena);
	return status;
}

struct bytes shell_substitute(struct shell *sh, struct bytes text, struct arena *into,
                              const struct fds *outer)
{
	struct stream *to = arena_alloc(into, sizeof *to);
	struct subshell saved;
	if (!to || !shell_spend(sh, COMMAND_STEPS))
		return BYTES("");
	*to = (struct stream){.kind = STREAM_PIPE, .arena = into};
	struct fds fds = *outer;
	fds.fd[1] = to;
	subshell_enter(sh, &saved);
	shell_run_text(sh, text, &fds, false);
	subshell_leave(sh, &saved);
	sh->run->substituted = true;
	size_t n = to->len;
	while (n && to->collected[n - 1] == '\n')
		n--;
	return n ? (struct bytes){to->collected, n} : BYTES("");
}
