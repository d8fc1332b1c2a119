/* Words of the command line, checked against the flags that a command declares. */
#include "cli/arguments_inner.h"
#include <string.h>

static const struct flag flags_of_all[] = {
	{"config", "FILE", "configuration to use instead of kansoku.yaml"},
	{"json", NULL, "answer as JSON"},
	{"help", NULL, "say how this is used"},
	{0},
};

static const struct flag *find_in(const struct flag *flags, const char *name, size_t n)
{
	for (; flags && flags->name; flags++)
		if (strlen(flags->name) == n && !strncmp(flags->name, name, n))
			return flags;
	return NULL;
}

static const struct flag *flag_find(const struct command *c, const char *name, size_t n)
{
	const struct flag *f = find_in(c->flags, name, n);
	if (!f && c->flags_of_modules)
		f = find_in(c->flags_of_modules(), name, n);
	return f ? f : find_in(flags_of_all, name, n);
}

const struct flag *arguments_flags_of_all(void) { return flags_of_all; }

int arguments_read(const struct command *c, int argc, char **argv, struct arguments *a,
		   struct fault *fault)
{
	bool only_words = false;
	*a = (struct arguments){.command = c};
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		if (a->word_count + a->flag_count == ARGUMENTS_MAX)
			return fault_set(fault, ERR_FULL, "more than %d arguments", ARGUMENTS_MAX);
		if (!only_words && !strcmp(word, "--")) {
			only_words = true;
			continue;
		}
		if (only_words || strncmp(word, "--", 2)) {
			a->words[a->word_count++] = word;
			continue;
		}
		const char *equals = strchr(word, '=');
		size_t n = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
		const struct flag *f = flag_find(c, word + 2, n);
		if (!f)
			return fault_set(fault, ERR_BAD, "there is no %.*s here", (int)(n + 2), word);
		if (!f->value && equals)
			return fault_set(fault, ERR_BAD, "--%s takes no value", f->name);
		if (f->value && !equals && i + 1 == argc)
			return fault_set(fault, ERR_BAD, "--%s wants %s behind it", f->name, f->value);
		a->flags[a->flag_count++] = (struct given_flag){
			f->name, !f->value ? "" : equals ? equals + 1 : argv[++i]};
	}
	if (arguments_flag(a, "help"))
		return 0;
	if (a->word_count < c->words_min || a->word_count > c->words_max)
		return fault_set(fault, ERR_BAD, "wants %s %s", c->name, c->synopsis);
	return 0;
}

const char *arguments_flag_nth(const struct arguments *a, const char *name, size_t nth)
{
	for (size_t i = 0; i < a->flag_count; i++)
		if (!strcmp(a->flags[i].name, name) && nth-- == 0)
			return a->flags[i].value;
	return NULL;
}

const char *arguments_flag(const struct arguments *a, const char *name)
{
	return arguments_flag_nth(a, name, 0);
}

size_t arguments_count(const struct arguments *a) { return a->word_count; }

const char *arguments_word(const struct arguments *a, size_t i)
{
	return i < a->word_count ? a->words[i] : NULL;
}
