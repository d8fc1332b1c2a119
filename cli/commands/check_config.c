/* `kansoku check-config`: reads everything as a start would, and says what would happen. */
#include "bus/process.h"
#include "cli/command.h"
#include "control/control.h"
#include "event/field.h"
#include <stdlib.h>

#define SUMMARY_MAX (1u << 20)

static int read_config(const struct arguments *a, struct config *config, struct fault *fault)
{
	const char *file = arguments_flag(a, "dry-run") ? NULL : arguments_word(a, 0);
	if (!file)
		return command_config(a, config, fault);
	struct buffer text;
	int bad = command_read_file(file, CONFIG_BYTES_MAX, &text, fault);
	if (bad)
		return bad;
	bad = config_read(buffer_bytes(&text), file, config, fault);
	buffer_done(&text);
	return bad;
}

/* What control has no part in: each role reads its own options. */
static int check_roles(const struct config *config, struct fault *fault)
{
	int bad = 0;
	ROLES_EACH(r)
		if (!bad && (*r)->check)
			bad = (*r)->check(config, fault);
	return bad;
}

static void write_warnings(const struct config *config, struct writer *w)
{
	ROLES_EACH(r)
		if ((*r)->warn)
			(*r)->warn(config, w);
}

static int dry_run(const struct arguments *a, const struct config *config, struct writer *w,
		   struct fault *fault)
{
	int bad = 0;
	for (size_t i = 0; i < arguments_count(a) && !bad; i++) {
		struct address target;
		const char *word = arguments_word(a, i);
		if (!address_parse(bytes_of_text(word), &target))
			bad = fault_set(fault, ERR_BAD, "\"%s\" is not an address such as 192.0.2.1 or 2001:db8::1", word);
		else
			bad = control_dry_run(config, &target, w, fault);
	}
	return bad;
}

static int run(const struct arguments *a)
{
	struct fault fault = {0};
	struct config config;
	bool dry = arguments_flag(a, "dry-run") != NULL;
	if (dry && arguments_count(a) == 0)
		return command_fail(2, "check-config: --dry-run needs the addresses to try");
	if (!dry && arguments_count(a) > 1)
		return command_fail(2, "check-config: one file at a time");
	char *text = malloc(SUMMARY_MAX);
	int bad = text ? event_start(&fault) : fault_set(&fault, ERR_MEMORY, "no memory");
	if (!bad)
		bad = read_config(a, &config, &fault);
	if (bad) {
		free(text);
		return command_fail(1, "%s", fault.text[0] ? fault.text : error_name(bad));
	}
	struct writer w = writer_of(text, SUMMARY_MAX);
	bad = control_check(&config, &fault);
	bad = bad ? bad : check_roles(&config, &fault);
	if (!bad)
		bad = dry ? dry_run(a, &config, &w, &fault) : control_summarise(&config, &w, &fault);
	if (!bad && !dry)
		write_warnings(&config, &w);
	if (!bad) {
		fwrite(text, 1, writer_used(&w), stdout);
		if (!dry)
			printf("%s: OK (version %s)\n", config.file, config.version);
	}
	config_done(&config);
	free(text);
	return bad ? command_fail(1, "%s", fault.text[0] ? fault.text : error_name(bad)) : 0;
}

static const struct flag check_config_flags[] = {
	{"dry-run", NULL, "say for each ADDRESS what would be sent to it if it logged in to a decoy"},
	{0},
};

static const struct command check_config = {
	.name = "check-config",
	.synopsis = "[FILE] | --dry-run ADDRESS...",
	.summary = "check a configuration and say what it would do",
	.description = "Reads every section, the rules and the opt-out file as a start would. Errors name\n"
		       "file and line. A correct configuration is summed up: who may be looked at, how\n"
		       "often, by which rules. Nothing is sent and nothing is started.",
	.flags = check_config_flags,
	.words_max = ARGUMENTS_MAX,
	.run = run,
};
COMMAND(check_config);
