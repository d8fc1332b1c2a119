/* kansoku user: people and programs of an organisation. */
#include "cli/rights.h"

static const struct rights_flag words[] = {{"remark", "remark", RIGHTS_TEXT}, {0}};

static void print_row(const json_t *row)
{
	printf("%s/%s%s%s%s\n", json_text_of(row, "organisation"), json_text_of(row, "name"),
	       json_is_true(json_object_get(row, "suspended")) ? ", suspended" : "", *json_text_of(row, "remark") ? "  " : "",
	       json_text_of(row, "remark"));
}

static int run(const struct arguments *a)
{
	static struct desk d;
	char word[32];
	const char *what = arguments_word(a, 0), *name = arguments_count(a) > 1 ? arguments_word(a, 1) : NULL;
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	const bool lists = !strcmp(what, "list");
	if (!lists && strcmp(what, "add") && strcmp(what, "remove") && strcmp(what, "suspend") && strcmp(what, "resume"))
		return command_fail(2, "user: \"%s\" is none of list, add, remove, suspend, resume", what);
	if (!name && !lists)
		return command_fail(2, "user %s: which user? ORGANISATION/USER would be right", what);
	snprintf(word, sizeof word, "user.%s", what);
	json_t *request = rights_request(word);
	if (lists && name)
		json_object_set_new(request, "organisation", json_string(name));
	if (lists)
		return rights_list(&d, "user", request, print_row);
	return rights_member(request, "user", name) && rights_flags(request, a, "user", words)
		       ? rights_do(&d, "user", request, print_row)
		       : 2;
}

static const struct flag user_flags[] = {
	{"remark", "TEXT", "who or what it is"},
	{0},
};

static const struct command user_command = {
	.name = "user",
	.synopsis = "list [ORGANISATION] | add ORGANISATION/USER [--remark TEXT] | suspend ORGANISATION/USER | resume … | remove …",
	.summary = "people and programs of the organisations that data is exchanged with",
	.description =
		"A user is whom the audit names: give each person and each program one of its own. suspend lets none of\n"
		"its tokens in until it is resumed; remove revokes them for good. kansoku must be running.",
	.flags = user_flags,
	.words_min = 1,
	.words_max = 2,
	.run = run,
};
COMMAND(user_command);
