/*
 * What a bot family does on a telnet port, as a script (bench/trial/bots/, format: README.md):
 * log in by dictionary, send lines, wait for what the decoy must say, branch on what it says.
 * A line that never comes fails the dialogue, so the scripts are the decoy's examination.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/trial/text.h"

enum step_kind {
	STEP_OPTIONS, /* wait until the server negotiates: bots take a silent one for no telnetd */
	STEP_LOGIN,   /* try passwords until a shell's prompt comes */
	STEP_FAIL_LOGIN, /* try passwords that are refused, then leave */
	STEP_SEND,
	STEP_AWAIT, /* wait for the text, if any, and then for a prompt */
	STEP_HEAR,  /* wait for the text, wherever it stands */
	STEP_SEEN,  /* after an await: had its output this text, go on at `target` */
	STEP_NEVER, /* after an await: had its output this text, the dialogue failed */
	STEP_GOTO,
	STEP_LEAVE,
};

enum { STEPS_MAX = 64, ROUNDS_MAX = 20, BOTS_MAX = 32 };

struct step {
	enum step_kind kind;
	struct text text; /* $TOKEN, $NAME, $HOST, $HEX0 … are filled in when it is used */
	int target;
	unsigned line;
};

struct bot {
	const char *name;
	uint32_t weight;
	bool visitor; /* never gets in: scans, or tries passwords that are wrong */
	bool mute;    /* never answers a telnet option */
	size_t step_count;
	struct step steps[STEPS_MAX];
};

struct bots {
	size_t count;
	struct bot at[BOTS_MAX];
};

/* Reads every *.bot of a folder; ends the program where one is wrong or longer than 20 rounds. */
void bots_read(struct bots *bots, const char *folder);
