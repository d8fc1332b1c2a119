/* kansoku run: all roles on this machine. */
#include "bus/parent.h"
#include "bus/process.h"
#include "cli/command.h"

/* The first of the names that is no role's; true when there is one. */
static bool unknown_role(const char *only, char name[64])
{
	while (only && *only) {
		size_t n = strcspn(only, ",");
		snprintf(name, 64, "%.*s", (int)n, only);
		if (!role_find(name))
			return true;
		only += n + (only[n] == ',');
	}
	return false;
}

static void roles_list(char text[256])
{
	struct writer w = writer_of(text, 255);
	ROLES_EACH(r)
		write_fmt(&w, "%s%s", writer_used(&w) ? ", " : "", (*r)->name);
	*w.at = '\0';
}

static int run(const struct arguments *a)
{
	char name[64], roles[256];
	if (unknown_role(arguments_flag(a, "only"), name)) {
		roles_list(roles);
		return command_fail(2, "run: --only: there is no role \"%s\", there are: %s", name, roles);
	}

	static struct config config;
	struct fault fault = {0};
	const char *file = arguments_flag(a, "config");
	struct buffer text = BUFFER(0);
	int bad = command_config(a, &config, &fault);
	/* The processes read the same bytes again, so the file may change while kansoku runs. */
	if (!bad && command_read_file(file ? file : "kansoku.yaml", CONFIG_BYTES_MAX, &text, &fault) && file)
		bad = ERR_MISSING;
	const struct parent_options options = {.config_file = file ? file : "kansoku.yaml",
					       .config_text = buffer_bytes(&text),
					       .config = &config,
					       .only = arguments_flag(a, "only")};
	if (!bad) {
		fault.text[0] = '\0';
		bad = parent_run(&options, &fault);
	}
	buffer_done(&text);
	config_done(&config);
	return bad ? command_fail(1, "%s", fault.text[0] ? fault.text : error_name(bad)) : 0;
}

static const struct flag run_flags[] = {
	{"only", "ROLES", "start only these roles, separated by commas"},
	{0},
};

static const struct command run_command = {
	.name = "run",
	.synopsis = "[--config FILE] [--only ROLES]",
	.summary = "start decoys, control, prober, store and console on this machine",
	.description = "Runs in the foreground until SIGTERM or SIGINT and logs to standard error. A process\n"
		       "that dies is started again. What may be observed, and what may be sent, is in the\n"
		       "configuration; without one, decoys listen on the loopback address only.",
	.flags = run_flags,
	.run = run,
};
COMMAND(run_command);
