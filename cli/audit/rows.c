#include "cli/audit/audit.h"
#include <string.h>

const char *audit_text(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	return text ? text : "";
}

uint64_t audit_number(const json_t *row, const char *key)
{
	uint64_t n = 0;
	bytes_number(bytes_of_text(audit_text(row, key)), UINT64_MAX, &n);
	return n;
}

const json_t *audit_find(const json_t *rows, const char *key, const char *value)
{
	const json_t *row;
	size_t i;
	json_array_foreach(rows, i, row)
		if (*value && !strcmp(audit_text(row, key), value))
			return row;
	return NULL;
}

void audit_count(struct audit *a)
{
	const json_t *row, *answer;
	size_t i, k;
	json_array_foreach(a->decisions, i, row)
		if (!strcmp(audit_text(row, "decision"), "allowed"))
			a->looks += audit_find(a->probes, "lease", audit_text(row, "id")) != NULL;
	a->connections = json_array_size(a->probes);
	json_array_foreach(a->probes, i, row)
		a->unknown += audit_find(a->answers, "cause", audit_text(row, "id")) == NULL;
	/* Answers, not probes: also what left when the journal could not take the probe's own event. */
	json_array_foreach(a->answers, k, answer) {
		a->packets += audit_number(answer, "packets");
		a->bytes += audit_number(answer, "bytes_out");
	}
}
