/*
 * kansoku describe: what this program knows, from the tables that it runs on.
 *
 * Each topic gives rows of named texts; JSON, markdown (docs/) and man pages are three ways to
 * write them, so that no document can differ from the program.
 */
#include "active/probe.h"
#include "bus/process.h"
#include "cli/arguments_inner.h"
#include "lab/analyser.h"
#include "lab/report.h"
#include "passive/service.h"
#include "share/client.h"
#include "share/collection.h"
#include "share/format.h"
#include "share/output.h"
#include "share/publisher.h"
#include "store/report.h"
#include "web/route.h"
#include <stdlib.h>

#define COLUMNS_MAX 8
#define ROWS_MAX 1024
#define CELL_MAX 600

struct rows {
	const char *columns[COLUMNS_MAX];
	unsigned column_count;
	size_t count;
	char *cells[ROWS_MAX][COLUMNS_MAX];
};

static void row_add(struct rows *rows, const char *const *cells)
{
	if (rows->count == ROWS_MAX)
		return;
	for (unsigned c = 0; c < rows->column_count; c++)
		rows->cells[rows->count][c] = strdup(cells[c] ? cells[c] : "");
	rows->count++;
}

#define ROW(rows, ...) row_add(rows, (const char *const[]){__VA_ARGS__})

static void columns_set(struct rows *rows, const char *const *names)
{
	while (rows->column_count < COLUMNS_MAX && names[rows->column_count]) {
		rows->columns[rows->column_count] = names[rows->column_count];
		rows->column_count++;
	}
}

#define COLUMNS(rows, ...) columns_set(rows, (const char *const[]){__VA_ARGS__, NULL})

static void kinds_rows(struct rows *rows)
{
	COLUMNS(rows, "name", "what");
	for (int k = 0; k < EVENT_KIND_COUNT; k++)
		ROW(rows, event_kind_name((enum event_kind)k), event_kind_what((enum event_kind)k));
}

static void fields_rows(struct rows *rows)
{
	static const char *const types[] = {"",     "text",    "bytes", "number",
					    "bool", "address", "time",  "id"};
	COLUMNS(rows, "name", "type", "marks", "what");
	for (uint16_t f = 0; f < field_count(); f++) {
		const struct field_definition *d = field_definition(f);
		const char *marks = d->marks & FIELD_PRIVATE ? "private" : d->marks & FIELD_HOT ? "column" : "";
		ROW(rows, d->name, types[d->type], marks, d->what);
	}
}

static void ports_text(const uint16_t *ports, char *text, size_t n)
{
	struct writer w = writer_of(text, n - 1);
	for (int i = 0; i < 8 && ports[i]; i++)
		write_fmt(&w, "%s%u", i ? ", " : "", ports[i]);
	*w.at = '\0';
}

static void services_rows(struct rows *rows)
{
	char ports[64];
	COLUMNS(rows, "name", "summary", "ports", "reference");
	SERVICES_EACH(s) {
		ports_text((*s)->ports, ports, sizeof ports);
		ROW(rows, (*s)->name, (*s)->summary, ports, (*s)->reference);
	}
}

static void probes_rows(struct rows *rows)
{
	char ports[64], tier[8], question[24], answer[24];
	COLUMNS(rows, "name", "summary", "tier", "ports", "question_max", "answer_max", "reference");
	PROBES_EACH(p) {
		ports_text((*p)->ports, ports, sizeof ports);
		snprintf(tier, sizeof tier, "%u", (unsigned)(*p)->tier);
		snprintf(question, sizeof question, "%zu", (size_t)(*p)->question_max);
		snprintf(answer, sizeof answer, "%zu", (size_t)(*p)->answer_max);
		ROW(rows, (*p)->name, (*p)->summary, tier, ports, question, answer, (*p)->reference);
	}
}

static void option_rows(struct rows *rows, const char *path, const struct option *o)
{
	char name[160], meaning[CELL_MAX];
	struct writer w = writer_of(meaning, sizeof meaning - 1);
	bool list = o->type == OPTION_LIST && o->element == OPTION_MAP;
	snprintf(name, sizeof name, "%s%s%s%s", path, *path ? "." : "", o->name, list ? "[]" : "");
	option_describe(o, &w);
	*w.at = '\0';
	ROW(rows, name, meaning, o->summary);
	if (o->type == OPTION_MAP || list)
		for (const struct option *f = o->fields; f && f->name; f++)
			option_rows(rows, name, f);
}

static void options_rows(struct rows *rows)
{
	COLUMNS(rows, "option", "value", "what");
	SECTIONS_EACH(s)
		option_rows(rows, "", &(*s)->option);
	SERVICES_EACH(s) {
		char path[96];
		snprintf(path, sizeof path, "passive.services.%s", (*s)->name);
		for (const struct option *o = (*s)->options; o && o->name; o++)
			option_rows(rows, path, o);
		snprintf(path, sizeof path, "persona: services.%s", (*s)->name);
		for (const struct option *o = (*s)->device; o && o->name; o++)
			option_rows(rows, path, o);
	}
}

