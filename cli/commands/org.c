/* kansoku org: organisations that may be granted something. */
#include "cli/rights.h"

static const struct rights_flag words[] = {{"title", "title", RIGHTS_TEXT}, {"contact", "contact", RIGHTS_TEXT}, {0}};

static void print_row(const json_t *row)
{
	printf("%-24s %2lld users, %2lld grants%s  %s%s%s\n", json_text_of(row, "name"), json_number_of(row, "users"),
	       json_number_of(row, "grants"), json_is_true(json_object_get(row, "suspended")) ? ", suspended" : "",
	       json_text_of(row, "title"), *json_text_of(row, "contact") ? ", " : "", json_text_of(row, "contact"));
}

static int run(const struct arguments *a)
{
	static struct desk d;
	char word[32];
	const char *what = arguments_word(a, 0), *name = arguments_count(a) > 1 ? arguments_word(a, 1) : NULL;
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	if (!strcmp(what, "list"))
		return rights_list(&d, "org", rights_request("org.list"), print_row);
	if (strcmp(what, "add") && strcmp(what, "remove") && strcmp(what, "suspend") && strcmp(what, "resume"))
		return command_fail(2, "org: \"%s\" is none of list, add, remove, suspend, resume", what);
	if (!name)
		return command_fail(2, "org %s: which organisation?", what);
	snprintf(word, sizeof word, "org.%s", what);
	json_t *request = rights_request(word);
	json_object_set_new(request, "organisation", json_string(name));
	return rights_flags(request, a, "org", words) ? rights_do(&d, "org", request, print_row) : 2;
}

static const struct flag org_flags[] = {
	{"title", "TEXT", "its name as people write it"},
	{"contact", "TEXT", "whom to write to when something is amiss"},
	{0},
};

static const struct command org_command = {
	.name = "org",
	.synopsis = "list | add NAME [--title TEXT] [--contact TEXT] | suspend NAME | resume NAME | remove NAME",
	.summary = "organisations that may see something of ours, or give us something",
	.description =
		"An organisation has users (`kansoku user`), these have tokens (`kansoku token`), and what it may read or\n"
		"write is granted to it (`kansoku grant`). suspend lets none of its tokens in until it is resumed; remove\n"
		"takes its users and grants away and revokes its tokens for good: another organisation of the same name\n"
		"later has none of it. Each change stands in the audit (`kansoku audit exchange`). kansoku must be running.",
	.flags = org_flags,
	.words_min = 1,
	.words_max = 2,
	.run = run,
};
COMMAND(org_command);
