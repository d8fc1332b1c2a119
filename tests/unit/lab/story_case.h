/* A story as the lab would tell it, made by hand: a bot that was run twice. */
#pragma once
#include "lab/report.h"

struct story_case {
	struct sample_story story;
	struct findings findings;
	struct run_findings runs[2];
	struct arena arena;
};

/* `hostile`: texts hold markup, quotes, control characters and no UTF-8. */
void story_case_open(struct story_case *, bool hostile);
void story_case_close(struct story_case *);
