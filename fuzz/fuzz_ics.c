/* Tables and the store's rows of the study of industrial systems, from any bytes. */
#include "analysis/ics_study.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void judge(struct bytes line)
{
	char text[4096];
	struct ics_row row;
	struct ics_verdict v;
	struct fault fault = {0};
	struct writer w = writer_of(text, sizeof text);
	if (ics_row_read(line, &row, &fault))
		return;
	ics_judge(&row, &v);
	ics_ports_write(&row, &w);
	ics_dark_write(&row, &w);
	if (v.machines_least < 1 || v.machines_seem < v.machines_least || v.same >= ICS_SAMES || strlen(v.reason) >= sizeof v.reason)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct exposure_rules *rules;
	const struct ics_study_options options = {.from_us = 1433116800000000u, .to_us = 1433894400000000u, .format = "shodan"};
	struct ics_study *s;
	struct bytes rest = {bytes, n};
	if (!rules && (event_start(NULL) || claim_rules_load(&rules, NULL, 0, NULL)))
		abort();
	if (ics_study_open(&s, &options, rules))
		abort();
	/* A line each: its first byte says which question it answers; a table's are all others. */
	while (rest.len) {
		const size_t end = bytes_find(rest, "\n"), take = end + (end < rest.len);
		const unsigned question = rest.at[0] - (unsigned)'0';
		if (question < ICS_QUESTIONS)
			ics_study_take(s, (enum ics_question)question, (struct bytes){rest.at + 1, take - 1});
		else
			judge((struct bytes){rest.at, end});
		rest = (struct bytes){rest.at + take, rest.len - take};
	}
	ics_study_conclude(s);
	ics_study_close(s);
	return 0;
}
