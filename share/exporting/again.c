/*
 * An export again, by its line of the audit: the same organisation, policy, time and marking, whatever its grant says by
 * now, and nothing that was not in that line.
 */
#include "share/exporting/door_inner.h"
#include <jansson.h>

struct search {
	uint64_t number;
	json_t *line;
};

static bool on_line(void *arg, struct bytes text)
{
	struct search *s = arg;
	json_t *line = json_loadb((const char *)text.at, text.len, 0, NULL);
	if ((uint64_t)json_integer_value(json_object_get(line, "n")) == s->number)
		s->line = json_incref(line);
	json_decref(line);
	return false;
}

static const char *word(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));
	return text ? text : "";
}

static int fill(struct exchange *x, const json_t *line, struct export_wanted *w, struct fault *fault)
{
	unsigned long long count = 0;
	w->output = output_find(word(line, "format"));
	w->collection = collection_find(&x->collections, word(line, "collection"));
	w->action = "again";
	if (!w->output || !w->collection)
		return fault_set(fault, ERR_MISSING, "the line names the format \"%.60s\" and the collection \"%.60s\", which are not both "
				 "here any more", word(line, "format"), word(line, "collection"));
	bytes_copy_text(bytes_of_text(word(line, "organisation")), w->organisation, sizeof w->organisation);
	bytes_copy_text(bytes_of_text(word(line, "policy")), w->policy, sizeof w->policy);
	time_parse(bytes_of_text(word(line, "events_from")), &w->from_us);
	if (!tlp_read(bytes_of_text(word(line, "marking")), &w->tlp_max) ||
	    !time_parse(bytes_of_text(word(line, "events_to")), &w->to_us) ||
	    !time_parse(bytes_of_text(word(line, "made")), &w->made_us))
		return fault_set(fault, ERR_BAD, "the line does not say all that an export needs");
	if (sscanf(word(line, "filter"), "count=%llu", &count) == 1)
		w->count_max = count;
	return 0;
}

int export_again_read(struct exchange *x, uint64_t number, struct export_wanted *w, char was[2 * AUDIT_DIGEST + 1],
		      struct fault *fault)
{
	struct search s = {.number = number};
	*w = (struct export_wanted){0};
	int bad = audit_each_back(x->audit, number + 1, on_line, &s);
	const char *action = word(s.line, "action");
	bool export = !strcmp(action, "export") || !strcmp(action, "snapshot") || !strcmp(action, "again");
	if (bad)
		fault_set(fault, bad, "the audit cannot be read");
	else if (!s.line)
		bad = fault_set(fault, ERR_MISSING, "the audit has no line %llu; `kansoku audit exchange` lists them",
				(unsigned long long)number);
	else if (!export)
		bad = fault_set(fault, ERR_BAD, "line %llu is no export, but \"%.40s\"", (unsigned long long)number, action);
	else
		bad = fill(x, s.line, w, fault);
	if (!bad)
		bytes_copy_text(bytes_of_text(word(s.line, "sha256")), was, 2 * AUDIT_DIGEST + 1);
	json_decref(s.line);
	return bad;
}