static void commands_rows(struct rows *rows)
{
	COLUMNS(rows, "command", "synopsis", "summary");
	COMMANDS_EACH(c)
		ROW(rows, (*c)->name, (*c)->synopsis, (*c)->summary);
}

static void routes_rows(struct rows *rows)
{
	COLUMNS(rows, "path", "method", "what");
	ROUTES_EACH(r)
		ROW(rows, (*r)->path, (*r)->method, (*r)->summary);
}

static void formats_rows(struct rows *rows)
{
	COLUMNS(rows, "name", "summary", "reference");
	FORMATS_EACH(f)
		ROW(rows, (*f)->name, (*f)->summary, (*f)->reference);
}

static void outputs_rows(struct rows *rows)
{
	COLUMNS(rows, "name", "summary", "type", "reference");
	OUTPUTS_EACH(o)
		ROW(rows, (*o)->name, (*o)->summary, (*o)->media_type, (*o)->reference);
}

/* Those that are there without being configured. */
static void collections_rows(struct rows *rows)
{
	static struct config config;
	static struct collections collections;
	struct fault fault = {0};
	COLUMNS(rows, "name", "title", "summary", "tlp", "id");
	if (config_read(BYTES("{}"), "nothing", &config, &fault) || collections_read(&collections, &config, &fault))
		return;
	for (size_t i = 0; i < collections.count; i++) {
		const struct collection *c = &collections.list[i];
		ROW(rows, c->name, c->title, c->summary, tlp_name(c->tlp), c->id);
	}
}

static const char *options_text(const struct client_option *o, char *text, size_t size)
{
	struct writer w = writer_of(text, size - 1);
	for (; o && o->name; o++)
		write_fmt(&w, "%s%s: %s", writer_used(&w) ? ". " : "", o->name, o->summary);
	*w.at = '\0';
	return text;
}

static void clients_rows(struct rows *rows)
{
	char text[1024];
	COLUMNS(rows, "name", "summary", "format", "key", "options");
	CLIENTS_EACH(c)
		ROW(rows, (*c)->name, (*c)->summary, (*c)->format ? (*c)->format : "as the source says", (*c)->key ? (*c)->key : "",
		    options_text((*c)->options, text, sizeof text));
}

static void publishers_rows(struct rows *rows)
{
	char text[1024];
	COLUMNS(rows, "name", "summary", "output", "key", "options");
	PUBLISHERS_EACH(p)
		ROW(rows, (*p)->name, (*p)->summary, (*p)->output, (*p)->key, options_text((*p)->options, text, sizeof text));
}

static void analysers_rows(struct rows *rows)
{
	COLUMNS(rows, "name", "summary", "reference");
	ANALYSERS_EACH(a)
		ROW(rows, (*a)->name, (*a)->summary, (*a)->reference);
}

static void lab_reports_rows(struct rows *rows)
{
	COLUMNS(rows, "name", "summary", "type");
	LAB_REPORTS_EACH(r)
		ROW(rows, (*r)->name, (*r)->summary, (*r)->type);
}

static void reports_rows(struct rows *rows)
{
	COLUMNS(rows, "name", "what");
	REPORTS_EACH(r)
		ROW(rows, (*r)->name, (*r)->summary);
}

static void roles_rows(struct rows *rows)
{
	static const char *const rights[] = {"accept", "connect", "files", "paths", "threads", "loose"};
	COLUMNS(rows, "role", "summary", "rights", "talks_to");
	ROLES_EACH(r) {
		char may[96], talks[96];
		struct writer w = writer_of(may, sizeof may - 1), t = writer_of(talks, sizeof talks - 1);
		for (unsigned i = 0; i < 6; i++)
			if ((*r)->rights & 1u << i)
				write_fmt(&w, "%s%s", writer_used(&w) ? ", " : "", rights[i]);
		for (const char *const *to = (*r)->talks_to; to && *to; to++)
			write_fmt(&t, "%s%s", writer_used(&t) ? ", " : "", *to);
		*w.at = *t.at = '\0';
		ROW(rows, (*r)->name, (*r)->summary, may, talks);
	}
}

static const struct topic {
	const char *name, *title;
	void (*fill)(struct rows *);
	bool sorted; /* what the linker gathered is put in order by its first column */
} topics[] = {
	{"kinds", "Kinds of event", kinds_rows, false},
	{"fields", "Fields of events", fields_rows, false},
	{"services", "Services of decoys", services_rows, true},
	{"probes", "Probes", probes_rows, true},
	{"analysers", "Ways to read a sample", analysers_rows, true},
	{"sample-reports", "Reports on a sample", lab_reports_rows, true},
	{"formats", "Formats that are taken in", formats_rows, true},
	{"outputs", "Formats of exports", outputs_rows, true},
	{"collections", "Collections that are there without being configured", collections_rows, true},
	{"clients", "Services of others that are asked", clients_rows, true},
	{"publishers", "Services of others that are told", publishers_rows, true},
	{"options", "Configuration", options_rows, true},
	{"commands", "Commands", commands_rows, true},
	{"routes", "Paths of the API", routes_rows, true},
	{"reports", "Reports", reports_rows, true},
	{"roles", "Processes", roles_rows, true},
};

