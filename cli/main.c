/* kansoku: one binary; the first word picks the command, or the role of a process. */
#include "active/visit/visit.h"
#include "bus/process.h"
#include "cli/arguments_inner.h"
#include <stdlib.h>

#define COMMANDS_MAX 128

static int command_order(const void *a, const void *b)
{
	const struct command *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static size_t commands_sorted(const struct command *all[COMMANDS_MAX])
{
	size_t n = 0;
	COMMANDS_EACH(c)
		if (n < COMMANDS_MAX)
			all[n++] = *c;
	if (n)
		qsort(all, n, sizeof *all, command_order);
	return n;
}

static int help(FILE *out)
{
	const struct command *all[COMMANDS_MAX];
	size_t n = commands_sorted(all);
	fprintf(out, "kansoku: passive and active observation of attacks, as one loop\n\n"
		     "usage: kansoku COMMAND [--config FILE] [--json] ...\n\n");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %-14s %s\n", all[i]->name, all[i]->summary);
	fprintf(out, "\nkansoku COMMAND --help says more.\n");
	return 0;
}

static void help_flags(const struct flag *flags)
{
	for (; flags && flags->name; flags++) {
		char left[64];
		snprintf(left, sizeof left, "--%s%s%s", flags->name, flags->value ? " " : "",
			 flags->value ? flags->value : "");
		printf("  %-22s %s\n", left, flags->what);
	}
}

static int help_command(const struct command *c)
{
	printf("kansoku %s: %s\n\nusage: kansoku %s %s\n\n%s\n\n", c->name, c->summary, c->name,
	       c->synopsis, c->description);
	help_flags(c->flags);
	help_flags(c->flags_of_modules ? c->flags_of_modules() : NULL);
	help_flags(arguments_flags_of_all());
	return 0;
}

static const struct command *command_find(const char *name)
{
	COMMANDS_EACH(c)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

int main(int argc, char **argv)
{
	static struct arguments arguments;
	struct fault fault = {0};
	if (argc == 3 && !strcmp(argv[1], "process"))
		return process_main(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "inside"))
		return visit_inside(argc - 2, argv + 2);
	if (argc < 2)
		return help(stderr), 2;
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help"))
		return help(stdout);
	if (event_start(&fault))
		return command_fail(1, "%s", fault.text);
	const struct command *c = command_find(argv[1]);
	if (!c)
		return command_fail(2, "there is no command \"%s\"; `kansoku help` lists them", argv[1]);
	if (arguments_read(c, argc - 2, argv + 2, &arguments, &fault))
		return command_fail(2, "%s: %s; `kansoku %s --help` says more", c->name, fault.text, c->name);
	if (arguments_flag(&arguments, "help"))
		return help_command(c);
	return c->run(&arguments);
}
