/* kansoku query: one question in SQL, answered in the format that is asked for. */
#include "cli/ask.h"
#include "store/store.h"
#include <unistd.h>

static bool print_part(void *arg, struct bytes part)
{
	(void)arg;
	return fwrite(part.at, 1, part.len, stdout) == part.len;
}

/* The word itself, or with "-" what stands on standard input. */
static int read_sql(const struct arguments *a, struct buffer *sql, struct fault *fault)
{
	const char *word = arguments_word(a, 0);
	if (!strcmp(word, "-"))
		return command_read_file("-", QUESTION_MAX - 16, sql, fault);
	*sql = BUFFER(QUESTION_MAX);
	return buffer_append(sql, word, strlen(word))
		       ? fault_set(fault, ERR_FULL, "query: longer than %u bytes", QUESTION_MAX) : 0;
}

static int run(const struct arguments *a)
{
	struct question question;
	struct fault fault = {0};
	struct buffer sql = BUFFER(0);
	const char *name = arguments_flag(a, "format");
	if (!name)
		name = arguments_flag(a, "json") ? "lines" : isatty(STDOUT_FILENO) ? "pretty" : "tsv";
	if (answer_format_find(name) < 0)
		return command_fail(2, "query: there is no format %s; lines, json, csv, tsv, parquet and pretty "
				       "are right", name);
	int bad = question_begin(&question, a, &fault);
	bad = bad ? bad : read_sql(a, &sql, &fault);
	bad = bad ? bad : question_ask(&question, name, buffer_bytes(&sql), arguments_flag(a, "private") != NULL,
				     print_part, NULL, &fault);
	buffer_done(&sql);
	if (fflush(stdout) && !bad)
		bad = fault_set(&fault, ERR_SYSTEM, "query: the answer cannot be written");
	return bad ? command_fail(1, "%s", fault.text) : 0;
}

static const struct flag query_flags[] = {
	{"format", "FORMAT", "lines (JSON), json, csv, tsv, parquet or pretty"},
	{"private", NULL, "also let it read passwords and payloads (table private)"},
	{0},
};

static const struct command query_command = {
	.name = "query",
	.synopsis = "SQL|- [--format FORMAT] [--private]",
	.summary = "ask the store in ClickHouse's SQL",
	.description =
		"The view log has one row an event: id, time, kind, sensor, src, dst, service and the other\n"
		"common fields as columns (login_user for login.user), all others in the arrays field and\n"
		"value: value[indexOf(field,'command.line')]. The table events is the same with addresses and\n"
		"ids as 16 bytes, which is faster to search: src = addr('192.0.2.1'), and ip(src) shows them.\n\n"
		"Questions only read, one statement at a time, within the limits of store.query. When kansoku\n"
		"is not running, the tables are opened directly.",
	.flags = query_flags,
	.words_min = 1,
	.words_max = 1,
	.run = run,
};
COMMAND(query_command);
