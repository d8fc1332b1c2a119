#include "passive/relay/entry.h"

void entry_start(struct entry *e, const struct entry_plan *plan, enum entry_state at)
{
	*e = (struct entry){.plan = *plan, .state = (uint8_t)at};
}

static struct bytes held(const struct entry *e)
{
	return (struct bytes){e->held, e->held_len};
}

static void drop(struct entry *e, size_t n)
{
	memmove(e->held, e->held + n, e->held_len - n);
	e->held_len = (uint16_t)(e->held_len - n);
}

static bool ends_with(struct bytes b, const char *text)
{
	size_t n = strlen(text);
	return b.len >= n && !memcmp(b.at + b.len - n, text, n);
}

static bool has(struct bytes b, const char *text)
{
	return bytes_find_nocase(b, text) < b.len;
}

/* A shell's prompt stands at the end of a line that has no end. */
static bool is_prompt(struct bytes b)
{
	while (b.len && (b.at[b.len - 1] == ' ' || b.at[b.len - 1] == 0))
		b.len--;
	return b.len && memchr("$#>%", b.at[b.len - 1], 4);
}

/* Quoted for a shell. */
static void write_quoted(struct bytes b, struct writer *w)
{
	write_text(w, "'");
	for (size_t i = 0; i < b.len; i++) {
		if (b.at[i] == '\'')
			write_text(w, "'\\''");
		else if (b.at[i] >= ' ')
			write_u8(w, b.at[i]);
	}
	write_text(w, "'");
}

static void write_mark(const struct entry *e, bool whole, struct writer *w)
{
	write_fmt(w, "%08x%s%08x", (unsigned)(e->plan.mark >> 32), whole ? "" : " ", (unsigned)e->plan.mark);
}

/* The prompt as parameters, which every shell expands, and for those that can as they write it. */
static void write_prompt(struct bytes prompt, struct writer *w)
{
	uint8_t room[512];
	struct writer plain = writer_of(room, sizeof room);
	for (size_t i = 0; i < prompt.len; i++) {
		if (prompt.at[i] == '\\' && i + 1 < prompt.len && prompt.at[i + 1] == 'w') {
			write_text(&plain, "$PWD");
			i++;
		} else {
			write_u8(&plain, prompt.at[i]);
		}
	}
	write_text(w, "PS1=");
	write_quoted(writer_bytes(&plain), w);
	write_text(w, "; [ \"$BASH_VERSION\" ] && PS1=");
	write_quoted(prompt, w);
}

/* A line that the shell's history does not keep (bash: a blank before it), and does not show. */
static void write_setup(const struct entry *e, struct writer *w)
{
	write_text(w, " unset HISTFILE; cd ");
	write_quoted(e->plan.directory, w);
	write_text(w, " 2>/dev/null; bind 'set enable-bracketed-paste off' 2>/dev/null; ");
	write_prompt(e->plan.prompt, w);
	write_text(w, "; printf '%s%s\\n' ");
	write_mark(e, false, w);
	write_text(w, "\n");
}

static enum entry_next at_name(struct entry *e, struct writer *say)
{
	if (!ends_with(held(e), "ogin: "))
		return ENTRY_MORE;
	write_fmt(say, "%s\r\n", e->plan.user);
	drop(e, e->held_len);
	e->state = ENTRY_AT_SECRET;
	return ENTRY_MORE;
}

static enum entry_next at_secret(struct entry *e, struct writer *say)
{
	if (has(held(e), "ncorrect"))
		return ENTRY_SHUT;
	if (!ends_with(held(e), "assword: "))
		return ENTRY_MORE;
	write_fmt(say, "%s\r\n", e->plan.password);
	drop(e, e->held_len);
	e->state = ENTRY_AT_SHELL;
	return ENTRY_MORE;
}

static enum entry_next at_shell(struct entry *e, struct bytes *show, struct writer *say)
{
	struct bytes b = held(e);
	if (has(b, "ncorrect") || ends_with(b, "ogin: "))
		return ENTRY_SHUT;
	if (!is_prompt(b))
		return ENTRY_MORE;
	if (e->plan.command.at) {
		write_setup(e, say);
		drop(e, e->held_len);
		e->state = ENTRY_AT_MARK;
		return ENTRY_MORE;
	}
	while (b.len && (*b.at == '\r' || *b.at == '\n' || *b.at == 0)) { /* what ends the line of the password */
		b.at++;
		b.len--;
	}
	*show = b;
	return ENTRY_THROUGH;
}

static enum entry_next at_mark(struct entry *e)
{
	char mark[20];
	struct writer w = writer_of(mark, sizeof mark - 1);
	write_mark(e, true, &w);
	*w.at = '\0';
	struct bytes b = held(e);
	size_t at = bytes_find(b, mark);
	const uint8_t *end = at < b.len ? memchr(b.at + at, '\n', b.len - at) : NULL;
	if (!end)
		return ENTRY_MORE;
	drop(e, (size_t)(end + 1 - b.at));
	e->state = ENTRY_AT_PROMPT;
	return ENTRY_MORE;
}

static enum entry_next at_prompt(struct entry *e, struct writer *say)
{
	struct bytes p = e->plan.prompt, b = held(e);
	char end[2] = {p.len ? (char)p.at[p.len - 1] : ' ', 0};
	if (!b.len || !ends_with(b, end))
		return ENTRY_MORE;
	write_span(say, e->plan.command);
	write_text(say, "\n");
	drop(e, e->held_len);
	e->state = ENTRY_AT_ECHO;
	return ENTRY_MORE;
}

static enum entry_next at_echo(struct entry *e, struct bytes *show)
{
	struct bytes b = held(e);
	const uint8_t *end = b.len ? memchr(b.at, '\n', b.len) : NULL;
	if (!end)
		return ENTRY_MORE;
	*show = (struct bytes){end + 1, (size_t)(b.at + b.len - end - 1)};
	return ENTRY_THROUGH;
}

static enum entry_next step(struct entry *e, struct bytes *show, struct writer *say)
{
	switch (e->state) {
	case ENTRY_AT_NAME:
		return at_name(e, say);
	case ENTRY_AT_SECRET:
		return at_secret(e, say);
	case ENTRY_AT_SHELL:
		return at_shell(e, show, say);
	case ENTRY_AT_MARK:
		return at_mark(e);
	case ENTRY_AT_PROMPT:
		return at_prompt(e, say);
	default:
		return at_echo(e, show);
	}
}

enum entry_next entry_take(struct entry *e, struct bytes text, struct bytes *show, struct writer *say)
{
	if (text.len > (size_t)ENTRY_HELD_MAX - e->held_len)
		return ENTRY_SHUT; /* a message of the day that nobody reads, or no shell at all */
	memcpy(e->held + e->held_len, text.at, text.len);
	e->held_len = (uint16_t)(e->held_len + text.len);
	*show = (struct bytes){0};
	uint8_t before;
	enum entry_next next;
	do {
		before = e->state;
		next = step(e, show, say);
	} while (next == ENTRY_MORE && e->state != before && e->held_len);
	return next == ENTRY_MORE && say->bad ? ENTRY_SHUT : next;
}
