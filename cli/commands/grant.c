/* kansoku grant: what an organisation may read or write. */
#include "cli/rights.h"

static const struct rights_flag words[] = {
	{"rights", "rights", RIGHTS_TEXT}, {"tlp", "tlp", RIGHTS_TEXT},        {"policy", "policy", RIGHTS_TEXT},
	{"from", "from", RIGHTS_TEXT},     {"to", "to", RIGHTS_TEXT},          {"expires", "expires", RIGHTS_TEXT},
	{"last", "last_s", RIGHTS_SECONDS}, {"delay", "delay_s", RIGHTS_SECONDS}, {"rate", "per_minute", RIGHTS_NUMBER},
	{0},
};

static void print_moment(const json_t *row, const char *key)
{
	if (*json_text_of(row, key))
		printf("  %s %.19sZ", key, json_text_of(row, key));
}

static void print_row(const json_t *row)
{
	printf("%-20s %-16s %s  up to TLP:%s  policy %s", json_text_of(row, "organisation"), json_text_of(row, "collection"),
	       json_text_of(row, "rights"), json_text_of(row, "tlp"), json_text_of(row, "policy"));
	print_moment(row, "from");
	print_moment(row, "to");
	if (json_number_of(row, "last_s"))
		printf("  last %lld h", json_number_of(row, "last_s") / 3600);
	if (json_number_of(row, "delay_s"))
		printf("  %lld h late", json_number_of(row, "delay_s") / 3600);
	print_moment(row, "expires");
	if (json_number_of(row, "per_minute"))
		printf("  %lld requests a minute", json_number_of(row, "per_minute"));
	putchar('\n');
}

static int run(const struct arguments *a)
{
	static struct desk d;
	char word[32];
	const size_t count = arguments_count(a);
	const char *what = arguments_word(a, 0);
	const bool lists = !strcmp(what, "list"), sets = !strcmp(what, "set");
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	if (!lists && !sets && strcmp(what, "remove"))
		return command_fail(2, "grant: \"%s\" is none of list, set, remove", what);
	if (!lists && count < 3)
		return command_fail(2, "grant %s: to whom, and which collection?", what);
	snprintf(word, sizeof word, "grant.%s", what);
	json_t *request = rights_request(word);
	if (count > 1)
		json_object_set_new(request, "organisation", json_string(arguments_word(a, 1)));
	if (lists)
		return rights_list(&d, "grant", request, print_row);
	json_object_set_new(request, "collection", json_string(arguments_word(a, 2)));
	return !sets || rights_flags(request, a, "grant", words) ? rights_do(&d, "grant", request, print_row) : 2;
}

static const struct flag grant_flags[] = {
	{"rights", "RIGHTS", "read (if not said), write, or read,write"},
	{"tlp", "MARKING", "the strictest marking that it may see: clear, green, amber (if not said), amber+strict, red"},
	{"policy", "NAME", "how fields are shown, of exchange.policies; default if not said"},
	{"from", "TIME", "only of events from then on"},
	{"to", "TIME", "only of events before"},
	{"last", "TIME", "only of events so far back, such as 30d"},
	{"delay", "TIME", "only of events that are so old, such as 24h"},
	{"expires", "TIME", "until when the grant holds"},
	{"rate", "N", "requests a minute"},
	{0},
};

static const struct command grant_command = {
	.name = "grant",
	.synopsis = "list [ORGANISATION] | set ORGANISATION COLLECTION [--rights RIGHTS] [--tlp MARKING] [--policy NAME] [--from TIME] "
		    "[--to TIME] [--last TIME] [--delay TIME] [--expires TIME] [--rate N] | remove ORGANISATION COLLECTION",
	.summary = "what an organisation may read or write, how it is shown, and how fast",
	.description =
		"An organisation sees a collection only by a grant, and of it only what bears no stricter marking than the\n"
		"grant's, after the policy of fields that the grant names. set replaces what was granted for that collection\n"
		"before. Collections without a grant do not exist for it. `kansoku preview` shows what it will see.\n"
		"kansoku must be running.",
	.flags = grant_flags,
	.words_min = 1,
	.words_max = 3,
	.run = run,
};
COMMAND(grant_command);
