/*
 * kansoku preview: what a recipient sees, before anything is sent.
 *
 * It is an export (share/exporting/exporting_inner.h) for that organisation, under its grant, its policy and its own keys, so
 * that each byte is the one that it would get; only the audit calls it a preview.
 */
#include "base/clock.h"
#include "cli/exports.h"
#include "cli/rights.h"
#include "event/event.h"
#include "share/access.h"
#include <stdlib.h>
#include <unistd.h>

#define COUNT_USUAL 20
#define LINES_MAX (256u << 20)
#define VALUES_SHOWN 3
#define VALUE_SHOWN 60

/* The question for one collection; NULL after it was said what is wrong. */
static json_t *question_of(const struct arguments *a, const char *collection)
{
	uint64_t count = COUNT_USUAL;
	const char *said = arguments_flag(a, "count"), *format = arguments_flag(a, "format");
	if (said && (!bytes_number(bytes_of_text(said), 1000000, &count) || !count)) {
		command_fail(2, "preview: --count: \"%s\" is not a number from 1 to 1000000", said);
		return NULL;
	}
	json_t *q = json_pack("{s:s, s:s, s:s, s:I, s:s}", "organisation", arguments_flag(a, "org"), "collection", collection, "format",
			      format ? format : "jsonl", "count", (json_int_t)count, "action", "preview");
	for (const char *const *key = (const char *const[]){"from", "to", NULL}; *key; key++)
		if (arguments_flag(a, *key))
			json_object_set_new(q, *key, json_string(arguments_flag(a, *key)));
	return q;
}

static void value_add(json_t *field, const json_t *value)
{
	json_t *values = json_object_get(field, "values");
	const size_t count = json_array_size(values);
	json_object_set_new(field, "count", json_integer(json_integer_value(json_object_get(field, "count")) + 1));
	for (size_t i = 0; i < count; i++)
		if (json_equal(json_array_get(values, i), value))
			return;
	if (count < VALUES_SHOWN)
		json_array_append(values, (json_t *)(uintptr_t)value);
	else
		json_object_set_new(field, "more", json_true());
}

static void event_add(json_t *fields, struct bytes line)
{
	const char *name;
	json_t *value, *event = json_loadb((const char *)line.at, line.len, 0, NULL);
	json_object_foreach(event, name, value) {
		if (!json_object_get(fields, name))
			json_object_set_new(fields, name, json_pack("{s:i, s:[]}", "count", 0, "values"));
		value_add(json_object_get(fields, name), value);
	}
	json_decref(event);
}

static void field_print(const char *name, const json_t *field)
{
	const json_t *value;
	size_t i;
	printf("  %-24s %6lld  ", name, json_number_of(field, "count"));
	json_array_foreach(json_object_get(field, "values"), i, value) {
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
		printf("%s%.*s%s", i ? ", " : "", VALUE_SHOWN, text ? text : "", text && strlen(text) > VALUE_SHOWN ? "…" : "");
		free(text);
	}
	puts(json_object_get(field, "more") ? ", …" : "");
}

/* Each field that goes out, how often, and some of its values: what a person reads before a yes. */
static int fields_print(struct desk *d, const char *path)
{
	struct buffer all = BUFFER(LINES_MAX);
	json_t *fields = json_object(), *field;
	const char *name;
	int bad = command_read_file(path, LINES_MAX, &all, &d->fault);
	struct reader r = reader_of_bytes(buffer_bytes(&all));
	struct bytes line;
	while (!bad && read_line(&r, &line))
		event_add(fields, line);
	json_object_foreach(fields, name, field)
		field_print(name, field);
	json_decref(fields);
	buffer_done(&all);
	return bad;
}

static int take_fields(struct desk *d, json_t *question, json_t **about)
{
	char folder[] = "/tmp/kansoku-preview-XXXXXX", path[sizeof folder + 8];
	if (!mkdtemp(folder)) {
		json_decref(question);
		return fault_set(&d->fault, ERR_SYSTEM, "no folder for a preview can be made in /tmp");
	}
	snprintf(path, sizeof path, "%s/events", folder);
	int bad = export_take(d->state, question, path, about, &d->fault);
	bad = bad ? bad : fields_print(d, path);
	unlink(path);
	rmdir(folder);
	return bad;
}

static int preview_one(struct desk *d, const char *collection)
{
	const struct arguments *a = d->arguments;
	const bool fields = arguments_flag(a, "fields") != NULL;
	json_t *about = NULL, *question = question_of(a, collection);
	if (!question)
		return 2;
	if (fields)
		printf("%s sees of %s:\n", arguments_flag(a, "org"), collection);
	int bad = fields ? take_fields(d, question, &about) : export_take(d->state, question, NULL, &about, &d->fault);
	fflush(stdout);
	if (bad)
		return command_fail(1, "preview: %s: %s", collection, d->fault.text);
	fprintf(stderr, "%s: ", collection);
	export_say(about);
	json_decref(about);
	return 0;
}

/* Every collection that it may read. */
static int preview_all(struct desk *d)
{
	int status = 0;
	size_t i, seen = 0;
	json_t *request = rights_request("grant.list"), *row;
	json_object_set_new(request, "organisation", json_string(arguments_flag(d->arguments, "org")));
	json_t *answer = desk_ask_role(d, "preview", "exchange", TOPIC_ACCESS, request);
	if (!answer)
		return 1;
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		if (status || !strstr(json_text_of(row, "rights"), "read"))
			continue;
		status = preview_one(d, json_text_of(row, "collection"));
		seen++;
	}
	json_decref(answer);
	return seen ? status : command_fail(1, "preview: %s has no grant to read anything", arguments_flag(d->arguments, "org"));
}

static int run(const struct arguments *a)
{
	static struct desk d;
	const char *collection = arguments_flag(a, "collection"), *format = arguments_flag(a, "format");
	if (!arguments_flag(a, "org"))
		return command_fail(2, "preview: whose? --org NAME would be right");
	if (arguments_flag(a, "fields") && format && strcmp(format, "jsonl"))
		return command_fail(2, "preview: --fields counts what JSON lines have, and no other --format");
	if (desk_open(&d, a))
		return command_fail(1, "%s", d.fault.text);
	return collection ? preview_one(&d, collection) : preview_all(&d);
}

static const struct flag preview_flags[] = {
	{"org", "NAME", "the recipient"},
	{"collection", "NAME", "of which collection; all that it may read, when it is not said"},
	{"format", "FORMAT", "as `kansoku describe outputs` names them; jsonl when it is not said"},
	{"fields", NULL, "no events but each field of them, how often it is there, and some of its values"},
	{"count", "N", "no more than N events of each collection, 20 when it is not said"},
	{"from", "TIME", "events from then on"},
	{"to", "TIME", "events before then"},
	{0},
};

static const struct command preview_command = {
	.name = "preview",
	.synopsis = "--org NAME [--collection NAME] [--format FORMAT | --fields] [--count N] [--from TIME] [--to TIME]",
	.summary = "what a recipient sees, before anything is sent",
	.description =
		"Prints events as that organisation gets them: under its grants, through their policies and with its own keys,\n"
		"so that addresses and tokens are those that it would see. Nothing is sent. It says how many events are\n"
		"withheld because of their marking. The audit notes who would have seen how much, as a preview.\n"
		"kansoku must be running.",
	.flags = preview_flags,
	.words_min = 0,
	.words_max = 0,
	.run = run,
};
COMMAND(preview_command);
