/*
 * Who types: a human or a program, from timing, keys and mistakes.
 *
 * A terminal hands over what arrives, piece by piece with its time; commands come with whether
 * the device knew them.  Nothing of what was typed is kept but the last unknown command, until
 * the next one.  The verdict is a score, 0 (a program) to 100 (a human) around 50 (could be
 * either), and what speaks for it.
 */
#pragma once
#include "base/bytes.h"

#define TYPIST_WORD_MAX 31

struct spread { /* of times in milliseconds */
	uint32_t count;
	float sum, squares;
};

struct typist {
	uint64_t last_us;
	uint32_t pieces, keys, lines, whole_lines, bundles;
	uint32_t corrections, arrows, completions, typos;
	struct spread gaps, pauses; /* between keys of a line; before a line */
	bool in_line;
	uint8_t wrong_len, wrong[TYPIST_WORD_MAX];
};

enum typist_sign { /* bits of typist_verdict.signs */
	TYPIST_KEYS = 1,          /* keys come one by one */
	TYPIST_UNEVEN = 2,        /* at the rhythm of fingers */
	TYPIST_CORRECTIONS = 4,   /* backspace and its like */
	TYPIST_ARROWS = 8,        /* lines are called back and edited */
	TYPIST_COMPLETION = 16,
	TYPIST_TYPOS = 32,        /* an unknown command, then one much like it */
	TYPIST_THINKS = 64,       /* pauses before lines are long and differ */
	TYPIST_EVEN = 128,        /* keys or lines as by a clock */
	TYPIST_FAST = 256,        /* keys faster than fingers */
	TYPIST_AT_ONCE = 512,     /* lines follow answers at once */
	TYPIST_WHOLE_LINES = 1024,
	TYPIST_BUNDLES = 2048,    /* several lines at once */
};

struct typist_verdict {
	uint8_t score;
	uint16_t signs;
};

void typist_typed(struct typist *, struct bytes piece, uint64_t mono_us);
void typist_command(struct typist *, struct bytes line, bool found);
/* False: too little was typed to tell. */
bool typist_judge(const struct typist *, struct typist_verdict *);
const char *typist_name(uint8_t score); /* "human", "bot", "unsure" */
void typist_write_signs(uint16_t signs, struct writer *);
