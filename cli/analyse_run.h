/* The second half of `kansoku analyse`: a sample is run where that is asked for, and all of it told in one form. */
#pragma once
#include "cli/command.h"
#include "lab/report.h"

struct analyse_run {
	struct lab_runner *runner; /* NULL: it is not run */
	uint64_t time_s;
	const char *form;          /* of the report; NULL: text */
	const char *keep;          /* folder for what runs leave; NULL: none */
	int folder;
	bool as[STORY_RUNS];
	struct config config;      /* read where --egress is given */
	struct arena arena;
	const struct egress_plan *egress; /* the one way out; NULL: nothing leaves */
};

/* While the process has its rights: reads flags, starts what runs samples, opens the folder; the exit status. */
int analyse_prepare(const struct arguments *, struct analyse_run *);
/* Whether more is asked for than text about the bytes. */
bool analyse_is_told(const struct analyse_run *);
/* Runs it, keeps what runs left, and writes the report; the exit status. */
int analyse_finish(struct analyse_run *, const struct findings *, struct bytes sample);
/* Outside bytes on a terminal: what is not printable is spelled out. */
void print_safe(struct bytes);
