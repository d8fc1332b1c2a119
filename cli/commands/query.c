/* kansoku query: one question in SQL, answered in the format that is asked for. */
#include "bus/client.h"
#include "bus/parent.h"
#include "cli/command.h"
#include "cli/offline.h"
#include "store/store.h"
#include <stdlib.h>
#include <unistd.h>

#define GRACE_MS 30000 /* on top of the time that a question may take: others stand before it */

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

static int ask(const struct arguments *a, const char *state, const struct config *config,
	       enum answer_format format, struct bytes sql, struct fault *fault)
{
	const struct store_options *o = config_section(config, "store");
	const unsigned wait_ms_max = (unsigned)o->query.time_ms + GRACE_MS;
	bool private_too = arguments_flag(a, "private") != NULL;
	uint8_t *room = malloc(QUESTION_MAX);
	if (!room)
		return fault_set(fault, ERR_MEMORY, "query: out of memory");
	struct writer w = writer_of(room, QUESTION_MAX);
	question_write(&w, sql, format, private_too);
	int bad = client_request(state, "store", TOPIC_QUERY, writer_bytes(&w), print_part, NULL, wait_ms_max,
				 fault);
	free(room);
	if (bad == ERR_TIMEOUT)
		fault_set(fault, bad, "query: the store did not answer within %u s; kansoku's log says whether it "
				      "is up, store.query.time allows longer questions", wait_ms_max / 1000);
	if (bad == ERR_GONE && !offline_running(state))
		bad = offline_ask(state, config, sql, format, private_too, print_part, NULL, fault);
	return bad;
}

static int run(const struct arguments *a)
{
	static struct config config;
	char state[256];
	struct fault fault = {0};
	struct buffer sql = BUFFER(0);
	const char *name = arguments_flag(a, "format");
	if (!name)
		name = arguments_flag(a, "json") ? "lines" : isatty(STDOUT_FILENO) ? "pretty" : "tsv";
	int format = answer_format_find(name);
	if (format < 0)
		return command_fail(2, "query: there is no format %s; lines, json, csv, tsv, parquet and pretty "
				       "are right", name);
	int bad = command_config(a, &config, &fault);
	if (!bad && run_state_path(&config, state, sizeof state))
		bad = fault_set(&fault, ERR_BAD, "run.state: the path is too long");
	if (!bad)
		offline_program(state); /* before it reads its input */
	bad = bad ? bad : read_sql(a, &sql, &fault);
	bad = bad ? bad : ask(a, state, &config, (enum answer_format)format, buffer_bytes(&sql), &fault);
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
