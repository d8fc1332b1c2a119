/*
 * Patterns: from Ruby's regular expressions, which Recog is written in, to PCRE2.
 *
 * Limits are set for every match: a rule from somebody else's directory may be
 * one that backtracks without end on a banner made for it.
 */
#include "active/identify/literal_inner.h"
#include <ctype.h>

enum {
	MATCH_STEPS_MAX = 200000,
	MATCH_DEPTH_MAX = 2000,
	MATCH_HEAP_KIB_MAX = 1024,
};

/* `\h` is a hexadecimal digit in Ruby and horizontal space in PCRE2. */
static size_t translate_escape(struct writer *w, struct bytes p, size_t at, bool in_class)
{
	uint8_t c = at + 1 < p.len ? p.at[at + 1] : 0;
	if (c == 'h')
		write_text(w, in_class ? "0-9a-fA-F" : "[0-9a-fA-F]");
	else if (c == 'H' && !in_class)
		write_text(w, "[^0-9a-fA-F]");
	else
		write_bytes(w, p.at + at, at + 1 < p.len ? 2 : 1);
	return at + 2;
}

/* `(?m` lets the dot take newlines in Ruby; PCRE2 calls that `s`. */
static size_t translate_flags(struct writer *w, struct bytes p, size_t at)
{
	size_t end = at + 2;
	while (end < p.len && (p.at[end] == 'i' || p.at[end] == 'm' || p.at[end] == 'x' ||
			       p.at[end] == '-'))
		end++;
	bool flags = end > at + 2 && end < p.len && (p.at[end] == ':' || p.at[end] == ')');
	if (!flags) {
		write_text(w, "(?");
		return at + 2;
	}
	for (; at < end; at++)
		write_u8(w, p.at[at] == 'm' ? 's' : p.at[at]);
	return end;
}

/* `[`, `[^`, and a `]` in first place, which stands for itself. */
static size_t translate_class_start(struct writer *w, struct bytes p, size_t at)
{
	write_u8(w, p.at[at++]);
	if (at < p.len && p.at[at] == '^')
		write_u8(w, p.at[at++]);
	if (at < p.len && p.at[at] == ']') {
		write_text(w, "\\]");
		at++;
	}
	return at;
}

/* `[:alpha:]` within a class; the `]` that ends it does not end the class. */
static size_t translate_named_class(struct writer *w, struct bytes p, size_t at)
{
	while (at < p.len && p.at[at] != ']')
		write_u8(w, p.at[at++]);
	if (at < p.len)
		write_u8(w, p.at[at++]);
	return at;
}

static bool translate(struct bytes p, struct writer *w)
{
	bool in_class = false;
	for (size_t i = 0; i < p.len;) {
		uint8_t c = p.at[i], next = i + 1 < p.len ? p.at[i + 1] : 0;
		if (c == '\\') {
			i = translate_escape(w, p, i, in_class);
		} else if (!in_class && c == '(' && next == '?') {
			i = translate_flags(w, p, i);
		} else if (!in_class && c == '[') {
			in_class = true;
			i = translate_class_start(w, p, i);
		} else if (in_class && c == '[' && next == ':') {
			i = translate_named_class(w, p, i);
		} else {
			in_class = in_class && c != ']';
			write_u8(w, c);
			i++;
		}
	}
	return !w->bad;
}

static bool is_ascii(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.at[i] >= 0x80)
			return false;
	return true;
}

static int compile_translated(struct identify *id, struct rule *rule, struct bytes p,
			      uint32_t options, struct fault *why)
{
	int code;
	size_t at;
	/* Banners are bytes; only a pattern that holds characters beyond ASCII reads them as UTF-8. */
	options |= is_ascii(p) ? PCRE2_NEVER_UTF : PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	rule->options = options | PCRE2_MULTILINE;
	pcre2_code *compiled = pcre2_compile(p.at, p.len, rule->options | PCRE2_NEVER_BACKSLASH_C, &code,
					     &at, id->compile);
	if (!compiled) {
		PCRE2_UCHAR text[160] = "";
		pcre2_get_error_message(code, text, sizeof text);
		return fault_set(why, ERR_BAD, "%s at character %zu of the pattern", (char *)text, at);
	}
	uint32_t groups = 0;
	pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups >= RULE_GROUPS_MAX) {
		pcre2_code_free(compiled);
		return fault_set(why, ERR_BAD, "%u groups are above %d", groups, RULE_GROUPS_MAX - 1);
	}
	/* Without the right to make memory executable the interpreter does the same, slower. */
	rule->jit = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0;
	rule->code = compiled;
	return 0;
}

