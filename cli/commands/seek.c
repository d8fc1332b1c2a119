/* kansoku seek: what is sought among the answers of hosts, and how it is learned. */
#include "analysis/seeking.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/rule_check.h"
#include "cli/seek_learn.h"
#include <unistd.h>

#define FOLDERS_MAX 16
#define VALUE(name) "value[indexOf(field,'" name "')]"

static int open_seeks(const struct arguments *a, struct exposures *x, struct fault *fault)
{
	const char *folders[FOLDERS_MAX];
	size_t count = 0;
	*x = (struct exposures){0};
	for (; count < FOLDERS_MAX && arguments_flag_nth(a, "seeks", count); count++)
		folders[count] = arguments_flag_nth(a, "seeks", count);
	return exposures_open_seeks(x, folders, count, fault);
}

static void print_seek(const struct exposure_rule *s, bool json)
{
	char line[4096];
	struct writer w = writer_of(line, sizeof line);
	if (!json) {
		printf("%-28s %3u %%  %s\n%34s known from %s (%s:%u)\n", s->id, s->confidence, s->title, "", s->references, s->file,
		       s->line);
		return;
	}
	write_fmt(&w, "{\"seek\":\"%s\",\"confidence\":%u,\"label\":", s->id, s->confidence);
	write_json_string(&w, bytes_of_text(s->title));
	write_text(&w, ",\"learned\":");
	write_json_string(&w, bytes_of_text(s->references));
	write_text(&w, ",\"file\":");
	write_json_string(&w, bytes_of_text(s->file));
	write_text(&w, "}\n");
	fwrite(line, 1, writer_used(&w), stdout);
}

static int list(const struct arguments *a)
{
	struct exposures x;
	struct fault fault = {0};
	const char *complaint;
	if (open_seeks(a, &x, &fault))
		return command_fail(1, "%s", fault.text);
	for (size_t i = 0; i < exposure_rules_count(x.seeks); i++)
		print_seek(exposure_rules_at(x.seeks, i), arguments_flag(a, "json"));
	for (size_t i = 0; (complaint = exposure_rules_complaint(x.seeks, i)); i++)
		fprintf(stderr, "%s\n", complaint);
	exposures_close(&x);
	return 0;
}

static int verify(const struct arguments *a)
{
	struct exposures x;
	struct fault fault = {0};
	if (open_seeks(a, &x, &fault))
		return command_fail(1, "%s", fault.text);
	int status = rule_check_print(x.seeks, "seeks");
	exposures_close(&x);
	return status;
}

static bool print_part(void *arg, struct bytes part)
{
	(void)arg;
	return fwrite(part.at, 1, part.len, stdout) == part.len;
}

/* By survey, where the match's chain began with one's permission. */
static int found(const struct arguments *a)
{
	static const char sql[] =
		"SELECT ip(src) AS host, sport AS port, rule AS seek, argMax(" VALUE("seek.label") ", id) AS label, "
		"toUInt64OrZero(argMax(" VALUE("confidence") ", id)) AS confidence, argMax(" VALUE("evidence") ", id) AS evidence, "
		"argMax(" VALUE("exposure.answered") ", id) AS answered, hex(argMax(root, id)) AS began FROM events WHERE "
		"kind = 'host.matched' GROUP BY src, sport, rule ORDER BY seek, host, port LIMIT 10000";
	struct question question;
	struct fault fault = {0};
	const char *format = arguments_flag(a, "json") ? "lines" : isatty(STDOUT_FILENO) ? "pretty" : "tsv";
	int bad = question_begin(&question, a, &fault);
	bad = bad ? bad : question_ask(&question, format, BYTES(sql), false, print_part, NULL, &fault);
	if (fflush(stdout) && !bad)
		bad = fault_set(&fault, ERR_SYSTEM, "the answer cannot be written");
	return bad ? command_fail(1, "%s", fault.text) : 0;
}

static int run(const struct arguments *a)
{
	static const struct {
		const char *word;
		int (*run)(const struct arguments *);
	} parts[] = {{"list", list}, {"verify", verify}, {"found", found}, {"learn", seek_learn}, {"try", seek_try}};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (!strcmp(arguments_word(a, 0), parts[i].word))
			return parts[i].run(a);
	return command_fail(2, "list, verify, found, learn NAME ADDRESS..., or try FILE...");
}

static const struct flag seek_flags[] = {
	{"seeks", "DIR", "of list and verify: a directory of further seeks; may be given again"},
	{"label", "TEXT", "of learn: what a match means, such as \"infected: ...\""},
	{"from", "SQL", "of learn: the hosts, such as \"SELECT src FROM log WHERE ...\""},
	{"share", "PERCENT", "of learn: of the named hosts at least so many share a value; default: 80"},
	{"others", "PERCENT", "of learn: of the others at most so many have it; default: 1"},
	{"since", "TIME", "of learn and try: answers since then; default: 90 days"},
	{0},
};

static const struct command seek_command = {
	.name = "seek",
	.synopsis = "list | verify | found | learn NAME ADDRESS... | try FILE... [--label TEXT] [--from SQL] [--json]",
	.summary = "what is sought among answers: infected hosts, malicious servers",
	.description = "A seek names conditions on what a host answers; it asks nothing itself. list shows those that are\n"
		       "in force, verify tries their examples, found lists hosts that matched. learn reads from the\n"
		       "store what the named hosts answered and prints a candidate: the values that they share and few\n"
		       "others have, with both counts. Somebody has to judge it and put it into a folder of\n"
		       "exposure.seeks. try counts the stored hosts that the seeks of a file would match.",
	.flags = seek_flags,
	.words_min = 1,
	.words_max = ARGUMENTS_MAX,
	.run = run,
};
COMMAND(seek_command);
