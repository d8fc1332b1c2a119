/* kansoku export: what was observed, in the formats of others, as a recipient may see it. */
#include "base/clock.h"
#include "cli/exports.h"
#include "event/event.h"
#include <stdlib.h>
#include <unistd.h>

#define LAST_UNITS 4

/* "7d" before now, or before --to. */
static bool time_before(const char *word, uint64_t end_us, uint64_t *out)
{
	static const struct {
		char unit;
		uint64_t us;
	} units[LAST_UNITS] = {{'m', 60000000}, {'h', UINT64_C(3600000000)}, {'d', UINT64_C(86400000000)},
			       {'w', UINT64_C(604800000000)}};
	char *rest;
	unsigned long long n = strtoull(word, &rest, 10);
	for (size_t i = 0; i < LAST_UNITS; i++)
		if (rest != word && *rest == units[i].unit && !rest[1] && n && n < end_us / units[i].us) {
			*out = end_us - n * units[i].us;
			return true;
		}
	return false;
}

static bool set_times(const struct arguments *a, json_t *q)
{
	const char *last = arguments_flag(a, "last"), *to = arguments_flag(a, "to");
	char text[TIME_TEXT_MAX];
	uint64_t end_us = clock_utc_us(), from_us;
	if (!last)
		return true;
	if (to && !time_parse(bytes_of_text(to), &end_us)) {
		command_fail(2, "export: --to: \"%s\" is no time; 2015-06-01 or 2015-06-01T10:00:00Z would be right", to);
		return false;
	}
	if (arguments_flag(a, "from") || !time_before(last, end_us, &from_us)) {
		command_fail(2, "export: --last: 30m, 12h, 7d or 2w would be right, and no --from");
		return false;
	}
	json_object_set_new(q, "from", json_string(time_format(from_us, text)));
	return true;
}

/* NULL after it was said what is wrong. */
static json_t *question_of(const struct arguments *a)
{
	static const struct { const char *flag, *key; } words[] = {
		{"collection", "collection"}, {"org", "organisation"}, {"policy", "policy"}, {"tlp", "tlp"}, {"from", "from"},
		{"to", "to"}, {"made", "made"},
	};
	json_t *q = json_object();
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (arguments_flag(a, words[i].flag))
			json_object_set_new(q, words[i].key, json_string(arguments_flag(a, words[i].flag)));
	const char *count = arguments_flag(a, "count");
	uint64_t number;
	bool good = !count || (bytes_number(bytes_of_text(count), INT64_MAX, &number) && number);
	if (!good)
		command_fail(2, "export: --count: a number above 0 would be right");
	else if (count)
		json_object_set_new(q, "count", json_integer((json_int_t)number));
	if (good && set_times(a, q))
		return q;
	json_decref(q);
	return NULL;
}

static int export_one(const struct arguments *a, struct desk *d, const char *path, json_t *q)
{
	json_t *about = NULL;
	json_object_set_new(q, "format", json_string(arguments_word(a, 0)));
	if (!path && isatty(STDOUT_FILENO) && strcmp(arguments_word(a, 0), "jsonl") && strcmp(arguments_word(a, 0), "csv")) {
		json_decref(q);
		return command_fail(2, "export: a terminal is no place for that; --output FILE would be right");
	}
	int bad = export_take(d->state, q, path, &about, &d->fault);
	if (bad)
		return command_fail(1, "export: %s", bad == ERR_GONE ? "kansoku is not running, or its exchange is not up; start it"
								     : d->fault.text);
	if (d->json && path)
		json_print_row(about);
	else
		export_say(about);
	json_decref(about);
	return 0;
}

static int run(const struct arguments *a)
{
	static struct desk d;
	const char *path = arguments_flag(a, "output"), *again = arguments_flag(a, "again"), *read = arguments_flag(a, "read");
	const char *folder = arguments_flag(a, "snapshot");
	uint64_t line = 0;
	if (!again && !arguments_count(a))
		return command_fail(2, "export: which format? `kansoku describe outputs` lists them");
	if (read)
		return export_convert(read, arguments_word(a, 0), path);
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	if (again && (!bytes_number(bytes_of_text(again), INT64_MAX, &line) || !line))
		return command_fail(2, "export: --again: the number of a line of `kansoku audit exchange` would be right");
	if (again)
		return export_again(&d, line, path ? path : "/dev/null");
	json_t *q = question_of(a);
	if (!q)
		return 2;
	if (folder)
		return export_snapshot(a, &d, folder, q);
	if (!arguments_flag(a, "collection") || arguments_count(a) > 1) {
		json_decref(q);
		return command_fail(2, "export: one format and one --collection would be right, or --snapshot");
	}
	return export_one(a, &d, path, q);
}

static const struct flag export_flags[] = {
	{"collection", "NAME", "of which collection; a snapshot takes several"},
	{"org", "NAME", "for that organisation: what its grant lets it see, under its key"},
	{"policy", "NAME", "without --org: the policy of fields; \"default\" when none is named"},
	{"tlp", "WORD", "nothing that is marked above that"},
	{"from", "TIME", "events from then on"},
	{"to", "TIME", "events before then; now, when it is not said"},
	{"last", "TIME", "events of the last 12h, 7d, 2w before --to"},
	{"count", "N", "no more than N events"},
	{"made", "TIME", "when it is said to be made; --to, when it is not said"},
	{"output", "FILE", "where to; standard output, when it is not said"},
	{"snapshot", "FOLDER", "each format of each collection into a folder of its own there, with digests"},
	{"again", "N", "the export of line N of the audit again, and whether it is the same"},
	{"read", "FILE", "JSON lines of an export instead of a running kansoku"},
	{0},
};

static const struct command export_command = {
	.name = "export",
	.synopsis = "FORMAT... --collection NAME [--org NAME | --policy NAME] [--tlp WORD] [--from TIME] [--to TIME] [--last TIME]\n"
		    "[--count N] [--output FILE | --snapshot FOLDER] | --again N | FORMAT --read FILE",
	.summary = "write what was observed in the formats of others, as a recipient may see it",
	.description = "Formats are those that `kansoku describe outputs` lists. What goes out is seen through the policy of the\n"
		       "organisation's grant (`kansoku grant`), or of --policy: our own addresses are hidden, private fields\n"
		       "never leave, and nothing that is marked above the grant. Each export stands in the audit with its digest\n"
		       "before its first byte goes out (`kansoku audit exchange`); --again makes it once more and compares.\n"
		       "\n"
		       "Formats by which others block or report addresses need a policy that leaves `src` as it is; they are\n"
		       "refused otherwise, since an anonymised address is a bystander's.\n"
		       "\n"
		       "--snapshot makes FOLDER/FROM_TO with a file for each collection and format, SHA256SUMS for sha256sum -c,\n"
		       "and manifest.json; the same snapshot again is the same bytes. --read writes JSON lines of an export in\n"
		       "another format and needs no running kansoku.",
	.flags = export_flags,
	.words_min = 0,
	.words_max = 16,
	.run = run,
};
COMMAND(export_command);
