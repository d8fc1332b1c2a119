/*
 * kansoku survey: which surveys are approved, how far they are, and the way to stop one at once.
 */
#include "bus/client.h"
#include "cli/desk.h"

#define WAIT_MS 10000

struct listing {
	bool json;
	int shown;
};

static bool print_surveys(void *arg, struct bytes part)
{
	struct listing *l = arg;
	if (l->json) {
		printf("%.*s\n", (int)part.len, (const char *)part.at);
		l->shown++;
		return true;
	}
	json_t *list = json_loadb((const char *)part.at, part.len, 0, NULL), *survey;
	size_t i;
	json_array_foreach(list, i, survey) {
		printf("%s: %s, round %lld, %lld of %lld packets, %lld hits, %lld looks, until %s\n",
		       json_text_of(survey, "name"), json_text_of(survey, "state"), json_number_of(survey, "round"),
		       json_number_of(survey, "sent"), json_number_of(survey, "packets"),
		       json_number_of(survey, "hits"), json_number_of(survey, "looks"),
		       json_text_of(survey, "until"));
		printf("  %s; approved by %s, %s\n", json_text_of(survey, "purpose"),
		       json_text_of(survey, "approved_by"), json_text_of(survey, "reference"));
		if (*json_text_of(survey, "detail"))
			printf("  %s\n", json_text_of(survey, "detail"));
		l->shown++;
	}
	json_decref(list);
	return true;
}

static bool ignore(void *arg, struct bytes part)
{
	(void)arg;
	(void)part;
	return true;
}

static int say(const char *state, const char *topic, const char *name)
{
	struct fault fault = {{0}};
	if (client_request(state, "control", topic, bytes_of_text(name), ignore, NULL, WAIT_MS, &fault))
		return command_fail(1, "%s: %s", name, fault.text);
	return 0;
}

static int run(const struct arguments *a)
{
	static struct desk d;
	const char *word = arguments_word(a, 0);
	const bool named = arguments_count(a) == 2;
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	struct listing listing = {.json = d.json};
	if (named && !strcmp(word, "stop"))
		return say(d.state, "survey.stop", arguments_word(a, 1));
	if (named && !strcmp(word, "start"))
		return say(d.state, "survey.start", arguments_word(a, 1));
	if (named || (strcmp(word, "list") && strcmp(word, "status")))
		return command_fail(2, "list, status, start NAME or stop NAME");
	if (client_request(d.state, "control", "survey.list", (struct bytes){0}, print_surveys, &listing, WAIT_MS,
			   &d.fault))
		return command_fail(1, "%s", d.fault.text);
	if (!listing.shown)
		puts("no survey is approved (active.surveys)");
	return 0;
}

static const struct command survey_command = {
	.name = "survey",
	.synopsis = "list | status | start NAME | stop NAME [--config FILE] [--json]",
	.summary = "approved surveys: how far they are; stop one at once",
	.description =
		"list and status show each survey of active.surveys: whether it may be scanned now, and if\n"
		"not, why; the packets of this round, its hits and the looks they led to. stop takes the\n"
		"permission back: whoever scans has stopped within a second, and gets no other one until\n"
		"start. Scanning itself is `kansoku scan --survey NAME`.",
	.words_min = 1,
	.words_max = 2,
	.run = run,
};
COMMAND(survey_command);
