/* kansoku optout: who is left alone, and the operator's answers to those who ask. */
#include "base/clock.h"
#include "cli/desk.h"
#include "control/control.h"
#include <stdlib.h>

#define LINK_DAYS 14
#define DAY_S 86400

static void print_row(const struct desk *d, const json_t *row, bool waiting)
{
	if (d->json) {
		json_print_row(row);
		return;
	}
	printf("%-20s # %s %s %s%s%s\n", json_text_of(row, "prefix"),
	       *json_text_of(row, "time") ? json_text_of(row, "time") : "-", json_text_of(row, "how"),
	       waiting ? json_text_of(row, "asker") : "", waiting ? " " : "", json_text_of(row, "reason"));
}

static int print_list(struct desk *d, bool waiting)
{
	json_int_t from = 0;
	for (json_t *answer, *row; from >= 0; json_decref(answer)) {
		size_t i;
		answer = desk_ask(d, "optout", "optout.list", json_pack("{s:I}", "from", from));
		if (!answer)
			return 1;
		json_array_foreach(json_object_get(answer, "rows"), i, row)
			if (!strcmp(json_text_of(row, "state"), "waiting") == waiting)
				print_row(d, row, waiting);
		const json_t *next = json_object_get(answer, "next");
		from = next ? json_integer_value(next) : -1;
	}
	return 0;
}

static int settle(struct desk *d, const char *topic, const char *prefix)
{
	const char *reason = arguments_flag(d->arguments, "reason");
	json_t *question = json_pack("{s:s, s:s, s:s}", "prefix", prefix, "reason", reason ? reason : "", "how", "command");
	json_t *answer = desk_ask(d, "optout", topic, question);
	if (!answer)
		return 1;
	printf("%s: %s\n", json_text_of(answer, "prefix"), json_text_of(answer, "state"));
	json_decref(answer);
	return 0;
}

static int print_link(struct desk *d, const char *prefix)
{
	char url[512];
	uint64_t days = LINK_DAYS;
	const char *named = arguments_flag(d->arguments, "days");
	if (named && (!bytes_number(bytes_of_text(named), 366, &days) || days == 0))
		return command_fail(2, "--days: \"%s\" is not a number from 1 to 366", named);
	if (!control_page_url(&d->config, url, sizeof url))
		return command_fail(1, "there is no page: active.page.port names none");
	json_t *question =
		json_pack("{s:s, s:I}", "prefix", prefix, "until", (json_int_t)(clock_utc_us() / 1000000 + days * DAY_S));
	json_t *answer = desk_ask(d, "optout", "optout.link", question);
	if (!answer)
		return 1;
	printf("%s/opt-out?prefix=%s&until=%lld&sign=%s\n", url, json_text_of(answer, "prefix"),
	       (long long)json_integer_value(json_object_get(answer, "until")), json_text_of(answer, "sign"));
	json_decref(answer);
	return 0;
}

static int act(struct desk *d, const char *what, const char *prefix)
{
	if (!strcmp(what, "list") || !strcmp(what, "requests"))
		return print_list(d, *what == 'r');
	if (!prefix)
		return command_fail(2, "optout %s: which prefix?", what);
	if (!strcmp(what, "add"))
		return settle(d, "optout.add", prefix);
	if (!strcmp(what, "decline"))
		return settle(d, "optout.decline", prefix);
	if (!strcmp(what, "link"))
		return print_link(d, prefix);
	return command_fail(2, "optout: \"%s\" is none of list, requests, add, decline, link", what);
}

static int run(const struct arguments *a)
{
	static struct desk d;
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	return act(&d, arguments_word(a, 0), arguments_count(a) > 1 ? arguments_word(a, 1) : NULL);
}

static const struct flag optout_flags[] = {
	{"reason", "TEXT", "why, for whoever asks later"},
	{"days", "N", "how long a link may be used, 14 if not said"},
	{0},
};

static const struct command optout_command = {
	.name = "optout",
	.synopsis = "list | requests | add PREFIX [--reason TEXT] | decline PREFIX | link PREFIX [--days N]",
	.summary = "who is never looked at, and answers to those who ask for it",
	.description =
		"list prints all who opted out, in the format of the opt-out file: a scanner of another make can be\n"
		"given it as its list of exclusions. requests prints those that visitors of the page made for more\n"
		"than their own address; add grants one (or leaves out any prefix), decline does not. link prints a\n"
		"signed link for you to mail to the contact of that network: whoever opens and confirms it has the\n"
		"prefix left out. All of it takes effect at once, ends looks that are under way, and is kept for\n"
		"ever. kansoku must be running.",
	.flags = optout_flags,
	.words_min = 1,
	.words_max = 2,
	.run = run,
};
COMMAND(optout_command);