/* Without memory for them the rule goes without: slower, and right. */
static void literals_keep(struct identify *id, struct rule *rule, struct bytes pattern)
{
	struct literal_set set = literals_find(pattern);
	rule->needs_digit = set.digit;
	rule->literals = set.count ? arena_alloc(&id->arena, set.count * sizeof *rule->literals) : NULL;
	for (size_t i = 0; rule->literals && i < set.count; i++) {
		struct bytes one = {(const uint8_t *)set.items[i].text, set.items[i].len};
		rule->literals[i] = arena_text(&id->arena, one);
		if (!rule->literals[i])
			return;
	}
	rule->literal_count = rule->literals ? set.count : 0;
	rule->digit_instead = rule->literal_count && set.digit_instead;
}

int rule_compile(struct identify *id, struct rule *rule, const char *pattern, uint32_t options,
		 struct fault *why)
{
	uint8_t room[RULE_PATTERN_MAX * 2];
	struct writer w = writer_of(room, sizeof room);
	struct bytes source = bytes_of_text(pattern);
	if (source.len == 0)
		return fault_set(why, ERR_BAD, "the pattern is empty and would match everything");
	if (source.len > RULE_PATTERN_MAX || !translate(source, &w))
		return fault_set(why, ERR_BAD, "the pattern is longer than %d bytes", RULE_PATTERN_MAX);
	struct bytes translated = writer_bytes(&w);
	int r = compile_translated(id, rule, translated, options, why);
	if (r != 0)
		return r;
	rule->pattern = arena_text(&id->arena, translated);
	if (!rule->pattern) {
		pcre2_code_free(rule->code);
		return fault_set(why, ERR_MEMORY, "there is no memory for its pattern");
	}
	literals_keep(id, rule, translated);
	return 0;
}

struct bytes banner_cut(struct bytes banner)
{
	struct bytes cut = bytes_trim(banner);
	if (cut.len > IDENTIFY_BANNER_MAX)
		cut.len = IDENTIFY_BANNER_MAX;
	return cut;
}

size_t rule_literal_found(const struct rule *rule, struct bytes banner)
{
	size_t longest = 0;
	if (rule->digit_instead)
		return 0;
	for (size_t i = 0; i < rule->literal_count; i++) {
		size_t len = strlen(rule->literals[i]);
		if (len > longest && bytes_find_nocase(banner, rule->literals[i]) < banner.len)
			longest = len;
	}
	return longest;
}

static bool is_given_up(int result)
{
	return result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_DEPTHLIMIT ||
	       result == PCRE2_ERROR_HEAPLIMIT || result == PCRE2_ERROR_JIT_STACKLIMIT;
}

bool fingerprint_matches(const struct identify *id, const struct rule *rule, struct bytes banner)
{
	/* pcre2_jit_match() is what pcre2_match() comes to after its checks of options, of which there are none. */
	int (*match)(const pcre2_code *, PCRE2_SPTR, PCRE2_SIZE, PCRE2_SIZE, uint32_t, pcre2_match_data *,
		     pcre2_match_context *) = rule->jit ? pcre2_jit_match : pcre2_match;
	int result = match(rule->code, banner.at ? banner.at : (const uint8_t *)"", banner.len, 0, 0, id->groups,
			   id->limits);
	if (result <= 0 && is_given_up(result)) {
		id->tally->limited++;
		id->tally->rule = rule;
	}
	return result > 0;
}

int pattern_limits_open(struct identify *id)
{
	id->compile = pcre2_compile_context_create(NULL);
	id->limits = pcre2_match_context_create(NULL);
	id->stack = pcre2_jit_stack_create(32 << 10, 512 << 10, NULL);
	id->groups = pcre2_match_data_create(RULE_GROUPS_MAX, NULL);
	if (!id->compile || !id->limits || !id->groups)
		return ERR_MEMORY;
	pcre2_set_newline(id->compile, PCRE2_NEWLINE_LF);
	pcre2_set_max_pattern_length(id->compile, RULE_PATTERN_MAX * 2);
	pcre2_set_match_limit(id->limits, MATCH_STEPS_MAX);
	pcre2_set_depth_limit(id->limits, MATCH_DEPTH_MAX);
	pcre2_set_heap_limit(id->limits, MATCH_HEAP_KIB_MAX);
	if (id->stack)
		pcre2_jit_stack_assign(id->limits, NULL, id->stack);
	return 0;
}

void pattern_limits_close(struct identify *id)
{
	pcre2_match_data_free(id->groups);
	pcre2_jit_stack_free(id->stack);
	pcre2_match_context_free(id->limits);
	pcre2_compile_context_free(id->compile);
}