static int row_order(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;
	return strcmp(x[0], y[0]);
}

static void write_cell(const char *text)
{
	for (; *text; text++) {
		if (*text == '|' || *text == '<')
			putchar('\\');
		putchar(*text);
	}
}

static void write_markdown(const struct topic *t, const struct rows *rows)
{
	printf("## %s\n\n", t->title);
	for (unsigned c = 0; c < rows->column_count; c++)
		printf("| %s ", rows->columns[c]);
	printf("|\n");
	for (unsigned c = 0; c < rows->column_count; c++)
		printf("| --- ");
	printf("|\n");
	for (size_t r = 0; r < rows->count; r++) {
		for (unsigned c = 0; c < rows->column_count; c++) {
			printf("| ");
			write_cell(rows->cells[r][c]);
			putchar(' ');
		}
		printf("|\n");
	}
	putchar('\n');
}

static void write_json(const struct topic *t, const struct rows *rows)
{
	static char text[COLUMNS_MAX * CELL_MAX * 6];
	printf("\"%s\":[", t->name);
	for (size_t r = 0; r < rows->count; r++) {
		struct writer w = writer_of(text, sizeof text);
		for (unsigned c = 0; c < rows->column_count; c++) {
			write_fmt(&w, "%s\"%s\":", c ? "," : "{", rows->columns[c]);
			write_json_string(&w, bytes_of_text(rows->cells[r][c]));
		}
		write_text(&w, "}");
		printf("%s%.*s", r ? ",\n" : "\n", (int)writer_used(&w), text);
	}
	printf("]");
}

static void describe_topic(const struct topic *t, bool json)
{
	static struct rows rows;
	rows = (struct rows){.count = 0};
	t->fill(&rows);
	if (t->sorted)
		qsort(rows.cells, rows.count, sizeof rows.cells[0], row_order);
	if (json)
		write_json(t, &rows);
	else
		write_markdown(t, &rows);
	for (size_t r = 0; r < rows.count; r++)
		for (unsigned c = 0; c < rows.column_count; c++)
			free(rows.cells[r][c]);
}

static void man_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '-')
			putchar('\\');
		putchar(*text);
	}
	putchar('\n');
}

/* A man page in the man(7) macros. */
static void describe_man(const struct command *c)
{
	printf(".TH KANSOKU-%s 1 \"\" kansoku kansoku\n.SH NAME\nkansoku-%s \\- %s\n.SH SYNOPSIS\n.B kansoku %s\n",
	       c->name, c->name, c->summary, c->name);
	man_text(c->synopsis);
	printf(".SH DESCRIPTION\n");
	man_text(c->description);
	printf(".SH OPTIONS\n");
	const struct flag *modules = c->flags_of_modules ? c->flags_of_modules() : NULL;
	const struct flag *sets[] = {c->flags, modules, arguments_flags_of_all()};
	for (int s = 0; s < 3; s++)
		for (const struct flag *f = sets[s]; f && f->name; f++) {
			printf(".TP\n.BI \\-\\-%s \" %s\"\n", f->name, f->value ? f->value : "");
			man_text(f->what);
		}
	printf(".SH EXIT STATUS\n0, 1 (it failed, the reason is on standard error) or 2 (used wrongly).\n"
	       ".SH SEE ALSO\nkansoku(1)\n");
}

static int describe_man_named(const char *name)
{
	COMMANDS_EACH(c)
		if (!strcmp((*c)->name, name)) {
			describe_man(*c);
			return 0;
		}
	return command_fail(2, "describe: there is no command \"%s\"", name);
}

static int run(const struct arguments *a)
{
	const char *wanted = arguments_word(a, 0), *man = arguments_flag(a, "man");
	bool json = arguments_flag(a, "json") != NULL;
	size_t shown = 0;
	if (man)
		return describe_man_named(man);
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
		if (wanted && strcmp(wanted, topics[i].name))
			continue;
		if (json)
			fputs(shown ? ",\n" : "{", stdout);
		describe_topic(&topics[i], json);
		shown++;
	}
	if (!shown)
		return command_fail(2, "describe: there is no topic \"%s\"; kinds, fields, services, probes, "
				       "analysers, sample-reports, formats, outputs, collections, clients, publishers, options, commands, routes, reports, roles", wanted);
	if (json)
		puts("}");
	return 0;
}

static const struct flag describe_flags[] = {
	{"man", "COMMAND", "write that command's man page instead"},
	{0},
};

static const struct command describe = {
	.name = "describe",
	.synopsis = "[TOPIC] [--json] [--man COMMAND]",
	.summary = "say what this program knows: events, services, probes, options, commands",
	.description = "Topics: kinds, fields, services, probes, analysers, sample-reports, formats, outputs, collections, clients, publishers, options, commands,\n"
		       "routes, reports, roles.\n"
		       "Markdown, or JSON with --json. The documents under docs/ are made by it.",
	.flags = describe_flags,
	.words_max = 1,
	.run = run,
};
COMMAND(describe);
